"""`Result.evidence` and `Sweep.evidence`: what they say follows from the statistics of `vecbt.evidence` and from the trial ledger."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import vecbt as vb
from vecbt.analytics.luck.tried import tried
from vecbt.data import synthetic
from vecbt.errors import ConfigError, StateError

COSTS = vb.Costs(commission_rate=0.001)
SPACE = {"fast": range(2, 8), "slow": range(8, 20, 2)}


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of its own, empty."""
    monkeypatch.setenv("VECBT_LEDGER", str(tmp_path / "ledger"))


def test_a_single_run_is_judged_by_itself() -> None:
    result = vb.backtest(synthetic.gbm(400, seed=4), vb.strategies.SmaCross(3, 12), costs=COSTS)
    found = result.evidence(resamples=100)
    of = vb.evidence.sharpe_evidence(result.returns.to_numpy(), periods_per_year=result.run.bars.periods_per_year)
    assert found["trials"] == found["independent_trials"] == 1.0 and found["lucky_sharpe"] == 0.0
    assert found["probability"] == of.probability and found["sharpe"] == result.stats()["sharpe"]
    assert found["needed_years"] == of.needed_years
    assert found["cagr_low"] < result.stats()["cagr"] < found["cagr_high"]
    assert "nothing is taken off for having searched" in found.paragraph
    assert [row[1] for row in found.rows] == found.table["shown"].tolist() and found.rows[0][0] == "Sharpe ratio"
    assert "&lt;" not in found._repr_html_() and found.title in str(found)


def test_M11_what_was_tried_before_raises_what_luck_would_bring() -> None:
    """The same configuration, before and after a sweep over the same bars: the ledger counts each set once."""
    bars = synthetic.gbm(400, seed=4)
    before = vb.backtest(bars, vb.strategies.SmaCross(2, 8), costs=COSTS).evidence(resamples=0)
    sweep = vb.sweep(bars, vb.strategies.SmaCross(2, 8), SPACE, costs=COSTS, progress=False)
    after = vb.backtest(bars, vb.strategies.SmaCross(2, 8), costs=COSTS).evidence(resamples=0)
    assert before["trials"] == 1 and after["trials"] == len(sweep)
    assert 1.0 < after["independent_trials"] < len(sweep)
    assert after["lucky_sharpe"] > 0.0 and after["probability"] < before["probability"]
    assert f"{len(sweep)} configurations were tried" in after.paragraph


def test_trials_can_be_given_and_more_of_them_make_luck_likelier() -> None:
    result = vb.backtest(synthetic.gbm(400, seed=4), vb.strategies.SmaCross(3, 12), costs=COSTS)
    few, many = (result.evidence(trials=n, resamples=0) for n in (10, 1000))
    assert few["lucky_sharpe"] < many["lucky_sharpe"] and few["probability"] > many["probability"]
    spread = math.sqrt(result.run.bars.periods_per_year / (result.run.bars.T - 1))
    assert few["lucky_sharpe"] == pytest.approx(float(vb.evidence.expected_maximum(10)) * spread, rel=1e-12)


def test_permutations_are_those_of_the_result() -> None:
    result = vb.backtest(synthetic.gbm(150, seed=4), vb.strategies.SmaCross(3, 12), costs=COSTS)
    found = result.evidence(permutations=19, resamples=0, seed=2)
    for kind in ("bars", "entries"):
        assert found[f"p_{kind}"] == result.permutation_test(kind=kind, n=19, seed=2, progress=False).p_value  # type: ignore[arg-type]
    assert "in random order" in found.paragraph and "at random times" in found.paragraph


def test_too_few_bars_say_so_and_how_many_are_needed() -> None:
    found = vb.backtest(synthetic.gbm(5, seed=4), vb.strategies.SmaCross(2, 3), costs=COSTS).evidence()
    assert "Nothing can be said" in found.paragraph and "bars are needed" in found.paragraph
    assert math.isnan(found["probability"]) and math.isnan(found["needed_years"])
    assert {row[0]: row[1] for row in found.rows}["Probability"] == "–"


def test_a_run_that_never_trades_divides_by_nothing() -> None:
    bars = synthetic.gbm(60, seed=4)
    found = vb.backtest(bars, vb.Signals(np.zeros(60, dtype=bool)), costs=COSTS).evidence(permutations=3)
    assert "Nothing can be said" in found.paragraph and math.isnan(found["sharpe"])


def test_accounts_of_their_own_are_asked_for_by_symbol() -> None:
    bars = synthetic.gbm(200, N=2, seed=4)
    result = vb.backtest(bars, vb.strategies.SmaCross(3, 12), costs=COSTS, accounts="separate")
    with pytest.raises(ConfigError, match="symbol='S0'"):
        result.evidence()
    assert result.evidence(symbol="S1", resamples=0)["sharpe"] == result.stats()["S1"]["sharpe"]
    with pytest.raises(ConfigError, match="none of the run's"):
        result.evidence(symbol="S9")
    with pytest.raises(ConfigError, match="leave it out"):
        vb.backtest(bars, vb.strategies.SmaCross(3, 12), costs=COSTS).evidence(symbol="S1")
    for bad in ({"trials": 0}, {"resamples": -1}, {"permutations": True}, {"seed": -1}):
        with pytest.raises(ConfigError, match=f"{next(iter(bad))} is"):
            vb.backtest(bars, vb.strategies.SmaCross(3, 12), costs=COSTS).evidence(**bad)


