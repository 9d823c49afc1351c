"""Families of random cases in which vectorbt and vecbt mean the same, each asked in both languages.

A case is a small market, what is wanted on it, and the keywords of `vb.backtest`. The cases of a family stand side by side in the
columns of one question to vectorbt. What is left out on purpose (gaps past two levels, losses beyond the equity, more wanted than
there is money for) stands, with its reason, in the table of DIFFERENCES.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import vecbt as vb
from tests.outside.outside import Question

BARS = 120
CASES = 200
CAPITAL = 100_000.0

# what both must be told: no smallest order, and curves per day
_COMMON = {"init_cash": CAPITAL, "min_size": 0.0, "freq": "D"}


@dataclass(frozen=True)
class Case:
    """A market `prices` (4, T, N) of open, high, low, close; what is wanted; the keywords of `vb.backtest`."""

    prices: np.ndarray
    given: Any
    keywords: dict[str, Any]
    options: dict[str, Any]

    def run(self) -> vb.Result:
        """The backtest, with its books worked out again."""
        symbols = [f"S{n}" for n in range(self.prices.shape[2])]
        index = np.datetime64("2024-01-01", "ns") + np.arange(self.prices.shape[1]) * np.timedelta64(86_400_000_000_000, "ns")
        options = {"missing": "no_market", "periods_per_year": 252} | self.options
        bars = vb.Bars.from_numpy(*self.prices, index=index, symbols=symbols, **options)
        return vb.backtest(bars, self.given, initial_capital=CAPITAL, audit=True, **self.keywords)


@dataclass(frozen=True)
class Family:
    """Cases and the question that holds them all; `assets` columns each."""

    cases: Sequence[Case]
    question: Question
    assets: int


Columns = dict[str, np.ndarray]
Pair = tuple[Case, Columns]


def market(rng: np.random.Generator, assets: int = 1, *, gaps: float = 0.004, reach: float = 0.01, missing: float = 0.0) -> np.ndarray:
    """Prices (4, T, N): a walk of 1 % a bar from somewhere between 5 and 500; gaps and the reach of highs and lows as fractions.

    A share `missing` of the bars, never the first or last, is no market: NaN.
    """
    shape = (BARS, assets)
    close = rng.uniform(5.0, 500.0, assets) * np.exp(np.cumsum(rng.normal(0.0, 0.01, shape), axis=0))
    before = np.vstack([close[:1], close[:-1]])
    opened = before * np.exp(gaps * rng.normal(0.0, 1.0, shape))
    high = np.maximum(opened, close) * (1.0 + reach * rng.exponential(1.0, shape))
    low = np.minimum(opened, close) / (1.0 + reach * rng.exponential(1.0, shape))
    prices = np.stack([opened, high, low, close])
    prices[:, 1:-1][:, rng.random((BARS - 2, assets)) < missing] = np.nan
    return prices


def costs(rng: np.random.Generator, *, fixed: bool = True, slippage: bool = True) -> vb.Costs:
    """A rate, now and then a fixed fee and slippage."""
    return vb.Costs(
        commission_rate=float(rng.uniform(0.0001, 0.003)),
        per_order=float(rng.choice([0.0, 1.0, 7.5])) if fixed else 0.0,
        slippage_bps=float(rng.choice([0.0, 3.0, 20.0])) if slippage else 0.0,
    )


def signals(rng: np.random.Generator, sides: str, assets: int = 1) -> dict[str, np.ndarray]:
    """Random flags of the sides in `sides` ("long", "short", "both"), now and then contradicting each other; none on the first bar."""
    names = {"long": ("entries", "exits"), "short": ("short_entries", "short_exits")}
    wanted = [*names["long"], *names["short"]] if sides == "both" else names[sides]
    flags = {name: rng.random((BARS, assets)) < rng.uniform(0.03, 0.15) for name in wanted}
    for flag in flags.values():
        flag[0] = False
    return flags


def later(values: np.ndarray, first: Any) -> np.ndarray:
    """The rows one bar later, as vectorbt wants what is to fill at the next open."""
    return np.concatenate([np.full_like(values[:1], first), values[:-1]])


def columns(case: Case, **extra: Any) -> Columns:
    """Prices and costs of a case as vectorbt's keywords, each (T, N); `extra` are arrays or one value for all."""
    fees: vb.Costs = case.keywords["costs"]
    shape = case.prices.shape[1:]
    given = {
        "close": case.prices[3],
        "fees": fees.commission_rate,
        "fixed_fees": fees.per_order,
        "slippage": fees.slippage_bps * 1e-4,
        **extra,
    }
    if case.keywords["fill"] == "next_open":
        given |= {"price": case.prices[0], "val_price": later(case.prices[3], np.nan)}
    return {name: np.ascontiguousarray(np.broadcast_to(values, shape)) for name, values in given.items()}


