"""What a bar brought, as a stream returns it."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from .._typing import ArrayN, Records
from ..core.codes import OrderStatus
from ..data.labels import label_text
from ..data.market import Market
from ..execution.orders import RESTING
from .books import ACCOUNT, ASSET
from .log import FILL, ORDER, TRADE

__all__ = ["Decision", "order_id", "pending_orders"]

_NO_LOG = (b"", b"", b"")
_NUMBER = struct.Struct("=d")


def order_id(session: str, time: int, symbol: str, counter: int) -> str:
    """The deterministic id of an order: session, bar label (ns UTC), asset and the account's counter."""
    return f"{session}-{time}-{symbol}-{counter}"


def pending_orders(assets: Records, book: Records) -> Records:
    """The orders that still wait, in the records of assets and in the book, as order records with status PENDING."""
    own: Records = assets[assets.order_active == 1]
    out: Records = np.zeros(len(own) + len(book), dtype=ORDER).view(np.recarray)
    parts: list[tuple[Any, Records]] = [(out[: len(own)], own), (out[len(own) :], book)]
    for part, waiting in parts:
        part.asset, part.account = waiting.n, waiting.g
        for name in ("id", "t", "close_q", "open_q", "wanted", "reason", "cut_by", "priority"):
            part[name] = waiting[f"order_{name}"]
        part.open_q[waiting.order_cash != 0.0] = np.nan
        done = waiting.order_done
        part.filled, part.commission = waiting.order_side * done, waiting.order_paid
        part.price = np.divide(waiting.order_value, done, out=np.full(len(done), np.nan), where=done > 0.0)
    out.t_done, out.status = -1, int(OrderStatus.PENDING)
    return out


class Decision:
    """What one bar brought. It keeps the bytes of the records and makes arrays of them when asked, so that a bar stays cheap.

    Nothing in it can be set or changed.
    """

    __slots__ = ("__weakref__", "_book", "_log", "_market", "_session", "_shown", "_state", "_t", "_time")

    def __init__(
        self,
        t: int,
        time: int,
        market: Market,
        session: str,
        state: bytes,
        log: tuple[bytes, bytes, bytes] = _NO_LOG,
        book: bytes = b"",
    ) -> None:
        """`state` are the records of accounts and then of assets, `log` orders, fills and trades, `book` the orders that wait in it."""
        self._t = t
        self._time = time
        self._market = market
        self._session = session
        self._state = state
        self._log = log
        self._book = book
        self._shown: dict[str, Records] | None = None

    def __repr__(self) -> str:
        return f"Decision(t={self.t}, time={label_text(self.time)!r}, session={self.session!r}, symbols={self.market.symbols!r})"

    @property
    def t(self) -> int:
        """Number of the bar in this session."""
        return self._t

    @property
    def time(self) -> int:
        """Label of the bar, ns UTC."""
        return self._time

    @property
    def market(self) -> Market:
        """Symbols and what is known of them."""
        return self._market

    @property
    def session(self) -> str:
        """Name of the session."""
        return self._session

    def _records(self, name: str, data: bytes, dtype: np.dtype[Any], count: int = -1, offset: int = 0) -> Records:
        """The same array whenever it is asked for, read-only."""
        shown = self._shown
        if shown is None:
            shown = self._shown = {}
        if name not in shown:
            shown[name] = np.frombuffer(data, dtype, count, offset).view(np.recarray)
        return shown[name]

    @property
    def orders(self) -> Records:
        """Orders settled in this bar, see `engine.log`; `t` counts bars of the session."""
        return self._records("orders", self._log[0], ORDER)

    @property
    def fills(self) -> Records:
        """Fills of this bar."""
        return self._records("fills", self._log[1], FILL)

    @property
    def trades(self) -> Records:
        """Trades that ended in this bar."""
        return self._records("trades", self._log[2], TRADE)

    def _bytes_of_accounts(self) -> int:
        return len(self._state) - self._market.N * ASSET.itemsize

    @property
    def accounts(self) -> Records:
        """The accounts after the bar, (G,)."""
        return self._records("accounts", self._state, ACCOUNT, self._bytes_of_accounts() // ACCOUNT.itemsize)

    @property
    def assets(self) -> Records:
        """All that is known of each asset after the bar, (N,); see `engine.books`.

        `mark` is the last valid close. Open, high, low, close and volume are those of the last bar that had to do with more than its end:
        in bars that only mark what is held they are not copied here.
        """
        return self._records("assets", self._state, ASSET, self._market.N, self._bytes_of_accounts())

    @property
    def book(self) -> Records:
        """The orders in the book after the bar (section O); see `execution.orders`."""
        return self._records("book", self._book, RESTING)

    @property
    def queued(self) -> Records:
        """Orders that wait for the next market, status PENDING."""
        return pending_orders(self.assets, self.book)

    def _of_account(self, name: str) -> float | ArrayN:
        if self._bytes_of_accounts() == ACCOUNT.itemsize:
            value: float = _NUMBER.unpack_from(self._state, _PLACES[name])[0]
            return value
        return np.array(self.accounts[name])

    @property
    def equity(self) -> float | ArrayN:
        """Money at this close; (G,) with separate accounts."""
        return self._of_account("equity")

    @property
    def cash(self) -> float | ArrayN:
        """Money; (G,) with separate accounts."""
        return self._of_account("cash")

    @property
    def zone(self) -> int | Any:
        """Drawdown zone (Z1), 0 when zones are off; (G,) with separate accounts."""
        zones = np.array(self.accounts.zone)
        return int(zones[0]) if len(zones) == 1 else zones

    @property
    def positions(self) -> ArrayN:
        """Signed units, (N,)."""
        return np.array(self.assets.q)

    @property
    def stops(self) -> ArrayN:
        """Levels that protect in the next bar (D5), (N,); NaN: none."""
        return np.array(self.assets.stop)

    @property
    def targets(self) -> ArrayN:
        """Take-profit levels in the next bar, (N,); NaN: none."""
        return np.array(self.assets.target)

    def order_ids(self) -> list[str]:
        """Deterministic ids of the queued orders; the same in every driver. Orders of this bar carry its label."""
        return [order_id(self.session, self.time, self.market.symbols[o.asset], int(o.id)) for o in self.queued if o.t == self.t]


_PLACES = {name: place for name, (_, place, *_) in (ACCOUNT.fields or {}).items()}
"""Where the fields of an account begin, in bytes."""
