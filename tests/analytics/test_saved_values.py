"""Parameters and tables of saved results: every bit comes back, and a file can make nothing but values."""

from __future__ import annotations

import dataclasses
import datetime
import json
import typing
import zoneinfo
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from vecbt.analytics.saved.compare import compare, compare_numbers
from vecbt.analytics.saved.tables import describe_records, read_panel, read_records, write_panel, write_records
from vecbt.analytics.saved.values import decode, encode, known_classes
from vecbt.core.codes import Rule, Zone
from vecbt.engine.setup import Setup
from vecbt.errors import ConfigError, StateError

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
INF, NAN = float("inf"), float("nan")
ODD_BITS = np.array(
    [0x7FF8000000000001, 0xFFF8000000000000, 0x7FF0000000000001, 0x8000000000000000, 0x7FF0000000000000, 1], dtype=np.uint64
)


def there_and_back(value: Any) -> Any:
    """Through the text of a file, as strict JSON."""
    return decode(json.loads(json.dumps(encode(value, "x"), allow_nan=False)), "x")


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -(2**80), 0.1, -0.0, 5e-324, 1.7976931348623157e308, INF, -INF, "", "näïve \n text", (), (1, (2.0, "c")), [1, [2]],
        {"type": 1, "b": (2,)}, {("a", 1): {"c": None}}, {3: 4}, np.float64(0.1), np.int64(3), np.bool_(True), np.float32(0.1),
        np.datetime64("2024-01-02T03:04:05.123456789"), np.str_("A"), datetime.date(2024, 1, 2),
        datetime.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC), datetime.time(9, 30), Zone.ALERT,
        datetime.datetime(2024, 11, 3, 1, 30, fold=1, tzinfo=NEW_YORK), pd.Timestamp("2024-01-02 03:04:05.123456789"),
        pd.Timestamp("2024-11-03 05:30", tz="UTC").tz_convert("America/New_York"), pd.Timestamp("2024-01-02", tz="UTC"),
        Rule.CASH | Rule.LOT,
        vb.Pct(3), vb.Stops(hard=0.03, trailing=vb.Atr(np.float64(2.5)), take_profit=vb.Price(97.5)), vb.Weight(1 / 3, False),
        vb.Costs.free(), vb.Costs(commission_rate=1e-3, maximum_rate=0.01, maker_rate=0.0), vb.Zones(factors=(1, 1, 0.3, 0)),
    ],
)  # fmt: skip
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    back = there_and_back(value)
    assert type(back) is type(value) and back == value and repr(back) == repr(value)


def test_nan_comes_back() -> None:
    assert there_and_back(NAN) != there_and_back(NAN) and there_and_back(np.float64(NAN)).tobytes() == np.float64(NAN).tobytes()


@given(st.floats(allow_nan=False))
def test_any_float_comes_back(value: float) -> None:
    back = there_and_back((value, {"x": value}))
    assert np.float64(back[0]).tobytes() == np.float64(value).tobytes() == np.float64(back[1]["x"]).tobytes()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3), np.array([0.1, -0.0]), ODD_BITS.view(np.float64), np.array(3.5), np.array([], dtype="i4"),
        np.array([True, False]), np.array(["2024-01-01", "NaT"], dtype="M8[ns]"), np.arange(6.0).reshape(2, 3).T, np.array(["a", "bc"]),
    ],
)  # fmt: skip
def test_arrays_come_back_to_the_last_bit(array: np.ndarray) -> None:
    back = there_and_back(array)
    assert isinstance(back, np.ndarray) and back.dtype == array.dtype and back.shape == array.shape and back.tobytes() == array.tobytes()


class _Float(float):
    """A kind of float that nobody knows."""


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, b"bytes", lambda: None, _Float(1.0), Fraction(1, 3), np.array([object()]), 1j, range(3), datetime.timedelta(1)],
)
def test_what_is_no_plain_value_is_refused_by_its_place(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"strategy\.weights\['AAPL'\]\[1\] is "):
        encode({"AAPL": (1.0, value)}, "strategy.weights")


