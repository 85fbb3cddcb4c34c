"""A runtime for tests: ONNX Runtime on the processor, counting what is run and what is allocated."""

from __future__ import annotations

import importlib
import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from accel.base import Array, Device, DeviceTensor, Network, Progress, TensorSpec
from core.pose.parameters import EYEBROWS, FACE, ROTATION, PoseVector
from models.base import Picture
from models.tha.files import ThaFiles
from models.tha.prepare import prepare

_onnxruntime: Any = importlib.import_module("onnxruntime")
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


def _session(content: bytes | Path) -> Any:
    options = _onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    source = str(content) if isinstance(content, Path) else content
    return _onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


class CountedTensor:
    """An array that only sessions should look into."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], runtime: CountingRuntime) -> None:
        self.content = np.zeros(shape, dtype)
        self._runtime = runtime

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.content.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.content.dtype)

    def read(self) -> Array:
        self._runtime.reads += 1
        return self.content.copy()

    def write(self, content: Array) -> None:
        np.copyto(self.content, content, casting="no")


class CountedSession:
    """Runs a network and tells its runtime."""

    def __init__(self, network: Network, runtime: CountingRuntime) -> None:
        self.name = network.name.split(" ", 1)[1]
        self._made: Any = _session(network.content)
        self._runtime = runtime
        self.inputs: Mapping[str, TensorSpec] = _specs(self._made.get_inputs())
        self.outputs: Mapping[str, TensorSpec] = _specs(self._made.get_outputs())

    def run(
        self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor] | None = None
    ) -> dict[str, Array]:
        if self._runtime.failing == self.name:
            for tensor in (into or {}).values():  # nobody knows how far it came
                tensor.write(np.full(tensor.shape, np.nan, tensor.dtype))
            raise RuntimeError(self.name)
        self._runtime.runs[self.name] += 1
        feed = {}
        for name, spec in self.inputs.items():
            given = inputs[name]
            if given.shape != spec.shape or given.dtype != spec.dtype:
                raise ValueError(f"{name}: {given.dtype} {given.shape} instead of {spec.dtype} {spec.shape}")
            if isinstance(given, CountedTensor):
                feed[name] = given.content
            else:
                assert isinstance(given, np.ndarray)
                feed[name] = given
                self._runtime.uploads[self.name] += given.nbytes
        results = dict(zip(self.outputs, self._made.run(None, feed), strict=True))
        for name, tensor in (into or {}).items():
            tensor.write(results.pop(name))
        self._runtime.downloads[self.name] += sum(array.nbytes for array in results.values())
        return results

    def close(self) -> None:
        self._made = None
        self._runtime.open_sessions.discard(self.name)


class CountingRuntime:
    """Counts by network what is run and how many bytes are sent each way, and tensors and how often one is read;
    knows the tensors that somebody still has.

    ``failing`` names a network that refuses to run, ``refusing`` one that cannot be opened.
    """

    name = "onnxruntime_cpu"
    device = Device("onnxruntime_cpu", 0, "test")
    on_host = False
    lanes = 1
    builds_engines = False

    def __init__(self) -> None:
        self.runs: Counter[str] = Counter()
        self.uploads: Counter[str] = Counter()
        self.downloads: Counter[str] = Counter()
        self.open_sessions: set[str] = set()
        self.tensors = 0
        self.held: weakref.WeakSet[CountedTensor] = weakref.WeakSet()
        self.reads = 0
        self.failing = ""
        self.refusing = ""

    def prepare(self, networks: Sequence[Network], progress: Progress | None = None) -> None:
        pass

    def open(self, network: Network, progress: Progress | None = None) -> CountedSession:
        session = CountedSession(network, self)
        if session.name == self.refusing:
            raise RuntimeError(session.name)
        self.open_sessions.add(session.name)
        return session

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> CountedTensor:
        self.tensors += 1
        made = CountedTensor(shape, dtype, self)
        self.held.add(made)
        return made

    def close(self) -> None:
        pass

    def taken_runs(self) -> dict[str, int]:
        """Runs since the last call."""
        taken = dict(self.runs)
        self.runs.clear()
        return taken


def _specs(values: Any) -> dict[str, TensorSpec]:
    return {value.name: TensorSpec(value.name, tuple(value.shape), np.dtype(_TYPES[value.type])) for value in values}


def run_file(path: Path, feed: Mapping[str, Array]) -> dict[str, Array]:
    """A network from its file as it is."""
    session = _session(path)
    names = [output.name for output in session.get_outputs()]
    given = {value.name: feed[value.name].astype(_TYPES[value.type]) for value in session.get_inputs()}
    return dict(zip(names, session.run(None, given), strict=True))


def run_sequentially(files: ThaFiles, picture: Picture, pose: PoseVector) -> dict[str, Array]:
    """All five files one after the other, unchanged: every output of every network by name."""
    known: dict[str, Array] = {
        "input_image": picture,
        "eyebrow_pose": pose[None, EYEBROWS],
        "face_pose": pose[None, FACE],
        "rotation_pose": pose[None, ROTATION],
    }
    for contract in files.variant.graphs:
        for tensor in contract.inputs:
            if tensor.source:
                known[tensor.name] = known[tensor.source]
        known.update(run_file(files.path(contract), known))
    return known


def premultiplied(result: Array) -> Picture:
    """A network's ``result`` ([1, 4, 512, 512] RGBA sRGB, straight) as our picture, by another way than ours."""
    straight = np.moveaxis(np.clip(result[0].astype(np.float64), 0.0, 1.0), 0, -1)
    alpha = straight[..., 3:]
    return np.rint(np.concatenate([straight[..., 2::-1] * alpha, alpha], axis=-1) * 255.0).astype(np.uint8)


