"""S3: a size asked for by hand (`calculate_size`) is the size the simulation takes; its numbers are worked out here."""

from __future__ import annotations

import math
from typing import Any

import pytest

import vecbt as vb
from tests.rules.helpers import NAN, bars_of, run, strengths
from vecbt.errors import ConfigError

BARS = bars_of([100, 100, 100])
ENTRY = vb.Strengths([0.5, float("nan"), float("nan")])


def bought(size: object, **keywords: object) -> float:
    """Units that an entry of strength 1/2 at 100 buys from 10,000."""
    result = vb.backtest(BARS, ENTRY, costs=vb.Costs.free(), sizing=size, initial_capital=10_000.0, **keywords)  # type: ignore[arg-type]
    return float(result.run.fills.q[0])


def test_SIZ04_fixed_fractional_is_capped_by_the_position_before_the_risk_binds() -> None:
    """1 % of 10,000 over a stop 3 away is 33.3 units, 25 % of 10,000 at 100 is 25: the cap binds. 5 away: 20 units."""
    size = vb.FixedFractionalSizing(risk_fraction=0.01, max_position_fraction=0.25)
    assert size.calculate_size(capital=10_000, entry_price=100, stop_loss_price=97) == 25
    assert size.calculate_size(capital=10_000, entry_price=100, stop_loss_price=95) == 20
    assert size.calculate_size(capital=10_000, entry_price=100, stop_loss_price=105) == 20  # a short, stop above
    assert size.calculate_size(capital=0, entry_price=100, stop_loss_price=95) == 0
    with pytest.raises(ConfigError, match="stop_loss_price 100 is the entry price"):
        size.calculate_size(capital=10_000, entry_price=100, stop_loss_price=100)
    assert bought(size, stops=vb.Stops(hard=vb.Price(95))) == 20
    assert bought(size, stops=vb.Stops(hard=vb.Price(97))) == 25


def test_S3_sizes_by_hand_are_those_of_a_run() -> None:
    """10 % of 10,000 at 100 is 10 units, half of it at strength 1/2; 1,500 of money is 15 units."""
    assert vb.Weight(0.1).calculate_size(10_000, 100, strength=-0.5) == bought(vb.Weight(0.1)) == 5
    assert vb.Weight(0.1, scale_by_signal=False).calculate_size(10_000, 100, 0.5) == bought(vb.Weight(0.1, scale_by_signal=False)) == 10
    assert vb.Notional(1_500).calculate_size(10_000, 100) == bought(vb.Notional(1_500)) == 15
    assert vb.Notional(1_500).calculate_size(-1, 100) == 0
    assert vb.Units(7).calculate_size() == bought(vb.Units(7)) == 7
    assert vb.Cash(0.5).calculate_size(10_000, 100) == bought(vb.Cash(0.5)) == 50


def test_S3_SIZ01_a_weight_is_capped_by_max_position() -> None:
    """20 % at strength 1/2 is 10 %: 10 units; a cap of 8 % leaves 8."""
    size = vb.Weight(0.2, max_position=0.08)
    assert size.calculate_size(10_000, 100, strength=0.5) == bought(size) == 8
    assert vb.Weight(0.2, max_position=0.25).calculate_size(10_000, 100, 0.5) == 10


def test_S3_SIZ02_SIZ05_kelly_puts_capital_at_risk_not_notional() -> None:
    """p 0.6, b 3: a quarter of 0.6 - 0.4/3 is 11.67 % of 10,000 at risk; at a stop 3 away 388.9 units, 25 % cap: 25."""
    numbers = {"win_rate": 0.6, "avg_win": 300, "avg_loss": 100}
    free = vb.KellyCriterion(kelly_fraction=0.25, max_position_fraction=100, **numbers)  # type: ignore[arg-type]
    report = free.explain(10_000, 100, 97)
    assert report.risk == pytest.approx(0.25 * (0.6 - 0.4 / 3), rel=1e-14)
    assert report.units == pytest.approx(0.25 * (0.6 - 0.4 / 3) * 10_000 / 3, rel=1e-14)
    assert vb.KellyCriterion().calculate_size(10_000, 100, 97, **numbers) == 25
    capped = vb.KellyCriterion(**numbers)  # type: ignore[arg-type]
    assert bought(capped, stops=vb.Stops(hard=vb.Price(97))) == capped.calculate_size(10_000, 100, 97) == 25
    far = vb.Stops(hard=vb.Price(20))  # 80 away: 1166.67/80 = 14.58 units, no cap
    assert bought(capped, stops=far) == capped.calculate_size(10_000, 100, 20) == pytest.approx(1_166.6666666666667 / 80, rel=1e-14)


