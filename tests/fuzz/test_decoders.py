"""Broken packets of every protocol: nothing is ever raised, and what comes out is always a face that can be."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks._hostile import LARGEST, PoseCheck, break_packet, is_in_range
from core.wire.settings import defaults
from tests.data import data
from trackers import registry
from trackers.base import Decoder, Drop, TrackerSample
from trackers.recording import read_recording
from trackers.udp import MAXIMUM_BYTES_PER_SECOND, MAXIMUM_PACKETS_PER_SECOND, PeerGate

RECORDINGS = (
    "fmv3_rev5_manual_synth.rec", "ifacialmocap_v1_synth.rec", "ifacialmocap_v2_synth.rec",
    "ifacialmocap_v2_tcp_chunks_synth.rec", "livelinkface_real_iphone_a.rec", "livelinkface_synth.rec",
    "meowface_synth.rec", "openseeface_2faces_model0.rec", "openseeface_model0.rec", "rhylive_osc_synth.rec",
    "vmc_vrm0_synth.rec", "vts_iphone_synth.rec",
)  # fmt: skip
FRAME_NS = 16_666_667
SECOND = 1_000_000_000
MOST_KEPT_BYTES = 2 << 20
EVERY_PROTOCOL = [name for name, entry in registry.TRACKERS.items() if entry.recordings]


def decoder_of(name: str, file_name: str = "") -> Decoder:
    factory = registry.decoder_factory(name, defaults(), file_name)
    assert factory is not None
    return factory()


def survives(decoder: Decoder, check: PoseCheck, packet: bytes, arrival_ns: int) -> None:
    result = decoder.feed(packet, arrival_ns)
    assert result is None or isinstance(result, (Drop, TrackerSample))
    if isinstance(result, TrackerSample):
        assert result.arrival_ns == arrival_ns
        assert is_in_range(result)
        assert check.is_in_range(result)
    for hint in decoder.hints(arrival_ns):
        assert all(isinstance(value, (str, int, float)) for value in hint.parameters.values())


@pytest.mark.parametrize("file_name", RECORDINGS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_recorded_packets_broken_in_every_way(file_name: str, seed: int) -> None:
    """Some whole packets first: what must be agreed before a face can come is agreed."""
    chance = random.Random(seed)
    packets = _packets(data(f"streams/{file_name}"))
    name = registry.protocol_of_recording(file_name)
    assert name is not None
    decoder, check, arrival = decoder_of(name, file_name), PoseCheck(name), SECOND
    for packet in packets[:6]:
        arrival += FRAME_NS
        survives(decoder, check, packet, arrival)
    for _ in range(12):
        arrival += chance.choice((0, FRAME_NS, SECOND))
        survives(decoder, check, break_packet(chance, chance.choice(packets), chance.choice(packets)), arrival)
    assert len(pickle.dumps(decoder)) < MOST_KEPT_BYTES


@pytest.mark.parametrize("name", EVERY_PROTOCOL)
@settings(max_examples=60, deadline=None)
@given(packets=st.lists(st.binary(max_size=600), max_size=8))
def test_bytes_that_mean_nothing(name: str, packets: list[bytes]) -> None:
    decoder, check = decoder_of(name), PoseCheck(name)
    for number, packet in enumerate(packets):
        survives(decoder, check, packet, SECOND + number * FRAME_NS)


@pytest.mark.parametrize("name", EVERY_PROTOCOL)
def test_the_worst_that_is_known(name: str) -> None:
    """Things that have brought other receivers down."""
    decoder, check = decoder_of(name), PoseCheck(name)
    for number, packet in enumerate(
        (
            b"", b"\0", bytes(LARGEST), b"\xff" * LARGEST, b"[" * LARGEST, b'{"a":' * 13_000, b"|" * LARGEST,
            b"#bundle\0" + bytes(8) + (b"\0\0\0\x10#bundle\0" + bytes(8)) * 900, b"=head#" * 10_000,
            b"eyeBlink_L-nan|=head#nan,inf,-inf,1e999,0,0|", b'{"FaceFound":"false","BlendShapes":null}',
            b'{"FaceFound":true,"Timestamp":1' + b"0" * 5000 + b',"BlendShapes":[]}', b"FMV3" + b"\xff" * 36,
            b"\x06\x7f\xff\xff\xff", b"\x06\x80\0\0\0", b"GET / HTTP/1.1\r\n\r\n", "１２３".encode() * 1000,
        )
    ):  # fmt: skip
        survives(decoder, check, packet, SECOND + number * FRAME_NS)


@pytest.mark.parametrize("file_name", RECORDINGS)
def test_a_good_packet_after_any_bad_ones_is_a_face_again(file_name: str) -> None:
    packets = _packets(data(f"streams/{file_name}"))
    name = registry.protocol_of_recording(file_name)
    assert name is not None
    decoder, chance = decoder_of(name, file_name), random.Random(file_name)
    arrival = SECOND
    for packet in packets[:6]:
        decoder.feed(packet, arrival)
    for _ in range(300):
        decoder.feed(break_packet(chance, chance.choice(packets), chance.choice(packets)), arrival)
    arrival += 6 * SECOND  # locks are let go, the sender is there again
    results = []
    for packet in [*packets[:6], *packets[6:200]]:
        arrival += FRAME_NS
        results.append(decoder.feed(packet, arrival))
    assert any(isinstance(result, TrackerSample) for result in results)


# -- floods and strangers ------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.sampled_from(["10.0.0.1", "10.0.0.2", "::ffff:10.0.0.1", "fe80::1%eth0"]), st.integers(0, 65507))
    )
)
def test_no_more_gets_through_than_a_tracker_sends(packets: list[tuple[str, int]]) -> None:
    gate = PeerGate("10.0.0.1")
    let_in = [(peer, size) for peer, size in packets if gate.refuses(peer, SECOND, size) is None]
    assert len(let_in) <= MAXIMUM_PACKETS_PER_SECOND
    assert sum(size for _, size in let_in) <= MAXIMUM_BYTES_PER_SECOND
    assert {peer for peer, _ in let_in} <= {"10.0.0.1", "::ffff:10.0.0.1"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 400_000_000)), max_size=60))
def test_while_one_sends_nobody_else_is_heard(events: list[tuple[str, bool, int]]) -> None:
    gate, now, holder, seen = PeerGate(), SECOND, None, 0
    addresses = {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"}
    for name, good, step in events:
        now += step
        refused = gate.refuses(addresses[name], now, 100)
        if holder is not None and name != holder and now - seen < 5 * SECOND:
            assert refused is Drop.OTHER_PEER
        elif refused is None and good:
            gate.accepted(addresses[name], now)
            holder, seen = name, now


def _packets(path: Path) -> list[bytes]:
    return [record.datagram for record in read_recording(path)]
