"""Expressions: what the file may hold, what is never lost of it, and how they are shown."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.pose.expressions import ExpressionLayer
from core.pose.parameters import Pose, neutral
from core.wire import expressions as table
from core.wire.errors import ExpressionsUnreadable
from core.wire.expressions import BUILT_IN, SLOTS, Expression, keep_expression, read_expressions
from core.wire.pose_values import indices

SECOND = 1_000_000_000
FRAME_NS = 16_666_667


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("nocti", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "character.png").write_bytes(b"")
    (tmp_path / "single.png").write_bytes(b"")
    return tmp_path


def write(folder: Path, content: Any, character: str = "nocti") -> Path:
    file = folder / character / table.FILE_NAME
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def entry(**changes: Any) -> dict[str, Any]:
    return {"slot": 1, "name": "grin", "values": {"mouth_raised_corner": 1.0}, **changes}


def only(folder: Path, **changes: Any) -> Expression:
    write(folder, {"format": 1, "expressions": [entry(**changes)]})
    (found,) = read_expressions("nocti", folder)
    return found


# -- the file ------------------------------------------------------------------------------------------------------


def test_a_character_without_a_file_can_do_the_built_in_ones(folder: Path) -> None:
    assert read_expressions("nocti", folder) == list(BUILT_IN)
    assert sorted(expression.slot for expression in BUILT_IN) == list(range(1, SLOTS + 1))
    assert all(indices(name) for expression in BUILT_IN for name in expression.values)


def test_the_file_lies_with_the_character(folder: Path) -> None:
    assert table.expressions_file("nocti", folder) == folder / "nocti" / "expressions.json"
    assert table.expressions_file("single", folder) == folder / "single.expressions.json"
    assert table.expressions_file("nobody", folder) is None


def test_everything_that_can_be_set_is_read(folder: Path) -> None:
    found = only(folder, slot=3, mode="set", priority=2, alone=False, fade_in_s=1.5, fade_out_s=0, hold_s=2)
    assert found == Expression("grin", {"mouth_raised_corner": 1.0}, 3, "set", 2, False, 1.5, 0.0, 2.0)


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"slot": 9}, "slot", 0),
        ({"slot": True}, "slot", 0),
        ({"mode": "multiply"}, "mode", "add"),
        ({"fade_in_s": "soon"}, "fade_in_s", 0.15),
        ({"fade_in_s": -3}, "fade_in_s", 0.0),
        ({"hold_s": 1e9}, "hold_s", 3600.0),
        ({"priority": 1000}, "priority", 100),
        ({"name": 5}, "name", "5"),
        ({"values": {"ears": 1.0, "mouth_aaa": 7, "head_x": "up"}}, "values", {"mouth_aaa": 1.0, "head_x": 0.0}),
    ],
)
def test_what_does_not_fit_is_left_out_or_limited(
    folder: Path, changes: dict[str, Any], field: str, value: object
) -> None:
    assert getattr(only(folder, **changes), field) == value


@pytest.mark.parametrize(
    "bad", ["", "{", "[]", "null", '{"expressions": 5}', "[" * 90_000, '{"format": 1}', "x" * 300_000]
)
def test_a_damaged_file_is_told_and_never_overwritten(folder: Path, bad: str) -> None:
    file = write(folder, bad)
    with pytest.raises(ExpressionsUnreadable) as problem:
        read_expressions("nocti", folder)
    assert problem.value.parameters["path"] == str(file)
    with pytest.raises(ExpressionsUnreadable):
        keep_expression("nocti", 1, "", {}, folder)
    assert file.read_text(encoding="utf-8") == bad


def test_odd_entries_do_not_hide_the_good_ones(folder: Path) -> None:
    write(folder, {"format": 1, "expressions": [5, None, {"slot": 1}, {"values": []}, entry()]})
    assert [expression.name for expression in read_expressions("nocti", folder)] == ["grin"]


def test_a_face_is_kept_in_its_slot_and_the_others_stay(folder: Path) -> None:
    keep_expression("nocti", 4, "pout", {"mouth_uuu": 0.71234}, folder)
    kept = {expression.slot: expression for expression in read_expressions("nocti", folder)}
    assert kept[4] == BUILT_IN[3]._replace(name="pout", values={"mouth_uuu": 0.712}, mode="set")
    assert [kept[slot] for slot in (1, 2, 3, 5)] == [BUILT_IN[place] for place in (0, 1, 2, 4)]
    assert read_expressions("other", folder) == list(BUILT_IN)


def test_keeping_without_a_name_keeps_the_name(folder: Path) -> None:
    keep_expression("nocti", 1, "", {"mouth_aaa": 1.0}, folder)
    assert read_expressions("nocti", folder)[0].name == "smile"


def test_what_a_newer_version_wrote_is_kept(folder: Path) -> None:
    file = write(folder, {"format": 1, "colour": "red", "expressions": [entry(sound="grin.ogg"), "odd", entry(slot=2)]})
    before = file.read_bytes()
    keep_expression("nocti", 1, "new", {"mouth_aaa": 1.0}, folder)
    content = json.loads(file.read_text(encoding="utf-8"))
    assert (content["colour"], content["expressions"][0]["sound"]) == ("red", "grin.ogg")
    assert content["expressions"][1:] == ["odd", entry(slot=2)]
    assert (folder / "nocti" / "expressions.json.before").read_bytes() == before


def test_a_disk_that_refuses_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    file = write(folder, {"format": 1, "expressions": [entry()]})
    before = file.read_bytes()
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ExpressionsUnreadable) as problem:
        keep_expression("nocti", 1, "", {}, folder)
    assert problem.value.parameters["reason"] == "not_written"
    assert file.read_bytes() == before


# -- on screen -----------------------------------------------------------------------------------------------------


class Stage:
    """A layer over a face at rest, frame by frame."""

    def __init__(self, *expressions: Expression) -> None:
        self.layer = ExpressionLayer()
        self.layer.use(expressions)
        self.now = 7 * SECOND
        self.under = neutral()
        self.layer.apply(self.under, self.now)

    def show(self, seconds: float, value: Pose) -> list[float]:
        shown = []
        for _ in range(round(seconds * 60)):
            self.now += FRAME_NS
            shown.append(float(self.layer.apply(self.under, self.now)[value]))
        return shown


GRIN = Expression("grin", {"mouth_raised_corner": 1.0}, 1, fade_in_s=0.2, fade_out_s=0.4)
POUT = Expression("pout", {"mouth_uuu": 0.5}, 2)
CORNER = Pose.MOUTH_RAISED_CORNER_LEFT


def test_it_fades_in_stays_and_fades_out() -> None:
    stage = Stage(GRIN)
    stage.layer.toggle(1, stage.now)
    rising = stage.show(1.0, CORNER)
    assert rising == sorted(rising)
    assert 0.0 < rising[3] < 1.0
    assert rising[13:] == [1.0] * len(rising[13:])
    stage.layer.toggle("grin", stage.now)
    falling = stage.show(1.0, CORNER)
    assert falling == sorted(falling, reverse=True)
    assert (falling[20] > 0.0, falling[-1]) == (True, 0.0)
    assert max(abs(after - before) for before, after in pairwise([*rising, *falling])) < 0.2


def test_toggled_back_in_the_middle_it_goes_on_from_where_it_is() -> None:
    stage = Stage(GRIN)
    stage.layer.toggle(1, stage.now)
    half = stage.show(0.1, CORNER)[-1]
    stage.layer.toggle(1, stage.now)
    assert abs(stage.show(0.02, CORNER)[0] - half) < 0.12


def test_what_is_added_lies_over_the_tracked_face() -> None:
    stage = Stage(GRIN._replace(values={"mouth_aaa": 0.5}))
    stage.under[Pose.MOUTH_AAA] = 0.3
    stage.layer.show(1, 1.0, stage.now)
    assert stage.show(1.0, Pose.MOUTH_AAA)[-1] == pytest.approx(0.8)


def test_what_is_set_takes_the_tracked_faces_place_in_its_values_only() -> None:
    stage = Stage(GRIN._replace(values={"mouth_aaa": 0.5}, mode="set"))
    stage.under[Pose.MOUTH_AAA], stage.under[Pose.HEAD_X] = 0.9, 0.4
    stage.layer.show(1, 1.0, stage.now)
    assert stage.show(1.0, Pose.MOUTH_AAA)[-1] == pytest.approx(0.5)
    assert stage.show(0.1, Pose.HEAD_X)[-1] == pytest.approx(0.4)


def test_a_weight_shows_a_part_of_it() -> None:
    stage = Stage(GRIN)
    stage.layer.show("grin", 0.5, stage.now)
    assert stage.show(1.0, CORNER)[-1] == pytest.approx(0.5)


def test_one_that_stands_alone_hides_the_others_of_its_rank() -> None:
    stage = Stage(GRIN, POUT)
    stage.layer.toggle(1, stage.now)
    stage.show(1.0, CORNER)
    stage.layer.toggle(2, stage.now)
    assert stage.layer.names == ["pout"]
    assert stage.show(1.0, CORNER)[-1] == 0.0


def test_several_are_shown_together_when_they_may_be() -> None:
    stage = Stage(GRIN._replace(alone=False), POUT._replace(alone=False))
    stage.layer.toggle(1, stage.now)
    stage.layer.toggle(2, stage.now)
    assert stage.layer.names == ["grin", "pout"]
    assert stage.show(1.0, CORNER)[-1] == 1.0


def test_the_higher_priority_wins() -> None:
    low = Expression("low", {"mouth_aaa": 0.2}, 1, "set", priority=1)
    high = Expression("high", {"mouth_aaa": 0.9}, 2, "set", priority=2)
    for order in ([low, high], [high, low]):
        stage = Stage(*order)
        stage.layer.toggle(1, stage.now)
        stage.layer.toggle(2, stage.now)
        assert stage.show(1.0, Pose.MOUTH_AAA)[-1] == pytest.approx(0.9)


def test_one_that_holds_for_a_while_ends_by_itself() -> None:
    stage = Stage(GRIN._replace(hold_s=0.5))
    stage.layer.toggle(1, stage.now)
    assert max(stage.show(0.5, CORNER)) == 1.0
    assert stage.show(0.6, CORNER)[-1] == 0.0
    assert stage.layer.names == []


def test_a_side_says_more_than_both() -> None:
    stage = Stage(Expression("odd", {"eye_wink_left": 0.2, "eye_wink": 1.0}, 1))
    stage.layer.toggle(1, stage.now)
    stage.show(1.0, CORNER)
    pose = stage.layer.apply(stage.under, stage.now)
    assert pose[[Pose.EYE_WINK_LEFT, Pose.EYE_WINK_RIGHT]] == pytest.approx([0.2, 1.0])


def test_what_is_not_there_is_refused() -> None:
    stage = Stage(GRIN)
    assert not stage.layer.toggle(5, stage.now)
    assert not stage.layer.show("nobody", 1.0, stage.now)


def test_clearing_hides_everything_and_another_characters_end_at_once() -> None:
    stage = Stage(GRIN)
    stage.layer.toggle(1, stage.now)
    stage.show(1.0, CORNER)
    stage.layer.clear()
    assert stage.show(1.0, CORNER)[-1] == 0.0
    stage.layer.toggle(1, stage.now)
    stage.show(1.0, CORNER)
    stage.layer.use([POUT])
    assert stage.show(0.1, CORNER) == [0.0] * 6


def test_nothing_shown_costs_nothing() -> None:
    stage = Stage(GRIN)
    assert stage.layer.apply(stage.under, stage.now + FRAME_NS) is stage.under
    assert not np.shares_memory(Stage(GRIN).under, stage.under)