def test_the_evidence_of_a_sweep_is_that_of_its_block_sums() -> None:
    bars = synthetic.gbm(600, seed=9)
    sweep = vb.sweep(bars, vb.strategies.SmaCross(2, 8), SPACE, costs=COSTS, progress=False)
    found = sweep.evidence(resamples=200, seed=3)
    root = math.sqrt(bars.periods_per_year)
    assert found["sets"] == found["trials"] == len(sweep)
    assert found["best_sharpe"] == pytest.approx(sweep.best()["sharpe"], rel=1e-9)
    assert found["pbo"] == vb.evidence.pbo_of_blocks(sweep.blocks, bars.T).probability
    assert found["spa_p"] == vb.evidence.spa_of_blocks(sweep.fine, bars.T, resamples=200, seed=3).consistent
    of, effective = vb.evidence.moments_of_blocks(sweep.blocks, bars.T), vb.evidence.effective_trials_of_blocks(sweep.fine, bars.T, seed=3)
    assert found["independent_trials"] == effective.effective
    best = int(np.nanargmax(np.asarray(of.sharpe)))
    assert found["probability"] == pytest.approx(float(np.asarray(vb.evidence.deflated_sharpe(of, effective))[best]), rel=1e-12)
    assert found["lucky_sharpe"] > 0.0 and found["outside_sharpe"] == float(np.median(found.parts["overfitting"].outside)) * root
    assert f"{len(sweep)} sets were tried; they count as" in found.paragraph


def test_a_sweep_and_the_run_of_its_best_set_are_judged_against_the_same_trials() -> None:
    """M11: what else the ledger has counts for both in one way."""
    bars = synthetic.gbm(600, seed=9)
    vb.sweep(bars, vb.strategies.EmaCross(2, 8), SPACE, costs=COSTS, progress=False)
    sweep = vb.sweep(bars, vb.strategies.SmaCross(2, 8), SPACE, costs=COSTS, progress=False)
    whole, one = sweep.evidence(resamples=100), sweep.backtest(sweep.best()["set"]).evidence(resamples=0)
    assert whole["trials"] == one["trials"] == 2 * len(sweep)
    for name in ("independent_trials", "lucky_sharpe"):
        assert whole[name] == one[name], name
    assert whole["probability"] == pytest.approx(one["probability"], abs=1e-9)


def test_a_benchmark_has_to_be_beaten_and_a_choice_made_afterwards_is_said() -> None:
    bars = synthetic.gbm(600, seed=9)
    sweep = vb.sweep(bars, vb.strategies.SmaCross(2, 8), SPACE, costs=COSTS, progress=False)
    high = sweep.evidence(benchmark=np.full(bars.T, 0.01), resamples=200)
    assert high["spa_p"] > 0.5 and "earns more than the benchmark" in high.paragraph
    some = sweep.filter(lambda table: table["fast"].to_numpy() == 3).evidence(resamples=100)
    assert "chosen after they were seen" in some.paragraph and some["sets"] == 6


def test_a_sweep_without_block_sums_or_bars_says_what_to_do(tmp_path: Path) -> None:
    bars = synthetic.gbm(200, seed=9)
    none = vb.sweep(bars, vb.strategies.SmaCross(2, 8), SPACE, costs=COSTS, blocks=False, progress=False)
    with pytest.raises(ConfigError, match="blocks=True"):
        none.evidence()
    kept = vb.sweep(bars, vb.strategies.SmaCross(2, 8), SPACE, costs=COSTS, progress=False)
    kept.save(tmp_path / "sweep")
    with pytest.raises(StateError):
        vb.Sweep.load(tmp_path / "sweep").evidence()


def test_a_switched_off_ledger_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECBT_LEDGER", "off")
    bars = synthetic.gbm(200, seed=9)
    result = vb.backtest(bars, vb.strategies.SmaCross(2, 8), costs=COSTS)
    assert tried(result.trials, bars.T).count == 1
    assert "VECBT_LEDGER" in result.evidence(resamples=0).paragraph


def test_returns_of_any_origin_are_judged_as_those_of_a_result() -> None:
    import pandas as pd

    result = vb.backtest(synthetic.gbm(400, seed=4), vb.strategies.SmaCross(3, 12), costs=COSTS)
    year = result.run.bars.periods_per_year
    mine = result.evidence(trials=5, resamples=50)
    for found in (
        vb.evidence_of(result.returns.to_numpy(), trials=5, variance=mine.parts["trials"].variance, periods_per_year=year, resamples=50),
        vb.evidence_of(result.returns, trials=5, variance=mine.parts["trials"].variance, periods_per_year=year, resamples=50),
    ):
        assert [line.value for line in found.lines] == [line.value for line in mine.lines]
    table = pd.DataFrame({"a": result.returns, "b": -result.returns})
    vb.register_accessors()
    assert table.vecbt.evidence(column="a", periods_per_year=year, resamples=0)["sharpe"] == mine["sharpe"]
    with pytest.raises(ConfigError, match="column='a'"):
        vb.evidence_of(table, periods_per_year=year)
    with pytest.raises(ConfigError, match="none of the returns"):
        vb.evidence_of(table, column="c", periods_per_year=year)
    for bad in ({"trials": 0}, {"variance": -1.0}, {"resamples": -1}):
        with pytest.raises(ConfigError, match=f"{next(iter(bad))} is"):
            vb.evidence_of(result.returns, periods_per_year=year, **bad)  # type: ignore[arg-type]
