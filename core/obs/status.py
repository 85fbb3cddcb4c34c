"""The status text: what the engine does, in words a streamer reads."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from .engine import View
from .supervisor import BACKING_OFF, GAVE_UP, RUNNING, STALLED
from .translate import Translator

NORMAL, WARNING, ERROR = "normal", "warning", "error"


class Line(NamedTuple):
    """One line of status and how serious it is."""

    text: str
    level: str = NORMAL


class OutputChoice(NamedTuple):
    """Which output is used and the key of the reason (``reason.<key>``)."""

    output: str
    reason: str


def lines(view: View, output: Optional[OutputChoice], say: Translator) -> List[Line]:
    """The whole status, most important first."""
    result = [Line(say(f"phase.{view.phase}"), _phase_level(view.phase))]
    result += [
        Line(say.error(error), ERROR if where in ("worker", "character") else WARNING)
        for where, error in sorted(view.problems.items(), key=lambda entry: entry[0] != "worker")
    ]
    if view.progress is not None:
        task, fraction = view.progress
        name = say(f"task.{task}") if say.has(f"task.{task}") else task
        result.append(Line(say("status.progress", task=name, percent=f"{fraction * 100:.0f}")))
    if view.phase != RUNNING:
        return result
    if view.reduced:
        result.append(Line(say("status.rung", rung=say(f"rung.{view.rung}")), WARNING))
    result += _running(view, output, say)
    return result


def worst(shown: List[Line]) -> str:
    """The most serious level among the lines."""
    levels = [line.level for line in shown]
    return ERROR if ERROR in levels else WARNING if WARNING in levels else NORMAL


def _phase_level(phase: str) -> str:
    return ERROR if phase == GAVE_UP else WARNING if phase in (BACKING_OFF, STALLED) else NORMAL


def _running(view: View, output: Optional[OutputChoice], say: Translator) -> List[Line]:
    result = []
    figures = view.figures
    if figures.get("fps"):
        values = {name: _rounded(figures, name) for name in ("fps", "pose_age_ms", "render_ms")}
        key = "status.figures" if "pose_age_ms" in figures else "status.figures_idle"
        result.append(Line(say(key, **values)))
    result += _drawing(view, say)
    result += _model(view.state.get("running"), say)
    if view.state.get("made_character"):
        result.append(Line(say("status.made_character", name=view.state["made_character"])))
    state = figures.get("tracker_state")
    if state:
        rate = _rounded(figures, "tracker_fps")
        key = "status.tracker_rate" if rate != "0" else "status.tracker"
        result.append(Line(say(key, state=say(f"tracker_state.{state}"), fps=rate)))
    result += _input(view, say)
    if output is not None and output.output:
        name = say(f"setting.output.choice.{output.output}")
        described = str(view.state.get("output_description") or "")
        shown = f"{name}: {described}" if described else name
        result.append(Line(say("status.output_why", output=shown, reason=say(f"reason.{output.reason}"))))
    if view.state.get("visible") is False:
        result.append(Line(say("status.hidden"), WARNING))
    if output is not None and output.output == "obs_source" and view.sources == 0:
        result.append(Line(say("status.no_source"), WARNING))
    return result


def _drawing(view: View, say: Translator) -> List[Line]:
    """What a frame costs, what is remembered, what was given up, and the delay for the microphone."""
    figures, result = view.figures, []
    shown, rendered = figures.get("fps"), figures.get("key_fps")
    if isinstance(shown, (int, float)) and isinstance(rendered, (int, float)) and shown:
        between = max(shown - rendered, 0.0)
        result.append(Line(say("status.drawing", key_fps=_rounded(figures, "key_fps"), between=f"{between:.0f}")))
        stages = {name: _tenths(figures, name) for name in ("render_ms", "between_ms", "upscale_ms", "publish_ms")}
        result.append(Line(say("status.stages", **stages)))
        memory = {"hit_rate": _percent(figures, "hit_rate"), "megabytes": _rounded(figures, "cache_megabytes")}
        shares = {"device": _percent(figures, "device_share"), "budget": _percent(figures, "budget")}
        result.append(Line(say("status.memory", **shares, **memory)))
    aside = figures.get("cache_aside")
    if aside and aside != "off":
        result.append(Line(say("status.cache_aside", reason=say(f"reason.{aside}"))))
    if figures.get("governor") and figures["governor"] != "full":
        step, reason = say(f"governor.{figures['governor']}"), say(f"reason.{figures.get('governor_reason')}")
        result.append(Line(say("status.governor", step=step, reason=reason), WARNING))
    if "audio_delay_ms" in figures:
        result.append(Line(say("status.audio_delay", milliseconds=_rounded(figures, "audio_delay_ms"))))
    if view.state.get("preset") == "automatic" and view.state.get("rated"):
        result.append(Line(say("status.rated", preset=say(f"setting.preset.choice.{view.state['rated']}"))))
    return result


def _input(view: View, say: Translator) -> List[Line]:
    """What the input wants to say, what it left out and why, and what is going on with it."""
    state, result = view.state, []
    hints = state.get("hints")
    for hint in hints if isinstance(hints, list) else []:
        key = f"hint.{hint.get('key')}" if isinstance(hint, dict) else ""
        if say.has(key):
            given = hint.get("parameters")
            result.append(Line(say(key, **_words(given)), WARNING if hint.get("warning") else NORMAL))
    dropped = state.get("tracker_dropped")
    if isinstance(dropped, dict) and dropped:
        most = sorted(dropped.items(), key=lambda entry: -entry[1])[:3]
        reasons = ", ".join(f"{say(f'drop.{reason}')} {count}" for reason, count in most if say.has(f"drop.{reason}"))
        result.append(Line(say("status.dropped", reasons=reasons)))
    if state.get("reach_left_s"):
        result.append(Line(say("status.reach", seconds=state["reach_left_s"]), WARNING))
    if state.get("recording"):
        result.append(Line(say("status.recording", path=state["recording"], packets=state.get("recorded_packets"))))
    elif state.get("recorded"):
        result.append(Line(say("status.recorded", path=state["recorded"])))
    shown = state.get("expressions")
    if isinstance(shown, list) and shown:
        keys = [(name, f"expression.{name}") for name in map(str, shown)]
        names = ", ".join(say(key) if say.has(key) else name for name, key in keys)
        result.append(Line(say("status.expressions", names=names)))
    if "microphone_level" in view.figures:
        level = view.figures["microphone_level"]
        percent = f"{level * 100:.0f}" if isinstance(level, (int, float)) else "-"
        result.append(Line(say("status.microphone", percent=percent)))
    return result


def _words(parameters: Any) -> Dict[str, str]:
    if not isinstance(parameters, dict):
        return {}
    return {str(name): f"{value:.0f}" if isinstance(value, float) else str(value) for name, value in parameters.items()}


def _model(running: Any, say: Translator) -> List[Line]:
    """What draws the character, on what, and why."""
    if not isinstance(running, dict) or not running.get("family"):
        return []
    if running["family"] == "rig":
        return [Line(say("status.model_rig"))]
    variant = str(running.get("variant") or "")
    kinds = [f"setting.{key}.choice.{variant}" for key in ("quality", "model_variant")]
    milliseconds = running.get("milliseconds")
    text = say(
        "status.model_timed" if isinstance(milliseconds, float) and milliseconds else "status.model",
        family=say(f"setting.model.choice.{running['family']}"),
        variant=next((say(kind) for kind in kinds if say.has(kind)), variant or "-"),
        precision=say(f"setting.precision.choice.{running.get('precision')}"),
        device=running.get("device"),
        runtime=say(f"setting.runtime.choice.{running.get('runtime')}"),
        reason=say(f"reason.{running.get('reason')}"),
        milliseconds=f"{milliseconds:.1f}" if isinstance(milliseconds, float) else "-",
    )
    return [Line(text)]


def _rounded(figures: Mapping[str, Any], name: str) -> str:
    value = figures.get(name)
    return f"{value:.0f}" if isinstance(value, float) else str(value) if isinstance(value, int) else "-"


def _tenths(figures: Mapping[str, Any], name: str) -> str:
    value = figures.get(name)
    return f"{value:.1f}" if isinstance(value, (int, float)) else "-"


def _percent(figures: Mapping[str, Any], name: str) -> str:
    value = figures.get(name)
    return f"{value * 100:.0f}" if isinstance(value, (int, float)) else "-"


def as_html(shown: List[Line]) -> str:
    """The lines as the rich text of one OBS info field."""
    return "<br>".join(_escape(line.text) for line in shown)


def _escape(text: str) -> str:
    for sign, code in _ESCAPES:
        text = text.replace(sign, code)
    return text


_ESCAPES: Tuple[Tuple[str, str], ...] = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
