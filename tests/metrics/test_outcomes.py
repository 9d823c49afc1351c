"""Outcomes of trades: a sheet worked by hand, and the naive twin (M4, M5; MET-01)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics import naive_metrics as naive
from vecbt.metrics.outcomes import OUTCOMES_METRICS, outcomes_of

TRADES = st.lists(st.tuples(st.sampled_from([-3.0, -1.5, 0.0, 0.5, 2.0, 7.25]), st.sampled_from([-1, 1]), st.integers(0, 9)), max_size=30)
_KIND = [("pnl", "f8"), ("side", "i8"), ("entry_t", "i8"), ("exit_t", "i8"), ("account", "i8")]


def log_of(trades: list[tuple[float, int, int]], accounts: list[int] | None = None) -> np.recarray:
    which = accounts or [0] * len(trades)
    rows = [(pnl, side, 3, 3 + held, account) for (pnl, side, held), account in zip(trades, which, strict=True)]
    return np.array(rows, dtype=_KIND).view(np.recarray)


def test_m4_a_sheet_by_hand() -> None:
    """Wins of 4 and 2, a break-even, losses of 1, 3 and 2, a win of 6: averages 4 and 2; the break-even ends the first streak."""
    trades = [(4.0, 1, 2), (2.0, -1, 5), (0.0, 1, 0), (-1.0, 1, 1), (-3.0, -1, 9), (-2.0, 1, 1), (6.0, 1, 4)]
    found = outcomes_of(log_of(trades), 1)[0]
    assert (found.average_win, found.average_loss, found.payoff_ratio) == (4.0, 2.0, 2.0)
    assert (found.best_trade, found.worst_trade, found.longest_holding_bars) == (6.0, -3.0, 9.0)
    assert (found.longest_winning_streak, found.longest_losing_streak) == (2.0, 3.0)
    assert (found.long_trades, found.short_trades, found.long_pnl, found.short_pnl) == (5.0, 2.0, 7.0, -1.0)


@given(TRADES, st.randoms(use_true_random=False))
def test_m4_m5_outcomes_by_account_are_the_naive_twin(trades: list[tuple[float, int, int]], chance: object) -> None:
    accounts = [chance.randrange(3) for _ in trades]  # type: ignore[attr-defined]
    found = outcomes_of(log_of(trades, accounts), 3)
    for account in range(3):
        wanted = naive.outcomes([trade for trade, of in zip(trades, accounts, strict=True) if of == account])
        assert set(wanted) == set(OUTCOMES_METRICS.names or ())
        for name, value in wanted.items():
            assert found[account][name] == pytest.approx(value, nan_ok=True), name


def test_m5_without_trades_averages_are_unknown_and_counts_zero() -> None:
    found = outcomes_of(log_of([]), 1)[0]
    unknown = [name for name in OUTCOMES_METRICS.names or () if math.isnan(found[name])]
    assert unknown == ["average_win", "average_loss", "payoff_ratio", "best_trade", "worst_trade", "longest_holding_bars"]
