"""Agreements: remembered, asked again when the text changes, and never at the cost of what stands in the file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.wire.errors import LicenceNeeded
from models.store.catalog import CATALOGUE, THA3_LICENCE, THA4_LICENCE
from models.store.licences import FILE_NAME, Agreements

ENTRY = next(entry for entry in CATALOGUE if entry.licence is THA4_LICENCE)


def test_nothing_is_agreed_to_at_first(tmp_path: Path) -> None:
    agreements = Agreements(tmp_path / "no folder yet")
    assert not agreements.has(THA4_LICENCE)
    with pytest.raises(LicenceNeeded) as caught:
        agreements.require(ENTRY)
    assert caught.value.parameters == {"model": ENTRY.title, "licence": "CC BY-NC 4.0"}
    assert not (tmp_path / "no folder yet").exists()


def test_an_agreement_is_remembered_for_that_licence_only(tmp_path: Path) -> None:
    Agreements(tmp_path / "数据").agree(THA4_LICENCE)
    again = Agreements(tmp_path / "数据")
    again.require(ENTRY)
    assert again.has(THA4_LICENCE)
    assert not again.has(THA3_LICENCE)
    again.agree(THA3_LICENCE)
    assert again.has(THA4_LICENCE) and again.has(THA3_LICENCE)
    assert [path.name for path in (tmp_path / "数据").iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("change", [{"text": "All rights reserved."}, {"name": "MIT"}, {"url": "https://example.org"}])
def test_a_changed_text_is_a_new_question(tmp_path: Path, change: dict[str, str]) -> None:
    agreements = Agreements(tmp_path)
    agreements.agree(THA4_LICENCE)
    changed = replace(THA4_LICENCE, **change)
    assert not agreements.has(changed)
    agreements.agree(changed)
    assert agreements.has(changed)
    assert not agreements.has(THA4_LICENCE)


def test_what_else_stands_in_the_file_stays(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"newer": [1], "agreed": {"other": {"x": 1}}}', encoding="utf-8")
    Agreements(tmp_path).agree(THA4_LICENCE)
    content = json.loads((tmp_path / FILE_NAME).read_text(encoding="utf-8"))
    assert content["newer"] == [1]
    assert content["agreed"]["other"] == {"x": 1}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"agreed": []}', '{"agreed": {"tha4": "yes"}}'])
def test_a_damaged_file_means_no_and_is_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")
    agreements = Agreements(tmp_path)
    assert not agreements.has(THA4_LICENCE)
    agreements.agree(THA4_LICENCE)
    assert agreements.has(THA4_LICENCE)
    kept = tmp_path / f"{FILE_NAME}.damaged"
    assert kept.exists() is not text.startswith('{"')
    if kept.exists():
        assert kept.read_text(encoding="utf-8") == text
