"""The microphone as a mouth. Not a tracker: it stands beside one, and whatever happens to it touches nothing else.

Sound comes through PortAudio (the ``sounddevice`` package); it is looked at and forgotten, never kept or sent.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from core.pose.lip_sync import MouthSample
from core.pose.vowels import Sound, VowelAnalyser
from core.wire.clock import now_ns
from core.wire.errors import InputError, MicrophoneUnavailable
from core.wire.settings import AUTOMATIC, Value

from .base import Hint, TrackerState, TrackerStatus

_log = logging.getLogger(__name__)

STALE_NS = 300_000_000
"""Without a new piece of sound for so long the microphone is gone."""
_BLOCK_S = 0.016
_RETRY_S, _LOOK_S, _STOP_LIMIT_S, _ALONE_LIMIT_S = 2.0, 0.5, 1.0, 5.0
_SILENT_NS = 10_000_000_000
_NOTHING_COMES_NS = 2_000_000_000
"""A stream that runs and brings nothing for so long is opened anew."""
_WINDOWS_API = "Windows WASAPI"
"""Windows lists every microphone once for each way to reach it; this one has whole names and little delay."""


class Microphone:
    """A thread that owns the stream: opens it, looks whether it still runs, opens it again after it was unplugged."""

    def __init__(
        self,
        device: str,
        settings: Mapping[str, Value],
        *,
        load: Callable[[], Any] | None = None,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._device, self._clock = device, clock
        self._load = load or load_sounddevice
        self._settings = settings
        self._analyser: VowelAnalyser | None = None
        self._mouth: tuple[MouthSample, int] | None = None
        self._error: InputError | None = None
        self._heard_ns = self._opened_ns = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="microphone", daemon=True)
        self._thread.start()

    def mouth(self, now: int) -> MouthSample | None:
        """What was heard last; None while nothing is heard. Any thread."""
        newest = self._mouth
        return newest[0] if newest is not None and now - newest[1] < STALE_NS else None

    def adjust(self, settings: Mapping[str, Value]) -> None:
        """Gain, gate and vowels hold from now on."""
        self._settings = settings
        if self._analyser is not None:
            _adjust(self._analyser, settings)

    def status(self, now: int) -> TrackerStatus:
        """Whether it hears, and that it hears only silence."""
        if self._error is not None:
            return TrackerStatus(TrackerState.FAILED, error=self._error)
        state = TrackerState.TRACKING if self.mouth(now) is not None else TrackerState.WAITING
        since = max(self._heard_ns, self._opened_ns)
        silent = state is TrackerState.TRACKING and now - since > _SILENT_NS
        return TrackerStatus(state, hints=(Hint("microphone_silent", warning=True),) if silent else ())

    def close(self) -> None:
        """End the thread; it closes the stream. A driver that hangs is left behind. Safe to call twice."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_STOP_LIMIT_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except InputError as problem:
                self._fail(problem)
            except Exception as problem:  # noqa: BLE001 - PortAudio and its drivers raise anything
                self._fail(MicrophoneUnavailable(repr(problem)[:200], reason="microphone_failed"))
            self._mouth = None
            self._stop.wait(_RETRY_S)

    def _fail(self, problem: InputError) -> None:
        if self._error is None:
            _log.warning("%s", problem)
        self._error = problem

    def _listen(self) -> None:
        """Open the stream and stay while it runs. Returns when it ended."""
        sounddevice = self._load()
        with _portaudio.alone():
            _portaudio.look_again(sounddevice)
            number, options = _way_to(sounddevice, self._device)
            rate = float(sounddevice.query_devices(number, "input")["default_samplerate"])
            analyser = VowelAnalyser(rate)
            _adjust(analyser, self._settings)
            stream = sounddevice.InputStream(
                device=number,
                channels=1,
                samplerate=rate,
                dtype="float32",
                blocksize=int(rate * _BLOCK_S),
                latency="low",
                callback=self._callback(analyser),
                extra_settings=options,
            )
            _portaudio.open_streams += 1
        self._analyser = analyser
        try:
            with stream:
                self._error, self._opened_ns = None, self._clock()
                self._stay(stream)
        finally:
            _portaudio.open_streams -= 1

    def _callback(self, analyser: VowelAnalyser) -> Callable[[Any, int, Any, Any], None]:
        """What PortAudio's own thread calls for every block; the block is its own again afterwards."""

        def heard(sound: Any, frames: int, time: Any, status: Any) -> None:
            piece: Sound = np.array(sound, np.float32).reshape(frames, -1)[:, 0]
            analyser.feed(piece)
            now = self._clock()
            if np.any(piece):
                self._heard_ns = now
            self._mouth = MouthSample(analyser.level, analyser.vowels.copy()), now

        return heard

    def _stay(self, stream: Any) -> None:
        """Until it is closed, or the stream runs no more. The reason is told before the stream is closed: that may
        hang."""
        while not self._stop.wait(_LOOK_S):
            now, newest = self._clock(), self._mouth
            last = max(newest[1] if newest is not None else 0, self._opened_ns)
            if not stream.active or now - last > _NOTHING_COMES_NS:
                self._mouth = None
                self._fail(MicrophoneUnavailable("the stream ended", reason="microphone_gone"))
                return


