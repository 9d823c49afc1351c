"""What trading costs: slippage (F1) and commission (F2)."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..core.jit import kernel
from ..errors import ConfigError

__all__ = ["COST_FIELDS", "Costs", "commission", "fill_price"]

COST_FIELDS = [
    ("rate", "f8"),
    ("maker_rate", "f8"),
    ("per_unit", "f8"),
    ("per_order", "f8"),
    ("minimum", "f8"),
    ("maximum_rate", "f8"),
    ("slippage", "f8"),
    ("half_spread", "f8"),
    ("volume_share", "f8"),
]
"""What the kernels read of the costs."""


@kernel
def fill_price(costs, ref, side, quantity, sigma, volume, floor):  # type: ignore[no-untyped-def]
    """Price of a market fill (F1): `ref` worsened for the side that trades (+1 buys, -1 sells).

    A price is at least `floor`: 0, or -inf where prices may be negative. Without volume the impact is left out: the simulation
    fills nothing on such a bar, only estimates (W2, T8) meet it.
    """
    price = ref
    if costs.slippage > 0.0 or costs.half_spread > 0.0 or costs.volume_share > 0.0:  # else no order waits for sums of nothing
        drag = costs.slippage * abs(ref) + costs.half_spread
        if costs.volume_share > 0.0 and volume > 0.0:
            drag += costs.volume_share * sigma * math.sqrt(quantity / volume) * abs(ref)
        price = ref + side * drag
    return price if price > floor else floor


@kernel
def commission(costs, rated, quantity, notional):  # type: ignore[no-untyped-def]
    """Commission of an order's total so far (F2), money: `rated` is the sum of its notionals times their rates; all absolute values."""
    if quantity <= 0.0:
        return 0.0
    fee = rated
    if costs.per_unit > 0.0 or costs.per_order > 0.0:  # most costs are a rate alone, and orders wait for this number
        fee = rated + quantity * costs.per_unit + costs.per_order
    if fee < costs.minimum:
        fee = costs.minimum
    if costs.maximum_rate < math.inf:
        most = costs.maximum_rate * notional
        if fee > most:
            fee = most
    return fee


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Commission and slippage of every fill. Costs have no default: spell out `Costs.free()` for none.

    Parameters
    ----------
    commission_rate : float
        Fraction of the notional, per fill (0.001 is 10 bps).
    per_unit, per_order : float
        Money per unit traded and per order.
    minimum : float
        Least commission of an order, money.
    maximum_rate : float
        Most commission of an order as a fraction of its notional; it wins over `minimum`.
    maker_rate : float, optional
        Rate of limit fills (take profits); `commission_rate` when not given.
    slippage_bps : float
        Price worsened by so many hundredths of a percent, market and stop fills only.
    half_spread : float
        Price worsened by so much, in price units.
    volume_share : float
        `k` of the square-root impact `k * sigma * sqrt(quantity / volume)`; needs volume (F1).
    volume_window : int
        Bars in the `sigma` of the impact.

    Raises
    ------
    ConfigError
        A negative or infinite number, or nothing but zeros.

    Notes
    -----
    Rules F1 and F2 of SEMANTICS.
    """

    commission_rate: float = 0.0
    per_unit: float = 0.0
    per_order: float = 0.0
    minimum: float = 0.0
    maximum_rate: float = math.inf
    maker_rate: float | None = None
    slippage_bps: float = 0.0
    half_spread: float = 0.0
    volume_share: float = 0.0
    volume_window: int = 20
    _free: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("_free", "volume_window") or (field.name == "maker_rate" and value is None):
                continue
            infinite_is_fine = field.name == "maximum_rate"
            if not _is_number(value) or math.isnan(value) or value < 0 or (math.isinf(value) and not infinite_is_fine):
                raise ConfigError(f"Costs.{field.name} is {value!r}; expected a finite number >= 0")
        for name in ("commission_rate", "maximum_rate", "maker_rate"):
            value = getattr(self, name)
            if value is not None and not math.isinf(value) and value >= 0.5:
                raise ConfigError(f"Costs.{name} is {value!r}, half of the notional or more; rates are fractions: 0.001 is 10 bps")
        if not isinstance(self.volume_window, int) or isinstance(self.volume_window, bool) or self.volume_window < 1:
            raise ConfigError(f"Costs.volume_window is {self.volume_window!r}; expected a whole number of bars >= 1")
        if not self._free and self.is_free:
            raise ConfigError("Costs are all zero; give at least one, or write Costs.free() if that is what you mean")

    @classmethod
    def free(cls) -> Costs:
        """No costs at all, on purpose."""
        return cls(_free=True)

    @property
    def is_free(self) -> bool:
        """Whether nothing costs anything."""
        paid = (self.commission_rate, self.per_unit, self.per_order, self.minimum, self.maker_rate or 0.0)
        return not any((*paid, self.slippage_bps, self.half_spread, self.volume_share))

    @property
    def needs_volume(self) -> bool:
        """Whether the volume column is used."""
        return self.volume_share > 0

    def to_dict(self) -> dict[str, Any]:
        """Public fields by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if not f.name.startswith("_")}

    def numbers(self) -> tuple[float, ...]:
        """The values of `COST_FIELDS`."""
        return (
            self.commission_rate,
            self.commission_rate if self.maker_rate is None else self.maker_rate,
            self.per_unit,
            self.per_order,
            self.minimum,
            self.maximum_rate,
            self.slippage_bps * 1e-4,
            self.half_spread,
            self.volume_share,
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
