"""Aggregators: standard signals, averages, volatility, portfolios, the factory; as functions of words and as strategies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.signals.examples import MIXED, SIGNALS, STRENGTHS, Loud, gappy_bars, numbers
from vecbt.engine.strategy import evaluate
from vecbt.errors import ConfigError, InputError
from vecbt.signals import (
    BaseAggregationConfig,
    BaseAggregator,
    PortfolioAggregationConfig,
    PortfolioSignalAggregator,
    StrategySignal,
    VolatilityAdjustedAggregator,
    VolatilityConfig,
    WeightedAverageAggregator,
    WeightedAverageConfig,
    create_aggregator,
    register_aggregator,
)

BARS = gappy_bars(80)
WORDS = {"ma_crossover": 1.0, "random_forest": -0.5, "rsi": 0.0}
WEIGHTS = {"ma_crossover": 0.5, "random_forest": 0.3, "rsi": 0.2}


def standing(member: Any, bars: vb.Bars = BARS) -> np.ndarray:
    """What a member stands for (T, N); NaN before its first word and on bars without a market."""
    out = numbers(evaluate(vb.signals.ThresholdFilter(member, 0.0), bars))
    return out


def test_ens07_the_documents_example_is_0_35() -> None:
    """ENS-07: the weighted average of the document's signals with its weights; weights are made to add up to 1."""
    aggregator = WeightedAverageAggregator(config=WeightedAverageConfig(by_confidence=False))
    assert aggregator.aggregate_signals(WORDS, WEIGHTS) == pytest.approx(0.35)
    assert aggregator.aggregate_signals(WORDS, {k: 10 * w for k, w in WEIGHTS.items()}) == pytest.approx(0.35)
    assert aggregator.aggregate_signals(WORDS) == pytest.approx(0.5 / 3)
    assert aggregator.aggregate_signals({**WORDS, "new": math.nan}) == pytest.approx(0.5 / 3)
    assert math.isnan(aggregator.aggregate_signals({"a": math.nan}))


def test_ens07_the_base_is_abstract_and_a_subclass_needs_only_to_combine() -> None:
    """ENS-07: standard form in, standard form out."""
    with pytest.raises(TypeError, match="abstract"):
        BaseAggregator()  # type: ignore[abstract]

    class Strongest(BaseAggregator):
        """The loudest word wins."""

        def combine(self, said: Any, sure: Any, weights: Any) -> Any:
            return np.where(np.isnan(said), 0.0, said).max(axis=0) * 3.0

    assert Strongest().aggregate_signals(WORDS) == 1.0  # cut to [-1, 1]
    found = numbers(evaluate(Strongest([Loud(), SIGNALS]), BARS))
    assert np.nanmax(found) == 1.0
    assert isinstance(Strongest().config, BaseAggregationConfig)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda a: a.aggregate_signals({"a": 1.5}), InputError, "signal is 1.5; expected a number from -1 to 1"),
        (lambda a: a.aggregate_signals({}), InputError, "with at least one"),
        (lambda a: a.aggregate_signals({"a": "perhaps"}), InputError, "signal is 'perhaps'"),
        (lambda a: a.aggregate_signals(WORDS, {"rsi": -1.0}), ConfigError, r"weights\['rsi'\] is -1.0; expected a finite number of at"),
        (lambda a: a.aggregate_signals(WORDS, {"rsy": 1.0}), ConfigError, "weights names 'rsy', which is no member; did you mean 'rsi'"),
        (lambda a: a.rows(BARS), ConfigError, "has no members, so it is no strategy"),
        (lambda _: WeightedAverageAggregator(MIXED, VolatilityConfig()), ConfigError, "expected WeightedAverageConfig"),
        (lambda _: WeightedAverageAggregator(MIXED, WeightedAverageConfig(weights={"x": 1})), ConfigError, "names 'x', which is no member"),
        (lambda _: WeightedAverageConfig(method="mean"), ConfigError, "expected 'average' or 'probability'"),
        (lambda _: WeightedAverageConfig(min_strength=2.0), ConfigError, "min_strength is 2.0; expected a number from 0 to 1"),
        (lambda _: VolatilityConfig(target_volatility=0.0), ConfigError, "target_volatility is 0.0"),
        (lambda _: VolatilityConfig(window=0), ConfigError, "window is 0"),
        (lambda _: PortfolioAggregationConfig(top_n=0), ConfigError, "top_n is 0; expected a whole number of at least 1"),
        (lambda _: evaluate(WeightedAverageAggregator(MIXED), BARS), ConfigError, "member 'sma' .* no confidence; use WeightedAverage"),
    ],
)
def test_ens07_what_may_not_be_is_refused(act: Any, error: type[Exception], message: str) -> None:
    """ENS-07"""
    with pytest.raises(error, match=message):
        act(WeightedAverageAggregator())