class _PortAudio:
    """PortAudio is one for the whole process, and its list of devices is freed while it starts anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.open_streams = 0
        self._is_up = True

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else starts it or reads its lists meanwhile. A driver that hangs in there is not waited for long."""
        if not self._lock.acquire(timeout=_ALONE_LIMIT_S):
            raise MicrophoneUnavailable("PortAudio is busy", reason="microphone_failed")
        try:
            yield
        finally:
            self._lock.release()

    def look_again(self, sounddevice: Any) -> None:
        """Devices that were plugged in later are seen after a new start only. Never under somebody else's stream."""
        if self.open_streams:
            return
        if self._is_up:
            sounddevice._terminate()
        self._is_up = False
        sounddevice._initialize()
        self._is_up = True


_portaudio = _PortAudio()


def _adjust(analyser: VowelAnalyser, settings: Mapping[str, Value]) -> None:
    analyser.gain_db = float(settings["microphone_gain"])
    analyser.gate_db = float(settings["microphone_gate"])
    analyser.tells_vowels = bool(settings["lip_sync_vowels"])


def _way_to(sounddevice: Any, name: str) -> tuple[int | None, Any]:
    """PortAudio's number of a microphone (None: the system's own choice) and options for opening it.

    Raises MicrophoneUnavailable when it is not there.
    """
    known = _inputs(sounddevice)
    if not known:
        raise MicrophoneUnavailable(reason="microphone_none" if name == AUTOMATIC else "microphone_gone")
    if name == AUTOMATIC:
        return None, None
    for number, found in known:
        if found == name:
            # Windows itself mixes channels down then, and converts the rate
            through_wasapi = _WINDOWS_API in (str(api["name"]) for api in sounddevice.query_hostapis())
            return number, sounddevice.WasapiSettings(auto_convert=True) if through_wasapi else None
    raise MicrophoneUnavailable(name, reason="microphone_gone")


def _inputs(sounddevice: Any) -> list[tuple[int, str]]:
    apis = [str(api["name"]) for api in sounddevice.query_hostapis()]
    preferred = apis.index(_WINDOWS_API) if _WINDOWS_API in apis else None
    found: dict[str, int] = {}
    for number, device in enumerate(sounddevice.query_devices()):
        if device["max_input_channels"] > 0 and (preferred is None or device["hostapi"] == preferred):
            found.setdefault(str(device["name"]), number)
    return [(number, name) for name, number in found.items()]


def load_sounddevice() -> Any:
    """The package. Raises MicrophoneUnavailable, saying what is missing."""
    try:
        return importlib.import_module("sounddevice")
    except ImportError as problem:
        raise MicrophoneUnavailable(str(problem), reason="sounddevice_missing") from problem
    except OSError as problem:
        reason = "portaudio_missing" if sys.platform == "linux" else "microphone_failed"
        raise MicrophoneUnavailable(str(problem), reason=reason) from problem


def microphone_names() -> list[str]:
    """Every microphone's name, each once; none when they cannot be asked for."""
    try:
        sounddevice = load_sounddevice()
        with _portaudio.alone():
            return [name for _, name in _inputs(sounddevice)]
    except InputError:
        return []
    except Exception as problem:  # noqa: BLE001 - PortAudio and its drivers raise anything
        _log.warning("microphones cannot be listed: %r", problem)
        return []


def open_microphone(settings: Mapping[str, Value]) -> Microphone:
    """Listen to ``microphone``."""
    return Microphone(str(settings["microphone"]), settings)
