"""About how large one full entry is, and what it loses at its stop: the yardstick that limits are held against."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .facts import Facts

__all__ = ["RISK_SIZES", "Entry", "cap_of", "entry", "kelly_edge", "risk_asked", "unit_value"]

RISK_SIZES = {
    "fixed_fractional": ("risk_fraction", "max_position_fraction"),
    "kelly": ("kelly_fraction", "max_position_fraction"),
    "confidence_based": ("max_risk_fraction", "max_position_fraction"),
}
"""Sizes by the distance to the stop: their risk, and their cap."""

_CAPS = {
    "equal_weight": "max_position",
    "inverse_volatility": "max_position",
    "volatility": "max_position",
    "forecast": "max_position_size",
}


class Entry(NamedTuple):
    """Fractions of equity; None where the configuration and the data do not say. They are estimates wherever prices enter."""

    weight: float | None
    """What one entry asks for, at full strength, before cash and limits."""
    loss: float | None
    """What it loses at its first stop, costs and gaps aside; None without a stop too."""


def kelly_edge(facts: Facts) -> tuple[float, float] | None:
    """Win rate and mean win over mean loss of `sizing.kelly`, where they are given."""
    place = "sizing.kelly"
    rate, win, loss = (facts.number(f"{place}.{name}") for name in ("win_rate", "avg_win", "avg_loss"))
    return (rate, abs(win / loss)) if rate is not None and win and loss else None


def risk_asked(facts: Facts) -> float | None:
    """The fraction of equity that a size by its stop puts at risk, before its cap."""
    name = facts.sizing
    if name not in RISK_SIZES:
        return None
    if name == "kelly":
        known = kelly_edge(facts)
        if known is None:
            return facts.number("sizing.kelly.start_fraction")
        rate, payoff = known
        fraction = facts.number("sizing.kelly.kelly_fraction")
        return None if fraction is None else max(0.0, fraction * (rate - (1.0 - rate) / payoff))
    return facts.number(f"sizing.{name}.{RISK_SIZES[name][0]}")


def cap_of(facts: Facts) -> tuple[str, float] | None:
    """Place and value of the largest position that the sizing allows itself."""
    name = facts.sizing
    key = RISK_SIZES[name][1] if name in RISK_SIZES else _CAPS.get(name or "")
    value = facts.number(f"sizing.{name}.{key}") if key else None
    return (f"sizing.{name}.{key}", value) if value is not None else None


def entry(facts: Facts) -> Entry:
    """The yardstick for this configuration."""
    if not facts.sizes_apply:
        return Entry(None, None)
    weight = _weight(facts)
    cap = cap_of(facts)
    if weight is not None and cap is not None:
        weight = min(weight, cap[1])
    if weight is None or not 0 < weight < math.inf:
        return Entry(None, None)
    stop = facts.first_stop()
    loss = weight * min(stop.middle, 1.0) if stop is not None else None
    return Entry(weight, loss)


def _weight(facts: Facts) -> float | None:
    name, capital = facts.sizing, facts.capital
    if name == "weight":
        given = facts.number("sizing.weight")
        return given if facts.given("sizing.weight") else 1.0 / facts.assets if facts.assets else None
    if name in ("equal_weight", "inverse_volatility"):
        return 1.0 / facts.assets if facts.assets else None
    if name == "cash":
        room = facts.number("sizing.cash")
        return None if room is None else room * facts.leverage
    if name == "notional":
        money = facts.number("sizing.notional")
        return money / capital if money is not None and capital else None
    if name == "units":
        units, unit = facts.number("sizing.units"), unit_value(facts)
        return units * unit / capital if units is not None and unit is not None and capital else None
    if name == "volatility":
        risk, sigma = facts.number("sizing.volatility.risk_per_trade"), facts.sigma(facts.count("sizing.volatility.window") or 20)
        return risk / sigma.middle if risk is not None and sigma is not None else None
    risk, stop = risk_asked(facts), facts.first_stop()
    return risk / stop.middle if risk is not None and stop is not None and stop.middle > 0 else None


def unit_value(facts: Facts) -> float | None:
    """Money of one unit at the middle price."""
    if facts.bars is None or facts.price is None:
        return None
    with np.errstate(over="ignore"):
        return facts.price * float(np.median(facts.bars.market.multiplier))
