"""One configuration for a whole program (CFG-02): files in YAML, JSON or TOML, values by dotted key, credentials from the environment."""

from __future__ import annotations

import copy
import dataclasses
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.space import Domain
from ..errors import ConfigError, nearest
from .source import Place, Source, dotted, places, read_source

if TYPE_CHECKING:
    from .lint import Finding

__all__ = ["ConfigManager", "Credentials"]

ENVIRONMENT = "VECBT_CONFIG"
"""Environment variable with the path of the file that `ConfigManager.instance()` reads."""

_NOT_GIVEN: Any = object()
_SECRET_KEY = re.compile(r"(api_?key|secret|secret_key|private_key|access_key|token|password|passwd|passphrase)$", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{\w+\}|\$\w+|env:\w+")
"""What may stand under such a key: nothing, or the name of an environment variable."""
_CREDENTIALS: dict[str, tuple[str, ...]] = {
    "alpaca": ("ALPACA_API_KEY", "ALPACA_API_SECRET"),
    "binance": ("BINANCE_API_KEY", "BINANCE_API_SECRET"),
    "coinbase": ("COINBASE_API_KEY", "COINBASE_API_SECRET"),
    "email": ("EMAIL_USER", "EMAIL_PASSWORD"),
}


class Credentials(Mapping[str, str]):
    """Secrets of one service by the name of their environment variable. Values are read when they are asked for, and never shown.

    Parameters
    ----------
    service : str
        Name of the service, such as `"alpaca"`.
    names : tuple of str
        The environment variables.
    environment : mapping, optional
        Where they are read; the environment of the process when not given.
    """

    def __init__(self, service: str, names: tuple[str, ...], environment: Mapping[str, str] | None = None) -> None:
        self.service = service
        self.names = names
        self._value = _reader(environment)

    @property
    def missing(self) -> tuple[str, ...]:
        """Variables that are not set, or empty."""
        return tuple(name for name in self.names if not self._value(name))

    @property
    def complete(self) -> bool:
        """Whether all are set."""
        return not self.missing

    def __getitem__(self, name: str) -> str:
        """The value of a variable; `api_key` finds `ALPACA_API_KEY`. ConfigError, which never holds a value, where there is none."""
        short = {known.partition("_")[2].lower(): known for known in self.names}
        full = name if name in self.names else short.get(name)
        if full is None:
            raise ConfigError(f"{self.service} has no credential {name!r}; {nearest(name, [*self.names, *short])}")
        value = self._value(full)
        if not value:
            raise ConfigError(f"the environment variable {full} is not set; credentials of {self.service} come from the environment only")
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a variable, `default` where it is not set."""
        try:
            return self[name]
        except ConfigError:
            return default

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __repr__(self) -> str:
        states = ", ".join(f"{name} {'missing' if name in self.missing else 'set'}" for name in self.names)
        return f"Credentials({self.service}: {states})"

    def __reduce__(self) -> Any:
        raise TypeError("credentials are not pickled: they would be written down")


def _reader(environment: Mapping[str, str] | None) -> Callable[[str], str | None]:
    """A function from name to value. Not the mapping itself: it would be printed with all its values wherever an object is dumped."""

    def value(name: str) -> str | None:
        return (os.environ if environment is None else environment).get(name)

    return value


class ConfigManager:
    """Configuration by dotted key.

    >>> from vecbt.config import ConfigManager
    >>> config = ConfigManager({"strategy": {"signal": {"lookback": 20}}})
    >>> config.get("strategy.signal.lookback")
    20
    >>> config.get("strategy", {}).get("risk", "none")
    'none'

    `ConfigManager.instance()` is the one that a program shares; it reads the file that the environment variable
    VECBT_CONFIG names, or what `load` is given. What `get` returns is a copy: nobody changes the configuration of others.

    Raises
    ------
    ConfigError
        A file that cannot be read; a value of the wrong kind; a secret written into a file.
    """

    _shared: ClassVar[ConfigManager | None] = None
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, values: Mapping[str, Any] | None = None, *, environment: Mapping[str, str] | None = None) -> None:
        self._environment = lambda: environment
        self._sources: list[Source] = []
        self._tree: dict[str, Any] = {}
        if values is not None:
            self._add(Source.of(values))

    @classmethod
    def instance(cls) -> ConfigManager:
        """The one that the whole program shares."""
        with cls._lock:
            if cls._shared is None:
                shared = cls()
                path = os.environ.get(ENVIRONMENT)
                if path:
                    shared.load(path)
                cls._shared = shared
            return cls._shared

    @classmethod
    def reset(cls) -> None:
        """Forget the shared one; the next `instance` begins anew."""
        with cls._lock:
            cls._shared = None

    def load(self, path: str | Path) -> ConfigManager:
        """Add a file in YAML, JSON or TOML: its sections are merged into those that are there, its values win."""
        return self._add(read_source(Path(path)))

    def _add(self, source: Source) -> ConfigManager:
        for place in places(source.tree):
            value = _at(source.tree, place)
            held = isinstance(value, str) and value.strip() and not _REFERENCE.fullmatch(value.strip())
            if isinstance(place[-1], str) and _SECRET_KEY.search(place[-1]) and (held or type(value) in (int, float)):
                raise ConfigError(
                    f"{source.where(place)}: {dotted(place)} holds a value, which is not shown here; "
                    "leave it empty and set an environment variable: credentials come from the environment only"
                )
        _merge(self._tree, copy.deepcopy(source.tree))
        self._sources.append(source)
        return self

    def get(self, key: str, default: Any = None) -> Any:
        """What stands at a dotted key, a copy; `default` where nothing does."""
        value = _at(self._tree, tuple(key.split(".")))
        return default if value is None else copy.deepcopy(value)

    def set(self, key: str, value: Any) -> None:
        """Set a dotted key, making the sections around it."""
        tree: dict[str, Any] = {}
        here = tree
        *around, name = key.split(".")
        for part in around:
            here[part] = {}
            here = here[part]
        here[name] = value
        self._add(Source.of(tree, f"set({key!r})"))

    def __contains__(self, key: str) -> bool:
        return _at(self._tree, tuple(key.split("."))) is not None

    def require(
        self,
        key: str,
        *,
        low: float | None = None,
        high: float | None = None,
        integer: bool = False,
        choices: tuple[Any, ...] | None = None,
        kind: type | None = None,
    ) -> Any:
        """The value at a dotted key, which must be there and may be checked.

        Parameters
        ----------
        low, high : float, optional
            Bounds of a number, both included.
        integer : bool
            Whole numbers only.
        choices : tuple, optional
            The values it may take.
        kind : type, optional
            What it must be, such as `str`, `list` or `dict`.

        Raises
        ------
        ConfigError
            Says the file, the line, what was expected and what was found.
        """
        value = self.get(key, _NOT_GIVEN)
        where = self._where(key)
        if value is _NOT_GIVEN:
            known = [dotted(p) for p in places(self._tree)]
            raise ConfigError(f"{where}{key} is missing; {nearest(key, known) if known else 'nothing has been loaded'}")
        if kind is not None and not isinstance(value, kind):
            raise ConfigError(f"{where}{key} is {value!r}; expected {kind.__name__}")
        domain = Domain(name=key, default=dataclasses.MISSING, low=low, high=high, choices=choices, integer=integer)
        try:
            return domain.validate(value)
        except ConfigError as error:
            raise ConfigError(f"{where}{error}") from None

    def _where(self, key: str) -> str:
        """`"config.yaml, line 3: "` for what was written last; empty where it is in no file."""
        place = tuple(key.split("."))
        for source in reversed(self._sources):
            if _at(source.tree, place) is not None:
                return f"{source.where(place)}: "
        return ""

    def credentials(self, service: str, names: tuple[str, ...] | None = None) -> Credentials:
        """Secrets of a service, from the environment only.

        Parameters
        ----------
        service : str
            `"alpaca"`, `"binance"`, or any other name: `"x"` then stands for X_API_KEY and X_API_SECRET.
        names : tuple of str, optional
            The environment variables, where they have other names.
        """
        usual = tuple(f"{service.upper()}_{name}" for name in ("API_KEY", "API_SECRET"))
        return Credentials(service, names or _CREDENTIALS.get(service.lower(), usual), self._environment())

    def check(self) -> list[Finding]:
        """The findings of `vecbt check`, for a configuration that is a run file."""
        from .lint import check_config

        files = [source.name for source in self._sources if source.lines]
        return check_config(self._tree, folder=Path(files[-1]).resolve().parent if files else None)

    def to_dict(self) -> dict[str, Any]:
        """Everything, a copy."""
        return copy.deepcopy(self._tree)

    def __repr__(self) -> str:
        files = ", ".join(source.name for source in self._sources) or "nothing"
        return f"ConfigManager({files}; sections: {', '.join(map(str, self._tree)) or 'none'})"


def _at(tree: Any, place: Place) -> Any:
    for part in place:
        if isinstance(part, int):
            tree = tree[part]
        else:
            tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _merge(into: dict[str, Any], new: Mapping[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
