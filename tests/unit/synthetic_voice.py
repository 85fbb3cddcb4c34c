"""Voices made of pulses and resonances: another way than that of the analyser's templates."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FORMANTS_HZ = {
    "A": (760, 1180, 2500),
    "I": (290, 2250, 2950),
    "U": (350, 1250, 2300),
    "E": (520, 1850, 2550),
    "O": (460, 880, 2450),
}
BANDWIDTHS_HZ = (90, 110, 170)


def vowel(
    name: str, pitch_hz: float, throat: float, seconds: float, rate: float, loud: float = 0.2
) -> NDArray[np.float32]:
    """A sung vowel: a pulse train through three two-pole resonators. ``throat`` scales the formants (1 a man's)."""
    count = int(seconds * rate)
    phase = np.cumsum(np.full(count, pitch_hz / rate))
    pulses = np.diff(np.floor(phase), prepend=0.0)
    # the glottis falls by 12 dB an octave, the lips give 6 of them back (the difference below)
    sound = _one_pole(_one_pole(pulses, math.exp(-2 * math.pi * 120 / rate)), math.exp(-2 * math.pi * 150 / rate))
    for centre, width in zip(FORMANTS_HZ[name], BANDWIDTHS_HZ, strict=True):
        sound = _resonator(sound, centre * throat, width, rate)
    sound = np.diff(sound, prepend=0.0)
    return np.asarray(sound / np.abs(sound).max() * loud, np.float32)


def noise(seconds: float, rate: float, loud: float) -> NDArray[np.float32]:
    """A fan."""
    return np.random.default_rng(3).normal(0.0, loud, int(seconds * rate)).astype(np.float32)


def _one_pole(sound: NDArray[np.float64], pole: float) -> NDArray[np.float64]:
    out, last = np.empty_like(sound), 0.0
    for place, value in enumerate(sound):
        last = value + pole * last
        out[place] = last
    return out


def _resonator(sound: NDArray[np.float64], centre: float, width: float, rate: float) -> NDArray[np.float64]:
    radius = math.exp(-math.pi * width / rate)
    first, second = 2 * radius * math.cos(2 * math.pi * centre / rate), -(radius**2)
    out = np.empty_like(sound)
    before = older = 0.0
    for place, value in enumerate(sound):
        now = value + first * before + second * older
        out[place] = now
        before, older = now, before
    return out