def test_ens08_weights_are_multiplied_by_confidence() -> None:
    """ENS-08: numbers and words, with and without a confidence of their own."""
    aggregator = WeightedAverageAggregator()
    signals = {"AAPL": StrategySignal(1.0, 0.8), "MSFT": StrategySignal(-0.5, 0.6)}
    assert aggregator.aggregate_signals(signals) == pytest.approx((0.8 - 0.3) / 1.4)
    assert aggregator.aggregate_signals({"a": "buy", "b": "sell", "c": "BUY"}) == pytest.approx(1 / 3)
    assert aggregator.aggregate_signals({"a": 1.0, "b": -0.5}) == pytest.approx((1 - 0.25) / 1.5)  # as sure as they are large
    absent = {"a": StrategySignal(1.0), "b": StrategySignal(-0.5, 0.1)}
    assert aggregator.aggregate_signals(absent) == pytest.approx(-0.5)  # C9: no confidence, no part
    assert math.isnan(aggregator.aggregate_signals({"a": StrategySignal("buy")}))


def test_ens08_probabilities_are_pooled() -> None:
    """ENS-08: the mean of each source's probability that the price rises."""
    aggregator = create_aggregator("weighted_average", method="probability")
    signals = {"a": StrategySignal("buy", 0.8), "b": StrategySignal("sell", 0.6), "c": StrategySignal("hold", 0.9)}
    assert aggregator.aggregate_signals(signals) == pytest.approx(2 * (0.8 + 0.4 + 0.5) / 3 - 1)
    assert aggregator.aggregate_signals(signals, {"a": 1.0}) == pytest.approx(0.6)


def test_ens08_as_a_strategy_it_averages_what_the_members_stand_for() -> None:
    """ENS-08, ENS-07: absent members are left out."""
    weights = np.array([0.5, 0.0, 0.5])
    said = np.stack([standing(member) for member in MIXED.values()])
    config = WeightedAverageConfig(by_confidence=False, weights={"sma": 1, "graded": 1})
    found = numbers(evaluate(WeightedAverageAggregator(MIXED, config), BARS))
    with np.errstate(invalid="ignore"):
        there = np.where(np.isnan(said), 0.0, weights[:, None, None])
        expected = (np.nan_to_num(said) * there).sum(axis=0) / there.sum(axis=0)
    present = ~np.isnan(BARS.close)
    np.testing.assert_allclose(found[present], expected[present])


def test_ens10_signals_shrink_in_high_volatility() -> None:
    """ENS-10: target over sigma above the target, never more than 1, never less than min_scale."""
    config = VolatilityConfig(window=6, target_volatility=0.01, min_scale=0.2)
    aggregator = VolatilityAdjustedAggregator({"a": Loud(), "b": STRENGTHS}, config)
    found = numbers(evaluate(aggregator, BARS))
    plain = numbers(evaluate(WeightedAverageAggregator({"a": Loud(), "b": STRENGTHS}, WeightedAverageConfig(by_confidence=False)), BARS))
    sigma = vb.indicators.close_sigma(BARS, 6)
    scale = np.maximum(np.minimum(1.0, 0.01 / np.maximum(sigma, 1e-300)), 0.2)
    np.testing.assert_allclose(found, plain * scale)
    assert {0.2, 1.0} <= set(np.round(scale[~np.isnan(scale)], 12)) or (scale[~np.isnan(scale)] < 1).any()
    words = VolatilityAdjustedAggregator(config=config)
    assert words.aggregate_signals({"a": 0.8}, volatility=0.02) == pytest.approx(0.4)
    assert words.aggregate_signals({"a": 0.8}, volatility=0.5) == pytest.approx(0.16)
    assert words.aggregate_signals({"a": 0.8}) == pytest.approx(0.8)
    with pytest.raises(InputError, match="volatility is -1; expected sigma per bar"):
        words.aggregate_signals({"a": 0.8}, volatility=-1)


