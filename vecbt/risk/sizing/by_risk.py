"""Sizes that put a fraction of the equity at risk between the entry and its stop: fixed, by Kelly's formula, by confidence."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

from ...core.codes import SizeMethod
from ...errors import ConfigError
from .base import Question, Size, SizeReport, between, number, stop_distance, whole

__all__ = ["ConfidenceBasedSizing", "FixedFractionalSizing", "KellyCriterion"]

_RISK = "a fraction of equity, more than 0 and at most 1"
_CAP = "a fraction of equity > 0"


@dataclass(frozen=True)
class FixedFractionalSizing(Size):
    """Risk a fixed fraction of the equity between the entry and its stop; needs a stop.

    Parameters
    ----------
    risk_fraction : float
        Fraction of equity lost if the stop is hit without a gap.
    max_position_fraction : float
        Most notional, as a fraction of equity.

    Notes
    -----
    The binding one of the two is what you risk: 1 % at a 3 % stop asks for 33 % of equity and is capped at 25 %. `explain`
    says which it is.
    """

    risk_fraction: float = 0.01
    max_position_fraction: float = 0.25

    METHOD: ClassVar[SizeMethod] = SizeMethod.FIXED_FRACTIONAL
    DECIDES: ClassVar[str] = "risk_fraction"
    CAPS: ClassVar[dict[str, str]] = {"most": "max_position_fraction"}
    needs_stop: ClassVar[bool] = True

    def __post_init__(self) -> None:
        between("FixedFractionalSizing.risk_fraction", self.risk_fraction, 0.0, 1.0, _RISK)
        between("FixedFractionalSizing.max_position_fraction", self.max_position_fraction, 0.0, 1000.0, _CAP)

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off."""
        return {"amount": self.risk_fraction, "most": self.max_position_fraction}

    def explain(self, capital: float, entry_price: float, stop_loss_price: float, *, multiplier: float = 1.0) -> SizeReport:
        """As `calculate_size`, with what decided."""
        distance = stop_distance(entry_price, stop_loss_price)
        return self.answer(Question(capital, entry_price, distance=distance, multiplier=multiplier))

    def calculate_size(self, capital: float, entry_price: float, stop_loss_price: float, *, multiplier: float = 1.0) -> float:
        """Units for `capital`, an entry and its stop, both prices.

        Raises
        ------
        ConfigError
            The stop is at the entry: there is no distance to size by.
        """
        return self.explain(capital, entry_price, stop_loss_price, multiplier=multiplier).units


