"""Which lines of a requirements file Windows needs, and which no bundle can be made of."""

from __future__ import annotations

import pytest

from core.install import environment
from core.install.bundle.pins import Pin, pin_of, windows_pins
from core.install.problem import InstallProblem


def test_markers_are_judged_for_windows_wherever_this_runs() -> None:
    lines = ["a==1", 'b==2; sys_platform == "win32"', "c==3; sys_platform != 'win32'", 'd==4;sys_platform=="linux"']
    assert windows_pins(lines) == [Pin("a", "1"), Pin("b", "2")]


def test_names_are_compared_as_every_tool_compares_them() -> None:
    assert pin_of("ML_Dtypes == 0.6.0 ; python_version > '3'") == Pin("ML_Dtypes", "0.6.0")
    assert Pin("ML_Dtypes", "0.6.0").key == Pin("ml.dtypes", "0.6.0").key == "ml-dtypes==0.6.0"


@pytest.mark.parametrize("line", ["a>=1", "a", "a @ file:///x", "a==1; python_version < '3.12'"])
def test_what_is_open_or_not_understood_is_refused_by_name(line: str) -> None:
    with pytest.raises(InstallProblem) as caught:
        windows_pins([line])
    assert line in str(caught.value)


def test_our_own_requirements_can_be_bundled() -> None:
    names = [pin.name for pin in windows_pins(environment.read_requirements(environment.WORKER_REQUIREMENTS))]
    assert "onnxruntime-directml" in names
    assert "SpoutGL" in names
    assert "onnxruntime" not in names
