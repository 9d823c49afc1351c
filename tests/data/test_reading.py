"""B1, B2: the shapes of tables that are read, and that they all lead to the same bars."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.tables import FIELDS, blocks, columns, frame, labels
from vecbt.data import Bars
from vecbt.errors import ConfigError, DataError


def pair() -> dict[str, pd.DataFrame]:
    return {"A": frame(), "B": frame() * 2.0}


def long() -> pd.DataFrame:
    parts = [table.assign(ticker=name) for name, table in pair().items()]
    return pd.concat(parts).rename_axis("Date").reset_index()


def to_polars(table: pd.DataFrame) -> pl.DataFrame:
    return pl.DataFrame({str(name): table[name].to_numpy(copy=True) for name in table if str(table[name].dtype) != "str"}).with_columns(
        [pl.Series(str(name), list(table[name])) for name in table if str(table[name].dtype) == "str"]
    )


def test_b1_one_asset_however_its_columns_are_called() -> None:
    bars = Bars.from_pandas(frame())
    assert bars.symbols == ("asset",) and bars.shape == (6, 1)
    assert Bars.from_pandas(frame().rename(columns=str.upper)) == bars
    assert Bars.from_pandas(frame().rename(columns=lambda name: name[0])) == bars
    assert Bars.from_pandas(frame().rename(columns=lambda name: f" {name.title()} ")) == bars
    assert Bars.from_pandas(frame().reset_index(names="Timestamp")) == bars
    odd = frame().reset_index(names="when").rename(columns={"close": "px_last"})
    assert Bars.from_pandas(odd, time="when", columns={"close": "px_last"}) == bars


def test_b1_all_shapes_give_the_same_bars() -> None:
    bars = Bars.from_dict(pair())
    assert bars.symbols == ("A", "B") and np.array_equal(bars.close[:, 1], frame()["close"] * 2.0)
    wide = pd.concat(pair().values(), axis=1, keys=pair())
    assert Bars.from_pandas(wide) == bars
    assert Bars.from_pandas(wide.swaplevel(axis=1)) == bars
    assert Bars.from_pandas(wide.swaplevel(axis=1).sort_index(axis=1)) == bars
    assert Bars.from_pandas(long()) == bars
    assert Bars.from_pandas(long().sample(frac=1.0, random_state=3), repair="sort").select(("A", "B")) == bars
    assert Bars.from_pandas(long().set_index(["Date", "ticker"])) == bars
    assert Bars.from_pandas(long().rename(columns={"ticker": "which"}), symbol_column="which") == bars
    assert Bars.from_polars(to_polars(long())) == bars
    assert Bars.from_polars(to_polars(long()).lazy()) == bars
    assert Bars.from_dict({name: to_polars(table.reset_index(names="ts")) for name, table in pair().items()}) == bars
    values = {name: np.column_stack([table[name] for table in pair().values()]) for name in FIELDS}
    assert Bars.from_numpy(**values, index=frame().index, symbols=("A", "B")) == bars
    assert Bars.from_numpy(**{k: np.asfortranarray(v) for k, v in values.items()}, index=frame().index, symbols=["A", "B"]) == bars


@pytest.mark.parametrize(
    "index",
    [
        frame().index.as_unit("us"),
        frame().index.to_numpy(),
        frame().index.to_numpy().astype("M8[D]"),
        frame().index.to_numpy().astype("M8[ns]").astype(np.int64),
        list(frame().index),
        [stamp.date() for stamp in frame().index],
        [stamp.to_pydatetime() for stamp in frame().index],
        [str(stamp.date()) for stamp in frame().index],
        frame().index.tz_localize("UTC"),
        pl.Series(frame().index.to_numpy()),
        pl.Series(frame().index.to_numpy()).cast(pl.Date),
        pl.Series(frame().index.to_numpy()).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"),
        frame().index.to_period("D"),
    ],
    ids=lambda index: f"{type(index).__module__}.{type(index).__name__}",
)
def test_b2_all_kinds_of_times_give_the_same_labels(index: Any) -> None:
    """Microseconds of pandas 3 included."""
    bars = Bars.from_numpy(**columns(frame()), index=index)
    assert bars == Bars.from_pandas(frame())
    assert bars.times[0] == np.datetime64("2024-01-01", "ns")


@pytest.mark.parametrize("kind", ["float32", "int64", "Int64", "Float64", "object", "decimal"])
def test_b1_all_kinds_of_numbers_are_read(kind: str) -> None:
    table = frame()
    for name in table:
        table[name] = [decimal.Decimal(str(x)) for x in table[name]] if kind == "decimal" else table[name].astype(kind)
    assert Bars.from_pandas(table) == Bars.from_pandas(frame())


def test_b1_nullable_columns_mean_missing() -> None:
    table = frame().astype("Float64")
    table.loc[table.index[2], "close"] = pd.NA
    with pytest.raises(DataError, match=r"row 2 .*close is missing"):
        Bars.from_pandas(table)
    null = pl.when(pl.col("close") == 13.0).then(None).otherwise("close").alias("close")
    nulls = to_polars(frame().reset_index(names="date")).with_columns(null)
    with pytest.raises(DataError, match=r"row 2 .*close is missing"):
        Bars.from_polars(nulls)


def test_b1_columns_that_are_not_used_are_named() -> None:
    bars = Bars.from_pandas(frame().assign(**{"Adj Close": 1.0, "Dividends": 0.0}))
    assert bars.notes == ("columns not used: Adj Close, Dividends",)


def test_b1_ambiguous_columns_are_refused() -> None:
    with pytest.raises(DataError, match=r"2 columns fit the close: 'close', 'Close'"):
        Bars.from_pandas(frame().assign(Close=1.0))
    both = frame().reset_index(names="date").assign(time="09:30")
    with pytest.raises(DataError, match="'date', 'time' all look like times"):
        Bars.from_pandas(both)
    with pytest.raises(DataError, match="no column 'whenn' for the time"):
        Bars.from_pandas(both, time="whenn")


def test_b1_a_long_table_names_the_asset_of_each_row() -> None:
    table = long()
    table.loc[3, "ticker"] = None
    with pytest.raises(DataError, match="row 3: the symbol is missing"):
        Bars.from_pandas(table)


def test_b1_in_a_long_table_rows_are_counted_within_the_asset() -> None:
    table = long()
    table.loc[8, "high"] = 1.0
    with pytest.raises(DataError, match=r"B, row 2 \(2024-01-03\): high 1.0 is below"):
        Bars.from_pandas(table)


def test_b1_volume_for_all_or_for_none() -> None:
    with pytest.raises(DataError, match="B has no volume and others have"):
        Bars.from_dict({"A": frame(), "B": frame().drop(columns="volume")})


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"timezone": "UTC"}, "did you mean 'time_zone'"),
        ({"missing": "drop"}, "expected 'error' or 'no_market'"),
        ({"delisting": "sell"}, "expected 'liquidate' or 'hold'"),
        ({"columns": {"clos": "x"}}, "did you mean 'close'"),
        ({"asset_class": "equities"}, "did you mean 'equity'"),
        ({"time_zone": "America/NewYork"}, "did you mean 'America/New_York'"),
    ],
)
def test_unknown_keywords_name_the_nearest(keywords: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Bars.from_pandas(frame(), **keywords)


def test_a_wrong_object_is_refused() -> None:
    with pytest.raises(DataError, match="expected a pandas or polars frame, found list"):
        Bars.from_pandas([1, 2])
    with pytest.raises(TypeError, match=r"use Bars\.from_pandas"):
        Bars()


def test_b1_csv(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    frame().to_csv(path, index_label="Date")
    assert Bars.read_csv(path) == Bars.from_pandas(frame())
    long().to_csv(path, index=False)
    assert Bars.read_csv(str(path)) == Bars.from_dict(pair())
    path.write_text("Date,Open,High,Low,Close\n2024-01-01 09:30:00,1,2,1,1\n2024-01-01 09:31:00,1,2,1,\n")
    with pytest.raises(DataError, match=r"row 1 \(2024-01-01 09:31\): close is missing"):
        Bars.read_csv(path)
    path.write_text("Date,Open,High,Low,Close\n2024-01-01,1,2,1,1\n2024-01-02,1,two,1,1\n")
    with pytest.raises(DataError, match=r"row 1 .*high is 'two', text"):
        Bars.read_csv(path)
    path.write_text("")
    with pytest.raises(DataError, match="is empty"):
        Bars.read_csv(path)
    with pytest.raises(DataError, match="no such CSV file"):
        Bars.read_csv(tmp_path / "none.csv")


def test_b1_parquet(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    to_polars(long()).write_parquet(path)
    assert Bars.read_parquet(path) == Bars.from_dict(pair())
    path.write_bytes(b"no parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        Bars.read_parquet(path)


@given(data=st.data(), block=blocks(), volume=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_b2_round_trips_give_back_the_same_bars(data: Any, block: Any, volume: bool, tmp_path: Path) -> None:
    """To pandas, polars and Parquet and back: equal to the last bit, gaps and zones included."""
    _, rows, assets = block.shape
    zone = data.draw(st.sampled_from(("UTC", "America/New_York", "Asia/Tokyo")))
    bars = Bars.from_numpy(
        *block[: 5 if volume else 4],
        index=data.draw(labels(rows)),
        symbols=[f"S{k}" for k in range(assets)],
        missing="no_market",
        time_zone=zone,
    )
    back = {"market": bars.market, "missing": "no_market"}
    assert Bars.from_pandas(bars.to_pandas(), symbol="S0", **back) == bars
    assert Bars.from_polars(bars.to_polars(), **back) == bars
    bars.to_polars().write_parquet(tmp_path / "bars.parquet")
    assert Bars.read_parquet(tmp_path / "bars.parquet", **back) == bars
    assert Bars.from_numpy(*bars.block[: 5 if volume else 4], index=bars.index, **back, symbols=bars.symbols) == bars


def test_dates_of_python_in_a_column() -> None:
    table = frame().reset_index(drop=True).assign(date=[datetime.date(2024, 1, k + 1) for k in range(6)])
    assert Bars.from_pandas(table) == Bars.from_pandas(frame())
