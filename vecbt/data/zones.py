"""Clock arithmetic on int64 labels: offsets of a time zone, wall clock to UTC. The zone rules are those of `zoneinfo`."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .._typing import IndexT
from ..errors import ConfigError, nearest

__all__ = ["DAY_NS", "SECOND_NS", "is_utc", "utc_offsets", "wall_to_utc", "zone_info"]

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=64)
def zone_info(name: str) -> zoneinfo.ZoneInfo:
    """The zone called `name`, for example "America/New_York"; ConfigError with the nearest name where there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        known = zoneinfo.available_timezones()
        hint = nearest(name, known) if known else "the zone database is not installed: pip install tzdata"
        shown = hint if len(hint) < 200 else "expected an IANA name such as 'America/New_York'"
        raise ConfigError(f"time_zone is {name!r}, which no time zone is called; {shown}") from error


def is_utc(name: str) -> bool:
    """Whether the zone never differs from UTC."""
    return name in ("UTC", "Etc/UTC", "Zulu", "Etc/Zulu")


def _offset_at(seconds: int, zone: zoneinfo.ZoneInfo) -> int:
    """Offset from UTC in ns at one instant, given in seconds since 1970."""
    shift = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
    return 0 if shift is None else round(shift.total_seconds()) * SECOND_NS


def utc_offsets(index: IndexT, name: str) -> IndexT:
    """Offset of local time from UTC at each label.

    Parameters
    ----------
    index : int64 (T,), ns UTC
    name : IANA name of the zone

    Returns
    -------
    int64 (T,), ns; positive east of Greenwich. Each value depends on its own label only.
    """
    if is_utc(name):
        return np.zeros(len(index), dtype=np.int64)
    zone = zone_info(name)
    if len(index) == 1:
        return np.array([_offset_at(int(index[0]) // SECOND_NS, zone)], dtype=np.int64)
    days, inverse = np.unique(index // DAY_NS, return_inverse=True)
    starts = {int(day): _offset_at(int(day) * 86_400, zone) for day in np.union1d(days, days + 1)}
    first = np.array([starts[int(day)] for day in days], dtype=np.int64)
    changes = np.array([starts[int(day)] != starts[int(day) + 1] for day in days], dtype=bool)
    offsets = first[inverse]
    for row in np.flatnonzero(changes[inverse]):  # the clock changes on these days: ask label by label
        offsets[row] = _offset_at(int(index[row]) // SECOND_NS, zone)
    return offsets


def wall_to_utc(wall: IndexT, name: str) -> tuple[IndexT, NDArray[np.bool_], NDArray[np.bool_]]:
    """Wall clock of a zone to UTC.

    Returns
    -------
    labels : int64 (T,), ns UTC; where the clock shows a time twice, the first of the two
    twice : bool (T,), the clock shows this time twice (clocks went back)
    never : bool (T,), the clock never shows this time (clocks went forward)
    """
    none = np.zeros(len(wall), dtype=bool)
    if is_utc(name):
        return wall.copy(), none, none
    before = utc_offsets(wall - DAY_NS, name)
    after = utc_offsets(wall + DAY_NS, name)
    early, late = wall - before, wall - after
    early_ok = utc_offsets(early, name) == before
    late_ok = utc_offsets(late, name) == after
    labels = np.where(early_ok, early, late)
    twice = early_ok & late_ok & (before != after)
    return np.where(twice, np.minimum(early, late), labels), twice, ~(early_ok | late_ok)
