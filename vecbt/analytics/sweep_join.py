"""Two sweeps of the same strategy, data and settings as one."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.sets import Sets, distinct_values
from ..errors import ConfigError
from .sweep_lines import METRICS, Lines, with_ends

__all__ = ["joined", "numbered_sets"]

_UNKNOWN, _FAILED, _DONE = 0, 1, 2


def joined(first: Lines, second: Lines) -> tuple[Lines, NDArray[np.int64]]:
    """The lines of both, each set once; and of each line which it was, those of the second counted on after those of the first.

    Sets keep the numbers of the first; those that only the second has follow. Of a set that both have, the line that was measured stays.

    Raises
    ------
    ConfigError
        Bars, strategy, keywords, rates, kernels, envelope or the names of the parameters differ; or a set that both have gave others.
    """
    _same_sweep(first, second)
    sets = _both(first.sets, second.sets)
    ids = sets.distinct(sets.names)[1]
    accounts = 1 + max(int(first.account.max()), int(second.account.max()))
    key = ids * accounts + np.concatenate([first.account, second.account])
    state, texts = (np.concatenate(parts) for parts in zip(_known(first), _known(second), strict=True))
    order = np.lexsort((np.arange(len(key)), state == _UNKNOWN, key))
    chosen = order[np.flatnonzero(np.r_[True, np.diff(key[order]) != 0])]  # the first line that is known, of each set and account
    rival = np.empty(len(key), dtype=np.int64)
    rival[order] = np.repeat(chosen, np.diff(np.r_[np.flatnonzero(np.r_[True, np.diff(key[order]) != 0]), len(key)]))
    measured = [name for name in METRICS if name in first.metrics and name in second.metrics]
    metrics = {name: np.concatenate([first.metrics[name], second.metrics[name]]) for name in measured}
    other = {name: np.concatenate([values, second.other[name]]) for name, values in first.other.items()}
    initial = np.concatenate([first.initial, second.initial])
    _agree((*metrics.values(), *other.values(), initial), state, texts, rival, sets)
    number = _numbers(ids, first.number)
    chosen = chosen[np.lexsort((key[chosen] % accounts, number[chosen]))]
    number, done = number[chosen], state[chosen] == _DONE
    errors = {int(c): str(texts[i]) for c, i in zip(number, chosen, strict=True) if state[i] == _FAILED}
    about = dataclasses.replace(
        first.about, seconds=first.about.seconds + second.about.seconds, sets=len(np.unique(number)), ran=len(np.unique(number[done]))
    )
    account = np.concatenate([first.account, second.account])[chosen]
    sums = None if first.sums is None or second.sums is None else first.sums.joined(second.sums, chosen)
    metrics, other = ({name: values[chosen] for name, values in part.items()} for part in (metrics, other))
    lines = Lines(
        about, sets.kept(chosen), number, account, done, initial[chosen], with_ends(metrics, other), errors, sums, other
    )  # fmt: skip
    return lines, chosen


def numbered_sets(lines: Lines) -> tuple[Sets, NDArray[np.int64]]:
    """The distinct sets of lines, and their numbers."""
    numbers, first = np.unique(lines.number, return_index=True)
    return Sets(lines.sets.names, lines.sets.values, lines.sets.codes[first]), numbers


def _same_sweep(mine: Lines, its: Lines) -> None:
    first, second = mine.about, its.about
    pairs: list[tuple[str, Any, Any]] = [("bars", first.content_hash, second.content_hash), ("strategy", first.written, second.written)]
    for name in sorted({*first.keywords, *second.keywords}):
        pairs.append((name, first.keywords.get(name, "not given"), second.keywords.get(name, "not given")))
    pairs += [("rf", first.rf, second.rf), ("mar", first.mar, second.mar), ("kernels", first.kernels, second.kernels)]
    pairs.append(("the code of the strategy", first.code, second.code))
    pairs.append(("envelope", mine.enveloped, its.enveloped))
    for name, here, there in pairs:
        if here != there:
            raise ConfigError(f"sweeps of different things cannot be one: {name} is {here} in this one, {there} in the other")


def _both(first: Sets, second: Sets) -> Sets:
    """The sets of both, one after the other, with each value once."""
    if sorted(first.names) != sorted(second.names):
        mine, theirs = ", ".join(first.names), ", ".join(second.names)
        raise ConfigError(f"the sweeps vary different parameters: {mine} in this one, {theirs} in the other; expected the same")
    values: list[tuple[Any, ...]] = []
    codes = np.empty((len(first) + len(second), len(first.names)), dtype=np.int64)
    for k, name in enumerate(first.names):
        other = second.names.index(name)
        found, places = distinct_values((*first.values[k], *second.values[other]))
        if {type(v) for v in found} == {int, float}:  # as one sweep over both has them
            found = tuple(float(v) for v in found)
        at = np.array(places, dtype=np.int64)
        codes[: len(first), k] = at[first.codes[:, k]]
        codes[len(first) :, k] = at[len(first.values[k]) + second.codes[:, other]]
        values.append(found)
    return Sets(first.names, tuple(values), codes)


def _known(lines: Lines) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """What became of each line, and the text of its error."""
    texts = np.array([lines.errors.get(c, "") for c in lines.number.tolist()], dtype=object)
    failed = np.isin(lines.number, list(lines.errors))
    return np.where(lines.done, _DONE, np.where(failed, _FAILED, _UNKNOWN)), texts


def _agree(columns: Any, state: NDArray[np.int64], texts: NDArray[Any], rival: NDArray[np.int64], sets: Sets) -> None:
    """Refuse a set that gave other numbers, or another error, where it stands twice."""
    again = np.flatnonzero((rival != np.arange(len(rival))) & (state != _UNKNOWN))
    other = rival[again]
    wrong = (state[again] != state[other]) | (texts[again] != texts[other])
    for column in columns:
        bits = np.ascontiguousarray(column).view(np.int64)
        wrong |= (bits[again] != bits[other]) & (state[again] == _DONE)
    if wrong.any():
        about = sets.at(int(again[np.argmax(wrong)]))
        raise ConfigError(
            f"the set {about} is in both sweeps, with other numbers: what made them cannot be the same; "
            "drop it from one of them with filter, or run both anew"
        )


def _numbers(ids: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each line the number of its set: the first that it has there, beyond all of them where it is new."""
    known = np.full(int(ids.max()) + 1, -1, dtype=np.int64)
    known[ids[: len(first)][::-1]] = first[::-1]
    fresh = np.flatnonzero(known < 0)  # ids are in the order in which sets come
    known[fresh] = int(first.max()) + 1 + np.arange(len(fresh))
    return known[ids]
