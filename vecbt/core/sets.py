"""Parameter sets: what a sweep or an optimizer tries, as a grid, a list, or samples of ranges."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, counted
from .identity import identity
from .space import Domain, Space

__all__ = ["MAX_SETS", "RandomSets", "Sets", "Sobol", "Where", "distinct_values", "sets_of"]

MAX_SETS = 200_000
"""Most sets that are tried without being asked for more."""

Where: TypeAlias = Callable[[dict[str, NDArray[Any]]], Any]
"""From the columns of the parameters to which of the sets are wanted, booleans."""


@dataclass(frozen=True)
class Sets:
    """Parameter sets, in order.

    Attributes
    ----------
    names : of the parameters
    values : for each, the distinct values it takes
    codes : int64 (C, K), for each set and parameter the place of its value
    """

    names: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    codes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.codes)

    def column(self, name: str) -> NDArray[Any]:
        """The values of one parameter, a set each."""
        k = self.names.index(name)
        return _array(self.values[k])[self.codes[:, k]]

    def at(self, c: int) -> dict[str, Any]:
        """One set."""
        return {name: self.values[k][self.codes[c, k]] for k, name in enumerate(self.names)}

    def distinct(self, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The distinct combinations of these parameters: for each the first set that has it, and for each set the number of its own."""
        key = np.zeros(len(self), dtype=np.int64)
        if not names or len(self) == 1:
            return key[:1].copy(), key
        for name in names:
            k = self.names.index(name)
            if len(key) and key.max() > 2**62 // max(len(self.values[k]), 1):
                key = np.unique(key, return_inverse=True)[1]
            key = key * len(self.values[k]) + self.codes[:, k]
        _, first, number = np.unique(key, return_index=True, return_inverse=True)
        # in the order in which the sets come, not of their keys
        order = np.argsort(first)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return first[order], place[number.reshape(-1)]

    def kept(self, wanted: NDArray[Any]) -> Sets:
        """Only these sets: booleans, or places in the order that is wanted."""
        return Sets(self.names, self.values, self.codes[wanted])


@dataclass(frozen=True)
class _Sampled(ABC):
    """Ranges of parameters, and how many sets to draw from them."""

    count: int
    ranges: Mapping[str, Any] | None = field(default=None, hash=False)
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.count, bool) or not isinstance(self.count, int) or self.count < 1:
            raise ConfigError(f"{type(self).__name__}: count is {self.count!r}; expected a whole number of at least 1")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int | np.integer) or self.seed < 0:
            raise ConfigError(f"{type(self).__name__}: seed is {self.seed!r}; expected a whole number of at least 0")
        if self.ranges is not None and not isinstance(self.ranges, Mapping):
            raise ConfigError(f"{type(self).__name__}: ranges is {self.ranges!r}; expected {{'name': (low, high)}}")

    @abstractmethod
    def points(self, dimensions: int) -> NDArray[np.float64]:
        """Points in the unit cube, (count, dimensions)."""


class RandomSets(_Sampled):
    """So many sets at random: `RandomSets(500, {"fast": (2, 50), "slow": (20, 200), "stops.hard": (0.01, 0.1)}, seed=1)`.

    Parameters
    ----------
    count : sets to draw; a set that a constraint forbids is drawn and dropped
    ranges : name to (low, high), bounds included (whole numbers where both are), or a list of choices; None: what the strategy declares
    seed : of the generator
    """

    def points(self, dimensions: int) -> NDArray[np.float64]:
        """Independent and uniform."""
        return np.random.default_rng(self.seed).random((self.count, dimensions))


class Sobol(_Sampled):
    """So many sets of a scrambled Sobol sequence, which fills the ranges evenly; arguments as for `RandomSets`.

    A count that is a power of two keeps its balance (Sobol, USSR Comp. Math. 7 (1967) 86; scrambling by Owen, as in scipy.stats.qmc).
    """

    def points(self, dimensions: int) -> NDArray[np.float64]:
        """Evenly spread."""
        from scipy.stats import qmc

        whole = 1 << (self.count - 1).bit_length()
        points: NDArray[np.float64] = qmc.Sobol(dimensions, rng=self.seed).random(whole)
        return points[: self.count]


