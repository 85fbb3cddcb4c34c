"""Fetching one file from servers that behave, break off, lie, change and hang."""

from __future__ import annotations

import errno
import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.wire.errors import DownloadFailed
from models.store import download as download_module
from models.store.download import Wanted, download
from models.store.lock import file_lock
from models.store.part import PartFile

from .store_server import Server, go_on, no_pause, transport

CONTENT = bytes(range(256)) * 4096
"""1 MiB: several pieces."""
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER = CONTENT[::-1]


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "Ünï 角色" / "net.onnx"


def wanted(server: Server, *paths: str, sha256: str = SHA256, byte_count: int = len(CONTENT)) -> Wanted:
    return Wanted("net", tuple(server.url(path) for path in paths or ("/net",)), sha256, byte_count)


def unknown(server: Server, *paths: str) -> Wanted:
    """Neither size nor hash are known."""
    return wanted(server, *paths, sha256="", byte_count=0)


def fetch(what: Wanted, target: Path, timeout_s: float = 10.0) -> None:
    download(what, target, go_on, transport(timeout_s), no_pause)


def failure(what: Wanted, target: Path, timeout_s: float = 10.0) -> DownloadFailed:
    with pytest.raises(DownloadFailed) as caught:
        fetch(what, target, timeout_s)
    assert caught.value.parameters["file"] == "net"
    assert not target.exists()
    return caught.value


def reason(what: Wanted, target: Path, timeout_s: float = 10.0) -> str:
    return str(failure(what, target, timeout_s).parameters["reason"])


def left_over(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path.suffix != ".lock")


def stop_at(target: Path, what: Wanted, byte_count: int) -> None:
    """Have a download stopped by the user when so much is there."""

    def until(task: str, fraction: float) -> bool:
        part = target.with_name("net.onnx.part")
        return not (part.exists() and part.stat().st_size >= byte_count)

    with pytest.raises(DownloadFailed) as caught:
        download(what, target, until, transport(), no_pause)
    assert caught.value.parameters["reason"] == "stopped"


def test_a_file_comes_whole_and_leaves_nothing_else_behind(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT)
    told: list[tuple[str, float]] = []

    def progress(task: str, fraction: float) -> bool:
        told.append((task, fraction))
        return True

    download(wanted(server), target, progress, transport(), no_pause)
    assert target.read_bytes() == CONTENT
    assert left_over(target) == ["net.onnx"]
    fractions = [fraction for _, fraction in told]
    assert {task for task, _ in told} == {"net"}
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert len(set(fractions)) > 3


def test_the_request_tells_nothing_about_the_user(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT)
    fetch(wanted(server), target)
    ((_, headers),) = server.requests
    assert headers["user-agent"] == "EasyVtuber-OBS"
    assert set(headers) <= {"user-agent", "host", "connection", "accept-encoding"}


