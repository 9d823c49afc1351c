"""What a run may be given (S1): signals, strengths, target weights or target quantities, for all bars or for one.

Each type holds what the user has; `align` makes it what the kernels take, `normalize_row` does the same for one bar.
Both give flags (booleans of four kinds, a bit each) or values (numbers), never both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTN, IndexT, Records
from ..core.codes import InputKind
from ..data.bars import Bars
from ..data.labels import label_text
from ..data.market import Market
from ..data.touch import as_matrix, is_pandas
from ..errors import InputError, nearest
from ..indicators.shape import readonly
from .alignment import count_infinite, place
from .orders_input import Orders

__all__ = [
    "ENTER_LONG", "ENTER_SHORT", "EXIT_LONG", "EXIT_SHORT", "AlignedInputs", "Inputs", "NamedInputs", "Quantities", "Signals", "Strengths",
    "Weights", "blank_row", "normalize_row", "one_of",
]  # fmt: skip

ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 4, 8
_PARTS = ("entries", "exits", "short_entries", "short_exits")
_BITS = (ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT)
_TRUE, _FALSE = np.True_, np.False_
_EXACT = 2**53

Flags: TypeAlias = NDArray[np.uint8]
Where: TypeAlias = Callable[[int, int], str]


@dataclass(frozen=True, eq=False)
class AlignedInputs:
    """Inputs as the kernels take them: `flags`, `values` or `orders`, the others are None.

    `flags` uint8 (T, N) of the bits ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT; `values` float64 (T, N), NaN
    changes nothing. C order, read-only. With one row, (1, N), it is the answer of a feed. `orders` are requests (`taking.REQUEST`)
    by bar, those of bar t from `starts[t]` to `starts[t + 1] - 1`; `assets` is N then.
    """

    kind: InputKind
    flags: Flags | None
    values: ArrayTN | None
    orders: Records | None = None
    starts: IndexT | None = None
    assets: int = 0

    def __post_init__(self) -> None:
        if self.kind == InputKind.ORDERS:
            if self.orders is None or self.starts is None or self.flags is not None or self.values is not None:
                raise InputError("aligned orders need orders and starts, and neither flags nor values; Orders(...).align(bars) makes them")
            return
        wanted, other = ("flags", "values") if self.kind == InputKind.SIGNALS else ("values", "flags")
        array, dtype = getattr(self, wanted), np.uint8 if wanted == "flags" else np.float64
        if getattr(self, other) is not None or not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype != dtype:
            raise InputError(f"aligned {self.kind.name.lower()} need {wanted}, a {np.dtype(dtype)} array (T, N), and no {other}")
        object.__setattr__(self, wanted, readonly(np.ascontiguousarray(array)))

    @property
    def shape(self) -> tuple[int, int]:
        """(T, N)."""
        if self.starts is not None:
            return len(self.starts) - 1, self.assets
        array = self.flags if self.values is None else self.values
        assert array is not None
        return array.shape[0], array.shape[1]

    def align(self, bars: Bars) -> AlignedInputs:
        """Itself; InputError if it was made for bars of another shape."""
        if self.shape != (bars.T, bars.N):
            raise InputError(f"inputs were aligned to {self.shape}; these bars are {(bars.T, bars.N)}")
        return self

    def row(self, t: int) -> AlignedInputs:
        """Row `t` alone, shape (1, N); negative `t` counts from the end."""
        t = range(self.shape[0])[t]
        cut = slice(t, t + 1)
        if self.orders is not None and self.starts is not None:
            rows = self.orders[self.starts[t] : self.starts[t + 1]].copy().view(np.recarray)
            rows.t[:] = 0
            return AlignedInputs(self.kind, None, None, rows, np.array([0, len(rows)], dtype=np.int64), self.assets)
        flags, values = self.flags, self.values
        return AlignedInputs(self.kind, None if flags is None else flags[cut].copy(), None if values is None else values[cut].copy())

    def part(self, first: int, stop: int, name: str, parameters: Mapping[str, Any]) -> NamedInputs:
        """Rows `first` to `stop - 1`, under the name and with the parameters of what made them."""
        cut, about = slice(first, stop), (name, dict(parameters))
        if self.orders is not None and self.starts is not None:
            starts = self.starts[first : stop + 1]
            rows = self.orders[starts[0] : starts[-1]].copy().view(np.recarray)
            rows.t[:] -= first
            return NamedInputs(self.kind, None, None, rows, starts - starts[0], self.assets, *about)
        flags, values = self.flags, self.values
        return NamedInputs(self.kind, None if flags is None else flags[cut], None if values is None else values[cut], None, None, 0, *about)


@dataclass(frozen=True, eq=False)
class NamedInputs(AlignedInputs):
    """Aligned inputs under the name and with the parameters of what made them."""

    name: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Signals:
    """Booleans per side: when to be in, and when to be out again. Left out means never.

    Each is a (T, N) or, for one asset, (T,) table: pandas and polars go by label, arrays by position; for one bar
    it is a row (N,), a mapping symbol -> bool, or one bool for one asset. Missing values are refused. An entry in
    the side held does nothing, one in the other side reverses (S2).
    """

    entries: Any = None
    exits: Any = None
    short_entries: Any = None
    short_exits: Any = None
    kind: ClassVar[InputKind] = InputKind.SIGNALS

    def __post_init__(self) -> None:
        if self.entries is None and self.exits is None and self.short_entries is None and self.short_exits is None:
            raise InputError("Signals() is empty; give at least one of entries, exits, short_entries, short_exits")

    def _parts(self) -> dict[str, Any]:
        return {f"Signals.{name}": getattr(self, name) for name in _PARTS}

    def align(self, bars: Bars) -> AlignedInputs:
        """As flags for these bars; InputError names the first label that does not match or value that is no boolean."""
        flags = np.zeros((bars.T, bars.N), dtype=np.uint8)
        for bit, (name, part) in enumerate(self._parts().items()):
            if part is not None:
                flags |= _flags(part, name, bars) << np.uint8(bit)
        return AlignedInputs(self.kind, flags, None)


@dataclass(frozen=True, eq=False)
class _Numbers:
    """One table of numbers; NaN changes nothing."""

    values: Any
    kind: ClassVar[InputKind]
    most: ClassVar[float] = sys.float_info.max
    """Largest size of a number that may be."""

    def align(self, bars: Bars) -> AlignedInputs:
        """As values for these bars; InputError names the first label that does not match or value that may not be."""
        values = place(self.values, type(self).__name__, bars)
        self._check(values, _in(bars))
        return AlignedInputs(self.kind, None, values)

    def _check(self, values: ArrayTN, where: Where) -> None:
        name = type(self).__name__
        if count_infinite(np.ascontiguousarray(values).reshape(-1)):
            _refuse(np.isinf(values), values, f"{name}: infinite", "expected a finite number, or NaN to change nothing", where)


@dataclass(frozen=True, eq=False)
class Strengths(_Numbers):
    """How strongly to be on which side: numbers in [-1, 1]; the sign is the side, 0 is flat, NaN changes nothing.

    Shapes and labels as for `Signals`.
    """

    kind: ClassVar[InputKind] = InputKind.STRENGTHS
    most: ClassVar[float] = 1.0

    def _check(self, values: ArrayTN, where: Where) -> None:
        _refuse(np.abs(values) > self.most, values, "Strengths: outside [-1, 1]", "scale them, for example with .clip(-1, 1)", where)


@dataclass(frozen=True, eq=False)
class Weights(_Numbers):
    """Target weights, fractions of equity (negative: short); NaN leaves the asset as it is, 0 closes it (W1).

    Shapes and labels as for `Signals`. A table that speaks only on some bars is reindexed to the bars first, NaN elsewhere.
    """

    kind: ClassVar[InputKind] = InputKind.WEIGHTS


@dataclass(frozen=True, eq=False)
class Quantities(_Numbers):
    """Target positions in units (negative: short); NaN leaves the asset as it is, 0 closes it.

    Shapes and labels as for `Signals`.
    """

    kind: ClassVar[InputKind] = InputKind.QUANTITIES


_NUMBERS = (Strengths, Weights, Quantities)
Inputs: TypeAlias = Signals | Strengths | Weights | Quantities | Orders | AlignedInputs
"""Everything that `rows` of a strategy may return, for all bars, and `update` of a feed, for one."""


def _in(bars: Bars) -> Where:
    return lambda t, n: f"at {label_text(int(bars.index[t]))}, {bars.symbols[n]}"


def _refuse(bad: NDArray[np.bool_], values: ArrayTN, what: str, remedy: str, where: Where) -> None:
    if bad.any():
        t, n = (int(k) for k in np.argwhere(bad)[0])
        others = int(bad.sum()) - 1
        more = f" and {others} more" if others else ""
        raise InputError(f"{what} {where(t, n)}: {values[t, n]}{more}; {remedy}")


def _flags(part: Any, name: str, bars: Bars) -> Flags:
    """A table of booleans as 0 and 1 (T, N); one that is right as it is goes by without becoming numbers first."""
    right = type(part) is np.ndarray and part.dtype == np.bool_
    if right and (part.shape == (bars.T, bars.N) or (bars.N == 1 and part.shape == (bars.T,))):
        bits: Flags = part.reshape(bars.T, bars.N).view(np.uint8)
        return bits
    return _booleans(place(part, name, bars), name, _in(bars))


def _booleans(values: ArrayTN, name: str, where: Where) -> Flags:
    missing = np.isnan(values)
    remedy = "say what it means, for example with .fillna(False): a shifted boolean has no first value"
    _refuse(missing, values, f"{name}: missing", remedy, where)
    _refuse((values != 0.0) & (values != 1.0), values, f"{name}: no boolean", "expected True or False", where)
    return values.astype(np.uint8)


def blank_row(kind: InputKind, assets: int) -> tuple[Flags | None, ArrayN | None]:
    """The row that says nothing: (flags (N,) or None, values (N,) or None)."""
    if kind == InputKind.SIGNALS:
        return np.zeros(assets, dtype=np.uint8), None
    return None, np.full(assets, np.nan)


def one_of(row: Any) -> float | int | None:
    """What a row of one asset says, where it is one of the usual: flags or a number; None for any other, good or not.

    Usual are Signals of booleans, and numbers that are floats or small whole ones; each may stand in an array (1,) of its type.
    """
    kind = type(row)
    if kind is Signals:
        flags = 0
        for bit, part in zip(_BITS, (row.entries, row.exits, row.short_entries, row.short_exits), strict=True):
            if part is None or part is False:
                continue
            if type(part) is np.ndarray and part.shape == (1,):
                part = part[0]
            if part is True or part is _TRUE:
                flags |= bit
            elif part is not _FALSE:
                return None
        return flags
    if kind not in _NUMBERS:
        return None
    value = row.values
    if type(value) is np.ndarray and value.shape == (1,):
        value = value[0]
    if isinstance(value, float):  # those of NumPy are floats too
        return None if abs(value) > row.most else value
    return float(value) if type(value) is int and abs(value) <= row.most and abs(value) <= _EXACT else None


def normalize_row(row: Inputs, market: Market) -> tuple[Flags | None, ArrayN | None]:
    """One bar's inputs as the kernels take them.

    Parameters
    ----------
    row : Signals, Strengths, Weights or Quantities of (N,) rows, mappings symbol -> value (symbols left out: no signal,
        no change), or single values for one asset; or a row of AlignedInputs
    market : says the symbols

    Returns
    -------
    (flags uint8 (N,) or None, values float64 (N,) or None), as in `AlignedInputs`

    Raises
    ------
    InputError for another type, another number of assets, unknown symbols, and values that may not be (symbol named).
    """
    symbols = market.symbols
    if len(symbols) == 1:
        said = one_of(row)
        if said is not None:
            return (np.array([said], dtype=np.uint8), None) if type(row) is Signals else (None, np.array([said]))
    if isinstance(row, AlignedInputs):
        if row.shape != (1, len(symbols)):
            raise InputError(f"a row of aligned inputs has shape {row.shape}; expected (1, {len(symbols)})")
        return (None if row.flags is None else row.flags[0]), (None if row.values is None else row.values[0])

    def where(_: int, n: int) -> str:
        return f"for {symbols[n]}"

    if isinstance(row, Signals):
        flags = np.zeros(len(symbols), dtype=np.uint8)
        for bit, part in enumerate((row.entries, row.exits, row.short_entries, row.short_exits)):
            if type(part) is np.ndarray and part.dtype == np.bool_ and part.shape == flags.shape:
                flags |= part.view(np.uint8) << bit
            elif part is not None:
                name = f"Signals.{_PARTS[bit]}"
                flags |= _booleans(_one_row(part, name, symbols, 0.0), name, where)[0] << bit
        return flags, None
    if isinstance(row, _Numbers):
        values = _one_row(row.values, type(row).__name__, symbols, np.nan)
        if (np.abs(values) > row.most).any():
            row._check(values, where)
        return None, values[0]
    raise InputError(f"a row of inputs is {type(row).__name__}; expected Signals, Strengths, Weights or Quantities")


def _one_row(value: Any, name: str, symbols: tuple[str, ...], absent: float) -> ArrayTN:
    """A row (1, N) of floats from whatever one bar's inputs are."""
    if isinstance(value, np.ndarray) and value.shape == (len(symbols),) and value.dtype.kind in "fb":
        return value.astype(np.float64).reshape(1, -1)
    if is_pandas(value):
        value = value.to_dict() if value.index.dtype.kind not in "iufb" else value.to_numpy()
    if isinstance(value, Mapping):
        for symbol in value:
            if symbol not in symbols:
                raise InputError(f"{name} names {symbol!r}, which is no symbol; {nearest(str(symbol), symbols)}")
        value = [value.get(symbol, absent) for symbol in symbols]
    flat = as_matrix(value, name).reshape(-1)
    if len(flat) != len(symbols):
        raise InputError(f"{name} has {len(flat)} values for one bar; expected {len(symbols)}, one per asset")
    return flat.reshape(1, -1)
