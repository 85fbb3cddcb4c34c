"""The microphone: found by name, heard, lost and found again, and never anybody else's problem."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.wire.clock import now_ns
from core.wire.errors import InputError, MicrophoneUnavailable
from core.wire.settings import AUTOMATIC, Value, defaults
from tests.contract.fake_outputs import LIMIT_S, wait_until
from tests.unit.synthetic_voice import vowel
from trackers import microphone
from trackers.base import TrackerState
from trackers.microphone import STALE_NS, Microphone, microphone_names

WASAPI = "Windows WASAPI"
LINUX = ({"name": "ALSA"}, {"name": "OSS"})
WINDOWS = ({"name": "MME"}, {"name": "Windows DirectSound"}, {"name": WASAPI})


class FakePortAudioError(Exception):
    """What sounddevice raises."""


def device(name: str, api: int = 0, inputs: int = 2, rate: float = 16_000.0) -> dict[str, Any]:
    return {"name": name, "hostapi": api, "max_input_channels": inputs, "default_samplerate": rate}


class FakeStream:
    """An input stream that a test speaks into."""

    def __init__(self, owner: FakeSoundDevice, wanted: dict[str, Any]) -> None:
        self.owner, self.wanted = owner, wanted
        self.active = False
        self.closed = False

    def __enter__(self) -> FakeStream:
        self.active = True
        self.owner.open_streams.append(self)
        return self

    def __exit__(self, *problem: object) -> None:
        assert self.owner.closes.wait(LIMIT_S)
        self.active = False
        self.closed = True
        self.owner.open_streams.remove(self)

    def say(self, sound: NDArray[np.float32]) -> None:
        """One block, as PortAudio brings it: a column that is another's a moment later."""
        block = sound.reshape(-1, 1).astype(np.float32).copy()
        self.wanted["callback"](block, len(block), None, None)
        block[:] = np.nan

    def speak(self, sound: NDArray[np.float32]) -> None:
        size = self.wanted["blocksize"]
        for start in range(0, len(sound) - size + 1, size):
            self.say(sound[start : start + size])


class FakeSoundDevice:
    """As much of the package as is used, as strict as PortAudio: devices are what was there when it started."""

    PortAudioError = FakePortAudioError

    def __init__(self, *devices: dict[str, Any], apis: tuple[dict[str, str], ...] = LINUX) -> None:
        self.plugged, self.apis = list(devices), apis
        self.running = True
        self.starts = 1
        self.refuses_to_start = False
        self.listed = list(devices)
        self.open_streams: list[FakeStream] = []
        self.streams: list[FakeStream] = []
        self.closes = threading.Event()
        self.closes.set()
        self.between = threading.Event()
        """Set while it is started anew."""
        self.goes_on = threading.Event()
        self.goes_on.set()

    def _terminate(self) -> None:
        self._check()
        assert not self.open_streams, "that would end a stream which somebody else uses"
        self.running = False
        self.between.set()
        assert self.goes_on.wait(LIMIT_S)

    def _initialize(self) -> None:
        self.between.clear()
        if self.refuses_to_start:
            raise FakePortAudioError("Error initializing PortAudio")
        assert not self.running
        self.running = True
        self.starts += 1
        self.listed = list(self.plugged)

    def _check(self) -> None:
        if not self.running:
            raise FakePortAudioError("PortAudio not initialized")

    def query_hostapis(self, index: int | None = None) -> Any:
        self._check()
        return self.apis if index is None else self.apis[index]

    def query_devices(self, number: int | None = None, kind: str | None = None) -> Any:
        self._check()
        if kind is None:
            return list(self.listed)
        if number is None:
            inputs = [found for found in self.listed if found["max_input_channels"] > 0]
            if not inputs:
                raise FakePortAudioError("Error querying device -1")
            return inputs[0]
        return self.listed[number]

    def InputStream(self, **wanted: Any) -> FakeStream:
        self._check()
        if wanted["device"] is not None and self.listed[wanted["device"]] not in self.plugged:
            raise FakePortAudioError("Device unavailable")
        stream = FakeStream(self, wanted)
        self.streams.append(stream)
        return stream

    class WasapiSettings:
        """Remembers what was wanted."""

        def __init__(self, exclusive: bool = False, auto_convert: bool = False) -> None:
            self.exclusive, self.auto_convert = exclusive, auto_convert


