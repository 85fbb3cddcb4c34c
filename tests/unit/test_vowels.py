"""Loudness and vowels of a voice: the right one, at any rate and in any pieces, and closed when nobody speaks."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.vowels import VOWELS, VowelAnalyser
from tests.unit import synthetic_voice
from tests.unit.synthetic_voice import noise

RATE = 16_000
BLOCK_S = 0.016
Sound = NDArray[np.float32]


def tone(loud_dbfs: float, seconds: float, rate: float = RATE) -> Sound:
    """A sine whose RMS is so loud."""
    peak = 10.0 ** (loud_dbfs / 20.0) * 2.0**0.5
    phase = np.arange(int(seconds * rate), dtype=np.float32) * np.float32(2 * np.pi * 220.0 / rate)
    return np.asarray(np.sin(phase) * peak, np.float32)


@cache
def vowel(name: str, pitch_hz: float, throat: float, seconds: float, rate: float, loud: float = 0.2) -> Sound:
    sound = synthetic_voice.vowel(name, pitch_hz, throat, seconds, rate, loud)
    sound.setflags(write=False)
    return sound


def silence(seconds: float, rate: float = RATE) -> Sound:
    return np.zeros(int(seconds * rate), np.float32)


def hear(analyser: VowelAnalyser, sound: Sound, rate: float = RATE, block_s: float = BLOCK_S) -> list[float]:
    """Feed it in pieces; the level after each."""
    size = int(rate * block_s)
    levels = []
    for start in range(0, len(sound) - size + 1, size):
        analyser.feed(sound[start : start + size])
        levels.append(analyser.level)
    return levels


def listening(rate: float = RATE) -> VowelAnalyser:
    """One that has heard a moment of silence, as a microphone begins."""
    analyser = VowelAnalyser(rate)
    hear(analyser, silence(0.1, rate), rate)
    return analyser


def strongest(analyser: VowelAnalyser, sound: Sound, rate: float = RATE) -> Counter[str]:
    """The strongest vowel of each piece while the mouth is open."""
    size = int(rate * BLOCK_S)
    heard: Counter[str] = Counter()
    for start in range(0, len(sound) - size + 1, size):
        analyser.feed(sound[start : start + size])
        if analyser.level > 0.5:
            heard[VOWELS[int(np.argmax(analyser.vowels))]] += 1
    return heard


def resampled(sound: Sound, factor: float) -> Sound:
    spectrum = np.fft.rfft(sound)
    length = int(len(sound) * factor)
    wanted = np.zeros(length // 2 + 1, complex)
    kept = min(len(spectrum), len(wanted))
    wanted[:kept] = spectrum[:kept]
    return (np.fft.irfft(wanted, length) * factor).astype(np.float32)


# -- vowels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("throat", [1.0, 1.17, 1.3], ids=["man", "woman", "child"])
@pytest.mark.parametrize("name", VOWELS)
def test_a_vowel_is_the_strongest_whoever_says_it(name: str, throat: float) -> None:
    heard: Counter[str] = Counter()
    for pitch in range(100, 301, 40):
        heard += strongest(listening(), vowel(name, pitch, throat, 0.2, RATE))
    assert heard.total() >= 45
    assert heard[name] >= 0.9 * heard.total(), heard


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
@pytest.mark.parametrize("name", VOWELS)
def test_a_vowel_is_the_strongest_at_any_rate_a_microphone_has(name: str, rate: int) -> None:
    for pitch, throat in ((120.0, 1.0), (220.0, 1.17)):
        voice = resampled(vowel(name, pitch, throat, 0.2, RATE), rate / RATE)
        heard = strongest(listening(rate), voice, rate)
        assert heard[name] >= 0.9 * heard.total() > 0, (pitch, heard)


@pytest.mark.parametrize("name", VOWELS)
def test_a_quiet_fan_beside_the_voice_does_not_change_the_vowel(name: str) -> None:
    for pitch, throat in ((120.0, 1.0), (220.0, 1.17)):
        voice = vowel(name, pitch, throat, 0.2, RATE)
        loud = float(np.sqrt((voice.astype(np.float64) ** 2).mean()))
        heard = strongest(listening(), voice + noise(0.2, RATE, loud * 0.05)[: len(voice)])
        assert heard[name] >= 0.9 * heard.total() > 0, (pitch, heard)


@pytest.mark.parametrize("loud", [0.02, 0.9])
def test_the_vowel_does_not_depend_on_how_loud_it_is(loud: float) -> None:
    for name in VOWELS:
        analyser = listening()
        analyser.gain_db = 20.0 if loud < 0.1 else 0.0
        heard = strongest(analyser, vowel(name, 140.0, 1.0, 0.3, RATE, loud))
        assert heard[name] >= 0.9 * heard.total() > 0, heard


def test_vowels_are_the_levels_parts() -> None:
    analyser = listening()
    for name in VOWELS:
        sound = vowel(name, 140.0, 1.0, 0.2, RATE)
        for start in range(0, len(sound), 256):
            analyser.feed(sound[start : start + 256])
            assert analyser.vowels.shape == (5,)
            assert analyser.vowels.dtype == np.float32
            assert (analyser.vowels >= 0.0).all()
            assert 0.0 <= analyser.level <= 1.0
            assert float(analyser.vowels.sum()) == pytest.approx(analyser.level, abs=1e-5)


def test_without_vowels_everything_loud_is_an_a() -> None:
    analyser = listening()
    analyser.tells_vowels = False
    hear(analyser, vowel("I", 140.0, 1.0, 0.3, RATE))
    assert analyser.vowels[0] == pytest.approx(analyser.level, abs=1e-6)
    assert analyser.level > 0.9
    assert not analyser.vowels[1:].any()


# -- loudness -------------------------------------------------------------------------------------------------------


def test_the_mouth_opens_with_the_voice_and_closes_after_it() -> None:
    analyser = listening()
    assert analyser.level == 0.0
    assert hear(analyser, tone(-15.0, 0.4))[-1] > 0.95
    assert hear(analyser, silence(0.8))[-1] < 0.01


def test_louder_is_wider() -> None:
    levels = [hear(listening(), tone(loud, 0.5))[-1] for loud in (-60.0, -50.0, -38.0, -30.0, -20.0)]
    assert levels == sorted(levels)
    assert levels[0] == levels[1] == 0.0
    assert 0.2 < levels[2] < levels[3] < levels[4]
    assert levels[4] > 0.95


def test_gain_and_gate_move_what_is_heard() -> None:
    def level(gain: float, gate: float) -> float:
        analyser = listening()
        analyser.gain_db, analyser.gate_db = gain, gate
        return hear(analyser, tone(-50.0, 0.5))[-1]

    assert level(0.0, -45.0) == 0.0
    assert level(20.0, -45.0) > 0.5
    assert level(0.0, -70.0) > 0.5


def test_a_voice_near_the_gate_does_not_make_the_mouth_flutter() -> None:
    analyser = listening()
    hear(analyser, tone(-43.0, 0.3))
    opened = hear(analyser, tone(-49.0, 0.3))
    assert min(opened) > 0.05, "6 dB below the gate it is still open"
    analyser = listening()
    assert hear(analyser, tone(-47.0, 0.3))[-1] == 0.0, "but it does not open there"


def test_it_opens_faster_than_it_closes_and_by_time_not_by_pieces() -> None:
    def times(block_s: float) -> tuple[float, float]:
        analyser = listening()
        rising = hear(analyser, tone(-15.0, 0.48), block_s=block_s)
        falling = hear(analyser, silence(0.96), block_s=block_s)
        half_open = next(n for n, level in enumerate(rising) if level > 0.63)
        half_closed = next(n for n, level in enumerate(falling) if level < 0.37)
        return (half_open + 1) * block_s, (half_closed + 1) * block_s

    for block_s in (0.004, 0.010, 0.016, 0.030):
        attack_s, release_s = times(block_s)
        assert 0.02 <= attack_s <= 0.07, block_s
        assert 0.08 <= release_s <= 0.16, block_s


def test_constant_noise_closes_the_mouth_and_a_voice_over_it_opens_it() -> None:
    analyser = listening()
    fan = noise(12.0, RATE, 0.01)
    levels = hear(analyser, fan)
    assert max(levels[:60]) > 0.1, "it is louder than the gate"
    assert max(levels[-60:]) < 0.01
    voice = vowel("A", 130.0, 1.0, 0.4, RATE, 0.5)
    assert hear(analyser, voice + fan[: len(voice)])[-1] > 0.5


def test_who_begins_in_noise_begins_with_the_mouth_closed() -> None:
    analyser = VowelAnalyser(RATE)
    assert max(hear(analyser, noise(1.0, RATE, 0.02))) < 0.05


def test_a_voice_with_pauses_stays_heard() -> None:
    analyser = listening()
    word = np.concatenate((vowel("A", 130.0, 1.0, 0.4, RATE, 0.3), silence(0.2)))
    peaks = [max(hear(analyser, word)) for _ in range(40)]
    assert min(peaks) > 0.9, "twenty seconds of speech are not taken for noise"


# -- what microphones really bring ----------------------------------------------------------------------------------


def test_what_is_no_number_counts_as_silence() -> None:
    analyser = listening()
    for bad in (np.nan, np.inf, -np.inf):
        analyser.feed(np.full(256, bad, np.float32))
        assert analyser.level == 0.0
    sound = vowel("O", 130.0, 1.0, 0.3, RATE).copy()
    sound[::7] = np.nan
    hear(analyser, sound)
    assert np.isfinite(analyser.vowels).all()
    assert analyser.level > 0.5
    analyser = listening()
    hear(analyser, np.concatenate((np.full(4096, 1e30, np.float32), silence(1.0))))
    assert analyser.level < 0.01


@pytest.mark.parametrize("length", [0, 1, 7, 100_000])
def test_any_length_of_piece_will_do(length: int) -> None:
    analyser = listening()
    analyser.feed(np.full(length, 0.1, np.float32))
    assert np.isfinite(analyser.level)
    assert hear(analyser, tone(-15.0, 0.4))[-1] > 0.9


def test_a_piece_is_not_kept() -> None:
    analyser, again = listening(), listening()
    sound = vowel("E", 130.0, 1.0, 0.3, RATE)
    for start in range(0, len(sound) - 256, 256):
        shared = sound[start : start + 256].copy()
        analyser.feed(shared)
        shared[:] = 1.0
        again.feed(sound[start : start + 256])
        assert np.array_equal(analyser.vowels, again.vowels)
