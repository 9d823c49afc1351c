"""What does not change from bar to bar: symbols, sessions, units of trading."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN
from ..errors import ConfigError, nearest
from .zones import zone_info

__all__ = ["ASSET_CLASSES", "INSTRUMENTS", "Market", "PerAsset", "check_symbols", "fingerprint", "start_ns"]

PerAsset: TypeAlias = float | Sequence[float] | Mapping[str, float] | NDArray[Any]
"""One number for all assets, a sequence of N, or a mapping symbol -> number (symbols left out take the default)."""

ASSET_CLASSES = ("equity", "fx", "crypto", "future", "other")
INSTRUMENTS = ("cash", "future", "perpetual")


def check_symbols(symbols: object) -> tuple[str, ...]:
    """Symbols as a tuple of unique, non-empty strings; ConfigError otherwise."""
    if isinstance(symbols, str) or not isinstance(symbols, Iterable):
        raise ConfigError(f"symbols is {symbols!r}; expected a sequence of names, such as ('AAPL', 'MSFT')")
    names = tuple(symbols)
    if not names:
        raise ConfigError("symbols is empty; expected at least one name")
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(f"symbols holds {name!r}; expected non-empty strings")
    repeated = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if repeated:
        raise ConfigError(f"symbols must be unique; given more than once: {', '.join(repeated)}")
    return names


def _per_asset(value: PerAsset, field: str, symbols: tuple[str, ...], default: float) -> ArrayN:
    """`value` as a read-only float64 (N,) array of its own."""
    count = len(symbols)
    try:
        if isinstance(value, Mapping):
            unknown = [name for name in value if name not in symbols]
            if unknown:
                raise ConfigError(f"{field} names {unknown[0]!r}, which is no symbol of this market; {nearest(str(unknown[0]), symbols)}")
            out = np.array([value.get(name, default) for name in symbols], dtype=np.float64)
        else:
            out = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{field} is {value!r}; expected a number, {count} numbers, or a mapping symbol -> number") from error
    if out.ndim == 0:
        out = np.full(count, float(out))
    if out.shape != (count,):
        raise ConfigError(f"{field} has shape {out.shape}; expected one number, or {count} (one per symbol)")
    out.flags.writeable = False
    return out


def _check_range(values: ArrayN, field: str, symbols: tuple[str, ...], *, zero: bool) -> None:
    good = np.isfinite(values) & ((values >= 0.0) if zero else (values > 0.0))
    if not good.all():
        k = int(np.flatnonzero(~good)[0])
        raise ConfigError(f"{field} of {symbols[k]} is {values[k]}; expected a finite number {'>= 0' if zero else '> 0'}")


def fingerprint(about: str, *arrays: NDArray[Any] | None) -> str:
    """SHA-256 over a text and arrays, hexadecimal; None is not the same as an empty one."""
    digest = hashlib.sha256(b"vecbt.Bars 1" + about.encode())
    for array in arrays:
        digest.update(b"-" if array is None else b"+")
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def start_ns(text: str) -> int:
    """Nanoseconds after local midnight of a wall clock such as "17:00" or "09:30:00"; ConfigError otherwise."""
    parts = text.split(":") if isinstance(text, str) else []
    if len(parts) in (2, 3) and all(len(p) == 2 and p.isdigit() for p in parts):
        hours, minutes, seconds = (int(p) for p in (*parts, "00")[:3])
        if hours < 24 and minutes < 60 and seconds < 60:
            return (hours * 3600 + minutes * 60 + seconds) * 1_000_000_000
    raise ConfigError(f"session_start is {text!r}; expected a wall clock such as '09:30'")


@dataclass(frozen=True, init=False, eq=False)
class Market:
    """Symbols and everything about them that is the same in every bar.

    Parameters
    ----------
    symbols : names of the N assets, unique
    asset_class : equity, fx, crypto, future or other
    time_zone : IANA name; the wall clock of sessions
    session_start : wall clock "HH:MM" at which a session begins
    calendar : name of an exchange calendar such as "XNYS", or None
    periods_per_year : bars a year, or None: `Bars` derives it and says how
    multiplier : money per point and unit, > 0; stored float64 (N,) like the next three
    lot : smallest step of a quantity, 0 = fractional
    tick : smallest step of a price, 0 = none
    min_notional : smallest order in money, 0 = none
    allow_negative : whether prices <= 0 are real; stored bool (N,)
    instrument : "cash" (paid in full), "future" or "perpetual" (only its moves are settled; F12), one or per symbol; stored as N names
    initial_margin, maintenance_margin : money per unit held, 0 = those of the account (F4, F13); stored float64 (N,)
    events : whether bars carry splits, dividends or funding; `Bars` says so itself when they are given
    bar_ns : length of a bar in ns, or None: `Bars` takes the median distance of labels

    Per-asset numbers are given as `PerAsset`. Raises ConfigError that names the field and what it expects.
    """

    symbols: tuple[str, ...]
    asset_class: str
    time_zone: str
    session_start: str
    calendar: str | None
    periods_per_year: float | None
    multiplier: ArrayN
    lot: ArrayN
    tick: ArrayN
    min_notional: ArrayN
    allow_negative: NDArray[np.bool_]
    instrument: tuple[str, ...]
    initial_margin: ArrayN
    maintenance_margin: ArrayN
    events: bool
    bar_ns: int | None

    def __init__(
        self,
        *,
        symbols: Iterable[str],
        asset_class: str = "equity",
        time_zone: str = "UTC",
        session_start: str = "00:00",
        calendar: str | None = None,
        periods_per_year: float | None = None,
        multiplier: PerAsset = 1.0,
        lot: PerAsset = 0.0,
        tick: PerAsset = 0.0,
        min_notional: PerAsset = 0.0,
        allow_negative: bool | PerAsset = False,
        instrument: str | Sequence[str] | Mapping[str, str] = "cash",
        initial_margin: PerAsset = 0.0,
        maintenance_margin: PerAsset = 0.0,
        events: bool = False,
        bar_ns: int | None = None,
    ) -> None:
        names = check_symbols(symbols)
        put = object.__setattr__
        put(self, "symbols", names)
        if asset_class not in ASSET_CLASSES:
            raise ConfigError(f"asset_class is {asset_class!r}; {nearest(str(asset_class), ASSET_CLASSES)}")
        put(self, "asset_class", asset_class)
        if not isinstance(time_zone, str):
            raise ConfigError(f"time_zone is {time_zone!r}; expected an IANA name such as 'America/New_York'")
        zone_info(time_zone)
        put(self, "time_zone", time_zone)
        start_ns(session_start)
        put(self, "session_start", session_start)
        if calendar is not None and (not isinstance(calendar, str) or not calendar):
            raise ConfigError(f"calendar is {calendar!r}; expected a name such as 'XNYS', or None")
        put(self, "calendar", calendar)
        put(self, "periods_per_year", _positive(periods_per_year, "periods_per_year"))
        for field, value, default, zero in (
            ("multiplier", multiplier, 1.0, False),
            ("lot", lot, 0.0, True),
            ("tick", tick, 0.0, True),
            ("min_notional", min_notional, 0.0, True),
            ("initial_margin", initial_margin, 0.0, True),
            ("maintenance_margin", maintenance_margin, 0.0, True),
        ):
            numbers = _per_asset(value, field, names, default)
            _check_range(numbers, field, names, zero=zero)
            put(self, field, numbers)
        negative = _per_asset(allow_negative, "allow_negative", names, 0.0)
        if not np.isin(negative, (0.0, 1.0)).all():
            raise ConfigError(f"allow_negative is {allow_negative!r}; expected True or False, or one of them per symbol")
        flags = negative.astype(bool)
        flags.flags.writeable = False
        put(self, "allow_negative", flags)
        put(self, "instrument", _instruments(instrument, names))
        if not isinstance(events, bool):
            raise ConfigError(f"events is {events!r}; expected True or False")
        put(self, "events", events)
        interval = _positive(bar_ns, "bar_ns")
        if interval is not None and interval != int(interval):
            raise ConfigError(f"bar_ns is {bar_ns!r}; expected a whole number of nanoseconds")
        put(self, "bar_ns", None if bar_ns is None else int(bar_ns))

    @property
    def N(self) -> int:
        """Number of assets."""
        return len(self.symbols)

    def column(self, symbol: str) -> int:
        """Position of `symbol`; ConfigError with the nearest name where there is none."""
        try:
            return self.symbols.index(symbol)
        except ValueError:
            raise ConfigError(f"{symbol!r} is no symbol of this market; {nearest(str(symbol), self.symbols)}") from None

    def subset(self, symbols: Iterable[str]) -> Market:
        """The same market with these symbols only, in this order."""
        names = check_symbols(symbols)
        at = [self.column(name) for name in names]
        return replace(
            self,
            symbols=names,
            multiplier=self.multiplier[at],
            lot=self.lot[at],
            tick=self.tick[at],
            min_notional=self.min_notional[at],
            allow_negative=self.allow_negative[at],
            instrument=tuple(self.instrument[k] for k in at),
            initial_margin=self.initial_margin[at],
            maintenance_margin=self.maintenance_margin[at],
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold; per-asset numbers as lists. `Market.from_dict` reads it."""
        return {
            "symbols": list(self.symbols),
            "asset_class": self.asset_class,
            "time_zone": self.time_zone,
            "session_start": self.session_start,
            "calendar": self.calendar,
            "periods_per_year": self.periods_per_year,
            "multiplier": self.multiplier.tolist(),
            "lot": self.lot.tolist(),
            "tick": self.tick.tolist(),
            "min_notional": self.min_notional.tolist(),
            "allow_negative": self.allow_negative.tolist(),
            "instrument": list(self.instrument),
            "initial_margin": self.initial_margin.tolist(),
            "maintenance_margin": self.maintenance_margin.tolist(),
            "events": self.events,
            "bar_ns": self.bar_ns,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Market:
        """A market from what `to_dict` gave; ConfigError for an unknown or a missing key."""
        known = cls.__dataclass_fields__
        for key in values:
            if key not in known:
                raise ConfigError(f"{key!r} is no field of Market; {nearest(str(key), known)}")
        if "symbols" not in values:
            raise ConfigError("a Market needs 'symbols'")
        return cls(**values)

    def __eq__(self, other: object) -> bool:
        return self.to_dict() == other.to_dict() if isinstance(other, Market) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.symbols, self.asset_class, self.time_zone, self.calendar, self.periods_per_year, self.bar_ns))


def _instruments(value: Any, symbols: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds of instrument (F12), one name per symbol."""
    if isinstance(value, Mapping):
        for name in value:
            if name not in symbols:
                raise ConfigError(f"instrument names {name!r}, which is no symbol of this market; {nearest(str(name), symbols)}")
        value = [value.get(name, "cash") for name in symbols]
    kinds = (value,) * len(symbols) if isinstance(value, str) else tuple(value)
    if len(kinds) != len(symbols):
        raise ConfigError(f"instrument has {len(kinds)} names; expected one, or {len(symbols)} (one per symbol)")
    for kind in kinds:
        if kind not in INSTRUMENTS:
            raise ConfigError(f"instrument is {kind!r}; {nearest(str(kind), INSTRUMENTS)}")
    return kinds


def _positive(value: float | None, field: str) -> float | None:
    if value is None:
        return None
    good = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or value <= 0:
        raise ConfigError(f"{field} is {value!r}; expected a finite number > 0, or None")
    return float(value)
