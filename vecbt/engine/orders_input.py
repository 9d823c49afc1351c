"""Orders as users write them (section O), for all bars or for one, and deposits by date (F15)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .._typing import ArrayT, IndexT, Records
from ..core.codes import InputKind, OrderType, TimeInForce
from ..core.state import records
from ..data.labels import label_text, time_label
from ..data.market import Market
from ..errors import InputError, nearest
from ..risk.stops import Pct
from .taking import REQUEST

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["Cancel", "Order", "Orders", "booked_flows", "flow_labels", "requests_of"]

_TYPES = {"market": OrderType.MARKET, "limit": OrderType.LIMIT, "stop": OrderType.STOP, "stop_limit": OrderType.STOP_LIMIT,
          "trailing": OrderType.TRAILING}  # fmt: skip
_TIFS = {"gtc": TimeInForce.GTC, "day": TimeInForce.DAY, "gtd": TimeInForce.GTD, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
_NEEDS = {"limit": ("limit",), "stop": ("stop",), "stop_limit": ("limit", "stop")}
_PRICES = ("limit", "stop", "trail", "trail_by", "stop_loss", "take_profit")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True, kw_only=True)
class Order:
    """One order, decided on a bar (rules O1 to O6). Prices are in the units the strategy reads (T9), quantities in raw units.

    Parameters
    ----------
    symbol : str, optional
        Asset; may be left out where there is one.
    quantity : float
        Signed: above 0 buys. It closes what is held on the other side first; the rest opens.
    type : {"market", "limit", "stop", "stop_limit", "trailing"}
    limit, stop : float, optional
        Prices of limit, stop and stop-limit orders.
    trail, trail_by : float, optional
        Distance of a trailing order, as a fraction or in price units; one of the two.
    tif : {"gtc", "day", "gtd", "ioc", "fok"}
        Time in force (O3).
    until : time, optional
        For "gtd": no bar that starts at or after it.
    reduce_only : bool
        Opens nothing.
    priority : float
        Of new risk in scarce room (F10), > 0.
    tag : int
        By which a `Cancel` finds it, >= 0.
    stop_loss, take_profit : float, optional
        Bracket: levels of the position it opens, in place of those of `Stops`; one cancels the other.
    trailing_stop : float or Pct, optional
        Bracket: trailing distance as a fraction below 1, armed from the fill.

    Raises
    ------
    InputError
        A number, price or name that does not fit.
    """

    quantity: float
    symbol: str | None = None
    type: str = "market"
    limit: float | None = None
    stop: float | None = None
    trail: float | None = None
    trail_by: float | None = None
    tif: str = "gtc"
    until: Any = None
    reduce_only: bool = False
    priority: float = 1.0
    tag: int = 0
    stop_loss: float | None = None
    take_profit: float | None = None
    trailing_stop: float | Pct | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.quantity) or self.quantity == 0:
            raise InputError(f"Order.quantity is {self.quantity!r}; expected a signed number of units: above 0 buys, below sells")
        for name, known in (("type", _TYPES), ("tif", _TIFS)):
            value = str(getattr(self, name)).lower()
            if value not in known:
                raise InputError(f"Order.{name} is {getattr(self, name)!r}; {nearest(value, known)}")
            object.__setattr__(self, name, value)
        self._check_prices()
        if not _is_number(self.priority) or self.priority <= 0:
            raise InputError(f"Order.priority is {self.priority!r}; expected a number > 0")
        _check_tag("Order", self.tag)
        if not isinstance(self.reduce_only, bool | np.bool_):
            raise InputError(f"Order.reduce_only is {self.reduce_only!r}; expected True or False")
        if (self.tif == "gtd") != (self.until is not None):
            raise InputError(f"Order.tif is {self.tif!r} and until {self.until!r}; 'gtd' needs the time it waits until, others none")

    def _check_prices(self) -> None:
        for name in _PRICES:
            value = getattr(self, name)
            if value is not None and not _is_number(value):
                raise InputError(f"Order.{name} is {value!r}; expected a finite price")
        needed = _NEEDS.get(self.type, ())
        for name in ("limit", "stop"):
            if (getattr(self, name) is not None) != (name in needed):
                what = "needs" if name in needed else "takes no"
                raise InputError(f"an order of type {self.type!r} {what} {name} price; it is {getattr(self, name)!r}")
        trails = [n for n in ("trail", "trail_by") if getattr(self, n) is not None]
        if len(trails) != (1 if self.type == "trailing" else 0):
            found = " and ".join(trails) or "no trail"
            raise InputError(f"an order of type {self.type!r} has {found}; trailing orders take one of trail, trail_by")
        if (self.trail is not None and not 0 < self.trail < 1) or (self.trail_by is not None and not self.trail_by > 0):
            raise InputError("Order.trail is a fraction between 0 and 1, trail_by a distance > 0 in price units")
        bracket = self.bracket_trail
        if self.trailing_stop is not None and not 0 < bracket < 1:
            raise InputError(f"Order.trailing_stop is {self.trailing_stop!r}; expected Pct(2) or a fraction below 1")

    @property
    def bracket_trail(self) -> float:
        """`trailing_stop` as a fraction; 0 without one."""
        value = self.trailing_stop
        if isinstance(value, Pct):
            return value.percent / 100.0
        return float(value) if value is not None and _is_number(value) else (0.0 if value is None else math.nan)


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Ends waiting orders of an asset: those with the tag, or all of them without one. It goes before the orders of its row."""

    symbol: str | None = None
    tag: int | None = None

    def __post_init__(self) -> None:
        if self.tag is not None:
            _check_tag("Cancel", self.tag)


