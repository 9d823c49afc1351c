"""`make` on machines that are not ready: one line that says what to install."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.source import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def _make(folder: Path, python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    # as a person calls it, also where these tests themselves run under make
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(
        ["make", f"PYTHON={python}", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def _fake_python(folder: Path, body: str) -> str:
    path = folder / "fake-python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_make_alone_lists_its_targets(tmp_path: Path) -> None:
    done = _make(tmp_path, "python3")
    assert done.returncode == 0
    for target in ("demo", "test", "check", "outside", "lint", "bench", "notebooks"):
        assert f"make {target} " in done.stdout


def test_no_python_at_all(tmp_path: Path) -> None:
    done = _make(tmp_path, "no-such-python", "demo")
    assert done.returncode != 0
    assert len(done.stdout.strip().splitlines()) == 1
    assert "install" in done.stdout


def test_python_too_old(tmp_path: Path) -> None:
    old = _fake_python(tmp_path, 'case "$1" in -V) echo "Python 3.9.2";; *) exit 1;; esac')
    done = _make(tmp_path, old, "test")
    assert done.returncode != 0
    assert len(done.stdout.strip().splitlines()) == 1
    assert "3.11 or newer" in done.stdout and "Python 3.9.2" in done.stdout


def test_python_without_ensurepip(tmp_path: Path) -> None:
    bare = _fake_python(tmp_path, 'case "$2" in *ensurepip*) exit 1;; esac')
    done = _make(tmp_path, bare, "demo")
    assert done.returncode != 0
    assert len(done.stdout.strip().splitlines()) == 1
    assert "python3-venv" in done.stdout


def test_byte_code_is_written(tmp_path: Path) -> None:
    """Without it every import takes three to four times as long."""
    (tmp_path / "extra.mk").write_text("include Makefile\nshow:\n\t@echo value=$$PYTHONDONTWRITEBYTECODE\n")
    assert _make(tmp_path, "python3", "-f", "extra.mk", "show").stdout.strip() == "value="


def test_the_seed_that_is_printed_is_the_seed_that_is_used(tmp_path: Path) -> None:
    """Drawn once for all commands of a run, so that a failure of `make check` is repeated by the seed it printed."""
    (tmp_path / "extra.mk").write_text("include Makefile\nshow:\n\t@echo $(SEED)\n\t@echo $(SEED)\n")
    first, second = _make(tmp_path, "python3", "-f", "extra.mk", "show").stdout.split()
    assert first == second and first.isdigit()
    assert _make(tmp_path, "python3", "-f", "extra.mk", "show", "SEED=5").stdout.split() == ["5", "5"]


@pytest.mark.parametrize("target", ["check", "outside"])
def test_what_draws_examples_prints_its_seed_and_takes_one(tmp_path: Path, target: str) -> None:
    (tmp_path / "tests/outside").mkdir(parents=True)
    shutil.copy(ROOT / "tests/outside/requirements.txt", tmp_path / "tests/outside/requirements.txt")
    done = _make(tmp_path, "python3", "-n", target, "SEED=5")
    assert done.returncode == 0, done.stderr
    assert "SEED=5" in done.stdout and "--hypothesis-seed=5" in done.stdout
