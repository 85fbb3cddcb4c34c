"""How wide a voice opens a mouth, and to which vowel.

Loudness over a gate that follows the room's noise, and the shares of five vowels (:mod:`core.pose.vowel_model`), both
made as slow as a mouth.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .vowel_model import VOWELS, VowelModel

__all__ = ["VOWELS", "Sound", "VowelAnalyser"]

Sound = NDArray[np.float32]
"""Shape (n,), mono, -1..1."""

_WINDOW_S = 0.032

_FULL_DB = 27.0
"""So much louder than the gate the mouth is wide open."""
_HYSTERESIS_DB = 6.0
_OVER_NOISE_DB = 8.0
_NOISE_RISES_DB, _NOISE_FALLS_DB = 4.0, 40.0
"""How fast the noise floor follows, per second: a fan is learned in some seconds, a pause in speech at once."""
_LONGEST_RISE_S = 0.1
_QUIETEST_DB = -78.0
_SILENCE_DB = -100.0
_ATTACK_S, _RELEASE_S = 0.04, 0.11


class VowelAnalyser:
    """Feed it pieces of sound of any length, in order; used by one thread."""

    def __init__(self, sample_rate: float) -> None:
        """``sample_rate`` in Hz, 8000 or more."""
        self.gain_db = 0.0
        self.gate_db = -45.0
        """What is quieter (dBFS, after the gain) leaves the mouth closed."""
        self.tells_vowels = True
        """False: a loud voice is an A, whatever it says."""
        self._rate = sample_rate
        self._window = np.hanning(max(int(sample_rate * _WINDOW_S), 64)).astype(np.float32)
        self._recent = np.zeros(len(self._window), np.float32)
        self._model = VowelModel(sample_rate, len(self._window))
        self._noise_db = 0.0
        self._heard_s = 0.0
        self._open = False
        self.level = 0.0
        """How wide the mouth is, 0..1."""
        self.vowels = np.zeros(5, np.float32)
        """How much of A, I, U, E, O is in it; together ``level``."""

    def feed(self, sound: Sound) -> None:
        """One more piece of sound. What is no number counts as silence."""
        if not len(sound):
            return
        piece = np.clip(np.nan_to_num(np.asarray(sound, np.float32), posinf=0.0, neginf=0.0), -1.0, 1.0)
        keep = len(self._recent)
        self._recent = np.concatenate((self._recent, piece))[-keep:]
        elapsed = len(piece) / self._rate
        wanted = self._loudness(piece, elapsed)
        shares = self._shares() if wanted > 0.0 and self.tells_vowels else None
        goal = np.zeros(5, np.float32)
        if shares is not None:
            goal = (shares * wanted).astype(np.float32)
        else:
            goal[0] = wanted
        rises = wanted > self.level
        step = 1.0 - math.exp(-elapsed / (_ATTACK_S if rises else _RELEASE_S))
        self.vowels = np.asarray(self.vowels + (goal - self.vowels) * np.float32(step), np.float32)
        self.level = min(float(self.vowels.sum()), 1.0)

    def nearest(self) -> str:
        """The vowel that the newest sound is most like."""
        return VOWELS[int(np.argmax(self._shares()))]

    def _loudness(self, piece: Sound, elapsed: float) -> float:
        """How wide the mouth should be for a piece of sound, 0..1."""
        power = float((piece.astype(np.float64) ** 2).mean())
        decibel = max(10.0 * math.log10(power + 1e-12), _SILENCE_DB) + self.gain_db
        if self._heard_s == 0.0:
            self._noise_db = decibel
        self._heard_s += elapsed
        rises = decibel > self._noise_db
        step = _NOISE_RISES_DB * min(elapsed, _LONGEST_RISE_S) if rises else -_NOISE_FALLS_DB * elapsed
        followed = min(self._noise_db + step, decibel) if rises else max(self._noise_db + step, decibel)
        # a room that is quieter than this would only have to be left again
        self._noise_db = max(followed, _QUIETEST_DB)
        gate = max(self.gate_db, self._noise_db + _OVER_NOISE_DB)
        self._open = decibel > (gate - _HYSTERESIS_DB if self._open else gate)
        return min(max((decibel - gate + _HYSTERESIS_DB) / _FULL_DB, 0.0), 1.0) if self._open else 0.0

    def _shares(self) -> NDArray[np.float64]:
        """How likely each vowel is in the newest sound; together 1."""
        return self._model.shares(np.abs(np.fft.rfft(self._recent * self._window)) ** 2)
