"""Everything a worker process may ever load, loaded and used once, then a while of doing nothing.

``whole_worker.py SECONDS LANDMARKER``: prepared exactly as the worker is; prints the libraries that were used, one a
line. ``LANDMARKER`` is the face landmarker's file, or empty.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from pathlib import Path

PACKAGES = ("core.wire", "core.pose", "core.render", "core.publish", "core.worker", "trackers", "accel", "models")
"""All but OBS's side and the installer."""
_OTHER_ENTRIES = ("core.worker.__main__", "models.__main__", "models.store.__main__")


def main(seconds: float, landmarker: str) -> None:
    """Load, use, wait."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from core.worker import environment

    environment.prepare_process()
    for package in PACKAGES:
        _import_all(package)
    used = [_compute(), _draw()]
    if landmarker:
        used.append(_find_face(Path(landmarker)))
    for optional in ("tensorrt_rtx_bindings", "pyvirtualcam", "sounddevice", "yaml"):
        try:
            importlib.import_module(optional)
        except (ImportError, OSError):
            continue  # it has its own system, driver or sound system
        used.append(optional)
    time.sleep(seconds)
    sys.stdout.write("\n".join(used) + "\n")


def _import_all(package: str) -> None:
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, f"{package}."):
        if found.name not in _OTHER_ENTRIES:
            importlib.import_module(found.name)


def _compute() -> str:
    """Both ways to ONNX Runtime: its C library and its Python module."""
    import numpy as np
    import onnxruntime
    from onnx import TensorProto, helper

    from accel.base import Network
    from accel.onnxruntime.devices import devices, open_device
    from accel.onnxruntime.options import CPU_NAME

    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "a"], ["b"])],
        "sum",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, [2])],
    )
    network = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
    content = network.SerializeToString()
    open_device(devices(CPU_NAME)[0], 1).open(Network("sum", content)).run({"a": np.ones(2, np.float32)})
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {"a": np.ones(2, np.float32)})
    assert np.asarray(result).tolist() == [2.0, 2.0]
    return "onnxruntime"


def _draw() -> str:
    import cv2
    import numpy as np

    assert cv2.imdecode(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1], cv2.IMREAD_COLOR) is not None
    return "cv2"


def _find_face(file: Path) -> str:
    import numpy as np

    from trackers.webcam_landmarker import FaceLandmarker

    landmarker = FaceLandmarker(file)
    assert landmarker.look(np.full((360, 640, 3), 90, np.uint8), 0) == b""
    landmarker.close()
    return "mediapipe"


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