def gather(name: str, pairs: Sequence[Pair], function: str, *, shared: bool = False, **plain: Any) -> Family:
    """One question of all the cases, column by column; `shared` puts the columns of a case in one account."""
    arrays = {keyword: np.hstack([columns[keyword] for _, columns in pairs]) for keyword in pairs[0][1]}
    assets = pairs[0][0].prices.shape[2]
    if shared:
        arrays["group_by"] = np.repeat(np.arange(len(pairs)), assets)
        plain["cash_sharing"] = True
    return Family([case for case, _ in pairs], Question(name, function, arrays, _COMMON | plain, stats=True), assets)


Size = Callable[[np.random.Generator, float], tuple[Any, dict[str, Any]]]
"""Draws a size for prices around a level: as vecbt has it, and as vectorbt's keywords."""


def all_cash(rng: np.random.Generator, level: float) -> tuple[Any, dict[str, Any]]:
    """Everything there is."""
    return vb.Cash(1.0), {"size": np.inf}


def part_of_cash(rng: np.random.Generator, level: float) -> tuple[Any, dict[str, Any]]:
    """A fraction of the cash."""
    fraction = float(rng.uniform(0.05, 0.95))
    return vb.Cash(fraction), {"size": fraction}


def small_part_of_cash(rng: np.random.Generator, level: float) -> tuple[Any, dict[str, Any]]:
    """A fraction that leaves enough for many more entries: a room below 1e-9 of the equity is none here (F10)."""
    fraction = float(rng.uniform(0.05, 0.35))
    return vb.Cash(fraction), {"size": fraction}


def some_units(rng: np.random.Generator, level: float) -> tuple[Any, dict[str, Any]]:
    """A number of units, fractional, worth 0.5 to 5 % of the capital: cash is never short."""
    units = float(rng.uniform(0.005, 0.05) * CAPITAL / level)
    return vb.Units(units), {"size": units}


def few_units(rng: np.random.Generator, level: float) -> tuple[Any, dict[str, Any]]:
    """As `some_units`, 0.3 to 1.5 %: thirty entries on top of each other still fit."""
    units = float(rng.uniform(0.003, 0.015) * CAPITAL / level)
    return vb.Units(units), {"size": units}


def some_money(rng: np.random.Generator, level: float) -> tuple[Any, dict[str, Any]]:
    """An amount of money, up to a third of the capital, made units at the close of the decision."""
    money = float(rng.uniform(0.005, 0.3) * CAPITAL)
    return vb.Notional(money), {"size": money}


