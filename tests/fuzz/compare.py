"""The same scenario run by both engines, and what they disagree on, in words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from hypothesis import assume, event

import vecbt as vb
from tests.fuzz.adapter import arguments
from tests.naive.engine import simulate
from tests.naive.scenario import Log, Scenario
from vecbt.analytics.curves import Curves
from vecbt.core.codes import OrderStatus, Reason, Rule, rule_names

__all__ = ["agree", "disagreements", "run_engine"]

RELATIVE = 1e-9


def run_engine(scenario: Scenario) -> Any:
    """The run of vecbt's engine."""
    bars, inputs, keywords = arguments(scenario)
    return vb.backtest(bars, inputs, audit=True, **keywords).run


def agree(scenario: Scenario) -> None:
    """Fail where the two disagree; scenarios whose outcome hangs on rounding (`fragile`) are left out, counted by an event."""
    log = simulate(scenario)
    if log.fragile:
        event(f"fragile: {log.fragile[0]}")
    assume(not log.fragile)
    found = disagreements(scenario, log)
    assert not found, "\n".join(found[:8])


def disagreements(scenario: Scenario, log: Log | None = None) -> list[str]:
    """What the engine does otherwise than the reference, the first bar first; empty if they agree."""
    log = simulate(scenario) if log is None else log
    run = run_engine(scenario)
    scale = max(float(max(abs(v) for row in [log.initial, *log.equity, *log.cash] for v in row)), 1.0)
    found = _events("order", _orders_of(run), _orders(log)) + _events("fill", _fills_of(run), _fills(log))
    found += _events("trade", _trades_of(run), _trades(log))
    if scenario.zones is not None:
        found += [(t, f"zone {run.zone[t].tolist()}, reference {z}") for t, z in enumerate(log.zone) if run.zone[t].tolist() != z]
    if not found:
        found += _table("equity", run.equity, log.equity, scale) + _table("cash", run.cash, log.cash, scale)
        if scenario.flows:
            found += _table("flow", run.flows, log.flows, scale)
        found += _numbers(run, log, scale) + _derived(run, log, scale)
    return [f"bar {t}: {text}" for t, text in sorted(found)]


def _events(kind: str, engine: dict[int, list[tuple[Any, ...]]], reference: dict[int, list[tuple[Any, ...]]]) -> list[tuple[int, str]]:
    """What happened, when and why, asset by asset; the first difference of each asset."""
    found = []
    for asset in sorted(engine.keys() | reference.keys()):
        ours, theirs = reference.get(asset, []), engine.get(asset, [])
        for k in range(max(len(ours), len(theirs))):
            a, b = (theirs[k] if k < len(theirs) else None), (ours[k] if k < len(ours) else None)
            if a != b:
                found.append((min(x[0] for x in (a, b) if x is not None), f"{kind} {k} of asset {asset} is {a}, reference {b}"))
                break
    return found


def _by_asset(items: Iterable[tuple[int, tuple[Any, ...]]]) -> dict[int, list[tuple[Any, ...]]]:
    out: dict[int, list[tuple[Any, ...]]] = {}
    for asset, item in items:
        out.setdefault(asset, []).append(item)
    return out


def _sorted_orders(run: Any) -> list[Any]:
    return sorted(run.orders, key=lambda o: (int(o.asset), int(o.t), int(o.id)))


def _orders_of(run: Any) -> dict[int, list[tuple[Any, ...]]]:
    """Per asset: bar, reason, status, rules, bar settled."""

    def words(o: Any) -> tuple[Any, ...]:
        return int(o.t), Reason(o.reason).name.lower(), OrderStatus(o.status).name.lower(), rule_names(int(o.cut_by)), int(o.t_done)

    return _by_asset((int(o.asset), words(o)) for o in _sorted_orders(run))


def _orders(log: Log) -> dict[int, list[tuple[Any, ...]]]:
    rules = [str(rule.name).lower() for rule in Rule]
    return _by_asset(
        (o.asset, (o.t, o.reason, o.status, ", ".join(r for r in rules if r in o.cut_by), o.t_done))
        for o in sorted(log.orders, key=lambda o: (o.asset, o.t))
    )


def _places(orders: list[tuple[Any, int]]) -> dict[Any, int]:
    """Which of its asset's orders each one is; orders come as (key, asset)."""
    place: dict[Any, int] = {}
    count: dict[int, int] = {}
    for key, asset in orders:
        place[key] = count.setdefault(asset, 0)
        count[asset] += 1
    return place


def _sorted_fills_of(run: Any) -> list[tuple[int, Any]]:
    """Fills by asset, bar and place of their order, with that place: inside a bar they may be booked in another order."""
    place = _places([((int(o.account), int(o.id)), int(o.asset)) for o in _sorted_orders(run)])
    return sorted(((place[int(f.account), int(f.order)], f) for f in run.fills), key=lambda x: (int(x[1].asset), int(x[1].t), x[0]))


def _sorted_fills(log: Log) -> list[tuple[int, Any]]:
    place = _places([(id(o), o.asset) for o in sorted(log.orders, key=lambda o: (o.asset, o.t))])
    return sorted(((place[id(f.order)], f) for f in log.fills), key=lambda x: (x[1].asset, x[1].t, x[0]))


