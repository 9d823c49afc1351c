"""Indicators that belong together: declared by name, computed for all bars or bar by bar, each after those that it reads."""

from __future__ import annotations

import functools
import keyword
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Block, IndexT
from ..core.kernel import BAR_FIELDS, Kernel
from ..errors import ConfigError, InputError, nearest
from .registry import find
from .shape import readonly
from .streaming import IndicatorStream

__all__ = ["Indicator", "IndicatorPlan", "PlanStream", "is_column"]

_RESERVED = {*BAR_FIELDS, *dir(np.recarray), *dir(np.record)}
"""Names that a column cannot have: uncompiled, a record would give its own attribute."""


@dataclass(frozen=True, init=False)
class Indicator:
    """An indicator with its parameters, and what it reads: `Indicator("sma", 20)`, `Indicator("rsi", window=7, of="high")`.

    Parameters
    ----------
    name : as in `vb.indicators.catalog()`
    parameters : as for its function, by position or by name
    of : what a series indicator reads: a field of the bars (default "close"), or another declared indicator by its name, `name_output`
        where that one has several outputs; a tuple where it reads several series. Indicators of bars read the bars, always.

    Raises
    ------
    ConfigError for an unknown name, or a parameter that may not be.
    """

    name: str
    parameters: tuple[Any, ...]
    of: tuple[str, ...]

    def __new__(cls, name: str, *parameters: Any, of: str | tuple[str, ...] | None = None, **more: Any) -> Indicator:
        """The indicator; one that was declared before is the same object."""
        try:
            return _known(name, parameters, of, tuple(more.items()))
        except TypeError:  # a value that cannot be looked up, such as a list
            return _known.__wrapped__(name, parameters, of, tuple(more.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.name, self.parameters, None if self.kernel.takes_bars else self.of)

    @property
    def kernel(self) -> Kernel:
        """The arithmetic."""
        return find(self.name)

    def __repr__(self) -> str:
        given = [f"{domain.name}={value!r}" for domain, value in zip(self.kernel.parameters, self.parameters, strict=True)]
        if self.of != self.kernel.inputs:
            given.append(f"of={self.of[0] if len(self.of) == 1 else self.of!r}")
        return f"Indicator({', '.join([repr(self.name), *given])})"


@functools.lru_cache(maxsize=100_000, typed=True)
def _known(name: str, parameters: tuple[Any, ...], of: Any, more: tuple[tuple[str, Any], ...]) -> Indicator:
    """The parameters checked, and what is read: a sweep declares the same indicator in thousands of sets."""
    kernel, made = find(name), object.__new__(Indicator)
    object.__setattr__(made, "name", name)
    object.__setattr__(made, "parameters", kernel.bind(parameters, dict(more)))
    object.__setattr__(made, "of", _read_by(kernel, of))
    return made


def _again(name: str, parameters: tuple[Any, ...], of: Any) -> Indicator:
    """A copy, or one read from a file: the same indicator."""
    return Indicator(name, *parameters, of=of)


def _read_by(kernel: Kernel, of: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if kernel.takes_bars:
        if of is not None:
            raise ConfigError(f"{kernel.name} reads {', '.join(kernel.inputs)} of the bars; leave out of={of!r}")
        return kernel.inputs
    if of is None and len(kernel.inputs) == 1:
        return ("close",)
    given = (of,) if isinstance(of, str) else tuple(of or ())
    if len(given) != len(kernel.inputs):
        raise ConfigError(f"{kernel.name} reads {len(kernel.inputs)} series ({', '.join(kernel.inputs)}); of={of!r} names {len(given)}")
    return given


@dataclass(frozen=True)
class IndicatorPlan:
    """Declared indicators in the order in which they are computed.

    Parameters
    ----------
    declared : name to Indicator; the names are chosen by whoever declares

    Raises
    ------
    ConfigError for a name that cannot be, an indicator of something that is not there, or a circle.
    """

    declared: Mapping[str, Indicator] = field(hash=False)
    order: tuple[str, ...] = field(init=False)
    columns: tuple[str, ...] = field(init=False)
    """Names of the outputs, in order: that of the indicator, or `name_output` where it has several."""

    def __post_init__(self) -> None:
        for name, indicator in self.declared.items():
            _check_name(name, indicator)
        columns = tuple(column for name, indicator in self.declared.items() for column in _columns_of(name, indicator))
        if len(set(columns)) < len(columns):
            twice = next(column for column in columns if columns.count(column) > 1)
            raise ConfigError(f"two indicators give a column {twice!r}; rename one")
        object.__setattr__(self, "declared", dict(self.declared))
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "order", self._ordered())

    def _ordered(self) -> tuple[str, ...]:
        owner = {column: name for name, indicator in self.declared.items() for column in _columns_of(name, indicator)}
        done: list[str] = []
        waiting: list[str] = []

        def visit(name: str) -> None:
            if name in done:
                return
            if name in waiting:
                raise ConfigError(f"the indicators {', '.join([*waiting[waiting.index(name) :], name])} read each other in a circle")
            waiting.append(name)
            for read in self.declared[name].of:
                if read not in BAR_FIELDS and read not in owner:
                    raise ConfigError(f"indicator {name!r} is of {read!r}; {nearest(read, [*BAR_FIELDS, *owner])}")
                if read in owner:
                    visit(owner[read])
            waiting.pop()
            done.append(name)

        for name in self.declared:
            visit(name)
        return tuple(done)

    def places(self, name: str) -> slice:
        """Where the outputs of an indicator stand among the columns."""
        first = self.columns.index(_columns_of(name, self.declared[name])[0])
        return slice(first, first + len(_columns_of(name, self.declared[name])))

    @property
    def warmup(self) -> int:
        """Present bars before every column can have a value."""
        needed: dict[str, int] = {}
        for name in self.order:
            indicator = self.declared[name]
            before = max((needed.get(read, 0) for read in indicator.of), default=0)
            own = before + int(indicator.kernel.warmup(*indicator.parameters))
            needed |= dict.fromkeys(_columns_of(name, indicator), own)
        return max(needed.values(), default=0)

    @property
    def needs_sessions(self) -> bool:
        """Whether an indicator reads the session of a bar."""
        return any("session" in indicator.of for indicator in self.declared.values())

    @property
    def needs_volume(self) -> bool:
        """Whether an indicator reads the volume."""
        return any("volume" in indicator.of for indicator in self.declared.values())

    def on(self, bars: Any) -> dict[str, NDArray[np.float64]]:
        """All columns (T, N) of Bars."""
        block, out = readonly(np.ascontiguousarray(bars.block)), np.empty((len(self.columns), bars.T, bars.N))
        if self.needs_volume and not bars.has_volume:
            raise InputError("an indicator reads the volume, and these bars have none")
        PlanStream(self, bars.N).run(block, bars.session if self.needs_sessions else None, out)
        return dict(zip(self.columns, out, strict=True))


def _columns_of(name: str, indicator: Indicator) -> tuple[str, ...]:
    outputs = indicator.kernel.outputs
    return tuple(f"{name}_{output}" for output in outputs) if outputs else (name,)


def _check_name(name: str, indicator: Any) -> None:
    if not isinstance(indicator, Indicator):
        raise ConfigError(f"{name} is {indicator!r}; expected an Indicator, such as Indicator('sma', 20)")
    for column in _columns_of(name, indicator):
        if not is_column(column):
            raise ConfigError(f"an indicator cannot be named {column!r}: that is no name, or one that bars or records have already")


def is_column(name: str) -> bool:
    """Whether a declared indicator, or an output of one, can have this name."""
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_") and name not in _RESERVED


class PlanStream:
    """The indicators of a plan for N assets, with their states: many bars at once, or one compiled call each per bar."""

    def __init__(self, plan: IndicatorPlan, assets: int) -> None:
        self.plan, self.assets = plan, assets
        self.streams = {name: _stream_of(plan.declared[name], assets) for name in plan.order}

    def run(self, prices: Block, session: IndexT | None, out: NDArray[np.float64]) -> None:
        """Bars `prices` (5, L, N), read-only, with their sessions (L,) where they are needed; all columns into `out` (K, L, N)."""
        days = None if session is None else _session_rows(session, self.assets)
        for name, stream in self.streams.items():
            stream.run(self._rows(name, prices, days, out), self._part(name, out))

    def steppers(self, prices: Block, session: NDArray[np.float64] | None, out: NDArray[np.float64]) -> list[Callable[[], object]]:
        """Calls without arguments that take the bar now in `prices` (5, 1, N), read-only, and `session` (1, N); `out` is (K, 1, N)."""
        days = None if session is None else readonly(session)
        return [s.stepper(self._rows(name, prices, days, out), self._part(name, out)) for name, s in self.streams.items()]

    def _rows(self, name: str, prices: Block, days: Any, out: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        rows = []
        for read in self.plan.declared[name].of:
            if read in self.plan.columns:
                rows.append(readonly(out[self.plan.columns.index(read)]))
            elif read == "session":
                if days is None:
                    raise InputError(f"indicator {name!r} reads sessions, and none were given")
                rows.append(days)
            else:
                rows.append(prices[BAR_FIELDS.index(read)])
        return tuple(rows)

    def _part(self, name: str, out: NDArray[np.float64]) -> NDArray[np.float64]:
        places = self.plan.places(name)
        return out[places] if self.plan.declared[name].kernel.outputs else out[places.start]

    @property
    def parts(self) -> list[NDArray[Any]]:
        """All that changes from bar to bar."""
        return [part for stream in self.streams.values() for part in stream.parts]

    @property
    def header(self) -> list[dict[str, Any]]:
        """What a saved state must have been saved from."""
        return [stream.header for stream in self.streams.values()]


def _stream_of(indicator: Indicator, assets: int) -> IndicatorStream:
    return IndicatorStream(indicator.kernel, *indicator.parameters, assets=assets)


def _session_rows(session: IndexT, assets: int) -> NDArray[np.float64]:
    """Session days as a read-only matrix (L, N)."""
    return readonly(np.ascontiguousarray(np.broadcast_to(session.astype(np.float64)[:, None], (len(session), assets))))
