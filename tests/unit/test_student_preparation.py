"""What is found out once about a character, and the file it is kept in."""

from __future__ import annotations

import errno
import io
import itertools
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.student import preparation as module
from models.student import refined as refined_module
from models.student import visible as visible_module
from models.student.points import Mask
from models.student.preparation import (
    BALANCED_TIER,
    FAST_TIER,
    FULL_TIER,
    TIERS,
    Preparation,
    content_digest,
    find_known,
    keep,
    most_opaque,
    prepare,
)
from models.student.refined import Refined
from models.student.weights import Layer, SineNetwork, StudentWeights
from tests.unit.student_networks import (
    FACE_LEFT,
    FACE_SIZE,
    FACE_TOP,
    FACE_VALUES,
    SIZE,
    Array,
    dense,
    small_character,
    small_picture,
)
from tests.unit.student_runtime import ForbiddenRuntime, WatchedRuntime, processor

FACE_PLACE = slice(FACE_TOP, FACE_TOP + FACE_SIZE), slice(FACE_LEFT, FACE_LEFT + FACE_SIZE)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examined with a few poses."""
    poses = visible_module.envelope_poses()[::60]
    for where in (visible_module, module):
        monkeypatch.setattr(where, "envelope_poses", lambda: poses)
    monkeypatch.setattr(module, "_FACES_LOOKED_AT", 3)
    monkeypatch.setattr(refined_module, "_POSES", 4)


def some_masks() -> Preparation:
    """Not of any character, but such as one can have."""
    random = np.random.default_rng(1)
    visible = random.random((SIZE, SIZE)) < 0.4
    body, face = random.random((SIZE, SIZE)) < 0.1, random.random((FACE_SIZE, FACE_SIZE)) < 0.2
    return Preparation(_mask(visible), Refined(_mask(body & visible), _mask(face)))


def _mask(values: Array) -> Mask:
    return np.asarray(values, np.bool_)


def assert_equal(found: Preparation | None, expected: Preparation) -> None:
    assert found is not None
    for mask, other in (
        (found.visible, expected.visible),
        (found.refined.body, expected.refined.body),
        (found.refined.face, expected.refined.face),
    ):
        assert mask.dtype == np.bool_ and np.array_equal(mask, other)


def changed(network: SineNetwork, level: int, layer: int, weight: bool, value: float = 1e-4) -> SineNetwork:
    """With one number of one layer a little different; level -1: the output layer."""

    def other(old: Layer) -> Layer:
        arrays = [old.weight.copy(), old.bias.copy()]
        arrays[0 if weight else 1].reshape(-1)[-1] += value
        return Layer(arrays[0], arrays[1])

    if level < 0:
        return SineNetwork(network.levels, other(network.output))
    levels = [list(layers) for layers in network.levels]
    levels[level][layer] = other(levels[level][layer])
    return SineNetwork(tuple(map(tuple, levels)), network.output)


@pytest.mark.usefixtures("quick")
def test_what_was_found_out_is_known_the_next_time(tmp_path: Path) -> None:
    weights, picture = small_character()
    folder, told = tmp_path / "a folder" / "学生", list[float]()
    assert find_known(weights, picture, folder) is None
    runtime = WatchedRuntime()
    made = prepare(weights, picture, runtime, told.append, folder)
    assert runtime.open_sessions == 0
    assert told == sorted(told) and told[0] < 0.1 and told[-1] == pytest.approx(1.0)
    assert max(later - earlier for earlier, later in itertools.pairwise(told)) < 0.2
    assert made.visible.any() and not made.visible.all()
    told.clear()
    assert_equal(prepare(weights, picture, ForbiddenRuntime(), told.append, folder), made)
    assert told == [1.0]
    assert_equal(find_known(weights, picture, folder), made)
    assert [file.name for file in folder.iterdir()] == [f"{content_digest(weights, picture)}.npz"]


@pytest.mark.usefixtures("quick")
def test_both_parts_are_looked_for_with_any_face_shown(tmp_path: Path) -> None:
    # a face with less opacity than the picture's own must not make the character smaller
    weights, picture = small_character()
    made = prepare(weights, picture, processor(), lambda share: None, tmp_path)
    opaque = most_opaque(weights, picture, processor())
    visible = visible_module.find_visible(weights, opaque, processor(), lambda share: None)
    refined = refined_module.find_refined(weights, picture, visible, processor(), lambda share: None)
    assert_equal(made, Preparation(visible, refined))


def test_it_lies_in_the_users_cache(home: Path) -> None:
    weights, picture = small_character()
    keep(weights, picture, some_masks())
    assert (home / "cache" / "students" / f"{content_digest(weights, picture)}.npz").is_file()
    assert_equal(find_known(weights, picture), some_masks())


def test_another_character_is_another_file() -> None:
    weights, picture = small_character()
    digests = {content_digest(weights, picture)}
    for number, weight in itertools.product([(-1, 0), (0, 0), (0, 1)], [True, False]):
        digests.add(content_digest(StudentWeights(changed(weights.face, *number, weight), weights.body), picture))
    for number, weight in itertools.product([(-1, 0), (0, 0), (1, 1), (2, 0)], [True, False]):
        digests.add(content_digest(StudentWeights(weights.face, changed(weights.body, *number, weight)), picture))
    other = picture.copy()
    other[0, 3, 511, 511] += 1e-3
    digests.add(content_digest(weights, other))
    layer = weights.face.output
    turned = Layer(layer.weight.reshape(layer.weight.shape[::-1]), layer.bias)
    digests.add(content_digest(StudentWeights(SineNetwork(weights.face.levels, turned), weights.body), picture))
    assert len(digests) == 1 + 6 + 8 + 2
    assert all(len(digest) == 64 and set(digest) <= set("0123456789abcdef") for digest in digests)


def test_the_same_character_is_the_same_file_however_it_lies_in_memory() -> None:
    weights, picture = small_character()

    def copied(network: SineNetwork) -> SineNetwork:
        levels = tuple(
            tuple(Layer(np.asfortranarray(layer.weight), layer.bias.copy()) for layer in level)
            for level in network.levels
        )
        return SineNetwork(levels, network.output)

    copies = StudentWeights(copied(weights.face), copied(weights.body))
    assert content_digest(copies, picture.copy()) == content_digest(weights, picture)


def test_another_version_finds_it_out_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, picture = small_character()
    keep(weights, picture, some_masks(), tmp_path)
    monkeypatch.setattr(module, "_VERSION", module._VERSION + 1)
    assert find_known(weights, picture, tmp_path) is None


def kept_file(folder: Path) -> Path:
    weights, picture = small_character()
    keep(weights, picture, some_masks(), folder)
    (file,) = folder.iterdir()
    return file


def archive(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def packed(**other: Array) -> dict[str, Array]:
    masks = some_masks()
    own: dict[str, Array] = {
        "visible": np.packbits(masks.visible),
        "body": np.packbits(masks.refined.body),
        "face": np.packbits(masks.refined.face),
    }
    return own | other


sprung: list[str] = []


def spring() -> None:
    """What somebody else's file makes Python do while it is read."""
    sprung.append("somebody else's code")


