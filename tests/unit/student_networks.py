"""A small student character: networks of the real structure with few units, a picture, and what they give, computed
densely with numpy in float64 by the definitions instead of by the product's graphs.

Channels are in the author's order (R, G, B, A) but where something is said to have blue first."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Picture
from models.student.composition import blue_first, linear_picture
from models.student.weights import Layer, SineNetwork, StudentWeights

Array = NDArray[Any]

SIZE, FACE_SIZE, FACE_TOP, FACE_LEFT = 512, 128, 80, 192
FACE_VALUES, POSE_VALUES = 39, 45
FACE_WIDTHS = ((41, 12, 12),)
BODY_WIDTHS = ((47, 12, 12), (59, 10, 10), (57, 8, 8))


def small_network(
    widths: tuple[tuple[int, ...], ...],
    pose_values: int,
    outputs: int,
    seed: int = 3,
    fine: float = 1.0,
    strength: float = 0.2,
) -> SineNetwork:
    """Waves of a quarter of the canvas and longer, moved by the pose; the last level also has two ``fine`` ones."""
    random = np.random.default_rng(seed)
    levels = []
    for number, level in enumerate(widths):
        layers = []
        for place, (inputs, units) in enumerate(itertools.pairwise(level)):
            weight = random.uniform(-1.0, 1.0, (units, inputs)) * np.sqrt(3.0 / inputs)
            if place == 0:
                first = inputs - pose_values - 2
                weight[:, :first] = random.uniform(-0.4, 0.4, (units, first))
                weight[:, first : first + 2] = random.uniform(-3.0, 3.0, (units, 2)) * (number + 1)
                weight[:, first + 2 :] = random.uniform(-0.08, 0.08, (units, pose_values))
                weight[:, first + 2 + FACE_VALUES :] *= 5.0
                if number == len(widths) - 1:
                    weight[-2:, first : first + 2] = ((60.0 * fine, 25.0 * fine), (-30.0 * fine, 75.0 * fine))
            elif number == len(widths) - 1:
                weight[:, -2:] *= strength
            layers.append(_layer(weight, random.uniform(-np.pi, np.pi, units)))
        levels.append(tuple(layers))
    weight = random.uniform(-1.0, 1.0, (outputs, widths[-1][-1])) * np.sqrt(3.0 / widths[-1][-1])
    return SineNetwork(tuple(levels), _layer(weight, random.uniform(-0.1, 0.1, outputs)))


def _layer(weight: Array, bias: Array) -> Layer:
    return Layer(weight.astype(np.float32), bias.astype(np.float32))


def _scaled(network: SineNetwork, spread: list[float], middle: list[float]) -> SineNetwork:
    """The outputs as so much round so much."""
    weight = network.output.weight * np.array(spread)[:, None]
    return SineNetwork(network.levels, _layer(weight, np.array(middle)))


@functools.cache
def small_weights(fine: float = 1.0) -> StudentWeights:
    """An opaque figure on nothing: what the networks add of their own has no opacity outside of it. ``fine``: how many
    waves of the shortest kind there are, times 10 to 12 on a canvas."""
    face = small_network(FACE_WIDTHS, FACE_VALUES, 4, seed=5, fine=fine * 0.7, strength=0.2 * fine)
    body = small_network(BODY_WIDTHS, POSE_VALUES, 7, seed=6, fine=fine)
    return StudentWeights(
        _scaled(face, [0.4, 0.4, 0.4, 0.01], [0.1, -0.2, -0.3, 1.05]),
        _scaled(body, [0.07, 0.07, 0.15, 0.4, 0.4, 0.4, 0.02], [0.0, 0.0, 0.1, -0.4, -0.4, -0.3, -1.05]),
    )


@functools.cache
def small_picture() -> Picture:
    """Shape (512, 512, 4), straight BGRA: head, hair, shoulders and a veil of half opacity; the place of the face is
    opaque."""
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    cv2.ellipse(picture, (256, 470), (150, 190), 0.0, 0.0, 360.0, (40, 30, 120, 128), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (256, 430), (100, 170), 0.0, 0.0, 360.0, (90, 60, 40, 255), -1, cv2.LINE_AA)
    cv2.circle(picture, (256, 148), 105, (60, 80, 160, 255), -1, cv2.LINE_AA)
    cv2.rectangle(picture, (215, 300), (300, 420), (220, 240, 250, 255), -1)
    for column in range(220, 300, 16):
        cv2.line(picture, (column, 300), (column, 420), (10, 10, 10, 255), 3, cv2.LINE_AA)
    return picture


@functools.cache
def small_character(fine: float = 1.0) -> tuple[StudentWeights, NDArray[np.float32]]:
    """Weights and picture as the product takes them: blue first."""
    weights = small_weights(fine)
    picture = linear_picture(small_picture())
    picture.setflags(write=False)
    return StudentWeights(blue_first(weights.face), blue_first(weights.body)), picture


@functools.cache
def figure() -> NDArray[np.bool_]:
    """Shape (512, 512): the figure and more round it than any pose can move it."""
    opaque = (small_picture()[:, :, 3] > 0).astype(np.uint8)
    return np.asarray(cv2.dilate(opaque, np.ones((81, 81), np.uint8)), np.bool_)


def linear(picture: Picture) -> Array:
    """Shape (512, 512, 4): straight BGRA (sRGB) as the networks have it: R, G, B, A, linear, premultiplied, -1..1."""
    unit = picture[:, :, [2, 1, 0, 3]].astype(np.float64) / 255.0
    colour = unit[:, :, :3]
    decoded = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return np.concatenate([decoded * unit[:, :, 3:], unit[:, :, 3:]], axis=2) * 2.0 - 1.0


def shown(result: Array) -> Picture:
    """What :func:`linear` makes, with any opacity, as the product shows it: premultiplied BGRA in sRGB, 8 bits."""
    unit = np.clip(result * 0.5 + 0.5, 0.0, 1.0)
    alpha = unit[..., 3:]
    straight = np.minimum(unit[..., :3] / np.maximum(alpha, 1e-9), 1.0)
    encoded = np.where(straight <= 0.0031308, straight * 12.92, 1.055 * straight ** (1.0 / 2.4) - 0.055)
    premultiplied = np.concatenate([encoded[..., ::-1] * alpha, alpha], axis=-1)
    return np.floor(premultiplied * 255.0 + 0.5).astype(np.uint8)


# -- upsampling ------------------------------------------------------------------------------------------------------


def doubled(values: Array, cubic: bool = False) -> Array:
    """(height, width, channels) at twice the size, half-pixel centres, the border repeated; linear or Catmull-Rom."""
    return _rows_doubled(_rows_doubled(values, cubic).swapaxes(0, 1), cubic).swapaxes(0, 1)


def _rows_doubled(values: Array, cubic: bool) -> Array:
    count = len(values)
    source = (np.arange(2 * count) + 0.5) / 2.0 - 0.5
    below = np.floor(source).astype(int)
    step = (source - below)[:, None, None]
    rows = [values[np.clip(below + offset, 0, count - 1)] for offset in (-1, 0, 1, 2)]
    if not cubic:
        return np.asarray(rows[1] * (1.0 - step) + rows[2] * step)
    before, first, second, after = rows
    return np.asarray(
        first
        + 0.5 * step * (second - before)
        + step**2 * (before - 2.5 * first + 2.0 * second - 0.5 * after)
        + 0.5 * step**3 * (3.0 * (first - second) + after - before)
    )


# -- networks --------------------------------------------------------------------------------------------------------


def dense(network: SineNetwork, pose: Array, size: int) -> Array:
    """Shape (size, size, outputs): the network at every point of a canvas."""
    values = _hidden(network, network.levels, pose, size)
    return _affine(network.output, values)


def dense_soft(network: SineNetwork, pose: Array, size: int) -> Array:
    """The same on a canvas of half the size, upsampled."""
    return doubled(dense(network, pose, size // 2), cubic=True)


def dense_sharp(network: SineNetwork, pose: Array, size: int) -> Array:
    """All but the last level on a canvas of half the size; its features are upsampled to that half canvas's own next
    level by the cubic curve, then as the network does it."""
    if len(network.levels) == 1:
        return dense(network, pose, size)
    above = doubled(_hidden(network, network.levels[:-1], pose, size // 4), cubic=True)
    return _affine(network.output, _level(network.levels[-1], doubled(above), pose, size))


def _hidden(network: SineNetwork, levels: tuple[tuple[Layer, ...], ...], pose: Array, size: int) -> Array:
    features = np.zeros((0, 0, 0))
    for number, level in enumerate(levels):
        at = size >> (len(levels) - 1 - number)
        features = doubled(features) if number else np.zeros((at, at, 0))
        features = _level(level, features, pose, at)
    return features


def _level(layers: tuple[Layer, ...], features: Array, pose: Array, size: int) -> Array:
    """``features``, the place and the pose are the first layer's inputs, in this order."""
    steps = (np.arange(size) + 0.5) * 2.0 / size - 1.0
    x, y = np.meshgrid(steps, steps)
    first = layers[0]
    count = features.shape[2]
    same = first.weight[:, count + 2 :].astype(np.float64) @ pose.astype(np.float64) + first.bias
    places = np.stack([x, y], axis=-1)
    values = np.sin(
        _product(features, first.weight[:, :count]) + _product(places, first.weight[:, count:][:, :2]) + same
    )
    for layer in layers[1:]:
        values = np.sin(_affine(layer, values))
    return values


