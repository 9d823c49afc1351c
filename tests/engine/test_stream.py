"""The stream: one bar at a time, nothing changed by what is refused, and saves that only their own session continues (D3, T8, Z3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.rules.cases import COSTS, IMPACT, STOPS, ZONED, flags, random_bars
from tests.rules.helpers import assert_rows, bars_of
from vecbt.errors import ConfigError, DataError, InputError, StateError, StrategyError
from vecbt.indicators.save import header_of, pack, unpack

NAN = np.nan
TWO = bars_of({"A": [10, 11, 12, 13], "B": [20, 21, 22, 23]})
ONE = bars_of([(10, 11, 9, 10, 100), (10, 12, 10, 12, 100), (12, 13, 11, 11, 100), (11, 11, 10, 10, 100)])
DAY = 86_400_000_000_000
FIRST = int(ONE.index[0])


def stream(source: Any = vb.Quantities, bars: vb.Bars = TWO, **keywords: Any) -> vb.Stream:
    return vb.Stream(source, market=bars.market, **{"costs": vb.Costs.free(), "initial_capital": 1000.0, **keywords})


# --- what a decision tells ------------------------------------------------------------------------------------------


def test_a_decision_tells_the_bar_the_books_and_what_waits() -> None:
    """3 of A at 10 and -2 of B at 20 are queued at bar 0, filled at the open of bar 1 (11 and 21)."""
    s = stream(session="desk")
    first = s.update(TWO.row(0), vb.Quantities({"A": 3, "B": -2}))
    assert (first.t, first.time, first.session, first.equity, first.cash, first.zone) == (0, FIRST, "desk", 1000.0, 1000.0, 0)
    assert [(o.asset, o.t, o.wanted, o.status) for o in first.queued] == [(0, 0, 3.0, 0), (1, 0, -2.0, 0)]
    assert first.order_ids() == [f"desk-{FIRST}-A-0", f"desk-{FIRST}-B-1"]
    assert len(first.fills) == len(first.orders) == len(first.trades) == 0
    second = s.update(TWO.row(1))
    assert second.positions.tolist() == [3.0, -2.0]
    assert_rows([(f.t, f.asset, f.q, f.price) for f in second.fills], [(1, 0, 3.0, 11.0), (1, 1, -2.0, 21.0)])
    assert second.cash == 1000 - 33 + 42 and second.equity == 1000.0
    assert len(second.queued) == 0 and second.order_ids() == []
    assert np.isnan(second.stops).all() and np.isnan(second.targets).all()
    assert first.positions.tolist() == [0.0, 0.0]  # a decision is a copy: later bars leave it as it was


def test_a_decision_of_separate_accounts_has_a_number_for_each() -> None:
    s = stream(accounts="separate", risk=ZONED)
    s.update(TWO.row(0), vb.Quantities([50.0, 10.0]))
    decision = s.update(TWO.row(1))
    assert decision.equity.tolist() == [1000.0, 1000.0]  # type: ignore[union-attr]
    assert decision.cash.tolist() == [450.0, 790.0]  # type: ignore[union-attr]
    assert decision.zone.tolist() == [0, 0]


def test_one_asset_may_be_given_in_plain_numbers() -> None:
    """Floats, integers, rows and mappings say the same."""
    states = set()
    for kind in (float, int, lambda v: [v], lambda v: np.array([v])):
        s = stream(bars=ONE)
        for t in range(ONE.T):
            o, h, low, c, v = (kind(field[t, 0]) for field in ONE.block)
            decision = s.update(vb.Bar(FIRST + t * DAY, o, h, low, c, v), vb.Quantities([5.0]))
        states.add(decision.assets.tobytes() + decision.accounts.tobytes())
    assert len(states) == 1


@pytest.mark.parametrize("form", ["int", "text", "datetime64", "datetime", "timestamp"])
def test_times_come_in_any_form(form: str) -> None:
    import pandas as pd

    label = np.datetime64("2024-01-02", "ns")
    time = {
        "int": int(label.astype("i8")),
        "text": "2024-01-02",
        "datetime64": label,
        "datetime": pd.Timestamp(label).to_pydatetime(),
        "timestamp": pd.Timestamp(label),
    }[form]
    assert stream(bars=ONE).update(vb.Bar(time, 10.0, 11.0, 9.0, 10.0, 5.0)).time == FIRST + DAY


@pytest.mark.parametrize(
    "rows",
    [
        [vb.Signals(entries=[True, False]), vb.Signals(exits=[True, False])],
        [vb.Signals(entries={"A": True}), vb.Signals(exits={"A": True})],
        [vb.Strengths([1.0, NAN]), vb.Strengths({"A": 0.0})],
        [vb.Weights([0.5, NAN]), vb.Weights({"A": 0.0})],
        [vb.Quantities({"A": 50.0}), vb.Quantities(np.array([0.0, NAN]))],
    ],
)
def test_s1_rows_of_every_type(rows: list[Any]) -> None:
    """Half of 1,000 is 50 of A at 10: in with bar 0's row, out with bar 1's; B says nothing."""
    s = stream(type(rows[0]))
    decisions = [s.update(TWO.row(t), rows[t] if t < 2 else None) for t in range(3)]
    assert [d.positions[0] for d in decisions] == [0.0, 50.0, 0.0]
    assert all(d.positions[1] == 0.0 for d in decisions)


def test_the_books_and_the_log_are_there_from_the_first_bar_on() -> None:
    s = stream()
    for act in (lambda: s.books, s.close_all, s.reset):
        with pytest.raises(StateError, match="has seen no bar yet"):
            act()
    s.update(TWO.row(0))
    assert s.books.accounts.cash[0] == 1000.0 and s.log.counts.tolist() == [0, 0, 0]


# --- what is refused changes nothing --------------------------------------------------------------------------------

WRONG_BARS: dict[str, tuple[Callable[[int], Any], str]] = {
    "no bar": (lambda time: (time, 1, 2, 3, 4), "bar is tuple; expected a Bar"),
    "high below close": (lambda time: vb.Bar(time, [10, 20], [11, 20], [9, 19], [11.5, 20]), "A"),
    "low above open": (lambda time: vb.Bar(time, [10, 20], [11, 21], [9, 20.5], [10, 21]), "B"),
    "price of zero": (lambda time: vb.Bar(time, [10, 20], [11, 20], [0, 19], [10, 20]), "A"),
    "half a bar": (lambda time: vb.Bar(time, [10, 20], [11, 20], [9, 19], [10, NAN]), "B"),
    "infinite": (lambda time: vb.Bar(time, [10, 20], [np.inf, 20], [9, 19], [10, 20]), "A"),
    "text": (lambda time: vb.Bar(time, ["ten", 20], [11, 20], [9, 19], [10, 20]), "A"),
    "three values for two assets": (lambda time: vb.Bar(time, [10, 20, 30], [11, 20, 30], [9, 19, 30], [10, 20, 30]), "expected 2"),
    "one value for two assets": (lambda time: vb.Bar(time, 10.0, 11.0, 9.0, 10.0), "expected 2"),
    "negative volume": (lambda time: vb.Bar(time, [10, 20], [11, 20], [9, 19], [10, 20], [5, -1]), "B"),
    "the same time again": (lambda time: vb.Bar(time - DAY, [10, 20], [11, 20], [9, 19], [10, 20]), "is not later than the last one"),
    "an earlier time": (lambda time: vb.Bar(time - 9 * DAY, [10, 20], [11, 20], [9, 19], [10, 20]), "is not later than the last one"),
    "no time": (lambda time: vb.Bar("soon", [10, 20], [11, 20], [9, 19], [10, 20]), "soon"),
    "a split": (lambda time: vb.Bar(time, [10, 20], [11, 20], [9, 19], [10, 20], splits=[2, NAN]), "splits"),
    "a dividend": (lambda time: vb.Bar(time, [10, 20], [11, 20], [9, 19], [10, 20], dividends=[1, NAN]), "dividends"),
    "funding": (lambda time: vb.Bar(time, [10, 20], [11, 20], [9, 19], [10, 20], funding=[0.1, NAN]), "funding"),
    "a haircut above 1": (lambda time: vb.Bar(time, [10, 20], [11, 20], [9, 19], [10, 20], delisted=[1.5, NAN]), "delisted"),
}
WRONG_ROWS: dict[str, tuple[Any, str]] = {
    "another type": (vb.Weights([0.1, 0.1]), "row is Weights; this stream was made for Quantities"),
    "a list": ([1.0, 2.0], "row is list; this stream was made for Quantities"),
    "too many": (vb.Quantities([1.0, 2.0, 3.0]), "3 values for one bar; expected 2"),
    "infinite": (vb.Quantities([np.inf, 2.0]), "infinite for A"),
    "unknown symbol": (vb.Quantities({"AA": 1.0}), "names 'AA', which is no symbol; did you mean 'A'"),
    "text": (vb.Quantities(["a", "b"]), "Quantities"),
}


@pytest.mark.parametrize("name", WRONG_BARS)
def test_b1_a_wrong_bar_is_refused_and_changes_nothing(name: str) -> None:
    make, message = WRONG_BARS[name]
    s, honest = stream(stops=STOPS), stream(stops=STOPS)
    for each in (s, honest):
        each.update(TWO.row(0), vb.Quantities([3.0, -2.0]))
    before = s.save()
    with pytest.raises(DataError, match=message):
        s.update(make(FIRST + DAY), vb.Quantities([1.0, 1.0]))
    assert s.save() == before
    for t in range(1, TWO.T):
        s.update(TWO.row(t))
        honest.update(TWO.row(t))
    assert s.save() == honest.save()


@pytest.mark.parametrize("name", WRONG_ROWS)
def test_s1_a_wrong_row_is_refused_and_changes_nothing(name: str) -> None:
    row, message = WRONG_ROWS[name]
    s, honest = stream(stops=STOPS), stream(stops=STOPS)
    for each in (s, honest):
        each.update(TWO.row(0), vb.Quantities([3.0, -2.0]))
    before = s.save()
    with pytest.raises(InputError, match=message):
        s.update(TWO.row(1), row)
    assert s.save() == before
    for t in range(1, TWO.T):
        s.update(TWO.row(t), vb.Quantities([float(t), NAN]))
        honest.update(TWO.row(t), vb.Quantities([float(t), NAN]))
    assert s.save() == honest.save()


def test_d1_after_many_refusals_the_run_is_that_of_the_batch() -> None:
    """At every bar each kind of wrong bar and row is tried first; what comes of the right ones is the batch to the last bit."""
    bars = random_bars(13, T=50)
    keywords: dict[str, Any] = {"costs": IMPACT, "stops": STOPS, "risk": ZONED, "fill": "close"}
    given = flags(bars)
    run = vb.backtest(bars, given, **keywords).run
    s = vb.Stream(vb.Signals, market=bars.market, **keywords)
    for t in range(bars.T):
        good, time = bars.row(t), int(bars.index[t])
        for wrong in (
            vb.Bar(time, [1, 1, 1], [2, 2, 2], [1, 1, 1], [3, 1, 1], [1, 1, 1]),
            vb.Bar(time, [1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]),  # the costs need a volume
            vb.Bar(time - 60 * DAY, [1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]) if t else None,
        ):
            with pytest.raises(DataError):
                s.update(wrong)  # type: ignore[arg-type]
        for row in (vb.Weights([1.0, 1.0, 1.0]), vb.Signals(entries=[True]), vb.Signals(entries=[True, NAN, False])):
            with pytest.raises(InputError):
                s.update(good, row)
        decision = s.update(good, vb.Signals(*(part[t] for part in (given.entries, given.exits, given.short_entries, given.short_exits))))
    assert decision.assets.tobytes() == run.assets.tobytes()
    assert decision.accounts.tobytes() == run.accounts.tobytes()


def test_f1_a_bar_without_volume_is_refused_where_costs_use_it() -> None:
    s = stream(bars=ONE, costs=IMPACT)
    with pytest.raises(DataError, match="has no volume, but volume_share or max_participation use it"):
        s.update(vb.Bar(FIRST, 10.0, 11.0, 9.0, 10.0))
    s.update(vb.Bar(FIRST, 10.0, 11.0, 9.0, 10.0, 5.0))
    s.update(vb.Bar(FIRST + DAY, NAN, NAN, NAN, NAN))  # no market needs no volume


# --- strategies -----------------------------------------------------------------------------------------------------


def failing(bars: vb.Bars) -> vb.Quantities:
    """Holds 1 unit, and fails on the third bar."""
    if bars.T == 3:
        raise ZeroDivisionError("the third bar")
    return vb.Quantities(np.ones(bars.shape))


def test_a_wrong_bar_does_not_reach_the_strategy() -> None:
    seen: list[int] = []

    def look(bars: vb.Bars) -> vb.Quantities:
        seen.append(bars.T)
        return vb.Quantities(np.ones(bars.shape))

    s = stream(look)
    s.update(TWO.row(0))
    with pytest.raises(DataError):
        s.update(vb.Bar(FIRST + DAY, [1, 1], [2, 2], [1, 1], [3, 3]))
    with pytest.raises(InputError, match="this stream has a strategy that decides; leave row out"):
        s.update(TWO.row(1), vb.Quantities([1.0, 1.0]))
    s.update(TWO.row(1))
    assert seen == [1, 2]


def test_a_strategy_that_fails_stops_the_stream_until_it_is_restored() -> None:
    """Its feed may be half way through the bar: going on would be another run."""
    s = stream(failing)
    s.update(TWO.row(0))
    s.update(TWO.row(1))
    saved = s.save()
    with pytest.raises(ZeroDivisionError, match="the third bar"):
        s.update(TWO.row(2))
    for _ in range(2):
        with pytest.raises(StateError, match="the strategy failed at 2024-01-03; make a new Stream and restore the last save"):
            s.update(TWO.row(2))
    assert s.restore(saved) is s
    with pytest.raises(ZeroDivisionError):
        s.update(TWO.row(2))


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (lambda bars: np.ones(bars.shape), StrategyError, "returned ndarray"),
        (lambda bars: vb.Quantities(np.ones((1, 3))), StrategyError, "do not fit its bars"),
        (lambda bars: (vb.Quantities if bars.T == 1 else vb.Weights)(np.ones(bars.shape)), InputError, "weights after quantities"),
    ],
)
def test_what_a_strategy_returns_is_checked(rows: Any, error: type[Exception], message: str) -> None:
    s = stream(rows)
    with pytest.raises(error, match=message):
        for t in range(2):
            s.update(TWO.row(t))
    with pytest.raises(StateError, match="the strategy failed at"):
        s.update(TWO.row(3))


def test_keywords_that_do_not_fit_the_rows_of_a_strategy_are_refused_at_its_first_bar() -> None:
    s = stream(lambda bars: vb.Weights(np.ones(bars.shape)), sizing=vb.Units(1))
    with pytest.raises(ConfigError, match="sizing does not apply to weights"):
        s.update(TWO.row(0))


# --- T8 and Z3 between bars -----------------------------------------------------------------------------------------


def test_t8_close_all_sells_at_the_mark_with_costs_and_cancels_what_waits() -> None:
    """5 of A bought at 11, marked 11: sold at 11 - 0.11 (100 bps); B's order, decided at the last bar, is cancelled."""
    s = stream(costs=vb.Costs(slippage_bps=100))
    s.update(TWO.row(0), vb.Quantities([5.0, NAN]))
    s.update(TWO.row(1), vb.Quantities([NAN, 2.0]))
    decision = s.close_all()
    assert_rows([(f.t, f.asset, f.q, f.price, f.reason) for f in decision.fills], [(1, 0, -5.0, 10.89, 9)])
    assert sorted((o.asset, o.status) for o in decision.orders) == [(0, 1), (1, 5)]
    assert decision.equity == decision.cash == pytest.approx(1000 - 5 * 0.22)
    assert len(decision.queued) == 0 and (decision.t, decision.time) == (1, FIRST + DAY)


