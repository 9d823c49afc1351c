"""What the reference engine is given and what it returns: plain dataclasses of Python numbers.

Numbers are `Fraction` (an int will do), a missing one is `None`; tables are lists of rows, time first. Nothing here knows vecbt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

__all__ = [
    "Bars", "Bracket", "Costs", "Distance", "Fill", "Limits", "Log", "Order", "Risk", "Scenario", "Size", "Stops", "Trade", "Zones",
]  # fmt: skip

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
    splits: dict[tuple[int, int], Number] = field(default_factory=dict)  # (bar, asset) -> ratio; dividends and funding alike
    dividends: dict[tuple[int, int], Number] = field(default_factory=dict)
    funding: dict[tuple[int, int], Number] = field(default_factory=dict)
    kind: list[str] = field(default_factory=list)  # F12: cash, future, perpetual; none given: cash
    negative: list[bool] = field(default_factory=list)  # prices <= 0 are real
    initial_margin: list[Number] = field(default_factory=list)  # money a unit, 0 or none given: none
    maintenance_margin: list[Number] = field(default_factory=list)


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
    """S3. `kind`: units, notional, weight, cash, fixed, equal, inverse, volatility, kelly, confidence, forecast.

    `value` is the number the kind begins with: a fraction risked, or of equity; kelly_fraction; base_risk_fraction. `most` and `least`
    are the largest and the smallest share of equity, None for none (of `weight` it is `cap`).
    """

    kind: str
    value: Number = 0
    scale: bool = True
    most: Number | None = Fraction(1, 4)
    least: Number | None = None
    cap: Number | None = None
    window: int = 20  # of sigma
    win_rate: Number | None = None  # Kelly: given, or None for those of the account's trades
    avg_win: Number = 0
    avg_loss: Number = 0
    min_trades: int = 30
    start: Number = Fraction(1, 100)
    max_risk: Number = Fraction(1, 50)  # confidence: the risk at 1; forecast: standard deviation a bar
    min_confidence: Number = Fraction(1, 2)
    forecast: Number = Fraction(1, 100)  # `scale` of a forecast: the return a strength of 1 means


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
class Limits:
    """Z7, fractions of equity but for the money of `position_value`; None is off."""

    position: Number | None = None
    position_value: Number | None = None
    gross: Number | None = None
    net: Number | None = None


@dataclass
class Risk:
    """Z4, Z5, Z7, Z9; None is off."""

    daily_loss: Number | None = None
    heat: Number | None = None
    trade_loss: Number | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass
class Bracket:
    """O3: the levels an order brings along; prices, but for the trail, a distance."""

    stop: Number | None = None
    target: Number | None = None
    trail: Distance | None = None


@dataclass
class Scenario:
    """A run. `inputs`: signals (tuples of four booleans: entry, exit, short entry, short exit), strengths, weights, quantities, orders."""

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
    risk: Risk = field(default_factory=Risk)
    leverage: Number = 1
    maintenance: Number = Fraction(1, 4)
    participation: Number | None = None
    participation_rest: str = "queue"
    borrow: dict[int, Number] = field(default_factory=dict)  # T2, asset -> yearly rate
    interest: Number = 0
    flows: dict[int, Number] = field(default_factory=dict)  # F15, bar -> money


@dataclass
class Order:
    """One decision: what it still wants to close and to open, and what became of it."""

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
    number: int = -1  # place in the log
    exit: bool = False  # closes whatever is held when it fills
    at: Fraction = Fraction(0)  # Z5, Z7, Z9: the price new risk is measured at
    first_stop: Fraction | None = None  # and its stop there
    bracket: Bracket | None = None
    paid: Fraction = Fraction(0)  # F2: commission booked so far
    notional: Fraction = Fraction(0)  # and what it was of: money traded, signed by nothing
    rated: Fraction = Fraction(0)  # money traded times its rate
    money: Fraction = Fraction(0)  # sum of quantity times price
    rest: object = None  # section O's own record of it

    @property
    def price(self) -> Fraction | None:
        """The average price of what is filled."""
        return self.money / self.filled if self.filled else None


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
    carry: Fraction = Fraction(0)
    dividends: Fraction = Fraction(0)
    notional: Fraction = Fraction(0)  # money entered


@dataclass
class Log:
    """What happened. `equity`, `cash`, `zone`, `flows` (paid) and `returns` are `(T, accounts)`, `positions` is `(T, N)` after the bar.

    `fragile` names comparisons that floats may decide otherwise: nearly equal numbers that binary floats do not hold exactly.
    """

    initial: list[Fraction]
    equity: list[list[Fraction]] = field(default_factory=list)
    cash: list[list[Fraction]] = field(default_factory=list)
    zone: list[list[int]] = field(default_factory=list)
    positions: list[list[Fraction]] = field(default_factory=list)
    flows: list[list[Fraction]] = field(default_factory=list)
    returns: list[list[Fraction | None]] = field(default_factory=list)
    carry: list[Fraction] = field(default_factory=list)  # sums of each account
    dividends: list[Fraction] = field(default_factory=list)
    fees: list[Fraction] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    fragile: list[str] = field(default_factory=list)
