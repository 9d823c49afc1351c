"""Filters: strategies that let another strategy's strengths through, or not.

A filter holds one member and gives strengths: the member's standing (see `signals.standing`), weakened, delayed or withheld. What a
filter withholds is 0, flat, unless it says `outside="keep"`: then nothing changes there (NaN), so what is held stays held.
Bars without a market say nothing, and do not count where a filter counts bars.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN
from ..core.jit import kernel, kernel_loop
from ..core.space import Parameter
from ..core.state import plain, records
from ..data.market import Market, start_ns
from ..data.zones import DAY_NS, utc_offsets
from ..engine.strategy import Strategy, as_strategy
from ..errors import ConfigError, nearest
from ..indicators.moving import EMA, SMA
from ..indicators.plan import Indicator, IndicatorPlan
from ..indicators.registry import find
from ..indicators.shape import readonly
from ..indicators.streaming import IndicatorStream
from .combined import Columns, Combined, Machine, Stateless, View, WithColumns

__all__ = [
    "CooldownFilter", "MinimumHoldFilter", "RegimeFilter", "SessionHoursFilter", "SignalFilter", "SmoothingFilter", "ThresholdFilter",
    "VolatilityFilter", "cooldown_step", "hold_step", "paced_run",
]  # fmt: skip

_OUTSIDE = ("flat", "keep")


@dataclass(frozen=True)
class SignalFilter(Combined):
    """Base of filters: one member, whose standing the machine gets as `view.said[0]`.

    Parameters
    ----------
    member : the strategy that is filtered; it gives signals or strengths
    """

    member: Strategy

    def check(self) -> None:
        """The member must be a strategy, or a function `rows(bars)`."""
        if not isinstance(self.member, Strategy) and not callable(self.member):
            raise ConfigError(f"{self.name}.member is {self.member!r}; expected a strategy")
        object.__setattr__(self, "member", as_strategy(self.member))

    @property
    def inputs(self) -> Mapping[str, Strategy]:
        """The one member."""
        return {self.member.name: self.member}


def _where(allowed: Any, said: ArrayTN, outside: str) -> ArrayTN:
    """What was said where that is allowed, else flat or nothing; nothing where nothing was said."""
    return np.where(allowed | np.isnan(said), said, 0.0 if outside == "flat" else np.nan)


@dataclass(frozen=True)
class ThresholdFilter(SignalFilter):
    """Strengths smaller than `threshold` are 0.

    Parameters
    ----------
    member : what is filtered
    threshold : smallest |strength| that counts, from 0 to 1; a strength of just that size counts
    """

    threshold: float = Parameter(0.5, low=0.0, high=1.0)

    def machine(self, market: Market) -> Machine:
        """Elementwise, nothing remembered."""
        return Stateless(lambda view: _where(np.abs(view.said[0]) >= self.threshold, view.said[0], "flat"))


@dataclass(frozen=True)
class SmoothingFilter(SignalFilter):
    """The moving average of the member's standing.

    Parameters
    ----------
    member : what is filtered
    window : bars in the mean, or the span of the exponential one
    method : "sma" or "ema"; both speak once they have `window` values
    """

    window: int = Parameter(5, low=1, integer=True)
    method: str = Parameter("sma", choices=("sma", "ema"))

    @property
    def warmup(self) -> int:
        """The member's, and then the window."""
        return self.member.warmup + self.window - 1

    def machine(self, market: Market) -> Machine:
        """The average as an indicator of what was said."""
        return _Smoothed(IndicatorStream(SMA if self.method == "sma" else EMA, self.window, assets=market.N))


@dataclass
class _Smoothed:
    mean: IndicatorStream

    @property
    def parts(self) -> tuple[NDArray[Any], ...]:
        return self.mean.parts

    def run(self, view: View) -> ArrayTN:
        present = np.where(np.isnan(view.close), np.nan, view.said[0])
        out = np.empty_like(present)
        self.mean.run((readonly(present),), out)
        return np.clip(out, -1.0, 1.0)  # a mean may round past the largest of its values


PACE = np.dtype([("side", "f8"), ("strength", "f8"), ("bars", "i8")], align=True)
"""What cooldown and minimum hold remember: the side let through, its strength, and bars to wait or held."""


@kernel
def cooldown_step(state, bars, said):  # type: ignore[no-untyped-def]
    """One bar of one asset: the strength let through; a side left is followed by `bars` bars without one."""
    side = 1.0 if said > 0.0 else -1.0 if said < 0.0 else 0.0
    if state.side != 0.0:
        if side == state.side:
            return said
        state.side = 0.0
        state.bars = bars
        return 0.0
    if state.bars > 0:
        state.bars -= 1
        return 0.0
    state.side = side
    return said


