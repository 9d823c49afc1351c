"""What must be the same where sets run, so that every line is the same to the last bit."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import math
import sys
from collections.abc import Mapping

import numpy as np

from ..core.jit import kernel_sources_hash
from ..errors import ConfigError

__all__ = ["Mark", "check_mark", "own_mark"]

Mark = Mapping[str, str]
"""By name, what was found."""


@functools.cache
def own_mark() -> Mark:
    """That of this process, as it was when it was first asked for."""
    return {
        "vecbt": str(sys.modules[__name__.partition(".")[0]].__version__),
        "kernels": kernel_sources_hash(),
        "numba": _version("numba"),
        "numpy": _version("numpy"),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "arithmetic": _arithmetic(),
    }


def check_mark(worker: Mark, own: Mark, where: str) -> None:
    """ConfigError where a worker differs, with both sides."""
    differ = [f"{name} {own.get(name)} here, {worker.get(name)} there" for name in own if own.get(name) != worker.get(name)]
    if differ:
        raise ConfigError(f"{where} is refused, because its results might be others: {'; '.join(differ)}; install the same on both sides")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _arithmetic() -> str:
    """What this machine answers for functions that no standard rounds: libraries of C and of NumPy choose their code by processor."""
    points = np.linspace(0.01, 30.0, 997)
    answers = [np.array([function(x) for x in points.tolist()]) for function in (math.exp, math.log, math.sin, math.tanh, math.log1p)]
    answers += [np.exp(points), np.log(points), np.sin(points), np.tanh(points), points**1.7, np.cumsum(points), points.sum()[None]]
    answers.append(np.array([x**1.7 for x in points.tolist()]))
    return hashlib.sha256(b"".join(part.tobytes() for part in answers)).hexdigest()[:16]
