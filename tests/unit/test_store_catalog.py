"""The catalogue: complete, consistent, and true to the files that could be checked."""

from __future__ import annotations

import ast
import hashlib
import json
import re

import pytest

from core.wire.folders import PROJECT
from models.store import catalog, words
from models.store.catalog import CATALOGUE, FIRST_PACKAGE
from models.store.entry import Entry, Root, StoredFile
from models.store.layout import STUDENT_FILES, place_of
from models.store.transport import address_problem
from tests.data import data

FILES = [(entry, file) for entry in CATALOGUE for file in entry.files]
STORE = PROJECT / "models" / "store"


def name_of(value: object) -> str | None:
    return value.key if isinstance(value, Entry) else value.place.path if isinstance(value, StoredFile) else None


def test_keys_and_places_are_there_once() -> None:
    keys = [entry.key for entry in CATALOGUE]
    places = [(file.place.root, file.place.path) for _, file in FILES]
    assert len(set(keys)) == len(keys)
    assert len(set(places)) == len(places)
    assert all(re.fullmatch(r"[a-z0-9_]+", key) for key in keys)
    assert [catalog.entry(key) for key in keys] == list(CATALOGUE)
    assert catalog.entry("gone") is None


def test_every_family_is_there() -> None:
    families = {entry.family for entry in CATALOGUE}
    assert families == {"tha3", "tha4", "tha4_student", "rife", "upscale", "face_landmarker"}


@pytest.mark.parametrize(("entry", "file"), FILES, ids=name_of)
def test_a_file_has_one_way_to_come(entry: Entry, file: StoredFile) -> None:
    ways = [bool(file.url), entry.archive is not None, entry.by_hand is not None]
    assert sum(ways) == 1
    assert file.place == place_of(file.place.path, file.place.root)
    assert all(address_problem(address) == "" for address in file.addresses)
    if entry.archive is not None:
        assert file.place.path in entry.archive.members.values()
    assert re.fullmatch(r"[0-9a-f]{64}|", file.sha256)
    assert (file.byte_count > 0) is bool(file.sha256)


@pytest.mark.parametrize("entry", CATALOGUE, ids=name_of)
def test_an_entry_is_of_one_family_and_explains_itself(entry: Entry) -> None:
    assert entry.title
    assert entry.import_only is (entry.by_hand is not None)
    roots = {file.place.root for file in entry.files}
    assert len(roots) == 1
    assert (roots == {Root.CHARACTERS}) is entry.key.startswith("student_")
    for file in entry.files:
        assert file.place.contract.split(".")[0] in (entry.family, "character")


def test_the_first_package_is_where_it_is() -> None:
    assert address_problem(FIRST_PACKAGE.url) == ""
    assert len(FIRST_PACKAGE.members) == 38
    assert sum(len(entry.files) for entry in CATALOGUE if entry.archive is FIRST_PACKAGE) == 30


def test_a_student_is_listed_among_the_characters_only_when_complete() -> None:
    for entry in CATALOGUE:
        if entry.key.startswith("student_"):
            assert tuple(file.place.name for file in entry.files) == STUDENT_FILES
            assert STUDENT_FILES[-1] == "character.png"
            assert all(re.search(r"/[0-9a-f]{40}/", file.url) for file in entry.files), "pinned by a commit"


def test_licences_are_told_apart_by_their_texts() -> None:
    licences = catalog.licences()
    assert len({licence.key for licence in licences}) == len(licences) == 6
    assert len({licence.digest for licence in licences}) == len(licences)
    assert all(len(licence.text) > 60 and address_problem(licence.url) == "" for licence in licences)
    assert all(entry.licence in licences for entry in CATALOGUE)
    assert catalog.THA4_LICENCE.name == "CC BY-NC 4.0"
    assert catalog.THA3_LICENCE.name == "CC BY 4.0"


@pytest.mark.parametrize("name", STUDENT_FILES)
def test_the_examples_hashes_are_those_of_the_real_files(name: str) -> None:
    path = data(f"models/tha4_student/lambda_00/{name}")
    entry = catalog.entry("student_lambda_00")
    assert entry is not None
    (file,) = (file for file in entry.files if file.place.name == name)
    content = path.read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (file.byte_count, file.sha256)


def test_the_landmarkers_hash_is_that_of_the_real_file() -> None:
    content = data("mediapipe/face_landmarker.task").read_bytes()
    entry = catalog.entry("face_landmarker")
    assert entry is not None
    assert (len(content), hashlib.sha256(content).hexdigest()) == (entry.files[0].byte_count, entry.files[0].sha256)


def _keys(node: ast.AST | None) -> set[str]:
    """The words in snake case that an expression can be."""
    leaves = (leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant)) if node else ()
    return {leaf for leaf in leaves if isinstance(leaf, str) and re.fullmatch(r"[a-z_]{4,}", leaf)} - {"reason"}


def _reasons() -> set[str]:
    """Every reason that stands in the store's code."""
    found: set[str] = set()
    argument = {"FetchFailed": 0, "Skipped": 1, "Damaged": 2}
    for path in sorted(STORE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "reason":
                found |= _keys(node.value)
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("refused", "reason", "problem"):
                found |= _keys(node.value) if not isinstance(node.value, ast.Call) else set()
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in argument:
                found |= _keys(node.args[argument[ast.unparse(node.func)]])
            elif isinstance(node, ast.Return) and path.name == "check.py" and not isinstance(node.value, ast.Call):
                found |= _keys(node.value)
    return found


def test_every_reason_has_words() -> None:
    reasons = _reasons()
    assert reasons == set(words.REASONS)


def test_words_are_clauses() -> None:
    for clause in words.REASONS.values():
        assert clause[0].islower() and not clause.endswith(".")


def test_the_catalogue_can_be_written_down() -> None:
    assert json.dumps(dict(FIRST_PACKAGE.members))
