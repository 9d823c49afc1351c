"""`TechnicalSignalGenerator`: any indicator as a generator, by a rule of its own or the user's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTN
from ..core.jit import kernel, kernel_loop
from ..core.kernel import Kernel
from ..core.space import Parameter
from ..data.market import Market
from ..errors import ConfigError, nearest
from ..indicators.plan import Indicator, IndicatorPlan
from ..indicators.registry import catalog
from ..indicators.windows import Moments, moments_next
from .base import SteppedGenerator, configurable
from .combined import Columns, View
from .rules import TechnicalRule, lines_of, rule_for, strength_of

__all__ = ["TechnicalSignalGenerator", "deviation_run"]

_OTHER_NAMES = {"moving_average": "sma", "ma": "sma", "exponential_moving_average": "ema", "bollinger_bands": "bollinger"}
_FAST, _SLOW = ("fast", "fast_period", "fast_window", "short"), ("slow", "slow_period", "slow_window", "long")


@kernel
def _next_deviation(state, buffer, window, value):  # type: ignore[no-untyped-def]
    """How many deviations (ddof 1) a value lies from the mean of the last `window`, itself among them; NaN before there are as many."""
    past = Moments(state[0], state[1], state[2], int(state[3]), int(state[4]))
    now, total, squares = moments_next(past, buffer, window, value)
    state[0], state[1], state[2], state[3], state[4] = now.anchor, now.first, now.second, now.head, now.filled
    if now.filled < window:
        return math.nan
    mean = now.anchor + total / now.filled
    variance = max(squares - total * total / now.filled, 0.0) / (now.filled - 1)
    if variance == 0.0:
        return 0.0
    return (value - mean) / math.sqrt(variance)


@kernel_loop
def deviation_run(states, buffers, values, out):  # type: ignore[no-untyped-def]
    """Deviations of all values (L, N) from their moving mean; states (N, 5), buffers (N, 3 * window). A missing value has none."""
    window = buffers.shape[1] // 3
    for t in range(values.shape[0]):
        for n in range(values.shape[1]):
            value = values[t, n]
            if value == value:
                out[t, n] = _next_deviation(states[n], buffers[n], window, value)
            else:
                out[t, n] = math.nan


@configurable
class TechnicalSignalGenerator(SteppedGenerator):
    """Strengths from any indicator of `vb.indicators.catalog()`, by the rules of `signals.rules`.

    Parameters
    ----------
    indicator : its name; "moving_average" is "sma"
    fast_period, slow_period : the two periods of a cross of averages (fast < slow). For other indicators a parameter called fast gets
        `fast_period` and one called slow `slow_period` unless the indicator has defaults for them, and a window without a default
        gets `slow_period`
    options : parameters of the indicator by name; they stand over everything said above
    rule : how the indicator becomes a strength; None: its own rule, ConfigError for an indicator without a direction (atr)
    signal_scale : the value is multiplied by it and cut to [-1, 1]; None: see `signals.rules`
    of : what a series indicator reads: a field of the bars
    signal_threshold, direction_threshold, signal_smoothing : as in `SignalGenerator`

    All of it may come as one mapping, too. A bar without a value of the indicator says nothing.
    """

    indicator: str = "moving_average"
    fast_period: int = Parameter(5, low=1, integer=True)
    slow_period: int = Parameter(20, low=2, integer=True)
    options: Mapping[str, Any] | None = field(default=None, hash=False)
    rule: TechnicalRule | None = None
    signal_scale: float | None = None
    of: str = Parameter("close", choices=("open", "high", "low", "close", "volume"))

    def check(self) -> None:
        """The indicator must exist and have a direction; its parameters must be right, and the fast period the shorter one."""
        name = _OTHER_NAMES.get(self.indicator, self.indicator)
        if name not in catalog():
            hint = nearest(str(self.indicator), [*catalog(), *_OTHER_NAMES])
            raise ConfigError(f"{self.name}.indicator is {self.indicator!r}, which is no indicator; {hint}")
        if self.rule is not None and not isinstance(self.rule, TechnicalRule):
            raise ConfigError(f"{self.name}.rule is {self.rule!r}; expected TechnicalRule(...), or None for the indicator's own")
        scale = self.signal_scale
        if scale is not None and (isinstance(scale, bool) or not isinstance(scale, int | float) or not 0.0 < scale < math.inf):
            raise ConfigError(f"{self.name}.signal_scale is {scale!r}; expected a finite number above 0, or None")
        if self.options is not None:
            if not isinstance(self.options, Mapping):
                found = self.options
                raise ConfigError(f"{self.name}.options is {found!r}; expected parameters of {name} by name")
            object.__setattr__(self, "options", dict(self.options))
        if self._crosses_itself and self.fast_period >= self.slow_period:
            raise ConfigError(
                f"{self.name}.fast_period is {self.fast_period}, slow_period is {self.slow_period}; expected fast_period < slow_period"
            )
        lines_of(self._rule, self._kernel)
        self.plan()

    @property
    def _kernel(self) -> Kernel:
        return catalog()[_OTHER_NAMES.get(self.indicator, self.indicator)]

    @property
    def _rule(self) -> TechnicalRule:
        return self.rule if self.rule is not None else rule_for(self._kernel)

    @property
    def _crosses_itself(self) -> bool:
        """Whether the cross is of one average with two periods."""
        return self._rule.kind == "cross" and not self._kernel.outputs

    def plan(self) -> IndicatorPlan:
        """The indicators that are computed: two of a cross of averages, one else."""
        if self._crosses_itself:
            return IndicatorPlan({"fast": self._declared(self.fast_period), "slow": self._declared(self.slow_period)})
        return IndicatorPlan({"line": self._declared(None)})

    def _declared(self, period: int | None) -> Indicator:
        kernel = self._kernel
        given: dict[str, Any] = {}
        for place, domain in enumerate(kernel.parameters):
            if period is not None and place == 0:
                given[domain.name] = period
            elif domain.has_default:
                continue
            elif domain.name in _FAST:
                given[domain.name] = self.fast_period
            elif domain.name in _SLOW or domain.integer:
                given[domain.name] = self.slow_period
        given |= self.options or {}
        return Indicator(kernel.name, **given) if kernel.takes_bars else Indicator(kernel.name, of=self.of, **given)

    @property
    def needs_volume(self) -> bool:
        """Whether the indicator reads the volume."""
        return self.plan().needs_volume

    @property
    def needs_sessions(self) -> bool:
        """Whether the indicator reads sessions."""
        return self.plan().needs_sessions

    @property
    def raw_warmup(self) -> int:
        """Bars before the indicator, and the mean of a deviation, have a value."""
        return self.plan().warmup + (self._rule.window - 1 if self._rule.kind == "zscore" else 0)

    def raw(self, market: Market) -> _Raw:
        """The indicator and its rule."""
        plan = self.plan()
        used = tuple(f"line_{line}" for line in lines_of(self._rule, self._kernel)) or ("line",)
        names = ("fast", "slow") if self._crosses_itself else used
        return _Raw(Columns(plan, market), names, self._rule, self.signal_scale, market.N)


@dataclass
class _Raw:
    """Raw values: the columns that the rule uses, and the rule."""

    columns: Columns
    names: tuple[str, ...]
    rule: TechnicalRule
    scale: float | None
    assets: int

    def __post_init__(self) -> None:
        kept = self.assets if self.rule.kind == "zscore" else 0
        self._states: ArrayN = np.zeros((kept, 5))
        self._buffers: ArrayN = np.zeros((kept, 3 * self.rule.window))

    @property
    def parts(self) -> list[NDArray[Any]]:
        """All that changes from bar to bar."""
        return [*self.columns.parts, self._states, self._buffers]

    def run(self, view: View) -> ArrayTN:
        """Raw values (L, N)."""
        found = self.columns.run(view)
        lines = tuple(found[name] for name in self.names)
        if self.rule.kind == "zscore":
            deviations = np.empty(view.close.shape)
            deviation_run(self._states, self._buffers, np.ascontiguousarray(lines[0]), deviations)
            lines = (deviations,)
        return strength_of(self.rule, view.close, lines, self.scale)
