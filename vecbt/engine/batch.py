"""The batch driver: all bars of one parameter set in one compiled call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._typing import ArrayTG
from ..core import memory
from ..core.codes import InputKind
from ..data.labels import label_text
from ..data.market import INSTRUMENTS, Market
from ..errors import ConfigError, DataError
from ..indicators.volatility import atr, close_sigma
from ..risk.levels import set_levels
from .bar import close_all, run_bars
from .books import Books, empty_book, make_books, open_orders, with_room
from .calm import CALM_ROWS
from .decision import pending_orders
from .log import FILLS_PER_BAR, ORDERS_PER_BAR, Log, bars_of_room, make_log
from .orders_input import booked_flows
from .rows import Rows
from .rule_strategy import RuleStrategy
from .ruling import RuleBatch
from .run import Run
from .setup import Rules, Setup, spans_of

if TYPE_CHECKING:
    from ..data.bars import Bars
    from .inputs import AlignedInputs

__all__ = ["BOOK_ROOM", "Batch", "check_events", "check_levels", "opened_books", "rows_of", "simulate"]

BOOK_ROOM = 64
"""Orders the book has room for at first."""

_MOST_SPARE = 2**20  # records of each kind
_NOTHING = np.empty((0, 0), dtype=np.float64)
_NO_FLAGS = np.empty((0, 0), dtype=np.uint8)
_NO_EVENTS = np.empty((0, 0, 0), dtype=np.float64)
_NO_STARTS = np.zeros(0, dtype=np.int64)


def _frozen(array: np.ndarray) -> np.ndarray:
    """A read-only C-ordered view: kernels are compiled for one kind of array only, and never write to rows."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def opened_books(setup: Setup, market: Market, first_day: int, rules: Rules, orders: int = 0) -> Books:
    """Books before the first bar: the capital and the starting positions (F14); room for so many orders, 0: no order book."""
    books = make_books(spans_of(setup.accounts, len(market.symbols)), orders)
    assets, accounts = books.assets.view(np.ndarray), books.accounts.view(np.ndarray)
    for name in ("multiplier", "lot", "tick", "min_notional", "initial_margin", "maintenance_margin"):
        assets[name] = getattr(market, name)
    assets["kind"] = [INSTRUMENTS.index(name) for name in market.instrument]
    assets["floor"] = np.where(market.allow_negative, -np.inf, 0.0)
    if setup.carry is not None:
        assets["borrow_rate"] = setup.carry.borrow_rates(market.symbols)
    accounts["cash"] = setup.initial_capital
    for symbol, (quantity, price) in (setup.positions or {}).items():
        _start_holding(books.assets[market.symbols.index(symbol)], float(quantity), float(price), first_day, rules)
    at_start = np.full(len(accounts), float(setup.initial_capital))
    for n in np.flatnonzero((assets["q"] != 0.0) & (assets["kind"] == 0)) if setup.positions else ():
        a = books.assets[n]
        at_start[a.g] += a.q * a.mark * a.multiplier
    for name in ("equity", "initial", "peak", "day_start"):
        accounts[name] = at_start
    return books


def _start_holding(a: Any, quantity: float, price: float, first_day: int, rules: Rules) -> None:
    """F14: a position that is there before the first bar, entered at bar -1."""
    if quantity == 0.0:
        return
    a.q, a.entered, a.entered_value = quantity, abs(quantity), abs(quantity) * price
    for name in ("avg", "mark", "watermark", "worst", "best", "settled"):
        setattr(a, name, price)
    a.entry_t, a.entry_day, a.level_tick = -1, first_day, a.tick
    set_levels(a, 1.0 if quantity > 0 else -1.0, rules.stops[0])
    a.first_stop = a.stop
    a.initial_risk = a.entered * a.multiplier * abs(price - a.stop)


def rows_of(bars: Bars, inputs: AlignedInputs, setup: Setup) -> Rows:
    """Everything the step reads, for all bars."""
    adjusted = bars.for_strategies.block  # T9
    true_range = _NOTHING
    if setup.stops is not None and setup.stops.needs_atr:
        true_range = atr(adjusted, setup.stops.atr_window)
        if bars.actions is not None:
            true_range = true_range / bars.actions.scale
    window, events = setup.sigma_window, _events_of(bars)
    return Rows(
        _flat(bars.block),
        _flat(_NO_FLAGS if inputs.flags is None else inputs.flags),
        _flat(_NOTHING if inputs.values is None else inputs.values),
        _flat(true_range),
        _flat(_NOTHING if window is None else close_sigma(adjusted, window)),
        _frozen(bars.session),
        _frozen(bars.index),
        _frozen(bars.delist_bar),
        _frozen(bars.delist_haircut),
        _frozen(events),
        _frozen(_eventful(bars, events)),
        _frozen(booked_flows(setup.flows, bars)),
        None if inputs.orders is None else _frozen(inputs.orders.view(np.ndarray)),
        _frozen(_NO_STARTS if inputs.starts is None else inputs.starts),
        np.empty((CALM_ROWS, bars.N)),
    )


