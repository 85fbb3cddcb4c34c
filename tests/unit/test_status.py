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
from core.render.governor import ladder
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


@pytest.mark.parametrize("language", ["en", "zh", "ja"])
@pytest.mark.parametrize("task", ["checking", "examining", "importing"])
def test_long_work_has_a_name_in_words(language: str, task: str) -> None:
    say = Translator(language)
    shown = status.lines(View(phase=RUNNING, progress=(task, 0.256)), None, say)[1]
    name = say(f"task.{task}")
    assert name != f"task.{task}"
    assert shown == Line(say("status.progress", task=name, percent="26"))


def test_long_work_is_told_while_the_rig_runs_too() -> None:
    shown = texts(running(progress=("examining", 0.5), state={"running": {"family": "rig"}}))
    assert shown[1] == SAY("status.progress", task=SAY("task.examining"), percent="50")
    assert SAY("status.model_rig") in shown


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


# -- what draws the character -----------------------------------------------------------------------------------------

ON_CARD: Dict[str, Any] = {
    "family": "tha3", "variant": "separable", "precision": "half", "runtime": "onnxruntime_directml",
    "device": "Radeon RX 6800", "reason": "fastest_correct", "milliseconds": 6.04,
}  # fmt: skip


def model_line(language: str = "en", **changes: Any) -> str:
    """The line about what draws."""
    say = Translator(language)
    with_model = status.lines(running(state={"running": {**ON_CARD, **changes}}), None, say)
    without = status.lines(running(), None, say)
    added = [line for line in with_model if line not in without]
    assert [line.level for line in added] == [NORMAL]
    return added[0].text


