"""What a sweep gives its user: the table, order, choice, neighbourhoods, files, progress."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import vecbt as vb
from tests.analytics.sweeps import BARS, COSTS, ONE, failing, grid, separate
from vecbt._progress import progress_bar
from vecbt.analytics.plateau import neighbourhoods
from vecbt.analytics.sweep import Sweep
from vecbt.analytics.sweep_lines import METRICS
from vecbt.engine.sweep import SweepRun
from vecbt.errors import ConfigError, StateError
from vecbt.metrics.returns import RETURNS_METRICS
from vecbt.metrics.trades import TRADES_METRICS
from vecbt.strategies import SmaCross

pytestmark = pytest.mark.interpreted


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def changed(**parts: Any) -> SweepRun:
    """The run of the grid with other arrays."""
    assert grid().run is not None
    return dataclasses.replace(grid().run, **parts)  # type: ignore[type-var]


# --- the table -----------------------------------------------------------------------------------------------------------


def test_the_metrics_are_those_of_returns_and_trades_and_two_of_money() -> None:
    expected = {*(RETURNS_METRICS.names or ()), *(TRADES_METRICS.names or ()), "final_equity", "profit"}
    assert set(METRICS) == expected and len(METRICS) == len(expected)


def test_a_line_is_a_set_with_its_parameters_and_metrics() -> None:
    table = grid().table
    assert table.columns == ["set", "fast", "slow", "stops.hard", "fill", *METRICS, "error"]
    assert table["set"].to_list() == list(range(len(grid()))) and len(grid()) == 60
    assert (table.schema["fast"], table.schema["stops.hard"], table.schema["fill"]) == (pl.Int64, pl.Float64, pl.String)
    assert table["error"].null_count() == 60 and not grid().partial and grid().errors == {}
    assert grid().parameters == ("fast", "slow", "stops.hard", "fill")


@pytest.mark.parametrize("number", [0, 7, 30, 59])
def test_every_metric_of_a_line_is_that_of_its_backtest_to_the_last_bit(number: int) -> None:
    row, result = grid().table.row(number, named=True), grid().backtest(number)
    by_hand = vb.backtest(
        ONE, SmaCross(row["fast"], row["slow"]), costs=COSTS, stops=vb.Stops(hard=row["stops.hard"]), fill=row["fill"]
    )  # fmt: skip
    for stats in (result.stats(), by_hand.stats()):
        assert [name for name in METRICS if not same(row[name], float(stats[name]))] == []


def test_separate_accounts_have_a_line_a_symbol() -> None:
    table = separate().table
    assert table.columns == ["set", "symbol", "fast", "slow", "sharpe", "profit", "error"]
    assert len(separate()) == 6 and len(table) == 12 and table["symbol"].to_list() == ["AAPL", "IBM"] * 6
    stats = separate().backtest(4).stats()
    for row in table.filter(pl.col("set") == 4).iter_rows(named=True):
        assert row["profit"] == stats[row["symbol"]]["profit"] and row["sharpe"] == stats[row["symbol"]]["sharpe"]


def test_metrics_limit_the_columns_and_any_other_still_ranks() -> None:
    assert separate().metrics == ("sharpe", "profit")
    assert "max_drawdown" in separate().top(1, "max_drawdown").columns


def test_an_unknown_metric_is_named_with_the_nearest_before_any_work() -> None:
    with pytest.raises(ConfigError, match="'sharp' is no metric of a sweep; did you mean 'sharpe'"):
        vb.sweep(ONE, SmaCross(2, 20), {"no such": [1]}, costs=COSTS, metrics=["sharp"])
    for ask in (grid().top, grid().best, grid().plateau, grid().distribution):
        with pytest.raises(ConfigError, match="did you mean 'calmar'"):
            ask(metric="calmer")  # type: ignore[operator]


def test_a_parameter_with_the_name_of_a_metric_keeps_both() -> None:
    sets = grid().run.sets  # type: ignore[union-attr]
    named = Sweep(changed(sets=dataclasses.replace(sets, names=("trades", *sets.names[1:])), strategy=_Trades()))
    assert named.table.columns[:3] == ["set", "parameter.trades", "slow"] and "trades" in named.table.columns


@dataclasses.dataclass(frozen=True)
class _Trades(vb.Strategy):
    trades: int = 2

    def rows(self, bars: vb.Bars) -> Any:
        raise NotImplementedError


def test_pandas_has_the_same_numbers() -> None:
    frame = failing().to_pandas()
    assert list(frame.columns) == failing().table.columns and len(frame) == 4
    assert frame["sharpe"].isna().tolist() == [False, True, True, False]
    assert frame["sharpe"][0] == failing().table["sharpe"][0]


def test_profit_is_undefined_where_money_is_paid_in() -> None:
    run = changed(keywords={**grid().run.keywords, "flows": {"2000-03-06": 10.0}})  # type: ignore[union-attr]
    assert Sweep(run).table["profit"].is_nan().all()


# --- what went wrong -----------------------------------------------------------------------------------------------------


def test_an_error_of_one_set_is_kept_in_its_line() -> None:
    found = failing()
    assert sorted(found.errors) == [1, 2] and not found.partial
    assert found.table["error"].is_null().to_list() == [True, False, False, True]
    assert found.table["sharpe"].is_null().to_list() == [False, True, True, False]
    assert found.top(4)["set"].to_list()[2:] == [1, 2]
    assert "2 failed (see errors)" in repr(found)
    with pytest.raises(ConfigError):
        found.backtest(1)


def test_a_sweep_that_was_ended_early_is_partial() -> None:
    done = np.arange(60) < 20
    found = Sweep(changed(done=done))
    assert found.partial and not grid().partial
    assert found.table["sharpe"].null_count() == 40 and "40 not run (ended early)" in repr(found)


# --- order and choice ----------------------------------------------------------------------------------------------------


def test_undefined_comes_after_all_numbers_in_either_order() -> None:
    undefined = int(grid().table["sharpe"].is_nan().sum())
    assert undefined == 16  # slow=119 is never warm
    for ascending in (None, False, True):
        ranked = grid().top(60, ascending=ascending)["sharpe"].to_numpy()
        assert np.isnan(ranked[-undefined:]).all()
        steps = np.diff(ranked[:-undefined])
        assert (steps >= 0).all() if ascending else (steps <= 0).all()
    assert f"{undefined} undefined (NaN: such as no trade)" in repr(grid())


@pytest.mark.parametrize("metric", ["max_drawdown", "volatility", "ulcer", "longest_drawdown_bars"])
def test_where_lower_is_better_the_least_is_best(metric: str) -> None:
    assert grid().best(metric)[metric] == grid().table[metric].min()
    assert grid().best(metric, ascending=False)[metric] == grid().table[metric].max()


def test_best_has_parameters_and_metrics_and_equal_ones_go_to_the_first() -> None:
    best = grid().best()
    assert list(best) == ["set", *grid().parameters, *METRICS]
    assert best["sharpe"] == grid().table["sharpe"].fill_nan(None).max()
    assert grid().best("trades", ascending=True)["set"] == int(grid().table["trades"].arg_min() or 0)


def test_best_of_nothing_says_why() -> None:
    silent = grid().filter(pl.col("slow") == 119)
    with pytest.raises(ConfigError, match="none of the 16 sets has a sharpe: 16 undefined"):
        silent.best()


@pytest.mark.parametrize("n", [0, -1, 2.0, True])
def test_top_takes_a_whole_number(n: Any) -> None:
    with pytest.raises(ConfigError, match="whole number"):
        grid().top(n)


def test_filter_keeps_numbers_and_takes_expressions_and_functions() -> None:
    few = grid().filter((pl.col("fast") == 3) & (pl.col("trades") > 0))
    again = grid().filter(lambda table: (table["fast"].to_numpy() == 3) & (table["trades"].to_numpy() > 0))
    assert few.table.equals(again.table) and set(few.table["fast"]) == {3}
    last = few.table.row(-1, named=True)
    assert few.backtest(last["set"]).stats()["sharpe"] == last["sharpe"]
    assert len(few) == 12 and "12 of 60 sets" in repr(few)
    with pytest.raises(ConfigError, match="there is no set 0 here"):
        few.backtest(0)
    assert len(separate().filter(pl.col("symbol") == "IBM").table) == 6


def test_filters_that_cannot_be_are_refused() -> None:
    for wanted, words in (
        (pl.col("fast"), "expected booleans"), (lambda table: [True], "expected booleans"),
        (pl.col("nope") > 1, "expected an expression of"),
        (pl.col("fast") > 100, "leaves none of 60 lines"), (3, "cannot be used"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            grid().filter(wanted)


def test_repr_says_what_was_run_how_fast_and_what_is_best() -> None:
    lines = repr(grid()).splitlines()
    assert lines[0] == "Sweep: SmaCross · AAPL"
    assert lines[1].startswith("  60 sets over 120 bars, ") and "sets/s" in lines[1] and lines[1].endswith("bar-steps/s")
    assert lines[2].startswith("  best sharpe ") and f"(set {grid().best()['set']})" in lines[2]


# --- plateaus ------------------------------------------------------------------------------------------------------------


def twin(ranks: Any, groups: Any, values: Any) -> list[tuple[int, float, float, float, float]]:
    """Each set against each other one."""
    out = []
    for i in range(len(values)):
        near = [
            values[j] for j in range(len(values))
            if groups[j] == groups[i] and all(abs(a - b) <= 1 for a, b in zip(ranks[i], ranks[j], strict=True)) and np.isfinite(values[j])
        ]  # fmt: skip
        if not np.isfinite(values[i]) or len(near) < 2:
            out.append((len(near) - 1 if np.isfinite(values[i]) else 0, np.nan, np.nan, np.nan, np.nan))
        else:
            out.append((len(near) - 1, float(np.mean(near)), min(near), max(near), float(np.std(near))))
    return out


@pytest.mark.parametrize("seed", range(12))
def test_neighbourhoods_are_those_of_a_slow_twin(seed: int) -> None:
    """One to six parameters, holes, repeated sets, undefined and infinite metrics, groups."""
    rng = np.random.default_rng(seed)
    dimensions = 1 + seed % 6
    side = {1: 40, 2: 8, 3: 5, 4: 3, 5: 3, 6: 2}[dimensions]
    points = np.array(list(itertools.product(range(side), repeat=dimensions)), dtype=np.int64)
    ranks = points[rng.random(len(points)) < 0.7]
    ranks = np.concatenate([ranks, ranks[rng.integers(0, len(ranks), 3)]])
    values = rng.normal(1.0, 2.0, len(ranks))
    values[rng.random(len(ranks)) < 0.1], values[rng.random(len(ranks)) < 0.05] = np.nan, np.inf
    groups = rng.integers(0, 2, len(ranks))
    found = neighbourhoods(ranks, groups, values)
    expected = np.array(twin(ranks, groups, values))
    assert found.neighbours.tolist() == expected[:, 0].tolist()
    for column, name in enumerate(("average", "least", "greatest", "deviation"), start=1):
        np.testing.assert_allclose(getattr(found, name), expected[:, column], rtol=1e-12, atol=1e-12, err_msg=name)


def test_many_values_of_six_parameters_do_not_meet_in_one_key() -> None:
    """The number of combinations is beyond 64 bits."""
    rng = np.random.default_rng(0)
    ranks = np.concatenate([base := rng.integers(0, 5000, (40, 6)), base + rng.integers(-1, 2, (40, 6))])
    values = rng.normal(size=80)
    expected = np.array(twin(ranks, np.zeros(80), values))
    assert neighbourhoods(ranks, np.zeros(80, dtype=np.int64), values).neighbours.tolist() == expected[:, 0].tolist()
    assert expected[:, 0].min() >= 1


def test_a_lone_peak_scores_below_a_plateau() -> None:
    values = np.array([0.0, 0.0, 3.0, 0.0, 0.0, 2.0, 2.0, 2.0])
    found = neighbourhoods(np.arange(8)[:, None], np.zeros(8, dtype=np.int64), values)
    score = found.average - found.deviation
    assert score[6] == 2.0 and score[2] < 0.0


def test_plateau_takes_steps_on_the_values_that_occur_and_leaves_words_and_symbols_apart() -> None:
    table = grid().plateau()
    assert table.columns == ["set", *grid().parameters, "sharpe", "neighbours", "mean", "worst", "deviation", "plateau"]
    for row in table.iter_rows(named=True):
        slow, fast = [6, 9, 14, 119], [2, 3, 5, 8]
        near = [
            other["sharpe"] for other in table.iter_rows(named=True)
            if other["fill"] == row["fill"] and abs(slow.index(other["slow"]) - slow.index(row["slow"])) <= 1
            and abs(fast.index(other["fast"]) - fast.index(row["fast"])) <= 1 and not math.isnan(other["sharpe"])
        ]  # fmt: skip
        if math.isnan(row["sharpe"]):
            assert math.isnan(row["plateau"])
        else:
            assert row["neighbours"] == len(near) - 1 and row["worst"] == min(near)
            assert row["plateau"] == pytest.approx(np.mean(near) - np.std(near), abs=1e-12)
    assert grid().plateau("max_drawdown")["worst"].max() == grid().table["max_drawdown"].max()  # no drawdown is undefined
    assert set(separate().plateau()["neighbours"]) == {3, 5}


def test_plateau_of_too_few_or_too_many_parameters_is_refused() -> None:
    with pytest.raises(ConfigError, match="no numeric parameter varies"):
        grid().filter((pl.col("fast") == 2) & (pl.col("slow") == 6) & (pl.col("stops.hard") == 0.04)).plateau()
    sets = grid().run.sets  # type: ignore[union-attr]
    codes = np.column_stack([np.arange(60) % 2] * 7)
    many = dataclasses.replace(sets, names=tuple(f"p{k}" for k in range(7)), values=((1, 2),) * 7, codes=codes)
    with pytest.raises(ConfigError, match="7 numeric parameters vary"):
        Sweep(changed(sets=many)).plateau()


# --- files ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [grid, separate, failing])
def test_a_saved_sweep_comes_back_whole(made: Any, tmp_path: Path) -> None:
    original = made()
    loaded = Sweep.load(original.save(tmp_path / "sweep"))
    assert loaded.table.equals(original.table) and repr(loaded) == repr(original) and len(loaded) == len(original)
    assert loaded.errors == original.errors and loaded.metrics == original.metrics and loaded.plateau().equals(original.plateau())
    with pytest.raises(StateError, match="without its bars"):
        loaded.backtest(0)


def test_with_bars_strategy_and_keywords_sets_of_a_loaded_sweep_run_again(tmp_path: Path) -> None:
    few = grid().filter(pl.col("slow") == 14)
    few.save(tmp_path / "sweep")
    loaded = Sweep.load(tmp_path / "sweep", bars=ONE, strategy=SmaCross(2, 20), costs=COSTS)
    best = loaded.best()
    assert best == few.best() and loaded.backtest(best["set"]).stats()["sharpe"] == best["sharpe"]
    assert loaded.run is not None
    assert loaded.run.final[:, 0].tolist() == few.table["final_equity"].to_list() and (loaded.run.initial == 100_000.0).all()


def test_other_bars_strategies_and_keywords_are_refused_with_both_fingerprints(tmp_path: Path) -> None:
    grid().save(tmp_path / "sweep")
    given: dict[str, Any] = {"bars": ONE, "strategy": SmaCross(2, 20), "costs": COSTS}
    for other, words in (
        ({"bars": BARS}, f"bars .*{ONE.content_hash} saved, {BARS.content_hash} given"),
        ({"strategy": SmaCross(2, 21)}, "strategy .*slow=20.* saved, .*slow=21.* given"),
        ({"costs": vb.Costs(commission_rate=0.002)}, "costs .*0.001.* saved, .*0.002.* given"),
        ({"band": 0.1}, "band .*not given saved, 0.1 given"),
        ({"strategy": None}, "all of them"),
    ):  # fmt: skip
        with pytest.raises(StateError, match=words):
            Sweep.load(tmp_path / "sweep", **{**given, **other})


def test_values_that_only_code_makes_are_saved_as_text_and_not_run(tmp_path: Path) -> None:
    sets = grid().run.sets  # type: ignore[union-attr]
    odd = dataclasses.replace(sets, values=(*sets.values[:3], (len, max)))
    original = Sweep(changed(sets=odd))
    original.save(tmp_path / "sweep")
    assert Sweep.load(tmp_path / "sweep").table.equals(original.table)
    with pytest.raises(StateError, match=r"fill took the value .*could not be saved whole"):
        Sweep.load(tmp_path / "sweep", bars=ONE, strategy=SmaCross(2, 20), costs=COSTS)


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    folder = grid().save(tmp_path / "sweep")
    with pytest.raises(ConfigError, match="overwrite=True"):
        failing().save(folder)
    assert Sweep.load(failing().save(folder, overwrite=True)).errors == failing().errors
    (folder / "note.txt").write_text("mine")
    with pytest.raises(ConfigError, match="no saved sweep that could be replaced"):
        grid().save(folder, overwrite=True)
    with pytest.raises(ConfigError, match="make it first"):
        grid().save(tmp_path / "no" / "such")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sweep"]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    folder = grid().save(tmp_path / "sweep")
    whole = (folder / "sweep.json").read_text()
    for text, words in (
        (whole.replace('"schema": 2', '"schema": 99'), "layout 99"), (whole.replace("SmaCross", "EmaCross"), "was changed"),
        (json.dumps({"what": "else"}), "not that of a saved sweep"), ("{", "can be read"),
    ):  # fmt: skip
        (folder / "sweep.json").write_text(text)
        with pytest.raises(StateError, match=words):
            Sweep.load(folder)
    (folder / "sweep.json").write_text(whole)
    lines = (folder / "lines.parquet").read_bytes()
    (folder / "lines.parquet").write_bytes(lines[:-1] + b"x")
    with pytest.raises(StateError, match="was changed"):
        Sweep.load(folder)
    with pytest.raises(StateError, match=r"expected a folder that Sweep\.save wrote"):
        Sweep.load(tmp_path / "nothing")


# --- progress ------------------------------------------------------------------------------------------------------------


def test_a_function_hears_of_all_sets() -> None:
    heard: list[tuple[int, int]] = []
    vb.sweep(ONE, SmaCross(2, 20), {"fast": [2, 3]}, costs=COSTS, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (2, 2)
    with pytest.raises(ConfigError, match="progress is True"):
        vb.sweep(ONE, SmaCross(2, 20), {"fast": [2]}, costs=COSTS, progress=True)  # type: ignore[arg-type]


def test_the_bar_waits_until_work_takes_long(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("sweep", after=0.01, unit="sets") as report:
        assert report is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress_bar("sweep", after=60.0, unit="sets") as report:
        assert report is not None
        report(1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("sweep", after=0.01, unit="sets") as report:
        assert report is not None
        time.sleep(0.1)
        report(1, 2)
    assert "sweep" in capsys.readouterr().err


def test_inputs_are_swept_as_they_are_given() -> None:
    """As for `backtest`, Signals in place of a strategy: the same rows in every set, each line a run of its own."""
    bars = vb.synthetic.gbm(T=90, N=1, seed=8)
    entries = np.zeros(bars.T, dtype=bool)
    entries[::20] = True
    given = vb.Signals(entries=entries)
    costs, hard = vb.Costs(commission_rate=0.001), [vb.Pct(0.5), vb.Pct(2)]
    found = vb.sweep(bars, given, {"stops.hard": hard}, costs=costs, progress=False)
    for c, stop in enumerate(hard):
        stats = vb.backtest(bars, given, costs=costs, stops=vb.Stops(hard=stop)).stats()
        assert stats["total_return"] == found.table["total_return"][c] == found.backtest(c).stats()["total_return"]
    assert found.table["total_return"].n_unique() == 2 and "Signals" in repr(found)


@pytest.mark.parametrize("rate", ["a", True, float("nan")])
def test_rates_that_are_none_are_refused(rate: Any) -> None:
    with pytest.raises(ConfigError, match="expected a return per bar"):
        vb.sweep(vb.synthetic.gbm(T=30, N=1), vb.strategies.SmaCross(2, 5), {"fast": [2]}, rf=rate, costs=vb.Costs.free())
