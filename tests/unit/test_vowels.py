"""What the microphone hears: vowels told apart, loudness, silence, and noise that is no voice."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.vowels import VOWELS, VowelAnalyser
from tests.unit.synthetic_voice import noise, vowel

RATE = 16_000
BLOCK = 256


def feed(analyser: VowelAnalyser, sound: NDArray[np.float32], block: int = BLOCK) -> list[float]:
    levels = []
    for start in range(0, len(sound) - block + 1, block):
        analyser.feed(sound[start : start + block])
        levels.append(analyser.level)
    return levels


@pytest.mark.parametrize("name", VOWELS)
@pytest.mark.parametrize("throat", [1.0, 1.17, 1.25])
def test_vowels_are_told_apart_in_low_and_high_voices(name: str, throat: float) -> None:
    heard: Counter[str] = Counter()
    for pitch in (100.0, 130.0, 170.0, 220.0, 300.0):
        analyser = VowelAnalyser(RATE)
        sound = vowel(name, pitch, throat, 0.25, RATE)
        for start in range(0, len(sound) - BLOCK, BLOCK):
            analyser.feed(sound[start : start + BLOCK])
            if start > RATE // 20:
                heard[analyser.nearest()] += 1
    assert heard[name] >= 0.9 * sum(heard.values()), heard


def test_another_sample_rate_hears_the_same() -> None:
    for name in VOWELS:
        analyser = VowelAnalyser(48_000)
        feed(analyser, vowel(name, 140.0, 1.0, 0.4, 48_000), 768)
        assert VOWELS[int(np.argmax(analyser.vowels))] == name


def test_the_vowels_shares_are_together_how_wide_the_mouth_is() -> None:
    analyser = VowelAnalyser(RATE)
    for level in feed(analyser, vowel("E", 150.0, 1.0, 0.5, RATE)):
        assert 0.0 <= level <= 1.0
    assert analyser.vowels.sum() == pytest.approx(analyser.level)
    assert analyser.vowels.shape == (5,)


def test_louder_is_wider_and_gain_is_loudness() -> None:
    widest = []
    for loud, gain in ((0.02, 0.0), (0.1, 0.0), (0.02, 14.0)):
        analyser = VowelAnalyser(RATE)
        analyser.gain_db = gain
        widest.append(max(feed(analyser, vowel("A", 140.0, 1.0, 0.5, RATE, loud))))
    assert widest[0] < widest[1]
    assert widest[2] == pytest.approx(widest[1], abs=0.05)


def test_silence_and_what_is_below_the_gate_leave_the_mouth_closed() -> None:
    analyser = VowelAnalyser(RATE)
    analyser.gate_db = -30.0
    assert max(feed(analyser, np.zeros(RATE, np.float32))) == 0.0
    assert max(feed(analyser, vowel("A", 140.0, 1.0, 0.5, RATE, 0.01))) == 0.0
    assert max(feed(analyser, vowel("A", 140.0, 1.0, 0.5, RATE, 0.5))) > 0.3


def test_a_fan_is_learned_and_a_voice_over_it_heard() -> None:
    analyser = VowelAnalyser(RATE)
    fan = noise(8.0, RATE, 0.02)
    levels = feed(analyser, fan)
    assert max(levels[-60:]) < 0.05
    assert max(feed(analyser, vowel("A", 140.0, 1.0, 0.5, RATE, 0.4) + fan[: RATE // 2])) > 0.2


def test_the_mouth_opens_at_once_and_closes_softly() -> None:
    analyser = VowelAnalyser(RATE)
    feed(analyser, np.zeros(RATE, np.float32))
    opening = feed(analyser, vowel("A", 140.0, 1.0, 0.5, RATE, 0.5))
    closing = feed(analyser, np.zeros(RATE, np.float32))
    assert opening[8] > 0.8 * max(opening)  # an eighth of a second
    assert closing[2] > 0.3 * opening[-1]
    assert closing[-1] < 0.01


def test_the_time_constants_do_not_depend_on_the_blocks() -> None:
    sound = vowel("O", 140.0, 1.0, 0.12, RATE, 0.5)
    ends = []
    for block in (64, 240, 480):
        analyser = VowelAnalyser(RATE)
        ends.append(feed(analyser, sound, block)[-1])
    assert max(ends) - min(ends) < 0.12


def test_without_vowels_every_voice_is_an_a() -> None:
    analyser = VowelAnalyser(RATE)
    analyser.tells_vowels = False
    feed(analyser, vowel("I", 140.0, 1.0, 0.5, RATE))
    assert analyser.vowels[0] == pytest.approx(analyser.level)
    assert not analyser.vowels[1:].any()


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1e30])
def test_sound_that_is_no_number_does_no_harm(odd: float) -> None:
    analyser = VowelAnalyser(RATE)
    with np.errstate(all="ignore"):
        feed(analyser, np.full(RATE // 4, odd, np.float32))
    assert np.isfinite(analyser.vowels).all()
    assert 0.0 <= analyser.level <= 1.0
    analyser.feed(np.zeros(0, np.float32))
    feed(analyser, np.zeros(RATE, np.float32))
    assert analyser.level < 0.01
