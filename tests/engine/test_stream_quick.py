"""A bar of plain numbers takes a short way through a stream: D1, D3, B1, what it says and what it refuses is that of the long one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from tests.rules.cases import COSTS, IMPACT, STOPS, ZONED
from vecbt.core.codes import InputKind
from vecbt.core.direct import direct
from vecbt.data import NormalBar
from vecbt.engine.strategy import Feed, SteppingFeed
from vecbt.errors import DataError, InputError, StateError, VecbtError

NAN = math.nan
MINUTE = 60_000_000_000
FIRST = 1_704_186_000_000_000_000  # 2024-01-02 09:00 UTC
MARKET = vb.Market(symbols=("X",), bar_ns=MINUTE, time_zone="America/New_York", session_start="09:30", tick=0.25)
CROSS = vb.strategies.SmaCross(2, 5, "both")


def walk(seed: int, count: int) -> list[vb.Bar]:
    """Bars of floats a minute or a night apart, some without a volume."""
    rng = np.random.default_rng(seed)
    close = 40.0 + np.cumsum(rng.normal(0.0, 0.8, count))
    opening = close + rng.normal(0.0, 0.3, count)
    high, low = np.maximum(opening, close) + rng.random(count), np.minimum(opening, close) - rng.random(count)
    times = FIRST + np.cumsum(np.where(rng.random(count) < 0.05, 900, 1)) * MINUTE
    volume = np.where(rng.random(count) < 0.1, -0.0, rng.integers(1, 5000, count))
    rows = zip(times.tolist(), opening.tolist(), high.tolist(), low.tolist(), close.tolist(), volume.tolist(), strict=True)
    return [vb.Bar(*row) for row in rows]


def long_way(bar: vb.Bar) -> NormalBar:
    """The same bar in a form that never goes the short way."""
    return bar.normalized(MARKET)


SETUPS: dict[str, dict[str, Any]] = {
    "plain": {"costs": COSTS},
    "at the close": {"costs": COSTS, "fill": "close", "sizing": vb.Cash(1.0)},
    "stops": {"costs": COSTS, "stops": STOPS, "risk": ZONED},
    "impact": {"costs": IMPACT},
    "inverse volatility": {"costs": COSTS, "sizing": vb.InverseVolatility(window=5)},
    "volume": {"costs": COSTS, "max_participation": 0.1},
    "deposits": {"costs": COSTS, "flows": {"2024-01-03": 500.0}},
}


def stream(source: Any = CROSS, market: vb.Market = MARKET, **keywords: Any) -> vb.Stream:
    return vb.Stream(source, market=market, **{"costs": COSTS, "initial_capital": 10_000.0, **keywords})


def everything(decision: vb.Decision) -> tuple[Any, ...]:
    """What a decision says, as bytes."""
    names = ("accounts", "assets", "orders", "fills", "trades", "book")
    return decision.t, decision.time, *(getattr(decision, name).tobytes() for name in names)


@pytest.mark.parametrize("name", SETUPS)
def test_d1_the_short_way_says_what_the_long_one_says(name: str) -> None:
    short, long = stream(**SETUPS[name]), stream(**SETUPS[name])
    fills = 0
    for bar in walk(1, 300):
        decision = short.update(bar)
        assert everything(decision) == everything(long.update(long_way(bar)))
        fills += len(decision.fills)
    assert short.save() == long.save() and fills > 10


WAYS = st.sampled_from(("short", "long", "rows", "gap", "gone", "refused", "saved"))


@given(st.integers(0, 1000), st.lists(WAYS, min_size=20, max_size=60))
def test_d3_ways_can_be_changed_at_any_bar(seed: int, ways: list[str]) -> None:
    """Bars with and without a market, a delisting, refusals, restarts and both ways in any order; beside it, the long way alone."""
    mixed, long = stream(stops=STOPS), stream(stops=STOPS)
    for way, bar in zip(ways, walk(seed, len(ways)), strict=True):
        if way == "gap":
            bar = vb.Bar(bar.time, NAN, NAN, NAN, NAN)
        elif way == "gone":
            bar = dataclasses.replace(bar, delisted=0.25)
        if way == "refused":
            for wrong in (dataclasses.replace(bar, low=bar.high * 2), dataclasses.replace(bar, volume=-1.0)):
                with pytest.raises(DataError):
                    mixed.update(wrong)
        elif way == "saved":
            mixed = stream(stops=STOPS).restore(mixed.save())
        rows = vb.Bar(bar.time, *(np.array([v]) for v in (bar.open, bar.high, bar.low, bar.close)), bar.volume)
        found = mixed.update(long_way(bar) if way == "long" else rows if way == "rows" else bar)
        assert everything(found) == everything(long.update(long_way(bar)))
    assert mixed.save() == long.save()


# --- rows that the user gives ---------------------------------------------------------------------------------------

GIVEN: dict[type, tuple[Any, ...]] = {
    vb.Weights: (0.5, -0.25, NAN, -0.0, 1, np.float64(0.3), np.array([0.4]), np.array([True]), [0.2], {"X": -0.5}, {}),
    vb.Strengths: (1.0, -1, 0.5, NAN, np.array([-0.5]), np.array([0.25], dtype=np.float32), [None]),
    vb.Quantities: (5, -3.0, 0, NAN, np.array([2.0]), np.int64(4), {"X": 7}),
    vb.Signals: (
        {"entries": True}, {"exits": True}, {"entries": np.array([True]), "exits": False}, {"short_entries": [True]},
        {"short_exits": np.True_, "entries": np.False_}, {"exits": {"X": True}}, {"entries": 1.0},
    ),
}  # fmt: skip
WRONG: dict[type, tuple[Any, ...]] = {
    vb.Weights: (math.inf, np.array([-math.inf]), "half", [0.1, 0.2], {"Y": 0.1}, 2**53 + 1, 10**400),
    vb.Strengths: (1.5, -2, np.array([1.01]), np.float64(-1.5)),
    vb.Quantities: (np.array([math.inf]), [[1.0], [2.0]]),
    vb.Signals: ({"entries": NAN}, {"exits": 2}, {"entries": np.array([NAN])}, {"short_exits": "yes"}),
}


def row_of(kind: type, said: Any) -> Any:
    return kind(**said) if kind is vb.Signals else kind(said)


@pytest.mark.parametrize("kind", GIVEN)
@pytest.mark.parametrize("name", ["plain", "stops", "volume"])
def test_d1_rows_given_say_the_same_on_both_ways(kind: type, name: str) -> None:
    rng = np.random.default_rng(13)
    short, long = stream(kind, **SETUPS[name]), stream(kind, **SETUPS[name])
    fills = 0
    for bar in walk(14, 200):
        row = None if rng.random() < 0.2 else row_of(kind, GIVEN[kind][rng.integers(len(GIVEN[kind]))])
        decision = short.update(bar, row)
        assert everything(decision) == everything(long.update(long_way(bar), row))
        fills += len(decision.fills)
    assert short.save() == long.save() and fills > 10


@pytest.mark.parametrize("kind", WRONG)
def test_s1_a_wrong_row_is_refused_on_both_ways_alike_and_changes_nothing(kind: type) -> None:
    s = stream(kind)
    bars = walk(15, 10)
    for bar in bars[:5]:
        s.update(bar, row_of(kind, GIVEN[kind][0]))
    before = s.save()
    for row in (*(row_of(kind, said) for said in WRONG[kind]), "hold", 0.5, vb.Orders([])):
        said = []
        for bar in (bars[5], long_way(bars[5])):
            with pytest.raises(InputError) as refused:
                s.update(bar, row)
            said.append(str(refused.value))
        assert said[0] == said[1] and s.save() == before
    with pytest.raises(DataError, match="is not later than the last one"):
        s.update(bars[4], row_of(kind, GIVEN[kind][0]))
    honest = stream(kind)
    for bar in bars[:5]:
        honest.update(bar, row_of(kind, GIVEN[kind][0]))
    assert everything(s.update(bars[5])) == everything(honest.update(bars[5]))  # silence, whatever was refused before it


# --- bars -----------------------------------------------------------------------------------------------------------

times = st.sampled_from((FIRST, np.int64(FIRST), "2024-01-02", True))
price = st.sampled_from((0.0, -0.0, 1.0, 1.5, 2.0, -1.0, 1e-300, 1e300, NAN, math.inf, 2, np.float64(1.5), None, "1.5", True))
amount = st.sampled_from((0.0, -0.0, 5.0, -5.0, NAN, math.inf, 5, None, "5", np.float64(5.0)))


@given(price, price, price, price, amount, times, st.sampled_from((None, NAN, 1.0)))
def test_b1_numbers_taken_as_they_are_are_those_of_the_table(o: Any, h: Any, low: Any, c: Any, v: Any, time: Any, split: Any) -> None:
    """What `write_into` takes, the rules of a table take, as the same numbers; what it leaves, it does not touch."""
    bar, memory = vb.Bar(time, o, h, low, c, v, splits=split), np.full(5, -7.0)
    if not bar.write_into(memory.data.cast("B")):
        assert (memory == -7.0).all()
        return
    rows = vb.Bar(time, [o], [h], [low], [c], None if v is None else [v], splits=split).normalized(MARKET)
    assert rows.prices[:, 0].tobytes() == memory.tobytes() and rows.time == time and rows.splits is None


def test_b1_usual_bars_are_taken_as_they_are_and_no_others() -> None:
    memory = np.empty(5).data.cast("B")
    assert all(bar.write_into(memory) for bar in walk(2, 50))
    good = (2.0, 3.0, 1.0, 2.5, 10.0)
    assert vb.Bar(FIRST, *good).write_into(memory)
    for place, values in enumerate(((0.5, 3.5), (1.5, math.inf), (2.2, 0.0, -1.0), (0.5, 3.5), (-1.0, math.inf, NAN))):
        for value in (*values, NAN, "2.0", 2, np.float64(2.0)):
            assert not vb.Bar(FIRST, *good[:place], value, *good[place + 1 :]).write_into(memory), (place, value)


@pytest.mark.parametrize("time", [2**63, 2**70, -(2**63), -(2**70)])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_b1_a_label_that_int64_cannot_hold_is_refused_and_changes_nothing(time: int, after: int) -> None:
    s = stream()
    for bar in walk(3, after):
        s.update(bar)
    before = s.save()
    with pytest.raises(DataError, match=r"the time of the bar is|is not later than the last one"):
        s.update(vb.Bar(time, 1.0, 1.0, 1.0, 1.0))
    assert s.save() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"high": 1.0}, "X"),
        ({"time": FIRST}, "is not later than the last one"),
        ({"time": "soon"}, "soon"),
        ({"splits": 2.0}, "carries splits"),
        ({"volume": -1.0}, "volume"),
        ({"open": "40"}, "X"),
    ],
)
def test_b1_a_wrong_bar_after_right_ones_is_refused_and_changes_nothing(change: dict[str, Any], message: str) -> None:
    s, honest = stream(stops=STOPS), stream(stops=STOPS)
    bars = walk(4, 40)
    for bar in bars[:20]:
        s.update(bar)
        honest.update(bar)
    before = s.save()
    with pytest.raises(DataError, match=message):
        s.update(dataclasses.replace(bars[20], **change))
    with pytest.raises(InputError, match="leave row out"):
        s.update(bars[20], vb.Signals(entries=True))
    assert s.save() == before
    for bar in bars[20:]:
        s.update(bar)
        honest.update(bar)
    assert s.save() == honest.save()


def test_f7_a_bar_without_volume_is_refused_where_it_is_used() -> None:
    s = stream(max_participation=0.1)
    bars = walk(5, 3)
    s.update(bars[0])
    with pytest.raises(DataError, match="has no volume"):
        s.update(dataclasses.replace(bars[1], volume=None))
    s.update(bars[1])


# --- feeds that step ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Nth(vb.Strategy):
    """Holds as many units as the bar's number says, modulo `every`; its feed can step, and may fail."""

    every: int = 3
    fails_at: int = -1

    def rows(self, bars: vb.Bars) -> vb.Quantities:
        return vb.Quantities(np.repeat(np.arange(bars.T, dtype=float)[:, None] % self.every, bars.N, axis=1))

    def feed(self, market: vb.Market) -> Feed:
        return _NthFeed(self, market.N)


