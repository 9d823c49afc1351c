"""Splitters of time after scikit-learn's protocol: which rows are for training, which for testing, and what lies between them.

Any object with `split(X, y, groups)` and `get_n_splits` is a splitter there; these take `Bars` too, and nothing here needs scikit-learn.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import IndexT
from ..errors import ConfigError, counted
from .spans import Length, as_length, before, labels_of, length_words

__all__ = ["CombinatorialPurged", "Fold", "PurgedKFold", "Splitter", "WalkForwardSplit"]

Pairs = Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]


class Fold(NamedTuple):
    """Places of bars: training is [train_first, train_stop), testing [test_first, test_stop)."""

    train_first: int
    train_stop: int
    test_first: int
    test_stop: int


class Splitter(ABC):
    """What scikit-learn asks of a splitter."""

    @abstractmethod
    def split(self, X: Any, y: Any = None, groups: Any = None) -> Pairs:
        """Places of the rows for training and for testing, fold after fold; `y` and `groups` are not looked at."""

    @abstractmethod
    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many folds there are."""


@dataclass(frozen=True)
class WalkForwardSplit(Splitter):
    """Train, test on what follows, move on; until all rows after the first training window are tested, each of them once.

    Lengths are in bars (252) or in time ("90D", a timedelta), which labels are measured by; `test` and `step` in the same unit. The first
    test begins after one whole training window and the gap; with time, windows begin where the clock says, and one without a row is no
    fold. The last test is as long as the rows last: no window is dropped, unless `partial=False` leaves a shorter one out. Data that hold
    exactly one training and one test window give one fold.

    Parameters
    ----------
    train : length of the training window
    test : length of the test window
    step : how far the windows move each time; left out, by a test window. Less would test rows twice, and is refused; with more, rows
        between two tests are in none
    anchored : training always begins at the first row and grows
    purge : left out at the end of training: what is held or labelled from there on would reach into the test
    embargo : left out beyond that. Nothing is trained on rows after its own test here, so both lie before the test; the gap is their sum
    partial : whether the last test may be shorter

    Raises
    ------
    ConfigError for lengths that are none or do not fit the data (it says how many bars are needed).
    """

    train: Any
    test: Any
    step: Any = None
    anchored: bool = False
    purge: Any = 0
    embargo: Any = 0
    partial: bool = True
    _lengths: dict[str, Length] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._lengths.update({name: as_length(getattr(self, name), name) for name in ("train", "test")})
        self._lengths["step"] = self._lengths["test"] if self.step is None else as_length(self.step, "step")
        self._lengths.update({name: as_length(getattr(self, name), name, least=0) for name in ("purge", "embargo")})
        test, step = self._lengths["test"], self._lengths["step"]
        if isinstance(test, int) != isinstance(step, int):
            raise ConfigError(f"test is {length_words(test)} and step {length_words(step)}; expected both in bars, or both in time")
        if step < test:
            what = f"step is {length_words(step)}, less than test, {length_words(test)}: test windows would overlap"
            raise ConfigError(f"{what}, and rows that are tested twice count twice; give step >= test, or leave it out")
        for name in ("anchored", "partial"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} is {getattr(self, name)!r}; expected True or False")

    @property
    def timed(self) -> bool:
        """Whether any length is in time."""
        return any(not isinstance(length, int) for length in self._lengths.values())

    def folds(self, X: Any) -> list[Fold]:
        """All windows in `X`: Bars, a frame with times, or anything with rows where lengths are in bars."""
        labels = labels_of(X, self.timed)
        train, test = self._lengths["train"], self._lengths["test"]
        tests = self._tests(labels)
        found = []
        for at, stop in tests:
            gap = before(labels, before(labels, at, self._lengths["purge"]), self._lengths["embargo"])
            found.append(Fold(0 if self.anchored else before(labels, gap, train), gap, at, stop))
        if not found or found[0].train_stop <= found[0].train_first or not self._holds_one(labels, found[0]):
            what = f"{length_words(train)} of training,{self._gap_words()} and {length_words(test)} of testing"
            raise ConfigError(f"{what} need {self._needed(labels)}; there are {len(labels):,}: take shorter windows, or more data")
        return found

    def _gap_words(self) -> str:
        parts = [f"{length_words(self._lengths[name])} of {name}" for name in ("purge", "embargo") if self._lengths[name]]
        return "".join(f" {part}," for part in parts)

    def _first(self, labels: IndexT) -> tuple[int, int]:
        """Where the first test begins: its place, and the label where the clock says so."""
        at, clock = 0, int(labels[0])
        for name in ("train", "purge", "embargo"):
            length = self._lengths[name]
            if isinstance(length, int):
                at += length
                clock = int(labels[at]) if at < len(labels) else int(labels[-1]) + 1
            else:
                clock += int(length.astype(np.int64))
                at = int(np.searchsorted(labels, clock))
        return at, clock

    def _tests(self, labels: IndexT) -> list[tuple[int, int]]:
        """First place and stop of each test window that has a row."""
        if not len(labels):
            return []
        at, clock = self._first(labels)
        test, step, found = self._lengths["test"], self._lengths["step"], []
        if isinstance(test, int) and isinstance(step, int):
            found = [(first, min(first + test, len(labels)), first + test) for first in range(at, len(labels), step)]
        elif not isinstance(test, int) and not isinstance(step, int):
            long, far = int(test.astype(np.int64)), int(step.astype(np.int64))
            while clock <= labels[-1]:
                first, stop = (int(place) for place in np.searchsorted(labels, [clock, clock + long]))
                # whether a bar would still belong to the window is known only once a later one is there
                whole = stop if stop < len(labels) or self._ends(labels, clock + long) else stop + 1
                found.append((first, stop, whole))
                clock += far
        kept = [(first, stop) for first, stop, whole in found if stop > first and (self.partial or whole <= len(labels))]
        return kept

    def _ends(self, labels: IndexT, clock: int) -> bool:
        """Whether the next bar, at the usual distance, would lie beyond the label."""
        usual = int(np.median(np.diff(labels))) if len(labels) > 1 else 0
        return int(labels[-1]) + usual >= clock

    def _holds_one(self, labels: IndexT, first: Fold) -> bool:
        """Whether one whole training and one whole test window fit."""
        test = self._lengths["test"]
        if isinstance(test, int):
            return first.test_first + test <= len(labels)
        return first.test_stop < len(labels) or self._ends(labels, self._first(labels)[1] + int(test.astype(np.int64)))

    def _needed(self, labels: IndexT) -> str:
        """Bars that one fold takes, about so many where lengths are in time."""
        total, about = 0, ""
        usual = float(np.diff(labels).mean()) if len(labels) > 1 else 0.0  # with weekends
        for name in ("train", "purge", "embargo", "test"):
            length = self._lengths[name]
            if isinstance(length, int):
                total += length
            else:
                about = "about "
                total += math.ceil(int(length.astype(np.int64)) / usual) if usual else 1
        return f"{about}{counted(total, 'bar')}"

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Pairs:
        """See `Splitter`."""
        for fold in self.folds(X):
            yield np.arange(fold.train_first, fold.train_stop), np.arange(fold.test_first, fold.test_stop)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many folds `X` gives, whose length decides."""
        if X is None:
            raise ConfigError("a walk-forward has as many folds as the data hold; give get_n_splits(X)")
        return len(self.folds(X))


@dataclass(frozen=True)
class CombinatorialPurged(Splitter):
    """Every choice of `test_groups` among `groups` consecutive parts is tested once, the others train (Lopez de Prado 2018, section 12.4).

    So each part is tested `comb(groups - 1, test_groups - 1)` times, by models that have not seen it, and one test of each part makes a
    path through all bars: `paths` of them. Part g of G holds the rows from g*T//G to (g + 1)*T//G - 1.

    Parameters
    ----------
    groups : parts, at least 2
    test_groups : parts of a test, less than `groups`
    purge : left out of training on both sides of each test part, in bars or time: what is held or labelled there reaches across (7.4.1)
    embargo : left out of training after each test part beyond that (7.4.2)

    Raises
    ------
    ConfigError for numbers that are none, or rows too few (it says how many are needed).
    """

    groups: int = 6
    test_groups: int = 2
    purge: Any = 0
    embargo: Any = 0
    _lengths: dict[str, Length] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for name, least in (("groups", 2), ("test_groups", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ConfigError(f"{name} is {value!r}; expected a whole number of at least {least}")
        if self.test_groups >= self.groups:
            raise ConfigError(f"test_groups is {self.test_groups} of {self.groups} groups; expected fewer, to train on the rest")
        if self.count > _MOST:
            what = f"{self.test_groups} of {self.groups} groups are {self.count:,} splits, more than {_MOST:,}"
            raise ConfigError(f"{what}; each of them is a search: take fewer groups")
        self._lengths.update({name: as_length(getattr(self, name), name, least=0) for name in ("purge", "embargo")})

    @property
    def count(self) -> int:
        """How many splits there are."""
        return math.comb(self.groups, self.test_groups)

    @property
    def paths(self) -> int:
        """How many paths through all rows the tests make."""
        return math.comb(self.groups - 1, self.test_groups - 1)

    @property
    def tests(self) -> list[tuple[int, ...]]:
        """The parts that each split tests, in order."""
        return list(itertools.combinations(range(self.groups), self.test_groups))

    def bounds(self, count: int) -> list[int]:
        """Where the parts of `count` rows begin, and where the last one ends."""
        return [g * count // self.groups for g in range(self.groups + 1)]

    def path_splits(self) -> NDArray[np.int64]:
        """Which split tests part g on path p, int64 (paths, groups): the p-th of those that test it."""
        found = [[s for s, test in enumerate(self.tests) if g in test] for g in range(self.groups)]
        return np.array(found, dtype=np.int64).T

    def pieces(self, X: Any, s: int) -> list[tuple[int, int]]:
        """The rows that train in split `s`, as stretches [first, stop)."""
        kept = self._kept(labels_of(X, self._timed), self.tests[s])
        edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]]).astype(np.int8)))
        return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]

    @property
    def _timed(self) -> bool:
        return any(not isinstance(length, int) for length in self._lengths.values())

    def _kept(self, labels: IndexT, test: tuple[int, ...]) -> NDArray[np.bool_]:
        """Which rows train beside these test parts."""
        bounds = self.bounds(len(labels))
        kept = np.ones(len(labels), dtype=np.bool_)
        purge, embargo = self._lengths["purge"], self._lengths["embargo"]
        for g in test:
            kept[before(labels, bounds[g], purge) : _after(labels, bounds[g + 1], purge, embargo)] = False
        return kept

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Pairs:
        """See `Splitter`."""
        labels = labels_of(X, self._timed)
        bounds = self.bounds(len(labels))
        for test in self.tests:
            kept = self._kept(labels, test) if len(labels) >= self.groups else np.zeros(0, dtype=np.bool_)
            if not kept.any():
                gap = " and ".join(length_words(self._lengths[name]) for name in ("purge", "embargo"))
                what = f"{counted(len(labels), 'bar')} in {self.groups} parts with {gap} of purge and embargo leave nothing to train on"
                raise ConfigError(f"{what}; {self._least()} are needed: take fewer parts, shorter gaps, or more data")
            yield np.flatnonzero(kept), np.concatenate([np.arange(bounds[g], bounds[g + 1]) for g in test])

    def _least(self) -> str:
        gaps = [length for length in (self._lengths["purge"], self._lengths["purge"], self._lengths["embargo"]) if isinstance(length, int)]
        return f"more than {self.groups * max(1, sum(gaps)):,} bars"

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many splits there are, whatever the data."""
        return self.count


