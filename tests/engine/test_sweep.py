"""Sweeps: every line is a run of its own, to the last bit; threads and chunks change nothing; a fault stays with its set."""

from __future__ import annotations

import functools
import threading
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.engine.rules_of_tests import Cross, Leaning, Patient, Strong
from tests.engine.sweeps_of_tests import COSTS, Layered, Plain, Portions, Rolling, Sick, alone, arrays_of, assert_lines_are_runs, swept
from vecbt.core.sets import sets_of
from vecbt.data import synthetic
from vecbt.engine import sweep as sweep_driver
from vecbt.engine import sweep_chunks
from vecbt.engine.event_strategy import EventStrategy
from vecbt.engine.setup import Setup
from vecbt.engine.sweep import sweep_sets
from vecbt.engine.sweep_names import setup_with, split_names
from vecbt.engine.sweep_run import DONE
from vecbt.errors import ConfigError
from vecbt.metrics.returns import returns_params
from vecbt.strategies import SmaCross

ONE = synthetic.garch_jumps(T=100, N=1, seed=4)
GAPPY = synthetic.garch_jumps(T=60, N=3, seed=11, missing=0.1, grid=1 / 2)
GRID = {"fast": [2, 3, 5], "slow": [4, 6, 9]}
PCT = vb.Pct


class Stepping(EventStrategy):
    """Buys on a rise, sells on a fall; Python at every bar."""

    window = vb.Parameter(3, low=1, integer=True)

    def init(self) -> None:
        """One average."""
        self.calm = self.I("sma", self.window)

    def next(self) -> None:
        """Above it or below it."""
        if self.data.close[-1] > self.calm[-1]:
            if not self.position:
                self.buy()
        elif self.position:
            self.close()


def momentum(bars: vb.Bars, window: int = 3) -> Any:
    """A plain function."""
    close = bars.close
    rose = np.zeros(close.shape, dtype=bool)
    rose[window:] = close[window:] > close[:-window]
    return vb.Signals(entries=rose, exits=~rose)


# --- every line is a run -----------------------------------------------------------------------------------------------


@pytest.mark.interpreted
@pytest.mark.parametrize("fill", ["close", "next_open"])
def test_d1_grid_of_one_asset(fill: str) -> None:
    run = swept(ONE, SmaCross(3, 8), GRID, fill=fill, rf=0.0001, mar=0.0002)
    assert len(run.sets) == 8, "fast < slow"
    assert_lines_are_runs(run, rf=0.0001, mar=0.0002, least_trades=8)


@pytest.mark.parametrize("accounts", ["shared", "separate"])
@pytest.mark.parametrize("strategy", [SmaCross(2, 5, "both"), Strong(2, 6), Leaning(2, 6)], ids=repr)
def test_d1_panel_with_gaps(strategy: Any, accounts: str) -> None:
    run = swept(GAPPY, strategy, {"slow": [4, 6, 9], "fast": [1, 3]}, accounts=accounts)
    assert run.final.shape == (6, 3 if accounts == "separate" else 1)
    assert_lines_are_runs(run, least_trades=6)