class _NthFeed:
    kind = InputKind.QUANTITIES

    def __init__(self, strategy: Nth, assets: int) -> None:
        self.strategy, self.assets, self.count = strategy, assets, 0

    def _next(self) -> float:
        if self.count == self.strategy.fails_at:
            raise ZeroDivisionError("half way")
        self.count += 1
        return float((self.count - 1) % self.strategy.every)

    def update(self, bar: NormalBar) -> vb.Quantities:
        return vb.Quantities(np.full(self.assets, self._next()))

    def stepper(self, prices: np.ndarray, out: np.ndarray) -> Callable[[], object]:
        def step() -> None:
            out[:] = self._next()

        return step

    def save(self) -> bytes:
        return str(self.count).encode()

    def restore(self, data: bytes) -> None:
        self.count = int(data)


@dataclass(frozen=True)
class Plain(Nth):
    """The same without a step."""

    def feed(self, market: vb.Market) -> Feed:
        feed = _NthFeed(self, market.N)
        feed.stepper = None  # type: ignore[assignment, method-assign]
        return feed


def test_feeds_that_step_are_known_by_what_they_have() -> None:
    assert isinstance(CROSS.feed(MARKET), SteppingFeed) and isinstance(Nth().feed(MARKET), SteppingFeed)
    assert not isinstance(vb.strategies.BuyAndHold().feed(MARKET), SteppingFeed) and not isinstance(Plain().feed(MARKET), SteppingFeed)


