"""Section O: orders that wait, from the row that gave them to their end. The engine calls these functions, each at its place in the bar."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .jobs import Job
from .numbers import binary, snapped, tidy
from .position import entry_stop
from .resting_rows import Ask, Cancel, Meeting, Prices, Range, meet, on_grid
from .scenario import Bracket, Order

__all__ = [
    "at_close",
    "at_decision",
    "at_open",
    "cancel",
    "expire",
    "inside",
    "pending",
    "rested",
    "setup",
    "split",
    "waiting",
]

ZERO = Fraction(0)
Engine = Any


@dataclass
class Entry:
    """An order of a row while it waits. Prices are raw, in today's units; `quantity` is what is left, signed."""

    ask: Ask
    order: Order
    quantity: Fraction
    limit: Fraction | None
    stop: Fraction | None
    trail_by: Fraction | None
    w: Fraction | None = None  # O5
    session: int | None = None  # of the first bar with a market it met (DAY)
    triggered: bool = False  # its stop has traded
    reduce_only: bool = False
    spoilt: bool = False  # one of its prices was once a number that floats do not hold
    meeting: Meeting | None = None  # of the bar in which it filled last

    @property
    def side(self) -> int:
        return 1 if self.quantity > 0 else -1

    def look(self) -> None:
        """Remember whether floats hold its prices."""
        self.spoilt |= not all(binary(v) for v in (self.limit, self.stop, self.trail_by, self.w) if v is not None)

    @property
    def market(self) -> bool:
        """A market order, or what a stop that triggered became (F7)."""
        return self.ask.kind == "market" or (self.triggered and self.ask.kind in ("stop", "trailing"))

    @property
    def now_or_never(self) -> bool:
        return self.ask.tif in ("ioc", "fok")


def setup(e: Engine) -> None:
    """No order waits."""
    e.resting = []


def pending(e: Engine, n: int | None = None) -> list[Entry]:
    """What waits, in the order of ids; of one asset, or of all."""
    e.resting = [entry for entry in e.resting if entry.order.status == "pending"]
    return [entry for entry in e.resting if n is None or entry.order.asset == n]


def finish(t: int, entry: Entry, rule: str | None) -> None:
    """Z6, O6: the end of an order that is not filled, or not wholly."""
    order = entry.order
    order.status, order.t_done = ("partial" if order.filled else "cancelled"), t
    if rule is not None:
        order.cut_by.add(rule)


def split(e: Engine, t: int, n: int, k: Fraction) -> None:
    """T1: quantities times `k`, prices divided by it."""
    for entry in pending(e, n):
        order = entry.order
        entry.quantity *= k
        entry.limit, entry.stop, entry.trail_by, entry.w = (
            None if v is None else v / k for v in (entry.limit, entry.stop, entry.trail_by, entry.w)
        )
        entry.look()
        order.close, order.open, order.filled = order.close * k, order.open * k, order.filled * k
        order.wanted = None if order.wanted is None else order.wanted * k
        order.bracket = _divided(order.bracket, k)


def _divided(bracket: Bracket | None, k: Fraction) -> Bracket | None:
    """A bracket's prices; a trail is a fraction and stays."""
    if bracket is None:
        return None
    stop, target = (None if v is None else tidy(Fraction(v) / k) for v in (bracket.stop, bracket.target))
    return Bracket(stop, target, bracket.trail)


def expire(e: Engine, t: int) -> None:
    """T3: DAY orders whose session is over, GTD ones whose time has come."""
    for entry in pending(e):
        day = entry.ask.tif == "day" and entry.session is not None and entry.session != e.bars.session[t]
        late = entry.ask.tif == "gtd" and entry.ask.until is not None and t >= entry.ask.until
        if day or late:
            finish(t, entry, "expired")


def cancel(e: Engine, t: int, n: int, rule: str | None, new_risk_only: bool) -> None:
    """Z3 and F13 (all that may open something), T10 and T8 (everything)."""
    for entry in pending(e, n):
        if not (new_risk_only and entry.reduce_only):
            finish(t, entry, rule)


def parts(e: Engine, entry: Entry) -> tuple[Fraction, Fraction]:
    """O6: what would close and what would open if the order filled alone now."""
    held, q = e.held(entry.order.asset), entry.quantity
    close = ZERO
    if held * q < 0:
        q = entry.side * snapped(abs(q), abs(held))
        close = q if abs(q) <= abs(held) else -held
    return close, ZERO if entry.reduce_only else q - close


