"""OPT-01: drivers of other packages find what can be found, keep constraints, and say what is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.optimize.spaces import MIXED, driven, rising, variables
from vecbt.optimize.exotic import Pymoo

REALS = {f"x{k}": (-5.0, 5.0) for k in range(4)}
PLACES = {"x": (-1.0, 1.0), "n": (1, 60), "kind": vb.Choice(["a", "b", "c"])}


def sphere(genes: np.ndarray) -> np.ndarray:
    return -((genes - 0.3) ** 2).sum(axis=1, keepdims=True)


def placed(genes: np.ndarray) -> np.ndarray:
    """Best at n = 41 and kind b, on the constraint x <= 0.5."""
    x, n, kind = genes.T
    return (x - np.abs(n - 41.0) / 10.0 - (kind != 1.0))[:, None]


def half(p: dict[str, np.ndarray]) -> np.ndarray:
    fine: np.ndarray = p["x"] <= 0.5
    return fine


def best(method: Any, seed: int) -> tuple[float, dict[str, Any]]:
    """Of what is placed, within the constraint."""
    over = variables(PLACES, half)
    searcher = method.searcher(over, 1, seed)
    top: tuple[float, dict[str, Any]] = (-np.inf, {})
    while len(genes := searcher.ask()):
        violations = over.violations(genes)
        scores = np.where(violations[:, None] > 0.0, np.nan, placed(genes))
        searcher.tell(scores, violations)
        if not np.isnan(scores).all():
            row = int(np.nanargmax(scores))
            top = max(top, (float(scores[row, 0]), over.at_row(genes[row])), key=lambda pair: pair[0])
    return top


@pytest.mark.parametrize("strategy", ["best1bin", "rand1exp", "currenttobest1bin"])
def test_opt01_differential_evolution_finds_a_top_and_a_mixed_optimum(strategy: str) -> None:
    asked = np.concatenate(driven(vb.Differential(30, 60, strategy=strategy).searcher(variables(REALS), 1, 1), sphere))
    assert len(asked) == 1800 and sphere(asked).max() > -1e-3
    score, found = best(vb.Differential(30, 60, strategy=strategy), 2)
    assert (found["n"], found["kind"]) == (41, "b") and 0.45 < score <= 0.5


def test_opt01_differential_evolution_comes_as_near_as_scipy_in_one_go() -> None:
    """Over seeds, in the median: the same steps, begun anew for each generation."""
    from scipy.optimize import differential_evolution

    ours, theirs = [], []
    for seed in range(11):
        asked = np.concatenate(driven(vb.Differential(30, 25).searcher(variables(REALS), 1, seed), sphere))
        ours.append(np.log10(-sphere(asked).max()))
        result = differential_evolution(
            lambda x: -sphere(x.T)[:, 0], [(-5.0, 5.0)] * 4, maxiter=24, vectorized=True, updating="deferred", polish=False, tol=0.0,
            rng=seed, init=np.random.default_rng(seed).uniform(-5.0, 5.0, (30, 4)),
        )  # fmt: skip
        theirs.append(np.log10(result.fun))
    low, high = np.quantile(theirs, [0.25, 0.75])
    assert abs(np.median(ours) - np.median(theirs)) <= high - low


def test_opt01_differential_evolution_stops_when_all_are_alike() -> None:
    unit = variables({"x": (0.0, 1.0), "y": (0.0, 1.0)})
    searcher = vb.Differential(10, 50).searcher(unit, 1, 0)
    driven(searcher, lambda genes: np.ones((len(genes), 1)))
    assert searcher.generation == 1 and searcher.finished == "the scores of a generation are alike"
    lost = vb.Differential(10, 5).searcher(unit, 1, 0)
    driven(lost, lambda genes: np.full((len(genes), 1), np.nan))
    assert lost.generation == 5


def test_opt01_optuna_finds_a_mixed_optimum_and_keeps_the_constraint() -> None:
    pytest.importorskip("optuna")
    score, found = best(vb.Bayesian(120, batch=2), 3)
    assert found["kind"] == "b" and abs(found["n"] - 41) <= 3 and found["x"] <= 0.5 and score > 0.0


def test_opt01_optuna_asks_for_conditional_parameters_where_they_count() -> None:
    pytest.importorskip("optuna")
    searcher = vb.Bayesian(30).searcher(variables(MIXED), 1, 0)
    driven(searcher, rising(1))
    wanted = {"sma": set(), "ema": {"width", "steps"}, "wma": {"width"}}
    for trial in searcher.study.trials:
        assert set(trial.params) == {"x", "rate", "bars", "kind"} | wanted[trial.params["kind"]]
        assert 1e-4 <= trial.params["rate"] <= 1e-1


def pruned(searcher: Any, stop: int) -> list[float]:
    """Drives a search whose score comes in five steps, of which bad ones see the first only; what was asked for."""
    asked = []
    while len(asked) < stop and len(genes := searcher.ask()):
        (trial,), score = searcher.asked, float("nan")
        for step in range(5):
            value = -abs(float(genes[0, 0]) - 0.25) * (1.0 - 0.1 * step)
            trial.report(value, step)
            if trial.should_prune():
                break
        else:
            score = value
        searcher.tell([[score]], [0.0])
        asked.append(float(genes[0, 0]))
    return asked


def test_opt01_optuna_prunes_where_the_user_drives_it_and_is_taken_up_with_its_reports() -> None:
    optuna = pytest.importorskip("optuna")
    method = vb.Bayesian(40, pruner=optuna.pruners.MedianPruner(n_startup_trials=5))
    over = variables({"x": (-1.0, 1.0)})
    whole = method.searcher(over, 1, 7)
    asked = pruned(whole, 40)
    states = [trial.state.name for trial in whole.study.trials]
    assert states.count("PRUNED") >= 5 and states.count("COMPLETE") >= 5
    assert abs(asked[int(np.argmin(np.abs(np.array(asked) - 0.25)))] - 0.25) < 0.05
    before, after = (method.searcher(over, 1, 7) for _ in range(2))
    begun = pruned(before, 17)
    after.restore(before.state())
    assert begun + pruned(after, 40) == asked
    assert [trial.state.name for trial in after.study.trials] == states


def test_opt01_optuna_keeps_the_study_in_its_storage(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    storage = f"sqlite:///{tmp_path / 'search.db'}"
    over = variables(MIXED)
    method = vb.Bayesian(6, startup=3, storage=storage, study="one")
    straight = np.concatenate(driven(vb.Bayesian(6, startup=3).searcher(over, 1, 5), rising(1)))
    first = method.searcher(over, 1, 5)
    begun = driven(first, rising(1), 4)
    assert len(optuna.load_study(study_name="one", storage=storage).trials) == 4
    with pytest.raises(vb.errors.ConfigError, match="has a study 'one' already"):
        method.searcher(over, 1, 5).ask()
    resumed = method.searcher(over, 1, 5)
    resumed.restore(first.state())
    np.testing.assert_array_equal(np.concatenate(begun + driven(resumed, rising(1))), straight)
    (study,) = optuna.get_all_study_names(storage)
    assert study == "one" and len(optuna.load_study(study_name=study, storage=storage).trials) == 6


def test_opt01_an_algorithm_of_pymoo_finds_a_mixed_optimum() -> None:
    pytest.importorskip("pymoo")
    from pymoo.algorithms.soo.nonconvex.de import DE
    from pymoo.algorithms.soo.nonconvex.ga import GA

    for algorithm in (GA(pop_size=40), DE(pop_size=40)):
        score, found = best(Pymoo(algorithm, generations=60), 1)
        assert (found["n"], found["kind"]) == (41, "b") and 0.4 < score <= 0.5


def test_opt01_an_algorithm_that_is_taken_up_with_another_seed_says_so() -> None:
    pytest.importorskip("pymoo")
    from pymoo.algorithms.moo.nsga2 import NSGA2

    method, over = Pymoo(NSGA2(pop_size=8), generations=5), variables(MIXED)
    one, two = (method.searcher(over, 2, seed) for seed in (1, 2))
    driven(one, rising(2), 2)
    with pytest.raises(vb.errors.ConfigError, match="asks for other sets than it did"):
        two.restore(one.state())
    assert repr(method) == "Pymoo(pymoo.algorithms.moo.nsga2.NSGA2, generations=5)"


@pytest.mark.parametrize(("package", "make"), [("optuna", lambda: vb.Bayesian().searcher(variables(MIXED))), ("pymoo", lambda: Pymoo(1))])
def test_opt01_a_missing_package_is_named_with_what_installs_it(package: str, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(vb.errors.MissingDependency, match=rf"{package}.*pip install 'vecbt\[opt\]'"):
        make()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: vb.Differential(4), "population is 4"),
        (lambda: vb.Differential(strategy="best3bin"), "strategy is 'best3bin'; expected one of best1bin"),
        (lambda: vb.Differential(mutation=2.0), "mutation is 2.0"),
        (lambda: vb.Differential(mutation=(0.1, 0.2, 0.3)), "mutation is"),
        (lambda: vb.Differential(recombination=1.5), "recombination is 1.5"),
        (lambda: vb.Differential(tolerance=-1.0), "tolerance is -1.0"),
        (lambda: vb.Differential().searcher(variables(REALS), 2), "one objective, and there are 2; use Genetic"),
        (lambda: vb.Bayesian(0), "trials is 0"),
        (lambda: vb.Bayesian(batch=0), "batch is 0"),
        (lambda: vb.Bayesian(6, study="one"), "study is 'one' and storage None"),
        (lambda: Pymoo("nsga2"), "algorithm is 'nsga2'; expected one of pymoo's"),
    ],
)
def test_opt01_drivers_that_mean_nothing_are_refused(make: Any, said: str) -> None:
    with pytest.raises(vb.errors.ConfigError, match=said):
        make()
