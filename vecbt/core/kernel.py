"""What a kernel is, as one object: the conformance tests run on every one they find in the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Kernel"]


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """The parts of one path-dependent piece, in the order in which they stand in its file."""

    name: str
    """The name of the public function."""
    params: np.dtype[Any]
    """Flat record of what does not change."""
    state: np.dtype[Any]
    """Flat record of what one bar leaves to the next."""
    init: Callable[..., Any]
    """Makes states, buffers where a window needs them, and parameters."""
    step: Callable[..., Any]
    """One bar of one asset."""
    run: Callable[..., Any]
    """The loop that calls the step, and nothing else."""
    function: Callable[..., Any]
    """What a user calls on whole series."""
    stream: Callable[..., Any]
    """What a user calls bar by bar: `stream(assets, window)` with `update`, `save` and `restore`."""
    fields: tuple[str, ...] = ("close",)
    """The rows of a bar that `update` takes, in order."""