class Listening:
    """Opens microphones that are closed at the test's end."""

    def __init__(self) -> None:
        self.opened: list[Microphone] = []

    def __call__(
        self,
        sounddevice: FakeSoundDevice | Callable[[], Any],
        name: str = AUTOMATIC,
        clock: Callable[[], int] = now_ns,
        **changed: Value,
    ) -> Microphone:
        load = (lambda: sounddevice) if isinstance(sounddevice, FakeSoundDevice) else sounddevice
        opened = Microphone(name, {**defaults(), **changed}, load=load, clock=clock)
        self.opened.append(opened)
        return opened


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    monkeypatch.setattr(microphone, "_RETRY_S", 0.01)
    monkeypatch.setattr(microphone, "_LOOK_S", 0.01)
    listening = Listening()
    yield listening
    for opened in listening.opened:
        opened.close()
    assert wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "microphone"])


def stream_of(sounddevice: FakeSoundDevice, which: int = -1) -> FakeStream:
    assert wait_until(lambda: bool(sounddevice.open_streams))
    return sounddevice.open_streams[which]


def keep_speaking(stream: FakeStream, until: Callable[[], bool]) -> bool:
    def spoken() -> bool:
        if stream.active:
            stream.say(np.full(256, 0.1, np.float32))
        return until()

    return wait_until(spoken)


def reason(opened: Microphone) -> object:
    error = opened.status(now_ns()).error
    return None if error is None else error.parameters.get("reason")


# -- names ----------------------------------------------------------------------------------------------------------


def test_every_microphone_is_listed_once_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSoundDevice(
        device("HDA: Analog (hw:0,0)"), device("HDMI", inputs=0), device("pulse"), device("pulse", 1), device("Yeti")
    )
    monkeypatch.setattr(microphone, "load_sounddevice", lambda: fake)
    assert microphone_names() == ["HDA: Analog (hw:0,0)", "pulse", "Yeti"]


def test_on_windows_names_are_whole_and_not_listed_for_each_way_to_reach_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = "Microphone (Blue Yeti Nano, a long name)"
    fake = FakeSoundDevice(device(whole[:31], 0), device(whole, 1), device(whole, 2), device("Line", 2), apis=WINDOWS)
    monkeypatch.setattr(microphone, "load_sounddevice", lambda: fake)
    assert microphone_names() == [whole, "Line"]


@pytest.mark.parametrize("problem", [MicrophoneUnavailable(reason="portaudio_missing"), FakePortAudioError("x")])
def test_where_they_cannot_be_listed_the_list_is_empty(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    def failing() -> None:
        raise problem

    monkeypatch.setattr(microphone, "load_sounddevice", failing)
    assert microphone_names() == []


def test_listing_waits_while_portaudio_starts_anew(listen: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both happen when lip-sync is switched on. Its list is freed meanwhile: who reads it reads others' memory."""
    fake = FakeSoundDevice(device("Yeti"))
    monkeypatch.setattr(microphone, "load_sounddevice", lambda: fake)
    fake.goes_on.clear()
    listen(fake)
    assert fake.between.wait(LIMIT_S)
    names: list[list[str]] = []
    asking = threading.Thread(target=lambda: names.append(microphone_names()))
    asking.start()
    asking.join(0.1)
    fake.goes_on.set()
    asking.join(LIMIT_S)
    assert names == [["Yeti"]]


# -- loading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "problem", "expected"),
    [
        ("linux", ImportError("no module"), "sounddevice_missing"),
        ("linux", OSError("PortAudio library not found"), "portaudio_missing"),
        ("win32", ImportError("no module"), "sounddevice_missing"),
        ("win32", OSError("cannot load library"), "microphone_failed"),
    ],
)
def test_what_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, listen: Listening, platform: str, problem: Exception, expected: str
) -> None:
    def failing(name: str) -> Any:
        raise problem

    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(importlib, "import_module", failing)
    opened = listen(microphone.load_sounddevice)
    assert wait_until(lambda: reason(opened) == expected)
    assert opened.status(now_ns()).state is TrackerState.FAILED
    assert opened.mouth(now_ns()) is None


def test_the_package_is_loaded_by_nobody_before_a_microphone_is_wanted() -> None:
    import subprocess
    import sys

    program = "import sys, trackers.microphone; print('sounddevice' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"


# -- hearing --------------------------------------------------------------------------------------------------------


def test_a_voice_moves_the_mouth(listen: Listening) -> None:
    fake = FakeSoundDevice(device("Yeti"))
    opened = listen(fake)
    stream = stream_of(fake)
    stream.say(np.zeros(256, np.float32))
    quiet = opened.mouth(now_ns())
    assert quiet is not None
    assert (quiet.level, quiet.vowels.shape) == (0.0, (5,))
    assert quiet.vowels.dtype == np.float32
    stream.speak(vowel("O", 130.0, 1.0, 0.4, 16_000))
    spoken = opened.mouth(now_ns())
    assert spoken is not None
    assert spoken.level > 0.9
    assert int(np.argmax(spoken.vowels)) == 4
    assert float(spoken.vowels.sum()) <= spoken.level + 1e-5
    assert not quiet.vowels.any(), "an older sample is not changed"
    assert opened.status(now_ns()).state is TrackerState.TRACKING


