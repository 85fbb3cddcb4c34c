"""Whose work is in a bundle: every package, every network, every text."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.install.bundle.licences import asking_for_source, licence_of, licences_page
from core.install.bundle.models import Model
from core.install.bundle.pins import Pin
from core.install.bundle.python import examine
from core.install.bundle.wheels import Wheel

from .bundle_pieces import write_python, write_wheel


def wheel(folder: Path, name: str, licence: str = "MIT", files: dict[str, bytes] | None = None) -> Wheel:
    path = write_wheel(folder / f"{name}-1.0-py3-none-any.whl", licence, files)
    return Wheel(Pin(name, "1.0"), path, "")


def test_the_page_has_every_package_with_the_texts_that_its_file_carries(tmp_path: Path) -> None:
    files = {
        "two/ThirdPartyNotices.txt": b"of others\r\nat all",
        "two-1.0.dist-info/licenses/src/zlib.txt": b"zlib's \xff",
        "two/license.py": b"import this",
        "two/licensed/data.bin": b"no",
    }
    page = licences_page("0.1.0", examine(write_python(tmp_path / "p")), [
        wheel(tmp_path, "one"), wheel(tmp_path, "two", "BSD", files), wheel(tmp_path, "three", files={"x": b""}),
    ], [])  # fmt: skip
    assert "| two | 1.0 | BSD | https://example.invalid/two |" in page
    for expected in ("the text of one", "of others\nat all", "zlib's", "python/LICENSE.txt", "CPython 3.12.10"):
        assert expected in page
    assert "import this" not in page
    assert "No text comes with it. Its licence: MIT." in page


def test_a_text_that_came_already_is_not_told_again(tmp_path: Path) -> None:
    same = [wheel(tmp_path, name, files={f"{name}/LICENSE": b"the same"}) for name in ("one", "two")]
    page = licences_page("0.1.0", None, same, [])
    assert page.count("\nthe same\n") == 1
    assert "The same text as one: one/LICENSE." in page
    assert "CPython" not in page


def test_networks_of_one_licence_share_its_notice(tmp_path: Path) -> None:
    models = [Model(key, f"Net {key}", "CC BY 4.0", "https://example.invalid", "by somebody", []) for key in "ab"]
    page = licences_page("0.1.0", None, [], models)
    assert page.count("by somebody") == 1
    assert "### Net a, Net b" in page


def test_packages_that_ask_for_their_source_to_be_offered_are_named(tmp_path: Path) -> None:
    library = {"three/LICENSE-3RD-PARTY.txt": b"   GNU LESSER GENERAL PUBLIC LICENSE\n"}
    wheels = [
        wheel(tmp_path, "one"),
        wheel(tmp_path, "two", "GNU General Public License v2"),
        wheel(tmp_path, "three", files=library),
    ]
    assert [text.split()[0] for text in asking_for_source(wheels)] == ["two", "three"]
    assert "offers the source code of these as well: two 1.0 (https://example.invalid/two)" in licences_page(
        "0.1.0", None, wheels, []
    )


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ({"License-Expression": "BSD-3-Clause", "License": "x"}, "BSD-3-Clause"),
        ({"License": "UNKNOWN", "Licence classifiers": "MIT License"}, "MIT License"),
        ({"License": "Apache\nand all of its text"}, "Apache"),
        ({"License": " \n"}, "not named"),
        ({}, "not named"),
        ({"License": "words " * 50}, ("words " * 50)[:57] + "..."),
    ],
)
def test_a_licence_is_told_in_a_few_words(said: dict[str, str], licence: str) -> None:
    assert licence_of(said) == licence
