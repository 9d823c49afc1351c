"""How many configurations were tried on data, and what they gave: what a Sharpe ratio has to be judged against."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .catalog import Catalog, catalog_of
from .moments import BLOCKS, SAMPLE, TRIAL, chosen
from .place import Entry, path, why_off
from .store import current

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["Trials", "trials", "trials_of"]

_MOST = 2**20  # distinct configurations that are kept while counting; of more, a share that is chosen by their ids
_ALIKE = 0.02  # how far ends of data may be apart, as a part of their length, for their sixteen parts to be the same times
_ROWS = """
SELECT n, bars, substr(body, 1, trials * ?), CASE kind WHEN 'sweep' THEN json_extract(head, '$.halvings') END
FROM records WHERE data=? AND kind IN ('run', 'sweep') ORDER BY n
"""

_Execute = Callable[..., Any]
_APART = Entry(False, "this was made apart from vb.backtest and vb.sweep, which record what they run")


@dataclass(frozen=True)
class Trials:
    """Every configuration that was ever tried on some data, or on data that overlap with them.

    A configuration is a strategy with its code, its parameters, the setup and the symbols of the account. It counts once, however often it
    ran and on however much of these data; with accounts of their own each symbol is a configuration.

    Attributes
    ----------
    recorded : bool
        Whether the run this belongs to is among them.
    count : int
        Distinct configurations.
    head : str
        Hash of the last record at the time of counting: `vecbt.ledger.verify(head)` tells whether all that was counted is still there.
    where : str
        The file of the ledger.
    note : str
        Why the run is not recorded, or nothing was counted.
    exact : bool
        False above a million configurations, of which a sample by their hashes is taken: `count` is then right to about 0.1 %.
    data_sets, records : int
        How many data sets overlap with these (themselves included), and how many runs and sweeps were on them.
    sharpes, skews, kurtoses : float64 (U,)
        Of each configuration (of a sample, where not exact): Sharpe ratio per bar without a riskless return, skewness and kurtosis (normal:
        3) of its returns. NaN where undefined, of sweeps without block sums but for the Sharpe ratio, and of windows (D6). One that ran on
        several data sets has the numbers of the longest; of equally long ones those with all moments, then the last. 32 bits were kept.
    """

    recorded: bool
    count: int
    head: str
    where: str
    note: str = ""
    exact: bool = True
    data_sets: int = 0
    records: int = 0
    sharpes: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)
    skews: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)
    kurtoses: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)
    _alike: tuple[int, ...] = field(default=(), repr=False, compare=False)
    _until: int = field(default=0, repr=False, compare=False)

    @property
    def variance(self) -> float:
        """Variance of the Sharpe ratios per bar over configurations (divisor U - 1); NaN with fewer than two that are defined."""
        known = self.sharpes[~np.isnan(self.sharpes)]
        return float(known.var(ddof=1)) if len(known) > 1 else math.nan

    def blocks_sample(self, most: int = SAMPLE) -> NDArray[np.float64]:
        """Sums of r to r^4 over sixteen parts of the bars, (S, 16, 4), of up to `most` configurations, chosen by their hashes.

        For correlations between trials. Only of data that begin and end within 2 % of each other, so that the parts are the same times;
        each configuration once, the last that was recorded; none of sweeps that kept no block sums.

        Raises
        ------
        ConfigError
            `most` is no whole number of at least 1.
        """
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise ConfigError(f"most is {most!r}; expected a whole number of at least 1")
        if not self._alike:
            return np.zeros((0, BLOCKS, 4))
        with current().reading() as execute:
            return _sampled(execute, self._alike, self._until, most)


def trials(bars: Bars) -> Trials:
    """What was tried on these bars and on bars that overlap with them, before anything more is.

    Returns
    -------
    Trials
        `recorded` is False: these bars need not be in the ledger.
    """
    return trials_of(Entry(False, "counted without a run"), bars, bars.content_hash)


def trials_of(entry: Entry | None, bars: Bars | None, content_hash: str) -> Trials:
    """What was tried on data of this hash; `bars` serve where the ledger has not met them. A ledger that cannot be read is a note.

    `entry` is what became of the run: None for one that is not recorded itself, such as one that was loaded, or a set that ran again.
    """
    entry = _APART if entry is None else entry
    where = why_off()
    if where or not path().exists():
        return Trials(entry.recorded and not where, 0, "", str(path()), entry.note or where or "there is no ledger yet")
    try:
        return _counted(entry, bars, content_hash, path())
    except Exception as error:  # a ledger that is damaged, or cannot be read
        return Trials(False, 0, "", str(path()), f"the ledger cannot be read: {type(error).__name__}: {error}")


def _counted(entry: Entry, bars: Bars | None, content_hash: str, where: Path) -> Trials:
    ledger = current()
    with ledger.reading() as execute:
        about = dict(execute("SELECT name, value FROM about WHERE name IN ('records', 'last')").fetchall())
        catalog = catalog_of(ledger)
        catalog.read(execute)
        data, alike = _overlapping(catalog, bars, content_hash)
        tally = _Tally()
        for n in data:
            for row in execute(_ROWS, (TRIAL.itemsize, n)):
                tally.add(row[0], row[1], np.frombuffer(row[2], dtype=TRIAL), row[3] or 0)
    tally.merge()
    found, count = tally.found, len(tally.found) << tally.halvings
    moments = [found[name].astype(np.float64) for name in ("sharpe", "skew", "kurtosis")]
    head = about["last"] if int(about["records"]) else ""
    return Trials(
        entry.recorded, count, head, str(where), entry.note, exact=tally.halvings == 0, data_sets=len(data), records=tally.records,
        sharpes=moments[0], skews=moments[1], kurtoses=moments[2], _alike=tuple(alike), _until=int(about["records"]),
    )  # fmt: skip


def _overlapping(catalog: Catalog, bars: Bars | None, content_hash: str) -> tuple[list[int], list[int]]:
    """Numbers of the data that overlap, and of those among them whose ends are the same, near enough."""
    mine = next((n for n, one in catalog.known.items() if one.head["hash"] == content_hash), None)
    if mine is not None:
        ranges, first, last = catalog.known[mine].ranges, catalog.known[mine].head["first"], catalog.known[mine].head["last"]
    elif bars is not None:
        ranges, first, last = catalog.ranges_of(bars), int(bars.index[0]), int(bars.index[-1])
    else:
        return [], []
    found = catalog.overlapping(ranges)
    if mine is not None and mine not in found:  # too short to have parts
        found.append(mine)
    room = _ALIKE * max(last - first, 1)
    alike = [n for n in found if max(abs(catalog.known[n].head["first"] - first), abs(catalog.known[n].head["last"] - last)) <= room]
    return found, alike


class _Tally:
    """Distinct configurations with their numbers, in bounded memory.

    Where there are more than `_MOST`, only those whose hash ends in a zero bit go on counting for two each, then in two zeros for four, and
    so on (`moments.chosen`); records of very large sweeps come so.
    """

    def __init__(self) -> None:
        self.found = np.zeros(0, dtype=TRIAL)
        self.halvings = self.records = 0
        self._rank = np.zeros((0, 2), dtype=np.int64)
        self._new: list[tuple[NDArray[np.void], NDArray[np.int64]]] = []
        self._waiting = 0

    def add(self, n: int, bars: int, rows: NDArray[np.void], halvings: int = 0) -> None:
        """The trials of record `n`, of which each stands for 2^halvings."""
        self.records += 1
        self.halvings = max(self.halvings, halvings)
        if self.halvings > halvings:
            rows = rows[chosen(rows["id"], self.halvings)]
        rank = np.full((len(rows), 2), n)
        rank[:, 0] = 2 * bars + ~np.isnan(rows["skew"])
        self._new.append((rows, rank))
        self._waiting += len(rows)
        if self._waiting > _MOST // 4:
            self.merge()

    def merge(self) -> None:
        """All that was added, each configuration once."""
        rows = np.concatenate([self.found, *(part for part, _ in self._new)])
        rank = np.concatenate([self._rank, *(part for _, part in self._new)])
        self._new, self._waiting = [], 0
        order = np.lexsort((rank[:, 1], rank[:, 0], rows["id"]))
        last = np.append(np.diff(rows["id"][order]) != 0, True)[: len(order)]
        self.found, self._rank = rows[order][last], rank[order][last]
        while len(self.found) > _MOST or not chosen(self.found["id"], self.halvings).all():
            self.halvings += len(self.found) > _MOST
            keep = chosen(self.found["id"], self.halvings)
            self.found, self._rank = self.found[keep], self._rank[keep]


def _sampled(execute: _Execute, data: tuple[int, ...], until: int, most: int) -> NDArray[np.float64]:
    ids, sums = np.zeros(0, dtype=np.uint64), np.zeros((0, BLOCKS, 4), dtype=np.float32)
    for rows, part in _with_sums(execute, data, until):
        ids, sums = np.concatenate([rows, ids]), np.concatenate([part, sums])  # what comes later first
        _, first = np.unique(ids, return_index=True)
        ids, sums = ids[first[:most]], sums[first[:most]]
    return sums.astype(np.float64)


def _with_sums(execute: _Execute, data: tuple[int, ...], until: int) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.float32]]]:
    """Ids and sums of the trials that have some, some records at a time, in their order."""
    numbers = [n for one in data for (n,) in execute(
        "SELECT n FROM records WHERE data=? AND kind IN ('run', 'sweep') AND n<=?", (one, until)
    )]  # fmt: skip
    ids, parts, waiting = [], [], 0
    for n in sorted(numbers):
        count, body = execute("SELECT trials, body FROM records WHERE n=?", (n,)).fetchone()
        size = (len(body) - count * TRIAL.itemsize) // (4 + 4 * BLOCKS * 4)
        if size:
            rest = body[count * TRIAL.itemsize :]
            places = np.frombuffer(rest[: 4 * size], dtype="<i4")
            ids.append(np.frombuffer(body[: count * TRIAL.itemsize], dtype=TRIAL)["id"][places])
            parts.append(np.frombuffer(rest[4 * size :], dtype="<f4").reshape(size, BLOCKS, 4))
            waiting += size
        if waiting >= SAMPLE:
            yield np.concatenate(ids[::-1]), np.concatenate(parts[::-1])
            ids, parts, waiting = [], [], 0
    if ids:
        yield np.concatenate(ids[::-1]), np.concatenate(parts[::-1])
