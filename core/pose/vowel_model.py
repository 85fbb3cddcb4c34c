"""What the five vowels look like in a spectrum, whoever says them.

Each short piece of sound becomes a few cepstral numbers: the shape of its mel spectrum, without its loudness and
without the single harmonics. Where those of each vowel lie, and how they scatter, is computed beforehand from voices
that never were: three throats, many pitches, soft and pressed, sharp and dull resonances (formants after Hillenbrand et
al. 1995; U once as in Japanese, unrounded, and once rounded). A linear discriminant then tells them apart: it counts
least what differs most between voices that say the same. No data, no training on anybody's voice.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

VOWELS = "AIUEO"
_FORMANTS_HZ = (
    (0, (750.0, 1250.0, 2550.0)),
    (1, (300.0, 2300.0, 3000.0)),
    (2, (340.0, 1300.0, 2350.0)),
    (2, (320.0, 750.0, 2350.0)),
    (3, (500.0, 1900.0, 2600.0)),
    (4, (500.0, 850.0, 2500.0)),
)
"""Index in ``VOWELS`` and a man's first three formants."""
_THROATS = ((1.0, 85.0, 300.0), (1.15, 110.0, 330.0), (1.3, 140.0, 360.0))
"""Scale of the formants, lowest and highest pitch in Hz: men, women, children."""
_PITCHES, _VOICES_EACH = 12, 12
_THROATS_DIFFER, _FORMANTS_DIFFER = 0.05, 0.06
"""Standard deviation, as logarithm: of the throat, and of each formant for itself."""
_FOURTH_HZ = (3300.0, 4300.0)
_BANDWIDTHS_HZ = (80.0, 100.0, 150.0, 250.0)
_BANDWIDTHS_DIFFER = (0.3, 2.0)
_FALLS = (0.5, 4.0)
"""How fast a voice's power falls with frequency, as an exponent: pressed to soft."""
_NOISE_EXPONENTS = (-6.0, -2.5)
"""Powers of ten of the noise beside a voice's strongest harmonic."""
_BANDS, _COEFFICIENTS = 26, 10
_LOWEST_HZ, _HIGHEST_HZ = 120.0, 4200.0
_FLOOR = 3e-4
"""Power that counts as silence beside the strongest band: what lies so deep is the room's noise, not the voice."""
_SHRINKAGE = 0.02
_SOFTNESS = 2.0
"""Above 1: a vowel that is almost as likely as the likeliest is heard too."""