def sets_of(space: Any, declared: Space, base: Mapping[str, Any], *, where: Where | None = None, max_sets: int | None = None) -> Sets:
    """The sets that `space` names.

    Parameters
    ----------
    space : mapping of names to values (all combinations), sequence of mappings (these sets), frame (a row a set), Sets, RandomSets, Sobol,
        or None (all combinations of what the strategy declares)
    declared : the strategy's parameters; their constraints drop sets of combinations and of samples, not those of a list
    base : the values of parameters that do not vary
    where : a further constraint
    max_sets : refuse more than this, counted after constraints; None: MAX_SETS

    Raises
    ------
    ConfigError for an empty space, one too large, values that cannot be, or a constraint that leaves nothing.
    """
    limit = MAX_SETS if max_sets is None else max_sets
    if isinstance(space, Sets):
        found = space
    elif isinstance(space, _Sampled):
        found = _sampled(space, declared, limit)
    elif space is None or isinstance(space, Mapping):
        found = _grid(_declared_values(declared) if space is None else space, limit)
    else:
        found = _listed(space)
    before, rules = len(found), []
    if space is None or isinstance(space, Mapping | _Sampled):
        for domain in declared.values():
            if domain.below and (domain.name in found.names or domain.below in found.names):
                rules.append(f"{domain.name} < {domain.below}")
                found = _below(found, domain, base)
    if where is not None and len(found):
        rules.append("where")
        found = found.kept(_mask(where, found))
    if len(found) == 0:
        what = "the only set is not left" if before == 1 else f"none of the {before:,} sets is left"
        raise ConfigError(f"{what}: {' and '.join(rules)} exclude{'s' * (len(rules) == 1)} all of them")
    if len(found) > limit:
        raise ConfigError(f"the space has {counted(len(found), 'set')}, more than {limit:,}; give max_sets={len(found)} if that is meant")
    return found


def _array(values: Sequence[Any]) -> NDArray[Any]:
    """Numbers and words as an array of their kind, all else as objects."""
    kinds = {type(v) for v in values}
    if kinds <= {int, float} or kinds in ({str}, {bool}):
        return np.array(values)
    out = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        out[i] = value
    return out


def _plain(value: Any) -> Any:
    """Python's own numbers in place of NumPy's."""
    return value.item() if isinstance(value, np.generic) else value


def distinct_values(values: Iterable[Any]) -> tuple[tuple[Any, ...], list[int]]:
    """The values, each once and in Python's own types, and of each one given its place among them."""
    places: dict[Any, int] = {}
    found: list[Any] = []
    codes = []
    for value in values:
        place = places.setdefault(_key(value), len(found))
        if place == len(found):
            found.append(_plain(value))
        codes.append(place)
    return tuple(found), codes


def _key(value: Any) -> Any:
    """What tells values apart: 5.0 is 5, True is not 1, and what has no hash goes by what it holds."""
    try:
        hash(value)
    except TypeError:
        return None, identity(value)
    return isinstance(value, bool | np.bool_), value


def _values(name: str, given: Any) -> tuple[Any, ...]:
    """The values of one parameter, each once; a word, a mapping, or what cannot be gone through is one value."""
    if isinstance(given, str | bytes | Mapping) or not np.iterable(given):
        given = (given[()] if isinstance(given, np.ndarray) else given,)
    found, _ = distinct_values(given)
    if not found:
        raise ConfigError(f"space[{name!r}] is empty; give at least one value")
    return found


def _most_looked_at(limit: int) -> int:
    """Sets that are made before constraints drop some."""
    return max(4 * limit, 4_000_000)


def _grid(given: Mapping[Any, Any], limit: int) -> Sets:
    if not given:
        raise ConfigError("the space is empty; give parameter names with their values, such as {'fast': range(5, 50)}")
    values = {str(name): _values(str(name), values) for name, values in given.items()}
    if len(values) < len(given):
        raise ConfigError(f"the space names a parameter twice: {', '.join(map(repr, given))}")
    sizes = [len(v) for v in values.values()]
    total = math.prod(sizes)
    # constraints may leave a part of it only, so a good deal more than the limit is looked at
    if total > _most_looked_at(limit):
        raise ConfigError(f"the space has {total:,} combinations, more than {limit:,}; give fewer values, or Sobol({limit}, ranges)")
    codes = np.empty((*sizes, len(sizes)), dtype=np.int64)
    for k, size in enumerate(sizes):
        codes[..., k] = np.arange(size).reshape(-1, *[1] * (len(sizes) - k - 1))
    return Sets(tuple(values), tuple(values.values()), codes.reshape(total, len(sizes)))


def _declared_values(declared: Space) -> dict[str, Any]:
    """All values of every parameter that has a range or choices."""
    found: dict[str, Any] = {}
    for name, domain in declared.items():
        if domain.choices is not None:
            found[name] = domain.choices
        elif domain.is_number and domain.integer and domain.low is not None and domain.high is not None:
            found[name] = range(int(domain.low), int(domain.high) + 1)
        elif domain.is_number:
            raise ConfigError(
                f"{declared.owner}.{name} may be {domain.expected()}, which is no list of values; name the values in space, "
                "or draw them: Sobol(1000)"
            )
    if not found:
        raise ConfigError(f"{declared.owner} declares no ranges; give space={{'name': values}}")
    return found


def _listed(space: Any) -> Sets:
    rows = _rows_of(space)
    if not rows:
        raise ConfigError("the space is an empty list; give at least one set")
    names = tuple(str(name) for name in rows[0])
    for i, row in enumerate(rows):
        if set(row) != set(names):
            raise ConfigError(f"set {i} names {', '.join(map(str, row))}; the first names {', '.join(names)}: all must name the same")
    values, codes = [], np.empty((len(rows), len(names)), dtype=np.int64)
    for k, name in enumerate(names):
        distinct, codes[:, k] = distinct_values(row[name] for row in rows)
        values.append(distinct)
    return Sets(names, tuple(values), codes)