def _affine(layer: Layer, values: Array) -> Array:
    return _product(values, layer.weight) + layer.bias


def _product(values: Array, weight: Array) -> Array:
    height, width, count = values.shape
    flat = values.reshape(height * width, count) @ weight.T.astype(np.float64)
    return np.asarray(flat.reshape(height, width, len(weight)))


# -- the picture -----------------------------------------------------------------------------------------------------


def with_face(picture: Array, face: Array) -> Array:
    """The picture (512, 512, 4) with a face (128, 128, 4) in its place."""
    made = picture.copy()
    made[FACE_TOP : FACE_TOP + FACE_SIZE, FACE_LEFT : FACE_LEFT + FACE_SIZE] = face
    return made


def sampled(picture: Array, x: Array, y: Array) -> Array:
    """A (512, 512, channels) picture at places in -1..1, linear between pixels' centres, the border repeated."""
    size = len(picture)
    column = np.clip(((x + 1.0) * size - 1.0) / 2.0, 0.0, size - 1.0)
    row = np.clip(((y + 1.0) * size - 1.0) / 2.0, 0.0, size - 1.0)
    left, top = np.floor(column).astype(int), np.floor(row).astype(int)
    right, bottom = np.minimum(left + 1, size - 1), np.minimum(top + 1, size - 1)
    across, down = (column - left)[..., None], (row - top)[..., None]
    upper = picture[top, left] * (1.0 - across) + picture[top, right] * across
    lower = picture[bottom, left] * (1.0 - across) + picture[bottom, right] * across
    return np.asarray(upper * (1.0 - down) + lower * down)


