"""Time labels: whatever a source calls a time becomes int64 nanoseconds UTC, the start of its bar.

Three rules (B2). A stamp that carries a zone is exact. A naive stamp is UTC unless a zone is given; then it is the
wall clock of that zone. A *date* is no moment: naive stamps that are all at midnight and a day or more apart name
sessions, and stay at 00:00 UTC of that date whatever the zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from .._typing import IndexT
from ..errors import DataError
from .touch import is_pandas, is_polars
from .zones import DAY_NS, wall_to_utc

__all__ = ["NO_TIME", "Stamps", "label_text", "read_stamps", "time_label", "time_labels", "to_labels"]

NO_TIME = np.iinfo(np.int64).min
"""What stands where a row has no time; the same bits as NumPy's NaT."""

_FIRST, _LAST = np.datetime64("1677-09-23T00:00:00"), np.datetime64("2262-04-10T00:00:00")

_EPOCH = datetime(1970, 1, 1)
_HELD = 9_223_300_000_000_000_000

_INTEGERS = "expected dates or times; convert first and say the unit, for example pandas.to_datetime(values, unit='ms')"


@dataclass(frozen=True)
class Stamps:
    """Times as read: ns of a wall clock, or of UTC where `aware`. `zone` is the IANA name the stamps carried, if one."""

    ns: IndexT
    aware: bool
    zone: str | None = None


def label_text(label: int) -> str:
    """A label as people read it: the date alone at midnight UTC."""
    if label == NO_TIME:
        return "no time"
    stamp = np.datetime64(int(label), "ns")
    if label % DAY_NS == 0:
        return str(stamp.astype("M8[D]"))
    unit = "m" if label % 60_000_000_000 == 0 else "s" if label % 1_000_000_000 == 0 else "ns"
    return str(stamp.astype(f"M8[{unit}]")).replace("T", " ")


def _nanoseconds(stamps: Any, name: str) -> IndexT:
    """datetime64 of any unit as int64 ns. NumPy wraps around silently where int64 cannot hold them, so that is refused here."""
    stamps = np.asarray(stamps)
    seconds = stamps.astype("M8[s]")
    far = ~np.isnat(seconds) & ((seconds < _FIRST) | (seconds > _LAST))
    if far.any():
        row = int(np.flatnonzero(far)[0])
        raise _too_far(seconds[row], row, name)
    ns: IndexT = stamps.astype("M8[ns]").astype(np.int64)
    return ns


def _too_far(value: object, row: int, name: str) -> DataError:
    return DataError(f"{name}, row {row}: {value!s} is outside {_FIRST!s} .. {_LAST!s}, what labels in ns can hold")


def _moment_ns(moment: datetime, row: int, name: str) -> int:
    """A naive datetime as int ns."""
    gone = moment - _EPOCH
    ns = (gone.days * 86_400 + gone.seconds) * 1_000_000_000 + gone.microseconds * 1_000
    if not -_HELD < ns < _HELD:
        raise _too_far(moment, row, name)
    return ns


def _zone_name(zone: object) -> str | None:
    """The IANA name of a tzinfo or a name; None for fixed offsets."""
    if zone is None:
        return None
    if zone is UTC:
        return "UTC"
    name = getattr(zone, "key", None) or getattr(zone, "zone", None) or str(zone)
    return name if isinstance(name, str) and ("/" in name or name == "UTC") else None


def _from_pandas(values: Any, name: str) -> Stamps | None:
    if str(values.dtype).startswith("period"):
        values = (values.dt if hasattr(values, "dt") else values).to_timestamp()
    zone = getattr(values.dtype, "tz", None)
    if zone is not None:
        plain = values.dt.tz_convert("UTC").dt.tz_localize(None) if hasattr(values, "dt") else values.tz_convert("UTC").tz_localize(None)
        return Stamps(_nanoseconds(plain, name), True, _zone_name(zone))
    if values.dtype.kind == "M":
        return Stamps(_nanoseconds(values, name), False)
    return None


def _from_polars(values: Any, name: str) -> Stamps | None:
    import polars as pl

    if values.dtype == pl.Date:
        return Stamps(_nanoseconds(values.to_numpy().astype("M8[D]"), name), False)
    if not isinstance(values.dtype, pl.Datetime):
        return None
    zone = values.dtype.time_zone
    unit = values.dtype.time_unit
    ticks = values.to_physical().fill_null(NO_TIME).to_numpy().astype(np.int64)
    return Stamps(_nanoseconds(ticks.view(f"M8[{unit}]"), name), zone is not None, _zone_name(zone))


def _one(value: Any, row: int, name: str) -> tuple[int, object]:
    """Nanoseconds and offset (None where naive) of one Python value."""
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return NO_TIME, None
    if isinstance(value, np.datetime64):
        return int(_nanoseconds(np.full(1, value), name)[0]), None
    if hasattr(value, "as_unit"):  # pandas.Timestamp: exact to the nanosecond, unlike its datetime base
        shift = value.utcoffset()
        naive = value.tz_convert("UTC").tz_localize(None) if shift is not None else value
        offset = None if shift is None else (shift, _zone_name(value.tzinfo))
        return int(_nanoseconds(np.full(1, naive.to_datetime64()), name)[0]), offset
    if isinstance(value, str):
        text = value.strip()
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise DataError(
                f"{name}, row {row}: {text!r} is no date; expected ISO 8601, such as '2020-01-31' or '2020-01-31T09:30:00Z'"
            ) from None
    if isinstance(value, datetime):
        shift = value.utcoffset()
        moment = value.astimezone(UTC).replace(tzinfo=None) if shift is not None else value
        return _moment_ns(moment, row, name), None if shift is None else (shift, _zone_name(value.tzinfo))
    if isinstance(value, date):
        return _moment_ns(datetime(value.year, value.month, value.day), row, name), None
    raise DataError(f"{name}, row {row}: {value!r} ({type(value).__name__}) is no date; {_INTEGERS}")


