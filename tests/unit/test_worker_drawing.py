"""What is drawn and how, changed in a whole worker while it runs: frames go on, none is empty, and it is told."""

from __future__ import annotations

import gc
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from core.publish import registry as outputs
from core.publish.base import PublishContext
from core.wire.clock import now_ns
from core.wire.ring import FrameRing
from core.wire.settings import MAXIMUM_PICTURE_BYTES, Value
from core.worker import characters, parts, preparer, report
from core.worker.machine_rating import MachineRatings, rating_key
from tests.contract.fake_outputs import LIMIT_S, wait_until
from tests.unit.fake_families import CARD, PROCESSOR, FakeOpener, Machine

from .drawing_worker import Desk, DrawingWorker, OpaqueModel, Shown, Watched

PRESET_SIZES = {"low": 384, "medium": 512, "high": 512, "ultra": 768, "custom": 320}
RIG_KEY = rating_key("", "", "rig")


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    monkeypatch.setattr(parts, "open_upscaling", desk.open_upscaling)
    monkeypatch.setattr(parts, "open_rife", desk.open_rife)
    return desk


@pytest.fixture
def known_rating(home: Path) -> str:
    """What was found out about this machine when the worker begins."""
    MachineRatings().keep(RIG_KEY, "low", 50.0)
    return "low"


@pytest.fixture
def worker(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, desk: Desk) -> Iterator[DrawingWorker]:
    shown, machine = Shown(), Machine(devices=[CARD, PROCESSOR])
    really_open = outputs.open_publisher

    def open_watched(name: str, settings: Mapping[str, Value], context: PublishContext) -> Watched:
        return Watched(really_open(name, settings, context), shown)

    monkeypatch.setattr(outputs, "open_publisher", open_watched)
    monkeypatch.setattr(characters, "open_rig", lambda character, size: OpaqueModel(size))
    monkeypatch.setattr(characters, "ModelOpener", lambda tell: FakeOpener(machine, tell, home / "verdicts.json"))
    monkeypatch.setattr(report, "still_alive", lambda: None)  # its alarm would end the whole test run
    monkeypatch.setattr(report, "HEARTBEAT_NS", 20_000_000)
    monkeypatch.setattr(report, "STATS_NS", 50_000_000)
    monkeypatch.setattr(preparer, "RETRY_NS", 50_000_000)
    level = logging.getLogger().level
    with FrameRing.create(MAXIMUM_PICTURE_BYTES, folder=tmp_path) as ring:
        worker = DrawingWorker(ring, shown)
        yield worker
        worker.close()
    logging.getLogger().setLevel(level)
    gc.unfreeze()


# -- presets ----------------------------------------------------------------------------------------------------------


def test_presets_in_turn(worker: DrawingWorker) -> None:
    worker.begin(output_size=320)
    for preset in ("low", "ultra", "medium", "custom", "high", "low"):
        assert worker.set(preset=preset)["ok"]
        worker.is_told(preset=preset, size=PRESET_SIZES[preset])
        worker.shows(PRESET_SIZES[preset])
        worker.goes_on()
    worker.is_whole()
    assert worker.all("error") == []


def test_automatic_becomes_what_this_machine_can_do(worker: DrawingWorker) -> None:
    worker.begin(preset="automatic", interpolation=False)
    assert worker.is_told(preset="automatic", size=512)["rated"] == ""
    state = worker.is_told(rated="ultra", preset="automatic", size=768)
    assert state["running"]["family"] == "rig"
    worker.shows(768)
    worker.goes_on()
    worker.is_whole()
    assert wait_until(lambda: MachineRatings().known(RIG_KEY) == "ultra")
    worker.set(preset="low")
    worker.is_told(preset="low", size=384)
    worker.set(preset="automatic")
    worker.is_told(preset="automatic", size=768)
    worker.goes_on()
    worker.is_whole()


def test_it_is_measured_again_when_the_user_asks_for_it(known_rating: str, worker: DrawingWorker) -> None:
    worker.begin(preset="automatic", interpolation=False)
    worker.is_told(rated=known_rating, size=PRESET_SIZES[known_rating])
    assert worker.ask("action", name="measure_again")["ok"]
    worker.is_told(rated="ultra", size=768)
    worker.goes_on()
    worker.is_whole()


