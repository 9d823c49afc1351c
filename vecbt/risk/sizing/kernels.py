"""How much an entry buys (S3): one kernel for every size, and the record it reads."""

from __future__ import annotations

import math

import numpy as np

from ...core.codes import Rule, SizeMethod
from ...core.jit import kernel

__all__ = ["SIZE_FIELDS", "SIZE_PARAMS", "STATS", "STATS_FIELDS", "entry_quantity", "kelly_risk"]

SIZE_FIELDS = [
    ("method", "i8"),  # SizeMethod
    ("amount", "f8"),  # weight, units, money, fraction of the room, risk, or Kelly's fraction
    ("scaled", "i8"),  # times |strength|
    ("most", "f8"),  # of equity; inf: no cap
    ("least", "f8"),  # of equity; a share below it is refused
    ("win_rate", "f8"),  # NaN: of the account's closed trades
    ("payoff", "f8"),  # mean win over mean loss
    ("min_trades", "i8"),
    ("start_risk", "f8"),  # of equity, while there are too few trades
    ("top_risk", "f8"),  # risk at full confidence; the standard deviation a forecast may take; of equity
    ("min_confidence", "f8"),
    ("forecast_scale", "f8"),
]
"""What the kernels read of the sizing."""

STATS_FIELDS = [("wins", "i8"), ("losses", "i8"), ("win_sum", "f8"), ("loss_sum", "f8")]
"""What an account remembers of its closed trades for Kelly: counts, and sums of |pnl over entered notional|; a win is > 0."""

SIZE_PARAMS = np.dtype(SIZE_FIELDS, align=True)
STATS = np.dtype(STATS_FIELDS, align=True)

_WEIGHT, _UNITS, _NOTIONAL, _CASH = int(SizeMethod.WEIGHT), int(SizeMethod.UNITS), int(SizeMethod.NOTIONAL), int(SizeMethod.CASH)
_FIXED_FRACTIONAL, _EQUAL_WEIGHT = int(SizeMethod.FIXED_FRACTIONAL), int(SizeMethod.EQUAL_WEIGHT)
_INVERSE_VOLATILITY, _VOLATILITY = int(SizeMethod.INVERSE_VOLATILITY), int(SizeMethod.VOLATILITY)
_KELLY, _CONFIDENCE = int(SizeMethod.KELLY), int(SizeMethod.CONFIDENCE)
_BY_STOP, _BY_EDGE, _BY_CONFIDENCE = int(Rule.STOP), int(Rule.EDGE), int(Rule.CONFIDENCE)
_BY_SIGMA, _BY_MINIMUM = int(Rule.VOLATILITY), int(Rule.MINIMUM)


@kernel
def entry_quantity(size, strength, equity, unit_value, unit_risk, sigma, share, stats):  # type: ignore[no-untyped-def]
    """Units an entry asks for, >= 0, and the bit of the rule that refuses it, 0 for none (S3).

    `strength` is absolute, `unit_value` is |price| times multiplier, `unit_risk` the money a unit loses at its stop (NaN or
    <= 0: there is no stop on the right side), `sigma` the asset's, `share` its part of the account (equal or by inverse
    volatility), `stats` a record with `STATS_FIELDS`. Sizing at the fill (`cash`) is NaN. Without equity all is 0, and at a
    price of 0 what is not a number of units (F12); no rule says why. A size's own gate (edge, confidence) comes before the
    stop it needs.
    """
    if equity <= 0.0:
        return 0.0, 0
    if size.method == _UNITS:
        return size.amount, 0
    if size.method == _CASH:
        return math.nan, 0
    if unit_value <= 0.0:
        return 0.0, 0
    if size.method == _NOTIONAL:
        return size.amount / unit_value, 0
    if size.method == _WEIGHT:
        return _by_weight(size, size.amount * strength if size.scaled == 1 else size.amount, equity, unit_value), 0
    if size.method == _FIXED_FRACTIONAL:
        return _by_risk(size, size.amount, equity, unit_value, unit_risk)
    if size.method == _KELLY:
        risk = kelly_risk(size, stats)
        if risk <= 0.0:
            return 0.0, _BY_EDGE
        return _by_risk(size, risk, equity, unit_value, unit_risk)
    if size.method == _CONFIDENCE:
        if strength < size.min_confidence:
            return 0.0, _BY_CONFIDENCE
        return _by_risk(size, _confident_risk(size, strength), equity, unit_value, unit_risk)
    if size.method != _EQUAL_WEIGHT and not sigma > 0.0:
        return 0.0, _BY_SIGMA
    if size.method == _VOLATILITY:
        return _by_weight(size, size.amount / sigma, equity, unit_value), 0
    if size.method == _EQUAL_WEIGHT or size.method == _INVERSE_VOLATILITY:
        if not share > 0.0:
            return 0.0, _BY_SIGMA
        if share < size.least:
            return 0.0, _BY_MINIMUM
        return _by_weight(size, share, equity, unit_value), 0
    weight, most = size.amount * strength * size.forecast_scale / sigma / sigma, size.top_risk / sigma
    return _by_weight(size, most if weight > most else weight, equity, unit_value), 0


@kernel
def _by_weight(size, weight, equity, unit_value):  # type: ignore[no-untyped-def]
    """Units for a fraction of equity, at most the cap."""
    return (size.most if weight > size.most else weight) * equity / unit_value


@kernel
def _by_risk(size, risk, equity, unit_value, unit_risk):  # type: ignore[no-untyped-def]
    """Units that lose a fraction of equity at the stop, at most the cap."""
    if not unit_risk > 0.0:
        return 0.0, _BY_STOP
    quantity = risk * equity / unit_risk
    most = size.most * equity / unit_value
    return (most if quantity > most else quantity), 0


@kernel
def kelly_risk(size, stats):  # type: ignore[no-untyped-def]
    """The fraction of equity Kelly puts at risk (never a notional); 0 where there is no edge."""
    wins, payoff = size.win_rate, size.payoff
    if math.isnan(wins):
        trades = stats.wins + stats.losses
        if trades < size.min_trades or not stats.win_sum > 0.0 or not stats.loss_sum > 0.0:
            return size.start_risk
        wins = stats.wins / trades
        payoff = (stats.win_sum / stats.wins) / (stats.loss_sum / stats.losses)
    edge = wins * payoff - (1.0 - wins)
    if not edge > 0.0:
        return 0.0
    return size.amount * edge / payoff


@kernel
def _confident_risk(size, strength):  # type: ignore[no-untyped-def]
    """From the base risk at the least confidence to the top one at full; more than full is full."""
    sure = 1.0 if strength > 1.0 else strength
    return size.amount + (size.top_risk - size.amount) * (sure - size.min_confidence) / (1.0 - size.min_confidence)
