"""Trade metrics (M4, M5, M7)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics import naive_metrics as naive
from vecbt import metrics
from vecbt.core.state import records
from vecbt.engine.log import TRADE
from vecbt.errors import InputError
from vecbt.metrics.trades import trades_of

trades = st.lists(
    st.tuples(
        st.integers(-50, 50).map(lambda v: v / 4), st.one_of(st.just(math.nan), st.integers(0, 8).map(lambda v: v / 2)), st.integers(0, 30)
    ),
    max_size=25,
)


@pytest.mark.interpreted
def test_m4_by_hand() -> None:
    """Two winners, one loser, one even; two of them had a stop."""
    found = metrics.trade_metrics(
        [30.0, -10.0, 0.0, 20.0], initial_risk=[10.0, 20.0, math.nan, math.nan], mae=[0.0, 0.02, 0.0, 0.02], holding_bars=[3, 1, 0, 4]
    )
    assert found["trades"] == 4
    assert found["win_rate"] == 0.5
    assert found["profit_factor"] == 5.0
    assert found["expectancy"] == 10.0
    assert found["r_expectancy"] == pytest.approx((3.0 - 0.5) / 2)
    assert found["average_mae"] == pytest.approx(0.01)
    assert math.isnan(found["average_mfe"])
    assert found["average_holding_bars"] == 2.0


@pytest.mark.interpreted
@given(rows=trades)
def test_equals_the_slow_twin(rows: list[tuple[float, float, int]]) -> None:
    pnl, risk, held = [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]
    found = metrics.trade_metrics(pnl, initial_risk=risk, holding_bars=held)
    for name, value in naive.trades(pnl, risk, held).items():
        assert found[name] == pytest.approx(value, rel=1e-12, abs=1e-12, nan_ok=True), name


@pytest.mark.interpreted
def test_m5_what_is_undefined_is_nan() -> None:
    nothing = metrics.trade_metrics([])
    assert nothing["trades"] == 0
    assert all(math.isnan(value) for name, value in nothing.items() if name != "trades")
    winners = metrics.trade_metrics([5.0, 1.0])
    assert winners["win_rate"] == 1.0 and math.isnan(winners["profit_factor"]) and math.isnan(winners["r_expectancy"])
    losers = metrics.trade_metrics([-5.0, -1.0])
    assert losers["win_rate"] == 0.0 and losers["profit_factor"] == 0.0


@pytest.mark.interpreted
def test_a_log_is_measured_by_account() -> None:
    log = records(TRADE, 3)
    log["account"] = [1, 0, 1]
    log["pnl"] = [4.0, -2.0, 2.0]
    log["entry_t"], log["exit_t"] = [0, -1, 5], [2, 3, 9]
    log["initial_risk"] = [2.0, math.nan, 2.0]
    found = trades_of(log, 3)
    assert list(found["trades"]) == [1.0, 2.0, 0.0]
    assert list(found["expectancy"][:2]) == [-2.0, 3.0] and math.isnan(found["expectancy"][2])
    assert list(found["average_holding_bars"][:2]) == [4.0, 3.0]
    assert found["r_expectancy"][1] == 1.5


def test_open_trades_and_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="trade 1"):
        metrics.trade_metrics([1.0, math.nan])
    with pytest.raises(InputError, match="initial_risk"):
        metrics.trade_metrics([1.0, 2.0], initial_risk=[1.0])
