"""OPT-01, OPT-04, fault 33: scores from metrics, with signs, scales and units said."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from vecbt.analytics.sweep_lines import METRICS
from vecbt.core.space import Space
from vecbt.errors import ConfigError
from vecbt.evidence import deflated_sharpe, moments
from vecbt.optimize.luck_scores import Deflated, Plateau
from vecbt.optimize.objective import Penalty, Weighted, as_objective, as_objectives, objective_of
from vecbt.optimize.seen import Seen
from vecbt.optimize.variables import Choice, Range, Variables

_NONE: Any = Space("nothing", ())


def _seen(count: int = 5, **columns: Any) -> Seen:
    """Sets whose metrics are noise but for those that are given."""
    rng = np.random.default_rng(3)
    found = {name: rng.random(count) for name in METRICS}
    found |= {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    return Seen.of(found, bars=1000, per_year=250.0)


def _scores(objective: Any, seen: Seen) -> NDArray[np.float64]:
    return as_objective(objective).scores(seen)


def test_opt04_a_metric_scores_by_its_direction() -> None:
    seen = _seen(2, sharpe=[1.0, math.nan], max_drawdown=[0.2, 0.1])
    assert _scores("sharpe", seen).tolist()[0] == 1.0
    assert np.isnan(_scores("sharpe", seen)[1])
    assert _scores("max_drawdown", seen).tolist() == [-0.2, -0.1]
    assert repr(as_objective("max_drawdown")) == "-max_drawdown [fraction, lower is better]"


def test_opt04_the_design_documents_names_are_understood() -> None:
    seen = _seen()
    assert (_scores("sharpe_ratio", seen) == _scores("sharpe", seen)).all()
    weights = {"sharpe_ratio": 1.0, "total_return": 0.3, "win_rate": 0.2, "max_drawdown": -0.1}
    found = objective_of("sharpe_ratio", weights)
    parts = seen.columns
    expected = parts["sharpe"] + 0.3 * parts["total_return"] + 0.2 * parts["win_rate"] - 0.1 * parts["max_drawdown"]
    assert np.allclose(found.scores(seen), expected, rtol=1e-15)
    assert repr(objective_of("sharpe_ratio")) == repr(as_objective("sharpe"))


def test_fault33_each_part_says_sign_unit_and_scale() -> None:
    found = Weighted({"sharpe": 1.0, "total_return": 0.3, "max_drawdown": -0.1}, scales={"total_return": 0.1})
    assert repr(found) == ("+1 x sharpe [ratio] +0.3 x total_return [fraction] / 0.1 -0.1 x max_drawdown [fraction, lower is better]")


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"max_drawdown": 0.1}, "give -0.1"),
        ({"sharpe": -1.0}, "give 1"),
        ({"volatility": 1}, "lower is better"),
        ({"sharpe": 0.0}, "not 0"),
        ({"sharp": 1.0}, "sharpe"),
        ({"turnover": -1.0}, "trades_per_year"),
        ({"sharpe": 1.0, "sharpe_ratio": 1.0}, "two weights"),
        ({}, "expected"),
    ],
)
def test_fault33_weights_that_reward_the_worse_are_refused(weights: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Weighted(weights)


def test_fault33_scales_divide_and_those_of_the_first_generation_stay() -> None:
    seen = _seen(6)
    plain, half = Weighted({"sharpe": 1.0, "trades": -1.0}), Weighted({"sharpe": 1.0, "trades": -1.0}, scales={"trades": 2.0})
    gap = half.scores(seen) - plain.scores(seen)
    assert np.allclose(gap, seen.columns["trades"] / 2)
    first = Seen(seen.columns, seen.rows, 1000, 250.0, first=3)
    found = Weighted({"sharpe": 2.0}, scales="first generation").scores(first)
    assert np.allclose(found, 2.0 * seen.columns["sharpe"] / seen.columns["sharpe"][:3].std())
    with pytest.raises(ConfigError, match="no weight"):
        Weighted({"sharpe": 1.0}, scales={"calmar": 1.0})


def test_opt01_penalties_cost_their_weight_for_each_whole_bound() -> None:
    seen = _seen(4, sharpe=[1.0, 1.0, 1.0, math.nan], trades=[0, 15, 60, 60])
    few = Penalty("trades", at_least=30, weight=2.0)
    assert few.scores(seen).tolist()[:3] == [-1.0, 0.0, 1.0]
    both = Penalty("trades_per_year", at_most=10.0, weight=1.0, of=few)
    # 60 trades in four years are 15 a year, half more than ten
    assert both.scores(seen).tolist()[:3] == [-1.0, 0.0, 0.5]
    assert np.isnan(both.scores(seen)[3])
    assert "at least 30" in repr(both)
    for bad in ({}, {"at_least": 1, "at_most": 2}, {"at_least": 0}, {"at_least": 3, "weight": -1.0}):
        with pytest.raises(ConfigError, match="Penalty of trades"):
            Penalty("trades", **bad)


def test_opt01_a_function_is_called_once_with_arrays() -> None:
    calls = []

    def fitness(metrics: dict[str, Any]) -> Any:
        calls.append(metrics["sharpe_ratio"].shape)
        return metrics["sharpe_ratio"] * 0.5 + metrics.get("total_return", 0)

    seen = _seen(7)
    assert np.allclose(_scores(fitness, seen), seen.columns["sharpe"] * 0.5 + seen.columns["total_return"])
    assert calls == [(7,)]


def test_opt01_a_function_for_single_numbers_is_told_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"failed.*numpy.where"):
        _scores(lambda m: 1.0 if m["sharpe"] > 0 else 0.0, _seen())
    with pytest.raises(ConfigError, match=r"gave float; expected numbers \(5,\)"):
        _scores(lambda m: 1.0, _seen())
    with pytest.raises(ConfigError, match="expected numbers"):
        _scores(lambda m: np.array(["a"] * 5), _seen())
    with pytest.raises(ConfigError, match="infinite"):
        _scores(lambda m: np.full(5, np.inf), _seen())


def test_opt01_several_objectives() -> None:
    assert len(as_objectives(["sharpe", "max_drawdown"])) == 2
    assert len(as_objectives("sharpe")) == 1
    with pytest.raises(ConfigError, match="same twice"):
        as_objectives(["sharpe", "sharpe_ratio"])
    with pytest.raises(ConfigError, match="empty list"):
        as_objectives([])
    with pytest.raises(ConfigError, match="objective is 3"):
        as_objectives(3)


def _placed(genes: Any, variables: Variables, **columns: Any) -> Seen:
    seen = _seen(len(genes), **columns)
    return Seen(seen.columns, seen.rows, seen.bars, seen.per_year, len(genes), np.asarray(genes, dtype=np.float64), variables)


def test_opt01_a_plateau_is_the_mean_less_the_deviation_of_the_neighbourhood() -> None:
    variables = Variables.of({"a": Range(0, 100), "b": Range(0.0, 1.0), "c": Choice(["x", "y"])}, _NONE, {})
    rng = np.random.default_rng(5)
    genes = variables.sample(60, rng)
    values = rng.normal(size=60)
    values[7] = np.nan
    seen = _placed(genes, variables, sharpe=values)
    found = Plateau("sharpe", width=0.2).scores(seen)
    for i in range(60):
        near = [
            j
            for j in range(60)
            if abs(genes[i, 0] - genes[j, 0]) <= 20 and abs(genes[i, 1] - genes[j, 1]) <= 0.2 and genes[i, 2] == genes[j, 2] and j != 7
        ]
        if i == 7:
            assert np.isnan(found[i])
            continue
        x = values[near]
        expected = x.mean() - x.std() if len(near) > 1 else values[i] - np.nanstd(values)
        assert math.isclose(found[i], expected, rel_tol=1e-9, abs_tol=1e-12)


def test_opt01_a_plateau_beats_a_lone_peak() -> None:
    variables = Variables.of({"a": Range(0, 100)}, _NONE, {})
    places = np.arange(0, 100.0)[:, None]
    values = np.where((places[:, 0] >= 60) & (places[:, 0] < 80), 1.0, 0.0)
    values[20] = 3.0
    found = Plateau("sharpe").scores(_placed(places, variables, sharpe=values))
    assert 65 <= int(np.argmax(found)) < 75


def test_opt01_deflated_is_the_deflated_sharpe_ratio_before_the_normal_distribution() -> None:
    returns = np.random.default_rng(0).normal(0.0004, 0.01, (1000, 12))
    of = moments(returns)
    seen = _seen(12, bar_sharpe=of.sharpe, skew=of.skew, kurtosis=of.kurtosis)
    assert np.allclose(norm.cdf(Deflated().scores(seen)), deflated_sharpe(of, 12), rtol=1e-12)
    assert (Deflated(before=1000).scores(seen) < Deflated().scores(seen)).all()
    with pytest.raises(ConfigError, match="sums over parts"):
        Deflated().scores(_seen())
