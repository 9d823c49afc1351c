"""S1: signals, strengths, weights and quantities, aligned to the bars by label, for all bars and for one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from vecbt.core.codes import InputKind
from vecbt.data.bars import Bars
from vecbt.engine.inputs import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    AlignedInputs,
    Quantities,
    Signals,
    Strengths,
    Weights,
    blank_row,
    normalize_row,
)
from vecbt.errors import InputError

DAYS = pd.date_range("2024-01-01", periods=4)
NUMBERS = [Strengths, Weights, Quantities]


def make_bars(symbols: tuple[str, ...] = ("A", "B"), index: Any = DAYS, **options: Any) -> Bars:
    prices = np.full((len(index), len(symbols)), 100.0)
    return Bars.from_numpy(prices, prices, prices, prices, index=index, symbols=symbols, **options)


BARS = make_bars()
ONE = make_bars(("A",))
VALUES = np.array([[0.5, -1.0], [0.0, np.nan], [1.0, 0.25], [np.nan, -0.5]])
FLAGS = np.array([[1, 0], [0, 0], [0, 1], [1, 1]], dtype=bool)


def test_s1_signals_become_a_bit_each() -> None:
    aligned = Signals(FLAGS, ~FLAGS, short_entries=FLAGS[::-1].copy(), short_exits=np.zeros((4, 2), bool)).align(BARS)
    assert aligned.kind is InputKind.SIGNALS and aligned.values is None and aligned.shape == (4, 2)
    assert aligned.flags is not None and aligned.flags.dtype == np.uint8 and aligned.flags.flags.c_contiguous
    np.testing.assert_array_equal(aligned.flags & ENTER_LONG > 0, FLAGS)
    np.testing.assert_array_equal(aligned.flags & EXIT_LONG > 0, ~FLAGS)
    np.testing.assert_array_equal(aligned.flags & ENTER_SHORT > 0, FLAGS[::-1])
    assert not (aligned.flags & EXIT_SHORT).any()
    with pytest.raises(ValueError, match="read-only"):
        aligned.flags[0, 0] = 3


@pytest.mark.parametrize("kind", NUMBERS)
def test_s1_numbers_become_float64(kind: Any) -> None:
    given = VALUES.copy()
    aligned = kind(given).align(BARS)
    assert aligned.flags is None and aligned.kind.name.lower() == kind.__name__.lower()
    np.testing.assert_array_equal(aligned.values, VALUES)
    given[:] = 0
    np.testing.assert_array_equal(aligned.values, VALUES)


def test_pandas_and_polars_go_by_label_in_any_order() -> None:
    frame = pd.DataFrame(VALUES, index=DAYS, columns=["A", "B"])
    table = pl.DataFrame({"date": DAYS.to_numpy(), "A": VALUES[:, 0], "B": VALUES[:, 1]})
    long = table.unpivot(index="date", variable_name="symbol", value_name="strength")
    forms = [
        frame,
        frame.iloc[::-1, ::-1],
        frame.tz_localize("UTC"),
        frame.set_axis(DAYS.strftime("%Y-%m-%d"), axis=0),
        table,
        table.reverse().select("B", "date", "A"),
        table.drop("date"),
        long,
        long.reverse(),
        np.asfortranarray(VALUES),
        VALUES.tolist(),
    ]
    for form in forms:
        np.testing.assert_array_equal(Strengths(form).align(BARS).values, VALUES)


def test_one_asset_takes_series_and_columns() -> None:
    column = VALUES[:, :1]
    for form in (pd.Series(column[:, 0], index=DAYS), pl.Series(column[:, 0]), column[:, 0], column, column[:, 0].tolist()):
        np.testing.assert_array_equal(Strengths(form).align(ONE).values, column)
    entries = pd.Series([True, False, False, True], index=DAYS, name="close")
    assert Signals(entries).align(ONE).flags[:, 0].tolist() == [1, 0, 0, 1]


def test_booleans_come_in_many_types() -> None:
    wanted = [1, 0, 0, 1]
    for form in (
        np.array([True, False, False, True]),
        np.array([1, 0, 0, 1], dtype=np.uint8),
        np.array([1.0, 0.0, 0.0, 1.0]),
        pd.Series([True, False, False, True], index=DAYS, dtype=object),
        pd.Series([True, False, False, True], index=DAYS, dtype="boolean"),
        pl.Series([True, False, False, True]),
        [True, False, False, True],
    ):
        assert Signals(form).align(ONE).flags[:, 0].tolist() == wanted


def test_wall_clock_labels_are_those_of_the_bars() -> None:
    times = pd.date_range("2024-01-02 09:30", periods=4, freq="h")
    bars = make_bars(("A",), times, time_zone="America/New_York")
    values = [1.0, 0.0, 1.0, 0.0]
    for index in (times, times.tz_localize("America/New_York"), times.tz_localize("America/New_York").tz_convert("UTC")):
        np.testing.assert_array_equal(Strengths(pd.Series(values, index=index)).align(bars).values[:, 0], values)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (pd.DataFrame(VALUES, index=DAYS, columns=["A", "C"]), "a column 'C', which is no symbol of the bars"),
        (pd.DataFrame(VALUES[:, :1], index=DAYS, columns=["A"]), "no column for 'B'; it has 'A'"),
        (pd.DataFrame(VALUES, index=DAYS, columns=["A", "A"]), "the column 'A' twice"),
        (pd.DataFrame(VALUES, index=DAYS + pd.Timedelta(days=1), columns=["A", "B"]), "a row at 2024-01-05, where there is no bar"),
        (pd.DataFrame(VALUES[1:], index=DAYS[1:], columns=["A", "B"]), "no row for the bar at 2024-01-01"),
        (pd.DataFrame(VALUES[[0, 0, 1, 2]], index=DAYS[[0, 0, 1, 2]], columns=["A", "B"]), "the time 2024-01-01 twice"),
        (pd.DataFrame(VALUES, columns=["A", "B"]), "no times in its index"),
        (pd.DataFrame(VALUES, index=list("wxyz"), columns=["A", "B"]), "'w' is no date"),
        (pd.Series(VALUES[:, 0], index=DAYS), "one Series, the bars have 2 assets"),
        (pd.DataFrame(VALUES, index=DAYS, columns=pd.MultiIndex.from_product([["x"], ["A", "B"]])), "columns of 2 levels"),
        (pd.Series(1.0, index=pd.MultiIndex.from_product([DAYS, ["A", "B"]])), "an index of 2 levels"),
        (pl.DataFrame({"A": VALUES[1:, 0], "B": VALUES[1:, 1]}), "3 rows and no column of times"),
        (pl.DataFrame({"t": DAYS.to_numpy(), "u": DAYS.to_numpy(), "A": VALUES[:, 0]}), "2 columns of times"),
        (VALUES[:3], r"shape \(3, 2\); expected \(4, 2\)"),
        (VALUES[:, 0], "one dimension, the bars have 2 assets"),
        (np.array([["a", "b"]] * 4), "'a' is text"),
        (1.0, "one dimension"),
    ],
)
def test_what_does_not_match_is_refused(form: Any, message: str) -> None:
    for kind in NUMBERS:
        with pytest.raises(InputError, match=message):
            kind(form).align(BARS)


def test_missing_booleans_are_refused_with_their_place() -> None:
    shifted = pd.DataFrame({"A": [True, False, True, True], "B": [True] * 4}, index=DAYS).shift()
    with pytest.raises(InputError, match=r"Signals.exits: missing at 2024-01-01, A: nan and 1 more; .*fillna"):
        Signals(exits=shifted).align(BARS)
    with pytest.raises(InputError, match=r"Signals.entries: no boolean at 2024-01-02, B: 2.0"):
        Signals(np.array([[0, 0], [0, 2], [0, 0], [0, 0]])).align(BARS)
    with pytest.raises(InputError, match=r"Signals\(\) is empty"):
        Signals()


def test_numbers_that_may_not_be_are_refused_with_their_place() -> None:
    with pytest.raises(InputError, match=r"Strengths: outside \[-1, 1\] at 2024-01-02, B: 1.5; scale them"):
        Strengths([[0, 0], [0, 1.5], [0, 0], [0, 0]]).align(BARS)
    for kind in NUMBERS:
        with pytest.raises(InputError, match="at 2024-01-03, A: -inf"):
            kind([[0, 0], [0, 0], [-np.inf, 0], [0, 0]]).align(BARS)
    assert Weights(np.full((4, 2), 7.0)).align(BARS).values is not None


def test_rows_say_the_same_as_the_whole() -> None:
    every = [Signals(FLAGS, ~FLAGS).align(BARS), *(kind(VALUES).align(BARS) for kind in NUMBERS)]
    for aligned in every:
        for t in range(4):
            flags, values = normalize_row(aligned.row(t), BARS.market)
            whole = aligned.flags if aligned.values is None else aligned.values
            assert (flags if values is None else values).tobytes() == whole[t].tobytes()
        assert aligned.row(-1).shape == (1, 2)
        assert aligned.align(BARS) is aligned
        with pytest.raises(InputError, match="aligned to"):
            aligned.align(ONE)


def test_a_row_comes_in_many_forms() -> None:
    market = BARS.market
    for form in (np.array([0.5, np.nan]), [0.5, None], {"A": 0.5}, pd.Series({"B": np.nan, "A": 0.5}), pd.Series([0.5, np.nan])):
        flags, values = normalize_row(Weights(form), market)
        assert flags is None
        np.testing.assert_array_equal(values, [0.5, np.nan])
    for form in (np.array([False, True]), [False, True], {"B": True}, pd.Series({"A": False, "B": True})):
        flags, values = normalize_row(Signals(short_exits=form), market)
        assert values is None and flags.tolist() == [0, EXIT_SHORT]
    assert normalize_row(Signals(entries=True, exits=False), ONE.market)[0].tolist() == [ENTER_LONG]
    assert normalize_row(Strengths(-0.5), ONE.market)[1].tolist() == [-0.5]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Weights([1.0]), "1 values for one bar; expected 2"),
        (Weights(1.0), "1 values for one bar; expected 2"),
        (Weights({"C": 1.0}), "'C', which is no symbol"),
        (Weights([np.inf, 0.0]), "infinite for A"),
        (Strengths([0.0, -1.01]), r"outside \[-1, 1\] for B: -1.01"),
        (Signals([np.nan, 1]), "missing for A"),
        (Signals(["yes", "no"]), "text"),
        ("hello", "a row of inputs is str"),
        (None, "a row of inputs is NoneType"),
    ],
)
def test_a_row_that_may_not_be_is_refused(row: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        normalize_row(row, BARS.market)


ONE_FORMS = [
    0.5, -1.0, 1.5, -0.0, 0, 1, 7, 2**53, 2**53 + 1, -(2**60), 10**400, math.nan, math.inf, -math.inf, True, False, None, "1", np.True_,
    np.False_, np.float64(0.5), np.float64(2.0), np.float64(math.nan), np.float64(math.inf),
]  # fmt: skip
ONE_FORMS += [np.array([v], dtype=t) for v in (0, 1, 0.5, 2.0) for t in (np.float64, np.float32, np.longdouble, np.int64, np.bool_, object)]
ONE_FORMS += [np.array([v], dtype=t) for v in (math.nan, math.inf) for t in (np.float64, np.float32, np.longdouble, object)]


@pytest.mark.parametrize("kind", [*NUMBERS, Signals])
def test_the_short_way_of_one_asset_says_what_the_long_one_says(kind: Any) -> None:
    """A mapping goes the long way: the same numbers, the same bits, the same errors."""
    market = ONE.market
    for form in ONE_FORMS:
        if form is None and kind is Signals:
            continue
        plain = form[0] if isinstance(form, np.ndarray) else form
        found = []
        for row in (kind(form), kind({market.symbols[0]: plain})):
            try:
                flags, values = normalize_row(row, market)
                found.append((None if flags is None else flags.tobytes(), None if values is None else values.tobytes()))
            except InputError as error:
                found.append(str(error))
        assert found[0] == found[1], (kind, form)


def test_aligned_inputs_hold_one_array_of_their_kind() -> None:
    good = np.zeros((4, 2))
    for arguments in (
        (InputKind.SIGNALS, None, good),
        (InputKind.WEIGHTS, good.astype(np.uint8), None),
        (InputKind.WEIGHTS, None, good[0]),
    ):
        with pytest.raises(InputError, match="aligned"):
            AlignedInputs(*arguments)
    with pytest.raises(InputError, match=r"shape \(4, 2\); expected \(1, 2\)"):
        normalize_row(AlignedInputs(InputKind.WEIGHTS, None, good), BARS.market)
    AlignedInputs(InputKind.WEIGHTS, None, good)
    good[0, 0] = 1.0  # the caller's own array stays writable


def test_a_blank_row_says_nothing() -> None:
    assert blank_row(InputKind.SIGNALS, 2)[0].tolist() == [0, 0]
    assert np.isnan(blank_row(InputKind.WEIGHTS, 2)[1]).all()
