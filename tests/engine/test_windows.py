"""D6: an account may run between two bars, on indicators and rules that have seen those before; alone and in sweeps, to the same bits."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecbt as vb
from tests.engine.sweeps_of_tests import arrays_of
from vecbt.core.sets import sets_of
from vecbt.core.space import Parameter
from vecbt.engine.inputs import ENTER_LONG, EXIT_LONG, NamedInputs, Signals
from vecbt.engine.rule_strategy import RuleStrategy
from vecbt.engine.strategy import as_strategy
from vecbt.engine.sweep import SweepRun, sweep_sets
from vecbt.indicators.plan import Indicator
from vecbt.metrics.returns import RETURNS_METRICS
from vecbt.metrics.trades import TRADES_METRICS

pytestmark = pytest.mark.interpreted

COSTS = vb.Costs(commission_rate=0.001, slippage_bps=2)
ZONES = vb.Zones(boundaries=(0.02, 0.04, 0.06), liquidate_at=0.08)
WINDOWS = [(0, 60), (20, 80), (17, 18), (40, 100), (50, 100), (0, 100), (5, 65)]


def bars(assets: int = 1, count: int = 100, seed: int = 7) -> vb.Bars:
    """Days that go up and down."""
    return vb.synthetic.gbm(count, assets, seed=seed, volatility=0.4)


def crossing(bars: vb.Bars, window: int = 5) -> Signals:
    """A plain function: above its average, below it."""
    close = bars.close
    average = np.stack([np.convolve(column, np.ones(window) / window)[: len(column)] for column in close.T], axis=1)
    above = close > average
    above[: window - 1] = False
    return Signals(entries=above, exits=~above)


@dataclass(frozen=True)
class Patient(RuleStrategy):
    """Sees the account: leaves after some bars."""

    window: int = Parameter(4, low=2, high=50, integer=True)
    hold: int = Parameter(3, low=1, high=50, integer=True)
    gives: ClassVar[Any] = Signals

    def indicators(self) -> dict[str, Indicator]:
        """An average."""
        return {"average": Indicator("ema", self.window)}

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any, account: Any) -> float:
        """In above the average, out when it has been long enough."""
        if math.isnan(now.average):
            return 0
        if account.position > 0.0 and account.bars_held >= params.hold:
            return EXIT_LONG
        return ENTER_LONG if now.close > now.average else 0


CASES: dict[str, tuple[Any, dict[str, Any], int, dict[str, Any]]] = {
    "compiled": (vb.strategies.SmaCross(3, 9), {"fast": [2, 4], "slow": [9, 12]}, 1, {}),
    "compiled, stops": (vb.strategies.SmaCross(3, 9), {"stops.hard": [0.01, 0.05]}, 1, {"stops": vb.Stops(hard=0.02, take_profit=0.03)}),
    "two accounts": (vb.strategies.SmaCross(3, 9), {"fast": [2, 4]}, 2, {"accounts": "separate", "liquidate_at_end": True}),
    "two assets, one account": (vb.strategies.SmaCross(3, 9), {"fast": [2, 4]}, 2, {"sizing": vb.EqualWeight()}),
    "sized by deviation": (vb.strategies.SmaCross(3, 9), {"fast": [2, 4]}, 1, {"sizing": vb.InverseVolatility(window=10)}),
    "a function": (crossing, {}, 1, {}),
    "seeing the account": (Patient(), {"hold": [2, 5]}, 1, {}),
    "zones": (vb.strategies.SmaCross(3, 9), {"fast": [2, 4]}, 1, {"risk": vb.Risk(zones=ZONES)}),
}


def swept(name: str, windows: list[tuple[int, int]], *, threads: int = 1, **more: Any) -> SweepRun:
    """A case over windows, with all that a sweep can keep."""
    source, space, assets, keywords = CASES[name]
    strategy = as_strategy(source)
    sets = sets_of({**space, "between": windows}, strategy.space, strategy.parameters)
    settings: dict[str, Any] = {"blocks": True, "keep_equity": True, **more}
    return sweep_sets(bars(assets), strategy, sets, {"costs": COSTS, **keywords}, threads=threads, **settings)


def alone(run: SweepRun, c: int) -> vb.Result:
    """The backtest of one set."""
    setup = run.setup_of(c)
    values = {f.name: getattr(setup, f.name) for f in dataclasses.fields(setup)}
    return vb.backtest(run.bars, run.strategy_of(c), between=run.window_of(c), **values)


@pytest.mark.parametrize("name", CASES)
def test_d6_every_line_between_two_bars_is_a_run_of_its_own(name: str) -> None:
    run = swept(name, WINDOWS)
    assert run.errors == {} and run.done.all() and run.trades["trades"].sum() > 5
    for c in range(len(run.sets)):
        single, about = alone(run, c), run.sets.at(c)
        stats = single.stats()
        for dtype, line in ((RETURNS_METRICS, run.returns[c]), (TRADES_METRICS, run.trades[c])):
            for metric in dtype.names or ():
                if metric in stats.index:
                    said = np.atleast_1d(np.asarray(stats.loc[metric], dtype=float))
                    assert np.array_equal(line[metric].astype(float), said, equal_nan=True), (about, metric)
        first, stop = about["between"]
        assert run.equity is not None
        assert run.equity[c][:, first:stop].tobytes() == np.ascontiguousarray(single.run.equity.T).tobytes(), about
        outside = np.delete(run.equity[c], np.s_[first:stop], axis=1)
        assert np.isnan(outside).all()
        assert run.final[c].tobytes() == single.run.equity[-1].tobytes()


@pytest.mark.parametrize("name", [name for name in CASES if name != "sized by deviation"])
def test_d6_a_run_between_two_bars_is_a_run_over_these_bars_with_the_rows_that_were_said(name: str) -> None:
    source, _, assets, keywords = CASES[name]
    whole, (first, stop) = bars(assets), (30, 85)
    between = vb.backtest(whole, source, between=(first, stop), costs=COSTS, **keywords)
    assert isinstance(between.run.source, NamedInputs) and between.run.bars.T == stop - first
    again = vb.backtest(whole[first:stop], between.run.source, costs=COSTS, **keywords)
    for part in ("equity", "cash", "initial", "orders", "fills", "trades", "accounts"):
        assert getattr(between.run, part).tobytes() == getattr(again.run, part).tobytes(), part
    assert between.check_parity().ok
    if name != "seeing the account":
        rows, said = as_strategy(source).rows(whole).align(whole), between.run.inputs
        assert said.flags is not None and rows.flags is not None and np.array_equal(said.flags, rows.flags[first:stop])


def test_d6_indicators_have_seen_the_bars_before() -> None:
    whole = bars()
    warm = vb.backtest(whole, vb.strategies.SmaCross(3, 40), between=(41, 80), costs=COSTS)
    cold = vb.backtest(whole[41:80], vb.strategies.SmaCross(3, 40), costs=COSTS)
    assert warm.run.inputs.flags is not None and warm.run.inputs.flags.any()
    assert cold.run.inputs.flags is not None and not cold.run.inputs.flags.any()


def test_d6_windows_may_be_times_and_count_from_the_end() -> None:
    whole = bars()
    start, stop = whole.index[50].astype("datetime64[ns]"), whole.index[90].astype("datetime64[ns]")
    by_place = vb.backtest(whole, crossing, between=(50, 90), costs=COSTS)
    assert vb.backtest(whole, crossing, between=(start, stop), costs=COSTS).run.equity.tobytes() == by_place.run.equity.tobytes()
    assert vb.backtest(whole, crossing, between=(-30, None), costs=COSTS).run.bars.T == 30
    with pytest.raises(vb.errors.ConfigError, match=r"between is \(50, 40\).*no bar"):
        vb.backtest(whole, crossing, between=(50, 40), costs=COSTS)
    with pytest.raises(vb.errors.ConfigError, match=r"between is 50; expected \(start, stop\)"):
        vb.sweep(whole, crossing, {"between": [50]}, costs=COSTS)


@given(order=st.permutations(range(28)), threads=st.integers(1, 3))
@settings(max_examples=3)
def test_d6_order_and_threads_change_no_bit(order: list[int], threads: int) -> None:
    source, space, assets, keywords = CASES["compiled"]
    strategy = as_strategy(source)
    sets = sets_of({**space, "between": WINDOWS}, strategy.space, strategy.parameters)
    assert len(sets) == 28
    settings: dict[str, Any] = {"blocks": True, "keep_equity": True}
    one = sweep_sets(bars(assets), strategy, sets, {"costs": COSTS, **keywords}, threads=1, **settings)
    two = sweep_sets(bars(assets), strategy, sets.kept(np.array(order)), {"costs": COSTS, **keywords}, threads=threads, **settings)
    back = np.argsort(order)
    for a, b in ((one.final, two.final), (one.blocks, two.blocks), (one.fine, two.fine), (one.equity, two.equity)):
        assert a is not None and b is not None and a.tobytes() == np.ascontiguousarray(b[back]).tobytes()
    assert arrays_of(one)[0] == arrays_of(two)[0]


def test_d6_a_sweep_backtests_its_sets_and_counts_a_configuration_once() -> None:
    days = bars(seed=11)
    found = vb.sweep(days, vb.strategies.SmaCross(3, 9), {"fast": [2, 4], "between": [(0, 50), (50, 100)]}, costs=COSTS)
    assert found.table["between"].to_list() == ["(0, 50)", "(50, 100)"] * 2
    assert found.trials.count == 2
    result = found.backtest(3)
    assert result.run.bars.T == 50 and result.stats().loc["sharpe"] == found.table["sharpe"][3]
    with pytest.raises(vb.errors.ConfigError, match="windows of their own"):
        found.evidence()
