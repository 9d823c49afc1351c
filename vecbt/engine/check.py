"""The parity certificate (D1, D3): a run replayed bar by bar, with kill and restore, compared byte by byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._typing import Records
from ..core.codes import InputKind
from ..data.labels import label_text
from .batch import Batch, simulate
from .books import open_orders
from .inputs import AlignedInputs, Quantities, Signals, Strengths, Weights
from .orders_input import Orders
from .rule_strategy import RuleStrategy
from .ruling import blank_rows
from .setup import Setup
from .strategy import Strategy, as_strategy, evaluate
from .stream import Stream

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["ParityReport", "aligned_inputs", "replay", "said_inputs"]

Progress = Callable[[int, int], None]

_TYPE_OF: dict[InputKind, Any] = {t.kind: t for t in (Signals, Strengths, Weights, Quantities, Orders)}


@dataclass(frozen=True)
class ParityReport:
    """Whether batch and stream agree to the last bit.

    Attributes
    ----------
    ok : bool
    bars, assets : int
        What was replayed.
    restarts : tuple of int
        Bars after which the stream was saved, thrown away and restored.
    state_bytes : int
        Bytes compared after each bar.
    orders, fills, trades : int
        Records compared.
    difference : str
        The first one found, empty when there is none.
    """

    ok: bool
    bars: int
    assets: int
    restarts: tuple[int, ...]
    state_bytes: int
    orders: int
    fills: int
    trades: int
    difference: str

    def __str__(self) -> str:
        what = f"{self.bars:,} bars x {self.assets} assets, saved and restored after {len(self.restarts)} bars"
        if not self.ok:
            return f"parity FAILED: {what}: {self.difference}"
        counted = f"{self.orders:,} orders, {self.fills:,} fills, {self.trades:,} trades"
        return f"parity holds: {what}; {self.state_bytes:,} bytes of state equal after each bar, {counted} equal"


def aligned_inputs(bars: Bars, source: Any) -> tuple[Any, AlignedInputs]:
    """The strategy or inputs as given, and their rows for all bars."""
    if isinstance(source, Signals | Strengths | Weights | Quantities | Orders | AlignedInputs):
        return source, source.align(bars)
    strategy = as_strategy(source)
    if isinstance(strategy, RuleStrategy) and strategy.sees_account:
        return strategy, strategy.said(blank_rows(strategy.kind, (bars.T, bars.N)))  # the simulation fills rows of its own
    return strategy, evaluate(strategy, bars)


def said_inputs(bars: Bars, source: Any, setup: Setup) -> AlignedInputs:
    """The rows for all bars, also of a strategy that sees the account: what it says in a simulation with this setup."""
    given, inputs = aligned_inputs(bars, source)
    if isinstance(given, RuleStrategy) and given.sees_account:
        return simulate(bars, given, inputs, setup).inputs
    return inputs


def replay(bars: Bars, source: Any, setup: Setup, *, restarts: int = 3, seed: int = 0, progress: Progress | None = None) -> ParityReport:
    """Replay a run bar by bar beside the batch and compare all state after each bar.

    Parameters
    ----------
    bars, source, setup
        As for a run.
    restarts : int
        How often the stream is saved, thrown away and restored, at random bars.
    seed : int
        Of the choice of those bars.
    progress : callable (done, total), optional
        Called after each bar.
    """
    given, inputs = aligned_inputs(bars, source)
    whole = simulate(bars, given, inputs, setup)
    pieces = Batch(bars, setup, given, inputs)
    cuts = np.sort(np.random.default_rng(seed).choice(bars.T, size=min(restarts, bars.T), replace=False))
    stream = _stream(bars, given, inputs, setup)
    logs: list[list[Records]] = [[], [], []]
    for t in range(bars.T):
        pieces.advance(t + 1)
        row = None if isinstance(given, Strategy) else _row(inputs, t)
        stream.update(bars.row(t), row)
        difference = _differs("the account", pieces.books.accounts, stream.books.accounts)
        difference = difference or _differs("the asset", pieces.books.assets, stream.books.assets)
        difference = difference or _differs("the order", open_orders(pieces.books), open_orders(stream.books))
        difference = difference or _memory_differs(pieces, stream)
        if not (t == bars.T - 1 and setup.liquidate_at_end):
            difference = difference or _series_differ(whole, stream, t)
        if difference:
            return _report(bars, cuts, stream, whole, f"bar {t} ({label_text(int(bars.index[t]))}): {difference}")
        _collect(logs, stream)
        if t in cuts:
            stream = _stream(bars, given, inputs, setup).restore(stream.save())
        if progress is not None:
            progress(t + 1, bars.T)
    if setup.liquidate_at_end:
        stream.close_all()
        _collect(logs, stream)
    return _report(bars, cuts, stream, whole, _end_differs(whole, stream, logs))


def _stream(bars: Bars, given: Any, inputs: AlignedInputs, setup: Setup) -> Stream:
    source = given if isinstance(given, Strategy) else _TYPE_OF[inputs.kind]  # a row of orders goes in as it was aligned
    return Stream(source, market=bars.market, **{name: getattr(setup, name) for name in setup.__dataclass_fields__})


def _row(inputs: AlignedInputs, t: int) -> Any:
    """Row `t` as the user's type, so that it takes the way of a user's row; orders, as they were aligned."""
    if inputs.orders is not None:
        return Orders(inputs.row(t))
    if inputs.flags is not None:
        parts = [(inputs.flags[t] & np.uint8(1 << bit)) != 0 for bit in range(4)]
        return Signals(*parts)
    assert inputs.values is not None
    return _TYPE_OF[inputs.kind](inputs.values[t])


def _differs(what: str, batch: Records, stream: Records) -> str:
    """The first field whose bytes differ, in words."""
    if len(batch) != len(stream):
        return f"{what}s are {len(batch)} in batch and {len(stream)} in the stream"
    if batch.tobytes() == stream.tobytes():
        return ""
    for k in range(len(batch)):
        for name in batch.dtype.names or ():
            a, b = batch[name][k], stream[name][k]
            if np.asarray(a).tobytes() != np.asarray(b).tobytes():
                return f"{what} {k} has {name} {a!r} in batch and {b!r} in the stream"
    return f"{what}s differ in bytes that belong to no field"


def _memory_differs(pieces: Batch, stream: Stream) -> str:
    """What a rule that sees the account remembers."""
    if pieces.ruling is None or pieces.ruling.ruling.memory_bytes == stream.rule_memory:
        return ""
    return "the memory of the strategy's rule differs"


def _series_differ(whole: Any, stream: Stream, t: int) -> str:
    """Cash and equity that the one-call batch has for bar `t` against what the stream has now."""
    for name in ("cash", "equity"):
        a, b = getattr(whole, name)[t], stream.books.accounts[name]
        if a.tobytes() != b.tobytes():
            return f"{name} is {a!r} in the whole run and {b!r} in the stream"
    return ""


def _collect(logs: list[list[Records]], stream: Stream) -> None:
    for kept, records, count in zip(logs, stream.log.parts, stream.log.counts, strict=True):
        if count:
            kept.append(records[:count].copy().view(np.recarray))


def _end_differs(whole: Any, stream: Stream, logs: list[list[Records]]) -> str:
    """What the one-call batch left against what the stream left and logged."""
    for name, kept in zip(("orders", "fills", "trades"), logs, strict=True):
        records = getattr(whole, name)
        settled = records[records.t_done >= 0] if name == "orders" else records
        streamed = np.concatenate(kept) if kept else settled[:0]
        if settled.tobytes() != streamed.tobytes():
            return f"the {name} of the whole run and of the stream differ ({len(settled)} and {len(streamed)} records)"
    difference = _differs("at the end the account", whole.accounts, stream.books.accounts)
    return difference or _differs("at the end the asset", whole.assets, stream.books.assets)


def _report(bars: Bars, cuts: np.ndarray, stream: Stream, whole: Any, difference: str) -> ParityReport:
    size = stream.books.accounts.nbytes + stream.books.assets.nbytes
    counts = (len(whole.orders), len(whole.fills), len(whole.trades))
    return ParityReport(not difference, bars.T, bars.N, tuple(int(c) for c in cuts), size, *counts, difference)