@kernel
def hold_step(state, bars, said):  # type: ignore[no-untyped-def]
    """One bar of one asset: the strength let through; a side taken stays for at least `bars` bars."""
    side = 1.0 if said > 0.0 else -1.0 if said < 0.0 else 0.0
    if state.side != 0.0 and side != state.side and state.bars < bars:
        state.bars += 1
        return state.strength
    state.bars = state.bars + 1 if side == state.side else 1
    state.side = side
    state.strength = said
    return said


@kernel_loop
def paced_run(states, bars, holds, said, close, out):  # type: ignore[no-untyped-def]
    """All bars (L, N) of all assets, from the given states on: minimum hold where `holds` is 1, else cooldown."""
    for t in range(said.shape[0]):
        for n in range(said.shape[1]):
            value = said[t, n]
            if close[t, n] != close[t, n] or value != value:
                out[t, n] = math.nan
            elif holds == 1:
                out[t, n] = hold_step(states[n], bars, value)
            else:
                out[t, n] = cooldown_step(states[n], bars, value)


class _Paced:
    """The machine of cooldown and minimum hold."""

    def __init__(self, bars: int, holds: bool, assets: int) -> None:
        self._bars, self._holds, self._states = bars, int(holds), records(PACE, assets)

    @property
    def parts(self) -> list[NDArray[Any]]:
        return [self._states]

    def run(self, view: View) -> ArrayTN:
        out = np.empty(view.close.shape)
        paced_run(plain(self._states), self._bars, self._holds, view.said[0], view.close, out)
        return out


@dataclass(frozen=True)
class CooldownFilter(SignalFilter):
    """After a side is left, no side for `bars` bars. A reversal leaves first: the other side waits, too.

    Parameters
    ----------
    member : what is filtered
    bars : bars after the one at which the side was left
    """

    bars: int = Parameter(5, low=1, integer=True)

    def machine(self, market: Market) -> Machine:
        """Counts bars per asset."""
        return _Paced(self.bars, False, market.N)


@dataclass(frozen=True)
class MinimumHoldFilter(SignalFilter):
    """A side taken is kept for at least `bars` bars, at its last strength, whatever the member says meanwhile.

    Parameters
    ----------
    member : what is filtered
    bars : bars of the side, the first one counted
    """

    bars: int = Parameter(5, low=1, integer=True)

    def machine(self, market: Market) -> Machine:
        """Counts bars per asset."""
        return _Paced(self.bars, True, market.N)


@dataclass(frozen=True)
class SessionHoursFilter(SignalFilter):
    """Strengths only between two times of the day, by the label of the bar (its start) in the market's time zone.

    Parameters
    ----------
    member : what is filtered
    start, end : wall clock "HH:MM"; from `start` up to, not including, `end`. An `end` before `start` is the next day's
    outside : "flat" leaves what is held at the first bar outside, "keep" changes nothing there

    Raises ConfigError for other texts, equal times, and bars of a day or longer, which have no time of the day.
    """

    start: str = "09:30"
    end: str = "16:00"
    outside: str = Parameter("flat", choices=_OUTSIDE)

    def check(self) -> None:
        """Both must be times of the day, and different."""
        super().check()
        for name in ("start", "end"):
            try:
                start_ns(getattr(self, name))
            except ConfigError as error:
                raise ConfigError(f"{self.name}.{name} is {getattr(self, name)!r}; expected a wall clock such as '09:30'") from error
        if start_ns(self.start) == start_ns(self.end):
            raise ConfigError(f"{self.name}.start and end are both {self.start!r}; expected two different times")

    def machine(self, market: Market) -> Machine:
        """Elementwise, nothing remembered."""
        if market.bar_ns is None or market.bar_ns >= DAY_NS:
            raise ConfigError(f"{self.name} needs bars shorter than a day; these have no time of the day")
        start, end = start_ns(self.start), start_ns(self.end)

        def says(view: View) -> ArrayTN:
            clock = (view.labels + utc_offsets(view.labels, market.time_zone)) % DAY_NS
            inside = (clock >= start) & (clock < end) if start < end else (clock >= start) | (clock < end)
            return _where(inside[:, None], view.said[0], self.outside)

        return Stateless(says)


