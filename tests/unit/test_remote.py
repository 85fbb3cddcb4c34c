"""The remote control: what it obeys, what it leaves out, how long it holds, and a real loopback socket."""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose.parameters import Pose
from core.wire.clock import now_ns
from core.wire.errors import PortInUse
from core.wire.pose_values import NAMES, SIGNED
from tests.contract.fake_outputs import wait_until
from tests.unit.free_port import free_port
from tests.unit.osc_packets import Given, bundle, message, raw_message
from trackers import remote, udp
from trackers.base import TrackerState
from trackers.remote import RemoteControl

SECOND = 1_000_000_000
HOME = "127.0.0.1"
Open = Callable[..., RemoteControl]


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "remote-control"]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def open_control(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setattr(remote, "_RETRY_S", 0.02)
    monkeypatch.setattr(udp, "_WAIT_S", 0.05)
    opened: list[RemoteControl] = []

    def make(clock: Callable[[], int] = now_ns) -> RemoteControl:
        opened.append(RemoteControl(port, clock))
        return opened[-1]

    yield make
    for control in opened:
        control.close()
    assert not threads()


@pytest.fixture
def control(open_control: Open) -> RemoteControl:
    """Packets are handed to it directly."""
    return open_control()


def expression(*arguments: Given) -> bytes:
    return message("/easyvtuber/expression", *arguments)


def value(*arguments: Given) -> bytes:
    return message("/easyvtuber/pose", *arguments)


CLEAR = message("/easyvtuber/clear")


# -- expressions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "command"),
    [
        (expression("smile"), ("smile", None)),
        (expression("smile", 1.0), ("smile", 1.0)),
        (expression("smile", 0.5), ("smile", 0.5)),
        (expression("smile", 0), ("smile", 0.0)),
        (expression("smile", True), ("smile", 1.0)),
        (expression("smile", False), ("smile", 0.0)),
        (expression(3), ("3", None)),
        (expression("3", 1), ("3", 1.0)),
        (expression("微笑み", 1.0), ("微笑み", 1.0)),
        (expression("smile", 9.0), ("smile", 1.0)),
        (expression("smile", -9.0), ("smile", 0.0)),
        (CLEAR, ("", None)),
    ],
)
def test_commands_are_taken_once(control: RemoteControl, packet: bytes, command: tuple[str, float | None]) -> None:
    control.take(packet, SECOND)
    assert control.take_expressions() == [command]
    assert control.take_expressions() == []


def test_commands_come_in_order_and_out_of_bundles(control: RemoteControl) -> None:
    control.take(bundle(expression("smile", 1.0), CLEAR), SECOND)
    control.take(expression("sad"), SECOND)
    assert control.take_expressions() == [("smile", 1.0), ("", None), ("sad", None)]


def test_the_newest_32_commands_are_kept(control: RemoteControl) -> None:
    for number in range(100):
        control.take(expression(f"face {number}"), SECOND)
    assert control.take_expressions() == [(f"face {number}", None) for number in range(68, 100)]


def test_a_name_is_only_so_long(control: RemoteControl) -> None:
    control.take(expression("x" * 60_000), SECOND)
    assert all(len(name) <= 64 for name, _ in control.take_expressions())


@pytest.mark.parametrize(
    "packet",
    [
        expression(),
        expression(""),
        expression(True),
        expression(None),
        expression(b"smile"),
        message("/easyvtuber/expressions", "smile"),
        message("/easyvtuber", "smile"),
        message("/EASYVTUBER/other", "smile"),
        message("/VMC/Ext/Blend/Val", "smile", 1.0),
        b"",
        b"GET /easyvtuber/clear HTTP/1.1\r\n\r\n",
        raw_message("/easyvtuber/expression", ",s", b"smil"),
    ],
)
def test_what_is_not_understood_is_left_out(control: RemoteControl, packet: bytes) -> None:
    control.take(packet, SECOND)
    assert control.take_expressions() == []
    assert control.pose(SECOND) == {}


# -- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_value_has_its_name_and_its_range(control: RemoteControl, name: str) -> None:
    place = int(Pose[name.upper()])
    control.take(value(name, 0.25), SECOND)
    assert control.pose(SECOND) == {place: 0.25}
    control.take(value(name, 9.0), SECOND)
    assert control.pose(SECOND) == {place: 1.0}
    control.take(value(name, -9.0), SECOND)
    assert control.pose(SECOND) == {place: -1.0 if name in SIGNED else 0.0}


def test_a_name_without_its_side_is_both(control: RemoteControl) -> None:
    control.take(value("eye_wink", 1), SECOND)
    assert control.pose(SECOND) == {Pose.EYE_WINK_LEFT: 1.0, Pose.EYE_WINK_RIGHT: 1.0}


