"""`Schedule`: strategies that follow each other at labels, in batch, bar by bar, and from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from vecbt.data.bars import Bars
from vecbt.engine.event_strategy import EventStrategy
from vecbt.engine.inputs import EXIT_LONG, EXIT_SHORT
from vecbt.engine.strategy import evaluate
from vecbt.errors import ConfigError, StateError, StrategyError

FREE = vb.Costs.free()
Cross = vb.strategies.SmaCross


def some_bars(count: int = 120, assets: int = 2, seed: int = 3, gaps: bool = False) -> Bars:
    """Days of some assets; with gaps, bars without a market."""
    random = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(random.normal(0.0, 0.02, (count, assets)), axis=0))
    if gaps:
        close[random.random(close.shape) < 0.2] = np.nan
    days = np.datetime64("2020-01-01") + np.arange(count)
    fields = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    return Bars.from_numpy(**fields, index=days, symbols=[f"S{n}" for n in range(assets)], missing="no_market" if gaps else "error")


@dataclass(frozen=True)
class Tilt(vb.Strategy):
    """A weight that hangs on the last move, of the default feed."""

    much: float = 0.5

    def rows(self, bars: Bars) -> vb.Weights:
        """More where the price rose."""
        moved = np.diff(bars.close, axis=0, prepend=np.nan)
        return vb.Weights(np.where(np.isnan(moved), np.nan, np.where(moved > 0, self.much, self.much / 4)) / bars.N)


def hold(bars: Bars) -> vb.Signals:
    """Always long."""
    return vb.Signals(entries=np.ones(bars.shape, dtype=bool))


def members(kind: str) -> list[Any]:
    """Some of one kind of input, the third like the first."""
    if kind == "signals":
        return [Cross(3, 8, "both"), Cross(2, 5, "both"), Cross(3, 8, "both")]
    if kind == "strengths":
        make = vb.signals.TechnicalSignalGenerator
        return [make(indicator="ema", fast_period=f, slow_period=8, signal_scale=20.0) for f in (3, 4, 3)]
    return [Tilt(0.5), Tilt(0.9), Tilt(0.5)]


@pytest.mark.parametrize("kind", ["signals", "strengths", "weights"])
@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize("gaps", [True, False])
def test_opt02_a_schedule_streams_restores_and_passes_the_check(kind: str, flatten: bool, gaps: bool) -> None:
    bars = some_bars(gaps=gaps)
    schedule = vb.Schedule.of(bars, members(kind), bars.index[[20, 50, 80]], flatten=flatten)
    later = bars[20:]
    parity = vb.check_parity(later, schedule, costs=FREE, restarts=6)
    assert parity.ok, parity.difference
    assert parity.fills > 3
    if not gaps:
        report = vb.check_strategy(schedule, later, cuts=4)
        assert report.ok, str(report)


@pytest.mark.parametrize("kind", ["signals", "strengths", "weights"])
def test_each_fold_is_a_slice_of_its_member_which_began_at_the_first_bar(kind: str) -> None:
    bars = some_bars()
    found = vb.Schedule.of(bars, members(kind), bars.index[[20, 50, 80]], flatten=False)
    parts = [evaluate(member, bars) for member in members(kind)]
    whole, later = evaluate(found, bars), evaluate(found, bars[20:])
    for part, first, stop in zip(parts, (20, 50, 80), (50, 80, 120), strict=True):
        for name in ("flags", "values"):
            rows = getattr(part, name)
            if rows is not None:
                np.testing.assert_array_equal(getattr(whole, name)[first:stop], rows[first:stop])
                np.testing.assert_array_equal(getattr(later, name)[first - 20 : stop - 20], rows[first:stop])
    silent = whole.flags if whole.values is None else np.nan_to_num(whole.values)
    assert silent is not None
    assert not silent[:20].any()


def test_flattened_joins_hold_nothing_after_the_open_and_carried_ones_do() -> None:
    bars = some_bars(assets=1)
    always = [hold, Cross(2, 5)]
    starts = bars.index[[10, 60]]
    flat, carried = (vb.backtest(bars[10:], vb.Schedule.of(bars, always, starts, flatten=f), costs=FREE) for f in (True, False))
    held = [found.positions.to_numpy()[50, 0] for found in (flat, carried)]  # the close of the first bar of the second member
    assert held[0] == 0.0
    assert held[1] > 0.0
    assert flat.run.inputs.flags is not None
    assert flat.run.inputs.flags[49, 0] == EXIT_LONG | EXIT_SHORT


@pytest.mark.interpreted
def test_between_equal_members_nothing_is_closed() -> None:
    bars = some_bars()
    same = vb.Schedule.of(bars, [Cross(3, 8), Cross(3, 8)], bars.index[[20, 60]])
    assert same.closes == ()
    once = vb.Schedule.of(bars, [Cross(3, 8)], bars.index[[20]])
    np.testing.assert_array_equal(evaluate(same, bars[20:]).flags, evaluate(once, bars[20:]).flags)


def test_an_asset_without_a_market_at_the_join_is_closed_at_its_next_bar() -> None:
    bars = some_bars(assets=2)
    closes = bars.close.copy()
    closes[58:63, 1] = np.nan
    gap = Bars.from_numpy(closes, closes, closes, closes, index=bars.times, symbols=bars.symbols, missing="no_market")
    schedule = vb.Schedule.of(gap, [hold, Cross(2, 5)], gap.index[[10, 60]])
    positions = vb.backtest(gap[10:], schedule, costs=FREE).positions.to_numpy()
    assert positions[50, 0] == 0.0
    assert positions[53, 1] != 0.0
    assert positions[54, 1] == 0.0
    assert vb.check_parity(gap[10:], schedule, costs=FREE, restarts=20).ok


@pytest.mark.interpreted
def test_splits_before_the_first_bar_do_not_break_prices() -> None:
    count, at = 80, 15
    price = np.where(np.arange(count) < at, 100.0, 50.0) * np.exp(np.sin(np.arange(count) / 4.0) / 10.0)
    days = np.datetime64("2021-01-01") + np.arange(count)
    ratio = {"S": {days[at]: 2.0}}
    bars = Bars.from_numpy(price, price * 1.01, price * 0.99, price, index=days, symbols=["S"], splits=ratio)
    schedule = vb.Schedule.of(bars, [Cross(3, 8, "both")], bars.index[[20]])
    np.testing.assert_array_equal(evaluate(schedule, bars[20:]).flags, evaluate(Cross(3, 8, "both"), bars).flags[20:])  # type: ignore[index]


def test_it_is_saved_with_its_members_and_verified(tmp_path: Path) -> None:
    bars = some_bars()
    schedule = vb.Schedule.of(bars, members("signals"), bars.index[[20, 50, 80]])
    vb.backtest(bars[20:], schedule, costs=FREE).save(tmp_path / "run")
    report = vb.verify(tmp_path / "run")
    assert report.ok, str(report)
    assert report.strategy_checked
    assert "before_prices=float64 (5, 20, 2)" in str(report)


def test_equal_schedules_are_equal_and_others_are_not() -> None:
    bars = some_bars()
    one, same = (vb.Schedule.of(bars, members("signals"), bars.index[[20, 50, 80]]) for _ in range(2))
    other = vb.Schedule.of(bars, members("signals"), bars.index[[21, 50, 80]])
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    saved = one.feed(bars.market).save()
    with pytest.raises(StateError, match="strategy"):
        other.feed(bars.market).restore(saved)


def test_what_cannot_be_a_member_is_refused_at_the_start() -> None:
    bars = some_bars()

    class Event(EventStrategy):
        """Sees the account."""

        def init(self) -> None:
            """Nothing."""

        def next(self) -> None:
            """Nothing."""

    with pytest.raises(StrategyError, match="sees the account"):
        vb.Schedule([Event()], [bars.times[0]])
    with pytest.raises(ConfigError, match="expected a strategy"):
        vb.Schedule([3], [bars.times[0]])
    with pytest.raises(ConfigError, match="at least one strategy"):
        vb.Schedule([], [])
    with pytest.raises(ConfigError, match="one label for each"):
        vb.Schedule([Cross()], [bars.times[0], bars.times[1]])
    with pytest.raises(ConfigError, match="times that increase"):
        vb.Schedule([Cross(), Cross()], [bars.times[1], bars.times[0]])
    with pytest.raises(ConfigError, match="after the last bar"):
        vb.Schedule.of(bars, [Cross()], ["2031-01-01"])
    with pytest.raises(ConfigError, match="expected a date"):
        vb.Schedule([Cross()], ["soon"])
    with pytest.raises(ConfigError, match="together"):
        vb.Schedule([Cross()], ["2020-01-01"], before_prices=np.ones((5, 2, 1)))
    with pytest.raises(ConfigError, match=r"expected \(5, L, N\)"):
        vb.Schedule([Cross()], ["2020-01-01"], before_prices=np.ones((4, 2, 1)), before_times=np.arange(2))


def test_members_of_two_kinds_or_with_orders_are_refused_when_they_speak() -> None:
    bars = some_bars()
    with pytest.raises(StrategyError, match="one kind"):
        vb.backtest(bars, vb.Schedule([Cross(2, 5), Tilt()], bars.index[[0, 20]]), costs=FREE)

    def asks(of: Bars) -> vb.Orders:
        return vb.Orders({})

    with pytest.raises(StrategyError, match="gives orders"):
        vb.backtest(bars, vb.Schedule([asks], bars.index[[0]]), costs=FREE)
    short = vb.Schedule.of(bars, [Cross(2, 5)], bars.index[[20]])
    with pytest.raises(StrategyError, match="of 2 assets"):
        vb.backtest(bars.select(["S0"])[20:], short, costs=FREE)
