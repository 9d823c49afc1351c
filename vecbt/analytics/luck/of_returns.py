"""The evidence for one series of returns: its Sharpe ratio against luck, and what else the returns could have been."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError, counted
from ...evidence import Interval, SharpeEvidence, bootstrap_interval, sharpe_evidence
from ..given_returns import read_returns
from .judgement import Evidence, Line, in_words, line
from .tried import Tried, given_trials

__all__ = ["check_counts", "evidence_of", "judged", "summed_up"]


def evidence_of(
    returns: Any, *, trials: int = 1, variance: float | None = None, column: Any = None, periods_per_year: float | None = None,
    benchmark: float = 0.0, confidence: float = 0.95, rf: float = 0.0, resamples: int = 1000, seed: int = 0,
) -> Evidence:  # fmt: skip
    """How likely returns of any origin are luck: one table, and one paragraph in plain words.

    Parameters
    ----------
    returns : Result, or pandas, polars or array_like, shape (T,) or (T, C)
        Simple returns per bar, fractions; NaN before the first and after the last one are no bars.
    trials : int
        How many independent configurations were tried before this one was chosen. Nobody but you knows: a ledger has only what ran here.
    variance : float, optional
        Variance of their Sharpe ratios *per bar*; left out, 1/(T - 1), that of estimates of a ratio of 0.
    column : name, optional
        Which of several columns.
    periods_per_year : float, optional
        Bars a year; found from the times (M1) where there are any.
    benchmark, confidence, rf, resamples, seed
        As in `Result.evidence`.

    Returns
    -------
    Evidence
        `print` it; `.table`, `.rows`, `.paragraph`, and the objects behind them in `.parts`.

    Raises
    ------
    ConfigError, InputError
        An argument is out of its range, several columns are given and none is named, or bars a year are not known.
    """
    check_counts({"resamples": resamples, "seed": seed})
    given = read_returns(returns, periods_per_year=periods_per_year)
    place = given.place(column)
    first, past = given.ends[place]
    values = np.ascontiguousarray(given.values[first:past, place])
    made, periods = given_trials(trials, variance, len(values)), given.checked_periods()
    about = {"benchmark": benchmark, "confidence": confidence, "rf": rf, "resamples": int(resamples), "seed": int(seed)}
    of, lines, parts = judged(values, periods, made, about)
    name = f" {given.names[place]}" if len(given.names) > 1 or isinstance(given.names[place], str) else ""
    return Evidence(f"Is it luck? Returns{name}", summed_up(of, made, []), tuple(lines), parts)


def check_counts(counts: dict[str, Any]) -> None:
    """ConfigError for what is no whole number from 0 on."""
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise ConfigError(f"{name} is {value!r}; expected a whole number from 0 on")


def judged(
    returns: NDArray[np.float64], periods: float, made: Tried, about: dict[str, Any]
) -> tuple[SharpeEvidence, list[Line], dict[str, Any]]:
    """The Sharpe ratio against what was tried, intervals, and the rows that say so; `about` are the arguments of `evidence_of`."""
    of = sharpe_evidence(
        returns, periods_per_year=periods, rf=about["rf"], benchmark=about["benchmark"], trials=made.effective, variance=made.variance,
        confidence=about["confidence"],
    )  # fmt: skip
    parts: dict[str, Any] = {"sharpe": of, "trials": made}
    lines = _of_sharpe(of, made)
    if about["resamples"] and not of.reason:
        for name in ("cagr", "max_drawdown"):
            found = bootstrap_interval(
                returns, name, periods_per_year=periods, confidence=about["confidence"], resamples=about["resamples"], seed=about["seed"]
            )
            parts[name] = found
            lines += _of_interval(found)
    return of, lines, parts


def _of_sharpe(of: SharpeEvidence, made: Tried) -> list[Line]:
    root, share = math.sqrt(of.periods_per_year), f"{of.confidence:.0%}"
    return [
        line("sharpe", of.annual_sharpe, "Sharpe ratio a year", ".2f"),
        line("sharpe_low", of.low * root, f"lower end of its {share} interval, by the widest of three standard errors", ".2f"),
        line("sharpe_high", of.high * root, "upper end", ".2f"),
        line("sharpe_autocorrelated", of.adjusted_annual_sharpe, "a year, with the autocorrelation of the returns counted (Lo)", ".2f"),
        line("trials", made.count, f"configurations tried on these data or data that overlap with them ({made.source})", ",.0f"),
        line("independent_trials", made.effective, f"as many independent ones; {made.how}", ",.1f"),
        line("lucky_sharpe", made.luck * root, "Sharpe ratio a year that the best of them is expected to have by luck alone", ".2f"),
        line("probability", of.probability, "that the true Sharpe ratio is above it, and above the benchmark given (deflated)", ".3f"),
        line("needed_years", of.needed_years if not of.reason else math.nan, f"of such returns to say so with {share}", ",.1f"),
    ]


def _of_interval(found: Interval) -> list[Line]:
    what = {"cagr": "CAGR", "max_drawdown": "greatest drawdown"}[found.metric]
    said = found.reason or f"returns drawn again in stretches of {counted(found.block_length, 'bar')}, {found.resamples:,} times"
    return [
        line(f"{found.metric}_low", found.low, f"lower end of the {found.confidence:.0%} interval of the {what}; {said}", ".1%"),
        line(f"{found.metric}_high", found.high, "upper end", ".1%"),
    ]


def summed_up(of: SharpeEvidence, made: Tried, more: list[str]) -> str:
    """What was tried, what remains, and what would have to be true; `more` are sentences before the last one."""
    if of.reason:
        return f"Nothing can be said of the Sharpe ratio: {of.reason}."
    root, years = math.sqrt(of.periods_per_year), of.bars / of.periods_per_year
    said = [f"The Sharpe ratio of {of.annual_sharpe:.2f} a year comes from {years:.1f} years; its {of.confidence:.0%} interval goes from "
            f"{of.low * root:.2f} to {of.high * root:.2f}."]  # fmt: skip
    if made.count > 1:
        said.append(
            f"{made.count:,} configurations were tried on these data, which count as {made.effective:,.1f} independent ones: without any "
            f"skill the best of them is expected to have {made.luck * root:.2f}."
        )
    else:
        said.append(f"No other configuration is counted ({made.source}), so nothing is taken off for having searched.")
    goal = of.benchmark * root
    said.append(f"The probability that the true ratio is above {goal:.2f} is {in_words(of.probability)}.")
    if math.isinf(of.needed):
        said.append("No record of such returns would be long enough to say so.")
    elif of.needed > of.bars:
        said.append(f"To say so with {of.confidence:.0%} confidence, {of.needed_years:.1f} years of such returns would be needed.")
    else:
        said.append(f"{of.needed_years:.1f} years of such returns are enough to say so with {of.confidence:.0%} confidence.")
    said += more
    said.append("Bars to come may differ from all of these.")
    return " ".join(said)
