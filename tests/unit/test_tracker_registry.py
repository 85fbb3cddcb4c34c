"""Every input by name: the settings table and the registry tell the same, and each keeps its contract."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.pose.mapping import MAPPINGS
from core.wire.clock import now_ns
from core.wire.errors import InputError, InputUnavailable
from core.wire.folders import PROJECT
from core.wire.settings import BY_KEY, Value, defaults
from tests.unit.free_port import free_port
from tests.unit.openseeface_packets import Face, datagram
from trackers import openseeface, registry
from trackers.base import Drop, TrackerSample, TrackerState, TrackerStatus
from trackers.registry import TRACKERS

RECORDED = [name for name, entry in TRACKERS.items() if entry.recordings]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[dict[str, Value]]:
    """Settings every input can be opened with: a port that is free, a recording that is there."""
    file = tmp_path / "openseeface.rec"
    file.write_bytes(struct.pack("<dI", 0.0, 1785) + datagram(Face()))
    port = free_port()
    yield {**defaults(), "osf_port": port, "replay_path": str(file)}


def test_the_settings_table_offers_exactly_the_inputs_there_are() -> None:
    assert list(BY_KEY["tracker"].choices) == list(TRACKERS)


def test_a_recordings_protocol_can_be_any_input_that_is_recorded() -> None:
    assert list(BY_KEY["replay_protocol"].choices) == ["automatic", *RECORDED]


def test_availability_tells_of_every_input() -> None:
    assert set(registry.availability()) == set(TRACKERS)


def test_every_reason_an_input_may_give_has_a_sentence() -> None:
    sentences = json.loads((PROJECT / "core/obs/locale/en.json").read_text(encoding="utf-8"))
    for reason in [*filter(None, registry.availability().values()), "unknown", "unknown_protocol"]:
        assert f"reason.{reason}" in sentences


@pytest.mark.parametrize("name", TRACKERS)
def test_it_opens_tells_its_state_and_closes_twice(name: str, settings: dict[str, Value]) -> None:
    if registry.availability()[name] is not None:
        pytest.skip(f"{name} cannot work on this machine")
    if name == "webcam":
        pytest.skip("it needs the model's file; tests/unit/test_webcam.py opens it")
    tracker = registry.open_tracker(name, settings)
    try:
        status = tracker.status(now_ns())
        assert isinstance(status, TrackerStatus)
        assert (status.state is TrackerState.IDLE) == (name == "idle")
        sample = tracker.latest(now_ns())
        assert sample is None or sample.vocabulary in MAPPINGS
    finally:
        tracker.close()
        tracker.close()
    tracker.latest(now_ns()), tracker.status(now_ns())


@pytest.mark.parametrize("name", TRACKERS)
def test_an_input_that_cannot_work_here_is_refused_with_its_reason(
    name: str, settings: dict[str, Value], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"trackers.{TRACKERS[name].module}.unavailable", lambda: "not_here")
    with pytest.raises(InputUnavailable) as refusal:
        registry.open_tracker(name, settings)
    assert refusal.value.parameters == {"tracker": name, "reason": "not_here"}


@pytest.mark.parametrize("name", ["", "webcam9000", "../registry"])
def test_an_unknown_input_is_refused(name: str, settings: dict[str, Value]) -> None:
    with pytest.raises(InputError):
        registry.open_tracker(name, settings)
    assert registry.decoder_factory(name, settings) is None


@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_inputs_decoder_takes_anything(name: str, settings: dict[str, Value]) -> None:
    factory = registry.decoder_factory(name, settings)
    assert factory is not None
    first, second = factory(), factory()
    assert first is not second
    for packet in (b"", b"\0", b"\xff" * 1785, b"{" * 9000, bytes(65535)):
        result = first.feed(packet, now_ns())
        assert result is None or isinstance(result, (Drop, TrackerSample))


@pytest.mark.parametrize("name", [name for name in TRACKERS if name not in RECORDED])
def test_what_has_no_packets_has_no_decoder(name: str, settings: dict[str, Value]) -> None:
    assert registry.decoder_factory(name, settings) is None


@pytest.mark.parametrize(
    ("file_name", "protocol"),
    [
        ("openseeface_model0.rec", "openseeface"),
        ("OpenSeeFace at home.rec", "openseeface"),
        ("fmv3_rev5.rec", "ifacialmocap"),
        ("vts.rec", "vts"),
        ("holiday.rec", None),
        ("", None),
    ],
)
def test_a_recordings_name_tells_its_protocol(file_name: str, protocol: str | None) -> None:
    assert registry.protocol_of_recording(file_name) == protocol


def test_no_recordings_name_is_claimed_by_two() -> None:
    prefixes = [prefix for name in RECORDED for prefix in TRACKERS[name].recordings]
    assert not any(one != other and one.startswith(other) for one in prefixes for other in prefixes)


def test_openseeface_listens_where_the_settings_say(settings: dict[str, Value]) -> None:
    tracker = openseeface.open_tracker({**settings, "osf_address": "127.0.0.1"})
    try:
        assert tracker.status(now_ns()).state is TrackerState.WAITING
    finally:
        tracker.close()