def test_t8_a_stream_goes_on_after_close_all() -> None:
    s = stream()
    s.update(TWO.row(0), vb.Quantities([5.0, NAN]))
    s.update(TWO.row(1))
    s.close_all()
    assert len(s.close_all().fills) == 0
    s.update(TWO.row(2), vb.Quantities([NAN, 3.0]))
    assert s.update(TWO.row(3)).positions.tolist() == [0.0, 3.0]


# --- save and restore -----------------------------------------------------------------------------------------------

CROSS = vb.strategies.SmaCross(2, 3)


def walked(source: Any = vb.Quantities, bars: vb.Bars = TWO, count: int = 3, **keywords: Any) -> vb.Stream:
    s = stream(source, bars, **keywords)
    for t in range(count):
        s.update(bars.row(t), vb.Quantities([2.0] * bars.N) if source is vb.Quantities else None)
    return s


def test_d3_a_save_before_the_first_bar_is_a_beginning() -> None:
    for source in (vb.Quantities, CROSS, lambda bars: vb.Quantities(np.ones(bars.shape))):
        fresh = stream(source, stops=STOPS)
        assert stream(source, stops=STOPS).restore(fresh.save()).save() == fresh.save()


@pytest.mark.parametrize(
    ("keywords", "key"),
    [
        ({"stops": STOPS}, "setup"),
        ({"risk": ZONED}, "setup"),
        ({"initial_capital": 1001.0}, "setup"),
        ({"fill": "close"}, "setup"),
        ({"costs": COSTS}, "setup"),
        ({"costs": IMPACT}, "setup"),
        ({"positions": {"A": (1, 10)}}, "setup"),
        ({"session": "other"}, "session"),
        ({"source": vb.Weights}, "strategy"),
        ({"source": CROSS}, "strategy"),
        ({"bars": ONE}, "market"),
        ({"bars": bars_of({"B": [10], "A": [10]})}, "market"),
        ({"bars": bars_of({"A": [10], "B": [10]}, lot=1.0)}, "market"),
        ({"bars": bars_of({"A": [10], "B": [10]}, time_zone="Asia/Tokyo")}, "market"),
    ],
)
def test_d3_the_state_of_another_session_is_refused_and_changes_nothing(keywords: dict[str, Any], key: str) -> None:
    saved = walked().save()
    other = stream(**keywords)
    before = other.save()
    with pytest.raises(StateError, match=f"the saved state has {key} .*; expected .*: restore it where it was saved from"):
        other.restore(saved)
    assert other.save() == before


