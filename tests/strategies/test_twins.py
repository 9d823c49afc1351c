"""Each ready-made strategy says what its slow twin says, and what a bar worked out by hand asks for."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.naive import strategies as naive
from tests.strategies.discovered import GAPPY
from vecbt.data.bars import Bars
from vecbt.engine.strategy import Strategy, evaluate
from vecbt.strategies import (
    BollingerReversion,
    DonchianBreakout,
    HybridPortfolio,
    MacdCross,
    MACrossoverPortfolio,
    MomentumRotation,
    PairsReversion,
    RsiReversion,
    SmaCross,
    SupertrendFollow,
    VolatilityTargetedTrend,
)
from vecbt.strategies.schedule import begins_of
from vecbt.strategies.stances import stance_next

pytestmark = pytest.mark.interpreted

DIRECTIONS = ("long", "short", "both")
DAY = 86_400_000_000_000


def flags_of(strategy: Strategy, bars: Bars) -> np.ndarray:
    said = evaluate(strategy, bars).flags
    assert said is not None and said.any(), "a test in which nothing is said proves nothing"
    return said


def values_of(strategy: Strategy, bars: Bars) -> np.ndarray:
    said = evaluate(strategy, bars).values
    assert said is not None and not np.isnan(said).all(), "a test in which nothing is said proves nothing"
    return said


def plain(column: Any) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in column]


def numbers(said: list[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in said], dtype=float)


def daily(*closes: float, names: str = "A") -> Bars:
    prices = np.array(closes, dtype=float).reshape(-1, len(names))
    return Bars.from_numpy(prices, prices, prices, prices, index=np.arange(len(prices)) * DAY, symbols=list(names), missing="no_market")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_macd_and_supertrend_turn_where_their_lines_do(direction: str) -> None:
    lines = vb.indicators.macd(GAPPY, 3, 6, 4)
    trend = vb.indicators.supertrend(GAPPY, 5, 1.0).direction
    for n in range(GAPPY.N):
        expected = naive.turns(plain(lines.macd[:, n]), plain(lines.signal[:, n]), direction)
        np.testing.assert_array_equal(flags_of(MacdCross(3, 6, 4, direction), GAPPY)[:, n], expected)
        expected = naive.turns(plain(trend[:, n]), [0.0] * GAPPY.T, direction)
        np.testing.assert_array_equal(flags_of(SupertrendFollow(5, 1.0, direction), GAPPY)[:, n], expected)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_reversion_trades_where_levels_are_crossed(direction: str) -> None:
    rsi = vb.indicators.rsi(GAPPY, 5)
    percent = vb.indicators.bollinger(GAPPY, 10, 1.5).percent
    for n in range(GAPPY.N):
        expected = naive.fades(plain(rsi[:, n]), 30, 45, 65, direction)
        np.testing.assert_array_equal(flags_of(RsiReversion(5, 30, 45, 65, direction), GAPPY)[:, n], expected)
        expected = naive.fades(plain(percent[:, n]), 0, 0.5, 1, direction)
        np.testing.assert_array_equal(flags_of(BollingerReversion(10, 1.5, direction), GAPPY)[:, n], expected)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(("entry", "leave"), [(10, 5), (1, 1), (4, 9)])
def test_donchian_breaks_the_channel_of_the_bars_before(entry: int, leave: int, direction: str) -> None:
    said = flags_of(DonchianBreakout(entry, leave, direction), GAPPY)
    for n in range(GAPPY.N):
        columns = [plain(field[:, n]) for field in (GAPPY.high, GAPPY.low, GAPPY.close)]
        np.testing.assert_array_equal(said[:, n], naive.channel(*columns, entry, leave, direction))


def test_a_close_at_the_channel_is_no_breakout_and_its_own_bar_does_not_count() -> None:
    said = flags_of(DonchianBreakout(2, 1, "long"), daily(5, 6, 6, 7, 7, 6, np.nan, 8))
    # 6 and 7 at the high of before: nothing; 7 above 6, 8 above 7: in; 6 below the low of the bar before: out
    assert said[:, 0].tolist() == [0, 0, 0, 1, 0, 2, 0, 1]


@pytest.mark.parametrize("inertia", [0.0, 0.1, 0.5])
def test_volatility_target_follows_sign_and_size(inertia: float) -> None:
    said = values_of(VolatilityTargetedTrend(10, 0.2, 0.9, 252, 0.8, 1.0, inertia), GAPPY)
    halved = values_of(VolatilityTargetedTrend(10, 0.2, 0.9, 252, 0.8, 0.5, inertia), GAPPY)
    for n in range(GAPPY.N):
        expected = numbers(naive.targeted(plain(GAPPY.close[:, n]), 10, 0.2, 0.9, 252, 0.8, inertia))
        np.testing.assert_allclose(said[:, n], expected, rtol=1e-9)
    np.testing.assert_array_equal(halved, said / 2)
    only_long = values_of(VolatilityTargetedTrend(10, 0.2, 0.9, 252, 0.8, 1.0, 0.0, "long"), GAPPY)
    both = values_of(VolatilityTargetedTrend(10, 0.2, 0.9, 252, 0.8, 1.0, 0.0), GAPPY)
    said_of_long = ~np.isnan(only_long)
    np.testing.assert_array_equal(only_long[said_of_long], np.maximum(both[said_of_long], 0.0))
    assert (np.nan_to_num(values_of(VolatilityTargetedTrend(10, direction="short"), GAPPY)) <= 0.0).all()


def test_a_price_that_does_not_move_has_no_volatility_to_aim_at() -> None:
    bars = daily(*[1.0] * 30)
    assert np.isnan(evaluate(VolatilityTargetedTrend(5, decay=0.5), bars).values).all()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "strategy",
    [
        MomentumRotation(5, 2, "week"),
        MomentumRotation(8, 1, "bar", 3, True),
        MomentumRotation(3, 5, "day"),
        MomentumRotation(12, 2, "month", 1),
    ],
    ids=repr,
)
def test_pfm05_rotation_holds_the_best_of_those_that_trade(strategy: MomentumRotation) -> None:
    """PFM-05."""
    closes = [plain(GAPPY.close[:, n]) for n in range(GAPPY.N)]
    begins = begins_of(GAPPY.session, strategy.every).tolist()
    rows = naive.rotated(closes, begins, strategy.lookback, strategy.skip, strategy.top_n, strategy.absolute)
    np.testing.assert_array_equal(values_of(strategy, GAPPY), [numbers(row) for row in rows])


def test_pfm05_equal_returns_go_by_order_and_unfilled_places_stay_cash() -> None:
    bars = daily(1, 1, 1, 2, 2, 1, names="ABC")  # A and B doubled, C stayed
    last = values_of(MomentumRotation(1, 1, "bar"), bars)[-1]
    assert last.tolist() == [1.0, 0.0, 0.0]
    last = values_of(MomentumRotation(1, 4, "bar", absolute=True), bars)[-1]
    assert last.tolist() == [0.25, 0.25, 0.0]


@pytest.mark.parametrize(("window", "entry", "leave"), [(10, 1.0, 0.25), (20, 1.5, 0.0), (5, 0.5, 0.4)])
def test_pairs_fade_the_ratio(window: int, entry: float, leave: float) -> None:
    said = values_of(PairsReversion("S2", "S0", window, entry, leave, 0.4), GAPPY)
    sides = numbers(naive.paired(plain(GAPPY.close[:, 2]), plain(GAPPY.close[:, 0]), window, entry, leave))
    assert {-1.0, 0.0, 1.0} <= set(sides[~np.isnan(sides)].tolist())
    np.testing.assert_array_equal(said[:, 2], 0.4 * sides)
    np.testing.assert_array_equal(said[:, 0], -0.4 * sides)
    assert np.isnan(said[:, 1]).all()


def test_f11_s2_a_stance_is_what_flags_would_hold() -> None:
    for held, flags in itertools.product((-1.0, 0.0, 1.0), range(16)):
        begin = {-1.0: 4, 0.0: 0, 1.0: 1}[held]
        assert stance_next(held, flags) == naive.stances([begin, flags], [True, True])[-1], (held, flags)


def test_f11_s2_a_stance_is_what_an_account_without_stops_holds() -> None:
    flags = np.random.default_rng(5).integers(0, 16, size=(GAPPY.T, 1)).astype(np.uint8)
    bars = GAPPY.select(["S0"])
    parts = [(flags & (1 << bit)) != 0 for bit in range(4)]
    held = vb.backtest(bars, vb.Signals(*parts), costs=vb.Costs.free(), sizing=vb.Weight(0.1), fill="close").positions.to_numpy()[:, 0]
    present = ~np.isnan(bars.close[:, 0])
    expected = np.array(naive.stances(flags[:, 0].tolist(), present.tolist()))
    np.testing.assert_array_equal(np.sign(held), expected)


def test_pfm08_a_target_is_the_share_times_the_weighted_mean_of_the_stances() -> None:
    slow, quick = SmaCross(5, 13, "both"), RsiReversion(4, 35, 50, 65, "both")
    strategies = {"S1": {"a": slow, "b": {"strategy": quick, "weight": 3.0}}, "S0": slow}
    said = values_of(HybridPortfolio(("S1", "S0"), strategies, {"S0": 0.25, "S1": 0.5}), GAPPY)
    for n, share, members in ((1, 0.5, ((slow, 1.0), (quick, 3.0))), (0, 0.25, ((slow, 1.0),))):
        present = (~np.isnan(GAPPY.close[:, n])).tolist()
        stances = [np.array(naive.stances(flags_of(s, GAPPY)[:, n].tolist(), present)) * w for s, w in members]
        wanted = share * sum(stances) / sum(w for _, w in members)
        changed = np.diff(wanted, prepend=0.0) != 0
        np.testing.assert_allclose(said[:, n], np.where(changed, wanted, np.nan), rtol=1e-15)
    assert np.isnan(said[:, 2]).all()


def test_pfm08_strengths_are_stances_already() -> None:
    @vb.strategy
    def strength(bars: Bars) -> vb.Strengths:
        return vb.Strengths(np.where(np.arange(bars.T) % 3 == 0, np.arange(bars.T) / 10 - 0.5, np.nan).reshape(-1, 1))

    said = values_of(HybridPortfolio(("A",), {"A": strength()}, {"A": 0.5}), daily(*range(1, 11)))
    expected = [-0.25, np.nan, np.nan, -0.1, np.nan, np.nan, 0.05, np.nan, np.nan, 0.2]
    np.testing.assert_allclose(said[:, 0], expected, rtol=1e-12)


def test_pfm08_a_portfolio_of_crosses_holds_what_each_cross_holds_alone() -> None:
    bars = vb.samples.load("us_daily", symbols=["AAPL", "MSFT"])[:260]
    portfolio = MACrossoverPortfolio(("MSFT", "AAPL"), {"MSFT": SmaCross(5, 20), "AAPL": SmaCross(10, 30)}, {"AAPL": 0.3, "MSFT": 0.4})
    held = vb.backtest(bars, portfolio, costs=vb.Costs.free()).positions.to_numpy() != 0
    for n, cross in ((0, SmaCross(10, 30)), (1, SmaCross(5, 20))):
        alone = vb.backtest(bars.select([bars.symbols[n]]), cross, costs=vb.Costs.free(), sizing=vb.Weight(0.5))
        np.testing.assert_array_equal(held[:, n], alone.positions.to_numpy()[:, 0] != 0)
        assert held[:, n].any()
