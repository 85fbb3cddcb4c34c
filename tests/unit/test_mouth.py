"""The mixture of mouths against a plain descent on the same problem, and against what it is meant to be near to."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.mapping.mouth import MOUTHS, SPARENESS, mixture

Vector = NDArray[np.float64]

DEMOS_SPARENESS = 0.01
"""Weight of the l1 term beside the distance (not its square) in the THA4 demos."""
NEAR = 0.02


def descended(point: Vector, spareness: float) -> Vector:
    """The least of ``|d M - p|^2 / 2 + spareness * sum(d)`` within 0..1, one mouth after the other until none moves."""
    products, wanted = MOUTHS @ MOUTHS.T, MOUTHS @ point
    shares = np.zeros(4)
    for _ in range(5000):
        before = shares.copy()
        for mouth in range(4):
            others = products[mouth] @ shares - products[mouth, mouth] * shares[mouth]
            shares[mouth] = np.clip((wanted[mouth] - spareness - others) / products[mouth, mouth], 0.0, 1.0)
        if np.abs(shares - before).max() < 1e-10:
            return shares
    raise AssertionError("the descent did not come to rest")


def as_the_demos_want(point: Vector) -> Vector:
    """The least of ``|d M - p| + 0.01 * sum(d)``: that of the squares whose weight is 0.01 of the distance left."""
    low, high = 0.0, DEMOS_SPARENESS * 2.0
    for _ in range(30):
        weight = (low + high) / 2.0
        left = float(np.linalg.norm(descended(point, weight) @ MOUTHS - point))
        low, high = (weight, high) if DEMOS_SPARENESS * left > weight else (low, weight)
    return descended(point, high)


def demos_cost(shares: Vector, point: Vector) -> float:
    return float(np.linalg.norm(shares @ MOUTHS - point) + DEMOS_SPARENESS * np.abs(shares).sum())


def points(count: int) -> Vector:
    """Anywhere, and as often near the planes where a mouth goes in or out of the mixture."""
    random = np.random.default_rng(5)
    anywhere = random.random((count, 4))
    at_the_edges = np.clip(random.random((count, 4)) * 1.6 - 0.3, 0.0, 1.0)
    return np.concatenate([anywhere, at_the_edges])


def test_the_mouths_look_as_in_the_demos() -> None:
    assert MOUTHS.tolist() == [[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.5, 0.3, 0.25, 0.75], [1.0, 0.5, 0.5, 0.4]]


def test_it_is_the_least_of_its_own_problem() -> None:
    for point in points(60):
        assert mixture(point) == pytest.approx(descended(point, SPARENESS), abs=1e-6)


def test_it_is_near_the_least_of_the_demos_problem() -> None:
    for point in points(25):
        assert mixture(point) == pytest.approx(as_the_demos_want(point), abs=NEAR)


def test_nothing_on_a_grid_costs_the_demos_much_less() -> None:
    """Independent of both solvers: every mixture in steps of a tenth."""
    steps = np.linspace(0.0, 1.0, 11)
    grid = np.stack(np.meshgrid(steps, steps, steps, steps), axis=-1).reshape(-1, 4)
    for point in points(20):
        costs = np.linalg.norm(grid @ MOUTHS - point, axis=1) + DEMOS_SPARENESS * grid.sum(axis=1)
        assert demos_cost(mixture(point), point) < costs.min() + 0.003


@pytest.mark.parametrize("mouth", range(4))
@pytest.mark.parametrize("strength", [0.3, 0.7, 1.0])
def test_what_one_mouth_looks_like_is_that_mouth(mouth: int, strength: float) -> None:
    shares = mixture(MOUTHS[mouth] * strength)
    assert shares[mouth] == pytest.approx(strength, abs=NEAR)
    assert np.delete(shares, mouth).max() < NEAR


def test_a_closed_mouth_is_none_of_them() -> None:
    assert mixture(np.zeros(4)).tolist() == [0.0, 0.0, 0.0, 0.0]


def test_shares_stay_between_nothing_and_all_even_for_impossible_mouths() -> None:
    for point in points(60) * 4.0 - 1.5:
        shares = mixture(point)
        assert shares.shape == (4,)
        assert shares.min() >= 0.0
        assert shares.max() <= 1.0


def test_there_is_no_jump_where_a_mouth_goes_in_or_out() -> None:
    """It is linear between the planes, nowhere steeper than the inverse of the matrix at its worst."""
    steepest = 1.0 / float(np.linalg.svd(MOUTHS, compute_uv=False).min())
    random = np.random.default_rng(6)
    for start, end in random.random((12, 2, 4)):
        way = np.array([mixture(start + (end - start) * part) for part in np.linspace(0.0, 1.0, 400)])
        step = float(np.linalg.norm(end - start)) / 399
        assert np.linalg.norm(np.diff(way, axis=0), axis=1).max() < 1.01 * steepest * step
