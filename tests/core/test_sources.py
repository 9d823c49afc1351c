"""The hash of code: another text, another constant or another helper gives another one; what has nothing to do with it does not."""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from vecbt.core.sources import code_hash

TEXT = """
from dataclasses import dataclass
from functools import lru_cache, partial
import math
import numpy as np
import vecbt as vb

SCALE = 2.0
TABLE = {"a": np.arange(3.0)}
UNUSED = 1

def deep(x):
    return x + 1

@lru_cache
def helper(x):
    return deep(x) * 2

def rows(bars, power=3, *, shift=0):
    return [helper(x) * SCALE + math.sqrt(TABLE["a"][1]) ** power for x in bars] + [shift]

def closed(inner):
    return lambda bars: inner

class Base(vb.Strategy):
    def rows(self, bars):
        return self.part(bars)

@dataclass(frozen=True)
class Mine(Base):
    window: int = 5

    def part(self, bars):
        return helper(self.window)

    @property
    def warmup(self):
        return 4

@vb.strategy
def made(bars, window: int = 3):
    return helper(window)

first, second = lambda x: x + 1, lambda x: x + 2
"""


@pytest.fixture
def module(tmp_path: Path) -> Any:
    """Makes a module of a text; all are called `code_of_tests`, as an edited file keeps its name."""
    count = 0

    def make(text: str) -> ModuleType:
        nonlocal count
        count += 1
        path = tmp_path / f"number{count}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location("code_of_tests", path)
        assert spec is not None and spec.loader is not None
        found = importlib.util.module_from_spec(spec)
        sys.modules["code_of_tests"] = found  # where dataclasses and texts of classes are looked up
        spec.loader.exec_module(found)
        return found

    yield make
    del sys.modules["code_of_tests"]


def hashes(found: ModuleType) -> dict[str, str]:
    return {
        "rows": code_hash(found.rows), "partial": code_hash(functools.partial(found.rows, power=2)), "mine": code_hash(found.Mine()),
        "made": code_hash(found.made()), "member": code_hash({"space": ((found.first, 3),)}), "list": code_hash([found.Mine(3)]),
        "closed": code_hash(found.closed(found.helper)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("return deep(x) * 2", "return deep(x) * 3", {"rows", "partial", "mine", "made", "list", "closed"}),
        ("return x + 1", "return x - 1", {"rows", "partial", "mine", "made", "list", "closed"}),
        ("SCALE = 2.0", "SCALE = 2.5", {"rows", "partial"}),
        ("np.arange(3.0)", "np.arange(3.0) + 1", {"rows", "partial"}),
        ("power=3", "power=4", {"rows", "partial"}),
        ("shift=0", "shift=1", {"rows", "partial"}),
        ("return self.part(bars)", "return self.part(bars) + 1", {"mine", "list"}),
        ("return 4", "return 5", {"mine", "list"}),
        ("window: int = 5", "window: int = 6", {"mine", "list"}),
        ("return helper(window)", "return helper(window) + 1", {"made"}),
        ("first, second = lambda x: x + 1", "first, second = lambda x: x + 4", {"member"}),
        ("return lambda bars: inner", "return lambda bars: (inner, 1)", {"closed"}),
        ("UNUSED = 1", "UNUSED = 2\n\ndef more():\n    return 3\n", set()),
    ],
)
def test_an_edit_counts_where_the_code_reads_it(old: str, new: str, changed: set[str], module: Any) -> None:
    assert old in TEXT
    before, after = hashes(module(TEXT)), hashes(module(TEXT.replace(old, new)))
    assert {name for name in before if before[name] != after[name]} == changed


def test_the_same_text_has_the_same_hash(module: Any) -> None:
    assert hashes(module(TEXT)) == hashes(module(TEXT))


def test_lambdas_of_one_line_and_what_functions_close_over_are_told_apart(module: Any) -> None:
    found = module(TEXT)
    assert code_hash(found.first) != code_hash(found.second)
    assert code_hash(found.closed(1)) != code_hash(found.closed(2))
    assert code_hash(found.closed(np.arange(3))) != code_hash(found.closed(np.arange(4)))
    assert code_hash(found.closed(vb.Signals(entries=np.arange(4) > 1))) != code_hash(found.closed(vb.Signals(entries=np.arange(4) > 2)))


def test_code_without_a_text_is_known_by_what_it_was_compiled_to() -> None:
    def typed(text: str) -> Any:
        names: dict[str, Any] = {"vb": vb, "__name__": "__main__"}
        exec(text, names)
        return names

    one, two = "def rows(bars):\n return bars.close > 1.0\n", "def rows(bars):\n return bars.close > 2.0\n"
    assert code_hash(typed(one)["rows"]) == code_hash(typed(one)["rows"]) != code_hash(typed(two)["rows"])
    kind = "class S(vb.Strategy):\n level = 1\n def rows(self, bars):\n  return bars.close > 1.0\n"
    found = {code_hash(typed(text)["S"]()) for text in (kind, kind, kind.replace("1.0", "2.0"), kind.replace("level = 1", "level = 2"))}
    assert len(found) == 3


def test_vecbt_and_other_packages_are_left_to_their_own_hashes() -> None:
    nothing = code_hash()
    assert code_hash(vb.strategies.SmaCross(2, 5), {"costs": vb.Costs.free()}, np.arange(3), (1, "a", None)) == nothing
    import pandas as pd

    assert code_hash(pd.DataFrame({"a": [1]}), pd.Timestamp("2020-01-01")) == nothing


def test_a_circle_ends() -> None:
    ring: list[Any] = []
    ring.append(ring)

    def again(bars: Any) -> Any:
        return again(bars), ring

    assert code_hash(again) == code_hash(again)
