"""SIG-11: strategies under the names the design documents know them by."""

from __future__ import annotations

import numpy as np
import pytest

import vecbt as vb
from tests.strategies.discovered import GAPPY, late
from vecbt.engine.strategy import Strategy, evaluate
from vecbt.errors import ConfigError
from vecbt.strategies import EmaCross, MACrossover, SmaCross

pytestmark = pytest.mark.interpreted
BARS = late(GAPPY)


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


def test_sig11_an_rsi_strategy() -> None:
    """SIG-11: `rsi` in files of other programs; it buys the oversold."""
    from vecbt.strategies import RsiReversion, create_strategy

    strategy = create_strategy("rsi", {"window": 5})
    assert type(strategy) is RsiReversion
    flags = same(strategy)
    entered = (flags & vb.ENTER_LONG) != 0
    assert entered.any() and (vb.indicators.rsi(BARS.close, 5)[entered] < strategy.oversold).all()
