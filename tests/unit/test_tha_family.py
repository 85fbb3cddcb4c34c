"""THA3 and THA4 as families: which files make one, what a verdict about it is kept under, and how it is opened."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from accel.base import FULL, HALF, Network, Progress
from core.pose.parameters import neutral
from core.wire.errors import BuildStopped, ModelFileBad, ModelMissing
from models.base import Picture
from models.family import Family
from models.self_check import judge, reference_pictures
from models.tha.family import ThaFamily, complete_families
from tests.unit.drawn_character import drawn_character
from tests.unit.tha_graphs import write_small_files
from tests.unit.tha_runtime import CountingRuntime

PICTURE = drawn_character()
SETS = [("tha3", "separable", FULL), ("tha3", "separable", HALF), ("tha3", "standard", FULL), ("tha4", "", FULL)]


class PreparingRuntime(CountingRuntime):
    """A runtime on which networks are made ready before they are opened."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared: list[str] = []

    def prepare(self, networks: Sequence[Network], progress: Progress | None = None) -> None:
        """Tell how far it is."""
        for number, network in enumerate(networks):
            self.prepared.append(network.name.split(" ", 1)[1])
            if progress is not None and not progress(self.prepared[-1], number / len(networks)):
                raise BuildStopped(network=network.name)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every set once."""
    folder = tmp_path_factory.mktemp("tha") / "重み weights"
    for family, variant, precision in SETS:
        write_small_files(folder, family, variant, precision)
    return folder


@pytest.fixture
def weights(shelf: Path, tmp_path: Path) -> Path:
    """A folder of weights that a test may spoil."""
    return Path(shutil.copytree(shelf, tmp_path / "weights"))


def family(folder: Path, name: str = "tha3", variant: str = "separable") -> ThaFamily:
    return ThaFamily(PICTURE, name, variant, None, folder)


def file_of(folder: Path, name: str, precision: str = "fp32") -> Path:
    return next(path for path in sorted(folder.rglob(f"{name}.onnx")) if path.parent.name == precision)


def silent(task: str, share: float) -> None:
    """A report that nobody hears."""


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "variant", "precisions", "called"),
    [
        ("tha3", "separable", (FULL, HALF), "separable"),
        ("tha3", "standard", (FULL,), "standard"),
        ("tha4", "separable", (FULL,), ""),
        ("tha4", "", (FULL,), ""),
    ],
)
def test_it_can_be_computed_in_what_its_files_are_there_for(
    shelf: Path, name: str, variant: str, precisions: tuple[str, ...], called: str
) -> None:
    made: Family = family(shelf, name, variant)
    assert (made.name, made.variant, made.precisions) == (name, called, precisions)
    assert not made.is_quick()


def test_a_precision_that_lacks_a_file_is_left_out(weights: Path) -> None:
    file_of(weights / "tha3" / "seperable", "editor").unlink()
    assert family(weights).precisions == (HALF,)


def test_when_no_precision_is_complete_the_first_file_that_lacks_is_told(weights: Path) -> None:
    file_of(weights / "tha3" / "seperable", "combiner").unlink()
    file_of(weights / "tha3" / "seperable", "editor").unlink()
    file_of(weights / "tha3" / "seperable", "editor", "fp16").unlink()
    with pytest.raises(ModelMissing) as caught:
        family(weights)
    assert caught.value.parameters == {"model": "tha3", "file": "tha3/seperable/fp32/combiner.onnx"}


def test_a_folder_without_weights_has_none(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        family(tmp_path / "nowhere", "tha4")


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_damaged_file_is_told(weights: Path, precision: str) -> None:
    damaged = file_of(weights / "tha3" / "seperable", "editor", precision)
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(ModelFileBad) as caught:
        family(weights)
    assert caught.value.parameters["file"] == f"tha3/seperable/{precision}/editor.onnx"


def test_a_network_in_anothers_place_is_told(weights: Path) -> None:
    folder = weights / "tha3" / "seperable"
    shutil.copy(file_of(folder, "rotator"), file_of(folder, "editor"))
    with pytest.raises(ModelFileBad) as caught:
        family(weights)
    assert caught.value.parameters["reason"] == "wrong_contract"


def test_the_better_family_comes_first(weights: Path) -> None:
    assert complete_families("separable", weights) == ["tha4", "tha3"]
    assert complete_families("standard", weights) == ["tha4", "tha3"]
    file_of(weights / "tha4", "upscaler").unlink()
    assert complete_families("separable", weights) == ["tha3"]
    file_of(weights / "tha3" / "standard", "rotator").unlink()
    assert (complete_families("standard", weights), complete_families("separable", weights)) == ([], ["tha3"])
    file_of(weights / "tha3" / "seperable", "rotator").unlink()
    assert complete_families("separable", weights) == ["tha3"], "half precision is enough"
    file_of(weights / "tha3" / "seperable", "rotator", "fp16").unlink()
    assert complete_families("separable", weights) == []


def test_without_a_folder_of_weights_there_is_no_family(home: Path) -> None:
    assert complete_families("separable") == []


def test_by_default_the_weights_are_looked_for_where_they_are_kept(shelf: Path, home: Path) -> None:
    shutil.copytree(shelf / "tha4", home / "weights" / "tha4")
    assert complete_families("separable") == ["tha4"]
    assert ThaFamily(PICTURE, "tha4", "separable", None).precisions == (FULL,)


# -- the key ----------------------------------------------------------------------------------------------------------


def test_the_same_files_have_the_same_key_whatever_the_picture(shelf: Path) -> None:
    other = ThaFamily(np.zeros_like(PICTURE), "tha3", "separable", None, shelf)
    assert family(shelf).key == other.key == family(shelf).key


def test_families_and_variants_have_keys_of_their_own_even_if_their_files_look_the_same(weights: Path) -> None:
    shutil.rmtree(weights / "tha3" / "seperable" / "fp16")
    families = [family(weights, name, variant) for name, variant, precision in SETS if precision == FULL]
    for file in weights.rglob("*.onnx"):
        file.write_bytes(b"")
        os.utime(file, (1_000_000_000, 1_000_000_000))
    assert len({made.key for made in families}) == len(families) == 3


@pytest.mark.parametrize("name", ["decomposer", "combiner", "morpher", "rotator", "editor"])
@pytest.mark.parametrize("change", ["time", "size"])
def test_another_file_is_another_key(weights: Path, name: str, change: str) -> None:
    before = family(weights)
    key = before.key
    changed = file_of(weights / "tha3" / "seperable", name)
    status = changed.stat()
    if change == "size":
        with changed.open("ab") as stream:
            stream.write(b"\0")
        os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    else:
        os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns + 5_000_000_000))
    assert before.key != key


# -- opening ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "precision"), [("tha3", FULL), ("tha3", HALF), ("tha4", FULL)])
def test_what_is_compared_has_the_networks_own_size_and_is_right(shelf: Path, name: str, precision: str) -> None:
    runtime = PreparingRuntime()
    reference = family(shelf, name).open_for_check(runtime, FULL)
    wanted = reference_pictures(reference)
    reference.close()
    model = family(shelf, name).open_for_check(runtime, precision)
    assert (model.family, model.size) == (name, 512)
    assert judge(model, wanted).good
    model.close()
    assert runtime.open_sessions == set()


@pytest.mark.parametrize("size", [256, 512, 768])
def test_what_is_shown_has_the_size_that_is_wanted(shelf: Path, size: int) -> None:
    runtime = PreparingRuntime()
    model = family(shelf).open(runtime, FULL, size, silent)
    out: Picture = np.zeros((size, size, 4), np.uint8)
    model.render(neutral(), out)
    assert (model.size, bool(out[:, :, 3].any())) == (size, True)
    model.close()


def test_what_runs_once_runs_where_it_is_told_to(shelf: Path) -> None:
    runtime, once = PreparingRuntime(), PreparingRuntime()
    for opened in (
        ThaFamily(PICTURE, "tha3", "separable", once, shelf).open(runtime, FULL, 512, silent),
        ThaFamily(PICTURE, "tha3", "separable", once, shelf).open_for_check(runtime, FULL),
    ):
        opened.close()
    assert len(once.runs) == 1
    assert once.runs.total() == 2
    assert runtime.prepared
    assert not set(once.runs) & set(runtime.prepared), "nothing is made ready for it"


def test_long_work_is_reported_in_the_runtimes_words(shelf: Path) -> None:
    reports: list[tuple[str, float]] = []
    runtime = PreparingRuntime()
    family(shelf).open(runtime, FULL, 512, lambda task, share: reports.append((task, share))).close()
    assert [task for task, _ in reports] == runtime.prepared != []
    assert [share for _, share in reports] == sorted(share for _, share in reports)


def test_being_told_to_stop_ends_the_work_and_leaves_nothing_open(shelf: Path) -> None:
    runtime = PreparingRuntime()

    def stop(task: str, share: float) -> None:
        raise BuildStopped(network=task)

    with pytest.raises(BuildStopped):
        family(shelf).open(runtime, FULL, 512, stop)
    assert (len(runtime.prepared), runtime.open_sessions) == (1, set())


@pytest.mark.parametrize("refused", ["editor", "morpher"])
def test_a_network_that_cannot_be_opened_leaves_the_others_closed(shelf: Path, refused: str) -> None:
    runtime = PreparingRuntime()
    runtime.refusing = refused
    with pytest.raises(RuntimeError):
        family(shelf).open(runtime, FULL, 512, silent)
    assert runtime.open_sessions == set()
