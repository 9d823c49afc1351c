"""A sweep measures what it is asked for: metrics that take time of their own are left out where none of them is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import vecbt as vb
from tests.analytics.sweeps import BARS, COSTS, ONE
from vecbt.analytics.sweep import Sweep
from vecbt.analytics.sweep_lines import METRICS
from vecbt.engine.sweep_run import DETAILS
from vecbt.errors import ConfigError
from vecbt.strategies import SmaCross

FEW = ("total_return", "sharpe", "max_drawdown", "trades")
SPACE = {"fast": [2, 3], "slow": [6, 9, 14], "stops.trailing": [None, 0.03]}


def swept(bars: vb.Bars = ONE, space: Any = None, **more: Any) -> Sweep:
    return vb.sweep(bars, SmaCross(2, 20), SPACE if space is None else space, costs=COSTS, progress=False, **more)


@pytest.mark.interpreted
@pytest.mark.parametrize(
    "more", [{}, {"accounts": "separate"}, {"stops": vb.Stops(hard=vb.Atr(1.5))}, {"liquidate_at_end": True}], ids=lambda m: str(list(m))
)
def test_what_is_measured_is_the_same_to_the_last_bit(more: dict[str, Any]) -> None:
    """One account that is plain, one that is not, and two: each has a way of its own to count trades."""
    bars = BARS if "accounts" in more else ONE
    few, whole = swept(bars, metrics=FEW, **more), swept(bars, **more)
    assert set(METRICS) - set(few._lines.metrics) == DETAILS
    for name, values in few._lines.metrics.items():
        assert values.tobytes() == whole._lines.metrics[name].tobytes(), name
    assert few.blocks is not None and whole.blocks is not None and few.blocks.tobytes() == whole.blocks.tobytes()
    assert few.fine is not None and whole.fine is not None and few.fine.tobytes() == whole.fine.tobytes()
    assert few.table.columns[-5:] == [*FEW, "error"] and few._lines.metrics["trades"].sum() > 0
    assert few.run is not None
    for records in (few.run.returns, few.run.trades):
        assert all(np.isnan(records[name]).all() for name in records.dtype.names or () if name in DETAILS)


def test_what_was_not_measured_says_so() -> None:
    few = swept(metrics="sharpe")
    asks: list[Any] = [
        lambda: few.best("ulcer"), lambda: few.top(3, "ulcer"), lambda: few.heatmap("fast", "slow", "ulcer"), lambda: few.plateau("ulcer"),
        lambda: few.slices("ulcer"), lambda: few.distribution("ulcer"), lambda: few.report(metric="ulcer"),
    ]  # fmt: skip
    for ask in asks:
        with pytest.raises(ConfigError, match=r"'ulcer' was not measured: .* metrics= of the sweep"):
            ask()
    with pytest.raises(ConfigError, match="did you mean 'sharpe'"):
        few.best("shrape")
    with pytest.raises(ConfigError, match="win_rate"):
        few.filter(pl.col("win_rate") > 0.5)
    assert few.best("cagr")["cagr"] == swept().best("cagr")["cagr"]  # it comes with the curve


@pytest.mark.parametrize("metrics", [None, ("sharpe", "ulcer"), ("trades", "win_rate")])
def test_one_that_is_named_brings_all(metrics: Any) -> None:
    assert set(swept(metrics=metrics)._lines.metrics) == set(METRICS)


def test_lines_that_are_kept_have_all(tmp_path: Path) -> None:
    """A checkpoint may be gone on with by a call that names other metrics; an envelope counts trades one by one."""
    kept = swept(metrics=FEW, checkpoint=tmp_path / "kept")
    again = swept(checkpoint=tmp_path / "kept")
    whole = swept()
    for name in METRICS:
        assert kept._lines.metrics[name].tobytes() == again._lines.metrics[name].tobytes() == whole._lines.metrics[name].tobytes()
    assert "fragility" in swept(metrics=FEW, envelope=True).table.columns


def test_files_and_joins_know_what_was_measured(tmp_path: Path) -> None:
    few = swept(metrics=FEW)
    few.save(tmp_path / "few")
    loaded = Sweep.load(tmp_path / "few", bars=ONE, strategy=SmaCross(2, 20), costs=COSTS)
    assert loaded.table.equals(few.table) and set(loaded._lines.metrics) == set(METRICS) - DETAILS
    assert loaded.run is not None and not loaded.run.details
    with pytest.raises(ConfigError, match="not measured"):
        loaded.best("sortino")
    more = swept(space={"fast": [4], "slow": [6, 9], "stops.trailing": [None, 0.03]})
    for both in (few.append(more), more.append(few), loaded.append(more)):
        assert len(both) == len(few) + len(more) and "ulcer" not in both.metrics
        with pytest.raises(ConfigError, match="not measured"):
            both.best("ulcer")


def test_a_row_run_again_has_all_of_them() -> None:
    few = swept(metrics=FEW)
    stats = few.backtest(3).stats()
    assert {"ulcer", "win_rate"} <= set(stats.index) and stats["sharpe"] == few.table["sharpe"][3]