def _rows_of(space: Any) -> list[Mapping[str, Any]]:
    if hasattr(space, "columns") and len(set(space.columns)) < len(space.columns):
        raise ConfigError(f"the space names a parameter twice: {', '.join(map(repr, space.columns))}")
    if hasattr(space, "to_dicts"):  # polars
        return list(space.to_dicts())
    if hasattr(space, "columns") and hasattr(space, "to_dict"):  # pandas
        return list(space.to_dict("records"))
    if isinstance(space, Sequence) and not isinstance(space, str | bytes) and all(isinstance(row, Mapping) for row in space):
        return list(space)
    raise ConfigError(
        f"space is {type(space).__name__}; expected {{name: values}}, a list of {{name: value}}, a frame, RandomSets, Sobol, or None"
    )


def _sampled(space: _Sampled, declared: Space, limit: int) -> Sets:
    ranges = dict(space.ranges) if space.ranges is not None else _declared_ranges(declared)
    if not ranges:
        raise ConfigError(f"{type(space).__name__} has no ranges; give {{'name': (low, high)}}")
    if space.count > _most_looked_at(limit):
        raise ConfigError(f"{type(space).__name__} draws {space.count:,} sets, more than {limit:,}; draw fewer, or give max_sets")
    points = space.points(len(ranges))
    codes, values = np.empty((space.count, len(ranges)), dtype=np.int64), []
    for k, (name, given) in enumerate(ranges.items()):
        distinct, codes[:, k] = _drawn(str(name), given, points[:, k])
        values.append(distinct)
    _, once = np.unique(codes, axis=0, return_index=True)  # whole numbers meet again
    return Sets(tuple(map(str, ranges)), tuple(values), codes[np.sort(once)])


def _declared_ranges(declared: Space) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, domain in declared.items():
        if domain.choices is not None:
            found[name] = list(domain.choices)
        elif domain.low is not None and domain.high is not None:
            found[name] = (int(domain.low), int(domain.high)) if domain.integer else (float(domain.low), float(domain.high))
        elif domain.is_number:
            found_range = f"{declared.owner}.{name} may be {domain.expected()}"
            raise ConfigError(f"{found_range}: no range to draw from; give ranges={{{name!r}: (low, high)}}")
    return found


def _drawn(name: str, given: Any, points: NDArray[np.float64]) -> tuple[tuple[Any, ...], NDArray[np.int64]]:
    """Values of one parameter, and which of them it takes at points of the unit interval."""
    if not _is_range(given):
        values = _values(name, given)
        return values, np.minimum((points * len(values)).astype(np.int64), len(values) - 1)
    low, high = given
    if not (low <= high and math.isfinite(low) and math.isfinite(high)):
        raise ConfigError(f"the range of {name} is {given}; expected (low, high)")
    if isinstance(low, int | np.integer) and isinstance(high, int | np.integer):
        drawn: NDArray[Any] = np.minimum(low + np.floor(points * (high - low + 1)).astype(np.int64), high)
    else:
        drawn = np.minimum(low + points * (high - low), high)  # rounding may pass it
    distinct, codes = np.unique(drawn, return_inverse=True)
    return tuple(distinct.tolist()), codes.reshape(-1)


def _is_range(given: Any) -> bool:
    """Whether two numbers in a tuple are bounds."""
    numbers = isinstance(given, tuple) and len(given) == 2 and all(isinstance(v, int | float | np.integer | np.floating) for v in given)
    return numbers and not any(isinstance(v, bool) for v in given)


def _below(sets: Sets, domain: Domain, base: Mapping[str, Any]) -> Sets:
    """Without the sets in which a parameter is not below the one that it must be below."""
    low, high = (sets.column(n) if n in sets.names else base[n] for n in (domain.name, domain.below))
    try:
        wanted = np.asarray(low < high, dtype=bool)
    except TypeError:  # words among numbers: those sets stay, and what is wrong with them is said of each
        pairs = np.broadcast(np.asarray(low, dtype=object), np.asarray(high, dtype=object))
        wanted = np.array([_may_be_below(a, b) for a, b in pairs])
    return sets if wanted.all() else sets.kept(np.broadcast_to(wanted, (len(sets),)))


def _may_be_below(low: Any, high: Any) -> bool:
    try:
        return bool(low < high)
    except TypeError:
        return True


def _mask(where: Where, sets: Sets) -> NDArray[np.bool_]:
    found = np.asarray(where({name: sets.column(name) for name in sets.names}))
    if found.shape != (len(sets),) or found.dtype != np.bool_:
        what = f"where gave {found.dtype} of shape {found.shape}"
        raise ConfigError(f"{what}; expected booleans ({len(sets)},), such as p['fast'] < p['slow']")
    return found
