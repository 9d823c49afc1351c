"""Every indicator there is, by name: found in the modules of the families, so that none can be forgotten in a list."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import Any

from ..core.kernel import Kernel
from ..errors import ConfigError, nearest
from .streaming import IndicatorStream

__all__ = ["catalog", "find", "stream"]


@functools.cache
def catalog() -> dict[str, Kernel]:
    """All indicators, name to kernel, sorted by name."""
    package = importlib.import_module(__package__)
    modules = [importlib.import_module(f"{__package__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)]
    kernels = {kernel.name: kernel for module in modules for kernel in vars(module).values() if isinstance(kernel, Kernel)}
    return dict(sorted(kernels.items()))


def find(name: str) -> Kernel:
    """The indicator of this name; ConfigError, which names the nearest, where there is none."""
    known = catalog()
    if name not in known:
        raise ConfigError(f"there is no indicator {name!r}; {nearest(str(name), known)}")
    return known[name]


def stream(name: str, *parameters: Any, assets: int = 1, **more: Any) -> IndicatorStream:
    """The streaming form of an indicator: `stream("rsi", 14, assets=3).update(closes)`.

    Parameters
    ----------
    name : of the indicator
    parameters : as for its function, by position or by name
    assets : how many

    Raises
    ------
    ConfigError for an unknown name or a parameter that may not be.
    """
    return IndicatorStream(find(name), *parameters, assets=assets, **more)
