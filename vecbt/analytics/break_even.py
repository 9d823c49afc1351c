"""At which cost the net Sharpe ratio of each set of a sweep reaches zero: the sets are run at other costs, all together in rounds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Table
from ..core.sets import Sets
from ..engine.setup import Setup
from ..engine.sweep import sweep_sets
from ..engine.sweep_names import split_names
from ..errors import ConfigError, VecbtError
from ..execution.carry import Carry
from ..execution.costs import Costs
from .crossing import Search, Stopped
from .sweep_lines import Lines

if TYPE_CHECKING:
    from ..engine.sweep import SweepRun

__all__ = ["break_even_table", "cost_name"]

_SHORT = {
    "capital": "initial_capital",
    "commission": "costs.commission_rate",
    "slippage": "costs.slippage_bps",
    "spread": "costs.half_spread",
    "borrow": "carry.borrow_rate",
    "interest": "carry.interest_rate",
}
_FIRST = {
    "costs.commission_rate": 1e-4, "costs.maker_rate": 1e-4, "costs.slippage_bps": 1.0, "costs.per_order": 1.0, "costs.minimum": 1.0,
    "costs.volume_share": 0.1,
}  # fmt: skip
"""The first cost that is tried of a set that has none; of others a hundredth of their unit."""

_LIMIT = {
    "costs.commission_rate": 0.4, "costs.maker_rate": 0.4, "costs.slippage_bps": 5000.0, "carry.borrow_rate": 9.0,
    "carry.interest_rate": 9.0,
}  # fmt: skip
"""The greatest that is tried: just below what a setup refuses."""

_MOST_TIMES = 2.0**20  # the same for all others, in multiples of the first that is tried
_MOST_WHOLE = 64
_COLUMNS = ("set", "symbol", "current", "break_even", "lower", "upper", "status", "error")


def break_even_table(
    run: SweepRun, lines: Lines, places: NDArray[np.int64], cost: str, *, tolerance: float, lowest: float | None, limit: float | None,
    threads: int | None, progress: Callable[[int, int], None] | None,
) -> Table:  # fmt: skip
    """The table of `Sweep.break_even`: `lines` are those wanted, `places` which sets of the run they are."""
    name = cost_name(cost, run)
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 1e-12 <= tolerance < 1.0:
        raise ConfigError(f"tolerance is {tolerance!r}; expected a fraction of the cost, such as 1e-4")
    current = _own_costs(run, name)
    whole = _is_whole(run, name)
    low, first, most = _bounds(run, name, current[places], _given("lowest", lowest), _given("limit", limit), whole)
    asked = _Asked(run, name, places, lines.account, whole, threads)
    search = Search(asked, low, first, most, lambda closed: progress(closed, len(lines)) if progress is not None else None)
    search = search.whole() if whole else search.numbers(float(tolerance))
    errors = [asked.errors.get(k) if search.status[k] == "failed" else None for k in range(len(lines))]
    return _table(lines, current[places], search, errors, whole)


def cost_name(cost: Any, run: SweepRun) -> str:
    """The full name of a cost: a parameter of the strategy, a field of the setup, or with a dot a part of one; ConfigError for none."""
    strategy = run.strategy
    if not isinstance(cost, str):
        raise ConfigError(f"cost is {cost!r}; expected a name, such as 'commission_rate'")
    if cost in strategy.space:
        return cost
    name = _SHORT.get(cost, cost)
    if name not in [f.name for f in dataclasses.fields(Setup)]:
        for head, owner in (("costs", Costs), ("carry", Carry)):
            if name in [f.name for f in dataclasses.fields(owner) if not f.name.startswith("_")]:
                name = f"{head}.{name}"
    split_names((name,), strategy.space, run.keywords)
    return name


def _own_costs(run: SweepRun, name: str) -> NDArray[np.float64]:
    """What each set pays as it was run (C,), NaN where nothing is said, or its setup cannot be."""
    out = np.full(len(run.sets), np.nan)
    own, rest = split_names((*run.sets.names, *(() if name in run.sets.names else (name,))), run.strategy.space, run.keywords)
    if name in own:
        values = run.sets.column(name).tolist() if name in run.sets.names else [getattr(run.strategy, name)] * len(run.sets)
        return np.array([_number(name, value) for value in values])
    firsts, which = run.sets.distinct([each for each in rest if each in run.sets.names])
    by_volume = False
    for u, c in enumerate(firsts):
        try:
            setup = run.setup_of(int(c))
        except VecbtError:  # its line has it
            continue
        by_volume = by_volume or setup.costs.needs_volume
        value = _part(setup, name)
        out[which == u] = 0.0 if value is None and name.startswith("carry.") else _number(name, value)
    if name == "initial_capital" and not by_volume:
        raise ConfigError(
            "initial_capital: nothing costs more where more is traded, so there is no capital at which the Sharpe ratio ends; "
            "give costs=Costs(volume_share=...), whose slippage grows with the share of the volume"
        )
    return out


def _part(owner: Any, path: str) -> Any:
    """A part of a setup by its dotted name; None where it, or what it is of, is off."""
    for part in path.split("."):
        owner = None if owner is None else getattr(owner, part)
    return owner


def _number(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ConfigError(f"{name} is {value!r} in this sweep; expected a number that can be raised until nothing is left")
    return float(value)


def _given(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value) or value < 0:
        raise ConfigError(f"{name} is {value!r}; expected a finite number of at least 0, or None")
    return float(value)


def _is_whole(run: SweepRun, name: str) -> bool:
    """Whether only whole numbers can be tried: declared so, or nothing is declared and all given are."""
    if name not in run.strategy.space:
        return name == "costs.volume_window"
    domain = run.strategy.space[name]
    given = run.sets.values[run.sets.names.index(name)] if name in run.sets.names else (getattr(run.strategy, name),)
    return domain.integer or (not domain.is_number and all(type(value) is int for value in given))


def _bounds(
    run: SweepRun, name: str, current: NDArray[np.float64], lowest: float | None, limit: float | None, whole: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of each line the lowest cost, the first above it, and the limit; ConfigError where they leave nothing to try."""
    domain = run.strategy.space[name] if name in run.strategy.space else None
    least = 0.0 if domain is None or domain.low is None else max(float(domain.low), 0.0)
    low = np.full(len(current), least if lowest is None else lowest)
    if name == "initial_capital" and lowest is None:
        low = np.where(np.isnan(current), 1.0, current)  # a set without one cannot be run
    step = _FIRST.get(name, 0.01)
    first = np.where(current > low, current, np.where(low > 0.0, 4.0 * low, step))
    high = domain.high if domain is not None and domain.high is not None else _LIMIT.get(name)
    if limit is not None:
        most = np.full(len(current), limit)
    elif high is not None:
        most = np.full(len(current), float(high))
    else:
        most = low + _MOST_WHOLE if whole else _MOST_TIMES * first
    if whole and not (np.floor(low) == low).all():
        raise ConfigError(f"lowest is {lowest!r}, and {name} takes whole numbers")
    if (most <= low).any():
        raise ConfigError(f"{name} would be tried from {low.max():g} to {most.min():g}; give a smaller lowest or a larger limit")
    return low, np.minimum(first, most), most