def _check_tag(owner: str, tag: Any) -> None:
    if isinstance(tag, bool) or not isinstance(tag, int | np.integer) or tag < 0:
        raise InputError(f"{owner}.tag is {tag!r}; expected a whole number >= 0")


@dataclass(frozen=True, eq=False)
class Orders:
    """Explicit orders: for all bars as {time: Order or list of them}, a list of (time, Order), or a table; for one bar a list.

    A table (pandas or polars) has a column `time` and the fields of `Order` as columns, a row each; `type` "cancel" is a
    `Cancel`. Times are labels of bars: the order is decided at the close of that bar and meets the next one (O4).
    """

    orders: Any
    kind: ClassVar[InputKind] = InputKind.ORDERS

    def align(self, bars: Bars) -> Any:
        """As requests by bar; InputError names a time without a bar, an unknown symbol or field."""
        from .inputs import AlignedInputs

        pairs = [(_bar_of(time, bars), order) for time, order in _dated(self.orders)]
        pairs.sort(key=lambda pair: pair[0])
        rows = requests_of([order for _, order in pairs], bars.market, [label_text(int(bars.index[t])) for t, _ in pairs])
        rows.t[:] = [t for t, _ in pairs]
        starts = np.searchsorted(rows.t, np.arange(bars.T + 1)).astype(np.int64)
        return AlignedInputs(self.kind, None, None, rows, starts, bars.N)

    def row(self, market: Market) -> Records:
        """One bar's orders as requests."""
        given = self.orders
        if hasattr(given, "starts"):
            rows: Records = given.orders  # aligned already
            return rows
        return requests_of([given] if isinstance(given, Order | Cancel) else list(given), market)


def _bar_of(time: Any, bars: Bars) -> int:
    label = time_label(time, "Orders", zone=bars.market.time_zone, bar_ns=bars.market.bar_ns)
    t = int(np.searchsorted(bars.index, label))
    if t == bars.T or bars.index[t] != label:
        ends = f"{label_text(int(bars.index[0]))} to {label_text(int(bars.index[-1]))}"
        raise InputError(f"Orders has an order at {label_text(label)}, where there is no bar; bars go from {ends}")
    return t


def _dated(given: Any) -> Iterator[tuple[Any, Order | Cancel]]:
    """(time, order) from whatever form was given."""
    if hasattr(given, "columns"):
        yield from _from_table(given)
        return
    if not isinstance(given, Mapping | Iterable) or isinstance(given, str):
        raise InputError(f"Orders({given!r}): expected a mapping of time to orders, pairs (time, Order), or a table")
    for item in given.items() if isinstance(given, Mapping) else given:
        if isinstance(item, Order | Cancel) or not isinstance(item, tuple | list) or len(item) != 2:
            raise InputError(f"Orders for all bars need times: {{time: Order(...)}} or pairs (time, Order(...)); found {item!r}")
        time, orders = item
        for order in [orders] if isinstance(orders, Order | Cancel) else orders:
            yield time, order


