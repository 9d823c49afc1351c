"""Small markets and readable runs for the rule tests: prices by hand in, plain rows out.

`bars_of` makes bars from lists, one item per bar: `(o, h, l, c)` or `(o, h, l, c, v)`, one number for four equal prices, None for a
bar without a market. `signals`, `strengths`, `weights` and `quantities` say what is wanted; rows that are shorter than the bars are
silent afterwards. `run` is `vb.backtest` with 1,000 of capital, no costs and the audit on, and returns an `Outcome`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

import vecbt as vb
from vecbt.core.codes import OrderStatus, Reason, rule_names

DAY = np.timedelta64(86_400_000_000_000, "ns")
FREE = vb.Costs.free()
NAN = math.nan

BarGiven = Sequence[float] | float | None
Given = Callable[[vb.Bars], Any]

_FLAGS = {"L": "entries", "l": "exits", "S": "short_entries", "s": "short_exits"}


class Fill(NamedTuple):
    """A fill; `asset` is the symbol, `q` is signed."""

    t: int
    asset: str
    q: float
    price: float
    ref: float
    commission: float
    slippage: float
    reason: str
    order: int


class Order(NamedTuple):
    """An order; `cut_by` names rules as in `"zone, cash"`, `status` and `reason` are words, `done` is -1 while it is pending."""

    t: int
    asset: str
    wanted: float
    filled: float
    status: str
    cut_by: str
    done: int
    reason: str
    closing: float
    opening: float
    price: float
    commission: float
    priority: float


class Trade(NamedTuple):
    """A closed trade; `side` is +1 or -1, `quantity` the total entered."""

    asset: str
    side: int
    entry_t: int
    exit_t: int
    quantity: float
    entry_price: float
    exit_price: float
    gross: float
    commission: float
    pnl: float
    reason: str
    mae: float
    mfe: float
    initial_risk: float
    stop: float


class Outcome:
    """What came of a run, as plain lists.

    `fills`, `orders` (those that wait come last) and `trades` in time order; `equity` and `cash` per bar of the first account, `zone`
    likewise or None; `result` and `raw` for the rest.
    """

    def __init__(self, result: vb.Result) -> None:
        self.result = result
        self.raw = raw = result.run
        names = raw.bars.symbols
        self.fills = [
            Fill(f["t"], names[f["asset"]], f["q"], f["price"], f["ref"], f["commission"], f["slippage"], _word(Reason, f), f["order"])
            for f in _rows(raw.fills)
        ]
        self.orders = [
            Order(
                o["t"], names[o["asset"]], o["wanted"], o["filled"], _word(OrderStatus, o), rule_names(o["cut_by"]), o["t_done"],
                _word(Reason, o), o["close_q"], o["open_q"], o["price"], o["commission"], o["priority"],
            )
            for o in _rows(raw.orders)
        ]  # fmt: skip
        self.trades = [
            Trade(
                names[t["asset"]], t["side"], t["entry_t"], t["exit_t"], t["quantity"], t["entry_price"], t["exit_price"], t["gross"],
                t["commission"], t["pnl"], _word(Reason, t), t["mae"], t["mfe"], t["initial_risk"], t["stop"],
            )
            for t in _rows(raw.trades)
        ]  # fmt: skip
        self.equity: list[float] = raw.equity[:, 0].tolist()
        self.cash: list[float] = raw.cash[:, 0].tolist()
        self.zone: list[int] | None = None if raw.zone is None else [int(z) for z in raw.zone[:, 0]]

    def filled(self, asset: str = "A") -> list[tuple[int, float, float]]:
        """Fills of one asset as (t, signed quantity, price)."""
        return [(f.t, f.q, f.price) for f in self.fills if f.asset == asset]

    def exits(self, asset: str = "A") -> list[tuple[int, float, str]]:
        """Closed trades of one asset as (exit bar, exit price, reason)."""
        return [(t.exit_t, t.exit_price, t.reason) for t in self.trades if t.asset == asset]

    def ordered(self, asset: str = "A") -> list[tuple[int, float, float, str, str]]:
        """Orders of one asset as (t decided, wanted, filled, status, rules that cut it)."""
        return [(o.t, o.wanted, o.filled, o.status, o.cut_by) for o in self.orders if o.asset == asset]

    def held(self, asset: str = "A") -> float:
        """Signed quantity after the last bar."""
        return float(self.raw.assets["q"][self.raw.bars.symbols.index(asset)])


def _rows(log: Any) -> list[dict[str, Any]]:
    """Records as mappings of plain numbers."""
    return [dict(zip(log.dtype.names, row, strict=True)) for row in log.tolist()]


def _word(kind: Any, record: Mapping[str, Any]) -> str:
    return str(kind(record["reason" if kind is Reason else "status"]).name).lower()


def bars_of(prices: Sequence[BarGiven] | Mapping[str, Sequence[BarGiven]], *, every: np.timedelta64 = DAY, **options: Any) -> vb.Bars:
    """Bars from lists, one asset "A" or a mapping of symbols; daily from Monday 2024-01-01 (`index=` gives other labels).

    `options` are those of `Bars.from_numpy`: lot, tick, min_notional, multiplier, delistings, delisting, session_start, …
    Unless it is said otherwise an asset that ends early is held, not dated a delisting.
    """
    table = prices if isinstance(prices, Mapping) else {"A": prices}
    rows = {symbol: [_bar(bar) for bar in bars] for symbol, bars in table.items()}
    count = max(len(bars) for bars in rows.values())
    assert all(len(bars) == count for bars in rows.values()), "every asset needs a bar, or None, for each time"
    block = np.array(list(rows.values()), dtype=np.float64)  # (N, T, 5)
    fields = [np.ascontiguousarray(block[:, :, k].T) for k in range(5)]
    index = options.pop("index", None)
    if index is None:
        index = np.datetime64("2024-01-01", "ns") + np.arange(count) * every
    volume = None if np.isnan(fields[4]).all() else fields[4]
    known = {"missing": "no_market", "delisting": "hold", "periods_per_year": 252.0, **options}
    return vb.Bars.from_numpy(*fields[:4], volume, index=index, symbols=list(table), **known)


def _bar(bar: BarGiven) -> tuple[float, ...]:
    if bar is None:
        return (NAN,) * 5
    if isinstance(bar, int | float):
        return (bar, bar, bar, bar, NAN)
    o, h, low, c, *v = bar
    return (o, h, low, c, v[0] if v else NAN)


def signals(rows: str | Mapping[str, str]) -> Given:
    """Signals as words, one per bar: L enters long, l leaves it, S enters short, s leaves it, a dot is silence: `". L . l S"`, `"Ls"`."""

    def given(bars: vb.Bars) -> vb.Signals:
        flags = {name: np.zeros(bars.shape, dtype=bool) for name in _FLAGS.values()}
        for symbol, text in _named(rows).items():
            column = bars.symbols.index(symbol)
            for t, word in enumerate(text.split()):
                for letter in word.replace(".", ""):
                    flags[_FLAGS[letter]][t, column] = True
        return vb.Signals(**flags)

    return given


def strengths(rows: Sequence[float | None] | Mapping[str, Sequence[float | None]]) -> Given:
    """Strengths, one per bar, None for silence."""
    return lambda bars: vb.Strengths(_numbers(rows, bars))


def weights(rows: Sequence[float | None] | Mapping[str, Sequence[float | None]]) -> Given:
    """Target weights, one per bar, None for silence."""
    return lambda bars: vb.Weights(_numbers(rows, bars))


def quantities(rows: Sequence[float | None] | Mapping[str, Sequence[float | None]]) -> Given:
    """Target quantities, one per bar, None for silence."""
    return lambda bars: vb.Quantities(_numbers(rows, bars))


def _named(rows: Any) -> Mapping[str, Any]:
    return rows if isinstance(rows, Mapping) else {"A": rows}


def _numbers(rows: Any, bars: vb.Bars) -> np.ndarray:
    values = np.full(bars.shape, NAN)
    for symbol, row in _named(rows).items():
        column = bars.symbols.index(symbol)
        for t, value in enumerate(row):
            values[t, column] = NAN if value is None else value
    return values


def run(bars: vb.Bars, given: Given | Any, **keywords: Any) -> Outcome:
    """A backtest with 1,000 of capital, no costs and the audit on, unless `keywords` say otherwise."""
    known = {"costs": FREE, "initial_capital": 1000.0, "audit": True, **keywords}
    inputs = given(bars) if callable(given) else given
    return Outcome(vb.backtest(bars, inputs, **known))


def run_in_every_order(bars: vb.Bars, given: Given, **keywords: Any) -> Outcome:
    """As `run`, and once more for each order of the columns: fills, orders, trades and curves must be the same."""
    first = run(bars, given, **keywords)
    for symbols in itertools.permutations(bars.symbols):
        other = run(bars.select(list(symbols)), given, **keywords)
        for name in ("fills", "orders", "trades"):
            assert_rows(_sorted(getattr(other, name)), _sorted(getattr(first, name)))
        column = other.raw.bars.symbols.index(bars.symbols[0]) if other.raw.equity.shape[1] > 1 else 0
        assert_rows(other.raw.equity[:, column], first.equity)
        assert_rows(other.raw.cash[:, column], first.cash)
    return first


def _sorted(rows: list[Any]) -> list[Any]:
    """By what is no price or quantity, and without what may depend on the order of columns: the numbering of orders."""
    plain = [row._replace(order=0) if isinstance(row, Fill) else row for row in rows]
    return sorted(plain, key=lambda row: repr([part for part in row if isinstance(part, int | str)]))


def assert_rows(found: Iterable[Any], expected: Iterable[Any], *, tolerance: float = 1e-9) -> None:
    """Equal rows: words and whole numbers exactly, other numbers to a relative `tolerance`; NaN is NaN."""
    found, expected = list(found), list(expected)
    assert len(found) == len(expected), f"{len(found)} rows, expected {len(expected)}:\n{found}\n{expected}"
    for k, (one, other) in enumerate(zip(found, expected, strict=True)):
        parts = zip(_tuple(one), _tuple(other), strict=True)
        assert all(_same(a, b, tolerance) for a, b in parts), f"row {k}:\n  found    {one}\n  expected {other}\nof {found}"


def _tuple(row: Any) -> tuple[Any, ...]:
    return tuple(row) if isinstance(row, tuple | list) else (row,)


def _same(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
