"""Which steps of the preparation are wanted."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Choices:
    """Every step can be switched off; only the alpha curve is off by default."""

    remove_background: bool = True
    """Make a plain, gradient or checkerboard background transparent."""
    open_holes: bool = True
    """Also where the figure encloses it."""
    clean_fringe: bool = True
    """Take the rim of a former background off edges that are transparent already."""
    remove_specks: bool = True
    """Small things apart from the figure, and dust nobody sees."""
    one_figure: bool = True
    """Leave out other figures that stand apart."""
    alpha_curve: bool = False
    """Alpha 60 and below becomes 0, 200 and above 255, straight between."""
    fit: bool = True
    """Scale and shift so that the head is where the networks look for it."""
    clear_hidden_colour: bool = True
    """Black where nothing is visible."""

    def as_json(self) -> dict[str, bool]:
        """By name."""
        return asdict(self)
