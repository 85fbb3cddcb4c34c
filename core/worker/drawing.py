"""What is drawn and how: the pipeline in use, what it remembers, and what is given up to leave room for the game."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping

import numpy as np

from core.pose.parameters import POSE_SIZE, PoseVector
from core.pose.quantiser import LEVELS
from core.render.frame_cache import FrameCache
from core.render.governor import Governor, Load, Step, ladder
from core.render.movement import Movement, Placement
from core.render.pipeline import MOTION, RIFE, Pace, Pipeline, Rendered, Sample
from core.wire import presets
from core.wire.clock import now_ns
from core.wire.settings import Value
from models.base import CharacterModel
from models.wish import NETWORK_SIZE

from .characters import ShownCharacter
from .enhancers import PlainUpscaler
from .machine_rating import MachineRatings, Rating, rating_key
from .parts import Parts
from .stats import Stats

_MEGABYTE = 1_000_000
_OBSERVED_NS = 200_000_000


class Drawing:
    """Used by the render loop only, but for :meth:`pipeline_for`."""

    def __init__(self, parts: Parts, stats: Stats) -> None:
        self.movement = Movement()
        self.pipeline: Pipeline | None = None
        self.cache = FrameCache(0)
        self.pose: PoseVector = np.zeros(POSE_SIZE, np.float32)
        """The newest pose: what a new character is drawn at before it is shown."""
        self._parts, self._stats = parts, stats
        self._settings: Mapping[str, Value] = {}
        self._frame_rate = 60.0
        self._governor = Governor(1.0, ladder(False, False))
        self._ratings = MachineRatings()
        self._rating: Rating | None = None
        self._rating_key = ""
        self._rated: dict[str, str] = {}
        """What was found out in this process, empty for what was forgotten; it is written down elsewhere."""
        self._plain_upscaler = PlainUpscaler()
        self._observed_ns = self._late_before = self._frames_before = 0
        self._processor_before = time.process_time()

    # -- what is wanted --------------------------------------------------------------------------------------------

    def resolved(self, settings: Mapping[str, Value]) -> dict[str, Value]:
        """The settings with the preset's values over them, ``automatic`` as this machine was measured."""
        return presets.resolve(settings, self.rated or presets.UNRATED)

    def configure(self, settings: Mapping[str, Value], frame_rate: float) -> None:
        """Take over settings (presets resolved) and the rate that frames go out at."""
        self._settings = settings
        self.set_frame_rate(frame_rate)
        self.movement.multiplier = float(settings["extend_movement"])
        self.movement.auto_framing = bool(settings["auto_framing"])
        self.movement.bongo = bool(settings["bongo"])
        self.movement.stand = Placement(
            int(settings["zoom"]) / 100, 0.0, int(settings["shift_x"]) / 100, int(settings["shift_y"]) / 100
        )
        self.cache.limit_bytes = int(settings["ram_cache"]) * _MEGABYTE
        self.cache.codec = str(settings["cache_codec"])
        if int(settings["budget"]) >= 100:
            # nothing is governed, so nothing stays given up
            self._governor = Governor(1.0, self._ladder())
        self._governor.set_budget(int(settings["budget"]) / 100)
        self.refresh()

    @property
    def steps(self) -> int:
        """Pictures that RIFE makes of one, as far as the settings say."""
        return min(max(self._own_pace().stride, 2), 4)

    def set_frame_rate(self, frame_rate: float) -> None:
        """OBS's rate may have changed."""
        if frame_rate != self._frame_rate:
            self._frame_rate = frame_rate
            if self._rating is not None:
                self._rating = Rating(1000.0 / frame_rate)
            self.refresh()

    @property
    def wanted_precision(self) -> str:
        """What the governor asks networks to be computed in; empty for what the settings say."""
        return self._governor.step.precision

    def pipeline_for(self, model: CharacterModel, name: str) -> Pipeline:
        """A pipeline with its first picture drawn, on the thread that makes characters. ``name``: of everything its
        pictures depend on but the pose. Raises AccelError."""
        pipeline = Pipeline(model, self._pace(), self.movement, self.cache, hashlib.sha256(name.encode()).digest()[:16])
        pipeline.quantiser.level = self._level()
        upscaler = self._parts.upscaler.current
        if upscaler is not None:
            pipeline.prepare(upscaler)
        pipeline.warm(self.pose)
        return pipeline

    @property
    def rated(self) -> str:
        """The preset that ``automatic`` means here; empty until the machine was measured."""
        key = self._rating_key
        return self._rated[key] if key in self._rated else self._ratings.known(key) or ""

    def measure_again(self) -> None:
        """Forget what was found out about this machine and measure anew."""
        key = self._rating_key
        self._rated[key] = ""
        self._parts.submit(lambda: self._ratings.forget(key))
        self._rating = Rating(1000.0 / self._frame_rate)

    # -- what is there ---------------------------------------------------------------------------------------------

    def show(self, shown: ShownCharacter | None) -> None:
        """Another character is shown from now on, or none."""
        before, self.pipeline = self.pipeline, shown.pipeline if shown is not None else None
        if before is not None and self.pipeline is not None:
            self.pipeline.follow(before)
        if shown is not None:
            running = shown.running
            self._rating_key = rating_key(running.device, running.runtime, running.family)
            # a rig that only stands in until the network is made says nothing about this machine
            wanted = shown.network is None and not self.rated
            self._rating = Rating(1000.0 / self._frame_rate) if wanted else None
        self.refresh()

    def exchange(self, now: int) -> bool:
        """Take over super-resolution and RIFE when they are ready, and let go of what failed; True when something
        changed."""
        parts = self._parts
        changed = parts.upscaler.take(now) | parts.rife.take(now)
        for part in (parts.upscaler, parts.rife):
            failure = part.current.failure if part.current is not None else None
            if failure is not None:
                part.broke(failure, now)
                changed = True
        if changed:
            self.refresh()
        return changed

    def next(self, sample: Sample) -> Rendered | None:
        """The next picture; see :meth:`core.render.pipeline.Pipeline.next`."""
        if self.pipeline is None:
            return None
        try:
            return self.pipeline.next(sample)
        finally:
            self._note(self.pipeline)

    def observe(self, now: int, late: int) -> bool:
        """Look at the load a few times a second; ``late``: frames left out so far. True when settings change by it:
        the precision, or what ``automatic`` means."""
        if now - self._observed_ns < _OBSERVED_NS:
            return False
        elapsed_s = (now - self._observed_ns) / 1e9
        processor = time.process_time()
        load = Load(
            self._device_share(now),
            min((processor - self._processor_before) / elapsed_s / (os.cpu_count() or 1), 1.0),
            self._late_share(late),
        )
        self._observed_ns, self._processor_before = now, processor
        before = self._governor.step
        step = self._governor.observe(load, now) if int(self._settings.get("budget", 100)) < 100 else None
        if step is not None:
            self.refresh()
        return self._rate() | (step is not None and step.precision != before.precision)

    def figures(self) -> dict[str, float | str]:
        """What is remembered, and what is given up."""
        remembered = self.cache.figures()
        figures: dict[str, float | str] = {
            "hit_rate": round(remembered["hit_rate"], 3),
            "cache_megabytes": round(remembered["megabytes"], 1),
            "cache_aside": self.cache.aside,
            "cache_codec": self.cache.codec_in_use,
            "budget": int(self._settings.get("budget", 100)) / 100,
        }
        if self._governor.limited:
            figures["governor"], figures["governor_reason"] = self._governor.step.name, self._governor.reason
        return figures

    def close(self) -> None:
        """Forget everything."""
        self.cache.close()

    # -- how ---------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Have the pipeline do what settings, parts and governor want now."""
        pipeline = self.pipeline
        if pipeline is None or not self._settings:
            return
        self._governor.set_steps(self._ladder())
        parts, step = self._parts, self._governor.step
        pipeline.rife = parts.rife.current
        upscaler = parts.upscaler.current
        if upscaler is not None and pipeline.takes(upscaler):
            pipeline.keys.upscaler = upscaler if step.super_resolution else self._plain_upscaler
        else:
            pipeline.keys.upscaler = None
        pipeline.quantiser.level = self._level()
        pipeline.model.remember_up_to(int(self._settings["vram_cache"]) * _MEGABYTE)
        pipeline.pace = self._pace()

    def _ladder(self) -> tuple[Step, ...]:
        """What can be given up here."""
        shown = self._parts.character.current
        chooses = (
            shown is not None
            and str(self._settings["precision"]) == "automatic"
            and shown.running.runtime not in ("", "onnxruntime_cpu")
            and (shown.running.precision == "full" or bool(self.wanted_precision))
        )
        return ladder(self._parts.upscaler.current is not None, chooses, self._own_pace().stride)

    def _own_pace(self) -> Pace:
        settings = self._settings
        if not settings:
            return Pace(frame_rate=self._frame_rate)
        between = str(settings["in_between_method"]) if settings["interpolation"] else ""
        if between == RIFE and (self._parts.rife.current is None or not self._rife_fits()):
            between = MOTION
        return Pace(between, int(settings["interpolation_factor"]), float(settings["render_rate"]), self._frame_rate)

    def _rife_fits(self) -> bool:
        return self.pipeline is None or self.pipeline.model.size == NETWORK_SIZE

    def _pace(self) -> Pace:
        own = self._own_pace()
        return Pace(own.between, own.factor, own.render_rate, own.frame_rate, self._governor.step.stride)

    def _level(self) -> str:
        place = LEVELS.index(str(self._settings["simplify"])) if self._settings else 0
        return LEVELS[min(place + self._governor.step.coarser, len(LEVELS) - 1)]

    def _note(self, pipeline: Pipeline) -> None:
        times = pipeline.take_times()
        if times:
            self._stats.work(now_ns(), times)
            if self._is_rated_by(pipeline) and self._rating is not None:
                for what, taken_ns in times:
                    if what == "key":
                        self._rating.add(taken_ns / 1e6)

    def _is_rated_by(self, pipeline: Pipeline) -> bool:
        """Are these pictures what the rating's rules are about: the network's own size, nothing given up?"""
        automatic = self._settings.get("preset") == presets.AUTOMATIC
        return automatic and self._governor.step.name == "full" and pipeline.model.size == NETWORK_SIZE

    def _rate(self) -> bool:
        """Is it known now what this machine can do?"""
        verdict = self._rating.verdict() if self._rating is not None else None
        if verdict is None or self._rating is None:
            return False
        milliseconds, key = self._rating.milliseconds or 0.0, self._rating_key
        self._rating, self._rated[key] = None, verdict
        self._parts.submit(lambda: self._ratings.keep(key, verdict, milliseconds))
        return True

    def _device_share(self, now: int) -> float:
        """On the processor its own share tells more: drawing there takes several cores, or waits for one."""
        shown = self._parts.character.current
        if shown is None or shown.running.runtime in ("", "onnxruntime_cpu"):
            return 0.0
        return self._stats.device_share(now)

    def _late_share(self, late: int) -> float:
        frames = self._stats.frames
        new_late, new_frames = late - self._late_before, frames - self._frames_before
        self._late_before, self._frames_before = late, frames
        return new_late / (new_late + new_frames) if new_late > 0 else 0.0
