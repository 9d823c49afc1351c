"""The gate for numbers: one layout whatever comes in, and errors that say where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from vecbt.data.touch import as_matrix, numbers
from vecbt.errors import ConfigError, InputError

TABLE = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]])


@pytest.mark.parametrize(
    "value",
    [
        TABLE,
        np.asfortranarray(TABLE),
        TABLE[::-1][::-1],
        np.repeat(TABLE, 2, axis=1)[:, ::2],
        TABLE.tolist(),
        [[1, 2], [3, None], [5, 6]],
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE).astype("Float64"),
        pd.DataFrame({"a": [1, 3, 5], "b": pd.array([2, None, 6], dtype="Int64")}),
        pl.DataFrame({"a": [1, 3, 5], "b": [2.0, None, 6.0]}),
        np.frombuffer(b"\0" + TABLE.tobytes(), dtype=np.uint8)[1:].view(np.float64).reshape(3, 2),
        TABLE.astype(">f8"),
    ],
    ids=range(12),
)
def test_everything_becomes_one_layout(value: Any) -> None:
    matrix = as_matrix(value, "x", rows=3, columns=2)
    assert matrix.dtype == np.dtype("=f8") and matrix.flags.c_contiguous and matrix.flags.aligned and matrix.flags.owndata
    np.testing.assert_array_equal(matrix, TABLE)
    assert not np.shares_memory(matrix, TABLE)


@pytest.mark.parametrize("value", [[True, False, None], pd.Series([True, False, None]), pl.Series([True, False, None]), [1.0, 0.0, np.nan]])
def test_one_dimension_is_one_column_and_booleans_are_numbers(value: Any) -> None:
    np.testing.assert_array_equal(as_matrix(value, "x"), [[1.0], [0.0], [np.nan]])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([[1.0, "a"]], "x, row 0, column 1: 'a' is text"),
        (pd.DataFrame({"a": [1.0], "b": ["z"]}), "x, row 0, column 1: 'z' is text"),
        (pl.DataFrame({"a": ["z"]}), "x, row 0, column 0: 'z' is text"),
        ([[1.0, 2.0], [1.0]], "x cannot be read"),
        (np.zeros((2, 2, 2)), "expected at most two dimensions"),
        (pd.DataFrame(), "x has no column"),
        (np.array([2**62 + 1]), "too large for float64"),
    ],
)
def test_what_is_no_table_is_refused(value: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        as_matrix(value, "x")


def test_shapes_are_checked_and_the_error_is_the_callers() -> None:
    with pytest.raises(InputError, match=r"x has shape \(3, 2\); expected \(4, 2\)"):
        as_matrix(TABLE, "x", rows=4)
    with pytest.raises(InputError, match=r"expected \(3, 1\)"):
        as_matrix(TABLE, "x", columns=1)
    with pytest.raises(ConfigError, match="x has shape"):
        as_matrix(TABLE, "x", rows=4, error=ConfigError)


def test_b1_numbers_name_the_cells_that_are_none() -> None:
    out, faults = numbers(np.array([1, "2", None, 2**70, 10**400, True, 2.5], dtype=object))
    np.testing.assert_array_equal(out, [1.0, np.nan, np.nan, 2.0**70, np.nan, np.nan, 2.5])
    assert [(f.row, f.kind) for f in faults] == [(1, "text"), (4, "overflow"), (5, "type")]
    with pytest.raises(InputError, match="one column"):
        numbers(TABLE)
