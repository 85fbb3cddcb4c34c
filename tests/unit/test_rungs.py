"""The ladder from the fastest to the safest."""

from __future__ import annotations

import pytest

from core.obs.translate import read_table
from core.wire.rungs import CPU, GPU, LADDER, RIG, TENSORRT, allows, ladder_from


def test_the_ladder_goes_from_the_fastest_to_the_one_that_needs_nothing() -> None:
    assert LADDER == (TENSORRT, GPU, CPU, RIG)


@pytest.mark.parametrize("rung", LADDER)
def test_the_way_down_begins_at_the_wanted_rung_and_ends_at_the_safest(rung: str) -> None:
    assert (ladder_from(rung)[0], ladder_from(rung)[-1]) == (rung, RIG)


def test_an_unknown_rung_means_the_whole_ladder() -> None:
    assert ladder_from("quantum") == LADDER


@pytest.mark.parametrize("rung", LADDER)
def test_a_rung_allows_itself_and_everything_below(rung: str) -> None:
    assert [allows(rung, needed) for needed in LADDER] == [needed in ladder_from(rung) for needed in LADDER]


@pytest.mark.parametrize("rung", LADDER)
def test_every_rung_has_a_name_for_the_user(rung: str) -> None:
    assert f"rung.{rung}" in read_table("en")
