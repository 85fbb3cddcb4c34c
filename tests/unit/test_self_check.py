"""The check of a runtime's pictures, and what is remembered of it."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pose.parameters import EYEBROWS, FACE, ROTATION, clamp
from core.wire.errors import RuntimeFailed
from core.wire.folders import user_cache
from models.base import Picture
from models.self_check import (
    LOWEST_PSNR_DB,
    Verdict,
    Verdicts,
    check_poses,
    difference,
    judge,
    psnr_db,
    reference_pictures,
)
from tests.unit.drawn_character import drawn_character
from tests.unit.fake_families import (
    CARD,
    PROCESSOR,
    FakeModel,
    Machine,
    Place,
    Spoil,
    empty,
    noisy,
    right_picture,
    swapped,
    torn,
)

ON_CARD: Place = (CARD.runtime, "half")
GOOD, BAD = Verdict("", 41.5, 3.25), Verdict("wrong_colours", 11.0, 2.0)


# -- one picture ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def character() -> Picture:
    """A drawn character, premultiplied."""
    straight = drawn_character()
    straight[:, :, :3] = np.rint(straight[:, :, :3] * (straight[:, :, 3:] / 255.0))
    return straight


def black(picture: Picture) -> Picture:
    return np.asarray(np.where(np.arange(4) == 3, picture, 0), np.uint8)


def brighter(levels: int) -> Spoil:
    """All visible colours by so many levels."""

    def change(picture: Picture) -> Picture:
        brightened = np.clip(picture.astype(int) + levels * (picture[:, :, 3:] > 0), 0, 255)
        changed: Picture = brightened.astype(np.uint8)
        changed[:, :, 3] = picture[:, :, 3]
        return changed

    return change


def upside_down(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[::-1])


def moved(pixels: int) -> Spoil:
    return lambda picture: np.asarray(np.roll(picture, pixels, axis=1), np.uint8)


def behind_glass(picture: Picture) -> Picture:
    """Half transparent all over, so that no pixel is left whose colours could be compared."""
    return np.asarray(picture // 2, np.uint8)


def with_dirt(picture: Picture) -> Picture:
    """Opaque black where nothing should be."""
    dirty = picture.copy()
    dirty[:40, :, 3] = 255
    return dirty


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (empty, "nothing_drawn"),
        (swapped, "wrong_colours"),
        (black, "wrong_colours"),
        (brighter(12), "wrong_colours"),
        (brighter(-12), "wrong_colours"),
        (lambda picture: 255 - picture, "distorted"),
        (torn, "distorted"),
        (moved(6), "distorted"),
        (behind_glass, "distorted"),
        (with_dirt, "distorted"),
        (lambda picture: noisy(picture, 20.0), "distorted"),
    ],
    ids="empty swapped black brighter darker inverted torn moved glass dirt noise".split(),
)
def test_what_is_wrong_with_a_picture_is_told(character: Picture, spoil: Spoil, reason: str) -> None:
    assert difference(spoil(character), character) == reason


def test_a_picture_that_is_upside_down_is_wrong(character: Picture) -> None:
    assert difference(upside_down(character), character) in ("wrong_colours", "distorted")


@pytest.mark.parametrize(
    "spoil",
    [np.copy, noisy, lambda picture: noisy(picture, 3.0), brighter(2), brighter(-2)],
    ids="same half coarse brighter darker".split(),
)
def test_what_float16_does_to_a_picture_is_right(character: Picture, spoil: Spoil) -> None:
    assert difference(spoil(character), character) == ""


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_one_colour_that_is_off_is_enough(character: Picture, channel: int) -> None:
    changed = brighter(12)(character)
    for other in {0, 1, 2} - {channel}:
        changed[:, :, other] = character[:, :, other]
    assert difference(changed, character) == "wrong_colours"


def test_a_character_that_shows_nothing_is_drawn_by_drawing_nothing(character: Picture) -> None:
    nothing = empty(character)
    assert difference(nothing, nothing) == ""
    assert difference(character, nothing) == "distorted"


def test_the_noise_ratio_is_the_one_everybody_means(character: Picture) -> None:
    first = np.full((8, 8, 4), 100, np.uint8)
    assert psnr_db(first, first) == 99.0
    assert psnr_db(first, first + np.uint8(1)) == pytest.approx(48.13, abs=0.01)
    assert psnr_db(first, first - np.uint8(1)) == psnr_db(first, first + np.uint8(1)), "unsigned bytes do not wrap"
    assert psnr_db(np.zeros_like(first), np.full_like(first, 255)) == 0.0
    hidden = first.copy()
    hidden[:, :, 3] = 0
    assert psnr_db(first, hidden) < LOWEST_PSNR_DB, "alpha counts"


# -- a model ----------------------------------------------------------------------------------------------------------


def test_the_poses_are_ones_that_occur_and_reach_every_network() -> None:
    poses = check_poses()
    assert len(poses) == 3
    for pose in poses:
        assert pose.shape == (45,)
        assert pose.dtype == np.float32
        assert np.array_equal(clamp(pose), pose)
    assert not poses[0].any()
    for part in (EYEBROWS, FACE, ROTATION):
        assert any(pose[part].any() for pose in poses[1:])


def checked(spoil: Spoil | None = None) -> Verdict:
    machine = Machine(spoils={ON_CARD: spoil} if spoil else {})
    wanted = reference_pictures(FakeModel(machine, "tha3", (PROCESSOR.runtime, "full"), 16, is_shown=False))
    return judge(FakeModel(machine, "tha3", ON_CARD, 16, is_shown=False), wanted)


def test_a_model_that_draws_as_the_processor_does_is_good() -> None:
    verdict = checked()
    assert (verdict.good, verdict.reason, verdict.psnr_db) == (True, "", 99.0)
    assert verdict.milliseconds > 0.0


def test_a_little_noise_is_good_and_shows_in_the_figure() -> None:
    verdict = checked(noisy)
    assert verdict.good
    assert LOWEST_PSNR_DB < verdict.psnr_db < 99.0


@pytest.mark.parametrize(
    ("spoil", "reason"), [(empty, "nothing_drawn"), (swapped, "wrong_colours"), (torn, "distorted")]
)
def test_a_model_that_draws_otherwise_is_not_good(spoil: Spoil, reason: str) -> None:
    verdict = checked(spoil)
    assert (verdict.good, verdict.reason) == (False, reason)
    assert verdict.psnr_db < LOWEST_PSNR_DB


@pytest.mark.parametrize("number", range(3))
def test_one_wrong_picture_among_right_ones_is_enough(number: int) -> None:
    one = right_picture(check_poses()[number], 16)
    verdict = checked(lambda picture: torn(picture) if np.array_equal(picture, one) else picture)
    assert (verdict.reason, verdict.psnr_db < LOWEST_PSNR_DB) == ("distorted", True)


def test_every_reason_has_words_for_the_user() -> None:
    from core.obs.translate import read_table

    for language in ("en", "zh", "ja"):
        table = read_table(language)
        assert all(f"reason.{reason}" in table for reason in ("nothing_drawn", "wrong_colours", "distorted"))


def test_what_the_model_raises_is_not_swallowed() -> None:
    machine = Machine(failing={ON_CARD})
    with pytest.raises(RuntimeFailed):
        judge(FakeModel(machine, "tha3", ON_CARD, 16, is_shown=True), [])


# -- what is remembered -----------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "не там" / "verdicts.json"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, logger="models.self_check")
    return caplog


def test_a_verdict_is_known_under_its_key_and_no_other(place: Path) -> None:
    verdicts = Verdicts(place)
    verdicts.keep("a", GOOD)
    verdicts.keep("b|夜 🦋", BAD)
    assert (verdicts.get("a"), verdicts.get("b|夜 🦋"), verdicts.get("c")) == (GOOD, BAD, None)


def test_a_verdict_survives_the_process(place: Path) -> None:
    Verdicts(place).keep("a", GOOD)
    Verdicts(place).keep("b|夜 🦋", BAD)
    again = Verdicts(place)
    assert (again.get("a"), again.get("b|夜 🦋")) == (GOOD, BAD)
    assert [*place.parent.iterdir()] == [place]


def test_a_newer_verdict_replaces_the_older(place: Path) -> None:
    Verdicts(place).keep("a", GOOD)
    Verdicts(place).keep("a", BAD)
    assert Verdicts(place).get("a") == BAD


def test_what_is_forgotten_is_forgotten_for_good(place: Path) -> None:
    verdicts = Verdicts(place)
    verdicts.keep("a", GOOD)
    verdicts.keep("b", BAD)
    verdicts.forget("a")
    verdicts.forget("nothing")
    for known in (verdicts, Verdicts(place)):
        assert (known.get("a"), known.get("b")) == (None, BAD)


def test_the_oldest_are_forgotten_when_there_are_too_many(place: Path) -> None:
    verdicts = Verdicts(place)
    for number in range(200):
        verdicts.keep(str(number), GOOD)
    verdicts.keep("0", BAD)  # known again: no longer the oldest
    verdicts.keep("one more", BAD)
    again = Verdicts(place)
    assert [again.get(key) for key in ("0", "1", "2", "199", "one more")] == [BAD, None, GOOD, GOOD, BAD]


def test_by_default_they_are_kept_in_the_users_cache(home: Path) -> None:
    Verdicts().keep("a", GOOD)
    assert Verdicts(user_cache() / "verdicts.json").get("a") == GOOD


def content(**verdict: object) -> bytes:
    entry = {"reason": "", "psnr_db": 40.0, "milliseconds": 2.0, **verdict}
    return json.dumps({"format": 1, "verdicts": {"good": {**entry, "reason": ""}, "key": entry}}).encode()


DAMAGED = {
    "empty": b"",
    "cut off": content()[:-20],
    "no text": b"\xff\xfe\x00\xd8",
    "binary": bytes(range(256)),
    "no json": b"reason: fine",
    "a list": b"[]",
    "null": b"null",
    "a number": b"5",
    "no format": b'{"verdicts": {}}',
    "another format": content().replace(b'"format": 1', b'"format": 2'),
    "no verdicts": b'{"format": 1}',
    "verdicts are a list": b'{"format": 1, "verdicts": []}',
    "a verdict is null": b'{"format": 1, "verdicts": {"key": null}}',
    "a verdict is a text": b'{"format": 1, "verdicts": {"key": "good"}}',
    "a field is missing": b'{"format": 1, "verdicts": {"key": {"reason": "", "psnr_db": 1.0}}}',
    "reason is a number": content(reason=5),
    "noise is a text": content(psnr_db="high"),
    "time is null": content(milliseconds=None),
    "time is no number": content(milliseconds=float("nan")),
    "time never ends": content(milliseconds=float("inf")),
    "time fits no float": content(milliseconds=10**400),
    "noise is no number": content(psnr_db=float("nan")),
    "time with too many digits": content().replace(b"2.0", b"1" * 5000),
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_that_is_damaged_or_somebody_elses_is_begun_anew(
    place: Path, name: str, log: pytest.LogCaptureFixture
) -> None:
    place.parent.mkdir()
    place.write_bytes(DAMAGED[name])
    verdicts = Verdicts(place)
    assert (verdicts.get("key"), verdicts.get("good")) == (None, None)
    assert bool(log.records) == (name != "another format")
    verdicts.keep("new", GOOD)
    assert Verdicts(place).get("new") == GOOD


def test_a_good_file_is_not_taken_for_a_damaged_one(place: Path) -> None:
    place.parent.mkdir()
    place.write_bytes(content(reason="distorted"))
    verdicts = Verdicts(place)
    assert verdicts.get("key") == Verdict("distorted", 40.0, 2.0)
    assert verdicts.get("good") == Verdict("", 40.0, 2.0)


def test_a_huge_file_is_begun_anew_without_being_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.parent.mkdir()
    place.write_bytes(content() + b" " * (64 << 20))

    def refuse(self: Path, encoding: str) -> str:
        raise AssertionError("it is read")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refuse)
        verdicts = Verdicts(place)
    assert verdicts.get("key") is None
    verdicts.keep("new", GOOD)
    assert place.stat().st_size < 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(["format", "verdicts", "key", "reason", "psnr_db", "milliseconds"]), inside, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_content_whatever_is_an_error(tmp_path_factory: pytest.TempPathFactory, found: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    for whole in (found, {"format": 1, "verdicts": found}, {"format": 1, "verdicts": {"key": found}}):
        path.write_text(json.dumps(whole), encoding="utf-8")
        known = Verdicts(path).get("key")
        if known is not None:
            assert isinstance(known.reason, str)
            assert np.isfinite((known.psnr_db, known.milliseconds)).all()


@pytest.mark.parametrize("kind", ["a file in the folder's place", "a folder in the file's place"])
def test_a_place_that_cannot_be_written_costs_the_memory_only(
    place: Path, kind: str, log: pytest.LogCaptureFixture
) -> None:
    if kind.startswith("a file"):
        place.parent.write_bytes(b"")
    else:
        place.mkdir(parents=True)
        (place / "something").touch()
    verdicts = Verdicts(place)
    verdicts.keep("a", GOOD)
    verdicts.keep("b", BAD)
    verdicts.forget("b")
    assert (verdicts.get("a"), verdicts.get("b")) == (GOOD, None)
    assert "could not be kept" in log.text
    assert Verdicts(place).get("a") is None


def test_a_full_disk_leaves_what_was_kept_before(
    place: Path, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    Verdicts(place).keep("a", GOOD)

    def full(self: Path, text: str, encoding: str) -> int:
        self.write_bytes(text[:10].encode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    verdicts = Verdicts(place)
    verdicts.keep("b", BAD)
    assert verdicts.get("b") == BAD
    assert "No space left" in log.text
    assert (Verdicts(place).get("a"), Verdicts(place).get("b")) == (GOOD, None)
    assert [*place.parent.iterdir()] == [place], "half a file is not left lying about"
