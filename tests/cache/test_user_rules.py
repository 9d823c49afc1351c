"""The rule of a user's file is compiled once, kept on disk, and never stale."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cache.children import run
from tests.cache.test_cache import PACKAGE, UNSET

pytestmark = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT", "").strip("0")), reason="is about compiled kernels")

MINE = """
from dataclasses import dataclass

import numba

import vecbt as vb
from settings import LEVEL


@numba.njit
def twice(value):
    return 2.0 * value


@dataclass(frozen=True)
class Mine(vb.RuleStrategy):
    gives = vb.Strengths

    @staticmethod
    def rule(now, before, params, state):
        return LEVEL * twice(0.125)
"""

ASK = """
import json

import vecbt as vb
from vecbt.engine.ruling import Ruling
from mine import Mine

bars = vb.synthetic.gbm(T=5, N=1, seed=1)
made = Ruling(Mine(), bars.symbols).native
print(json.dumps(dict(said=Mine().rows(bars).values[0, 0], hits=made._kept.cache_hits)))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two modules of a user: a strategy, and a number that it reads."""
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "settings.py").write_text("LEVEL = 1.0\n")
    return tmp_path


def _ask(folder: Path) -> tuple[float, int]:
    environment = {k: v for k, v in os.environ.items() if k not in UNSET}
    environment |= {"VECBT_CACHE_DIR": str(folder / "kernels"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(PACKAGE.parent)])
    found, _ = run(environment, ASK, folder)
    return found["said"], found["hits"]


def test_a_second_process_compiles_nothing_and_an_edit_is_seen(folder: Path) -> None:
    assert _ask(folder) == (0.25, 0)
    assert _ask(folder) == (0.25, 1), "kept on disk"
    (folder / "settings.py").write_text("LEVEL = 2.0\n")
    assert _ask(folder) == (0.5, 0), "a constant of another module"
    (folder / "mine.py").write_text(MINE.replace("2.0 * value", "4.0 * value"))
    assert _ask(folder) == (1.0, 0), "a compiled function that the rule calls"
    assert _ask(folder) == (1.0, 1)


def test_a_rule_that_has_no_file_is_compiled_without_being_kept(folder: Path) -> None:
    code = ASK.replace("from mine import Mine", f"exec({MINE!r})")
    environment = {k: v for k, v in os.environ.items() if k not in UNSET}
    environment |= {"VECBT_CACHE_DIR": str(folder / "kernels")}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(PACKAGE.parent)])
    found, _ = run(environment, code, folder)
    assert found["said"] == 0.25
