"""The error tree. One class per thing that can go wrong for a user.

    EasyVtuberError                     internal
    |- InputError
    |  |- PortInUse                     port_in_use            port, tracker
    |  |- AddressUnusable               address_unusable       address, tracker
    |  |- PhoneUnreachable              phone_unreachable      address
    |  |- StreamUnreadable              stream_unreadable      path
    |  |- RecordingFailed               recording_failed       path
    |  |- NothingToRecord               nothing_to_record
    |  |- MicrophoneUnavailable         microphone_failed      reason
    |  |- CalibrationRefused            calibration_refused
    |  |- ExpressionsUnreadable         expressions_bad        path, reason
    |  `- InputUnavailable              input_unavailable      tracker, reason
    |- CharacterError
    |  |- CharacterMissing              character_missing      character
    |  |- CharacterNotPicture           character_not_picture  character
    |  |- CharacterDescriptionBad       character_description  character, field
    |  `- PictureUnusable               picture_unusable       path, reason
    |- ModelError
    |  |- ModelFileBad                  model_file_bad         file, reason
    |  |- ModelMissing                  model_missing          model, file
    |  |- DownloadFailed                download_failed        file, reason
    |  |- LicenceNeeded                 licence_needed         model, licence
    |  `- ArchiveBad                    archive_bad            path, reason
    |- AccelError
    |  |- RuntimeUnavailable            runtime_unavailable    runtime, reason
    |  |- NetworkRefused                network_refused        runtime, network, operators
    |  |- RuntimeFailed                 runtime_failed         runtime, network
    |  |- PictureWrong                  picture_wrong          runtime, reason
    |  `- BuildStopped                  build_stopped          network
    |- OutputError
    |  |- OutputUnavailable             output_unavailable     output, reason
    |  |- OutputFailed                  output_failed          output
    |  |- DiskFull                      disk_full              path
    |  `- DisplayMissing                display_missing
    |- SetupError
    |  |- EnvironmentMissing            environment_missing    path
    |  |- EnvironmentBroken             environment_broken     path, missing
    |  `- FrameRingUnusable             frame_ring_unusable    path
    |- WorkerError
    |  |- WorkerCrashed                 worker_crashed         exit_code
    |  |- WorkerStalled                 worker_stalled         seconds
    |  `- WorkerGaveUp                  worker_gave_up         restarts
    |- ProtocolError
    |  |- MessageMalformed              message_malformed      reason
    |  |- MessageUnknown                message_unknown        type
    |  `- VersionMismatch               version_mismatch       ours, theirs
    `- SettingRefused                   setting_refused        key, value

The code is stable and travels over the control pipe; the sentence for the user ("what, why, what to do") is looked up
by the code in ``core/obs/locale``; the detail is for the log only.
"""

from __future__ import annotations

from typing import Any, ClassVar, Dict, Iterator, Mapping, Type, Union

Parameter = Union[str, int, float]


