"""The host's Python side: loads a script and calls it in OBS's order (obs-scripting-python.c), as a test tells it.

The test listens; the host connects, is told the script and its settings in the first line, and then answers one
question after another: ``{"call": name, "arguments": [...]}`` is a function of this module, called on the UI thread.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import locale
import os
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, Dict, List, Optional

import obspython

from tests.fake_obs_panel import Data

LIMIT_S = 60.0
obs: Any = obspython
"""Our stand-in, which can more than scripts may know of."""


class Look(ctypes.Structure):
    """``struct host_look`` of obs.dll."""

    _fields_ = [
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("line_bytes", ctypes.c_uint32),
        ("format", ctypes.c_int32),
        ("references", ctypes.c_int32),
        ("pictures", ctypes.c_uint64),
        ("emptied", ctypes.c_uint64),
        ("timestamp", ctypes.c_uint64),
        ("full_range", ctypes.c_bool),
        ("immediate", ctypes.c_bool),
    ]


class Written:
    """In place of stdout and stderr, as OBS has them: a log. What reaches stderr opens a window before the streamer."""

    def __init__(self) -> None:
        self.text: List[str] = []

    def write(self, text: str) -> None:
        self.text.append(text)

    def flush(self) -> None:
        """Nothing is kept back."""


class RememberedPopen(subprocess.Popen):  # type: ignore[type-arg]
    """The real thing; how it was called is kept in ``launched``."""

    def __init__(self, command: Any, **options: Any) -> None:
        flags = {name: options.get(name) for name in ("creationflags", "close_fds", "cwd")}
        launched.append({"command": command, "environment": options.get("env"), **flags})
        super().__init__(command, **options)


at_start = {"stdin": repr(sys.stdin), "encoding": locale.getpreferredencoding(False), "executable": sys.executable}
out, errors = Written(), Written()
launched: List[Dict[str, Any]] = []
settings = Data()
script: Any = None
frames = 0
_control: Any = None
_unread = b""
_alive = True


def start(port: int) -> bool:
    """Connect to the test, load its script and begin."""
    global _control, _unread, script
    sys.stdout, sys.stderr = out, errors
    os.environ["PYTHONUNBUFFERED"] = "1"
    subprocess.Popen = RememberedPopen  # type: ignore[assignment,misc]
    _control = socket.create_connection(("127.0.0.1", port), LIMIT_S)
    while b"\n" not in _unread:
        _unread += _control.recv(65536)
    line, _unread = _unread.split(b"\n", 1)
    told = json.loads(line)
    _control.setblocking(False)
    settings.values.update(told["settings"])
    file = Path(told["script"])
    sys.path.append(str(file.parent))
    script = importlib.import_module(file.stem)
    script.script_defaults(settings)
    script.script_description()
    script.script_load(settings)
    # only now the scene collection is read
    obs.make_scene("Scene")
    script.script_update(settings)
    obs.send(obs.OBS_FRONTEND_EVENT_SCENE_CHANGED)
    obs.send(obs.OBS_FRONTEND_EVENT_FINISHED_LOADING)
    return True


def frame(milliseconds: int) -> bool:
    """The drawing thread's turn, for scripts that want one."""
    global frames
    frames += 1
    if script is not None and hasattr(script, "script_tick"):
        script.script_tick(milliseconds / 1000)
    return True


def tick(_: int) -> bool:
    """The UI thread's turn: answer what was asked. False when the test is done with us, or gone."""
    global _unread
    try:
        received = _control.recv(65536)
        if not received:
            return False
        _unread += received
    except BlockingIOError:
        # nothing was asked
        pass
    except OSError:
        return False
    while b"\n" in _unread:
        line, _unread = _unread.split(b"\n", 1)
        _answer(json.loads(line))
    return _alive


def _answer(question: Dict[str, Any]) -> None:
    try:
        answer = {"value": globals()[question["call"]](*question["arguments"])}
    except Exception:  # noqa: BLE001 - it is the test that shall fail with it
        answer = {"error": traceback.format_exc()}
    _control.setblocking(True)
    _control.sendall(json.dumps(answer).encode() + b"\n")
    _control.setblocking(False)


# -- what a test can ask ---------------------------------------------------------------------------------------------


def facts() -> Dict[str, Any]:
    """Everything that was seen so far."""
    return {
        **at_start,
        "description": script.script_description(),
        "said": "".join(out.text),
        "errors": "".join(errors.text),
        "launched": launched,
        "threads": [thread.name for thread in threading.enumerate() if thread.name.startswith("easyvtuber-")],
        "faults": [*obs.ledger.faults, *obs.refused],
        "leaks": obs.ledger.leaks(),
        "sources": [source.name for source in obs.inputs],
        "frames": frames,
    }


def look(name: str) -> Dict[str, Any]:
    """What a source shows, and the picture's middle pixel (B, G, R, A)."""
    seen = Look()
    pixels = ctypes.create_string_buffer(2048 * 2048 * 4)
    if not obs.libobs.host_look(name.encode("utf-8"), ctypes.byref(seen), pixels, ctypes.c_size_t(len(pixels))):
        return {}
    middle = seen.height // 2 * seen.line_bytes + seen.width // 2 * 4
    known = {field[0]: getattr(seen, field[0]) for field in Look._fields_}
    return {**known, "middle": list(pixels.raw[middle : middle + 4])}


def panel() -> List[str]:
    """The panel's properties, by name."""
    return [member.name for member in script.script_properties().walk()]


def status() -> str:
    """The text that the panel shows about how things are."""
    return "\n".join(member.label for member in script.script_properties().walk() if member.kind == "info")


def choose(key: str, value: object) -> None:
    """The user changes a setting in the panel."""
    script.script_properties().choose(settings, key, value)
    script.script_update(settings)


def worker() -> Optional[int]:
    """The number of the worker's process; None while there is none."""
    plugin = script._plugin.current()
    child = plugin._engine._child if plugin is not None else None
    return child.pid if child is not None else None


def press(name: str) -> None:
    """The user presses a button of the panel."""
    script.script_properties().press(name)


def dialog() -> str:
    """The source's own properties dialog, as libobs builds it."""
    obs.libobs.host_open_dialog.restype = ctypes.c_char_p
    return str(obs.libobs.host_open_dialog().decode("utf-8"))


def unload() -> None:
    """What OBS does with a script at its end."""
    script.script_save(settings)
    obs.send(obs.OBS_FRONTEND_EVENT_SCRIPTING_SHUTDOWN)
    obs.send(obs.OBS_FRONTEND_EVENT_SCENE_COLLECTION_CLEANUP)
    obs.event_callbacks.clear()
    script.script_unload()


def leave() -> None:
    """End the program, as OBS's close button does."""
    global _alive
    _alive = False