class Trap:
    def __reduce__(self) -> Any:
        return spring, ()


def bare_array() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


def without(name: str) -> dict[str, Array]:
    arrays = packed()
    del arrays[name]
    return arrays


def listed_with(offset: int, value: int) -> bytes:
    """A whole archive whose own list says something else of each entry (APPNOTE.TXT, central directory header)."""
    content = bytearray(archive(**packed()))
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        content[at + offset] = value
    return bytes(content)


DAMAGED = {
    "empty": b"",
    "text": b"this is not an archive" * 20,
    "zeros": bytes(5000),
    "an array without an archive": bare_array(),
    "no face": archive(**without("face")),
    "nothing in it": archive(),
    "numbers of another type": archive(**packed(body=np.zeros(SIZE * SIZE // 8, np.float32))),
    "a mask that is too small": archive(**packed(visible=np.ones(100, np.uint8))),
    "a mask that is too large": archive(**packed(face=np.ones(FACE_SIZE * FACE_SIZE, np.uint8))),
    "an encrypted entry": listed_with(8, 1),
    "an unknown compression": listed_with(10, 99),
    "a header without an end": archive(**packed()).replace(b", }", b",  "),
    "objects": archive(**packed(visible=np.array([Trap()], object))),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_unknown_and_told(case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    weights, picture = small_character()
    file = kept_file(tmp_path)
    assert archive(**packed())[:4] == file.read_bytes()[:4]
    file.write_bytes(DAMAGED[case])
    assert find_known(weights, picture, tmp_path) is None
    assert file.name in caplog.text
    assert sprung == []


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.999])
def test_a_file_that_ends_too_early_is_unknown(share: float, tmp_path: Path) -> None:
    weights, picture = small_character()
    file = kept_file(tmp_path)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    assert find_known(weights, picture, tmp_path) is None


@pytest.mark.usefixtures("quick")
def test_a_damaged_file_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    weights, picture = small_character()
    file = kept_file(tmp_path)
    file.write_bytes(file.read_bytes()[:3000])
    made = prepare(weights, picture, processor(), lambda share: None, tmp_path)
    assert "made anew" in caplog.text
    assert_equal(find_known(weights, picture, tmp_path), made)
    assert list(tmp_path.iterdir()) == [file]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    file = kept_file(tmp_path_factory.mktemp("kept"))
    return file, file.read_bytes()


@settings(max_examples=100)
@given(data=st.data())
def test_no_damaged_byte_can_do_harm(kept: tuple[Path, bytes], data: st.DataObject) -> None:
    weights, picture = small_character()
    file, content = kept
    # the masks are most of the file, and what stands around them is what has a structure
    heads = [place for place in range(len(content)) if place % 30_000 < 400 or place > len(content) - 400]
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.sampled_from(heads))] = data.draw(st.integers(0, 255))
    file.write_bytes(damaged)
    found = find_known(weights, picture, file.parent)
    if found is not None:
        assert_equal(found, some_masks())


@pytest.mark.usefixtures("quick")
def test_a_folder_that_cannot_be_made_costs_only_the_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    weights, picture = small_character()
    (tmp_path / "file").write_bytes(b"in the way")
    folder = tmp_path / "file" / "students"
    made = prepare(weights, picture, processor(), lambda share: None, folder)
    assert made.visible.any()
    assert "could not be kept" in caplog.text
    assert find_known(weights, picture, folder) is None


def test_a_full_disk_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    weights, picture = small_character()

    def full(stream: Any, **arrays: Array) -> NoReturn:
        stream.write(b"half of it")
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(np, "savez", full)
    keep(weights, picture, some_masks(), tmp_path)
    assert "no space left" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_what_is_known_is_replaced(tmp_path: Path) -> None:
    weights, picture = small_character()
    kept_file(tmp_path)
    masks = some_masks()
    other = Preparation(~masks.visible, Refined.nowhere())
    keep(weights, picture, other, tmp_path)
    assert_equal(find_known(weights, picture, tmp_path), other)


def test_tiers_are_the_masks_split() -> None:
    masks = some_masks()
    assert TIERS == (FULL_TIER, BALANCED_TIER, FAST_TIER)
    for tier in TIERS:
        regions = masks.regions(tier)
        for split in (regions.body, regions.face):
            assert not (split.exact & split.sharp | split.sharp & split.soft | split.exact & split.soft).any()
        assert np.array_equal(regions.body.all, masks.visible)
        assert regions.face.all.all()
    full, balanced, fast = (masks.regions(tier) for tier in TIERS)
    assert np.array_equal(full.body.exact, masks.visible) and full.face.exact.all()
    assert np.array_equal(balanced.body.sharp, masks.refined.body) and not balanced.body.exact.any()
    assert np.array_equal(balanced.face.sharp, masks.refined.face) and not balanced.face.exact.any()
    assert np.array_equal(fast.body.soft, masks.visible) and fast.face.soft.all()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("on_host", [True, False], ids=["processor", "card"])
def test_the_faces_opacity_counts_as_the_highest_it_can_have(on_host: bool) -> None:
    weights, picture = small_character()
    face = weights.face
    weight = face.output.weight.copy()
    weight[3] *= 40.0  # see-through in places, by the pose
    bias = face.output.bias.copy()
    bias[3] = 0.0
    veiled = StudentWeights(SineNetwork(face.levels, Layer(weight, bias)), weights.body)
    runtime = WatchedRuntime(on_host)
    picture = picture.copy()
    picture[0, 3][FACE_PLACE] = 0.0  # what the picture has there is never shown
    given = picture.copy()
    found = most_opaque(veiled, picture, runtime)
    assert runtime.open_sessions == 0
    poses = visible_module.envelope_poses()
    looked_at = poses[:: len(poses) // 3]
    faces = [dense(veiled.face, pose[:FACE_VALUES], FACE_SIZE)[..., 3] * 0.5 + 0.5 for pose in looked_at]
    expected = (small_picture()[:, :, 3] / 255.0).astype(np.float32)
    expected[FACE_PLACE] = np.clip(np.max(faces, axis=0), 0.0, 1.0)
    assert found.shape == (SIZE, SIZE) and found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-4
    assert np.ptp(expected[FACE_PLACE]) > 0.2
    assert np.array_equal(picture, given)
