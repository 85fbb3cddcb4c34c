"""The virtual camera's choice of driver, format and size, against a stand-in as strict as pyvirtualcam."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.publish import virtual_camera
from core.publish.pixels import alpha_beside, over_background
from core.publish.virtual_camera import VirtualCameraPublisher
from core.wire.errors import OutputFailed, OutputUnavailable
from core.wire.settings import Value

from .fake_outputs import (
    FakeCamera,
    PixelFormat,
    fake_pyvirtualcam,
    frame,
    open_past_registry,
    plain_picture,
    publisher_threads,
    wait_until,
)

HALF_RED = (10, 20, 100, 128)
BLUE = 0xFFFF0000
STUB = Path(__file__).parents[1] / "typings" / "pyvirtualcam" / "camera.pyi"


def opened(camera: Any, monkeypatch: pytest.MonkeyPatch, **settings: Value) -> VirtualCameraPublisher:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", camera)
    publisher = open_past_registry("virtual_camera", {"background_colour": BLUE, **settings}, frames_per_second=30.0)
    assert isinstance(publisher, VirtualCameraPublisher)
    return publisher


def test_red_first_over_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = fake_pyvirtualcam()
    publisher = opened(camera, monkeypatch)
    picture = plain_picture(256, 256, HALF_RED)
    publisher.publish(frame(picture))
    publisher.close()
    assert np.array_equal(camera.sent[-1], over_background(picture, BLUE)[:, :, ::-1])
    assert camera.opened == [("obs", 256, 256, 30.0, "RGB")]
    assert publisher.description == "Fake obs"
    assert camera.open_now == 0


def test_alpha_split_is_twice_as_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = fake_pyvirtualcam(unitycapture={PixelFormat.RGB, PixelFormat.RGBA})
    publisher = opened(camera, monkeypatch, camera_alpha_split=True)
    picture = plain_picture(256, 256, HALF_RED)
    publisher.publish(frame(picture))
    publisher.close()
    assert camera.opened == [("unitycapture", 512, 256, 30.0, "RGB")]
    assert np.array_equal(camera.sent[-1], alpha_beside(picture, BLUE)[:, :, ::-1])


def test_unity_capture_gets_straight_alpha(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = fake_pyvirtualcam(obs="no such camera", unitycapture={PixelFormat.RGBA})
    publisher = opened(camera, monkeypatch)
    publisher.publish(frame(plain_picture(256, 256, HALF_RED)))
    publisher.close()
    assert camera.opened == [("unitycapture", 256, 256, 30.0, "RGBA")]
    assert camera.sent[-1][0, 0].tolist() == [199, 40, 20, 128]


def test_another_size_opens_the_camera_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = fake_pyvirtualcam()
    publisher = opened(camera, monkeypatch)
    publisher.publish(frame(plain_picture(512, 384, HALF_RED)))
    publisher.close()
    assert [(width, height) for _, width, height, _, _ in camera.opened] == [(256, 256), (512, 384)]
    assert camera.sent[-1].shape == (384, 512, 3)
    assert camera.open_now == 0


def test_who_opens_the_camera_late_gets_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = fake_pyvirtualcam()
    publisher = opened(camera, monkeypatch)
    assert wait_until(lambda: len(camera.sent) > 1)
    publisher.close()
    # no frame came yet: the plain background
    assert (camera.sent[0] == (0, 0, 255)).all()


def test_every_driver_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = fake_pyvirtualcam(obs="Did you install OBS?", unitycapture="No camera registered.")
    with pytest.raises(OutputUnavailable) as refusal:
        opened(camera, monkeypatch)
    assert refusal.value.parameters == {"output": "virtual_camera", "reason": "no_camera_driver"}
    assert "Did you install OBS?" in refusal.value.detail
    assert "No camera registered." in refusal.value.detail
    assert publisher_threads() == []


@pytest.mark.parametrize("device", ["obs", "unitycapture", "v4l2loopback"])
def test_a_chosen_device_is_the_only_one_tried(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = fake_pyvirtualcam(obs={PixelFormat.RGB}, unitycapture={PixelFormat.RGBA})
    if device == "v4l2loopback":
        with pytest.raises(OutputUnavailable, match="v4l2loopback"):
            opened(camera, monkeypatch, camera_device=device)
        return
    opened(camera, monkeypatch, camera_device=device).close()
    assert [backend for backend, *_ in camera.opened] == [device]


def test_a_camera_that_does_not_open_again_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = fake_pyvirtualcam()
    publisher = opened(camera, monkeypatch)
    camera.camera.BACKENDS["obs"] = "taken by another program"
    publisher.publish(frame(plain_picture(128, 128, HALF_RED)))
    assert wait_until(lambda: publisher.failure is not None)
    assert isinstance(publisher.failure, OutputFailed)
    assert "taken by another program" in publisher.failure.detail
    publisher.close()
    assert camera.open_now == 0


def test_without_the_package_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert virtual_camera.unavailable() == "package_missing"
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(OutputUnavailable) as refusal:
        open_past_registry("virtual_camera", {})
    assert refusal.value.parameters["reason"] == "package_missing"


def test_the_stand_in_and_the_stub_are_like_the_real_package() -> None:
    real = pytest.importorskip("pyvirtualcam")

    def shape(function: Any) -> list[tuple[str, object, object]]:
        return [
            (parameter.name, parameter.kind, getattr(parameter.default, "name", parameter.default))
            for parameter in inspect.signature(function).parameters.values()
        ]

    assert shape(FakeCamera.__init__) == shape(real.Camera.__init__)
    assert shape(FakeCamera.send) == shape(real.Camera.send)
    assert {member.name for member in PixelFormat} <= {member.name for member in real.PixelFormat}
    assert isinstance(real.camera.BACKENDS, dict)
    [stub] = [
        node
        for node in ast.parse(STUB.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == "Camera"
    ]
    public = {name for name in dir(real.Camera) if not name.startswith("_")}
    assert {node.name for node in stub.body if isinstance(node, ast.FunctionDef)} == public | {"__init__"}


def test_the_real_package_without_a_driver_says_why() -> None:
    pytest.importorskip("pyvirtualcam")
    if virtual_camera.unavailable() is None:
        pytest.skip("this machine has a virtual camera")
    with pytest.raises(OutputUnavailable) as refusal:
        open_past_registry("virtual_camera", {})
    assert refusal.value.parameters["reason"] == "no_camera_driver"
    assert refusal.value.detail
