"""The store's command line: what it says and what it answers."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.wire.errors import ERRORS_BY_CODE, ArchiveBad, CharacterMissing, DownloadFailed
from core.wire.folders import PROJECT
from models.store import catalog, words
from models.store.command_line import DONE, FAILED, INTERRUPTED, LICENCE, WRONG_CALL, Console, main
from models.store.store import Store

from .store_server import make_zip, onnx, places_in

WAIFU2X = "waifu2x/noise0_scale2x_fp16.onnx"


class Screen(io.StringIO):
    """A terminal."""

    encoding = "cp1252"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    (folder / "waifu2x").mkdir(parents=True)
    (folder / WAIFU2X).write_bytes(onnx())
    return folder


@pytest.fixture
def store(tmp_path: Path, mirror: Path) -> Store:
    """A store that never goes to the network."""
    return Store(places_in(tmp_path), {"EASYVTUBER_MIRROR": str(mirror), "EASYVTUBER_OFFLINE": "1"})


def test_the_list_tells_what_is_here(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "--yes", "waifu2x_fp16"], store) == DONE
    capsys.readouterr()
    assert main(["list"], store) == DONE
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert set(lines) == {entry.key for entry in catalog.CATALOGUE}
    assert "present" in lines["waifu2x_fp16"] and "MIT" in lines["waifu2x_fp16"]
    assert "absent" in lines["tha4_fp16"] and "import only" in lines["tha4_fp16"]


def test_get_shows_the_licence_once_and_needs_a_yes(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "waifu2x_fp16"], store) == LICENCE
    shown = capsys.readouterr()
    assert shown.out.count(catalog.WAIFU2X_LICENCE.text) == 1
    assert "--yes" in shown.err
    assert main(["get", "--yes", "waifu2x_fp16"], store) == DONE
    assert (store.places.weights / WAIFU2X).is_file()
    capsys.readouterr()
    assert main(["get", "waifu2x_fp16"], store) == DONE
    assert catalog.WAIFU2X_LICENCE.text not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "code"), [("y\n", DONE), ("Yes\n", DONE), ("n\n", LICENCE), ("\n", LICENCE), ("", LICENCE)]
)
def test_on_a_terminal_the_user_is_asked(store: Store, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    out, keyboard = Screen(), Screen(answer)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stdin", keyboard)
    assert main(["get", "waifu2x_fp16"], store) == code
    assert out.getvalue().count("Do you agree?") == 1


def test_what_cannot_be_fetched_is_one_sentence(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "--yes", "face_landmarker"], store) == FAILED
    assert capsys.readouterr().err == (
        '"mediapipe/face_landmarker.task" could not be downloaded: the network is switched off by EASYVTUBER_OFFLINE. '
        "What has come stays.\n"
    )


def test_what_comes_by_hand_only_is_explained(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "--yes", "tha4_fp16"], store) == FAILED
    assert catalog.NEWER_PACKAGE.url in capsys.readouterr().out


def test_details_are_told_to_those_who_ask(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise DownloadFailed("https://a: status 500", file="a", reason="server_error")

    monkeypatch.setattr(store, "get", fail)
    assert main(["get", "--yes", "rife_fp16"], store) == FAILED
    assert "status 500" not in capsys.readouterr().err
    assert main(["get", "--yes", "--verbose", "rife_fp16"], store) == FAILED
    assert "status 500" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("problem", "code"), [(OSError("no"), FAILED), (KeyboardInterrupt(), INTERRUPTED), (ArchiveBad(path="a"), FAILED)]
)
def test_no_way_to_end_shows_a_traceback(
    store: Store,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    problem: BaseException,
    code: int,
) -> None:
    def fail(*arguments: object) -> None:
        raise problem

    monkeypatch.setattr(store, "import_from", fail)
    assert main(["import", "a"], store) == code
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_import_tells_what_became_of_every_file(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "a.zip"
    editor = "tha3/standard/fp16/editor.onnx"
    members = {"x/tha3/standard/fp16/morpher.onnx": onnx(), "readme.txt": b"", "../" + editor: onnx()}
    package.write_bytes(make_zip(members))
    assert main(["import", str(package)], store) == DONE
    shown = capsys.readouterr().out
    assert f"new: {store.places.weights / 'tha3/standard/fp16/morpher.onnx'}" in shown
    assert f"left out: ../{editor} (its name leads out of the archive)" in shown
    assert "readme" not in shown
    assert "1 taken, 0 there already, 2 left out, 0 bad." in shown
    package.write_bytes(make_zip({editor: b"<html>", "tha3/standard/fp16/morpher.onnx": onnx("newer")}))
    assert main(["import", "--verbose", str(package)], store) == FAILED
    shown_again = capsys.readouterr()
    assert "(the one before: morpher.onnx.bak)" in shown_again.out
    assert f"bad: {editor} (it is no network; it should be tha3.editor)" in shown_again.err
    assert main(["import", str(tmp_path / "gone.zip")], store) == FAILED
    assert "there is no such file or folder" in capsys.readouterr().err


def test_check_looks_into_everything(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"], store) == DONE
    main(["get", "--yes", "waifu2x_fp16"], store)
    capsys.readouterr()
    assert main(["check", "--hash"], store) == DONE
    shown = capsys.readouterr().out
    assert f"{WAIFU2X}: good  " in shown
    assert len(shown.split("good  ")[1].split()[0]) == 64
    path = store.places.weights / WAIFU2X
    facts = path.stat()
    path.write_bytes(onnx().replace(b"\x08\x08", b"\x00\x08"))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert main(["check"], store) == FAILED
    assert f'"{WAIFU2X}" cannot be used: it is no network.' in capsys.readouterr().out


def test_check_holds_known_hashes_against_the_files(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = store.places.weights / "mediapipe" / "face_landmarker.task"
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(make_zip({"a": b"b"}))
    assert main(["check"], store) == FAILED
    assert "what came is not the file it should be" in capsys.readouterr().out


def test_licences_are_shown_with_what_they_are_for(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.agreements.agree(catalog.RIFE_LICENCE)
    assert main(["licences"], store) == DONE
    shown = capsys.readouterr().out
    assert shown.count("not agreed yet") == 5
    assert all(licence.text in shown for licence in catalog.licences())
    assert "rife_fp16, rife_fp32" in shown


@pytest.mark.parametrize("arguments", [[], ["get"], ["get", "nonsense"], ["import"], ["dance"], ["list", "--no"]])
def test_a_wrong_call_is_explained(store: Store, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments, store)
    assert caught.value.code == WRONG_CALL
    assert "usage" in capsys.readouterr().err


def test_the_progress_line_is_drawn_over_itself() -> None:
    out = Screen()
    console = Console(out, Screen())
    for fraction in (0.0, 0.001, 0.5, 1.0):
        assert console.progress("模型.onnx", fraction)
    console.say("done")
    assert out.getvalue() == "\r??.onnx   0 %\r??.onnx  50 %\r??.onnx 100 %\ndone\n"


def test_without_a_terminal_the_progress_is_a_line_now_and_then() -> None:
    out = io.StringIO()
    console = Console(out, io.StringIO())
    for _ in range(3):
        console.progress("a", 0.5)
    console.say("done")
    assert out.getvalue() == "a  50 %\ndone\n"


def test_every_error_of_the_store_has_a_sentence() -> None:
    values = {"file": "F", "reason": "stopped", "path": "P", "model": "M", "licence": "L"}
    for code in ("download_failed", "archive_bad", "model_file_bad", "model_missing", "licence_needed"):
        text = words.sentence(ERRORS_BY_CODE[code]("detail", **values))
        assert text.endswith(".")
        assert "detail" not in text and "stopped" not in text.replace("it was stopped", "")
    assert "character_missing" in words.sentence(CharacterMissing(character="a"))
    assert words.reason("newer_than_this") == "newer_than_this"


def run(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EASYVTUBER_HOME": str(home), "EASYVTUBER_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-m", "models.store", *arguments],
        cwd=PROJECT, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    listed = run("list", home=tmp_path)
    assert (listed.returncode, listed.stderr) == (DONE, "")
    assert "student_lambda_00" in listed.stdout
    refused = run("get", "face_landmarker", home=tmp_path)
    assert refused.returncode == LICENCE
    assert not (tmp_path / "weights").exists()


def test_it_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import models.store.__main__;"
        "print(sorted(name.split('.')[0] for name in sys.modules if 'site-packages' in"
        " str(getattr(sys.modules[name], '__file__', '') or '')))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", program, str(PROJECT)],
        capture_output=True, encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("[]", "", 0)


@pytest.mark.skipif(sys.platform == "win32", reason="the signal cannot be sent to one process there")
def test_interrupting_the_program_is_no_crash() -> None:
    program = (
        "import os, signal, sys, time; sys.path.insert(0, sys.argv[1]);"
        "from models.store import command_line, store;"
        # who starts the tests in the background has the signal ignored in all that they start
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        # the signal arrives when it likes
        "store.Store.import_from = lambda self, *rest: (os.kill(os.getpid(), signal.SIGINT), time.sleep(30));"
        "sys.exit(command_line.main(['import', 'a']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(PROJECT)], capture_output=True, encoding="utf-8", check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (INTERRUPTED, "Stopped. What has come stays.\n")
