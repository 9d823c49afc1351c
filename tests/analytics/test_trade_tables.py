"""Trades in groups, attribution and costs: sheets worked by hand, and sums that must come out (M4, M5, M7, T2, F12; MET-01)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import vecbt as vb
from tests.analytics.example import CLOSE, FILLS, run_of, small
from tests.metrics import naive_metrics as naive
from vecbt.analytics.result import Result
from vecbt.analytics.trade_tables import ACCOUNT
from vecbt.core.codes import Reason
from vecbt.errors import ConfigError


def trade(asset: int, side: int, entry: int, exit_: int, pnl: float, reason: Reason = Reason.SIGNAL, **more: Any) -> dict[str, Any]:
    return {"asset": asset, "side": side, "entry_t": entry, "exit_t": exit_, "pnl": pnl, "gross": pnl, "reason": int(reason), **more}


SHEET = [
    trade(0, 1, 0, 1, 10.0, initial_risk=5.0, mae=0.1, mfe=0.2),
    trade(1, -1, 0, 2, -4.0, Reason.STOP, initial_risk=2.0, mae=0.3, mfe=0.0),
    trade(0, 1, 2, 3, 6.0, mae=0.0, mfe=0.1),
    trade(0, -1, 3, 4, -8.0, Reason.STOP, mae=0.2, mfe=0.2),
    trade(1, 1, 3, 5, 2.0, Reason.TARGET, mae=0.1, mfe=0.4),
]
"""Six days from Monday 2024-01-01."""


@pytest.fixture(scope="module")
def result() -> Result:
    return Result(small(trades=SHEET))


def test_m4_the_sheet_in_all(result: Result) -> None:
    found = result.trade_stats()
    assert found["trades"] == 5 and found["pnl"] == 6.0 and found["win_rate"] == 0.6
    assert (found["profit_factor"], found["expectancy"], found["r_expectancy"]) == (1.5, 1.2, 0.0)  # (2 - 2)/2
    assert (found["average_win"], found["average_loss"], found["payoff_ratio"]) == (6.0, 6.0, 1.0)
    assert (found["longest_winning_streak"], found["longest_losing_streak"], found["longest_holding_bars"]) == (1, 1, 2)
    assert (found["average_mae"], found["average_mfe"]) == (pytest.approx(0.14), pytest.approx(0.18))
    stats = result.stats()
    assert all(found[name] == stats[name] for name in found.index if name in stats.index and not name.startswith("commission"))


@pytest.mark.parametrize(
    ("by", "trades", "pnl"),
    [
        ("asset", {"AAA": 3, "BBB": 2}, {"AAA": 8.0, "BBB": -2.0}),
        ("side", {"long": 3, "short": 2}, {"long": 18.0, "short": -12.0}),
        ("reason", {"signal": 2, "stop": 2, "target": 1}, {"signal": 16.0, "stop": -12.0, "target": 2.0}),
        ("year", {2024: 5}, {2024: 6.0}),
        ("month", {"2024-01": 5}, {"2024-01": 6.0}),
        ("weekday", dict.fromkeys(("Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"), 1), {"Tuesday": 10.0, "Saturday": 2.0}),
    ],
)  # fmt: skip
def test_m4_the_sheet_by_group(result: Result, by: str, trades: dict[Any, int], pnl: dict[Any, float]) -> None:
    found = result.trade_stats(by)
    assert found["trades"].to_dict() == trades and found.index.name == by
    assert {key: found["pnl"][key] for key in pnl} == pnl


def test_groups_of_several_keys_count_their_own_streaks(result: Result) -> None:
    found = result.trade_stats(("asset", "side"))
    assert found["trades"].to_dict() == {("AAA", "long"): 2, ("AAA", "short"): 1, ("BBB", "long"): 1, ("BBB", "short"): 1}
    assert found.loc[("AAA", "long"), "longest_winning_streak"] == 2
    assert math.isnan(found.loc[("AAA", "long"), "profit_factor"]) and found.loc[("AAA", "short"), "average_loss"] == 8.0


def test_every_group_is_the_naive_twin() -> None:
    draw = np.random.default_rng(4)
    rows = [
        trade(int(a), int(s), 0, int(t), float(p), Reason(int(r)), initial_risk=float(k))
        for a, s, t, p, r, k in zip(
            draw.integers(0, 2, 60), draw.choice([-1, 1], 60), np.sort(draw.integers(0, 6, 60)), draw.integers(-3, 4, 60),
            draw.choice([int(Reason.SIGNAL), int(Reason.STOP)], 60), draw.choice([1.0, 2.0, math.nan], 60), strict=True,
        )
    ]  # fmt: skip
    found = Result(small(trades=rows)).trade_stats(("side", "reason"))
    for (side, reason), line in found.iterrows():
        mine = [r for r in rows if (r["side"] > 0) == (side == "long") and Reason(r["reason"]).name.lower() == reason]
        wanted = naive.trades([r["pnl"] for r in mine], [r["initial_risk"] for r in mine], [r["exit_t"] for r in mine])
        wanted |= naive.outcomes([(r["pnl"], r["side"], r["exit_t"]) for r in mine])
        for name, value in wanted.items():
            assert line[name] == pytest.approx(value, nan_ok=True), name


def test_m5_without_trades_there_are_no_groups() -> None:
    result = Result(run_of(CLOSE, []))
    assert result.trade_stats("asset").empty and result.trade_stats()["trades"] == 0
    assert math.isnan(result.trade_stats()["win_rate"])
    with pytest.raises(ConfigError, match="did you mean 'reason'"):
        result.trade_stats("reasons")


def bars(instrument: str = "cash", n: int = 3) -> vb.Bars:
    """A year of days with splits, dividends and, for perpetuals, funding."""
    draw = np.random.default_rng(11)
    close = 50.0 * np.exp(np.cumsum(draw.normal(0.0, 0.02, (250, n)), axis=0))
    more: dict[str, Any] = {}
    if instrument == "cash":
        split, dividend = np.ones(close.shape), np.zeros(close.shape)
        split[100, 0], dividend[60, 1], dividend[150, 2] = 2.0, 0.7, 0.3
        close[100:, 0] /= 2.0
        more = {"splits": split, "dividends": dividend}
    elif instrument == "perpetual":
        more = {"funding": np.where(np.arange(250)[:, None] % 3 == 0, 1e-4, -2e-5) * np.ones((1, n))}
    contracts = {} if instrument == "cash" else {"initial_margin": 0.1, "maintenance_margin": 0.05}
    return vb.Bars.from_numpy(
        close, close * 1.01, close * 0.99, close, index=pd.date_range("2023-01-01", periods=250, tz="UTC"),
        symbols=[f"S{k}" for k in range(n)], asset_class="crypto", instrument=instrument, **contracts, **more,
    )  # fmt: skip


@pytest.mark.parametrize("instrument", ["cash", "future", "perpetual"])
@pytest.mark.parametrize("accounts", ["shared", "separate"])
def test_attribution_adds_up_to_the_profit_and_costs_to_the_statistics(instrument: str, accounts: str) -> None:
    given = bars(instrument)
    weights = np.where(np.random.default_rng(1).random(given.shape) < 0.1, np.random.default_rng(2).uniform(-0.6, 0.6, given.shape), np.nan)
    result = vb.backtest(
        given, vb.Weights(weights), costs=vb.Costs(commission_rate=0.001, slippage_bps=5.0), accounts=accounts,
        carry=vb.Carry(borrow_rate=0.05, interest_rate=0.08), positions={"S1": (20.0, 50.0)},
    )  # fmt: skip
    stats = result.stats()
    total = (
        (lambda name: float(np.sum(np.asarray(stats.loc[name], dtype=float))))
        if accounts == "separate"
        else (lambda name: float(stats[name]))
    )
    table, costs = result.attribution(), result.costs()
    assert list(table.index) == list(costs.index) == [*given.symbols, ACCOUNT]
    assert table["trades"].sum() == total("trades") > 0
    assert table["pnl"].sum() == pytest.approx(total("profit"), abs=1e-6 * total("initial"))
    assert table["contribution"].sum() == pytest.approx(total("profit") / total("initial"), abs=1e-9)
    for name in ("commission", "slippage", "borrow", "interest", "funding"):
        assert costs[name].sum() == pytest.approx(total(name), abs=1e-7), name
    assert table["commission"].sum() == pytest.approx(costs["commission"].sum())
    assert table["carry"].sum() == pytest.approx(total("carry"), abs=1e-7)
    assert table["dividends"].sum() == pytest.approx(total("dividends"), abs=1e-7)
    assert costs["total"].sum() == pytest.approx(costs.drop(columns="total").to_numpy().sum())
    assert (costs["funding"].abs().sum() > 0.0) == (instrument == "perpetual")


def test_attribution_of_the_example_by_hand() -> None:
    """AAA bought 20 at 11, sold at 9; BBB sold 10 at 19, bought 15 at 22, of which 5 are left, at 24 at the end; 1 a fill."""
    table = Result(small()).attribution()
    assert table.loc["AAA", ["gross", "unrealized", "pnl"]].tolist() == [-40.0, 0.0, -42.0]
    assert table.loc[ACCOUNT].tolist() == [0.0] * 8
    assert Result(small()).costs().loc[["AAA", "BBB"], "commission"].tolist() == [2.0, 2.0]


def test_without_capital_contributions_are_unknown() -> None:
    result = Result(run_of([[10.0], [5.0]], FILLS[:0], symbols=("A",), capital=100.0, positions={"A": (-20.0, 10.0)}))
    assert result.attribution()["contribution"].isna().all()
