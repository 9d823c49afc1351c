"""Generators: the pipeline, every indicator by its rule, the factory, and the design document's own tests with other imports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import vecbt as vb
from tests.signals.examples import Ask, gappy_bars, numbers
from vecbt.core.kernel import Kernel
from vecbt.engine.strategy import evaluate
from vecbt.errors import ConfigError, InputError, StrategyError
from vecbt.signals import (
    BaseSignalGenerator,
    EnsembleSignalGenerator,
    SignalGenerator,
    TechnicalRule,
    TechnicalSignalGenerator,
    create_signal_generator,
    register_signal_generator,
    signal_generators,
)
from vecbt.signals.base import gated
from vecbt.signals.rules import RULES, rule_for, strength_of

BARS = gappy_bars(80)
KERNELS = list(vb.indicators.catalog().values())


def values(generator: Any, bars: vb.Bars = BARS) -> np.ndarray:
    """Strengths (T, N)."""
    return numbers(evaluate(generator, bars))


# --- SIG-01, SIG-02 --------------------------------------------------------------------------------------------------


def test_sig01_thresholds_are_in_units_of_the_strength_and_make_directions() -> None:
    """SIG-01, C8"""
    assert (Ask().signal_threshold, Ask().direction_threshold, Ask().signal_smoothing) == (0.0, 0.0, 1)
    raw = np.array([[-2.0, -0.5, -0.1, 0.0, 0.1, 0.3, 0.5, 7.0, np.nan]])
    np.testing.assert_array_equal(gated(raw, 0.3, 0.0)[0], [-1, -0.5, 0, 0, 0, 0.3, 0.5, 1, np.nan])
    np.testing.assert_array_equal(gated(raw, 0.0, 0.3)[0], [-1, -0.5, 0, 0, 0, 0.0, 0.5, 1, np.nan])
    generator = Ask(direction_threshold=0.25)
    assert [generator.strength_to_direction(s) for s in (0.26, 0.25, -0.25, -0.26, float("nan"))] == [1, 0, 0, -1, 0]


def test_sig01_smoothing_is_the_mean_of_the_last_values() -> None:
    """SIG-01: mean first, thresholds after it."""
    bars = gappy_bars(60)
    raw = values(TechnicalSignalGenerator(fast_period=2, slow_period=5), bars)
    smooth = values(TechnicalSignalGenerator(fast_period=2, slow_period=5, signal_smoothing=4, signal_threshold=0.6), bars)
    for n in range(bars.N):
        present = raw[~np.isnan(raw[:, n]), n]
        expected = pd.Series(present).rolling(4).mean()
        expected = expected.where((expected.abs() >= 0.6) | expected.isna(), 0.0)
        found = smooth[~np.isnan(raw[:, n]), n]
        np.testing.assert_allclose(found, expected.to_numpy())


def test_sig01_the_base_is_abstract_and_a_generator_that_is_asked_runs_as_a_strategy() -> None:
    """SIG-01: `generate_signals` is all that a generator needs."""
    with pytest.raises(TypeError, match="abstract"):
        SignalGenerator()  # type: ignore[abstract]
    close = BARS.close
    asked = values(Ask())
    for t in range(1, BARS.T):
        for n in range(BARS.N):
            if np.isnan(close[t, n]):
                assert np.isnan(asked[t, n])
            else:
                assert asked[t, n] == (0.8 if close[t, n] > close[t - 1, n] else -0.4)
    result = vb.backtest(BARS, Ask(), costs=vb.Costs.free())
    assert len(result.trades) > 3


def test_sig01_what_a_generator_may_not_answer_is_refused() -> None:
    """SIG-01"""

    class Wrong(BaseSignalGenerator):
        def __init__(self, answer: Any) -> None:
            super().__init__({})
            self.answer = answer

        def generate_signals(self, data: Any) -> Any:
            return self.answer

    for answer, message in (
        ([], "returned list; expected a mapping"),
        ({"S9": {"strength": 0.1}}, "names 'S9', which is no symbol"),
        ({"S0": {"power": 0.1}}, "expected a mapping with strength or direction"),
        ({"S0": {"strength": 1.1}}, "expected a number from -1 to 1"),
    ):
        with pytest.raises(StrategyError, match=message):
            evaluate(Wrong(answer), BARS)


def test_sig02_the_base_generator_says_nothing() -> None:
    """SIG-02"""
    assert BaseSignalGenerator().generate_signals({"prices": {"AAPL": 150.0}}) == {}
    assert np.isnan(values(BaseSignalGenerator())).all()
    result = vb.backtest(BARS, BaseSignalGenerator(), costs=vb.Costs.free())
    assert len(result.fills) == 0 and result.equity.iloc[-1] == 100_000.0


# --- SIG-04 ----------------------------------------------------------------------------------------------------------


def test_sig04_a_moving_average_generator_is_the_sign_of_fast_less_slow() -> None:
    """SIG-04: its defaults, as a series of NumPy says it."""
    generator = TechnicalSignalGenerator()
    assert (generator.indicator, generator.fast_period, generator.slow_period) == ("moving_average", 5, 20)
    fast, slow = vb.indicators.sma(BARS.close, 5), vb.indicators.sma(BARS.close, 20)
    np.testing.assert_array_equal(values(generator), np.sign(fast - slow))
    graded = values(TechnicalSignalGenerator(signal_scale=40.0))
    np.testing.assert_allclose(graded, np.clip(40.0 * (fast - slow) / slow, -1, 1))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_sig04_every_indicator_is_a_generator_or_says_why_not(kernel: Kernel) -> None:
    """SIG-04: by its own rule, or by the user's; nothing is left out of the catalogue."""
    if len(kernel.inputs) > 1 and not kernel.takes_bars:
        with pytest.raises(ConfigError, match="reads"):
            TechnicalSignalGenerator(indicator=kernel.name, rule=TechnicalRule("sign"))
        return
    lines = kernel.outputs[:1]
    by_hand = TechnicalSignalGenerator(indicator=kernel.name, slow_period=10, rule=TechnicalRule("zscore", window=5, lines=lines))
    try:
        rule_for(kernel)
    except ConfigError as error:
        assert "it has no direction of its own; give rule=" in str(error)
        with pytest.raises(ConfigError, match="RegimeFilter"):
            TechnicalSignalGenerator(indicator=kernel.name)
        generators = [by_hand]
    else:
        generators = [TechnicalSignalGenerator(indicator=kernel.name, fast_period=3, slow_period=10), by_hand]
    for generator in generators:
        whole = values(generator)
        assert np.nanmax(np.abs(whole), initial=0.0) <= 1.0
        feed = generator.feed(BARS.market)
        for t in range(BARS.T):
            row = feed.update(BARS.row(t).normalized(BARS.market)).values
            assert row.tobytes() == whole[t].tobytes(), t


