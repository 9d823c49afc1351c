"""`ExecutionRulesConfig`: wanted trades become orders, or are cut or refused with a reason, before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.orders_input import Order, Orders
from ..errors import ConfigError, InputError, nearest

__all__ = ["ExecutionPlan", "ExecutionRulesConfig", "RuleNote"]

_TYPES = ("market", "limit")
_TIFS = ("gtc", "day", "ioc", "fok")


@dataclass(frozen=True)
class RuleNote:
    """What a rule did to a wanted trade: `ordered` is what is left of `wanted`, 0 where it was refused. Both are signed."""

    symbol: str
    wanted: float
    ordered: float
    rule: str
    why: str

    def __str__(self) -> str:
        what = "refused" if self.ordered == 0.0 else f"cut to {self.ordered:g}"
        return f"{self.symbol} {self.wanted:+g}: {what}, {self.why}"


@dataclass(frozen=True)
class ExecutionPlan:
    """The orders of one bar, and what was cut or refused on the way."""

    orders: tuple[Order, ...]
    notes: tuple[RuleNote, ...]

    def row(self) -> Orders:
        """The orders as a row for `Stream.update`."""
        return Orders(list(self.orders))

    @property
    def refused(self) -> tuple[str, ...]:
        """Symbols of which nothing was ordered."""
        return tuple(note.symbol for note in self.notes if note.ordered == 0.0)


@dataclass(frozen=True)
class ExecutionRulesConfig:
    """How wanted trades become orders. Fractions throughout: 0.01 is 1 %.

    Parameters
    ----------
    default_order_type : {"LIMIT", "MARKET"}
        Small letters are as good. A limit order's price is the current one, worse by `max_slippage`.
    time_in_force : {"DAY", "GTC", "IOC", "FOK"}
    price_threshold : float or None
        A trade is refused when its price has run away from the one it was decided at by more than this.
    market_impact_limit : float or None
        Most impact, as a fraction of the price, that a trade may be modelled to have: `impact*sigma*sqrt(quantity/volume)`, the
        volume share of `Costs` (F1). A larger one is cut to it.
    max_slippage : float
        How much worse than the current price a limit order may fill.
    min_fill : float
        Least part of a trade worth doing: one that would be cut to less is refused. (What the market then fills is F7's.)
    impact : float
        The model's factor, `volume_share` of `Costs`.

    Notes
    -----
    A trade that only reduces what is held is neither cut nor refused: a rule must not keep anyone in a position.
    """

    default_order_type: str = "LIMIT"
    time_in_force: str = "DAY"
    price_threshold: float | None = 0.01
    market_impact_limit: float | None = 0.005
    max_slippage: float = 0.001
    min_fill: float = 0.8
    impact: float = 1.0

    def __post_init__(self) -> None:
        for name, known in (("default_order_type", _TYPES), ("time_in_force", _TIFS)):
            value = getattr(self, name)
            if not isinstance(value, str) or value.lower() not in known:
                hint = nearest(str(value).lower(), known)
                raise ConfigError(f"ExecutionRulesConfig.{name} is {value!r}; expected one of {', '.join(known)} ({hint})")
        for name in ("price_threshold", "market_impact_limit", "max_slippage", "min_fill", "impact"):
            value = getattr(self, name)
            if value is None and name in ("price_threshold", "market_impact_limit"):
                continue
            least = 0.0 if name == "max_slippage" else math.ulp(0.0)
            most = {"min_fill": 1.0, "impact": math.inf}.get(name, math.nextafter(1.0, 0.0))
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most or math.isinf(value):
                raise ConfigError(f"ExecutionRulesConfig.{name} is {value!r}; expected a fraction: 1 % is 0.01")

    def apply(
        self,
        trades: Mapping[str, float] | Iterable[Any],
        prices: Mapping[str, float],
        *,
        decided_at: Mapping[str, float] | None = None,
        volumes: Mapping[str, float] | None = None,
        volatility: Mapping[str, float] | None = None,
        holdings: Mapping[str, float] | None = None,
    ) -> ExecutionPlan:
        """Orders for wanted trades.

        Parameters
        ----------
        trades : mapping symbol -> signed quantity, or trades
            A trade is (symbol, signed quantity), or an object with `symbol`, `quantity` and perhaps `type` "BUY" or "SELL".
        prices : mapping
            Current price of each symbol.
        decided_at : mapping, optional
            The price each trade was decided at; without it nothing has run away.
        volumes, volatility : mapping, optional
            Volume of a bar, and standard deviation of its return. With an impact limit, a trade that lacks one of them is
            refused: an impact that is not known is not small.
        holdings : mapping, optional
            Signed quantities held now, so that reductions are known as such.
        """
        orders, notes = [], []
        for symbol, wanted in _wanted(trades):
            price = _known(prices, symbol, "prices")
            held = (holdings or {}).get(symbol, 0.0)
            note = None
            if not (wanted * held < 0.0 and abs(wanted) <= abs(held)):
                note = self._ran_away(symbol, wanted, price, decided_at) or self._moves(symbol, wanted, volumes, volatility)
            ordered = wanted if note is None else note.ordered
            if note is not None:
                notes.append(note)
            if ordered != 0.0:
                orders.append(self._order(symbol, ordered, price))
        return ExecutionPlan(tuple(orders), tuple(notes))

    def _order(self, symbol: str, quantity: float, price: float) -> Order:
        side = 1.0 if quantity > 0.0 else -1.0
        kind, tif = self.default_order_type.lower(), self.time_in_force.lower()
        limit = price + side * self.max_slippage * abs(price) if kind == "limit" else None
        return Order(quantity=quantity, symbol=symbol, type=kind, limit=limit, tif=tif)

    def _ran_away(self, symbol: str, wanted: float, price: float, decided_at: Mapping[str, float] | None) -> RuleNote | None:
        if self.price_threshold is None or decided_at is None:
            return None
        before = _known(decided_at, symbol, "decided_at")
        run = (price - before) / abs(before) * (1.0 if wanted > 0.0 else -1.0)
        if run <= self.price_threshold:
            return None
        why = f"the price has run from {before:g} to {price:g}, {run:.2%} against it; at most {self.price_threshold:.2%} (price_threshold)"
        return RuleNote(symbol, wanted, 0.0, "price_threshold", why)

    def _moves(
        self, symbol: str, wanted: float, volumes: Mapping[str, float] | None, volatility: Mapping[str, float] | None
    ) -> RuleNote | None:
        limit = self.market_impact_limit
        if limit is None:
            return None
        volume, sigma = (volumes or {}).get(symbol, math.nan), (volatility or {}).get(symbol, math.nan)
        if not volume > 0.0 or not sigma >= 0.0:
            why = "its impact is not known: give volumes and volatility of it, or market_impact_limit=None"
            return RuleNote(symbol, wanted, 0.0, "market_impact_limit", why)
        impact = self.impact * sigma * math.sqrt(abs(wanted) / volume)
        if impact <= limit:
            return None
        most = volume * (limit / (self.impact * sigma)) ** 2
        said = f"its impact would be {impact:.2%}, at most {limit:.2%} (market_impact_limit)"
        if most < self.min_fill * abs(wanted):
            said += f"; {most:g} would be left, less than {self.min_fill:.0%} of it (min_fill)"
            return RuleNote(symbol, wanted, 0.0, "min_fill", said)
        return RuleNote(symbol, wanted, math.copysign(most, wanted), "market_impact_limit", said)


def _known(table: Mapping[str, float], symbol: str, name: str) -> float:
    if symbol not in table:
        raise InputError(f"{name} has no {symbol!r}, which is to be traded; {nearest(symbol, table)}")
    value = table[symbol]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value == 0.0:
        raise InputError(f"{name}[{symbol!r}] is {value!r}; expected a price")
    return float(value)


def _wanted(trades: Any) -> list[tuple[str, float]]:
    """(symbol, signed quantity) of every trade."""
    found = []
    given: Iterable[Any] = trades.items() if isinstance(trades, Mapping) else trades
    for trade in given:
        if hasattr(trade, "symbol") and hasattr(trade, "quantity"):
            kind = str(getattr(trade, "type", "BUY")).upper()
            if kind not in ("BUY", "SELL"):
                raise InputError(f"a trade in {trade.symbol} has type {kind!r}; expected 'BUY' or 'SELL'")
            symbol, quantity = trade.symbol, -trade.quantity if kind == "SELL" else trade.quantity
        else:
            symbol, quantity = trade
        if isinstance(quantity, bool) or not isinstance(quantity, int | float) or not math.isfinite(quantity):
            raise InputError(f"the trade in {symbol} is {quantity!r}; expected a signed quantity")
        found.append((str(symbol), float(quantity)))
    return found
