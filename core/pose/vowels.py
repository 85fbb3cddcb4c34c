"""Which vowel a voice says, and how loud it is.

Each short piece of sound becomes a few cepstral numbers (the shape of its mel spectrum, without its loudness and
without the single harmonics). They are compared with those of the five vowels, computed beforehand for low, middle and
high voices, soft and pressed ones, from formants (frequencies after Hillenbrand et al. 1995 and, for U, the unrounded
one of Japanese). No training, no data, under half a millisecond.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]
"""Shape (n,), mono, -1..1."""
Numbers = NDArray[np.float64]

VOWELS = "AIUEO"
_FORMANTS_HZ = ((750, 1250, 2550), (300, 2300, 3000), (340, 1300, 2350), (500, 1900, 2600), (480, 850, 2500))
_BANDWIDTHS_HZ = (80.0, 100.0, 150.0)
_VOICES = (1.0, 1.17, 1.3)
"""Throats: a man's, a woman's, a child's."""
_PITCHES_HZ = (100.0, 130.0, 170.0, 220.0, 290.0)
_FALLS = (0.8, 2.0, 3.2)
"""How fast a voice's power falls with frequency, as an exponent: pressed, ordinary, soft."""
_BANDS, _COEFFICIENTS = 26, 10
_FLOOR = 0.0004
"""Below this share of the strongest band it is the room that is heard, not the voice."""
_LOWEST_HZ, _HIGHEST_HZ = 120.0, 5200.0
_WINDOW_S = 0.032
_SOFTNESS = 1.2
"""How much farther than the nearest vowel another one may be and still be heard a little."""

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
        self._filters = _mel_filters(sample_rate, len(self._window))
        self._cosines = _cosines()
        self._templates = self._make_templates()
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

    def _shares(self) -> Numbers:
        """How much the newest sound is like each vowel; together 1."""
        spectrum = np.abs(np.fft.rfft(self._recent * self._window)) ** 2
        found = self._cepstrum(spectrum)
        distances = np.sqrt(((self._templates - found) ** 2).sum(axis=2)).min(axis=1)
        likeness = np.exp(-(distances - distances.min()) / _SOFTNESS * 2.0)
        return np.asarray(likeness / likeness.sum(), np.float64)

    def _cepstrum(self, spectrum: NDArray[np.floating]) -> Numbers:
        energies = self._filters @ spectrum
        # what is much weaker than the voice's strongest part is as likely the room's noise
        return np.asarray(self._cosines @ np.log(energies + _FLOOR * energies.max() + 1e-12), np.float64)

    def _make_templates(self) -> Numbers:
        """Shape (5 vowels, voices, coefficients)."""
        vowels = []
        size = len(self._window)
        bins = np.arange(size // 2 + 1) * self._rate / size
        for formants in _FORMANTS_HZ:
            voices = []
            for voice in _VOICES:
                for pitch, fall in product(_PITCHES_HZ, _FALLS):
                    harmonics = np.arange(pitch, min(_HIGHEST_HZ * 1.2, self._rate / 2), pitch)
                    strength = _envelope(harmonics, tuple(formant * voice for formant in formants), fall)
                    # each harmonic is as wide as the window makes it
                    width = 2.0 * self._rate / size
                    shape = np.exp(-(((bins[:, None] - harmonics) / width) ** 2)) @ strength
                    voices.append(self._cepstrum(shape * 1e3))
            vowels.append(voices)
        return np.array(vowels)


def _envelope(frequencies: Numbers, formants: tuple[float, ...], fall: float) -> Numbers:
    """Power of a voice at each frequency: its own fall, and the throat's resonances."""
    power = (100.0 / frequencies) ** fall
    for centre, width in zip((*formants, 3700.0), (*_BANDWIDTHS_HZ, 250.0), strict=True):
        distance = (1.0 - (frequencies / centre) ** 2) ** 2 + (frequencies * width / centre**2) ** 2
        power = power / distance
    return power


def _mel_filters(sample_rate: float, size: int) -> Numbers:
    """Triangles over the power spectrum, evenly spaced as the ear hears; shape (bands, size // 2 + 1)."""

    def mel(hertz: float) -> float:
        return 2595.0 * math.log10(1.0 + hertz / 700.0)

    highest = min(_HIGHEST_HZ, 0.48 * sample_rate)
    places = 700.0 * (10.0 ** (np.linspace(mel(_LOWEST_HZ), mel(highest), _BANDS + 2) / 2595.0) - 1.0)
    bins = np.arange(size // 2 + 1) * sample_rate / size
    # a triangle narrower than the distance of two bins would hear nothing
    spread = np.maximum(np.diff(places), 1.2 * sample_rate / size)
    rising = (bins - places[1:-1, None]) / spread[:-1, None] + 1.0
    falling = (places[1:-1, None] - bins) / spread[1:, None] + 1.0
    return np.asarray(np.clip(np.minimum(rising, falling), 0.0, None), np.float64)


def _cosines() -> Numbers:
    """The first cosines but the constant one; shape (coefficients, bands)."""
    order = np.arange(1, _COEFFICIENTS + 1)[:, None]
    return np.asarray(np.cos(math.pi * order * (np.arange(_BANDS) + 0.5) / _BANDS) * math.sqrt(2.0 / _BANDS))