def _flat(array: np.ndarray) -> np.ndarray:
    return _frozen(array).reshape(-1)


def _eventful(bars: Bars, events: np.ndarray) -> np.ndarray:
    """1 at bars with a delisting or with any of the events, and at the next one, which has to forget them; (T,) uint8."""
    out = np.zeros(bars.T, dtype=np.uint8)
    out[bars.delist_bar[bars.delist_bar >= 0]] = 1
    if events.size:
        out[(events[0] != 1.0).any(axis=1) | (events[1:] != 0.0).any(axis=(0, 2))] = 1
    out[1:] |= out[:-1].copy()
    return out


def _events_of(bars: Bars) -> np.ndarray:
    """Split (1 = none), dividend and funding (0 = none) of each bar, (3, T, N); (0, 0, 0) where there are none."""
    if bars.actions is None and bars.funding is None:
        return _NO_EVENTS
    out = np.zeros((3, bars.T, bars.N))
    out[0] = 1.0
    if bars.actions is not None:
        out[0], out[1] = bars.actions.split, bars.actions.dividend
    if bars.funding is not None:
        out[2] = np.where(np.isnan(bars.funding), 0.0, bars.funding)
    return out


def check_events(market: Market, funding: Any) -> None:
    """Funding is paid by perpetuals only; ConfigError where another asset has some."""
    if funding is None:
        return
    for n in np.flatnonzero((np.nan_to_num(np.atleast_2d(funding)) != 0.0).any(axis=0)):
        if market.instrument[n] != "perpetual":
            raise ConfigError(f"{market.symbols[n]} has funding, but its instrument is {market.instrument[n]!r}; expected 'perpetual'")


def check_levels(setup: Setup, market: Market, low: np.ndarray, label: Any) -> None:
    """F12: percentage levels need prices above 0; DataError names asset and bar, `label(t)` is the bar's."""
    if setup.stops is None or not setup.stops.needs_positive or not market.allow_negative.any():
        return
    bad = np.argwhere(np.atleast_2d(low) <= 0.0)
    if len(bad):
        t, n = (int(k) for k in bad[0])
        raise DataError(
            f"{market.symbols[n]} has a price of {np.atleast_2d(low)[t, n]} at {label(t)}, and {setup.stops!r} has levels in percent, "
            "which mean nothing there; give them in Ticks, Atr or Price"
        )


