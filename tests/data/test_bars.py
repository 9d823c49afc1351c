"""`Bars` itself: frozen, sliced, selected, compared; and the single bar of a stream (B1)."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.tables import DAY, blocks, frame
from vecbt.data import Bar, Bars, Market, synthetic
from vecbt.errors import ConfigError, DataError


def panel() -> Bars:
    return Bars.from_dict({"A": frame(), "B": frame().iloc[[0, 2, 3, 5]] * 2.0}, lot={"B": 10.0}, tick=0.01)


def test_arrays_are_one_layout_and_read_only() -> None:
    bars = panel()
    for name in ("open", "high", "low", "close", "volume"):
        field = getattr(bars, name)
        assert field.shape == (6, 2) and field.dtype == np.float64
        assert field.flags.c_contiguous and field.flags.aligned and not field.flags.writeable
    assert bars.block.shape == (5, 6, 2) and not bars.index.flags.writeable and not bars.session.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        bars.close[0, 0] = 1.0
    with pytest.raises(AttributeError):
        bars.notes = ()  # type: ignore[misc]


def test_a_slice_is_a_view_with_one_layout() -> None:
    bars = panel()
    part = bars[1:4]
    assert part.shape == (3, 2) and np.shares_memory(part.close, bars.close)
    assert part.close.flags.c_contiguous and part.block.flags.c_contiguous and not part.block.flags.writeable
    assert np.array_equal(part.block, bars.block[:, 1:4], equal_nan=True)
    assert part.market == bars.market and part.periods_per_year_source == bars.periods_per_year_source


@given(st.integers(-8, 8), st.integers(-8, 8))
def test_slices_follow_python(start: int, stop: int) -> None:
    bars = panel()
    wanted = list(range(6))[start:stop]
    if not wanted:
        with pytest.raises(DataError, match="no bar from"):
            bars[start:stop]
        return
    assert list(bars[start:stop].index) == [int(bars.index[t]) for t in wanted]


@pytest.mark.parametrize("start", ["2024-01-03", pd.Timestamp("2024-01-02 01:00"), np.datetime64("2024-01-03")])
def test_slices_by_time_leave_the_end_out(start: Any) -> None:
    assert list(panel().slice(start, "2024-01-05").index) == list(panel().index[2:4])
    assert panel()["2024":].T == 6
    with pytest.raises(DataError, match="no bar from"):
        panel()["2025":]


def test_one_bar_is_a_row_and_assets_are_selected() -> None:
    bars = panel()
    with pytest.raises(TypeError, match=r"bars.row\(t\)"):
        bars[0]
    chosen = bars.select(("B", "A"))
    assert chosen.symbols == ("B", "A") and list(chosen.market.lot) == [10.0, 0.0]
    assert np.array_equal(chosen.close[:, 0], bars.close[:, 1], equal_nan=True) and chosen.block.flags.c_contiguous
    assert chosen.select(("A", "B")) == bars
    with pytest.raises(ConfigError, match="no symbol of this market"):
        bars.select("C")


def test_equal_bars_have_equal_hashes_and_others_do_not() -> None:
    bars = panel()
    assert bars == panel() and hash(bars) == hash(panel()) and len(bars.content_hash) == 64
    others = [
        bars[:5],
        bars.select("A"),
        Bars.from_dict({"A": frame(), "B": frame().iloc[[0, 2, 3, 5]] * 2.0}),
        Bars.from_dict({"A": frame(), "B": frame().iloc[[0, 2, 3, 5]] * 2.0}, lot={"B": 10.0}, tick=0.01, time_zone="Asia/Tokyo"),
        Bars.from_dict({"A": frame(), "B": frame().iloc[[0, 2, 3, 5]] * 2.0}, lot={"B": 10.0}, tick=0.01, delistings={"A": "2024-01-06"}),
    ]
    assert len({bars.content_hash, *(other.content_hash for other in others)}) == 6
    assert bars != "bars"


def test_zero_and_nan_are_written_in_one_way() -> None:
    table = frame()
    table["volume"] = -0.0
    zero = frame()
    zero["volume"] = 0.0
    assert Bars.from_pandas(table) == Bars.from_pandas(zero)


@pytest.mark.parametrize("make", [lambda b: pickle.loads(pickle.dumps(b)), copy.copy, copy.deepcopy])
def test_copies_are_equal_and_frozen(make: Any) -> None:
    bars = panel()
    again = make(bars)
    assert again == bars and not again.close.flags.writeable and again.market == bars.market


def test_it_tells_what_it_is() -> None:
    text = repr(panel())
    for word in ("6 bars of 2 assets (A, B)", "2024-01-01 .. 2024-01-06", "bars a year", "with volume", "2 bars without a market"):
        assert word in text


def test_the_market_is_known_in_full() -> None:
    market = panel().market
    assert market.bar_ns == DAY and market.periods_per_year is not None
    assert Market.from_dict(market.to_dict()) == market


def test_trusted_bars_derive_what_the_market_leaves_open() -> None:
    block = np.ones((5, 3, 1))
    bars = Bars._trusted(block, np.arange(3) * DAY, Market(symbols=("A",)))
    assert bars.market.bar_ns == DAY and bars.periods_per_year == 252.0
    assert bars == Bars.from_numpy(*block, index=np.arange(3) * DAY, symbols=("A",))
    assert block.flags.writeable  # the caller's array is left as it is


@given(blocks(), st.data())
def test_b1_rows_of_bars_pass_the_door_of_a_stream(block: Any, data: Any) -> None:
    """D1: what a stream gets for bar t is bit for bit what the table holds."""
    bars = Bars.from_numpy(*block, index=np.arange(block.shape[1]) * DAY, missing="no_market")
    t = data.draw(st.integers(0, bars.T - 1))
    bar = bars.row(t).normalized(bars.market)
    assert bar.time == bars.index[t] and bar.prices.tobytes() == np.ascontiguousarray(bars.block[:, t]).tobytes()
    assert bar.delisted is None and not bar.prices.flags.writeable


def test_b1_a_bar_of_floats() -> None:
    market = panel().select("A").market
    bar = Bar("2024-02-01", 1.0, 2, np.float64(1.0), 1.5).normalized(market)
    assert bar.time == 19754 * DAY and np.isnan(bar.volume[0]) and bar.close[0] == 1.5
    gone = Bar("2024-02-01", np.nan, np.nan, np.nan, np.nan, 0.0, delisted=0.25).normalized(market)
    assert np.isnan(gone.prices).all() and gone.delisted is not None and gone.delisted[0] == 0.25


@pytest.mark.parametrize(
    ("bar", "words"),
    [
        (Bar("2024-02-01", [1.0, 1.0], [2.0, 0.5], [1.0, 1.0], [1.0, 1.0]), "B, row 0 .2024-02-01.: high 0.5 is below"),
        (Bar("2024-02-01", [1.0, np.nan], [2.0, 2.0], [1.0, 1.0], [1.0, 1.0]), "B, .*open is missing"),
        (Bar("2024-02-01", [1.0, 1.0], [2.0, "x"], [1.0, 1.0], [1.0, 1.0]), "high is .*x.* text"),
        (Bar("2024-02-01", [1.0, 1.0], [2.0, 2.0], [1.0, 0.0], [1.0, 1.0]), "B, .*low is 0.0"),
        (Bar("2024-02-01", [1.0, 1.0], [2.0, 2.0], [1.0, 1.5], [1.0, 1.8]), "B, .*low 1.5 is above open 1.0"),
        (Bar("2024-02-01", [1.0, 1.8], [2.0, 2.0], [1.0, 1.5], [1.0, 1.0]), "B, .*low 1.5 is above close 1.0"),
        (Bar("2024-02-01", [1.0, 1.0], [2.0, 1.7], [1.0, 1.0], [1.0, 1.8]), "B, .*high 1.7 is below close 1.8"),
        (Bar("2024-02-01", [1.0, 1.0], [2.0, np.inf], [1.0, 1.0], [1.0, 1.8]), "B, .*high is infinite"),
        (Bar("2024-02-01", [1.0, 1.0], [2.0, 2.0], [1.0, 1.0], [1.0, 1.0], [1.0, -1.0]), "B, .*volume is negative"),
        (Bar("2024-02-01", 1.0, 1.0, 1.0, 1.0), "open has 1 values; expected 2"),
        (Bar("2024-02-01", [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], splits=[1.0, -1.0]), "B, .*splits is -1.0"),
        (Bar("2024-02-01", [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], delisted=[np.nan, 2.0]), "B, .*delisted is 2.0"),
        (Bar("never", [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]), "no date"),
    ],
)
def test_b1_a_bad_bar_is_refused_with_asset_and_column(bar: Bar, words: str) -> None:
    with pytest.raises(DataError, match=words):
        bar.normalized(panel().market)


def test_t10_a_row_carries_the_delisting_of_its_bar() -> None:
    bars = Bars.from_dict({"A": frame(), "B": frame()}, delistings={"B": ("2024-01-03", 0.5)})
    assert bars.row(1).delisted is None and bars.row(3).delisted is None
    assert np.isnan(bars.row(2).delisted[0]) and bars.row(2).delisted[1] == 0.5
    with pytest.raises(IndexError):
        bars.row(6)
    assert bars.row(-1).time == bars.index[5]


def test_b2_a_bar_reads_its_time_as_a_table_does() -> None:
    bars = Bars.from_pandas(frame(6, "2024-01-08 09:30", "1h"), time_zone="America/New_York", symbol="A")
    for text in ("2024-01-08 10:30", pd.Timestamp("2024-01-08 10:30"), np.datetime64("2024-01-08T10:30"), int(bars.index[1])):
        assert Bar(text, 1.0, 1.0, 1.0, 1.0).normalized(bars.market).time == bars.index[1]
    assert Bar("2024-01-09", 1.0, 1.0, 1.0, 1.0).normalized(bars.market).time == (19731 * 24 + 5) * DAY // 24  # midnight in New York
    daily = synthetic.trend(5).market
    assert Bar("2024-01-08", 1.0, 1.0, 1.0, 1.0).normalized(daily).time == 19730 * DAY
