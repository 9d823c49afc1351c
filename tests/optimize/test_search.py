"""OPT-01, OPT-03, OPT-04: a search is sweeps of its generations; it remembers, keeps, resumes and tells."""

from __future__ import annotations

import dataclasses
import logging
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.house.source import ROOT
from tests.optimize.searches import BARS, COSTS, METHOD, SPACE, assert_same, drawdown_and_return, small
from vecbt.errors import ConfigError, DataError, StateError
from vecbt.optimize import driving, keeping
from vecbt.optimize.genetic import Genetic
from vecbt.optimize.history import Generation, History, keys_of
from vecbt.optimize.luck_scores import Deflated, Plateau
from vecbt.optimize.objective import Penalty, Weighted
from vecbt.optimize.sampling import GridSearch, RandomSearch
from vecbt.optimize.searched import Search
from vecbt.optimize.variables import Choice, Range, Variables
from vecbt.strategies import SmaCross

# --- what it finds ---------------------------------------------------------------------------------------------------------


def test_opt03_each_set_is_a_backtest_of_it_and_the_best_is_the_best() -> None:
    """OPT-03."""
    found = small()
    table = found.table
    assert len(found) == len(table) == table["set"].n_unique() and table["set"].to_list() == list(range(len(found)))
    best = found.best()
    assert best["score"] == table["score"].max() == best["total_return"]
    result = found.backtest(best["set"])
    assert result.stats()["total_return"] == best["total_return"] and result.stats()["trades"] == best["trades"]
    assert (table["fast"] < table["slow"]).all()
    assert found.top(3)["score"].to_list() == table["score"].sort(descending=True).to_list()[:3]
    assert set(found.best_parameters) == set(SPACE)
    assert "best score" in repr(found) and "Genetic(population=10" in repr(found)


def test_opt03_a_grid_finds_what_the_sweep_over_it_finds() -> None:
    space: dict[str, Any] = {"fast": [2, 3, 4], "slow": [5, 9, 12]}
    found = small(space=space, method=GridSearch(), objective="sharpe")
    swept = vb.sweep(BARS, SmaCross(3, 10), space, costs=COSTS, progress=False)
    assert found.best()["sharpe"] == swept.best()["sharpe"]
    assert sorted(found.table["sharpe"].to_list()) == sorted(swept.table["sharpe"].to_list())
    assert found.sweep(blocks=False).table.drop("set").equals(found.table.select(swept.table.drop("set", "error").columns).with_columns(
        swept.table["error"].clear(len(found))
    ))  # fmt: skip


def test_opt01_the_same_call_gives_the_same_search_on_any_number_of_threads() -> None:
    assert_same(small(threads=2), small())
    assert not small(seed=4).table.equals(small().table)


