"""Which parameters an indicator is made of, read off the text of a strategy; and that a sweep which uses it finds the same."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import vecbt as vb
from tests.engine.rules_of_tests import Cross
from tests.engine.sweeps_of_tests import arrays_of, swept
from vecbt import strategies
from vecbt.core.space import Parameter
from vecbt.engine import declared, sweep_rules
from vecbt.engine.declared import parameters_of
from vecbt.indicators import plan
from vecbt.indicators.plan import Indicator

BARS = vb.samples.load("us_daily", symbols=["AAPL"]).slice(0, 150)
_WINDOW, _MORE = 5, {"window": 6}


@dataclass(frozen=True)
class _Base(vb.RuleStrategy):
    window: int = Parameter(4, low=1, integer=True)
    other: int = Parameter(9, low=1, integer=True)
    average: ClassVar[str] = "sma"

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any) -> int:
        return 1 if now.close > now.a else 2


@dataclass(frozen=True)
class Clear(_Base):
    """All that is read: attributes, constants of the class, numbers, arithmetic, tuples, keywords, a module's name."""

    def indicators(self) -> Mapping[str, Indicator]:
        """What is declared."""
        return {
            "a": Indicator(self.average, self.window + 2 * self.other),
            "b": plan.Indicator("ema", -1 * -self.other, of="high"),
            "c": vb.Indicator("sma", window=self.window),
            "d": Indicator("sma", 3),
        }


class _Fields:
    @property
    def twice(self) -> int:
        return 2


@dataclass(frozen=True)
class Branch(_Base):
    def indicators(self) -> Mapping[str, Indicator]:
        if self.other > 9:
            return {"a": Indicator("ema", self.window)}
        return {"a": Indicator("sma", self.window)}


@dataclass(frozen=True)
class Called(_Base):
    def indicators(self) -> Mapping[str, Indicator]:
        return {"a": Indicator("sma", min(self.window, self.other))}


@dataclass(frozen=True)
class Chosen(_Base):
    def indicators(self) -> Mapping[str, Indicator]:
        return {"a": Indicator("sma", self.window if self.other > 9 else 7)}


@dataclass(frozen=True)
class Global(_Base):
    def indicators(self) -> Mapping[str, Indicator]:
        return {"a": Indicator("sma", _WINDOW)}


@dataclass(frozen=True)
class Merged(_Base):
    def indicators(self) -> Mapping[str, Indicator]:
        return {**super().indicators(), "a": Indicator("sma", self.window)}


@dataclass(frozen=True)
class Spread(_Base):
    def indicators(self) -> Mapping[str, Indicator]:
        return {"a": Indicator("sma", **_MORE)}


@dataclass(frozen=True)
class Computed(_Base, _Fields):
    def indicators(self) -> Mapping[str, Indicator]:
        return {"a": Indicator("sma", self.twice)}


@dataclass(frozen=True)
class Watched(Clear):
    def __getattribute__(self, name: str) -> Any:
        return object.__getattribute__(self, name)


@dataclass(frozen=True)
class Named(_Base):
    def indicators(self) -> Mapping[str, Indicator]:
        return {"a" + "": Indicator("sma", self.window)}


def _kept(function: Any) -> Any:
    return function


@dataclass(frozen=True)
class Decorated(_Base):
    @_kept
    def indicators(self) -> Mapping[str, Indicator]:
        return {"a": Indicator("sma", self.window)}


def test_what_a_text_says_is_read() -> None:
    assert parameters_of(Clear) == {"a": {"average", "window", "other"}, "b": {"other"}, "c": {"window"}, "d": frozenset()}


def test_the_ready_made_strategies_are_clear() -> None:
    kinds = [kind for name in strategies.__all__ if hasattr(kind := getattr(strategies, name), "indicators")]
    assert len(kinds) >= 6
    assert all(parameters_of(kind) for kind in kinds)


@pytest.mark.parametrize("kind", [Branch, Called, Chosen, Global, Merged, Spread, Computed, Watched, Named, Decorated])
def test_what_may_look_at_more_is_not_guessed(kind: type) -> None:
    assert parameters_of(kind) is None


def test_a_text_that_was_edited_since_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    written = '"b": plan.Indicator("ema", -1 * -self.other'
    lines = [line.replace(written, written.replace("other", "window")) for line in _lines()]
    assert lines != _lines()
    declared._known.cache_clear()
    monkeypatch.setattr(linecache, "checkcache", lambda *_: None)
    monkeypatch.setitem(linecache.cache, __file__, (1, None, lines, __file__))
    assert parameters_of(Clear) is None
    declared._known.cache_clear()


def _lines() -> list[str]:
    with open(__file__, encoding="utf-8") as file:
        return file.readlines()


@pytest.mark.parametrize("given", [Clear(), Cross(2, 5), strategies.SmaCross(2, 20), strategies.MacdCross()], ids=lambda g: g.name)
def test_a_sweep_that_asks_once_finds_what_one_finds_that_asks_each_set(given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [name for name, domain in given.space.items() if domain.integer][:2]
    space = [dict(zip(numbers, pair, strict=True)) for pair in ((2, 9), (3, 9), (2, 12), (3, 12), (9, 12), (12, 9), (-1, 9), (2, 9))]
    quick = swept(BARS, given, space)
    monkeypatch.setattr(sweep_rules, "parameters_of", lambda _: None)
    slow = swept(BARS, given, space)
    assert arrays_of(quick) == arrays_of(slow) and quick.errors == slow.errors and quick.errors


def test_each_value_is_declared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    clear = Clear.indicators

    def indicators(self: Clear) -> Mapping[str, Indicator]:
        asked.append((self.window, self.other))
        return clear(self)

    monkeypatch.setattr(sweep_rules, "parameters_of", lambda _: {"a": {"window"}, "b": {"other"}, "c": {"window"}, "d": frozenset()})
    monkeypatch.setattr(Clear, "indicators", indicators)
    given = Clear()
    asked.clear()
    run = swept(BARS, given, {"window": range(2, 12), "other": range(3, 23)})
    beside = 2  # the strategy as given
    assert run.done.all() and len(run.sets) == 200 and len(asked) <= 10 + 20 + beside
    assert np.unique([window for window, _ in asked]).tolist() == list(range(2, 12))
