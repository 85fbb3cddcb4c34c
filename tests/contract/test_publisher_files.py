"""Recordings: names, time, and disks that are full, gone or read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.publish import file as file_module
from core.publish.file import FilePublisher
from core.publish.picture_files import NewestPicture, PictureSequence
from core.publish.recording import Pace
from core.publish.video_file import Video
from core.wire.errors import DiskFull, OutputFailed, OutputUnavailable

from .fake_outputs import LIMIT_S, frame, open_past_registry, plain_picture, publisher_threads, wait_until

SECOND_NS = 1_000_000_000
HALF_RED = (10, 20, 100, 128)
ROOT = Path(__file__).parents[2]


def frames_in(video: Path) -> int:
    reader = cv2.VideoCapture(str(video))
    count = 0
    while reader.read()[0]:
        count += 1
    reader.release()
    return count


def read(path: Path) -> list[int]:
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return [int(value) for value in picture[0, 0]]


class Clock:
    """Stands still until it is told."""

    now_ns = 5 * SECOND_NS

    def __call__(self) -> int:
        return self.now_ns


def test_frames_in_time_are_taken_one_by_one_in_spite_of_jitter() -> None:
    pace = Pace(60.0)
    for number in range(600):
        now_ns = int((number + (0.4 if number % 2 else -0.3)) * SECOND_NS / 60) + SECOND_NS
        assert pace.missing(now_ns) == 0
        assert pace.takes(now_ns)
        pace.written += 1


@pytest.mark.parametrize("came_per_second", [7, 24, 30, 59, 60, 61, 144, 300])
def test_a_recording_lasts_as_long_as_it_took(came_per_second: int) -> None:
    pace = Pace(60.0)
    for number in range(came_per_second * 10):
        now_ns = number * SECOND_NS // came_per_second
        pace.written += pace.missing(now_ns)
        if pace.takes(now_ns):
            pace.written += 1
    assert abs(pace.written - 600) <= 60 / came_per_second + 2


def test_a_long_sleep_is_cut_out() -> None:
    pace = Pace(60.0)
    assert pace.takes(0)
    pace.written += 1
    hour_ns = 3600 * SECOND_NS
    assert pace.missing(hour_ns) == 0
    assert pace.takes(hour_ns)
    pace.written += 1
    assert not pace.takes(hour_ns)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_a_video_keeps_real_time_through_idle_moments(tmp_path: Path, ending: str) -> None:
    video = Video(tmp_path / f"a.{ending}", 0, 10.0)
    picture = plain_picture(64, 64, HALF_RED)
    for tenth in (0, 1, 2, 12):
        video.show(picture, tenth * SECOND_NS // 10)
    video.idle(17 * SECOND_NS // 10)
    video.close()
    assert 17 <= frames_in(tmp_path / f"a.{ending}") <= 18


def test_an_existing_video_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"precious")
    (tmp_path / "a (2).mp4").write_bytes(b"also")
    publisher = open_past_registry("file", {"file_path": str(tmp_path / "a.mp4")})
    assert publisher.description == str(tmp_path / "a (3).mp4")
    publisher.publish(frame(plain_picture(64, 64, HALF_RED)))
    publisher.close()
    assert (tmp_path / "a.mp4").read_bytes() == b"precious"
    assert (tmp_path / "a (2).mp4").read_bytes() == b"also"
    assert frames_in(tmp_path / "a (3).mp4") >= 1


def test_a_recording_without_a_frame_leaves_no_file(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.png", "a_%05d.png"):
        open_past_registry("file", {"file_path": str(tmp_path / name)}).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [(63, 65), (1, 1), (257, 300)])
def test_odd_sizes_can_be_recorded(tmp_path: Path, size: tuple[int, int]) -> None:
    video = Video(tmp_path / "a.mp4", 0, 30.0)
    video.show(plain_picture(*size, HALF_RED), 0)
    video.close()
    assert frames_in(tmp_path / "a.mp4") == 1


def test_names_of_all_languages_work(tmp_path: Path) -> None:
    for name in ("ミオ 录像 é.mp4", "ミオ.png"):
        publisher = open_past_registry("file", {"file_path": str(tmp_path / name)})
        publisher.publish(frame(plain_picture(64, 64, HALF_RED)))
        publisher.close()
        assert publisher.failure is None
        assert (tmp_path / name).stat().st_size > 0


def test_numbered_pictures_go_on_from_the_highest_number(tmp_path: Path) -> None:
    (tmp_path / "a_00041.png").write_bytes(b"precious")
    (tmp_path / "a_notes.png").write_bytes(b"")
    sequence = PictureSequence(tmp_path / "a_%05d.png", 10.0)
    sequence.show(plain_picture(64, 64, HALF_RED), 0)
    sequence.idle(SECOND_NS // 2)
    sequence.close()
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == [
        "a_00041.png",
        "a_00042.png",
        "a_00043.png",
        "a_00044.png",
        "a_00045.png",
        "a_00046.png",
        "a_notes.png",
    ]
    assert (tmp_path / "a_00041.png").read_bytes() == b"precious"
    assert read(tmp_path / "a_00042.png") == [20, 40, 199, 128]


def test_the_newest_picture_is_written_once_a_second_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    newest = NewestPicture(path)
    newest.show(plain_picture(64, 64, (1, 1, 1, 255)), 0)
    assert read(path)[0] == 1
    newest.show(plain_picture(64, 64, (2, 2, 2, 255)), SECOND_NS // 2)
    assert read(path)[0] == 1
    newest.idle(SECOND_NS)
    assert read(path)[0] == 2
    written_ns = path.stat().st_mtime_ns
    newest.idle(3 * SECOND_NS)
    assert path.stat().st_mtime_ns == written_ns
    newest.show(plain_picture(32, 32, (3, 3, 3, 255)), 3 * SECOND_NS)
    newest.show(plain_picture(32, 32, (4, 4, 4, 255)), 3 * SECOND_NS + 1)
    newest.close()
    assert read(path)[0] == 4
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["a.mp4", "a.png", "a_%d.png"])
def test_a_folder_that_is_not_there_is_an_output_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputFailed):
        open_past_registry("file", {"file_path": str(tmp_path / "gone" / name)})
    assert publisher_threads() == []


def test_a_folder_that_goes_away_ends_the_recording(tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    publisher = open_past_registry("file", {"file_path": str(folder / "a_%03d.png")})
    shutil.rmtree(folder)
    publisher.publish(frame(plain_picture(64, 64, HALF_RED)))
    assert wait_until(lambda: publisher.failure is not None)
    assert isinstance(publisher.failure, OutputFailed)
    publisher.close()


@pytest.mark.parametrize(
    ("path", "reason"), [("", "no_file_path"), ("a.gif", "unknown_file_type"), ("a", "unknown_file_type")]
)
def test_a_path_that_says_too_little_is_refused(path: str, reason: str) -> None:
    with pytest.raises(OutputUnavailable) as refusal:
        open_past_registry("file", {"file_path": path})
    assert refusal.value.parameters["reason"] == reason


class SmallDisk:
    """A file system in memory, and what eats it up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave(self, free_bytes: int) -> None:
        (self.folder / "filler").write_bytes(bytes(shutil.disk_usage(self.folder).free - free_bytes))


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SmallDisk]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs Linux and root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={request.param}m", "none", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"mounting is not permitted: {mounted.stderr.decode().strip()}")
    yield SmallDisk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("small_disk", [16], indirect=True)
