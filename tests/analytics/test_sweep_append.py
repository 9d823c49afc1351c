"""Two sweeps become one: every line as it was, each set once; sweeps of different things are refused."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecbt as vb
from tests.analytics import checkpoints
from tests.analytics.checkpoints import BARS, COSTS, Higher, assert_same, small
from vecbt.analytics.sweep import Sweep
from vecbt.analytics.sweep_join import joined
from vecbt.errors import ConfigError

STOPS = [vb.Pct(1.0), None, -1.0]


@functools.cache
def whole() -> Sweep:
    return small()


@functools.cache
def part(*windows: int, **other: Any) -> Sweep:
    return small(space={"window": windows, "stops.hard": STOPS}, **other)


def _bits(mask: int) -> Any:
    """The lines whose bits are set."""
    return lambda _: np.array([mask >> k & 1 for k in range(30)], dtype=bool)


def rows(sweep: Sweep) -> dict[Any, Any]:
    """Lines by set and symbol, without numbers of sets, every bit."""
    table = sweep.table.with_columns(pl.col(pl.Float64).cast(pl.String))
    return {(row["window"], row["stops.hard"], row["symbol"]): {**row, "set": 0} for row in table.iter_rows(named=True)}


def test_two_halves_are_the_whole(tmp_path: Path) -> None:
    """Table, block sums, errors, curves; saved, loaded and run again."""
    found = part(2, 3, 5).append(part(6, 7))
    assert_same(found, whole())
    assert found.metrics == whole().metrics and repr(found).splitlines()[2:] == repr(whole()).splitlines()[2:]
    result = found.backtest(12)
    assert np.array_equal(result.stats().loc["sharpe"].astype(float), found.table["sharpe"].to_numpy()[24:26], equal_nan=True)
    loaded = Sweep.load(found.save(tmp_path / "saved"), bars=BARS, strategy=Higher(), costs=COSTS, accounts="separate")
    assert loaded.table.equals(whole().table) and repr(loaded) == repr(found) and loaded.blocks is not None and found.blocks is not None
    assert loaded.blocks.tobytes() == found.blocks.tobytes() and loaded.backtest(12).run.equity.tobytes() == result.run.equity.tobytes()


def test_loaded_sweeps_are_joined_with_and_without_bars(tmp_path: Path) -> None:
    first, second = part(2, 3, 5), Sweep.load(part(6, 7).save(tmp_path / "second"))
    alone = Sweep.load(first.save(tmp_path / "first")).append(second)
    assert alone.run is None and alone.table.equals(whole().table) and alone.block_sums == "file"
    found = first.append(second)
    assert found.run is not None and found.run.equity is None, "curves are not saved"
    assert found.table.equals(whole().table) and found.backtest(14 - 1).run.equity.tobytes() == whole().backtest(13).run.equity.tobytes()
    assert second.append(first).backtest(0).run.equity.tobytes() == whole().backtest(9).run.equity.tobytes()


def test_sets_of_the_first_keep_their_numbers() -> None:
    few = whole().filter(pl.col("window").is_in([3, 6]))
    found = few.append(part(7, 3))
    assert found.table["set"].unique().to_list() == [3, 4, 5, 9, 10, 11, 12, 13, 14]
    assert found.table.filter(pl.col("set") > 11)["window"].to_list() == [7] * 6
    assert found.backtest(13).run.equity.tobytes() == whole().backtest(13).run.equity.tobytes()
    assert found.errors == {c: text for c, text in whole().errors.items() if c in (5, 11, 14)}


@settings(max_examples=12)
@given(st.integers(1, 2**30 - 1), st.integers(1, 2**30 - 1), st.sets(st.integers(0, 14), max_size=5))
def test_whatever_lines_two_sweeps_have_the_joined_one_has_them_once(one: int, two: int, forgotten: set[int]) -> None:
    """Lines are dropped at random, and some sets of the first were not run; what went wrong with a set is said in all of its lines."""
    first, second = (whole().filter(_bits(mask)) for mask in (one, two))
    lines = first._lines
    gone = np.isin(lines.number, list(forgotten))
    errors = {c: text for c, text in lines.errors.items() if c not in forgotten}
    first = Sweep._of(dataclasses.replace(lines, done=lines.done & ~gone, errors=errors), first.metrics, first.run, first._numbers)
    found = first.append(second)
    mine, theirs, wanted, both = rows(first), rows(second), rows(whole()), rows(found)
    failed = {key[:2] for key, row in theirs.items() if row["error"] is not None}
    assert both.keys() == mine.keys() | theirs.keys() and len(both) == len(found.table)
    for key, row in both.items():
        assert row == (wanted[key] if key in theirs or key[:2] in failed else mine[key])
    places = {(*whole().run.sets.at(c).values(), k): (c, k) for c in range(15) for k in range(2)}  # type: ignore[union-attr]
    values = [found._lines.sets.at(line).values() for line in range(len(both))]
    at = np.array([places[(*value, k)] for value, k in zip(values, found._lines.account.tolist(), strict=True)])
    assert found.blocks is not None and found.blocks.tobytes() == whole().run.blocks[at[:, 0], at[:, 1]].tobytes()  # type: ignore[index,union-attr]


def test_a_partial_sweep_and_the_rest_are_whole(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    early = small(progress=stop, threads=1)
    assert early.partial
    assert_same(early.append(whole()), whole())
    assert_same(whole().append(early), whole())


def test_equal_sets_are_kept_once_and_others_with_the_same_name_refused() -> None:
    assert_same(whole().append(whole()), whole())
    run = part(6, 7).run
    assert run is not None
    final = run.final.copy()
    final[3, 1] = np.nextafter(final[3, 1], np.inf)
    other = Sweep(dataclasses.replace(run, final=final))
    with pytest.raises(ConfigError, match=r"the set \{'window': 7, 'stops.hard': Pct.* is in both sweeps, with other numbers"):
        whole().append(other)
    with pytest.raises(ConfigError, match="with other numbers"):
        whole().append(Sweep(dataclasses.replace(run, errors={2: "something else", 5: run.errors[5]})))


def test_columns_may_stand_in_another_order_and_must_be_the_same() -> None:
    turned = small(space={"stops.hard": STOPS, "window": [6, 7]})
    assert rows(part(2, 3, 5).append(turned)) == rows(whole())
    for space in ({"window": [6, 7]}, {"window": [6], "stops.trailing": STOPS}):
        with pytest.raises(ConfigError, match=r"vary different parameters: window, stops\.hard in this one, window"):
            part(2, 3, 5).append(small(space=space))


def test_whole_numbers_are_floats_where_the_other_has_fractions() -> None:
    costs = {"window": [2], "costs.slippage_bps": [1, 2]}
    first, second = small(space=costs), small(space={**costs, "costs.slippage_bps": [2.0, 2.5]})
    found, wanted = first.append(second), small(space={**costs, "costs.slippage_bps": [1.0, 2.0, 2.5]})
    assert found.table.equals(wanted.table) and found.table.schema["costs.slippage_bps"] == pl.Float64
    assert found.run is not None and found.run.sets.at(0)["costs.slippage_bps"] == 1.0


@pytest.mark.parametrize("blocks", [("a", "b"), ("a", True), (True, "b")])
def test_sums_in_files_are_joined_in_a_file(blocks: tuple[Any, Any], tmp_path: Path) -> None:
    first, second = (
        small(space={"window": windows, "stops.hard": STOPS}, blocks=tmp_path / name if isinstance(name, str) else name)
        for windows, name in zip(([2, 3, 5], [6, 7]), blocks, strict=True)
    )
    found = first.append(second)
    assert found.block_sums == "file" and isinstance(found.blocks, np.memmap) and not found.blocks.flags.writeable
    assert_same(found, whole())
    assert_same(found.append(first), whole())
    assert {path.name for folder in tmp_path.iterdir() for path in folder.iterdir()} == {"blocks.npy", "fine.npy"}
    assert first.append(part(6, 7, blocks=False)).block_sums == "off"


def test_m8_sweeps_with_an_envelope_are_joined_and_saved_with_both_ends(tmp_path: Path) -> None:
    stops = {"stops.hard": [0.005, -1.0], "stops.take_profit": [0.005]}
    wanted = small(space={"window": [2, 3, 6, 7], **stops}, envelope=True)
    first, second = (small(space={"window": windows, **stops}, envelope=True) for windows in ([2, 3], [6, 7]))
    assert wanted.run is not None and wanted.run.envelope is not None and np.nanmax(wanted.run.envelope.fragility) > 0.0
    assert_same(first.append(second), wanted)
    assert_same(first.append(second).append(first), wanted)
    given: dict[str, Any] = {"bars": BARS, "strategy": Higher(), "costs": COSTS, "accounts": "separate"}
    loaded = Sweep.load(first.save(tmp_path / "first"), **given).append(Sweep.load(second.save(tmp_path / "second")))
    assert wanted.run.equity is not None and loaded.run is not None
    loaded.run.equity = wanted.run.equity  # all but the curves, which are not saved
    assert_same(loaded, wanted)
    again = Sweep.load(loaded.save(tmp_path / "all"))
    assert again.table.equals(wanted.table) and again.metrics == wanted.metrics and again.best("sharpe_low") == wanted.best("sharpe_low")
    few = wanted.filter(pl.col("symbol") == "S1")
    loaded = Sweep.load(few.save(tmp_path / "few"), **given)
    assert loaded.table.equals(few.table) and loaded.run is not None and loaded.run.envelope is not None
    assert np.isnan(loaded.run.envelope.fragility[:, 0]).all()
    assert loaded.run.envelope.final[:, 1].tobytes() == wanted.run.envelope.final[:, 1].tobytes()


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "bars": ({"bars": BARS[1:]}, f"bars is {BARS.content_hash} in this one, {BARS[1:].content_hash} in the other"),
    "strategy": ({"strategy": Higher(4)}, r"strategy is Higher\(window=3\) in this one, Higher\(window=4\) in the other"),
    "keyword": ({"band": 0.1}, "band is not given in this one, 0.1 in the other"),
    "rf": ({"rf": 0.1}, "rf is 0.0 in this one, 0.1 in the other"),
    "mar": ({"mar": 0.1}, "mar is 0.0 in this one, 0.1 in the other"),
    "envelope": ({"envelope": True}, "envelope is False in this one, True in the other"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_sweeps_of_different_things_are_refused(name: str) -> None:
    other, words = OTHERS[name]
    with pytest.raises(ConfigError, match=f"cannot be one: {words}"):
        part(2, 3, 5).append(part(6, 7) if not other else small(space={"window": [6], "stops.hard": STOPS}, **other))


def test_other_code_and_other_kernels_are_refused() -> None:
    def breaks(bars: vb.Bars) -> Any:
        return vb.Signals(entries=bars.close > 0.0)

    breaks.__module__, breaks.__qualname__ = checkpoints.breaks.__module__, "breaks"
    space = {"stops.hard": [None]}
    with pytest.raises(ConfigError, match="the code of the strategy is"):
        small(strategy=checkpoints.breaks, space=space).append(small(strategy=breaks, space=space))
    lines = part(6, 7)._lines
    old = dataclasses.replace(lines, about=dataclasses.replace(lines.about, kernels="0123"))
    with pytest.raises(ConfigError, match=r"kernels is .{16} in this one, 0123 in the other"):
        joined(lines, old)
    with pytest.raises(ConfigError, match="other is list; expected a Sweep"):
        whole().append([])  # type: ignore[arg-type]
