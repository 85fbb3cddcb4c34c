"""Which files of the project go to users."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.install.bundle.product import belongs, product_files
from core.install.problem import InstallProblem
from core.wire.folders import PROJECT

from .bundle_pieces import write_project

EXPECTED = {
    "LICENSE", "README.md", "install.bat", "uninstall.bat", "install_plugin.py", "obs_easyvtuber.py",
    "requirements.txt", "requirements-nvidia.txt",
    "core/wire/version.py", "models/family.py", "docs/settings.md", "characters/README.md",
    "characters/nocti/character.png",
}  # fmt: skip


def test_without_git_a_table_says_what_belongs_in(tmp_path: Path) -> None:
    assert set(product_files(write_project(tmp_path))) == EXPECTED


def test_with_git_only_what_it_knows_goes_in(tmp_path: Path) -> None:
    write_project(tmp_path)
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("models/weights/\n__pycache__/\n", encoding="ascii")
    git(tmp_path, "add", ".")
    (tmp_path / "core" / "private.py").write_text("", encoding="ascii")
    assert set(product_files(tmp_path)) == EXPECTED


def test_a_file_that_git_knows_and_that_is_gone_is_named(tmp_path: Path) -> None:
    write_project(tmp_path)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    (tmp_path / "models" / "family.py").unlink()
    with pytest.raises(InstallProblem, match=r"family\.py belongs into the bundle"):
        product_files(tmp_path)


@pytest.mark.parametrize("name", ["install.bat", "LICENSE", "obs_easyvtuber.py", "requirements.txt"])
def test_what_every_user_needs_must_be_there(tmp_path: Path, name: str) -> None:
    (write_project(tmp_path) / name).unlink()
    with pytest.raises(InstallProblem, match="belongs into the bundle") as caught:
        product_files(tmp_path)
    assert name in str(caught.value)


def test_lines_end_the_same_way_whatever_system_the_checkout_lies_on(tmp_path: Path) -> None:
    files = product_files(write_project(tmp_path))
    assert files["README.md"] == b"# EasyVtuber\n"
    assert files["install.bat"] == b"@echo off\r\n"
    (tmp_path / "install.bat").write_bytes(b"@echo off\r\n")
    assert product_files(tmp_path)["install.bat"] == b"@echo off\r\n"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_among_the_files_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("password", encoding="ascii")
    project = write_project(tmp_path / "project")
    (project / "core" / "linked.py").symlink_to(secret)
    with pytest.raises(InstallProblem, match="is a link"):
        product_files(project)


def test_all_of_our_program_is_in_the_table() -> None:
    """A new folder or kind of file would otherwise be missing at the users'."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    at_users = ("obs_easyvtuber.py", "install_plugin.py", "requirements", "core/", "accel/", "models/", "trackers/")
    ours = [name for name in listed.stdout.decode().split("\0") if name.startswith(at_users)]
    also = {name for name in ours if name.startswith("requirements")}
    assert len(ours) > 300
    assert not [name for name in ours if not belongs(name) and name not in also]


def git(folder: Path, *arguments: str) -> None:
    try:
        subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True)
    except OSError:
        pytest.skip("git is not installed")
