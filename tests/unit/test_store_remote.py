"""Reading a zip on a server without fetching it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from random import Random

import pytest

from models.store import remote
from models.store.progress import Stopped, Teller
from models.store.remote import PartsNotServed, RemoteFile
from models.store.transport import FetchFailed

from .store_server import Server, go_on, make_zip, no_pause, onnx, transport

CONTENT = Random(1).randbytes(300_000)


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_TAIL_BYTES", 10_000)
    monkeypatch.setattr(remote, "_WINDOW_BYTES", 50_000)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def opened(server: Server, limit: int = 1 << 30, timeout_s: float = 10.0) -> RemoteFile:
    return RemoteFile(server.url("/zip"), transport(timeout_s), limit, Teller(go_on, "zip").again, no_pause)


def test_it_reads_as_the_file_itself_would(server: Server) -> None:
    server.serve("/zip", CONTENT)
    with opened(server) as file:
        assert file.size == len(CONTENT)
        assert file.read(10) == CONTENT[:10]
        assert file.read(120_000) == CONTENT[10:120_010]
        assert file.tell() == 120_010
        assert file.seek(-5, 2) == len(CONTENT) - 5
        assert file.read(100) == CONTENT[-5:]
        assert file.read(1) == b""
        assert file.seek(20) == 20
        assert file.seek(7, 1) == 27
        assert file.read() == CONTENT[27:]
        with pytest.raises(ValueError, match="seek"):
            file.seek(-1)


def test_a_zips_list_costs_one_request_and_its_neighbours_few(server: Server) -> None:
    members = {f"{number}.onnx": onnx(str(number)) + Random(number).randbytes(40_000) for number in range(10)}
    server.serve("/zip", make_zip(members, zipfile.ZIP_STORED))
    with opened(server) as file, zipfile.ZipFile(file) as archive:
        assert len(server.requests) == 1
        for number in (3, 4, 5):
            assert archive.read(f"{number}.onnx") == members[f"{number}.onnx"]
    assert len(server.requests) <= 5
    assert server.requests[1][1]["if-range"] == '"one"'


def test_a_file_smaller_than_the_tail_is_one_request(server: Server) -> None:
    server.serve("/zip", CONTENT[:100])
    with opened(server) as file:
        assert file.read() == CONTENT[:100]
    assert len(server.requests) == 1


@pytest.mark.parametrize("wrong", ["ignored", "wrong", "no version", "weak version"])
def test_a_server_that_does_not_serve_parts_is_told_at_once(server: Server, wrong: str) -> None:
    served = server.serve("/zip", CONTENT)
    if wrong.endswith("version"):
        served.etag = 'W/"weak"' if wrong.startswith("weak") else ""
    else:
        served.ranges = wrong
    with pytest.raises(PartsNotServed):
        opened(server)
    assert len(server.requests) == 1


def test_a_file_that_changes_is_not_mixed(server: Server) -> None:
    served = server.serve("/zip", CONTENT)
    for respects_if_range in (True, False):
        served.etag, served.respects_if_range = '"one"', respects_if_range
        with opened(server) as file:
            served.etag = '"two"'
            with pytest.raises(PartsNotServed):
                file.read(1)


def test_a_connection_that_breaks_off_is_tried_again(server: Server) -> None:
    served = server.serve("/zip", CONTENT)
    with opened(server) as file:
        served.cut_after = [100, 0, 7]
        assert file.read(60_000) == CONTENT[:60_000]
        served.cut_after = [1] * 10
        with pytest.raises(FetchFailed) as caught:
            file.read(200_000)
    assert (caught.value.reason, caught.value.broke_off) == ("no_network", True)


def test_silence_and_refusals_are_told(server: Server) -> None:
    served = server.serve("/zip", CONTENT)
    with opened(server, timeout_s=0.3) as file:
        served.hang_after = [10] * 4
        with pytest.raises(FetchFailed) as caught:
            file.read(1)
        assert caught.value.reason == "timed_out"
        served.hang_after, served.status = [], 404
        with pytest.raises(FetchFailed) as caught:
            file.read(1)
        assert caught.value.reason == "not_found"


def test_a_network_that_is_away_for_a_moment_is_waited_for(server: Server) -> None:
    served = server.serve("/zip", CONTENT)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        served.raw = b"" if len(pauses) < 3 else None

    with RemoteFile(server.url("/zip"), transport(), 1 << 30, Teller(go_on, "zip").again, pause) as file:
        served.raw = b""
        assert file.read(100) == CONTENT[:100]
    assert pauses == [0.5, 1.0, 1.5]


def test_a_file_beyond_the_limit_is_refused(server: Server) -> None:
    server.serve("/zip", CONTENT)
    with pytest.raises(FetchFailed) as caught:
        opened(server, limit=len(CONTENT) - 1)
    assert caught.value.reason == "too_large"


def test_it_can_be_stopped_while_bytes_come(server: Server) -> None:
    server.serve("/zip", CONTENT)
    going = [True]
    teller = Teller(lambda task, fraction: going[0], "zip")
    with RemoteFile(server.url("/zip"), transport(), 1 << 30, teller.again, no_pause) as file:
        going[0] = False
        with pytest.raises(Stopped):
            file.read(1)
    assert len(server.requests) == 1


def test_a_teller_repeats_what_was_told_last() -> None:
    told: list[tuple[str, float]] = []

    def progress(task: str, fraction: float) -> bool:
        told.append((task, fraction))
        return len(told) < 5

    teller = Teller(progress, "first")
    teller.again()
    assert teller("second", 0.5)
    teller.again()
    teller.tell("third", 7.0)
    with pytest.raises(Stopped):
        teller.again()
    assert told == [("first", 0.0), ("second", 0.5), ("second", 0.5), ("third", 1.0), ("third", 1.0)]
