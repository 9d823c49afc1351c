"""ENS-05: an ensemble beside its members, equal weights and the best of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from vecbt.errors import ConfigError
from vecbt.strategies import EmaCross, SmaCross

COSTS = vb.Costs(commission_rate=0.0005, slippage_bps=2)
BARS = vb.samples.load("us_daily", symbols=["AAPL", "IBM"]).slice(0, 700)
MEMBERS = {"fast": SmaCross(5, 20), "slow": SmaCross(20, 100), "ema": EmaCross(10, 50)}
ENSEMBLE = vb.signals.Ensemble(MEMBERS)


@pytest.fixture(scope="module")
def comparison() -> vb.EnsembleComparison:
    """Of the three members above."""
    return vb.compare_ensemble_vs_individual(BARS, ENSEMBLE, costs=COSTS)


def test_ens05_the_table_holds_members_ensemble_equal_weights_and_the_best(comparison: vb.EnsembleComparison) -> None:
    """ENS-05: every number of a run is that of its own backtest."""
    table = comparison.table
    assert list(table.index) == ["fast", "slow", "ema", "ensemble", "equal_weights", "best_member"]
    assert list(table.columns) == ["total_return", "sharpe", "max_drawdown", "trades"]
    for name, strategy in {**MEMBERS, "ensemble": ENSEMBLE}.items():
        stats = vb.backtest(BARS, strategy, costs=COSTS).stats()
        for column in table.columns:
            assert table.loc[name, column] == pytest.approx(stats[column], rel=1e-12), (name, column)
    best = max(MEMBERS, key=lambda name: table.loc[name, "sharpe"])
    assert comparison.comparison["best_member"] == best
    assert table.loc["best_member"].tolist() == table.loc[best].tolist()


def test_ens05_equal_weights_are_the_mean_of_the_accounts(comparison: vb.EnsembleComparison) -> None:
    """ENS-05: a third of the money with each member, costs included, never moved."""
    curves = np.stack([vb.backtest(BARS, member, costs=COSTS).equity.to_numpy() for member in MEMBERS.values()]) / 100_000.0
    mean = curves.mean(axis=0)
    row = comparison.table.loc["equal_weights"]
    assert row["total_return"] == pytest.approx(mean[-1] - 1)
    returns = np.diff(mean, prepend=1.0) / np.r_[1.0, mean[:-1]]
    assert row["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(BARS.periods_per_year))
    assert row["max_drawdown"] == pytest.approx(np.max(1 - mean / np.maximum(np.maximum.accumulate(mean), 1.0)))
    assert row["trades"] == comparison.table.loc[list(MEMBERS), "trades"].sum()


def test_ens05_the_documents_example_with_other_imports(comparison: vb.EnsembleComparison) -> None:
    """ENS-05: results of runs go in; the document named the mapping `ensemble_results`, which was never made (defect 45)."""

    def run_backtest(strategy: Any) -> vb.Result:
        return vb.backtest(BARS, strategy, costs=COSTS)

    individual_results = {name: run_backtest(strategy) for name, strategy in {**MEMBERS, "ensemble": ENSEMBLE}.items()}
    compared = vb.compare_ensemble_vs_individual(
        individual_results["ensemble"], {k: v for k, v in individual_results.items() if k != "ensemble"}
    )
    improvement = compared["comparison"]["return_improvement"]
    table = comparison.table
    assert improvement == pytest.approx(table.loc["ensemble", "total_return"] - table.loc[list(MEMBERS), "total_return"].mean())
    assert compared.comparison == comparison.comparison
    over = compared["comparison"]["drawdown_improvement_over_equal_weights"]
    assert over == pytest.approx(table.loc["equal_weights", "max_drawdown"] - table.loc["ensemble", "max_drawdown"])


def test_ens05_the_picture_draws_all_of_them(comparison: vb.EnsembleComparison, tmp_path: Path) -> None:
    """ENS-05: a line for each, from the curves of the table."""
    picture = comparison.plot(tmp_path / "ensemble.png")
    top, below = picture.axes
    labels = [line.get_label() for line in top.lines]
    best = comparison.comparison["best_member"]
    assert {"ensemble", "equal weights", f"{best} (best member, chosen afterwards)"} <= set(labels)
    assert len(below.lines) == len(MEMBERS) + 2
    drawn = next(line for line in top.lines if line.get_label() == "ensemble")
    assert drawn.get_ydata()[-1] == pytest.approx(1 + comparison.table.loc["ensemble", "total_return"])
    assert (tmp_path / "ensemble.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match=r"expected one that ends in \.png"):
        comparison.plot("ensemble.doc")


def test_ens05_what_cannot_be_compared_is_refused(comparison: vb.EnsembleComparison) -> None:
    """ENS-05"""
    other = vb.backtest(BARS.slice(0, 300), MEMBERS["fast"], costs=COSTS)
    for call, message in (
        (lambda: vb.compare_ensemble_vs_individual(comparison.ensemble, {"fast": other}), "is of other bars than the ensemble's"),
        (lambda: vb.compare_ensemble_vs_individual(comparison.ensemble, {}), "at least one"),
        (lambda: vb.compare_ensemble_vs_individual(comparison.ensemble, {"fast": 1.0}), "the result of 'fast' is float"),
        (lambda: vb.compare_ensemble_vs_individual(comparison.ensemble, comparison.individual, costs=COSTS), "with Bars only"),
        (lambda: vb.compare_ensemble_vs_individual(BARS, MEMBERS["fast"], costs=COSTS), "has no members"),
        (lambda: vb.compare_ensemble_vs_individual(BARS, ENSEMBLE), "costs are missing"),
        (lambda: vb.compare_ensemble_vs_individual(comparison.ensemble, {"equal_weights": other}), "rename it"),
        (lambda: vb.compare_ensemble_vs_individual([1.0], {}), "the first argument is list"),
    ):
        with pytest.raises(ConfigError, match=message):
            call()


def test_ens05_the_ensemble_is_tested_against_equal_weights_and_the_best_member(comparison: vb.EnsembleComparison) -> None:
    """ENS-05: SPA of the difference is that of its mean against a bootstrap of it, by arch."""
    from arch.bootstrap import SPA

    found = comparison.superiority(resamples=300, seed=5)
    assert list(found) == ["over_equal_weights", "over_best_member"]
    mine = comparison.ensemble.returns.to_numpy()
    theirs = comparison.individual[comparison.comparison["best_member"]].returns.to_numpy()
    test = SPA(-theirs, -mine[:, None], block_size=found["over_best_member"].block_length, reps=300, seed=5)
    test.compute()
    assert found["over_best_member"].consistent == pytest.approx(test.pvalues["consistent"], abs=0.02)
    same = vb.compare_ensemble_vs_individual(comparison.ensemble, {"one": comparison.ensemble})
    assert all(np.isnan(one.consistent) and one.reason for one in same.superiority().values()), "nothing to tell apart"
