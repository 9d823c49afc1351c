"""Strategies by name (CFG-01): those of the package, your own, and those that other packages offer."""

from __future__ import annotations

import importlib
import importlib.metadata
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar, overload

from ..engine.function_strategy import strategy as strategy_of
from ..engine.strategy import Strategy
from ..errors import ConfigError, nearest
from .naming import BUILT_IN, OTHER_NAMES, StrategyType, parameter_names

__all__ = [
    "CONFIG_CLASSES", "ENTRY_POINTS", "REGISTRY", "STRATEGY_CLASSES", "Origin", "StrategyRegistry", "create_strategy", "register_strategy",
]  # fmt: skip

ENTRY_POINTS = "vecbt.strategies"
"""The group under which an installed package offers strategies: `mine = "my_package.rules:Mine"`."""

T = TypeVar("T")

_NAME_KEYS = ("name", "type")
_PARAMETER_KEYS = ("parameters", "params")


@dataclass(frozen=True)
class Origin:
    """A name in a registry, and where it comes from: "vecbt", "registered", or the name of an installed package."""

    name: str
    source: str


class StrategyRegistry:
    """Strategies by name, made from names and plain parameters.

    A registry begins with the strategies of the package. What `register` adds comes next, and then what installed packages offer under
    the entry points `vecbt.strategies`; such a package is imported when its name is asked for, not before. A name that stands already
    keeps its meaning.
    """

    def __init__(self) -> None:
        self._own: dict[str, type[Strategy]] = {}
        self._offered: dict[str, type[Strategy]] = {}

    # --- names -----------------------------------------------------------------------------------------------------------

    def names(self) -> list[Origin]:
        """All names and where they come from, sorted; nothing is imported."""
        found = dict.fromkeys(BUILT_IN, "vecbt") | dict.fromkeys(self._own, "registered")
        for entry in _entry_points():
            found.setdefault(entry.name, entry.dist.name if entry.dist is not None else "an installed package")
        return [Origin(name, found[name]) for name in sorted(found)]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (_plain(name) in OTHER_NAMES or any(_plain(name) == known.name for known in self.names()))

    def __iter__(self) -> Iterator[str]:
        return (known.name for known in self.names())

    # --- registering -----------------------------------------------------------------------------------------------------

    @overload
    def register(self, name: str) -> Callable[[T], T]: ...
    @overload
    def register(self, name: str, strategy: T) -> T: ...
    def register(self, name: str, strategy: Any = None) -> Any:
        """Give a strategy a name: `register("mine", Mine)`, or `@register("mine")` above its class or function.

        Parameters
        ----------
        name : how files and commands call it; no colon, which parts a module from a name
        strategy : a subclass of Strategy, or a function of bars and parameters as `vb.strategy` takes them

        Returns
        -------
        What was given, so that it can stand above a definition.

        Raises
        ------
        ConfigError for a name that another strategy has, and for what is no class of strategies.
        """
        if strategy is None:
            return lambda given: self.register(name, given)
        if not isinstance(name, str) or not name or ":" in name:
            raise ConfigError(f"a strategy is registered under {name!r}; expected a name without a colon")
        kind = _class_of(strategy, f"what is registered as {name!r}")
        before = self._own.get(name)
        if name in BUILT_IN or name in OTHER_NAMES or (before is not None and _path(before) != _path(kind)):
            held = _path(before) if before is not None else f"vecbt's {OTHER_NAMES.get(name, name)}"
            raise ConfigError(f"{name!r} is the name of {held} already; register {kind.__name__} under another name")
        self._own[name] = kind
        return strategy

    def remove(self, name: str) -> None:
        """Forget a name that was registered; ConfigError where it was not."""
        if name not in self._own:
            raise ConfigError(f"{name!r} was not registered" + (f"; {nearest(name, self._own)}" if self._own else ""))
        del self._own[name]

    # --- finding and making ----------------------------------------------------------------------------------------------

    def find(self, name: str) -> type[Strategy]:
        """The class of a name; ConfigError, which names the nearest, where there is none."""
        wanted = _plain(name)
        wanted = OTHER_NAMES.get(wanted, wanted)
        if wanted in BUILT_IN:
            module = importlib.import_module(f"{__package__}.{BUILT_IN[wanted]}")
            return _class_of(getattr(module, wanted), wanted)
        if wanted in self._own:
            return self._own[wanted]
        if wanted not in self._offered:
            self._offered[wanted] = self._load(wanted)
        return self._offered[wanted]

    def _load(self, name: str) -> type[Strategy]:
        entries = {entry.name: entry for entry in _entry_points()}
        if name not in entries:
            known = [*BUILT_IN, *self._own, *entries, *OTHER_NAMES]
            raise ConfigError(f"no strategy is called {name!r}; {nearest(name, known)}; your own: register_strategy({name!r}, ...)")
        entry = entries[name]
        try:
            found = entry.load()
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"the strategy {name!r} ({entry.value}) of an installed package cannot be imported: {error}") from error
        return _class_of(found, f"{name!r} ({entry.value})")

    def create(self, name: str | Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> Strategy:
        """A strategy from its name and parameters.

        Parameters
        ----------
        name : of the strategy, or the whole as a mapping: `{"name": "SmaCross", "parameters": {"fast": 10}}`; `type` and `params` are
            read as `name` and `parameters`
        parameters : by name; those left out have their defaults. Usual other names (`short_window` of `fast`) are read, with a warning

        Raises
        ------
        ConfigError for an unknown name or parameter, with the nearest known one, and for a value that may not be.
        """
        if isinstance(name, Mapping):
            if parameters is not None:
                raise ConfigError("parameters stand in the mapping or beside the name, not both")
            name, parameters = _taken_apart(name)
        kind = self.find(name)
        if parameters is not None and not isinstance(parameters, Mapping):
            raise ConfigError(f"the parameters of {_plain(name)} are {parameters!r}; expected a mapping of names to values")
        named, sentences = parameter_names(parameters or {}, kind.space)
        if sentences:
            warnings.warn(f"{_plain(name)}: {'; '.join(sentences)}", UserWarning, stacklevel=2)
        return kind.make(named)

    def build(self, definitions: Mapping[str, Any]) -> dict[str, Strategy]:
        """Named strategies out of a section of a file: label to name, or to a mapping as for `create`; ConfigError names the label."""
        made = {}
        for label, definition in definitions.items():
            try:
                made[label] = self.create(definition)
            except ConfigError as error:
                raise ConfigError(f"{label}: {error}") from error
        return made


def _plain(name: Any) -> str:
    return str(name.value) if isinstance(name, Enum) else str(name)


def _path(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _entry_points() -> list[importlib.metadata.EntryPoint]:
    return list(importlib.metadata.entry_points(group=ENTRY_POINTS))


def _class_of(given: Any, what: str) -> type[Strategy]:
    """The class of strategies: itself, or the one that a function makes."""
    if isinstance(given, type) and issubclass(given, Strategy):
        return given
    if isinstance(given, type) or isinstance(given, Strategy) or not callable(given):
        raise ConfigError(f"{what} is {given!r}; expected a subclass of Strategy, or a function of bars and parameters")
    made: type[Strategy] = strategy_of(given)
    return made


def _taken_apart(given: Mapping[str, Any]) -> tuple[str, Any]:
    """Name and parameters of a mapping; ConfigError for a key it cannot have."""
    for key in given:
        if key not in (*_NAME_KEYS, *_PARAMETER_KEYS):
            known = (_NAME_KEYS[0], _PARAMETER_KEYS[0])
            raise ConfigError(f"a strategy has no key {key!r}; {nearest(str(key), known)}")
    names = [given[key] for key in _NAME_KEYS if key in given]
    values = [given[key] for key in _PARAMETER_KEYS if key in given]
    if len(names) != 1 or len(values) > 1:
        raise ConfigError(f"a strategy is {dict(given)!r}; expected one name and, if any, one mapping of parameters")
    return names[0], values[0] if values else None


class _Classes(Mapping[StrategyType, type[Strategy]]):
    """Type to class; a module is imported when its class is asked for."""

    def __getitem__(self, key: StrategyType) -> type[Strategy]:
        try:
            return REGISTRY.find(StrategyType(key))
        except ValueError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[StrategyType]:
        return iter(StrategyType)

    def __len__(self) -> int:
        return len(StrategyType)


REGISTRY = StrategyRegistry()
"""The registry that run files, portfolios and the command line use."""

STRATEGY_CLASSES: Mapping[StrategyType, type[Strategy]] = _Classes()
"""Type of strategy to its class."""

CONFIG_CLASSES: Mapping[StrategyType, type[Strategy]] = STRATEGY_CLASSES
"""Type of strategy to the class of its parameters, which is the same one: a strategy is a frozen object of parameters."""


@overload
def register_strategy(name: str) -> Callable[[T], T]: ...
@overload
def register_strategy(name: str, strategy: T) -> T: ...
def register_strategy(name: str, strategy: Any = None) -> Any:
    """`StrategyRegistry.register` for run files: `register_strategy("mine", Mine)`, or `@register_strategy("mine")` above a definition."""
    return REGISTRY.register(name, strategy)


def create_strategy(name: str | Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> Strategy:
    """`StrategyRegistry.create` as run files use it: `create_strategy("SmaCross", {"fast": 10, "slow": 50})`."""
    return REGISTRY.create(name, parameters)
