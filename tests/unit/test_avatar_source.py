"""Our own type of source: registered once per process, and a properties dialog that shows what is true now."""

from __future__ import annotations

import ctypes
from typing import List

import pytest

from core.obs import avatar_source, libobs
from core.obs.avatar_source import TYPE_ID, Dialog, DialogLine, SourceInfo
from tests.fake_libobs import FakeLib

CLICKED = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
STATUS = Dialog([DialogLine("status_0", "läuft", "warning"), DialogLine("hint", "there")], [("stop", "Anhalten")])


@pytest.fixture
def clicks() -> List[str]:
    return []


@pytest.fixture
def registered(lib: FakeLib, clicks: List[str]) -> FakeLib:
    assert avatar_source.register(lib, "Avatar", lambda: STATUS, clicks.append)
    return lib


def open_dialog() -> None:
    assert libobs.keep()["get properties"](None) == 7


def click(lib: FakeLib, name: str) -> bool:
    return bool(CLICKED(lib.buttons[name])(None, None, None))


def test_the_source_type_has_the_size_that_libobs_reads() -> None:
    assert ctypes.sizeof(SourceInfo) == 384


@pytest.mark.parametrize(
    "field,offset", [("linesize", 64), ("width", 96), ("timestamp", 104), ("format", 112), ("full_range", 180)]
)
def test_a_frames_fields_lie_where_libobs_reads_them(field: str, offset: int) -> None:
    assert getattr(libobs.SourceFrame, field).offset == offset


def test_the_type_is_registered_once_however_often_the_script_is_loaded(registered: FakeLib) -> None:
    assert avatar_source.register(registered, "Avatar", lambda: STATUS, print)
    assert registered.registered == [TYPE_ID]


def test_a_refusal_by_obs_is_told(lib: FakeLib) -> None:
    lib.refuses_types = True
    assert not avatar_source.register(lib, "Avatar", lambda: STATUS, print)


def test_the_name_is_given_to_obs_as_utf_8(registered: FakeLib) -> None:
    address = libobs.keep()["get name"](None)
    assert ctypes.string_at(address) == b"Avatar"


def test_the_dialog_shows_every_line_and_button(registered: FakeLib) -> None:
    open_dialog()
    assert registered.dialog == [
        ("text", "status_0", "läuft", "warning"),
        ("text", "hint", "there", "normal"),
        ("button", "stop", "Anhalten"),
    ]


def test_a_click_reaches_the_script_and_has_the_dialog_shown_anew(registered: FakeLib, clicks: List[str]) -> None:
    open_dialog()
    assert click(registered, "stop") is True
    assert clicks == ["stop"]


def test_after_a_reload_the_new_script_answers_in_dialogs_of_the_old_one(
    registered: FakeLib, clicks: List[str]
) -> None:
    open_dialog()
    later: List[str] = []
    avatar_source.register(registered, "Avatar", lambda: Dialog([], []), later.append)
    click(registered, "stop")
    open_dialog()
    assert (clicks, later, registered.dialog) == ([], ["stop"], [])
