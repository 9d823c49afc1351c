"""Metrics of returns, drawdowns, tails and trades: one streaming step each, for statistics, sweeps and live sessions alike."""

from .drawdowns import drawdown, longest_drawdown_bars, max_drawdown, ulcer
from .measure import MEASURES, measure
from .ratios import cagr, calmar, sharpe, sortino, total_return, volatility
from .returns import return_metrics, simple_returns
from .shapes import downside_deviation, kurtosis, omega, skew, tail_ratio
from .tail import cvar, var
from .trades import trade_metrics

__all__ = [
    "MEASURES",
    "cagr",
    "calmar",
    "cvar",
    "downside_deviation",
    "drawdown",
    "kurtosis",
    "longest_drawdown_bars",
    "max_drawdown",
    "measure",
    "omega",
    "return_metrics",
    "sharpe",
    "simple_returns",
    "skew",
    "sortino",
    "tail_ratio",
    "total_return",
    "trade_metrics",
    "ulcer",
    "var",
    "volatility",
]
