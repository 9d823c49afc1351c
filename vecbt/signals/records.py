"""What a signal is when it is handed to people: records with named fields that also read like the dictionaries of a configuration."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from ..errors import InputError

__all__ = ["SignalRecord", "StrategySignal", "TradingSignal"]

_SIDES = ("buy", "sell", "flat", "hold")


def _check_strength(value: Any, name: str) -> float:
    good = isinstance(value, int | float) or (hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0)
    if isinstance(value, bool) or not good or not -1.0 <= float(value) <= 1.0:
        raise InputError(f"{name} is {value!r}; expected a number from -1 to 1")
    return float(value)


def _check_confidence(value: Any, name: str) -> float:
    good = isinstance(value, int | float) or (hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0)
    if isinstance(value, bool) or not good or not (math.isnan(float(value)) or 0.0 <= float(value) <= 1.0):
        raise InputError(f"{name} is {value!r}; expected a number from 0 to 1, or NaN where there is none")
    return float(value)


@dataclass(frozen=True)
class _Record(Mapping[str, Any]):
    """Fields by name as well: `record["direction"]`."""

    def __getitem__(self, name: str) -> Any:
        if name not in self._names():
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        return [f.name for f in dataclasses.fields(self)]


@dataclass(frozen=True)
class SignalRecord(_Record):
    """One asset's signal at one bar.

    Parameters
    ----------
    asset : symbol
    direction : 1 long, -1 short, 0 none
    strength : from -1 to 1
    raw_prediction : what it was made from, in the unit of its source
    signal_value : after scaling, before it was clipped to a strength
    price : last close, NaN where it is not known
    timestamp : label of the bar, or None
    metadata : anything else; `confidence` is NaN where there is none, never a number that would pass
    order_type, stop_loss_pct, take_profit_pct, volatility : what the order should have, None where the signal does not say

    Raises InputError for a direction, strength or confidence that may not be.
    """

    asset: str
    direction: int
    strength: float
    raw_prediction: Any = math.nan
    signal_value: float = math.nan
    price: float = math.nan
    timestamp: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    order_type: str | None = None
    stop_loss_pct: float | None = None
    take_profit_pct: float | None = None
    volatility: float | None = None

    def __post_init__(self) -> None:
        if self.direction not in (-1, 0, 1) or isinstance(self.direction, bool):
            raise InputError(f"direction is {self.direction!r}; expected -1, 0 or 1")
        object.__setattr__(self, "strength", _check_strength(self.strength, "strength"))
        kept = dict(self.metadata)
        kept["confidence"] = _check_confidence(kept.get("confidence", math.nan), "metadata['confidence']")
        object.__setattr__(self, "metadata", kept)

    @property
    def confidence(self) -> float:
        """That of the metadata: from 0 to 1, NaN where there is none."""
        confidence: float = self.metadata["confidence"]
        return confidence


@dataclass(frozen=True)
class TradingSignal(_Record):
    """What to do, and how much: the unit in which ensembles answer and executors are asked.

    Parameters
    ----------
    amount : units, exact; None where the signal leaves it to the sizing. Floats are taken by the decimal they are written as.
    symbol : of the asset, or None
    signal : "buy", "sell", "flat" (leave what is held) or "hold" (change nothing)
    price : reference price, or None
    timestamp : label of the bar, or None
    strategy_id : who says so
    confidence : from 0 to 1, NaN where there is none
    metadata : anything else, such as an ensemble's decision

    Raises InputError for an amount below 0, an unknown signal, or a confidence that may not be.
    """

    amount: Decimal | None = None
    symbol: str | None = None
    signal: str = "buy"
    price: float | None = None
    timestamp: Any = None
    strategy_id: str = ""
    confidence: float = math.nan
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.signal not in _SIDES:
            raise InputError(f"signal is {self.signal!r}; expected one of {', '.join(map(repr, _SIDES))}")
        object.__setattr__(self, "amount", None if self.amount is None else _exact(self.amount))
        object.__setattr__(self, "confidence", _check_confidence(self.confidence, "confidence"))
        object.__setattr__(self, "metadata", dict(self.metadata))


def _exact(amount: Any) -> Decimal:
    try:
        exact = amount if isinstance(amount, Decimal) else Decimal(str(amount))
    except InvalidOperation as error:
        raise InputError(f"amount is {amount!r}; expected units, such as Decimal('0.5')") from error
    if not exact.is_finite() or exact < 0:
        raise InputError(f"amount is {amount!r}; expected a finite number of units of at least 0; the side is `signal`")
    return exact


@dataclass(frozen=True)
class StrategySignal(_Record):
    """A strategy's word on one asset.

    Parameters
    ----------
    signal : from -1 to 1, or a word: "buy", "sell", "hold"
    confidence : from 0 to 1, NaN where there is none
    """

    signal: float | str
    confidence: float = math.nan

    def __post_init__(self) -> None:
        object.__setattr__(self, "signal", _number_of(self.signal))
        object.__setattr__(self, "confidence", _check_confidence(self.confidence, "confidence"))

    @property
    def strength(self) -> float:
        """The signal as a number."""
        return float(self.signal)


_WORDS = {"buy": 1.0, "long": 1.0, "sell": -1.0, "short": -1.0, "hold": 0.0, "neutral": 0.0, "flat": 0.0}


def _number_of(signal: Any) -> float:
    if isinstance(signal, str):
        if signal.lower() not in _WORDS:
            raise InputError(f"signal is {signal!r}; expected a number from -1 to 1, or one of {', '.join(map(repr, _WORDS))}")
        return _WORDS[signal.lower()]
    return _check_strength(signal, "signal")