def test_ens11_aggregators_by_name() -> None:
    """ENS-11: mappings, options, and one of your own."""
    made = create_aggregator("volatility_adjusted", MIXED, target_volatility=0.01, window=5)
    assert made == VolatilityAdjustedAggregator(MIXED, VolatilityConfig(target_volatility=0.01, window=5))
    assert type(create_aggregator("portfolio", [SIGNALS], top_n=1)) is PortfolioSignalAggregator
    with pytest.raises(ConfigError, match="there is no aggregator 'weighted_avarage'; did you mean 'weighted_average'"):
        create_aggregator("weighted_avarage")
    with pytest.raises(ConfigError, match="VolatilityConfig has no parameter 'windw'; did you mean 'window'"):
        create_aggregator("volatility_adjusted", windw=5)

    class Median(WeightedAverageAggregator):
        """The middle word."""

        def combine(self, said: Any, sure: Any, weights: Any) -> Any:
            return np.nanmedian(said, axis=0)

    register_aggregator("median", Median)
    assert create_aggregator("median").aggregate_signals({"a": -1.0, "b": 0.25, "c": 0.5}) == 0.25
    with pytest.raises(ConfigError, match="name is 'portfolio'; expected a text that is not taken"):
        register_aggregator("portfolio", Median)
    with pytest.raises(ConfigError, match="expected a subclass of BaseAggregator"):
        register_aggregator("other", dict)  # type: ignore[arg-type]


def test_ens12_signals_of_a_portfolio_are_fitted_together() -> None:
    """ENS-12: weights of assets, mean taken off, the largest kept, gross cut, in this order."""
    signals = {"AAPL": StrategySignal(1.0, 0.8), "MSFT": StrategySignal(-0.5, 0.6), "IBM": {"rsi": 0.5, "ma": 0.1}}
    plain = PortfolioSignalAggregator().aggregate_portfolio(signals)
    assert plain == pytest.approx({"AAPL": 1.0, "MSFT": -0.5, "IBM": 0.3})
    weighted = create_aggregator("portfolio", asset_weights={"AAPL": 0.4, "MSFT": 0.2, "IBM": 0.4})
    assert weighted.aggregate_portfolio(signals) == pytest.approx({"AAPL": 1.0, "MSFT": -0.25, "IBM": 0.3})  # type: ignore[attr-defined]
    neutral = PortfolioSignalAggregator(config=PortfolioAggregationConfig(neutral=True)).aggregate_portfolio(signals)
    assert sum(neutral.values()) == pytest.approx(0.0) and neutral["IBM"] == pytest.approx(0.3 - 0.8 / 3)
    top = PortfolioSignalAggregator(config=PortfolioAggregationConfig(top_n=2)).aggregate_portfolio(signals)
    assert top == pytest.approx({"AAPL": 1.0, "MSFT": -0.5, "IBM": 0.0})
    gross = PortfolioSignalAggregator(config=PortfolioAggregationConfig(max_gross=0.9)).aggregate_portfolio(signals)
    assert gross == pytest.approx({"AAPL": 0.5, "MSFT": -0.25, "IBM": 0.15})
    ties = PortfolioSignalAggregator(config=PortfolioAggregationConfig(top_n=1)).aggregate_portfolio({"b": 0.5, "a": -0.5, "c": math.nan})
    assert ties["b"] == 0.5 and ties["a"] == 0.0 and math.isnan(ties["c"])
    with pytest.raises(ConfigError, match="names 'MSFT', which is no symbol"):
        weighted.aggregate_portfolio({"AAPL": 1.0})  # type: ignore[attr-defined]


def test_ens12_as_a_strategy_every_bar_is_a_portfolio() -> None:
    """ENS-12: who has no market takes no room."""
    config = PortfolioAggregationConfig(top_n=1, max_gross=0.4)
    found = numbers(evaluate(PortfolioSignalAggregator({"a": Loud(), "b": STRENGTHS}, config), BARS))
    said = np.stack([standing(Loud()), standing(STRENGTHS)])
    for t in range(BARS.T):
        with np.errstate(invalid="ignore"):
            there = (~np.isnan(said[:, t])).sum(axis=0)
            mean = np.where(there > 0, np.nansum(said[:, t], axis=0) / there, np.nan)
        mean[np.isnan(BARS.close[t])] = np.nan
        if np.isnan(mean).all():
            assert np.isnan(found[t]).all()
            continue
        best = int(np.nanargmax(np.abs(mean)))
        expected = np.where(np.isnan(mean), np.nan, 0.0)
        expected[best] = np.clip(mean[best], -0.4, 0.4)
        np.testing.assert_allclose(found[t], expected, atol=1e-12, err_msg=str(t))
