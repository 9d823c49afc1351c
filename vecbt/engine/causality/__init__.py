"""No look-ahead, proven (D2): a strategy, or any function of bars, is run again with what comes after a bar removed or replaced."""

from __future__ import annotations

from .drive import check_function, check_strategy
from .report import CheckLine, Finding, StrategyReport

__all__ = ["CheckLine", "Finding", "StrategyReport", "check_function", "check_strategy"]