# -- frames in between ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_methods_of_frames_in_between_in_turn(worker: DrawingWorker, desk: Desk, factor: int) -> None:
    worker.begin(interpolation=False, interpolation_factor=factor)
    worker.is_told(interpolation=False)
    assert worker.shown.in_betweens == 0
    for method, figure in (("smooth", "smooth_ms"), ("rife", "rife_ms"), ("motion", "between_ms")) * 2:
        worker.set(interpolation=True, in_between_method=method, render_rate=0)
        worker.is_told(interpolation=True, in_between_method=method)
        if (method, factor) != ("motion", 1):
            assert worker.figures(figure)[figure] >= 0.0
            worker.shows_in_betweens()
        worker.goes_on()
    worker.set(interpolation=False)
    worker.is_told(interpolation=False)
    worker.goes_on()
    worker.is_whole()
    assert worker.all("error") == []
    assert all(rife.factor == max(factor, 2) for rife in desk.rifes)
    worker.set(in_between_method="motion")
    assert wait_until(lambda: desk.open_now == 0), "what nobody wants is given back"


def test_rife_that_fails_while_it_draws_is_told_made_anew_and_misses_no_frame(
    worker: DrawingWorker, desk: Desk
) -> None:
    worker.begin(in_between_method="rife")
    worker.figures("rife_ms")
    desk.rife_fails = True
    error = worker.hear("error")
    assert (error["where"], error["code"]) == ("rife", "runtime_failed")
    worker.goes_on()
    desk.rife_fails = False
    assert worker.hear("cleared")["where"] == "rife"
    worker.goes_on(10)
    worker.is_whole()
    assert wait_until(lambda: desk.open_now == 1)


@pytest.mark.parametrize(("preset", "rate"), [("low", 0), ("medium", 0), ("custom", 15)])
def test_rife_draws_as_many_pictures_as_there_are_frames_between_two(
    worker: DrawingWorker, desk: Desk, preset: str, rate: int
) -> None:
    worker.begin(preset=preset, render_rate=rate, in_between_method="rife", interpolation_factor=2, frame_rate=60)
    worker.figures("rife_ms")
    assert wait_until(lambda: sum(rife.drawn for rife in desk.rifes) > 3, limit_s=5.0)
    worker.is_whole()


# -- super-resolution -------------------------------------------------------------------------------------------------


def test_super_resolution_comes_changes_and_goes(worker: DrawingWorker, desk: Desk) -> None:
    worker.begin()
    worker.is_told(size=512)
    for kind in ("waifu2x", "real_esrgan"):
        assert worker.set(super_resolution=kind)["ok"]
        desk.opens(kind)
        worker.is_told(size=1024)
        worker.shows(1024)
        assert wait_until(lambda: desk.upscalers[-1].applied > 0)
        assert worker.figures("upscale_ms")["upscale_ms"] >= 0.0
        worker.goes_on()
        assert wait_until(lambda: desk.open_now == 1), "the one before is given back"
    assert worker.all("progress")[-1]["fraction"] == 1.0
    worker.set(super_resolution="off")
    assert wait_until(lambda: desk.open_now == 0)
    worker.goes_on()
    worker.is_whole()
    assert worker.all("error") == []
    worker.is_told(size=512)
    worker.shows(512)


@pytest.mark.parametrize("preset", ["low", "ultra"])
def test_with_super_resolution_networks_draw_at_their_own_size_whatever_the_preset(
    worker: DrawingWorker, preset: str
) -> None:
    worker.begin(preset=preset)
    worker.is_told(size=PRESET_SIZES[preset])
    worker.set(super_resolution="waifu2x")
    worker.is_told(size=1024)
    worker.set(super_resolution="off")
    worker.is_told(size=PRESET_SIZES[preset])
    worker.goes_on()
    worker.is_whole()


def test_while_super_resolution_is_made_pictures_are_shown_as_they_are(worker: DrawingWorker, desk: Desk) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def build() -> None:
        begun.set()
        assert may_end.wait(LIMIT_S)

    desk.at_open = build
    worker.begin()
    worker.set(super_resolution="waifu2x")
    assert begun.wait(LIMIT_S)
    try:
        worker.goes_on(20)
        assert worker.size == 512
    finally:
        may_end.set()
    worker.is_told(size=1024)
    worker.is_whole()


def test_super_resolution_that_is_not_there_is_told_and_pictures_stay_as_they_are(
    worker: DrawingWorker, desk: Desk
) -> None:
    desk.upscaler_missing = True
    worker.begin(super_resolution="waifu2x")
    error = worker.hear("error")
    assert (error["where"], error["code"]) == ("super_resolution", "model_missing")
    worker.goes_on()
    assert worker.size == 512
    worker.set(super_resolution="off")
    assert wait_until(lambda: bool(worker.all("cleared", where="super_resolution")))
    desk.upscaler_missing = False
    worker.set(super_resolution="waifu2x")
    worker.is_told(size=1024)
    worker.goes_on()
    worker.is_whole()