def test_nothing_is_begun_on_a_nearly_full_disk(small_disk: SmallDisk) -> None:
    with pytest.raises(DiskFull) as refusal:
        open_past_registry("file", {"file_path": str(small_disk.folder / "a.mp4")})
    assert refusal.value.parameters["path"] == str(small_disk.folder / "a.mp4")
    assert list(small_disk.folder.iterdir()) == []


@pytest.mark.parametrize("small_disk", [72], indirect=True)
def test_a_video_ends_whole_before_the_disk_is_full(small_disk: SmallDisk) -> None:
    path, clock = small_disk.folder / "a.mp4", Clock()
    publisher = FilePublisher(path, lambda: Video(path, 0, 30.0), clock)
    publisher.start()
    publisher.publish(frame(plain_picture(64, 64, HALF_RED)))
    assert wait_until(lambda: path.stat().st_size > 0)
    small_disk.leave(file_module.RESERVE_BYTES - 1)
    clock.now_ns += 2 * SECOND_NS
    publisher.publish(frame(plain_picture(64, 64, HALF_RED)))
    assert wait_until(lambda: publisher.failure is not None)
    assert isinstance(publisher.failure, DiskFull)
    publisher.close()
    assert frames_in(path) >= 1


@pytest.mark.parametrize("small_disk", [72], indirect=True)
@pytest.mark.parametrize("name", ["a_%03d.png", "a.png"])
def test_a_picture_that_does_not_fit_leaves_nothing_half(small_disk: SmallDisk, name: str) -> None:
    path, clock = small_disk.folder / name, Clock()
    publisher = FilePublisher(path, lambda: PictureSequence(path, 30.0) if "%" in name else NewestPicture(path), clock)
    publisher.start()
    small_disk.leave(0)
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 4), np.uint8)
    publisher.publish(frame(noise))
    assert wait_until(lambda: publisher.failure is not None)
    assert isinstance(publisher.failure, DiskFull)
    publisher.close()
    assert [entry.name for entry in small_disk.folder.iterdir()] == ["filler"]


LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
sys.path.insert(0, {root!r})
from core.publish.video_file import Video
from core.wire.errors import DiskFull
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
video = Video(Path({path!r}), 0, 10.0)
random = np.random.default_rng(0)
try:
    for number in range(1000):
        video.show(random.integers(0, 256, (128, 128, 4), np.uint8), number * 100_000_000)
except DiskFull as problem:
    print("DiskFull after", number, problem.parameters["path"] == {path!r})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for a file's size")
@pytest.mark.parametrize("name", ["a.avi", "a.mp4"])
def test_a_writer_that_fails_without_a_word_is_noticed(tmp_path: Path, name: str) -> None:
    script = LIMITED.format(root=str(ROOT), path=str(tmp_path / name))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=10 * LIMIT_S)
    assert done.stdout.startswith("DiskFull after"), done.stderr
    assert done.stdout.strip().endswith("True")
