"""Cards by name, what NVIDIA's packages need, and that a failure there never stops the rest. The Spout2 plug-in too."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path

import pytest

from core.install import environment, graphics_card, graphics_packages, install_record, spout_plugin
from core.install.graphics_card import AMD, INTEL, NVIDIA, GraphicsCard, why_no_rtx
from core.install.obs.places import ObsPlace
from core.install.problem import InstallProblem
from core.wire.folders import PROJECT

from .install_stand_ins import FakeConsole, FakeRegistry, obs_program

CLASS = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
ADA = GraphicsCard("NVIDIA GeForce RTX 4070", NVIDIA, (8, 9), "581.80")


def test_windows_lists_real_cards_once() -> None:
    nvidia = {
        "DriverDesc": "NVIDIA GeForce RTX 3060",
        "MatchingDeviceId": r"PCI\VEN_10DE&DEV_2503",
        "DriverVersion": "32.0.15.8180",
    }
    registry = FakeRegistry(
        {
            rf"{CLASS}\0000": {"DriverDesc": "Intel(R) UHD Graphics", "MatchingDeviceId": r"pci\ven_8086&dev_9bc4"},
            rf"{CLASS}\0001": nvidia,
            rf"{CLASS}\0002": nvidia,
            rf"{CLASS}\0003": {"DriverDesc": "AMD Radeon RX 580", "MatchingDeviceId": r"pci\ven_1002&dev_67df"},
            rf"{CLASS}\0004": {"DriverDesc": "Microsoft Remote Display Adapter", "MatchingDeviceId": "rdpidd_indirect"},
            rf"{CLASS}\0005": {"MatchingDeviceId": r"pci\ven_10de&dev_0001"},
            rf"{CLASS}\Properties": {"DriverDesc": "not an adapter", "MatchingDeviceId": r"pci\ven_10de"},
        }
    )
    assert graphics_card.cards_in_registry(registry) == [
        GraphicsCard("Intel(R) UHD Graphics", INTEL),
        GraphicsCard("NVIDIA GeForce RTX 3060", NVIDIA, None, "581.80"),
        GraphicsCard("AMD Radeon RX 580", AMD),
    ]
    assert graphics_card.cards_in_registry(FakeRegistry({})) == []


@pytest.mark.parametrize(
    ("version", "expected"),
    [("31.0.15.3623", "536.23"), ("32.0.15.8180", "581.80"), ("", ""), ("1.2", ""), ("a.b", "")],
)
def test_nvidias_own_number_is_in_the_windows_version(version: str, expected: str) -> None:
    assert graphics_card.nvidia_driver(version) == expected


def test_linux_asks_the_driver_and_the_bus(tmp_path: Path) -> None:
    assert graphics_card.cards_on_linux(tmp_path) == []
    for name, vendor in (("card0", "0x8086"), ("card1", "0x10de"), ("card2", "0x1234"), ("card0-HDMI-A-1", None)):
        folder = tmp_path / "sys/class/drm" / name / "device"
        folder.mkdir(parents=True)
        if vendor is not None:
            (folder / "vendor").write_text(f"{vendor}\n", "ascii")
    assert graphics_card.cards_on_linux(tmp_path) == [
        GraphicsCard("Intel graphics", INTEL),
        GraphicsCard("NVIDIA graphics", NVIDIA),
    ]
    gpu = tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0"
    gpu.mkdir(parents=True)
    (gpu / "information").write_text("Model: \t\t NVIDIA GeForce RTX 3060\nIRQ: 33\n", "ascii")
    assert graphics_card.cards_on_linux(tmp_path) == [
        GraphicsCard("NVIDIA GeForce RTX 3060", NVIDIA),
        GraphicsCard("Intel graphics", INTEL),
    ]


def test_nvidias_program_tells_generation_and_driver() -> None:
    text = "NVIDIA GeForce RTX 4070, 8.9, 581.80\nOdd, comma, name, 7.5, 580.1\n\nNVIDIA-SMI has failed\n"
    assert graphics_card.cards_of_nvidia_smi(text) == [
        ADA,
        GraphicsCard("Odd, comma, name", NVIDIA, (7, 5), "580.1"),
    ]
    assert graphics_card.cards_of_nvidia_smi("") == []


def test_what_nvidias_program_says_comes_before_what_is_written_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = GraphicsCard("NVIDIA graphics", NVIDIA)
    other = GraphicsCard("Intel graphics", INTEL)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(graphics_card, "cards_on_linux", lambda root: [other, plain])
    monkeypatch.setattr(graphics_card, "_nvidia_smi", lambda: "NVIDIA GeForce RTX 4070, 8.9, 581.80\n")
    assert graphics_card.graphics_cards() == [ADA, other]
    monkeypatch.setattr(graphics_card, "_nvidia_smi", lambda: "")
    assert graphics_card.graphics_cards() == [plain, other]


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (ADA, None),
        (ADA._replace(capability=(7, 5)), None),
        (ADA._replace(capability=(6, 1)), "older than RTX 20"),
        (ADA._replace(driver="552.44"), "its driver is 552.44; it needs 580"),
        (ADA._replace(capability=None, driver=""), None),
        (GraphicsCard("NVIDIA GeForce GTX 1060", NVIDIA), "older than RTX 20"),
        (GraphicsCard("AMD Radeon RTX-like", AMD), "not NVIDIA's"),
    ],
)
def test_which_cards_can_use_tensorrt_for_rtx(card: GraphicsCard, reason: str | None) -> None:
    assert (why_no_rtx(card) is None) if reason is None else reason in str(why_no_rtx(card))


@pytest.fixture
def folder(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment on a computer with a card that can use everything; what is installed is noted, not fetched."""
    monkeypatch.setattr(graphics_packages, "graphics_cards", lambda: [ADA])
    monkeypatch.setattr(environment, "_install", lambda *arguments: None)
    (tmp_path / "venv").mkdir()
    return tmp_path / "venv"