def test_super_resolution_that_fails_while_it_draws_is_told_made_anew_and_misses_no_frame(
    worker: DrawingWorker, desk: Desk
) -> None:
    worker.begin(super_resolution="waifu2x")
    worker.is_told(size=1024)
    desk.upscaler_fails = True
    error = worker.hear("error")
    assert (error["where"], error["code"]) == ("super_resolution", "runtime_failed")
    worker.goes_on()
    desk.upscaler_fails = False
    worker.is_told(size=1024)
    assert wait_until(lambda: bool(worker.all("cleared", where="super_resolution")))
    worker.goes_on()
    worker.is_whole()
    assert wait_until(lambda: desk.open_now == 1)


@pytest.mark.parametrize("method", ["motion", "smooth", "rife"])
def test_frames_in_between_are_enlarged_too(worker: DrawingWorker, method: str) -> None:
    worker.begin(super_resolution="waifu2x", in_between_method=method, interpolation_factor=3)
    worker.is_told(size=1024)
    worker.shows_in_betweens()
    worker.shows(1024)
    from_now = len(worker.shown.frames)
    worker.goes_on(20)
    assert {size for _, size, _ in worker.shown.frames[from_now:]} == {1024}
    worker.is_whole()


def test_on_the_lowest_rung_no_network_is_touched(worker: DrawingWorker, desk: Desk) -> None:
    """What ended the worker again and again may have been super-resolution or RIFE."""
    worker.begin(rung="rig", super_resolution="waifu2x", in_between_method="rife")
    worker.hear(lambda m: m["type"] == "state" and bool(m["devices"]))
    worker.goes_on(30)
    assert (desk.upscalers, desk.rifes) == ([], [])


# -- characters -------------------------------------------------------------------------------------------------------


def test_characters_in_turn_with_everything_beside_them(worker: DrawingWorker, desk: Desk) -> None:
    worker.begin(super_resolution="waifu2x", in_between_method="rife", interpolation_factor=2)
    worker.is_told(size=1024)
    for name in ("mothlight", "nocti", "mothlight"):
        worker.set(character=name)
        worker.is_told(character=name, size=1024)
        worker.goes_on()
    worker.is_whole()
    assert worker.all("error") == []
    assert len({upscaler.box for upscaler in desk.upscalers}) == 2, "each has a box of its own"
    assert wait_until(lambda: desk.open_now == 2)


def test_a_storm_of_changes_ends_with_the_last(worker: DrawingWorker, desk: Desk) -> None:
    worker.begin()
    for number in range(24):
        worker.set(
            preset=("low", "high", "ultra", "medium", "automatic")[number % 5],
            super_resolution=("off", "waifu2x", "real_esrgan")[number % 3],
            in_between_method=("motion", "smooth", "rife")[number // 2 % 3],
            interpolation=number % 4 != 3,
            interpolation_factor=number % 4 + 1,
            character=("nocti", "mothlight")[number // 3 % 2],
            simplify=("off", "gaming")[number % 2],
            ram_cache=(0, 64)[number % 2],
        )
    worker.set(
        preset="high", super_resolution="waifu2x", in_between_method="smooth", interpolation=True, character="nocti"
    )
    worker.is_told(preset="high", character="nocti", size=1024, interpolation=True)
    worker.goes_on(10)
    worker.is_whole()
    assert worker.all("error") == []
    assert wait_until(lambda: desk.open_now == 1)


# -- room for the game ------------------------------------------------------------------------------------------------


def test_over_the_budget_quality_is_given_up_and_told_and_frames_go_on(
    worker: DrawingWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores = os.cpu_count() or 1
    monkeypatch.setattr(time, "process_time", lambda: now_ns() / 1e9 * cores * 0.8)
    worker.begin(super_resolution="waifu2x", budget=50)
    worker.is_told(size=1024)
    assert worker.figures("governor")["governor"] == "full"
    told = worker.hear(lambda m: m["type"] == "stats" and m["figures"].get("governor") == "no_super_resolution")
    assert told["figures"]["governor_reason"] == "over_budget"
    worker.goes_on()
    worker.is_whole()
    assert worker.size == 1024, "the picture's size stays"
    worker.set(budget=100)
    assert worker.hear(lambda m: m["type"] == "stats" and "governor" not in m["figures"])
    worker.goes_on()
