"""Which parameter of a sweep belongs where: to the strategy, or by a dotted name to costs, stops, sizing or risk."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.space import Space
from ..errors import ConfigError, nearest
from ..execution.carry import Carry
from ..execution.costs import Costs
from ..risk.stops import Stops
from ..risk.zones import Risk
from .setup import Setup
from .window import BETWEEN

__all__ = ["SetupsMade", "setup_with", "split_names"]

_MADE: dict[str, Any] = {"stops": Stops, "risk": Risk, "carry": Carry}
"""What can be off, and is made of the parameters that vary where it is; of nothing but None it stays off."""

_PLAIN, _REMEMBERED = {int, float}, 64  # kinds of values that are the same where they are equal; setups


def split_names(names: Sequence[str], declared: Space, keywords: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The strategy's own parameters, and those of the setup, without windows; ConfigError with the nearest for a name that is neither."""
    own = tuple(name for name in names if name in declared)
    rest = tuple(name for name in names if name not in declared and name != BETWEEN)
    known = [f.name for f in dataclasses.fields(Setup)] if rest else []
    for name in rest:
        head, _, tail = name.partition(".")
        if head not in known:
            raise ConfigError(f"nothing is called {name!r}; {nearest(name, [*declared, *known, *_dotted(keywords), BETWEEN])}")
        if tail and head not in names:  # where the head varies, too, each set is looked at when its setup is made
            _check_path(name, head, tail, keywords.get(head))
    return own, rest


def _dotted(keywords: Mapping[str, Any]) -> list[str]:
    """Names of what the keywords are made of."""
    found = []
    for head in ("costs", "stops", "sizing", "risk", "carry"):
        owner = keywords.get(head) or _MADE.get(head)
        if dataclasses.is_dataclass(owner):
            found += [f"{head}.{part}" for part in _parts_of(owner)]
    return found


def _parts_of(owner: Any) -> tuple[str, ...]:
    """What can be varied of an object, or of a class of them."""
    return _parts_of_class(owner if isinstance(owner, type) else type(owner))


@functools.cache
def _parts_of_class(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind) if f.init and not f.name.startswith("_"))


def _check_path(name: str, head: str, tail: str, owner: Any) -> None:
    owner = _MADE.get(head) if owner is None else owner
    done = head
    for part in tail.split("."):
        if owner is None:
            raise ConfigError(f"{name} varies, but {done} is not given; give {done}=..., whose {part} then varies")
        if not dataclasses.is_dataclass(owner):
            raise ConfigError(f"{name} varies, but {done} is {owner!r}, which has no parts")
        if part not in _parts_of(owner):
            raise ConfigError(f"{done} has no {part!r}; {nearest(part, _parts_of(owner))}")
        owner = None if isinstance(owner, type) else getattr(owner, part)
        done = f"{done}.{part}"


def setup_with(keywords: Mapping[str, Any], values: Mapping[str, Any]) -> Setup:
    """The setup of one set: `values` by their names, in place of what the keywords say. ConfigError as from `Setup`."""
    inner, direct = _split(values)
    for head, parts in inner.items():
        given = direct.get(head, keywords.get(head))
        made = _MADE.get(head) if given is None else None
        direct[head] = _replaced(head, given, parts) if made is None else _made(head, made, parts)
    return Setup.of(**{**keywords, **direct})


class SetupsMade:
    """`setup_with` of the same keywords; a few setups of plain numbers are remembered."""

    def __init__(self, keywords: Mapping[str, Any]) -> None:
        self._keywords = keywords
        self._made: dict[Any, Setup] = {}

    def __call__(self, values: Mapping[str, Any]) -> Setup:
        """The setup with these values."""
        if not {*map(type, values.values())} <= _PLAIN:
            return setup_with(self._keywords, values)
        key = tuple((name, type(value), value) for name, value in values.items())
        if key not in self._made:
            if len(self._made) == _REMEMBERED:
                self._made.clear()
            self._made[key] = setup_with(self._keywords, values)
        return self._made[key]


def _split(values: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Parts of parts by their owner, and the others."""
    inner: dict[str, dict[str, Any]] = {}
    direct: dict[str, Any] = {}
    for name, value in values.items():
        head, _, tail = name.partition(".")
        if tail:
            inner.setdefault(head, {})[tail] = value
        else:
            direct[head] = value
    return inner, direct


def _made(name: str, kind: Any, values: Mapping[str, Any]) -> Any:
    """An owner that was off, of the parts that vary; it stays off where they all are."""
    for part in values:
        _check_path(f"{name}.{part}", name, part, kind)
    if kind is Carry and not any(values.values()):
        return None
    return None if all(value is None for value in values.values()) else kind(**values)


def _replaced(name: str, owner: Any, values: Mapping[str, Any]) -> Any:
    """An owner with some of its parts, and parts of its parts, replaced."""
    for part in values:
        _check_path(f"{name}.{part}", name, part.partition(".")[0], owner)
    inner, direct = _split(values)
    for head, parts in inner.items():
        direct[head] = _replaced(f"{name}.{head}", direct.get(head, getattr(owner, head)), parts)
    if isinstance(owner, Costs | Carry) and not any(direct.values()):
        return _without(owner, direct)
    return dataclasses.replace(owner, **direct)


def _without(owner: Costs | Carry, zeros: Mapping[str, Any]) -> Any:
    """Costs that vary down to nothing: a zero that is named is meant, so they may be free where nothing else is left; no carry is None."""
    if isinstance(owner, Carry):
        left = {f.name: zeros.get(f.name, getattr(owner, f.name)) for f in dataclasses.fields(owner)}
        return dataclasses.replace(owner, **zeros) if any(left.values()) else None
    freed = dataclasses.replace(owner, **zeros, _free=True)
    return freed if freed.is_free else dataclasses.replace(owner, **zeros)
