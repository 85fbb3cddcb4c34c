"""The error tree: drawn, coded, and the same on both sides of the pipe."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Optional, Type

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.obs.translate import read_table
from core.wire import errors
from core.wire.errors import ERRORS_BY_CODE, EasyVtuberError, PortInUse

Drawn = Dict[str, "tuple[Optional[str], Optional[str]]"]

CODES = sorted(ERRORS_BY_CODE)
PARAMETERS = st.dictionaries(st.text(max_size=10), st.text(max_size=20) | st.integers() | st.floats(allow_nan=False))


def drawn() -> Drawn:
    """Class name to (parent's name, code) as the docstring draws them."""
    found: Drawn = {}
    above: List[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ((?:[| ]  )*)([|`]- )?(\w+)(?: +([a-z_]+))?(?:  .*)?$", line)
        if match is None:
            continue
        depth = len(match.group(1)) // 3 + 1 if match.group(2) else 0
        del above[depth:]
        found[match.group(3)] = (above[-1] if above else None, match.group(4))
        above.append(match.group(3))
    return found


def defined() -> Drawn:
    found: Drawn = {}

    def visit(kind: Type[EasyVtuberError], parent: Optional[str]) -> None:
        found[kind.__name__] = (parent, kind.__dict__.get("code"))
        for child in kind.__subclasses__():
            visit(child, kind.__name__)

    visit(EasyVtuberError, None)
    return found


def drawn_parameters(kind: Type[EasyVtuberError]) -> List[str]:
    match = re.search(rf"\b{kind.__name__} +{kind.code}(?: +(.+))?$", errors.__doc__ or "", re.MULTILINE)
    assert match is not None
    return [name.strip() for name in (match.group(1) or "").split(",") if name.strip()]


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    assert drawn() == defined()


def test_no_two_errors_share_a_code() -> None:
    codes = [code for _, code in defined().values() if code is not None]
    assert len(codes) == len(set(codes))


def test_every_coded_class_is_found_by_its_code() -> None:
    assert {kind.__name__: code for code, kind in ERRORS_BY_CODE.items()} == {
        name: code for name, (_, code) in defined().items() if code is not None
    }


@pytest.mark.parametrize("code", CODES)
def test_every_error_has_a_sentence_for_the_user(code: str) -> None:
    assert read_table("en")[f"error.{code}"].endswith(".")


@pytest.mark.parametrize("code", CODES)
def test_a_sentence_uses_only_the_parameters_its_error_has(code: str) -> None:
    placeholders = set(re.findall(r"{(\w+)}", read_table("en")[f"error.{code}"]))
    assert placeholders <= set(drawn_parameters(ERRORS_BY_CODE[code]))


@pytest.mark.parametrize("code", CODES)
def test_an_error_crosses_the_pipe_whole(code: str) -> None:
    error = ERRORS_BY_CODE[code]("why, for the log", port=11573, tracker="openseeface", seconds=0.5)
    arrived = EasyVtuberError.from_message(json.loads(json.dumps(error.as_message())))
    assert type(arrived) is type(error)
    assert (arrived.parameters, arrived.detail, str(arrived)) == (error.parameters, error.detail, str(error))


def test_an_error_prints_its_code_its_parameters_and_its_detail() -> None:
    assert str(PortInUse("errno 98", port=1)) == "port_in_use(port=1): errno 98"


def test_an_unknown_code_of_a_newer_peer_keeps_its_text() -> None:
    arrived = EasyVtuberError.from_message({"code": "black_hole", "detail": "too near", "parameters": {"mass": 3}})
    assert (arrived.code, arrived.detail, arrived.parameters) == ("internal", "black_hole: too near", {"mass": 3})


def test_an_error_can_carry_a_parameter_called_like_our_own_words() -> None:
    arrived = EasyVtuberError.from_message({"code": "port_in_use", "parameters": {"detail": "x", "self": "y"}})
    assert arrived.parameters == {"detail": "x", "self": "y"}


@pytest.mark.parametrize("parameters", [None, [], "port", {"port": [1]}, {"port": None}])
def test_odd_parameters_are_made_plain_and_never_raise(parameters: Any) -> None:
    arrived = EasyVtuberError.from_message({"code": "port_in_use", "parameters": parameters})
    assert all(isinstance(value, (str, int, float)) for value in arrived.parameters.values())


def test_a_long_detail_is_cut_so_that_the_line_fits_the_pipe() -> None:
    assert len(PortInUse("x" * 100_000).as_message()["detail"]) == 2000


@given(st.text(max_size=20), st.text(max_size=50), PARAMETERS)
def test_any_message_becomes_an_error_that_can_be_shown(code: str, detail: str, parameters: Dict[str, Any]) -> None:
    arrived = EasyVtuberError.from_message({"code": code, "detail": detail, "parameters": parameters})
    assert arrived.parameters == parameters
    assert str(arrived)
