"""From a character and the user's choices to a model that draws it, on what proved right and fast on this machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from accel import registry
from accel.base import FULL, Device, Runtime
from core.wire.errors import (
    AccelError,
    BuildStopped,
    EasyVtuberError,
    ModelError,
    ModelMissing,
    PictureWrong,
    RuntimeUnavailable,
)
from core.wire.rungs import CPU, RIG, allows

from .base import CharacterModel, Picture
from .candidates import Candidate, candidates, choose
from .character import Character, read_picture
from .family import Family, Report
from .self_check import Verdict, Verdicts, judge, reference_pictures
from .wish import AUTOMATIC, ModelWish, Running

_log = logging.getLogger(__name__)

_PENDING = Verdict("ended_the_process")
"""Kept while a check runs: who finds it knows that the process did not survive the check."""
_PICTURE_REASONS = frozenset({"wrong_colours", "distorted", "nothing_drawn", "ended_the_process"})


class ModelOpener:
    """Opens models; keeps devices, runtimes and verdicts for the next one. Used from one thread at a time;
    :meth:`gave_out` and :meth:`end` from any."""

    def __init__(
        self,
        tell: Callable[[EasyVtuberError | None], None],
        verdicts: Verdicts | None = None,
        devices: Callable[[], list[Device]] = registry.devices,
        open_runtime: Callable[[Device, int], Runtime] = registry.open_runtime,
    ) -> None:
        """``tell`` is called with what does not work of the chosen ones, or None when all is well."""
        self._tell = tell
        self._verdicts = verdicts or Verdicts()
        self._list_devices, self._open_runtime = devices, open_runtime
        self._devices: list[Device] | None = None
        self._runtimes: dict[tuple[Device, int], Runtime] = {}
        self._gave_out: dict[tuple[str, str], EasyVtuberError] = {}
        """What stopped working, by the device's key and the precision: as with verdicts, nobody can tell which of two
        equal cards it was."""
        self._notes_lock = threading.Lock()
        self._drawn: tuple[str, list[Picture]] = ("", [])
        """A family's key and what the processor drew for it: several candidates are compared with that."""
        self._checking = ""
        """The key of the verdict that is being found out."""
        self._ends = False

    @property
    def devices(self) -> list[Device]:
        """Every device there is; the first call looks, which may load drivers."""
        if self._devices is None:
            self._devices = self._list_devices()
        return self._devices

    def family(self, character: Character, wish: ModelWish) -> Family | None:
        """What would draw this character; None for the built-in rig.

        Raises ModelFileBad or ModelMissing when the wanted networks are there in part, or damaged.
        """
        if wish.rung == RIG or wish.family == RIG:
            return None
        if wish.family in (AUTOMATIC, "tha4_student"):
            found = self._student(character, wish)
            if found is not None or wish.family != AUTOMATIC:
                if found is None:
                    raise ModelMissing(model="tha4_student", file="character_model.yaml")
                return found
        from .tha.family import ThaFamily, complete_families

        if wish.family == AUTOMATIC:
            complete = complete_families(wish.variant)
            return ThaFamily(character.picture, complete[0], wish.variant, self._processor(wish)) if complete else None
        return ThaFamily(character.picture, wish.family, wish.variant, self._processor(wish))

    def is_quick(self, family: Family, wish: ModelWish) -> bool:
        """Can it be opened so soon that nothing else need be shown until then?"""
        wanted, others = self._candidates(family, wish)
        verdicts = [self._known(family, candidate) for candidate in wanted]
        # when all that is wanted is bad, what stands in may still have to be checked
        known = all(verdicts) and any(verdict.good for verdict in verdicts if verdict)
        return family.is_quick() and (known or (len(wanted) == 1 and not others))

    def open(self, family: Family, wish: ModelWish, report: Report) -> tuple[CharacterModel, Running]:
        """The model and how it runs. Raises the last error when nothing here can draw it."""
        problems = self._earlier_problems(family, wish)
        while True:
            wanted, others = self._candidates(family, wish)
            choice = choose(wanted, others, lambda candidate: self._judge(family, candidate, wish, report, problems))
            if choice is None:
                raise problems[-1] if problems else RuntimeUnavailable(runtime=wish.runtime, reason="package_missing")
            candidate = choice.candidate
            try:
                runtime = self._runtime(candidate.device, wish.threads)
                model = family.open(runtime, candidate.precision, wish.size, report)
            except BuildStopped:
                # somebody wants something else by now: the device is not to blame
                raise
            except AccelError as problem:
                _log.warning("%s: %s", candidate, problem)
                problems.append(problem)
                self.gave_out(candidate.device, candidate.precision, problem)
                continue
            self._tell(problems[0] if problems else None)
            milliseconds = choice.verdict.milliseconds if choice.verdict else 0.0
            device = candidate.device
            return model, Running(
                family.name, family.variant, candidate.precision, device.runtime, device.name, choice.reason,
                milliseconds,
            )  # fmt: skip

    def gave_out(self, device: Device, precision: str, problem: EasyVtuberError) -> None:
        """It stopped working while it drew: it is not used again in this process. Safe from any thread."""
        self._gave_out[device.key, precision] = problem

    def device_of(self, running: Running) -> Device | None:
        """The device that a model runs on."""
        same = (known for known in self.devices if (known.runtime, known.name) == (running.runtime, running.device))
        return next(same, None)

    def runtime_beside(self, running: Running, wish: ModelWish) -> Runtime:
        """Where something may be computed beside a character: on the device that draws it; beside the rig on the first
        one that may be used. Raises RuntimeUnavailable, RuntimeFailed."""
        device = self.device_of(running)
        if device is None:
            usable = (
                known
                for known in self.devices
                if allows(wish.rung, registry.RUNTIMES[known.runtime])
                and wish.runtime in (AUTOMATIC, known.runtime)
                and wish.device in (AUTOMATIC, known.name)
            )
            device = next(usable, None)
        return self._runtime(device, wish.threads) if device is not None else self._processor(wish)

    def end(self) -> None:
        """The process is about to end because somebody wants it to: a check that runs now is not what ended it. Safe
        from any thread."""
        with self._notes_lock:
            self._ends = True
            if self._checking:
                self._verdicts.forget(self._checking)

    def close(self) -> None:
        """Give the runtimes back."""
        while self._runtimes:
            self._runtimes.popitem()[1].close()

    def _candidates(self, family: Family, wish: ModelWish) -> tuple[list[Candidate], list[Candidate]]:
        wanted, others = candidates(self.devices, registry.RUNTIMES.__getitem__, wish, family.precisions)

        def alive(found: list[Candidate]) -> list[Candidate]:
            return [entry for entry in found if (entry.device.key, entry.precision) not in self._gave_out]

        return alive(wanted), alive(others)

    def _earlier_problems(self, family: Family, wish: ModelWish) -> list[EasyVtuberError]:
        """Why what is wanted is not used, if it gave out before."""
        wanted = candidates(self.devices, registry.RUNTIMES.__getitem__, wish, family.precisions)[0]
        places = ((candidate.device.key, candidate.precision) for candidate in wanted)
        return [self._gave_out[place].with_traceback(None) for place in places if place in self._gave_out]

    def _known(self, family: Family, candidate: Candidate) -> Verdict | None:
        return self._verdicts.get(_key(family, candidate))

    def _judge(
        self, family: Family, candidate: Candidate, wish: ModelWish, report: Report, problems: list[EasyVtuberError]
    ) -> Verdict:
        verdict = self._known(family, candidate)
        if verdict is None:
            report("checking", 0.0)
            verdict = self._check(family, candidate, wish, problems)
            report("checking", 1.0)
        if verdict.reason in _PICTURE_REASONS:
            problems.append(PictureWrong(runtime=candidate.device.runtime, reason=verdict.reason))
        return verdict

    def _check(self, family: Family, candidate: Candidate, wish: ModelWish, problems: list[EasyVtuberError]) -> Verdict:
        key = _key(family, candidate)
        try:
            runtime = self._runtime(candidate.device, wish.threads)
            wanted = self._reference(family, wish)
            self._note(key, _PENDING)
            model = family.open_for_check(runtime, candidate.precision)
            try:
                verdict = judge(model, wanted)
            finally:
                model.close()
        except (AccelError, ModelError) as problem:
            _log.warning("%s: %s", candidate, problem)
            problems.append(problem)
            # what is missing or failed now may be there the next time
            self._note(key, None)
            return Verdict(problem.code)
        _log.info("%s draws %s: %s", candidate, family.key, verdict)
        self._note(key, verdict)
        return verdict

    def _note(self, key: str, verdict: Verdict | None) -> None:
        with self._notes_lock:
            if self._ends:
                return
            self._checking = key if verdict is _PENDING else ""
            if verdict is None:
                self._verdicts.forget(key)
            else:
                self._verdicts.keep(key, verdict)

    def _reference(self, family: Family, wish: ModelWish) -> list[Picture]:
        if self._drawn[0] == family.key:
            return self._drawn[1]
        precision = FULL if FULL in family.precisions else family.precisions[0]
        model = family.open_for_check(self._processor(wish), precision)
        try:
            self._drawn = family.key, reference_pictures(model)
        finally:
            model.close()
        return self._drawn[1]

    def _student(self, character: Character, wish: ModelWish) -> Family | None:
        from .student.family import StudentFamily
        from .student.folder import student_files

        if character.folder is None:
            return None
        files = student_files(character.folder)
        # its networks were made for the picture that its description names, whatever else lies beside it
        return (
            None
            if files is None
            else StudentFamily(files, read_picture(files.picture), wish.quality, self._processor(wish))
        )

    def _processor(self, wish: ModelWish) -> Runtime:
        device = next((known for known in self.devices if registry.RUNTIMES[known.runtime] == CPU), None)
        if device is None:
            raise RuntimeUnavailable(runtime="onnxruntime_cpu", reason="package_missing")
        return self._runtime(device, wish.threads)

    def _runtime(self, device: Device, threads: int) -> Runtime:
        key = device, threads
        if key not in self._runtimes:
            self._runtimes[key] = self._open_runtime(device, threads)
        return self._runtimes[key]


def _key(family: Family, candidate: Candidate) -> str:
    version = registry.version(candidate.device.runtime)
    return f"{family.key}|{candidate.device.key}|{candidate.precision}|{version}"
