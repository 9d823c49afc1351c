"""D2: no false alarm on strategies that look back only, on real and on random bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import vecbt as vb
from tests.causality.cheats import close_of
from tests.signals.examples import EXAMPLES
from tests.strategies.discovered import TRIED, found
from vecbt.engine.strategy import Strategy
from vecbt.errors import ConfigError

REAL = vb.samples.load("us_daily", symbols=["AAPL", "GOOG"])[950:1300]
"""GOOG begins at bar 173 of these."""
RAW = vb.samples.load("us_daily", symbols=["AAPL", "MSFT"], adjusted=False)[60:260]
"""A split of AAPL lies in them, and dividends may."""
GAPS = vb.synthetic.garch_jumps(T=200, N=3, seed=4, missing=0.1)


def _negative() -> vb.Bars:
    """Prices of a spread, on both sides of zero, without volume."""
    close = np.cumsum(np.random.default_rng(2).standard_normal(150)).round(3)
    times = np.datetime64("2021-01-04", "ns") + np.arange(150) * np.timedelta64(1, "D")
    return vb.Bars.from_numpy(close, close + 1, close - 1, close, index=times, allow_negative=True, periods_per_year=252)


def _hourly() -> vb.Bars:
    """Hours in New York around the night in which its clock is put forward."""
    times = np.datetime64("2024-03-07T05:00", "ns") + np.arange(150) * np.timedelta64(1, "h")
    close = 100 + np.cumsum(np.random.default_rng(3).standard_normal(150)) * 0.1
    labels = pd.DatetimeIndex(times, tz="UTC")
    return vb.Bars.from_numpy(
        close, close + 1, close - 1, close, np.full(150, 1e3), index=labels, time_zone="America/New_York", periods_per_year=6000
    )


BARS = {"real": REAL, "raw": RAW, "gaps": GAPS, "negative": _negative(), "hourly": _hourly()}


def rolling(bars: vb.Bars) -> vb.Signals:
    """A crossing of two rolling means."""
    close = close_of(bars)
    fast, slow = close.rolling(5).mean(), close.rolling(20).mean()
    return vb.Signals(entries=fast > slow, exits=fast < slow)


def ewm(bars: vb.Bars) -> vb.Strengths:
    """The side of an exponential mean, with its size."""
    close = close_of(bars)
    return vb.Strengths(np.tanh(close.diff() / close.diff().ewm(span=20).std()).where(close.notna()))


def expanding(bars: vb.Bars) -> vb.Weights:
    """A z-score over all bars so far."""
    close = close_of(bars).ffill()
    return vb.Weights(((close - close.expanding().mean()) / close.expanding().std()).clip(-3, 3) / 10)


def with_polars(bars: vb.Bars) -> vb.Quantities:
    """The same library for columns of polars."""
    frame = bars.to_polars().select("time", "symbol", pl.col("close").fill_nan(None).forward_fill().over("symbol"))
    return vb.Quantities(frame.select("time", "symbol", (pl.col("close") / pl.col("close").shift(3).over("symbol") - 1).alias("v")))


def limits_below(bars: vb.Bars) -> vb.Orders:
    """A limit order a little below each tenth close."""
    made = []
    for t in range(0, bars.T, 10):
        if bars.close[t, 0] > 0:
            order = vb.Order(symbol=bars.symbols[0], quantity=1, type="limit", limit=float(bars.close[t, 0] * 0.99))
            made.append((int(bars.index[t]), order))
    return vb.Orders(made)


def mondays(bars: vb.Bars) -> vb.Signals:
    """In on Mondays, out on Fridays."""
    day = (bars.session + 3) % 7
    return vb.Signals(*(np.repeat((day == k)[:, None], bars.N, axis=1) for k in (0, 4)))


HONEST = [rolling, ewm, expanding, with_polars, limits_below, mondays]


def _without_arguments() -> list[Strategy]:
    """Every ready-made strategy that can be made so: none names a symbol."""
    made = []
    for kind in found():
        try:
            made.append(kind())
        except (TypeError, ConfigError):  # it must be told symbols or members; those are tried on bars that have them
            continue
    return made


def _passes(strategy: Any, bars: vb.Bars) -> None:
    report = vb.check_strategy(strategy, bars, cuts=25)
    assert report.ok, str(report)
    assert report.finding is None and report.parity is not None and report.parity.ok and report.cuts >= 25
    assert not [line for line in report.checks if line.status == "FAILED"]


def _called(strategy: Any) -> str:
    return getattr(strategy, "name", None) or strategy.__name__


@pytest.mark.slow
@pytest.mark.parametrize("bars", BARS.values(), ids=BARS)
@pytest.mark.parametrize("strategy", [*HONEST, vb.strategies.SmaCross(), vb.strategies.EmaCross()], ids=_called)
def test_d2_no_false_alarm(strategy: Any, bars: vb.Bars) -> None:
    _passes(strategy, bars)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", _without_arguments(), ids=_called)
def test_d2_no_false_alarm_on_any_ready_made_strategy_on_real_bars(strategy: Strategy) -> None:
    _passes(strategy, REAL)


@pytest.mark.parametrize("strategy", [TRIED[kind][-1] for kind in found()], ids=_called)
def test_d2_no_false_alarm_on_any_ready_made_strategy_on_random_bars(strategy: Strategy) -> None:
    _passes(strategy, GAPS)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", EXAMPLES[::2], ids=_called)
def test_d2_no_false_alarm_on_any_signal_on_random_bars(strategy: Strategy) -> None:
    within_the_day = isinstance(strategy, vb.signals.SessionHoursFilter)
    _passes(strategy, BARS["hourly"][:120] if within_the_day else GAPS[:120])


def test_most_ready_made_strategies_need_no_arguments() -> None:
    assert len(_without_arguments()) > 9 and len(found()) > 14


@pytest.mark.parametrize("strategy", [vb.strategies.SmaCross(5, 20), rolling], ids=["SmaCross", "rolling"])
def test_d2_no_false_alarm_at_any_bar(strategy: Any) -> None:
    report = vb.check_strategy(strategy, GAPS, thorough=True)
    assert report.ok and report.thorough and report.cuts == GAPS.T - 1 and report.futures == 5 * (GAPS.T - 1), str(report)
    assert report.parity is not None and report.parity.bars == GAPS.T


def _line(report: vb.StrategyReport, name: str) -> Any:
    return next(line for line in report.checks if line.name == name)


def test_d2_what_hangs_on_the_clock_is_said_and_is_no_failure() -> None:
    report = vb.check_strategy(mondays, REAL)
    line = _line(report, "times shifted")
    assert report.ok and line.status == "note"
    assert line.detail == "depends on time stamps: a day later, rows change from 2003-12-11 on"  # a Thursday
    assert _line(vb.check_strategy(rolling, REAL), "times shifted").status == "ok"


def test_d2_a_strategy_that_breaks_with_other_times_is_reported() -> None:
    def localized(bars: vb.Bars) -> vb.Signals:
        """Fails where a wall clock is shown twice or never."""
        wall = bars.datetime_index.tz_localize(None).tz_localize("America/New_York")
        return vb.Signals(entries=(wall.hour == 9).to_numpy() if hasattr(wall.hour == 9, "to_numpy") else np.asarray(wall.hour == 9))

    bars = _hourly()[:60]  # up to the night before the clock is put forward
    report = vb.check_strategy(localized, bars)
    line = _line(report, "times shifted")
    assert report.ok and line.status == "note" and "a day later it fails: " in line.detail and "2024-03-10" in line.detail


def test_d2_a_check_leaves_the_bars_and_repeats_itself() -> None:
    before = GAPS.content_hash
    one, two = (vb.check_strategy(rolling, GAPS, seed=3) for _ in range(2))
    assert one == two and GAPS.content_hash == before
