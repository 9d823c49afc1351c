"""A run as plain arrays: marks, splits, when in its bar each fill happened. Made of bars, setup and log, never of the books."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._typing import ArrayN, ArrayTG, ArrayTN
from ...core.codes import InputKind, OrderType, Reason

if TYPE_CHECKING:
    from ..run import Run

__all__ = [
    "DONE_AT_ONCE", "TOLERANCE", "Facts", "Finding", "Phase", "columns_off", "first_off", "requests_of_orders", "rows_added", "shown",
]  # fmt: skip

TOLERANCE = 1e-9
"""Of the money or the units involved: what is lost to rounding stays below it (F3)."""


class Finding(NamedTuple):
    """Something that does not add up, at a bar and in an account."""

    t: int
    account: int
    text: str


class Phase(IntEnum):
    """When in its bar a fill happens."""

    ACTIONS = 0  # T1
    OPEN = 1  # T4
    INSIDE = 2  # T5, Z8
    GONE = 3  # T10
    CLOSE = 4  # T7 with fill="close"
    END = 5  # T8's call


DONE_AT_ONCE = (int(Reason.SPLIT), int(Reason.DELISTING), int(Reason.END))
"""Reasons of fills that are booked without a market, whatever the volume."""

_PROTECTIVE = (int(Reason.STOP), int(Reason.TRAIL), int(Reason.TARGET))
_RISK, _SIGNAL = int(Reason.RISK), int(Reason.SIGNAL)


class Facts:
    """What follows from a run without its books. `(T, N)` by asset, `(T, G)` by account, `(F,)` by fill, `(O,)` by order."""

    def __init__(self, run: Run) -> None:
        bars, market = run.bars, run.bars.market
        self.run, self.bars, self.setup = run, bars, run.setup
        self.T, self.N, self.G = bars.T, bars.N, run.equity.shape[1]
        self.separate = run.setup.accounts == "separate"
        self.group = np.arange(self.N) if self.separate else np.zeros(self.N, dtype=np.int64)
        self.multiplier: ArrayN = np.asarray(market.multiplier)
        self.contract = np.array([name != "cash" for name in market.instrument])
        self.at_close = run.setup.fill == "close"
        self.of_orders = run.inputs.kind is InputKind.ORDERS
        self.split: ArrayTN | None = None if bars.actions is None else bars.actions.split
        self.scale: ArrayTN | None = None if bars.actions is None else bars.actions.scale

    def by_account(self, values: ArrayTN) -> ArrayTG:
        """Sums over the assets of each account."""
        return values if self.separate else values.sum(axis=1, keepdims=True)

    # --- prices -----------------------------------------------------------------------------------------------------

    @cached_property
    def start(self) -> tuple[ArrayN, ArrayN]:
        """Quantities and prices of the starting positions (F14), NaN where there is none."""
        q, price = np.zeros(self.N), np.full(self.N, np.nan)
        for symbol, entry in (self.setup.positions or {}).items():
            n = self.bars.symbols.index(symbol)
            q[n], price[n] = entry
        return q, price

    @cached_property
    def marks(self) -> ArrayTN:
        """Last valid close at each bar (F8), divided by what was split since; the entry price of a starting position before it."""
        close, scale = self.bars.close, self.scale
        rows = np.where(np.isnan(close), -1, np.arange(self.T)[:, None])
        seen = np.maximum.accumulate(rows, axis=0)
        whole = close if scale is None else close * scale
        marks: ArrayTN = np.where(seen >= 0, np.take_along_axis(whole, np.maximum(seen, 0), axis=0), self.start[1])
        return marks if scale is None else np.where(rows >= 0, close, marks / scale)

    @cached_property
    def before(self) -> ArrayTN:
        """The mark before the open of each bar: that of the last close, after this bar's split (T1)."""
        before = np.vstack([self.start[1][None, :], self.marks[:-1]])
        return before if self.split is None else before / self.split

    @cached_property
    def days(self) -> NDArray[np.int64]:
        """Days between sessions, 0 on the first bar (T2), `(T,)`."""
        return np.diff(self.bars.session, prepend=self.bars.session[:1])

    # --- orders and fills -------------------------------------------------------------------------------------------

    @cached_property
    def order_of(self) -> NDArray[np.int64]:
        """Row of each fill's order in the log, -1 where there is none, `(F,)`."""
        orders, fills = self.run.orders, self.run.fills
        if not len(orders):
            return np.full(len(fills), -1)
        width = max(int(orders["id"].max()), int(fills["order"].max(initial=0))) + 1
        keys = orders["account"] * width + orders["id"]
        ranks = np.argsort(keys, kind="stable")
        wanted = fills["account"] * width + fills["order"]
        places = ranks[np.minimum(np.searchsorted(keys[ranks], wanted), len(ranks) - 1)]
        return np.where(keys[places] == wanted, places, -1)

    @cached_property
    def requests(self) -> NDArray[np.int64] | None:
        """Type of each order that was a row of `Orders` (O6), -1 for others; None where orders and rows are not the same."""
        places = requests_of_orders(self.run)
        given = self.run.inputs.orders
        if places is None or given is None:
            return None if places is None else places
        return np.append(given["type"], -1)[places]

    @cached_property
    def phase(self) -> NDArray[np.int64]:
        """When in its bar each fill happened."""
        fills, log = self.run.fills, self.run.orders
        reason, known = fills["reason"], self.order_of >= 0
        given = np.where(known, log["t"][self.order_of], fills["t"]) if len(log) else fills["t"]
        of_this_bar = given == fills["t"]
        phase = np.where(of_this_bar, int(Phase.CLOSE), int(Phase.OPEN))
        phase[of_this_bar & np.isin(reason, _PROTECTIVE)] = Phase.INSIDE
        if self.leaves_inside:
            at_close = fills["ref"] == self.bars.close[fills["t"], fills["asset"]]
            phase[of_this_bar & (reason == _RISK) & ~(at_close & self.at_close)] = Phase.INSIDE
        for kind, place in zip(DONE_AT_ONCE, (Phase.ACTIONS, Phase.GONE, Phase.END), strict=True):
            phase[reason == kind] = place
        if self.of_orders and self.requests is not None and len(log):
            phase[self._rests & known] = Phase.INSIDE
        return phase

    @property
    def leaves_inside(self) -> bool:
        """Whether Z8 is on."""
        zones = self.setup.risk.zones if self.setup.risk is not None else None
        return zones is not None and zones.mark == "intrabar" and zones.liquidate_at is not None

    @property
    def _rests(self) -> NDArray[np.bool_]:
        """Fills of orders that rested in the book: all but market orders, and stops in the bars after they traded."""
        assert self.requests is not None
        fills, types = self.run.fills, self.requests[self.order_of]
        first: dict[int, int] = {}
        met = np.array([first.setdefault(k, t) for k, t in zip(self.order_of.tolist(), fills["t"].tolist(), strict=True)], dtype=np.int64)
        stops = np.isin(types, (OrderType.STOP, OrderType.TRAILING))
        resting: NDArray[np.bool_] = (types > OrderType.MARKET) & ~(stops & (fills["t"] > met))
        return resting

    @cached_property
    def spent(self) -> ArrayN:
        """What each fill takes from the equity of its close: commission, and its price against the mark."""
        fills = self.run.fills
        marks = self.marks[fills["t"], fills["asset"]]
        spent: ArrayN = fills["q"] * (fills["price"] - marks) * self.multiplier[fills["asset"]] + fills["commission"]
        return spent

    def bought(self, values: ArrayN, *phases: Phase) -> ArrayTN:
        """Sum of `values` `(F,)` over the fills of these phases (all without any) by bar and asset."""
        fills, out = self.run.fills, np.zeros((self.T, self.N))
        chosen = np.isin(self.phase, phases) if phases else slice(None)
        np.add.at(out, (fills["t"][chosen], fills["asset"][chosen]), values[chosen])
        return out


