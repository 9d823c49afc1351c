"""What the reference engine is given and what it returns: plain dataclasses of Python numbers.

Numbers are `Fraction` (an int will do), a missing one is `None`; tables are lists of rows, time first. Nothing here knows vecbt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

__all__ = ["Bars", "Costs", "Distance", "Fill", "Log", "Order", "Scenario", "Size", "Stops", "Trade", "Zones"]

Number = Fraction | int
Row = list[Fraction | None]


@dataclass
class Bars:
    """Prices `(T, N)`; a bar without market is None in all five tables. `session` is a day number per bar."""

    open: list[Row]
    high: list[Row]
    low: list[Row]
    close: list[Row]
    volume: list[Row]
    session: list[int]
    multiplier: list[Number]
    lot: list[Number]
    tick: list[Number]
    min_notional: list[Number]
    delisted: dict[int, tuple[int, Number]] = field(default_factory=dict)  # asset -> (bar, haircut)


@dataclass
class Costs:
    """F1 and F2. `maximum_rate` None is no maximum, `maker_rate` None is `rate`."""

    rate: Number = 0
    per_unit: Number = 0
    per_order: Number = 0
    minimum: Number = 0
    maximum_rate: Number | None = None
    maker_rate: Number | None = None
    slippage_bps: Number = 0
    half_spread: Number = 0
    volume_share: Number = 0
    volume_window: int = 20


@dataclass
class Size:
    """S3. `kind`: units, notional, weight, cash, fixed (risk fraction `value`, `most` of equity)."""

    kind: str
    value: Number
    scale: bool = True
    most: Number = Fraction(1, 4)


@dataclass
class Distance:
    """P1. `kind`: pct (a fraction), atr, ticks, price."""

    kind: str
    value: Number


@dataclass
class Stops:
    """P1-P6."""

    hard: Distance | None = None
    trailing: Distance | None = None
    activation: Number | None = None
    take_profit: Distance | None = None
    time_bars: int | None = None
    time_days: int | None = None
    atr_window: int = 14


@dataclass
class Zones:
    """Z1-Z3."""

    boundaries: tuple[Number, ...]
    factors: tuple[Number, ...]
    liquidate_at: Number | None = None
    cooldown_bars: int | None = None
    mark: str = "close"


@dataclass
class Scenario:
    """One run. `inputs` is signals (tuples of four booleans: entry, exit, short entry, short exit), strengths, weights or quantities."""

    bars: Bars
    inputs: str
    rows: list[list[object]]
    costs: Costs
    size: Size
    stops: Stops | None = None
    zones: Zones | None = None
    capital: Number = 1024
    fill: str = "next_open"
    direction: str = "both"
    accumulate: bool = False
    weights_of: str = "net"
    band: Number = 0
    intrabar: str = "pessimistic"
    trade_through: bool = False
    separate: bool = False
    positions: dict[int, tuple[Number, Number]] = field(default_factory=dict)  # asset -> (quantity, price)
    liquidate_at_end: bool = False


@dataclass
class Order:
    """One decision: what it closes and opens, and what became of it."""

    t: int
    asset: int
    reason: str
    priority: Fraction
    close: Fraction
    open: Fraction
    wanted: Fraction | None
    sized_at_fill: Fraction | None = None  # S3 cash: f times the zone's factor
    cash_fraction: Fraction | None = None  # S3 cash: f
    status: str = "pending"
    cut_by: set[str] = field(default_factory=set)
    t_done: int = -1
    filled: Fraction = Fraction(0)
    price: Fraction | None = None


@dataclass
class Fill:
    """One fill and the order behind it; protective exits, delistings and the end have an order record of their own."""

    t: int
    asset: int
    q: Fraction
    price: Fraction
    commission: Fraction
    reason: str
    order: Order


@dataclass
class Trade:
    """From flat to flat, M4 and M7."""

    asset: int
    side: int
    entry_t: int
    exit_t: int
    quantity: Fraction
    entry_price: Fraction
    exit_price: Fraction
    commission: Fraction
    gross: Fraction
    pnl: Fraction
    reason: str
    mae: Fraction | None
    mfe: Fraction | None
    initial_risk: Fraction | None


@dataclass
class Log:
    """What happened. `equity`, `cash` and `zone` are `(T, accounts)`, `positions` is `(T, N)` after the bar.

    `fragile` names comparisons that floats may decide otherwise: nearly equal numbers that binary floats do not hold exactly.
    """

    initial: list[Fraction]
    equity: list[list[Fraction]] = field(default_factory=list)
    cash: list[list[Fraction]] = field(default_factory=list)
    zone: list[list[int]] = field(default_factory=list)
    positions: list[list[Fraction]] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    fragile: list[str] = field(default_factory=list)
