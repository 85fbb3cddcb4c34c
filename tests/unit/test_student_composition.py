"""From fields and picture to pixels: sampling, blending, colours."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from accel.base import Network, Session
from models.onnx_graph import GraphBuilder
from models.student.composition import SIZE, as_bytes, blue_first, linear_picture, sampled
from models.student.points import Indices, points_of
from models.student.weights import Layer, SineNetwork
from tests.unit import student_networks as reference
from tests.unit.student_networks import Array, small_picture
from tests.unit.student_runtime import processor

BLUE_FIRST = [2, 1, 0, 3]
COUNT = 4096


def some_pixels() -> Indices:
    """All of the border and some of the rest."""
    mask = np.random.default_rng(0).random((SIZE, SIZE)) < 0.01
    mask[[0, -1]] = mask[:, [0, -1]] = True
    return points_of(np.asarray(mask, np.bool_))


def some_fields(count: int, seed: int = 1) -> Array:
    """Shape (count, 7): warps that also leave the picture, blends below 0 and above 1, colours out of range."""
    random = np.random.default_rng(seed)
    spread = np.array([0.4, 0.4, 0.4, 0.7, 0.7, 0.7, 0.7])
    middle = np.array([0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.3])
    return np.asarray(random.normal(size=(count, 7)) * spread + middle, np.float32)


def run_sampled(picture: Array, fields: Array, points: Indices, channels: int = 4) -> Array:
    """(channels, n)"""
    graph = GraphBuilder()
    names = graph.input("picture", picture.shape), graph.input("fields", fields.shape)
    graph.output("result", sampled(graph, *names, points, channels=channels), (channels, len(points)))
    session = processor().open(Network("test", graph.build("test")))
    return session.run({"picture": picture, "fields": fields})["result"]


@functools.cache
def bytes_session() -> Session:
    graph = GraphBuilder()
    graph.output("pixels", as_bytes(graph, graph.input("result", (4, COUNT))), (COUNT, 4), np.uint8)
    return processor().open(Network("test", graph.build("test")))


def run_as_bytes(result: Array) -> Array:
    """(4096, 4) uint8 from (4096, 4) linear BGRA in -1..1"""
    return np.asarray(bytes_session().run({"result": np.ascontiguousarray(result.T, np.float32)})["pixels"])


@pytest.mark.parametrize("channels", [4, 1])
def test_pixels_are_taken_where_the_warp_says_and_blended(channels: int) -> None:
    points = some_pixels()
    picture = np.random.default_rng(2).uniform(-1.0, 1.0, (1, 4, SIZE, SIZE)).astype(np.float32)
    fields = some_fields(len(points))
    found = run_sampled(picture[:, 4 - channels :], fields, points, channels)
    dense = np.zeros((SIZE, SIZE, 7))
    dense[points[:, 0], points[:, 1]] = fields
    expected = reference.blended(np.moveaxis(picture[0], 0, -1), dense)[points[:, 0], points[:, 1]]
    assert np.abs(found.T - expected[:, 4 - channels :]).max() < 2e-4


def test_without_warp_and_blend_the_picture_is_itself() -> None:
    points = some_pixels()
    picture = linear_picture(small_picture())
    found = run_sampled(picture, np.zeros((len(points), 7), np.float32), points)
    assert np.abs(found - picture[0][:, points[:, 0], points[:, 1]]).max() < 1e-4


def test_full_blend_is_the_colour_alone() -> None:
    points = some_pixels()
    fields = some_fields(len(points))
    fields[:, 2] = 1.0
    found = run_sampled(linear_picture(small_picture()), fields, points)
    assert np.abs(found.T - fields[:, 3:]).max() < 1e-5


def test_colours_are_encoded_with_the_transfer_function_and_premultiplied() -> None:
    result = np.random.default_rng(3).uniform(-1.3, 1.3, (COUNT, 4))
    result[: COUNT // 2, :3] = result[: COUNT // 2, 3:] * 0.5 + result[: COUNT // 2, :3] * 0.5 - 0.4  # darker ones
    found = run_as_bytes(result).astype(int)
    expected = reference.shown(result[:, BLUE_FIRST])  # that one takes red first and gives blue first
    assert np.abs(found - expected).max() <= 1
    assert (found != expected).mean() < 0.001
    assert 0.2 < (found[:, 3] == 0).mean() + (found[:, 3] == 255).mean() < 0.8


def test_no_colour_is_more_than_its_alpha() -> None:
    random = np.random.default_rng(4)
    alpha = random.uniform(-1.01, 1.01, (COUNT, 1))
    for brightness in (0.5, 1.0, 1.5):
        light = (alpha * 0.5 + 0.5) * random.uniform(0.99, 1.0, (COUNT, 3)) * brightness
        found = run_as_bytes(np.concatenate([light * 2.0 - 1.0, alpha], axis=1))
        assert (found[:, :3] <= found[:, 3:]).all()


@pytest.mark.parametrize("alpha", [-1.0, -1.2, -0.9985])
def test_what_cannot_be_seen_is_all_zero(alpha: float) -> None:
    result = np.random.default_rng(5).uniform(-1.0, 2.0, (COUNT, 4))
    result[:, 3] = alpha
    assert not run_as_bytes(result).any()


def test_grey_steps_of_an_opaque_picture_come_back_as_they_were() -> None:
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    picture[..., 3] = 255
    steps = np.arange(256)
    picture[0, :256, :3] = np.stack([steps, steps[::-1], np.full(256, 7)], axis=1)
    linear = linear_picture(picture)
    given = np.zeros((COUNT, 4))
    given[:256] = linear[0, :, 0, :256].T
    assert np.array_equal(run_as_bytes(given)[:256], picture[0, :256])


def test_the_picture_is_linear_premultiplied_and_blue_first() -> None:
    found = linear_picture(small_picture())
    assert found.shape == (1, 4, SIZE, SIZE) and found.dtype == np.float32 and found.flags.c_contiguous
    expected = reference.linear(small_picture())[:, :, BLUE_FIRST]
    assert np.abs(np.moveaxis(found[0], 0, -1) - expected).max() < 1e-5


@pytest.mark.parametrize("outputs", [4, 7])
def test_blue_first_swaps_red_and_blue_among_the_last_four(outputs: int) -> None:
    weight = np.arange(outputs * 3, dtype=np.float32).reshape(outputs, 3)
    level = (Layer(np.ones((3, 2), np.float32), np.ones(3, np.float32)),)
    network = SineNetwork((level,), Layer(weight, np.arange(outputs, dtype=np.float32)))
    turned = blue_first(network)
    order = {4: [2, 1, 0, 3], 7: [0, 1, 2, 5, 4, 3, 6]}[outputs]
    assert turned.output.bias.tolist() == order
    assert np.array_equal(turned.output.weight, weight[order])
    assert turned.levels is network.levels
    assert np.array_equal(blue_first(turned).output.weight, weight)