@dataclass(frozen=True)
class Fields:
    """How the last network makes its picture: ``(1 - blend) * warped face + blend * colour``."""

    warp: Array
    """Shape (512, 512, 2): where each pixel was taken from, as an offset (x, y) to its own place in -1..1
    coordinates."""
    blend: Array
    """Shape (512, 512, 4), one for each of R, G, B, A (THA3), or (512, 512, 1)."""
    colour: Array
    """Shape (512, 512, 4): R, G, B, A in linear light, -1..1."""


def dense_fields(files: ThaFiles, picture: Picture, pose: PoseVector) -> Fields:
    """The last network's fields at a pose: all files but the last as they are, that one as it is prepared."""
    known = run_sequentially(files, picture, pose)
    networks = prepare(files)
    assert networks.fields is not None
    session = _session(networks.final.content)
    feed = {value.name: known[value.name].astype(_TYPES[value.type]) for value in session.get_inputs()}
    names = list(networks.fields.all)
    grid, blend, colour = (array[0].astype(np.float64) for array in session.run(names, feed))
    centres = (2.0 * np.arange(512) + 1.0) / 512.0 - 1.0
    return Fields(
        grid - np.stack(np.meshgrid(centres, centres), axis=-1), np.moveaxis(blend, 0, -1), np.moveaxis(colour, 0, -1)
    )


def bend(fields: Fields, face: Array) -> Picture:
    """The picture that fields make of the face ([1, 4, 512, 512], linear, -1..1), computed with numpy only."""
    side = face.shape[2]
    places = np.arange(side, dtype=np.float64)
    x = np.clip(places[None, :] + fields.warp[..., 0] * side / 2.0, 0.0, side - 1.0)
    y = np.clip(places[:, None] + fields.warp[..., 1] * side / 2.0, 0.0, side - 1.0)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, side - 1), np.minimum(top + 1, side - 1)
    across, down = (x - left)[..., None], (y - top)[..., None]
    pixels = np.moveaxis(face[0].astype(np.float64), 0, -1)
    upper = pixels[top, left] * (1.0 - across) + pixels[top, right] * across
    lower = pixels[bottom, left] * (1.0 - across) + pixels[bottom, right] * across
    warped = upper * (1.0 - down) + lower * down
    made = np.clip((warped * (1.0 - fields.blend) + fields.colour * fields.blend) / 2.0 + 0.5, 0.0, 1.0)
    colour, alpha = made[..., :3], made[..., 3:]
    encoded = np.where(colour <= 0.0031308, colour * 12.92, 1.055 * colour ** (1.0 / 2.4) - 0.055)
    return np.rint(np.concatenate([encoded[..., ::-1] * alpha, alpha], axis=-1) * 255.0).astype(np.uint8)
