"""Networks in a bundle: only those that may be passed on, whole, with the words their licences ask for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from core.install.bundle.models import chosen_models
from core.install.problem import InstallProblem
from models.store import catalog, passing_on
from models.store.notices import NOTICES, WITHHELD
from models.store.passing_on import NotPassedOn, passed_on, refusal
from models.store.places import Places
from models.store.store import Store

from .store_server import onnx, places_in


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path)


def put(places: Places, key: str) -> None:
    entry = catalog.entry(key)
    assert entry is not None
    for file in entry.files:
        path = places.path(file.place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(onnx(file.place.path, 500))


def test_every_licence_of_the_catalogue_was_looked_up() -> None:
    for licence in catalog.licences():
        assert (licence.key in NOTICES) != (licence.key in WITHHELD), licence.key
    assert not [licence.name for licence in catalog.licences() if "NC" in licence.name and licence.key in NOTICES]


def test_what_goes_in_lies_where_the_program_looks_for_it(places: Places) -> None:
    put(places, "rife_fp16")
    (found,) = passed_on(["rife_fp16", "rife_fp16"], Store(places))
    files = found["files"]
    assert isinstance(files, list)
    assert files[0][0] == "models/weights/rife/rife_x2_fp16.onnx"
    assert Path(files[0][1]).is_file()
    assert "Copyright (c) 2021 hzwer" in str(found["notice"])


@pytest.mark.parametrize("key", ["tha4_fp16", "student_lambda_00", "tha4_student"])
def test_what_may_not_be_used_for_money_is_refused_even_when_it_is_here(places: Places, key: str) -> None:
    put(places, key)
    with pytest.raises(NotPassedOn, match=r"CC BY-NC 4\.0.*earn money"):
        passed_on([key], Store(places))


def test_a_licence_that_nobody_looked_up_counts_as_not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = catalog.entry("rife_fp16")
    assert entry is not None
    monkeypatch.delitem(NOTICES, "rife")
    assert "nobody has looked up" in str(refusal(entry))


def test_what_is_not_here_or_damaged_is_told_with_the_command_that_gets_it(places: Places) -> None:
    with pytest.raises(NotPassedOn, match="models get rife_fp16"):
        passed_on(["rife_fp16"], Store(places))
    put(places, "rife_fp16")
    places.path(catalog.CATALOGUE[0].files[0].place).parent.mkdir(parents=True, exist_ok=True)
    (places.weights / "rife" / "rife_x2_fp16.onnx").write_bytes(b"<html>")
    with pytest.raises(NotPassedOn, match="not here or not whole"):
        passed_on(["rife_fp16"], Store(places))


def test_an_unknown_key_is_answered_with_the_known_ones(places: Places) -> None:
    with pytest.raises(NotPassedOn, match=r"no network called tha5.*tha3_seperable_fp16"):
        passed_on(["tha5"], Store(places))


def test_the_program_prints_a_list_or_a_sentence(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    put(places, "waifu2x_fp32")
    assert passing_on.main(["waifu2x_fp32"], Store(places)) == 0
    assert json.loads(capsys.readouterr().out)[0]["key"] == "waifu2x_fp32"
    assert passing_on.main(["tha4_fp16"], Store(places)) == 1
    told = capsys.readouterr()
    assert not told.out
    assert told.err.startswith("THA4, fp16 (CC BY-NC 4.0) does not go into a package for others")


def answer(code: int, out: str = "", err: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.CompletedProcess([], code, out.encode(), err.encode())


def test_the_installer_takes_over_the_list_and_the_sentence() -> None:
    entry = {"key": "k", "title": "t", "licence": "l", "address": "a", "notice": "n", "files": [["models/x", "/y"]]}
    (model,) = chosen_models(["k"], Path("python"), lambda command, limit_s: answer(0, json.dumps([entry])))
    assert (model.key, model.files) == ("k", [("models/x", Path("/y"))])
    assert chosen_models([], Path("python"), lambda command, limit_s: answer(1)) == []
    with pytest.raises(InstallProblem, match="not allowed"):
        chosen_models(["k"], Path("python"), lambda command, limit_s: answer(1, err="not allowed\n"))


@pytest.mark.parametrize("out", ["", "{}x", "[{}]", "[3]"])
def test_an_answer_of_another_shape_is_a_sentence(out: str) -> None:
    with pytest.raises(InstallProblem, match="answered with something else"):
        chosen_models(["k"], Path("python"), lambda command, limit_s: answer(0, out))
