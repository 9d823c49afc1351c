"""What a check hands to a strategy or a function: the data as they are, cut short, with another future, with other times."""

from __future__ import annotations

import copy
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..._typing import ArrayTN, Block, IndexT
from ...data.bars import Bars
from ...data.labels import label_text
from ...data.market import fingerprint
from ...data.touch import is_pandas, is_polars
from ...errors import DataError

__all__ = ["FUTURES", "BarsSource", "Source", "TableSource", "source_of"]

FUTURES = ("noise", "mirror", "missing", "times 1000", "by 1000")
"""What the bars after a cut are replaced with: a random walk; each move turned round; no market; prices and volumes 1000 times as large,
or as small."""

_EVENTS = ("splits", "dividends", "funding")


class Source(Protocol):
    """Data with time along the first axis."""

    T: int
    seams: tuple[int, ...]
    """Where a cut tells most: numbers of bars that end inside a gap."""

    def whole(self) -> Any:
        """All of it."""
        ...

    def cut(self, stop: int) -> Any:
        """The first `stop` rows."""
        ...

    def replaced(self, stop: int, future: str) -> Any:
        """The first `stop` rows, and after them a future of FUTURES."""
        ...

    def shifted(self, ns: int) -> Any:
        """All of it, `ns` nanoseconds later; None where there are no times."""
        ...

    def label(self, t: int) -> str:
        """The time of row `t`, in words."""
        ...

    def mend(self) -> None:
        """Make good what was written into the data."""
        ...

    def mark(self) -> str:
        """A text that changes when the data do."""
        ...


def source_of(data: Any, seed: int) -> Source:
    """The source for bars, or for a table with time along its rows; DataError for anything else."""
    if isinstance(data, Bars):
        return BarsSource(data, seed)
    if is_pandas(data) or (is_polars(data) and hasattr(data, "height")) or (isinstance(data, np.ndarray) and data.ndim > 0):
        return TableSource(data, seed)
    raise DataError(f"data is {type(data).__name__}; expected Bars, an array (T, ...), a frame or Series of pandas, or a frame of polars")


class BarsSource:
    """Bars. A copy is made, so that what a strategy writes by force does not reach the caller's."""

    def __init__(self, bars: Bars, seed: int) -> None:
        self._given = bars
        self.T, self._seed = bars.T, seed
        self._bars = _copied(bars)
        self.seams = _gaps(bars)
        self._worlds: dict[str, Block] = {}
        self._written_to = False

    def whole(self) -> Bars:
        """All bars."""
        if self._written_to:
            self._bars = _copied(self._given)
        return self._bars

    def cut(self, stop: int) -> Bars:
        """The first `stop` bars."""
        return self.whole()[:stop]

    def label(self, t: int) -> str:
        """The time of bar `t`."""
        return label_text(int(self._bars.index[t]))

    def mark(self) -> str:
        """A hash of prices, labels and events."""
        bars = self._bars
        return fingerprint("", bars.block, bars.index, *(getattr(bars, name) for name in _EVENTS), bars.delist_bar)

    def mend(self) -> None:
        """From now on each call gets a new copy: the strategy writes into its bars."""
        self._written_to = True
        self._bars = _copied(self._given)

    def replaced(self, stop: int, future: str) -> Bars:
        """Other prices from bar `stop` on; labels stay, splits, dividends, funding and delistings from there on are gone."""
        if future not in self._worlds:
            self._worlds[future] = _world(self._bars, future, self._seed)
        bars, world = self.whole(), self._worlds[future]
        block = np.concatenate([bars.block[:, :stop], world[:, stop:]], axis=1)
        gone = np.where(bars.delist_bar >= stop, -1, bars.delist_bar)
        return _made(bars, block, bars.index, stop, gone)

    def shifted(self, ns: int) -> Bars:
        """All bars, `ns` later."""
        bars = self.whole()
        return _made(bars, bars.block, bars.index + ns, self.T, bars.delist_bar)


def _gaps(bars: Bars) -> tuple[int, ...]:
    """Numbers of bars that end in the first bar of a gap: the first and the last gap of all, after the first market of its asset."""
    market = ~np.isnan(bars.close)
    begins = ~market[1:] & market[:-1]
    found = np.flatnonzero(begins.any(axis=1)) + 2
    return tuple(sorted({int(found[0]), int(found[-1])})) if len(found) else ()


def _copied(bars: Bars) -> Bars:
    return _made(bars, bars.block.copy(), bars.index.copy(), bars.T, bars.delist_bar.copy())


def _made(bars: Bars, block: Block, index: IndexT, known: int, delist_bar: IndexT) -> Bars:
    """The bars with another block and other labels, and the events of the first `known` bars."""

    def events(table: ArrayTN | None) -> ArrayTN | None:
        if table is None:
            return None
        table = table.copy()
        table[known:] = np.nan
        return table

    return Bars._trusted(
        block,
        index,
        bars.market,
        source=bars.periods_per_year_source,
        has_volume=bars.has_volume,
        delist_bar=delist_bar,
        delist_haircut=np.where(delist_bar < 0, 0.0, bars.delist_haircut),
        notes=bars.notes,
        repairs=bars.repairs,
        **{name: events(getattr(bars, name)) for name in _EVENTS},
    )


def _world(bars: Bars, future: str, seed: int) -> Block:
    """Other prices for all bars, (5, T, N): low <= open, close <= high holds, and volumes are there where the bars have them."""
    block = bars.block
    if future == "missing":
        return np.full(block.shape, np.nan)
    if future in ("times 1000", "by 1000"):
        out: Block = block * (1000.0 if future == "times 1000" else 0.001)
        return out
    level = _level(bars)
    if future == "mirror":
        out = block.copy()
        flipped = block[[0, 2, 1, 3]]  # what was low is high
        positive = ~bars.market.allow_negative
        out[:4] = 2.0 * level - flipped
        out[:4][:, :, positive] = (level**2 / np.where(positive, flipped, 1.0))[:, :, positive]
        return out
    return _noise(bars, level, np.random.default_rng([seed, FUTURES.index(future)]))


