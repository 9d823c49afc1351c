"""The batch driver: all bars of one parameter set in one compiled call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._typing import ArrayTG
from ..data.market import Market
from ..errors import DataError
from ..indicators.volatility import atr, close_sigma
from ..risk.levels import set_levels
from .bar import close_all, run_bars
from .books import Books, make_books
from .decision import pending_orders
from .log import FILLS_PER_BAR, ORDERS_PER_BAR, Log, has_room, make_log
from .rows import Rows
from .run import Run
from .setup import Rules, Setup, spans_of

if TYPE_CHECKING:
    from ..data.bars import Bars
    from .inputs import AlignedInputs

__all__ = ["Batch", "opened_books", "simulate"]

_NOTHING = np.empty((0, 0), dtype=np.float64)


def _frozen(array: np.ndarray) -> np.ndarray:
    """A read-only C-ordered view: kernels are compiled for one kind of array only, and never write to rows."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def opened_books(setup: Setup, market: Market, first_day: int, rules: Rules) -> Books:
    """Books before the first bar: the capital and the starting positions (F14)."""
    books = make_books(spans_of(setup.accounts, len(market.symbols)))
    for name in ("multiplier", "lot", "tick", "min_notional"):
        books.assets[name][:] = getattr(market, name)
    books.accounts.cash[:] = setup.initial_capital
    for symbol, (quantity, price) in (setup.positions or {}).items():
        _start_holding(books.assets[market.symbols.index(symbol)], float(quantity), float(price), first_day, rules)
    for g, account in enumerate(books.accounts):
        held = books.assets[books.spans[g] : books.spans[g + 1]]
        value = sum(float(a.q * a.mark * a.multiplier) for a in held if a.q != 0.0)
        account.equity = account.initial = account.peak = float(account.cash) + value
    return books


def _start_holding(a: Any, quantity: float, price: float, first_day: int, rules: Rules) -> None:
    """F14: a position that is there before the first bar, entered at bar -1."""
    if quantity == 0.0:
        return
    a.q, a.entered, a.entered_value = quantity, abs(quantity), abs(quantity) * price
    for name in ("avg", "mark", "watermark", "worst", "best"):
        setattr(a, name, price)
    a.entry_t, a.entry_day = -1, first_day
    set_levels(a, 1.0 if quantity > 0 else -1.0, None if rules.stops is None else rules.stops[0])
    a.first_stop = a.stop
    a.initial_risk = a.entered * a.multiplier * abs(price - a.stop)


def _rows_of(bars: Bars, inputs: AlignedInputs, setup: Setup) -> Rows:
    """Everything the step reads, for all bars."""
    needs_atr = setup.stops is not None and setup.stops.needs_atr
    return Rows(
        _frozen(bars.block),
        None if inputs.flags is None else _frozen(inputs.flags),
        None if inputs.values is None else _frozen(inputs.values),
        _frozen(atr(bars.block, setup.stops.atr_window)) if needs_atr and setup.stops is not None else _frozen(_NOTHING),
        _frozen(close_sigma(bars.block, setup.costs.volume_window)) if setup.costs.needs_volume else _frozen(_NOTHING),
        _frozen(bars.session),
        _frozen(bars.delist_bar),
        _frozen(bars.delist_haircut),
    )


@dataclass
class Batch:
    """A simulation that can be run in pieces: the books go on where they are.

    `advance(stop)` runs up to bar `stop`; `finish()` makes the `Run`. One call over all bars is what `simulate` does.
    """

    bars: Bars
    setup: Setup
    source: Any
    inputs: AlignedInputs

    def __post_init__(self) -> None:
        bars = self.bars
        self.setup = self.setup.for_market(bars.market, bars.has_volume).for_inputs(self.inputs.kind)
        _refuse_events(bars)
        groups = bars.N if self.setup.accounts == "separate" else 1
        self.rules = self.setup.rules(self.inputs.kind, bars.N // groups)
        self.rows = _rows_of(bars, self.inputs, self.setup)
        self.books = opened_books(self.setup, bars.market, int(bars.session[0]), self.rules)
        self.initial = self.books.accounts.initial.copy()
        self.log = make_log(ORDERS_PER_BAR * bars.N + 1024, FILLS_PER_BAR * bars.N + 1024, FILLS_PER_BAR * bars.N + 512)
        zoned = self.rules.zones is not None
        self.cash: ArrayTG = np.empty((bars.T, groups))
        self.equity: ArrayTG = np.empty((bars.T, groups))
        self.zone = np.empty((bars.T, groups) if zoned else (0, 0), dtype=np.uint8)
        self.t = 0

    def advance(self, stop: int) -> None:
        """Run the bars up to, not including, `stop`."""
        series = (self.cash, self.equity, self.zone)
        while self.t < stop:
            self.t = int(run_bars(self.t, stop, self.books, self.rows, self.rules, self.log, series))
            if self.t < stop:
                self.log = _doubled(self.log)

    def close_all(self) -> None:
        """T8: close everything after the last bar; its record is then net of it."""
        if not has_room(self.log, self.bars.N):
            self.log = _doubled(self.log)
        for g in range(len(self.books.accounts)):
            close_all(self.books, g, self.rules.common, self.rules.stops, self.log)
        self.cash[-1] = self.books.accounts.cash
        self.equity[-1] = self.books.accounts.equity

    def finish(self) -> Run:
        """The finished run."""
        orders, fills, trades = (records[:count] for records, count in zip(self.log[:3], self.log.counts, strict=True))
        return Run(
            bars=self.bars,
            setup=self.setup,
            source=self.source,
            inputs=self.inputs,
            equity=_readonly(self.equity),
            cash=_readonly(self.cash),
            zone=_readonly(self.zone) if self.zone.size or self.rules.zones is not None else None,
            initial=_readonly(self.initial),
            orders=_readonly(np.concatenate([orders, pending_orders(self.books.assets)]).view(np.recarray)),
            fills=_readonly(fills.copy()),
            trades=_readonly(trades.copy()),
            accounts=_readonly(self.books.accounts),
            assets=_readonly(self.books.assets),
        )


def simulate(bars: Bars, source: Any, inputs: AlignedInputs, setup: Setup) -> Run:
    """Run all bars and return what happened."""
    batch = Batch(bars, setup, source, inputs)
    batch.advance(bars.T)
    if setup.liquidate_at_end:
        batch.close_all()
    return batch.finish()


def _refuse_events(bars: Bars) -> None:
    """Raw bars with splits or dividends need rules T1 and T9, which are not there yet."""
    for name in ("splits", "dividends", "funding"):
        if getattr(bars, name) is not None:
            raise DataError(
                f"the bars carry {name}, which the simulation does not book yet (T1, T2); use adjusted prices, "
                f"for the bundled sample samples.load('us_daily', adjusted=True)"
            )


def _doubled(log: Log) -> Log:
    """The same log with twice the room."""
    grown = make_log(*(2 * len(records) for records in log[:3]))
    for old, new in zip(log[:3], grown[:3], strict=True):
        new[: len(old)] = old
    grown.counts[:] = log.counts
    return grown


def _readonly(array: Any) -> Any:
    array.flags.writeable = False
    return array
