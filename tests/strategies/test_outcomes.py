"""What each ready-made strategy earns on the bundled prices, pinned, each under an id of its own that never changes; and parity of each.

A number here changes only when a strategy, an indicator or the engine says something else than before: that is a change of behaviour,
which the changelog must tell.
"""

from __future__ import annotations

from typing import Any

import pytest

import vecbt as vb
from tests.strategies.discovered import ALL, GAPPY, found, late
from vecbt.data.bars import Bars
from vecbt.engine.strategy import Strategy
from vecbt.strategies import (
    BollingerReversion,
    BuyAndHold,
    DonchianBreakout,
    EmaCross,
    FixedWeights,
    HybridPortfolio,
    MacdCross,
    MACrossover,
    MACrossoverPortfolio,
    MomentumRotation,
    MultiStrategyPortfolio,
    PairsReversion,
    PerSymbol,
    RsiReversion,
    SmaCross,
    SupertrendFollow,
    VolatilityTargetedTrend,
)

COSTS = vb.Costs(commission_rate=0.0005, slippage_bps=2)
STOCKS = ("AAPL", "IBM", "MSFT")
_MIXED = {"AAPL": "SmaCross", "IBM": {"RsiReversion": {"weight": 3.0}, "MacdCross": None}, "MSFT": "DonchianBreakout"}

OUTCOMES: dict[str, tuple[Strategy, tuple[float, float, int]]] = {
    "STR-01": (BuyAndHold(), (4.5380994554, 0.640775914502, 0)),
    "STR-02": (FixedWeights(every="month"), (3.12732893028, 0.620773609158, 0)),
    "STR-03": (SmaCross(), (2.06539335657, 0.517191413357, 62)),
    "STR-04": (EmaCross(), (2.64572620646, 0.468625534812, 59)),
    "STR-05": (MacdCross(), (2.55079726755, 0.309882792998, 361)),
    "STR-06": (RsiReversion(), (-0.0457856580531, 0.216761944491, 49)),
    "STR-07": (BollingerReversion(), (0.023020351697, 0.458035266968, 159)),
    "STR-08": (DonchianBreakout(), (3.60577028813, 0.2026688965, 146)),
    "STR-09": (SupertrendFollow(), (1.81034997527, 0.372866027157, 138)),
    "STR-10": (VolatilityTargetedTrend(share=1 / 3), (0.474529062524, 0.204834610772, 218)),
    "STR-11": (MomentumRotation(top_n=1), (5.49083736129, 0.728685913598, 40)),
    "STR-12": (PairsReversion("IBM", "MSFT"), (0.188717993399, 0.388845503321, 120)),
    "STR-13": (
        PerSymbol({"AAPL": SmaCross(10, 50), "IBM": RsiReversion(), "MSFT": EmaCross(50, 200)}),
        (1.39723080117, 0.379152603433, 74),
    ),
    "STR-14": (MACrossoverPortfolio(STOCKS), (2.0661641957, 0.517105901839, 62)),
    "STR-15": (HybridPortfolio(STOCKS, _MIXED), (2.89584576513, 0.302978720705, 179)),
    "STR-16": (MultiStrategyPortfolio(STOCKS, _MIXED, {"AAPL": 0.4, "IBM": 0.3, "MSFT": 0.3}), (3.61741751865, 0.329701686079, 179)),
    "STR-17": (RsiReversion(direction="both"), (-0.690048793427, 0.763806329287, 126)),
    "STR-18": (DonchianBreakout(55, 20, "both"), (1.03611306932, 0.465661556504, 132)),
    "STR-19": (MACrossover(20, 100), (2.06539335657, 0.517191413357, 62)),
}
"""Id to strategy, and total return, maximum drawdown, closed trades."""


@pytest.fixture(scope="module")
def bars() -> Bars:
    """Daily bars of three stocks, thirteen years."""
    return vb.samples.load("us_daily", symbols=list(STOCKS))


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_outcome_on_bundled_prices_is_as_it_was(name: str, bars: Bars) -> None:
    strategy, (total, drawdown, trades) = OUTCOMES[name]
    result = vb.backtest(bars, strategy, costs=COSTS, audit=True)
    stats = result.stats()
    assert (stats["total_return"], stats["max_drawdown"]) == pytest.approx((total, drawdown), rel=1e-9)
    assert stats["trades"] == trades


def test_every_ready_made_strategy_has_a_pinned_outcome() -> None:
    assert {type(strategy) for strategy, _ in OUTCOMES.values()} == set(found())


@pytest.mark.parametrize("name", OUTCOMES)
def test_d1_parity_holds_on_bundled_prices(name: str, bars: Bars) -> None:
    certificate = vb.check_parity(bars[:400], OUTCOMES[name][0], costs=COSTS)
    assert certificate.ok, certificate


SETTINGS: list[dict[str, Any]] = [
    {"costs": COSTS},
    {"costs": COSTS, "stops": vb.Stops(hard=vb.Pct(4), trailing=vb.Pct(6)), "accounts": "separate"},
]


def _one_of_a_kind() -> list[Any]:
    """Every example; all but the last of its kind in `make check` only."""
    last = {type(strategy): strategy for strategy in ALL}
    return [s if s is last[type(s)] else pytest.param(s, marks=pytest.mark.slow) for s in ALL]


@pytest.mark.parametrize("strategy", _one_of_a_kind(), ids=repr)
def test_d1_d3_parity_holds_on_bars_with_gaps(strategy: Strategy) -> None:
    for settings in SETTINGS:
        certificate = vb.check_parity(late(GAPPY), strategy, **settings)
        assert certificate.ok, certificate