@pytest.mark.parametrize(
    "node",
    [
        {"type": "subprocess.Popen", "args": ["true"]}, {"type": "Popen"}, {"type": "Path", "value": "x"}, {"type": None}, {},
        {"type": "float"}, {"type": "float", "value": "one"}, {"type": "array", "dtype": "O", "shape": [1], "values": [1]},
        {"type": "array", "dtype": "<f8", "shape": [2], "values": [1.0]}, {"type": "array", "dtype": "<i8", "shape": [], "values": [1e300]},
        {"type": "array", "dtype": [["a", "<f8"]], "shape": [0], "values": []}, {"type": "Pct"}, {"type": "Pct", "percent": -1},
        {"type": "Pct", "percent": 3, "also": 1}, {"type": "Zone", "value": 17}, {"type": "mapping", "items": [[1]]},
        {"type": "mapping", "items": [[{"type": "list", "items": []}, 1]]}, {"type": "date", "value": "soon"},
        {"type": "datetime", "value": "2024-01-01"}, {"type": "datetime", "value": "2024-01-01T00:00+00:00", "zone": "Mars/Crater"},
        {"type": "Timestamp", "value": "soon", "zone": None}, {"type": "SmaCross", "fast": 2, "slow": 3}, {"type": "Bars"},
        {"type": "Strategy"},
    ],
)  # fmt: skip
def test_a_file_makes_nothing_but_known_values(node: Any) -> None:
    """No class is made that is not one of the package's frozen parameter classes, and a strategy is none of them."""
    with pytest.raises(StateError):
        decode(node, "setup.stops")


def test_every_class_of_a_setup_is_known() -> None:
    """A rule that is added to `Setup` is saved without a word here, or this test says which class is missing."""
    seen: set[type] = set()

    def walk(hint: Any) -> None:
        for part in typing.get_args(hint):
            walk(part)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint not in seen:
            seen.add(hint)
            for found in typing.get_type_hints(hint, localns=dict(known_classes())).values():
                walk(found)

    walk(Setup)
    assert {Setup, vb.Costs, vb.Stops, vb.Zones, vb.Atr, vb.FixedFractionalSizing} <= seen
    assert {kind.__name__ for kind in seen if known_classes().get(kind.__name__) is not kind} == set()


SETUPS = [
    {},
    {"stops": vb.Stops(hard=vb.Ticks(20), time_bars=7), "sizing": vb.Units(3), "direction": "long", "trade_through": True},
    {"positions": {"type": (1.0, 2.0), "B": (np.float64(-0.1), 3)}, "initial_capital": np.float64(0.1), "accounts": "separate"},
    {"risk": vb.Risk(zones=vb.Zones(mark="intrabar")), "sizing": vb.Notional(1e-300), "band": 0.0},
    {"sizing": vb.Cash(0.3), "fill": "close", "accumulate": True, "intrabar": "optimistic", "liquidate_at_end": True},
]


@pytest.mark.parametrize("options", SETUPS)
def test_a_setup_comes_back_with_its_digest(options: dict[str, Any]) -> None:
    setup = Setup.of(costs=vb.Costs(slippage_bps=0.1), **options)
    back = there_and_back(setup)
    assert back == setup and back.digest() == setup.digest() and repr(back) == repr(setup)


LAYOUT = np.dtype(
    [("t", "i8"), ("flag", "u1"), ("on", "?"), ("x", "f8"), ("three", "f8", (3,)), ("grid", "i4", (2, 2)), ("when", "M8[ns]")]
)


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("count", [0, 1, 6])
def test_records_of_any_layout_come_back(tmp_path: Path, align: bool, count: int) -> None:
    records = np.zeros(count, dtype=np.dtype(LAYOUT.descr, align=align)).view(np.recarray)
    rng = np.random.default_rng(1)
    for name in LAYOUT.names or ():
        raw = rng.integers(0, 2, size=(count, *LAYOUT[name].shape))
        records[name] = raw.astype(LAYOUT[name].base)
    records["x"] = ODD_BITS.view(np.float64)[:count]
    write_records(tmp_path / "r.parquet", records)
    back = read_records(tmp_path / "r.parquet", json.loads(json.dumps(describe_records(records))))
    assert back.dtype == records.dtype and isinstance(back, np.recarray) and len(back) == count
    for name in records.dtype.names or ():
        assert back[name].tobytes() == records[name].tobytes(), name


def test_a_table_of_another_layout_is_refused(tmp_path: Path) -> None:
    records = np.zeros(2, dtype=[("a", "f8"), ("b", "i8")]).view(np.recarray)
    layout = describe_records(records)
    write_records(tmp_path / "r.parquet", records)
    for change, said in (
        ({"count": 3}, "has 2 rows; 3 were saved"),
        ({"fields": [["c", "<f8", []]]}, "has no column 'c'"),
        ({"fields": [["a", "<i8", []]]}, "the column 'a' is no int64"),
        ({"fields": [["a", "O", []]]}, "is no type of plain values"),
    ):
        with pytest.raises(StateError, match=said):
            read_records(tmp_path / "r.parquet", {**layout, **change})