def test_S3_kelly_starts_with_a_fixed_risk_while_there_are_too_few_trades() -> None:
    """No closed trade yet: 1 % of 10,000 over 5 is 20 units."""
    size = vb.KellyCriterion(start_fraction=0.01)
    assert size.running
    assert bought(size, stops=vb.Stops(hard=vb.Price(95))) == 20


def test_S3_SIZ06_confidence_is_linear_between_the_two_risks() -> None:
    """0.75 lies 0.2/0.45 of the way from 0.55 to 1: 1.444 % at risk, 14.4 units at a stop 10 away; a run at strength 1/2 uses 0.5."""
    size = vb.ConfidenceBasedSizing(base_risk_fraction=0.01, max_risk_fraction=0.02, min_confidence=0.55)
    assert size.calculate_size(10_000, 100, 90, confidence=0.75) == pytest.approx(10_000 * (0.01 + 0.01 * 0.2 / 0.45) / 10, rel=1e-14)
    assert size.calculate_size(10_000, 100, 90, confidence=0.55) == 10
    assert size.calculate_size(10_000, 100, 90, confidence=1) == 20
    assert size.calculate_size(10_000, 100, 90, confidence=0.5499) == 0
    assert size.calculate_size(10_000, 100, 97, confidence=0.75) == 25  # 48.1 wanted, capped
    low = vb.ConfidenceBasedSizing(min_confidence=0.25)  # 1/2 is a third of the way: 1.333 %
    assert bought(low, stops=vb.Stops(hard=vb.Price(90))) == low.calculate_size(10_000, 100, 90, 0.5) == pytest.approx(40 / 3, rel=1e-14)


def test_S3_SIZ08_equal_weight_is_one_part_of_n() -> None:
    """10,000 in 4 parts at 100: 25 units each; a limit of 20 % leaves 20; a least of 30 % refuses."""
    assert vb.EqualWeight().calculate_size(10_000, 100, assets=4) == 25
    assert vb.EqualWeight(max_position=0.2).calculate_size(10_000, 100, assets=4) == 20
    assert vb.EqualWeight(min_position=0.3).calculate_size(10_000, 100, assets=4) == 0
    assert vb.EqualWeight(max_position=0.4).calculate_size(10_000, 100, assets=1) == bought(vb.EqualWeight(max_position=0.4)) == 40


def test_S3_SIZ08_inverse_volatility_gives_calm_assets_more() -> None:
    """1 % against 2 % and 2 %: 100/(100 + 50 + 50) is a half, 5,000 at 100 is 50 units; the others get 25."""
    size = vb.InverseVolatility()
    assert size.calculate_size(10_000, 100, 0.01, [0.01, 0.02, 0.02]) == 50
    assert size.calculate_size(10_000, 100, 0.02, {"A": 0.01, "B": 0.02, "C": 0.02}) == 25
    assert size.calculate_size(10_000, 100, 0.02, [0.02, 0.0, math.nan]) == 100  # the others are not known
    assert size.calculate_size(10_000, 100, 0.0, [0.0, 0.02]) == 0
    assert size.calculate_size(10_000, 100, math.nan, [math.nan, 0.02]) == 0


def test_S3_SIZ03_volatility_sizing_makes_one_sigma_the_risk() -> None:
    """1 % of 10,000 over 2 % of 100 is 50 units; at most 30 % of equity: 30."""
    assert vb.VolatilitySizing(risk_per_trade=0.01).calculate_size(10_000, 100, volatility=0.02) == 50
    assert vb.VolatilitySizing(risk_per_trade=0.01, max_position=0.3).calculate_size(10_000, 100, 0.02) == 30
    assert vb.VolatilitySizing().calculate_size(10_000, 100, 0.0) == 0
    assert vb.VolatilitySizing().calculate_size(10_000, -100, 0.02) == 50  # |price|
    assert vb.VolatilitySizing().calculate_size(10_000, 0, 0.02) == 0


