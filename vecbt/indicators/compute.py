"""What every public indicator function does: take the inputs, run the kernel over all bars, give back the type that came in."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import ArrayTN
from ..core import memory
from ..core.kernel import Kernel
from ..core.state import plain
from ..errors import InputError
from .ohlc import prices_of
from .shape import Wrap, unwrap

__all__ = ["allocated", "compute", "named"]


def compute(kernel: Kernel, given: tuple[Any, ...], *parameters: Any) -> Any:
    """The indicator of what is `given`: bars, or as many series as the kernel has inputs.

    Returns
    -------
    The type that came in ((T, N) array for Bars), or a NamedTuple of them where the kernel has several outputs.
    """
    bound = kernel.bind(parameters)
    rows, wrap = _rows_of(kernel, given)
    states, buffers, params = kernel.init(rows[0].shape[1], *bound)
    out = allocated(kernel, rows[0].shape)
    kernel.run(plain(states), buffers, plain(params), rows, out)
    return named(kernel, out, wrap)


def allocated(kernel: Kernel, shape: tuple[int, ...]) -> np.ndarray:
    """Room for the outputs of all bars (T, N)."""
    return memory.empty((len(kernel.outputs), *shape) if kernel.outputs else shape)


def named(kernel: Kernel, out: np.ndarray, wrap: Wrap) -> Any:
    """The outputs as the user's type, truths as booleans; several of them by name."""
    out = out.astype(np.bool_) if kernel.truth else out
    if not kernel.outputs:
        return wrap(out)
    return kernel.result(*(wrap(part) for part in out))


def _rows_of(kernel: Kernel, given: tuple[Any, ...]) -> tuple[tuple[ArrayTN, ...], Wrap]:
    if kernel.takes_bars:
        rows, wrap = prices_of(given[0], kernel.name, *kernel.inputs)
        return tuple(rows), wrap
    first = unwrap(given[0], kernel.inputs[0])
    shape = first[0].shape
    more = zip(kernel.inputs[1:], given[1:], strict=True)
    parts = [first, *(unwrap(_spread(values, shape), name) for name, values in more)]
    for name, (matrix, _) in zip(kernel.inputs, parts, strict=True):
        if matrix.shape != shape:
            raise InputError(f"{kernel.name}: {kernel.inputs[0]} have shape {shape}, {name} {matrix.shape}; expected the same")
    _same_labels(kernel, given)
    return tuple(matrix for matrix, _ in parts), parts[0][1]


def _spread(values: Any, shape: tuple[int, ...]) -> Any:
    """A single number stands for a series that never changes, such as the level of an oscillator."""
    if isinstance(values, (int, float, np.integer, np.floating)) and not isinstance(values, bool):
        return np.full(shape, float(values))
    return values


def _same_labels(kernel: Kernel, given: tuple[Any, ...]) -> None:
    """Series that carry labels must carry the same: values are taken by position."""
    first = getattr(given[0], "index", None)
    if first is None or callable(first):
        return
    for name, other in zip(kernel.inputs[1:], given[1:], strict=True):
        index = getattr(other, "index", None)
        if index is not None and not callable(index) and hasattr(first, "equals") and not first.equals(index):
            raise InputError(f"{kernel.name}: {kernel.inputs[0]} and {name} have different labels; reindex one to the other first")