def _level(bars: Bars) -> NDArray[np.float64]:
    """A usual price of each asset (N,): the median of its closes, 100 where there are none."""
    out = np.full(bars.N, 100.0)
    for n in range(bars.N):
        closes = bars.close[:, n]
        closes = closes[~np.isnan(closes)]
        if len(closes):
            out[n] = np.median(closes)
    return out


def _noise(bars: Bars, level: NDArray[np.float64], rng: np.random.Generator) -> Block:
    """A random walk around the usual price, with a market in every bar."""
    shape = bars.shape
    walk = np.cumsum(rng.standard_normal((2 * shape[0], shape[1])) * 0.02, axis=0)
    walk -= np.linspace(0.0, 1.0, len(walk))[:, None] * walk[-1]  # it comes back: years of it stay near the level
    reach = 0.01 * np.abs(rng.standard_normal((2, *shape)))
    positive = ~bars.market.allow_negative
    scale = np.maximum(np.abs(level), 1.0)
    out = np.empty((5, *shape))
    for k, moves in ((0, walk[0::2]), (3, walk[1::2])):
        out[k] = np.where(positive, level * np.exp(moves), level + scale * moves)
    out[1], out[2] = np.maximum(out[0], out[3]), np.minimum(out[0], out[3])
    out[1] = np.where(positive, out[1] * (1.0 + reach[0]), out[1] + scale * reach[0])
    out[2] = np.where(positive, out[2] / (1.0 + reach[1]), out[2] - scale * reach[1])
    known = bars.volume[~np.isnan(bars.volume)]
    usual = float(np.median(known)) if len(known) else 1.0
    out[4] = usual * np.exp(rng.standard_normal(shape)) if bars.has_volume else np.nan
    return out


class TableSource:
    """An array or a table with time along its rows. Each call gets a copy; columns of floats get other futures, others are only cut."""

    def __init__(self, table: Any, seed: int) -> None:
        self._table, self._seed = copy.deepcopy(table), seed
        self.T = len(table)
        self.seams: tuple[int, ...] = ()
        if self.T == 0:
            raise DataError("data has no row; expected at least one")

    def whole(self) -> Any:
        """A copy of all rows."""
        self._last = self.cut(self.T)
        return self._last

    def cut(self, stop: int) -> Any:
        """A copy of the first `stop` rows."""
        if is_pandas(self._table):
            return self._table.iloc[:stop].copy()
        return self._table[:stop].clone() if is_polars(self._table) else self._table[:stop].copy()

    def mend(self) -> None:
        """Nothing: each call gets a copy."""

    def label(self, t: int) -> str:
        """The label of a row of pandas, else its number."""
        if not is_pandas(self._table):
            return f"row {t}"
        label = self._table.index[t]
        return str(label.date() if hasattr(label, "normalize") and label == label.normalize() else label)

    def mark(self) -> str:
        """A hash of the copy that was given out last by `whole`."""
        table = getattr(self, "_last", self._table)
        if is_pandas(table):
            import pandas as pd

            return str(int(pd.util.hash_pandas_object(table).sum()))
        if is_polars(table):
            return str(table.hash_rows().to_list())
        return str(hash(table.tobytes())) if not table.dtype.hasobject else repr(table.tolist())

    def replaced(self, stop: int, future: str) -> Any:
        """A copy with other numbers from row `stop` on."""
        table = self.cut(self.T)
        rng = np.random.default_rng([self._seed, FUTURES.index(future)])
        if isinstance(table, np.ndarray):
            if table.dtype.kind == "f":
                table[stop:] = _other(table, future, rng)[stop:]
            return table
        if is_pandas(table):
            for k, dtype in enumerate([table.dtype] if table.ndim == 1 else table.dtypes):
                if isinstance(dtype, np.dtype) and dtype.kind == "f":
                    column = (table if table.ndim == 1 else table.iloc[:, k]).to_numpy(copy=True)
                    values = _other(column, future, rng)[stop:]
                    if table.ndim == 1:
                        table.iloc[stop:] = values
                    else:
                        table.iloc[stop:, k] = values
            return table
        return self._replaced_polars(table, stop, future, rng)

    @staticmethod
    def _replaced_polars(table: Any, stop: int, future: str, rng: np.random.Generator) -> Any:
        import polars as pl

        for name, dtype in table.schema.items():
            if dtype.is_float():
                column = table[name].to_numpy().copy()
                column[stop:] = _other(column, future, rng)[stop:]
                table = table.with_columns(pl.Series(name, column, dtype=dtype))
        return table

    def shifted(self, ns: int) -> Any:
        """A copy of pandas with its times `ns` later; None for tables without times."""
        table = self.cut(self.T)
        if not is_pandas(table) or table.index.nlevels > 1 or table.index.dtype.kind != "M":
            return None
        table.index = table.index + np.timedelta64(ns, "ns")
        return table


def _other(column: NDArray[Any], future: str, rng: np.random.Generator) -> NDArray[Any]:
    """Other numbers in place of a column, all of its rows."""
    if future == "missing":
        return np.full_like(column, np.nan)
    if future in ("times 1000", "by 1000"):
        return column * (1000.0 if future == "times 1000" else 0.001)
    known = column[np.isfinite(column)]
    mean, spread = (float(known.mean()), float(known.std()) or 1.0) if len(known) else (0.0, 1.0)
    if future == "mirror":
        return 2.0 * mean - column
    return mean + spread * rng.standard_normal(column.shape)
