"""The real DirectML: which cards there are, what it refuses, tensors that stay on the card, and the self-check.

Skipped where there is no card. ``install_plugin.py test --windows --directml`` has one that computes on the processor.
"""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from accel import registry
from accel.base import HALF, Network
from accel.onnxruntime.binding import BindingLibrary
from accel.onnxruntime.native.library import NativeLibrary
from accel.onnxruntime.native.loading import native_api
from accel.onnxruntime.options import DIRECTML_NAME, DirectMLOptions
from accel.onnxruntime.runtime import open_runtime
from core.wire.errors import EasyVtuberError, ModelFileBad, NetworkRefused, RuntimeFailed
from core.wire.rungs import GPU
from models.character import load_character
from models.onnx_graph import GraphBuilder
from models.opener import ModelOpener
from models.self_check import Verdicts, check_poses, judge, psnr_db, reference_pictures
from models.student.composition import linear_picture
from models.student.model import StudentModel
from models.student.preparation import FULL_TIER
from models.wish import AUTOMATIC, ModelWish
from tests.unit.another_thread import counting, watched
from tests.unit.student_networks import reference, small_picture
from tests.windows import read_kernels
from tests.windows.checks import draw
from tests.windows.directml_machine import LEAST_DB, Machine, doubling, the_machine
from tests.windows.every_network import tiers
from tests.windows.kernel_table import FILE
from tests.windows.missing_kernels import missing_kernels
from tests.windows.planted import FINE, PLANTED
from tests.windows.small_student import FOLDER_NAME, blue_first_weights, write_small_student


@pytest.fixture(scope="module")
def machine() -> Machine:
    return the_machine()


# -- which cards there are -------------------------------------------------------------------------------------------


def test_the_card_has_its_makers_name_its_memory_and_its_driver(machine: Machine) -> None:
    card = machine.card_device
    assert card.name not in ("", "DirectX 12")
    assert card.memory_bytes > 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\.\d+", card.driver) and card.driver in card.key
    assert not machine.card.on_host and machine.card.lanes == 1


def test_the_registry_lists_it(machine: Machine) -> None:
    assert machine.card_device in registry.devices()


def test_a_card_that_is_not_there_fails(machine: Machine) -> None:
    nowhere = open_runtime(machine.card_device, DirectMLOptions(device_index=77))
    with pytest.raises(RuntimeFailed):
        nowhere.open(doubling())


def test_the_kernel_table_is_this_packages(machine: Machine) -> None:
    from onnxruntime.capi import onnxruntime_pybind11_state as native

    found = read_kernels.table(native.get_all_opkernel_def(), registry.version(DIRECTML_NAME))
    assert read_kernels.as_text(found) == FILE.read_text(encoding="utf-8")


# -- what it refuses -------------------------------------------------------------------------------------------------


UNNAMED = "sampling in float16"
"""ONNX Runtime refuses it and, asked which nodes it left to the processor, lists none: the one that has no name."""


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_what_has_no_kernel_is_refused_and_named(machine: Machine, name: str) -> None:
    model, missing = PLANTED[name]
    network = Network("planted", model.SerializeToString())
    with pytest.raises(EasyVtuberError) as caught:
        machine.unwrapped.open(network)
    assert not isinstance(caught.value, RuntimeFailed) or not missing[0][1]
    if isinstance(caught.value, NetworkRefused):
        assert ("operators='?'" if name == UNNAMED else missing[0][0]) in str(caught.value)


@pytest.mark.parametrize("name", sorted(FINE))
def test_what_has_one_is_taken(machine: Machine, name: str) -> None:
    model = FINE[name]
    assert missing_kernels(model) == []
    machine.card.open(Network("planted", model.SerializeToString())).close()


def test_half_a_file_is_refused(machine: Machine) -> None:
    with pytest.raises(ModelFileBad, match="damaged"):
        machine.unwrapped.open(Network("broken", doubling().content[:100]))


def test_without_metacommands_it_computes_too(machine: Machine) -> None:
    plain = open_runtime(machine.card_device, DirectMLOptions(machine.card_device.index, metacommands=False))
    given = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(plain.open(doubling()).run({"given": given})["doubled"], given * 2.0)


# -- tensors that stay there -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8])
def test_a_tensor_goes_to_the_card_and_back(machine: Machine, dtype: type[np.generic]) -> None:
    content = np.random.default_rng(0).integers(0, 200, (2, 3, 5)).astype(dtype)
    tensor = machine.card.allocate(content.shape, np.dtype(dtype))
    assert not tensor.read().any()
    tensor.write(content)
    assert np.array_equal(tensor.read(), content)


def test_results_stay_on_the_card_and_are_read_there(machine: Machine) -> None:
    session = machine.card.open(doubling())
    first, second = (machine.card.allocate((3, 4), np.dtype(np.float32)) for _ in range(2))
    first.write(np.ones((3, 4), np.float32))
    for _ in range(3):
        assert session.run({"given": first}, {"doubled": second}) == {}
        first, second = second, first
    assert (first.read() == 8.0).all()
    session.close()
    session.close()
    with pytest.raises(RuntimeFailed):
        session.run({"given": first})


# -- the two ways to it ----------------------------------------------------------------------------------------------