def test_sig04_an_indicator_without_a_direction_is_refused_and_told_what_to_do() -> None:
    """SIG-04"""
    with pytest.raises(ConfigError, match=r"atr says how much, not which way.*RegimeFilter\(..., indicator='atr'\)"):
        TechnicalSignalGenerator(indicator="atr")


def test_sig04_rules_turn_lines_into_strengths() -> None:
    """SIG-04: each kind by hand, in both styles."""
    close = np.array([[10.0, 20.0, 30.0, np.nan]])
    line = np.array([[12.0, 20.0, 24.0, 1.0]])

    def says(kind: str, *lines: np.ndarray, scale: float | None = None, **more: Any) -> list[float]:
        up = strength_of(TechnicalRule(kind, **more), close, lines, scale)
        down = strength_of(TechnicalRule(kind, "reversion", **more), close, lines, scale)
        np.testing.assert_array_equal(up, -down)
        return [float(v) for v in up[0]]

    np.testing.assert_allclose(says("price", line), [-1, 0, 1, np.nan])
    np.testing.assert_allclose(says("price", line, scale=2.0), [-2 * 2 / 12, 0, 0.5, np.nan])
    np.testing.assert_allclose(says("cross", line, np.full((1, 4), 20.0)), [-1, 0, 1, -1])
    np.testing.assert_allclose(says("sign", line, center=20.0), [-1, 0, 1, -1])
    np.testing.assert_allclose(says("sign", line, center=20.0, scale=0.1), [-0.8, 0, 0.4, -1.9])
    np.testing.assert_allclose(says("levels", line, lower=10.0, upper=30.0), [-0.8, 0, 0.4, -1.9])
    np.testing.assert_allclose(says("band", np.array([[5.0, 20, 10, 0]]), np.array([[25.0, 20, 40, 10]])), [-0.5, 0, 1 / 3, np.nan])
    np.testing.assert_allclose(says("zscore", line, scale=0.05), [0.6, 1.0, 1.2, 0.05])


def test_sig04_a_deviation_is_that_of_the_last_values() -> None:
    """SIG-04: kind "zscore" against pandas."""
    rule = TechnicalRule("zscore", window=8)
    bars = BARS.select(["S0"])
    found = values(TechnicalSignalGenerator(indicator="sma", slow_period=3, rule=rule, signal_scale=0.2), bars)[:, 0]
    line = pd.Series(vb.indicators.sma(bars.close[:, 0], 3)).dropna()
    expected = ((line - line.rolling(8).mean()) / line.rolling(8).std()).mul(0.2).clip(-1, 1)
    np.testing.assert_allclose(found[line.index], expected, atol=1e-9)


