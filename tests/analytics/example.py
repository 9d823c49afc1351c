"""Runs made by hand: a few fills, and the cash and equity that follow from them (F3)."""

from __future__ import annotations

from typing import Any

import numpy as np

from vecbt.core.codes import InputKind, OrderStatus, Reason, Rule
from vecbt.core.state import records
from vecbt.data.bars import Bars
from vecbt.engine.books import ACCOUNT, ASSET
from vecbt.engine.inputs import AlignedInputs, Strengths
from vecbt.engine.log import FILL, ORDER, TRADE
from vecbt.engine.run import Run
from vecbt.engine.setup import Setup
from vecbt.execution.costs import Costs

NAN = float("nan")

Fill = tuple[int, int, float, float]


def bars_of(close: Any, symbols: tuple[str, ...], **market: Any) -> Bars:
    """Daily bars from 2024-01-01 whose four prices are the close; NaN is no market."""
    prices = np.asarray(close, dtype=np.float64)
    index = np.datetime64("2024-01-01", "ns") + np.arange(len(prices)) * np.timedelta64(1, "D")
    options = {"periods_per_year": 365.0, "missing": "no_market", "delisting": "hold", **market}
    return Bars.from_numpy(prices, prices, prices, prices, index=index, symbols=symbols, **options)


def run_of(
    close: Any,
    fills: list[Fill],
    *,
    symbols: tuple[str, ...] = ("AAA", "BBB"),
    capital: float = 1000.0,
    accounts: str = "shared",
    positions: dict[str, tuple[float, float]] | None = None,
    zone: Any = None,
    trades: list[dict[str, Any]] | None = None,
    orders: list[dict[str, Any]] | None = None,
    source: Any = None,
    flows: Any = None,
    **market: Any,
) -> Run:
    """A run in which `(t, asset, quantity, price)` was filled, each at 1 of commission and 0.5 of slippage.

    `flows` (T, G) come into the account before the close of their bar (F15).
    """
    bars = bars_of(close, symbols, **market)
    setup = Setup.of(costs=Costs(per_order=1.0), initial_capital=capital, accounts=accounts, positions=positions)
    log = records(FILL, len(fills))
    for k, (t, asset, q, price) in enumerate(fills):
        log[k] = (t, asset, asset if accounts == "separate" else 0, k, q, price, price - 0.1, 1.0, 0.5, int(Reason.SIGNAL))
    cash, equity, initial, state = _booked(bars, setup, fills)
    if flows is not None:
        cash, equity = cash + np.cumsum(flows, axis=0), equity + np.cumsum(flows, axis=0)
    return Run(
        bars=bars,
        setup=setup,
        source=source if source is not None else Strengths(np.zeros(bars.shape)),
        inputs=AlignedInputs(InputKind.STRENGTHS, None, np.zeros((bars.T, bars.N))),
        equity=_frozen(equity),
        cash=_frozen(cash),
        zone=None if zone is None else _frozen(np.asarray(zone, dtype=np.uint8)),
        initial=_frozen(initial),
        flows=None if flows is None else _frozen(np.asarray(flows, dtype=np.float64)),
        orders=_frozen(_log(ORDER, orders or [], ORDER_DEFAULTS)),
        fills=_frozen(log),
        trades=_frozen(_log(TRADE, trades or [], TRADE_DEFAULTS)),
        accounts=records(ACCOUNT, cash.shape[1]),
        assets=state,
    )


ORDER_DEFAULTS = {"status": int(OrderStatus.FILLED), "reason": int(Reason.SIGNAL), "price": NAN}
TRADE_DEFAULTS = {"side": 1, "reason": int(Reason.SIGNAL), "initial_risk": NAN, "stop": NAN, "quantity": 1.0, "entry_price": 10.0}


def _log(dtype: np.dtype[Any], rows: list[dict[str, Any]], defaults: dict[str, Any]) -> np.recarray:
    log = records(dtype, len(rows))
    for record, row in zip(log, rows, strict=True):
        for name, value in {**defaults, **row}.items():
            record[name] = value
    return log


