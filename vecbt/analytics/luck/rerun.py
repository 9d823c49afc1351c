"""One number of a run that is made only to be measured: the metrics of a sweep, by the same steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...engine.batch import simulate
from ...engine.inputs import AlignedInputs
from ...engine.run import Run
from ...engine.setup import Setup
from ...metrics.returns import RETURNS_METRICS, flow_returns_of, returns_of, returns_params
from ...metrics.trades import TRADES_METRICS, trades_of
from ..sweep_lines import METRICS, checked_metrics

__all__ = ["measured_metric", "metric_of", "rerun_metric"]


def measured_metric(name: str) -> str:
    """The name of a metric that every run of a sweep has; ConfigError with the nearest for another one."""
    return checked_metrics((name,), METRICS)[0]


def metric_of(run: Run, name: str, *, rf: float = 0.0, mar: float = 0.0) -> NDArray[np.float64]:
    """A metric of each account (A,), equal to that of `Result.stats`; NaN where it is undefined (M5)."""
    if name in (TRADES_METRICS.names or ()):
        return np.asarray(trades_of(run.trades, run.equity.shape[1])[name], dtype=np.float64)
    if name not in (RETURNS_METRICS.names or ()):
        paid = 0.0 if run.flows is None else run.flows.sum(axis=0)
        return np.asarray(run.equity[-1] if name == "final_equity" else run.equity[-1] - run.initial - paid, dtype=np.float64)
    returns, curve = (None, run.equity) if run.flows is None else flow_returns_of(run.equity, run.flows, run.initial)
    params = returns_params(run.bars.periods_per_year, rf, mar)
    return np.asarray(returns_of(curve, run.initial, params, returns)[name], dtype=np.float64)


def rerun_metric(bars: object, source: object, inputs: AlignedInputs, setup: Setup, name: str) -> float:
    """A metric of the one account of a run made for it."""
    return float(metric_of(simulate(bars, source, inputs, setup), name)[0])  # type: ignore[arg-type]