def requests_of_orders(run: Run) -> NDArray[np.int64] | None:
    """Place of each logged order among the rows of orders given, -1 for exits of the engine's own; None where they do not match."""
    given, log = run.inputs.orders, run.orders
    places = np.full(len(log), -1)
    if given is None:
        return places
    account = np.zeros(len(given), dtype=np.int64) if run.equity.shape[1] == 1 else given["n"]
    asked = np.flatnonzero(given["type"] != OrderType.CANCEL)
    asked = asked[np.lexsort((asked, given["t"][asked], account[asked]))]
    logged = np.flatnonzero(log["reason"] == _SIGNAL)
    logged = logged[np.lexsort((log["id"][logged], log["t"][logged], log["account"][logged]))]
    if len(asked) != len(logged) or (given["t"][asked] != log["t"][logged]).any() or (given["n"][asked] != log["asset"][logged]).any():
        return None
    places[logged] = asked
    return places


def rows_added(facts: Facts, values: ArrayN) -> ArrayTG:
    """Sum of `values` `(F,)` over fills by bar and account."""
    fills, out = facts.run.fills, np.zeros((facts.T, facts.G))
    np.add.at(out, (fills["t"], fills["account"]), values)
    return out


def first_off(difference: NDArray[Any], scale: NDArray[Any]) -> Iterator[tuple[int, int]]:
    """The first bar of each column `(T, C)` in which the difference is no rounding, with the column."""
    bad = ~(np.abs(difference) <= TOLERANCE * scale)
    yield from columns_off(bad)


def columns_off(bad: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """The first true bar of each column that has one, with the column."""
    for column in np.flatnonzero(bad.any(axis=0)):
        yield int(np.argmax(bad[:, column])), int(column)


def shown(value: Any) -> str:
    """A number of the books as messages write it."""
    return f"{float(value):.12g}"
