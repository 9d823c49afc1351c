"""Accounts of members (ENS-03): what they trade, and that batch and stream agree where prices are raw."""

from __future__ import annotations

import numpy as np

import vecbt as vb
from tests.signals.examples import COSTS, MIXED, SIGNALS
from vecbt.engine.strategy import evaluate
from vecbt.signals.accounts import equities


def raw_bars() -> vb.Bars:
    """Sixty days with a split, a dividend, and an asset whose prices end."""
    rng = np.random.default_rng(4)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (60, 2)), axis=0))
    splits, dividends = np.full((60, 2), np.nan), np.full((60, 2), np.nan)
    splits[25, 0], dividends[31, 1] = 2.0, 0.5
    close[25:, 0] /= 2.0
    close[45:, 1] = np.nan
    index = np.datetime64("2024-01-01", "ns") + np.arange(60) * np.timedelta64(1, "D")
    return vb.Bars.from_numpy(
        close, close, close, close, index=index, symbols=["A", "B"], periods_per_year=252, missing="no_market",
        splits=splits, dividends=dividends,
    )  # fmt: skip


def test_ens03_members_trade_the_prices_that_strategies_read() -> None:
    """ENS-03, T9: a split is no loss; dividends are left out."""
    bars = raw_bars()
    rows = [evaluate(SIGNALS, bars)]
    adjusted = bars.for_strategies
    plain = vb.Bars.from_numpy(
        adjusted.open, adjusted.high, adjusted.low, adjusted.close,
        index=bars.index, symbols=bars.symbols, periods_per_year=252, missing="no_market",
    )  # fmt: skip
    setup = vb.signals.DynamicWeights({"costs": COSTS}).account
    own = equities(adjusted, rows, setup)[0, :, 0]
    np.testing.assert_array_equal(own, vb.backtest(plain, SIGNALS, costs=COSTS).equity.to_numpy())


def test_ens03_batch_and_stream_agree_on_raw_prices() -> None:
    """ENS-03, D1, D3: with splits, dividends and gaps, restored three times."""
    dynamic = vb.signals.DynamicWeights({"costs": COSTS}, window=10, min_history=3)
    ensemble = vb.signals.Ensemble(MIXED, mode="weighted_vote", dynamic=dynamic)
    report = vb.check_parity(raw_bars(), ensemble, costs=COSTS)
    assert report.ok, report
    assert report.trades > 2
