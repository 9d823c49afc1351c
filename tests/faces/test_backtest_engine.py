"""`BacktestEngine` (EXE-03): a thin face over `backtest`, equal to it in every number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import vecbt as vb
from vecbt.errors import ConfigError, DataError, InputError, VecbtError

DAYS = pd.date_range("2024-01-01", periods=60, freq="D")
PRICES = pd.Series(100 * np.cumprod(1 + np.random.default_rng(7).normal(0.001, 0.02, 60)), index=DAYS)
SIGNALS = pd.Series(np.random.default_rng(8).integers(-1, 2, 60), index=DAYS)
CONFIDENCES = pd.Series(np.random.default_rng(9).uniform(0.4, 1.0, 60), index=DAYS)


def test_EXE03_the_documented_example_runs() -> None:
    """Names, arguments and calls as they are documented."""
    price_data, signals, confidences = PRICES.to_frame("price"), SIGNALS, CONFIDENCES

    risk_manager = vb.RiskManager(initial_capital=10000)
    position_sizer = vb.create_position_sizer("fixed_fractional", risk_fraction=0.01)
    engine = vb.BacktestEngine(
        initial_capital=10000,
        risk_manager=risk_manager,
        position_sizer=position_sizer,
        commission_pct=0.0015,
        slippage_bps=5,
    )
    results = engine.run_backtest(
        data=price_data,
        signals=signals,
        confidences=confidences,
    )
    text = f"Total Return: {results['total_return']:.2%}"
    text += f"Sharpe Ratio: {results['sharpe_ratio']:.2f}"
    text += f"Max Drawdown: {results['max_drawdown']:.2%}"
    equity_curve = engine.get_equity_curve()
    trades = engine.get_trades()
    fills = engine.get_fills()

    assert "nan" not in text
    assert len(equity_curve) == 60 and len(trades) > 0 and len(fills) > len(trades)
    assert results["total_return"] == pytest.approx(equity_curve.iloc[-1] / 10_000 - 1)


def test_EXE03_it_is_backtest_and_nothing_of_its_own() -> None:
    manager, sizer = vb.RiskManager(10_000), vb.ConfidenceBasedSizing()
    face = vb.BacktestEngine(10_000, manager, sizer).run_backtest(PRICES.to_frame("close"), SIGNALS, CONFIDENCES)
    numbers = PRICES.to_numpy()
    strengths = np.where(SIGNALS == 1, CONFIDENCES, np.where(SIGNALS == -1, 0.0, np.nan))
    plain = vb.backtest(
        vb.Bars.from_numpy(numbers, numbers, numbers, numbers, index=DAYS),
        vb.Strengths(strengths),
        costs=vb.Costs(commission_rate=0.0015, slippage_bps=5),
        sizing=sizer,
        stops=manager.stops,
        risk=manager.risk,
        initial_capital=10_000,
        direction="long",
    )
    assert face.run.equity.tobytes() == plain.run.equity.tobytes()
    assert face.run.orders.tobytes() == plain.run.orders.tobytes()


def fills_of(direction: str, signals: list[int], confidences: Any = None) -> list[tuple[int, float]]:
    data = pd.DataFrame({"price": [100.0] * len(signals)}, index=DAYS[: len(signals)])
    engine = vb.BacktestEngine(10_000, None, vb.Units(1), 0.0, 0.0, direction=direction)
    return [(int(f.t), float(f.q)) for f in engine.run_backtest(data, np.array(signals), confidences).run.fills]


def test_EXE03_minus_one_is_an_exit_unless_shorts_are_asked_for() -> None:
    """A decision of one bar is filled at the next open."""
    assert fills_of("long", [1, 0, -1, -1, 0]) == [(1, 1.0), (3, -1.0)]
    assert fills_of("both", [1, 0, -1, -1, 0]) == [(1, 1.0), (3, -2.0)]
    assert fills_of("short", [-1, 0, 1, 1, 0]) == [(1, -1.0), (3, 1.0)]


def test_EXE03_an_entry_without_confidence_is_none_and_an_exit_needs_none() -> None:
    nan = float("nan")
    assert fills_of("long", [1, 1, 0, -1, 0], np.array([nan, 0.0, nan, nan, nan])) == []
    assert fills_of("long", [1, 1, 0, -1, 0], np.array([nan, 0.6, nan, nan, nan])) == [(2, 1.0), (4, -1.0)]


def test_EXE03_data_in_other_forms() -> None:
    engine = vb.BacktestEngine()
    closes = engine.run_backtest(PRICES, SIGNALS).run.equity
    ohlc = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), PRICES))
    assert engine.run_backtest(ohlc, SIGNALS).run.equity.tobytes() == closes.tobytes()
    assert engine.run_backtest(vb.Bars.from_pandas(ohlc), SIGNALS.to_numpy()).run.equity.tobytes() == closes.tobytes()


def test_EXE03_several_assets_are_given_as_bars() -> None:
    frame = pd.concat({"A": pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), PRICES)),
                       "B": pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), PRICES * 2))}, axis=1)  # fmt: skip
    signals = pd.DataFrame({"A": SIGNALS, "B": -SIGNALS})
    result = vb.BacktestEngine(accounts="separate").run_backtest(vb.Bars.from_pandas(frame), signals)
    assert list(result["total_return"].index) == ["A", "B"]


def test_results_name_their_statistics() -> None:
    result = vb.BacktestEngine().run_backtest(PRICES, SIGNALS)
    assert result["sharpe_ratio"] == result["sharpe"] == result.stats()["sharpe"]
    assert set(result.keys()) == set(result.stats().index)
    with pytest.raises(ConfigError, match="no statistic 'sharp'; did you mean 'sharpe'"):
        result["sharp"]


def test_what_cannot_be_used_is_named() -> None:
    engine = vb.BacktestEngine()
    for call, kind, message in (
        (lambda: engine.result, VecbtError, "call run_backtest"),
        (lambda: engine.run_backtest(3, SIGNALS), DataError, "data is int; expected a DataFrame"),
        (lambda: engine.run_backtest(PRICES, SIGNALS * 2), InputError, "expected -1, 0 or 1"),
        (lambda: engine.run_backtest(PRICES, SIGNALS.astype(float).replace(0, np.nan)), InputError, "expected -1, 0 or 1"),
        (lambda: engine.run_backtest(PRICES, SIGNALS, CONFIDENCES * 100), InputError, "confidences at 2024-01-01"),
        (lambda: engine.run_backtest(PRICES, SIGNALS.iloc[1:]), InputError, "signals has no row for the bar at 2024-01-01"),
        (lambda: vb.BacktestEngine(10_000, vb.RiskManager(5_000)), ConfigError, "that of the risk manager 5000"),
        (lambda: vb.BacktestEngine(position_sizer=vb.KellyCriterion()), ConfigError, "give risk_manager=RiskManager"),
        (lambda: vb.BacktestEngine(position_sizer="kelly"), ConfigError, "position_sizer is 'kelly'"),
        (lambda: vb.BacktestEngine(risk_manager=0.1), ConfigError, "risk_manager is 0.1"),
        (lambda: vb.BacktestEngine(costs=vb.Costs.free()), ConfigError, "costs follows from the engine's own arguments"),
    ):
        with pytest.raises(kind) as caught:
            call()  # type: ignore[no-untyped-call]
        assert message in str(caught.value)


def test_the_engine_says_which_limit_decides() -> None:
    engine = vb.BacktestEngine(10_000, vb.RiskManager(10_000), vb.FixedFractionalSizing())
    assert "max_position_fraction decides" in engine.findings[0]
    assert vb.BacktestEngine().findings == ()
