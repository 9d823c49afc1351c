"""Orders against their fills (Z6, F2), fills against their bar (F1, F7, F8)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.codes import OrderStatus, OrderType, Reason, rule_names
from .facts import DONE_AT_ONCE, TOLERANCE, Facts, Finding, Phase, shown

__all__ = ["bar_of_fills", "order_log"]

_FILLED, _PARTIAL, _REJECTED = int(OrderStatus.FILLED), int(OrderStatus.PARTIAL), int(OrderStatus.REJECTED)
_PENDING = int(OrderStatus.PENDING)
_TARGET = int(Reason.TARGET)
_FREE = (int(Reason.SPLIT), int(Reason.DELISTING))


def _where(facts: Facts, bad: NDArray[np.bool_], text: str) -> Iterator[Finding]:
    """A finding for the first fill of each account where `bad` `(F,)` holds; `text` may name `fill` and `symbol`."""
    fills = facts.run.fills
    for g in np.unique(fills["account"][bad]):
        k = int(np.flatnonzero(bad & (fills["account"] == g))[0])
        fill, symbol = fills[k], facts.bars.symbols[fills["asset"][k]]
        yield Finding(int(fill["t"]), int(g), text.format(fill=fill, symbol=symbol))


def bar_of_fills(facts: Facts) -> Iterator[Finding]:
    """F8: a market; F1: a price of the bar, worsened; F7: no more than its volume allows."""
    fills, bars = facts.run.fills, facts.bars
    t, asset, q, price, ref = (fills[name] for name in ("t", "asset", "q", "price", "ref"))
    at_once = np.isin(fills["reason"], DONE_AT_ONCE)
    closed = np.isnan(bars.close[t, asset]) & ~at_once
    yield from _where(facts, closed, "{symbol} was filled on a bar without a market (F8)")
    room = TOLERANCE * np.abs(ref)
    after_entry = at_once
    if facts.of_orders:  # what was opened inside the bar counts from its fill price on (P8)
        after_entry = at_once | ((facts.phase == Phase.INSIDE) & (fills["reason"] != Reason.SIGNAL))
    outside = (ref > bars.high[t, asset] + room) | (ref < bars.low[t, asset] - room)
    yield from _where(facts, outside & ~after_entry, "{symbol} was filled at a reference of {fill.ref:g}, outside the bar (F1)")
    better = (price - ref) * q < -TOLERANCE * np.abs(ref * q)
    yield from _where(facts, better, "{symbol} was filled at {fill.price:g}, better than {fill.ref:g} (F1)")
    slipped = np.abs(q * (price - ref)) * facts.multiplier[asset]
    off = ~(np.abs(slipped - fills["slippage"]) <= TOLERANCE * (np.abs(q * price) + np.abs(q * ref)) * facts.multiplier[asset])
    yield from _where(facts, off, "the slippage of {symbol} is {fill.slippage:g}, not that of its prices (F1)")
    if facts.setup.uses_volume:
        volume = np.nan_to_num(bars.volume)
        yield from _where(facts, (volume[t, asset] <= 0.0) & ~at_once, "{symbol} was filled on a bar without volume (F7)")
        yield from _participation(facts, volume, at_once)


def _participation(facts: Facts, volume: NDArray[np.float64], at_once: NDArray[np.bool_]) -> Iterator[Finding]:
    part, fills = facts.setup.max_participation, facts.run.fills
    if part is None:
        return
    filled = np.zeros((facts.T, facts.N))
    np.add.at(filled, (fills["t"][~at_once], fills["asset"][~at_once]), np.abs(fills["q"][~at_once]))
    over = filled > part * volume * (1.0 + 2 * TOLERANCE)
    for n in np.flatnonzero(over.any(axis=0)):
        t = int(np.argmax(over[:, n]))
        what = f"{facts.bars.symbols[n]} was filled for {filled[t, n]:g} units, {part:g} of the volume is {part * volume[t, n]:g} (F7)"
        yield Finding(t, int(facts.group[n]), what)


def order_log(facts: Facts) -> Iterator[Finding]:
    """Every fill has its order; every order is what its fills make it, and says so (Z6)."""
    run, place = facts.run, facts.order_of
    fills, orders = run.fills, run.orders
    yield from _where(facts, place < 0, "{symbol} has a fill of order {fill.order}, which is not in the log")
    if facts.requests is None:
        yield Finding(facts.T - 1, 0, "the orders in the log are not those that were given (O6)")
    if (place < 0).any() or not len(orders):
        return
    ended = np.where(orders["t_done"] < 0, facts.T, orders["t_done"])
    stranger = (orders["asset"][place] != fills["asset"]) | (orders["reason"][place] != fills["reason"])
    yield from _where(facts, stranger, "a fill of {symbol} belongs to order {fill.order}, which is of another asset or reason")
    late = (fills["t"] < orders["t"][place]) | (fills["t"] > ended[place])
    yield from _where(facts, late, "{symbol} was filled outside the life of order {fill.order}")
    for k, what in _sums(facts, place, ended):
        yield Finding(min(int(ended[k]), facts.T - 1), int(orders["account"][k]), f"order {orders['id'][k]} of {_symbol(facts, k)} {what}")
    for k in np.flatnonzero(_mislabelled(orders)).tolist():
        status, rules = OrderStatus(int(orders["status"][k])).name.lower(), rule_names(int(orders["cut_by"][k])) or "no rule"
        what = f"order {orders['id'][k]} of {_symbol(facts, k)} is {status}, with {orders['filled'][k]:g} filled and {rules} (Z6)"
        yield Finding(min(int(ended[k]), facts.T - 1), int(orders["account"][k]), what)
    yield from _fees(facts, place)


def _symbol(facts: Facts, k: int) -> str:
    return facts.bars.symbols[int(facts.run.orders["asset"][k])]


def _mislabelled(orders: Any) -> NDArray[np.bool_]:
    """Z6: what a status says about fills and rules."""
    status, filled, cut = orders["status"], orders["filled"] != 0.0, orders["cut_by"] != 0
    bad = (status == _FILLED) & (~filled | cut)
    bad |= (status == _PARTIAL) & ~filled
    bad |= (status == _REJECTED) & (filled | ~cut)
    bad |= (status == _PENDING) != (orders["t_done"] < 0)
    done: NDArray[np.bool_] = bad | ((orders["t_done"] >= 0) & (orders["t_done"] < orders["t"]))
    return done


def _sums(facts: Facts, place: NDArray[np.int64], ended: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
    """Quantity, price and commission of each order from its fills; quantities are in units of its end (T1)."""
    fills, orders = facts.run.fills, facts.run.orders
    count, q = len(orders), np.array(fills["q"])
    if facts.scale is not None:
        asset, now = orders["asset"], np.minimum(ended, facts.T - 1)
        q = q * facts.scale[now[place], asset[place]] / facts.scale[fills["t"], fills["asset"]]
    filled = np.bincount(place, weights=q, minlength=count)
    size = np.bincount(place, weights=np.abs(q), minlength=count)
    fees = np.bincount(place, weights=fills["commission"], minlength=count)
    value = np.bincount(place, weights=np.abs(fills["q"]) * fills["price"], minlength=count)
    money = np.bincount(place, weights=np.abs(fills["q"] * fills["price"]), minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        price, scale = value / size, money / size
    unfilled = size == 0.0
    rows: tuple[tuple[str, Any, Any], ...] = (
        ("filled", filled, size),
        ("commission", fees, np.abs(fees) + np.abs(orders["commission"])),
        ("price", price, np.where(unfilled, 0.0, scale)),
    )
    for name, made, doubt in rows:
        off = ~(np.abs(orders[name] - made) <= TOLERANCE * doubt)
        if name == "price":
            off = np.where(unfilled, ~np.isnan(orders["price"]), off)
        for k in np.flatnonzero(off):
            yield int(k), f"has {name} {shown(orders[name][k])}, its fills make it {shown(made[k])}"


def _fees(facts: Facts, place: NDArray[np.int64]) -> Iterator[Finding]:
    """F2: the commission of an order's total so far, each fill at its own rate; each fill books the increase."""
    fills, costs = facts.run.fills, facts.setup.costs
    if facts.requests is None:
        return
    maker = np.isin(facts.requests, (OrderType.LIMIT, OrderType.STOP_LIMIT))[place]
    maker |= (fills["reason"] == _TARGET) & (facts.phase == Phase.INSIDE)  # its rest is a market order (F7)
    rates = np.where(maker, costs.commission_rate if costs.maker_rate is None else costs.maker_rate, costs.commission_rate)
    notional = np.abs(fills["q"] * fills["price"]) * facts.multiplier[fills["asset"]]
    free = np.isin(fills["reason"], _FREE).tolist()
    totals: dict[int, _Total] = {}
    rows = zip(place.tolist(), fills["t"].tolist(), np.abs(fills["q"]).tolist(), notional.tolist(), rates.tolist(), strict=True)
    for k, (order, t, q, money, rate) in enumerate(rows):
        total = totals.setdefault(order, _Total(t))
        total.units = total.units * _ratio(facts, int(fills["asset"][k]), total.t, t) + q
        total.money, total.rated, total.t = total.money + money, total.rated + rate * money, t
        fee = max(costs.per_order + costs.per_unit * total.units + total.rated, costs.minimum)
        if costs.maximum_rate < math.inf:
            fee = min(fee, costs.maximum_rate * total.money)
        wanted = 0.0 if free[k] else max(fee - total.paid, 0.0)
        total.paid += wanted
        booked = float(fills["commission"][k])
        if not abs(booked - wanted) <= TOLERANCE * (fee + total.paid):
            what = f"the commission of {facts.bars.symbols[fills['asset'][k]]} is {shown(booked)}, costs make it {shown(wanted)} (F2)"
            yield Finding(t, int(fills["account"][k]), what)
            return


@dataclass
class _Total:
    """An order so far."""

    t: int
    units: float = 0.0
    money: float = 0.0
    rated: float = 0.0  # money times rate
    paid: float = 0.0


def _ratio(facts: Facts, n: int, earlier: int, now: int) -> float:
    """Units of today for one of an earlier bar."""
    return 1.0 if facts.scale is None or earlier == now else float(facts.scale[now, n] / facts.scale[earlier, n])