def waiting(e: Engine, t: int, n: int) -> list[tuple[Fraction, Fraction, Fraction | None]]:
    """Z5, Z7: what waits: what a market order closes, what would open, and its first stop at the price of now."""
    found = []
    for entry in pending(e, n):
        close, opening = parts(e, entry)
        stop = entry_stop(e.stops, e.price_at(t, n), entry.side, e.terms(t, n), entry.order.bracket)
        found.append((close if entry.market else ZERO, opening, stop))
    return found


# ---- T4, T5 and close fills --------------------------------------------------------------------------------------------------


def at_open(e: Engine, t: int) -> list[Job]:
    """T4: market orders, and the rests of stops that have triggered."""
    return [_market_job(e, t, entry, close=False) for entry in pending(e) if entry.market and _meets(e, t, entry)]


def at_close(e: Engine, t: int) -> list[Job]:
    """O4: with `fill="close"` the market orders of this bar's row; older ones wait for an open."""
    new = [entry for entry in pending(e) if entry.market and entry.order.t == t]
    return [_market_job(e, t, entry, close=True) for entry in new if _meets(e, t, entry)]


def _market_job(e: Engine, t: int, entry: Entry, close: bool) -> Job:
    entry.meeting = Meeting(e.price_at(t, entry.order.asset, close), "open", maker=False)
    return _job(entry)


def _job(entry: Entry) -> Job:
    """An entry on its way to a fill: what it closes and opens is found at its turns."""
    meeting, ask = entry.meeting, entry.ask
    assert meeting is not None
    return Job(
        entry.order,
        meeting.ref,
        maker=meeting.maker,
        inside=meeting.where != "open",
        resolve=True,
        quantity=entry.quantity,
        whole=ask.tif == "fok",
        drop=entry.now_or_never,
        reduce_only=entry.reduce_only,
    )


def _meets(e: Engine, t: int, entry: Entry) -> bool:
    """F8 and O3: there is a market; without volume where volume is used (F7) an order of one moment is over, others wait."""
    n = entry.order.asset
    if not e.valid(t, n):
        return False
    if entry.session is None:
        entry.session = e.bars.session[t]
    if e.can_fill(t, n):
        return True
    if entry.now_or_never:
        entry.order.status, entry.order.t_done = "rejected", t
        entry.order.cut_by.add("volume")
    return False


def inside(e: Engine, t: int) -> None:
    """T5: what the bar triggers is decided by the bar alone and then filled in T5's order; new positions meet what is left of the bar."""
    jobs = []
    resting = [entry for entry in pending(e) if not entry.market]
    for entry in resting:
        if not _meets(e, t, entry):
            continue
        bar = _range(e, t, entry.order.asset)
        bar.spoilt = entry.spoilt and not e.tick[entry.order.asset]  # a grid of ticks mends it
        entry.meeting, stopped = meet(_prices(e, entry), entry.side, bar, entry.now_or_never)
        entry.triggered |= stopped
        if entry.meeting is not None:
            jobs.append(_job(entry))
        elif entry.now_or_never:
            finish(t, entry, "expired")
    e.fill_jobs(t, jobs, "inside")
    for n in range(e.N):
        _expose(e, t, n, jobs)
    for entry in resting:
        _follow(e, t, entry)


def _range(e: Engine, t: int, n: int) -> Range:
    o, h, low, c = (table[t][n] for table in (e.bars.open, e.bars.high, e.bars.low, e.bars.close))
    return Range(o, h, low, c, e.watch, e.scenario.trade_through)


def _prices(e: Engine, entry: Entry) -> Prices:
    """The prices of now: those given, a trail's level (O5), only the limit once a stop has traded."""
    n, s, stop = entry.order.asset, entry.side, entry.stop
    if entry.ask.kind == "trailing":
        stop = None if entry.w is None else entry.w * (1 + s * Fraction(entry.ask.trail or 0)) + s * (entry.trail_by or 0)
    if entry.ask.kind == "stop_limit" and entry.triggered:
        stop = None
    return Prices(*(None if v is None else on_grid(v, e.tick[n], s, e.watch) for v in (entry.limit, stop)))


