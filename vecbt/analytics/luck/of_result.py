"""The evidence for one result: its Sharpe ratio against luck, what else its returns could have been, and runs without a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError, counted, nearest
from .judgement import Evidence, Line, line
from .of_returns import check_counts, judged, summed_up
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
    check_counts({"resamples": resamples, "permutations": permutations, "seed": seed})
    made = tried(result.trials, len(returns), trials)
    about = {"benchmark": benchmark, "confidence": confidence, "rf": rf, "resamples": int(resamples), "seed": int(seed)}
    of, lines, parts = judged(returns, result.run.bars.periods_per_year, made, about)
    tests = _permuted(result, int(permutations), int(seed))
    parts |= {f"permuted_{test.kind}": test for test in tests}
    lines += [_of_test(test) for test in tests]
    return Evidence(f"Is it luck? {title}", summed_up(of, made, _said_of(tests, made)), tuple(lines), parts)


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


def _of_test(test: PermutationTest) -> Line:
    where = "on shuffled bars" if test.kind == "bars" else "with the same holdings at random times"
    said = test.reason or f"share of {counted(test.runs, 'run')} {where} with a Sharpe ratio as high"
    return line(f"p_{test.kind}", test.p_value, said, ".3f")


def _said_of(tests: list[PermutationTest], made: Tried) -> list[str]:
    known = [test for test in tests if not test.reason]
    where = {"bars": "on the same bars in random order", "entries": "holding the same for as long at random times"}
    said = [f"It does as well {where[test.kind]} with probability {test.p_value:.2g}." for test in known]
    if known and made.count > 1:
        said.append("Those probabilities do not know that it was chosen among others; the one before does.")
    return said