def _from_table(table: Any) -> Iterator[tuple[Any, Order | Cancel]]:
    names = [str(c) for c in table.columns]
    known = ["time", *(f.name for f in fields(Order))]
    for name in names:
        if name not in known:
            raise InputError(f"the table of Orders has a column {name!r}; {nearest(name, known)}")
    if "time" not in names:
        raise InputError("the table of Orders has no column time; expected the bar at which each order is decided")
    rows = table.to_dicts() if hasattr(table, "to_dicts") else table.to_dict("records")
    for row in rows:
        given = {name: value for name, value in row.items() if not _is_missing(value)}
        time = given.pop("time")
        if str(given.get("type", "")).lower() == "cancel":
            yield time, Cancel(**{name: given[name] for name in ("symbol", "tag") if name in given})
            continue
        if "tag" in given:
            given["tag"] = int(given["tag"])
        yield time, Order(**given)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and math.isnan(value))


def requests_of(orders: list[Any], market: Market, times: list[str] | None = None) -> Records:
    """Orders and cancels as the step takes them; InputError names what does not fit the market, and its bar where `times` are given."""
    out = records(REQUEST, len(orders))
    for k, (row, order) in enumerate(zip(out, orders, strict=True)):
        if not isinstance(order, Order | Cancel):
            raise InputError(f"Orders holds {order!r}; expected Order(...) or Cancel(...)")
        row.n = _column(order, market)
        for name in ("own_stop", "own_target"):
            row[name] = math.nan
        if isinstance(order, Cancel):
            row.type, row.tag = OrderType.CANCEL, -1 if order.tag is None else order.tag
        else:
            _check_percent(order, market, int(row.n), times[k] if times else "this bar")
            _fill_request(row, order, market)
    return out


def _column(order: Order | Cancel, market: Market) -> int:
    if order.symbol is None:
        if market.N > 1:
            raise InputError(f"{type(order).__name__} names no symbol, and the bars have {market.N} assets; give symbol=")
        return 0
    if order.symbol not in market.symbols:
        raise InputError(f"{type(order).__name__}.symbol is {order.symbol!r}; {nearest(str(order.symbol), market.symbols)}")
    return market.symbols.index(order.symbol)


def _check_percent(order: Order, market: Market, asset: int, when: str) -> None:
    """F12: a distance in percent means nothing where prices may be <= 0."""
    if market.allow_negative[asset] and (order.trail is not None or order.trailing_stop is not None):
        raise InputError(
            f"the order for {market.symbols[asset]} at {when} has a distance in percent, and its prices may be <= 0 (F12); "
            "give trail_by in price units, or a bracket as stop_loss"
        )


def _fill_request(row: Any, order: Order, market: Market) -> None:
    for name in ("limit", "stop", "stop_loss", "take_profit"):
        price = getattr(order, name)
        if price is not None and price <= 0 and not market.allow_negative[row.n]:
            raise InputError(f"Order.{name} is {price!r}; expected a price > 0 for {market.symbols[row.n]}")
    row.type, row.tif = _TYPES[order.type], _TIFS[order.tif]
    if order.until is not None:
        row.until = time_label(order.until, "Order.until", zone=market.time_zone, bar_ns=market.bar_ns)
    row.tag, row.reduce_only, row.priority, row.quantity = order.tag, int(order.reduce_only), order.priority, order.quantity
    row.limit, row.stop = order.limit or 0.0, order.stop or 0.0
    row.trail, row.trail_by, row.own_trail = order.trail or 0.0, order.trail_by or 0.0, order.bracket_trail
    row.own_stop = math.nan if order.stop_loss is None else order.stop_loss
    row.own_target = math.nan if order.take_profit is None else order.take_profit


def booked_flows(flows: Mapping[Any, float] | None, bars: Bars) -> ArrayT:
    """F15: money by bar, (T,); (0,) where there are none. InputError for a time after the last bar."""
    if flows is None:
        return np.zeros(0)
    out = np.zeros(bars.T)
    labels, amounts = flow_labels(flows, bars.market)
    for label, amount in zip(labels.tolist(), amounts.tolist(), strict=True):
        t = int(np.searchsorted(bars.index, label))
        if t == bars.T:
            last = label_text(int(bars.index[-1]))
            raise InputError(f"flows has {amount} at {label_text(label)}, after the last bar ({last}); leave it out")
        out[t] += amount
    return out


def flow_labels(flows: Mapping[Any, float], market: Market) -> tuple[IndexT, ArrayT]:
    """Times (ns UTC, ascending) and amounts of deposits and withdrawals."""
    times = [time_label(time, "flows", zone=market.time_zone, bar_ns=market.bar_ns) for time in flows]
    order = np.argsort(np.array(times, dtype=np.int64), kind="stable")
    return np.array(times, dtype=np.int64)[order], np.array(list(flows.values()))[order]
