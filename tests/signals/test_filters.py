"""SIG-06: what each filter lets through, by hand and against slow, obvious twins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.signals.examples import SIGNALS, numbers
from vecbt.engine.strategy import Strategy, evaluate
from vecbt.errors import ConfigError
from vecbt.indicators import Indicator
from vecbt.signals import (
    CooldownFilter,
    MinimumHoldFilter,
    RegimeFilter,
    SessionHoursFilter,
    SmoothingFilter,
    ThresholdFilter,
    VolatilityFilter,
)

pytestmark = pytest.mark.interpreted

NAN = np.nan


@dataclass(frozen=True)
class Says(Strategy):
    """Strengths that were written down."""

    words: tuple[float, ...]

    def rows(self, bars: vb.Bars) -> vb.Strengths:
        """One after the other."""
        return vb.Strengths(np.repeat(np.array(self.words)[: bars.T, None], bars.N, axis=1))


def bars_of(close: Any, hours: int = 1, start: str = "2024-03-04T00:00") -> vb.Bars:
    """Bars of one asset, `hours` apart."""
    close = np.asarray(close, dtype=float)
    index = np.datetime64(start, "ns") + np.arange(len(close)) * np.timedelta64(hours, "h")
    return vb.Bars.from_numpy(close, close, close, close, index=index, symbols=["A"], periods_per_year=252, missing="no_market")


def through(make: Any, words: Any, close: Any = None, **more: Any) -> list[float]:
    """What a filter makes of the words."""
    bars = bars_of([100.0] * len(words) if close is None else close, **more)
    return [float(v) for v in numbers(evaluate(make(Says(tuple(words))), bars))[:, 0]]


def test_sig06_threshold() -> None:
    """SIG-06: |strength| of at least the threshold."""
    said = through(lambda m: ThresholdFilter(m, 0.5), [0.5, 0.49, -0.5, -0.2, NAN, 1.0, 0.0])
    np.testing.assert_array_equal(said, [0.5, 0, -0.5, 0, 0, 1.0, 0])  # a silent bar keeps what was said before


def test_sig06_smoothing() -> None:
    """SIG-06: the mean of what the member stands for, silent bars included."""
    said = through(lambda m: SmoothingFilter(m, 3), [1.0, NAN, 0.0, 0.0, -1.0])
    np.testing.assert_allclose(said, [NAN, NAN, 2 / 3, 1 / 3, -1 / 3])
    span = through(lambda m: SmoothingFilter(m, 3, "ema"), [1.0, 1.0, -0.5, 0.0])
    np.testing.assert_allclose(span, [NAN, NAN, 0.5, 0.25])


def test_sig06_cooldown() -> None:
    """SIG-06: two bars without a side after one is left; a reversal leaves first."""
    words = [1.0, 0.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -0.5, 0.2]
    said = through(lambda m: CooldownFilter(m, 2), words)
    np.testing.assert_array_equal(said, [1, 0, 0, 0, 1, 0, 0, 0, -0.5, 0])


def test_sig06_minimum_hold() -> None:
    """SIG-06: a side stays three bars, with the strength it had."""
    words = [0.5, 0.0, -1.0, -1.0, 1.0, -0.7, 0.0, 0.0, 0.0]
    said = through(lambda m: MinimumHoldFilter(m, 3), words)
    np.testing.assert_array_equal(said, [0.5, 0.5, 0.5, -1, -1, -0.7, 0, 0, 0])


def test_sig06_bars_without_a_market_do_not_count() -> None:
    """SIG-06, F8"""
    close = [100.0, 100, NAN, NAN, 100, 100, 100]
    said = through(lambda m: CooldownFilter(m, 2), [1.0, 0, 1, 1, 1, 1, 1], close)
    np.testing.assert_array_equal(said, [1, 0, NAN, NAN, 0, 0, 1])
    held = through(lambda m: MinimumHoldFilter(m, 3), [1.0, 0, 0, 0, 0, 0, 0], close)
    np.testing.assert_array_equal(held, [1, 1, NAN, NAN, 1, 0, 0])


def test_sig06_session_hours() -> None:
    """SIG-06: by the label of the bar on the wall clock of the market, over midnight too."""
    words = [1.0] * 6
    inside = through(lambda m: SessionHoursFilter(m, "02:00", "05:00"), words)
    np.testing.assert_array_equal(inside, [0, 0, 1, 1, 1, 0])
    kept = through(lambda m: SessionHoursFilter(m, "22:00", "02:00", outside="keep"), words, start="2024-03-04T21:00")
    np.testing.assert_array_equal(kept, [NAN, 1, 1, 1, 1, NAN])
    close = np.full(6, 100.0)
    index = np.datetime64("2024-03-04T12:00", "ns") + np.arange(6) * np.timedelta64(1, "h")
    bars = vb.Bars.from_numpy(close, close, close, close, index=index, symbols=["A"], periods_per_year=252, time_zone="America/New_York")
    member = SessionHoursFilter(Says(tuple(words)), "09:30", "16:00")
    clock = [(int(t // 3_600_000_000_000) - 5) % 24 for t in bars.index]
    np.testing.assert_array_equal(numbers(evaluate(member, bars))[:, 0], [float(10 <= hour < 16) for hour in clock])


def test_sig06_session_hours_need_hours() -> None:
    """SIG-06"""
    with pytest.raises(ConfigError, match="needs bars shorter than a day"):
        through(lambda m: SessionHoursFilter(m), [1.0] * 4, hours=24)
    with pytest.raises(ConfigError, match=r"SessionHoursFilter\.start is '9:30'; expected a wall clock such as '09:30'"):
        SessionHoursFilter(SIGNALS, "9:30")
    with pytest.raises(ConfigError, match="expected two different times"):
        SessionHoursFilter(SIGNALS, "09:30", "09:30")


def test_sig06_regime_by_an_indicator() -> None:
    """SIG-06: bounds of its value, or the side of the price; no value, no regime."""
    close = [10.0, 10, 10, 13, 14, 9, 8, 8]
    words = [1.0] * 4 + [-1.0] * 4
    by_price = through(lambda m: RegimeFilter(m, "sma 2", of_price=True), words, close)
    np.testing.assert_array_equal(by_price, [0, 0, 0, 1, 0, -1, -1, 0])
    by_value = through(lambda m: RegimeFilter(m, Indicator("sma", 2), above=10.0, below=11.5), words, close)
    np.testing.assert_array_equal(by_value, [0, 1, 1, 1, 0, -1, 0, 0])
    kept = through(lambda m: RegimeFilter(m, "sma 2", below=10.0, outside="keep"), words, close)
    np.testing.assert_array_equal(kept, [NAN, 1, 1, NAN, NAN, NAN, -1, -1])


def test_sig06_volatility() -> None:
    """SIG-06: withheld above or below a range, or shrunk above it, by sigma per bar."""
    close = np.array([100.0, 101, 102, 103, 80, 120, 121, 122, 122, 122])
    sigma = vb.indicators.close_sigma(bars_of(close), 2)[:, 0]
    words = [1.0] * 10
    blocked = through(lambda m: VolatilityFilter(m, 0.05, 0.002, 2), words, close)
    np.testing.assert_array_equal(blocked, ((sigma >= 0.002) & (sigma <= 0.05)).astype(float))
    assert 0 < sum(blocked) < 10
    shrunk = through(lambda m: VolatilityFilter(m, 0.05, 0.0, 2, "shrink"), words, close)
    np.testing.assert_allclose(shrunk, np.minimum(1.0, 0.05 / np.maximum(sigma, 1e-12)))
    assert min(shrunk) < 0.3 and max(shrunk) == 1.0


def test_sig06_filters_can_be_put_into_each_other_and_traded() -> None:
    """SIG-06: fewer trades, and none outside."""
    rng = np.random.default_rng(3)
    bars = bars_of(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 300))))
    plain = vb.backtest(bars, SIGNALS, costs=vb.Costs.free())
    held = vb.backtest(bars, MinimumHoldFilter(CooldownFilter(SIGNALS, 5), 10), costs=vb.Costs.free())
    assert 0 < len(held.trades) < len(plain.trades)
    # decided at a close and filled at the next open: ten bars of the side are ten bars held, the last trade aside
    assert min(held.run.trades.exit_t[:-1] - held.run.trades.entry_t[:-1]) >= 10


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ThresholdFilter("sma", 0.5), "ThresholdFilter.member is 'sma'; expected a strategy"),  # type: ignore[arg-type]
        (lambda: ThresholdFilter(SIGNALS, 1.5), "ThresholdFilter.threshold is 1.5; expected a number from 0 to 1"),
        (lambda: CooldownFilter(SIGNALS, 0), "CooldownFilter.bars is 0; expected a whole number of at least 1"),
        (lambda: RegimeFilter(SIGNALS, "smaa 20", of_price=True), "there is no indicator 'smaa'"),
        (lambda: RegimeFilter(SIGNALS, "sma twenty", of_price=True), "expected a name and its numbers"),
        (lambda: RegimeFilter(SIGNALS, "sma 20"), "expected bounds with above <= below, or of_price=True"),
        (lambda: RegimeFilter(SIGNALS, "sma 20", above=2.0, below=1.0), "expected bounds with above <= below"),
        (lambda: RegimeFilter(SIGNALS, "sma 20", above=float("nan")), "expected finite numbers"),
        (lambda: RegimeFilter(SIGNALS, "sma 20", above=1.0, output="upper"), "it has one output: leave output out"),
        (lambda: RegimeFilter(SIGNALS, 20, above=1.0), "indicator is 20; expected an Indicator"),  # type: ignore[arg-type]
        (lambda: VolatilityFilter(SIGNALS, 0.01, 0.02), "expected min_volatility < max_volatility"),
        (lambda: SmoothingFilter(SIGNALS, 3, "wma"), "SmoothingFilter.method is 'wma'; expected one of 'sma', 'ema'"),
        (lambda: evaluate(CooldownFilter(vb.strategies.FixedWeights()), bars_of([1.0, 2.0])), "gives weights; expected signals or"),
    ],
)
def test_sig06_parameters_that_may_not_be_are_refused(make: Any, message: str) -> None:
    """SIG-06"""
    with pytest.raises(ConfigError, match=message):
        make()


def test_members_that_are_functions_are_strategies_too() -> None:
    """SIG-06: a plain function is filtered as any other."""

    def rising(bars: vb.Bars) -> vb.Signals:
        close = bars.close[:, 0]
        up = np.r_[False, close[1:] > close[:-1]]
        return vb.Signals(entries=up, exits=~up)

    said = numbers(evaluate(MinimumHoldFilter(rising, 2), bars_of([1.0, 2, 1, 1, 2, 3, 2])))[:, 0]  # type: ignore[arg-type]
    np.testing.assert_array_equal(said, [0, 1, 1, 0, 1, 1, 0])


def test_the_side_that_booleans_leave_behind_is_the_one_the_engine_holds() -> None:
    """S2: standing of random flags against positions of a run that fills at the close."""
    rng = np.random.default_rng(8)
    bars = bars_of(100 + rng.normal(0, 1, 400))
    flags = rng.random((4, 400)) < 0.15
    signals = vb.Signals(entries=flags[0], exits=flags[1], short_entries=flags[2], short_exits=flags[3])

    def given(_: vb.Bars) -> vb.Signals:
        return signals

    side = numbers(evaluate(ThresholdFilter(given, 0.5), bars))[:, 0]  # type: ignore[arg-type]
    held = vb.backtest(bars, signals, costs=vb.Costs.free(), fill="close", sizing=vb.Units(1)).positions["A"].to_numpy()
    np.testing.assert_array_equal(side, np.sign(held))
