"""Rules that turn what an indicator says into a strength in [-1, 1], and which rule is an indicator's own.

| kind | strength | of |
| --- | --- | --- |
| cross | fast over slow: two periods of one average, or two outputs of one indicator | sma, ema, ...; adx (+DI, -DI), aroon, ichimoku |
| price | the close over a line | vwap, parabolic stop, any average with one window |
| sign | a line over its centre | macd (histogram), roc, momentum, tsi, regression_slope, supertrend (direction), ... |
| levels | 0 in the middle of two levels, 1 at either end | rsi 30/70, stochastic 20/80, mfi, cci, williams_r, ... |
| band | the close between two bands: 0 in the middle, 1 at either | bollinger, keltner, donchian |
| zscore | a line less its mean over its deviation, of the last `window` values | obv, accumulation_distribution |

`style="trend"` follows (up is long), `style="reversion"` goes against it. Without a `signal_scale`, cross, price and sign give the sign
alone, and the others 1 at their level, band or deviation; with one, all give `scale * value`, cut to [-1, 1]: the value is the distance as
a fraction of the slow line (cross, price), the distance from the centre (sign), the part of the way to the level (levels, band), or
deviations (zscore).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .._typing import ArrayTN
from ..core.kernel import Kernel
from ..core.space import Parameter
from ..errors import ConfigError, nearest

__all__ = ["RULES", "TechnicalRule", "lines_of", "rule_for", "strength_of"]

_KINDS = ("cross", "price", "sign", "levels", "band", "zscore")
_NEEDED = {"cross": 2, "price": 1, "sign": 1, "levels": 1, "band": 2, "zscore": 1}


@dataclass(frozen=True)
class TechnicalRule:
    """How an indicator becomes a strength; the table above says what each kind does.

    Parameters
    ----------
    kind : "cross", "price", "sign", "levels", "band" or "zscore"
    style : "trend" or "reversion"
    lower, upper : the two levels of kind "levels", in the unit of the indicator; lower < upper
    center : the centre of kind "sign"
    window : values in mean and deviation of kind "zscore"
    lines : outputs of the indicator to use, in order: (fast, slow) of a cross, (lower, upper) of a band, one of the others. Empty: two
        periods of one average for a cross, (lower, upper) for a band, the first output else.

    Raises ConfigError for a value that may not be, and levels that are no range.
    """

    kind: str = Parameter("sign", choices=_KINDS)
    style: str = Parameter("trend", choices=("trend", "reversion"))
    lower: float = math.nan
    upper: float = math.nan
    center: float = 0.0
    window: int = Parameter(50, low=2, integer=True)
    lines: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ConfigError(f"TechnicalRule.kind is {self.kind!r}; {nearest(str(self.kind), _KINDS)}")
        if self.style not in ("trend", "reversion"):
            raise ConfigError(f"TechnicalRule.style is {self.style!r}; expected 'trend' or 'reversion'")
        if self.kind == "levels" and not self.lower < self.upper:
            raise ConfigError(f"TechnicalRule.lower is {self.lower}, upper {self.upper}; levels need lower < upper")
        if isinstance(self.window, bool) or not isinstance(self.window, int) or self.window < 2:
            raise ConfigError(f"TechnicalRule.window is {self.window!r}; expected a whole number of at least 2")
        if not math.isfinite(self.center):
            raise ConfigError(f"TechnicalRule.center is {self.center!r}; expected a finite number")
        object.__setattr__(self, "lines", (self.lines,) if isinstance(self.lines, str) else tuple(self.lines))


def _levels(lower: float, upper: float, *lines: str) -> TechnicalRule:
    return TechnicalRule("levels", "reversion", lower, upper, lines=lines)


_CROSS, _PRICE, _SIGN = TechnicalRule("cross"), TechnicalRule("price"), TechnicalRule("sign")

RULES: Mapping[str, TechnicalRule] = {
    **dict.fromkeys(("sma", "ema", "wma", "dema", "tema", "hma", "kama", "vwma", "alma", "rolling_median"), _CROSS),
    **dict.fromkeys(("vwap", "session_vwap", "parabolic_sar"), _PRICE),
    **dict.fromkeys(("roc", "momentum", "tsi", "cmf", "zscore", "regression_slope"), _SIGN),
    **dict.fromkeys(("macd", "ppo"), TechnicalRule("sign", lines=("histogram",))),
    "supertrend": TechnicalRule("sign", lines=("direction",)),
    "rolling_rank": TechnicalRule("sign", center=0.5),
    "rsi": _levels(30.0, 70.0),
    "mfi": _levels(20.0, 80.0),
    "cci": _levels(-100.0, 100.0),
    "williams_r": _levels(-80.0, -20.0),
    **dict.fromkeys(("stochastic", "stoch_rsi"), _levels(20.0, 80.0, "k")),
    "bollinger": TechnicalRule("band", "reversion", lines=("lower", "upper")),
    **dict.fromkeys(("keltner", "donchian"), TechnicalRule("band", lines=("lower", "upper"))),
    "adx": TechnicalRule("cross", lines=("plus_di", "minus_di")),
    "aroon": TechnicalRule("cross", lines=("up", "down")),
    "ichimoku": TechnicalRule("cross", lines=("conversion", "base")),
    **dict.fromkeys(("obv", "accumulation_distribution"), TechnicalRule("zscore")),
}
"""Indicators with a direction of their own. What is not here, and has no bands, histogram or direction among its outputs, has none."""

_BY_OUTPUTS = (
    (("direction",), TechnicalRule("sign", lines=("direction",))),
    (("histogram",), TechnicalRule("sign", lines=("histogram",))),
    (("lower", "upper"), TechnicalRule("band", lines=("lower", "upper"))),
)


def rule_for(kernel: Kernel) -> TechnicalRule:
    """The rule of an indicator: from the table, else from its outputs; ConfigError where it has no direction."""
    known = [RULES[kernel.name]] if kernel.name in RULES else []
    for rule in (*known, *(rule for wanted, rule in _BY_OUTPUTS if set(wanted) <= set(kernel.outputs))):
        try:
            lines_of(rule, kernel)
        except ConfigError:
            continue  # the name means something else here
        return rule
    raise ConfigError(
        f"{kernel.name} says how much, not which way: it has no direction of its own; give rule=TechnicalRule(...), "
        f"or use it in RegimeFilter(..., indicator={kernel.name!r})"
    )


def lines_of(rule: TechnicalRule, kernel: Kernel) -> tuple[str, ...]:
    """Which outputs of the indicator the rule uses: names, none where it has one output. ConfigError for one it does not have."""
    if not kernel.outputs:
        if rule.kind == "band" or len(rule.lines) > 1:
            raise ConfigError(f"{kernel.name} has one output; a rule of kind {rule.kind!r} with lines {rule.lines} needs two of them")
        return ()
    lines = rule.lines or (("lower", "upper") if rule.kind == "band" else kernel.outputs[:1])
    if len(lines) != _NEEDED[rule.kind]:
        needed = _NEEDED[rule.kind]
        raise ConfigError(f"kind {rule.kind!r} needs {needed} outputs of {kernel.name}; lines are {lines}: choose of {kernel.outputs}")
    return tuple(_chosen(line, kernel) for line in lines)


def _chosen(line: str, kernel: Kernel) -> str:
    if line not in kernel.outputs:
        raise ConfigError(f"{kernel.name} has no output {line!r}; {nearest(line, kernel.outputs)}")
    return line


def strength_of(rule: TechnicalRule, close: ArrayTN, lines: tuple[ArrayTN, ...], scale: float | None) -> ArrayTN:
    """Strengths before clipping, (L, N), elementwise: NaN where a line is. `lines` as the kind has them, deviations for "zscore"."""
    with np.errstate(all="ignore"):
        value, graded = _value(rule, close, lines, scale is not None)
        value = value * (1.0 if scale is None else scale) if graded or scale is not None else np.sign(value)
        value = np.where(np.isinf(value), np.sign(value), value)
    return -value if rule.style == "reversion" else value


def _value(rule: TechnicalRule, close: ArrayTN, lines: tuple[ArrayTN, ...], scaled: bool) -> tuple[ArrayTN, bool]:
    first = lines[0]
    if rule.kind == "cross":
        gap = first - lines[1]
        return (_part(gap, np.abs(lines[1])) if scaled else gap), False
    if rule.kind == "price":
        gap = close - first
        return (_part(gap, np.abs(first)) if scaled else gap), False
    if rule.kind == "sign":
        return first - rule.center, False
    if rule.kind == "levels":
        return (first - 0.5 * (rule.lower + rule.upper)) / (0.5 * (rule.upper - rule.lower)), True
    if rule.kind == "band":
        lower, upper = lines
        return _part(close - 0.5 * (lower + upper), 0.5 * (upper - lower)), True
    return first, True


def _part(value: ArrayTN, whole: ArrayTN) -> ArrayTN:
    """The quotient; 0 where both are 0: no distance is no distance, whatever the width."""
    return np.where((value == 0.0) & (whole == 0.0), 0.0, value / whole)