def test_S3_SIZ09_a_forecast_below_zero_is_a_short_and_none_is_nothing() -> None:
    """A quarter of 0.1 % over 4 %^2 is 15.6 % of equity; the caps are 10 % of equity and 2 % of standard deviation a bar."""
    size = vb.ForecastSizing(max_position_size=1.0)
    assert size.calculate_position_size(prediction=0.001, volatility=0.04, confidence=1.0) == pytest.approx(
        0.25 * 0.001 / 0.0016, rel=1e-14
    )
    assert size.calculate_position_size(-0.001, 0.04, 0.5) == pytest.approx(-0.125 * 0.001 / 0.0016, rel=1e-14)
    assert size.calculate_position_size(0.0, 0.04, 0.9) == 0
    assert size.calculate_position_size(0.01, 0.04, 1.0) == 0.5  # 156 % wanted, 2 % over 4 % allowed
    assert vb.ForecastSizing().calculate_position_size(-0.01, 0.04, 0.6) == -0.1
    assert vb.ForecastSizing().calculate_size(10_000, 100, forecast=-0.01, volatility=0.04, confidence=0.6) == -10
    assert vb.ForecastSizing().calculate_size(10_000, 100, 0.01, 0.0) == 0


def refused_by(size: object, prices: list[Any], strength: list[float], **keywords: Any) -> list[str]:
    """The rules of the orders that a run refused."""
    out = run(bars_of(prices), strengths({"A": strength}), sizing=size, **keywords)
    return [o.cut_by for o in out.orders if o.status == "rejected"]


def test_S3_what_a_size_refuses_is_in_the_log_with_its_rule() -> None:
    flat, up = [100, 100, 100], [100, 101, 102]
    stop = vb.Stops(hard=0.1)
    assert refused_by(vb.ConfidenceBasedSizing(), flat, [0.5], stops=stop) == ["confidence"]
    assert refused_by(vb.VolatilitySizing(), flat, [1]) == ["volatility"]
    assert refused_by(vb.ForecastSizing(), flat, [1]) == ["volatility"]
    assert refused_by(vb.InverseVolatility(), flat, [1]) == ["volatility"]
    assert refused_by(vb.VolatilitySizing(), up, [NAN, 1]) == []
    assert refused_by(vb.EqualWeight(min_position=0.5), flat, [1]) == []
    late = vb.Stops(trailing=0.05, activation=0.02)  # not armed at the entry: no stop to size by
    assert refused_by(vb.FixedFractionalSizing(), flat, [1], stops=late) == ["stop"]


def test_S3_SIZ03_SIZ09_volatility_of_the_bars_up_to_the_decision() -> None:
    """Closes 100, 110, 99: returns 0 (c/o of the first bar), +10 %, -10 %; over a window of 2 sigma is 10 %, over 3 it is sqrt(2/300)."""
    bars = bars_of([100, 110, 99, 99])
    for size, weight in (
        (vb.VolatilitySizing(0.01, window=2), 0.01 / 0.1),
        (vb.VolatilitySizing(0.01, window=3), 0.01 / math.sqrt(0.02 / 3)),
        (vb.ForecastSizing(scale=0.01, kelly_fraction=0.2, window=2, max_position_size=1), 0.2 * 0.5 * 0.01 / 0.01),
        (vb.ForecastSizing(scale=0.1, window=2, max_position_size=1), 0.02 / 0.1),
        (vb.InverseVolatility(window=2, max_position=0.3), 0.3),
    ):
        out = run(bars, strengths({"A": [NAN, NAN, 0.5]}), sizing=size)
        assert out.fills[0].q == pytest.approx(weight * 1_000 / 99, rel=1e-12), size


def test_S3_SIZ08_shares_of_several_assets() -> None:
    """Sigma over 2 bars: A 10 %, B 20 %, C none. Equal parts are thirds; by inverse volatility A gets 2/3, B 1/3."""
    prices = {"A": [100, 110, 99, 99], "B": [100, 120, 96, 96], "C": [100, 100, 100, 100]}
    rows = {"A": [NAN, NAN, 1], "B": [NAN, NAN, 1], "C": [NAN, NAN, 1]}
    equal = run(bars_of(prices), strengths(rows), sizing=vb.EqualWeight())
    assert {f.asset: f.q for f in equal.fills} == pytest.approx({"A": 1_000 / 3 / 99, "B": 1_000 / 3 / 96, "C": 10 / 3})
    inverse = run(bars_of(prices), strengths(rows), sizing=vb.InverseVolatility(window=2))
    assert {f.asset: f.q for f in inverse.fills} == pytest.approx({"A": 2_000 / 3 / 99, "B": 1_000 / 3 / 96})
    assert [(o.asset, o.cut_by) for o in inverse.orders if o.status == "rejected"] == [("C", "volatility")]


