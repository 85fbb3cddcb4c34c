"""``test --windows``: which tests are chosen and shared out how, how results are counted, how parts are kept."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.install.problem import InstallProblem
from core.install.windows import suite as windows_suite
from core.wire.folders import PROJECT
from tests.windows import selection
from tests.windows.machine import packages, parts, suite
from tests.windows.machine.directml import SUITE_FILES
from tests.windows.machine.libraries import complex_functions
from tests.windows.machine.machine import windows_path
from tests.windows.machine.problem import SetUpFailed
from tests.windows.machine.tally import read_results, tally
from tests.windows.selection import CANNOT, SAYS_NOTHING, WINE_DIFFERS, reason_to_leave_out

TABLES = [CANNOT, WINE_DIFFERS, SAYS_NOTHING]


# -- the verb ---------------------------------------------------------------------------------------------------------


def test_the_switch_is_taken_out_and_the_rest_goes_on() -> None:
    assert windows_suite.wanted(["-k", "ring", "--windows", "-x"]) == (True, ["-k", "ring", "-x"])
    assert windows_suite.wanted(["-k", "ring"]) == (False, ["-k", "ring"])


@pytest.mark.parametrize("system", ["darwin", "freebsd14"])
def test_a_system_without_wine_is_told_what_to_do(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(InstallProblem, match="Linux"):
        windows_suite.check_system()


def test_a_linux_without_apt_is_told_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(InstallProblem, match="mingw-w64"):
        windows_suite.check_system()


def test_consent_given_once_is_passed_on() -> None:
    assert windows_suite.command("python", ["-x"], True) == ["python", "-m", "tests.windows.machine", "--yes", "-x"]
    assert (PROJECT / "tests" / "windows" / "machine" / "__main__.py").is_file()


# -- the selection ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_every_entry_names_tests_that_exist_and_has_a_reason(table: dict[str, str]) -> None:
    for beginning, reason in table.items():
        file, _, test = beginning.partition("::")
        assert (PROJECT / file).exists(), beginning
        assert len(reason) > 20, beginning
        if test and "*" not in test:
            assert f"def {test.partition('[')[0]}" in (PROJECT / file).read_text(encoding="utf-8"), beginning


def test_what_touches_the_system_always_runs() -> None:
    for name in ("ring", "settings", "launcher", "udp", "tcp", "folders", "recording", "onnxruntime_session", "codecs"):
        file = f"tests/unit/test_{name}.py"
        assert (PROJECT / file).is_file()
        assert reason_to_leave_out(f"{file}::test_x", wine=True, quick=True) is None
    for file in ("contract/test_publishers.py", "crash/test_worker_process.py", "crash/test_engine.py"):
        assert reason_to_leave_out(f"tests/{file}::test_x", wine=True, quick=True) is None


def test_wines_own_ways_count_under_wine_only_and_quick_ones_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "CANNOT", {"a.py": "never"})
    monkeypatch.setattr(selection, "WINE_DIFFERS", {"b.py::*[wine]": "wine"})
    monkeypatch.setattr(selection, "SAYS_NOTHING", {"c.py": "numbers", "a.py": "numbers"})
    for name, wine, quick, reason in [
        ("a.py::x", False, False, "never"), ("a.py::x", True, True, "never"),
        ("b.py::x[wine]", True, False, "wine"), ("b.py::x[wine]", False, True, None), ("b.py::x", True, True, None),
        ("c.py::x", True, False, None), ("c.py::x", False, True, "numbers"), ("d.py::x", True, True, None),
    ]:  # fmt: skip
        assert reason_to_leave_out(name, wine=wine, quick=quick) == reason


# -- shares -----------------------------------------------------------------------------------------------------------


def test_every_file_is_in_exactly_one_share_and_long_ones_are_spread() -> None:
    seconds = {"a": 90.0, "b": 50.0, "c": 40.0, "d": 5.0}
    shares = suite.split("dcba", 2, seconds)
    assert sorted(file for share in shares for file in share) == ["a", "b", "c", "d"]
    assert sorted(sum(seconds[file] for file in share) for share in shares) == [90.0, 95.0]


def test_no_share_is_empty() -> None:
    assert suite.split(["a"], 4, {}) == [["a"]]


FAR, NEAR = "tests/windows/test_directml.py", "tests/unit/test_ring.py"


@pytest.mark.parametrize(("named", "far_too", "near", "far"), [
    ([NEAR], True, [[NEAR]], []),
    ([FAR], True, [], [FAR]),
    ([FAR], False, [[FAR]], []),
    ([NEAR, f"{FAR}::test_the_registry_lists_it"], True, [[NEAR]], [f"{FAR}::test_the_registry_lists_it"]),
])  # fmt: skip
def test_what_is_named_runs_once_and_where_it_can(
    named: list[str], far_too: bool, near: list[list[str]], far: list[str]
) -> None:
    assert suite._share_out(named, far_too, {}) == (near, far)


def test_without_a_name_everything_runs_and_directml_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    shares, far = suite._share_out([], True, {})
    assert len(shares) == 3 and sorted(file for share in shares for file in share) == suite.test_files()
    assert tuple(far) == SUITE_FILES
    assert suite._share_out([], False, {})[1] == []


def test_all_files_with_tests_are_found() -> None:
    found = suite.test_files()
    assert "tests/unit/test_windows_suite.py" in found and "tests/obs/test_harness.py" in found
    assert len(found) == len(set(found)) > 100


def test_known_durations_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    assert suite.known_durations(tmp_path) == {}
    (tmp_path / "durations.json").write_text("[1]", encoding="utf-8")
    assert suite.known_durations(tmp_path) == {}


# -- results ----------------------------------------------------------------------------------------------------------

RESULTS = """<testsuites><testsuite>
<testcase classname="tests.unit.test_a" name="one" time="1.5"/>
<testcase classname="tests.unit.test_a.Class" name="two" time="0.5"><failure message="x"/></testcase>
<testcase classname="tests.unit.test_b" name="three" time="1"/>
<testcase classname="tests.unit.test_b" name="three" time="1"><error message="left a thread"/></testcase>
<testcase classname="tests.unit.test_b" name="four" time="0"><skipped message="no 0x1f here"/></testcase>
<testcase classname="tests.unit.test_b" name="five" time="0"><skipped type="pytest.skip" message=""/></testcase>
<testcase classname="tests.unit.test_b" name="six" time="0"><skipped message="unconditional skip"/></testcase>
</testsuite></testsuites>"""


def test_results_are_counted_once_and_skips_by_their_reasons(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(RESULTS, encoding="utf-8")
    results = read_results(tmp_path.glob("*.xml"))
    total = tally(results)
    assert total.run == 3
    assert total.failed == ["tests.unit.test_a.Class::two", "tests.unit.test_b::three"]
    assert total.reasons == {"no 0x... here": 1}
    assert total.without_reason == ["tests.unit.test_b::five", "tests.unit.test_b::six"]
    assert results.seconds == {"tests/unit/test_a.py": 2.0, "tests/unit/test_b.py": 2.0}
    assert total.as_json() == {
        "tests_run": 3, "tests_failed": 2, "tests_skipped": 3, "reasons": {"no 0x... here": 1}, "failed": total.failed,
    }  # fmt: skip


def test_a_test_that_is_skipped_in_one_place_and_runs_in_another_did_run(tmp_path: Path) -> None:
    case = '<testsuite><testcase classname="tests.test_a" name="one" time="1">{}</testcase></testsuite>'
    (tmp_path / "1.xml").write_text(case.format(""), encoding="utf-8")
    (tmp_path / "2.xml").write_text(case.format('<skipped message="no card"/>'), encoding="utf-8")
    total = tally(read_results(tmp_path.glob("*.xml")))
    assert (total.run, total.reasons) == (1, {})


def test_results_that_were_cut_off_are_a_failure(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(RESULTS[:200], encoding="utf-8")
    assert tally(read_results(tmp_path.glob("*.xml"))).failed == ["a.xml"]


# -- the machine ------------------------------------------------------------------------------------------------------


def test_requirements_are_read_as_windows_reads_them() -> None:
    assert packages.applies("numpy==2")
    assert packages.applies('a==1; sys_platform == "win32"') and packages.applies("a==1; sys_platform != 'linux'")
    assert not packages.applies('a==1; sys_platform == "linux"')
    assert not packages.applies('a==1; sys_platform != "win32"')
    with pytest.raises(SetUpFailed, match="python_version"):
        packages.applies('a==1; python_version < "3"')
    names = {line.partition("==")[0] for line in packages.requirements()}
    assert {"onnxruntime-directml", "SpoutGL", "pytest", "psutil"} <= names
    assert not names & {"onnxruntime", "ruff", "mypy"}


def test_a_part_is_made_once_for_what_it_depends_on(tmp_path: Path) -> None:
    built: list[Path] = []

    def build(folder: Path) -> None:
        built.append(folder)
        (folder / "file").touch()

    first = parts.made(tmp_path, "part", "1", build)
    assert (parts.made(tmp_path, "part", "1", build), len(built)) == (first, 1)
    assert parts.made(tmp_path, "part", "2", build) != first
    assert (first / "file").is_file(), "another checkout may be at work with it"


def test_a_part_whose_making_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    def cut_off(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parts.made(tmp_path, "part", "1", cut_off)
    assert not parts.is_made(tmp_path, "part", "1")
    assert list(parts.made(tmp_path, "part", "1", lambda folder: None).glob("half")) == []


def test_a_parts_key_changes_with_the_content_of_its_files(tmp_path: Path) -> None:
    file = tmp_path / "source.c"
    file.write_text("one", encoding="utf-8")
    before = parts.digest(file, ["a", "b"])
    assert parts.digest(file, ["a", "b"]) == before != parts.digest(file, ["ab"])
    file.write_text("two", encoding="utf-8")
    assert parts.digest(file, ["a", "b"]) != before


def test_what_numpy_asks_of_the_c_library_is_there() -> None:
    assert {"crealf", "cimag", "cabs", "cpowf", "csqrtl", "cexpf"} <= complex_functions()


def test_windows_sees_the_root_folder_as_a_drive() -> None:
    assert windows_path(Path("/tmp/用户/x y")).replace("/", "\\") == "Z:\\tmp\\用户\\x y"
