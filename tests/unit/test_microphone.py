"""The microphone: opened by name, heard, unplugged, refused, and never anybody else's problem."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from core.wire.clock import now_ns
from core.wire.errors import MicrophoneUnavailable
from core.wire.settings import Value, defaults
from tests.contract.fake_outputs import wait_until
from tests.unit.fake_sounddevice import FakeSoundDevice
from tests.unit.synthetic_voice import vowel
from trackers import microphone
from trackers.base import TrackerState
from trackers.microphone import STALE_NS, Microphone, microphone_names

Open = Callable[..., Microphone]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "_RETRY_S", 0.02)
    monkeypatch.setattr(microphone, "_LOOK_S", 0.02)


@pytest.fixture
def sounds() -> FakeSoundDevice:
    return FakeSoundDevice()


@pytest.fixture
def listen(sounds: FakeSoundDevice) -> Iterator[Open]:
    opened: list[Microphone] = []

    def make(device: str = "automatic", load: Callable[[], Any] | None = None, **changed: Value) -> Microphone:
        opened.append(Microphone(device, {**defaults(), **changed}, load=load or (lambda: sounds)))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
        one.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "microphone"]


def speak(sounds: FakeSoundDevice, name: str = "A", loud: float = 0.4) -> None:
    """Half a second of a vowel into the newest stream."""
    assert wait_until(lambda: bool(sounds.streams) and sounds.streams[-1].active)
    stream = sounds.streams[-1]
    size = stream.options["blocksize"]
    sound = vowel(name, 140.0, 1.0, 0.5, stream.options["samplerate"], loud)
    for start in range(0, len(sound) - size, size):
        stream.play(sound[start : start + size])


def test_what_is_said_is_heard(listen: Open, sounds: FakeSoundDevice) -> None:
    mouth = listen()
    assert mouth.mouth(now_ns()) is None
    speak(sounds, "O")
    heard = mouth.mouth(now_ns())
    assert heard is not None
    assert heard.level > 0.5
    assert int(np.argmax(heard.vowels)) == "AIUEO".index("O")
    assert mouth.status(now_ns()).state is TrackerState.TRACKING


def test_the_device_is_opened_at_its_own_rate_in_small_blocks(listen: Open, sounds: FakeSoundDevice) -> None:
    listen("Yeti")
    assert wait_until(lambda: bool(sounds.streams))
    options = sounds.streams[0].options
    assert (options["device"], options["channels"], options["samplerate"]) == (1, 1, 48_000.0)
    assert options["blocksize"] / options["samplerate"] < 0.02


def test_a_telephones_rate_is_too_low_for_vowels(listen: Open, sounds: FakeSoundDevice) -> None:
    listen("Headset")
    assert wait_until(lambda: bool(sounds.streams))
    assert sounds.streams[0].options["samplerate"] == 16_000.0


def test_what_was_heard_is_forgotten_when_nothing_comes(listen: Open, sounds: FakeSoundDevice) -> None:
    mouth = listen()
    speak(sounds)
    now = now_ns()
    assert mouth.mouth(now) is not None
    assert mouth.mouth(now + STALE_NS) is None


def test_gain_and_gate_are_adjusted_while_it_listens(listen: Open, sounds: FakeSoundDevice) -> None:
    mouth = listen(microphone_gate=-10)
    speak(sounds, loud=0.1)
    closed = mouth.mouth(now_ns())
    assert closed is not None
    assert closed.level == 0.0
    mouth.adjust({**defaults(), "microphone_gate": -50, "microphone_gain": 20, "lip_sync_vowels": False})
    speak(sounds, "I", loud=0.1)
    opened = mouth.mouth(now_ns())
    assert opened is not None
    assert opened.level > 0.3
    assert int(np.argmax(opened.vowels)) == 0
    assert len(sounds.streams) == 1


def test_a_microphone_that_is_unplugged_is_opened_again(listen: Open, sounds: FakeSoundDevice) -> None:
    mouth = listen()
    speak(sounds)
    sounds.refuses = True
    sounds.streams[-1].active = False
    assert wait_until(lambda: mouth.status(now_ns()).state is TrackerState.FAILED)
    assert mouth.mouth(now_ns()) is None
    sounds.refuses = False
    assert wait_until(lambda: len(sounds.streams) == 2)
    speak(sounds)
    assert mouth.status(now_ns()).error is None
    assert sounds.looked_again >= 2, "else PortAudio does not see what was plugged in later"


def test_a_stream_that_delivers_nothing_is_opened_again(listen: Open, sounds: FakeSoundDevice) -> None:
    listen()
    assert wait_until(lambda: len(sounds.streams) >= 2)
    assert sounds.closed >= 1


def test_the_chosen_one_that_is_gone_is_told_and_not_replaced(listen: Open, sounds: FakeSoundDevice) -> None:
    mouth = listen("Yeti")
    assert wait_until(lambda: bool(sounds.streams))
    del sounds.devices[1]
    sounds.streams[-1].active = False

    def told() -> bool:
        error = mouth.status(now_ns()).error
        return error is not None and error.parameters["reason"] == "microphone_gone"

    assert wait_until(told)
    assert len(sounds.streams) == 1


@pytest.mark.parametrize("reason", ["sounddevice_missing", "portaudio_missing"])
def test_what_is_missing_is_told(listen: Open, reason: str) -> None:
    def missing() -> Any:
        raise MicrophoneUnavailable(reason=reason)

    mouth = listen(load=missing)
    assert wait_until(lambda: mouth.status(now_ns()).error is not None)
    error = mouth.status(now_ns()).error
    assert error is not None
    assert error.parameters["reason"] == reason


def test_nothing_but_silence_is_told_after_a_while(
    listen: Open, sounds: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone, "_SILENT_NS", 0)
    mouth = listen()
    assert wait_until(lambda: bool(sounds.streams))
    sounds.streams[-1].play(np.zeros(768, np.float32))
    assert [hint.key for hint in mouth.status(now_ns()).hints] == ["microphone_silent"]


def test_sound_that_is_no_number_does_no_harm(listen: Open, sounds: FakeSoundDevice) -> None:
    mouth = listen()
    assert wait_until(lambda: bool(sounds.streams))
    sounds.streams[-1].play(np.full(768, np.nan, np.float32))
    heard = mouth.mouth(now_ns())
    assert heard is not None
    assert heard.level == 0.0


def test_names_are_those_of_what_records_each_once(sounds: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "load_sounddevice", lambda: sounds)
    sounds.devices.append(dict(sounds.devices[1]))
    assert microphone_names() == ["Yeti", "Headset"]


def test_on_windows_each_is_offered_in_one_way_only(sounds: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "load_sounddevice", lambda: sounds)
    sounds.apis = [{"name": "MME"}, {"name": "Windows WASAPI"}]
    sounds.devices[1]["name"] = "Microphone (Yeti Stereo Microph"
    sounds.devices.append({**sounds.devices[1], "name": "Microphone (Yeti Stereo Microphone)", "hostapi": 1})
    assert microphone_names() == ["Microphone (Yeti Stereo Microphone)"]


def test_names_are_none_when_the_sound_system_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise RuntimeError("PortAudio not initialized")

    monkeypatch.setattr(microphone, "load_sounddevice", broken)
    assert microphone_names() == []
