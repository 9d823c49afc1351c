"""What an indicator kernel is, as one object: functions, streams, strategies and the conformance tests all read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any

import numpy as np

from ..errors import ConfigError, nearest
from .space import Domain

__all__ = ["BAR_FIELDS", "Kernel", "whole"]

BAR_FIELDS = ("open", "high", "low", "close", "volume", "session")
"""Inputs that come with a bar; `session` is the number of the day its session is dated by. Any other input is a series."""


def whole(name: str = "window", default: int | None = None, low: int = 1, below: str = "") -> Domain:
    """A parameter that counts bars; without a default it must be given."""
    return Domain(name=name, default=MISSING if default is None else default, low=low, integer=True, below=below)


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """The parts of one path-dependent piece, in the order in which they stand in its file.

    Every kernel has the same shapes: `init(assets, *parameters)` gives states (N,), buffers (N, B), B = 0 where no window is kept, and
    params (1,); `step(state, buffer, params, *row)` gives the value, or a tuple of them, of one bar of one asset;
    `run(states, buffers, params, rows, out)` loops over `rows`, a tuple of read-only (T, N) matrices, and fills `out`, (T, N), or
    (outputs, T, N) where there are several.
    """

    name: str
    """The name of the public function."""
    parameters: tuple[Domain, ...]
    """What the public function takes after the inputs, in order."""
    params: np.dtype[Any]
    """Flat record of what does not change."""
    state: np.dtype[Any]
    """Flat record of what one bar leaves to the next."""
    init: Callable[..., Any]
    """Makes states, buffers and params."""
    step: Callable[..., Any]
    """One bar of one asset."""
    run: Callable[..., Any]
    """The loop that calls the step, and nothing else."""
    function: Callable[..., Any]
    """What a user calls on whole series."""
    inputs: tuple[str, ...] = ("values",)
    """What a step reads, in order: fields of a bar, or names of series."""
    result: Any = None
    """The NamedTuple of several outputs; None where there is one."""
    warmup: Callable[..., int] = lambda *_: 0
    """From the parameters: present bars before the first value."""
    carries: bool = False
    """Whether a bar without a market repeats the last value; else it has none."""
    truth: bool = False
    """Whether values are 1 or 0, and 0 on a bar without a market; the public function gives booleans."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of several outputs; empty where there is one."""
        return () if self.result is None else tuple(self.result._fields)

    @property
    def takes_bars(self) -> bool:
        """Whether the public function takes bars; else it takes series."""
        return self.inputs[0] in BAR_FIELDS

    def bind(self, values: tuple[Any, ...], named: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
        """The parameters in order, checked, defaults filled in. ConfigError for one that is missing, unknown, or may not be."""
        names = [domain.name for domain in self.parameters]
        if len(values) > len(names):
            raise ConfigError(f"{self.name} takes {len(names)} parameters ({', '.join(names)}); {len(values)} were given")
        given = dict(zip(names, values, strict=False))
        for name, value in (named or {}).items():
            if name not in names:
                raise ConfigError(f"{self.name} has no parameter {name!r}; {nearest(name, names) if names else 'it takes none'}")
            if name in given:
                raise ConfigError(f"{self.name}: {name} is given twice")
            given[name] = value
        missing = [d.name for d in self.parameters if d.name not in given and not d.has_default]
        if missing:
            raise ConfigError(f"{self.name} needs {', '.join(missing)}")
        bound = {d.name: d.validate(given.get(d.name, d.default), self.name) for d in self.parameters}
        for domain in self.parameters:
            domain.compare(bound, self.name)
        return tuple(bound.values())
