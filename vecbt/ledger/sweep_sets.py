"""The configurations of a sweep, all at once: terms of the values that vary, looked up for each set and added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.sets import Sets
from ..engine.inputs import AlignedInputs
from ..engine.sweep_names import split_names
from ..errors import VecbtError
from .configuration import Known, default_of, parameter_place, setup_terms, source_terms
from .hashes import MASK, is_number, numbers_of, term, terms

if TYPE_CHECKING:
    from ..engine.sweep import SweepRun

__all__ = ["sums_of_sets"]

_EACH = 1_000
"""Setups that are made to see what their terms are; where it would take more, sets go by the values as they were written."""

_Sums = NDArray[np.uint64]
_TermsOf = Callable[[Mapping[str, Any]], dict[str, int]]


def sums_of_sets(run: SweepRun, numbers: NDArray[np.int64], aligned: AlignedInputs | None) -> _Sums:
    """The sum of the terms of each of these sets, (len(numbers),); `aligned` are inputs that were given in place of a strategy."""
    own, rest = split_names(run.sets.names, run.strategy.space, run.keywords)
    sets = run.sets if len(numbers) == len(run.sets) else run.sets.kept(numbers)
    total = np.full(len(sets), source_terms(run.strategy, aligned, own), dtype=np.uint64)
    for name in own:
        values, codes = _used(sets, name)
        places = [parameter_place(name, value) for value in values]
        if len(set(places)) == 1:
            total += terms(places[0], values)[codes]
        else:
            total += np.array([term(place, value) for place, value in zip(places, values, strict=True)], dtype=np.uint64)[codes]
    return total + _setups(sets, rest, run)


def _used(sets: Sets, name: str) -> tuple[list[Any], NDArray[np.int64]]:
    """The values of a parameter that these sets have, and of each set the place of its own."""
    k = sets.names.index(name)
    if len(sets) == 1:
        return [sets.values[k][sets.codes[0, k]]], np.zeros(1, dtype=np.int64)
    codes = sets.codes[:, k]
    is_used = np.bincount(codes, minlength=len(sets.values[k])) > 0
    if is_used.all():
        return list(sets.values[k]), codes
    used = np.flatnonzero(is_used)
    return [sets.values[k][i] for i in used.tolist()], (np.cumsum(is_used) - 1)[codes]


def _setups(sets: Sets, names: tuple[str, ...], run: SweepRun) -> _Sums:
    """The sum of the terms of each setup."""
    known: Known = {}

    def terms_of(values: Mapping[str, Any]) -> dict[str, int]:
        return setup_terms(run.setup_with(values), known)

    start = _values(sets, 0, names)
    first = terms_of(start)
    if not names:
        return np.full(len(sets), _sum(first), dtype=np.uint64)
    defaults = {name: default_of(run.setup_with(start), name) for name in names}
    found = _one_by_one(sets, defaults, terms_of, start, first)
    if found is None:
        found = _together(sets, names, terms_of)
    return _as_written(sets, names, run.keywords) if found is None else found


def _one_by_one(
    sets: Sets, defaults: Mapping[str, Any], terms_of: _TermsOf, start: Mapping[str, Any], first: Mapping[str, int]
) -> _Sums | None:
    """Where each parameter changes terms of its own: what each value adds to the sum of the first set. None where they share terms.

    `defaults` are the parameters, with the value of each that is no term.
    """
    total, touched = np.full(len(sets), _sum(first), dtype=np.uint64), set[str]()
    for name, default in defaults.items():
        values, codes = _used(sets, name)

        def changed(value: Any, name: str = name) -> dict[str, int]:
            return {} if value is start[name] else _differences(first, terms_of({**start, name: value}))

        try:
            changes = _direct((name, default), values, first, changed)
            if changes is None:
                if len(values) > _EACH:
                    return None
                each = [changed(value) for value in values]
                paths = {path for change in each for path in change}
                changes = np.array([_sum(change) for change in each], dtype=np.uint64)
            else:
                paths = {name}
        except VecbtError:  # a value that only goes with others
            return None
        if paths & touched:
            return None
        touched |= paths
        total += changes[codes]
    return total if _holds(total, sets, tuple(defaults), terms_of) else None


def _differences(first: Mapping[str, int], found: Mapping[str, int]) -> dict[str, int]:
    """What the terms of another setup have more than those of the first one."""
    return {path: (found.get(path, 0) - first.get(path, 0)) & MASK for path in {*found, *first} if found.get(path) != first.get(path)}


def _direct(parameter: tuple[str, Any], values: list[Any], first: Mapping[str, int], changed: Any) -> _Sums | None:
    """What numbers add that stand in the setup as they are, known of a few of them; None where that is not so."""
    (name, default), numbers = parameter, numbers_of(values)
    if len(values) < 4 or numbers is None:
        return None
    found = terms(f"setup {name}", values) - np.uint64(first.get(name, 0))
    looked_at = {0, len(values) // 2, int(numbers.argmin()), int(numbers.argmax())}
    apart = (numbers == 0.0) | (numbers == default) if is_number(default) else numbers == 0.0
    for k in looked_at | set(np.flatnonzero(apart).tolist()):
        change = changed(values[k])
        if not change and int(found[k]) != 0 and first.get(name) is None:
            found[k] = 0  # the default, which is no term
        elif (change.get(name, 0), len(change)) != (int(found[k]), int(found[k] != 0)):
            return None
    return found


def _holds(total: _Sums, sets: Sets, names: tuple[str, ...], terms_of: _TermsOf) -> bool:
    """Whether a few sets have the sums that their own setups have."""
    for c in np.unique(np.linspace(0, len(sets) - 1, 4).astype(np.int64)).tolist():
        if _sum(terms_of(_values(sets, c, names))) != int(total[c]):
            return False
    return True


def _together(sets: Sets, names: tuple[str, ...], terms_of: _TermsOf) -> _Sums | None:
    """Where parameters meet in a term: a setup for each distinct combination; None where these are many."""
    firsts, which = sets.distinct(names)
    if len(firsts) > _EACH:
        return None
    sums = [_sum(terms_of(_values(sets, int(c), names))) for c in firsts]
    return np.array(sums, dtype=np.uint64)[which]


def _values(sets: Sets, c: int, names: tuple[str, ...]) -> dict[str, Any]:
    values = sets.at(c)
    return {name: values[name] for name in names}


def _as_written(sets: Sets, names: tuple[str, ...], keywords: Mapping[str, Any]) -> _Sums:
    """By names and values, beside the keywords as given: no run of such a set is the same configuration, another sweep of it is."""
    total = np.full(len(sets), term("keywords", dict(keywords)), dtype=np.uint64)
    for name in names:
        values, codes = _used(sets, name)
        total += terms(f"written {name}", values)[codes]
    return total


def _sum(found: Mapping[str, int]) -> int:
    return sum(found.values()) & MASK