def test_what_draws_is_told_with_on_what_and_why() -> None:
    assert model_line() == SAY(
        "status.model_timed", family="THA3", variant="Separable", precision="Half (16 bit)", device="Radeon RX 6800",
        runtime=SAY("setting.runtime.choice.onnxruntime_directml"), reason=SAY("reason.fastest_correct"),
        milliseconds="6.0",
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh", "ja"])
def test_what_draws_is_told_in_words_only(language: str) -> None:
    say = Translator(language)
    for family, variant in (("tha3", "standard"), ("tha4", ""), ("tha4_student", "balanced"), ("tha4_student", "full")):
        for reason in ("as_wished", "fastest_correct", "only_one", "next_best"):
            line = model_line(language, family=family, variant=variant, reason=reason)
            assert say(f"reason.{reason}") in line
            assert say(f"setting.model.choice.{family}") in line
            for key in (family, variant, reason, "onnxruntime_directml"):
                assert not key or key not in line
            assert not any(piece in line for piece in ("status.", "setting.", "reason.", "{", "?"))


def test_a_quality_is_told_by_its_name() -> None:
    assert SAY("setting.quality.choice.fast") in model_line(family="tha4_student", variant="fast")


def test_what_was_not_timed_is_told_without_a_time() -> None:
    line = model_line(milliseconds=0.0, runtime="onnxruntime_cpu", device="Ryzen", reason="only_one", precision="full")
    assert line == SAY(
        "status.model", family="THA3", variant="Separable", precision="Full (32 bit)", device="Ryzen",
        runtime=SAY("setting.runtime.choice.onnxruntime_cpu"), reason=SAY("reason.only_one"),
    )  # fmt: skip
    assert "ms" not in line


def test_the_rig_is_told_as_what_it_is() -> None:
    assert model_line(family="rig", variant="", runtime="", device="", milliseconds=0.0) == SAY("status.model_rig")


@pytest.mark.parametrize("told", [None, {}, {"family": ""}, [], "tha3", 5, {"runtime": "onnxruntime_cpu"}])
def test_before_anything_draws_nothing_is_told(told: Any) -> None:
    assert texts(running(state={"running": told})) == texts(running())


def test_what_draws_cannot_bring_placeholders_of_its_own() -> None:
    assert "{reason} %s {0}" in model_line(device="{reason} %s {0}")


def test_a_newer_workers_words_are_shown_as_they_are() -> None:
    line = model_line(family="tha5", variant="tiny", precision="eighth", runtime="abacus", reason="by_hand")
    assert "tiny" in line
    assert all(word in line for word in ("tha5", "eighth", "abacus", "by_hand"))


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


RUNNING_NAMES = st.sampled_from(list(ON_CARD))
ANYTHING = FIGURE | st.lists(FIGURE, max_size=2) | st.dictionaries(st.text(max_size=3), FIGURE, max_size=2)


@given(st.dictionaries(RUNNING_NAMES, ANYTHING))
def test_no_words_about_the_model_whatever_take_the_status_away(changes: Dict[str, Any]) -> None:
    shown = status.lines(running(state={"running": {**ON_CARD, **changes}}), OWN, SAY)
    assert all(isinstance(line.text, str) for line in shown)
    assert shown[0].text == SAY("phase.running")


# -- what the input has to say -------------------------------------------------------------------------------------


def test_a_hint_is_told_in_words_with_its_numbers_and_as_serious_as_it_is() -> None:
    hint = {"key": "request_sent", "parameters": {"seconds": 4, "phone": "192.168.1.20"}, "warning": True}
    shown = status.lines(running(state={"hints": [hint]}), OWN, SAY)
    told = [line for line in shown if "192.168.1.20" in line.text]
    assert [line.level for line in told] == [WARNING]
    assert "4 s" in told[0].text
    calm = status.lines(running(state={"hints": [{"key": "replay_ended", "parameters": {}}]}), OWN, SAY)
    assert Line(SAY("hint.replay_ended"), NORMAL) in calm


@pytest.mark.parametrize(
    "odd", [None, 5, "x", [5], [{}], [{"key": "from_the_future"}], [{"key": "old_app", "parameters": 3}]]
)
def test_hints_of_another_version_do_no_harm(odd: Any) -> None:
    assert status.lines(running(state={"hints": odd}), OWN, SAY)


def test_what_was_left_out_is_told_with_the_commonest_reasons_first() -> None:
    dropped = {"no_face": 3, "other_peer": 90, "wrong_size": 10, "too_many": 1, "from_the_future": 500}
    shown = " ".join(texts(running(state={"tracker_dropped": dropped})))
    assert f"{SAY('drop.other_peer')} 90, {SAY('drop.wrong_size')} 10" in shown
    assert SAY("drop.too_many") not in shown
    assert SAY("status.dropped", reasons="") not in texts(running(state={"tracker_dropped": {}}))


def test_recording_is_told_while_it_goes_on_and_where_it_is_afterwards() -> None:
    during = texts(running(state={"recording": "/a/b.rec", "recorded_packets": 12, "recorded": "/a/old.rec"}))
    assert SAY("status.recording", path="/a/b.rec", packets=12) in during
    after = texts(running(state={"recording": "", "recorded": "/a/b.rec"}))
    assert SAY("status.recorded", path="/a/b.rec") in after


def test_learning_a_face_says_what_to_do_and_how_long() -> None:
    assert SAY("status.reach", seconds=5) in texts(running(state={"reach_left_s": 5}))
    assert not any("brows" in text for text in texts(running(state={"reach_left_s": 0})))


def test_expressions_and_the_microphone_are_told() -> None:
    shown = texts(running(state={"expressions": ["smile", "my own"]}, figures={"microphone_level": 0.42}))
    assert SAY("status.expressions", names="Smile, my own") in shown
    assert SAY("status.microphone", percent="42") in shown


DRAWN: Dict[str, Any] = {
    **FIGURES, "key_fps": 20.2, "between_ms": 2.26, "publish_ms": 0.51, "device_share": 0.456, "hit_rate": 0.125,
    "cache_megabytes": 12.4, "budget": 0.6, "audio_delay_ms": 65,
}  # fmt: skip


def test_what_a_frame_costs_is_told_by_stage() -> None:
    told = texts(running(figures=DRAWN))
    assert SAY("status.drawing", key_fps="20", between="40") in told
    assert SAY("status.stages", render_ms="4.0", between_ms="2.3", upscale_ms="-", publish_ms="0.5") in told
    assert SAY("status.memory", device="46", budget="60", hit_rate="12", megabytes="12") in told
    assert SAY("status.audio_delay", milliseconds="65") in told


@pytest.mark.parametrize("reason", ["does_not_pay", "too_cheap"])
@pytest.mark.parametrize("language", ["en", "zh", "ja"])
def test_a_memory_that_stands_aside_says_why(language: str, reason: str) -> None:
    say = Translator(language)
    told = [line.text for line in status.lines(running(figures={**DRAWN, "cache_aside": reason}), OWN, say)]
    assert say("status.cache_aside", reason=say(f"reason.{reason}")) in told


def test_a_memory_that_is_off_needs_no_word() -> None:
    assert texts(running(figures={**DRAWN, "cache_aside": "off"})) == texts(running(figures=DRAWN))


@pytest.mark.parametrize("step", sorted({step.name for step in ladder(True, True)} - {"full"}))
def test_what_was_given_up_is_a_warning_with_its_reason(step: str) -> None:
    figures = {**DRAWN, "governor": step, "governor_reason": "over_budget"}
    told = [line for line in status.lines(running(figures=figures), OWN, SAY) if line.level == WARNING]
    assert told == [
        Line(SAY("status.governor", step=SAY(f"governor.{step}"), reason=SAY("reason.over_budget")), WARNING)
    ]


def test_at_full_quality_the_governor_says_nothing() -> None:
    figures = {**DRAWN, "governor": "full", "governor_reason": "within_budget"}
    assert texts(running(figures=figures)) == texts(running(figures=DRAWN))


def test_what_automatic_means_here_is_told() -> None:
    told = texts(running(figures=DRAWN, state={"preset": "automatic", "rated": "ultra"}))
    assert SAY("status.rated", preset=SAY("setting.preset.choice.ultra")) in told
    assert texts(running(figures=DRAWN, state={"preset": "high", "rated": "ultra"})) == texts(running(figures=DRAWN))
