"""Words: in the user's language, else in English, and never an exception."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.obs import translate
from core.obs.translate import Translator, language_of
from core.wire.errors import InputUnavailable, OutputUnavailable, PortInUse


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """English and Japanese, very small."""
    (tmp_path / "en.json").write_text(
        json.dumps({"hello": "Hello {name}", "only.english": "here", "odd": "{0} {name!z} {"}), encoding="utf-8"
    )
    (tmp_path / "ja.json").write_text(json.dumps({"hello": "やあ {name}"}), encoding="utf-8")
    monkeypatch.setattr(translate, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "locale,language",
    [
        ("en-US", "en"), ("zh-CN", "zh"), ("zh-TW", "zh"), ("ja-JP", "ja"), ("ja_JP", "ja"), ("JA", "ja"),
        ("de-DE", "en"), ("", "en"), (None, "en"), ("-", "en"),
    ],
)  # fmt: skip
def test_obss_locale_is_one_of_our_languages_or_english(locale: str, language: str) -> None:
    assert language_of(locale) == language


def test_the_users_language_comes_first(tables: Path) -> None:
    assert Translator("ja")("hello", name="Nocti") == "やあ Nocti"


def test_what_the_language_lacks_is_said_in_english(tables: Path) -> None:
    assert Translator("ja")("only.english") == "here"


def test_a_key_that_is_nowhere_is_shown_as_it_is(tables: Path) -> None:
    assert Translator("ja")("nobody.knows") == "nobody.knows"


def test_a_missing_value_is_a_question_mark(tables: Path) -> None:
    assert Translator("en")("hello") == "Hello ?"


def test_a_damaged_placeholder_shows_the_text_as_it_is(tables: Path) -> None:
    assert Translator("en")("odd", name="x") == "{0} {name!z} {"


@pytest.mark.parametrize("content", ["{", "", "[1]", "7", '"text"', "\xff"])
def test_a_damaged_table_leaves_english(tables: Path, content: str) -> None:
    (tables / "ja.json").write_bytes(content.encode("latin-1"))
    assert Translator("ja")("hello", name="Nocti") == "Hello Nocti"


def test_without_any_table_the_keys_are_shown(tables: Path) -> None:
    for file in tables.iterdir():
        file.unlink()
    assert Translator("ja")("hello") == "hello"


def test_has_knows_both_tables(tables: Path) -> None:
    say = Translator("ja")
    assert [say.has("hello"), say.has("only.english"), say.has("nobody.knows")] == [True, True, False]


def test_an_error_is_a_sentence_with_its_values() -> None:
    text = Translator("en").error(PortInUse(port=11573, tracker="openseeface"))
    assert "11573" in text
    assert "{" not in text


def test_names_that_travel_as_keys_are_shown_as_words() -> None:
    say = Translator("en")
    assert say("setting.tracker.choice.openseeface") in say.error(PortInUse(port=1, tracker="openseeface"))
    text = say.error(OutputUnavailable(output="virtual_camera", reason="no_camera_driver"))
    assert say("setting.output.choice.virtual_camera") in text
    assert say("reason.no_camera_driver") in text


def test_a_reason_that_is_no_key_is_shown_as_it_came() -> None:
    assert "moon phase" in Translator("en").error(InputUnavailable(tracker="webcam", reason="moon phase"))


@pytest.mark.parametrize("language", translate.LANGUAGES)
def test_every_language_fills_placeholders_with_values_of_the_same_names(language: str) -> None:
    if not (translate.FOLDER / f"{language}.json").exists():
        pytest.skip("not translated yet")
    base, table = translate.read_table(translate.BASE), translate.read_table(language)
    assert set(table) <= set(base)
    for key, text in table.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", base[key])), key


@given(st.text(), st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3))
def test_no_text_whatever_raises(text: str, values: Dict[str, str]) -> None:
    assert isinstance(translate._fill(text, values), str)