def test_what_is_there_is_not_asked_for(server: Server, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    fetch(wanted(server), target)
    assert server.requests == []


@pytest.mark.parametrize("length", ["chunked", "none"])
def test_a_length_that_is_not_told_is_no_hindrance(server: Server, target: Path, length: str) -> None:
    server.serve("/net", CONTENT).length = length
    fetch(unknown(server), target)
    assert target.read_bytes() == CONTENT


def test_a_stopped_download_goes_on_where_it_stopped(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT)
    stop_at(target, unknown(server), 300_000)
    there = target.with_name("net.onnx.part").stat().st_size
    assert 300_000 <= there < len(CONTENT)
    fetch(unknown(server), target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["", f"bytes={there}-"]
    assert server.requests[1][1]["if-range"] == '"one"'


def test_a_download_stopped_before_it_began_asks_nobody(server: Server, target: Path) -> None:
    with pytest.raises(DownloadFailed) as caught:
        download(wanted(server), target, lambda task, fraction: False, transport(), no_pause)
    assert caught.value.parameters["reason"] == "stopped"
    assert server.requests == []


def test_after_a_stop_no_mirror_is_asked(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT)
    server.serve("/mirror", CONTENT)
    stop_at(target, wanted(server, "/net", "/mirror"), 1)
    assert [path for path, _ in server.requests] == ["/net"]


def test_a_connection_that_breaks_off_is_mended_within_the_call(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT).cut_after = [1000, 200_000, 5]
    fetch(unknown(server), target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=1000-", "bytes=201000-", "bytes=201005-"]


def test_a_network_that_is_away_for_a_moment_is_waited_for(server: Server, target: Path) -> None:
    served = server.serve("/net", CONTENT)
    served.cut_after = [200_000]
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        served.raw = b"" if len(pauses) < 4 else None

    download(unknown(server), target, go_on, transport(), pause)
    assert target.read_bytes() == CONTENT
    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert len(server.requests) == 5


def test_a_server_that_never_gives_more_is_given_up(server: Server, target: Path) -> None:
    served = server.serve("/net", CONTENT)
    served.ranges, served.cut_after = "ignored", [1000] * 20
    assert reason(unknown(server), target) == "no_network"
    assert len(server.requests) == 5


def test_a_server_that_breaks_off_again_and_again_is_given_up(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT).cut_after = [10] * 40
    assert reason(unknown(server), target) == "no_network"
    assert len(server.requests) == 13
    assert target.with_name("net.onnx.part").stat().st_size == 130


def test_a_server_that_ignores_ranges_begins_anew(server: Server, target: Path) -> None:
    served = server.serve("/net", CONTENT)
    stop_at(target, unknown(server), 300_000)
    served.ranges = "ignored"
    fetch(unknown(server), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("respects_if_range", [True, False])
def test_a_file_that_changed_meanwhile_is_not_mixed_with_the_old_one(
    server: Server, target: Path, respects_if_range: bool
) -> None:
    served = server.serve("/net", CONTENT)
    stop_at(target, unknown(server), 300_000)
    served.content, served.etag, served.respects_if_range = OTHER, '"two"', respects_if_range
    fetch(unknown(server), target)
    assert target.read_bytes() == OTHER


def test_a_file_that_changes_while_it_is_mended_is_not_mixed(server: Server, target: Path) -> None:
    served = server.serve("/net", CONTENT)
    served.cut_after, served.then = [500_000], [(OTHER, '"two"')]
    fetch(unknown(server), target)
    assert target.read_bytes() == OTHER


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_version_and_a_hash_it_begins_anew(server: Server, target: Path, etag: str) -> None:
    served = server.serve("/net", CONTENT)
    served.etag = etag
    stop_at(target, unknown(server), 300_000)
    fetch(unknown(server), target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["", ""]


def test_the_date_of_change_is_a_version_too(server: Server, target: Path) -> None:
    date = "Fri, 20 Dec 2024 10:00:00 GMT"
    served = server.serve("/net", CONTENT)
    served.etag, served.headers, served.respects_if_range = "", {"Last-Modified": date}, False
    stop_at(target, unknown(server), 300_000)
    fetch(unknown(server), target)
    assert target.read_bytes() == CONTENT
    assert server.requests[1][1]["if-range"] == date


def test_with_a_hash_a_mirror_goes_on_where_the_first_address_broke_off(server: Server, target: Path) -> None:
    served = server.serve("/net", CONTENT)
    served.cut_after = [700_000, 0, 0, 0, 0]
    server.serve("/mirror", CONTENT).etag = '"another server"'
    fetch(wanted(server, "/net", "/mirror"), target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["", *["bytes=700000-"] * 5]
    assert "if-range" not in server.requests[5][1]


def test_a_mixture_that_the_hash_finds_out_is_fetched_anew_once(server: Server, target: Path) -> None:
    served = server.serve("/net", OTHER)
    stop_at(target, wanted(server), 300_000)
    served.content = CONTENT  # under the same ETag
    fetch(wanted(server), target)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 3


def test_what_came_whole_but_was_not_named_yet_is_not_fetched_again(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT)
    stop_at(target, wanted(server), len(CONTENT))
    assert target.with_name("net.onnx.part").stat().st_size == len(CONTENT)
    fetch(wanted(server), target)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 1


@pytest.mark.parametrize("note", ["", "{", "[1]", "null", '{"total": "many", "address": 7}', "{}"])
def test_a_part_whose_note_is_damaged_begins_anew_or_ends_right(server: Server, target: Path, note: str) -> None:
    server.serve("/net", CONTENT)
    target.parent.mkdir(parents=True)
    target.with_name("net.onnx.part").write_bytes(OTHER[:1000])
    target.with_name("net.onnx.part.json").write_text(note, encoding="utf-8")
    fetch(wanted(server), target)
    assert target.read_bytes() == CONTENT


def test_a_note_without_its_part_begins_anew(server: Server, target: Path) -> None:
    served = server.serve("/net", CONTENT)
    stop_at(target, unknown(server), 300_000)
    target.with_name("net.onnx.part").unlink()
    served.content = OTHER
    fetch(unknown(server), target)
    assert target.read_bytes() == OTHER


def test_a_part_that_is_longer_than_the_file_begins_anew(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT)
    target.parent.mkdir(parents=True)
    target.with_name("net.onnx.part").write_bytes(CONTENT + b"more")
    note = {"address": server.url("/net"), "validator": '"one"', "total": len(CONTENT)}
    target.with_name("net.onnx.part.json").write_text(json.dumps(note), encoding="utf-8")
    fetch(wanted(server), target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT) + 4}-", ""]


@pytest.mark.parametrize("ranges", ["wrong", "refused"])
def test_a_part_other_than_the_missing_one_is_not_taken(server: Server, target: Path, ranges: str) -> None:
    served = server.serve("/net", CONTENT)
    stop_at(target, unknown(server), 300_000)
    served.ranges = ranges
    fetch(unknown(server), target)
    assert target.read_bytes() == CONTENT
    assert server.ranges[1:] == [server.ranges[1], ""]


def test_mirrors_are_tried_in_order(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT).status = 500
    server.serve("/two", OTHER)
    server.serve("/three", CONTENT)
    fetch(wanted(server, "/net", "/gone", "/two", "/three"), target)
    assert target.read_bytes() == CONTENT
    assert [path for path, _ in server.requests] == ["/net", "/gone", "/two", "/three"]


def test_of_all_failures_the_detail_tells_each_and_the_reason_the_furthest(server: Server, target: Path) -> None:
    server.serve("/two", OTHER)
    problem = failure(wanted(server, "/gone", "/two", "/gone too"[:5]), target)
    assert problem.parameters["reason"] == "wrong_hash"
    assert problem.detail.count("not_found") == 2
    assert left_over(target) == []


@pytest.mark.parametrize("length", ["told", "none", "chunked"])
def test_a_file_of_another_hash_is_thrown_away(server: Server, target: Path, length: str) -> None:
    server.serve("/net", OTHER).length = length
    assert reason(wanted(server), target) == "wrong_hash"
    assert left_over(target) == []


def test_a_shorter_file_is_known_by_what_is_announced(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT[:-1])
    assert reason(wanted(server), target) == "wrong_hash"
    assert left_over(target) == []


def test_more_than_was_to_come_is_not_even_begun(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT + b"!")
    assert reason(wanted(server), target) == "too_large"
    assert left_over(target) == []


@pytest.mark.parametrize("length", ["none", "chunked"])
def test_more_than_was_to_come_without_saying_so_is_cut_off(server: Server, target: Path, length: str) -> None:
    server.serve("/net", CONTENT + b"!").length = length
    assert reason(wanted(server), target) == "too_large"
    assert left_over(target) == []


def test_a_file_of_unknown_size_has_a_limit_too(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "MAXIMUM_BYTES", len(CONTENT) - 1)
    server.serve("/net", CONTENT)
    assert reason(unknown(server), target) == "too_large"


def test_a_length_that_promises_too_much_is_a_broken_connection(server: Server, target: Path) -> None:
    served = server.serve("/net", CONTENT)
    served.length, served.ranges = str(len(CONTENT) + 10), "ignored"
    assert reason(unknown(server), target) == "no_network"


def test_a_length_that_promises_too_little_is_found_out_by_the_hash(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT).length = "1000"
    assert reason(wanted(server, byte_count=0), target) == "wrong_hash"


def test_a_silent_server_is_given_up_and_what_came_stays(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT).hang_after = [400_000, 0, 0, 0, 0]
    assert reason(unknown(server), target, timeout_s=0.2) == "timed_out"
    assert target.with_name("net.onnx.part").stat().st_size == 400_000
    fetch(unknown(server), target)
    assert target.read_bytes() == CONTENT
    assert server.ranges[-1] == "bytes=400000-"


def test_a_disk_without_room_is_told_before_anything_is_written(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "free_bytes", lambda folder: len(CONTENT) - 1)
    server.serve("/net", CONTENT)
    server.serve("/mirror", CONTENT)
    assert reason(wanted(server, "/net", "/mirror"), target) == "disk_full"
    assert len(server.requests) == 1
    assert left_over(target) == []


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, "disk_full"), (errno.EIO, "not_writable")])
def test_a_disk_that_refuses_midway_keeps_what_it_took(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: str
) -> None:
    server.serve("/net", CONTENT)
    append = PartFile.append

    def refuse(part: PartFile, piece: bytes) -> None:
        if part.size >= 500_000:
            raise OSError(number, "no")
        append(part, piece)

    monkeypatch.setattr(PartFile, "append", refuse)
    assert reason(wanted(server), target) == expected
    monkeypatch.setattr(PartFile, "append", append)
    fetch(wanted(server), target)
    assert target.read_bytes() == CONTENT
    assert server.ranges[1].startswith("bytes=")


def test_a_folder_that_cannot_be_made_is_told(server: Server, target: Path) -> None:
    target.parent.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(DownloadFailed) as caught:
        fetch(wanted(server), target)
    assert caught.value.parameters["reason"] == "not_writable"


def test_two_at_once_fetch_it_once(server: Server, target: Path) -> None:
    server.serve("/net", CONTENT).hang_after = [100_000]
    other = threading.Thread(target=fetch, args=(wanted(server), target))
    other.start()
    while not server.requests:
        server.released.wait(0.01)

    def let_the_other_finish(seconds: float) -> None:
        server.released.set()
        other.join(30.0)

    download(wanted(server), target, go_on, transport(), let_the_other_finish)
    other.join(30.0)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=100000-"], "the first one's broken connection, and nothing of the second"


def test_one_that_waits_too_long_for_the_other_says_so(server: Server, target: Path) -> None:
    target.parent.mkdir()
    with file_lock(target.with_name("net.onnx.lock"), lambda tries: False):
        assert reason(wanted(server), target) == "busy"
    assert server.requests == []


def test_one_that_waits_for_the_other_can_be_stopped(server: Server, target: Path) -> None:
    target.parent.mkdir()
    with file_lock(target.with_name("net.onnx.lock"), lambda tries: False), pytest.raises(DownloadFailed) as caught:
        download(wanted(server), target, lambda task, fraction: False, transport(), no_pause)
    assert caught.value.parameters["reason"] == "stopped"
