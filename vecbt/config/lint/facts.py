"""What is known about a run when its configuration is checked: keys as they were written, and, where it could be loaded, its data.

Rules read the tree, not finished objects: one mistake must not hide the others. A value of the wrong type reads as not
given, because something else has found it already.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from ...risk.stops import Atr, Pct, Price, Ticks
from ..distances import parse_distance
from ..messages import model_at
from ..models import RunConfig
from ..sizes import METHODS
from ..source import Place, Source, dotted
from .finding import Finding, Severity

if TYPE_CHECKING:
    from ...data.bars import Bars
    from ...engine.inputs import AlignedInputs
    from ...engine.strategy import Strategy

__all__ = ["Facts", "Span", "percent"]


class Span(NamedTuple):
    """A distance as a fraction of the price: over the bars the 5 %, 50 % and 95 % points; three times the number where it is fixed."""

    low: float
    middle: float
    high: float

    @property
    def fixed(self) -> bool:
        """Whether it is the same on every bar."""
        return self.low == self.high


def percent(fraction: float) -> str:
    """`"2.5 %"` for 0.025."""
    return f"{100.0 * fraction:.4g} %"


@dataclass
class Facts:
    """Everything the rules look at. What could not be had is None, and rules that need it say nothing."""

    source: Source
    bars: Bars | None = None
    strategy: Strategy | None = None
    inputs: AlignedInputs | None = None
    preset: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str) -> Any:
        """What was written at a dotted path; None when nothing was."""
        here: Any = self.source.tree
        for part in path.split("."):
            if not isinstance(here, dict):
                return None
            here = here.get(part)
        return here

    def given(self, path: str) -> bool:
        """Whether anything but null was written there."""
        return self.get(path) is not None

    def on(self, path: str) -> bool:
        """Whether a section is there, be it an empty one that takes all defaults."""
        return isinstance(self.get(path), dict)

    def value(self, path: str) -> Any:
        """What was written there, else the default, where the key has one and its section is in force."""
        written = self.get(path)
        return _default(path) if written is None else written

    def number(self, path: str) -> float | None:
        """The finite number in force there, None where there is none or it is something else."""
        value = self.value(path)
        fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return float(value) if fine else None

    def count(self, path: str) -> int | None:
        """The whole number of at least 1 in force there; a preset's where only that gives it."""
        section, _, name = path.partition(".")
        value = self.preset[name] if section == "stops" and name in self.preset and not self.given(path) else self.value(path)
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None

    def numbers(self, path: str, count: int) -> tuple[float, ...] | None:
        """A list of so many finite numbers in force there."""
        value = self.value(path)
        fine = isinstance(value, list | tuple) and len(value) == count
        if not fine or not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in value):
            return None
        return tuple(float(v) for v in value)

    def distance(self, name: str) -> Any:
        """A distance of `stops`, as its public object (a `Pct` as a fraction); from the preset where only that gives it."""
        written = self.get(f"stops.{name}")
        value = self.preset.get(name) if written is None else written
        if isinstance(value, str | dict | float | int):
            try:
                value = parse_distance(value)
            except PydanticCustomError:
                return None
        value = value.percent / 100.0 if isinstance(value, Pct) else value
        return value if isinstance(value, float | Atr | Ticks | Price) else None

    def span(self, name: str) -> Span | None:
        """A distance of `stops` as a fraction of the price; what is in ATR or ticks needs the bars, a price is none."""
        return self.measure(self.distance(name))

    def measure(self, distance: Any) -> Span | None:
        """The same for a distance."""
        if isinstance(distance, float):
            return Span(distance, distance, distance)
        if self.bars is None or distance is None or isinstance(distance, Price):
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            if isinstance(distance, Ticks):
                fractions = distance.count * self.bars.market.tick[None, :] / np.abs(self.bars.close)
            else:
                fractions = distance.multiple * self.atr / np.abs(self.bars.for_strategies.close)
        fractions = fractions[np.isfinite(fractions) & (fractions > 0)]
        return Span(*np.quantile(fractions, (0.05, 0.5, 0.95)).tolist()) if fractions.size else None

    @functools.cached_property
    def atr(self) -> Any:
        """ATR of every bar (T9), (T, N), NaN at the start; needs bars."""
        from ...indicators import atr

        assert self.bars is not None
        return np.asarray(atr(self.bars.for_strategies, self.count("stops.atr_window") or 14))

    def first_stop(self) -> Span | None:
        """How far from the entry a position of these stops is closed at a loss: the nearer of hard stop and unconditional trail."""
        spans = [self.span("hard"), None if self.distance("activation") is not None else self.span("trailing")]
        known = [s for s in spans if s is not None]
        return Span(*(min(points) for points in zip(*known, strict=True))) if known else None

    @property
    def has_stop(self) -> bool:
        """Whether `stops` gives a hard or a trailing stop, in whatever unit."""
        return self.distance("hard") is not None or self.distance("trailing") is not None

    @property
    def assets(self) -> int | None:
        """Assets in one account."""
        if self.value("account.accounts") == "separate":
            return 1
        if self.bars is not None:
            return self.bars.N
        symbols = self.get("data.symbols")
        return 1 if isinstance(symbols, str) else len(symbols) if isinstance(symbols, list) and symbols else None

    @property
    def leverage(self) -> float:
        """`account.leverage`, 1 where it is not given."""
        return self.number("account.leverage") or 1.0

    @property
    def room(self) -> float:
        """The most gross exposure that F4 allows, of equity; not known where contracts have margins of their own."""
        return math.inf if self.given("data.market.initial_margin") else self.leverage

    @property
    def capital(self) -> float | None:
        """Money at the start, where it is some."""
        money = self.number("account.initial_capital")
        return money if money is not None and money > 0 else None

    @property
    def sizing(self) -> str | None:
        """The one key of `sizing` that says how; `weight` when the section is not there; None when it is not one."""
        section = self.get("sizing")
        if section is None:
            return "weight"
        methods = [key for key in METHODS if section.get(key) is not None] if isinstance(section, dict) else []
        return methods[0] if len(methods) == 1 else None

    @property
    def sizes_apply(self) -> bool:
        """Whether entries are sized at all: target weights, quantities and orders say themselves how much."""
        return self.inputs is None or self.inputs.kind.name in ("SIGNALS", "STRENGTHS")

    def sigma(self, window: int) -> Span | None:
        """Volatility of a bar as `close_sigma` has it: its 5 %, 50 % and 95 % points over bars and assets."""
        from ...indicators import close_sigma

        if self.bars is None:
            return None
        values = np.asarray(close_sigma(self.bars.for_strategies, window))
        values = values[np.isfinite(values) & (values > 0)]
        return Span(*np.quantile(values, (0.05, 0.5, 0.95)).tolist()) if values.size else None

    @functools.cached_property
    def price(self) -> float | None:
        """The middle of all closes, the price that amounts of money are compared with."""
        if self.bars is None:
            return None
        closes = np.abs(self.bars.close[np.isfinite(self.bars.close)])
        return float(np.median(closes)) if closes.size else None

    def finding(self, id: str, severity: Severity, where: str | Place, what: str, why: str = "", remedy: str = "") -> Finding:
        """A finding about a place, dotted or in parts, with its line."""
        place: Place = tuple(where.split(".")) if isinstance(where, str) else where
        if place == ("",):
            place = ()
        found = re.fullmatch(r"line (\d+)", self.source.written(place))
        line = int(found[1]) if found else None
        return Finding(id=id, severity=severity, where=dotted(place), line=line, what=what, why=why, remedy=remedy)


@functools.cache
def _default(path: str) -> Any:
    """The default that the schema shows for a key: the one of its public object."""
    *around, name = path.split(".")
    owner: type[BaseModel] | None = model_at(RunConfig, tuple(around)) if around else RunConfig
    info = owner.model_fields.get(name) if owner is not None else None
    extra = info.json_schema_extra if info is not None else None
    return extra.get("default") if isinstance(extra, dict) else None