def from_signals(
    name: str,
    rng: np.random.Generator,
    sides: str,
    size: Size,
    *,
    fill: str = "close",
    assets: int = 1,
    shared: bool = False,
    fixed: bool = True,
    missing: float = 0.0,
    options: dict[str, Any] | None = None,
    keywords: dict[str, Any] | None = None,
    **plain: Any,
) -> Family:
    """Signals of one size, without stops."""
    pairs = []
    for _ in range(CASES):
        prices = market(rng, assets, missing=missing)
        flags = signals(rng, sides, assets)
        sizing, asked = size(rng, float(np.nanmax(prices[3])))
        given = {"sizing": sizing, "fill": fill, "costs": costs(rng, fixed=fixed), **(keywords or {})}
        case = Case(prices, vb.Signals(**flags), given, options or {})
        moved = flags if fill == "close" else {k: later(v, False) for k, v in flags.items()}
        both = {"short_entries": False, "short_exits": False, "entries": False, "exits": False} | moved
        pairs.append((case, columns(case, **both, **asked)))
    return gather(name, pairs, "from_signals", shared=shared, **plain)


def with_stops(
    name: str,
    rng: np.random.Generator,
    rules: Sequence[str],
    *,
    gaps: float = 0.01,
    slippage: bool = True,
    missing: float = 0.0,
    exit_price: str = "stopmarket",
) -> Family:
    """Signals with protective exits on the reach of each bar; everything fills at the close, so exits act from the next bar on."""
    pairs = []
    for _ in range(CASES):
        prices = market(rng, gaps=gaps, reach=0.008, missing=missing)
        flags = signals(rng, "both")
        distance = {rule: float(rng.uniform(0.008, 0.05)) for rule in rules}
        given = {"sizing": vb.Cash(1.0), "fill": "close", "costs": costs(rng, slippage=slippage), "stops": vb.Stops(**distance)}
        case = Case(prices, vb.Signals(**flags), given, {})
        asked: dict[str, Any] = {"size": np.inf, "open": prices[0], "high": prices[1], "low": prices[2]}
        if "take_profit" in distance:
            asked["tp_stop"] = distance["take_profit"]
        if "hard" in distance or "trailing" in distance:
            asked["sl_stop"] = distance.get("hard", distance.get("trailing"))
        pairs.append((case, columns(case, **flags, **asked)))
    return gather(name, pairs, "from_signals", sl_trail="trailing" in rules, stop_entry_price="fillprice", stop_exit_price=exit_price)


def _weights(rng: np.random.Generator, assets: int, free: bool, short: bool) -> np.ndarray:
    """Target weights (T, N) on every fifth bar or so, NaN between.

    Without costs all of the equity is spread. With costs at most 0.88 of it, so that cash is never short, and each weight moves by
    at least 0.06 a row and is 0 or at least 0.01, so that no sale is smaller than its fee.
    """
    rows = rng.random(BARS) < 0.2
    rows[0] = False
    if free:
        weights = rng.dirichlet(np.ones(assets), BARS)
    else:
        high = (np.cumsum(rows)[:, None] + rng.integers(0, 2, assets)) % 2 == 1
        low = rng.uniform(0.01, 0.08, (BARS, assets)) * (rng.random((BARS, assets)) > 0.2)
        weights = np.where(high, rng.uniform(0.14, 0.22, (BARS, assets)), low)
    if short:
        weights *= rng.choice([-1.0, 1.0], (BARS, assets))
    weights[~rows] = np.nan
    return weights


def from_targets(name: str, rng: np.random.Generator, *, fill: str, free: bool, short: bool, units: bool = False) -> Family:
    """Four assets, one account: target weights (of equity before costs) or quantities."""
    assets, pairs = 4, []
    for _ in range(CASES):
        prices = market(rng, assets)
        weights = _weights(rng, assets, free, short)
        fees = vb.Costs.free() if free else costs(rng)
        values = 0.8 * weights * CAPITAL / prices[3].max(axis=0) if units else weights
        given = {"fill": fill, "costs": fees} | ({} if units or free else {"weights_of": "gross"})
        case = Case(prices, vb.Quantities(values) if units else vb.Weights(values), given, {})
        pairs.append((case, columns(case, size=values if fill == "close" else later(values, np.nan))))
    kind = "targetamount" if units else "targetpercent"
    return gather(name, pairs, "from_orders", shared=True, size_type=kind, call_seq="auto")


