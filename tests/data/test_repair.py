"""B1: repairs happen on request only, do what they say and say what they did."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.data.tables import DAY, frame
from vecbt.data import Bars
from vecbt.errors import ConfigError, DataError

START = 19723 * DAY  # 2024-01-01


def test_b1_sort_puts_rows_in_order() -> None:
    bars = Bars.from_pandas(frame().iloc[[0, 2, 1, 3, 4, 5]], repair="sort")
    assert bars == Bars.from_pandas(frame())
    (repair,) = bars.repairs
    assert repair.policy == "sort" and repair.labels == (START + DAY, START + 2 * DAY)
    assert bars.notes == (str(repair),)
    assert "2 rows put in order of time" in str(repair) and "2024-01-02, 2024-01-03" in str(repair)


def test_b1_drop_leaves_out_bad_rows_and_names_them() -> None:
    table = frame()
    table.loc[table.index[1], "close"] = np.nan
    table.loc[table.index[4], "high"] = 0.5
    bars = Bars.from_pandas(table, symbol="AAPL", repair="drop")
    assert bars == Bars.from_pandas(frame().iloc[[0, 2, 3, 5]], symbol="AAPL")
    assert bars.repairs[0].labels == (START + DAY, START + 4 * DAY)
    assert "AAPL: 2 rows left out by repair='drop'" in bars.notes[0] and "2024-01-02, 2024-01-05" in bars.notes[0]
    assert "values missing inside the row" in bars.notes[0] and "high below another price" in bars.notes[0]


def test_b1_drop_takes_text_whole_nan_rows_and_rows_without_time() -> None:
    table = frame().astype(object).reset_index(names="date")
    table.loc[0, "open"] = "n/a"
    table.loc[2, "date"] = pd.NaT
    table.loc[3, list("open high low close volume".split())] = None
    bars = Bars.from_pandas(table, repair="drop")
    assert bars == Bars.from_pandas(frame().iloc[[1, 4, 5]])
    assert [r.policy for r in bars.repairs] == ["drop", "drop"]


def test_b1_drop_takes_exact_repeats_but_not_conflicts() -> None:
    table = frame().iloc[[0, 1, 1, 2]]
    assert Bars.from_pandas(table, repair="drop") == Bars.from_pandas(frame(3))
    conflict = table.copy()
    conflict.iloc[2, 4] += 1.0
    with pytest.raises(DataError, match=r"row 2 .*the same as in row 1"):
        Bars.from_pandas(conflict, repair="drop")
    first = Bars.from_pandas(conflict, repair="keep_first")
    last = Bars.from_pandas(conflict, repair="keep_last")
    assert first == Bars.from_pandas(frame(3))
    assert last.volume[1, 0] == first.volume[1, 0] + 1.0


def test_b1_policies_work_together() -> None:
    table = frame().iloc[[5, 0, 1, 1, 3]]
    table.iloc[4, 0] = np.inf
    bars = Bars.from_pandas(table, repair=("sort", "drop"))
    assert bars == Bars.from_pandas(frame().iloc[[0, 1, 5]])
    assert [r.policy for r in bars.repairs] == ["drop", "sort", "drop"]


def test_b1_a_policy_does_only_what_it_names() -> None:
    table = frame().iloc[[0, 2, 1]]
    with pytest.raises(DataError, match="earlier than"):
        Bars.from_pandas(table, repair="drop")
    table = frame()
    table.iloc[1, 3] = np.nan
    with pytest.raises(DataError, match="close is missing"):
        Bars.from_pandas(table, repair="sort")


def test_b1_nothing_left_is_refused() -> None:
    with pytest.raises(DataError, match="no row is left"):
        Bars.from_pandas(frame(2) * np.nan, repair="drop")


def test_b1_unknown_policies_are_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'sort'"):
        Bars.from_pandas(frame(), repair="sorted")
    with pytest.raises(ConfigError, match="choose one"):
        Bars.from_pandas(frame(), repair=("keep_first", "keep_last"))


def test_b1_in_a_panel_a_dropped_bar_is_a_bar_without_a_market() -> None:
    """F8: the other assets keep their bar; a row goes when no asset is left in it."""
    wide = pd.concat([frame(), frame()], axis=1, keys=["A", "B"])
    wide.loc[wide.index[2], ("A", "high")] = 0.0
    wide.loc[wide.index[4], ("A", "open")] = np.nan
    wide.loc[wide.index[4], ("B", "open")] = np.nan
    bars = Bars.from_pandas(wide, repair="drop")
    assert bars.T == 5 and START + 4 * DAY not in bars.index
    assert np.isnan(bars.block[:, 2, 0]).all() and bars.close[2, 1] == 13.0


def test_b1_good_tables_are_left_alone() -> None:
    bars = Bars.from_pandas(frame(), repair=("sort", "drop", "keep_last"))
    assert bars.repairs == () and bars.notes == ()