class EasyVtuberError(Exception):
    """Something went wrong that a user can be told about.

    ``detail`` goes to the log; ``parameters`` (plain strings and numbers) fill the sentence's placeholders.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, detail: str = "", **parameters: Parameter) -> None:
        super().__init__(detail)
        self.detail = detail
        self.parameters: Dict[str, Parameter] = dict(parameters)

    def __str__(self) -> str:
        shown = ", ".join(f"{key}={value!r}" for key, value in self.parameters.items())
        return f"{self.code}({shown})" + (f": {self.detail}" if self.detail else "")

    def as_message(self) -> Dict[str, Any]:
        """The form that travels in ``error`` and ``reply`` messages."""
        return {"code": self.code, "parameters": dict(self.parameters), "detail": self.detail[:2000]}

    @staticmethod
    def from_message(fields: Mapping[str, Any]) -> EasyVtuberError:
        """Rebuild an error that came over the pipe; an unknown code (newer peer) keeps its text as detail."""
        code, detail = str(fields.get("code", "internal")), str(fields.get("detail", ""))
        given = fields.get("parameters")
        parameters = {
            str(key): value if isinstance(value, (str, int, float)) else str(value)
            for key, value in (given.items() if isinstance(given, dict) else ())
        }
        kind = ERRORS_BY_CODE.get(code)
        error = (kind or EasyVtuberError)(detail if kind else f"{code}: {detail}")
        error.parameters = parameters
        return error


class InputError(EasyVtuberError):
    """A tracker cannot deliver."""


class PortInUse(InputError):
    code = "port_in_use"


class AddressUnusable(InputError):
    code = "address_unusable"


class PhoneUnreachable(InputError):
    code = "phone_unreachable"


class StreamUnreadable(InputError):
    code = "stream_unreadable"


class RecordingFailed(InputError):
    code = "recording_failed"


class NothingToRecord(InputError):
    code = "nothing_to_record"


class MicrophoneUnavailable(InputError):
    code = "microphone_failed"


class CalibrationRefused(InputError):
    code = "calibration_refused"


class ExpressionsUnreadable(InputError):
    code = "expressions_bad"


class InputUnavailable(InputError):
    code = "input_unavailable"


class CharacterError(EasyVtuberError):
    """A character folder cannot be shown."""


class CharacterMissing(CharacterError):
    code = "character_missing"


class CharacterNotPicture(CharacterError):
    code = "character_not_picture"


class CharacterDescriptionBad(CharacterError):
    code = "character_description"


class PictureUnusable(CharacterError):
    code = "picture_unusable"


class ModelError(EasyVtuberError):
    """A network's file is missing, damaged or something else than it should be."""


class ModelFileBad(ModelError):
    code = "model_file_bad"


class ModelMissing(ModelError):
    code = "model_missing"


class DownloadFailed(ModelError):
    code = "download_failed"


class LicenceNeeded(ModelError):
    code = "licence_needed"


class ArchiveBad(ModelError):
    code = "archive_bad"


class AccelError(EasyVtuberError):
    """A runtime cannot compute a network, or not correctly."""


class RuntimeUnavailable(AccelError):
    code = "runtime_unavailable"


class NetworkRefused(AccelError):
    code = "network_refused"


class RuntimeFailed(AccelError):
    code = "runtime_failed"


class PictureWrong(AccelError):
    code = "picture_wrong"


class BuildStopped(AccelError):
    code = "build_stopped"


class OutputError(EasyVtuberError):
    """A publisher cannot show frames."""


class OutputUnavailable(OutputError):
    code = "output_unavailable"


class OutputFailed(OutputError):
    code = "output_failed"


class DiskFull(OutputError):
    code = "disk_full"


class DisplayMissing(OutputError):
    code = "display_missing"


class SetupError(EasyVtuberError):
    """What the worker needs around it is not there."""


class EnvironmentMissing(SetupError):
    code = "environment_missing"


class EnvironmentBroken(SetupError):
    code = "environment_broken"


class FrameRingUnusable(SetupError):
    code = "frame_ring_unusable"


class WorkerError(EasyVtuberError):
    """The worker process does not do its work."""


class WorkerCrashed(WorkerError):
    code = "worker_crashed"


class WorkerStalled(WorkerError):
    code = "worker_stalled"


class WorkerGaveUp(WorkerError):
    code = "worker_gave_up"


class ProtocolError(EasyVtuberError):
    """The control pipe carried something else than agreed."""


class MessageMalformed(ProtocolError):
    code = "message_malformed"


class MessageUnknown(ProtocolError):
    code = "message_unknown"


class VersionMismatch(ProtocolError):
    code = "version_mismatch"


class SettingRefused(EasyVtuberError):
    code = "setting_refused"


def _leaves(kind: Type[EasyVtuberError]) -> Iterator[Type[EasyVtuberError]]:
    for child in kind.__subclasses__():
        if "code" in child.__dict__:
            yield child
        yield from _leaves(child)


ERRORS_BY_CODE: Dict[str, Type[EasyVtuberError]] = {
    "internal": EasyVtuberError,
    **{kind.code: kind for kind in _leaves(EasyVtuberError)},
}
"""Every stable code and its class."""