def test_panels_come_back_to_the_last_bit_whatever_the_symbols_are_called(tmp_path: Path) -> None:
    index = np.array([-5, 0, 10**18], dtype=np.int64)
    names = ("time", "symbol", "ä b", "123")
    bits = np.tile(ODD_BITS, 2).view(np.float64).reshape(3, 4)
    codes = np.arange(12, dtype=np.uint8).reshape(3, 4)
    write_panel(tmp_path / "p.parquet", index, names, {"values": bits, "flags": codes})
    back_index, columns = read_panel(tmp_path / "p.parquet", names)
    assert back_index.tobytes() == index.tobytes() and set(columns) == {"values", "flags"}
    assert columns["values"].tobytes() == bits.tobytes() and columns["flags"].tobytes() == codes.tobytes()
    assert columns["flags"].dtype == np.uint8
    for wrong in (names[:3], (*names[1:], names[0]), ("A", "B", "C", "D")):
        with pytest.raises(StateError, match=r"p\.parquet"):
            read_panel(tmp_path / "p.parquet", wrong)


def test_a_panel_out_of_order_is_refused(tmp_path: Path) -> None:
    for index in ([3, 2, 4], [1, 1, 2]):
        write_panel(tmp_path / "p.parquet", np.array(index, dtype=np.int64), ("A", "B"), {"x": np.zeros((3, 2))})
        with pytest.raises(StateError, match="is not in order"):
            read_panel(tmp_path / "p.parquet", ("A", "B"))
    write_panel(tmp_path / "p.parquet", np.arange(3), ("A", "B"), {"x": np.zeros((3, 2))})
    frame = pl.read_parquet(tmp_path / "p.parquet")
    for wrong, said in (
        (frame[:5], "has 5 rows"),
        (frame[::-1], "is not in order"),
        (frame.drop("symbol"), "cannot be read"),
        (frame[:0], "0 rows"),
    ):
        wrong.write_parquet(tmp_path / "p.parquet")
        with pytest.raises(StateError, match=said):
            read_panel(tmp_path / "p.parquet", ("A", "B"))


def test_a_comparison_says_what_holds_and_where_it_does_not() -> None:
    x = np.array([1.0, 100.0, -3e-14, NAN, INF])
    columns = {"x": x, "n": np.arange(5)}
    same = compare(columns, {"x": x.copy(), "n": np.arange(5)}, str)
    assert (same.exact, same.close, same.difference) == (True, True, "")
    near = x * (1 + 1e-12)
    near[2] = 0.0  # within 1e-12 of the largest
    found = compare(columns, columns | {"x": near}, lambda row: f"row {row}")
    assert (found.exact, found.close) == (False, True) and found.difference.startswith("row 0: x 1.0 saved")
    far = near.copy()
    far[1] *= 1 + 1e-8
    found = compare(columns, columns | {"x": far}, lambda row: f"row {row}")
    assert (found.exact, found.close) == (False, False) and found.difference.startswith("row 1: x 100.0 saved, 100.00000100")
    for row, value in ((3, 0.0), (4, 1e300), (4, -INF)):
        other = x.copy()
        other[row] = value
        assert not compare({"x": x}, {"x": other}, str).close
    assert not compare(columns, columns | {"n": np.array([0, 1, 2, 3, 5])}, str).close
    assert not compare({"x": np.array([0.0])}, {"x": np.array([-0.0])}, str).exact
    short = compare(columns, {"x": x[:3], "n": np.arange(3)}, str)
    assert not short.close and short.difference == "5 saved, 3 now; the first 3 agree"


def test_single_numbers_are_compared_likewise() -> None:
    assert compare_numbers({"a": 1.0, "b": None}, {"a": 1.0, "b": None, "c": 2}).exact
    found = compare_numbers({"a": 1.0, "b": 2.0}, {"a": 1.0 + 1e-12, "b": 2.0})
    assert found.close and not found.exact
    found = compare_numbers({"a": 1.0, "b": 2.0}, {"a": 1.0 + 1e-12, "b": 2.1})
    assert not found.close and found.difference == "b: 2.0 saved, 2.1 now"
    assert not compare_numbers({"a": None}, {"a": 0.0}).close and not compare_numbers({"a": 1}, {"a": True}).close
