"""The bar-by-bar driver: the same compiled step as the batch, one bar at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias, Unpack

import numpy as np

from .._typing import ArrayN, Records
from ..core.codes import InputKind
from ..core.direct import direct
from ..core.state import plain, records
from ..data.bar import Bar, NormalBar
from ..data.calendar import SessionClock
from ..data.corporate import Actions, actions_of, actions_state
from ..data.labels import label_text
from ..data.market import Market
from ..errors import ConfigError, DataError, InputError, StateError
from ..execution.orders import RESTING
from ..indicators.save import pack, unpack
from ..indicators.shape import readonly
from ..indicators.streaming import IndicatorStream
from ..indicators.volatility import ATR, CLOSE_SIGMA
from .bar import close_all
from .batch import BOOK_ROOM, check_events, check_levels, opened_books
from .books import STATE_SCHEMA, Books, empty_book, open_orders, with_room
from .decision import Decision
from .inputs import AlignedInputs, Flags, Quantities, Signals, Strengths, Weights, normalize_row, one_of
from .keywords import Keywords, explicit
from .log import Log
from .orders_input import Orders, flow_labels
from .rule_strategy import RuleFeed
from .setup import Rules, Setup, spans_of
from .strategy import Feed, SteppingFeed, as_strategy, written
from .taking import REQUEST
from .workspace import Workspace, step_workspace

__all__ = ["Stream"]

_INPUT_TYPES = (Signals, Strengths, Weights, Quantities, Orders)
_Said: TypeAlias = tuple[Flags | None, ArrayN | None, Records]
_NO_REQUESTS = records(REQUEST, 0)
_SILENT: _Said = (None, None, _NO_REQUESTS)
_NO_LABEL = 2**63


class Stream:
    """A session that takes one bar at a time and drives the step that `backtest` loops over.

    Parameters
    ----------
    strategy : Strategy, function `rows(bars)`, or one of the types Signals, Strengths, Weights, Quantities, Orders
        What decides. With a type, each `update` gets its row.
    market : Market
        Symbols, lots, sessions; `bars.market` where bars are at hand.
    session : str
        Name of the session; part of every order id.
    **keywords
        As for `backtest`: costs, sizing, stops, risk, initial_capital, fill, …; see `engine.setup.Setup`.

    Raises
    ------
    ConfigError
        A keyword is unknown or a value wrong.
    """

    @explicit
    def __init__(self, strategy: Any, *, market: Market, session: str = "vecbt", **keywords: Unpack[Keywords]) -> None:
        if not isinstance(market, Market):
            raise ConfigError(f"market is {type(market).__name__}; expected a Market, such as bars.market")
        if market.bar_ns is None:
            raise ConfigError("market.bar_ns is not known, and sessions hang on it; take bars.market, or give Market(bar_ns=...)")
        if isinstance(strategy, _INPUT_TYPES):
            name = type(strategy).__name__
            raise ConfigError(f"a stream takes {name} one row at a time: give the type, Stream({name}, ...), then update(bar, {name}(row))")
        self.setup = Setup.of(**keywords).for_market(market, has_volume=True)
        self.market, self.session = market, session
        self._given = strategy if isinstance(strategy, type) and issubclass(strategy, _INPUT_TYPES) else None
        self._strategy = None if self._given is not None else as_strategy(strategy)
        assets = len(market.symbols)
        self._clock = SessionClock(market)
        self._books: Books | None = None
        self._workspace = Workspace(spans_of(self.setup.accounts, assets))
        self._atr, self._sigma, self._feed = self._parts()
        self._connect()
        self._kind: InputKind | None = None
        self._rules: Rules | None = None
        self._actions = actions_state(assets) if market.events else None
        self._flows = flow_labels(self.setup.flows, market) if self.setup.flows else None
        self._bars, self._last = 0, -_NO_LABEL
        self._failed = ""
        if self._given is not None:
            self._use(self._given.kind)

    def _parts(self) -> tuple[IndicatorStream | None, IndicatorStream | None, Feed | None]:
        """What remembers something beside the books, new."""
        stops, assets = self.setup.stops, len(self.market.symbols)
        atr = IndicatorStream(ATR, stops.atr_window, assets=assets) if stops is not None and stops.needs_atr else None
        sigma = IndicatorStream(CLOSE_SIGMA, self.setup.sigma_window, assets=assets) if self.setup.sigma_window is not None else None
        return atr, sigma, None if self._strategy is None else self._strategy.feed(self.market)

    def _connect(self) -> None:
        """Bind what goes on with each bar to the workspace: indicators, and the strategy where its feed has a call for it."""
        memory, feed = self._workspace, self._feed
        self._packed = memory.prices.data.cast("B")  # the same memory: plain numbers go in there in a tenth of the time
        self._read = memory.read if self.market.events else memory.prices
        read = readonly(self._read)
        self._indicators: list[Callable[[], object]] = []
        if self._atr is not None:
            self._indicators.append(self._atr.stepper(tuple(read[1:4]), memory.atr))
        if self._sigma is not None:
            self._indicators.append(self._sigma.stepper(tuple(read[0:4:3]), memory.sigma))
        self._stepping = feed if isinstance(feed, SteppingFeed) else None
        self._step_strategy: Callable[[], object] = _nothing
        if self._stepping is not None:
            self._step_strategy = self._stepping.stepper(read, memory.flags if self._stepping.kind == InputKind.SIGNALS else memory.values)
        self._session = getattr(feed, "session", None)
        self._ruled = feed if isinstance(feed, RuleFeed) and feed.asked_inside else None
        more = self.market.events or self.setup.flows or self.setup.uses_volume
        alone = self._stepping is not None or (self._given is not None and self._given is not Orders)
        self._plain = alone and self.market.N == 1 and not more  # five prices are all that comes with a bar
        self._quick = False  # whether such a bar needs no closer look

    # --- one bar -----------------------------------------------------------------------------------------------------

    def update(self, bar: Bar | NormalBar, row: Any = None) -> Decision:
        """Take one bar and return what it brought.

        Parameters
        ----------
        bar : Bar
            Later than the last one. It is checked by the rules of a table (B1).
        row : Signals, Strengths, Weights or Quantities, optional
            This bar's inputs, where the stream was made with an input type; left out, the bar says nothing.

        Raises
        ------
        DataError, InputError
            The bar or the row is not usable; nothing has changed, give a corrected one.
        StrategyError
            The strategy failed in the middle of a bar. The stream then refuses to go on: restore the last save.
        """
        quick = self._quick and type(bar) is Bar and (row is None or self._given is not None) and bar.write_into(self._packed)
        if quick and self._given is not None:
            quick = self._write_row(row)
        if not (quick and self._last < bar.time < _NO_LABEL):
            return self._update(bar, row)
        time = bar.time
        day = self._clock.day(time)
        try:
            if self._session is not None:
                self._session[:] = day
            self._step_strategy()
        except BaseException:
            self._fail(time)
            raise
        for step_indicator in self._indicators:
            step_indicator()
        return self._take(None, day, time)

    def _update(self, bar: Bar | NormalBar, row: Any) -> Decision:
        """`update` of any bar, with all that may come with it."""
        normal = self._admit(bar)
        said = self._row(row) if self._feed is None else _SILENT
        if self._feed is not None and row is not None:
            raise InputError("row is given, but this stream has a strategy that decides; leave row out")
        day = self._clock.day(normal.time)
        actions = self._book_actions(normal)
        read = normal if actions is None else _as_read(normal, actions)
        self._read[:, 0] = read.prices
        if self._session is not None:
            self._session[:] = day
        if self._feed is not None:
            said = self._ask_strategy(self._feed, read)
        flags, values, requests = said
        self._begin(normal.time, day)
        self._write(normal, flags, values)
        if actions is not None:
            self._write_actions(normal, actions)
        asked = self._take_in(requests) if self._kind == InputKind.ORDERS else None
        self._quick = self._plain and normal.delisted is None
        return self._take(asked, day, normal.time)

    def _admit(self, bar: Bar | NormalBar) -> NormalBar:
        """The bar past the door, or an error that changes nothing."""
        if self._failed:
            raise StateError(f"the strategy failed at {self._failed}; make a new Stream and restore the last save")
        if not isinstance(bar, (Bar, NormalBar)):
            raise DataError(f"bar is {type(bar).__name__}; expected a Bar(time, open, high, low, close, volume)")
        normal = bar.normalized(self.market) if isinstance(bar, Bar) else bar
        if not -_NO_LABEL <= normal.time < _NO_LABEL:
            raise DataError(f"the time of the bar is {normal.time}; expected ns since 1970 UTC, as int64 holds them")
        if normal.time <= self._last:
            raise DataError(f"bar {label_text(normal.time)} is not later than the last one, {label_text(self._last)}")
        if not self.market.events:
            for name, value in (("splits", normal.splits), ("dividends", normal.dividends), ("funding", normal.funding)):
                if value is not None and not bool(np.all(np.isnan(value) | (value == 0.0))):
                    where = label_text(normal.time)
                    raise DataError(f"bar {where} carries {name}, but its market says events=False; give Market(events=True)")
        check_events(self.market, normal.funding)
        check_levels(self.setup, self.market, normal.low, lambda _: label_text(normal.time))
        if self.setup.uses_volume and bool(np.any(np.isnan(normal.volume) & ~np.isnan(normal.close))):
            raise DataError(f"bar {label_text(normal.time)} has no volume, but volume_share or max_participation use it")
        return normal

    def _row(self, row: Any) -> _Said:
        """What the user's row says."""
        given = self._given
        assert given is not None
        if row is None:
            return _SILENT
        if not isinstance(row, given):
            raise InputError(f"row is {type(row).__name__}; this stream was made for {given.__name__}")
        return _normal(row, self.market)

    def _write_row(self, row: Any) -> bool:
        """The user's row of one asset, where it is of a usual form; False for any other, which `_row` looks at."""
        memory = self._workspace
        if row is None:
            memory.flags[0, 0], memory.values[0, 0] = 0, np.nan
            return True
        said = one_of(row) if type(row) is self._given else None
        if said is None:
            return False
        if self._given is Signals:
            memory.flags[0, 0] = said
        else:
            memory.values[0, 0] = said
        return True

    def _ask_strategy(self, feed: Feed, read: NormalBar) -> _Said:
        """What the strategy says."""
        memory = self._workspace
        try:
            if self._stepping is not None:
                self._step_strategy()
                said: _Said = (memory.flags[0], memory.values[0], _NO_REQUESTS)
                self._use(self._stepping.kind)
            else:
                answer = feed.update(read)
                said = _normal(answer, self.market)
                self._use(answer.kind)
        except BaseException:
            self._fail(read.time)
            raise
        return said

    def _fail(self, time: int) -> None:
        """The strategy may be half way through this bar."""
        self._failed, self._quick = label_text(time), False

    def _use(self, kind: InputKind) -> None:
        """The first row says what kind of input the rules are for."""
        if self._kind is None:
            self.setup.for_inputs(kind)
            self._kind, self._rules = kind, self.setup.rules(kind, self.market)
        elif kind != self._kind:
            raise InputError(f"the strategy gave {kind.name.lower()} after {self._kind.name.lower()}; a strategy gives one kind")

    def _begin(self, time: int, day: int) -> None:
        """Books for the first bar, and what is paid in or out in this one (F15)."""
        if self._books is None:
            assert self._rules is not None
            room = BOOK_ROOM if self._kind == InputKind.ORDERS else 0
            self._open(opened_books(self.setup, self.market, day, self._rules, room))
        if self._flows is not None:
            labels, amounts = self._flows
            self.books.accounts.flow[:] = sum(amounts[(labels > self._last) & (labels <= time)].tolist())

    def _take_in(self, requests: Records) -> Any:
        """Room for this bar's orders in the book and in the log; the orders as the step takes them."""
        books = self.books
        assert books.resting is not None
        wanted = int(books.used[0]) + len(requests)
        if wanted >= len(books.resting) or wanted > self._workspace.orders_in_book:
            self._open(with_room(books, len(requests)), 2 * wanted)
        return plain(np.ascontiguousarray(requests).view(np.recarray))

    def _book_actions(self, normal: NormalBar) -> Actions | None:
        """Splits and dividends that this bar books (T1), and the factor of prices (T9)."""
        if self._actions is None:
            return None
        gone = np.zeros(self.market.N, dtype=bool) if normal.delisted is None else ~np.isnan(normal.delisted)
        return actions_of(self._actions, normal.close, gone, normal.splits, normal.dividends)

    def _open(self, books: Books, orders_in_book: int = 0) -> None:
        """Keep the books, and the compiled step bound to them, with room for the records of so many orders in the book."""
        rules = self._rules
        assert rules is not None
        if orders_in_book > self._workspace.orders_in_book:
            larger = Workspace(self._workspace.spans, orders_in_book)
            larger.go_on_from(self._workspace)
            self._workspace = larger
            self._connect()
        self._books = self._workspace.hold(books, rules)
        if self._ruled is not None:
            self._workspace.common["desk"][0] = self._ruled.ruling.address
        asked = None if books.resting is None else plain(_NO_REQUESTS)
        arguments = self._workspace.arguments(self._books, rules)
        self._step = partial(direct(step_workspace, *arguments, asked, 0, 0), *arguments)
        bare = self._workspace.assets
        self._fields = {name: bare[name] for name in ("delists", "haircut", "split", "dividend", "funding")}

    def _write(self, normal: NormalBar, flags: Flags | None, values: ArrayN | None) -> None:
        """The bar's numbers, as the batch loads them from its matrices; the prices that strategies read stand there already."""
        fields, memory = self._fields, self._workspace
        memory.prices[:, 0] = normal.prices
        gone = normal.delisted
        fields["delists"][:] = 0 if gone is None else ~np.isnan(gone)
        fields["haircut"][:] = 0.0 if gone is None else np.where(np.isnan(gone), 0.0, gone)
        for step_indicator in self._indicators:
            step_indicator()
        if self._kind == InputKind.SIGNALS:
            memory.flags[0] = 0 if flags is None else flags
        elif self._kind != InputKind.ORDERS:
            memory.values[0] = np.nan if values is None else values

    def _write_actions(self, normal: NormalBar, actions: Actions) -> None:
        fields = self._fields
        fields["split"][:], fields["dividend"][:] = actions.split, actions.dividend
        fields["funding"][:] = 0.0 if normal.funding is None else np.where(np.isnan(normal.funding), 0.0, normal.funding)
        if self._atr is not None:
            self._workspace.atr[0] /= actions.scale

    def _take(self, asked: Any, day: int, time: int) -> Decision:
        """One step on, with what stands in the workspace."""
        logged = self._step(asked, day, time)
        if self._ruled is not None:
            self._check_rule(self._ruled, time)
        t = self._bars
        self._bars = t + 1
        self._last = time
        if logged or asked is not None:
            return self._decision(time)
        return Decision(t, time, self.market, self.session, self._workspace.state())

    def _check_rule(self, feed: RuleFeed, time: int) -> None:
        """What the rule said inside the step may be an answer that is none."""
        try:
            feed.check()
        except BaseException:
            self._fail(time)
            raise

    def _decision(self, time: int) -> Decision:
        log, book = self._workspace.log, b"" if self.books.resting is None else open_orders(self.books).tobytes()
        orders, fills, trades = (kept[:count].tobytes() for kept, count in zip(log.parts, log.counts.tolist(), strict=True))
        return Decision(self._bars - 1, time, self.market, self.session, self._workspace.state(), (orders, fills, trades), book)

    # --- between bars ------------------------------------------------------------------------------------------------

    @property
    def books(self) -> Books:
        """The state itself; StateError before the first bar."""
        if self._books is None:
            raise StateError("the stream has seen no bar yet")
        return self._books

    @property
    def rule_memory(self) -> bytes:
        """What the rule of a strategy that sees the account remembers; empty for any other."""
        return b"" if self._ruled is None else self._ruled.ruling.memory_bytes

    @property
    def log(self) -> Log:
        """Records of the last bar."""
        return self._workspace.log

    def reset(self) -> None:
        """Z3: re-arm halted accounts, with the peak at the equity of now."""
        from ..risk.zones import reset_zone

        for account in self.books.accounts:
            reset_zone(account)

    def close_all(self) -> Decision:
        """T8: close everything at the last marks, with costs; cancel what waits."""
        books, rules = self.books, self._rules
        assert rules is not None
        self._open(books, int(books.used[0]))
        books, log = self.books, self.log
        log.counts[:] = 0
        for g in range(len(books.accounts)):
            close_all(books, g, rules.common, rules.stops, log.block)
        empty_book(books)
        return self._decision(self._last)

    # --- save and restore --------------------------------------------------------------------------------------------

    def _header(self) -> dict[str, Any]:
        strategy = self._strategy
        what = written(strategy) if strategy is not None else self._given.__name__  # type: ignore[union-attr]
        market = json.dumps(self.market.to_dict(), sort_keys=True, default=str)
        return {
            "kind": "stream",
            "schema": STATE_SCHEMA,
            "session": self.session,
            "strategy": what,
            "setup": self.setup.digest(),
            "market": hashlib.sha256(market.encode()).hexdigest()[:16],
        }

    def save(self) -> bytes:
        """Everything needed to go on bit for bit (D3), as bytes; no pickle."""
        books = self._books
        parts = [part.save() if part is not None else b"" for part in (self._atr, self._sigma, self._feed)]
        kind = -1 if self._kind is None else int(self._kind)
        session = np.array([self._bars, self._last, kind], dtype=np.int64)
        state = [b""] * 3 if books is None else [books.accounts.tobytes(), books.assets.tobytes(), open_orders(books).tobytes()]
        actions = b"" if self._actions is None else self._actions.tobytes()
        return pack(self._header(), session, *(_bytes_of(part) for part in (*state, actions, *parts)))

    def restore(self, data: bytes) -> Stream:
        """Go on from what `save` returned; gives itself back.

        Raises
        ------
        StateError
            The bytes are damaged, or of another layout, session, strategy, market or setup.
        """
        session, accounts, assets, orders, actions, *blobs = unpack(data, self._header())
        bars, last, kind = (int(v) for v in session)
        parts = self._parts()  # restored beside the old ones: where one refuses, nothing has changed
        for part, blob in zip(parts, blobs, strict=True):
            if part is not None:
                part.restore(blob.tobytes())
        if kind >= 0:
            self._use(InputKind(kind))
        self._atr, self._sigma, self._feed = parts
        self._connect()
        if self._actions is not None:
            self._actions = actions_state(self.market.N)
            self._actions[:] = actions.view(self._actions.dtype)
        self._bars, self._last, self._failed = bars, last, ""
        if len(accounts):
            assert self._rules is not None
            waiting = orders.view(RESTING)
            books = opened_books(self.setup, self.market, 0, self._rules, BOOK_ROOM + len(waiting) if self._kind == InputKind.ORDERS else 0)
            books.accounts[:] = accounts.view(books.accounts.dtype)
            books.assets[:] = assets.view(books.assets.dtype)
            if books.resting is not None:
                books.resting[: len(waiting)] = waiting
                books.used[0] = len(waiting)
            self._open(books)
        else:
            self._books = None
        return self


def _nothing() -> None:
    """The step of a strategy that has none."""


def _normal(row: Any, market: Market) -> _Said:
    """A row of any kind as flags, values and requests."""
    if isinstance(row, Orders):
        return None, None, row.row(market)
    if isinstance(row, AlignedInputs) and row.orders is not None:
        return None, None, row.orders
    return (*normalize_row(row, market), _NO_REQUESTS)


def _as_read(normal: NormalBar, actions: Actions) -> NormalBar:
    """T9: the bar as strategies read it."""
    prices = np.empty_like(normal.prices)
    prices[:4] = normal.prices[:4] * actions.scale
    prices[4] = normal.prices[4] / actions.scale
    return replace(normal, prices=prices)


def _bytes_of(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype=np.uint8)
