"""The settings table: every option exists once, here.

The panel, the worker's validation and the documentation's option table are made from it. A setting's label, help text
and choice names are looked up in the locale tables under ``setting.<key>.label``, ``setting.<key>.help`` and
``setting.<key>.choice.<value>``.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from .errors import SettingRefused

Value = Union[bool, int, float, str]

BOOL, INT, FLOAT, CHOICE, TEXT, FILE, COLOUR, CHARACTER, DEVICE, CAMERA, MICROPHONE, VALUES = (
    "bool", "int", "float", "choice", "text", "file", "colour", "character", "device", "camera", "microphone", "values",
)  # fmt: skip
"""``character`` to ``microphone`` are names from a list that is found while running; ``values`` is a text that has its
own controls in the panel (``core.wire.pose_values``)."""

LIVE = "live"
"""Takes effect between two frames, while the avatar is on screen."""
RESTART = "restart"
"""The worker is started anew."""
PANEL = "panel"
"""Only OBS's side looks at it."""

MAXIMUM_TEXT = 1024
MAXIMUM_VALUES = 8192


class Setting(NamedTuple):
    """One option. ``minimum``, ``maximum``, ``step`` and ``unit`` belong to numbers, ``choices`` to choices.

    ``shown_for`` hides the option in the panel unless another setting has one of the given values.
    """

    key: str
    kind: str
    default: Value
    group: str
    apply: str = LIVE
    advanced: bool = False
    minimum: float = 0
    maximum: float = 0
    step: float = 0
    unit: str = ""
    choices: Tuple[str, ...] = ()
    shown_for: Optional[Tuple[str, Tuple[str, ...]]] = None
    file_filter: str = ""
    saves_file: bool = False

    def check(self, value: Any) -> Value:
        """The value as this setting's type and inside its range. Raises SettingRefused if it is something else."""
        if self.kind == BOOL and isinstance(value, bool):
            return value
        if self.kind in (INT, COLOUR) and isinstance(value, int) and not isinstance(value, bool):
            return int(min(max(value, self.minimum), self.maximum))
        if self.kind == FLOAT and isinstance(value, (int, float)) and not isinstance(value, bool):
            if not isinstance(value, float) or math.isfinite(value):
                return float(min(max(value, self.minimum), self.maximum))
        elif self.kind == CHOICE and value in self.choices:
            return str(value)
        elif self.kind in (TEXT, FILE, CHARACTER, DEVICE, CAMERA, MICROPHONE, VALUES) and isinstance(value, str):
            cleaned = "".join(sign for sign in value if sign.isprintable()).strip()
            if len(cleaned) <= (MAXIMUM_VALUES if self.kind == VALUES else MAXIMUM_TEXT):
                return cleaned
        raise SettingRefused(f"expected {self.kind}", key=self.key, value=str(value)[:80])


TRACKERS = (
    "webcam", "ifacialmocap", "facemotion3d", "openseeface", "vts", "meowface", "livelinkface", "vmc", "rhylive",
    "mouse",
    "manual", "replay", "debug", "idle",
)  # fmt: skip
PHONES = ("ifacialmocap", "facemotion3d", "vts", "meowface", "livelinkface", "rhylive")
"""Trackers that are an app on a phone in the same network."""
RECORDED = (
    "webcam", "ifacialmocap", "facemotion3d", "openseeface", "vts", "meowface", "livelinkface", "vmc", "rhylive",
    "mouse",
)  # fmt: skip
"""Trackers whose packets can be recorded and replayed."""
OUTPUTS = ("automatic", "obs_source", "spout", "virtual_camera", "preview", "file", "null")
PRESETS = ("low", "medium", "high", "ultra", "automatic", "custom")
SIMPLIFY_LEVELS = ("off", "low", "medium", "high", "higher", "highest", "gaming")
DEFAULT_CHARACTER = "nocti"

MODELS = ("automatic", "tha4_student", "tha4", "tha3", "rig")
RUNTIMES = ("automatic", "tensorrt_rtx", "tensorrt", "onnxruntime_cuda", "onnxruntime_directml", "onnxruntime_cpu")
AUTOMATIC = "automatic"

