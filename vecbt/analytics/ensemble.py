"""An ensemble beside its members, beside equal weights, and beside the best of them: as a table and as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from .._typing import ArrayT, Table
from ..data.bars import Bars
from ..engine.batch import simulate
from ..engine.check import aligned_inputs
from ..engine.keywords import Keywords, explicit
from ..engine.setup import Setup
from ..errors import ConfigError
from ..metrics.returns import return_metrics
from ..signals.combined import Combined
from .result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..evidence import Superiority

__all__ = ["EnsembleComparison", "compare_ensemble_vs_individual"]

ENSEMBLE, EQUAL, BEST = "ensemble", "equal_weights", "best_member"
_COLUMNS = ("total_return", "sharpe", "max_drawdown", "trades")


@dataclass(frozen=True, eq=False)
class EnsembleComparison:
    """What `compare_ensemble_vs_individual` gives; `comparison["table"]` works, too.

    Attributes
    ----------
    table : DataFrame
        total_return, sharpe, max_drawdown (fractions) and trades of each member, then of `ensemble`, `equal_weights` and `best_member`.
    comparison : dict
        `return_improvement`, `sharpe_improvement`, `drawdown_improvement`: the ensemble less the mean of the members (of drawdown the other
        way round, so that more is better); the same `_over_equal_weights` and `_over_best_member`; and `best_member`, a name.
    ensemble : Result
    individual : dict of Result
    """

    table: Table
    comparison: dict[str, Any]
    ensemble: Result
    individual: dict[str, Result]

    def __getitem__(self, name: str) -> Any:
        if name not in ("table", "comparison", "ensemble", "individual"):
            raise KeyError(name)
        return getattr(self, name)

    def __repr__(self) -> str:
        return f"EnsembleComparison\n{self.table.to_string(float_format=lambda v: f'{v:.4f}')}"

    def plot(self, path: Any = None) -> Figure:
        """Growth of one unit of money and drawdown, of all of them; written to `path`, too, where it is given."""
        from .ensemble_plot import growth_figure

        return growth_figure(self, path)

    def superiority(self, *, block_length: int | None = None, resamples: int = 1_000, seed: int = 0) -> dict[str, Superiority]:
        """Whether the ensemble earns more than equal weights, and more than the best member: Hansen's SPA of their differences bar by bar.

        Parameters
        ----------
        block_length, resamples, seed : as in `vecbt.evidence.spa`

        Returns
        -------
        dict of Superiority
            `over_equal_weights` and `over_best_member`; `consistent` is the p-value of "it does not earn more". The best member is chosen
            afterwards, so beating it is harder than the p-value knows. Returns are of all accounts together (M1).
        """
        from ..evidence import spa

        best = self.individual[self.comparison["best_member"]]
        mine, others = _returns(_growth(self.ensemble)), {EQUAL: self.growth()[EQUAL], BEST: _growth(best)}
        about = {"block_length": block_length, "resamples": resamples, "seed": seed}
        return {f"over_{name}": spa(mine[:, None], benchmark=_returns(curve), **about) for name, curve in others.items()}  # type: ignore[arg-type]

    def growth(self) -> dict[str, ArrayT]:
        """Equity over initial equity by name: members, then equal weights and the ensemble, (T,) each."""
        curves = {name: _growth(result) for name, result in self.individual.items()}
        return {**curves, EQUAL: _mean_curve(list(curves.values())), ENSEMBLE: _growth(self.ensemble)}


@explicit
def compare_ensemble_vs_individual(
    bars_or_result: Any, ensemble_or_results: Any, individual: Mapping[str, Any] | None = None, **keywords: Unpack[Keywords]
) -> EnsembleComparison:
    """An ensemble beside its members.

    Parameters
    ----------
    bars_or_result : Bars, then everything is run here; or the Result of the ensemble
    ensemble_or_results : the ensemble, a strategy with members; or the members' results by name, runs over the same bars
    individual : strategies by name, instead of the ensemble's own members; with Bars only
    **keywords : as for `backtest`, `costs` among them; with Bars only. All runs have the same

    Equal weights is the money split evenly over the members' accounts at the start and left there: the mean of their equity curves, with
    all their costs; its trades are theirs. The best member is the one with the highest Sharpe ratio, chosen afterwards: nobody could have
    held it, and an ensemble that is not above it has not failed.

    Raises
    ------
    ConfigError for a strategy without members, and results that are not of the same bars.
    """
    if isinstance(bars_or_result, Result):
        if keywords or individual is not None:
            raise ConfigError("results are already run; give keywords and strategies with Bars only")
        if not isinstance(ensemble_or_results, Mapping):
            raise ConfigError(f"the second argument is {ensemble_or_results!r}; expected the members' results by name")
        return _compare(bars_or_result, dict(ensemble_or_results))
    if not isinstance(bars_or_result, Bars):
        raise ConfigError(f"the first argument is {type(bars_or_result).__name__}; expected Bars, or the Result of the ensemble")
    members = individual if individual is not None else getattr(ensemble_or_results, "inputs", None)
    if not (individual is not None or isinstance(ensemble_or_results, Combined)) or not members:
        raise ConfigError(f"{ensemble_or_results!r} has no members; give an Ensemble or another composite, or individual=")
    setup = Setup.of(**keywords)

    def run(strategy: Any) -> Result:
        given, inputs = aligned_inputs(bars_or_result, strategy)
        return Result(simulate(bars_or_result, given, inputs, setup))

    return _compare(run(ensemble_or_results), {name: run(member) for name, member in members.items()})


def _compare(ensemble: Result, individual: dict[str, Result]) -> EnsembleComparison:
    import pandas as pd

    if not individual:
        raise ConfigError("there are no members' results; expected at least one")
    for name, result in individual.items():
        if not isinstance(result, Result):
            raise ConfigError(f"the result of {name!r} is {type(result).__name__}; expected a Result, as backtest gives it")
        if name in (ENSEMBLE, EQUAL, BEST):
            raise ConfigError(f"a member is called {name!r}, which is a row of the table; rename it")
        if not np.array_equal(result.run.bars.index, ensemble.run.bars.index):
            raise ConfigError(f"the result of {name!r} is of other bars than the ensemble's; run all of them over the same")
    rows: dict[str, tuple[float, ...]] = {name: _row(result) for name, result in individual.items()}
    best = max(rows, key=lambda name: (np.nan_to_num(rows[name][1], nan=-np.inf), rows[name][0]))
    year = ensemble.run.bars.periods_per_year
    equal = return_metrics(_mean_curve([_growth(r) for r in individual.values()]), 1.0, periods_per_year=year)
    trades = sum(row[3] for row in rows.values())
    rows |= {ENSEMBLE: _row(ensemble), EQUAL: (*(float(equal[c]) for c in _COLUMNS[:3]), trades), BEST: rows[best]}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(_COLUMNS)).astype({"trades": int})
    comparison: dict[str, Any] = {"best_member": best}
    mean = np.array([rows[name] for name in individual]).mean(axis=0)
    for other, suffix in ((mean, ""), (rows[EQUAL], f"_over_{EQUAL}"), (rows[BEST], f"_over_{BEST}")):
        for k, name, sign in ((0, "return", 1.0), (1, "sharpe", 1.0), (2, "drawdown", -1.0)):
            comparison[f"{name}_improvement{suffix}"] = sign * (float(rows[ENSEMBLE][k]) - float(other[k]))
    return EnsembleComparison(table, comparison, ensemble, individual)


def _growth(result: Result) -> ArrayT:
    """Equity of all accounts together, over what they began with."""
    return np.asarray(result.run.equity.sum(axis=1) / result.run.initial.sum())


def _returns(curve: ArrayT) -> ArrayT:
    return np.asarray(curve / np.concatenate([[1.0], curve[:-1]]) - 1.0)


def _mean_curve(curves: list[ArrayT]) -> ArrayT:
    return np.asarray(np.mean(np.stack(curves), axis=0))


def _row(result: Result) -> tuple[float, ...]:
    year = result.run.bars.periods_per_year
    measured = return_metrics(_growth(result), 1.0, periods_per_year=year)
    return (*(float(measured[column]) for column in _COLUMNS[:3]), len(result.run.trades))