@dataclass(frozen=True)
class RegimeFilter(SignalFilter):
    """Strengths only while an indicator says that the regime is on.

    Parameters
    ----------
    member : what is filtered
    indicator : an `Indicator`, or the name of one with its defaults; "sma 200" is one with its parameters in order
    above, below : the regime is on while `above <= value <= below`; None is no bound. Longs and shorts alike
    of_price : instead: longs pass while the close is above the indicator, shorts while it is below
    output : of an indicator that has several
    outside : "flat" or "keep"

    While the indicator has no value the regime is off. ConfigError for an unknown indicator or output, and for bounds that cannot be.
    """

    indicator: Indicator | str = "sma 200"
    above: float | None = None
    below: float | None = None
    of_price: bool = False
    output: str | None = None
    outside: str = Parameter("flat", choices=_OUTSIDE)
    _plan: IndicatorPlan = field(init=False, repr=False, compare=False)

    def check(self) -> None:
        """The indicator must exist, and the bounds leave room."""
        super().check()
        indicator = _indicator_of(self.indicator, self.name)
        outputs = indicator.kernel.outputs
        if (self.output is not None and self.output not in outputs) or (outputs and self.output is None):
            hint = nearest(str(self.output), outputs) if outputs else "it has one output: leave output out"
            raise ConfigError(f"{self.name}.output is {self.output!r}; expected an output of {indicator.name}; {hint}")
        bounds = [bound for bound in (self.above, self.below) if bound is not None]
        if any(isinstance(b, bool) or not isinstance(b, int | float) or not math.isfinite(b) for b in bounds):
            raise ConfigError(f"{self.name}.above is {self.above!r}, below is {self.below!r}; expected finite numbers, or None")
        if self.of_price == bool(bounds) or (len(bounds) == 2 and bounds[0] > bounds[1]):
            found = f"above={self.above!r}, below={self.below!r}, of_price={self.of_price!r}"
            raise ConfigError(f"{self.name} has {found}; expected bounds with above <= below, or of_price=True and no bound")
        object.__setattr__(self, "indicator", indicator)
        object.__setattr__(self, "_plan", IndicatorPlan({"regime": indicator}))

    @property
    def needs_volume(self) -> bool:
        """Whether the indicator reads the volume."""
        return self._plan.needs_volume

    @property
    def own_warmup(self) -> int:
        """That of the indicator."""
        return self._plan.warmup

    def machine(self, market: Market) -> Machine:
        """The indicator, and a comparison."""
        column = "regime" if self.output is None else f"regime_{self.output}"
        columns = Columns(self._plan, market)

        def says(view: View) -> ArrayTN:
            value, said = columns.run(view)[column], view.said[0]
            if self.of_price:
                with_price = ((said > 0.0) & (view.close > value)) | ((said < 0.0) & (view.close < value)) | (said == 0.0)
                return _where(with_price, said, self.outside)
            on = (value >= (-math.inf if self.above is None else self.above)) & (value <= (math.inf if self.below is None else self.below))
            return _where(on, said, self.outside)

        return WithColumns(columns, says)


def _indicator_of(given: Any, owner: str) -> Indicator:
    if isinstance(given, Indicator):
        return given
    if not isinstance(given, str) or not given.split():
        raise ConfigError(f"{owner}.indicator is {given!r}; expected an Indicator, such as Indicator('sma', 200), or its name")
    name, *values = given.split()
    kernel = find(name)
    try:
        numbers = [int(value) if domain.integer else float(value) for value, domain in zip(values, kernel.parameters, strict=False)]
    except ValueError as error:
        raise ConfigError(f"{owner}.indicator is {given!r}; expected a name and its numbers, such as 'sma 200'") from error
    return Indicator(name, *numbers, *values[len(numbers) :])


@dataclass(frozen=True)
class VolatilityFilter(SignalFilter):
    """Strengths only while volatility is in a range, or shrunk where it is above.

    Parameters
    ----------
    member : what is filtered
    max_volatility : sigma per bar of close-to-close returns (`close_sigma`), a fraction: 0.03 is 3 % a bar
    min_volatility : likewise; below it the filter withholds
    window : bars of sigma
    method : "block" withholds above `max_volatility`, "shrink" multiplies by `max_volatility/sigma` there
    outside : "flat" or "keep", where it withholds
    """

    max_volatility: float = Parameter(0.03, low=0.0)
    min_volatility: float = Parameter(0.0, low=0.0)
    window: int = Parameter(20, low=1, integer=True)
    method: str = Parameter("block", choices=("block", "shrink"))
    outside: str = Parameter("flat", choices=_OUTSIDE)

    def check(self) -> None:
        """The range must not be empty."""
        super().check()
        if not self.min_volatility < self.max_volatility:
            found = f"min_volatility is {self.min_volatility}, max_volatility is {self.max_volatility}"
            raise ConfigError(f"{self.name}.{found}; expected min_volatility < max_volatility")

    def machine(self, market: Market) -> Machine:
        """Sigma, and a comparison."""
        columns = Columns(IndicatorPlan({"sigma": Indicator("close_sigma", self.window)}), market)

        def says(view: View) -> ArrayTN:
            sigma, said = columns.run(view)["sigma"], view.said[0]
            if self.method == "block":
                return _where((sigma >= self.min_volatility) & (sigma <= self.max_volatility), said, self.outside)
            with np.errstate(divide="ignore", invalid="ignore"):
                shrunk = said * np.where(sigma > self.max_volatility, self.max_volatility / sigma, 1.0)
            return _where(sigma >= self.min_volatility, shrunk, self.outside)

        return WithColumns(columns, says)
