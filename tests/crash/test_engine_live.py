"""The engine with a worker that does everything right: pictures, changes, restarts; and a machine that refuses."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, Dict, List

import psutil
import pytest

from core.obs import launcher, supervisor
from core.wire import instance
from core.wire.errors import EnvironmentMissing, FrameRingUnusable, PortInUse
from core.wire.ring import FrameRing
from core.wire.rungs import LADDER
from core.wire.settings import defaults
from tests.crash.conftest import EASY_STOP, HASTY, Keeper, Zoo, alive, wish


@pytest.fixture
def good(zoo: Zoo) -> Keeper:
    """A good worker that runs and was configured."""
    keeper = zoo("good")
    keeper.start()
    keeper.wait(lambda: keeper.told and keeper.engine.view.phase == supervisor.RUNNING)
    return keeper


def messages(keeper: Keeper, type_: str) -> List[Dict[str, Any]]:
    return [message for message in keeper.told if message["type"] == type_]


def test_nothing_is_started_before_somebody_wants_it(zoo: Zoo) -> None:
    keeper = zoo("good")
    keeper.engine.close()
    assert keeper.pids == []


def test_pictures_reach_the_source(good: Keeper) -> None:
    good.wait(lambda: len(good.lib.pushed) > 5)
    push = good.lib.pushed[-1]
    assert (push.source, push.width, push.height, len(set(push.pixels))) == (good.avatar, 8, 8, 1)


def test_the_worker_is_configured_with_every_setting_and_where_to_put_pictures(good: Keeper) -> None:
    configuration = good.told[0]
    assert configuration["settings"] == {**defaults(), "output": "automatic of ['spout']"}
    assert (configuration["rung"], configuration["visible"]) == (LADDER[0], True)
    assert configuration["ring"].startswith(("file:", "tag:"))


def test_a_change_is_told_alone(good: Keeper) -> None:
    good.engine.wish(wish(settings={"smoothing": 55, "mirror": True}))
    good.wait(lambda: messages(good, "set"))
    assert [message["settings"] for message in messages(good, "set")] == [{"smoothing": 55, "mirror": True}]


def test_wishes_without_a_change_are_not_told(good: Keeper) -> None:
    good.engine.wish(wish())
    good.engine.wish(wish(settings={"smoothing": 55}))
    good.engine.wish(wish(settings={"smoothing": 55}))
    good.engine.action("mark")
    good.wait(lambda: messages(good, "action"))
    assert [message["settings"] for message in messages(good, "set")] == [{"smoothing": 55}]


def test_leaving_automatic_is_told(good: Keeper) -> None:
    good.engine.wish(wish(settings={"output": "null"}))
    good.wait(lambda: messages(good, "set"))
    assert messages(good, "set")[0]["settings"] == {"output": "null"}


def test_hiding_and_showing_are_actions(good: Keeper) -> None:
    good.engine.wish(wish(visible=False))
    good.engine.wish(wish(visible=True))
    good.wait(lambda: len(messages(good, "action")) == 2)
    assert [message["name"] for message in messages(good, "action")] == ["hide", "show"]


def test_every_message_has_a_number_of_its_own(good: Keeper) -> None:
    for name in ("calibrate", "calibrate", "calibrate"):
        good.engine.action(name)
    good.wait(lambda: len(messages(good, "action")) == 3)
    numbers = [message["id"] for message in messages(good, "action")]
    assert numbers == sorted(set(numbers))


def test_a_start_while_it_runs_tells_what_is_new(good: Keeper) -> None:
    good.start(wish(settings={"smoothing": 55}))
    good.wait(lambda: messages(good, "set"))
    assert len(good.pids) == 1


def another_python(folder: Path) -> Path:
    """An interpreter with another path than ours that does the same."""
    if sys.platform != "win32":
        python = folder / "python"
        python.symlink_to(sys.executable)
        return python
    # links need a privilege there; a launcher reads which interpreter it is for from the file beside it
    for name in ("pyvenv.cfg", "Scripts/python.exe"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(Path(sys.prefix) / name, folder / name)
    return folder / "Scripts" / "python.exe"


def test_another_python_restarts_the_worker_with_the_newest_wish(good: Keeper, tmp_path: Path) -> None:
    python = another_python(tmp_path)
    good.engine.wish(wish(str(python), settings={"smoothing": 55}))
    good.wait(lambda: len(good.pids) == 2 and good.told and good.told[0]["settings"]["smoothing"] == 55)
    assert not alive(good.pids[0])
    assert good.engine.view.restarts == 0
    assert not any("worker" in view.problems for view in good.views)


def test_a_worker_that_is_killed_comes_back_and_shows_pictures_again(good: Keeper) -> None:
    good.engine.wish(wish(visible=False, settings={"smoothing": 55}))
    for turn in range(1, 4):
        psutil.Process(good.pids[-1]).kill()
        good.wait(lambda turn=turn: len(good.pids) == turn + 1 and good.told)  # type: ignore[misc]
        pushed = len(good.lib.pushed)
        good.wait(lambda pushed=pushed: len(good.lib.pushed) > pushed)  # type: ignore[misc]
    good.wait_until_now(supervisor.RUNNING)
    good.wait(lambda: good.problem is None)
    assert (good.told[0]["settings"]["smoothing"], good.told[0]["visible"]) == (55, False)


def test_a_stop_ends_the_worker_and_a_start_brings_it_back(good: Keeper) -> None:
    good.engine.stop()
    good.wait_until_now(supervisor.STOPPED)
    assert not alive(good.pids[0])
    good.start()
    good.wait_until_now(supervisor.RUNNING)
    assert len(good.pids) == 2


def test_a_start_right_after_a_stop_is_obeyed(good: Keeper) -> None:
    good.engine.stop()
    good.start()
    good.wait(lambda: len(good.pids) == 2 and good.engine.view.phase == supervisor.RUNNING)


def test_a_stop_right_after_a_start_is_obeyed(zoo: Zoo) -> None:
    keeper = zoo("good")
    keeper.start()
    keeper.engine.stop()
    keeper.wait_for(supervisor.STARTING)
    keeper.wait_until_now(supervisor.STOPPED)
    assert not alive(keeper.pids[0])


def test_what_the_worker_complains_about_is_shown_until_it_is_content(good: Keeper) -> None:
    good.engine.action("complain")
    good.wait(lambda: isinstance(good.engine.view.problems.get("input"), PortInUse))
    good.engine.action("be_content")
    good.wait(lambda: "input" not in good.engine.view.problems)


def test_complaints_end_with_the_worker_that_had_them(good: Keeper) -> None:
    good.engine.action("complain")
    good.wait(lambda: "input" in good.engine.view.problems)
    psutil.Process(good.pids[0]).kill()
    good.wait(lambda: "input" not in good.engine.view.problems)


def test_figures_and_progress_are_shown(good: Keeper) -> None:
    good.wait(lambda: good.engine.view.figures)
    assert good.engine.view.figures == {"fps": 50.0}
    assert any(view.progress == ("character", 0.5) for view in good.views)


def test_a_look_is_told_only_when_it_is_new(good: Keeper) -> None:
    good.wait(lambda: good.engine.view.figures and good.seconds >= 1)
    assert all(one != other for one, other in zip(good.views, good.views[1:]))  # noqa: B905 - Python 3.8


def test_every_second_the_clock_is_told_and_the_scenes_are_looked_at(good: Keeper) -> None:
    good.wait(lambda: good.seconds >= 2)


def test_others_can_see_that_an_avatar_is_on(good: Keeper) -> None:
    good.wait(lambda: [facts for facts in instance.living() if facts["phase"] == supervisor.RUNNING])


# -- a machine that refuses --------------------------------------------------------------------------------------------


def test_without_a_python_it_gives_up_at_once_and_tells_which(zoo: Zoo, tmp_path: Path) -> None:
    keeper = zoo("good")
    keeper.start(wish(str(tmp_path / "none")))
    keeper.wait_for(supervisor.GAVE_UP)
    assert isinstance(keeper.problem, EnvironmentMissing)
    assert keeper.problem.parameters == {"path": str(tmp_path / "none")}


def test_a_python_that_is_named_later_is_used_with_the_next_start(zoo: Zoo, tmp_path: Path) -> None:
    keeper = zoo("good")
    keeper.start(wish(str(tmp_path / "none")))
    keeper.wait_for(supervisor.GAVE_UP)
    keeper.start()
    keeper.wait_for(supervisor.RUNNING)
    assert keeper.problem is None


def test_without_memory_for_pictures_it_tries_again_and_tells(zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: List[int] = []
    create = FrameRing.create

    def full(size: int) -> FrameRing:
        tries.append(size)
        if len(tries) == 1:
            raise FrameRingUnusable("no space left", path="/dev/shm")
        return create(size)

    monkeypatch.setattr(FrameRing, "create", full)
    keeper = zoo("good")
    keeper.start()
    keeper.wait_for(supervisor.RUNNING)
    assert any(isinstance(view.problems.get("worker"), FrameRingUnusable) for view in keeper.views)


def test_a_launch_that_fails_in_an_unforeseen_way_is_tried_again(zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = zoo("good", HASTY._replace(stop_limit=0.1))
    tries: List[str] = []

    def launch(chosen: str) -> launcher.Launch:
        tries.append(chosen)
        if len(tries) == 1:
            raise RuntimeError("can't start new thread")
        return keeper.launch(chosen)

    monkeypatch.setattr(launcher, "launch", launch)
    keeper.start()
    keeper.wait(lambda: len(tries) > 1)


def test_errors_of_those_who_look_do_not_stop_the_engine(zoo: Zoo) -> None:
    keeper = zoo("good", EASY_STOP)

    def fail(*arguments: object) -> None:
        raise RuntimeError("unexpected")

    keeper.engine._changed = fail
    keeper.start()
    keeper.wait_until_now(supervisor.RUNNING)