def test_samples_that_are_no_numbers_change_nothing(listen: Listening) -> None:
    fake = FakeSoundDevice(device("Yeti"))
    opened = listen(fake)
    stream = stream_of(fake)
    for bad in (np.nan, np.inf, -np.inf):
        stream.say(np.full(256, bad, np.float32))
    mouth = opened.mouth(now_ns())
    assert mouth is not None
    assert mouth.level == 0.0
    stream.speak(vowel("A", 130.0, 1.0, 0.3, 16_000))
    spoken = opened.mouth(now_ns())
    assert spoken is not None
    assert spoken.level > 0.9


def test_the_mouth_is_gone_when_nothing_comes_any_more(listen: Listening) -> None:
    fake = FakeSoundDevice(device("Yeti"))
    opened = listen(fake, clock=lambda: 1_000)
    stream_of(fake).say(np.zeros(256, np.float32))
    assert opened.mouth(1_000 + STALE_NS - 1) is not None
    assert opened.mouth(1_000 + STALE_NS) is None
    assert opened.status(1_000 + STALE_NS).state is TrackerState.WAITING


def test_gain_gate_and_vowels_hold_at_once(listen: Listening) -> None:
    fake = FakeSoundDevice(device("Yeti"))
    opened = listen(fake, microphone_gate=-20)
    stream, quiet_voice = stream_of(fake), vowel("I", 130.0, 1.0, 0.4, 16_000, 0.02)

    def spoken() -> NDArray[np.float32]:
        stream.say(np.zeros(4096, np.float32))
        stream.speak(quiet_voice)
        mouth = opened.mouth(now_ns())
        assert mouth is not None
        return mouth.vowels

    assert not spoken().any()
    opened.adjust({**defaults(), "microphone_gate": -60})
    assert np.argmax(spoken()) == 1
    opened.adjust({**defaults(), "microphone_gate": -60, "lip_sync_vowels": False})
    assert np.argmax(spoken()) == 0
    opened.adjust({**defaults(), "microphone_gate": -30, "microphone_gain": 0})
    assert spoken().sum() < 0.1


def test_a_microphone_that_gives_only_silence_is_told(listen: Listening) -> None:
    now = now_ns()
    fake = FakeSoundDevice(device("Yeti"))
    opened = listen(fake, clock=lambda: now)
    stream = stream_of(fake)
    now += 9_000_000_000
    stream.say(np.zeros(256, np.float32))
    assert opened.status(now).hints == ()
    now += 2_000_000_000
    stream.say(np.zeros(256, np.float32))
    assert [(hint.key, hint.warning) for hint in opened.status(now).hints] == [("microphone_silent", True)]
    stream.say(np.full(256, 1e-4, np.float32))
    assert opened.status(now).hints == ()


# -- which one, and how ---------------------------------------------------------------------------------------------


def test_the_chosen_one_is_opened_by_its_name(listen: Listening) -> None:
    fake = FakeSoundDevice(device("HDMI", inputs=0), device("webcam"), device("Yeti", rate=44_100.0))
    listen(fake, "Yeti")
    wanted = stream_of(fake).wanted
    assert (wanted["device"], wanted["channels"], wanted["samplerate"], wanted["dtype"]) == (2, 1, 44_100.0, "float32")
    assert 0.010 <= wanted["blocksize"] / 44_100.0 <= 0.020
    assert wanted["latency"] == "low"


def test_automatic_is_the_systems_own_choice(listen: Listening) -> None:
    fake = FakeSoundDevice(device("webcam", rate=48_000.0), device("Yeti"))
    listen(fake)
    wanted = stream_of(fake).wanted
    assert (wanted["device"], wanted["samplerate"]) == (None, 48_000.0)


def test_a_headset_is_asked_for_its_own_rate_only(listen: Listening) -> None:
    """Hands-free Bluetooth has 8 kHz, and Windows takes no other."""
    fake = FakeSoundDevice(device("headset", rate=8_000.0))
    listen(fake, "headset")
    assert stream_of(fake).wanted["samplerate"] == 8_000.0


def test_on_windows_any_number_of_channels_will_do(listen: Listening) -> None:
    fake = FakeSoundDevice(device("Array", 0, inputs=4), device("Array", 2, inputs=4), apis=WINDOWS)
    listen(fake, "Array")
    wanted = stream_of(fake).wanted
    assert wanted["device"] == 1
    assert (wanted["extra_settings"].auto_convert, wanted["extra_settings"].exclusive) == (True, False)
    plain = FakeSoundDevice(device("Array", 0, inputs=4), device("Array", 2, inputs=4), apis=WINDOWS)
    listen(plain)
    assert stream_of(plain).wanted["extra_settings"] is None