def test_opt01_a_set_met_again_is_not_run_again_and_no_new_trial(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VECBT_LEDGER", str(tmp_path))
    space: dict[str, Any] = {"fast": [2, 3, 4], "slow": [5, 9]}
    found = small(space=space, method=RandomSearch(60, batch=15), objective="total_return")
    runs = found.generations
    assert len(found) == 6 and runs["evaluated"].sum() == 6
    # those that were drawn twice in one generation count as met again, too
    assert runs["asked"].sum() == 60 and runs["again"].sum() == 54
    assert found.trials.recorded and found.trials.count == 6
    small(space=space, method=GridSearch(), objective="total_return")
    assert found.trials.count == 6


def test_opt01_sets_that_break_constraints_are_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VECBT_LEDGER", str(tmp_path))
    space = {"fast": (2, 10), "slow": (3, 12)}
    found = small(space=space, method=RandomSearch(80), where=lambda p: p["fast"] * 2 <= p["slow"])
    table, runs = found.table, found.generations
    assert (table["fast"] * 2 <= table["slow"]).all()
    assert runs["infeasible"].sum() > 0 and runs["evaluated"].sum() == len(found) == found.trials.count
    assert runs["asked"].sum() == (runs["evaluated"] + runs["again"] + runs["infeasible"] + runs["refused"] + runs["failed"]).sum()
    with pytest.raises(ConfigError, match="break a constraint"):
        small(space=space, method=RandomSearch(20), where=lambda p: p["fast"] < 0)


@dataclass(frozen=True)
class Odd(vb.Strategy):
    """In on bars of one remainder; some parameters are refused, some fail."""

    step: int = vb.Parameter(3, low=2, high=9, integer=True)

    def check(self) -> None:
        """No fours."""
        if self.step == 4:
            raise ConfigError("step is 4; expected anything else")

    def rows(self, bars: vb.Bars) -> Any:
        """Fives are out of luck."""
        if self.step == 5:
            raise RuntimeError("out of luck")
        t = np.arange(bars.T)[:, None]
        return vb.Signals(entries=t % self.step == 1, exits=t % self.step == 0)


def test_opt01_what_the_strategy_refuses_is_infeasible_and_what_fails_has_its_error() -> None:
    found = small(strategy=Odd(), space=None, method=GridSearch())
    assert sorted(found.table["step"].to_list()) == [2, 3, 6, 7, 8, 9]
    rows = {row["step"]: row for row in found.refused.to_dicts()}
    assert rows[4]["refused"] and "expected anything else" in rows[4]["error"]
    assert not rows[5]["refused"] and "out of luck" in rows[5]["error"]
    assert found.generations["refused"].sum() == 1 and found.generations["failed"].sum() == 1
    assert found.trials.recorded


def test_opt01_conditional_and_logarithmic_parameters_are_searched() -> None:
    space = {"fast": Range(2, 8), "slow": (10, 30), "stops.hard": [None, vb.Pct(3.0)], "costs.commission_rate": Range(1e-4, 1e-2, log=True)}
    table = small(space=space).table
    assert table["costs.commission_rate"].min() >= 1e-4 and table["costs.commission_rate"].max() <= 1e-2
    assert "stops.hard" in table.columns and Choice([1]).when is None


def test_opt01_separate_accounts_score_by_the_mean_over_symbols() -> None:
    bars = vb.synthetic.garch_jumps(T=80, N=2, seed=4)
    space = {"fast": [2, 3], "slow": [9]}
    found = small(bars=bars, accounts="separate", space=space, method=GridSearch())
    swept = vb.sweep(bars, SmaCross(3, 10), space, costs=COSTS, accounts="separate", progress=False).table
    wanted = swept["total_return"].to_numpy().reshape(2, 2).mean(axis=1)
    assert np.allclose(found.table["total_return"], wanted, rtol=1e-15)
    with pytest.raises(ConfigError, match="one account"):
        small(bars=bars, accounts="separate", objective=Deflated())


def test_opt01_the_setup_is_searched_for_given_signals() -> None:
    given = SmaCross(3, 10).rows(BARS)
    found = small(strategy=given, space={"costs.commission_rate": Range(1e-4, 1e-2)}, method=RandomSearch(8))
    best = found.best()
    assert best["costs.commission_rate"] == found.table["costs.commission_rate"].min() and found.trials.recorded
    assert found.backtest(best["set"]).stats()["total_return"] == best["total_return"]


# --- objectives in a search ------------------------------------------------------------------------------------------------


def test_opt04_several_objectives_give_a_front_that_nothing_beats() -> None:
    found = small(objective=["total_return", "max_drawdown"])
    front = found.front()
    points = found.table.select("score.1", "score.2").to_numpy()
    for row in front.select("score.1", "score.2").to_numpy():
        assert not ((points >= row).all(axis=1) & (points > row).any(axis=1)).any()
    assert (found.table["score.2"] == -found.table["max_drawdown"]).all()
    assert found.best(1)["score.2"] == found.table["score.2"].max()


def test_opt01_a_function_weights_and_penalties_score_in_a_search() -> None:
    found = small(objective=drawdown_and_return)
    assert np.allclose(found.table["score"], found.table["total_return"] - found.table["max_drawdown"])
    some = small(objective=Penalty("trades", at_least=5, weight=1.0, of=Weighted({"total_return": 1.0, "max_drawdown": -0.5})))
    few = np.maximum(5 - some.table["trades"].to_numpy(), 0) / 5
    assert np.allclose(some.table["score"], some.table["total_return"] - 0.5 * some.table["max_drawdown"] - few)


def test_opt01_scores_that_look_around_are_made_anew_at_the_end() -> None:
    for objective in (Plateau("total_return", width=0.2), Deflated()):
        found = small(objective=objective)
        seen = found._history.seen(np.arange(len(found)), BARS.T, BARS.periods_per_year)
        assert np.array_equal(found.scores[:, 0], objective.scores(seen), equal_nan=True)


def test_opt01_deflated_takes_moments_from_the_sweep() -> None:
    found = small(objective=Deflated())
    ratios = found._history.columns["bar_sharpe"] * math.sqrt(BARS.periods_per_year)
    assert np.allclose(ratios, found.table["sharpe"], equal_nan=True)


def test_opt01_an_objective_that_is_nan_everywhere_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    space = {"fast": (50, 60), "slow": (100, 110)}
    with pytest.warns(UserWarning, match="win_rate.*NaN for all.*closed no trade"):
        found = small(space=space, objective="win_rate")
    with pytest.raises(ConfigError, match="NaN for all"):
        found.best()
    monkeypatch.setattr(driving, "ENOUGH", 15)
    with pytest.raises(ConfigError, match="widen the space"):
        small(space=space, objective="win_rate")


# --- its end ---------------------------------------------------------------------------------------------------------------


def test_opt01_a_condition_and_a_number_of_sets_end_it() -> None:
    found = small(stop=lambda generation: generation.number == 2)
    assert len(found.generations) == 2 and "condition" in found.ended and not found.partial
    limited = small(max_sets=25)
    assert len(limited) <= 25 < len(small()) and "max_sets=25" in limited.ended
    with pytest.raises(ConfigError, match="first generation has"):
        small(max_sets=3)


def test_opt01_ctrl_c_gives_what_is_done() -> None:
    def stop(sets: int, total: int | None) -> None:
        if sets > 15:
            raise KeyboardInterrupt

    found = small(progress=stop)
    whole = small()
    assert found.partial and "Ctrl-C" in found.ended and 15 < len(found) < len(whole)
    assert found.table.equals(whole.table[: len(found)])


def test_opt01_ctrl_c_in_a_sweep_keeps_its_finished_sets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from vecbt.engine import sweep as engine_sweep

    whole, count = small(), 0
    original = engine_sweep._Reporter.finished

    def finished(self: Any, numbers: Any) -> None:
        nonlocal count
        original(self, numbers)
        count += len(numbers)
        if count > 15:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(engine_sweep._Reporter, "finished", finished)
        found = small(tmp_path / "kept", strategy=SmaCross(3, 10))
    assert found.partial and len(found) < len(whole)
    assert not np.isnan(found.scores).any()
    assert_same(small(tmp_path / "kept"), whole)


# --- kept and taken up -----------------------------------------------------------------------------------------------------


_CUTS: list[tuple[Any, int]] = [
    *(("total_return", cut) for cut in (1, 2, 3, 4)), *((Deflated(), cut) for cut in (1, 2, 3, 4)),
    (Plateau("total_return"), 2), (["total_return", "max_drawdown"], 3),
]  # fmt: skip


@pytest.mark.parametrize(("objective", "cut"), _CUTS)
def test_opt01_a_search_cut_after_any_generation_goes_on_to_the_same_result(objective: Any, cut: int, tmp_path: Path) -> None:
    whole = small(objective=objective)
    calls = 0

    def stop(sets: int, total: int | None) -> None:
        nonlocal calls
        calls += 1
        if calls == cut:
            raise KeyboardInterrupt

    cut_off = small(tmp_path / "kept", objective=objective, progress=stop)
    assert len(cut_off.generations) == cut
    found = small(tmp_path / "kept", objective=objective)
    assert_same(found, whole)
    # once more, with nothing left to do
    assert_same(small(tmp_path / "kept", objective=objective), whole)


def test_opt01_a_killed_search_goes_on_to_the_same_result(tmp_path: Path) -> None:
    environment = {**os.environ, "VECBT_ENGINE": "python", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", f"from tests.optimize.searches import slowly; slowly({str(tmp_path / 'kept')!r})"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "go"
        with pytest.raises(ConfigError, match="another search is at work"):
            small(tmp_path / "kept")
    finally:
        process.kill()
        process.communicate()
    held = Search.load(tmp_path / "kept")
    assert len(held.generations) == 3
    (tmp_path / "kept" / "sets-0.npz").write_bytes(b"cut short")
    assert_same(small(tmp_path / "kept"), small())
    assert not (tmp_path / "kept" / "sets-0.npz").exists()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"bars": vb.synthetic.garch_jumps(T=120, N=1, seed=5)}, r"the bars differ \(data: \w{16} there, \w{16} now\)"),
        ({"space": {"fast": (2, 9), "slow": (4, 30), "stops.hard": SPACE["stops.hard"]}}, "what differs there is: .*space"),
        ({"objective": "sharpe"}, "what differs there is: objective"),
        ({"method": dataclasses.replace(METHOD, generations=6)}, "what differs there is: method"),
        ({"seed": 4}, "what differs there is: seed"),
        ({"costs": vb.Costs(commission_rate=0.002)}, "what differs there is: keywords"),
        ({"strategy": SmaCross(4, 10)}, "what differs there is: strategy"),
        ({"where": lambda p: p["fast"] > 2}, "what differs there is: code"),
        ({"rf": 0.001}, "what differs there is: rates"),
    ],
)
def test_opt01_a_checkpoint_of_another_search_is_refused_with_both_hashes(other: dict[str, Any], said: str, tmp_path: Path) -> None:
    small(tmp_path / "kept")
    before = {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()}
    with pytest.raises(ConfigError, match=said):
        small(tmp_path / "kept", **other)
    assert {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()} == before


