"""Sizes: what holds for any numbers, what is refused at construction, and the kernel's refusals bit by bit (S3)."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from vecbt.core.codes import Rule, SizeMethod
from vecbt.core.state import records
from vecbt.errors import ConfigError
from vecbt.risk.sizing import SIZE_FIELDS, SIZINGS, entry_quantity
from vecbt.risk.sizing.kernels import SIZE_PARAMS, STATS

KELLY = vb.KellyCriterion(win_rate=0.5, avg_win=2, avg_loss=1)
EXAMPLES: dict[str, Any] = {
    "Weight": vb.Weight(0.1),
    "Units": vb.Units(3),
    "Notional": vb.Notional(500),
    "Cash": vb.Cash(0.5),
    "FixedFractionalSizing": vb.FixedFractionalSizing(),
    "EqualWeight": vb.EqualWeight(min_position=0.1),
    "InverseVolatility": vb.InverseVolatility(min_position=0.1),
    "VolatilitySizing": vb.VolatilitySizing(),
    "KellyCriterion": KELLY,
    "ConfidenceBasedSizing": vb.ConfidenceBasedSizing(),
    "ForecastSizing": vb.ForecastSizing(),
}

money = st.floats(1.0, 1e9)
price = st.floats(0.01, 1e6)
fraction = st.floats(0.001, 1.0)


def asked(
    size: Any,
    *,
    strength: float = 1.0,
    equity: float = 10_000.0,
    unit_value: float = 100.0,
    unit_risk: float = 5.0,
    sigma: float = 0.02,
    share: float = 0.25,
    trades: tuple[int, int, float, float] = (0, 0, 0.0, 0.0),
) -> tuple[float, int]:
    """The kernel's answer."""
    params, stats = records(SIZE_PARAMS, 1), records(STATS, 1)
    params[0], stats[0] = size.numbers(), trades
    return entry_quantity(params[0], strength, equity, unit_value, unit_risk, sigma, share, stats[0])  # type: ignore[no-any-return]


def test_every_size_has_an_example_and_a_code_of_its_own() -> None:
    assert {c.__name__ for c in SIZINGS} == set(EXAMPLES)
    assert {c.METHOD for c in SIZINGS} == set(SizeMethod)
    assert len(SIZINGS) == len(SizeMethod)


@pytest.mark.parametrize("size", EXAMPLES.values(), ids=EXAMPLES)
def test_a_size_is_a_plain_value(size: Any) -> None:
    """Equal, hashable, a record of numbers; a window where volatility is needed."""
    assert len(size.numbers()) == len(SIZE_FIELDS)
    assert size == type(size)(**{f.name: getattr(size, f.name) for f in dataclasses.fields(size)})
    assert hash(size) == hash(size)
    assert size.needs_sigma == hasattr(size, "window")
    with pytest.raises(AttributeError):
        size.weight = 1


@pytest.mark.parametrize("size", EXAMPLES.values(), ids=EXAMPLES)
@pytest.mark.parametrize("equity", [0.0, -5.0])
def test_S3_without_equity_a_size_is_0_and_no_rule_of_its_own_says_why(size: Any, equity: float) -> None:
    assert asked(size, equity=equity, strength=0.1, unit_risk=math.nan, sigma=0.0) == (0.0, 0)


@pytest.mark.parametrize("size", EXAMPLES.values(), ids=EXAMPLES)
def test_F12_at_a_price_of_0_money_buys_nothing(size: Any) -> None:
    quantity, rule = asked(size, unit_value=0.0)
    if size == vb.Units(3):
        assert (quantity, rule) == (3, 0)
    elif size.at_fill:
        assert math.isnan(quantity)
    else:
        assert (quantity, rule) == (0, 0)


@pytest.mark.parametrize(
    ("size", "changed", "rule"),
    [
        (vb.FixedFractionalSizing(), {"unit_risk": math.nan}, Rule.STOP),
        (vb.FixedFractionalSizing(), {"unit_risk": 0.0}, Rule.STOP),
        (vb.FixedFractionalSizing(), {"unit_risk": -1.0}, Rule.STOP),
        (KELLY, {"unit_risk": -1.0}, Rule.STOP),
        (vb.ConfidenceBasedSizing(), {"unit_risk": math.nan}, Rule.STOP),
        (vb.ConfidenceBasedSizing(), {"strength": 0.549}, Rule.CONFIDENCE),
        (vb.ConfidenceBasedSizing(), {"strength": 0.549, "unit_risk": math.nan}, Rule.CONFIDENCE),
        (vb.KellyCriterion(min_trades=4), {"trades": (1, 3, 0.1, 0.3)}, Rule.EDGE),
        (vb.KellyCriterion(min_trades=4), {"trades": (1, 3, 0.1, 0.3), "unit_risk": math.nan}, Rule.EDGE),
        (vb.VolatilitySizing(), {"sigma": 0.0}, Rule.VOLATILITY),
        (vb.VolatilitySizing(), {"sigma": math.nan}, Rule.VOLATILITY),
        (vb.ForecastSizing(), {"sigma": 0.0}, Rule.VOLATILITY),
        (vb.InverseVolatility(), {"sigma": 0.0, "share": math.nan}, Rule.VOLATILITY),
        (vb.InverseVolatility(), {"share": math.nan}, Rule.VOLATILITY),
        (vb.InverseVolatility(min_position=0.26), {}, Rule.MINIMUM),
        (vb.EqualWeight(min_position=0.26), {}, Rule.MINIMUM),
    ],
)
def test_S3_a_refusal_names_its_rule(size: Any, changed: dict[str, Any], rule: Rule) -> None:
    assert asked(size, **changed) == (0.0, rule)