@pytest.mark.parametrize(("name", "expected"), [("Yeti", "microphone_gone"), (AUTOMATIC, "microphone_none")])
def test_without_it_that_is_told_and_it_is_found_when_it_is_plugged_in(
    listen: Listening, name: str, expected: str
) -> None:
    fake = FakeSoundDevice(device("HDMI", inputs=0))
    opened = listen(fake, name)
    assert wait_until(lambda: reason(opened) == expected)
    fake.plugged.append(device("Yeti"))
    assert keep_speaking(stream_of(fake), lambda: opened.status(now_ns()).state is TrackerState.TRACKING)
    assert reason(opened) is None


# -- what goes wrong ------------------------------------------------------------------------------------------------


def test_unplugged_and_plugged_in_again(listen: Listening) -> None:
    yeti = device("Yeti")
    fake = FakeSoundDevice(yeti)
    opened = listen(fake, "Yeti")
    first = stream_of(fake)
    first.speak(vowel("A", 130.0, 1.0, 0.2, 16_000))
    fake.plugged.clear()
    first.active = False
    assert wait_until(lambda: reason(opened) == "microphone_gone")
    assert wait_until(lambda: opened.mouth(now_ns()) is None)
    assert wait_until(lambda: first.closed)
    fake.plugged.append(yeti)
    assert wait_until(lambda: bool(fake.open_streams) and fake.open_streams[0] is not first)
    assert keep_speaking(fake.open_streams[0], lambda: opened.mouth(now_ns()) is not None)
    assert reason(opened) is None


def test_a_stream_that_runs_but_brings_nothing_is_opened_again(
    listen: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone, "_NOTHING_COMES_NS", 1_000_000)
    fake = FakeSoundDevice(device("Yeti"))
    listen(fake)
    assert wait_until(lambda: len(fake.streams) >= 3)


def test_portaudio_that_does_not_start_is_tried_again(listen: Listening) -> None:
    fake = FakeSoundDevice(device("Yeti"))
    fake.refuses_to_start = True
    opened = listen(fake)
    assert wait_until(lambda: reason(opened) == "microphone_failed")
    fake.refuses_to_start = False
    assert keep_speaking(stream_of(fake), lambda: opened.mouth(now_ns()) is not None)


@pytest.mark.parametrize("problem", [FakePortAudioError("Invalid sample rate"), RuntimeError("x"), KeyError("name")])
def test_whatever_a_driver_raises_is_an_error_to_be_told(listen: Listening, problem: Exception) -> None:
    fake = FakeSoundDevice(device("Yeti"))

    def failing(**wanted: Any) -> FakeStream:
        raise problem

    fake.InputStream = failing  # type: ignore[method-assign]
    opened = listen(fake)
    assert wait_until(lambda: opened.status(now_ns()).state is TrackerState.FAILED)
    error = opened.status(now_ns()).error
    assert isinstance(error, InputError)
    assert error.parameters == {"reason": "microphone_failed"}
    assert type(problem).__name__ in error.detail


def test_a_driver_that_hangs_is_told_left_behind_and_in_nobodys_way(
    listen: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone, "_STOP_LIMIT_S", 0.05)
    fake = FakeSoundDevice(device("Yeti"), device("webcam"))
    opened = listen(fake, "Yeti")
    hanging = stream_of(fake)
    fake.closes.clear()
    hanging.active = False
    assert wait_until(lambda: opened.status(now_ns()).state is TrackerState.FAILED), "though its stream is not closed"
    opened.close()
    other = listen(fake, "webcam")
    assert wait_until(lambda: len(fake.open_streams) == 2), "PortAudio was not restarted under the first one"
    assert keep_speaking(fake.open_streams[1], lambda: other.mouth(now_ns()) is not None)
    fake.closes.set()
    assert wait_until(lambda: hanging.closed)


def test_closing_closes_the_stream_and_can_be_done_twice(listen: Listening) -> None:
    fake = FakeSoundDevice(device("Yeti"))
    opened = listen(fake)
    stream = stream_of(fake)
    opened.close()
    assert stream.closed
    opened.close()


def test_a_real_portaudio_or_its_absence_is_survived() -> None:
    """Whatever this machine has: a list of names, and a microphone that works or says why not."""
    names = microphone_names()
    assert all(isinstance(name, str) for name in names)
    opened = microphone.open_microphone({**defaults(), "microphone": "no such microphone"})
    try:
        assert wait_until(lambda: opened.status(now_ns()).state is TrackerState.FAILED)
        assert reason(opened) in {"sounddevice_missing", "portaudio_missing", "microphone_gone", "microphone_failed"}
    finally:
        opened.close()