_MOST = 10_000


@dataclass(frozen=True)
class PurgedKFold(Splitter):
    """K consecutive parts, each tested once while the others train, less what lies too near (Lopez de Prado 2018, section 7.4).

    Parameters
    ----------
    folds : parts, at least 2; the same as scikit-learn's `n_splits`
    purge : left out of training on both sides of the test, in bars or time
    embargo : left out of training after the test beyond that

    Raises
    ------
    ConfigError as `CombinatorialPurged` does.
    """

    folds: int = 5
    purge: Any = 0
    embargo: Any = 0

    def __post_init__(self) -> None:
        if isinstance(self.folds, bool) or not isinstance(self.folds, int | np.integer) or self.folds < 2:
            raise ConfigError(f"folds is {self.folds!r}; expected a whole number of at least 2")
        _ = self._one

    @property
    def _one(self) -> CombinatorialPurged:
        return CombinatorialPurged(int(self.folds), 1, self.purge, self.embargo)

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Pairs:
        """See `Splitter`."""
        yield from self._one.split(X)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many parts there are, whatever the data."""
        return int(self.folds)


def _after(labels: IndexT, stop: int, *gaps: Length) -> int:
    """The first place that is farther behind a window ending at `stop` than all gaps."""
    at = stop
    for gap in gaps:
        if isinstance(gap, int):
            at = min(at + gap, len(labels))
        elif at > 0:
            # counted from the last row that is out, which is held for so long
            at = max(at, int(np.searchsorted(labels, int(labels[at - 1]) + int(gap.astype(np.int64)), side="right")))
    return at