SUPER_RESOLUTION = ("off", "waifu2x", "real_esrgan", "real_esrgan_head", "anime4k")

GROUPS = ("avatar", "input", "face", "voice", "movement", "model", "picture", "output", "program")
"""The panel's groups in order; names under ``group.<key>`` in the locale tables."""

SETTINGS: Tuple[Setting, ...] = (
    Setting("character", CHARACTER, DEFAULT_CHARACTER, "avatar"),
    Setting("picture_path", FILE, "", "avatar", apply=PANEL, file_filter="*.png *.jpg *.jpeg *.webp *.bmp"),
    Setting("tracker", CHOICE, "openseeface", "input", choices=TRACKERS),
    Setting("camera", CAMERA, AUTOMATIC, "input", shown_for=("tracker", ("webcam",))),
    Setting("camera_size", CHOICE, "640x480", "input", shown_for=("tracker", ("webcam",)),
            choices=("640x360", "640x480", "1280x720", "1920x1080")),
    Setting("camera_rate", INT, 30, "input", minimum=5, maximum=120, step=1, unit="fps", advanced=True,
            shown_for=("tracker", ("webcam",))),
    Setting("camera_video", FILE, "", "input", shown_for=("tracker", ("webcam",)), advanced=True,
            file_filter="*.mp4 *.mkv *.avi *.webm *.mov"),
    Setting("phone_address", TEXT, "", "input", shown_for=("tracker", PHONES)),
    Setting("phone_protocol", CHOICE, "text", "input", choices=("text", "text_v1", "text_tcp", "fmv3", "fmv3_tcp"),
            shown_for=("tracker", ("ifacialmocap", "facemotion3d")), advanced=True),
    Setting("listen_address", TEXT, "", "input", shown_for=("tracker", (*PHONES, "vmc")), advanced=True),
    Setting("osf_address", TEXT, "127.0.0.1", "input", shown_for=("tracker", ("openseeface",)), advanced=True),
    Setting("osf_port", INT, 11573, "input", minimum=1024, maximum=65535, step=1,
            shown_for=("tracker", ("openseeface",))),
    Setting("vmc_port", INT, 39539, "input", minimum=1024, maximum=65535, step=1, shown_for=("tracker", ("vmc",))),
    Setting("vts_port", INT, 50509, "input", minimum=1024, maximum=65535, step=1, shown_for=("tracker", ("vts",)),
            advanced=True),
    Setting("livelink_port", INT, 11111, "input", minimum=1024, maximum=65535, step=1,
            shown_for=("tracker", ("livelinkface",))),
    Setting("meowface_port", INT, 12345, "input", minimum=1024, maximum=65535, step=1,
            shown_for=("tracker", ("meowface",))),
    Setting("rhylive_port", INT, 39550, "input", minimum=1024, maximum=65535, step=1,
            shown_for=("tracker", ("rhylive",))),
    Setting("mouse_area", CHOICE, "all", "input", choices=("all", "primary"), shown_for=("tracker", ("mouse",))),
    Setting("mouse_range", INT, 100, "input", minimum=20, maximum=300, step=5, unit="%",
            shown_for=("tracker", ("mouse",))),
    Setting("mouse_centre_x", INT, 50, "input", minimum=0, maximum=100, step=1, unit="%", advanced=True,
            shown_for=("tracker", ("mouse",))),
    Setting("mouse_centre_y", INT, 50, "input", minimum=0, maximum=100, step=1, unit="%", advanced=True,
            shown_for=("tracker", ("mouse",))),
    Setting("manual_pose", VALUES, "", "input", shown_for=("tracker", ("manual",))),
    Setting("replay_path", FILE, "", "input", shown_for=("tracker", ("replay",)), file_filter="*.rec"),
    Setting("replay_protocol", CHOICE, "automatic", "input", choices=("automatic", *RECORDED),
            shown_for=("tracker", ("replay",)), advanced=True),
    Setting("replay_loop", BOOL, True, "input", shown_for=("tracker", ("replay",))),
    Setting("mirror", BOOL, False, "face"),
    Setting("smoothing", INT, 30, "face", minimum=0, maximum=100, step=1, unit="%"),
    Setting("responsiveness", INT, 50, "face", minimum=0, maximum=100, step=1, unit="%"),
    Setting("head_gain", FLOAT, 1.0, "face", minimum=0.2, maximum=3.0, step=0.05, advanced=True),
    Setting("body_gain", FLOAT, 1.0, "face", minimum=0.0, maximum=3.0, step=0.05, advanced=True),
    Setting("eyebrows", BOOL, True, "face", advanced=True),
    Setting("blink", CHOICE, "automatic", "face", choices=("automatic", "always", "never")),
    Setting("blink_interval", FLOAT, 4.0, "face", minimum=1.0, maximum=20.0, step=0.5, advanced=True),
    Setting("breath_rate", INT, 14, "face", minimum=0, maximum=60, step=1, unit="/min"),
    Setting("breath_reactive", BOOL, True, "face", advanced=True),
    Setting("idle_strength", INT, 100, "face", minimum=0, maximum=200, step=5, unit="%", advanced=True),
    Setting("tuning", VALUES, "", "face", advanced=True),
    Setting("lip_sync", CHOICE, "off", "voice", choices=("off", "only", "add", "lost")),
    Setting("microphone", MICROPHONE, AUTOMATIC, "voice", shown_for=("lip_sync", ("only", "add", "lost"))),
    Setting("microphone_gain", INT, 0, "voice", minimum=-20, maximum=40, step=1, unit="dB",
            shown_for=("lip_sync", ("only", "add", "lost"))),
    Setting("microphone_gate", INT, -45, "voice", minimum=-80, maximum=-10, step=1, unit="dB",
            shown_for=("lip_sync", ("only", "add", "lost"))),
    Setting("lip_sync_vowels", BOOL, True, "voice", shown_for=("lip_sync", ("only", "add", "lost")), advanced=True),
    Setting("extend_movement", FLOAT, 0.0, "movement", minimum=0.0, maximum=3.0, step=0.1),
    Setting("auto_framing", BOOL, True, "movement", advanced=True),
    Setting("bongo", BOOL, False, "movement"),
    Setting("zoom", INT, 100, "movement", minimum=25, maximum=300, step=5, unit="%", advanced=True),
    Setting("shift_x", INT, 0, "movement", minimum=-100, maximum=100, step=1, unit="%", advanced=True),
    Setting("shift_y", INT, 0, "movement", minimum=-100, maximum=100, step=1, unit="%", advanced=True),
    Setting("remote_control", BOOL, False, "movement", advanced=True),
    Setting("remote_port", INT, 39541, "movement", minimum=1024, maximum=65535, step=1, advanced=True),
    Setting("model", CHOICE, AUTOMATIC, "model", choices=MODELS),
    Setting("model_variant", CHOICE, "separable", "model", choices=("separable", "standard"),
            shown_for=("model", ("tha3",))),
    Setting("runtime", CHOICE, AUTOMATIC, "model", choices=RUNTIMES,
            shown_for=("model", ("automatic", "tha4_student", "tha4", "tha3"))),
    Setting("device", DEVICE, AUTOMATIC, "model",
            shown_for=("model", ("automatic", "tha4_student", "tha4", "tha3"))),
    Setting("precision", CHOICE, AUTOMATIC, "model", choices=("automatic", "half", "full"),
            shown_for=("model", ("automatic", "tha4_student", "tha4", "tha3"))),
    Setting("cpu_threads", INT, 0, "model", minimum=0, maximum=16, step=1, advanced=True,
            shown_for=("model", ("automatic", "tha4_student", "tha4", "tha3"))),
    Setting("preset", CHOICE, "high", "picture", choices=PRESETS),
    Setting("output_size", INT, 512, "picture", minimum=256, maximum=1024, step=64, unit="px",
            shown_for=("preset", ("custom",))),
    Setting("render_rate", INT, 0, "picture", minimum=0, maximum=144, step=1, unit="fps",
            shown_for=("preset", ("custom",))),
    Setting("quality", CHOICE, "balanced", "picture", choices=("full", "balanced", "fast"),
            shown_for=("preset", ("custom",))),
    Setting("simplify", CHOICE, "low", "picture", choices=SIMPLIFY_LEVELS, shown_for=("preset", ("custom",))),
    Setting("ram_cache", INT, 512, "picture", minimum=0, maximum=16384, step=64, unit="MB",
            shown_for=("preset", ("custom",))),
    Setting("cache_codec", CHOICE, AUTOMATIC, "picture", choices=(AUTOMATIC, "raw", "lz4", "turbojpeg"),
            shown_for=("preset", ("custom",)), advanced=True),
    Setting("vram_cache", INT, 128, "picture", minimum=0, maximum=16384, step=16, unit="MB",
            shown_for=("preset", ("custom",))),
    Setting("interpolation", BOOL, True, "picture"),
    Setting("in_between_method", CHOICE, "motion", "picture", choices=("motion", "smooth", "rife")),
    Setting("interpolation_factor", INT, 1, "picture", minimum=1, maximum=4, step=1, unit="x"),
    Setting("super_resolution", CHOICE, "off", "picture", choices=SUPER_RESOLUTION),
    Setting("budget", INT, 100, "picture", minimum=10, maximum=100, step=5, unit="%"),
    Setting("mark_in_betweens", BOOL, False, "picture", advanced=True),
    Setting("frame_rate", INT, 0, "output", minimum=0, maximum=144, step=1, unit="fps"),
    Setting("output", CHOICE, "automatic", "output", choices=OUTPUTS),
    Setting("spout_name", TEXT, "EasyVtuber", "output", shown_for=("output", ("automatic", "spout")), advanced=True),
    Setting("file_path", FILE, "", "output", shown_for=("output", ("file",)), saves_file=True,
            file_filter="*.mp4 *.mkv *.avi *.png"),
    Setting("camera_device", CHOICE, "automatic", "output",
            choices=("automatic", "obs", "unitycapture", "v4l2loopback"), shown_for=("output", ("virtual_camera",))),
    Setting("camera_alpha_split", BOOL, False, "output", shown_for=("output", ("virtual_camera",))),
    Setting("background_colour", COLOUR, 0xFF00B140, "output", minimum=0, maximum=0xFFFFFFFF,
            shown_for=("output", ("virtual_camera", "file", "preview"))),
    Setting("autostart", BOOL, True, "program", apply=PANEL),
    Setting("advanced", BOOL, False, "program", apply=PANEL),
    Setting("worker_python", FILE, "", "program", apply=RESTART, advanced=True),
    Setting("log_level", CHOICE, "info", "program", choices=("warning", "info", "debug"), advanced=True),
    Setting("draw_times", BOOL, False, "program", advanced=True),
)  # fmt: skip
"""All options, in the panel's order."""

BY_KEY: Dict[str, Setting] = {setting.key: setting for setting in SETTINGS}

MAXIMUM_PICTURE_BYTES = int(BY_KEY["output_size"].maximum) ** 2 * 4
"""Bytes of the largest picture any setting can ask for: what a ring's slot must hold."""


def defaults() -> Dict[str, Value]:
    """A fresh dictionary with every setting's default."""
    return {setting.key: setting.default for setting in SETTINGS}


def accept(given: Mapping[str, Any]) -> Tuple[Dict[str, Value], List[SettingRefused]]:
    """Check settings from outside. Unknown keys (another version's) are left out, bad values refused one by one.

    Returns the good ones and a list of the refusals; what was refused keeps whatever value it had before.
    """
    good: Dict[str, Value] = {}
    refused: List[SettingRefused] = []
    for key, value in given.items():
        setting = BY_KEY.get(key)
        if setting is None:
            continue
        try:
            good[key] = setting.check(value)
        except SettingRefused as refusal:
            refused.append(refusal)
    return good, refused
