"""While a network is opened or runs every other thread goes on: the loop that draws is one of them."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from accel.base import Network
from accel.onnxruntime.native.api import Api
from accel.onnxruntime.native.library import environment
from accel.onnxruntime.native.loading import native_api
from models.onnx_graph import GraphBuilder
from tests.unit.another_thread import counting, watched
from tests.unit.student_runtime import processor

WIDTH = 2048
TRIES = 50


def large() -> bytes:
    """A matrix product with 16 MB of weights, which take their time to be read and turned around."""
    weights = np.random.default_rng(0).standard_normal((WIDTH, WIDTH)).astype(np.float32)
    graph = GraphBuilder()
    graph.output("y", graph.node("MatMul", graph.input("x", (WIDTH, WIDTH)), graph.constant(weights)), (WIDTH, WIDTH))
    return graph.build("large")


@pytest.fixture(scope="module")
def network() -> Network:
    return Network("large", large())


@pytest.fixture
def api() -> Api:
    found = native_api()
    assert found is not None
    return found


@pytest.fixture
def count() -> Iterator[list[int]]:
    with counting() as number:
        yield number


def test_others_go_on_while_a_network_is_opened(
    monkeypatch: pytest.MonkeyPatch, api: Api, network: Network, count: list[int]
) -> None:
    rose, runtime = watched(monkeypatch, api, "create_session", count), processor()
    for _ in range(TRIES):
        runtime.open(network).close()
        if any(rose):
            return
    raise AssertionError(f"{len(rose)} networks were opened, and nobody else got on")


def test_others_go_on_while_it_runs(
    monkeypatch: pytest.MonkeyPatch, api: Api, network: Network, count: list[int]
) -> None:
    rose, session = watched(monkeypatch, api, "run", count), processor().open(network)
    for _ in range(TRIES):
        session.run({"x": np.ones((WIDTH, WIDTH), np.float32)})
        if any(rose):
            return
    raise AssertionError(f"it ran {len(rose)} times, and nobody else got on")


def test_the_lock_is_what_would_hold_them_up(api: Api, network: Network, count: list[int]) -> None:
    """The same call with Python's lock kept, as the module makes it: so the tests above can fail."""
    options, out = ctypes.c_void_p(), ctypes.c_void_p()
    api.create_session_options(ctypes.byref(options))
    create: Any = api.create_session
    address = ctypes.cast(create, ctypes.c_void_p).value
    assert address is not None
    kept = ctypes.PYFUNCTYPE(ctypes.c_void_p, *create.argtypes)(address)
    before = count[0]
    assert kept(environment(api), network.content, len(network.content), options, ctypes.byref(out)) is None
    assert count[0] == before
    api.release_session(out)
    api.release_session_options(options)


def test_what_may_take_long_gives_the_lock_away(api: Api) -> None:
    quick: Any = api.wrap_tensor
    lasting = (
        "create_environment",
        "create_session",
        "release_session",
        "run",
        "run_with_binding",
        "bind_input",
        "wait_for_outputs",
        "allocate_tensor",
        "append_provider",
        "ep_devices",
        "release_allocator",
    )
    keeps = 0x4  # FUNCFLAG_PYTHONAPI, cpython's Modules/_ctypes/ctypes.h
    for name in lasting:
        assert not getattr(api, name)._flags_ & keeps, name
    assert quick._flags_ & keeps
