"""Strategies made of a machine with explicit state, and of members: rows for all bars and the feed run the same machine.

A `Machine` turns what some bars bring into strengths. `rows` runs it once over all bars, the feed once per bar, and there is no other
place where a strength is made; so batch and stream agree, and a saved feed is the arrays of its machine and the bytes of its members.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN, Block, IndexT
from ..core.codes import InputKind
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.calendar import session_days
from ..data.market import Market
from ..engine.inputs import AlignedInputs, Inputs, normalize_row
from ..engine.orders_input import Orders
from ..engine.setup import Setup
from ..engine.strategy import Strategy, as_strategy, evaluate, written
from ..errors import ConfigError, InputError, StrategyError
from ..indicators.plan import IndicatorPlan, PlanStream
from ..indicators.save import pack, unpack
from ..indicators.shape import readonly
from .accounts import Accounts, equities
from .standing import Standing

__all__ = ["Columns", "Combined", "CombinedFeed", "Machine", "Stateless", "View", "WithColumns", "as_members", "row_of"]


class View(NamedTuple):
    """What a machine gets of L bars."""

    prices: Block
    """(5, L, N), read-only: open, high, low, close, volume; NaN is a bar without a market."""
    labels: IndexT
    """Labels (L,), ns UTC."""
    said: NDArray[np.float64]
    """What each member stands for, (M, L, N): NaN before its first word."""
    booleans: NDArray[np.bool_]
    """Which members gave booleans, and so no confidence; (M,)."""
    equity: NDArray[np.float64] | None
    """Equity of each member's own account, (M, L, G), where the strategy asks for accounts."""

    @property
    def close(self) -> ArrayTN:
        """(L, N)."""
        close: ArrayTN = self.prices[3]
        return close


class Machine(Protocol):
    """Explicit state, and one function from bars to strengths."""

    @property
    def parts(self) -> Sequence[NDArray[Any]]:
        """All that changes from bar to bar, changed in place."""
        ...

    def run(self, view: View) -> ArrayTN:
        """Strengths (L, N) of these bars; the state goes on."""
        ...


class Stateless:
    """A machine that remembers nothing: one elementwise function of the bars."""

    parts: tuple[NDArray[Any], ...] = ()

    def __init__(self, says: Callable[[View], ArrayTN]) -> None:
        self._says = says

    def run(self, view: View) -> ArrayTN:
        """Strengths (L, N)."""
        return self._says(view)


class Columns:
    """The columns of an indicator plan, for machines that read indicators."""

    def __init__(self, plan: IndicatorPlan, market: Market) -> None:
        self.plan, self._market, self._stream = plan, market, PlanStream(plan, market.N)

    @property
    def parts(self) -> list[NDArray[Any]]:
        """States and buffers of all indicators."""
        return self._stream.parts

    def run(self, view: View) -> dict[str, ArrayTN]:
        """Columns (L, N) by name; the state goes on."""
        out = np.empty((len(self.plan.columns), *view.close.shape))
        session = session_days(view.labels, self._market) if self.plan.needs_sessions else None
        self._stream.run(view.prices, session, out)
        return dict(zip(self.plan.columns, out, strict=True))


class WithColumns(Stateless):
    """A function of the bars that reads indicators, `says(view)`; the state of these is all there is."""

    def __init__(self, columns: Columns, says: Callable[[View], ArrayTN]) -> None:
        super().__init__(says)
        self.parts = tuple(columns.parts)


@dataclass(frozen=True)
class Combined(Strategy):
    """Base of generators, filters, aggregators and ensembles. A subclass defines `machine`, and `inputs` where it has members."""

    @property
    def inputs(self) -> Mapping[str, Strategy]:
        """The members by name, in order."""
        return {}

    @property
    def accounts(self) -> Setup | None:
        """Parameters of the members' own accounts; None where none are kept."""
        return None

    @property
    def needs_volume(self) -> bool:
        """Whether the machine reads the volume."""
        return False

    @property
    def needs_sessions(self) -> bool:
        """Whether the machine reads the sessions of bars, and so their dates."""
        return False

    @property
    def own_warmup(self) -> int:
        """Bars that this strategy needs by itself; those of the members go on beside them."""
        return 0

    @property
    def warmup(self) -> int:
        """Bars at the start that cannot say anything yet: the most that it or a member needs."""
        return max([self.own_warmup, *(member.warmup for member in self.inputs.values())])

    def machine(self, market: Market) -> Machine:
        """A new machine at its first bar."""
        raise StrategyError(f"{type(self).__name__} must define machine(market)")

    def run(self, bars: Bars) -> tuple[Machine, ArrayTN]:
        """A machine after all bars, and the strengths (T, N) it gave."""
        if self.needs_volume and not bars.has_volume:
            raise InputError(f"{self.name} reads the volume, and these bars have none")
        names = tuple(self.inputs)
        standing, said = Standing(names, bars.N), np.empty((len(names), bars.T, bars.N))
        prices = readonly(np.ascontiguousarray(bars.block))
        rows = [evaluate(member, bars) for member in self.inputs.values()]
        for m, given in enumerate(rows):
            standing.take(m, given, prices[3], said[m])
        equity = None if self.accounts is None else equities(bars, rows, self.accounts)
        machine = self.machine(bars.market)
        return machine, _run(machine, View(prices, bars.index, said, standing.booleans, equity))

    def rows(self, bars: Bars) -> Inputs:
        """Strengths for all bars."""
        return AlignedInputs(InputKind.STRENGTHS, None, self.run(bars)[1])

    def feed(self, market: Market) -> Any:
        """The same machine, one bar at a time, on the feeds of the members."""
        return CombinedFeed(self, market)


