"""Compiled kernels are kept and never stale; where they cannot be kept or made, everything works the same."""

from __future__ import annotations

import math
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cache.children import ONE_SPREAD, run
from vecbt.core import jit

PACKAGE = Path(__file__).resolve().parents[2] / "vecbt"
UNSET = ("VECBT_ENGINE", "VECBT_CACHE_DIR", "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")

pytestmark = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT", "").strip("0")), reason="is about compiled kernels")


@dataclass(frozen=True)
class Started:
    """A package, where its kernels are kept, and what its first start found."""

    package: Path
    environment: dict[str, str]
    found: dict[str, Any]


def _plain_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in UNSET}


def _start(package: Path, folder: Path) -> Started:
    environment = _plain_environment() | {"VECBT_CACHE_DIR": str(folder), "PYTHONPATH": str(package.parent)}
    found, _ = run(environment, cwd=package.parent)
    assert Path(found["package"]).parent == package
    return Started(package, environment, found)


def _copy(folder: Path) -> Path:
    shutil.copytree(PACKAGE, folder / "vecbt", ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "vecbt"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Started:
    """A copy of the package, which a test may edit, and its first start with nothing on disk: one indicator."""
    package = _copy(tmp_path_factory.mktemp("copy"))
    environment = _plain_environment() | {"VECBT_CACHE_DIR": str(package.parent / "kernels"), "PYTHONPATH": str(package.parent)}
    found, _ = run(environment, ONE_SPREAD, package.parent)
    return Started(package, environment, found)


@pytest.fixture(scope="module", params=["kept", pytest.param("nothing", marks=pytest.mark.slow)])
def first(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Started:
    """The first start of every entry point: with what other tests have compiled so far (a copy, which no other process writes to), or
    a copy of the package with nothing on disk, which compiles all of it."""
    folder = tmp_path_factory.mktemp("first")
    if request.param == "nothing":
        return _start(_copy(folder), folder / "kernels")
    kept = jit.cache_folder()
    if kept is not None:
        shutil.copytree(kept, folder / "kernels" / kept.parent.name / kept.name, ignore=shutil.ignore_patterns("*.tmp.*"))
    return _start(PACKAGE, folder / "kernels")


def test_a_start_with_nothing_on_disk_compiles_and_the_second_does_not(copy: Started) -> None:
    assert copy.found["misses"] > 0 and copy.found["hits"] == 0
    assert Path(copy.found["folder"]).is_relative_to(copy.environment["VECBT_CACHE_DIR"])
    again, _ = run(copy.environment, ONE_SPREAD, copy.package.parent)
    assert again["misses"] == 0 and again["hits"] > 0
    assert again["spread"] == copy.found["spread"]


@pytest.mark.parametrize("first", [pytest.param("nothing", marks=pytest.mark.slow)], indirect=True)
def test_first_start_compiles(first: Started) -> None:
    assert first.found["engine"] == "numba"
    assert first.found["misses"] > 0 and first.found["hits"] == 0
    assert Path(first.found["folder"]).is_relative_to(first.environment["VECBT_CACHE_DIR"])


def test_second_start_compiles_nothing(first: Started) -> None:
    """Every entry point: `backtest`, `Stream`, its save and restore, `stats`, `check_parity`."""
    found, _ = run(first.environment, cwd=first.package.parent)
    assert found["engine"] == "numba"
    assert found["misses"] == 0, f"compiled again: {found['missed']}"
    assert found["hits"] > 0
    assert found["digest"] == first.found["digest"]


def test_an_edited_step_never_runs_stale(copy: Started) -> None:
    """`window_sum` is edited; the loop that calls it stands in another module, which numba would take to be unchanged."""
    folder = copy.package.parent
    before = copy.found
    assert before["spread"][2:] == pytest.approx([math.sqrt(math.log(2.0) / 4.0)] * 4)
    source = copy.package / "indicators" / "windows.py"
    text = source.read_text(encoding="utf-8")
    calls = (copy.package / "indicators" / "ranges.py").read_text(encoding="utf-8")
    assert "def window_sum(" in text and "window_sum(" in calls and "def window_sum(" not in calls
    head, _, body = text.partition("def window_sum(")
    edited = head + "def window_sum(" + re.sub(r"return (.+)", r"return 2.0 * (\1)", body)
    source.write_text(edited, encoding="utf-8")
    try:
        after, _ = run(copy.environment, ONE_SPREAD, folder)
    finally:
        source.write_text(text, encoding="utf-8")
    assert after["spread"][2:] == pytest.approx([math.sqrt(math.log(2.0) / 2.0)] * 4)
    again, _ = run(copy.environment, ONE_SPREAD, folder)
    assert again["spread"] == before["spread"]


def test_interpreted_kernels_give_the_same_bits(first: Started) -> None:
    found, _ = run(first.environment | {"VECBT_ENGINE": "python"}, cwd=first.package.parent)
    assert found["engine"] == "python"
    assert found["digest"] == first.found["digest"]


def test_numba_that_compiles_nothing_gives_the_same_bits(first: Started) -> None:
    found, _ = run(first.environment | {"NUMBA_DISABLE_JIT": "1"}, cwd=first.package.parent)
    assert found["digest"] == first.found["digest"]


def test_without_numba_the_same_bits_and_one_notice(first: Started, tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text("raise ImportError('no numba here')\n")
    environment = first.environment | {"PYTHONPATH": os.pathsep.join([str(tmp_path), first.environment["PYTHONPATH"]])}
    found, stderr = run(environment, cwd=first.package.parent)
    assert found["engine"] == "python"
    assert found["digest"] == first.found["digest"]
    assert stderr.count("numba cannot be imported") == 1, stderr
    assert stderr.count("Warning") == 1, stderr


def test_works_where_nothing_can_be_written(copy: Started, tmp_path: Path) -> None:
    """The folder for kernels cannot be made, because its parent is a file: kernels are compiled for this process only."""
    (tmp_path / "file").write_text("")
    environment = copy.environment | {"VECBT_CACHE_DIR": str(tmp_path / "file" / "kernels")}
    found, stderr = run(environment, ONE_SPREAD, copy.package.parent)
    assert found["folder"] == "None"
    assert found["spread"][2:] == pytest.approx([math.sqrt(math.log(2.0) / 4.0)] * 4)
    assert "Warning" not in stderr