OF_THE_SETUP: dict[str, dict[str, Any]] = {
    "hard": {"stops.hard": [PCT(1.0), PCT(3.0), vb.Atr(1.5), None]},
    "trailing": {"stops.trailing": [PCT(1.0), PCT(2.5), None]},
    "costs": {"costs.commission_rate": [0.0, 0.001, 0.01], "costs.slippage_bps": [1, 20]},
    "zones": {"risk.zones.liquidate_at": [None, 0.1], "risk.zones.boundaries": [(0.01, 0.02, 0.03), (0.001, 0.05, 0.1)]},
    "capital": {"initial_capital": [1_000, 100_000.0, 5e6]},
    "fill": {"fill": ["close", "next_open"], "direction": ["long", "both"]},
    "intrabar": {"intrabar": ["pessimistic", "optimistic"], "stops.hard": [PCT(0.6)], "stops.take_profit": [PCT(0.6), PCT(0.9)]},
    "liquidate": {"liquidate_at_end": [True, False], "fill": ["next_open", "close"]},
    "sigma": {"costs.volume_share": [0.0, 0.3], "costs.volume_window": [5, 20]},
    "atr": {"stops.hard": [vb.Atr(1.0)], "stops.atr_window": [3, 14]},
    "limits": {"risk.daily_loss": [None, 0.01], "leverage": [1.0, 2.0]},
    "sizing": {"sizing": [None, vb.Units(3), vb.Weight(0.2), vb.Notional(5_000)], "accumulate": [False, True]},
    "stops": {"stops": [None, vb.Stops(hard=PCT(2.0)), vb.Stops(trailing=PCT(1.0))], "stops.take_profit": [PCT(1.0), PCT(4.0)]},
    "carry": {"carry.interest_rate": [0.0, 0.05], "carry.borrow_rate": [0.01, 0.03]},
    "positions": {"positions": [None, {"S0": (10, 90.0)}, {"S1": (-5, 120.0)}], "stops.hard": [PCT(1.0), PCT(8.0)]},
    "participation": {"max_participation": [None, 1e-5, 1e-3], "participation_rest": ["queue", "drop"]},
}
GIVEN = {"risk": vb.Risk(zones=vb.Zones())}


@pytest.mark.parametrize("name", OF_THE_SETUP)
def test_d1_what_varies_of_the_setup_alone(name: str) -> None:
    given = GIVEN if name == "zones" else {}
    assert_lines_are_runs(swept(GAPPY, SmaCross(2, 5, "both"), OF_THE_SETUP[name], **given))


@pytest.mark.parametrize("name", ["hard", "zones", "capital", "liquidate", "sigma"])
@pytest.mark.parametrize("accounts", ["shared", "separate"])
def test_d1_setup_and_strategy_together(name: str, accounts: str) -> None:
    given = GIVEN if name == "zones" else {}
    assert_lines_are_runs(swept(GAPPY, Cross(2, 5), {"slow": [4, 7], **OF_THE_SETUP[name], "fast": [3]}, accounts=accounts, **given))


@pytest.mark.interpreted
def test_d1_a_rule_that_sees_the_account() -> None:
    space = {"most": [3, 6], "side": ["long", "short"], "loss": [0.01, 0.05], "stops.trailing": [PCT(2.0), None]}
    assert_lines_are_runs(swept(GAPPY, Patient(2, 5), space), least_trades=20)


@pytest.mark.interpreted
def test_d1_indicators_of_indicators_outputs_sessions_and_volume() -> None:
    space = [{"window": w, "smooth": s, "heavy": h} for w, s, h in ((4, 1, 0.5), (6, 3, 0.8), (4, 3, 0.5), (9, 2, 1.0))]
    assert_lines_are_runs(swept(GAPPY, Layered(), space, threads=1), least_trades=4)


@pytest.mark.parametrize("strategy", [Rolling(), Portions()], ids=repr)
@pytest.mark.parametrize("accounts", ["shared", "separate"])
def test_d1_array_strategies(strategy: Any, accounts: str) -> None:
    space = {"window": [2, 4, 9], "initial_capital": [1e4, 1e5], "stops.hard": [None, PCT(2.0)]}
    assert_lines_are_runs(swept(GAPPY, strategy, space, accounts=accounts), least_trades=12)


@pytest.mark.interpreted
@pytest.mark.parametrize("source", [momentum, functools.partial(momentum, window=5)], ids=["function", "bound"])
def test_d1_a_plain_function_with_setups(source: Any) -> None:
    assert_lines_are_runs(swept(ONE, source, {"fill": ["close", "next_open"], "costs.commission_rate": [0.001, 0.01]}))


def test_d1_an_event_strategy() -> None:
    assert_lines_are_runs(swept(GAPPY[:50], Stepping(), {"window": [2, 5], "fill": ["close", "next_open"]}))


def test_d1_deposits_run_alone_beside_those_without() -> None:
    flows = {str(vb_day)[:10]: amount for vb_day, amount in zip(ONE.datetime_index[[10, 50]], (5_000.0, -2_000.0), strict=True)}
    assert_lines_are_runs(swept(ONE, SmaCross(2, 5), {"fast": [1, 2, 3]}, flows=flows))
    assert_lines_are_runs(swept(ONE, SmaCross(2, 5), {"flows": [None, flows], "fast": [1, 2, 3]}))