def test_sig04_the_table_of_rules_names_a_kind_for_each_and_lines_that_fit() -> None:
    """SIG-04: whatever is in the table is in the catalogue, with these outputs."""
    assert set(RULES) <= set(vb.indicators.catalog())
    for kernel in KERNELS:
        if kernel.name in RULES:
            TechnicalSignalGenerator(indicator=kernel.name, fast_period=3, slow_period=12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TechnicalSignalGenerator(indicator="smaa"), "indicator is 'smaa', which is no indicator; did you mean 'sma'"),
        (lambda: TechnicalSignalGenerator(fast_period=20, slow_period=5), "fast_period is 20, slow_period is 5; expected fast_period <"),
        (lambda: TechnicalSignalGenerator(signal_scale=-1.0), "signal_scale is -1.0; expected a finite number above 0"),
        (lambda: TechnicalSignalGenerator(rule="cross"), "rule is 'cross'; expected TechnicalRule"),  # type: ignore[arg-type]
        (lambda: TechnicalSignalGenerator(options={"wibndow": 3}), "sma has no parameter 'wibndow'"),
        (lambda: TechnicalSignalGenerator(options=[3]), "options is \\[3\\]; expected parameters of sma by name"),  # type: ignore[arg-type]
        (lambda: TechnicalSignalGenerator({"fast_perod": 3}), "has no parameter 'fast_perod'; did you mean 'fast_period'"),
        (lambda: TechnicalSignalGenerator(signal_smoothing=0), "signal_smoothing is 0; expected a whole number of at least 1"),
        (lambda: TechnicalSignalGenerator(signal_threshold=1.5), "signal_threshold is 1.5; expected a number from 0 to 1"),
        (lambda: TechnicalRule("crosss"), "TechnicalRule.kind is 'crosss'; did you mean 'cross'"),
        (lambda: TechnicalRule("levels", lower=70.0, upper=30.0), "levels need lower < upper"),
        (lambda: TechnicalSignalGenerator(rule=TechnicalRule("band")), "sma has one output; a rule of kind 'band'"),
    ],
)
def test_sig04_parameters_that_may_not_be_are_refused(make: Any, message: str) -> None:
    """SIG-04"""
    with pytest.raises(ConfigError, match=message):
        make()


# --- SIG-05 ----------------------------------------------------------------------------------------------------------


def test_sig05_an_ensemble_of_generators_is_a_generator() -> None:
    """SIG-05: from a configuration, and its strength is the vote of its generators."""
    config = {
        "type": "ensemble",
        "generators": [
            {"type": "technical", "fast_period": 2, "slow_period": 5},
            {"type": "technical", "indicator": "ema", "fast_period": 3, "slow_period": 9},
            {"type": "technical", "indicator": "ema", "fast_period": 4, "slow_period": 12},
        ],
        "mode": "majority_vote",
    }
    generator = EnsembleSignalGenerator(config)
    single = [values(member) for member in generator.inputs.values()]
    found = values(generator)
    for t in range(BARS.T):
        for n in range(BARS.N):
            votes = [s[t, n] for s in single]
            if np.isnan(BARS.close[t, n]):
                assert np.isnan(found[t, n])
            elif not np.isnan(votes).any() and t > 20:
                expected = 1.0 if votes.count(1.0) >= 2 else -1.0 if votes.count(-1.0) >= 2 else 0.0
                assert found[t, n] == expected, (t, n, votes)
    records = generator.generate_signals(BARS)
    last = {s: float(found[-1, n]) for n, s in enumerate(BARS.symbols) if not np.isnan(found[-1, n])}
    assert {asset: record.strength for asset, record in records.items()} == last


def test_sig05_generators_that_may_not_be_are_refused() -> None:
    """SIG-05"""
    with pytest.raises(ConfigError, match="expected generators"):
        EnsembleSignalGenerator([vb.strategies.SmaCross(2, 5)])
    with pytest.raises(ConfigError, match="members is empty"):
        EnsembleSignalGenerator([])
    with pytest.raises(ConfigError, match="which only answers as a strategy"):
        EnsembleSignalGenerator([Ask()]).generate_signals(BARS)


# --- SIG-07 and the document's tests ---------------------------------------------------------------------------------