class CombinedFeed:
    """The feed of a composite: the members' feeds, their standing and accounts, and the machine."""

    def __init__(self, strategy: Combined, market: Market) -> None:
        self.strategy, self.market = strategy, market
        self._make()

    def _make(self) -> None:
        strategy, market = self.strategy, self.market
        self._feeds = [member.feed(market) for member in strategy.inputs.values()]
        self._standing = Standing(tuple(strategy.inputs), market.N)
        self._accounts = None if strategy.accounts is None else Accounts(strategy.accounts, market, len(self._feeds))
        self.machine = strategy.machine(market)

    def update(self, bar: NormalBar) -> AlignedInputs:
        """Strengths (1, N) of one more bar."""
        prices = readonly(np.ascontiguousarray(bar.prices[:, None, :]))
        rows = [row_of(feed.update(bar), self.market) for feed in self._feeds]
        said = np.empty((len(rows), 1, self.market.N))
        for m, given in enumerate(rows):
            self._standing.take(m, given, prices[3], said[m])
        equity = None if self._accounts is None else self._accounts.update(bar, rows)
        view = View(prices, np.array([bar.time], dtype=np.int64), said, self._standing.booleans, equity)
        return AlignedInputs(InputKind.STRENGTHS, None, _run(self.machine, view))

    def _own(self) -> list[NDArray[Any]]:
        return [*self._standing.parts, *self.machine.parts]

    def _header(self) -> dict[str, Any]:
        return {"kind": "combined", "strategy": written(self.strategy), "symbols": list(self.market.symbols)}

    def save(self) -> bytes:
        """The state as bytes, those of the members' feeds and accounts inside."""
        blobs = [feed.save() for feed in self._feeds] + ([] if self._accounts is None else self._accounts.save())
        return pack(self._header(), *self._own(), *(np.frombuffer(blob, dtype=np.uint8) for blob in blobs))

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another strategy, other parameters or other symbols."""
        saved = unpack(data, self._header())
        before = dict(vars(self))
        try:
            self._make()
            own = self._own()
            for part, kept in zip(own, saved, strict=False):
                part[...] = kept.view(part.dtype) if part.dtype.names else kept
            blobs = [part.tobytes() for part in saved[len(own) :]]
            for feed, blob in zip(self._feeds, blobs, strict=False):
                feed.restore(blob)
            if self._accounts is not None:
                self._accounts.restore(blobs[len(self._feeds) :], self._standing.kinds)
        except BaseException:
            vars(self).update(before)  # where a part refuses, nothing has changed
            raise


def _run(machine: Machine, view: View) -> ArrayTN:
    """What the machine says, and nothing on bars without a market."""
    values = machine.run(view)
    return np.where(np.isnan(view.close) | np.isnan(values), np.nan, values)  # one way to write NaN: its sign may hang on the bars' number


def row_of(row: Inputs, market: Market) -> AlignedInputs:
    """One bar's inputs of any kind as an aligned row (1, N)."""
    if isinstance(row, AlignedInputs):
        return row
    if isinstance(row, Orders):
        return AlignedInputs(row.kind, None, None, row.row(market), np.array([0, 0], dtype=np.int64), market.N)
    flags, values = normalize_row(row, market)
    return AlignedInputs(row.kind, None if flags is None else flags.reshape(1, -1), None if values is None else values.reshape(1, -1))


def as_members(given: Any, owner: str) -> dict[str, Strategy]:
    """Members by name, from a mapping or a sequence; equal names of a sequence are numbered. ConfigError where there are none."""
    if isinstance(given, Mapping):
        pairs = [(str(name), member) for name, member in given.items()]
    elif isinstance(given, Sequence) and not isinstance(given, str):
        pairs = [(as_strategy(member).name, member) for member in given]
    else:
        raise ConfigError(f"{owner}.members is {given!r}; expected strategies by name, or a sequence of them")
    if not pairs:
        raise ConfigError(f"{owner}.members is empty; expected at least one strategy")
    out: dict[str, Strategy] = {}
    for name, member in pairs:
        if not isinstance(member, Strategy) and not callable(member):
            raise ConfigError(f"{owner}.members[{name!r}] is {member!r}; expected a strategy")
        number, unique = 2, name
        while unique in out:
            unique, number = f"{name} {number}", number + 1
        out[unique] = as_strategy(member)
    return out