def _fills_of(run: Any) -> dict[int, list[tuple[Any, ...]]]:
    """Per asset: bar, reason, which of the asset's orders."""
    return _by_asset((int(f.asset), (int(f.t), Reason(f.reason).name.lower(), k)) for k, f in _sorted_fills_of(run))


def _fills(log: Log) -> dict[int, list[tuple[Any, ...]]]:
    return _by_asset((f.asset, (f.t, f.reason, k)) for k, f in _sorted_fills(log))


def _trades_of(run: Any) -> dict[int, list[tuple[Any, ...]]]:
    return _by_asset((int(x.asset), (int(x.exit_t), int(x.entry_t), int(x.side), Reason(x.reason).name.lower())) for x in run.trades)


def _trades(log: Log) -> dict[int, list[tuple[Any, ...]]]:
    return _by_asset((x.asset, (x.exit_t, x.entry_t, x.side, x.reason)) for x in log.trades)


def _same(a: float, b: Any, scale: float) -> bool:
    """Equal to 1e-9 of the larger of the number and the scale of what it is made of; None is NaN."""
    if b is None or math.isnan(a):
        return b is None and math.isnan(a)
    return abs(a - float(b)) <= RELATIVE * max(abs(float(b)), scale)


def _table(name: str, engine: Any, reference: list[list[Any]], scale: float) -> list[tuple[int, str]]:
    for t, row in enumerate(reference):
        for g, value in enumerate(row):
            if not _same(float(engine[t, g]), value, scale):
                return [(t, f"{name} of account {g} is {engine[t, g]!r}, reference {float(value)!r}")]
    return []


def _numbers(run: Any, log: Log, money: float) -> list[tuple[int, str]]:
    """Values of orders, fills and trades, which are known to be the same ones in the same order per asset."""
    last = len(log.equity) - 1
    start = zip(run.initial, log.initial, strict=True)
    found = [(-1, f"initial equity is {a!r}, reference {float(b)!r}") for a, b in start if not _same(a, b, money)]
    for name in ("carry", "dividends"):
        sums = zip(run.accounts[name], getattr(log, name), strict=True)
        found += [
            (last, f"{name} of account {g} is {a!r}, reference {float(b)!r}") for g, (a, b) in enumerate(sums) if not _same(a, b, money)
        ]
    held = zip(run.assets.q, log.positions[-1], strict=True)
    found += [(last, f"asset {n} ends with {a!r}, reference {float(b)!r}") for n, (a, b) in enumerate(held) if not _same(a, b, 1e-3)]

    def check(t: int, what: str, pairs: dict[str, tuple[float, Any, float]]) -> None:
        for name, (a, b, scale) in pairs.items():
            if not _same(float(a), b, scale):
                found.append((t, f"{name} of {what} is {float(a)!r}, reference {None if b is None else float(b)!r}"))

    for o, r in zip(_sorted_orders(run), sorted(log.orders, key=lambda o: (o.asset, o.t)), strict=True):
        pairs = {"filled": (o.filled, r.filled, 1e-3), "price": (o.price, r.price, 0.0)}
        if r.wanted is not None:
            pairs["wanted"] = (o.wanted, r.wanted, 1e-3)
        check(r.t, f"the order of asset {r.asset}", pairs)
    for (_, f), (_, q) in zip(_sorted_fills_of(run), _sorted_fills(log), strict=True):
        pairs = {"q": (f.q, q.q, 1e-3), "price": (f.price, q.price, 0.0), "commission": (f.commission, q.commission, money * 1e-3)}
        check(q.t, f"the fill of asset {q.asset}", pairs)
    for x, y in zip(_per_asset(run.trades), _per_asset(log.trades), strict=True):
        pairs = {name: (x[name], getattr(y, name), money) for name in ("gross", "commission", "carry", "dividends", "pnl")}
        pairs |= {name: (x[name], getattr(y, name), 1e-3) for name in ("quantity", "entry_price", "exit_price", "mae", "mfe")}
        pairs["initial_risk"] = (x["initial_risk"], y.initial_risk, money)
        check(y.exit_t, f"the trade of asset {y.asset}", pairs)
    return found


def _derived(run: Any, log: Log, scale: float) -> list[tuple[int, str]]:
    """What is made of equity, flows, fills and splits afterwards: returns (M1), positions at each close."""
    curves = Curves(run)
    found = _table("position", curves.positions, log.positions, 1e-3)
    before = log.initial
    for t, row in enumerate(log.returns):
        for g, r in enumerate(row):
            base = float(before[g] + log.flows[t][g])
            if r is not None and base > 1e-6 * scale and not _same(float(curves.returns[t, g]) * base, float(r) * base, scale):
                found.append((t, f"return of account {g} is {curves.returns[t, g]!r}, reference {float(r)!r}"))
        before = log.equity[t]
    return found


def _per_asset(items: Any) -> list[Any]:
    return sorted(items, key=lambda item: int(item.asset))
