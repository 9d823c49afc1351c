"""Strategies as plain functions with typed parameters."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from vecbt.data import synthetic
from vecbt.data.bars import Bars
from vecbt.engine.strategy import Strategy, evaluate, written
from vecbt.errors import ConfigError, StrategyError

pytestmark = pytest.mark.interpreted

BARS = synthetic.garch_jumps(T=90, N=2, seed=3, missing=0.05)


@vb.strategy
def breakout(bars: Bars, window: int = vb.Parameter(20, low=2, high=500, integer=True), side: str = "long", *, depth: float = 0.0) -> Any:
    """Buy a close at the highest close of the window.

    More about it.
    """
    close = bars.to_pandas()["close"]
    top = close >= close.rolling(window, min_periods=2).max() * (1 + depth)
    return vb.Signals(entries=top) if side == "long" else vb.Signals(short_entries=top)


@vb.strategy
def banded(bars: Bars, low: float = vb.Parameter(1.0, low=0.0, below="high"), high: float = vb.Parameter(2.0, low=0.0)) -> Any:
    return vb.Weights(np.clip(bars.close, low, high))


@vb.strategy
def needy(bars: Bars, level: float, kind: str = vb.Parameter("a", choices=("a", "b"))) -> Any:
    return vb.Weights(np.full((bars.T, bars.N), level))


def test_a_function_becomes_a_class_of_strategies() -> None:
    assert issubclass(breakout, Strategy) and dataclasses.is_dataclass(breakout)
    made = breakout(window=30)
    assert made == breakout(30) and made != breakout(31) and hash(made) == hash(breakout(30))
    assert made.name == "breakout" and made.parameters == {"window": 30, "side": "long", "depth": 0.0}
    assert repr(made) == "breakout(window=30, side='long', depth=0.0)"
    assert breakout.__doc__ == "Buy a close at the highest close of the window.\n\nMore about it."
    assert breakout.__module__ == __name__ and breakout.__qualname__ == "breakout"
    assert isinstance(breakout.space, vb.Space) and breakout.space["window"].high == 500
    assert breakout.make({"window": 7.0}) == breakout(7) and written(breakout(7)) == written(breakout.make({"window": 7.0}))
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.window = 3


def test_it_says_what_the_function_says() -> None:
    close = BARS.to_pandas()["close"]
    top = close >= close.rolling(5, min_periods=2).max()
    np.testing.assert_array_equal(evaluate(breakout(5), BARS).flags, top.to_numpy() * 1)
    np.testing.assert_array_equal(evaluate(breakout(5, "short"), BARS).flags, top.to_numpy() * 4)
    assert evaluate(banded(), BARS).values is not None and evaluate(needy(0.5), BARS).values is not None


def test_it_runs_in_batch_and_stream_alike() -> None:
    assert vb.check_parity(BARS, breakout(window=5), costs=vb.Costs.free()).ok
    result = vb.backtest(BARS, breakout(5), costs=vb.Costs.free())
    assert result.title.startswith("breakout") and len(result.fills) >= 1


def test_a_run_file_names_it() -> None:
    from vecbt.config.load import parse_run

    name = f"{{name: '{__name__}:breakout', parameters: {{window: 9}}}}"
    text = f"data: {{sample: us_daily}}\nstrategy: {name}\ncosts: {{free: true}}\naccount: {{initial_capital: 1}}\n"
    assert parse_run(text).strategy() == breakout(9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: breakout(window=1), "breakout.window is 1; expected a whole number from 2 to 500"),
        (lambda: banded(3.0, 2.0), "banded.low is 3.0, high is 2.0; expected low < high"),
        (lambda: needy(0.5, "c"), "needy.kind is 'c'; expected one of 'a', 'b'"),
        (lambda: needy.make({}), "needy needs level"),
        (lambda: needy.make({"level": 1, "kid": "a"}), "needy has no parameter 'kid'; did you mean 'kind'"),
    ],
)
def test_parameters_are_checked_as_in_a_class(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def _no_bars() -> Any: ...


def _only_named(*, bars: Any) -> Any: ...


def _many(*bars: Any) -> Any: ...


def _rest(bars: Any, *more: Any) -> Any: ...


def _any(bars: Any, **more: Any) -> Any: ...


def _mutable(bars: Any, windows: Any = []) -> Any: ...  # noqa: B006 - what is tested


def _taken(bars: Any, rows: int = 3) -> Any: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_no_bars, "_no_bars takes no bars"),
        (_only_named, "_only_named takes no bars"),
        (_many, r"takes \*bars"),
        (_rest, r"_rest takes \*more"),
        (_any, r"_any takes \*more"),
        (_mutable, "_mutable: mutable default"),
        (_taken, "'rows', a name that strategies use themselves"),
        (Strategy, "is no function"),
        (3, "is no function"),
    ],
)
def test_a_function_that_cannot_be_a_strategy_is_refused(function: Any, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        vb.strategy(function)
