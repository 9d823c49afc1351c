"""A part of the bars over which an account runs, while indicators and rules have seen all bars before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.sets import Sets
from ..core.space import Space
from ..errors import ConfigError, DataError

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["BETWEEN", "window_of", "windows_of"]

BETWEEN = "between"
"""The name under which windows vary in a sweep, unless the strategy has a parameter of that name."""


def window_of(given: Any, bars: Bars) -> tuple[int, int]:
    """The first bar and the one after the last of `(start, stop)`: positions (negative ones from the end), times, or None for an end.

    ConfigError where it is no pair or leaves no bar.
    """
    if given is None:
        return 0, bars.T
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise ConfigError(f"{BETWEEN} is {given!r}; expected (start, stop), positions or times of bars, None for an end")
    try:
        return bars.positions(*given)
    except DataError as error:
        raise ConfigError(f"{BETWEEN} is {tuple(given)!r}: {error}") from error


def windows_of(sets: Sets, declared: Space, bars: Bars) -> NDArray[np.int64] | None:
    """Of each set its first bar and the one after its last, int64 (C, 2); None where no windows vary."""
    if BETWEEN not in sets.names or BETWEEN in declared:
        return None
    k = sets.names.index(BETWEEN)
    found = np.array([window_of(value, bars) for value in sets.values[k]], dtype=np.int64)
    return found[sets.codes[:, k]]
