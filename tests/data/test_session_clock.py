"""B3, one label after another: the clock of a stream says what `session_days` says, whatever it was asked before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.data.tables import DAY
from vecbt.data import Market, session_days
from vecbt.data.calendar import SessionClock
from vecbt.errors import ConfigError

HOUR, MINUTE = DAY // 24, DAY // 1440
ZONES = ("UTC", "America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca")
SPRING, AUTUMN = 1_710_054_000 * 10**9, 1_730_613_600 * 10**9  # New York, 2024: clocks go forward, and back
FAR = 9_223_372_036_854_775_807
labels = st.one_of(
    st.integers(-2_000_000_000, 4_000_000_000).map(lambda seconds: seconds * 10**9),
    st.integers(-5_000, 20_000).map(lambda day: day * DAY),
    st.builds(lambda change, offset: change + offset, st.sampled_from((SPRING, AUTUMN)), st.integers(-2 * DAY, 2 * DAY)),
)
steps = st.one_of(st.just(MINUTE), st.just(HOUR), st.just(DAY), st.integers(-2 * DAY, 2 * DAY))


def market_of(zone: str, start: str, bar_ns: int) -> Market:
    return Market(symbols=("A",), time_zone=zone, session_start=start, bar_ns=bar_ns)


@given(
    labels,
    st.lists(steps, max_size=40),
    st.sampled_from(ZONES),
    st.sampled_from(("00:00", "09:30", "17:00", "23:59:59")),
    st.sampled_from((MINUTE, HOUR, DAY, 7 * DAY)),
)
@example(SPRING - HOUR, [MINUTE] * 40, "America/New_York", "17:00", MINUTE)
@example(AUTUMN - 8 * HOUR, [HOUR] * 40, "America/New_York", "00:00", HOUR)
@example(19_723 * DAY, [5 * HOUR, 19 * HOUR, -19 * HOUR, DAY], "America/New_York", "00:00", DAY)
def test_b3_the_clock_of_a_stream_is_that_of_a_table(first: int, moves: list[int], zone: str, start: str, bar_ns: int) -> None:
    """Forward as a stream goes, and back, to the nanosecond: each answer is that of a fresh question."""
    market = market_of(zone, start, bar_ns)
    clock = SessionClock(market)
    for label in np.cumsum([first, *moves], dtype=np.int64).tolist():
        assert clock.day(label) == session_days(np.array([label]), market)[0]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_b3_every_half_hour_around_a_change_of_the_clock(zone: str, change: int) -> None:
    market = market_of(zone, "17:00", HOUR // 2)
    index = change + np.arange(-96, 97) * (HOUR // 2)
    clock = SessionClock(market)
    assert [clock.day(label) for label in index.tolist()] == session_days(index, market).tolist()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_b3_the_first_and_the_last_moment_of_a_session(zone: str) -> None:
    """Neither is dated by its neighbour, whichever is asked first."""
    market = market_of(zone, "09:30", MINUTE)
    opens = 19_723 * DAY + 9 * HOUR + 30 * MINUTE - (9 * HOUR if zone == "Asia/Tokyo" else 0)
    for order in ([opens - 1, opens, opens + DAY - 1, opens + DAY], [opens + DAY, opens + DAY - 1, opens, opens - 1]):
        clock = SessionClock(market)
        assert [clock.day(label) for label in order] == [19_722 + (label >= opens) + (label >= opens + DAY) for label in order]


@pytest.mark.parametrize("label", [-FAR - 1, -FAR + DAY, FAR - DAY, FAR])
def test_b3_labels_at_the_ends_of_int64(label: int) -> None:
    market = market_of("UTC", "00:00", MINUTE)
    clock = SessionClock(market)
    assert clock.day(label) == clock.day(label) == label // DAY


def test_b3_a_clock_needs_the_length_of_a_bar() -> None:
    with pytest.raises(ConfigError, match="bar_ns is None"):
        SessionClock(Market(symbols=("A",)))