def test_the_packages_are_offered_once_with_their_size(folder: Path) -> None:
    console = FakeConsole()
    graphics_packages.prepare_graphics(console, folder)
    assert "103 MB" in console.asked[0]
    assert "RTX 4070: can use TensorRT for RTX" in console.text
    assert graphics_packages.nvidia_packages_are_in(folder)
    again = FakeConsole()
    graphics_packages.prepare_graphics(again, folder)
    assert again.asked == []
    assert "ready: TensorRT for RTX" in again.text


def test_a_no_is_remembered(folder: Path) -> None:
    graphics_packages.prepare_graphics(FakeConsole([False]), folder)
    again = FakeConsole()
    graphics_packages.prepare_graphics(again, folder)
    assert again.asked == []
    assert "as you chose" in again.text
    install_record.record_declined(graphics_packages.OFFER, False)
    asked = FakeConsole()
    graphics_packages.prepare_graphics(asked, folder)
    assert len(asked.asked) == 1


@pytest.mark.parametrize("problem", [InstallProblem("No network."), OSError("disk full")])
def test_a_failure_is_told_and_the_rest_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def fail(*arguments: object) -> None:
        raise problem

    monkeypatch.setattr(environment, "_install", fail)
    console = FakeConsole()
    graphics_packages.prepare_graphics(console, folder)
    assert "Going on without NVIDIA's packages" in console.text
    assert str(problem) in console.text
    assert not graphics_packages.nvidia_packages_are_in(folder)


@pytest.mark.parametrize("card", [ADA._replace(driver="552.44"), GraphicsCard("AMD Radeon RX 580", AMD), None])
def test_other_cards_are_offered_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, card: GraphicsCard | None
) -> None:
    monkeypatch.setattr(graphics_packages, "graphics_cards", lambda: [] if card is None else [card])
    console = FakeConsole()
    graphics_packages.prepare_graphics(console, folder)
    assert console.asked == []
    assert (card.name if card else "No graphics card was recognised") in console.text


def test_every_pin_is_exact_and_what_the_product_imports_is_among_them() -> None:
    pins = environment.read_requirements(PROJECT / "requirements-nvidia.txt")
    assert all("==" in pin for pin in pins)
    names = {pin.split("==")[0] for pin in pins}
    assert names == {"tensorrt-rtx-cu13-libs", "tensorrt-rtx-cu13-bindings", "cuda-bindings", "cuda-pathfinder"}


@pytest.fixture
def place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObsPlace:
    """OBS on Windows without the Spout2 plug-in, and a browser that is never opened for real."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(webbrowser, "open", lambda page: pytest.fail("opened without being asked"))
    monkeypatch.setenv("ProgramData", str(tmp_path / "ProgramData"))
    return ObsPlace(obs_program(tmp_path / "OBS"), tmp_path / "OBS/config/obs-studio")


@pytest.mark.parametrize(
    "file",
    [
        "OBS/obs-plugins/64bit/win-spout.dll",
        "ProgramData/obs-studio/plugins/win-spout/bin/64bit/win-spout.dll",
        "OBS/config/obs-studio/plugins/win-spout/bin/64bit/win-spout.dll",
    ],
)
def test_the_plugin_is_found_wherever_obs_looks(place: ObsPlace, tmp_path: Path, file: str) -> None:
    assert spout_plugin.find_spout_plugin(place) is None
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).touch()
    assert spout_plugin.find_spout_plugin(place) == tmp_path / file
    console = FakeConsole()
    spout_plugin.offer_spout_plugin(console, place)
    assert console.asked == []
    assert "ready" in console.text


def test_its_page_is_opened_only_when_somebody_says_yes(place: ObsPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = FakeConsole(attended=False)
    spout_plugin.offer_spout_plugin(silent, place)
    assert silent.asked == []
    assert spout_plugin.PAGE in silent.text
    refused = FakeConsole([False])
    spout_plugin.offer_spout_plugin(refused, place)
    assert spout_plugin.PAGE in refused.text
    again = FakeConsole()
    spout_plugin.offer_spout_plugin(again, place)
    assert again.asked == [], "once is enough"
    install_record.record_declined(spout_plugin.OFFER, False)
    opened: list[str] = []

    def note(page: str) -> bool:
        opened.append(page)
        return True

    monkeypatch.setattr(webbrowser, "open", note)
    spout_plugin.offer_spout_plugin(FakeConsole([True]), place)
    assert opened == [spout_plugin.PAGE]


def test_without_a_browser_the_page_is_named(place: ObsPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(page: str) -> bool:
        raise OSError("no browser")

    monkeypatch.setattr(webbrowser, "open", fail)
    console = FakeConsole()
    spout_plugin.offer_spout_plugin(console, place)
    assert f"No browser could be opened. The page is {spout_plugin.PAGE}" in console.text
