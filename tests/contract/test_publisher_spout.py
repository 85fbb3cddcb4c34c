"""The Spout sender's manners against a stand-in, and whether our stub of SpoutGL is like its real Windows package."""

from __future__ import annotations

import ast
import os
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.publish import spout
from core.publish.spout import SpoutPublisher
from core.wire.errors import OutputFailed, OutputUnavailable

from .fake_outputs import SpoutPc, frame, open_past_registry, plain_picture, publisher_threads, wait_until

HALF_RED = (10, 20, 100, 128)
NOTHING = (0, 0, 0, 0)
STUBS = Path(__file__).parents[1] / "typings" / "SpoutGL"


def opened(pc: SpoutPc, name: str = "EasyVtuber") -> SpoutPublisher:
    publisher = SpoutPublisher(name, 256, pc.make_sender)
    publisher.start()
    return publisher


def test_premultiplied_pictures_are_sent_as_they_are() -> None:
    pc = SpoutPc()
    publisher = opened(pc)
    assert list(pc.senders) == ["EasyVtuber"]
    assert not pc.senders["EasyVtuber"].any()
    picture = plain_picture(320, 200, HALF_RED)
    publisher.publish(frame(picture))
    assert wait_until(lambda: np.array_equal(pc.senders["EasyVtuber"], picture))
    publisher.close()
    assert (pc.senders, pc.opengl_contexts) == ({}, 0)


def test_a_taken_name_gets_the_next_number() -> None:
    pc = SpoutPc()
    publishers = [opened(pc) for _ in range(3)]
    assert [publisher.description for publisher in publishers] == ["EasyVtuber", "EasyVtuber 2", "EasyVtuber 3"]
    assert sorted(pc.senders) == ["EasyVtuber", "EasyVtuber 2", "EasyVtuber 3"]
    publishers[1].close()
    again = opened(pc)
    assert again.description == "EasyVtuber 2"
    for publisher in (*publishers, again):
        publisher.close()
    assert (pc.senders, pc.opengl_contexts) == ({}, 0)


@pytest.mark.parametrize(("wanted", "real"), [("", "EasyVtuber"), ("ミオ", "ミオ"), ("ミ" * 300, "ミ" * 80)])
def test_a_name_fits_into_what_spout_keeps(wanted: str, real: str) -> None:
    publisher = opened(SpoutPc(), wanted)
    assert publisher.description == real
    publisher.close()


