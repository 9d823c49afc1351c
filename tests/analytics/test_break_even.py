"""Break-even costs: brackets that backtests confirm, on all kinds of cost; and the search itself on functions whose crossings are known."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import vecbt as vb
from tests.engine.sweeps_of_tests import Rolling
from vecbt.analytics.crossing import GRID, STATUS, Search, Stopped
from vecbt.analytics.sweep import Sweep
from vecbt.data import synthetic
from vecbt.engine import sweep as driver
from vecbt.engine.inputs import Signals
from vecbt.errors import ConfigError, StateError
from vecbt.strategies import SmaCross

COSTS = vb.Costs(commission_rate=1e-5)
ONE = synthetic.garch_jumps(T=70, N=1, seed=0)
THREE = synthetic.garch_jumps(T=70, N=3, seed=1, missing=0.05)
SPACE = {"fast": [1, 3], "slow": [5, 8, 99]}


def swept(bars: vb.Bars = ONE, space: Any = SPACE, strategy: Any = SmaCross(2, 5, "both"), **keywords: Any) -> Sweep:  # noqa: B008
    """A sweep of few columns."""
    keywords = {"costs": COSTS, "metrics": ["sharpe"], "progress": False, **keywords}
    return vb.sweep(bars, strategy, space, **keywords)


@functools.cache
def five() -> Sweep:
    """Six sets, two of which never trade."""
    return swept()


def sharpes(found: Sweep, number: int, changed: dict[str, Any], rf: float = 0.0) -> Any:
    """Sharpe ratios by a backtest of one set with something else in its setup or strategy, an account each."""
    assert found.run is not None
    setup, strategy = found.run.setup_of(number), found.run.strategy_of(number)
    own = {name: value for name, value in changed.items() if name in strategy.space}
    rest = {name: value for name, value in changed.items() if name not in own}
    keywords = {f.name: getattr(setup, f.name) for f in dataclasses.fields(setup)} | rest
    stats = vb.backtest(found.run.bars, dataclasses.replace(strategy, **own), **keywords).stats(rf=rf)
    return np.atleast_1d(np.asarray(stats.loc["sharpe"], dtype=float))


def cost_of(name: str) -> Callable[[float], dict[str, Any]]:
    """From a cost to what of the setup it changes."""
    if name in ("borrow_rate", "interest_rate"):
        return lambda x: {"carry": vb.Carry(**{name: x}) if x else None}
    if name == "initial_capital":
        return lambda x: {"initial_capital": x}
    return lambda x: {"costs": dataclasses.replace(COSTS, **{name: x}) if x or name != "commission_rate" else vb.Costs.free()}


# --- on the engine ---------------------------------------------------------------------------------------------------------


def assert_brackets_are_runs(found: Sweep, name: str, table: Any, tolerance: float = 1e-4, rf: float = 0.0) -> None:
    """What the statuses say is what backtests at both ends say."""
    change = cost_of(name)
    symbols = list(found.run.bars.symbols) if found.run is not None else []
    for row in table.iter_rows(named=True):
        at, status = symbols.index(row["symbol"]) if "symbol" in row else 0, row["status"]
        ends = {end: None if row[end] is None else sharpes(found, row["set"], change(row[end]), rf)[at] for end in ("lower", "upper")}
        if status in ("found", "several"):
            assert ends["lower"] > 0.0 >= ends["upper"], row
            assert 0.0 <= row["lower"] < row["break_even"] == row["upper"] <= row["lower"] + tolerance * row["upper"], row
        elif status == "below_zero":
            assert ends["upper"] <= 0.0 and row["lower"] is None and row["break_even"] is None, row
        elif status == "above_zero":
            assert ends["lower"] > 0.0 and row["upper"] is None and row["break_even"] is None, row
        else:
            assert status == "undefined" and row["lower"] is row["upper"] is row["break_even"] is None, row
            assert math.isnan(sharpes(found, row["set"], change(0.0))[at])
        assert row["error"] is None


@pytest.mark.parametrize("cost", ["commission_rate", "slippage", "half_spread", "per_unit", "per_order", "minimum", "borrow_rate"])
def test_m9_a_backtest_is_above_zero_at_the_lower_end_and_not_at_the_upper(cost: str) -> None:
    table = five().break_even(cost, threads=2)
    name = "slippage_bps" if cost == "slippage" else cost
    assert table.columns == ["set", "fast", "slow", "current", "break_even", "lower", "upper", "status", "error"]
    assert_brackets_are_runs(five(), name, table)
    assert table["status"].to_list()[:2] == ["found", "found"] and table["status"].to_list()[2] == "undefined"
    assert set(table["current"]) == {1e-5 if cost == "commission_rate" else 0.0}


@pytest.mark.parametrize("accounts", ["shared", "separate"])
def test_m9_panels_have_a_break_even_a_line(accounts: str) -> None:
    found = swept(THREE, {"fast": [1, 3], "slow": [5, 8]}, accounts=accounts, rf=0.0002)
    table = found.break_even("costs.commission_rate", tolerance=0.01)
    assert len(table) == (12 if accounts == "separate" else 4) and {"found", "below_zero"} <= set(table["status"])
    assert_brackets_are_runs(found, "commission_rate", table, 0.01, 0.0002)


@pytest.mark.interpreted
def test_m9_sets_of_arrays_a_cost_that_varies_and_a_limit() -> None:
    sets = [{"window": w, "costs.slippage_bps": s} for w, s in ((2, 0.0), (4, 3.0), (4, 500.0))]
    found = swept(ONE[:50], sets, Rolling())
    table = found.break_even("slippage", limit=600.0, tolerance=0.05)
    assert table.columns[:4] == ["set", "window", "costs.slippage_bps", "current"] and table["current"].to_list() == [0.0, 3.0, 500.0]
    assert_brackets_are_runs(found, "slippage_bps", table, 0.05)
    low, high = table["break_even"][1], table["break_even"][2]
    assert low == pytest.approx(high, rel=0.05), "the cost of the set itself is where the search begins, no more"


def test_m9_capital_takes_costs_that_grow_with_the_volume_share() -> None:
    impact = vb.Costs(commission_rate=1e-5, volume_share=0.5)
    found = swept(ONE, {"fast": [1, 3], "slow": [5]}, costs=impact, initial_capital=50_000)
    table = found.break_even("capital")
    assert table["status"].to_list() == ["found", "found"] and (table["break_even"] > 50_000).all()
    assert table["current"].to_list() == [50_000.0, 50_000.0]
    assert_brackets_are_runs(found, "initial_capital", table)
    with pytest.raises(ConfigError, match=r"nothing costs more where more is traded.*volume_share"):
        five().break_even("initial_capital")


@dataclasses.dataclass(frozen=True)
class Late(vb.Strategy):
    """Long for a bar, so many bars after a close that is followed by a rise in these prices."""

    delay: int = vb.Parameter(0, low=0, high=40, integer=True)
    upper: int = 1

    def rows(self, bars: vb.Bars) -> Any:
        """Knows the prices by heart: a wave of eleven bars."""
        wave = np.arange(bars.T) - self.delay
        return Signals(entries=wave % 11 == 8, exits=wave % 11 == 2)


WAVE = synthetic.sine(T=88, N=1, wave_bars=11.0)


def test_m9_of_whole_numbers_the_smallest_is_found() -> None:
    found = swept(WAVE, {"upper": [1, 2]}, Late())
    table = found.break_even("delay")
    assert table.columns == ["set", "parameter.upper", "current", "break_even", "lower", "upper", "status", "error"]
    assert table["break_even"].dtype == pl.Int64 and table["status"].to_list() == ["found", "found"]
    by_hand = [float(sharpes(found, 0, {"delay": k})[0]) for k in range(41)]
    first = next(k for k, value in enumerate(by_hand) if not value > 0.0)
    assert table["break_even"].to_list() == [first, first] and table["lower"].to_list() == [first - 1, first - 1] and first > 1
    short = found.break_even("delay", limit=first - 1)
    assert short["status"].to_list() == ["above_zero"] * 2 and short["lower"].to_list() == [first - 1] * 2
    late = next(k for k in range(first + 1, 41) if by_hand[k] > 0.0 >= by_hand[k - 1])
    assert found.break_even("delay", lowest=late - 1)["status"].to_list() == ["below_zero"] * 2
    again = next(k for k in range(late + 1, 41) if not by_hand[k] > 0.0)
    assert found.break_even("delay", lowest=late, limit=45)["break_even"].to_list() == [again] * 2, "45 may not be, and is not needed"
    assert found.break_even("delay", lowest=50, limit=60)["status"].to_list() == ["failed"] * 2


# --- rows, progress, files -------------------------------------------------------------------------------------------------


def test_rows_choose_sets_by_number_or_by_a_table() -> None:
    found = swept(ONE[:50], {"fast": [1, 3], "slow": [5, 8]})
    every = found.break_even("commission_rate", tolerance=0.01)
    assert found.break_even("commission_rate", rows=[2, 0], tolerance=0.01).equals(every.filter(pl.col("set").is_in([0, 2])))
    best = found.top(2)
    assert sorted(found.break_even("commission", rows=best, tolerance=0.01)["set"]) == sorted(best["set"])
    kept = found.filter(pl.col("set") > 0)
    assert kept.break_even("commission_rate", tolerance=0.01).equals(every.filter(pl.col("set") > 0))
    for rows, words in (([7], "there is no set 7 here"), ([], "rows is empty"), ("x", "there is no set 'x'")):
        with pytest.raises(ConfigError, match=words):
            found.break_even("commission_rate", rows=rows)


def test_a_loaded_sweep_needs_its_bars(tmp_path: Path) -> None:
    found = swept(ONE[:40], {"fast": [1]}, rf=0.0005)
    found.save(tmp_path / "sweep")
    with pytest.raises(StateError, match="without its bars"):
        Sweep.load(tmp_path / "sweep").break_even("commission_rate")
    loaded = Sweep.load(tmp_path / "sweep", bars=ONE[:40], strategy=SmaCross(2, 5, "both"), costs=COSTS)
    assert loaded.break_even("commission_rate", tolerance=0.1).equals(found.break_even("commission_rate", tolerance=0.1)), "with its rf"


def test_progress_counts_lines_that_are_settled() -> None:
    heard: list[tuple[int, int]] = []
    five().break_even("commission_rate", progress=lambda *counts: heard.append(counts))
    assert heard[0] == (2, 6) and heard[-1][0] <= 6 and heard == sorted(heard), "those that never trade are settled at once"
    with pytest.raises(ConfigError, match="progress is 3"):
        five().break_even("commission_rate", progress=3)  # type: ignore[arg-type]


def test_ctrl_c_leaves_brackets_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = []
    real = driver.sweep_sets

    def interrupted(*args: Any, **keywords: Any) -> Any:
        rounds.append(1)
        run = real(*args, **keywords)
        return dataclasses.replace(run, done=np.zeros_like(run.done)) if len(rounds) == 3 else run

    monkeypatch.setattr("vecbt.analytics.break_even.sweep_sets", interrupted)
    table = five().break_even("commission_rate")
    assert table["status"].to_list() == ["stopped", "stopped", "undefined"] * 2
    assert table["break_even"].null_count() == 6 and table["lower"].null_count() == 2


def test_a_set_that_cannot_be_run_says_why() -> None:
    sets = [{"fast": 1, "slow": 5, "costs.half_spread": 0.0}, {"fast": 9, "slow": 5, "costs.half_spread": 0.0},
            {"fast": 1, "slow": 5, "costs.half_spread": -1.0}]  # fmt: skip
    table = swept(ONE, sets).break_even("commission_rate")
    assert table["status"].to_list() == ["found", "failed", "failed"] and table["current"].to_list() == [1e-5, 1e-5, None]
    assert "expected fast < slow" in table["error"][1] and "half_spread" in table["error"][2]
    high = swept(ONE, {"fast": [1]}).break_even("commission_rate", lowest=0.6, limit=0.7)
    assert high["status"].to_list() == ["failed"] and "commission_rate=0.6: Costs.commission_rate is 0.6" in high["error"][0]


@pytest.mark.interpreted
def test_costs_that_are_none_are_refused_with_the_nearest() -> None:
    found = swept(ONE[:40], {"fast": [1]})
    for cost, more, words in (
        ("comission_rate", {}, "did you mean"),
        ("delay", {}, "nothing is called 'delay'"),
        ("costs.commision_rate", {}, "did you mean 'commission_rate'"),
        (3, {}, "expected a name"),
        ("fill", {}, "fill is 'next_open' in this sweep; expected a number"),
        ("commission_rate", {"tolerance": 0.0}, "tolerance is 0"),
        ("commission_rate", {"tolerance": True}, "tolerance is True"),
        ("commission_rate", {"lowest": -1.0}, "lowest is -1"),
        ("commission_rate", {"limit": math.inf}, "limit is inf"),
        ("commission_rate", {"lowest": 0.2, "limit": 0.1}, "would be tried from 0.2 to 0.1"),
        ("fast", {"lowest": 1.5}, "takes whole numbers"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            found.break_even(cost, **more)  # type: ignore[arg-type]
    rates = {"carry": vb.Carry(borrow_rate={"S": 0.1})}
    with pytest.raises(ConfigError, match=r"carry\.borrow_rate is .* expected a number"):
        swept(ONE[:40], {"fast": [1]}, **rates).break_even("borrow")


def test_a_cost_that_varies_down_to_zero_is_meant() -> None:
    """Where nothing else costs anything, the set is one of `Costs.free()`; no carry at all is none."""
    found = swept(ONE, {"costs.commission_rate": [0.0, 0.001], "carry.interest_rate": [0.0, 0.05]}, carry=vb.Carry(interest_rate=0.1))
    assert found.errors == {} and found.run is not None
    assert found.run.setup_of(0).costs == vb.Costs.free() and found.run.setup_of(0).carry is None
    assert found.run.setup_of(1).carry == vb.Carry(interest_rate=0.05)
    free = vb.backtest(ONE, SmaCross(2, 5, "both"), costs=vb.Costs.free()).stats()
    assert found.table["sharpe"][0] == float(free["sharpe"])
    made = swept(ONE, {"carry.borrow_rate": [0.0, 0.05]})
    assert made.run is not None and made.run.setup_of(0).carry is None and made.errors == {}


# --- the search by itself --------------------------------------------------------------------------------------------------


def searched(functions: list[Callable[[float], float]], *, low: float = 0.0, first: float = 1.0, limit: float = 100.0) -> Search:
    """A search over plain functions, which fail where they raise."""

    def ask(places: Any, points: Any) -> tuple[Any, Any]:
        values, failed = np.full(len(places), np.nan), np.zeros(len(places), dtype=bool)
        for k, (place, x) in enumerate(zip(places.tolist(), points.tolist(), strict=True)):
            assert low <= x <= limit, "nothing outside is tried"
            try:
                values[k] = functions[place](x)
            except ZeroDivisionError:
                failed[k] = True
        return values, failed

    full = np.full(len(functions), 1.0)
    return Search(ask, low * full, first * full, limit * full, lambda _: None)


@pytest.mark.interpreted
@given(
    root=st.floats(1e-6, 99.0),
    bend=st.floats(0.2, 5.0),
    cliff=st.booleans(),
    first=st.floats(1e-5, 50.0),
    tolerance=st.sampled_from([1e-2, 1e-4, 1e-9]),
)
@example(root=1e-6, bend=1.0, cliff=True, first=50.0, tolerance=1e-9)
@example(root=1.0, bend=1.0, cliff=False, first=1.0, tolerance=1e-4)
def test_m9_the_crossing_of_a_falling_function_is_bracketed(root: float, bend: float, cliff: bool, first: float, tolerance: float) -> None:
    asked: list[float] = []

    def falls(x: float) -> float:
        asked.append(x)
        height = root**bend - x**bend
        return math.copysign(1.0, height) if cliff and height else height

    found = searched([falls], first=first).numbers(tolerance)
    low, high = found.lower[0], found.upper[0]
    assert found.status[0] == "found" and falls(low) > 0.0 >= falls(high)
    assert 0.0 <= low < high and high - low <= max(tolerance * high, 1e-6 * first)
    assert low <= root <= high * (1.0 + 1e-15)
    assert len(asked) < 160


@pytest.mark.interpreted
def test_m9_every_status_is_told_apart() -> None:
    def fails(x: float) -> float:
        return 1.0 / (x == 0.0)

    cases: dict[str, Callable[[float], float]] = {
        "found": lambda x: 30.0 - x,
        "several": lambda x: (6.0 - x) * (9.0 - x) * (12.0 - x),
        "untraded": lambda x: 1.0 if x < 7.0 else math.nan,
        "below_zero": lambda x: -1.0,
        "above_zero": lambda x: 1.0,
        "undefined": lambda x: math.nan,
        "failed": fails,
    }
    found = searched(list(cases.values())).numbers(1e-6)
    assert dict(zip(cases, found.status, strict=True)) == {name: name for name in cases} and set(cases) < set(STATUS)
    lower, upper = (dict(zip(cases, ends, strict=True)) for ends in (found.lower, found.upper))
    assert lower["untraded"] == pytest.approx(7.0, rel=1e-5) and upper["untraded"] == pytest.approx(7.0, rel=1e-5)
    assert lower["several"] == pytest.approx(6.0, rel=1e-5), "the first one, where a grid of eight sees it"
    assert math.isnan(lower["below_zero"]) and upper["below_zero"] == 0.0
    assert lower["above_zero"] == 100.0 and math.isnan(upper["above_zero"])
    assert lower["failed"] == 0.0 and math.isnan(upper["failed"]) and math.isnan(lower["undefined"])
    assert GRID == 8


@pytest.mark.interpreted
def test_m9_zero_itself_counts_as_reached() -> None:
    found = searched([lambda x: max(4.0 - x, 0.0), lambda x: 0.0]).numbers(1e-6)
    assert found.upper[0] == pytest.approx(4.0, rel=1e-5) and found.status.tolist() == ["found", "below_zero"]


@pytest.mark.interpreted
def test_m9_whole_numbers_are_counted_and_what_lies_beyond_the_crossing_does_not_matter() -> None:
    def brittle(x: float) -> float:
        return 1.0 / (9.0 - x) if x > 5.0 else 3.5 - x

    def breaks(x: float) -> float:
        return 1.0 / (13.0 - x)

    found = searched([brittle, breaks, lambda x: 1.0, lambda x: 20.0 - x], first=1.0, limit=20.0).whole()
    assert found.status.tolist() == ["found", "failed", "above_zero", "found"]
    assert found.upper[[0, 3]].tolist() == [4.0, 20.0] and found.lower.tolist() == [3.0, 12.0, 20.0, 19.0]


@pytest.mark.interpreted
def test_a_search_that_is_stopped_keeps_what_it_knows() -> None:
    calls: list[int] = []

    def ask(places: Any, points: Any) -> tuple[Any, Any]:
        calls.append(1)
        if len(calls) > 2:
            raise Stopped
        return 100.0 - points, np.zeros(len(points), dtype=bool)

    found = Search(ask, np.zeros(1), np.ones(1), np.full(1, 200.0), lambda _: None).numbers(1e-4)
    assert found.status.tolist() == ["stopped"] and found.lower.tolist() == [1.0] and math.isnan(found.upper[0])
