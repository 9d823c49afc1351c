"""How much an entry buys (S3). Each size is a frozen object; its scalar `calculate_size` is the kernel of the simulation."""

from __future__ import annotations

from typing import TypeAlias

from .base import SizeReport
from .by_risk import ConfidenceBasedSizing, FixedFractionalSizing, KellyCriterion
from .by_volatility import ForecastSizing, InverseVolatility, VolatilitySizing
from .factory import PositionSizingConfig, create_position_sizer
from .kernels import SIZE_FIELDS, STATS_FIELDS, entry_quantity
from .plain import Cash, EqualWeight, Notional, Units, Weight

__all__ = [
    "SIZE_FIELDS", "SIZINGS", "STATS_FIELDS", "Cash", "ConfidenceBasedSizing", "EqualWeight", "FixedFractionalSizing", "ForecastSizing",
    "InverseVolatility", "KellyCriterion", "Notional", "PositionSizingConfig", "SizeReport", "Sizing", "Units", "VolatilitySizing",
    "Weight", "create_position_sizer", "entry_quantity",
]  # fmt: skip

Sizing: TypeAlias = (
    Weight
    | Units
    | Notional
    | Cash
    | FixedFractionalSizing
    | EqualWeight
    | InverseVolatility
    | VolatilitySizing
    | KellyCriterion
    | ConfidenceBasedSizing
    | ForecastSizing
)

SIZINGS = (
    Weight,
    Units,
    Notional,
    Cash,
    FixedFractionalSizing,
    EqualWeight,
    InverseVolatility,
    VolatilitySizing,
    KellyCriterion,
    ConfidenceBasedSizing,
    ForecastSizing,
)
"""Every class of sizes."""