def test_of_a_hidden_avatar_one_transparent_picture_is_sent() -> None:
    pc = SpoutPc()
    publisher = opened(pc)
    for sequence in range(1, 6):
        before = len(pc.sent)
        publisher.publish(frame(plain_picture(256, 256, NOTHING), sequence, visible=False))
        if sequence == 1:
            assert wait_until(lambda before=before: len(pc.sent) > before)  # type: ignore[misc]
    publisher.publish(frame(plain_picture(256, 256, HALF_RED), 6))
    publisher.publish(frame(plain_picture(256, 256, NOTHING), 7, visible=False))
    publisher.close()
    assert [bool(picture.any()) for picture in pc.sent][:2] == [False, False]
    assert len(pc.sent) <= 4
    assert not pc.sent[-1].any()


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((64, 64, 4), np.float32),
        np.zeros((64, 64, 3), np.uint8),
        np.zeros((64, 64), np.uint8),
        np.zeros((0, 64, 4), np.uint8),
        np.zeros((1, 16385, 4), np.uint8),
    ],
)
def test_what_is_no_picture_never_reaches_spout(wrong: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    pc = SpoutPc()
    publisher = opened(pc)
    publisher.publish(frame(wrong))
    assert wait_until(lambda: publisher.failure is not None)
    assert isinstance(publisher.failure, OutputFailed)
    assert len(pc.sent) == 1
    publisher.close()
    assert (pc.senders, pc.opengl_contexts) == ({}, 0)


def test_a_strided_picture_is_sent_whole() -> None:
    pc = SpoutPc()
    publisher = opened(pc)
    wide = plain_picture(512, 256, HALF_RED)
    publisher.publish(frame(wide[:, ::2]))
    publisher.close()
    assert np.array_equal(pc.sent[-1], wide[:, ::2])


def test_after_a_refused_picture_the_sender_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pc = SpoutPc()
    publisher = opened(pc)
    make_sender = pc.make_sender

    def mend_and_make() -> object:
        pc.broken = False
        return make_sender()

    monkeypatch.setattr(publisher, "_make_sender", mend_and_make)
    pc.broken = True
    publisher.publish(frame(plain_picture(256, 256, HALF_RED)))
    publisher.close()
    assert publisher.failure is None
    assert publisher.description == "EasyVtuber"
    assert pc.sent[-1].any()
    assert (pc.senders, pc.opengl_contexts) == ({}, 0)


def test_a_pc_where_spout_never_works_is_told_at_once() -> None:
    pc = SpoutPc()
    pc.broken = True
    with pytest.raises(OutputFailed):
        opened(pc)
    assert publisher_threads() == []
    assert pc.opengl_contexts == 0


@pytest.mark.skipif(sys.platform == "win32", reason="here Spout works")
def test_elsewhere_than_on_windows_it_says_so() -> None:
    assert spout.unavailable() == "windows_only"
    with pytest.raises(OutputUnavailable) as refusal:
        open_past_registry("spout", {})
    assert refusal.value.parameters == {"output": "spout", "reason": "windows_only"}


def stub_methods(module: str) -> dict[str, set[str]]:
    """Public names of every class of a stub, and under "" those outside classes."""
    names: dict[str, set[str]] = {"": set()}
    for node in ast.parse((STUBS / f"{module}.pyi").read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names[node.name] = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            names[""].add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names[""].add(node.target.id)
    return names


def test_the_stub_names_what_the_real_package_has() -> None:
    folder = os.environ.get("EASYVTUBER_WINDOWS_WHEELS", "")
    wheels = sorted(Path(folder).glob("[Ss]pout[Gg][Ll]-0.1.1-*win_amd64.whl")) if folder else []
    if not wheels:
        pytest.skip("no SpoutGL wheel: name a folder with it in EASYVTUBER_WINDOWS_WHEELS (tests/windows/README.md)")
    with zipfile.ZipFile(wheels[0]) as wheel:
        [library] = [name for name in wheel.namelist() if name.endswith(".pyd")]
        # names are C strings: whole, between zero bytes
        strings = {text.decode("ascii") for text in re.findall(rb"(?<=\0)[A-Za-z_]\w+(?=\0)", wheel.read(library))}
    classes = stub_methods("_spoutgl")
    functions = stub_methods("helpers")[""] | stub_methods("enums")[""]
    methods = {name for names in classes.values() for name in names if not name.startswith("__")} | functions
    assert {*classes} - {"", "_SenderAndReceiver"} <= strings
    assert methods <= strings
    spelled_like_methods = {
        text
        for text in strings
        if re.fullmatch(
            r"(get|set|is|send|receive|release|create|close|write|read|delete|wait|copy)[A-Z]\w*|GL_\w+", text
        )
    }
    assert spelled_like_methods == {name for name in methods if name not in {"name", "width", "height"}}


@pytest.mark.skipif(sys.platform != "win32", reason="only Windows can load the package")
def test_the_stub_is_what_the_loaded_package_says() -> None:
    real = pytest.importorskip("SpoutGL")
    classes = stub_methods("_spoutgl")
    for name in ("SpoutSender", "SpoutReceiver"):
        ours = {method for method in classes[name] | classes["_SenderAndReceiver"] if not method.startswith("_")}
        assert ours == {method for method in dir(getattr(real, name)) if not method.startswith("_")}