def test_S3_equal_weight_needs_no_volatility() -> None:
    assert asked(vb.EqualWeight(), sigma=math.nan) == (25.0, 0)


def test_S3_kelly_of_closed_trades() -> None:
    """6 wins of 3 % and 4 losses of 2 %: p 0.6, b 1.5, f 0.6 - 0.4/1.5 = 1/3; a tenth of it, 3.33 % of 10,000, over 5 is 66.7."""
    size = vb.KellyCriterion(kelly_fraction=0.1, min_trades=10, start_fraction=0.02, max_position_fraction=100)
    assert asked(size, trades=(6, 4, 0.18, 0.08)) == (pytest.approx(10_000 / 30 / 5, rel=1e-14), 0)
    start = (0.02 * 10_000 / 5, 0)
    assert asked(size, trades=(5, 4, 0.15, 0.08)) == start  # one trade short
    assert asked(size, trades=(10, 0, 0.3, 0.0)) == start  # no loss
    assert asked(size, trades=(0, 10, 0.0, 0.2)) == start  # no win
    assert asked(size, trades=(8, 2, 0.3, 0.0)) == start  # losses that lost nothing
    assert asked(size, trades=(5, 5, 0.25, 0.25)) == (0.0, Rule.EDGE)  # p 0.5, b 1: p*b = 1 - p
    assert asked(size, trades=(3, 7, 0.36, 0.07))[0] > 0  # wins 30 % of its trades, twelve times what it loses


def test_S3_no_more_confidence_than_full() -> None:
    size = vb.ConfidenceBasedSizing(max_position_fraction=100)
    assert asked(size, strength=3.0) == asked(size, strength=1.0) == (40.0, 0)


@given(equity=money, at=price, stop=st.floats(0.001, 0.9), risk=fraction, cap=st.floats(0.01, 5.0))
def test_S3_neither_the_risk_nor_the_cap_is_exceeded(equity: float, at: float, stop: float, risk: float, cap: float) -> None:
    size = vb.FixedFractionalSizing(risk, cap)
    report = size.explain(equity, at, at * (1 - stop))
    assert report.risk <= risk * (1 + 1e-9) and report.weight <= cap * (1 + 1e-9)
    assert report.risk >= risk * (1 - 1e-9) or report.weight >= cap * (1 - 1e-9)
    assert report.units <= report.wanted
    assert (report.binding == "max_position_fraction") == (report.units < report.wanted)
    assert size.calculate_size(equity, at, at * (1 - stop)) == report.units


@given(low=st.floats(0.0, 1.0), high=st.floats(0.0, 1.0))
def test_S3_more_confidence_never_risks_less(low: float, high: float) -> None:
    size = vb.ConfidenceBasedSizing(max_position_fraction=100)
    low, high = min(low, high), max(low, high)
    less, more = (size.explain(10_000, 100, 95, c) for c in (low, high))
    assert less.units <= more.units
    assert 0.01 * (1 - 1e-12) <= more.risk <= 0.02 * (1 + 1e-12) if high >= 0.55 else more.binding == "rule confidence"


@given(wins=st.floats(0.01, 0.99), payoff=st.floats(0.1, 10.0), risk=fraction)
def test_S3_kelly_risks_at_most_its_part_of_the_formula(wins: float, payoff: float, risk: float) -> None:
    report = vb.KellyCriterion(risk, max_position_fraction=1000).explain(10_000, 100, 90, wins, payoff, 1.0)
    if wins * payoff > 1 - wins:
        assert report.risk == pytest.approx(risk * (wins - (1 - wins) / payoff), rel=1e-6, abs=1e-12)
    else:
        assert (report.units, report.binding) == (0, "rule edge")


@given(forecast=st.floats(-0.5, 0.5), sigma=st.floats(0.0001, 0.5), sure=st.floats(0.0, 1.0), equity=money)
def test_S3_a_forecast_keeps_both_caps_and_its_sign(forecast: float, sigma: float, sure: float, equity: float) -> None:
    size = vb.ForecastSizing()
    weight = size.calculate_position_size(forecast, sigma, sure)
    assert abs(weight) <= 0.1 * (1 + 1e-12) and abs(weight) * sigma <= 0.02 * (1 + 1e-12)
    assert weight * forecast >= 0
    assert abs(size.calculate_size(equity, 50.0, forecast, sigma, sure)) == pytest.approx(abs(weight) * equity / 50.0, rel=1e-9)


