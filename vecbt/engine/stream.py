"""The bar-by-bar driver: the same compiled step as the batch, one bar at a time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from .._typing import Records
from ..core.codes import InputKind
from ..core.state import plain, records
from ..data.bar import Bar, NormalBar
from ..data.calendar import session_days
from ..data.corporate import Actions, actions_of, actions_state
from ..data.labels import label_text
from ..data.market import Market
from ..errors import ConfigError, DataError, InputError, StateError
from ..execution.orders import RESTING
from ..indicators.save import pack, unpack
from ..indicators.volatility import AtrStream, SigmaStream
from .bar import close_all, step_bar
from .batch import BOOK_ROOM, check_events, check_levels, opened_books
from .books import ASSET, STATE_SCHEMA, Books, empty_book, open_orders, with_room
from .decision import Decision
from .inputs import AlignedInputs, Quantities, Signals, Strengths, Weights, normalize_row
from .keywords import Keywords, explicit
from .log import FILLS_PER_BAR, ORDERS_PER_BAR, RECORDS_PER_ORDER, Log, make_log
from .orders_input import Orders, flow_labels
from .setup import Rules, Setup
from .strategy import Feed, as_strategy
from .taking import REQUEST

__all__ = ["Stream"]

_INPUT_TYPES = (Signals, Strengths, Weights, Quantities, Orders)
_NO_REQUESTS = records(REQUEST, 0)


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
        self._atr, self._sigma, self._feed = self._parts()
        self._kind: InputKind | None = None
        self._rules: Rules | None = None
        self._books: Books | None = None
        self._actions = actions_state(assets) if market.events else None
        self._flows = flow_labels(self.setup.flows, market) if self.setup.flows else None
        self._make_log(0)
        self._bars, self._last = 0, -(2**63)
        self._failed = ""
        if self._given is not None:
            self._use(self._given.kind)

    def _make_log(self, orders_in_book: int) -> None:
        """Room for the records of one bar."""
        assets, extra = len(self.market.symbols), RECORDS_PER_ORDER * orders_in_book
        self._log = make_log(ORDERS_PER_BAR * assets + extra, FILLS_PER_BAR * assets + extra, FILLS_PER_BAR * assets + extra)
        orders, fills, trades, scratch, counts = self._log
        self._step_log = Log(plain(orders), plain(fills), plain(trades), plain(scratch), counts)
        self._log_room = orders_in_book

    def _parts(self) -> tuple[AtrStream | None, SigmaStream | None, Feed | None]:
        """What remembers something beside the books, new."""
        stops, assets = self.setup.stops, len(self.market.symbols)
        atr = AtrStream(assets, stops.atr_window) if stops is not None and stops.needs_atr else None
        sigma = SigmaStream(assets, self.setup.sigma_window) if self.setup.sigma_window is not None else None
        return atr, sigma, None if self._strategy is None else self._strategy.feed(self.market)

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
        normal = self._admit(bar)
        said = self._row(row) if self._feed is None else _SILENT
        if self._feed is not None and row is not None:
            raise InputError("row is given, but this stream has a strategy that decides; leave row out")
        actions = self._book_actions(normal)
        read = normal if actions is None else _as_read(normal, actions)
        if self._feed is not None:
            said = self._ask_strategy(read)
        flags, values, requests = said
        books = self._opened(normal)
        self._write(normal, read, flags, values)
        if actions is not None:
            self._write_actions(normal, actions)
        self._log.counts[:] = 0
        if self._kind == InputKind.ORDERS:
            books = self._take_in(requests)
            step_bar(self._step, self._step_rules, plain(requests), len(requests), self._step_log)
        else:
            step_bar(self._step, self._step_rules, None, 0, self._step_log)
        self._bars += 1
        self._last = normal.time
        return self._decision(books, normal.time)

    def _admit(self, bar: Bar | NormalBar) -> NormalBar:
        """The bar past the door, or an error that changes nothing."""
        if self._failed:
            raise StateError(f"the strategy failed at {self._failed}; make a new Stream and restore the last save")
        if not isinstance(bar, Bar | NormalBar):
            raise DataError(f"bar is {type(bar).__name__}; expected a Bar(time, open, high, low, close, volume)")
        normal = bar.normalized(self.market) if isinstance(bar, Bar) else bar
        if normal.time <= self._last:
            raise DataError(f"bar {label_text(normal.time)} is not later than the last one, {label_text(self._last)}")
        for name in ("splits", "dividends", "funding"):
            value = getattr(normal, name)
            if value is not None and not self.market.events and not bool(np.all(np.isnan(value) | (value == 0.0))):
                raise DataError(f"bar {label_text(normal.time)} carries {name}, but its market says events=False; give Market(events=True)")
        check_events(self.market, normal.funding)
        check_levels(self.setup, self.market, normal.low, lambda _: label_text(normal.time))
        if self.setup.uses_volume and bool(np.any(np.isnan(normal.volume) & ~np.isnan(normal.close))):
            raise DataError(f"bar {label_text(normal.time)} has no volume, but volume_share or max_participation use it")
        return normal

    def _row(self, row: Any) -> tuple[Any, Any, Records]:
        """What the user's row says: flags, values, requests."""
        if row is None:
            return _SILENT
        if not isinstance(row, self._given):  # type: ignore[arg-type]
            raise InputError(f"row is {type(row).__name__}; this stream was made for {self._given.__name__}")  # type: ignore[union-attr]
        return _normal(row, self.market)

    def _ask_strategy(self, normal: NormalBar) -> Any:
        assert self._feed is not None
        try:
            answer = self._feed.update(normal)
            said = _normal(answer, self.market)
            self._use(answer.kind)
        except BaseException:
            self._failed = label_text(normal.time)
            raise
        return said

    def _use(self, kind: InputKind) -> None:
        """The first row says what kind of input the rules are for."""
        if self._kind is None:
            self.setup.for_inputs(kind)
            self._kind, self._rules = kind, self.setup.rules(kind, self.market)
            self._step_rules = Rules(*(None if rule is None else plain(rule) for rule in self._rules))  # type: ignore[arg-type]
        elif kind != self._kind:
            raise InputError(f"the strategy gave {kind.name.lower()} after {self._kind.name.lower()}; a strategy gives one kind")

    def _opened(self, normal: NormalBar) -> Books:
        assert self._rules is not None
        day = int(session_days(np.array([normal.time], dtype=np.int64), self.market)[0])
        if self._books is None:
            room = BOOK_ROOM if self._kind == InputKind.ORDERS else 0
            self._open(opened_books(self.setup, self.market, day, self._rules, room))
        assert self._books is not None
        self._days[:] = day
        self._times[:] = normal.time
        if self._flows is not None:
            labels, amounts = self._flows
            self._books.accounts.flow[:] = sum(amounts[(labels > self._last) & (labels <= normal.time)].tolist())
        return self._books

    def _take_in(self, requests: Records) -> Books:
        """Room for this bar's orders in the book and in the log."""
        books = self._books
        assert books is not None and books.resting is not None
        wanted = int(books.used[0]) + len(requests)
        if wanted >= len(books.resting):
            books = with_room(books, len(requests))
            self._open(books)
        if wanted > self._log_room:
            self._make_log(2 * wanted)
        return books

    def _book_actions(self, normal: NormalBar) -> Actions | None:
        """Splits and dividends that this bar books (T1), and the factor of prices (T9)."""
        if self._actions is None:
            return None
        gone = np.zeros(self.market.N, dtype=bool) if normal.delisted is None else ~np.isnan(normal.delisted)
        return actions_of(self._actions, normal.close, gone, normal.splits, normal.dividends)

    def _open(self, books: Books) -> None:
        """Keep the books and plain views of what each bar writes: going through the records costs ten times as much."""
        self._books = books
        bare = books.assets.view(np.ndarray)
        resting = None if books.resting is None else plain(books.resting)
        self._step = Books(plain(books.accounts), plain(books.assets), books.spans, resting, books.used)
        self._days, self._times = (books.accounts.view(np.ndarray)[name] for name in ("day", "time"))
        self._fields = {name: bare[name] for name in ("bar_atr", "bar_sigma", "signal", "value", "delists", "haircut", "split", "dividend", "funding")}
        first = ASSET.fields["open"][1]  # type: ignore[index]
        self._prices = np.ndarray((5, len(bare)), np.float64, books.assets.data, first, (8, ASSET.itemsize))

    def _write(self, normal: NormalBar, read: NormalBar, flags: Any, values: Any) -> None:
        """The bar's numbers into the records, as the batch loads them from its matrices; `read` is the bar as strategies read it."""
        fields = self._fields
        self._prices[:] = normal.prices
        gone = normal.delisted
        fields["delists"][:] = 0 if gone is None else ~np.isnan(gone)
        fields["haircut"][:] = 0.0 if gone is None else np.where(np.isnan(gone), 0.0, gone)
        if self._atr is not None:
            fields["bar_atr"][:] = self._atr.update(read.high, read.low, read.close)
        if self._sigma is not None:
            fields["bar_sigma"][:] = self._sigma.update(read.open, read.close)
        if self._kind == InputKind.SIGNALS:
            fields["signal"][:] = 0 if flags is None else flags
        elif self._kind != InputKind.ORDERS:
            fields["value"][:] = np.nan if values is None else values

    def _write_actions(self, normal: NormalBar, actions: Actions) -> None:
        fields = self._fields
        fields["split"][:], fields["dividend"][:] = actions.split, actions.dividend
        fields["funding"][:] = 0.0 if normal.funding is None else np.where(np.isnan(normal.funding), 0.0, normal.funding)
        if self._atr is not None:
            fields["bar_atr"][:] /= actions.scale

    def _decision(self, books: Books, time: int) -> Decision:
        counts = self._log.counts.tolist()
        orders, fills, trades = (kept[:count].tobytes() if count else b"" for kept, count in zip(self._log[:3], counts, strict=True))
        state = books.accounts.tobytes(), books.assets.tobytes(), b"" if books.resting is None else open_orders(books).tobytes()
        return Decision(self._bars - 1, time, self.market, self.session, orders, fills, trades, *state)

    # --- between bars ------------------------------------------------------------------------------------------------

    @property
    def books(self) -> Books:
        """The state itself; StateError before the first bar."""
        if self._books is None:
            raise StateError("the stream has seen no bar yet")
        return self._books

    @property
    def log(self) -> Log:
        """Records of the last bar."""
        return self._log

    def reset(self) -> None:
        """Z3: re-arm halted accounts, with the peak at the equity of now."""
        from ..risk.zones import reset_zone

        for account in self.books.accounts:
            reset_zone(account)

    def close_all(self) -> Decision:
        """T8: close everything at the last marks, with costs; cancel what waits."""
        books, rules = self.books, self._rules
        assert rules is not None
        if int(books.used[0]) > self._log_room:
            self._make_log(int(books.used[0]))
        self._log.counts[:] = 0
        for g in range(len(books.accounts)):
            close_all(books, g, rules.common, rules.stops, self._log)
        empty_book(books)
        return self._decision(books, self._last)

    # --- save and restore --------------------------------------------------------------------------------------------

    def _header(self) -> dict[str, Any]:
        strategy = self._strategy
        what = self._given.__name__ if self._given is not None else f"{strategy.name} {strategy.parameters!r}"  # type: ignore[union-attr]
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


_SILENT: tuple[Any, Any, Records] = (None, None, _NO_REQUESTS)


def _normal(row: Any, market: Market) -> tuple[Any, Any, Records]:
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