def _from_objects(values: Any, name: str) -> Stamps:
    """Strings and date objects, one by one: all naive, or all of one zone or one offset."""
    ns = np.empty(len(values), dtype=np.int64)
    first: tuple[int, object] | None = None
    for row, value in enumerate(values):
        ns[row], offset = _one(value, row, name)
        if ns[row] == NO_TIME:
            continue
        if first is None:
            first = (row, offset)
        elif not _same_zone(first[1], offset):
            raise DataError(
                f"{name} mixes time zones: row {first[0]} is {values[first[0]]!s}, row {row} is {value!s}. "
                "Convert all of them to UTC, for example with pandas.to_datetime(values, utc=True)"
            )
    offset = first[1] if first else None
    return Stamps(ns, offset is not None, offset[1] if isinstance(offset, tuple) else None)


def _same_zone(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return bool(one[1] == other[1] if one[1] and other[1] else one == other)


def read_stamps(values: Any, name: str = "time") -> Stamps:
    """Times from pandas, polars, NumPy or a sequence of dates, datetimes or ISO 8601 strings.

    Missing times become `NO_TIME`. Raises DataError for integers and other things that are no dates (row named), and for stamps that
    mix zones, offsets, or naive and aware.
    """
    found = None
    if is_pandas(values):
        found = _from_pandas(values, name)
    elif is_polars(values):
        found = _from_polars(values, name)
    elif isinstance(values, np.ndarray) and values.dtype.kind == "M":
        found = Stamps(_nanoseconds(values, name), False)
    if found is not None:
        return found
    plain = values.to_list() if is_polars(values) else values
    array = np.asarray(plain, dtype=object) if not is_pandas(plain) else np.asarray(plain.astype(object))
    if array.ndim != 1:
        raise DataError(f"{name} has shape {array.shape}; expected one time per row")
    if len(array) and isinstance(array[0], (int, float, np.integer, np.floating)) and array[0] == array[0]:
        raise DataError(f"{name} holds numbers (row 0 is {array[0]!r}), which are no dates; {_INTEGERS}")
    return _from_objects(array, name)


def _are_dates(stamps: Stamps, bar_ns: int | None) -> bool:
    """Whether naive stamps name sessions: all at midnight, a day or more apart (or by `bar_ns` where it is known)."""
    ns = stamps.ns[stamps.ns != NO_TIME]
    if stamps.aware or (ns % DAY_NS).any():
        return False
    if bar_ns is not None:
        return bar_ns >= DAY_NS
    return True  # all at midnight: no two of them can be closer than a day


def to_labels(stamps: Stamps, zone: str, bar_ns: int | None = None, name: str = "time") -> IndexT:
    """Stamps as labels, int64 (T,) ns UTC; `NO_TIME` stays. DataError for a wall clock shown twice or never in `zone`."""
    if stamps.aware or _are_dates(stamps, bar_ns):
        return stamps.ns
    known = stamps.ns != NO_TIME
    labels, twice, never = wall_to_utc(np.where(known, stamps.ns, 0), zone)
    for rows, what in ((twice & known, "happened twice"), (never & known, "never happened")):
        if rows.any():
            row = int(np.flatnonzero(rows)[0])
            raise DataError(
                f"{name}, row {row}: {label_text(int(stamps.ns[row]))} {what} in {zone} (the clock was changed); "
                "give the times in UTC, or with their zone"
            )
    return np.where(known, labels, NO_TIME)


def time_labels(values: Any, name: str = "time", *, zone: str = "UTC", bar_ns: int | None = None) -> IndexT:
    """Times to labels in one go: `to_labels(read_stamps(values))`. Integers of NumPy are taken as ns UTC."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        return _check_nanoseconds(values.astype(np.int64), name)
    return to_labels(read_stamps(values, name), zone, bar_ns, name)


def time_label(value: Any, name: str = "time", *, zone: str = "UTC", bar_ns: int | None = None) -> int:
    """One time to a label; an int is ns UTC already. DataError where there is no time."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    array = np.empty(1, dtype=object)
    array[0] = value
    if isinstance(value, str) and len(value.strip()) in (4, 7):  # a year, or a year and a month
        array[0] = _partial_date(value.strip(), name)
    label = int(to_labels(read_stamps(array, name), zone, bar_ns, name)[0])
    if label == NO_TIME:
        raise DataError(f"{name} is {value!r}; expected a date or a time")
    return label


def _partial_date(text: str, name: str) -> Any:
    try:
        return np.datetime64(text, "D").astype(object)
    except ValueError:
        raise DataError(f"{name} is {text!r}; expected a date or a time in ISO 8601, such as '2020-01-31'") from None


def _check_nanoseconds(index: IndexT, name: str) -> IndexT:
    """Refuse labels that are seconds, milliseconds or microseconds since 1970: early in 1970, and no whole seconds."""
    if len(index) and index.min() > 100_000_000 and index.max() < 4_000_000_000_000_000 and (index % 1_000_000_000).any():
        raise DataError(
            f"{name} holds integers such as {int(index[0])}, which as nanoseconds UTC are {label_text(int(index[0]))}; "
            "they look like seconds, milliseconds or microseconds: multiply to nanoseconds, or give datetime64"
        )
    return index
