"""Every set of a sweep under both intrabar rules: two runs, one after the other, and the trades of the first wait for the second."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import Records
from ..core.jit import kernel
from ..core.sets import Sets
from ..errors import ConfigError
from .columns import Columns
from .log import make_log, next_trade, start_log, trade_at, trades_logged

if TYPE_CHECKING:
    from .strategy import Strategy
    from .sweep import SweepRun

__all__ = [
    "INTRABAR", "SAME_PRICE", "Envelope", "Pair", "PairedRuns", "Pairs", "compare_trades", "make_pair", "own_rule", "pair_trades", "paired",
]  # fmt: skip

INTRABAR = ("pessimistic", "optimistic")
"""The rules of P5 and P8, in the order in which the two runs of a set follow each other."""

SAME_PRICE = 1e-9
"""Exit prices that differ by less, relative, are one price: an average over other quantities is rounded otherwise."""

_NAN = math.nan


class Pair(NamedTuple):
    """Where the trades of the first run of a set wait: a log like that of the runs, and room to find a trade in it by its asset.

    `heads` (N,) int64 is the next trade of each asset that is still to be matched, `links` (K,) int64 the one of the same asset after each,
    -1 where there is none; `counts` (A, 2) int64 trades that differ, and all.
    """

    kept: np.ndarray
    heads: np.ndarray
    links: np.ndarray
    counts: np.ndarray


def make_pair(trades: int, assets: int, accounts: int) -> Pair:
    """Room for so many trades; with 0 assets it takes none."""
    if assets == 0:
        none = np.zeros(0, dtype=np.int64)
        return Pair(np.zeros(0, dtype=np.uint8), none, none.copy(), np.zeros((0, 2), dtype=np.int64))
    kept = make_log(0, 0, trades).block
    return Pair(kept, np.zeros(assets, dtype=np.int64), np.zeros(trades, dtype=np.int64), np.zeros((accounts, 2), dtype=np.int64))


@kernel
def pair_trades(second, log, pair, out):  # type: ignore[no-untyped-def]
    """Keep the trades of a first run, or compare those of a second one with them: `out` (A,) is the fragility of each account (M8)."""
    if second == 0:
        start_log(pair.kept)
        _copy_trades(log, pair.kept)
        return
    compare_trades(pair.kept, log, pair.heads, pair.links, pair.counts)
    for g in range(out.shape[0]):
        out[g] = pair.counts[g, 0] / pair.counts[g, 1] if pair.counts[g, 1] > 0 else _NAN


@kernel
def _copy_trades(log, kept):  # type: ignore[no-untyped-def]
    """The trades of one log into an empty one."""
    for k in range(trades_logged(log)):
        trade, copy = trade_at(log, k), next_trade(kept)
        copy.asset = trade.asset
        copy.account = trade.account
        copy.entry_t = trade.entry_t
        copy.exit_t = trade.exit_t
        copy.exit_price = trade.exit_price
        copy.reason = trade.reason


@kernel
def compare_trades(first, second, heads, links, counts):  # type: ignore[no-untyped-def]
    """Of each account, into `counts`, the trades that end otherwise or are in one log only, and all there are; a matched pair is one.

    A trade is matched with that of the same asset and entry bar, several of one bar in their order. The trades of an asset stand in a log
    in the order of their entries, because they run from flat to flat (M4).
    """
    for n in range(heads.shape[0]):
        heads[n] = -1
    for g in range(counts.shape[0]):
        counts[g, 0] = 0
        counts[g, 1] = 0
    for k in range(trades_logged(first) - 1, -1, -1):
        links[k] = heads[trade_at(first, k).asset]
        heads[trade_at(first, k).asset] = k
    for k in range(trades_logged(second)):
        trade = trade_at(second, k)
        at = _count_before(first, trade.entry_t, heads[trade.asset], links, counts)
        counts[trade.account, 1] += 1
        if at >= 0 and trade_at(first, at).entry_t == trade.entry_t:
            counts[trade.account, 0] += _ends_otherwise(trade_at(first, at), trade)
            at = links[at]
        else:
            counts[trade.account, 0] += 1
        heads[trade.asset] = at
    for n in range(heads.shape[0]):
        _count_before(first, _NEVER, heads[n], links, counts)


_NEVER = 2**62


@kernel
def _count_before(log, bar, at, links, counts):  # type: ignore[no-untyped-def]
    """Count the trades from `at` on that were entered before a bar, which nothing matches; the next one after them."""
    while at >= 0 and trade_at(log, at).entry_t < bar:
        account = trade_at(log, at).account
        counts[account, 0] += 1
        counts[account, 1] += 1
        at = links[at]
    return at


@kernel
def _ends_otherwise(a, b):  # type: ignore[no-untyped-def]
    """1 where two trades end in other bars, for other reasons, or at other prices."""
    if a.exit_t != b.exit_t or a.reason != b.reason:
        return 1
    return 1 if abs(a.exit_price - b.exit_price) > SAME_PRICE * max(abs(a.exit_price), abs(b.exit_price)) else 0


class PairedRuns:
    """The same for runs that Python makes one after the other."""

    def __init__(self, assets: int, accounts: int) -> None:
        self._assets, self._accounts = assets, accounts
        self._pair, self._number = make_pair(1, assets, accounts), -1

    def take(self, c: int, trades: Records) -> NDArray[np.float64]:
        """The trades of run `c`, an even number first: NaN (A,) until the second of a pair comes, then the fragility of each account."""
        out = np.full(self._accounts, _NAN)
        log = make_log(0, 0, max(len(trades), 1))
        log.trades[: len(trades)] = trades
        log.counts[2] = len(trades)
        if c % 2 == 0:
            self._pair, self._number = make_pair(max(len(trades), 1), self._assets, self._accounts), c
            pair_trades(0, log.block, self._pair, out)
        elif self._number == c - 1:
            pair_trades(1, log.block, self._pair, out)
        return out


@dataclass
class Envelope:
    """What became of the sets under the other intrabar rule.

    Attributes
    ----------
    rule : {"pessimistic", "optimistic"}, the one that the setup does not have
    final : float64 (C, A), money
    returns, trades : columns (C, A) as those of the sweep
    fragility : float64 (C, A), share of the trades whose end hangs on the rule (M8); NaN without a trade
    """

    rule: str
    final: NDArray[np.float64]
    returns: Columns
    trades: Columns
    fragility: NDArray[np.float64]


def own_rule(keywords: Mapping[str, Any], strategy: Strategy, sets: Sets) -> int:
    """Which of the two is the rule of the setup; ConfigError where the rule varies, or is none."""
    if "intrabar" in sets.names:
        raise ConfigError("intrabar varies, and an envelope runs each set under both rules; leave one of the two out")
    if "intrabar" in strategy.space:
        raise ConfigError(f"{strategy.name} has a parameter intrabar, the name of the rule that an envelope varies; rename it")
    rule = keywords.get("intrabar", INTRABAR[0])
    if rule not in INTRABAR:
        raise ConfigError(f"intrabar is {rule!r}; expected one of {', '.join(map(repr, INTRABAR))}")
    return INTRABAR.index(rule)


def paired(sets: Sets) -> Sets:
    """Each set twice: pessimistic, optimistic."""
    rules = np.tile(np.arange(2), len(sets))[:, None]
    codes = np.concatenate([np.repeat(sets.codes, 2, axis=0), rules], axis=1)
    return Sets((*sets.names, "intrabar"), (*sets.values, INTRABAR), np.ascontiguousarray(codes, dtype=np.int64))


class Pairs:
    """Runs in pairs, as one run of the sets.

    Parameters
    ----------
    runs : of the sets of `paired`
    own : which of a pair is under the rule of the setup

    Attributes
    ----------
    run : that of the sets; its lines are those of `runs`, where they stand. A set is done when both of its runs are, and has an error when
        one of them has.
    """

    def __init__(self, runs: SweepRun, own: int) -> None:
        self._runs, self._own = runs, own
        mine, other = slice(own, None, 2), slice(1 - own, None, 2)
        self._ran = np.zeros((len(runs.sets) // 2, 2), dtype=bool)
        self._one_by_one = PairedRuns(runs.bars.N, runs.final.shape[1])
        sets = Sets(runs.sets.names[:-1], runs.sets.values[:-1], np.ascontiguousarray(runs.sets.codes[mine, :-1]))
        fragility = np.full((len(sets), runs.final.shape[1]), _NAN)
        self.run = dataclasses.replace(
            runs, sets=sets, done=np.zeros(len(sets), dtype=bool), errors={}, final=runs.final[mine], initial=runs.initial[mine],
            returns=runs.returns[mine], trades=runs.trades[mine],
            envelope=Envelope(INTRABAR[1 - own], runs.final[other], runs.returns[other], runs.trades[other], fragility),
        )  # fmt: skip

    @property
    def _fragility(self) -> NDArray[np.float64]:
        assert self.run.envelope is not None
        return self.run.envelope.fragility

    def own(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which of these runs are under the setup's own rule, and the sets of those."""
        mine = numbers % 2 == self._own
        return mine, numbers[mine] // 2

    def put(self, numbers: NDArray[np.int64], fragility: NDArray[np.float64]) -> None:
        """What the compiled loop found of these runs; it stands with the second of each pair."""
        second = numbers % 2 == 1
        self._fragility[numbers[second] // 2] = fragility[second]

    def take(self, c: int, trades: Records) -> None:
        """The trades of a run that Python made."""
        self._fragility[c // 2] = self._one_by_one.take(c, trades)

    def skip(self, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Lines of these sets are in `run` already; the same for the runs."""
        self._ran[known] = True
        return np.repeat(known, 2)

    def finished(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """These runs have ended; the sets of which both have now."""
        self._ran[numbers // 2, numbers % 2] = True
        sets: NDArray[np.int64] = np.unique(numbers // 2)
        sets = sets[self._ran[sets].all(axis=1)]
        self.run.done[sets] = self._runs.done[2 * sets] & self._runs.done[2 * sets + 1]
        self.run.errors |= {int(c): self._error(int(c)) for c in sets[~self.run.done[sets]]}
        return sets

    def _error(self, c: int) -> str:
        """What went wrong with a set under its own rule, else under the other, which is said then."""
        found, mine, other = self._runs.errors, 2 * c + self._own, 2 * c + 1 - self._own
        return found[mine] if mine in found else f"with intrabar={INTRABAR[1 - self._own]!r}: {found[other]}"

    def whole(self) -> None:
        """Give the run of the sets its own arrays, NaN where a set is not done."""
        run, envelope = self.run, self.run.envelope
        for part, names in ((run, ("final", "initial")), (envelope, ("final", "fragility"))):
            for name in names:
                setattr(part, name, _kept(getattr(part, name), run.done))
            for name in ("returns", "trades"):
                columns: Columns = getattr(part, name)
                kept = {field: _kept(columns[field], run.done) for field in columns.dtype.names or ()}
                setattr(part, name, Columns(columns.dtype, kept))
        for array in (run.blocks, run.fine, run.equity):
            if array is not None and array.flags.writeable:
                array[~run.done] = np.nan


def _kept(part: NDArray[np.float64], done: NDArray[np.bool_]) -> NDArray[np.float64]:
    """A copy, NaN where a set is not done."""
    out = part.copy()
    out[~done] = np.nan
    return out
