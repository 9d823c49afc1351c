"""D2, D3: a declared lookback makes the default feed cheap, and is certified only where it makes no difference to the last bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import vecbt as vb
from tests.causality.cheats import close_of
from vecbt.core.space import Parameter
from vecbt.engine.inputs import normalize_row
from vecbt.engine.strategy import FunctionStrategy, Strategy, declared_lookback, evaluate

BARS = vb.synthetic.gbm(T=90, N=2, seed=3)
LONG = vb.synthetic.gbm(T=700, N=1, seed=4)


@dataclass(frozen=True)
class Highest(Strategy):
    """Close over the highest one of some bars: a window forgets."""

    window: int = Parameter(10, low=1, integer=True)

    @property
    def lookback(self) -> int:
        return self.window

    def rows(self, bars: vb.Bars) -> vb.Weights:
        close = close_of(bars)
        return vb.Weights(close / close.rolling(self.window, min_periods=1).max())


@dataclass(frozen=True)
class BoundedEma(Strategy):
    """An exponential mean never forgets, whatever is declared."""

    lookback = 40

    def rows(self, bars: vb.Bars) -> vb.Weights:
        return vb.Weights(close_of(bars).ewm(span=10, adjust=False).mean() / 1e4)


def test_d2_a_bounded_window_is_certified() -> None:
    report = vb.check_strategy(Highest(), BARS)
    assert report.ok and report.lookback == 10 and report.lookback_difference == 0.0, str(report)
    assert "10 bars give every row as all bars do, to the last bit" in str(report)


def test_d2_a_bounded_recursive_indicator_is_refused_with_its_largest_difference() -> None:
    report = vb.check_strategy(BoundedEma(), BARS)
    whole = close_of(BARS).ewm(span=10, adjust=False).mean().to_numpy() / 1e4
    bounded = np.array([close_of(BARS)[t - 39 : t + 1].ewm(span=10, adjust=False).mean().to_numpy()[-1] / 1e4 for t in range(40, 90)])
    assert not report.ok and report.finding is None, "no later bar is used"
    assert report.lookback_difference == np.abs(bounded - whole[40:]).max() > 1e-8
    assert f"{report.lookback_difference:.6g}" in str(report) and "no certificate" in str(report)
    assert report.parity is not None and not report.parity.ok


def test_d2_a_lookback_that_is_too_short_to_speak_differs_without_bound() -> None:
    strategy = vb.as_strategy(lambda bars: vb.Weights(close_of(bars).rolling(20).max() / 1e4), lookback=19)
    report = vb.check_strategy(strategy, BARS)
    assert not report.ok and report.lookback == 19 and report.lookback_difference == np.inf
    flags = vb.as_strategy(lambda bars: vb.Signals(entries=close_of(bars) >= close_of(bars).expanding().max()), lookback=5)
    assert vb.check_strategy(flags, BARS).lookback_difference == 1.0


def fed(strategy: Strategy, bars: vb.Bars, restore_at: tuple[int, ...] = ()) -> np.ndarray:
    """All rows, one bar at a time."""
    feed, rows = strategy.feed(bars.market), []
    for t in range(bars.T):
        if t in restore_at:
            saved = feed.save()
            feed = strategy.feed(bars.market)
            feed.restore(saved)
            assert feed.save() == saved
        rows.append(normalize_row(feed.update(bars.row(t).normalized(bars.market)), bars.market)[1])
    return np.array(rows)


@pytest.mark.parametrize("window", [1, 10, 300])
def test_d3_the_bounded_feed_says_what_rows_say_and_restores(window: int) -> None:
    strategy = Highest(window)
    whole = evaluate(strategy, LONG).values
    assert whole is not None
    assert fed(strategy, LONG, restore_at=(0, 1, 9, 10, 255, 256, 300, 650)).tobytes() == whole.tobytes()


def test_the_bounded_feed_gives_the_last_bars_and_all_there_are_at_first() -> None:
    seen: list[vb.Bars] = []

    def look(bars: vb.Bars) -> vb.Weights:
        seen.append(bars)
        return vb.Weights(np.zeros(bars.shape))

    fed(vb.as_strategy(look, lookback=7), LONG)
    assert [b.T for b in seen] == [min(t + 1, 7) for t in range(LONG.T)]
    assert all(np.array_equal(b.block, LONG.block[:, max(0, t - 6) : t + 1]) for t, b in enumerate(seen))
    assert all(np.array_equal(b.index, LONG.index[max(0, t - 6) : t + 1]) for t, b in enumerate(seen))


def test_d3_the_state_of_a_bounded_feed_is_small_and_its_own() -> None:
    function = seen_by = lambda bars: vb.Weights(np.zeros(bars.shape))
    bounded, unbounded = vb.as_strategy(function, lookback=7).feed(LONG.market), vb.as_strategy(seen_by).feed(LONG.market)
    for t in range(600):
        bar = LONG.row(t).normalized(LONG.market)
        bounded.update(bar)
        unbounded.update(bar)
    assert len(bounded.save()) < 1_500 < 600 * 48 < len(unbounded.save())
    with pytest.raises(vb.errors.StateError, match="lookback"):
        bounded.restore(unbounded.save())
    with pytest.raises(vb.errors.StateError, match="lookback"):
        vb.as_strategy(function, lookback=8).feed(LONG.market).restore(bounded.save())


def test_a_lookback_is_declared_and_checked() -> None:
    def plain(bars: vb.Bars) -> vb.Weights:
        return vb.Weights(bars.close)

    assert declared_lookback(Highest(12)) == 12 and declared_lookback(BoundedEma()) == 40
    assert declared_lookback(vb.as_strategy(plain)) is None and declared_lookback(vb.as_strategy(plain, lookback=np.int64(5))) == 5
    assert declared_lookback(vb.strategies.SmaCross()) is None and vb.strategies.SmaCross().lookback is None
    assert vb.as_strategy(plain, lookback=5) == FunctionStrategy(plain, 5)
    for wrong in (0, -3, 2.5, True, "20"):
        with pytest.raises(vb.errors.ConfigError, match=r"lookback of plain is .*; expected a whole number of bars of at least 1"):
            vb.as_strategy(plain, lookback=wrong)  # type: ignore[arg-type]
    with pytest.raises(vb.errors.ConfigError, match="lookback is given for Highest, which is a Strategy"):
        vb.as_strategy(Highest(), lookback=5)


def test_a_parameter_called_lookback_declares_nothing() -> None:
    @dataclass(frozen=True)
    class Momentum(Strategy):
        lookback: int  # no default: the base class must not lend it one

        def rows(self, bars: vb.Bars) -> vb.Weights:
            return vb.Weights(close_of(bars) / close_of(bars).shift(self.lookback) - 1)

    with pytest.raises(TypeError, match="lookback"):
        Momentum()  # type: ignore[call-arg]
    assert Momentum(5).parameters == {"lookback": 5} and declared_lookback(Momentum(5)) is None
    report = vb.check_strategy(Momentum(5), BARS)
    assert report.ok and report.lookback is None, "a row needs one bar more than the parameter says"

    @dataclass(frozen=True)
    class Declared(Strategy):
        lookback: ClassVar[Any] = 3

    assert declared_lookback(Declared()) == 3