@dataclass
class Batch:
    """A simulation that can be run in pieces: the books go on where they are.

    `advance(stop)` runs up to bar `stop`; `finish()` makes the `Run`. One call over all bars is what `simulate` does. With a `first` bar
    the account begins there; what it reads (indicators, ranges, deviations) has seen the bars before.
    """

    bars: Bars
    setup: Setup
    source: Any
    inputs: AlignedInputs
    first: int = 0

    def __post_init__(self) -> None:
        bars = self.bars
        self.setup = self.setup.for_market(bars.market, bars.has_volume).for_inputs(self.inputs.kind)
        check_events(bars.market, bars.funding)
        check_levels(self.setup, bars.market, bars.low, lambda t: label_text(int(bars.index[t])))
        self.ruling: RuleBatch | None = None
        if isinstance(self.source, RuleStrategy) and self.source.sees_account:
            self.ruling = RuleBatch(self.source, bars.for_strategies)
            self.ruling.pass_over(self.first)
            self.inputs = self.source.said(self.ruling.said)
        groups = bars.N if self.setup.accounts == "separate" else 1
        self.rules = self.setup.rules(self.inputs.kind, bars.market)
        if self.ruling is not None:
            self.rules.common.desk[0] = self.ruling.ruling.address
        self.rows = rows_of(bars, self.inputs, self.setup)
        orders = BOOK_ROOM if self.inputs.kind == InputKind.ORDERS else 0
        self.books = opened_books(self.setup, bars.market, int(bars.session[self.first]), self.rules, orders)
        self.initial = self.books.accounts.initial.copy()
        spare = 1024 + min(bars.T * bars.N // 16, _MOST_SPARE)  # a guess; the log grows where it is too small
        self.log = make_log(ORDERS_PER_BAR * bars.N + spare, FILLS_PER_BAR * bars.N + spare, FILLS_PER_BAR * bars.N + spare)
        zoned = bool(self.rules.zones.on[0])
        self.cash: ArrayTG = memory.empty((bars.T, groups))
        self.equity: ArrayTG = memory.empty((bars.T, groups))
        self.zone = np.empty((bars.T, groups) if zoned else (0, 0), dtype=np.uint8)
        self.paid = np.zeros((bars.T, groups) if self.setup.flows else (0, 0))
        self.t = self.first

    def advance(self, stop: int) -> None:
        """Run the bars up to, not including, `stop`."""
        series = tuple(part.reshape(-1) for part in (self.cash, self.equity, self.zone, self.paid))
        while self.t < stop:
            end = stop if self.ruling is None else self.ruling.ready(self.t, stop)
            self.t = int(run_bars(self.t, end, self.books, self.rows, self.rules, self.log.block, series))
            if self.ruling is not None:
                self.ruling.check()
            if self.t < end:
                self._make_room()

    def _make_room(self) -> None:
        """For the bar that did not fit: in the order book, or in the log."""
        starts, books = self.rows.starts, self.books
        if books.resting is not None and books.used[0] + starts[self.t + 1] - starts[self.t] >= len(books.resting):
            self.books = with_room(books, int(starts[self.t + 1] - starts[self.t]))
        else:
            self.log = _grown(self.log)

    def close_all(self) -> None:
        """T8: close everything after the last bar; its record is then net of it."""
        while bars_of_room(self.log.block, self.bars.N, int(self.books.used[0])) == 0:
            self.log = _grown(self.log)
        for g in range(len(self.books.accounts)):
            close_all(self.books, g, self.rules.common, self.rules.stops, self.log.block)
        empty_book(self.books)
        self.cash[self.t - 1] = self.books.accounts.cash
        self.equity[self.t - 1] = self.books.accounts.equity

    def finish(self) -> Run:
        """The finished run, of the bars that were run."""
        bars, source, inputs, ran = self.bars, self.source, self.inputs, slice(self.first, self.t)
        if (self.first, self.t) != (0, bars.T):
            bars = bars.slice(self.first, self.t)
            name, parameters = getattr(source, "name", type(source).__name__), getattr(source, "parameters", {})
            source = inputs = inputs.part(self.first, self.t, name, parameters)
        orders, fills, trades = (records[:count] for records, count in zip(self.log.parts, self.log.counts, strict=True))
        waiting = pending_orders(self.books.assets, open_orders(self.books))
        return Run(
            bars=bars,
            setup=self.setup,
            source=source,
            inputs=inputs,
            equity=_readonly(self.equity[ran]),
            cash=_readonly(self.cash[ran]),
            zone=_readonly(self.zone[ran]) if self.rules.zones.on[0] else None,
            initial=_readonly(self.initial),
            flows=_readonly(self.paid[ran]) if self.setup.flows else None,
            orders=_readonly(_kept(self.log.orders, orders, waiting)),
            fills=_readonly(_kept(self.log.fills, fills)),
            trades=_readonly(_kept(self.log.trades, trades)),
            accounts=_readonly(self.books.accounts),
            assets=_readonly(self.books.assets),
        )


def simulate(bars: Bars, source: Any, inputs: AlignedInputs, setup: Setup, window: tuple[int, int] | None = None) -> Run:
    """Run all bars, or those of a window (first, stop), and return what happened.

    In a window the account begins flat, while strategy and setup have seen the bars before. The run that is returned is of the bars in it,
    with what was said there as its source: that is all another run over them needs.
    """
    first, stop = (0, bars.T) if window is None else window
    batch = Batch(bars, setup, source, inputs, first)
    batch.advance(stop)
    if setup.liquidate_at_end:
        batch.close_all()
    return batch.finish()


def _grown(log: Log) -> Log:
    """The same log with four times the room."""
    grown = make_log(*(4 * len(records) for records in log.parts))
    for old, new, count in zip(log.parts, grown.parts, log.counts, strict=True):
        new[:count] = old[:count]
    grown.counts[:] = log.counts
    return grown


def _kept(whole: Any, used: Any, more: Any = ()) -> Any:
    """The records in use and some more: where they are, if they fill a good part of the room, else as a copy."""
    count = len(used) + len(more)
    if 8 * count < len(whole) or count > len(whole):
        whole = np.empty(count, dtype=whole.dtype).view(np.recarray)
        whole[: len(used)] = used
    if len(more):
        whole[len(used) : count] = more
    return whole[:count]


def _readonly(array: Any) -> Any:
    array.flags.writeable = False
    return array
