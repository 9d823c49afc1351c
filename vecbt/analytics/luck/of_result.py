"""The evidence for one result: its Sharpe ratio against luck, what else its returns could have been, and runs without a pattern."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError, counted, nearest
from ...evidence import Interval, SharpeEvidence, bootstrap_interval, sharpe_evidence
from .judgement import Evidence, Line, line
from .tried import Tried, tried

if TYPE_CHECKING:
    from ..result import Result
    from .permutation import PermutationTest

__all__ = ["evidence_of_result"]


def evidence_of_result(
    result: Any, *, benchmark: float, confidence: float, trials: int | None, rf: float, resamples: int, permutations: int,
    symbol: str | None, seed: int,
) -> Evidence:  # fmt: skip
    """See `Result.evidence`."""
    returns, title = _returns(result, symbol), result.title if symbol is None else f"{result.title}, {symbol}"
    for name, value in (("resamples", resamples), ("permutations", permutations), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise ConfigError(f"{name} is {value!r}; expected a whole number from 0 on")
    periods = result.run.bars.periods_per_year
    made = tried(result.trials, len(returns), trials)
    of = sharpe_evidence(
        returns, periods_per_year=periods, rf=rf, benchmark=benchmark, trials=made.effective, variance=made.variance, confidence=confidence
    )
    parts: dict[str, Any] = {"sharpe": of, "trials": made}
    lines = _of_sharpe(of, made)
    if resamples and not of.reason:
        for name in ("cagr", "max_drawdown"):
            found = bootstrap_interval(
                returns, name, periods_per_year=periods, confidence=confidence, resamples=int(resamples), seed=int(seed)
            )
            parts[name] = found
            lines += _of_interval(found)
    tests = _permuted(result, int(permutations), int(seed))
    parts |= {f"permuted_{test.kind}": test for test in tests}
    lines += [_of_test(test) for test in tests]
    return Evidence(f"Is it luck? {title}", _paragraph(of, made, tests), tuple(lines), parts)


def _returns(result: Result, symbol: str | None) -> NDArray[np.float64]:
    symbols, accounts = result.run.bars.symbols, result.run.equity.shape[1]
    returns = result.returns.to_numpy(dtype=np.float64)
    if accounts == 1 and symbol is None:
        return np.asarray(returns).reshape(-1)
    if accounts == 1:
        raise ConfigError(f"symbol is {symbol!r}, and all assets share one account; leave it out")
    if symbol is None:
        raise ConfigError(f"each of {counted(accounts, 'asset')} has an account of its own; say whose, symbol={symbols[0]!r}")
    if symbol not in symbols:
        raise ConfigError(f"symbol is {symbol!r}, which is none of the run's; {nearest(str(symbol), symbols)}")
    return np.ascontiguousarray(returns[:, symbols.index(symbol)])


def _permuted(result: Any, count: int, seed: int) -> list[PermutationTest]:
    if not count:
        return []
    return [result.permutation_test(kind=kind, n=count, seed=seed, progress=False) for kind in ("bars", "entries")]


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


def _of_test(test: PermutationTest) -> Line:
    where = "on shuffled bars" if test.kind == "bars" else "with the same holdings at random times"
    said = test.reason or f"share of {counted(test.runs, 'run')} {where} with a Sharpe ratio as high"
    return line(f"p_{test.kind}", test.p_value, said, ".3f")


def _paragraph(of: SharpeEvidence, made: Tried, tests: list[PermutationTest]) -> str:
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
    said.append(f"The probability that the true ratio is above {goal:.2f} is {of.probability:.0%}.")
    if math.isinf(of.needed):
        said.append("No record of such returns would be long enough to say so.")
    elif of.needed > of.bars:
        said.append(f"To say so with {of.confidence:.0%} confidence, {of.needed_years:.1f} years of such returns would be needed.")
    else:
        said.append(f"{of.needed_years:.1f} years of such returns are enough to say so with {of.confidence:.0%} confidence.")
    for test in tests:
        if not test.reason:
            where = "on the same bars in random order" if test.kind == "bars" else "holding the same for as long at random times"
            said.append(f"It does as well {where} with probability {test.p_value:.2g}.")
    said.append("Bars to come may differ from all of these.")
    return " ".join(said)