def test_d1_a_step_of_ones_own_says_what_its_feed_says() -> None:
    stepping, plain = stream(Nth(4)), stream(Plain(4))
    for bar in walk(6, 60):
        assert everything(stepping.update(bar)) == everything(plain.update(bar))


@pytest.mark.parametrize("fails_at", [0, 1, 5])
def test_a_step_that_fails_stops_the_stream_until_it_is_restored(fails_at: int) -> None:
    s = stream(Nth(3, fails_at))
    bars = walk(7, 8)
    for bar in bars[:fails_at]:
        s.update(bar)
    saved = s.save()
    with pytest.raises(ZeroDivisionError, match="half way"):
        s.update(bars[fails_at])
    for _ in range(2):
        with pytest.raises(StateError, match="the strategy failed at"):
            s.update(bars[fails_at + 1])
    with pytest.raises(ZeroDivisionError):
        s.restore(saved).update(bars[fails_at])


def test_keywords_that_do_not_fit_a_feed_that_steps_are_refused_at_its_first_bar() -> None:
    s = stream(Nth(), sizing=vb.Units(1))
    with pytest.raises(VecbtError, match="sizing does not apply to quantities"):
        s.update(walk(8, 1)[0])


# --- what a decision keeps ------------------------------------------------------------------------------------------


