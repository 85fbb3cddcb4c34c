"""The version of a graphics card's driver, and that a verdict is good for one version only."""

from __future__ import annotations

import re
import sys

import pytest

from accel.onnxruntime import adapter_driver, devices
from accel.onnxruntime.adapter_driver import as_text, driver_version
from accel.onnxruntime.library import EpDevice
from tests.unit.fake_onnxruntime import DIRECTML


@pytest.mark.parametrize(
    ("version", "text"),
    [(0x001F_0000_000F_18EF, "31.0.15.6383"), (0x0020_0000_000F_1E08, "32.0.15.7688"), (0, "0.0.0.0")],
)
def test_the_number_is_written_as_the_device_manager_does(version: int, text: str) -> None:
    assert as_text(version) == text


@pytest.mark.skipif(sys.platform == "win32", reason="there is DXGI on Windows")
def test_only_windows_is_asked() -> None:
    assert driver_version(0) == ""


@pytest.mark.skipif(sys.platform != "win32", reason="DXGI is Windows' own")
def test_dxgi_answers_and_knows_no_hundredth_card() -> None:
    assert re.fullmatch(r"(\d+\.){3}\d+|", driver_version(0))
    assert driver_version(99) == ""


@pytest.mark.parametrize("problem", [OSError("887A0002"), AttributeError("WinDLL")])
def test_a_system_that_does_not_answer_is_no_problem(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    def fails(adapter: int) -> str:
        raise problem

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(adapter_driver, "_asked", fails)
    assert driver_version(0) == ""


def test_a_new_driver_makes_it_another_device(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    version = "31.0.15.1"

    def answers(adapter: int) -> str:
        asked.append(adapter)
        return version

    monkeypatch.setattr(devices, "driver_version", answers)
    entry = EpDevice(DIRECTML, "NVIDIA", {"Description": "a card", "DxgiAdapterNumber": "1"})
    old = devices._directml_device(entry)
    version = "32.0.15.2"
    new = devices._directml_device(entry)
    assert (old.driver, new.driver, asked) == ("31.0.15.1", "32.0.15.2", [1, 1])
    assert old.key != new.key
    told = EpDevice(DIRECTML, "NVIDIA", {"Description": "a card", "DriverVersion": "33.0.0.1"})
    assert devices._directml_device(told).driver == "33.0.0.1" and len(asked) == 2