def test_S3_SIZ05_kelly_of_the_accounts_closed_trades() -> None:
    """Trades of +10 %, -5 % and +10 %: p 2/3, b 2, f 1/2; half of it is 25 % of equity at risk over a stop 50 away.

    Before, with fewer than three trades, 10 % of equity over that stop. The third trade's pnl counts from the bar in which it ended.
    """
    closes = [100, 100, 110, 100, 95, 100, 110, 100, 100]
    words = [1, 0, 1, 0, 1, 0, 1, NAN, NAN]
    size = vb.KellyCriterion(kelly_fraction=0.5, min_trades=3, start_fraction=0.1, max_position_fraction=10)
    out = run(bars_of(closes), strengths({"A": words}), sizing=size, stops=vb.Stops(hard=vb.Price(50)))
    assert [(t.entry_price, t.exit_price) for t in out.trades] == [(100, 110), (100, 95), (100, 110)]
    asked = [o.wanted for o in out.orders if o.opening > 0]
    equity = out.equity
    assert asked[0] == pytest.approx(0.1 * 1_000 / 50)
    assert asked[1] == pytest.approx(0.1 * equity[2] / 60)  # decided at a close of 110
    assert asked[3] == pytest.approx(0.5 * (2 / 3 - 1 / 3 / 2) * equity[6] / 60)


@pytest.mark.parametrize(
    ("report", "binding", "units"),
    [
        (vb.FixedFractionalSizing().explain(10_000, 100, 97), "max_position_fraction", 25),
        (vb.FixedFractionalSizing().explain(10_000, 100, 95), "risk_fraction", 20),
        (vb.FixedFractionalSizing().explain(0, 100, 95), "capital", 0),
        (vb.KellyCriterion().explain(10_000, 100, 97, 0.3, 100, 100), "rule edge", 0),
        (vb.ConfidenceBasedSizing().explain(10_000, 100, 97, 0.5), "rule confidence", 0),
        (vb.ConfidenceBasedSizing().explain(10_000, 100, 90, 0.55), "confidence", 10),
        (vb.EqualWeight(min_position=0.3).explain(10_000, 100, 4), "rule minimum", 0),
        (vb.EqualWeight(max_position=0.2).explain(10_000, 100, 4), "max_position", 20),
        (vb.EqualWeight().explain(10_000, 100, 4), "1/N", 25),
        (vb.VolatilitySizing().explain(10_000, 100, 0.0), "rule volatility", 0),
        (vb.ForecastSizing().explain(10_000, 100, 0.01, 0.04), "max_position_size", 10),
        (vb.ForecastSizing(max_position_size=1).explain(10_000, 100, 0.01, 0.04), "max_portfolio_risk", 50),
        (vb.ForecastSizing().explain(10_000, 100, 0.0001, 0.04), "kelly_fraction", 10_000 * 0.25 * 0.0001 / 0.0016 / 100),
        (vb.Weight(0.2, max_position=0.1).explain(10_000, 100), "max_position", 10),
        (vb.Notional(100).explain(10_000, 100), "notional", 1),
        (vb.Units(3).explain(10_000, 100), "units", 3),
    ],
)
def test_every_size_says_what_decided(report: vb.SizeReport, binding: str, units: float) -> None:
    assert (report.binding, report.units) == (binding, pytest.approx(units, rel=1e-14))
    assert binding in str(report)


def test_a_report_tells_the_risk_that_is_really_taken() -> None:
    """3 % heat, 1 % risk and a 3 % stop ask for 33 % of equity; the cap of 25 % makes the risk 0.75 %."""
    report = vb.FixedFractionalSizing(0.01, 0.25).explain(10_000, 100, 97)
    assert report.risk == pytest.approx(0.0075)
    assert (report.weight, report.value, report.wanted) == (0.25, 2_500, pytest.approx(100 / 3))
    assert str(report) == "25 units (wanted 33.3333), 25.00% of capital, risk 0.7500%; decided by max_position_fraction"


def test_contracts_count_their_multiplier() -> None:
    """A contract of 50 units: 1 % of 100,000 over 2 points of 50 is 10; 25 % of 100,000 at 100 times 50 is 5."""
    assert vb.FixedFractionalSizing(max_position_fraction=10).calculate_size(100_000, 100, 98, multiplier=50) == 10
    assert vb.FixedFractionalSizing().calculate_size(100_000, 100, 98, multiplier=50) == 5