FAMILIES: dict[str, Callable[[str, np.random.Generator], Family]] = {
    "long, all cash, at the close": lambda n, r: from_signals(n, r, "long", all_cash),
    "long, all cash, next open": lambda n, r: from_signals(n, r, "long", all_cash, fill="next_open"),
    "short, all cash, at the close": lambda n, r: from_signals(n, r, "short", all_cash),
    "reversals, all cash, at the close": lambda n, r: from_signals(n, r, "both", all_cash),
    "reversals, all cash, next open": lambda n, r: from_signals(n, r, "both", all_cash, fill="next_open"),
    "reversals, all cash, whole units": lambda n, r: from_signals(n, r, "both", all_cash, options={"lot": 1.0}, size_granularity=1.0),
    "long, part of the cash": lambda n, r: from_signals(n, r, "long", part_of_cash, size_type="percent"),
    "short, part of the cash": lambda n, r: from_signals(n, r, "short", part_of_cash, fixed=False, size_type="percent"),
    "reversals, units, at the close": lambda n, r: from_signals(n, r, "both", some_units),
    "reversals, units, next open": lambda n, r: from_signals(n, r, "both", some_units, fill="next_open"),
    "entries that add, units": lambda n, r: from_signals(n, r, "both", few_units, keywords={"accumulate": True}, accumulate="addonly"),
    "entries that add, part of the cash": lambda n, r: from_signals(
        n, r, "long", small_part_of_cash, keywords={"accumulate": True}, accumulate="addonly", size_type="percent"
    ),
    "reversals, money, at the close": lambda n, r: from_signals(n, r, "both", some_money, size_type="value"),
    "reversals, money, next open": lambda n, r: from_signals(n, r, "both", some_money, fill="next_open", size_type="value"),
    "four assets, one account, units": lambda n, r: from_signals(n, r, "both", some_units, assets=4, shared=True, fixed=False),
    "three assets, an account each": lambda n, r: from_signals(n, r, "both", all_cash, assets=3, keywords={"accounts": "separate"}),
    "bars without a market": lambda n, r: from_signals(n, r, "both", all_cash, missing=0.1),
    "hard stop": lambda n, r: with_stops(n, r, ["hard"]),
    "hard stop, bars without a market": lambda n, r: with_stops(n, r, ["hard"], missing=0.1),
    "trailing stop": lambda n, r: with_stops(n, r, ["trailing"]),
    "trailing stop, bars without a market": lambda n, r: with_stops(n, r, ["trailing"], missing=0.1),
    "target": lambda n, r: with_stops(n, r, ["take_profit"], exit_price="stoplimit"),
    "hard stop and target, no gaps": lambda n, r: with_stops(n, r, ["hard", "take_profit"], gaps=0.0, slippage=False),
    "trailing stop and target, no gaps": lambda n, r: with_stops(n, r, ["trailing", "take_profit"], gaps=0.0, slippage=False),
    "weights, no costs, at the close": lambda n, r: from_targets(n, r, fill="close", free=True, short=False),
    "weights, costs, at the close": lambda n, r: from_targets(n, r, fill="close", free=False, short=False),
    "weights, costs, next open": lambda n, r: from_targets(n, r, fill="next_open", free=False, short=False),
    "weights of both sides, at the close": lambda n, r: from_targets(n, r, fill="close", free=False, short=True),
    "weights of both sides, next open": lambda n, r: from_targets(n, r, fill="next_open", free=False, short=True),
    "quantities of both sides, at the close": lambda n, r: from_targets(n, r, fill="close", free=False, short=True, units=True),
    "quantities of both sides, next open": lambda n, r: from_targets(n, r, fill="next_open", free=False, short=True, units=True),
}
"""Name -> how its cases are drawn."""


def draw(name: str, seed: int) -> Family:
    """The cases of a family for a seed; families do not share their draws."""
    number = list(FAMILIES).index(name)
    return FAMILIES[name](name, np.random.default_rng([seed, number]))
