"""What tests of sweeps share: the sweep of a space, the proof that each line is a run of its own, and strategies with faults."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import vecbt as vb
from vecbt.analytics.statistics import STATISTICS
from vecbt.core.sets import sets_of
from vecbt.core.space import Parameter
from vecbt.engine.inputs import ENTER_LONG, EXIT_LONG, Signals, Weights
from vecbt.engine.rule_strategy import RuleStrategy
from vecbt.engine.strategy import Strategy, as_strategy
from vecbt.engine.sweep import SweepRun, sweep_sets
from vecbt.errors import ConfigError
from vecbt.indicators.plan import Indicator
from vecbt.metrics.returns import RETURNS_METRICS, flow_returns_of, returns_of, returns_params
from vecbt.metrics.trades import TRADES_METRICS, trades_of

COSTS = vb.Costs(commission_rate=0.001, slippage_bps=2)


def swept(bars: vb.Bars, source: Any, space: Any, *, rf: float = 0.0, mar: float = 0.0, threads: int = 2, **keywords: Any) -> SweepRun:
    """The sweep of a space; `costs` where none are given."""
    strategy = as_strategy(source)
    sets = sets_of(space, strategy.space, strategy.parameters)
    return sweep_sets(bars, source, sets, {"costs": COSTS, **keywords}, rf=rf, mar=mar, threads=threads)


def alone(run: SweepRun, c: int) -> vb.Result:
    """The backtest of one set."""
    setup = run.setup_of(c)
    return vb.backtest(run.bars, run.strategy_of(c), **{f.name: getattr(setup, f.name) for f in dataclasses.fields(setup)})


def assert_lines_are_runs(run: SweepRun, *, rf: float = 0.0, mar: float = 0.0, least_trades: int = 1) -> None:
    """Every set is done, and every number of its line is that of its backtest, to the last bit."""
    assert run.errors == {} and run.done.all()
    assert run.trades["trades"].sum() >= least_trades, "nothing was traded, which proves little"
    for c in range(len(run.sets)):
        assert_line_is_run(run, c, rf=rf, mar=mar)


def assert_line_is_run(run: SweepRun, c: int, *, rf: float = 0.0, mar: float = 0.0) -> None:
    """One line against its backtest: by the metrics' own loops over the run, and as its table of statistics says."""
    result = alone(run, c)
    single, about = result.run, run.sets.at(c)
    returns, curve = (None, single.equity) if single.flows is None else flow_returns_of(single.equity, single.flows, single.initial)
    of_returns = returns_of(curve, single.initial, returns_params(run.bars.periods_per_year, rf, mar), returns)
    of_trades = trades_of(single.trades, single.equity.shape[1])
    table = result.stats(rf=rf, mar=mar)
    stated = {row.name for row in STATISTICS}
    for dtype, line, wanted in ((RETURNS_METRICS, run.returns[c], of_returns), (TRADES_METRICS, run.trades[c], of_trades)):
        for name in dtype.names or ():
            assert line[name].tobytes() == wanted[name].tobytes(), (about, name, line[name], wanted[name])
            if name in stated:
                said = np.atleast_1d(np.asarray(table.loc[name], dtype=float))
                assert np.array_equal(line[name].astype(float), said, equal_nan=True), (about, name, line[name], said)
    assert run.final[c].tobytes() == np.ascontiguousarray(single.equity[-1]).tobytes(), about
    assert run.initial[c].tobytes() == np.ascontiguousarray(single.initial).tobytes(), about


def arrays_of(run: SweepRun) -> tuple[bytes, ...]:
    """All that a sweep leaves, for comparing two of them."""
    parts = [run.done, run.final, run.initial]
    parts += [table[name] for table in (run.returns, run.trades) for name in table.dtype.names or ()]
    return tuple(np.ascontiguousarray(part).tobytes() for part in parts)


@dataclass(frozen=True)
class Layered(RuleStrategy):
    """Weights from indicators of indicators, with several outputs, of sessions and of the volume."""

    window: int = Parameter(6, low=2, integer=True)
    smooth: int = Parameter(3, low=1, integer=True)
    heavy: float = Parameter(0.8, low=0.0)
    gives: ClassVar[Any] = Weights

    def indicators(self) -> Mapping[str, Indicator]:
        """A band, the average of one of its outputs, and what reads volume and sessions."""
        return {
            "late": Indicator("sma", self.smooth, of="band_middle"),
            "band": Indicator("bollinger", self.window, 1.5),
            "traded": Indicator("volume_ratio", self.window),
            "fair": Indicator("session_vwap"),
            "later": Indicator("ema", self.smooth, of="late"),
        }

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any) -> float:
        """Leans against the band where much is traded."""
        if math.isnan(now.later) or math.isnan(now.traded) or now.traded < params.heavy:
            return math.nan
        if now.close < now.band_lower or (now.fair < now.later and now.late > before.late):
            return 0.4
        return -0.2 if now.close > now.band_upper else 0.0


@dataclass(frozen=True)
class Sick(RuleStrategy):
    """Fails in the way it is told to."""

    answer: float = Parameter(1.0, low=-100.0, high=100.0)
    window: int = Parameter(3, low=1, high=50, integer=True)
    ails: str = Parameter("nothing", choices=("nothing", "check", "raises", "indicators", "columns"))

    def check(self) -> None:
        """Its own constraint."""
        if self.ails == "check":
            raise ConfigError("Sick does not like this")
        if self.ails == "raises":
            raise ZeroDivisionError("in the check")

    def indicators(self) -> Mapping[str, Indicator]:
        """An average, under a name that may change."""
        if self.ails == "indicators":
            raise KeyError("no indicators today")
        return {"other" if self.ails == "columns" else "calm": Indicator("sma", self.window)}

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any) -> float:
        """Its answer above the average."""
        return params.answer if now.close > now.calm else float(EXIT_LONG)


@dataclass(frozen=True)
class Plain(RuleStrategy):
    """A parameter that nothing is declared about, and a choice of numbers."""

    level: Any = 1
    factor: float = Parameter(1, choices=(1, 2.5))

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any) -> int:
        """Above and below a line."""
        if now.close > before.close * (1.0 + 0.001 * params.level * params.factor):
            return ENTER_LONG
        return EXIT_LONG if now.close < before.close * (1.0 - 0.001 * params.level) else 0


@dataclass(frozen=True)
class Rolling(Strategy):
    """Pandas inside `rows`: signals."""

    window: int = Parameter(4, low=2, integer=True)
    fails: bool = False

    def rows(self, bars: vb.Bars) -> Any:
        """Breaks of the last highs and lows."""
        import pandas as pd

        if self.fails:
            raise RuntimeError("out of luck")
        close = pd.DataFrame(bars.close)
        high, low = close.rolling(self.window, min_periods=1).max().shift(), close.rolling(self.window, min_periods=1).min().shift()
        return Signals(entries=(close > high).to_numpy(), exits=(close < low).to_numpy())


@dataclass(frozen=True)
class Portions(Strategy):
    """Pandas inside `rows`: weights."""

    window: int = Parameter(4, low=2, integer=True)
    most: float = 0.3

    def rows(self, bars: vb.Bars) -> Any:
        """More of what rose."""
        import pandas as pd

        close = pd.DataFrame(bars.close).ffill()
        rose = close > close.rolling(self.window, min_periods=1).mean()
        return Weights(np.where(np.isnan(bars.close), np.nan, np.where(rose.to_numpy(), self.most, -0.1)))
