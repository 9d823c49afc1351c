"""Rows of orders for the rule tests, written for a long and mirrored around 100 for a short (see `sides`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import vecbt as vb
from tests.rules.helpers import Given, Outcome, run
from tests.rules.sides import at, sided, sign
from vecbt import Cancel, Order, Orders

__all__ = ["Cancel", "buy", "ends", "fills", "rows", "sell", "time_of", "trade_on"]

_PRICES = ("limit", "stop", "stop_loss", "take_profit")


def buy(q: float = 1.0, type: str = "market", **options: Any) -> Order:
    """A purchase of asset "A", unless `symbol` says otherwise."""
    return Order(**{"symbol": "A", "quantity": float(q), "type": type, **options})


def sell(q: float = 1.0, type: str = "market", **options: Any) -> Order:
    """A sale of so many units."""
    return buy(-q, type, **options)


def time_of(bars: vb.Bars, t: int) -> np.datetime64:
    """The label of a bar."""
    return np.datetime64(int(bars.index[t]), "ns")


def _turned(item: Any) -> Any:
    if isinstance(item, Cancel):
        return item
    prices = {name: 200 - getattr(item, name) for name in _PRICES if getattr(item, name) is not None}
    return replace(item, quantity=-item.quantity, **prices)


def rows(given: Mapping[int, Sequence[Any]], side: str = "long") -> Given:
    """Orders by bar; for a short, bought is sold and prices are mirrored."""
    turn = _turned if side == "short" else lambda item: item
    return lambda bars: Orders({time_of(bars, t): [turn(item) for item in items] for t, items in given.items()})


def trade_on(
    side: str, prices: Sequence[Any], given: Mapping[int, Sequence[Any]], *, tick: float = 0.0, lot: float = 0.0, **rules: Any
) -> Outcome:
    """A run of one asset on this side; `rules` are keywords of `backtest`."""
    return run(sided(side, prices, tick=tick, lot=lot), rows(given, side), **rules)


def fills(side: str, out: Outcome, asset: str = "A") -> list[tuple[int, float, float]]:
    """Bar, quantity and price of each fill, as a long's."""
    return [(t, q * sign(side), at(side, price)) for t, q, price in out.filled(asset)]


def ends(out: Outcome) -> list[tuple[str, str, int]]:
    """Status, rules and last bar of the orders given by rows, in the order they were given."""
    named = sorted(zip(out.raw.orders["id"].tolist(), out.orders, strict=True))
    return [(o.status, o.cut_by, o.done) for _, o in named if o.reason == "signal"]
