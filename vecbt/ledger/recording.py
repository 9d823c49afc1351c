"""What is written of a run or a sweep, at once; nothing here ever ends a run with an error.

The body of a record is its trials (`moments.TRIAL`), then places of some of them (int32) and their sums of r to r^4 over sixteen parts of
the bars (float32, (S, 16, 4)). Up to `SAMPLE` trials have these, of more the ones with the smallest ids: a choice at random, and the same
one in every sweep. So a trial takes 20 bytes, and a record at most 270 kB more. Of more than half a million trials, sets times accounts,
those are kept whose ids end in zero bits (`counting` knows that each stands for several), so no record exceeds 11 MB. 32 bits are plenty:
Sharpe ratios are compared to some thousandths, and sums are there for correlations.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
import math
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.identity import identity
from ..logs import looks_secret, redact
from ..metrics.returns import flow_returns_of
from .catalog import data_number
from .configuration import account_terms, is_inputs, setup_terms, source_terms, trial_ids
from .hashes import MASK, numbers_of, terms
from .moments import BLOCKS, MOST, SAMPLE, moments_of_sums, sums_of_equity, sums_of_returns, thinned, trial_records
from .place import Entry, notice, path, why_off
from .store import Draft, current
from .sweep_sets import sums_of_sets

if TYPE_CHECKING:
    from ..data.bars import Bars
    from ..engine.run import Run
    from ..engine.setup import Setup
    from ..engine.sweep import SweepRun

__all__ = ["record_run", "record_sweep"]

_PIECE = 512  # sets whose sums are read at a time
_SHOWN = 200  # characters of a value that is no plain one


def record_run(run: Run, given: Any = None) -> Entry:
    """Record a backtest; `given` is the strategy of a run that began inside the bars, whose own source are the inputs that were left."""
    return _safely(lambda: _record_run(run, run.source if given is None else given))


def record_sweep(run: SweepRun, given: Any) -> Entry:
    """Record all sets of a sweep that were measured; `given` is the strategy, or the inputs, as it was given."""
    return _safely(lambda: _record_sweep(run, given))


def _safely(record: Callable[[], None]) -> Entry:
    why = why_off()
    if why:
        return Entry(False, why)
    try:
        record()
    except Exception as error:  # a folder that cannot be written, a full disk, an object that cannot be described: the run is worth more
        note = f"this is not in the ledger {str(path())!r}: {type(error).__name__}: {error}"
        notice(f"{note}; runs go on without it. VECBT_LEDGER names another folder, VECBT_LEDGER=off says that none is wanted")
        return Entry(False, note)
    return Entry(True)


def _record_run(run: Run, source: Any) -> None:
    ledger, bars, setup = current(), run.bars, run.setup
    leaves = setup_terms(setup)
    rows = is_inputs(source)
    total = (source_terms(source, run.inputs if rows else None) + sum(leaves.values())) & MASK
    ids = trial_ids(np.array([total], dtype=np.uint64), account_terms(bars.symbols, setup.accounts == "separate")).reshape(-1)
    blocks = _blocks_of(run)
    moments = moments_of_sums(blocks.sum(axis=1), bars.T)
    head = _head(bars, "inputs" if rows else source.name, {} if rows else source.parameters)
    head["setup"] = {name: _shown(name, _at(setup, name)) for name in leaves}
    _append(ledger, bars, "run", head, ids, moments, lambda places: blocks[places])


def _blocks_of(run: Run) -> NDArray[np.float64]:
    """Sums of powers of the returns (A, 16, 4), as `sum_blocks` of a sweep has them but for the last bits.

    In NumPy: kernels of their own would be compiled by everybody's first backtest, for a second and a half.
    """
    if run.flows is not None:
        return sums_of_returns(flow_returns_of(run.equity, run.flows, run.initial)[0])
    return sums_of_equity(run.equity, run.initial)


def _record_sweep(run: SweepRun, given: Any) -> None:
    numbers = np.flatnonzero(run.done)
    if not len(numbers):
        return
    ledger, bars = current(), run.bars
    rows = is_inputs(given)
    sums = sums_of_sets(run, numbers, given.align(bars) if rows else None)
    separate = run.keywords.get("accounts") == "separate"
    ids = trial_ids(sums, account_terms(bars.symbols, separate)).reshape(-1)
    head = _head(bars, "inputs" if rows else run.strategy.name, {} if rows else run.strategy.parameters)
    moments = _moments_of(run, numbers)
    keywords = {name: _shown(name, value, run.described[name]) for name, value in run.keywords.items()}
    head |= {"sets": len(run.sets), "space": _space(run), "keywords": keywords}
    best = _best(moments[:, 0])
    if best is not None:
        values = run.sets.at(int(numbers[best // run.final.shape[1]]))
        head["best"] = {name: _shown(name, value) for name, value in values.items()}
    blocks = None if run.blocks is None or run.windowed else run.blocks.reshape(-1, BLOCKS, 4)
    lines = (numbers[:, None] * run.final.shape[1] + np.arange(run.final.shape[1])).reshape(-1)
    if run.windowed:  # a configuration over several windows is one
        once = np.sort(np.unique(ids, return_index=True)[1])
        ids, moments, lines = ids[once], moments[once], lines[once]
    _append(ledger, bars, "sweep", head, ids, moments, None if blocks is None else lambda places: blocks[lines[places]])


def _moments_of(run: SweepRun, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each set and account (C*A, 3); without sums over parts of the bars only the Sharpe ratio is known.

    Over windows nothing is: ratios of short windows spread more widely than those that a result is judged against.
    """
    if run.windowed:
        return np.full((len(numbers) * run.final.shape[1], 3), np.nan)
    if run.blocks is not None:
        return moments_of_sums(_whole_sums(run.blocks, numbers), run.bars.T)
    sharpe, volatility = (run.returns[name][numbers].reshape(-1) for name in ("sharpe", "volatility"))
    scale = math.sqrt(run.bars.periods_per_year)
    with np.errstate(invalid="ignore", divide="ignore"):
        riskless = np.where(volatility > 0.0, run.rf / (volatility / scale), 0.0)
    moments = np.full((len(sharpe), 3), np.nan)
    moments[:, 0] = sharpe / scale + riskless
    return moments