@dataclass(frozen=True)
class KellyCriterion(Size):
    """Risk a part of what Kelly's formula says, `fraction*(p - (1 - p)/b)` of equity, between the entry and its stop.

    The formula is about money at risk, so the notional follows from the distance to the stop. `p` is the share of wins, `b`
    mean win over mean loss: given here, or, without them, those of the account's closed trades up to the decision.

    Parameters
    ----------
    kelly_fraction : float
        Part of the full formula; a quarter by default.
    win_rate, avg_win, avg_loss : float, optional
        All three or none; wins and losses in one unit of your choice, both > 0.
    running : bool, optional
        Whether closed trades give the numbers; follows from the three above.
    min_trades : int
        Closed trades before running numbers are used.
    start_fraction : float
        Fraction of equity at risk until then, and while there is no win or no loss yet.
    max_position_fraction : float
        Most notional, as a fraction of equity.
    min_win_rate : float, optional
        Accepted and not used, with a warning: an entry is refused when it has no edge (`p*b <= 1 - p`), however often it wins.

    Raises
    ------
    ConfigError
        Numbers out of range, or given ones without an edge: such a size could never trade.
    """

    kelly_fraction: float = 0.25
    win_rate: float | None = None
    avg_win: float | None = None
    avg_loss: float | None = None
    running: bool | None = None
    min_trades: int = 30
    start_fraction: float = 0.01
    max_position_fraction: float = 0.25
    min_win_rate: float | None = None

    METHOD: ClassVar[SizeMethod] = SizeMethod.KELLY
    DECIDES: ClassVar[str] = "kelly_fraction"
    CAPS: ClassVar[dict[str, str]] = {"most": "max_position_fraction"}
    needs_stop: ClassVar[bool] = True

    def __post_init__(self) -> None:
        between("KellyCriterion.kelly_fraction", self.kelly_fraction, 0.0, 1.0, "a part of the full formula, more than 0 and at most 1")
        between("KellyCriterion.start_fraction", self.start_fraction, 0.0, 1.0, _RISK)
        between("KellyCriterion.max_position_fraction", self.max_position_fraction, 0.0, 1000.0, _CAP)
        whole("KellyCriterion.min_trades", self.min_trades)
        given = (self.win_rate, self.avg_win, self.avg_loss)
        if any(v is not None for v in given):
            rate, payoff = _checked_trades("KellyCriterion.", *given)
            if not rate * payoff > 1.0 - rate:
                raise ConfigError(
                    f"KellyCriterion with win_rate {rate:g} and avg_win/avg_loss {payoff:g} has no edge and could never trade; "
                    "expected win_rate*avg_win/avg_loss > 1 - win_rate"
                )
        counts = self.win_rate is None
        if self.running is not None and self.running is not counts:
            what = "but the numbers are given" if self.running else "but win_rate, avg_win and avg_loss are not given"
            raise ConfigError(f"KellyCriterion.running is {self.running!r}, {what}; leave one of them out")
        object.__setattr__(self, "running", counts)
        if self.min_win_rate is not None:
            between("KellyCriterion.min_win_rate", self.min_win_rate, 0.0, 1.0, "a share of trades, more than 0 and at most 1")
            warnings.warn(
                "KellyCriterion.min_win_rate is not used: what decides is the edge, win_rate*payoff > 1 - win_rate; a system that wins "
                "30 % of its trades, four times what it loses, has one",
                stacklevel=3,
            )

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off."""
        out = {"amount": self.kelly_fraction, "most": self.max_position_fraction}
        out |= {"min_trades": self.min_trades, "start_risk": self.start_fraction}
        if not self.running:
            out["win_rate"], out["payoff"] = _checked_trades("KellyCriterion.", self.win_rate, self.avg_win, self.avg_loss)
        return out

    def explain(
        self,
        capital: float,
        entry_price: float,
        stop_loss_price: float,
        win_rate: float | None = None,
        avg_win: float | None = None,
        avg_loss: float | None = None,
        *,
        multiplier: float = 1.0,
    ) -> SizeReport:
        """As `calculate_size`, with what decided."""
        question = Question(capital, entry_price, distance=stop_distance(entry_price, stop_loss_price), multiplier=multiplier)
        numbers = (win_rate, avg_win, avg_loss)
        if all(v is None for v in numbers):
            if self.running:
                raise ConfigError("give win_rate, avg_win and avg_loss: by hand there are no closed trades to take them from")
            return self.answer(question)
        rate, payoff = _checked_trades("", *numbers)
        return self.answer(question, win_rate=rate, payoff=payoff)

    def calculate_size(
        self,
        capital: float,
        entry_price: float,
        stop_loss_price: float,
        win_rate: float | None = None,
        avg_win: float | None = None,
        avg_loss: float | None = None,
        *,
        multiplier: float = 1.0,
    ) -> float:
        """Units for `capital`, an entry and its stop; 0 where the numbers have no edge.

        `win_rate`, `avg_win` and `avg_loss` are those of the object where it has them.
        """
        return self.explain(capital, entry_price, stop_loss_price, win_rate, avg_win, avg_loss, multiplier=multiplier).units


def _checked_trades(owner: str, win_rate: float | None, avg_win: float | None, avg_loss: float | None) -> tuple[float, float]:
    """Win rate and payoff of three numbers that come together."""
    if win_rate is None or avg_win is None or avg_loss is None:
        found = f"win_rate={win_rate!r}, avg_win={avg_win!r}, avg_loss={avg_loss!r}"
        raise ConfigError(f"Kelly's formula takes win_rate, avg_win and avg_loss together; found {found}")
    rate = number(f"{owner}win_rate", win_rate, "a share of trades from 0 to 1, such as 0.55")
    if not 0.0 <= rate <= 1.0:
        raise ConfigError(f"{owner}win_rate is {win_rate!r}; expected a share of trades from 0 to 1: 55 % is 0.55")
    for name, value in (("avg_win", avg_win), ("avg_loss", avg_loss)):
        between(f"{owner}{name}", value, 0.0, math.inf, "a mean > 0; a loss is given without its sign")
    return rate, avg_win / avg_loss


@dataclass(frozen=True)
class ConfidenceBasedSizing(Size):
    """Risk more of the equity the surer the signal: linear from the base at the least confidence to the top at 1.

    The confidence is the |strength| of the row. Below the least one an entry is refused (rule `confidence`); a boolean
    signal counts 1.

    Parameters
    ----------
    base_risk_fraction, max_risk_fraction : float
        Fractions of equity at risk at `min_confidence` and at full confidence.
    min_confidence : float
        From 0 up to, but not 1.
    max_position_fraction : float
        Most notional, as a fraction of equity.
    """

    base_risk_fraction: float = 0.01
    max_risk_fraction: float = 0.02
    min_confidence: float = 0.55
    max_position_fraction: float = 0.25

    METHOD: ClassVar[SizeMethod] = SizeMethod.CONFIDENCE
    DECIDES: ClassVar[str] = "confidence"
    CAPS: ClassVar[dict[str, str]] = {"most": "max_position_fraction"}
    needs_stop: ClassVar[bool] = True

    def __post_init__(self) -> None:
        between("ConfidenceBasedSizing.base_risk_fraction", self.base_risk_fraction, 0.0, 1.0, _RISK)
        between("ConfidenceBasedSizing.max_risk_fraction", self.max_risk_fraction, 0.0, 1.0, _RISK)
        between("ConfidenceBasedSizing.max_position_fraction", self.max_position_fraction, 0.0, 1000.0, _CAP)
        if not 0.0 <= number("ConfidenceBasedSizing.min_confidence", self.min_confidence, "a number from 0 up to 1") < 1.0:
            raise ConfigError(f"ConfidenceBasedSizing.min_confidence is {self.min_confidence!r}; expected a number from 0 up to, but not 1")
        if self.max_risk_fraction < self.base_risk_fraction:
            raise ConfigError(
                f"ConfidenceBasedSizing.max_risk_fraction {self.max_risk_fraction!r} is less than base_risk_fraction "
                f"{self.base_risk_fraction!r}; more confidence must not risk less"
            )

    def fields_of_record(self) -> dict[str, float]:
        """The fields of the record that are not off."""
        out = {"amount": self.base_risk_fraction, "top_risk": self.max_risk_fraction}
        return out | {"min_confidence": self.min_confidence, "most": self.max_position_fraction}

    def explain(
        self, capital: float, entry_price: float, stop_loss_price: float, confidence: float, *, multiplier: float = 1.0
    ) -> SizeReport:
        """As `calculate_size`, with what decided."""
        if not 0.0 <= number("confidence", confidence, "a number from 0 to 1; without one there is no size") <= 1.0:
            raise ConfigError(f"confidence is {confidence!r}; expected a number from 0 to 1")
        distance = stop_distance(entry_price, stop_loss_price)
        return self.answer(Question(capital, entry_price, strength=confidence, distance=distance, multiplier=multiplier))

    def calculate_size(
        self, capital: float, entry_price: float, stop_loss_price: float, confidence: float, *, multiplier: float = 1.0
    ) -> float:
        """Units for `capital`, an entry, its stop and a confidence from 0 to 1; 0 below the least confidence."""
        return self.explain(capital, entry_price, stop_loss_price, confidence, multiplier=multiplier).units
