"""SIG-11: strategies under the names the design documents know them by."""

from __future__ import annotations

import numpy as np
import pytest

import vecbt as vb
from tests.strategies.test_ready_made import GAPPY, late
from vecbt.engine.strategy import Strategy, evaluate
from vecbt.errors import ConfigError
from vecbt.strategies import EmaCross, MACrossover, RsiStrategy, SmaCross

pytestmark = pytest.mark.interpreted
BARS = late(GAPPY)
HAS_RSI = "rsi" in vb.indicators.catalog()


def same(strategy: Strategy) -> np.ndarray:
    """Rows (T, N), after the feed has said the same, restored in between."""
    whole = evaluate(strategy, BARS)
    given = whole.flags if whole.values is None else whole.values
    assert given is not None
    feed = strategy.feed(BARS.market)
    for t in range(BARS.T):
        if t == 50:
            saved = feed.save()
            feed = strategy.feed(BARS.market)
            feed.restore(saved)
        row = feed.update(BARS.row(t).normalized(BARS.market))
        said = row.flags if row.values is None else row.values
        assert said.tobytes() == given[t].tobytes(), t
    return given


def test_sig11_a_moving_average_crossover_by_its_other_names() -> None:
    """SIG-11: `short_window=10, long_window=50`, and the signals of SmaCross."""
    assert (MACrossover().short_window, MACrossover().long_window) == (10, 50)
    for direction in ("long", "short", "both"):
        np.testing.assert_array_equal(same(MACrossover(4, 9, direction)), evaluate(SmaCross(4, 9, direction), BARS).flags)
    assert MACrossover().warmup == SmaCross(10, 50).warmup
    with pytest.raises(ConfigError, match=r"MACrossover\.short_window is 50, long_window is 10; expected short_window < long_window"):
        MACrossover(50, 10)


def test_sig11_an_ema_cross() -> None:
    """SIG-11"""
    assert same(EmaCross(3, 8, "both")).any()


@pytest.mark.skipif(not HAS_RSI, reason="no relative strength index in the catalogue of indicators")
@pytest.mark.parametrize(("direction", "oversold", "overbought"), [("long", 1.0, 0.0), ("short", 0.0, -1.0), ("both", 1.0, -1.0)])
def test_sig11_an_rsi_strategy_buys_the_oversold(direction: str, oversold: float, overbought: float) -> None:
    """SIG-11: beyond the levels it says what to hold, between them nothing."""
    assert (RsiStrategy().window, RsiStrategy().lower, RsiStrategy().upper) == (14, 30.0, 70.0)
    said = same(RsiStrategy(7, 40.0, 60.0, direction))
    value = vb.indicators.rsi(BARS.close, 7)
    present = ~np.isnan(BARS.close)
    expected = np.where(value < 40.0, oversold, np.where(value > 60.0, overbought, np.nan))
    np.testing.assert_array_equal(said[present], expected[present])
    assert (said == oversold).any() and (said == overbought).any()
    assert RsiStrategy(7).warmup == vb.indicators.find("rsi").warmup(7)


def test_sig11_levels_of_an_rsi_strategy_are_a_range() -> None:
    """SIG-11"""
    with pytest.raises(ConfigError, match=r"RsiStrategy\.lower is 70.0, upper is 30.0; expected lower < upper"):
        RsiStrategy(14, 70.0, 30.0)