def _booked(bars: Bars, setup: Setup, fills: list[Fill]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.recarray]:
    groups = bars.N if setup.accounts == "separate" else 1
    state = records(ASSET, bars.N)
    state["avg"] = state["mark"] = state["stop"] = state["target"] = NAN
    for symbol, (q, price) in (setup.positions or {}).items():
        n = bars.symbols.index(symbol)
        state[n].q, state[n].avg, state[n].mark, state[n].entry_t = q, price, price, -1
    money = np.full(groups, setup.initial_capital)
    cash, equity = np.empty((bars.T, groups)), np.empty((bars.T, groups))

    def worth() -> np.ndarray:
        value = np.where(state["q"] == 0, 0.0, state["q"] * state["mark"] * bars.market.multiplier)
        return value if groups > 1 else np.array([value.sum()])

    initial = money + worth()
    for t in range(bars.T):
        for when, n, q, price in fills:
            if when == t:
                if state[n].q == 0.0:
                    state[n].avg, state[n].entry_t = price, t
                state[n].q += q
                money[n if groups > 1 else 0] -= q * price * bars.market.multiplier[n] + 1.0
        seen = ~np.isnan(bars.close[t])
        state["mark"][seen] = bars.close[t][seen]
        cash[t], equity[t] = money, money + worth()
    return cash, equity, initial, state


def _frozen(array: Any) -> Any:
    array.flags.writeable = False
    return array


CLOSE = [[10.0, 20.0], [11.0, 19.0], [12.0, NAN], [9.0, 21.0], [10.0, 22.0], [13.0, 24.0]]
FILLS = [(1, 0, 20.0, 11.0), (1, 1, -10.0, 19.0), (3, 0, -20.0, 9.0), (4, 1, 15.0, 22.0)]
TRADES = [
    {
        "asset": 0, "side": 1, "entry_t": 1, "exit_t": 3, "quantity": 20.0, "entry_price": 11.0, "exit_price": 9.0, "gross": -40.0,
        "commission": 2.0, "pnl": -42.0, "reason": int(Reason.STOP), "mae": 2 / 11, "mfe": 1 / 11, "initial_risk": 40.0, "stop": 9.0,
    },
    {
        "asset": 1, "side": -1, "entry_t": 1, "exit_t": 4, "quantity": 10.0, "entry_price": 19.0, "exit_price": 22.0, "gross": -30.0,
        "commission": 1.7, "pnl": -31.7, "reason": int(Reason.SIGNAL), "mae": 3 / 19, "mfe": 0.0,
    },
]  # fmt: skip
ORDERS = [
    {"id": 0, "t": 0, "asset": 0, "open_q": 20.0, "wanted": 40.0, "filled": 20.0, "price": 11.0, "commission": 1.0, "t_done": 1,
     "status": int(OrderStatus.PARTIAL), "cut_by": int(Rule.ZONE | Rule.CASH), "priority": 1.0},
    {"id": 1, "t": 0, "asset": 1, "open_q": -10.0, "wanted": -10.0, "filled": -10.0, "price": 19.0, "t_done": 1},
    {"id": 2, "t": 2, "asset": 1, "wanted": 5.0, "t_done": 2, "status": int(OrderStatus.REJECTED), "cut_by": int(Rule.STOP)},
    {"id": 3, "t": 5, "asset": 0, "open_q": NAN, "wanted": NAN, "t_done": -1, "status": int(OrderStatus.PENDING)},
]  # fmt: skip


def small(**changes: Any) -> Run:
    """Six bars, two assets, one account: a stopped long, a short turned into a long that stays open, one bar without a market."""
    return run_of(CLOSE, FILLS, **{"trades": TRADES, "orders": ORDERS, "zone": [[0], [0], [1], [2], [3], [0]], **changes})