def test_a_value_is_held_for_a_second_after_it_came_last(control: RemoteControl) -> None:
    control.take(value("head_x", 0.5), SECOND)
    control.take(value("head_y", -0.5), SECOND + SECOND // 2)
    assert control.pose(SECOND + SECOND - 1) == {Pose.HEAD_X: 0.5, Pose.HEAD_Y: -0.5}
    assert control.pose(SECOND + SECOND + 1) == {Pose.HEAD_Y: -0.5}
    control.take(value("head_y", -0.25), SECOND + SECOND)
    assert control.pose(SECOND + 2 * SECOND - 1) == {Pose.HEAD_Y: -0.25}
    assert control.pose(SECOND + 2 * SECOND + 1) == {}


def test_what_was_handed_out_does_not_change(control: RemoteControl) -> None:
    control.take(value("head_x", 0.5), SECOND)
    held = control.pose(SECOND)
    control.take(value("head_x", 0.25), SECOND)
    assert held == {Pose.HEAD_X: 0.5}


@pytest.mark.parametrize(
    "packet",
    [
        value("head_x"),
        value("head_x", math.nan),
        value("head_x", math.inf),
        value("head_x", "0.5"),
        value("head_x", None),
        value("tail", 0.5),
        value("", 0.5),
        value("_left", 0.5),
        value(39, 0.5),
        value(0.5, "head_x"),
    ],
)
def test_values_that_are_none_change_nothing(control: RemoteControl, packet: bytes) -> None:
    control.take(value("head_x", 0.125), SECOND)
    control.take(packet, SECOND)
    assert control.pose(SECOND) == {Pose.HEAD_X: 0.125}
    assert control.take_expressions() == []


def test_any_bytes_are_taken(control: RemoteControl) -> None:
    @given(
        st.binary(max_size=120), st.sampled_from(["expression", "pose", "clear"]), st.sampled_from([",sf", ",i", ",fs"])
    )
    def taken(noise: bytes, address: str, tags: str) -> None:
        control.take(noise, SECOND)
        control.take(raw_message(f"/easyvtuber/{address}", tags, b"head_x\0\0" + noise), SECOND)
        assert all(-1.0 <= number <= 1.0 for number in control.pose(SECOND).values())
        assert len(control.take_expressions()) <= 32

    taken()


# -- over a socket --------------------------------------------------------------------------------------------------


def sent(port: int, packet: bytes, address: str = HOME) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deck:
        try:
            deck.bind((address, 0))
        except OSError:
            pytest.skip(f"this system has no {address}")
        deck.sendto(packet, (HOME, port))


def test_programs_on_this_computer_are_obeyed_each_of_them(open_control: Open, port: int) -> None:
    control = open_control()

    def held() -> bool:
        sent(port, value("head_x", 0.5))
        return control.pose(now_ns()) == {Pose.HEAD_X: 0.5}

    assert wait_until(held)
    sent(port, expression("smile", 1.0))
    commands: list[remote.Command] = []

    def obeyed() -> bool:
        commands.extend(control.take_expressions())
        return bool(commands)

    assert wait_until(obeyed)
    assert commands == [("smile", 1.0)]


def test_it_listens_for_this_computer_only(open_control: Open, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bound: list[str] = []
    real = udp.bind

    def noted(name: str, address: str, number: int) -> socket.socket:
        bound.append(address)
        return real(name, address, number)

    monkeypatch.setattr(remote, "bind", noted)
    open_control()
    assert wait_until(lambda: bool(bound))
    assert set(bound) == {HOME}


def test_other_addresses_are_not_obeyed(open_control: Open, port: int) -> None:
    control = open_control()

    def passed_over() -> bool:
        sent(port, value("head_y", 1.0), "127.0.0.2")
        sent(port, value("head_x", 0.5))
        return Pose.HEAD_X in control.pose(now_ns())

    assert wait_until(passed_over)
    assert Pose.HEAD_Y not in control.pose(now_ns())


def test_a_flood_is_capped_before_it_is_parsed(open_control: Open, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bytes] = []
    refused: list[object] = []
    real = udp.PeerGate.refuses

    def counted(gate: udp.PeerGate, peer: str, arrival: int, size: int = 0) -> object:
        reason = real(gate, peer, arrival, size)
        if reason is not None:
            refused.append(reason)
        return reason

    monkeypatch.setattr(udp.PeerGate, "refuses", counted)
    monkeypatch.setattr(RemoteControl, "take", lambda _self, packet, _arrival: taken.append(packet))
    open_control(clock=lambda: SECOND)  # the same second for ever

    def flooded() -> bool:
        for _ in range(20):
            sent(port, CLEAR)
        return len(refused) > 20

    assert wait_until(flooded)
    assert len(taken) == udp.MAXIMUM_PACKETS_PER_SECOND


def test_a_taken_port_is_told_and_used_as_soon_as_it_is_free(open_control: Open, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as squatter:
        squatter.bind((HOME, port))
        control = open_control()
        assert wait_until(lambda: control.status(now_ns()).error is not None)
        status = control.status(now_ns())
        assert status.state is TrackerState.FAILED
        assert isinstance(status.error, PortInUse)
        assert status.error.parameters == {"port": port, "tracker": "remote"}
    assert wait_until(lambda: control.status(now_ns()).error is None)

    def held() -> bool:
        sent(port, value("head_x", 0.5))
        return bool(control.pose(now_ns()))

    assert wait_until(held)


def test_closing_ends_the_thread_and_frees_the_port(open_control: Open, port: int) -> None:
    control = open_control()

    def held() -> bool:
        sent(port, value("head_x", 0.5))
        return bool(control.pose(now_ns()))

    assert wait_until(held)
    control.close()
    assert not threads()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind((HOME, port))
    control.close()
    assert control.take_expressions() == []


def test_closing_ends_one_that_waits_for_its_port(open_control: Open, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as squatter:
        squatter.bind((HOME, port))
        control = open_control()
        assert wait_until(lambda: control.status(now_ns()).error is not None)
        control.close()
    assert not threads()