@given(sigmas=st.lists(st.floats(0.001, 1.0), min_size=1, max_size=8))
def test_S3_inverse_volatility_shares_the_whole_account(sigmas: list[float]) -> None:
    sizes = [vb.InverseVolatility().calculate_size(1_000, 10, s, sigmas) for s in sigmas]
    assert sum(sizes) == pytest.approx(100, rel=1e-9)
    assert all(a * s == pytest.approx(sizes[0] * sigmas[0], rel=1e-9) for a, s in zip(sizes, sigmas, strict=True))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vb.KellyCriterion(win_rate=0.5, avg_win=1, avg_loss=1), "win_rate 0.5 and avg_win/avg_loss 1 has no edge"),
        (lambda: vb.KellyCriterion(win_rate=0.3, avg_win=2, avg_loss=1), "could never trade"),
        (lambda: vb.KellyCriterion(win_rate=0.6), "takes win_rate, avg_win and avg_loss together"),
        (lambda: vb.KellyCriterion(win_rate=60, avg_win=2, avg_loss=1), "55 % is 0.55"),
        (lambda: vb.KellyCriterion(win_rate=0.6, avg_win=2, avg_loss=-1), "KellyCriterion.avg_loss is -1; expected a mean > 0"),
        (lambda: vb.KellyCriterion(win_rate=0.6, avg_win=2, avg_loss=1, running=True), "but the numbers are given"),
        (lambda: vb.KellyCriterion(running=False), "are not given"),
        (lambda: vb.KellyCriterion(min_trades=0), "KellyCriterion.min_trades is 0; expected a whole number >= 1"),
        (lambda: vb.KellyCriterion(kelly_fraction=25), "KellyCriterion.kelly_fraction is 25"),
        (lambda: vb.KellyCriterion(start_fraction=0), "KellyCriterion.start_fraction is 0"),
        (lambda: vb.KellyCriterion().explain(1, 2, 1), "by hand there are no closed trades"),
        (lambda: vb.KellyCriterion().explain(1, 2, 1, 0.6), "found win_rate=0.6, avg_win=None, avg_loss=None"),
        (lambda: vb.ConfidenceBasedSizing(min_confidence=1), "min_confidence is 1; expected a number from 0 up to, but not 1"),
        (lambda: vb.ConfidenceBasedSizing(0.02, 0.01), "more confidence must not risk less"),
        (lambda: vb.ConfidenceBasedSizing().calculate_size(1, 2, 1, math.nan), "confidence is nan; expected a number from 0 to 1"),
        (lambda: vb.ConfidenceBasedSizing().calculate_size(1, 2, 1, 55), "confidence is 55"),
        (lambda: vb.EqualWeight(max_position=0.1, min_position=0.2), "nothing could be bought"),
        (lambda: vb.EqualWeight(max_position=0), "EqualWeight.max_position is 0; expected a fraction of equity > 0"),
        (lambda: vb.EqualWeight().calculate_size(1, 1, 0), "assets is 0; expected a whole number >= 1"),
        (lambda: vb.InverseVolatility(window=0), "InverseVolatility.window is 0"),
        (lambda: vb.VolatilitySizing(risk_per_trade=1.5), "VolatilitySizing.risk_per_trade is 1.5"),
        (lambda: vb.VolatilitySizing().calculate_size(1, 1, -0.1), "volatility is -0.1; expected a standard deviation >= 0"),
        (lambda: vb.ForecastSizing(scale=0), "ForecastSizing.scale is 0"),
        (lambda: vb.ForecastSizing().calculate_size(1, 1, math.nan, 0.1), "forecast is nan"),
        (lambda: vb.ForecastSizing().calculate_size(1, 1, 0.1, 0.1, 2), "confidence is 2"),
        (lambda: vb.Weight(True), "Weight.weight is True"),
        (lambda: vb.Notional(math.inf), "Notional.notional is inf"),
        (lambda: vb.FixedFractionalSizing().calculate_size("10", 1, 2), "capital is '10'; expected an amount of money"),
        (lambda: vb.FixedFractionalSizing().calculate_size(10, 1, 2, multiplier=0), "multiplier is 0"),
    ],
)
def test_what_cannot_be_a_size_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert message in str(caught.value)


def test_SIZ05_a_least_win_rate_is_accepted_and_said_to_do_nothing() -> None:
    """What refuses is the edge: a system that wins 30 % of its trades four times what it loses trades on."""
    with pytest.warns(UserWarning, match="min_win_rate is not used"):
        size = vb.KellyCriterion(kelly_fraction=0.25, min_win_rate=0.40)
    assert size.calculate_size(10_000, 100, 97, win_rate=0.3, avg_win=400, avg_loss=100) > 0
