"""Protective exits as users write them (P1, P2, P4, P6): typed distances, so that no number is read in the wrong unit."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np

from .._typing import Records
from ..core.codes import StopForm
from ..core.state import records
from ..errors import ConfigError
from .levels import STOP_PARAMS

__all__ = ["Atr", "Distance", "Pct", "Price", "Stops", "Ticks", "no_stops"]


def _positive(owner: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ConfigError(f"{owner}({value!r}): expected a number")
    if not math.isfinite(value) or value <= 0:
        raise ConfigError(f"{owner}({value!r}): expected a finite number > 0")


@dataclass(frozen=True)
class Pct:
    """A distance in percent of the price it is measured from: `Pct(3)` is 3 %."""

    percent: float

    def __post_init__(self) -> None:
        _positive("Pct", self.percent)


@dataclass(frozen=True)
class Atr:
    """A distance in multiples of the average true range: `Atr(2)`."""

    multiple: float

    def __post_init__(self) -> None:
        _positive("Atr", self.multiple)


@dataclass(frozen=True)
class Ticks:
    """A distance in ticks of the asset: `Ticks(20)`; the market must say what a tick is."""

    count: float

    def __post_init__(self) -> None:
        _positive("Ticks", self.count)


@dataclass(frozen=True)
class Price:
    """A level itself, in price units: `Price(97.5)`."""

    level: float

    def __post_init__(self) -> None:
        level = self.level
        if isinstance(level, bool) or not isinstance(level, int | float | np.integer | np.floating) or not math.isfinite(level):
            raise ConfigError(f"Price({level!r}): expected a finite price")


Distance: TypeAlias = float | Pct | Atr | Ticks | Price


def _form(owner: str, value: Any, *, level: bool) -> tuple[int, float]:
    """Code and number of a typed distance; a bare number is a fraction below 1."""
    if value is None:
        return int(StopForm.OFF), 0.0
    if isinstance(value, Atr):
        return int(StopForm.ATR), float(value.multiple)
    if isinstance(value, Ticks):
        return int(StopForm.TICKS), float(value.count)
    if isinstance(value, Price):
        if not level:
            raise ConfigError(f"{owner} is {value!r}, a fixed level; expected a distance: Pct, Atr, Ticks or a fraction")
        return int(StopForm.PRICE), float(value.level)
    fraction = value.percent / 100.0 if isinstance(value, Pct) else value
    if isinstance(fraction, bool) or not isinstance(fraction, int | float | np.integer | np.floating):
        raise ConfigError(f"{owner} is {value!r}; expected Pct(3), Atr(2), Ticks(20), Price(97.5) or a fraction below 1")
    if not math.isfinite(fraction) or fraction <= 0:
        raise ConfigError(f"{owner} is {value!r}; expected a distance > 0")
    if fraction >= 1 and not isinstance(value, Pct):
        hint = f"Pct({value:g}), Atr({value:g}), Ticks({value:g}) or Price({value:g})"
        raise ConfigError(f"{owner} is {value!r}; a bare number is a fraction below 1, so say which unit you mean: {hint}")
    return int(StopForm.FRACTION), float(fraction)


@dataclass(frozen=True, kw_only=True)
class Stops:
    """Protective exits of every position; all off by default (section P of SEMANTICS). Shorts mirror longs.

    Parameters
    ----------
    hard : Distance, optional
        Stop at a fixed distance from the average entry price (P1).
    trailing : Distance, optional
        Stop at a distance from the best price since entry (P2); not a `Price`.
    activation : float or Pct, optional
        Gain from which on the trailing stop is armed; without it, from the entry on.
    take_profit : Distance, optional
        Limit exit at a distance in profit (P4).
    time_bars, time_days : int, optional
        Exit after so many bars, or days between session dates (P6).
    atr_window : int
        Window of the ATR that `Atr` distances use, in bars.

    Raises
    ------
    ConfigError
        A distance without a clear unit, a dead combination, or nothing set at all.
    """

    hard: Distance | None = None
    trailing: Distance | None = None
    activation: float | Pct | None = None
    take_profit: Distance | None = None
    time_bars: int | None = None
    time_days: int | None = None
    atr_window: int = 14

    def __post_init__(self) -> None:
        _form("Stops.hard", self.hard, level=True)
        _form("Stops.trailing", self.trailing, level=False)
        _form("Stops.take_profit", self.take_profit, level=True)
        if isinstance(self.activation, Atr | Ticks | Price):
            raise ConfigError(f"Stops.activation is {self.activation!r}; expected a gain as Pct(2) or a fraction")
        _form("Stops.activation", self.activation, level=False)
        if self.activation is not None and self.trailing is None:
            raise ConfigError("Stops.activation arms the trailing stop, but Stops.trailing is not set")
        for name in ("time_bars", "time_days", "atr_window"):
            value = getattr(self, name)
            if value is None and name != "atr_window":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"Stops.{name} is {value!r}; expected a whole number >= 1")
        if all(getattr(self, f.name) is None for f in fields(self) if f.name != "atr_window"):
            raise ConfigError("Stops() sets no exit; give hard, trailing, take_profit, time_bars or time_days, or leave stops out")

    @classmethod
    def preset(cls, name: str) -> Stops:
        """Stops with the numbers of a name (`risk.presets.STOPS`).

        `wide` 5 % and a target of 10 %; `layered` 3 % hard, 2 % trail from a gain of 2 % on, target 5 %, 30 days; `tight` 2 % and
        4 %; `atr` a trail of 2 ATR.

        Raises
        ------
        ConfigError
            An unknown name.
        """
        from .presets import stops

        return stops(name)

    @property
    def needs_atr(self) -> bool:
        """Whether any distance is in ATR."""
        return any(isinstance(d, Atr) for d in (self.hard, self.trailing, self.take_profit))

    @property
    def needs_tick(self) -> bool:
        """Whether any distance is in ticks."""
        return any(isinstance(d, Ticks) for d in (self.hard, self.trailing, self.take_profit))

    @property
    def needs_positive(self) -> bool:
        """Whether any distance is in percent, which needs prices above 0 (F12)."""
        percents = (self.hard, self.trailing, self.take_profit, self.activation)
        return any(d is not None and not isinstance(d, Atr | Ticks | Price) for d in percents)

    @property
    def lowest_price(self) -> float:
        """The lowest level given as a price, inf where there is none."""
        return min((float(d.level) for d in (self.hard, self.take_profit) if isinstance(d, Price)), default=math.inf)

    @property
    def has_stop(self) -> bool:
        """Whether a position has a stop level at all, hard or trailing."""
        return self.hard is not None or self.trailing is not None

    @property
    def findings(self) -> tuple[str, ...]:
        """What is allowed but can hardly be meant (P2), a sentence each: a trail that leaves the hard stop nothing to do."""
        hard, trail = _form("Stops.hard", self.hard, level=True), _form("Stops.trailing", self.trailing, level=False)
        if self.activation is None and hard[0] == trail[0] != StopForm.OFF and trail[1] <= hard[1]:
            return (
                f"the hard stop {self.hard!r} adds nothing: the trailing stop {self.trailing!r} is armed at entry and not wider; "
                "set activation, or a wider trailing stop",
            )
        return ()

    def to_dict(self) -> dict[str, Any]:
        """Fields by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def record(self) -> Records:
        """The parameters as the kernels take them: one record of `STOP_PARAMS`."""
        hard = _form("Stops.hard", self.hard, level=True)
        trail = _form("Stops.trailing", self.trailing, level=False)
        target = _form("Stops.take_profit", self.take_profit, level=True)
        gain = _form("Stops.activation", self.activation, level=False)
        out = records(STOP_PARAMS, 1)
        out[0] = (
            *hard,
            *trail,
            *target,
            gain[1] if self.activation is not None else -1.0,
            self.time_bars or 0,
            self.time_days or 0,
            int(self.needs_atr),
            1,
        )
        return out


def no_stops(brackets: bool = False) -> Records:
    """Parameters without exits; with `brackets` those of orders act (O3)."""
    out = records(STOP_PARAMS, 1)
    quick = out.view(np.ndarray)  # a field of this takes a tenth of the time
    quick["activation"], quick["on"] = -1.0, int(brackets)
    return out
