"""What a bar brought, as a stream returns it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._typing import ArrayN, Records
from ..core.codes import OrderStatus
from ..data.market import Market
from ..execution.orders import RESTING
from .books import ACCOUNT, ASSET
from .log import FILL, ORDER, TRADE

__all__ = ["Decision", "order_id", "pending_orders"]


def order_id(session: str, time: int, symbol: str, counter: int) -> str:
    """The deterministic id of an order: session, bar label (ns UTC), asset and the account's counter."""
    return f"{session}-{time}-{symbol}-{counter}"


def pending_orders(assets: Records, book: Records) -> Records:
    """The orders that still wait, in the records of assets and in the book, as order records with status PENDING."""
    own = assets[assets.order_active == 1]
    out = np.zeros(len(own) + len(book), dtype=ORDER).view(np.recarray)
    for part, waiting in ((out[: len(own)], own), (out[len(own) :], book)):
        part.asset, part.account = waiting.n, waiting.g
        for name in ("id", "t", "close_q", "open_q", "wanted", "reason", "cut_by", "priority"):
            part[name] = waiting[f"order_{name}"]
        part.open_q[waiting.order_cash != 0.0] = np.nan
        done = waiting.order_done
        part.filled, part.commission = waiting.order_side * done, waiting.order_paid
        part.price = np.divide(waiting.order_value, done, out=np.full(len(done), np.nan), where=done > 0.0)
    out.t_done, out.status = -1, int(OrderStatus.PENDING)
    return out


def _decoded(data: bytes, dtype: np.dtype[Any]) -> Records:
    return np.frombuffer(data, dtype=dtype).view(np.recarray)


@dataclass(frozen=True, eq=False)
class Decision:
    """What one bar brought. It keeps the bytes of the records and makes arrays of them when asked, so that a bar stays cheap.

    Attributes
    ----------
    t, time : int
        Number of the bar in this session, and its label (ns UTC).
    market : Market
    session : str
    """

    t: int
    time: int
    market: Market
    session: str
    _orders: bytes
    _fills: bytes
    _trades: bytes
    _accounts: bytes
    _assets: bytes
    _book: bytes = b""

    @cached_property
    def orders(self) -> Records:
        """Orders settled in this bar, see `engine.log`; `t` counts bars of the session."""
        return _decoded(self._orders, ORDER)

    @cached_property
    def fills(self) -> Records:
        """Fills of this bar."""
        return _decoded(self._fills, FILL)

    @cached_property
    def trades(self) -> Records:
        """Trades that ended in this bar."""
        return _decoded(self._trades, TRADE)

    @cached_property
    def accounts(self) -> Records:
        """The accounts after the bar, (G,)."""
        return _decoded(self._accounts, ACCOUNT)

    @cached_property
    def assets(self) -> Records:
        """All that is known of each asset after the bar, (N,); see `engine.books`."""
        return _decoded(self._assets, ASSET)

    @cached_property
    def book(self) -> Records:
        """The orders in the book after the bar (section O); see `execution.orders`."""
        return _decoded(self._book, RESTING)

    @cached_property
    def queued(self) -> Records:
        """Orders that wait for the next market, status PENDING."""
        return pending_orders(self.assets, self.book)

    def _of_account(self, name: str) -> float | ArrayN:
        values: ArrayN = np.array(self.accounts[name])
        return float(values[0]) if len(values) == 1 else values

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
