"""Longer bars without look-ahead: a long bar is labelled by the start of its period, and exists only once its period is over.

Days, weeks, months, quarters and years are made of whole sessions and labelled by a date (00:00 UTC of the first day of the period,
traded or not); shorter bars are cut from the start of their session.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN, Block, IndexT
from ..errors import ConfigError, DataError
from .calendar import interval_text, resolve, session_opens, sessions_between
from .labels import label_text
from .zones import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from .bars import Bars

__all__ = ["Rule", "parse_rule", "resample"]

_UNITS = {"s": SECOND_NS, "min": 60 * SECOND_NS, "h": 3600 * SECOND_NS}
_MONTHS = {"M": 1, "ME": 1, "MS": 1, "Q": 3, "QE": 3, "QS": 3, "Y": 12, "YE": 12, "YS": 12}


@dataclass(frozen=True)
class Rule:
    """Length of a long bar: exactly one of nanoseconds (inside a session), days (1, or 7 for weeks from Monday) or months is above zero."""

    text: str
    ns: int = 0
    days: int = 0
    months: int = 0


def parse_rule(text: str) -> Rule:
    """Read "15min", "4h", "1D", "1W", "1M", "1Q" or "1Y"; ConfigError otherwise. "M" is a month, a minute is "min"."""
    match = re.fullmatch(r"\s*(\d*)\s*([A-Za-z]+)\s*", text) if isinstance(text, str) else None
    count, unit = (int(match[1] or 1), match[2]) if match else (0, "")
    if count >= 1:
        if unit in _UNITS or unit.lower() == "h":
            return Rule(text.strip(), ns=count * _UNITS.get(unit, _UNITS["h"]))
        if unit.upper() in ("D", "W") and count == 1:
            return Rule(text.strip(), days=7 if unit.upper() == "W" else 1)
        if unit.upper() in _MONTHS and unit != "m" and 12 % (count * _MONTHS[unit.upper()]) == 0:
            return Rule(text.strip(), months=count * _MONTHS[unit.upper()])
    raise ConfigError(f"rule is {text!r}; expected a number and a unit, such as '15min', '4h', '1D', '1W', '1M', '1Q' or '1Y'")


def _month_number(days: IndexT) -> IndexT:
    """Months since 1970-01 of dates given as days since 1970-01-01."""
    return days.astype("M8[D]").astype("M8[M]").astype(np.int64)


def _period_starts(bars: Bars, rule: Rule) -> tuple[IndexT, IndexT]:
    """Start and end of the period of each bar, int64 (T,): ns UTC for rules inside a session, else days since 1970-01-01."""
    days = bars.session
    if rule.ns:
        opens = session_opens(days, bars.market)
        start = opens + (bars.index - opens) // rule.ns * rule.ns
        return start, np.minimum(start + rule.ns, session_opens(days + 1, bars.market))
    if rule.days:
        start = (days + 3) // 7 * 7 - 3 if rule.days == 7 else days
        return start, start + rule.days
    month = _month_number(days) // rule.months * rule.months
    first = month.astype("M8[M]").astype("M8[D]").astype(np.int64)
    return first, (month + rule.months).astype("M8[M]").astype("M8[D]").astype(np.int64)


def _session_over(bars: Bars) -> bool:
    """Whether the last session of intraday bars has reached its end by the clock, or the latest label of all sessions before it."""
    assert bars.market.bar_ns is not None
    days = bars.session
    last = np.append(days[1:] != days[:-1], True)
    reached = (bars.index - session_opens(days, bars.market))[last]
    if bars.index[-1] + bars.market.bar_ns >= session_opens(days[-1:] + 1, bars.market)[0]:
        return True
    return len(reached) > 1 and bool(reached[-1] >= reached[:-1].max())


def _weeks(bars: Bars) -> tuple[IndexT, IndexT]:
    """Weekdays (Monday is 0) on which this market is taken to trade: by what the market says, and by what the bars show besides.

    A weekday is taken as free only where the market has a weekend, or where the bars pass it twice without a session.
    """
    market, days = bars.market, bars.session
    assert market.bar_ns is not None
    seven = market.asset_class == "crypto" or market.periods_per_year == 365.0 * DAY_NS / market.bar_ns
    usual = np.arange(7 if seven else 5)
    traded = np.unique((days + 3) % 7)
    passed = np.bincount((np.arange(days[0], days[-1] + 1) + 3) % 7, minlength=7)
    if traded.max() > 4:  # trades on a weekend: then both of its days may be sessions until the bars say otherwise
        return usual, np.setdiff1d(np.arange(7), np.setdiff1d(np.flatnonzero(passed >= 2), traded))
    return usual, np.setdiff1d(usual, np.setdiff1d(np.flatnonzero(passed >= 2), traded))


def _ends_complete(bars: Bars, rule: Rule, start: IndexT, end: IndexT) -> tuple[bool, bool]:
    """Whether the first and the last period are whole: nothing that trades is missing before the first bar or after the last one."""
    market = bars.market
    assert market.bar_ns is not None
    if rule.ns:  # the market may open inside a period, so nothing is missing before the first bar
        return True, bool(bars.index[-1] + market.bar_ns >= end[-1]) or _session_over(bars)
    days = bars.session
    length = max(market.bar_ns // DAY_NS, 1)
    usual, seen = _weeks(bars)
    first = sessions_between(int(start[0]), int(days[0]), usual, market) == 0
    last = sessions_between(int(days[-1] + length), int(end[-1]), seen, market) == 0
    return first, last and (market.bar_ns >= DAY_NS or _session_over(bars))


def _aggregate(bars: Bars, bounds: NDArray[np.int64]) -> Block:
    """The block of long bars; `bounds` are the first rows of the groups."""
    valid = ~np.isnan(bars.close)
    rows = np.arange(bars.T)[:, None]
    first = np.minimum.reduceat(np.where(valid, rows, bars.T), bounds, axis=0)
    last = np.maximum.reduceat(np.where(valid, rows, -1), bounds, axis=0)
    some = last >= 0
    columns = np.arange(bars.N)[None, :]
    out = np.full((5, len(bounds), bars.N), np.nan)
    out[0] = np.where(some, bars.open[np.minimum(first, bars.T - 1), columns], np.nan)
    out[1] = np.fmax.reduceat(bars.high, bounds, axis=0)
    out[2] = np.fmin.reduceat(bars.low, bounds, axis=0)
    out[3] = np.where(some, bars.close[np.maximum(last, 0), columns], np.nan)
    if bars.has_volume:
        out[4] = np.where(some, np.add.reduceat(np.where(valid, bars.volume, 0.0), bounds, axis=0), np.nan)
    return out


def _refuse_events(bars: Bars) -> None:
    for name, table in (("splits", bars.splits), ("dividends", bars.dividends), ("funding", bars.funding)):
        if table is not None and (np.nan_to_num(table) != 0.0).any():
            row, k = (int(x[0]) for x in np.nonzero(np.nan_to_num(table) != 0.0))
            when = label_text(int(bars.index[row]))
            raise DataError(
                f"bars with {name} cannot be resampled: {bars.symbols[k]} has one on {when}, and inside a longer bar it has no moment "
                "of its own; resample adjusted prices"
            )


def _check_finer(bars: Bars, rule: Rule) -> None:
    interval = bars.market.bar_ns
    assert interval is not None
    wanted = rule.ns or rule.days * DAY_NS or rule.months * 28 * DAY_NS
    too_fine = wanted < interval or (rule.ns and rule.ns % interval) or (rule.ns and interval >= DAY_NS)
    monthly = rule.months * 28 * DAY_NS == wanted and interval > DAY_NS and interval <= wanted and 7 * DAY_NS % interval == 0
    if too_fine or monthly:
        raise ConfigError(
            f"rule is {rule.text!r}, and bars of {interval_text(interval)} do not add up to it; expected a whole number of bars in a period"
        )


def resample(bars: Bars, rule: str, *, partial: bool = False) -> Bars:
    """Longer bars: open of the first, high of all, low of all, close of the last bar with a market, sum of volumes.

    Parameters
    ----------
    bars : without splits, dividends and funding (DataError)
    rule : "15min", "4h", "1D", "1W" (from Monday), "1M", "1Q", "1Y"; it must hold a whole number of bars (ConfigError)
    partial : keep the first and the last period although sessions of it are missing

    Returns
    -------
    Bars whose labels are starts of periods: a long bar may be used from the end of its period on. Without `partial`, the last
    period is left out until it is over (otherwise its bar would still change), and the first one if it began before the data.
    Bars a year are derived anew.
    """
    from .bars import Bars

    wanted = parse_rule(rule)
    _refuse_events(bars)
    _check_finer(bars, wanted)
    start, end = _period_starts(bars, wanted)
    bounds = np.flatnonzero(np.append(True, start[1:] != start[:-1]))
    group = np.cumsum(np.append(True, start[1:] != start[:-1])) - 1
    block = _aggregate(bars, bounds)
    index = start[bounds] if wanted.ns else start[bounds] * DAY_NS
    first, last = (True, True) if partial else _ends_complete(bars, wanted, start, end)
    keep = slice(0 if first else 1, len(bounds) if last else len(bounds) - 1)
    notes = list(bars.notes)
    for whole, at in ((first, 0), (last, len(bounds) - 1)):
        if not whole:
            notes.append(f"resample {wanted.text}: the period of {label_text(int(index[at]))} is not whole and was left out")
    index, block = index[keep], np.ascontiguousarray(block[:, keep])
    if len(index) == 0:
        raise DataError(f"no period of {wanted.text} is whole; use a shorter rule, more bars, or partial=True")
    market, how = resolve(index, replace(bars.market, periods_per_year=None, bar_ns=wanted.ns or (wanted.days * DAY_NS) or None))
    bar, haircut = _move_delistings(bars, group, keep)
    return Bars._trusted(
        block, index, market, source=how, has_volume=bars.has_volume, delist_bar=bar, delist_haircut=haircut, notes=tuple(notes)
    )


def _move_delistings(bars: Bars, group: IndexT, keep: slice) -> tuple[IndexT, ArrayTN]:
    """Delistings on the long bars that hold them; those in a period that is not over are not known yet."""
    at = np.where(bars.delist_bar < 0, -1, group[np.maximum(bars.delist_bar, 0)])
    bar = np.where((at < 0) | (at >= keep.stop), -1, np.maximum(at - keep.start, 0))
    return bar, np.where(bar < 0, 0.0, bars.delist_haircut)
