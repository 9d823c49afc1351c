"""B3 sessions and M1 bars a year: functions of labels and of the market, never 252 by habit."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.tables import DAY
from vecbt.data import Bars, Market, session_days
from vecbt.data.calendar import bar_interval, periods_per_year, session_opens
from vecbt.data.zones import utc_offsets, wall_to_utc
from vecbt.errors import ConfigError

HOUR = DAY // 24
ZONES = ("UTC", "America/New_York", "Europe/London", "Asia/Tokyo", "Australia/Lord_Howe", "America/Sao_Paulo")
labels = st.integers(0, 2_000_000_000).map(lambda seconds: seconds * 1_000_000_000)


def moment(label: int, zone: str) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=label // 1_000_000_000)).astimezone(ZoneInfo(zone))


@given(st.lists(labels, min_size=1, max_size=20), st.sampled_from(ZONES))
def test_b3_offsets_are_those_of_the_zone(stamps: list[int], zone: str) -> None:
    offsets = utc_offsets(np.array(stamps), zone)
    expected = [moment(label, zone).utcoffset() for label in stamps]
    assert [timedelta(seconds=int(x) // 1_000_000_000) for x in offsets] == expected


@given(labels, st.sampled_from(ZONES))
def test_b3_wall_clocks_lead_back(label: int, zone: str) -> None:
    index = np.array([label, label + 40 * DAY])
    back, twice, never = wall_to_utc(index + utc_offsets(index, zone), zone)
    assert not never.any() and np.array_equal(back[~twice], index[~twice])


@given(st.lists(labels, min_size=1, max_size=20), st.sampled_from(ZONES), st.integers(0, 23), st.sampled_from((HOUR, 60_000_000_000)))
def test_b3_a_session_is_the_local_date_less_its_start(stamps: list[int], zone: str, start: int, bar_ns: int) -> None:
    """And a function of single labels: one at a time, the same numbers."""
    market = Market(symbols=("A",), time_zone=zone, session_start=f"{start:02d}:00", bar_ns=bar_ns)
    days = session_days(np.array(stamps), market)
    walls = [moment(label, zone).replace(tzinfo=None) - timedelta(hours=start) for label in stamps]
    assert [datetime(1970, 1, 1) + timedelta(days=int(d)) for d in days] == [datetime.combine(w.date(), datetime.min.time()) for w in walls]
    assert [int(session_days(np.array([label]), market)[0]) for label in stamps] == list(days)


@pytest.mark.parametrize("zone", ZONES)
def test_b3_a_bar_of_a_day_is_dated_by_its_label(zone: str) -> None:
    """Midnight UTC is a date; local midnight is that local date; the start of the session does not move it."""
    market = Market(symbols=("A",), time_zone=zone, session_start="17:00", bar_ns=DAY)
    assert session_days(np.array([19723 * DAY]), market)[0] == 19723
    local = pd.DatetimeIndex(["2024-01-01", "2024-07-01"]).tz_localize(zone).tz_convert("UTC").as_unit("ns").asi8
    assert list(session_days(local, market)) == [19723, 19905]


def test_b3_sessions_over_midnight() -> None:
    """FX: 17:00 in New York begins the next session, named by the date of its start."""
    market = Market(symbols=("EURUSD",), time_zone="America/New_York", session_start="17:00", bar_ns=HOUR)
    clock = ["2024-01-07 16:00", "2024-01-07 17:00", "2024-01-08 16:00", "2024-01-08 17:00"]
    times = pd.DatetimeIndex(clock).tz_localize("America/New_York")
    days = session_days(times.as_unit("ns").asi8, market)
    assert [str(np.datetime64(int(d), "D")) for d in days] == ["2024-01-06", "2024-01-07", "2024-01-07", "2024-01-08"]
    assert np.array_equal(session_opens(days[1:2], market), times[1:2].as_unit("ns").asi8)


def test_b3_sessions_need_the_length_of_a_bar() -> None:
    with pytest.raises(ConfigError, match="bar_ns is None"):
        session_days(np.array([0]), Market(symbols=("A",)))


def per_year(index: pd.DatetimeIndex, **keywords: Any) -> tuple[float, str]:
    market = Market(symbols=("A",), **keywords)
    return periods_per_year(index.as_unit("ns").asi8, market)


def exchange_days(years: int = 3) -> pd.DatetimeIndex:
    """Weekdays without nine holidays a year."""
    days = pd.bdate_range("2015-01-01", periods=261 * years)
    return days[np.arange(len(days)) % 29 != 7]


def hours_of(days: pd.DatetimeIndex, first: int, count: int) -> pd.DatetimeIndex:
    return pd.DatetimeIndex((days.to_numpy()[:, None] + np.timedelta64(1, "h") * (first + np.arange(count))[None, :]).ravel())


@pytest.mark.parametrize(
    ("index", "keywords", "expected", "words"),
    [
        (exchange_days(), {}, 252.0, "with holidays"),
        (pd.bdate_range("2015-01-01", periods=700), {}, 260.0, "without holidays"),
        (exchange_days(), {"asset_class": "fx"}, 260.0, "FX"),
        (pd.date_range("2015-01-01", periods=700), {}, 365.0, "all days of the week"),
        (pd.bdate_range("2015-01-01", periods=20), {}, 252.0, "too few to see holidays"),
        (pd.bdate_range("2015-01-02", periods=2), {}, 252.0, "daily"),
        (pd.date_range("2015-01-05", periods=100, freq="7D"), {}, 52.0, "weekly"),
        (pd.date_range("2015-01-01", periods=40, freq="MS"), {}, 12.0, "monthly"),
        (pd.date_range("2015-01-01", periods=20, freq="QS"), {}, 4.0, "quarterly"),
        (pd.date_range("2015-01-01", periods=10, freq="YS"), {}, 1.0, "yearly"),
        (hours_of(exchange_days(), 9, 7), {}, 252.0 * 7, "7 bars of 1 hour in a full session"),
        (pd.date_range("2015-01-01", periods=4000, freq="h"), {}, 365.0 * 24, "24 bars of 1 hour around the clock"),
        (hours_of(pd.bdate_range("2015-01-01", periods=300), 0, 24), {"asset_class": "fx"}, 260.0 * 24, "FX"),
        (pd.date_range("2015-01-01", periods=200, freq="10D"), {}, 36.53, "counted"),
        (exchange_days(), {"periods_per_year": 250.0}, 250.0, "given"),
    ],
)
def test_m1_bars_a_year(index: pd.DatetimeIndex, keywords: dict[str, Any], expected: float, words: str) -> None:
    value, sentence = per_year(index, **keywords)
    assert value == pytest.approx(expected, abs=0.01)
    assert words in sentence and f"{value:g}"[:5] in sentence


def test_m1_six_days_a_week_are_counted() -> None:
    days = pd.date_range("2015-01-01", periods=1500)
    value, sentence = per_year(days[days.day_of_week < 6])
    assert value == pytest.approx(313.0, abs=1.0) and "counted" in sentence and "6 days of the week" in sentence


def test_m1_half_days_do_not_count() -> None:
    index = hours_of(exchange_days(1), 9, 7)
    short = index[~((index.day_of_year % 50 == 0) & (index.hour > 11))]
    assert len(short) < len(index) and per_year(short)[0] == 252.0 * 7


@pytest.mark.parametrize(
    ("calendar", "expected", "words"), [("XNYS", 252.0, "exchange calendar XNYS"), ("24/7", 365.0, "24/7"), ("24/5", 260.0, "24/5")]
)
def test_m1_the_calendar_goes_before_the_index(calendar: str, expected: float, words: str) -> None:
    pytest.importorskip("exchange_calendars")
    value, sentence = per_year(exchange_days(), calendar=calendar)
    assert value == expected and words in sentence


def test_m1_an_unknown_calendar_is_refused() -> None:
    pytest.importorskip("exchange_calendars")
    with pytest.raises(ConfigError, match="did you mean 'XNYS'"):
        per_year(exchange_days(), calendar="XNY")


def test_m1_without_the_calendar_package_the_index_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    value, sentence = per_year(exchange_days(), calendar="XNYS")
    assert value == 252.0 and "with holidays" in sentence and "XNYS could not be asked" in sentence


def test_m1_the_number_is_an_input_of_parts() -> None:
    """D4: a slice keeps the number of the whole."""
    index = exchange_days()
    prices = np.ones(len(index))
    bars = Bars.from_numpy(prices, prices, prices, prices, index=index)
    assert bars.periods_per_year == 252.0 and bars[:1].periods_per_year == 252.0
    assert bars[:1].periods_per_year_source == bars.periods_per_year_source


@pytest.mark.parametrize(
    ("steps", "expected"),
    [([], DAY), ([3 * DAY], DAY), ([HOUR, HOUR, 18 * HOUR], HOUR), ([4 * HOUR, 20 * HOUR] * 5, 4 * HOUR), ([7 * DAY] * 3, 7 * DAY)],
)
def test_m1_the_length_of_a_bar_is_the_median_distance(steps: list[int], expected: int) -> None:
    assert bar_interval(np.cumsum([0, *steps])) == expected