class _Asked:
    """Sharpe ratios of sets at other costs, by one sweep a round."""

    def __init__(
        self, run: SweepRun, name: str, places: NDArray[np.int64], accounts: NDArray[np.int64], whole: bool, threads: int | None
    ) -> None:
        self._run, self._name, self._places, self._accounts, self._whole, self._threads = run, name, places, accounts, whole, threads
        self.errors: dict[int, str] = {}

    def __call__(self, places: NDArray[np.int64], costs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        run = self._run
        pairs, at = np.unique(np.stack([self._places[places].astype(np.float64), costs]), axis=1, return_inverse=True)
        at = at.reshape(-1)
        sets = self._sets(pairs[0].astype(np.int64), pairs[1])
        found = sweep_sets(run.bars, run.strategy, sets, run.keywords, rf=run.rf, threads=self._threads, blocks=False)
        failed = np.zeros(len(sets), dtype=bool)
        failed[list(found.errors)] = True
        if not (found.done | failed).all():
            raise Stopped
        for k in np.flatnonzero(failed[at]):
            self.errors.setdefault(int(places[k]), f"{self._name}={costs[k]:g}: {found.errors[int(at[k])]}")
        return np.asarray(found.returns["sharpe"])[at, self._accounts[places]], failed[at]

    def _sets(self, numbers: NDArray[np.int64], costs: NDArray[np.float64]) -> Sets:
        """Some sets of the run, each with its cost."""
        sets = self._run.sets
        distinct, codes = np.unique(costs, return_inverse=True)
        values = tuple(int(v) for v in distinct) if self._whole else tuple(distinct.tolist())
        rest = [k for k, name in enumerate(sets.names) if name != self._name]
        return Sets(
            (*(sets.names[k] for k in rest), self._name), (*(sets.values[k] for k in rest), values),
            np.column_stack([sets.codes[numbers][:, rest], codes.reshape(-1)]).astype(np.int64),
        )  # fmt: skip


def _table(lines: Lines, current: NDArray[np.float64], search: Search, errors: list[str | None], whole: bool) -> Table:
    import polars as pl

    parameters = [lines.parameter(name) for name in lines.sets.names]
    parameters = [part.alias(f"parameter.{part.name}") if part.name in _COLUMNS else part for part in parameters]
    closed = np.isin(search.status.astype(str), ("found", "several", "untraded"))
    kind = pl.Int64 if whole else pl.Float64
    numbers = {"current": current, "break_even": np.where(closed, search.upper, np.nan), "lower": search.lower, "upper": search.upper}
    shown = [pl.Series(name, column).fill_nan(None).cast(kind) for name, column in numbers.items()]
    words = [pl.Series("status", search.status.tolist(), dtype=pl.String), pl.Series("error", errors, dtype=pl.String)]
    return pl.DataFrame([*lines.head(), *parameters, *shown, *words])
