"""B1: a bad table is refused with row, column, value and remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.tables import FIELDS, blocks, columns, frame
from vecbt.data import Bars
from vecbt.errors import ConfigError, DataError


def refused(table: Any, *words: str, **keywords: Any) -> str:
    """The message with which a table is refused; all `words` stand in it."""
    with pytest.raises(DataError) as caught:
        Bars.from_pandas(table, symbol="AAPL", **keywords)
    message = str(caught.value)
    for word in words:
        assert word in message, message
    return message


def with_cell(column: str, row: int, value: Any, *, kind: Any = None) -> pd.DataFrame:
    table = frame()
    if kind is not None:
        table[column] = table[column].astype(kind)
    table.iloc[row, table.columns.get_loc(column)] = value
    return table


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("close", np.nan, ("close is missing", "row 3", "2024-01-04", "drop")),
        ("volume", np.nan, ("volume is missing",)),
        ("open", np.inf, ("open is infinite",)),
        ("low", -np.inf, ("low is infinite",)),
        ("volume", np.inf, ("volume is infinite",)),
        ("low", 0.0, ("low is 0.0", "above zero", "allow_negative")),
        ("low", -1.0, ("low is -1.0", "allow_negative")),
        ("high", 13.5, ("high 13.5 is below close 14.0",)),
        ("high", 11.0, ("high 11.0 is below low 12.0 and open 13.0 and close 14.0",)),
        ("low", 13.5, ("low 13.5 is above open 13.0",)),
        ("open", 15.5, ("high 15.0 is below open 15.5",)),
        ("close", 11.5, ("low 12.0 is above close 11.5",)),
        ("volume", -1.0, ("volume is negative: -1.0", "32-bit overflow")),
    ],
)
def test_b1_a_bad_value_is_refused_with_row_column_and_value(column: str, value: float, words: tuple[str, ...]) -> None:
    refused(with_cell(column, 3, value), "AAPL", "row 3", "2024-01-04", column, "Remedy", *words)


def test_b1_the_range_is_exact() -> None:
    """One unit in the last place outside is outside; equal is inside."""
    table = frame()
    table.loc[table.index[2], "high"] = table["close"].iloc[2]
    table.loc[table.index[2], "low"] = table["open"].iloc[2]
    assert Bars.from_pandas(table).high[2, 0] == table["close"].iloc[2]
    table.loc[table.index[2], "high"] = np.nextafter(table["close"].iloc[2], 0.0)
    refused(table, "row 2", "high", "below close")


@pytest.mark.parametrize("value", ["n/a", "12.5", b"x"])
def test_b1_text_is_refused(value: Any) -> None:
    refused(with_cell("close", 1, value, kind=object), "row 1", "close", repr(value), "text")


@pytest.mark.parametrize("value", [True, 1 + 2j, [1.0]])
def test_b1_other_types_are_refused(value: Any) -> None:
    table = frame()
    table["close"] = table["close"].astype(object)
    table.at[table.index[1], "close"] = value
    refused(table, "row 1", "close", "no number")


@pytest.mark.parametrize("kind", [np.int64, np.uint64, object])
def test_b1_integers_too_large_for_float64_are_refused(kind: type) -> None:
    """A sentinel or an overflow in the volume is not rounded away."""
    table = frame()
    table["volume"] = np.array([1, 2, 2**63 - 1, 4, 5, 6], dtype=kind)
    refused(table, "row 2", "volume", str(2**63 - 1), "overflow")
    table["volume"] = np.array([1, 2, 2**53, 4, 5, 6], dtype=kind)
    assert Bars.from_pandas(table).volume[2, 0] == 2.0**53


def test_b1_a_32_bit_overflow_is_named() -> None:
    table = frame()
    table["volume"] = np.array([1, 2, 3, 4, -2147483648, 6], dtype=np.int32)
    refused(table, "row 4", "volume is negative", "32-bit overflow")


def test_b1_whole_nan_rows_need_a_word() -> None:
    """F8: with missing="no_market" such a row is a bar without a market."""
    table = frame()
    table.iloc[2] = np.nan
    refused(table, "row 2", "all prices are missing", 'missing="no_market"')
    bars = Bars.from_pandas(table, missing="no_market")
    assert np.isnan(bars.block[:, 2, 0]).all() and bars.T == 6
    table.iloc[2, 4] = 0.0  # some sources write a volume of 0 there
    refused(table, "row 2")
    assert np.isnan(Bars.from_pandas(table, missing="no_market").block[:, 2, 0]).all()
    table.iloc[2, 4] = 5.0
    refused(table, "row 2", missing="no_market")


def test_b1_the_volume_column_may_be_absent() -> None:
    bars = Bars.from_pandas(frame().drop(columns="volume"))
    assert not bars.has_volume and np.isnan(bars.volume).all()
    table = frame()
    table["volume"] = np.nan
    refused(table, "volume is missing", "leave the volume column out")


def test_b1_negative_prices_only_where_the_instrument_says_so() -> None:
    table = frame() - 12.0
    table["volume"] = 1.0
    refused(table, "above zero")
    assert Bars.from_pandas(table, allow_negative=True).low[0, 0] == -3.0
    pair = {"WTI": table, "AAPL": frame()}
    assert Bars.from_dict(pair, allow_negative={"WTI": True}).N == 2
    with pytest.raises(DataError, match="WTI, row 0"):
        Bars.from_dict(pair, allow_negative={"AAPL": True})


def test_b1_repeated_times_are_refused() -> None:
    table = frame()
    table.index = table.index[[0, 1, 2, 2, 4, 5]]
    refused(table, "row 3", "2024-01-03", "the same as in row 2", "keep_first")


def test_b1_unsorted_times_are_refused() -> None:
    refused(frame().iloc[[0, 1, 3, 2, 4, 5]], "row 3", "earlier than 2024-01-04", 'repair="sort"')
    refused(frame().iloc[::-1], "row 1", "4 more")


def test_b1_a_row_without_a_time_is_refused() -> None:
    table = frame().reset_index(names="date")
    table.loc[2, "date"] = pd.NaT
    refused(table, "row 2", "the time is missing")


@pytest.mark.parametrize("index", [range(6), np.arange(6.0), [20240101 + k for k in range(6)]])
def test_b1_numbers_are_no_dates(index: Any) -> None:
    refused(frame().set_axis(index), "no dates", "to_datetime")


def test_b1_text_that_is_no_date_is_refused() -> None:
    table = frame().reset_index(names="date")
    table["date"] = ["2024-01-01", "2024-01-02", "soon", "2024-01-04", "2024-01-05", "2024-01-06"]
    refused(table, "row 2", "'soon'", "ISO 8601")


@pytest.mark.parametrize(
    "index",
    [
        np.array(["1600-01-01", "1600-01-02"], dtype="M8[D]"),
        ["2400-01-01", "2400-01-02"],
        [pd.Timestamp("1500-01-01"), pd.Timestamp("1500-01-02")],
        pd.date_range("2300-01-01", periods=2, unit="s"),
        pl.Series(["1500-01-01", "1500-01-02"]).str.to_date(),
        pl.Series(["2500-01-01", "2500-01-02"]).str.to_date().cast(pl.Datetime("us")),
    ],
    ids=range(6),
)
def test_b1_times_that_nanoseconds_cannot_hold_are_refused(index: Any) -> None:
    """They would wrap around silently."""
    with pytest.raises(DataError, match=r"row 0: .* is outside 1677"):
        Bars.from_numpy(*np.ones((4, 2)), index=index)


@pytest.mark.parametrize(
    "times",
    [
        ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00"],
        ["2024-01-01T00:00:00-05:00", "2024-01-02T00:00:00-04:00"],
        [pd.Timestamp("2024-01-01", tz="America/New_York"), pd.Timestamp("2024-01-02", tz="Europe/London")],
    ],
)
def test_b1_mixed_zones_are_refused(times: list[Any]) -> None:
    table = frame(2).reset_index(drop=True)
    table["date"] = pd.Series(times, dtype=object)
    refused(table, "mixes time zones", "row 1", "UTC")


def test_b1_assets_with_and_without_a_zone_are_refused() -> None:
    frames = {"A": frame(), "B": frame().tz_localize("America/New_York")}
    with pytest.raises(DataError, match=r"mixed time zones.*B carry a zone, those of A"):
        Bars.from_dict(frames)
    assert Bars.from_dict(frames, time_zone="UTC").N == 2


def test_b1_missing_columns_name_the_nearest() -> None:
    refused(frame().rename(columns={"close": "clsoe"}), "no column 'close'", "did you mean 'clsoe'", "columns={'close'")
    refused(frame()[["open"]], "'high' or 'low' or 'close'")


@pytest.mark.parametrize("table", [frame(0), pd.DataFrame(), pl.DataFrame(), pl.from_dict({name: [] for name in ("date", *FIELDS)})])
def test_b1_no_rows_are_refused(table: Any) -> None:
    with pytest.raises(DataError, match=r"no rows|empty"):
        Bars.from_polars(table) if isinstance(table, pl.DataFrame) else Bars.from_pandas(table)
    with pytest.raises(DataError, match="at least one"):
        Bars.from_dict({})


def test_b1_one_row_is_data() -> None:
    bars = Bars.from_pandas(frame(1))
    assert bars.shape == (1, 1) and bars.market.bar_ns == 86_400_000_000_000
    assert "single bar" in bars.periods_per_year_source


def test_b1_the_first_row_is_named_and_the_others_counted() -> None:
    table = frame()
    table.loc[table.index[4], "volume"] = -1.0
    table.loc[table.index[1:3], "high"] = 1.0
    refused(table, "row 1 (2024-01-02)", "2 more bad rows", "Also: AAPL, row 4 (2024-01-05): volume is negative")


def test_b1_symbols_are_unique() -> None:
    values = {name: np.repeat(v[:, None], 2, axis=1) for name, v in columns(frame()).items()}
    with pytest.raises(ConfigError, match="unique"):
        Bars.from_numpy(**values, index=frame().index, symbols=("A", "A"))
    wide = pd.concat([frame(), frame()], axis=1, keys=["A", "A"])
    with pytest.raises(DataError, match="columns fit the open"):
        Bars.from_pandas(wide)


def test_b1_nothing_is_changed_in_place() -> None:
    table = frame().iloc[[1, 0, 2, 3, 4, 5]]
    copy = table.copy()
    Bars.from_pandas(table, repair="sort")
    pd.testing.assert_frame_equal(table, copy)
    arrays = columns(frame())
    bars = Bars.from_numpy(**arrays, index=frame().index)
    arrays["close"][:] = 0.0
    assert bars.close[0, 0] == 11.0


def test_b1_shapes_must_agree() -> None:
    values = columns(frame())
    with pytest.raises(DataError, match=r"close has shape \(5, 1\), open has \(6, 1\)"):
        Bars.from_numpy(**(values | {"close": values["close"][:5]}), index=frame().index)
    with pytest.raises(DataError, match="index has 5 labels"):
        Bars.from_numpy(**values, index=frame().index[:5])
    with pytest.raises(DataError, match="symbols has 2 names"):
        Bars.from_numpy(**values, index=frame().index, symbols=("A", "B"))


def test_b1_seconds_are_not_taken_for_nanoseconds() -> None:
    values = columns(frame())
    with pytest.raises(DataError, match="seconds, milliseconds or microseconds"):
        Bars.from_numpy(**values, index=1_700_000_000 + np.arange(6) * 86_400)


CORRUPTIONS: dict[str, Callable[[float, Any], float]] = {
    "nan": lambda value, bar: np.nan,
    "inf": lambda value, bar: np.inf,
    "minus inf": lambda value, bar: -np.inf,
    "zero or below": lambda value, bar: -value,
    "above": lambda value, bar: np.nextafter(max(bar[:4]), np.inf),
    "below": lambda value, bar: np.nextafter(min(bar[:4]), 0.0),
}


@given(block=blocks(gaps=False), data=st.data())
def test_b1_any_single_corrupted_cell_is_refused_with_its_row_and_column(block: Any, data: Any) -> None:
    """Whatever cell goes wrong, the error names its asset, row and column, and repair="drop" leaves out this bar and no other."""
    _, rows, assets = block.shape
    row, asset = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, assets - 1))
    field = data.draw(st.integers(0, 4))
    allowed = {0: ("nan", "inf", "minus inf", "zero or below", "above", "below"), 1: ("nan", "inf", "minus inf", "zero or below")}
    kinds = {0: allowed[0], 1: allowed[1], 2: (*allowed[1], "above"), 3: allowed[0], 4: ("nan", "inf", "minus inf", "negative")}[field]
    kind = data.draw(st.sampled_from(kinds))
    bar = block[:, row, asset]
    bad = block.copy()
    bad[field, row, asset] = -1.0 - bar[4] if kind == "negative" else CORRUPTIONS[kind](bar[field], bar)
    index = np.datetime64("2020-01-01", "ns") + np.arange(rows) * np.timedelta64(1, "D")
    symbols = tuple(f"SYM{k}" for k in range(assets))
    with pytest.raises(DataError) as caught:
        Bars.from_numpy(*bad, index=index, symbols=symbols)
    message = str(caught.value)
    assert f"SYM{asset}, row {row} ({index[row].astype('M8[D]')})" in message
    assert FIELDS[field] in message and "more bad row" not in message
    if rows * assets == 1:
        return
    kept = Bars.from_numpy(*bad, index=index, symbols=symbols, repair="drop", delisting="hold")
    good = ~np.isnan(kept.close)
    assert good.sum() == rows * assets - 1
    assert np.array_equal(np.sort(kept.close[good]), np.sort(np.delete(block[3].ravel(), row * assets + asset)))
    assert kept.repairs[0].symbol == f"SYM{asset}" and kept.repairs[0].labels == (int(index[row].astype(np.int64)),)


@given(blocks(gaps=False))
def test_b1_valid_tables_pass(block: Any) -> None:
    bars = Bars.from_numpy(*block, index=np.arange(block.shape[1]) * 86_400_000_000_000)
    assert np.array_equal(bars.block, block)
    assert bars.block.flags.c_contiguous and bars.block.flags.aligned and not bars.block.flags.writeable