def test_opt01_a_checkpoint_of_another_fitness_function_is_refused(tmp_path: Path) -> None:
    small(tmp_path / "kept", objective=lambda m: m["total_return"])
    with pytest.raises(ConfigError, match="what differs there is: code"):
        small(tmp_path / "kept", objective=lambda m: m["total_return"] * 2.0)


def test_opt01_a_checkpoint_of_other_kernels_or_a_damaged_one_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from vecbt.optimize import search as module

    small(tmp_path / "kept")
    with monkeypatch.context() as patched:
        patched.setattr(module, "kernel_sources_hash", lambda: "0" * 64)
        with pytest.raises(ConfigError, match="sources of the kernels differ"):
            small(tmp_path / "kept")
    part = next((tmp_path / "kept").glob("sets-*.npz"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    with pytest.raises(ConfigError, match="was changed since it was written"):
        small(tmp_path / "kept")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("words")
    with pytest.raises(ConfigError, match=r"holds 'thesis.tex' and no search"):
        small(tmp_path / "mine")


def test_opt01_writes_at_most_once_a_second_and_at_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now, writes = 0.0, []
    original = keeping.Keeper.write

    def write(self: Any, *given: Any, **other: Any) -> None:
        writes.append(now)
        original(self, *given, **other)

    class Clock:
        """Time goes on by half a second a generation."""

        @staticmethod
        def perf_counter() -> float:
            return now

    def goes_on(generation: Generation) -> bool:
        nonlocal now
        now += 0.5
        return False

    monkeypatch.setattr(keeping.Keeper, "write", write)
    monkeypatch.setattr(keeping, "time", Clock)
    found = small(tmp_path / "kept", stop=goes_on, method=Genetic(population=10, generations=8))
    assert writes == [1.0, 2.0, 3.0, 4.0]
    assert_same(small(method=Genetic(population=10, generations=8)), found)


def test_opt01_saved_and_loaded(tmp_path: Path) -> None:
    found = small(objective=["total_return", Plateau("total_return")])
    found.save(tmp_path / "saved")
    loaded = Search.load_results(tmp_path / "saved")
    assert_same(loaded, found)
    assert repr(loaded) == repr(found) and loaded.best() == found.best()
    with pytest.raises(StateError, match="without its bars"):
        loaded.backtest(0)
    again = Search.load(tmp_path / "saved", bars=BARS, strategy=SmaCross(3, 10), costs=COSTS)
    assert again.backtest(3).stats()["total_return"] == found.table["total_return"][3]
    with pytest.raises(StateError, match="costs"):
        Search.load(tmp_path / "saved", bars=BARS, strategy=SmaCross(3, 10), costs=vb.Costs.free())
    with pytest.raises(StateError, match="another strategy"):
        Search.load(tmp_path / "saved", bars=BARS, strategy=SmaCross(3, 11), costs=COSTS)
    with pytest.raises(ConfigError, match="overwrite=True"):
        found.save(tmp_path / "saved")
    found.save_results(tmp_path / "saved", overwrite=True)
    with pytest.raises(StateError, match="holds no search"):
        Search.load(tmp_path)


# --- luck, words, pictures -------------------------------------------------------------------------------------------------


def test_opt01_evidence_counts_every_set_that_was_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VECBT_LEDGER", str(tmp_path))
    found = small(objective="sharpe")
    before = found.trials
    evidence = found.evidence(resamples=50)
    assert evidence.parts["trials"].count == len(found) == before.count
    assert not len(before.blocks_sample()) and len(found.trials.blocks_sample()) == len(found)


def test_opt03_a_line_a_generation_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="vecbt.search"):
        small()
    first: Any = caplog.records[0]
    assert len(caplog.records) == 5
    assert first.getMessage().startswith("Gen 1/5 | Best: ") and "Params: {'fast'" in first.getMessage()
    assert first.optimizer == "Genetic" and first.generation == 1 and isinstance(first.best_fitness, float)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"method": Genetic}, "an object such as"),
        ({"seed": -1}, "seed is -1"),
        ({"max_sets": 0}, "max_sets is 0"),
        ({"stop": 3}, "stop is 3"),
        ({"space": {"fast": (8, 2)}}, "wrong way round"),
        ({"space": {"fats": (2, 8)}}, "fast"),
        ({"objective": "sharp"}, "sharpe"),
    ],
)
def test_opt01_bad_input_says_what_to_do(other: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        small(**other)
    with pytest.raises(DataError, match="expected Bars"):
        small(bars=3)


def test_opt01_pictures_are_drawn(tmp_path: Path) -> None:
    one, two = small(), small(objective=["total_return", "max_drawdown"])
    for figure in (one.plot_convergence(), two.plot_convergence(tmp_path / "a.png"), two.plot_front(path=tmp_path / "b.svg")):
        assert figure.axes
    assert (tmp_path / "a.png").stat().st_size > 1000
    with pytest.raises(ConfigError, match="one objective"):
        one.plot_front()
    with pytest.raises(ConfigError, match="two of the objectives"):
        two.plot_front(0, 2)


def test_opt01_a_live_picture_is_drawn_and_then_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    display = pytest.importorskip("IPython.display")
    shown: list[str] = []

    class Handle:
        """What a notebook gives back."""

        def update(self, figure: Any) -> None:
            shown.append(f"update {len(figure.axes)}")

    def draw(figure: Any, display_id: bool) -> Handle:
        shown.append(f"first {display_id}")
        return Handle()

    monkeypatch.setattr(display, "display", draw)
    small(live=True)
    assert shown[0] == "first True" and shown[-1] == "update 1"


def test_opt01_progress_counts_distinct_sets() -> None:
    told: list[tuple[int, int | None]] = []
    found = small(progress=lambda sets, total: told.append((sets, total)), max_sets=1000)
    assert [sets for sets, _ in told] == np.cumsum(found.generations["evaluated"]).tolist() and told[-1] == (len(found), 1000)


def test_opt01_new_sets_are_numbered_once_in_order_and_what_did_not_come_is_forgotten() -> None:
    """Among sets met before and sets that stand twice."""
    over = Variables.of({"x": (0, 9)}, vb.Space("nothing", ()), {})
    history, genes = History(over, ("a",), 1), np.arange(10.0)[:, None]
    keys = keys_of(genes)
    assert keys == [row.tobytes() for row in genes]
    rows, new = history.expect([keys[4], keys[7]])
    assert rows.tolist() == [0, 1] and new == [0, 1]
    history.add(genes[[4, 7]], np.array([[40.0, 70.0]]), 1, expected=True)
    asked = [keys[k] for k in (7, 2, 9, 2, 4, 9)]
    for _ in range(2):
        rows, new = history.expect(asked)
        assert rows.tolist() == [1, 2, 3, 2, 0, 3] and new == [1, 2]
        history.forget(asked[i] for i in new)
        assert history.place(keys[2]) is history.place(keys[9]) is None and len(history) == 2
    history.expect(asked)
    history.add(genes[[2, 9]], np.array([[20.0, 90.0]]), 2, expected=True)
    assert history.rows(asked).tolist() == [1, 2, 3, 2, 0, 3]
    assert history.columns["a"].tolist() == [40.0, 70.0, 20.0, 90.0] and history.generation.tolist() == [1, 1, 2, 2]
