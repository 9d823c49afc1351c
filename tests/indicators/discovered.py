"""What the tests of all indicators share: those that are found, parameters to try them with, and their inputs out of a block of bars."""

from __future__ import annotations

from typing import Any

import numpy as np

import vecbt as vb
from vecbt.core.kernel import BAR_FIELDS, Kernel
from vecbt.indicators.compute import compute

KERNELS = list(vb.indicators.catalog().values())
FAMILIES = {kernel.function.__module__.rpartition(".")[2] for kernel in KERNELS}

SERIES_FROM = {"values": "close", "other": "open"}
"""Which field of a random bar plays the part of a series."""


def _steps(kernel: Kernel) -> list[tuple[Any, ...]]:
    """Parameters small enough to see values in short tests: smallest, small, larger than the data."""
    tried = []
    for size in (1, 4, 200):
        values: list[Any] = []
        for place, domain in enumerate(kernel.parameters):
            if domain.choices is not None:
                values.append(domain.choices[0 if size == 1 else -1])
            elif domain.integer:
                low = int(domain.low if domain.low is not None else 1)
                values.append(int(min(max(low, size + 2 * place if size > 1 else low + place), domain.high or 10**6)))
            elif domain.has_default:
                values.append(domain.default)
            else:
                low = 0.5 if domain.low is None else domain.low
                values.append(min(low + 0.25, domain.high if domain.high is not None else low + 0.25))
        tried.append(tuple(values))
    return list(dict.fromkeys(tried))


def choices(kernel: Kernel | None = None) -> list[tuple[Kernel, tuple[Any, ...]]]:
    """Kernels with parameters to try; the first of a kernel is one that shows values in 40 bars."""
    if kernel is None:
        return [pair for each in KERNELS for pair in choices(each)]
    tried = _steps(kernel)
    ordered = tried[1:2] + tried[:1] + tried[2:] if len(tried) > 1 else tried
    return [(kernel, values) for values in ordered]


def field_of(name: str) -> int:
    """The row of a block (6, T, N) that an input reads."""
    return BAR_FIELDS.index(SERIES_FROM.get(name, name))


def of_block(kernel: Kernel, block: np.ndarray) -> tuple[np.ndarray, ...]:
    """The inputs (T, N) of a kernel."""
    return tuple(np.ascontiguousarray(block[field_of(name)]) for name in kernel.inputs)


def rows_at(kernel: Kernel, block: np.ndarray, t: int) -> tuple[np.ndarray, ...]:
    """The inputs (N,) of one bar."""
    return tuple(block[field_of(name), t] for name in kernel.inputs)


def as_matrix(out: Any) -> np.ndarray:
    """Outputs as numbers in an array whose first axis is the output, one or several."""
    parts = out if isinstance(out, tuple) else (out,)
    return np.stack([np.asarray(part, dtype=np.float64) for part in parts])


def batch(kernel: Kernel, block: np.ndarray, parameters: tuple[Any, ...]) -> np.ndarray:
    """The run over all bars, (outputs, T, N); through the public function where it takes series."""
    rows = of_block(kernel, block)
    if not kernel.takes_bars:
        return as_matrix(compute(kernel, rows, *parameters))
    out = np.empty((max(len(kernel.outputs), 1), *rows[0].shape))
    stream = vb.indicators.stream(kernel.name, *parameters, assets=block.shape[2])
    readable = tuple(row.view() for row in rows)
    for row in readable:
        row.flags.writeable = False
    stream.run(readable, out if kernel.outputs else out[0])
    return out
