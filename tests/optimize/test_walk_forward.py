"""OPT-02: parameters are chosen on the past alone, one account trades what was chosen through all joins, and it is a strategy."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.optimize.test_schedule import some_bars
from vecbt.data.bars import Bars
from vecbt.engine.event_strategy import EventStrategy
from vecbt.errors import ConfigError, DataError, StateError, StrategyError
from vecbt.executors.base import Threads
from vecbt.faces.optimizers import OptimizerFactory, ParameterBounds
from vecbt.optimize import lockstep
from vecbt.optimize.genetic import Genetic
from vecbt.optimize.luck_scores import Deflated, Plateau
from vecbt.optimize.sampling import GridSearch, RandomSearch
from vecbt.optimize.variables import Choice
from vecbt.optimize.walk_result import WalkForward

BARS = some_bars(240, 1, seed=11)
COSTS = vb.Costs(commission_rate=0.001)
CROSS = vb.strategies.SmaCross(3, 10, "both")
SPACE: dict[str, Any] = {"fast": [2, 4], "slow": [7, 12]}
WINDOWS: dict[str, Any] = {"train": 90, "test": 50}
_FOUND: dict[str, WalkForward] = {}


def walk(bars: Bars = BARS, **more: Any) -> WalkForward:
    """A small walk-forward."""
    given: dict[str, Any] = {"space": SPACE, "costs": COSTS, "progress": False, "purge": 4, "threads": 1, **WINDOWS, **more}
    return vb.walk_forward(bars, given.pop("strategy", CROSS), **given)


def plain() -> WalkForward:
    """One that tests share."""
    if not _FOUND:
        _FOUND["plain"] = walk()
    return _FOUND["plain"]


def changed_after(bars: Bars, first: int) -> Bars:
    """The same bars with another future."""
    other = np.random.default_rng(5).normal(0.0, 0.03, bars.T)
    other[:first] = 0.0
    scale = np.exp(np.cumsum(other))[:, None]
    fields = [getattr(bars, name) * scale for name in ("open", "high", "low", "close")]
    return Bars.from_numpy(*fields, index=bars.times, symbols=bars.symbols)


# --- what is chosen --------------------------------------------------------------------------------------------------------


def test_opt02_each_fold_adopts_the_best_set_of_its_training_window_and_nothing_else() -> None:
    """OPT-02."""
    for fold in plain()._found:
        assert fold.test[0] - fold.train[1] == fold.purge == 4
        swept = vb.sweep(BARS, CROSS, {**SPACE, "between": [fold.train]}, costs=COSTS, progress=False, threads=1)
        best = swept.best("sharpe")
        assert fold.parameters == {"fast": best["fast"], "slow": best["slow"]}
        assert fold.in_sample == best["sharpe"]
        for window, score, earned in ((fold.train, fold.in_sample, fold.in_return), (fold.test, fold.out_of_sample, fold.out_return)):
            stats = vb.backtest(BARS, vb.strategies.SmaCross(direction="both", **fold.parameters), between=window, costs=COSTS).stats()
            assert np.array_equal([score, earned], [stats["sharpe"], stats["total_return"]], equal_nan=True)


@pytest.mark.parametrize(
    "more", [{}, {"purge": None}, {"improvement_threshold": 0.0, "inner": 0.3}, {"anchored": True, "method": Genetic(8, 2)}]
)
def test_opt02_bars_from_a_test_on_change_nothing_that_was_chosen_before_it(more: dict[str, Any]) -> None:
    found = walk(**more)
    second = found._found[1]
    other = walk(changed_after(BARS, second.test[0]), **more)
    for k in (0, 1):
        mine, theirs = dataclasses.asdict(found._found[k]), dataclasses.asdict(other._found[k])
        differ = {name for name in mine if str(mine[name]) != str(theirs[name])}
        assert differ <= ({"out_of_sample", "out_return", "trades"} if k else set())


def test_opt02_fault_27_adoption_is_decided_on_the_inner_window() -> None:
    found = walk(improvement_threshold=0.05, inner=0.3, space={"fast": [2, 3, 4], "slow": [6, 9, 14]}, test=25)
    compared = [fold for fold in found._found if not math.isnan(fold.validated)]
    assert compared
    force = found._found[0].chosen
    for fold in found._found:
        assert fold.validate is not None
        assert fold.train[1] + 4 == fold.validate[0]
        assert fold.validate[1] + 4 == fold.test[0]
        if not math.isnan(fold.validated):
            for values, score in ((fold.chosen, fold.validated), (force, fold.incumbent)):
                made = vb.strategies.SmaCross(direction="both", **values)
                assert vb.backtest(BARS, made, between=fold.validate, costs=COSTS).stats()["sharpe"] == score
            assert fold.adopted == (fold.validated - fold.incumbent > 0.05 * abs(fold.incumbent))
        force = fold.parameters
        assert fold.parameters == fold.chosen or not fold.adopted
    assert not any(fold.adopted for fold in walk(improvement_threshold=1e9, test=25)._found[1:])


def test_opt02_a_purge_that_is_not_given_is_the_holding_time_of_the_best_sets() -> None:
    found = walk(purge=None)
    for fold in found._found:
        first = vb.sweep(BARS, CROSS, {**SPACE, "between": [(fold.train[0], fold.test[0])]}, costs=COSTS, progress=False, threads=1)
        run = first.backtest(first.best("sharpe")["set"]).run
        held = [*(run.trades["exit_t"] - run.trades["entry_t"]), *(run.bars.T - run.assets["entry_t"][run.assets["q"] != 0])]
        assert fold.purge == min(math.ceil(np.quantile(held, 0.95)), 45)
        assert fold.test[0] - fold.train[1] == fold.purge
        assert 0 < fold.holding < fold.train[1] - fold.train[0]
    table = found.folds
    assert table["purge"].to_list() == [fold.purge for fold in found._found]
    assert table["holding"].to_list() == [fold.holding for fold in found._found]
    assert all(fold.purge >= 20 for fold in walk(purge=None, horizon=20)._found)
    assert [fold.embargo for fold in walk(embargo=3)._found] == [3] * len(walk(embargo=3))


def test_opt02_a_long_holding_time_is_cut_at_half_of_the_window_and_said() -> None:
    found = walk(purge=None, horizon=80)
    assert {fold.purge for fold in found._found} == {45}
    assert "more than half of the window" in found.notes[0]
    assert "more than half" in repr(found)


# --- the account -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flatten", [True, False])
def test_opt02_the_stitched_account_is_a_strategy_that_replays_to_the_last_bit(flatten: bool) -> None:
    found = walk(flatten=flatten)
    later = BARS[found._found[0].test[0] :]
    parity = vb.check_parity(later, found.strategy, costs=COSTS)
    assert parity.ok, parity.difference
    assert found.result.check_parity(restarts=2).ok
    report = vb.check_strategy(found.strategy, later, cuts=3)
    assert report.ok, str(report)
    again = vb.backtest(later, found.strategy, costs=COSTS)
    assert again.run.equity.tobytes() == found.result.run.equity.tobytes()


def test_opt02_it_is_the_run_between_two_bars_of_the_same_schedule_over_all_bars() -> None:
    found = plain()
    first, stop = found._found[0].test[0], found._found[-1].test[1]
    schedule = found.strategy
    assert isinstance(schedule, vb.Schedule)
    cold = vb.Schedule(schedule.members, schedule.starts, schedule.closes)
    between = vb.backtest(BARS, cold, between=(first, stop), costs=COSTS)
    assert between.run.equity.tobytes() == found.result.run.equity.tobytes()
    assert stop == BARS.T
    assert found.result.run.bars.T == stop - first


def test_opt02_all_bars_after_the_first_training_are_tested_once() -> None:
    found = plain()
    tested = np.concatenate([np.arange(*fold.test) for fold in found._found])
    np.testing.assert_array_equal(tested, np.arange(94, BARS.T))
    assert len(found) == 3
    one = walk(BARS[:144])
    assert len(one) == 1
    with pytest.raises(ConfigError, match=r"need 144 bars; there are 143"):
        walk(BARS[:143])


def test_opt02_with_a_longer_step_parameters_stay_in_force_between_tests() -> None:
    found = walk(step=60, test=40)
    assert [fold.test for fold in found._found] == [(94, 134), (154, 194), (214, 240)]
    assert found.result.run.bars.T == 240 - 94
    assert found.strategy.starts == tuple(str(day)[:10] for day in BARS.times[[94, 154, 214]])  # type: ignore[attr-defined]


def test_opt02_windows_in_time_are_those_of_bars_where_each_day_has_one() -> None:
    days = walk(train="90D", test="50D", purge="4D")
    assert days.folds.equals(plain().folds)


def test_opt02_every_set_is_in_the_ledger_and_evidence_counts_them() -> None:
    bars = some_bars(200, 1, seed=77)
    found = walk(bars)
    assert found.result.trials.count >= 4 + 1
    assert "trials" in str(found.evidence(resamples=0)).lower()


# --- in as few sweeps as can be ------------------------------------------------------------------------------------------------


def test_opt02_searches_of_all_folds_are_one_sweep_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    inner = lockstep.sweep

    def counting(*args: Any, **more: Any) -> Any:
        calls.append(len(args[2]))
        return inner(*args, **more)

    monkeypatch.setattr(lockstep, "sweep", counting)
    walk()
    assert calls == [12, 6]  # a round of the grid over three folds; what was adopted, in and out of sample
    calls.clear()
    found = walk(method=Genetic(population=6, generations=3), space={"fast": (2, 5), "slow": (6, 14)})
    assert len(calls) <= 3 + 1
    assert sum(fold.sets for fold in found._found) == sum(calls[:-1])


def test_opt02_searches_of_folds_are_those_of_folds_alone() -> None:
    more: dict[str, Any] = {"method": Genetic(population=6, generations=3), "space": {"fast": (2, 5), "slow": (6, 14)}}
    whole, first = walk(**more), walk(BARS[:144], **more)
    assert dataclasses.asdict(whole._found[0]) == dataclasses.asdict(first._found[0])
    assert walk(**more).folds.equals(whole.folds)


def test_opt02_an_executor_changes_no_number() -> None:
    assert walk(threads=None, executor=Threads(2)).folds.equals(plain().folds)
    with pytest.raises(ConfigError, match="give one of both"):
        walk(executor=Threads(2))


def test_opt02_objectives_of_moments_and_neighbours_choose_too() -> None:
    found = walk(objective=Plateau("sharpe"), method=GridSearch())
    assert all(math.isfinite(fold.in_sample) for fold in found._found)
    deflated = walk(objective=Deflated())
    assert len(deflated) == 3


# --- kept and resumed ----------------------------------------------------------------------------------------------------------


def test_opt02_a_walk_that_was_ended_goes_on_to_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more: dict[str, Any] = {"method": Genetic(population=6, generations=4), "space": {"fast": (2, 5), "slow": (6, 14)}, "purge": None}
    whole, rounds = walk(**more), 0
    monkeypatch.setattr("vecbt.optimize.walk_files._EVERY", 0.0)

    def stop(*_: Any) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 7:
            raise KeyboardInterrupt

    folder = tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        walk(**more, checkpoint=folder, progress=stop)
    assert {path.name for path in folder.iterdir()} == {f"{stage}-{k:03d}" for stage in ("holding", "choice") for k in range(3)}
    resumed = walk(**more, checkpoint=folder)
    assert resumed.folds.equals(whole.folds)
    assert resumed.result.run.equity.tobytes() == whole.result.run.equity.tobytes()
    again = walk(**more, checkpoint=folder)
    assert again.folds.equals(whole.folds)
    with pytest.raises(ConfigError, match=r"another search.*seed"):
        walk(**more, checkpoint=folder, seed=3)
    with pytest.raises(ConfigError, match=r"the bars differ \(data: "):
        walk(some_bars(240, 1, seed=12), **more, checkpoint=folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"holds 'notes\.txt'"):
        walk(checkpoint=tmp_path / "mine")


def test_opt02_it_is_saved_and_loaded_with_its_strategy(tmp_path: Path) -> None:
    found = plain()
    found.save(tmp_path / "walk")
    loaded = WalkForward.load(tmp_path / "walk")
    assert loaded.folds.equals(found.folds)
    assert loaded.result.run.equity.tobytes() == found.result.run.equity.tobytes()
    assert loaded.strategy == found.strategy
    assert repr(loaded) == repr(found)
    assert (loaded.efficiency, loaded.decay) == (found.efficiency, found.decay)
    assert vb.verify(tmp_path / "walk" / "account").ok
    with pytest.raises(ConfigError, match="holds a saved walk-forward already"):
        found.save(tmp_path / "walk")
    loaded.save(tmp_path / "walk", overwrite=True)
    assert WalkForward.load(tmp_path / "walk").strategy == found.strategy
    about = tmp_path / "walk" / "walk_forward.json"
    about.write_text(about.read_text(encoding="utf-8").replace('"seed": 0', '"seed": 1'), encoding="utf-8")
    with pytest.raises(StateError, match="was changed"):
        WalkForward.load(tmp_path / "walk")
    with pytest.raises(StateError, match=r"holds no walk_forward\.json"):
        WalkForward.load(tmp_path)


# --- what is told --------------------------------------------------------------------------------------------------------------


def made(**columns: list[Any]) -> WalkForward:
    """A walk-forward whose folds have these numbers."""
    found = plain()
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    folds = [dataclasses.replace(fold, **row) for fold, row in zip(found._found, rows, strict=True)]
    return WalkForward(folds, found.result, None, found._about, BARS.index)


def test_opt02_efficiency_and_decay_are_ratios_of_what_folds_earned() -> None:
    found = made(in_return=[0.2, 0.1, 0.3], out_return=[0.05, -0.02, 0.03], in_sample=[1.0, 2.0, 3.0], out_of_sample=[0.5, -1.0, math.nan])
    assert [fold.train[1] - fold.train[0] for fold in found._found] == [90, 90, 90]
    assert [fold.test[1] - fold.test[0] for fold in found._found] == [50, 50, 46]
    assert found.efficiency == pytest.approx((0.06 / 146) / (0.6 / 270))
    assert found.decay == pytest.approx(
        {"in_sample": 1.5, "out_of_sample": -0.25, "lost": 7.0 / 6.0, "kept": 0.5, "rank": math.nan}, nan_ok=True
    )
    assert math.isnan(made(in_return=[-0.2, -0.1, 0.1], out_return=[0.1] * 3).efficiency)
    up = made(in_sample=[1.0, 2.0, 3.0], out_of_sample=[0.5, 0.6, 0.9]).decay
    assert up["rank"] == pytest.approx(1.0)


def test_opt02_stability_is_how_parameters_drift() -> None:
    found = made(parameters=[{"fast": 2, "slow": 7}, {"fast": 4, "slow": 7}, {"fast": 3, "slow": 7}])
    table = found.stability()
    assert table.rows() == [
        ("fast", 3, 2, "2", pytest.approx(1 / 3), 3.0, pytest.approx(np.std([2, 4, 3])), 2.0, 4.0, 0.75),
        ("slow", 1, 0, "7", 1.0, 7.0, 0.0, 7.0, 7.0, 0.0),
    ]
    assert found.best_parameters == {"fast": 3, "slow": 7}


def test_opt02_choices_that_are_no_numbers_are_shown_as_text(tmp_path: Path) -> None:
    found = walk(space={"fast": [2, 4], "direction": ["long", "both"]})
    assert set(found.folds["direction"]) <= {"long", "both"}
    assert found.stability()["mode"][1] in ("'long'", "'both'")
    found.plot_parameters(tmp_path / "parameters.png")
    assert (tmp_path / "parameters.png").stat().st_size > 5_000


def test_opt02_pictures_are_drawn(tmp_path: Path) -> None:
    found = plain()
    for name, draw in (("equity", found.plot_equity), ("parameters", found.plot_parameters), ("scatter", found.plot_scatter)):
        draw(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 5_000
    found.plot_equity(log=True)


# --- what is refused ---------------------------------------------------------------------------------------------------------


class _Event(EventStrategy):
    """Sees the account."""

    def init(self) -> None:
        """Nothing."""

    def next(self) -> None:
        """Nothing."""


@dataclass(frozen=True)
class _Between(vb.Strategy):
    """Has a parameter of a name that is taken."""

    between: int = vb.Parameter(2, low=1, high=4, integer=True)


@pytest.mark.parametrize(
    ("more", "kind", "said"),
    [
        ({"space": {"fast": [2], "stops.hard": [0.1]}}, ConfigError, "names 'stops.hard'.*one setup.*give stops as a keyword"),
        ({"strategy": _Event()}, StrategyError, "sees the account"),
        ({"strategy": vb.Signals(entries=np.ones(240, dtype=bool))}, ConfigError, "have no parameters"),
        ({"accounts": "separate"}, ConfigError, "asset by asset"),
        ({"flows": np.zeros(240)}, ConfigError, "flows are deposits"),
        ({"objective": ["sharpe", "total_return"]}, ConfigError, "a fold adopts one set"),
        ({"method": Genetic}, ConfigError, "method is Genetic"),
        ({"inner": 0.3}, ConfigError, "nothing is compared without a threshold"),
        ({"inner": 1.3, "improvement_threshold": 0.1}, ConfigError, "share of the training window"),
        ({"improvement_threshold": -1}, ConfigError, "improvement_threshold is -1"),
        ({"improvement_threshold": 0.1, "inner": 0.99}, ConfigError, "leaves nothing to choose on"),
        ({"improvement_threshold": 0.1, "objective": Plateau("sharpe")}, ConfigError, "judges a set among many"),
        ({"horizon": 3}, ConfigError, "give one of them"),
        ({"horizon": -1, "purge": None}, ConfigError, "horizon is -1"),
        ({"flatten": 1}, ConfigError, "flatten is 1"),
        ({"seed": -1}, ConfigError, "seed is -1"),
        ({"progress": 3}, ConfigError, "progress is 3"),
        ({"step": 20}, ConfigError, "test windows would overlap"),
        ({"train": 300}, ConfigError, r"need 354 bars; there are 240"),
        ({"bars": 3}, DataError, "expected Bars"),
        ({"space": {"quick": [2]}}, ConfigError, "names 'quick'"),
        ({"strategy": _Between(), "space": None}, ConfigError, "rename it"),
        ({"space": {"fast": (5, 2)}}, ConfigError, "wrong way round"),
    ],
)  # fmt: skip
def test_opt02_what_cannot_be_is_refused(more: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        walk(**more)


def test_opt02_fault_34_a_number_of_observations_that_can_never_be_met_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"min_observations is 1,000, but a training window of '90D' has 90 bars"):
        walk(train="90D", test="30D", min_observations=1000, purge=0)
    with pytest.raises(ConfigError, match=r"give train=100"):
        walk(min_observations=100)
    assert len(walk(min_observations=90)) == 3


def test_opt02_windows_without_a_score_keep_what_is_in_force_or_say_so() -> None:
    quiet = np.full(240, 50.0)
    quiet[94:] = BARS.close[94:, 0]
    flat = Bars.from_numpy(quiet, quiet, quiet, quiet, index=BARS.times)
    with pytest.raises(ConfigError, match=r"fold 1, training .*: no set has a value of sharpe"):
        walk(flat)
    late = BARS.close[:, 0].copy()
    late[60:190] = late[60]
    quiet_later = Bars.from_numpy(late, late, late, late, index=BARS.times)
    found = walk(quiet_later, train=60, test=60)
    empty = [k for k, fold in enumerate(found._found) if not fold.chosen]
    assert empty
    many = walk(quiet_later, train=60, test=60,
                space={"fast": list(range(2, 13)), "slow": list(range(13, 24))})  # fmt: skip
    assert [fold.sets for fold in many._found] == [121] * len(many)
    assert [k for k, fold in enumerate(many._found) if not fold.chosen]
    assert all(found._found[k].parameters == found._found[k - 1].parameters and not found._found[k].adopted for k in empty)


# --- many paths ----------------------------------------------------------------------------------------------------------------


def paths(bars: Bars = BARS, **more: Any) -> Any:
    """A small one."""
    given: dict[str, Any] = {"space": SPACE, "costs": COSTS, "progress": False, "purge": 3, "threads": 1, "groups": 4, **more}
    return vb.combinatorial(bars, CROSS, **given)


def test_opt02_combinatorial_paths_are_accounts_of_what_other_bars_chose(tmp_path: Path) -> None:
    found = paths()
    assert len(found) == found.split.paths == 3
    assert len(found.splits) == 6
    bounds = found.split.bounds(BARS.T)
    for p, (row, result) in enumerate(zip(found.split.path_splits(), found.results, strict=True)):
        members = [vb.strategies.SmaCross(direction="both", **found._found[s].parameters) for s in row]
        same = vb.backtest(BARS, vb.Schedule.of(BARS, members, BARS.index[bounds[:-1]], warm=False), costs=COSTS)
        assert same.run.equity.tobytes() == result.run.equity.tobytes()
        assert found.paths["sharpe"][p] == result.stats()["sharpe"]
        assert vb.check_parity(BARS, found.strategies[p], costs=COSTS, restarts=1).ok
    assert np.all(np.diff(found.sharpes) >= 0)
    assert "Sharpe ratios" in repr(found)
    found.plot(tmp_path / "paths.png")
    assert (tmp_path / "paths.png").stat().st_size > 5_000


def test_opt02_a_split_is_chosen_on_means_over_its_training_stretches() -> None:
    found = paths()
    s = 1  # parts 1 and 3 are tested
    pieces = found.split.pieces(BARS, s)
    assert pieces == [(63, 117), (183, 240)]
    table = {piece: vb.sweep(BARS, CROSS, {**SPACE, "between": [piece]}, costs=COSTS, progress=False, threads=1).table for piece in pieces}
    weights = np.array([54.0, 57.0])
    scores = np.stack([table[piece]["sharpe"].to_numpy() for piece in pieces])
    joined = (scores * weights[:, None]).sum(axis=0) / weights.sum()
    best = int(np.argmax(joined))
    assert found._found[s].in_sample == pytest.approx(joined[best], rel=1e-12)
    assert found._found[s].parameters == {name: table[pieces[0]][name][best] for name in ("fast", "slow")}


def test_opt02_a_purge_of_paths_is_measured_and_searches_share_what_was_run(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    inner = lockstep.sweep

    def counting(*args: Any, **more: Any) -> Any:
        calls.append(len(args[2]))
        return inner(*args, **more)

    monkeypatch.setattr(lockstep, "sweep", counting)
    found = paths(purge=None, method=RandomSearch(4))
    assert 0 < found.split.purge <= 15
    assert len(calls) == 2
    calls.clear()
    paths(purge=0)
    assert calls == [28]  # four sets over seven different stretches, of which six splits ask for nine


def test_opt02_what_cannot_be_a_path_is_refused() -> None:
    for more, said in (({"groups": 300, "test_groups": 1}, "at least 600"), ({"horizon": -1}, "horizon"), ({"flatten": None}, "flatten"),
                       ({"groups": 4, "test_groups": 4}, "expected fewer"), ({"space": {"x": Choice((1,))}}, "names 'x'")):  # fmt: skip
        with pytest.raises(ConfigError, match=said):
            paths(**more)


# --- the face ------------------------------------------------------------------------------------------------------------------


def test_opt02_the_optimizer_of_the_documents_runs_and_refuses_what_it_could_never_do(tmp_path: Path) -> None:
    config = {"train_window_days": 90, "test_window_days": 30, "rolling": True, "improvement_threshold": 0.05}
    optimizer = vb.WalkForwardOptimizer(config, costs=COSTS)
    optimizer.add_parameter_bounds(ParameterBounds("fast", 2, 4, param_type="int"))
    with pytest.raises(ConfigError, match="min_observations is 1,000, but a training window of '90D' has 90 bars"):
        optimizer.optimize(vb.strategies.SmaCross, BARS)
    optimizer = vb.WalkForwardOptimizer({**config, "min_observations": 60, "steps": 3}, costs=COSTS, progress=False)
    optimizer.add_parameter_bounds(ParameterBounds("fast", 2, 4, param_type="int"))
    optimizer.add_parameter_bounds(ParameterBounds("slow", 6, 9, param_type="int"))
    optimizer.parameter_validator = lambda p: p["slow"] != 9
    best = optimizer.optimize(vb.strategies.SmaCross, BARS)
    assert optimizer.walk_forward is not None
    assert best == optimizer.best_params == optimizer.walk_forward.best_parameters
    assert best["slow"] < 9
    assert optimizer.best_fitness == optimizer.walk_forward.decay["out_of_sample"]
    optimizer.save_results(tmp_path / "best.json")
    loaded = optimizer.load_results(tmp_path / "best.json")
    assert loaded.best_params == best
    assert loaded.trials == optimizer.walk_forward.folds["sets"].sum()
    made = OptimizerFactory.create_from_config({"optimization": {"mode": "wfo", "wfo": {"train_window_days": 60}}}, costs=COSTS)
    assert isinstance(made, vb.WalkForwardOptimizer)
    assert made.config["train_window_days"] == 60
    with pytest.raises(ConfigError, match="test_window_days is 0"):
        vb.WalkForwardOptimizer({"test_window_days": 0})
    with pytest.raises(ConfigError, match="rolling is 1"):
        vb.WalkForwardOptimizer({"rolling": 1})
