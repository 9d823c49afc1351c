"""Records of signals: named fields, checked, and read like dictionaries."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from vecbt.errors import InputError
from vecbt.signals import SignalRecord, StrategySignal, TradingSignal


def test_sig08_a_signal_record_has_the_fields_of_a_signal_and_reads_like_a_dictionary() -> None:
    """SIG-08"""
    record = SignalRecord(asset="AAPL", direction=1, strength=0.8, price=150.0, timestamp="2024-01-02", metadata={"confidence": 0.8})
    assert record["direction"] == 1 and record["strength"] == 0.8 and record.confidence == 0.8
    assert list(record)[:7] == ["asset", "direction", "strength", "raw_prediction", "signal_value", "price", "timestamp"]
    assert {"order_type", "stop_loss_pct", "take_profit_pct", "volatility"} <= set(record) and record["order_type"] is None
    assert dict(record)["asset"] == "AAPL" and len(record) == 12
    with pytest.raises(KeyError):
        record["colour"]


def test_sig08_an_absent_confidence_is_nan_and_passes_no_threshold() -> None:
    """SIG-08, C9: not 0.5, not 1."""
    record = SignalRecord(asset="A", direction=0, strength=0.0)
    assert math.isnan(record["metadata"]["confidence"])
    assert not record.confidence >= 0.0
    assert math.isnan(StrategySignal(1.0).confidence) and math.isnan(TradingSignal().confidence)


def test_sig09_the_amount_of_a_trading_signal_is_exact() -> None:
    """SIG-09: amounts as the document writes them."""
    assert TradingSignal(amount=Decimal(50)).amount == Decimal(50)
    assert TradingSignal(amount=0.1).amount == Decimal("0.1")  # type: ignore[arg-type]
    signal = TradingSignal(amount=Decimal(5), symbol="BTC/USDT", metadata={"predictions": {"price": "up"}})
    assert signal["metadata"]["predictions"] == {"price": "up"} and signal["signal"] == "buy"


def test_sig14_a_strategy_signal_is_a_number_or_a_word_with_a_confidence() -> None:
    """SIG-14: the document's example."""
    signals = {"AAPL": StrategySignal(signal=1.0, confidence=0.8), "MSFT": StrategySignal(signal=-0.5, confidence=0.6)}
    assert signals["MSFT"].strength == -0.5 and signals["AAPL"]["confidence"] == 0.8
    assert [StrategySignal(word).strength for word in ("buy", "SELL", "hold", "Long", "short", "neutral")] == [1, -1, 0, 1, -1, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SignalRecord("A", 2, 0.5), "direction is 2; expected -1, 0 or 1"),
        (lambda: SignalRecord("A", 1, 1.5), "strength is 1.5; expected a number from -1 to 1"),
        (lambda: SignalRecord("A", 1, np.nan), "strength is nan"),
        (lambda: SignalRecord("A", 1, 0.5, metadata={"confidence": 1.2}), "confidence'] is 1.2"),
        (lambda: StrategySignal("perhaps"), "signal is 'perhaps'; expected"),
        (lambda: StrategySignal(True), "signal is True"),
        (lambda: StrategySignal(0.5, -0.1), "confidence is -0.1"),
        (lambda: TradingSignal(amount=Decimal(-1)), "the side is `signal`"),
        (lambda: TradingSignal(amount="many"), "amount is 'many'"),  # type: ignore[arg-type]
        (lambda: TradingSignal(signal="maybe"), "signal is 'maybe'; expected one of 'buy'"),
    ],
)
def test_values_that_may_not_be_are_refused(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("[", r"\[").replace("]", r"\]")):
        make()
