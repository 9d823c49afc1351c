"""What pymoo's NSGA-II reaches on published functions: `python -m tests.optimize.ask_pymoo` writes it to `pymoo_answers.csv`.

Its defaults: simulated binary crossover of nine tenths of the pairs, eta 15, polynomial mutation of a gene in each set, eta 20.
"""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from tests.optimize.problems import PROBLEMS, Problem
from vecbt.optimize.pareto import hypervolume

__all__ = ["ANSWERS", "BUDGETS", "SEEDS", "asked", "read"]

ANSWERS = Path(__file__).with_name("pymoo_answers.csv")
BUDGETS = {"short": (40, 30), "long": (100, 60)}
"""Sets of a generation, and generations."""
SEEDS = range(11)

Answers = dict[tuple[str, str], list[float]]


def asked(budget: str) -> Answers:
    """Hypervolumes of the last populations by problem and budget, one for each seed."""
    return {(name, budget): [_reached(problem, *BUDGETS[budget], seed) for seed in SEEDS] for name, problem in PROBLEMS.items()}


def _reached(problem: Problem, population: int, generations: int, seed: int) -> float:
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem as Theirs
    from pymoo.optimize import minimize

    probe = problem.evaluate(np.array([problem.low, problem.high]))

    class Wrapped(Theirs):
        def __init__(self) -> None:
            width, constraints = probe[0].shape[1], probe[1].shape[1]
            bounds = {"xl": np.array(problem.low), "xu": np.array(problem.high)}
            super().__init__(n_var=len(problem.low), n_obj=width, n_ieq_constr=constraints, **bounds)

        def _evaluate(self, x: Any, out: Any, *args: Any, **kwargs: Any) -> None:
            out["F"], constraints = problem.evaluate(x)
            if constraints.shape[1]:
                out["G"] = constraints

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        result = minimize(Wrapped(), NSGA2(pop_size=population), ("n_gen", generations), seed=seed, verbose=False)
    last = result.pop
    fine = last.get("CV").ravel() <= 0.0
    return hypervolume(-last.get("F")[fine], -np.array(problem.reference))


def read() -> Answers:
    """The answers as they were written down."""
    found: Answers = {}
    with ANSWERS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault((row["problem"], row["budget"]), []).append(float(row["hypervolume"]))
    return found


if __name__ == "__main__":
    with ANSWERS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["problem", "budget", "seed", "hypervolume"])
        for each in BUDGETS:
            for (problem, budget), values in asked(each).items():
                writer.writerows([problem, budget, seed, repr(value)] for seed, value in zip(SEEDS, values, strict=True))
            file.flush()
