"""B2, F8, T10: the union of times, gaps, delistings, and other events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.tables import DAY, frame
from vecbt.data import Bars
from vecbt.errors import ConfigError, DataError

START = 19723 * DAY  # 2024-01-01


def test_b2_assets_are_aligned_on_the_union_of_their_times() -> None:
    bars = Bars.from_dict({"A": frame().iloc[[0, 1, 3, 5]], "B": frame().iloc[[1, 2, 4, 5]]})
    assert np.array_equal(bars.index, START + np.arange(6) * DAY)
    assert np.array_equal(np.isnan(bars.close), np.array([[0, 1], [0, 0], [1, 0], [0, 1], [1, 0], [0, 0]], dtype=bool))
    assert np.array_equal(np.isnan(bars.block).all(axis=0), np.isnan(bars.block).any(axis=0))  # a gap is a whole NaN bar
    assert bars.close[3, 0] == frame()["close"].iloc[3]
    assert (bars.delist_bar == -1).all()


@given(st.lists(st.sets(st.integers(0, 9), min_size=1), min_size=1, max_size=4))
def test_b2_alignment_loses_and_adds_nothing(rows: list[set[int]]) -> None:
    """Every bar of every asset stands at its time, and nothing else does."""
    frames = {f"S{k}": frame(10).iloc[sorted(chosen)] * (k + 1.0) for k, chosen in enumerate(rows)}
    bars = Bars.from_dict(frames)
    assert list(bars.index) == [START + t * DAY for t in sorted(set().union(*rows))]
    for k, (name, table) in enumerate(frames.items()):
        here = bars.select(name)
        valid = ~np.isnan(here.close[:, 0])
        assert np.array_equal(here.block[:, valid, 0].T, table.to_numpy())
        assert list(here.index[valid]) == [START + t * DAY for t in sorted(rows[k])]


def test_b2_naive_times_are_utc_unless_a_zone_is_given() -> None:
    table = frame(6, "2024-03-08 09:30", "12h")
    utc = Bars.from_pandas(table)
    assert utc.times[0] == np.datetime64("2024-03-08T09:30") and utc.market.time_zone == "UTC"
    local = Bars.from_pandas(table, time_zone="America/New_York")
    assert [str(t)[11:16] for t in local.times] == ["14:30", "02:30", "14:30", "02:30", "13:30", "01:30"]  # the clock changes on 2024-03-10
    assert Bars.from_pandas(table.tz_localize("America/New_York")) == local


def test_b2_the_zone_of_the_times_is_that_of_sessions() -> None:
    bars = Bars.from_pandas(frame(6, "2024-01-08 09:30", "1h").tz_localize("America/New_York"))
    assert bars.market.time_zone == "America/New_York" and "sessions are in America/New_York" in bars.notes[0]
    assert Bars.from_pandas(frame(6, "2024-01-08", "1h").tz_localize("America/New_York"), time_zone="UTC").market.time_zone == "UTC"


def test_b2_dates_stay_dates_in_any_zone() -> None:
    for zone in ("UTC", "America/New_York", "Asia/Tokyo"):
        assert Bars.from_pandas(frame(), time_zone=zone).index[0] == START


@pytest.mark.parametrize(("when", "what"), [("2024-11-03 01:30", "happened twice"), ("2024-03-10 02:30", "never happened")])
def test_b2_a_wall_clock_that_is_no_moment_is_refused(when: str, what: str) -> None:
    table = frame(2, when, "1min")
    with pytest.raises(DataError, match=f"row 0: {when} {what} in America/New_York"):
        Bars.from_pandas(table, time_zone="America/New_York")


def test_b2_clocks_that_never_meet_are_noted() -> None:
    bars = Bars.from_dict({"A": frame(), "B": frame(6, "2024-01-01 05:00")}, delisting="hold")
    assert any("no time of B is a time of A" in note for note in bars.notes)


def test_f8_an_asset_that_ends_early_is_delisted_at_the_next_bar() -> None:
    bars = Bars.from_dict({"A": frame(), "B": frame(4)})
    assert list(bars.delist_bar) == [-1, 4] and list(bars.delist_haircut) == [0.0, 0.0]
    assert bars.notes == ("B: no bar after 2024-01-04; a delisting is dated 2024-01-05, at the last close without a haircut (F8)",)
    held = Bars.from_dict({"A": frame(), "B": frame(4)}, delisting="hold")
    assert list(held.delist_bar) == [-1, -1] and "hold" in held.notes[0]


def test_f8_gaps_inside_are_no_delisting() -> None:
    assert (Bars.from_dict({"A": frame(), "B": frame().iloc[[0, 5]]}).delist_bar == -1).all()


@pytest.mark.parametrize(
    ("given_", "bar", "haircut"),
    [
        ("2024-01-03", 2, 0.0),
        (("2024-01-03 12:00", 0.5), 3, 0.5),
        (pd.Timestamp("2024-01-04"), 3, 0.0),
        (START + 1, 1, 0.0),
        (("2024-02-01", 1.0), 5, 1.0),
    ],
)
def test_t10_a_delisting_is_at_the_first_bar_at_or_after_it_or_the_last(given_: Any, bar: int, haircut: float) -> None:
    bars = Bars.from_dict({"A": frame(), "B": frame()}, delistings={"B": given_})
    assert list(bars.delist_bar) == [-1, bar] and bars.delist_haircut[1] == haircut
    assert "B: delisted" in bars.notes[0]


@pytest.mark.parametrize(
    ("given_", "words"),
    [({"C": "2024-01-03"}, "no symbol"), ({"A": ("2024-01-03", 1.5)}, "from 0 to 1"), ({"A": "2023-01-01"}, "before the first bar")],
)
def test_t10_a_wrong_delisting_is_refused(given_: dict[str, Any], words: str) -> None:
    with pytest.raises((ConfigError, DataError), match=words):
        Bars.from_dict({"A": frame()}, delistings=given_)


def test_t10_parts_know_only_delistings_up_to_their_end() -> None:
    """D2: a slice must not change because of what comes after it; an asset that is gone before it stays gone."""
    bars = Bars.from_dict({"A": frame(), "B": frame(4)})
    assert list(bars[:4].delist_bar) == [-1, -1]
    assert list(bars[:5].delist_bar) == [-1, 4]
    assert list(bars[3:].delist_bar) == [-1, 1]
    assert list(bars[5:].delist_bar) == [-1, 0]
    assert list(bars.select("B").delist_bar) == [4]


def test_events_are_kept_cut_and_checked() -> None:
    bars = Bars.from_dict(
        {"A": frame(), "B": frame()},
        splits={"B": {"2024-01-03": 2.0, "2024-01-03 00:00": 3.0}},
        dividends=np.eye(6, 2),
        funding=[[0.001, 0.0]] * 6,
    )
    assert bars.splits is not None and bars.dividends is not None and bars.funding is not None
    assert bars.splits[2, 1] == 6.0 and np.isnan(bars.splits).sum() == 11
    assert bars.dividends[0, 0] == 1.0 and np.isnan(bars.dividends[2, 0]) and bars.funding[5, 0] == 0.001
    part = bars[2:4].select("B")
    assert part.splits is not None and part.splits.tolist()[0] == [6.0]
    assert bars != Bars.from_dict({"A": frame(), "B": frame()})
    assert bars.row(2).splits[1] == 6.0
    with pytest.raises(DataError, match=r"B, row 1 .*splits is -2.0"):
        Bars.from_dict({"A": frame(), "B": frame()}, splits={"B": {"2024-01-02": -2.0}})
    with pytest.raises(DataError, match="after the last bar"):
        Bars.from_dict({"A": frame()}, dividends={"A": {"2025-01-02": 1.0}})
    with pytest.raises(DataError, match=r"shape \(6, 1\); expected \(6, 2\)"):
        Bars.from_dict({"A": frame(), "B": frame()}, funding=np.zeros((6, 1)))