def test_a_decision_cannot_be_changed() -> None:
    decision = stream().update(walk(9, 1)[0])
    for name in ("t", "time", "market", "session", "orders", "fills", "accounts", "equity", "something"):
        with pytest.raises(AttributeError):
            setattr(decision, name, 1)
    assert not decision.assets.flags.writeable and decision.assets is decision.assets
    assert repr(decision) == "Decision(t=0, time='2024-01-02 09:01', session='vecbt', symbols=('X',))"


def test_a_decision_keeps_its_bar_when_later_ones_come() -> None:
    s = stream(fill="close")
    bars = walk(10, 120)
    found = [s.update(bar) for bar in bars]
    kept = [everything(decision) for decision in found]
    again = stream(fill="close")
    assert kept == [everything(again.update(bar)) for bar in bars] and len({assets for _, _, _, assets, *_ in kept}) == len(bars)
    assert sum(len(d.fills) for d in found) > 5 and found[-1].equity == s.books.accounts.equity[0]


# --- orders: room for more of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("events", [False, True])
def test_o_more_orders_than_there_was_room_for(events: bool) -> None:
    """The bar in which the room grows keeps its prices, its ATR and its split (T9)."""
    rng = np.random.default_rng(11)
    close = np.round(40.0 + np.cumsum(rng.normal(0.0, 0.5, 40)), 2)
    splits = np.where(np.arange(40) == 20, 2.0, NAN)[:, None] if events else None
    factor = np.where(np.arange(40) >= 20, 2.0, 1.0) if events else 1.0
    fields = [(close + shift) / factor for shift in (0.0, 0.5, -0.5, 0.0)]
    bars = vb.Bars.from_numpy(*(f[:, None] for f in fields), index=FIRST + MINUTE * np.arange(40), symbols=("X",), splits=splits)
    many = [vb.Order(quantity=1.0, type="limit", limit=30.0 + k / 10, tag=k) for k in range(150)]
    orders = {bars.times[t]: [vb.Order(quantity=5.0)] if t < 15 else many for t in (8, 14, 20, 25)}
    stops = vb.Stops(hard=vb.Atr(3.0), atr_window=4)
    report = vb.check_parity(bars, vb.Orders(orders), costs=vb.Costs.free(), stops=stops, leverage=4.0, restarts=5)
    assert report.ok and report.fills > 100, report


# --- compiled calls -------------------------------------------------------------------------------------------------


def test_a_direct_call_is_the_function_itself() -> None:
    from vecbt.indicators.moving import ema_init, ema_run

    close = np.random.default_rng(12).normal(40.0, 1.0, (50, 2))
    close.flags.writeable = False
    outs = []
    for _ in range(2):
        outs.append((*ema_init(2, 5), (close,), np.empty_like(close)))
    ema_run(*outs[0])
    direct(ema_run, *outs[1])(*outs[1])
    assert outs[0][4].tobytes() == outs[1][4].tobytes()
