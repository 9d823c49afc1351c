"""The sections of protective exits, of the account's rules, and of what holding costs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..execution.carry import Carry
from ..risk.limits import Limits
from ..risk.stops import Stops
from ..risk.zones import Risk, Zones
from .distances import Distance, Gain
from .sections import Count, NotNegative, Number, PerAsset, Positive, Section, of

__all__ = ["CarrySection", "LimitsSection", "RiskSection", "StopsSection", "ZonesSection"]


class StopsSection(Section):
    """Protective exits of every position: "3%", "2 atr", "20 ticks", {price: 97.5}, or a fraction below 1."""

    preset: Literal["wide", "layered", "tight", "atr"] | None = Field(
        default=None, description="a set of numbers by name, which the other keys override"
    )
    hard: Distance = of(Stops, "hard", "stop at this distance from the average entry price")
    trailing: Distance = of(Stops, "trailing", "stop at this distance from the best price since entry; no price")
    activation: Gain = of(Stops, "activation", "gain from which on the trailing stop is armed")
    take_profit: Distance = of(Stops, "take_profit", "limit exit at this distance in profit")
    time_bars: Count | None = of(Stops, "time_bars", "exit after so many bars")
    time_days: Count | None = of(Stops, "time_days", "exit after so many days")
    atr_window: Count | None = of(Stops, "atr_window", "bars in the ATR of atr distances")


class ZonesSection(Section):
    """Drawdown zones: NORMAL, CAUTION, ALERT, EMERGENCY."""

    boundaries: Annotated[list[Number], Field(min_length=3, max_length=3)] | None = of(
        Zones, "boundaries", "drawdowns where CAUTION, ALERT, EMERGENCY begin"
    )
    factors: Annotated[list[Number], Field(min_length=4, max_length=4)] | None = of(
        Zones, "factors", "what new risk is multiplied by in each zone"
    )
    liquidate_at: Number | None = of(Zones, "liquidate_at", "drawdown at which everything is closed; ALERT's boundary or more")
    cooldown_bars: Count | None = of(Zones, "cooldown_bars", "bars after which a halted account goes on")
    mark: Literal["close", "intrabar"] | None = of(Zones, "mark", "judge drawdowns on closes, or at the worst price of the bar")


class LimitsSection(Section):
    """Limits on positions after an order, and on exposure; the tightest wins."""

    max_position: Positive | None = of(Limits, "max_position", "most of one asset, a fraction of equity")
    max_position_value: Positive | None = of(Limits, "max_position_value", "most of one asset, money")
    max_gross: Positive | None = of(Limits, "max_gross", "most of all positions, absolute values, a fraction of equity")
    max_net: Positive | None = of(Limits, "max_net", "most of longs less shorts, either way, a fraction of equity")


class RiskSection(Section):
    """Rules of the whole account."""

    zones: ZonesSection | None = Field(default=None, description="drawdown zones; {} takes their defaults")
    daily_loss: Number | None = of(Risk, "daily_loss", "loss of a session from which on new risk waits for the next, a fraction")
    max_heat: Number | None = of(Risk, "max_heat", "most that all positions together may lose down to their stops, a fraction of equity")
    max_trade_loss: Number | None = of(Risk, "max_trade_loss", "most that a position may lose down to its stop, a fraction of equity")
    limits: LimitsSection | None = Field(default=None, description="limits on positions and exposure")


class CarrySection(Section):
    """What holding costs, yearly fractions: 0.03 is 3 % a year."""

    borrow_rate: PerAsset | None = of(Carry, "borrow_rate", "of the value of a short; one number, or by symbol")
    interest_rate: NotNegative | None = of(Carry, "interest_rate", "of negative cash")
