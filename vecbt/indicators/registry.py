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

_FIRST = ("moving", "oscillators", "ranges")


@functools.cache
def catalog() -> dict[str, Kernel]:
    """All indicators, name to kernel, sorted by name."""
    return dict(sorted((kernel.name, kernel) for family in _families() for kernel in _of(family)))


@functools.cache
def find(name: str) -> Kernel:
    """The indicator of this name; ConfigError, which names the nearest, where there is none."""
    for family in _families():
        for kernel in _of(family):
            if kernel.name == name:
                return kernel
    raise ConfigError(f"there is no indicator {name!r}; {nearest(str(name), catalog())}")


@functools.cache
def _families() -> tuple[str, ...]:
    """The modules; those first that most strategies name, since a family takes time to load."""
    package = importlib.import_module(__package__)
    found = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return tuple(sorted(found, key=lambda name: name not in _FIRST))


@functools.cache
def _of(family: str) -> tuple[Kernel, ...]:
    """The indicators of a module."""
    module = importlib.import_module(f"{__package__}.{family}")
    return tuple(kernel for kernel in vars(module).values() if isinstance(kernel, Kernel))


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
