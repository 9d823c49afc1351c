"""Kernels that are on disk start without the compiler, and everything that needs it finds it ready."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cache.children import run
from tests.cache.test_cache import PACKAGE, UNSET

pytestmark = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT", "").strip("0")), reason="is about compiled kernels")

KERNEL = """
import json, sys

import numpy as np

import vecbt
from vecbt.engine.sweep_run import BLOCKS, FINE_BLOCKS, sum_blocks

earned = np.linspace(-0.01, 0.02, 640)


def sums(function):
    blocks, fine = np.empty((BLOCKS, 4)), np.empty((FINE_BLOCKS, 2))
    function(earned, len(earned), blocks, fine)
    return blocks.tobytes().hex() + fine.tobytes().hex()


found = dict(sums=sums(sum_blocks), hits=sum(sum_blocks.stats.cache_hits.values()))
found["compiler"] = sorted({"scipy.linalg", "numba.np.arraymath"} & set(sys.modules))
"""

SAY = "\nprint(json.dumps(found))\n"

WITHOUT = "import sys\nsys.modules['vecbt.core.kept'] = None\n"

BESIDE = """
import numba


@numba.njit
def around(earned, bars, blocks, fine):
    sum_blocks(earned, bars, blocks, fine)


@numba.njit
def solved(matrix, right):
    return np.linalg.solve(matrix, right)


found["around"] = sums(around)
found["solved"] = solved(np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([5.0, 10.0])).tolist()
"""

WORDS = """
from vecbt.core.jit import kernel


@kernel
def told(value):
    numbers = {"one": 1.0, "two": 2.0}
    return numbers["two"] * value
"""

TELL = """
import json, sys

from words import told

first = "numba.np.arraymath" in sys.modules
print(json.dumps(dict(told=told(1.5), hits=sum(told.stats.cache_hits.values()), before=first, after="numba.np.arraymath" in sys.modules)))
"""


def _environment(folder: Path) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if k not in UNSET}
    return plain | {"VECBT_CACHE_DIR": str(folder / "kernels"), "PYTHONPATH": os.pathsep.join([str(folder), str(PACKAGE.parent)])}


def test_a_kernel_on_disk_is_loaded_without_the_compiler_and_can_still_be_built_into_others(tmp_path: Path) -> None:
    """Its intermediate code is read when a function of the user calls it; np.linalg of the user's own finds SciPy."""
    environment = _environment(tmp_path)
    first, _ = run(environment, KERNEL + SAY)
    assert first["hits"] == 0 and first["compiler"] == ["numba.np.arraymath", "scipy.linalg"]
    again, _ = run(environment, KERNEL + BESIDE + SAY)
    assert again["hits"] == 1 and again["compiler"] == []
    assert again["sums"] == again["around"] == first["sums"]
    assert again["solved"] == pytest.approx([1.0, 3.0])


def test_a_kernel_whose_symbols_only_the_compiler_knows_makes_it_ready(tmp_path: Path) -> None:
    """Hashes of words are seeded by numba's registries: machine code that calls for the seed cannot be linked before."""
    (tmp_path / "words.py").write_text(WORDS)
    environment = _environment(tmp_path)
    first, _ = run(environment, TELL)
    again, _ = run(environment, TELL)
    assert (first["told"], first["hits"]) == (3.0, 0)
    assert again == {"told": 3.0, "hits": 1, "before": False, "after": True}


def test_a_numba_of_other_parts_keeps_kernels_in_its_own_way(tmp_path: Path) -> None:
    environment = _environment(tmp_path)
    first, _ = run(environment, WITHOUT + KERNEL + SAY)
    again, _ = run(environment, WITHOUT + KERNEL + SAY)
    other, _ = run(environment, KERNEL + SAY)
    assert (first["hits"], again["hits"], other["hits"]) == (0, 1, 0), "the two ways do not read each other's files"
    assert first["sums"] == again["sums"] == other["sums"]
