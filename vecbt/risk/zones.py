"""Drawdown zones (Z1 to Z3): how much new risk an account may take, by how far it is below its peak."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from .._typing import Records
from ..core.codes import Zone
from ..core.jit import kernel
from ..core.state import records
from ..errors import ConfigError
from .limits import Limits

__all__ = ["ZONE_FIELDS", "ZONE_PARAMS", "Risk", "Zones", "judge_zone", "new_risk_factor", "no_zones", "reset_zone"]

ZONE_PARAMS = np.dtype(
    [
        ("boundaries", "f8", (3,)),
        ("factors", "f8", (4,)),
        ("liquidate_at", "f8"),  # 0: never
        ("cooldown", "i8"),  # 0: only reset() re-arms
        ("intrabar", "i8"),
        ("on", "i8"),  # 0: no zones
    ],
    align=True,
)

ZONE_FIELDS = [
    ("peak", "f8"),  # highest equity at a close; the start, or the last re-arming, is the first
    ("zone", "i8"),
    ("halted", "i8"),  # EMERGENCY is latched
    ("liquidating", "i8"),
    ("halted_bars", "i8"),
]
"""What an account remembers for its zone."""

_EMERGENCY = int(Zone.EMERGENCY)


@kernel
def judge_zone(acct, zones, worst):  # type: ignore[no-untyped-def]
    """T6: peak and zone after this bar's equity. `worst` is the equity at the bar's worst prices (`mark="intrabar"`)."""
    before = acct.peak
    if acct.equity > acct.peak:
        acct.peak = acct.equity
    if zones.on == 0:
        return
    rule = zones
    judged, peak = acct.equity, acct.peak
    if rule.intrabar == 1:
        judged, peak = worst, before
        if acct.equity < judged:
            judged = acct.equity
        if acct.broke == 1 and peak * (1.0 - rule.liquidate_at) < judged:
            judged = peak * (1.0 - rule.liquidate_at)  # Z8: it was reached inside the bar
    if acct.halted == 1:
        acct.halted_bars += 1
        if rule.cooldown > 0 and acct.halted_bars >= rule.cooldown:
            reset_zone(acct)
            return
    if acct.empty == 1:  # nothing to fall from
        acct.zone = _EMERGENCY if acct.halted == 1 else 0
        return
    zone = 0
    for k in range(3):
        if judged <= peak * (1.0 - rule.boundaries[k]):
            zone = k + 1
    if rule.liquidate_at > 0.0 and judged <= peak * (1.0 - rule.liquidate_at):
        acct.liquidating = 1
        zone = _EMERGENCY
    if zone == _EMERGENCY:
        acct.halted = 1
    acct.zone = _EMERGENCY if acct.halted == 1 else zone


@kernel
def reset_zone(acct):  # type: ignore[no-untyped-def]
    """Z3: re-arm with the peak at the equity of now."""
    acct.peak = acct.equity
    acct.zone = 0
    acct.halted = 0
    acct.liquidating = 0
    acct.halted_bars = 0


@kernel
def new_risk_factor(acct, zones):  # type: ignore[no-untyped-def]
    """Z2: what new risk is multiplied by."""
    return zones.factors[acct.zone] if zones.on == 1 else 1.0


def _fraction(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ConfigError(f"{name} is {value!r}; expected a fraction between 0 and 1, such as 0.05")
    if not 0.0 < value < 1.0:
        raise ConfigError(f"{name} is {value!r}; expected a fraction between 0 and 1: 5 % is 0.05")
    return float(value)


@dataclass(frozen=True, kw_only=True)
class Zones:
    """Four drawdown zones, NORMAL, CAUTION, ALERT and EMERGENCY (section Z of SEMANTICS).

    Parameters
    ----------
    boundaries : three floats
        Drawdown fractions at which CAUTION, ALERT and EMERGENCY begin, ascending.
    factors : four floats
        What new risk is multiplied by in each zone, from 1 down; EMERGENCY must be 0.
    liquidate_at : float, optional
        Drawdown at which everything is closed as well; ALERT's boundary or more.
    cooldown_bars : int, optional
        Bars after which a halted account is re-armed; without it only `Stream.reset()` does.
    mark : {"close", "intrabar"}
        Judge the drawdown on closes, or at the bar's worst high or low of what is held.

    Raises
    ------
    ConfigError
        Boundaries out of order, factors out of range, a combination that is not allowed.
    """

    boundaries: tuple[float, float, float] = (0.05, 0.10, 0.15)
    factors: tuple[float, float, float, float] = (1.0, 0.5, 0.25, 0.0)
    liquidate_at: float | None = None
    cooldown_bars: int | None = None
    mark: str = "close"

    def __post_init__(self) -> None:
        if not isinstance(self.boundaries, tuple | list) or len(self.boundaries) != 3:
            raise ConfigError(f"Zones.boundaries is {self.boundaries!r}; expected 3 numbers: where CAUTION, ALERT and EMERGENCY begin")
        bounds = tuple(_fraction(f"Zones.boundaries[{k}]", b) for k, b in enumerate(self.boundaries))
        if not bounds[0] < bounds[1] < bounds[2]:
            raise ConfigError(f"Zones.boundaries are {self.boundaries}; expected ascending drawdowns such as (0.05, 0.10, 0.15)")
        object.__setattr__(self, "boundaries", bounds)
        self._check_factors()
        if self.liquidate_at is not None and _fraction("Zones.liquidate_at", self.liquidate_at) < bounds[1]:
            raise ConfigError(f"Zones.liquidate_at is {self.liquidate_at}; expected ALERT's boundary ({bounds[1]}) or more")
        cooldown = self.cooldown_bars
        if cooldown is not None and (isinstance(cooldown, bool) or not isinstance(cooldown, int) or cooldown < 1):
            raise ConfigError(f"Zones.cooldown_bars is {cooldown!r}; expected a whole number of bars >= 1")
        if self.mark not in ("close", "intrabar"):
            raise ConfigError(f"Zones.mark is {self.mark!r}; expected 'close' or 'intrabar'")

    def _check_factors(self) -> None:
        if not isinstance(self.factors, tuple | list) or len(self.factors) != 4:
            raise ConfigError(f"Zones.factors is {self.factors!r}; expected 4 numbers: for NORMAL, CAUTION, ALERT and EMERGENCY")
        for k, factor in enumerate(self.factors):
            if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0.0 <= factor <= 1.0:
                raise ConfigError(f"Zones.factors[{k}] is {factor!r}; expected a number from 0 to 1")
        if any(b > a for a, b in zip(self.factors, self.factors[1:], strict=False)):
            raise ConfigError(f"Zones.factors are {self.factors}; a deeper drawdown must not allow more risk")
        if self.factors[3] != 0.0:
            raise ConfigError(f"Zones.factors[3] is {self.factors[3]!r}; EMERGENCY takes no new risk, expected 0")
        object.__setattr__(self, "factors", tuple(float(f) for f in self.factors))

    def to_dict(self) -> dict[str, Any]:
        """Fields by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def record(self) -> Records:
        """The parameters as the kernels take them: one record of `ZONE_PARAMS`."""
        out = records(ZONE_PARAMS, 1)
        out[0].boundaries[:] = self.boundaries
        out[0].factors[:] = self.factors
        out[0].liquidate_at = self.liquidate_at or 0.0
        out[0].cooldown = self.cooldown_bars or 0
        out[0].intrabar = int(self.mark == "intrabar")
        out[0].on = 1
        return out


