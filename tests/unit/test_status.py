"""The status: what the engine does, in words, the most important first."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.obs import status
from core.obs.engine import View
from core.obs.status import ERROR, NORMAL, WARNING, Line, OutputChoice
from core.obs.supervisor import BACKING_OFF, GAVE_UP, PHASES, RUNNING, STALLED
from core.obs.translate import Translator
from core.wire.errors import CharacterMissing, PortInUse, WorkerCrashed

SAY = Translator("en")
OWN = OutputChoice("obs_source", "not_windows")
FIGURES: Dict[str, Any] = {"fps": 59.94, "pose_age_ms": 12.3, "render_ms": 4.0}


def texts(view: View, output: OutputChoice = OWN) -> List[str]:
    return [line.text for line in status.lines(view, output, SAY)]


def running(**changes: Any) -> View:
    return View(phase=RUNNING, sources=1)._replace(**changes)


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_has_words_and_comes_first(phase: str) -> None:
    first = status.lines(View(phase=phase), OWN, SAY)[0]
    assert first.text == SAY(f"phase.{phase}") != f"phase.{phase}"


@pytest.mark.parametrize(
    "phase,level", [(RUNNING, NORMAL), (BACKING_OFF, WARNING), (STALLED, WARNING), (GAVE_UP, ERROR)]
)
def test_a_phase_is_as_serious_as_it_is(phase: str, level: str) -> None:
    assert status.lines(View(phase=phase), None, SAY)[0].level == level


def test_what_is_wrong_with_the_worker_comes_before_the_rest() -> None:
    problems = {"input": PortInUse(port=1, tracker="openseeface"), "worker": WorkerCrashed(exit_code=7)}
    shown = status.lines(View(problems=problems), OWN, SAY)
    assert [line.level for line in shown] == [NORMAL, ERROR, WARNING]
    assert "7" in shown[1].text


def test_a_character_that_cannot_be_shown_is_an_error() -> None:
    shown = status.lines(running(problems={"character": CharacterMissing(character="x")}), OWN, SAY)
    assert shown[1].level == ERROR


def test_long_work_shows_how_far_it_is() -> None:
    assert "engine: 42 %" in texts(View(phase="warming", progress=("engine", 0.42)))


def test_nothing_is_said_about_the_picture_while_it_does_not_run() -> None:
    assert len(texts(View(phase="warming", figures=FIGURES, state={"visible": False}))) == 1


def test_the_figures_are_rounded_for_people() -> None:
    assert SAY("status.figures", fps="60", pose_age_ms="12", render_ms="4") in texts(running(figures=FIGURES))


def test_without_a_tracked_pose_its_age_is_left_out() -> None:
    idle = {name: value for name, value in FIGURES.items() if name != "pose_age_ms"}
    assert SAY("status.figures_idle", fps="60", render_ms="4") in texts(running(figures=idle))


def test_the_tracker_is_told_with_its_rate_when_packets_come() -> None:
    shown = texts(running(figures={"tracker_state": "tracking", "tracker_fps": 29.7}))
    assert SAY("status.tracker_rate", state=SAY("tracker_state.tracking"), fps="30") in shown


def test_the_tracker_is_told_without_a_rate_when_none_come() -> None:
    shown = texts(running(figures={"tracker_state": "waiting", "tracker_fps": 0.0}))
    assert SAY("status.tracker", state=SAY("tracker_state.waiting")) in shown


def test_the_output_is_told_with_its_description_and_the_reason() -> None:
    shown = texts(running(state={"output_description": "cam 3"}), OutputChoice("virtual_camera", "chosen"))
    name = SAY("setting.output.choice.virtual_camera")
    assert SAY("status.output_why", output=f"{name}: cam 3", reason=SAY("reason.chosen")) in shown


def test_a_hidden_avatar_is_told() -> None:
    assert SAY("status.hidden") in texts(running(state={"visible": False}))


def test_an_avatar_in_no_scene_is_told() -> None:
    assert SAY("status.no_source") in texts(running(sources=0))


def test_an_output_that_needs_no_source_of_ours_is_not_missed_in_the_scene() -> None:
    assert SAY("status.no_source") not in texts(running(sources=0), OutputChoice("preview", "chosen"))


def test_a_worker_that_was_led_to_a_lower_rung_is_told() -> None:
    shown = status.lines(running(rung="rig", reduced=True), OWN, SAY)
    assert Line(SAY("status.rung", rung=SAY("rung.rig")), WARNING) in shown


def test_on_the_first_rung_there_is_no_word_about_it_even_after_a_failure() -> None:
    assert SAY("status.rung", rung=SAY("rung.gpu")) not in texts(running(rung="gpu", restarts=2))


@pytest.mark.parametrize(
    "levels,worst", [([], NORMAL), ([NORMAL, WARNING], WARNING), ([ERROR, WARNING, NORMAL], ERROR)]
)
def test_the_worst_line_decides_the_colour(levels: List[str], worst: str) -> None:
    assert status.worst([Line("x", level) for level in levels]) == worst


def test_a_text_cannot_bring_its_own_html() -> None:
    assert status.as_html([Line("<b>&"), Line("two")]) == "&lt;b&gt;&amp;<br>two"


FIGURE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([10**400])
NAMES = st.sampled_from(["fps", "pose_age_ms", "render_ms", "tracker_state", "tracker_fps", "visible"])


@given(st.dictionaries(NAMES, FIGURE), st.dictionaries(NAMES, FIGURE), st.floats(allow_nan=False, allow_infinity=False))
def test_no_figures_whatever_take_the_status_away(
    figures: Dict[str, Any], state: Dict[str, Any], fraction: float
) -> None:
    view = running(figures=figures, state=state, progress=("task", fraction))
    assert all(isinstance(line.text, str) for line in status.lines(view, OWN, SAY))
