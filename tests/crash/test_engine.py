"""The engine with real processes that misbehave: each ends in the right phase, and nothing is left behind."""

from __future__ import annotations

import psutil
import pytest

from core.obs import supervisor
from core.wire.errors import EnvironmentBroken, VersionMismatch, WorkerCrashed, WorkerGaveUp, WorkerStalled
from tests.crash.conftest import EASY_STOP, HASTY, LIMIT_S, PATIENT, STRICT, Zoo, alive, engine_threads, wish


def test_one_that_never_says_hello_is_given_up_after_its_tries(zoo: Zoo) -> None:
    keeper = zoo("never_says_hello", HASTY)
    keeper.start()
    keeper.wait_for(supervisor.STALLED)
    keeper.wait_for(supervisor.GAVE_UP)
    assert isinstance(keeper.problem, WorkerGaveUp)
    assert keeper.problem.parameters == {"restarts": 3}
    assert len(keeper.pids) == 3


def test_one_that_speaks_another_version_is_not_tried_again(zoo: Zoo) -> None:
    keeper = zoo("speaks_another_version")
    keeper.start()
    keeper.wait_for(supervisor.GAVE_UP)
    assert isinstance(keeper.problem, VersionMismatch)
    assert len(keeper.pids) == 1


def test_garbage_and_endless_lines_on_stdout_do_no_harm(zoo: Zoo) -> None:
    keeper = zoo("floods_stdout")
    keeper.start()
    keeper.wait_for(supervisor.RUNNING)
    child = keeper.engine._child
    assert child is not None
    keeper.wait(lambda: child.refused_lines > 30)
    assert (keeper.engine.view.phase, len(keeper.pids)) == (supervisor.RUNNING, 1)


def test_one_that_crashes_at_once_is_given_up_with_its_last_words(zoo: Zoo) -> None:
    keeper = zoo("crashes_at_once")
    keeper.start()
    keeper.wait_for(supervisor.BACKING_OFF)
    assert any(isinstance(view.problems.get("worker"), EnvironmentBroken) for view in keeper.views)
    keeper.wait_for(supervisor.GAVE_UP)
    assert isinstance(keeper.problem, WorkerGaveUp)
    assert "no good morning" in keeper.problem.detail


def test_one_that_lacks_a_package_is_not_tried_again_and_the_package_is_named(zoo: Zoo) -> None:
    keeper = zoo("lacks_a_package")
    keeper.start()
    keeper.wait_for(supervisor.GAVE_UP)
    assert isinstance(keeper.problem, EnvironmentBroken)
    assert (keeper.problem.parameters["missing"], len(keeper.pids)) == ("numpy", 1)


def test_one_that_lacks_a_package_only_the_second_time_is_told_as_that(zoo: Zoo) -> None:
    keeper = zoo("crashes_while_running")
    keeper.start()
    keeper.wait_for(supervisor.BACKING_OFF)
    keeper.animal = "lacks_a_package"
    keeper.wait_for(supervisor.GAVE_UP)
    assert isinstance(keeper.problem, EnvironmentBroken)


def test_one_that_crashes_again_and_again_but_comes_up_is_never_given_up(zoo: Zoo) -> None:
    keeper = zoo("crashes_while_running")
    keeper.start()
    keeper.wait(lambda: len(keeper.pids) > 2 * PATIENT.restarts_per_rung)
    crashes = [view.problems["worker"] for view in keeper.views if view.phase == supervisor.BACKING_OFF]
    assert {type(crash) for crash in crashes} == {WorkerCrashed}
    assert crashes[0].parameters == {"exit_code": 7}


def test_one_that_hangs_is_killed_and_started_again(zoo: Zoo) -> None:
    keeper = zoo("hangs_while_running", STRICT)
    keeper.start()
    keeper.wait_for(supervisor.STALLED)
    stalled = next(view.problems["worker"] for view in keeper.views if view.phase == supervisor.STALLED)
    assert isinstance(stalled, WorkerStalled)
    assert float(stalled.parameters["seconds"]) >= STRICT.running_silence_limit
    keeper.wait(lambda: len(keeper.pids) > 1 and not alive(keeper.pids[0]))


def test_one_that_ignores_a_stop_is_killed(zoo: Zoo) -> None:
    keeper = zoo("ignores_stop", EASY_STOP)
    keeper.start()
    keeper.wait_for(supervisor.RUNNING)
    keeper.engine.stop()
    keeper.wait_until_now(supervisor.STOPPED)
    assert (alive(keeper.pids[0]), dict(keeper.engine.view.problems)) == (False, {})


def test_one_that_follows_only_the_end_of_its_input_stops_without_being_killed(zoo: Zoo) -> None:
    keeper = zoo("follows_its_input", PATIENT._replace(stop_limit=10 * LIMIT_S))
    keeper.start()
    keeper.wait_for(supervisor.RUNNING)
    keeper.engine.stop()
    keeper.wait_until_now(supervisor.STOPPED)


@pytest.mark.parametrize("animal", ["ignores_stop", "does_not_listen", "never_says_hello", "good"])
def test_closing_takes_a_bounded_time_whatever_the_worker_does(zoo: Zoo, animal: str) -> None:
    keeper = zoo(animal, EASY_STOP)
    keeper.start()
    keeper.wait(lambda: keeper.pids and (animal == "never_says_hello" or keeper.engine.view.phase == "running"))
    keeper.engine.close()
    assert not keeper.engine._thread.is_alive()
    assert engine_threads() == []


def test_one_that_closes_its_pipe_but_lives_on_is_ended_and_replaced(zoo: Zoo) -> None:
    keeper = zoo("closes_stdout")
    keeper.start()
    keeper.wait(lambda: len(keeper.pids) > 1)
    assert not alive(keeper.pids[0])


def test_one_whose_own_child_holds_the_pipe_is_replaced_all_the_same(zoo: Zoo) -> None:
    keeper = zoo("leaves_a_child")
    keeper.start()
    keeper.wait(lambda: len(keeper.pids) > 1)
    keeper.animal = "good"
    keeper.wait(lambda: keeper.told)
    for view in keeper.views:
        if "sleeper" in view.state and alive(view.state["sleeper"]):
            psutil.Process(view.state["sleeper"]).kill()


def test_one_that_does_not_listen_never_keeps_us_waiting(zoo: Zoo) -> None:
    keeper = zoo("does_not_listen", EASY_STOP)
    keeper.start()
    keeper.wait_for(supervisor.RUNNING)
    for number in range(2000):
        keeper.engine.wish(wish(settings={"smoothing": number % 100}))
    keeper.engine.stop()
    keeper.wait_until_now(supervisor.STOPPED)


def test_one_that_ends_on_purpose_is_not_started_again(zoo: Zoo) -> None:
    keeper = zoo("ends_on_purpose")
    keeper.start()
    keeper.wait_for(supervisor.RUNNING)
    keeper.wait_until_now(supervisor.STOPPED)
    assert (len(keeper.pids), dict(keeper.engine.view.problems)) == (1, {})
