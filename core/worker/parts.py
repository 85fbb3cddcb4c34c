"""The parts of a worker that can be exchanged while it runs: the inputs, the character, the output."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path

from accel.base import Progress as AccelProgress
from accel.base import Runtime
from core.publish import registry as outputs
from core.publish.base import PublishContext, Publisher
from core.wire.errors import EasyVtuberError
from core.wire.rungs import RIG
from core.wire.settings import SETTINGS, Value
from models.enhancing import open_rife, open_upscaling
from models.wish import ModelWish
from trackers import registry as trackers
from trackers.base import Adjustable, Tracker
from trackers.microphone import Microphone, microphone_names, open_microphone
from trackers.remote import RemoteControl
from trackers.webcam_names import camera_names

from .characters import CharacterMaker, PipelineFor, Progress, ShownCharacter
from .enhancers import SharedRife, SharedUpscaler
from .preparer import Part, Preparer, T

_CLOSE_LIMIT_S, _MODELS_CLOSE_LIMIT_S, _DRAWING_CLOSE_LIMIT_S = 1.2, 0.3, 0.3
_TRACKER_SETTINGS = tuple(
    setting for setting in SETTINGS if setting.shown_for is not None and setting.shown_for[0] == "tracker"
)
_ADJUSTED = ("manual_pose",)
"""What an input takes over while it runs."""
_OUTPUT_KEYS = ("output", "spout_name", "file_path", "camera_device", "camera_alpha_split")
_SHOWN_ELSEWHERE_KEYS = ("frame_rate", "output_size", "background_colour")
"""What outputs outside OBS must be opened with; the frame ring takes every size and rate as it comes."""


class Parts:
    """Holds what is in use and has the preparer make what the settings want instead."""

    def __init__(
        self,
        report: Callable[[str, EasyVtuberError | None], None],
        progress: Progress,
        pipeline_for: PipelineFor,
    ) -> None:
        """``report`` hears of each part's errors, from any thread; ``progress`` of long work on a character.
        ``pipeline_for`` is called on the thread that makes characters."""
        self._report = report
        self._preparer = Preparer()
        # networks may take minutes: trackers and outputs must not wait for them
        self._model_preparer = Preparer()
        self._maker = CharacterMaker(lambda problem: report("runtime", problem), progress, pipeline_for)
        self._progress = progress
        self._wanted_character: tuple[str, ModelWish] | None = None
        self._character_key: Hashable = None
        """Names the newest attempt; older ones stop when they notice."""
        self._attempt = 0
        self.tracker: Part[Tracker] = Part("tracker", self._preparer, report, exclusive=True)
        self.character: Part[ShownCharacter] = Part("character", self._model_preparer, report)
        self.upscaler: Part[SharedUpscaler] = Part("super_resolution", self._model_preparer, report)
        self.rife: Part[SharedRife] = Part("rife", self._model_preparer, report)
        self.cameras: list[str] = []
        self.microphones: list[str] = []
        self.microphone: Part[Microphone] = Part("microphone", self._preparer, report, exclusive=True)
        self.remote: Part[RemoteControl] = Part("remote", self._preparer, report, exclusive=True)
        self.output: Part[Publisher] = Part("output", self._preparer, report, exclusive=True)

    @property
    def devices(self) -> Mapping[str, list[str]]:
        """Runtimes by the name of the device; empty until :meth:`look_for_devices` is done."""
        return self._maker.devices

    def look_for_devices(self) -> None:
        """Have the devices listed, behind what is being made."""
        self._model_preparer.submit(self._maker.look_for_devices)

    def look_for_inputs(self, settings: Mapping[str, Value]) -> None:
        """Have those cameras and microphones listed that the settings let the user choose from; may load drivers."""
        if settings["tracker"] == "webcam":
            self._preparer.submit(self._look_for_cameras)
        if settings["lip_sync"] != "off":
            self._preparer.submit(self._look_for_microphones)

    def _look_for_cameras(self) -> None:
        self.cameras = list(camera_names())

    def _look_for_microphones(self) -> None:
        self.microphones = list(microphone_names())

    def submit(self, job: Callable[[], None]) -> None:
        """Run a short job beside the render loop, behind the inputs and outputs that are being opened."""
        self._preparer.submit(job)

    @property
    def made_character(self) -> str:
        """Name of the character that was made of a picture last; empty when none was."""
        return self._maker.made_character

    def make_character(self, picture: Path) -> None:
        """Have a picture made a character, behind what is being made."""
        self._preparer.submit(lambda: self._report("picture", self._maker.import_picture(picture)))

    def want(self, settings: Mapping[str, Value], rung: str, context: PublishContext) -> None:
        """Make anew whatever these settings (presets resolved) would have different."""
        self._want_inputs(settings)
        self._want_character(str(settings["character"]), ModelWish.of(settings, rung))
        output = str(settings["output"])
        if output == "automatic":
            # OBS's side decides before it asks; alone, the ring is the better guess
            output = "obs_source" if context.ring_locator else "null"
        keys = _OUTPUT_KEYS if output == "obs_source" else _OUTPUT_KEYS + _SHOWN_ELSEWHERE_KEYS
        self.output.want(
            (context.ring_locator, output, *_values(settings, keys)),
            lambda: outputs.open_publisher(output, settings, context),
        )

    def want_beside(self, settings: Mapping[str, Value], rung: str, steps: int) -> None:
        """Make anew what works beside the character that is shown: super-resolution, and RIFE for ``steps`` pictures
        where there was one."""
        shown = self.character.current
        if shown is None:
            return
        wish, running = ModelWish.of(settings, rung), shown.running
        where = (running.runtime, running.device, wish.runtime, wish.device, wish.precision, wish.threads, rung)
        kind = "off" if rung == RIG else str(settings["super_resolution"])
        upscaler_key, rife_key = (kind, shown.box, *where), (steps, *where)

        def maker(part: Part[T], key: Hashable, open_: Callable[[Runtime, AccelProgress], T]) -> Callable[[], T]:
            def progress(task: str, share: float) -> bool:
                self._progress(task, share)
                return part.wanted == key

            def make() -> T:
                try:
                    return open_(self._maker.runtime_beside(running, wish), progress)
                finally:
                    self._progress("", 1.0)

            return make

        def upscaler(runtime: Runtime, progress: AccelProgress) -> SharedUpscaler:
            opened = SharedUpscaler(kind, open_upscaling(kind, runtime, wish.precision, shown.box, progress))
            shown.pipeline.prepare(opened)
            return opened

        def rife(runtime: Runtime, progress: AccelProgress) -> SharedRife:
            return SharedRife(open_rife(runtime, wish.precision, steps, progress))

        if kind == "off":
            self.upscaler.drop()
        else:
            self.upscaler.want(upscaler_key, maker(self.upscaler, upscaler_key, upscaler))
        if settings["in_between_method"] == "rife" and rung != RIG:
            self.rife.want(rife_key, maker(self.rife, rife_key, rife))
        else:
            self.rife.drop()

    def take_network(self) -> None:
        """What is shown is the rig, for the time being: have the network made that shall take over."""
        shown = self.character.current
        if shown is not None and shown.network is not None:
            self.character.want((self._character_key, "network"), shown.network)

    def model_failed(self, problem: EasyVtuberError) -> None:
        """What draws now stopped working: something else is made at once. The broken one must not be used again."""
        shown = self.character.current
        if shown is not None and self._wanted_character is not None:
            self._maker.gave_out(shown.running, problem)
            self._attempt += 1
            name, wish = self._wanted_character
            self._make_character(name, wish, "")

    def close(self) -> None:
        """Give everything back, within the time OBS grants."""
        self._character_key = None
        self._maker.end()
        self.output.close()
        self.tracker.close()
        self.microphone.close()
        self.remote.close()
        shown = self.character.current
        if shown is not None:
            shown.pipeline.close(_DRAWING_CLOSE_LIMIT_S)
        self._preparer.close(_CLOSE_LIMIT_S)
        self._model_preparer.close(_MODELS_CLOSE_LIMIT_S)

    def _want_inputs(self, settings: Mapping[str, Value]) -> None:
        tracker = str(settings["tracker"])
        self.tracker.want(_tracker_key(settings), lambda: trackers.open_tracker(tracker, settings))
        if isinstance(self.tracker.current, Adjustable):
            self.tracker.current.adjust(settings)
        if settings["lip_sync"] == "off":
            self.microphone.drop()
        else:
            self.microphone.want(settings["microphone"], lambda: open_microphone(settings))
            if self.microphone.current is not None:
                self.microphone.current.adjust(settings)
        if settings["remote_control"]:
            self.remote.want(settings["remote_port"], lambda: RemoteControl(int(settings["remote_port"])))
        else:
            self.remote.drop()

    def _want_character(self, name: str, wish: ModelWish) -> None:
        if (name, wish) != self._wanted_character:
            self._wanted_character = name, wish
            shown = self.character.current
            self._make_character(name, wish, shown.name if shown is not None else "")

    def _make_character(self, name: str, wish: ModelWish, shown: str) -> None:
        key = self._character_key = name, wish, self._attempt
        self.character.want(key, lambda: self._maker.make(name, wish, lambda: self._character_key == key, shown))


def _tracker_key(settings: Mapping[str, Value]) -> tuple[Value, ...]:
    """What an input must be opened anew for: its name and the settings that are its own."""
    tracker = settings["tracker"]
    own = (
        setting.key
        for setting in _TRACKER_SETTINGS
        if setting.shown_for is not None and tracker in setting.shown_for[1] and setting.key not in _ADJUSTED
    )
    return tracker, *(settings[key] for key in own)


def _values(settings: Mapping[str, Value], keys: tuple[str, ...]) -> tuple[Value, ...]:
    return tuple(settings[key] for key in keys)
