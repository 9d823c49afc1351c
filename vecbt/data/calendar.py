"""Sessions and bars a year. A session number is a function of one label, so a stream knows it as well as a batch run (B3)."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from .._optional import optional
from .._typing import IndexT
from ..errors import ConfigError, MissingDependency, nearest
from .market import Market, start_ns
from .zones import DAY_NS, utc_offsets, wall_to_utc

__all__ = [
    "SessionClock", "bar_interval", "interval_text", "periods_per_year", "resolve", "session_days", "session_opens", "sessions_between",
]  # fmt: skip

_YEAR_DAYS = 365.25
_LEAST = -(2**63)  # label that int64 holds
_FEW = 200  # sessions; fewer say nothing about holidays
_LONG_BARS = ((6.5, 7.5, 52, "weekly"), (27.5, 31.5, 12, "monthly"), (89.0, 93.0, 4, "quarterly"), (360.0, 370.0, 1, "yearly"))


def session_days(index: IndexT, market: Market) -> IndexT:
    """Session date of each bar as days since 1970-01-01 (rule B3).

    Parameters
    ----------
    index : int64 (T,), labels in ns UTC
    market : with `bar_ns` known (`Bars` fills it in)

    Returns
    -------
    int64 (T,). Bars shorter than a day: the local date of the label less `session_start`. A bar of a day or more is dated by its label:
    the UTC date of a label at 00:00 UTC (a date), the local date of any other.
    """
    if market.bar_ns is None:
        raise ConfigError("market.bar_ns is None; sessions depend on the length of a bar: give bar_ns, or take the market of Bars")
    index = np.asarray(index, dtype=np.int64)
    wall = index + utc_offsets(index, market.time_zone)
    if market.bar_ns >= DAY_NS:
        wall = np.where(index % DAY_NS == 0, index, wall)
    else:
        wall = wall - start_ns(market.session_start)
    return np.asarray(wall // DAY_NS, dtype=np.int64)


class SessionClock:
    """`session_days` of one label after another: worked out once a session.

    `day(label)` is that of `session_days` for any label, whatever was asked before; only its time hangs on the order.
    """

    def __init__(self, market: Market) -> None:
        session_days(np.zeros(0, dtype=np.int64), market)  # it refuses a market that cannot say
        self._market, self._dates = market, (market.bar_ns or 0) >= DAY_NS
        self._first, self._end, self._day = 0, 0, 0  # labels from `first` up to `end` lie in session `day`

    def day(self, label: int) -> int:
        """Session date of a label (int64 ns UTC) as days since 1970-01-01."""
        if self._first <= label < self._end:
            return self._day
        return self._asked(label)

    def _asked(self, label: int) -> int:
        market = self._market
        if self._dates and label % DAY_NS == 0 and _LEAST <= label < -_LEAST:
            return label // DAY_NS
        day = int(session_days(np.array([label], dtype=np.int64), market)[0])
        if not self._dates:  # else a label may be a date, and its neighbour a moment
            offset = _offset(label, market)
            first = day * DAY_NS + start_ns(market.session_start) - offset
            last = first + DAY_NS - 1
            held = _LEAST <= first and last < -_LEAST
            if held and _offset(first, market) == offset == _offset(last, market):  # no zone changes its clock twice in a day
                self._first, self._end, self._day = first, last + 1, day
        return day


def _offset(label: int, market: Market) -> int:
    return int(utc_offsets(np.array([label], dtype=np.int64), market.time_zone)[0])


def session_opens(days: IndexT, market: Market) -> IndexT:
    """First moment of each session, int64 ns UTC; where the clock skips that moment, the one it jumps to."""
    labels, _, _ = wall_to_utc(np.asarray(days, dtype=np.int64) * DAY_NS + start_ns(market.session_start), market.time_zone)
    return labels


def sessions_between(first: int, stop: int, week: IndexT, market: Market) -> int:
    """How many sessions there are from day `first` up to, not including, day `stop` (days since 1970-01-01).

    Asks the exchange calendar where the market names one, it is installed and known for these days; else counts the days of
    `week` (Monday is 0), without New Year's Day where the week has no weekend.
    """
    span = np.arange(first, stop)
    if len(span) == 0:
        return 0
    found = _calendar(market.calendar, first, stop) if market.calendar is not None else None
    if found is not None:
        return len(found.sessions_in_range(_date(first), _date(stop - 1)))
    dates = span.astype("M8[D]")
    new_year = dates == dates.astype("M8[Y]").astype("M8[D]")
    return int((np.isin((span + 3) % 7, week) & ~(new_year if len(week) <= 5 else False)).sum())


def _date(day: int) -> Any:
    import pandas as pd

    return pd.Timestamp(day, unit="D")


def bar_interval(index: IndexT) -> int:
    """Length of a bar in ns: the median distance of labels (the lower one of two).

    A handful of dates up to four days apart are daily bars around a weekend; a single bar is taken as daily.
    """
    if len(index) < 2:
        return DAY_NS
    gaps = np.sort(np.diff(index))
    interval = int(gaps[(len(gaps) - 1) // 2])
    few_dates = len(index) < 6 and not (np.diff(index) % DAY_NS).any()
    return DAY_NS if few_dates and DAY_NS <= interval <= 4 * DAY_NS else interval


def interval_text(interval: int) -> str:
    """A length in ns as people say it: "1 day", "15 minutes"."""
    for unit, name in ((DAY_NS, "day"), (3_600_000_000_000, "hour"), (60_000_000_000, "minute"), (1_000_000_000, "second")):
        if interval % unit == 0:
            count = interval // unit
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{interval} ns"


def _calendar(name: str, first: int | None = None, stop: int | None = None) -> Any | None:
    """The exchange calendar, or None where the optional package is not installed or cannot give it. ConfigError for an unknown name.

    `first` and `stop` (days since 1970-01-01) ask for that range: without them the package gives a range that depends on today.
    """
    try:
        module = optional("exchange_calendars", f"the calendar {name!r}")
    except MissingDependency:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # exchange_calendars 4.13 uses what pandas 3.1 deprecates; its user cannot help it
            if first is None or stop is None:
                return module.get_calendar(name)
            return module.get_calendar(name, start=_date(first - 31), end=_date(stop + 31))
    except module.errors.InvalidCalendarName as error:
        known = module.get_calendar_names()
        hint = nearest(name, known)
        shown = hint if hint.startswith("did") else "expected a market identifier code such as 'XNYS'"
        raise ConfigError(f"calendar is {name!r}, which exchange_calendars does not know; {shown}") from error
    except ValueError:  # days before or after what is known of this exchange, or a calendar that package cannot build
        return None


def _weekdays(days: IndexT) -> tuple[int, float]:
    """How many weekdays carry bars (each at least a twentieth), and the share of their dates in the range that has a session."""
    weekday = (days + 3) % 7  # 1970-01-01 was a Thursday: Monday is 0
    used = np.flatnonzero(np.bincount(weekday, minlength=7) >= 0.05 * len(days))
    sessions = np.unique(days)
    span = np.arange(sessions[0], sessions[-1] + 1)
    possible = np.isin((span + 3) % 7, used).sum()
    return len(used), float(np.isin((sessions + 3) % 7, used).sum() / max(int(possible), 1))


def _sessions_a_year(days: IndexT, market: Market) -> tuple[float, str]:
    """252, 260 or 365 (rule M1), or a count where the week fits none of them."""
    if market.calendar is not None:
        found = _calendar(market.calendar)
        if found is not None:
            week = found.weekmask.count("1")
            if week == 7:
                return 365.0, f"365 sessions a year: calendar {market.calendar} is open seven days a week"
            if market.calendar == "24/5" or market.asset_class == "fx":
                return 260.0, f"260 sessions a year: calendar {market.calendar}, five days a week without holidays"
            return 252.0, f"252 sessions a year: exchange calendar {market.calendar}"
    year, how = _sessions_of_index(days, market.asset_class)
    return year, how if market.calendar is None else f"{how}; the calendar {market.calendar} could not be asked"


def _sessions_of_index(days: IndexT, asset_class: str) -> tuple[float, str]:
    """Sessions a year by the days of the week that have bars."""
    count = len(np.unique(days))
    used, coverage = _weekdays(days)
    if used > 5 and (used == 7 or count < 14):
        return 365.0, "365 sessions a year: the index has bars on all days of the week"
    if used <= 5:
        return _five_days(count, coverage, asset_class)
    span = max(int(days[-1] - days[0]), 1)
    per_year = (count - 1) / span * _YEAR_DAYS
    return round(per_year, 2), f"{per_year:.2f} sessions a year, counted: the index has bars on {used} days of the week"


def _five_days(count: int, coverage: float, asset_class: str) -> tuple[float, str]:
    if asset_class == "fx":
        return 260.0, "260 sessions a year: FX, five-day week"
    if asset_class == "crypto":
        return 365.0, "365 sessions a year: crypto trades seven days a week" + (
            "" if count < 14 else " (this index holds at most five days of each)"
        )
    if count < _FEW:
        few = "1 session is" if count == 1 else f"{count} sessions are"
        return 252.0, f"252 sessions a year: asset class {asset_class}, five-day week; {few} too few to see holidays"
    if coverage > 0.988:
        return 260.0, f"260 sessions a year: five-day week without holidays ({coverage:.1%} of the weekdays have a session)"
    return 252.0, f"252 sessions a year: five-day week with holidays, as exchanges keep it ({coverage:.1%} of the weekdays have a session)"


def _bars_per_session(days: IndexT, interval: int, market: Market, year: float) -> tuple[float, str]:
    """Bars of a full session: by the clock where trading never stops, else the most frequent count (of two, the larger)."""
    counts = np.unique(days, return_counts=True)[1]
    around = DAY_NS / interval
    often = np.bincount(counts)
    full = float(len(often) - 1 - int(np.argmax(often[::-1])))
    if len(counts) < 3:
        full = float(counts.max())
    if year >= 365.0 or full > 0.9 * around:
        return around, f"{around:g} bars of {interval_text(interval)} around the clock"
    if len(counts) < 3 and market.calendar is not None and (found := _calendar(market.calendar)) is not None:
        minutes = float((found.closes - found.opens).dt.total_seconds().median()) / 60.0
        full = max(full, np.ceil(minutes * 60e9 / interval))
    return full, f"{full:g} bars of {interval_text(interval)} in a full session"


def periods_per_year(index: IndexT, market: Market) -> tuple[float, str]:
    """Bars a year `P` and a sentence that says how it was found (rule M1).

    Parameters
    ----------
    index : int64 (T,), labels in ns UTC
    market : a given `periods_per_year` is taken as it is; `calendar`, `asset_class`, `bar_ns` and the session clock count

    Returns
    -------
    P : sessions a year (252 exchange, 260 FX, 365 seven-day) times bars per full session; 52 weekly, 12 monthly, 4 quarterly, 1 yearly;
        for other intervals the bars are counted
    sentence : for reports
    """
    if market.periods_per_year is not None:
        return market.periods_per_year, f"{market.periods_per_year:g} bars a year: given"
    interval = market.bar_ns or bar_interval(index)
    in_days = interval / DAY_NS
    for low, high, count, name in _LONG_BARS:
        if low <= in_days <= high:
            return float(count), f"{count} bars a year: {name} index (the median distance is {in_days:g} days)"
    days = session_days(index, replace(market, bar_ns=interval))
    if in_days > 1.0:
        if len(index) < 2:
            return _YEAR_DAYS / in_days, f"{_YEAR_DAYS / in_days:g} bars a year: one bar of {interval_text(interval)}"
        per_year = (len(index) - 1) / float(index[-1] - index[0]) * DAY_NS * _YEAR_DAYS
        return round(per_year, 2), f"{per_year:.2f} bars a year, counted: bars of {interval_text(interval)} fit no calendar"
    sessions, how = _sessions_a_year(days, market)
    if in_days == 1.0:
        guess = " (a single bar, taken as daily)" if len(index) == 1 and market.bar_ns is None else ""
        return sessions, f"{sessions:g} bars a year: daily{guess}, {how}"
    full, bars = _bars_per_session(days, interval, market, sessions)
    return sessions * full, f"{sessions * full:g} bars a year: {how}, times {bars}"


def resolve(index: IndexT, market: Market) -> tuple[Market, str]:
    """The market with `bar_ns` and `periods_per_year` filled in, and the sentence that says how."""
    interval = market.bar_ns or bar_interval(index)
    known = replace(market, bar_ns=interval)
    per_year, how = periods_per_year(index, known)
    if market.bar_ns is None and len(index) == 1 and market.periods_per_year is None:
        how += " (a single bar, taken as daily)"
    return replace(known, periods_per_year=per_year), how