OTHERS = [vb.strategies.SmaCross(2, 4), vb.strategies.EmaCross(2, 3), vb.strategies.SmaCross(2, 3, "both"), failing]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: getattr(other, "__name__", str(other)))
def test_d3_the_state_of_another_strategy_or_other_parameters_is_refused(other: Any) -> None:
    with pytest.raises(StateError, match="the saved state has strategy"):
        stream(other).restore(walked(CROSS).save())


def test_d3_the_state_of_another_layout_is_refused() -> None:
    data = walked().save()
    header = header_of(data)
    old = data.replace(str(header["schema"]).encode(), b"0" * len(str(header["schema"])), 1)
    assert old != data
    with pytest.raises(StateError, match=r"the saved state has schema '0+'"):
        stream().restore(old)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "no saved state of vecbt"),
        (lambda data: b"\x80\x04pickle", "no saved state of vecbt"),
        (lambda data: json.dumps({"kind": "stream"}).encode(), "no saved state of vecbt"),
        (lambda data: data[:-1], "cut short"),
        (lambda data: data[: len(data) // 2], "cut short"),
        (lambda data: data + b"x", "after the saved state"),
    ],
)
def test_d3_damaged_bytes_are_refused_and_change_nothing(damage: Callable[[bytes], bytes], message: str) -> None:
    s = walked(CROSS, stops=STOPS)
    before = s.save()
    with pytest.raises(StateError, match=message):
        s.restore(damage(before))
    assert s.save() == before