def _follow(e: Engine, t: int, entry: Entry) -> None:
    """O5: this bar's high (or low) counts from the next bar on."""
    n = entry.order.asset
    if entry.ask.kind != "trailing" or not e.valid(t, n):
        return
    extreme = (e.bars.low if entry.side > 0 else e.bars.high)[t][n]
    if entry.w is None or entry.side * extreme < entry.side * entry.w:
        entry.w = extreme


def _expose(e: Engine, t: int, n: int, jobs: list[Job]) -> None:
    """P8: a position opened in T5 meets what surely follows its entry, and of the rest what counts."""
    position = e.positions[n]
    if position is None or not any(job is position.opened_by for job in jobs):
        return
    job: Any = position.opened_by
    bar, where, s = _range(e, t, n), job.order.rest.meeting.where, position.side
    good, bad = (bar.high, bar.low) if s > 0 else (bar.low, bar.high)
    if where == "open":
        e.expose(t, n, bar.open, good, bad)
        return
    entry, optimistic = job.price, e.scenario.intrabar == "optimistic"
    if where != "stop" and not optimistic:
        good = bar.close if s * bar.close > s * entry else entry
    if where != "limit" and optimistic:
        bad = bar.close if s * bar.close < s * entry else entry
    position.counts = good, bad
    e.expose(t, n, entry, good, bad)


def rested(e: Engine, t: int, job: Job) -> None:
    """F7: what volume did not let fill waits on; what F4 cut is lost."""
    entry: Any = job.order.rest
    entry.quantity = job.side * (abs(job.quantity) - abs(job.closed) - abs(job.opened) - job.lost)


# ---- T7 ----------------------------------------------------------------------------------------------------------------------


def at_decision(e: Engine, t: int, row: list[object]) -> None:
    """O6: cancels first; then the orders of the row, whose new risk is cut together (S5)."""
    for what in row:
        if isinstance(what, Cancel):
            for entry in pending(e, what.asset):
                if what.tag is None or what.tag == entry.ask.tag:
                    finish(t, entry, "cancel")
    new = [_entry(e, t, what) for what in row if isinstance(what, Ask)]
    for entry in new:
        e.enter_log(entry.order)
    alive = [entry for entry in new if entry.order.status == "pending"]
    e.cut_new_risk(t, [entry.order for entry in alive])
    for entry in alive:
        _begin(e, t, entry)


def _entry(e: Engine, t: int, ask: Ask) -> Entry:
    """An order of the row, before any cut; rejected at once where the asset is gone."""
    n, product = ask.asset, e.A[ask.asset]
    q = Fraction(ask.quantity)
    order = Order(t, n, "signal", Fraction(ask.priority), ZERO, ZERO, q)
    limit, stop, trail_by = (None if v is None else tidy(Fraction(v) / product) for v in (ask.limit, ask.stop, ask.trail_by))
    entry = Entry(ask, order, q, limit, stop, trail_by, w=e.mark[n], reduce_only=ask.reduce_only)
    entry.spoilt = not all(binary(Fraction(v)) for v in (ask.limit, ask.stop, ask.trail, ask.trail_by) if v is not None)
    entry.look()
    order.rest, order.bracket = entry, _divided(ask.bracket, product)
    if e.gone(t, n):
        order.status, order.t_done = "rejected", t
        order.cut_by.add("delisted")
        return entry
    order.close, order.open = parts(e, entry)
    order.at = e.mark[n] or ZERO
    order.first_stop = entry_stop(e.stops, order.at, entry.side, e.terms(t, n), order.bracket)
    if order.open and e.no_atr(t, n):
        e.refuse(order, "stop")
    return entry


def _refused(e: Engine, n: int) -> bool:
    """Whether the account takes no new risk at all now; then what reduces is `reduce_only`."""
    risk, zones = e.risk[e.account(n)], e.scenario.zones
    shut = zones is not None and zones.factors[risk.zone] == 0
    return risk.margin or risk.ruined or risk.blocked or risk.halted_at is not None or shut


def _begin(e: Engine, t: int, entry: Entry) -> None:
    """What the cuts left of an order waits; a partial reduction is rounded as the order's opening part is (F5)."""
    order, q = entry.order, Fraction(entry.ask.quantity)
    if order.close and order.close != -e.held(order.asset):
        order.close = q = e.to_lot(order, order.close)
    entry.quantity = q if entry.reduce_only else order.close + order.open
    if order.close and _refused(e, order.asset):
        entry.reduce_only = True
    if entry.quantity == 0:
        order.status, order.t_done = "rejected", t
    else:
        e.resting.append(entry)
