"""BCH-01: training, validation and test bars, and a benchmark beside the strategies."""

from __future__ import annotations

import numpy as np
import pytest

import vecbt as vb
from vecbt.data import synthetic
from vecbt.errors import ConfigError, DataError
from vecbt.faces.benchmark_runner import PortfolioMetrics

COSTS = vb.Costs(commission_rate=0.001)


def test_bch01_parts_follow_each_other_and_leave_the_gap_out() -> None:
    bars = synthetic.gbm(100, N=2, seed=1)
    splitter = vb.DataSplitter(train=0.5, validation=0.25, test=0.25, gap=5)
    assert splitter.bounds(bars) == {"train": (0, 50), "validation": (55, 75), "test": (80, 100)}
    parts = splitter.split(bars)
    assert [part.T for part in parts.values()] == [50, 20, 20] and parts["test"].index[0] == bars.index[80]
    assert list(vb.DataSplitter(train=0.7, validation=0.0, test=0.3).split(bars)) == ["train", "test"]


def test_bch01_bad_parts_are_refused() -> None:
    for bad in ({"train": 0.9}, {"train": -0.1, "validation": 0.9}, {"gap": -1}, {"gap": 1.5}, {"train": True}):
        with pytest.raises(ConfigError):
            vb.DataSplitter(**bad)
    with pytest.raises(DataError, match="validation would have no bar"):
        vb.DataSplitter(gap=30).bounds(synthetic.gbm(100, seed=1))


def test_bch01_a_part_is_a_run_of_its_own_with_warm_indicators() -> None:
    """BCH-01: the account starts flat with the part; the rows are those of all bars up to its end."""
    bars = synthetic.gbm(300, N=2, seed=3)
    strategy = vb.strategies.SmaCross(5, 20)
    report = vb.BenchmarkRunner(costs=COSTS).run({"cross": strategy}, bars)
    assert list(report.results) == ["cross", "benchmark"] and list(report.bounds) == ["train", "validation", "test"]
    first, past = report.bounds["test"]
    rows = strategy.rows(bars)
    flags = np.asarray(rows.flags)[first:past]
    entries, exits = (flags & vb.ENTER_LONG) != 0, (flags & vb.EXIT_LONG) != 0
    alone = vb.backtest(bars.slice(first, past), vb.Signals(entries, exits), costs=COSTS)
    found = report.results["cross"]["test"]
    assert found.run.equity.tobytes() == alone.run.equity.tobytes()
    cold = vb.backtest(bars.slice(first, past), strategy, costs=COSTS)
    assert found.run.equity.tobytes() != cold.run.equity.tobytes(), "the first bars of a part would be silent"
    stats = found.stats()
    row = report.table.loc[("cross", "test")]
    assert row["value"] == stats["final_equity"] and row["sharpe"] == stats["sharpe"] and row["trades"] == stats["trades"]
    assert report.comparison("test").names == ("cross", "benchmark")
    with pytest.raises(ConfigError, match="part is 'tset'"):
        report.comparison("tset")


def test_bch01_the_benchmark_holds_what_it_says() -> None:
    bars = synthetic.gbm(120, N=2, seed=5)
    held = vb.backtest(bars, vb.PortfolioBenchmark(), costs=vb.Costs.free())
    units = 50_000.0 / bars.close[0]  # decided at the first close, paid at the next open
    paid = (units * bars.open[1]).sum()
    share = min(1.0, 100_000.0 / paid)
    assert held.run.equity[-1, 0] == pytest.approx(100_000.0 + share * ((units * bars.close[-1]).sum() - paid), rel=1e-9)
    monthly = vb.backtest(bars, vb.PortfolioBenchmark(weights={"S0": 0.3, "S1": 0.5}, rebalance="monthly"), costs=COSTS)
    months = len(np.unique(bars.session.astype("M8[D]").astype("M8[M]")))
    assert len(monthly.orders) == 2 * months
    with pytest.raises(ConfigError, match="none of the bars' assets"):
        vb.backtest(bars, vb.PortfolioBenchmark(weights={"S9": 1.0}), costs=COSTS)
    with pytest.raises(ConfigError, match="'never' or 'monthly'"):
        vb.PortfolioBenchmark(rebalance="daily")


def test_bch01_bad_runs_are_refused() -> None:
    bars = synthetic.gbm(120, N=2, seed=5)
    runner = vb.BenchmarkRunner(costs=COSTS)
    with pytest.raises(ConfigError, match="at least one strategy"):
        runner.run({}, bars)
    with pytest.raises(ConfigError, match="rename it"):
        runner.run({"benchmark": vb.strategies.SmaCross(5, 20)}, bars)
    with pytest.raises(ConfigError, match="expected a DataSplitter"):
        vb.BenchmarkRunner(0.6, costs=COSTS)  # type: ignore[arg-type]
    separate = vb.backtest(bars, vb.strategies.SmaCross(5, 20), costs=COSTS, accounts="separate")
    with pytest.raises(ConfigError, match="account of its own"):
        PortfolioMetrics.of(separate)
