"""Metrics of returns, drawdowns, tails and trades: one streaming step each, for statistics, sweeps and live sessions alike."""

from .drawdowns import drawdown, longest_drawdown_bars, max_drawdown, ulcer
from .measure import MEASURES, measure
from .ratios import cagr, calmar, sharpe, sortino, total_return, volatility
from .returns import return_metrics, simple_returns
from .tail import cvar, var
from .trades import trade_metrics

__all__ = [
    "MEASURES",
    "cagr",
    "calmar",
    "cvar",
    "drawdown",
    "longest_drawdown_bars",
    "max_drawdown",
    "measure",
    "return_metrics",
    "sharpe",
    "simple_returns",
    "sortino",
    "total_return",
    "trade_metrics",
    "ulcer",
    "var",
    "volatility",
]