def sums_of_neighbours(count: int = 12) -> Network:
    """From ``given`` to ``out``, float32 [1, 16, 32, 32]: convolutions, one after another."""
    random, graph, shape = np.random.default_rng(1), GraphBuilder(), (1, 16, 32, 32)
    last = graph.input("given", shape)
    for _ in range(count):
        weights = graph.constant((random.standard_normal((16, 16, 3, 3)) / 12).astype(np.float32))
        last = graph.node("Relu", graph.node("Conv", last, weights, pads=[1, 1, 1, 1]))
    graph.output("out", last, shape)
    return Network("sums of neighbours", graph.build("sums"))


def test_it_is_reached_through_the_c_library_which_gives_the_modules_bytes(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = np.random.default_rng(2).standard_normal((1, 16, 32, 32)).astype(np.float32)
    results = []
    for kind in (NativeLibrary, BindingLibrary):
        if kind is BindingLibrary:
            monkeypatch.setattr("accel.onnxruntime.choice.native_api", lambda: None)
        runtime = open_runtime(machine.card_device, DirectMLOptions(machine.card_device.index))
        assert isinstance(runtime._library, kind)
        session, place = runtime.open(sums_of_neighbours()), runtime.allocate(given.shape, given.dtype)
        results.append(session.run({"given": given})["out"])
        session.run({"given": given}, {"out": place})
        assert np.array_equal(place.read(), results[-1])
    assert results[0].any() and np.array_equal(results[0], results[1])


def test_others_go_on_while_a_network_is_opened(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    api = native_api()
    assert api is not None
    with counting() as count:
        rose = watched(monkeypatch, api, "create_session", count)
        for _ in range(10):
            machine.unwrapped.open(sums_of_neighbours()).close()
            if any(rose):
                return
    raise AssertionError(f"{len(rose)} networks were opened, and nobody else got on")


def test_one_network_is_opened_while_another_draws(machine: Machine) -> None:
    given = np.random.default_rng(3).standard_normal((1, 16, 32, 32)).astype(np.float32)
    session, place = machine.unwrapped.open(sums_of_neighbours(2)), machine.unwrapped.allocate(given.shape, given.dtype)
    wanted = session.run({"given": given})["out"]
    ended, problems = threading.Event(), list[Exception]()

    def open_others() -> None:
        try:
            for number in range(4):
                other = machine.unwrapped.open(sums_of_neighbours(number + 1))
                there = machine.unwrapped.allocate(given.shape, given.dtype)
                other.run({"given": given}, {"out": there})
                assert there.read().any()
                other.close()
        except Exception as problem:  # noqa: BLE001 - for the thread that looks
            problems.append(problem)
        ended.set()

    thread = threading.Thread(target=open_others)
    thread.start()
    runs = 0
    while not ended.is_set() or runs < 3:
        session.run({"given": given}, {"out": place})
        assert np.array_equal(place.read(), wanted)
        runs += 1
    thread.join(60.0)
    assert not problems


# -- the self-check, and what is chosen ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def characters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one student, its names in several scripts."""
    folder = tmp_path_factory.mktemp("characters ö")
    write_small_student(folder / FOLDER_NAME)
    return folder


@pytest.mark.parametrize("precision", [AUTOMATIC, HALF])
def test_the_opener_takes_the_card_in_the_precision_wished_for(
    machine: Machine, characters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    few = tiers()["exact"]
    # there may be no real card: minutes for every pixel
    monkeypatch.setattr("models.student.family.everywhere", lambda: few)
    monkeypatch.setattr("models.student.family.prepare", lambda *parts: SimpleNamespace(regions=lambda tier: few))
    monkeypatch.setenv("EASYVTUBER_HOME", str(tmp_path / "home"))
    told: list[EasyVtuberError | None] = []
    verdicts = tmp_path / "verdicts.json"
    opener = ModelOpener(told.append, Verdicts(verdicts), registry.devices, machine.open_runtime)
    wish = ModelWish(rung=GPU, runtime=DIRECTML_NAME, precision=precision, quality=FULL_TIER)
    family = opener.family(load_character(FOLDER_NAME, characters), wish)
    assert family is not None
    model, running = opener.open(family, wish, lambda task, share: None)
    assert running.runtime == DIRECTML_NAME
    assert told[-1] is None
    mask = few.body.exact
    assert min(psnr_db(draw(model, pose)[mask], reference(pose)[mask]) for pose in check_poses()) >= LEAST_DB[HALF]
    kept = json.loads(verdicts.read_text(encoding="utf-8"))["verdicts"]
    assert kept and all(not verdict["reason"] for verdict in kept.values())
    assert all(machine.card_device.driver in key for key in kept)
    model.close()
    opener.close()


def test_a_picture_that_is_wrong_is_not_shown(machine: Machine) -> None:
    parts = blue_first_weights(), linear_picture(small_picture()), tiers()["exact"]
    plain = StudentModel(*parts, machine.processor, 512)
    wanted = reference_pictures(plain)
    plain.close()
    model = StudentModel(*parts, machine.card, 512, HALF, processor=machine.processor)
    assert judge(model, wanted).good
    assert not judge(model, [255 - picture for picture in wanted]).good
    model.close()