@pytest.mark.parametrize("at", [0.3, 0.6, 0.9])
def test_d3_a_byte_that_was_changed_is_found(at: float) -> None:
    """Anywhere behind the header: a number of the books or of an indicator."""
    data = bytearray(walked(CROSS, count=4, stops=STOPS).save())
    start = data.index(b"\n") + 1
    data[start + int((len(data) - start) * at)] ^= 0x40
    with pytest.raises(StateError):
        stream(CROSS, stops=STOPS).restore(bytes(data))


def test_d3_a_state_whose_strategy_part_does_not_fit_changes_nothing() -> None:
    """Its books are good, the bytes of its feed are not: all or nothing."""
    s = walked(CROSS, count=2)
    before = s.save()
    later = walked(CROSS, count=4).save()
    *parts, feed = unpack(later, {})
    header = {k: v for k, v in header_of(later).items() if k not in ("vecbt", "arrays")}
    with pytest.raises(StateError):
        s.restore(pack(header, *parts, feed[: len(feed) // 2]))
    assert s.save() == before


def test_d3_a_save_is_independent_of_the_stream() -> None:
    s = walked()
    saved = s.save()
    copy = bytes(saved)
    s.update(TWO.row(3), vb.Quantities([0.0, 0.0]))
    assert saved == copy and s.save() != saved


# --- how a stream is made -------------------------------------------------------------------------------------------


def test_wrong_arguments_are_refused_when_it_is_made() -> None:
    market, costs = TWO.market, vb.Costs.free()
    with pytest.raises(ConfigError, match=r"market is Bars; expected a Market, such as bars\.market"):
        vb.Stream(vb.Signals, market=TWO, costs=costs)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown argument 'stop'; did you mean 'stops'"):
        vb.Stream(vb.Signals, market=market, costs=costs, stop=STOPS)
    with pytest.raises(ConfigError, match="costs are missing"):
        vb.Stream(vb.Signals, market=market)
    with pytest.raises(ConfigError, match="sizing does not apply to weights"):
        vb.Stream(vb.Weights, market=market, costs=costs, sizing=vb.Units(1))
    with pytest.raises(StrategyError, match=r"SmaCross is a class; give an object of it, such as SmaCross\(\)"):
        vb.Stream(vb.strategies.SmaCross, market=market, costs=costs)
    with pytest.raises(StrategyError, match="is no strategy"):
        vb.Stream(3, market=market, costs=costs)
    with pytest.raises(ConfigError, match="a stream takes Quantities one row at a time: give the type"):
        vb.Stream(vb.Quantities(np.ones((4, 2))), market=market, costs=costs)


def test_d4_a_market_without_the_length_of_its_bars_is_refused_when_it_is_made() -> None:
    """Sessions (B3) depend on it, and a stream cannot take it from bars to come."""
    with pytest.raises(ConfigError, match="bar_ns"):
        vb.Stream(vb.Quantities, market=vb.Market(symbols=("A",)), costs=vb.Costs.free())
    known = vb.Market(symbols=("A",), bar_ns=DAY)
    assert vb.Stream(vb.Quantities, market=known, costs=vb.Costs.free()).update(vb.Bar(FIRST, 1.0, 1.0, 1.0, 1.0)).t == 0


@dataclass(frozen=True)
class Stepping(vb.Strategy):
    """Its feed counts bars: cheaper than the default one, and the same."""

    every: int = 2

    def rows(self, bars: vb.Bars) -> vb.Quantities:
        wanted = np.full(bars.shape, NAN)
        wanted[:: self.every] = np.arange(0, bars.T, self.every, dtype=float)[:, None]
        return vb.Quantities(wanted)

    def feed(self, market: vb.Market) -> Any:
        return _Counter(self.every, market.N)


class _Counter:
    def __init__(self, every: int, assets: int) -> None:
        self.every, self.assets, self.count = every, assets, 0

    def update(self, bar: Any) -> vb.Quantities:
        value = float(self.count) if self.count % self.every == 0 else NAN
        self.count += 1
        return vb.Quantities(np.full(self.assets, value))

    def save(self) -> bytes:
        return str(self.count).encode()

    def restore(self, data: bytes) -> None:
        self.count = int(data)


def test_d1_a_feed_of_ones_own_streams_and_restores() -> None:
    report = vb.check_parity(random_bars(4, T=40), Stepping(3), costs=COSTS, restarts=40)
    assert report.ok and report.fills > 10, report