class VowelModel:
    """Tells vowels from power spectra of one size."""

    def __init__(self, sample_rate: float, size: int) -> None:
        """``sample_rate`` in Hz, 8000 or more; ``size`` is how many samples each spectrum was made of."""
        highest = min(_HIGHEST_HZ, 0.48 * sample_rate)
        bins_hz = np.arange(size // 2 + 1) * sample_rate / size
        self._filters = _mel_filters(bins_hz, highest)
        self._cosines = _cosines()
        seen, kinds = self._imagined(bins_hz, highest)
        count = int(kinds.max()) + 1
        means = np.array([seen[kinds == kind].mean(axis=0) for kind in range(count)])
        apart = seen - means[kinds]
        scatter = apart.T @ apart / len(seen)
        scatter += np.eye(len(scatter)) * _SHRINKAGE * np.trace(scatter) / len(scatter)
        self._weights: Numbers = np.linalg.solve(scatter, means.T).T
        self._offsets = -0.5 * (self._weights * means).sum(axis=1)
        self._vowel_of = np.array([vowel for vowel, _ in _FORMANTS_HZ]).repeat(len(_THROATS))

    def shares(self, spectrum: NDArray[np.floating]) -> Numbers:
        """How likely each of A, I, U, E, O is, together 1; ``spectrum`` is power, shape (size // 2 + 1,)."""
        likeness = self._weights @ self._cepstra(self._filters @ spectrum) + self._offsets
        likely = np.exp((likeness - likeness.max()) / _SOFTNESS)
        best = np.zeros(len(VOWELS))
        np.maximum.at(best, self._vowel_of, likely)
        return np.asarray(best / best.sum(), np.float64)

    def _cepstra(self, energies: Numbers) -> Numbers:
        """Shape (coefficients, ...) of energies with shape (bands, ...)."""
        return np.asarray(self._cosines @ np.log(energies + energies.max(axis=0) * _FLOOR + 1e-12), np.float64)

    def _imagined(self, bins_hz: Numbers, highest_hz: float) -> tuple[Numbers, NDArray[np.intp]]:
        """Cepstra of many voices, shape (n, coefficients), and which vowel and throat each is of, shape (n,)."""
        chance = np.random.default_rng(1)
        spacing = bins_hz[1]
        seen, kinds = [], []
        for throat, (scale, lowest, highest) in enumerate(_THROATS):
            for pitch in np.geomspace(lowest, highest, _PITCHES):
                harmonics = np.arange(pitch, highest_hz * 1.1, pitch)
                # each harmonic is as wide as the window makes it
                spread = self._filters @ np.exp(-(((bins_hz[:, None] - harmonics) / (1.2 * spacing)) ** 2))
                flat = self._filters.sum(axis=1)[:, None]
                for place, (_, formants) in enumerate(_FORMANTS_HZ):
                    power = _voices(harmonics, np.array(formants) * scale, chance)
                    noise = power.max(axis=0) * 10.0 ** chance.uniform(*_NOISE_EXPONENTS, _VOICES_EACH)
                    seen.append(self._cepstra(spread @ power + flat * noise).T)
                    kinds.append(np.full(_VOICES_EACH, place * len(_THROATS) + throat))
        return np.concatenate(seen), np.concatenate(kinds)


def _voices(harmonics: Numbers, formants: Numbers, chance: np.random.Generator) -> Numbers:
    """Power at each harmonic of some voices, shape (harmonics, voices): their own fall, their throats' resonances."""
    shifts = chance.normal(0.0, _THROATS_DIFFER, (1, _VOICES_EACH)) + chance.normal(
        0.0, _FORMANTS_DIFFER, (3, _VOICES_EACH)
    )
    centres = np.vstack((formants[:, None] * np.exp(shifts), chance.uniform(*_FOURTH_HZ, (1, _VOICES_EACH))))
    sharpest, dullest = np.log(_BANDWIDTHS_DIFFER)
    dullness = np.exp(chance.uniform(float(sharpest), float(dullest), (4, _VOICES_EACH)))
    widths = np.array(_BANDWIDTHS_HZ)[:, None] * dullness
    power = (100.0 / harmonics[:, None]) ** chance.uniform(*_FALLS, _VOICES_EACH)
    for centre, width in zip(centres, widths, strict=True):
        ratio = (harmonics[:, None] / centre) ** 2
        power = power / ((1.0 - ratio) ** 2 + ratio * (width / centre) ** 2)
    return np.asarray(power, np.float64)


def _mel_filters(bins_hz: Numbers, highest_hz: float) -> Numbers:
    """Triangles over the power spectrum, evenly spaced as the ear hears; shape (bands, bins)."""

    def mel(hertz: float) -> float:
        return 2595.0 * math.log10(1.0 + hertz / 700.0)

    places = 700.0 * (10.0 ** (np.linspace(mel(_LOWEST_HZ), mel(highest_hz), _BANDS + 2) / 2595.0) - 1.0)
    # a triangle narrower than the distance of two bins would hear nothing
    spread = np.maximum(np.diff(places), 1.2 * bins_hz[1])
    rising = (bins_hz - places[1:-1, None]) / spread[:-1, None] + 1.0
    falling = (places[1:-1, None] - bins_hz) / spread[1:, None] + 1.0
    return np.asarray(np.clip(np.minimum(rising, falling), 0.0, None), np.float64)


def _cosines() -> Numbers:
    """The first cosines but the constant one; shape (coefficients, bands)."""
    order = np.arange(1, _COEFFICIENTS + 1)[:, None]
    return np.asarray(np.cos(math.pi * order * (np.arange(_BANDS) + 0.5) / _BANDS) * math.sqrt(2.0 / _BANDS))
