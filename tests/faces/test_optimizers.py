"""OPT-01, OPT-03, OPT-04, C16: optimizers under the names of the design documents are searches, and both forms of configuration load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.optimize.searches import BARS, COSTS
from vecbt.errors import ConfigError, StateError
from vecbt.faces.optimizers import optimizer_config
from vecbt.optimize.genetic import Genetic
from vecbt.strategies import SmaCross

CONFIG = {"population_size": 8, "generations": 3, "fitness_metric": "total_return", "seed": 2, "threads": 1}
NESTED = {
    "optimization": {
        "enabled": True,
        "mode": "ga",
        "wfo": {"train_window_days": 90, "test_window_days": 30},
        "ga": {"population_size": 8, "generations": 3},
        "rl": {"alpha": 0.1},
        "fitness_metric": "sharpe_ratio",
        "fitness_weights": {"sharpe_ratio": 1.0, "total_return": 0.3, "win_rate": 0.2, "max_drawdown": -0.1},
    }
}


def optimizer(**other: Any) -> vb.GeneticOptimizer:
    """Over two parameters."""
    made = vb.GeneticOptimizer(CONFIG | other, costs=COSTS)
    made.add_parameter_bounds(vb.ParameterBounds("fast", 2, 8, param_type="int"))
    made.add_parameter_bounds(vb.ParameterBounds("slow", 9, 30, "int"))
    return made


def test_opt03_the_optimizer_is_the_search() -> None:
    ours = optimizer()
    best = ours.optimize(SmaCross, BARS, progress=False)
    found = vb.search(
        BARS, SmaCross(), {"fast": (2, 8), "slow": (9, 30)}, objective="total_return", seed=2, costs=COSTS, progress=False, threads=1,
        method=Genetic(8, 3, 0.1, 0.7, 0.1, 3),
    )  # fmt: skip
    assert best == ours.best_params == found.best_parameters
    assert ours.best_fitness == found.best()["score"] and ours.search is not None and ours.search.table.equals(found.table)
    assert set(ours.parameter_bounds) == {"fast", "slow"}


def test_opt01_fitness_function_and_validator() -> None:
    ours = optimizer()
    ours.fitness_function = lambda m: m["total_return"] * 0.5 - m["max_drawdown"]
    ours.parameter_validator = lambda p: p["fast"] * 3 < p["slow"]
    best = ours.optimize(SmaCross(3, 10), BARS, progress=False)
    assert best["fast"] * 3 < best["slow"] and ours.search is not None
    table = ours.search.table
    assert np.allclose(table["score"], table["total_return"] * 0.5 - table["max_drawdown"])
    ours.parameter_validator = lambda p: "yes"  # type: ignore[arg-type, return-value]
    with pytest.raises(ConfigError, match="answered 'yes'"):
        ours.optimize(SmaCross, BARS, progress=False)


def test_opt01_results_are_saved_and_loaded(tmp_path: Path) -> None:
    ours = optimizer()
    with pytest.raises(ConfigError, match="call optimize"):
        ours.save_results(tmp_path / "results.json")
    ours.optimize(SmaCross, BARS, progress=False)
    ours.save_results(tmp_path / "results.json")
    fresh = optimizer()
    loaded = fresh.load_results(tmp_path / "results.json")
    assert (loaded.best_params, loaded.best_fitness) == (ours.best_params, ours.best_fitness)
    assert loaded.objective == "total_return [fraction]" and loaded.optimizer == "GeneticOptimizer" and len(loaded.generations) == 3
    fresh.best_params, fresh.best_fitness = loaded.best_params, loaded.best_fitness
    text = (tmp_path / "results.json").read_text()
    (tmp_path / "results.json").write_text(text.replace("GeneticOptimizer", "MagicOptimizer"))
    with pytest.raises(StateError, match="was changed"):
        fresh.load_results(tmp_path / "results.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(StateError, match="no results"):
        fresh.load_results(tmp_path / "other.json")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("x", 1, 5, "int"), vb.Range(1, 5, integer=True)),
        (("x", 1, 5), vb.Range(1, 5, integer=False)),
        (("x", 0.1, 5.0, "log"), vb.Range(0.1, 5.0, log=True, integer=False)),
        (("x", None, None, "bool"), vb.Choice((False, True))),
        (("x", None, None, "choice", ("a", "b")), vb.Choice(("a", "b"))),
    ],
)
def test_opt01_bounds_are_ranges(given: Any, expected: Any) -> None:
    from vecbt.faces.optimizers import range_of

    assert range_of(vb.ParameterBounds(*given)) == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("x", 5, 1, "int"), "wrong way round"),
        (("x", 1, 5, "integer"), "did you mean 'int'"),
        (("x", 1), "give min_value and max_value"),
        (("x", 1, 2, "bool"), "leave them out"),
        (("x", None, None, "choice"), "choice of nothing"),
    ],
)
def test_opt01_bounds_that_cannot_be_are_refused(given: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        vb.ParameterBounds(*given)


def test_c16_nested_and_flat_configurations_make_the_same_optimizer() -> None:
    nested = vb.OptimizerFactory.create_from_config(NESTED, costs=COSTS)
    flat = vb.OptimizerFactory.create_from_config({"optimization": {"enabled": True, "mode": "ga", "population_size": 8, "generations": 3}})
    assert isinstance(nested, vb.GeneticOptimizer) and nested.method() == flat.method() == Genetic(8, 3, 0.1, 0.7, 0.1, 3)
    assert repr(nested.objective).startswith("+1 x sharpe [ratio] +0.3 x total_return") and repr(flat.objective) == "sharpe [ratio]"
    assert vb.OptimizerFactory.create_from_config({"optimization": {"enabled": False, "mode": "ga"}}) is None
    section = NESTED["optimization"]
    assert optimizer_config({**section, "mode": "wfo"}) == (
        "wfo",
        {
            "train_window_days": 90,
            "test_window_days": 30,
            "fitness_metric": "sharpe_ratio",
            "fitness_weights": section["fitness_weights"],
        },
    )


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"mode": "gaa"}, "did you mean 'ga'"),
        ({}, "mode is None"),
        ({"mode": "ga", "populaton_size": 8}, "population_size"),
        ({"mode": "ga", "population_size": 9, "ga": {"population_size": 8}}, "keep the one"),
        ({"mode": "ga", "ga": {"population_size": 1}}, "population is 1"),
        ({"mode": "ga", "fitness_weights": {"max_drawdown": 0.1}}, "give -0.1"),
        ({"enabled": "no"}, "true or false"),
    ],
)
def test_c16_configurations_that_contradict_themselves_are_refused(config: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        vb.OptimizerFactory.create_from_config({"optimization": config})
