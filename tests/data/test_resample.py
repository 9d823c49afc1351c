"""Longer bars: right numbers, and no look-ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.tables import DAY, frame
from vecbt.data import Bars, samples, synthetic
from vecbt.data.resample import parse_rule
from vecbt.errors import ConfigError, DataError

HOUR = DAY // 24


def test_a_week_by_hand() -> None:
    """2024-01-01 is a Monday; the second week misses its Friday and is not over."""
    table = frame(11).iloc[[0, 1, 2, 3, 4, 7, 8, 9, 10]]
    long = Bars.from_pandas(table).resample("1W")
    assert [str(t)[:10] for t in long.times] == ["2024-01-01"]
    assert [x.item() for x in long.block[:, 0]] == [10.0, 16.0, 9.0, 15.0, 6000.0]
    assert long.periods_per_year == 52.0 and any("2024-01-08 is not whole" in note for note in long.notes)
    assert [str(t)[:10] for t in Bars.from_pandas(table).resample("1W", partial=True).times] == ["2024-01-01", "2024-01-08"]


def test_against_pandas_on_real_prices() -> None:
    bars = samples.load()
    long = bars.resample("1M")
    table = bars.to_pandas()
    how = {"open": "first", "high": "max", "low": "min", "close": "last"}
    for field, name in how.items():
        expected = table[field].resample("MS").agg(name)
        expected.index = expected.index.tz_localize(None)
        np.testing.assert_array_equal(getattr(long, field), expected.loc[long.times].to_numpy())
    assert long.periods_per_year == 12.0 and long.T == 156
    assert np.isnan(long.close[:50, 1]).all() and not np.isnan(long.close[-1]).any()


def test_hours_are_cut_from_the_start_of_the_session() -> None:
    table = frame(13, "2024-01-08 09:30", "30min")
    bars = Bars.from_pandas(table, time_zone="America/New_York", session_start="09:30")
    assert [str(t)[11:16] for t in bars.resample("2h", partial=True).times] == ["14:30", "16:30", "18:30", "20:30"]
    assert [str(t)[11:16] for t in bars.resample("2h").times] == ["14:30", "16:30", "18:30"]
    clock = Bars.from_pandas(table, time_zone="America/New_York")
    assert [str(t)[11:16] for t in clock.resample("1h", partial=True).times] == [f"{hour}:00" for hour in range(14, 21)]


def test_days_are_sessions_dated_like_daily_bars() -> None:
    """B3: a day made of hours has the label of a date, whatever the zone."""
    hours = np.concatenate([19730 * DAY + k * DAY + (14 + np.arange(7)) * HOUR for k in range(5)])
    ones = np.arange(1.0, 36.0)
    bars = Bars.from_numpy(ones, ones, ones, ones, index=hours, time_zone="America/New_York")
    days = bars.resample("1D")
    assert list(days.index) == [(19730 + k) * DAY for k in range(5)] and days.market.bar_ns == DAY
    assert np.array_equal(days.session, np.unique(bars.session))
    assert days.open[:, 0].tolist() == [1.0, 8.0, 15.0, 22.0, 29.0]
    assert bars[:-1].resample("1D").T == 4  # the last session has not reached its usual end
    short = np.delete(np.arange(35), [5, 6, 33, 34])  # neither after a short day: the first one is short too
    ones = ones[short]
    assert Bars.from_numpy(ones, ones, ones, ones, index=hours[short], time_zone="America/New_York").resample("1D").T == 4


@given(st.integers(2, 449), st.sampled_from(("4h", "1D", "1W", "1M")), st.booleans(), st.booleans())
def test_no_look_ahead_resampling_a_part_gives_the_same_bars(cut: int, rule: str, weekends: bool, daily: bool) -> None:
    """D2: what comes later changes no long bar that is already there."""
    if daily and rule == "4h":
        rule = "1W"
    bars = synthetic.garch_jumps(450, 2, 0, missing=0.1, bar_ns=DAY if daily else 2 * HOUR, weekends=weekends)
    whole = bars.resample(rule, partial=True)
    try:
        part = bars[:cut].resample(rule)
    except DataError:
        return  # no period is over yet
    at = np.searchsorted(whole.index, part.index)
    assert np.array_equal(part.index, whole.index[at])
    assert np.array_equal(part.block, whole.block[:, at], equal_nan=True)
    end = {"4h": 4 * HOUR, "1D": DAY, "1W": 5 * DAY, "1M": 26 * DAY}[rule]
    assert part.index[-1] + end <= bars.index[cut - 1] + DAY  # the period was over when its last bar closed


def test_t10_a_delisting_moves_with_its_bar() -> None:
    bars = Bars.from_dict({"A": frame(21), "B": frame(9)})
    assert bars.delist_bar[1] == 9
    long = bars.resample("1W")
    assert long.T == 3 and long.delist_bar.tolist() == [-1, 1]
    assert bars[:9].resample("1W").delist_bar.tolist() == [-1, -1]


@pytest.mark.parametrize("name", ["splits", "dividends", "funding"])
def test_events_inside_are_refused(name: str) -> None:
    bars = Bars.from_dict({"A": frame(14)}, **{name: {"A": {"2024-01-03": 2.0}}})
    with pytest.raises(DataError, match=f"bars with {name} cannot be resampled: A has one on 2024-01-03"):
        bars.resample("1W")


@pytest.mark.parametrize("rule", ["", "W2", "5", "2D", "0h", "1m", "1fortnight", "5M", None, 5])
def test_wrong_rules_are_refused(rule: Any) -> None:
    with pytest.raises(ConfigError, match="expected a number and a unit"):
        parse_rule(rule)


@pytest.mark.parametrize(("step", "rule"), [("D", "4h"), ("h", "30min"), ("2h", "3h"), ("7D", "1D"), ("7D", "1M"), ("31D", "1W")])
def test_bars_that_do_not_add_up_are_refused(step: str, rule: str) -> None:
    with pytest.raises(ConfigError, match="do not add up"):
        Bars.from_pandas(frame(50, step=step)).resample(rule)


def test_nothing_whole_is_refused() -> None:
    with pytest.raises(DataError, match="no period of 1M is whole"):
        Bars.from_pandas(frame(5)).resample("1M")
    with pytest.raises(DataError, match="no period of 1W is whole"):
        Bars.from_pandas(frame(3)).resample("1W")  # Monday to Wednesday say nothing about Thursday


def test_the_exchange_calendar_knows_short_weeks() -> None:
    """Good Friday: with the calendar, the week that ends on Thursday is over."""
    pytest.importorskip("exchange_calendars")
    days = pd.bdate_range("2024-03-04", "2024-03-28")
    ones = np.ones(len(days))
    plain = Bars.from_numpy(ones, ones, ones, ones, index=days)
    known = Bars.from_numpy(ones, ones, ones, ones, index=days, calendar="XNYS")
    assert plain.resample("1W").T == 3 and known.resample("1W").T == 4
    assert known.resample("1M", partial=True).T == 1