def blended(picture: Array, fields: Array) -> Array:
    """What a canvas of fields (warp x and y, blend, R, G, B, A) makes of a picture, linear, -1..1."""
    size = len(fields)
    steps = (np.arange(size) + 0.5) * 2.0 / size - 1.0
    warped = sampled(picture, steps[None, :] + fields[..., 0], steps[:, None] + fields[..., 1])
    blend = fields[..., 2:3]
    return np.asarray((1.0 - blend) * warped + blend * fields[..., 3:])


@functools.lru_cache(maxsize=4)
def _small_fields(pose: bytes) -> Array:
    made = dense(small_weights().body, np.frombuffer(pose, np.float32), SIZE)
    made.setflags(write=False)
    return made


def small_fields(pose: Array) -> Array:
    """Shape (512, 512, 7): the small character's fields at a pose (45)."""
    return np.asarray(_small_fields(pose.tobytes()))


def small_face(pose: Array) -> Array:
    """Shape (512, 512, 4): its picture with the face of a pose (45)."""
    return with_face(linear(small_picture()), dense(small_weights().face, pose[:FACE_VALUES], FACE_SIZE))


def reference(pose: Array) -> Picture:
    """The small character at a pose (45), every pixel."""
    return shown(blended(small_face(pose), small_fields(pose)))


def some_poses(count: int, seed: int = 0) -> Array:
    """Shape (count, 45), float32: anywhere in the range, a few face values at a time."""
    random = np.random.default_rng(seed)
    poses = random.uniform(0.0, 1.0, (count, POSE_VALUES))
    poses[:, :FACE_VALUES] *= random.random((count, FACE_VALUES)) < 0.25
    poses[:, 37:44] = random.uniform(-1.0, 1.0, (count, 7))
    return poses.astype(np.float32)


def psnr_db(first: Picture, second: Picture) -> float:
    """Peak signal-to-noise ratio over all pixels and channels; infinite for equal pictures."""
    error = float(((first.astype(float) - second) ** 2).mean())
    return 10.0 * math.log10(255.0**2 / error) if error else math.inf