class ConfiguredGenerator(BaseSignalGenerator):
    """The custom generator of the document's integration tests, as it stands there."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.signals_to_generate = config.get("signals_to_generate", {})

    def generate_signals(self, data: Any) -> Any:
        """The pre-configured signals."""
        return self.signals_to_generate


def test_sig07_a_generator_registered_by_name_is_made_from_a_configuration() -> None:
    """SIG-07: the document's custom generator, registered and created."""
    test_signals = {
        "AAPL": {"asset": "AAPL", "direction": 1, "strength": 0.8, "price": 150.0},
        "MSFT": {"asset": "MSFT", "direction": -1, "strength": -0.6, "price": 250.0},
    }
    register_signal_generator("custom", ConfiguredGenerator)
    generator = create_signal_generator({"type": "custom", "signals_to_generate": test_signals})
    assert type(generator) is ConfiguredGenerator and generator.generate_signals({"prices": {"AAPL": 150.0}}) == test_signals
    bars = _named(["AAPL", "MSFT"])
    np.testing.assert_array_equal(values(generator, bars), np.tile([0.8, -0.6], (bars.T, 1)))
    assert "custom" in signal_generators()


def _named(symbols: list[str]) -> vb.Bars:
    close = 100.0 + np.arange(10.0)[:, None] + np.arange(len(symbols))
    index = np.datetime64("2024-01-01", "ns") + np.arange(10) * np.timedelta64(1, "D")
    return vb.Bars.from_numpy(close, close, close, close, index=index, symbols=symbols, periods_per_year=252)


def test_sig07_names_and_parameters_are_checked() -> None:
    """SIG-07"""
    assert create_signal_generator("technical", indicator="ema") == TechnicalSignalGenerator(indicator="ema")
    assert type(create_signal_generator({})) is BaseSignalGenerator
    with pytest.raises(ConfigError, match="there is no signal generator 'tecnical'; did you mean 'technical'"):
        create_signal_generator("tecnical")
    with pytest.raises(ConfigError, match="has no parameter 'indicatr'; did you mean 'indicator'"):
        create_signal_generator("technical", indicatr="ema")
    with pytest.raises(ConfigError, match="name is 'technical', which is TechnicalSignalGenerator"):
        register_signal_generator("technical", ConfiguredGenerator)
    with pytest.raises(ConfigError, match="expected a subclass of SignalGenerator"):
        register_signal_generator("other", dict)  # type: ignore[arg-type]


def document_data() -> dict[str, Any]:
    """The data of the document's unit test; its closes leave their highs, which a door for bars would refuse."""
    frame = pd.DataFrame(
        {
            "close": [44000.0 + 100.0 * k for k in range(21)],
            "open": [43900.0] * 21,
            "high": [44100.0] * 21,
            "low": [43800.0] * 21,
            "volume": [100.0] * 21,
        }
    )
    last = {"close": 45000.0, "open": 44800.0, "high": 45200.0, "low": 44700.0, "volume": 100.5}
    return {"asset": "BTC/USD", "timestamp": "2023-01-01T12:00:00Z", **last, "ohlcv": frame}


def test_sig04_the_documents_own_test_of_the_technical_generator() -> None:
    """SIG-04, SIG-08: the design document's unit test, its imports changed."""
    generator = TechnicalSignalGenerator({"indicator": "moving_average", "fast_period": 5, "slow_period": 20})
    signals = generator.generate_signals(document_data())
    assert len(signals) == 1 and "BTC/USD" in signals
    signal = signals["BTC/USD"]
    assert signal["direction"] == 1
    assert signal["price"] == 46000.0 and signal["timestamp"] == "2023-01-01T12:00:00Z" and signal["metadata"]["confidence"] == 1.0


def test_sig04_a_generator_takes_what_a_caller_has() -> None:
    """SIG-04: frames by asset, Bars, last values; and says what it cannot use."""
    frame = document_data()["ohlcv"]
    generator = TechnicalSignalGenerator(fast_period=2, slow_period=4, signal_scale=100.0)
    both = generator.generate_signals({"ohlcv": {"up": frame, "down": frame[::-1].reset_index(drop=True)}})
    assert both["up"]["direction"] == 1 and both["down"]["direction"] == -1
    assert both["up"]["signal_value"] == pytest.approx(100 * (45950 / 45850 - 1)) and both["up"]["strength"] < 1
    assert generator.generate_signals({"close": 45.0}) == {}
    assert generator.generate_signals({"price": [1.0, 2.0, 3.0, 4.0]})["default"]["direction"] == 1
    assert generator.generate_signals(frame)["default"] == generator.generate_signals({"ohlcv": frame})["default"]
    for data, message in (
        ({"hello": 1}, "expected bars, ohlcv, close or price"),
        (7, "data is int; expected Bars"),
        ({"ohlcv": frame.drop(columns="close")}, "has no column 'close'"),
        ({"ohlcv": {"a": frame, "b": frame[:3]}}, "as many of each asset"),
        ({"close": [1.0, np.inf]}, "infinite"),
    ):
        with pytest.raises(InputError, match=message):
            generator.generate_signals(data)
