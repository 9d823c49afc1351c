"""RL-01: `RLOptimizer` of the design documents is `vb.learn_policy` under its names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import vecbt as vb
from vecbt.errors import ConfigError, StateError

COSTS = vb.Costs(commission_rate=0.001)
MEMBERS = {"trend": vb.strategies.SmaCross(5, 20), "reversion": vb.strategies.RsiReversion(7)}


def _bars() -> vb.Bars:
    return vb.synthetic.gbm(300, 1, 3)


def _optimizer(**config: Any) -> vb.RLOptimizer:
    return vb.RLOptimizer({"episodes": 30, "random_policies": 2, **config}, costs=COSTS)


def test_rl01_defaults_are_those_of_the_documents() -> None:
    config = vb.RLOptimizer().config
    expected = {
        "alpha": 0.1, "gamma": 0.95, "epsilon": 0.1, "episodes": 100, "max_steps_per_episode": 50, "reward_function": "sharpe_ratio",
    }  # fmt: skip
    assert {name: config[name] for name in expected} == expected


def test_rl01_optimize_predict_save_and_load(tmp_path: Path) -> None:
    """RL-01."""
    bars, optimizer = _bars(), _optimizer(seed=4, gamma=0.9)
    policy = optimizer.optimize(MEMBERS, bars)
    same = vb.learn_policy(bars, MEMBERS, costs=COSTS, episodes=30, seed=4, gamma=0.9, random_policies=2)
    assert policy.strategy == same.strategy and policy.learning == same.learning
    assert optimizer.predict_action(bars) == policy.predict(bars) == optimizer.predict_action(bars.to_pandas())
    assert optimizer.best_params == policy.choices.to_dict() and optimizer.best_fitness == policy.held.measured["sharpe"][0]
    path = optimizer.save_results(tmp_path / "rl.json")
    other = _optimizer()
    assert repr(other.load_results(path)) == repr(policy) and other.best_params == optimizer.best_params
    assert other.predict_action(bars) == optimizer.predict_action(bars)
    with pytest.raises(StateError, match="no policy"):
        (tmp_path / "other.json").write_text("{}")
        other.load_results(tmp_path / "other.json")


def test_rl01_fitness_says_what_the_policy_is_worth() -> None:
    bars = _bars()
    weighted = _optimizer(fitness_weights={"sharpe_ratio": 1.0, "max_drawdown": -0.5})
    policy = weighted.optimize(MEMBERS, bars)
    held = policy.held.statistics
    assert weighted.best_fitness == pytest.approx(held["sharpe"] - 0.5 * held["max_drawdown"])
    own = _optimizer()
    own.fitness_function = lambda metrics: 2.0 * metrics["total_return"]
    own.optimize(MEMBERS, bars)
    assert own.best_fitness == pytest.approx(2.0 * held["total_return"])


def test_rl01_members_of_one_class_are_its_defaults_and_the_ends_of_its_bounds() -> None:
    optimizer = _optimizer()
    with pytest.raises(ConfigError, match="no choice"):
        optimizer.optimize(vb.strategies.SmaCross, _bars())
    optimizer.add_parameter_bounds(vb.ParameterBounds("fast", 5, 30, "int"))
    optimizer.add_parameter_bounds(vb.ParameterBounds("direction", param_type="choice", choices=("long", "both")))
    optimizer.parameter_validator = lambda parameters: parameters["fast"] < 30
    policy = optimizer.optimize(vb.strategies.SmaCross, _bars())
    assert policy.members == ("defaults", "fast=5", "direction='long'", "direction='both'")
    assert policy.strategy.members["fast=5"].parameters["fast"] == 5


def test_rl01_the_factory_makes_it_from_a_nested_or_a_flat_configuration() -> None:
    section = {"enabled": True, "mode": "rl", "rl": {"alpha": 0.2}, "ga": {"generations": 3}, "fitness_metric": "sharpe_ratio"}
    for config in ({"optimization": section}, {"mode": "rl", "alpha": 0.2}):
        made = vb.OptimizerFactory.create_from_config(config, costs=COSTS)
        assert isinstance(made, vb.RLOptimizer) and made.config["alpha"] == 0.2 and made.config["episodes"] == 100


@pytest.mark.parametrize(
    ("config", "message"),
    [({"alfa": 0.1}, "alpha"), ({"alpha": 2.0}, "alpha is 2.0"), ({"threads": 2}, "no 'threads'"), ({"states": {"trend": 1}}, "trend_")],
)
def test_rl01_what_it_does_not_take_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        vb.RLOptimizer(config, costs=COSTS)


def test_rl01_nothing_is_predicted_or_saved_before_there_is_a_policy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no policy yet"):
        _optimizer().predict_action(_bars())
    with pytest.raises(ConfigError, match="nothing to save"):
        _optimizer().save_results(tmp_path / "x.json")
    with pytest.raises(ConfigError, match="strategy_class is 'trend'"):
        _optimizer().optimize("trend", _bars())
