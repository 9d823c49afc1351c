"""What a search varies: numbers, whole numbers, logarithms, choices, and what holds only beside another choice; as rows of genes.

A gene is a float64. A whole number is its value, a number on a logarithmic scale its logarithm, a choice the place among its values. So
every driver works on matrices (sets, parameters), whatever the parameters are. Repaired genes have equal bytes where the sets are equal,
and only there.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.sets import Sets, Where, distinct_values
from ..core.space import Space
from ..errors import ConfigError, nearest

__all__ = ["CHOICE", "REAL", "WHOLE", "Choice", "Range", "Variables"]

REAL, WHOLE, CHOICE = 0, 1, 2
"""Kinds of genes: any number between its bounds, whole numbers, places of choices (without an order)."""

_FINE = 2.0**40
"""Logarithms are multiples of one by this, or bounds: finer ones would be the same number."""


@dataclass(frozen=True)
class Range:
    """A number between two bounds, both included.

    Parameters
    ----------
    low, high : whole numbers are drawn where both are of type int
    log : draw its logarithm evenly: as many sets between 0.001 and 0.01 as between 0.01 and 0.1
    integer : whole numbers, whatever type the bounds have; None: as the bounds are
    when : (name, values) of a choice or whole number beside which alone it counts; elsewhere it has its value as given, or the nearest to
        that in its range
    """

    low: float
    high: float
    log: bool = False
    integer: bool | None = None
    when: tuple[str, Any] | None = None

    def __post_init__(self) -> None:
        for value in (self.low, self.high):
            if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value):
                raise ConfigError(f"a range goes from {self.low!r} to {self.high!r}; expected two finite numbers")
        if not self.low <= self.high:
            raise ConfigError(f"a range goes from {self.low!r} to {self.high!r}; expected low <= high: are they the wrong way round?")
        if not math.isfinite(float(self.high) - float(self.low)):
            raise ConfigError(f"a range goes from {self.low!r} to {self.high!r}; expected less than 1.7e308 between them")
        if self.log and self.low <= 0:
            raise ConfigError(f"a logarithmic range begins at {self.low!r}; expected a number above 0")
        if self.log and self.low < self.high and math.log(self.high) - math.log(self.low) < 4.0 / _FINE:
            raise ConfigError(f"a logarithmic range goes from {self.low!r} to {self.high!r}, which is nearly one number; leave log out")
        if self.whole and (self.low != int(self.low) or self.high != int(self.high)):
            raise ConfigError(f"a range of whole numbers goes from {self.low!r} to {self.high!r}; expected whole numbers")
        _check_condition(self.when)

    @property
    def whole(self) -> bool:
        """Whether whole numbers are drawn."""
        if self.integer is not None:
            return self.integer
        return isinstance(self.low, int | np.integer) and isinstance(self.high, int | np.integer)


@dataclass(frozen=True)
class Choice:
    """One of some values, in no order. `when` is that of `Range`."""

    values: Sequence[Any]
    when: tuple[str, Any] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.values, str | bytes) or not isinstance(self.values, Sequence) or not len(self.values):
            raise ConfigError(f"a choice has the values {self.values!r}; expected a list with at least one")
        _check_condition(self.when)


@dataclass(frozen=True, eq=False)
class Variables:
    """The parameters of a search in order.

    Attributes
    ----------
    names : of the parameters
    kinds : int64 (K,), REAL, WHOLE or CHOICE
    low, high : float64 (K,), bounds of the genes, both included
    ends : float64 (K, 2), the least and the largest value of a number, as given; the bounds of a choice
    logs : bool (K,), the gene is a logarithm
    choices : of a CHOICE its values, else ()
    rests : float64 (K,), the gene that a conditional parameter has where it does not count; NaN where it always counts
    depends : of a conditional parameter the place of the one it hangs on and the genes of that beside which it counts, else None
    rules : (a, b) where parameter a must be below parameter b: places, or a fixed number
    where : a further constraint, from the columns of the parameters to booleans
    """

    names: tuple[str, ...]
    kinds: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    ends: NDArray[np.float64]
    logs: NDArray[np.bool_]
    choices: tuple[tuple[Any, ...], ...]
    rests: NDArray[np.float64]
    depends: tuple[tuple[int, tuple[float, ...]] | None, ...]
    rules: tuple[tuple[str | float, str | float], ...] = ()
    where: Where | None = None

    @classmethod
    def of(cls, space: Any, declared: Space, base: Mapping[str, Any], where: Where | None = None) -> Variables:
        """The variables that `space` names.

        Parameters
        ----------
        space : mapping of names to `Range`, (low, high), `Choice`, a list of choices, or one value; None: what the strategy declares
        declared : the strategy's parameters, whose constraints hold
        base : the values of its parameters that do not vary
        where : a further constraint

        Raises
        ------
        ConfigError for an empty space, bounds the wrong way round, values outside of what is declared, a condition on what does not vary.
        """
        given = _declared(declared) if space is None else space
        if not isinstance(given, Mapping):
            raise ConfigError(f"space is {type(given).__name__}; expected {{'name': (low, high)}}, Range, Choice, or a list of choices")
        if not given:
            raise ConfigError("the space is empty; give parameter names with their ranges, such as {'fast': (5, 50)}")
        ranges = {str(name): _as_range(str(name), value, declared) for name, value in given.items()}
        made = [_genes_of(name, each, declared) for name, each in ranges.items()]
        ends = np.array([m[1] for m in made], dtype=np.float64)
        logs = np.array([m[2] for m in made])
        bounds = np.array([[math.log(v) for v in pair] if log else pair for pair, log in zip(ends.tolist(), logs, strict=True)])
        found = cls(
            tuple(ranges), np.array([m[0] for m in made]), bounds[:, 0], bounds[:, 1], ends, logs, tuple(m[3] for m in made),
            np.full(len(made), np.nan), (None,) * len(made), _rules(declared, ranges, base), where,
        )  # fmt: skip
        return _with_conditions(found, ranges, base)

    def __len__(self) -> int:
        return len(self.names)

    @functools.cached_property
    def edges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds to vary numbers between: whole ones are rounded to an end as often as to what is between."""
        half = np.where(self.kinds == WHOLE, 0.5, 0.0)
        return self.low - half, self.high + half

    @functools.cached_property
    def stepped(self) -> tuple[int, ...]:
        """The places of whole numbers and choices."""
        return tuple(np.flatnonzero(self.kinds != REAL).tolist())

    @functools.cached_property
    def chosen(self) -> NDArray[np.bool_] | None:
        """Which are choices (K,); None where none is."""
        choices = self.kinds == CHOICE
        return choices if choices.any() else None

    @functools.cached_property
    def free(self) -> NDArray[np.bool_]:
        """Which can vary (K,)."""
        found: NDArray[np.bool_] = self.high > self.low
        return found

    @functools.cached_property
    def _has_logs(self) -> bool:
        return bool(self.logs.any())

    @functools.cached_property
    def _most(self) -> tuple[float, ...]:
        """Of each rule, by how much the first could be too large."""
        return tuple(max(self._extreme(low, 1) - self._extreme(high, 0), 1e-300) for low, high in self.rules)

    @property
    def size(self) -> float:
        """How many sets there are, before constraints; infinite where a number may be any."""
        if (self.kinds == REAL).any() and (self.high > self.low)[self.kinds == REAL].any():
            return math.inf
        return float(np.prod(np.where(self.kinds == REAL, 1.0, self.high - self.low + 1.0)))

    def sample(self, count: int, random: np.random.Generator) -> NDArray[np.float64]:
        """Genes at random, (count, K): even between the bounds, whole numbers and choices all alike."""
        return self.at(random.random((count, len(self))))

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Genes at points of the unit cube, (n, K)."""
        steps = self.kinds != REAL
        span = np.where(steps, self.high - self.low + 1.0, self.high - self.low)
        genes = self.low + points * span
        return self.repaired(np.where(steps, np.floor(genes), genes))

    def repaired(self, genes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Genes that mean something: between their bounds, whole where they are, at rest where they do not count. Does not keep `genes`."""
        genes = np.array(genes, dtype=np.float64, order="C")
        for k in self.stepped:
            np.rint(genes[:, k], out=genes[:, k])
        np.minimum(np.maximum(genes, self.low, out=genes), self.high, out=genes)
        if self._has_logs:
            column = np.rint(genes[:, self.logs] * _FINE) / _FINE
            low, high = self.low[self.logs], self.high[self.logs]
            genes[:, self.logs] = np.where(column > high - 1.0 / _FINE, high, np.where(column < low + 1.0 / _FINE, low, column))
        for k, on in enumerate(self.depends):
            if on is not None:
                genes[~np.isin(genes[:, on[0]], on[1]), k] = self.rests[k]
        genes += 0.0  # -0.0 is 0.0
        return genes

    def values(self, name: str, genes: NDArray[np.float64]) -> NDArray[Any]:
        """The column of one parameter (n,): numbers, or objects of choices."""
        k = self.names.index(name)
        column = genes[:, k]
        if self.kinds[k] == CHOICE:
            out = np.empty(len(self.choices[k]), dtype=object)
            out[:] = self.choices[k]
            if all(type(v) in (int, float) for v in self.choices[k]):
                out = np.array(self.choices[k])
            found: NDArray[Any] = out[column.astype(np.int64)]
            return found
        if self.kinds[k] == WHOLE:
            return column.astype(np.int64)
        if not self.logs[k]:
            return column
        # the bounds are what was given: a logarithm and back may miss them by a bit
        least, most = self.ends[k]
        value = np.clip(np.exp(column), least, most)
        return np.where(column <= self.low[k], least, np.where(column >= self.high[k], most, value))

    def sets(self, genes: NDArray[np.float64]) -> Sets:
        """The parameter sets of genes, in order."""
        values, codes = [], np.empty(genes.shape, dtype=np.int64)
        for k, name in enumerate(self.names):
            if self.kinds[k] == CHOICE:
                values.append(self.choices[k])
                codes[:, k] = genes[:, k]
                continue
            column = self.values(name, genes)
            distinct, codes[:, k] = np.unique(column, return_inverse=True)
            values.append(tuple(distinct.tolist()))
        return Sets(self.names, tuple(values), codes)

    def at_row(self, row: NDArray[np.float64]) -> dict[str, Any]:
        """One set."""
        return self.sets(row[None]).at(0)

    def violations(self, genes: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much each set breaks the constraints (n,), 0 where it breaks none.

        Of a pair in order: by how much the first is too large, as share of the most it could be; a broken `where` counts 1. What a set
        gets does not depend on the others.
        """
        found = np.zeros(len(genes))
        for (low, high), most in zip(self.rules, self._most, strict=True):
            excess = np.asarray(self._side(low, genes) - self._side(high, genes), dtype=np.float64)
            broken = excess >= 0.0
            if np.count_nonzero(broken):
                found += np.where(broken, excess / most + 1e-9, 0.0)
        if self.where is not None and len(genes):
            columns = {name: self.values(name, genes) for name in self.names}
            fine = np.asarray(self.where(columns))
            if fine.shape != (len(genes),) or fine.dtype != np.bool_:
                what = f"where gave {fine.dtype} of shape {fine.shape}"
                raise ConfigError(f"{what}; expected booleans ({len(genes)},), such as p['fast'] < p['slow']")
            found += np.where(fine, 0.0, 1.0)
        return found

    def _side(self, side: str | float, genes: NDArray[np.float64]) -> Any:
        """One side of a rule: a column (n,), or a number."""
        if not isinstance(side, str):
            return side
        k = self.names.index(side)
        return genes[:, k] if self.kinds[k] != CHOICE and not self.logs[k] else self.values(side, genes).astype(np.float64)

    def _extreme(self, side: str | float, which: int) -> float:
        """The least (0) or the largest (1) that one side of a rule may be."""
        if not isinstance(side, str):
            return side
        k = self.names.index(side)
        return (min, max)[which](float(v) for v in (self.choices[k] or self.ends[k]))


def _as_range(name: str, given: Any, declared: Space) -> Range | Choice:
    """What was written of one parameter."""
    if isinstance(given, Range | Choice):
        return given
    if isinstance(given, tuple) and len(given) == 2 and all(_is_number(v) for v in given):
        domain = declared.get(name)
        return Range(*given, integer=True if domain is not None and domain.integer else None)
    if isinstance(given, str | bytes | Mapping) or not np.iterable(given):
        given = (given,)
    values, _ = distinct_values(given)
    if not values:
        raise ConfigError(f"space[{name!r}] is empty; give (low, high) or at least one value")
    return Choice(values)


def _check_condition(when: Any) -> None:
    """ConfigError unless it is one of `Range`, or none."""
    if when is not None and not (isinstance(when, tuple) and len(when) == 2 and isinstance(when[0], str)):
        raise ConfigError(f"when is {when!r}; expected (name, values) of another parameter, such as ('kind', 'ema')")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _genes_of(name: str, given: Range | Choice, declared: Space) -> tuple[int, tuple[float, float], bool, tuple[Any, ...]]:
    """Kind, ends, whether logarithmic, and choices of a parameter, whose values must be ones it may have."""
    domain = declared.get(name)
    if isinstance(given, Choice):
        values, _ = distinct_values(given.values)
        if domain is not None:
            values = tuple(domain.validate(value, declared.owner) for value in values)
        return CHOICE, (0.0, len(values) - 1.0), False, values
    for bound in (given.low, given.high):
        if domain is not None:
            domain.validate(bound, declared.owner)
    low, high = float(given.low), float(given.high)
    if given.whole:
        if given.log:
            raise ConfigError(f"space[{name!r}] is a logarithmic range of whole numbers; give a list of choices, such as [10, 20, 50, 100]")
        return WHOLE, (low, high), False, ()
    if domain is not None and domain.integer:
        raise ConfigError(f"space[{name!r}] is a range of any numbers, and {declared.owner}.{name} may be {domain.expected()}")
    return REAL, (low, high), given.log, ()


def _declared(declared: Space) -> dict[str, Any]:
    """What the strategy declares of its parameters."""
    found: dict[str, Any] = {}
    for name, domain in declared.items():
        if domain.choices is not None:
            found[name] = Choice(domain.choices)
        elif domain.low is not None and domain.high is not None:
            found[name] = Range(domain.low, domain.high, integer=domain.integer)
        elif domain.is_number:
            may_be = f"{declared.owner}.{name} may be {domain.expected()}"
            raise ConfigError(f"{may_be}: no range to search; give space={{{name!r}: (low, high)}}")
    if not found:
        raise ConfigError(f"{declared.owner} declares no ranges; give space={{'name': (low, high)}}")
    return found


def _rules(declared: Space, ranges: Mapping[str, Any], base: Mapping[str, Any]) -> tuple[tuple[str | float, str | float], ...]:
    """Pairs of parameters of which the first must be below the second, one of them varied."""
    found = []
    for name, domain in declared.items():
        if domain.below and (name in ranges or domain.below in ranges):
            low, high = (side if side in ranges else float(base[side]) for side in (name, domain.below))
            found.append((low, high))
    return tuple(found)


def _with_conditions(found: Variables, ranges: Mapping[str, Range | Choice], base: Mapping[str, Any]) -> Variables:
    """With what holds only beside another choice."""
    rests, depends = found.rests.copy(), list(found.depends)
    for k, (name, given) in enumerate(ranges.items()):
        if given.when is None:
            continue
        on, wanted = given.when
        if on not in ranges or on == name:
            raise ConfigError(f"space[{name!r}] counts when {on!r} has some value, which does not vary; {nearest(str(on), ranges)}")
        if ranges[on].when is not None:
            raise ConfigError(f"space[{name!r}] hangs on {on!r}, which hangs on another parameter itself; one level is possible")
        depends[k] = (found.names.index(on), _genes_named(found, on, wanted))
        rests[k] = _gene_at_rest(found, k, base)
    return dataclasses.replace(found, rests=rests, depends=tuple(depends))


def _genes_named(found: Variables, on: str, wanted: Any) -> tuple[float, ...]:
    """The genes of some values of a choice or a whole number."""
    k = found.names.index(on)
    if found.kinds[k] == REAL:
        raise ConfigError(f"a parameter cannot hang on {on!r}, which may be any number; expected a choice or a whole number")
    places = {repr(v): float(place) for place, v in enumerate(found.choices[k])}
    one = isinstance(wanted, str | bytes) or not np.iterable(wanted) or repr(wanted) in places
    values = [v.item() if isinstance(v, np.generic) else v for v in ((wanted,) if one else wanted)]
    for value in values:
        if found.kinds[k] == WHOLE and not (_is_number(value) and value == int(value) and found.low[k] <= value <= found.high[k]):
            may_be = f"which goes from {found.low[k]:g} to {found.high[k]:g}"
            raise ConfigError(f"a parameter counts when {on!r} is {value!r}, {may_be}")
        if found.kinds[k] == CHOICE and repr(value) not in places:
            raise ConfigError(f"a parameter counts when {on!r} is {value!r}, which is none of {', '.join(places)}")
    return tuple(float(v) if found.kinds[k] == WHOLE else places[repr(v)] for v in values)


def _gene_at_rest(found: Variables, k: int, base: Mapping[str, Any]) -> float:
    """The gene of a parameter where it does not count: the value as given, else the lowest."""
    value = base.get(found.names[k])
    if found.kinds[k] == CHOICE:
        places = [place for place, choice in enumerate(found.choices[k]) if choice == value and type(choice) is type(value)]
        return float(places[0]) if places else 0.0
    if value is None or not _is_number(value):
        return float(found.low[k])
    gene = math.log(value) if found.logs[k] and value > 0 else float(value)
    return float(min(max(gene, found.low[k]), found.high[k]))
