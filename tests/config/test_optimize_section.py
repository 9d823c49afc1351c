"""The section `optimize` of a run file, and the `optimization` of other programs: what it means, and what it refuses (C16)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import vecbt as vb
from vecbt.config import check_config, load_run, parse_run, run_schema
from vecbt.config.optimizing import optimize_of
from vecbt.errors import ConfigError
from vecbt.optimize.genetic import Genetic
from vecbt.optimize.sampling import GridSearch, RandomSearch
from vecbt.optimize.variables import Range

BASE = """\
data: {sample: us_daily, symbols: [AAPL], start: 2001-01-01, end: 2001-06-01}
strategy: {name: SmaCross, parameters: {fast: 5, slow: 20}}
costs: {commission_rate: 0.001}
account: {initial_capital: 50000}
"""
TOML = """\
data = {sample = "us_daily", symbols = ["AAPL"], start = 2001-01-01, end = 2001-06-01}
strategy = {name = "SmaCross", parameters = {fast = 5, slow = 20}}
costs = {commission_rate = 0.001}
account = {initial_capital = 50000}
[optimize.space]
fast = "3:9"
stops.hard = ["5%", "2 atr"]
costs.commission_rate = {low = 0.001, high = 0.01, log = true}
"""
WHOLE = {"fast": Range(3, 9), "stops.hard": [vb.Pct(5), vb.Atr(2)], "costs.commission_rate": Range(0.001, 0.01, log=True)}


def wishes(text: str, **given: Any) -> dict[str, Any]:
    """What a search is asked for."""
    run = parse_run(BASE + text, name="run.yaml", folder="/files")
    return optimize_of(run, run.strategy(), run.keywords(), given)


def test_opt04_yaml_and_toml_mean_the_same(tmp_path: Path) -> None:
    text = "optimize: {space: {fast: '3:9', stops.hard: [5%, 2 atr], costs.commission_rate: {low: 0.001, high: 0.01, log: true}}}"
    (tmp_path / "run.toml").write_text(TOML)
    section = load_run(tmp_path / "run.toml").config.optimize
    assert section is not None and section.space == WHOLE == wishes(text)["space"]


def test_opt04_every_key_reaches_the_search() -> None:
    text = "optimize: {space: {fast: [3, 5]}, objective: [sharpe, max_drawdown], population: 8, generations: 3, mutation_rate: 0.2, "
    more = "crossover_rate: 0.6, elitism_rate: 0.2, tournament_size: 2, patience: 2, tolerance: 0.1, seed: 5, max_sets: 9, rf: 0.0001, "
    found = wishes(text + more + "mar: 0.0, checkpoint: kept, threads: 2}")
    assert found.pop("method") == Genetic(8, 3, 0.2, 0.6, 0.2, 2, patience=2, tolerance=0.1)
    assert [repr(each) for each in found.pop("objective")] == ["sharpe [ratio]", "-max_drawdown [fraction, lower is better]"]
    assert found == {
        "space": {"fast": [3, 5]}, "seed": 5, "max_sets": 9, "rf": 0.0001, "mar": 0.0, "checkpoint": Path("/files/kept"), "threads": 2,
    }  # fmt: skip
    assert wishes("optimize: {space: {fast: [3, 5]}, seed: 5}", seed=7, checkpoint=Path("here"))["seed"] == 7
    assert wishes("optimize: {space: {fast: [3, 5]}, method: random, count: 7}")["method"] == RandomSearch(7)
    assert wishes("optimize: {space: {fast: [3, 5]}, method: grid, steps: 3}")["method"] == GridSearch(3)
    assert wishes("")["method"] == Genetic() and wishes("")["space"] is None


def test_fault33_weights_scales_penalties_and_plateaus_are_said() -> None:
    text = "optimize: {space: {fast: [3, 5]}, weights: {sharpe_ratio: 1, max_drawdown: -0.1}, scales: {max_drawdown: 0.2}, plateau: 0.1, "
    (found,) = wishes(text + "penalties: [{metric: trades, at_least: 30, weight: 2}]}")["objective"]
    assert repr(found) == (
        "mean less deviation of ((+1 x sharpe [ratio] -0.1 x max_drawdown [fraction, lower is better] / 0.2) less 2 for each whole bound "
        "beyond: trades [count] at least 30) within 0.1 of each range"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("optimize: {space: {fats: '3:9'}}", r"line 5: optimize.space.fats: .*did you mean 'fast'"),
        ("optimize: {space: {fast: '3:9:2'}}", "has a step"),
        ("optimize: {space: {fast: {low: 3}}}", "no range"),
        ("optimize: {space: {fast: {low: 9, high: 3}}}", "wrong way round"),
        ("optimize: {space: {fast: 'a:b'}}", "no number"),
        ("optimize: {objective: sharp}", "sharpe"),
        ("optimize: {space: {fast: [3, 5]}, weights: {max_drawdown: 0.1}}", "give -0.1"),
        ("optimize: {space: {fast: [3, 5]}, weights: {sharpe: 1}, objective: sharpe}", "keep one"),
        ("optimize: {space: {fast: [3, 5]}, scales: {sharpe: 1}}", "there are none"),
        ("optimize: {space: {fast: [3, 5]}, method: random, population: 5}", "is of the method genetic"),
        ("optimize: {method: genes}", "genetic"),
        ("optimize: {mutation_rate: 1.5}", "mutation_rate"),
        ("optimize: {space: {fast: [3, 5]}, population: 1}", "population"),
        ("optimize: {colour: red}", "colour"),
    ],
)
def test_opt04_mistakes_are_named_with_their_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        wishes(text)
    assert any(finding.severity == "error" for finding in check_config(_tree(text)))


def _tree(text: str) -> dict[str, Any]:
    import yaml

    tree: dict[str, Any] = yaml.safe_load(BASE + text)
    return tree


NESTED = """\
optimize: {space: {fast: [3, 5]}}
optimization:
  enabled: true
  mode: ga
  wfo: {train_window_days: 90}
  ga: {population_size: 30, generations: 12, mutation_rate: 0.1, crossover_rate: 0.7, elitism_rate: 0.1, tournament_size: 3}
  rl: {alpha: 0.1}
  fitness_metric: sharpe_ratio
  fitness_weights: {sharpe_ratio: 1.0, total_return: 0.3, win_rate: 0.2, max_drawdown: -0.1}
