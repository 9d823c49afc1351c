"""The same tests on matrices of returns, bar by bar, and the model confidence set: by arch.

Up to some hundred columns; very many sets are compared by their block sums (`superior`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN
from ..errors import ConfigError, InputError
from ._gate import as_returns, checked_count, checked_share
from .superior import RealityCheck, StepwiseTest, Superiority

__all__ = ["ConfidenceSet", "model_confidence_set", "reality_check", "spa", "step_m"]

_FEWEST = 20
_LARGEST = 2**30  # bytes that differences of all pairs may take


@dataclass(frozen=True, eq=False)
class ConfidenceSet:
    """The columns that are not worse than the best, at a level of confidence.

    Attributes
    ----------
    columns, left_out : columns that took part, and those that did not: with a NaN
    included : int64, columns in the set, ascending
    probabilities : (C,) p-value of each column: it is in every set of a confidence above `1 - p`; NaN where it took no part
    size : one minus the confidence
    method, bars, block_length, resamples, seed : how it was made; `block_length` is the mean, in bars
    reason, needed : why there is no set ("" where there is), and how many bars, or columns, there must be
    """

    columns: int
    left_out: int
    included: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    size: float
    method: str
    bars: int
    block_length: int
    resamples: int
    seed: int
    reason: str = ""
    needed: int = 0

    def __str__(self) -> str:
        head = f"Model confidence set of {self.columns:,} columns over {self.bars:,} bars"
        if self.reason:
            return f"{head}: {self.reason}"
        return f"{head}: {len(self.included):,} of them at {1.0 - self.size:.0%}; best is column {int(np.nanargmax(self.probabilities))}"


def spa(returns: Any, *, benchmark: Any = None, block_length: int | None = None, resamples: int = 1_000, seed: int = 0) -> Superiority:
    """Hansen's test of superior predictive ability of the columns of a matrix, by `arch.bootstrap.SPA`.

    Parameters
    ----------
    returns : array_like, shape (T, C)
        Simple returns per bar, a column a set.
    benchmark : array_like, shape (T,), optional
        Returns that are to be beaten; left out, doing nothing.
    block_length : int, optional
        Mean length in bars of a stretch that is drawn; left out, the root of T.
    resamples, seed : int
        Resamples, and the seed of their draws.

    Returns
    -------
    Superiority
        NaN with a reason with fewer than 20 bars or no column that varies.

    Notes
    -----
    Hansen (2005). arch compares mean differences as they are: its `studentize` only decides which columns are clearly worse. The paper's
    statistic divides each by its standard error, as `spa_of_blocks` does: prefer that one where columns differ much in risk.
    """
    work = _Compared.of(returns, benchmark, block_length, resamples, seed)
    about = (work.bars, float(work.length), work.resamples, seed, False)
    if work.reason:
        nan = math.nan
        return Superiority(len(work.rows), work.left_out, nan, -1, nan, nan, nan, *about, work.reason, work.needed)
    from arch.bootstrap import SPA

    test = SPA(work.losses, -work.values, block_size=work.length, reps=work.resamples, seed=seed)
    test.compute()
    shares = [float(test.pvalues[name]) for name in ("lower", "consistent", "upper")]
    mean = (work.values + work.losses[:, None]).mean(axis=0)
    best = int(mean.argmax())
    statistic = math.sqrt(work.bars) * float(mean[best])
    return Superiority(len(work.rows), work.left_out, statistic, int(work.rows[best]), shares[0], shares[1], shares[2], *about)


def reality_check(
    returns: Any, *, benchmark: Any = None, block_length: int | None = None, resamples: int = 1_000, seed: int = 0
) -> RealityCheck:
    """White's reality check of the columns of a matrix: the upper p-value of `spa`, whose parameters these are.

    Notes
    -----
    White (2000).
    """
    of = spa(returns, benchmark=benchmark, block_length=block_length, resamples=resamples, seed=seed)
    return RealityCheck(
        of.sets, of.left_out, of.statistic, of.best, of.upper, of.bars, of.block_length, of.resamples, of.seed, of.reason, of.needed
    )


def step_m(
    returns: Any, *, benchmark: Any = None, size: float = 0.05, block_length: int | None = None, resamples: int = 1_000, seed: int = 0
) -> StepwiseTest:
    """Which columns of a matrix are better than a benchmark, by `arch.bootstrap.StepM`; parameters as in `spa`.

    `size` is the probability of naming one column or more wrongly. `critical` is empty: arch does not keep it.

    Notes
    -----
    Romano and Wolf (2005), with the consistent recentring of Hansen and, as in `spa`, differences as they are.
    """
    level = checked_share(size, "size")
    work = _Compared.of(returns, benchmark, block_length, resamples, seed)
    found = np.empty(0, dtype=np.int64)
    if not work.reason:
        from arch.bootstrap import StepM

        test = StepM(work.losses, -work.values, size=level, block_size=work.length, reps=work.resamples, seed=seed)
        test.compute()
        found = work.rows[np.array(test.superior_models, dtype=np.int64)]
    about = (work.bars, float(work.length), work.resamples, seed, False, work.reason, work.needed)
    return StepwiseTest(len(work.rows), work.left_out, found, level, (), *about)


def model_confidence_set(
    returns: Any,
    *,
    size: float = 0.05,
    method: Literal["R", "max"] = "R",
    block_length: int | None = None,
    resamples: int = 1_000,
    seed: int = 0,
) -> ConfidenceSet:
    """The columns of a matrix that are not worse than the best of them, by `arch.bootstrap.MCS`.

    Parameters
    ----------
    returns : array_like, shape (T, C)
        Simple returns per bar, a column a set: more is better. For losses give them with the other sign.
    size : float
        One minus the confidence that the best is in the set.
    method : "R" or "max"
        All pairs, or each against the mean of all, which needs less memory.
    block_length, resamples, seed : as in `spa`

    Returns
    -------
    ConfidenceSet
        NaN with a reason with fewer than 20 bars or two columns. Columns that are equal on every bar enter once and share what is found;
        of two whose difference is the same on every bar the worse one is out, with p 0.

    Notes
    -----
    Hansen, Lunde and Nason, "The model confidence set", *Econometrica* 79 (2011) 453-497.
    """
    if method not in ("R", "max"):
        raise ConfigError(f"method must be 'R' or 'max'; found {method!r}")
    level = checked_share(size, "size")
    work = _Compared.of(returns, None, block_length, resamples, seed, constant=True)
    leader = _leaders(work.values)
    entered = np.flatnonzero(leader == np.arange(len(leader)))
    if method == "R" and 8 * work.resamples * len(entered) ** 2 > _LARGEST:
        raise ConfigError(f"method 'R' keeps all pairs of {len(entered):,} columns in every resample, more than 1 GB; use method='max'")
    out = np.full(len(work.rows) + work.left_out, np.nan)
    reason = work.reason or ("" if len(work.rows) > 1 else "two columns or more are needed")
    if not reason:
        shares = np.ones(1) if len(entered) == 1 else _eliminated(work, entered, level, method, seed)
        equal = work.values.sum(axis=0) >= work.values[:, leader].sum(axis=0) - 1e-12 * np.abs(work.values).sum(axis=0)
        out[work.rows] = np.where(equal, shares[np.searchsorted(entered, leader)], 0.0)
    included = np.flatnonzero(out > level)
    needed = work.needed if work.reason else 2 if reason else 0
    about = (method, work.bars, work.length, work.resamples, seed, reason, needed)
    return ConfidenceSet(len(work.rows), work.left_out, included, out, level, *about)


def _eliminated(work: _Compared, entered: NDArray[np.int64], size: float, method: Any, seed: int) -> NDArray[np.float64]:
    """P-values of the columns that entered."""
    from arch.bootstrap import MCS

    test = MCS(-work.values[:, entered], size=size, reps=work.resamples, block_size=work.length, method=method, seed=seed)
    test.compute()
    shares = test.pvalues["Pvalue"]
    out = np.empty(len(entered))
    out[shares.index.to_numpy(dtype=np.int64)] = shares.to_numpy(dtype=np.float64)
    return out


def _leaders(values: ArrayTN) -> NDArray[np.int64]:
    """For each column the best of those that differ from it by the same amount on every bar; the first of equal ones."""
    columns = values.shape[1]
    out = np.arange(columns)
    order = np.argsort(-values.mean(axis=0), kind="stable") if len(values) else out
    away = values - values.mean(axis=0) if len(values) else values
    bound = 1e-12 * np.abs(values).max(initial=0.0)
    for place, column in enumerate(order):
        if out[column] == column:
            rest = order[place + 1 :]
            alike = rest[np.abs(away[:, rest] - away[:, [column]]).max(axis=0, initial=0.0) <= bound]
            out[alike[out[alike] == alike]] = column
    return out


@dataclass(frozen=True, eq=False)
class _Compared:
    """Columns that take part (T, K), losses of the benchmark (T,), and how is drawn."""

    values: ArrayTN
    losses: NDArray[np.float64]
    rows: NDArray[np.int64]
    left_out: int
    length: int
    resamples: int
    reason: str = ""
    needed: int = 0

    @property
    def bars(self) -> int:
        """How many."""
        return len(self.values)

    @classmethod
    def of(cls, returns: Any, benchmark: Any, block_length: Any, resamples: Any, seed: Any, constant: bool = False) -> _Compared:
        matrix, _ = as_returns(returns)
        bars, most = len(matrix), checked_count(resamples, "resamples")
        checked_count(seed, "seed", 0)
        length = max(1, int(bars**0.5)) if block_length is None else checked_count(block_length, "block_length")
        beaten = np.zeros(bars)
        if benchmark is not None:
            series, single = as_returns(benchmark, "benchmark")
            if not single or len(series) != bars or np.isnan(series).any():
                raise InputError(f"benchmark has shape {np.shape(benchmark)}; expected ({bars},) without NaN, a return per bar")
            beaten = series[:, 0]
        known = ~np.isnan(matrix).any(axis=0)
        if bars and not constant:
            known &= np.ptp(np.where(known, matrix - beaten[:, None], 0.0), axis=0) > 1e-12 * np.abs(matrix).max(axis=0, initial=0.0)
        rows = np.flatnonzero(known)
        reason, needed = "", 0
        if bars < _FEWEST:
            reason, needed = f"too few bars: {_FEWEST} are needed", _FEWEST
        elif len(rows) == 0:
            reason, needed = "no column varies", 1
        return cls(matrix[:, rows], -beaten, rows, matrix.shape[1] - len(rows), length, most, reason, needed)
