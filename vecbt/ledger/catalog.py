"""Which data the ledger has met, and which of them overlap.

Each part of data (`blocks`) has a number, in the order in which parts were first met. Data are kept as ranges of such numbers, so data that
share most of their parts with older ones take little room.
"""

from __future__ import annotations

import json
import weakref
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .blocks import block_keys, period_of
from .store import Draft, Ledger, put

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["Catalog", "Known", "catalog_of", "data_number"]

_Execute = Callable[..., Any]
_REMEMBERED = 4096


class Known(NamedTuple):
    """Data that the ledger has met.

    Attributes
    ----------
    head : symbols, first and last label (ns), length of bars, bars a year, hash
    bars : how many
    ranges : int64 (R, 2), first number and one beyond the last of its parts
    """

    head: dict[str, Any]
    bars: int
    ranges: NDArray[np.int64]


class Catalog:
    """All data in the order in which they came, read as far as they have been asked for."""

    def __init__(self) -> None:
        self.known: dict[int, Known] = {}
        self._last, self._count = 0, 0
        self._keys = np.zeros(0, dtype=np.int64)  # in order
        self._numbers = np.zeros(0, dtype=np.int64)

    def read(self, execute: _Execute) -> None:
        """What was added since the last time."""
        fresh = []
        for n, bars, head, body in execute(
            "SELECT n, bars, head, body FROM records WHERE kind='data' AND n>? ORDER BY n", (self._last,)
        ):  # fmt: skip
            about = json.loads(head)
            split = 8 * about["new"]
            fresh.append(np.frombuffer(body[:split], dtype="<i8"))
            ranges = np.frombuffer(zlib.decompress(body[split:]), dtype="<i8").reshape(-1, 2)
            self.known[n], self._last = Known(about, bars, ranges), n
        keys = np.concatenate([self._keys, *fresh]) if fresh else self._keys
        if len(keys) > len(self._keys):
            numbers = np.concatenate([self._numbers, np.arange(self._count, self._count + len(keys) - len(self._keys))])
            order = np.argsort(keys, kind="stable")
            self._keys, self._numbers, self._count = keys[order], numbers[order], len(keys)

    def numbers_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of each part, -1 where it was never met."""
        if not self._count:
            return np.full(len(keys), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self._keys, keys), self._count - 1)
        return np.where(self._keys[at] == keys, self._numbers[at], -1)

    def draft(self, bars: Bars, keys: NDArray[np.int64]) -> Draft:
        """The record of new data, of which these are the parts."""
        parts = keys[np.sort(np.unique(keys, return_index=True)[1])]
        numbers = self.numbers_of(parts)
        fresh = parts[numbers < 0]
        numbers[numbers < 0] = self._count + np.arange(len(fresh))
        market = bars.market
        head = {
            "symbols": list(bars.symbols), "first": int(bars.index[0]), "last": int(bars.index[-1]), "bar_ns": market.bar_ns,
            "periods_per_year": bars.periods_per_year, "hash": bars.content_hash, "period": period_of(market.bar_ns or 0),
            "parts": len(parts), "new": len(fresh),
        }  # fmt: skip
        body = fresh.astype("<i8").tobytes() + zlib.compress(_ranges(numbers).astype("<i8").tobytes())
        return Draft("data", 0, bars.T, 0, head, body, bytes.fromhex(bars.content_hash))

    def overlapping(self, ranges: NDArray[np.int64]) -> list[int]:
        """Numbers of the data that share a part with these ranges."""
        sums = np.zeros(self._count + 1, dtype=np.int64)
        for first, beyond in ranges:
            sums[first + 1 : beyond + 1] = 1
        np.cumsum(sums, out=sums)
        return [n for n, one in self.known.items() if (sums[one.ranges[:, 1]] > sums[one.ranges[:, 0]]).any()]

    def ranges_of(self, bars: Bars) -> NDArray[np.int64]:
        """Those parts of bars that were met, as ranges."""
        numbers = self.numbers_of(block_keys(bars))
        return _ranges(np.unique(numbers[numbers >= 0]))


def _ranges(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Distinct numbers as ranges: the first one, and one beyond the last."""
    ordered = np.sort(numbers)
    cuts = np.flatnonzero(np.diff(ordered) != 1) + 1
    firsts, lasts = np.append(0, cuts), np.append(cuts, len(ordered)) - 1
    return np.stack([ordered[firsts], ordered[lasts] + 1], axis=1) if len(ordered) else np.zeros((0, 2), dtype=np.int64)


_catalogs: weakref.WeakKeyDictionary[Ledger, Catalog] = weakref.WeakKeyDictionary()


def catalog_of(ledger: Ledger) -> Catalog:
    """The catalog of an open ledger, as far as it was read."""
    return _catalogs.setdefault(ledger, Catalog())


def data_number(ledger: Ledger, bars: Bars) -> int:
    """The number of the record of these bars, which is made where there is none."""
    known = ledger.seen.get(bars.content_hash)
    if known is not None:
        return known
    key = bytes.fromhex(bars.content_hash)
    with ledger.reading() as execute:
        n = _found(execute, key)
    if n is None:
        keys = block_keys(bars)
        with ledger.writing() as execute:
            n = _found(execute, key)
            if n is None:  # still: another process may have been quicker
                catalog = catalog_of(ledger)
                catalog.read(execute)
                n = put(execute, catalog.draft(bars, keys))
    if len(ledger.seen) >= _REMEMBERED:
        ledger.seen.clear()
    ledger.seen[bars.content_hash] = n
    return n


def _found(execute: _Execute, key: bytes) -> int | None:
    row = execute("SELECT n FROM records WHERE kind='data' AND data=0 AND key=?", (key,)).fetchone()
    return None if row is None else int(row[0])
