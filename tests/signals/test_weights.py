"""ENS-03, ENS-06: weights from trailing results against a slow, obvious twin, and what they may not know."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vecbt as vb
from tests.signals.examples import MIXED, gappy_bars, numbers
from tests.signals.test_filters import Says, bars_of
from vecbt.engine.strategy import evaluate
from vecbt.signals import DynamicWeights, Ensemble

COSTS = {"costs": vb.Costs(commission_rate=0.002)}


def score(returns: np.ndarray, metric: str, year: float) -> float:
    """As a book says it."""
    if not np.any(returns != 0):
        return math.nan
    gains, losses = returns[returns > 0].sum(), -returns[returns < 0].sum()
    if metric == "win_rate":
        return float(np.mean(returns[returns != 0] > 0))
    if metric == "profit_factor":
        return 10.0 if losses == 0 else min(gains / losses, 10.0)
    return float(returns.mean() / returns.std(ddof=1) * math.sqrt(year))


def twin(equity: np.ndarray, dynamic: DynamicWeights, year: float, start: np.ndarray) -> np.ndarray:
    """Weights (M, T) from equity (M, T) that began at 100,000."""
    returns = np.diff(equity, axis=1, prepend=100_000.0) / np.concatenate([np.full((len(equity), 1), 100_000.0), equity[:, :-1]], axis=1)
    active, out = np.ones(len(equity), dtype=bool), np.zeros(equity.shape)
    for t in range(equity.shape[1]):
        past = returns[:, max(0, t + 1 - dynamic.window) : t + 1]
        n = past.shape[1]
        scores = np.array([score(r, dynamic.metric, year) if n >= dynamic.min_history else math.nan for r in past])
        if dynamic.drop_below is not None:
            again = dynamic.drop_below if dynamic.readmit_above is None else dynamic.readmit_above
            active = np.where(active, ~(scores < dynamic.drop_below), scores >= again)
        floored = np.where(active, np.nan_to_num(np.maximum(scores, 0.0)), 0.0)
        first = np.where(active, start, 0.0)
        first = first / first.sum() if first.sum() > 0 else active / max(active.sum(), 1)  # those left had no weight: equal
        share = dynamic.shrink / (dynamic.shrink + n)
        out[:, t] = (1 - share) * floored / floored.sum() + share * first if floored.sum() > 0 else first
    return out


@pytest.mark.parametrize(
    "dynamic",
    [
        DynamicWeights(COSTS, window=20, min_history=5, shrink=10.0),
        DynamicWeights(COSTS, metric="win_rate", window=15, min_history=2, shrink=0.0),
        DynamicWeights(COSTS, metric="profit_factor", window=10, min_history=4, shrink=30.0),
        DynamicWeights(COSTS, window=12, min_history=6, drop_below=-5.0, readmit_above=3.0),
        DynamicWeights(COSTS, metric="win_rate", window=25, min_history=10, drop_below=0.4, readmit_above=0.45),
    ],
    ids=lambda d: f"{d.metric}-{d.window}-{d.drop_below}",
)
@pytest.mark.parametrize("weights", [None, {"sma": 3.0, "ema": 1.0}])
def test_ens03_weights_follow_the_accounts_of_the_members(dynamic: DynamicWeights, weights: dict[str, float] | None) -> None:
    """ENS-03, ENS-06: the equity of a member's account is that of its own backtest; the weights are the twin's."""
    bars = gappy_bars(110)
    equity = np.stack([vb.backtest(bars, member, costs=COSTS["costs"]).equity.to_numpy() for member in MIXED.values()])
    start = np.array([0.75, 0.25, 0.0]) if weights else np.full(3, 1 / 3)
    expected = twin(equity, dynamic, bars.periods_per_year, start)
    ensemble = Ensemble(MIXED, mode="weighted_vote", weights=weights, dynamic=dynamic)
    verdict = ensemble.run(bars)[0].verdict  # type: ignore[attr-defined]
    for n in range(bars.N):
        np.testing.assert_allclose(verdict.weights[:, :, n], expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(verdict.weights.sum(axis=0), np.where(expected.sum(axis=0) > 0, 1.0, 0.0)[:, None] * np.ones(3))
    if dynamic.drop_below is not None:
        dropped = (expected == 0.0) & (start[:, None] > 0)
        assert dropped.any() and (np.diff(dropped.astype(int), axis=1) == -1).any(), "somebody leaves and comes back"
    else:
        assert len(np.unique(expected[0])) > 10


def test_ens03_weights_do_not_know_the_bars_to_come() -> None:
    """ENS-03, defect 28: a member that will earn everything later has no weight for it today."""
    close = np.concatenate([np.linspace(100, 60, 50), np.linspace(60, 300, 50)])
    members = {"long": Says(tuple([1.0] * 100)), "short": Says(tuple([-1.0] * 100))}
    dynamic = DynamicWeights(COSTS, window=20, min_history=5, shrink=5.0)
    ensemble = Ensemble(members, mode="weighted_vote", dynamic=dynamic)
    said = numbers(evaluate(ensemble, bars_of(close)))[:, 0]
    assert set(said[10:50]) == {-1.0} and set(said[75:]) == {1.0}
    assert numbers(evaluate(ensemble, bars_of(close[:50])))[:, 0].tobytes() == said[:50].tobytes()


def test_ens06_dropped_members_have_no_vote_and_with_nobody_left_the_ensemble_is_flat() -> None:
    """ENS-06: their accounts go on, so they can come back."""
    rng = np.random.default_rng(2)
    close = 100 * np.exp(np.cumsum(np.r_[np.full(40, -0.01), np.full(40, 0.01)] + rng.normal(0, 0.002, 80)))
    dynamic = DynamicWeights(COSTS, metric="win_rate", window=8, min_history=4, drop_below=0.3, readmit_above=0.6)
    one = Ensemble({"long": Says(tuple([1.0] * 80))}, dynamic=dynamic)
    said = numbers(evaluate(one, bars_of(close)))[:, 0]
    assert said[0] == 1.0 and set(said[10:38]) == {0.0} and set(said[60:]) == {1.0}
    both = Ensemble({"long": Says(tuple([1.0] * 80)), "short": Says(tuple([-1.0] * 80))}, dynamic=dynamic)
    voted = numbers(evaluate(both, bars_of(close)))[:, 0]
    assert set(voted[12:38]) == {-1.0} and set(voted[60:]) == {1.0}  # of one member in force, one is two thirds
    last = both.decisions(bars_of(close)).iloc[30]
    assert last["strategy_weights"] == {"long": 0.0, "short": 1.0} and last["vote_counts"] == {"buy": 0, "sell": 1, "hold": 0}


def test_ens03_separate_accounts_give_a_weight_per_asset() -> None:
    """ENS-03: as many weights as there are accounts."""
    bars = gappy_bars(60)
    dynamic = DynamicWeights({**COSTS, "accounts": "separate"}, window=10, min_history=3)
    verdict = Ensemble(MIXED, dynamic=dynamic).run(bars)[0].verdict  # type: ignore[attr-defined]
    assert not np.array_equal(verdict.weights[:, -1, 0], verdict.weights[:, -1, 2])
    for n, symbol in enumerate(bars.symbols):
        alone = Ensemble(MIXED, dynamic=DynamicWeights(COSTS, window=10, min_history=3)).run(bars.select([symbol]))[0]
        np.testing.assert_array_equal(verdict.weights[:, :, n], alone.verdict.weights[:, :, 0])  # type: ignore[attr-defined]
