"""Signal generators by name: what a configuration's `type` means, and how a new one gets a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError, nearest
from .base import BaseSignalGenerator, SignalGenerator
from .ensemble import EnsembleSignalGenerator
from .technical import TechnicalSignalGenerator

__all__ = ["create_signal_generator", "register_signal_generator", "signal_generators"]

_OWN: dict[str, type[SignalGenerator]] = {
    "base": BaseSignalGenerator,
    "ensemble": EnsembleSignalGenerator,
    "technical": TechnicalSignalGenerator,
}
_REGISTERED: dict[str, type[SignalGenerator]] = {}


def register_signal_generator(name: str, cls: type[SignalGenerator]) -> type[SignalGenerator]:
    """Give a generator a name; gives the class back.

    Parameters
    ----------
    name : what `type` in a configuration calls it. The names of the package's own generators are taken; a name of yours may be given anew
    cls : a subclass of SignalGenerator

    Raises
    ------
    ConfigError for a name that is taken, and anything that is no class of generators.
    """
    if not isinstance(name, str) or not name:
        raise ConfigError(f"name is {name!r}; expected a text")
    if name in _OWN:
        raise ConfigError(f"name is {name!r}, which is {_OWN[name].__name__}; expected another name")
    if not (isinstance(cls, type) and issubclass(cls, SignalGenerator)):
        raise ConfigError(f"cls is {cls!r}; expected a subclass of SignalGenerator")
    _REGISTERED[name] = cls
    return cls


def signal_generators() -> dict[str, type[SignalGenerator]]:
    """All names, and what they stand for."""
    return dict(sorted({**_OWN, **_REGISTERED}.items()))


def create_signal_generator(config: Mapping[str, Any] | str, **parameters: Any) -> SignalGenerator:
    """A generator from its configuration: `create_signal_generator({"type": "technical", "indicator": "ema"})`.

    Parameters
    ----------
    config : a mapping with `type` and the parameters of that generator, or the name alone; `type` left out is "base"
    **parameters : more of them; they stand over those of the mapping

    Raises
    ------
    ConfigError for an unknown type or parameter, which names the nearest.
    """
    given = {"type": config} if isinstance(config, str) else dict(config)
    given |= parameters
    name, known = given.get("type", "base"), signal_generators()
    if name not in known:
        raise ConfigError(f"there is no signal generator {name!r}; {nearest(str(name), known)}")
    make: Any = known[name]
    return make(given)  # type: ignore[no-any-return]