def no_zones() -> Records:
    """Parameters of an account without zones."""
    return records(ZONE_PARAMS, 1)


@dataclass(frozen=True, kw_only=True)
class Risk:
    """Account-level rules; each is off without its number.

    Parameters
    ----------
    zones : Zones, optional
        Drawdown zones (Z1 to Z3).
    daily_loss : float, optional
        Loss since the last session, as a fraction, from which on new risk waits for the next one (Z4).
    max_heat : float, optional
        Most of equity that all positions together may lose down to their stops (Z5).
    max_trade_loss : float, optional
        Most of equity that one position may lose down to its stop (Z9).
    limits : Limits, optional
        Limits on positions and exposure (Z7).

    Raises
    ------
    ConfigError
        A fraction outside its range, or no rule at all.
    """

    zones: Zones | None = None
    daily_loss: float | None = None
    max_heat: float | None = None
    max_trade_loss: float | None = None
    limits: Limits | None = None

    def __post_init__(self) -> None:
        for name, kind in (("zones", Zones), ("limits", Limits)):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                raise ConfigError(f"Risk.{name} is {value!r}; expected {kind.__name__}(...)")
        for name in ("daily_loss", "max_heat", "max_trade_loss"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _fraction(f"Risk.{name}", getattr(self, name)))
        if all(getattr(self, f.name) is None for f in fields(self)):
            raise ConfigError("Risk() sets no rule; give zones, daily_loss, max_heat, max_trade_loss or limits, or leave risk out")

    @property
    def limits_new_risk(self) -> bool:
        """Whether anything beside the zones is on."""
        return any(getattr(self, name) is not None for name in ("daily_loss", "max_heat", "max_trade_loss", "limits"))

    def to_dict(self) -> dict[str, Any]:
        """Every rule by name, those of zones and limits with a dotted one; None where it is off."""
        shown: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if hasattr(value, "to_dict"):
                shown |= {f"{field.name}.{name}": v for name, v in value.to_dict().items()}
            else:
                shown[field.name] = value
        return shown