"""
FLAT = """\
optimize: {space: {fast: [3, 5]}}
optimization: {enabled: true, mode: ga, population_size: 30, generations: 12, fitness_metric: sharpe_ratio}
"""


def test_c16_the_nested_and_the_flat_form_both_load() -> None:
    with pytest.warns(UserWarning, match="optimiz") as said:
        nested = wishes(NESTED)
    assert nested["method"] == Genetic(30, 12, 0.1, 0.7, 0.1, 3)
    assert repr(nested["objective"][0]).startswith("+1 x sharpe [ratio] +0.3 x total_return")
    texts = [str(each.message) for each in said]
    assert any("optimization.rl is of another mode" in text for text in texts)
    assert any("fitness_metric stands beside fitness_weights" in text for text in texts)
    with pytest.warns(UserWarning, match="optimiz"):
        flat = wishes(FLAT)
    assert flat["method"] == Genetic(30, 12) and [repr(each) for each in flat["objective"]] == ["sharpe [ratio]"]
    with pytest.warns(UserWarning, match="not enabled"):
        assert parse_run(BASE + "optimization: {enabled: false, mode: rl}").config.optimize is None
    with pytest.raises(ConfigError, match="both are given"):
        wishes("optimization: {mode: ga, population_size: 30}\noptimize: {population: 20}")
    with pytest.raises(ConfigError, match="vecbt optimize"):
        wishes("optimization: {tune_on: test}")


def test_opt04_the_schema_has_the_section() -> None:
    schema = json.dumps(run_schema())
    assert "OptimizeSection" in schema and "population" in schema
