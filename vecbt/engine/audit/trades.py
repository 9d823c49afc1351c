"""Trades and what still runs against the fills (M4, F9); all of it together against the accounts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..._typing import ArrayN
from .facts import TOLERANCE, Facts, Finding, first_off, shown
from .ledger import RoundTrip
from .money import Money

__all__ = ["final_state", "positions_held", "trade_log"]

_WORDS = ("side", "entry_t", "exit_t", "account", "reason")
_MONEY = ("gross", "commission", "carry", "dividends", "pnl")


def _charge(trade: RoundTrip, money: Money, n: int) -> None:
    """Carry and dividends of the bars after its entry, up to its exit."""
    last = trade.exit_t + 1 if trade.exit_t >= 0 else money.facts.T
    trade.carry = float(money.carry[trade.entry_t + 1 : last, n].sum())
    trade.dividends = float(money.dividends[trade.entry_t + 1 : last, n].sum())


def _differs(made: RoundTrip, trade: Any, charged: float, multiplier: float) -> tuple[str, Any]:
    """The first number that is not the logged one, by name, with what it should be; an empty name when all are right."""
    for name in _WORDS:
        if getattr(made, name) != trade[name]:
            return name, getattr(made, name)
    # digits are lost where a position far larger than this one was summed up before
    lost = 1.0 + 1e-4 * made.largest / made.quantity
    money = lost * (made.turned_over + made.commission + charged)
    price = lost * (abs(made.entry_price) + abs(made.exit_price) + made.turned_over / made.quantity / multiplier)
    scales = {"quantity": lost * made.quantity, "entry_price": price, "exit_price": price}
    for name in ("quantity", "entry_price", "exit_price", *_MONEY):
        if not abs(getattr(made, name) - trade[name]) <= TOLERANCE * scales.get(name, money):
            return name, getattr(made, name)
    stop = float(trade["stop"])
    risk = made.first_q * multiplier * abs(made.first_price - stop * made.ratio)  # splits have divided the stop since (M7)
    doubt = TOLERANCE * lost * multiplier * made.first_q * (abs(made.first_price) + abs(stop * made.ratio))
    if math.isnan(stop) != math.isnan(trade["initial_risk"]) or abs(risk - trade["initial_risk"]) > doubt:
        return "initial_risk", risk
    return "", None


def _excursions(facts: Facts, n: int, made: RoundTrip, trade: Any) -> tuple[str, Any]:
    """M7: excursions reach at least as far as the fills, and no further than the bars; the name of one that does not."""
    entry, bars = made.entry_price, slice(max(made.entry_t, 0), made.exit_t + 1)
    scale = 1.0 if facts.scale is None else facts.scale[bars, n] / facts.scale[made.exit_t, n]
    low = min(made.least, float(np.fmin.reduce(facts.bars.low[bars, n] * scale, initial=math.inf)))
    high = max(made.most, float(np.fmax.reduce(facts.bars.high[bars, n] * scale, initial=-math.inf)))
    ways = {"mae": (entry - made.least, entry - low), "mfe": (made.most - entry, high - entry)}
    if made.side < 0:
        ways = {"mae": (made.most - entry, high - entry), "mfe": (entry - made.least, entry - low)}
    if entry == 0.0:
        return next(((name, math.nan) for name in ways if not math.isnan(trade[name])), ("", None))
    slack = TOLERANCE * (abs(low) + abs(high) + abs(entry)) * (1.0 + 1e-4 * made.largest / made.quantity)
    for name, (least, most) in ways.items():
        reached = float(trade[name]) * abs(entry)
        if not max(least, 0.0) - slack <= reached <= max(most, 0.0) + slack:
            return name, max(least, 0.0) / abs(entry) if reached < most else max(most, 0.0) / abs(entry)
    return "", None


def trade_log(money: Money) -> Iterator[Finding]:
    """Each closed trade against the fills of its asset, in order."""
    facts = money.facts
    run, group = facts.run, facts.group
    for n, symbol in enumerate(run.bars.symbols):
        found = money.ledger.trades[n]
        logged = run.trades[run.trades["asset"] == n]
        if len(found) != len(logged):
            yield Finding(facts.T - 1, int(group[n]), f"{symbol} has {len(logged)} trades in the log, its fills make {len(found)}")
            continue
        charged = float(np.abs(money.carry[:, n]).sum() + np.abs(money.dividends[:, n]).sum())
        for trade, made in zip(logged, found, strict=True):
            _charge(made, money, n)
            wrong, worked_out = _differs(made, trade, charged, float(facts.multiplier[n]))
            if not wrong:
                wrong, worked_out = _excursions(facts, n, made, trade)
            if wrong:
                what = f"the trade of {symbol} that ends here has {wrong} {shown(trade[wrong])}, its fills make it {shown(worked_out)}"
                yield Finding(made.exit_t, int(group[n]), what)


def positions_held(money: Money) -> Iterator[Finding]:
    """What each asset holds after the last bar, and the trade that runs."""
    facts, ledger = money.facts, money.ledger
    assets, last = facts.run.assets, facts.T - 1
    traded = np.zeros(facts.N)
    np.add.at(traded, facts.run.fills["asset"], np.abs(facts.run.fills["q"]))
    traded = (traded + np.abs(facts.start[0])) * (1.0 if facts.scale is None else np.maximum(1.0, facts.scale.max(axis=0)))
    for _, n in first_off((ledger.held[-1] - assets["q"])[None, :], traded[None, :] + 1e-300):
        what = f"{facts.bars.symbols[n]} holds {shown(assets['q'][n])} units, the fills add up to {shown(ledger.held[-1, n])}"
        yield Finding(last, int(facts.group[n]), what)
    for n, trade in enumerate(ledger.running):
        if trade is not None and assets["q"][n] != 0.0:
            _charge(trade, money, n)
            yield from _running(facts, n, trade, ledger.ends[n].avg)


def _running(facts: Facts, n: int, trade: RoundTrip, average: float) -> Iterator[Finding]:
    """The books of a position against its fills."""
    state = facts.run.assets[n]
    lost = 1.0 + 1e-4 * trade.largest / trade.quantity  # digits, as in trades
    money = lost * (trade.turned_over + trade.commission + abs(trade.carry) + abs(trade.dividends))
    price = lost * (trade.turned_over / trade.quantity / float(facts.multiplier[n]) + abs(average))
    rows = (
        ("mark", float(facts.marks[-1, n]), abs(float(facts.marks[-1, n]))),
        ("entry_t", trade.entry_t, 0.0),
        ("avg", average, price),
        ("entered", trade.quantity, lost * trade.quantity),
        ("gross", trade.gross, money),
        ("commission", trade.commission, money),
        ("trade_carry", trade.carry, money),
        ("trade_dividends", trade.dividends, money),
    )
    for name, made, scale in rows:
        if not abs(float(state[name]) - made) <= TOLERANCE * scale:
            what = f"the position of {facts.bars.symbols[n]} has {name} {shown(state[name])}, its fills make it {shown(made)}"
            yield Finding(facts.T - 1, int(facts.group[n]), what)


def final_state(money: Money) -> Iterator[Finding]:
    """The sums of the accounts after the last bar: of trades and what is open (M4), and of the series."""
    facts, run = money.facts, money.facts.run
    scale = money.scale[-1]
    interest = money.interest.sum(axis=0)
    fees = _by_group(facts, run.fills["account"], run.fills["commission"])
    sums = {
        "cash": run.cash[-1],
        "equity": run.equity[-1],
        "fees": fees,
        "realized": facts.by_account(money.ledger.realized).sum(axis=0),
        "carry": facts.by_account(money.carry).sum(axis=0) + interest,
        "dividends": facts.by_account(money.dividends).sum(axis=0),
        "flows": money.flows.sum(axis=0),
        "initial": run.initial,
    }
    for name, wanted in sums.items():
        for _, g in first_off((run.accounts[name] - wanted)[None, :], scale[None, :]):
            what = f"the account's {name} is {shown(run.accounts[name][g])}, bar by bar it is {shown(wanted[g])}"
            yield Finding(facts.T - 1, g, what)
    of_trades = {"realized": ("gross", "gross"), "fees": ("commission", "commission"), "carry": ("carry", "trade_carry")}
    for name, (closed, open_) in {**of_trades, "dividends": ("dividends", "trade_dividends")}.items():
        parts = _by_group(facts, run.trades["account"], run.trades[closed]) + _by_group(facts, facts.group, run.assets[open_])
        parts = parts + interest if name == "carry" else parts
        for _, g in first_off((run.accounts[name] - parts)[None, :], scale[None, :]):
            what = f"the account's {name} is {shown(run.accounts[name][g])}, trades and open positions make {shown(parts[g])} (M4)"
            yield Finding(facts.T - 1, g, what)
    yield from _counts(facts)


def _by_group(facts: Facts, group: Any, values: Any) -> ArrayN:
    sums: ArrayN = np.bincount(group, weights=values, minlength=facts.G).astype(np.float64)
    return sums


def _counts(facts: Facts) -> Iterator[Finding]:
    """The record of wins and losses that sizes are made of (S3), and the numbers of orders."""
    run = facts.run
    trades, won = run.trades, run.trades["pnl"] > 0.0
    paid = np.abs(trades["quantity"] * trades["entry_price"]) * facts.multiplier[trades["asset"]]
    part = np.divide(np.abs(trades["pnl"]), paid, out=np.zeros(len(trades)), where=paid > 0.0)
    for name, total, chosen in (("wins", "win_sum", won), ("losses", "loss_sum", ~won)):
        counted = np.bincount(trades["account"][chosen], minlength=facts.G)
        summed = _by_group(facts, trades["account"][chosen], part[chosen])
        off = (counted != run.accounts[name]) | (np.abs(summed - run.accounts[total]) > 1e-6 * (1.0 + summed))
        for g in np.flatnonzero(off).tolist():
            booked = f"{int(run.accounts[name][g])} {name} of {shown(run.accounts[total][g])} of what was entered"
            yield Finding(facts.T - 1, g, f"the account counts {booked}, its trades are {int(counted[g])} of {shown(summed[g])} (S3)")
    given = np.bincount(run.orders["account"], minlength=facts.G)
    for g in np.flatnonzero(given != run.accounts["next_id"]).tolist():
        yield Finding(facts.T - 1, g, f"the log has {int(given[g])} orders, the account gave {int(run.accounts['next_id'][g])}")