def _whole_sums(blocks: NDArray[np.float64], numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums of r to r^4 over all bars of these sets, (C*A, 4): a product with a matrix of ones, as `sum` over such short rows is slow."""
    parts, accounts = blocks.shape[2], blocks.shape[1]
    total, ones = np.empty((len(numbers) * accounts, 4)), _ones(parts)
    whole = len(numbers) == len(blocks)
    for k in range(0, len(numbers), _PIECE):
        some = blocks[k : k + _PIECE] if whole else blocks[numbers[k : k + _PIECE]]
        np.matmul(some.reshape(-1, parts * 4), ones, out=total[k * accounts : (k + _PIECE) * accounts])
    return total


@functools.lru_cache(maxsize=16)
def _ones(parts: int) -> NDArray[np.float64]:
    return np.tile(np.eye(4), (parts, 1))


def _best(sharpe: NDArray[np.float64]) -> int | None:
    best = int(np.argmax(np.where(np.isnan(sharpe), -np.inf, sharpe)))
    return None if math.isnan(sharpe[best]) else best


def _append(
    ledger: Any, bars: Bars, kind: str, head: dict[str, Any], ids: NDArray[np.uint64], moments: NDArray[np.float64],
    blocks: Callable[[NDArray[np.int64]], NDArray[np.float64]] | None,
) -> None:  # fmt: skip
    best = _best(moments[:, 0])
    head["sharpe"], head["tried"] = None if best is None else float(moments[best, 0]), len(ids)
    halvings, lines = thinned(ids, MOST)
    if halvings:
        ids, moments, head["halvings"] = ids[lines], moments[lines], halvings
    places = _smallest(ids) if len(ids) > SAMPLE else np.arange(len(ids))
    body = trial_records(ids, moments).tobytes()
    if blocks is not None:
        with np.errstate(over="ignore"):
            body += places.astype("<i4").tobytes() + blocks(lines[places]).astype("<f4").tobytes()
    head["sums"] = 0 if blocks is None else len(places)
    text = json.dumps(head, ensure_ascii=False)
    if redact(text) != text:  # looking once takes a third of a millisecond
        head = _redacted(head)
    ledger.append(Draft(kind, data_number(ledger, bars), bars.T, len(ids), head, body, hashlib.sha256(body).digest()))


def _smallest(ids: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The places of the SAMPLE smallest, in their order."""
    found = np.argpartition(ids, SAMPLE)[:SAMPLE]
    places: NDArray[np.int64] = found[np.argsort(ids[found])]
    return places


def _head(bars: Bars, strategy: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    shown = {name: _shown(name, value) for name, value in parameters.items()}
    return {"time": now, "vecbt": _version(), "strategy": strategy, "parameters": shown}


def _version() -> str:
    version: str = sys.modules[__name__.partition(".")[0]].__version__  # not imported: that package names what may draw
    return version


def _space(run: SweepRun) -> dict[str, Any]:
    """What varied: few values as they are, of many their number and ends, and a hash of all of them."""
    found: dict[str, Any] = {}
    for name, values in zip(run.sets.names, run.sets.values, strict=True):
        if len(values) <= 64:
            found[name] = [_shown(name, value) for value in values]
        else:
            numbers = numbers_of(values)
            ends = {} if numbers is None else {"least": float(numbers.min()), "greatest": float(numbers.max())}
            found[name] = {"count": len(values), "hash": hashlib.sha256(terms(name, values).tobytes()).hexdigest(), **ends}
    return found


def _at(setup: Setup, name: str) -> Any:
    value: Any = setup
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _shown(name: str, value: Any, known_by: str | None = None) -> Any:
    """A value for people: plain ones as they are, of others the beginning of what they are known by; nothing secret."""
    if looks_secret(name):
        return "hidden"
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, str):
        return value[:_SHOWN]
    return (identity(value) if known_by is None else known_by)[:_SHOWN]


def _redacted(node: Any) -> Any:
    """Without the values of secret variables of the environment, wherever they stand in a text."""
    if isinstance(node, str):
        return redact(node)
    if isinstance(node, Mapping):
        return {redact(key): _redacted(value) for key, value in node.items()}
    return [_redacted(value) for value in node] if isinstance(node, list) else node