def test_d1_t9_splits_and_dividends() -> None:
    bars = vb.samples.load("us_daily", symbols=["AAPL", "MSFT"], adjusted=False)[1225:1325]
    assert bars.actions is not None and (bars.actions.split != 1.0).any() and (bars.actions.dividend != 0.0).any()
    space = {"slow": [4, 8], "stops.hard": [vb.Atr(2.0), PCT(2.0)], "carry.interest_rate": [0.01, 0.05]}
    assert_lines_are_runs(swept(bars, SmaCross(2, 5, "both"), space))
    assert_lines_are_runs(swept(bars, Patient(2, 5), {"most": [2, 5]}))


@pytest.mark.interpreted
def test_d1_a_log_that_is_too_short_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made longer, twice if need be, and the set begins anew."""
    monkeypatch.setattr(sweep_chunks, "FILLS_PER_BAR", 10 - 1024)  # room for ten trades
    bars = synthetic.sine(T=70, N=1, wave_bars=3.0)
    run = swept(bars, SmaCross(1, 2, "both"), {"slow": [2, 3, 30], "liquidate_at_end": [False, True]}, fill="close")
    assert run.trades["trades"].max() > 40, "the log was long enough"
    assert_lines_are_runs(run)


def test_d1_a_log_that_is_too_short_for_many_bars() -> None:
    bars, space = synthetic.sine(T=3000, N=1, wave_bars=3.0), {"slow": [2, 4], "fill": ["close", "next_open"]}
    run = swept(bars, SmaCross(1, 2, "both"), space, costs=vb.Costs.free(), sizing=vb.Units(1.0), initial_capital=1e6)
    assert run.trades["trades"].max() > 1024 + 8, "the log was long enough"
    assert_lines_are_runs(run)


# --- threads and chunks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [Cross(2, 5), Rolling(), Patient(2, 5)], ids=["rule", "arrays", "sees the account"])
def test_threads_and_chunks_change_nothing(strategy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"window": [2, 3, 4]} if isinstance(strategy, Rolling) else {"fast": [1, 2, 3]}
    space = {**own, "stops.hard": [PCT(1.0), vb.Atr(1.0)], "initial_capital": [1e4, 1e5]}
    bars = GAPPY[:40]
    wanted = arrays_of(swept(bars, strategy, space, threads=1))
    for threads, most, cells in ((1, 1, 2_000_000), (2, 5, 2_000_000), (3, 1024, 1), (3, 1024, 3 * 120), (2, 1024, 2_000_000)):
        monkeypatch.setattr(sweep_chunks, "_MOST_SETS", most)
        monkeypatch.setattr(sweep_chunks, "_CHUNK_BARS", cells)
        assert arrays_of(swept(bars, strategy, space, threads=threads)) == wanted, (threads, most, cells)


@pytest.mark.interpreted
def test_a_line_does_not_hang_on_the_sets_beside_it() -> None:
    """Memory of rules, books and logs is that of a fresh run, whatever ran before on the same seat."""
    space = [{"fast": f, "slow": s, "most": m} for f, s, m in ((2, 5, 3), (1, 9, 6), (2, 5, 3), (3, 4, 1), (2, 5, 3))]
    run = swept(GAPPY, Patient(), space, threads=1)
    lines = [(run.returns[c].tobytes(), run.trades[c].tobytes()) for c in (0, 2, 4)]
    assert lines[0] == lines[1] == lines[2]
    backwards = swept(GAPPY, Patient(), space[::-1], threads=1)
    assert [backwards.returns[4 - c].tobytes() for c in range(5)] == [run.returns[c].tobytes() for c in range(5)]


# --- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fsat", r"nothing is called 'fsat'; did you mean 'fast'\?"),
        ("stop.hard", r"nothing is called 'stop.hard'; did you mean 'stops.hard'\?"),
        ("initial_captial", "did you mean 'initial_capital'"),
        ("stops.hrad", r"stops has no 'hrad'; did you mean 'hard'\?"),
        ("sizing.kelly_fraction", "sizing.kelly_fraction varies, but sizing is not given"),
        ("risk.zones.cooldown_bars", "but risk.zones is not given"),
        ("costs.commision_rate", "did you mean 'commission_rate'"),
        ("costs._free", "costs has no '_free'"),
        ("fill.x", "fill"),
        ("stops.hard.percent", "stops.hard is not given"),
        ("initial_capital.x", "initial_capital"),
    ],
)
def test_names_that_are_nothing_are_refused_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        swept(ONE, SmaCross(2, 5), {name: [1]})


def test_names_are_split_and_the_strategys_own_come_first() -> None:
    own, rest = split_names(["direction", "fill", "fast", "stops.hard"], SmaCross.space, {"costs": COSTS})
    assert own == ("direction", "fast") and rest == ("fill", "stops.hard")


@pytest.mark.interpreted
def test_setups_are_those_that_one_would_write() -> None:
    stops, kelly = vb.Stops(hard=PCT(5.0), take_profit=PCT(9.0)), vb.KellyCriterion(win_rate=0.6, avg_win=1.5, avg_loss=1.0)
    given = {"costs": COSTS, "stops": stops, "risk": vb.Risk(zones=vb.Zones(), daily_loss=0.1), "sizing": kelly}
    found = setup_with(given, {
        "stops.hard": PCT(3.0), "stops.hard.percent": 2.0, "risk.zones.cooldown_bars": 4, "risk.daily_loss": 0.2, "fill": "close",
        "costs.slippage_bps": 7.0, "sizing.kelly_fraction": 0.5,
    })  # fmt: skip
    assert found == Setup(
        costs=vb.Costs(commission_rate=0.001, slippage_bps=7.0), stops=vb.Stops(hard=PCT(2.0), take_profit=PCT(9.0)), fill="close",
        risk=vb.Risk(zones=vb.Zones(cooldown_bars=4), daily_loss=0.2),
        sizing=vb.KellyCriterion(win_rate=0.6, avg_win=1.5, avg_loss=1.0, kelly_fraction=0.5),
    )  # fmt: skip
    assert setup_with({"costs": COSTS}, {"stops.hard": PCT(3.0), "risk.daily_loss": 0.1, "carry.interest_rate": 0.02}) == Setup(
        costs=COSTS, stops=vb.Stops(hard=PCT(3.0)), risk=vb.Risk(daily_loss=0.1), carry=vb.Carry(interest_rate=0.02)
    )
    assert given["stops"] is stops and stops.hard == PCT(5.0), "what was given is not touched"


# --- what goes wrong with a set ----------------------------------------------------------------------------------------


def assert_wrong(run: Any, wanted: dict[int, str]) -> None:
    """These sets have these messages, the others are done and equal their runs."""
    assert sorted(run.errors) == sorted(wanted), run.errors
    for c, part in wanted.items():
        assert part in run.errors[c], run.errors[c]
        assert not run.done[c] and np.isnan(run.final[c]).all() and np.isnan(run.returns[c]["sharpe"]).all()
    fine = np.flatnonzero(run.done)
    assert len(fine) == len(run.sets) - len(wanted)
    kept = [run.sets.at(int(c)) for c in fine]
    again = swept(run.bars, run.strategy, kept, **run.keywords)
    assert_lines_are_runs(again)
    assert [again.final[k].tolist() for k in range(len(kept))] == [run.final[c].tolist() for c in fine]


@pytest.mark.interpreted
def test_invalid_parameters_stay_with_their_sets() -> None:
    run = swept(ONE, SmaCross(2, 5), [{"fast": f} for f in (3, 5, 0, 2.5, "many", None, 4)])
    assert_wrong(run, {1: "expected fast < slow", 2: "fast is 0", 3: "fast is 2.5", 4: "fast is 'many'", 5: "fast is None"})


def test_invalid_setups_stay_with_their_sets() -> None:
    tried = ((1e4, None), (-1, None), (1e5, 3.0), (1e5, "far"), ("x", None), (2e4, PCT(2)))
    space = [{"initial_capital": capital, "stops.hard": hard} for capital, hard in tried]
    run = swept(ONE, SmaCross(2, 5), space)
    assert_wrong(run, {1: "initial_capital is -1", 2: "hard", 3: "hard", 4: "initial_capital is 'x'"})


@pytest.mark.interpreted
def test_parts_that_one_sizing_has_and_another_has_not() -> None:
    kelly = vb.KellyCriterion(win_rate=0.6, avg_win=1.5, avg_loss=1.0)
    space = {"sizing": [kelly, vb.Weight(0.5), None], "sizing.kelly_fraction": [0.2]}
    run = swept(ONE, SmaCross(2, 5), space, stops=vb.Stops(hard=PCT(2.0)))
    assert_wrong(run, {1: "sizing has no 'kelly_fraction'", 2: "sizing is not given"})


@pytest.mark.interpreted
def test_what_a_strategy_itself_raises_stays_with_its_set() -> None:
    run = swept(ONE, Sick(), {"ails": ["nothing", "check", "raises", "indicators", "columns"], "window": [3, 5]})
    assert_wrong(run, {
        2: "Sick does not like this", 3: "Sick does not like this", 4: "ZeroDivisionError: in the check", 5: "ZeroDivisionError",
        6: "KeyError", 7: "KeyError", 8: "declares other", 9: "declares other",
    })  # fmt: skip


@pytest.mark.interpreted
def test_answers_that_may_not_be_stay_with_their_sets() -> None:
    run = swept(ONE, Sick(), [{"answer": a, "window": w} for a, w in ((1.0, 3), (16.0, 3), (0.5, 4), (-2.0, 3), (1.0, 5))])
    assert_wrong(run, {1: "answered 16 at ", 2: "answered 0.5 at ", 3: "answered -2 at "})
    with pytest.raises(vb.errors.StrategyError, match="answered 16 at"):
        alone(run, 1)


@pytest.mark.interpreted
def test_what_rows_raise_stays_with_its_set() -> None:
    run = swept(ONE, Rolling(), {"fails": [True, False], "window": [2, 4, 1]})
    assert_wrong(run, {0: "RuntimeError: out of luck", 1: "out of luck", 2: "window is 1", 5: "window is 1"})


def test_volume_that_is_not_there_stays_with_its_set() -> None:
    bars = vb.Bars.from_numpy(ONE.open, ONE.high, ONE.low, ONE.close, index=ONE.index, symbols=ONE.symbols)
    run = swept(bars, SmaCross(2, 5), [{"costs.volume_share": v} for v in (0.0, 0.1)])
    assert_wrong(run, {1: "no volume column"})


def test_all_sets_may_be_wrong() -> None:
    run = swept(ONE, SmaCross(2, 5), [{"fast": 7}, {"fast": 0}])
    assert len(run.errors) == 2 and not run.done.any()
    run = swept(ONE, Rolling(), [{"fails": True}])
    assert len(run.errors) == 1 and not run.done.any()


def test_numbers_of_another_kind_than_the_rule_was_compiled_for() -> None:
    """Whole numbers go as floats where the strategy has one; a fraction for a whole number is never cut off."""
    assert_lines_are_runs(swept(ONE, Plain(1.0), {"level": [1, 2, 0.5]}))
    run = swept(ONE, Plain(1), [{"level": 2}, {"level": 0.5}, {"level": "high"}])
    assert sorted(run.errors) in ([1, 2], [2]), run.errors  # refused, or the rule is compiled for floats
    for c in np.flatnonzero(run.done):
        assert run.final[c].tolist() == alone(run, int(c)).run.equity[-1].tolist()
    run = swept(ONE, Plain(1.0, 1), [{"factor": 1}, {"factor": 2.5}])
    for c in np.flatnonzero(run.done):
        assert run.final[c].tolist() == alone(run, int(c)).run.equity[-1].tolist()


# --- ended early -------------------------------------------------------------------------------------------------------


@pytest.mark.interpreted
@pytest.mark.parametrize("strategy", [SmaCross(2, 9), Rolling(), Stepping()], ids=["rule", "arrays", "events"])
def test_ctrl_c_leaves_what_is_done_and_no_thread(strategy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_chunks, "_MOST_SETS", 1)  # what the two threads are at is done, too
    name = "fast" if isinstance(strategy, SmaCross) else "window"
    before = set(threading.enumerate())

    def interrupt(done: int, total: int) -> None:
        assert total == 7
        if done >= 3:
            raise KeyboardInterrupt

    sets = sets_of({name: range(2, 9)}, strategy.space, strategy.parameters)
    run = sweep_sets(ONE[:40], strategy, sets, {"costs": COSTS}, threads=2, progress=interrupt)
    assert set(threading.enumerate()) <= before
    assert 0 < run.done.sum() < 7 and run.errors == {}
    assert np.isfinite(run.final[run.done]).all() and np.isnan(run.final[~run.done]).all()
    for c in np.flatnonzero(run.done):
        assert run.final[c].tolist() == alone(run, int(c)).run.equity[-1].tolist()


@pytest.mark.interpreted
@pytest.mark.parametrize("calls", [0, 1, 3, 5, 8, 1000])
@pytest.mark.parametrize("rule", [None, 0], ids=["one rule", "both"])
def test_a_thread_that_is_told_to_end_leaves_whole_lines_or_none(rule: int | None, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs are too short at first, so most sets run twice, and may be ended in between; so may a pair of runs (M8)."""
    monkeypatch.setattr(sweep_chunks, "FILLS_PER_BAR", 4 - 1024)
    strategy, left = SmaCross(1, 2, "both"), iter(range(calls))
    sets = sets_of({"slow": [2, 3, 4, 5, 6]}, strategy.space, strategy.parameters)
    params = returns_params(252.0, 0.0, 0.0)
    work = sweep_driver._Sweep(synthetic.sine(T=30, N=1, wave_bars=3.0), strategy, sets, {"costs": COSTS}, params, 1, rule, None)
    (group,) = work.setups.groups
    (chunk,) = sweep_chunks.Chunks(work.task, group, 1).of(np.arange(len(work.out.sets)))
    state = sweep_chunks.Seat(work.task, group).run(chunk, lambda: next(left, None) is None)
    assert set(state.tolist()) <= {0, DONE} and (calls > 0 or not state.any()) and (calls < 1000 or state.all())
    whole = sweep_sets(work.task.bars, strategy, sets, {"costs": COSTS}, threads=1)
    runs = len(state) // 5
    for c in np.flatnonzero(state == DONE):  # nothing happens inside of these bars, so both rules say the same
        assert chunk.measures.final[c].tobytes() == whole.final[c // runs].tobytes()
    if rule is not None:
        assert (chunk.measures.fragility[1::2][state.reshape(5, 2).all(axis=1)] == 0.0).all()


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 7])
def test_pieces_of_compiled_rules_begin_small_and_end_small(threads: int, pairs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each set once and in order; threads have something to do soon, and none is left with a large piece when the others are done."""
    strategy = SmaCross(1, 2)
    sets = sets_of({"slow": [2, 3]}, strategy.space, strategy.parameters)
    bars, params = synthetic.sine(T=30, N=1, wave_bars=3.0), returns_params(252.0, 0.0, 0.0)
    work = sweep_driver._Sweep(bars, strategy, sets, {"costs": COSTS}, params, 1, 0 if pairs else None, None)
    (group,) = work.setups.groups
    chunks: Any = sweep_chunks.Chunks(work.task, group, threads)
    monkeypatch.setattr(chunks, "_most", 400)
    monkeypatch.setattr(chunks, "_chunk", lambda numbers: numbers)
    work.task.pairs = pairs
    pieces = list(chunks.of(np.arange(5_000)))
    sizes = [len(piece) for piece in pieces]
    assert np.concatenate(pieces).tolist() == list(range(5_000))
    assert sizes[:4] == [64, 128, 256, min(400, (5_000 - 448) // (2 * threads) + (pairs and (5_000 - 448) // (2 * threads) % 2))]
    assert max(sizes) <= 400 and sizes[-1] <= 64 and sorted(sizes[4:], reverse=True) == sizes[4:]
    assert not pairs or all(size % 2 == 0 for size in sizes)


def test_pieces_grow_while_they_are_short_and_shrink_when_they_are_long() -> None:
    adapted = sweep_chunks._adapted
    assert [adapted(4, seconds, 1000) for seconds in (0.0, 0.01, 0.05, 0.2, 0.5)] == [32, 32, 16, 4, 2]
    assert adapted(500, 0.01, 1000) == 1000 and adapted(1, 60.0, 1000) == 1


@pytest.mark.interpreted
def test_progress_counts_every_set_once() -> None:
    seen: list[tuple[int, int]] = []
    sets = sets_of([{"fast": f, "initial_capital": c} for f in (1, 2, 9) for c in (1e4, -1)], SmaCross.space, SmaCross(2, 5).parameters)
    run = sweep_sets(ONE, SmaCross(2, 5), sets, {"costs": COSTS}, threads=2, progress=lambda *counts: seen.append(counts))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen}) and seen[-1] == (6, 6) and {total for _, total in seen} == {6}
    assert run.done.sum() + len(run.errors) == 6 and run.seconds > 0.0


# --- what is seen only when all sets are looked at ----------------------------------------------------------------------


def test_keywords_may_be_whole_only_with_what_varies() -> None:
    """The sizing needs a stop, and every set has one."""
    sizing = vb.FixedFractionalSizing(risk_fraction=0.01)
    assert_lines_are_runs(swept(ONE, SmaCross(2, 5), {"stops.hard": [PCT(1.0), PCT(2.0)]}, sizing=sizing))


@pytest.mark.parametrize("given", ["shared", "separate"])
def test_accounts_that_vary_are_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="sweep each way by itself"):
        swept(GAPPY, SmaCross(2, 5), {"accounts": ["shared", "separate"]}, accounts=given)


@pytest.mark.interpreted
def test_an_answer_of_minus_one_is_no_signal() -> None:
    with pytest.raises(vb.errors.StrategyError, match="answered -1 at"):
        vb.backtest(ONE, Sick(-1.0), costs=COSTS)


@pytest.mark.interpreted
def test_blocks_are_sums_of_powers_over_equal_parts_of_the_bars() -> None:
    """16 parts with r to r^4, 64 with r and r^2, of the returns that the metrics are made of; and the curves, where they are kept."""
    bars = synthetic.gbm(T=131, N=1, seed=5)
    found = vb.sweep(bars, vb.strategies.SmaCross(), {"fast": [2, 3], "slow": [5, 8]}, keep=("equity",), costs=vb.Costs.free()).run
    assert found.blocks is not None and found.fine is not None and found.equity is not None
    for c in range(4):
        result = vb.backtest(bars, found.strategy_of(c), costs=vb.Costs.free())
        assert found.equity[c, 0].tobytes() == result.run.equity[:, 0].tobytes()
        returns = result.returns.to_numpy()
        for sums, powers in ((found.blocks[c, 0], 4), (found.fine[c, 0], 2)):
            parts = [returns[b * 131 // len(sums) : (b + 1) * 131 // len(sums)] for b in range(len(sums))]
            assert sum(len(part) for part in parts) == 131
            wanted = [[float(np.sum(part**power)) for power in range(1, powers + 1)] for part in parts]
            np.testing.assert_allclose(sums, wanted, rtol=1e-12, atol=1e-18)


@pytest.mark.interpreted
def test_what_is_kept_beside_the_lines_is_asked_for() -> None:
    bars = synthetic.gbm(T=60, N=1, seed=5)
    found = vb.sweep(bars, vb.strategies.SmaCross(), {"fast": [2]}, blocks=False, costs=vb.Costs.free()).run
    assert found.blocks is None and found.fine is None and found.equity is None
    with pytest.raises(ConfigError, match="keep"):
        vb.sweep(bars, vb.strategies.SmaCross(), {"fast": [2]}, keep=("cash",), costs=vb.Costs.free())
    with pytest.raises(ConfigError, match="threads"):
        vb.sweep(bars, vb.strategies.SmaCross(), {"fast": [2]}, threads=0, costs=vb.Costs.free())
