"""vecbt: a vectorized backtesting engine whose batch run and bar-by-bar replay agree to the last bit.

>>> import vecbt as vb
>>> bars = vb.samples.load("us_daily")
>>> result = vb.backtest(bars, vb.strategies.SmaCross(20, 100), costs=vb.Costs(commission_rate=0.001))

Names load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Atr": "risk.stops",
    "BacktestEngine": "faces.backtest_engine",
    "Bar": "data.bar",
    "Bars": "data.bars",
    "BaseOptimizer": "faces.optimizers",
    "Bayesian": "optimize.bayesian",
    "BenchmarkReport": "faces.benchmark_runner",
    "BenchmarkRunner": "faces.benchmark_runner",
    "Cancel": "engine.orders_input",
    "Carry": "execution.carry",
    "Cash": "risk.sizing",
    "Choice": "optimize.variables",
    "CombinatorialPurged": "optimize.splits",
    "Comparison": "analytics.comparison",
    "ComparisonConfig": "faces.metrics_comparator",
    "ConfidenceBasedSizing": "risk.sizing",
    "ConfigManager": "config.manager",
    "Costs": "execution.costs",
    "DataSplitter": "faces.benchmark_runner",
    "Decision": "engine.decision",
    "Deflated": "optimize.luck_scores",
    "Differential": "optimize.differential",
    "ENTER_LONG": "engine.inputs",
    "ENTER_SHORT": "engine.inputs",
    "EXIT_LONG": "engine.inputs",
    "EXIT_SHORT": "engine.inputs",
    "EngineResult": "faces.backtest_engine",
    "EnsembleComparison": "analytics.ensemble",
    "EqualWeight": "risk.sizing",
    "EventStrategy": "engine.event_strategy",
    "ExecutionPlan": "faces.execution_rules",
    "ExecutionRulesConfig": "faces.execution_rules",
    "Finding": "config.lint.finding",
    "FixedFractionalSizing": "risk.sizing",
    "ForecastSizing": "risk.sizing",
    "Genetic": "optimize.genetic",
    "GeneticOptimizer": "faces.optimizers",
    "GridSearch": "optimize.sampling",
    "Indicator": "indicators.plan",
    "InverseVolatility": "risk.sizing",
    "KellyCriterion": "risk.sizing",
    "Limits": "risk.limits",
    "ManagedOrder": "faces.order_manager",
    "Market": "data.market",
    "MarketStates": "optimize.reinforce.states",
    "MetricsComparator": "faces.metrics_comparator",
    "Notional": "risk.sizing",
    "OptimizationResults": "faces.optimizers",
    "OptimizerFactory": "faces.optimizers",
    "Order": "engine.orders_input",
    "OrderManager": "faces.order_manager",
    "Orders": "engine.orders_input",
    "Parameter": "core.space",
    "ParameterBounds": "faces.optimizers",
    "ParityReport": "engine.check",
    "Pct": "risk.stops",
    "Penalty": "optimize.objective",
    "Plateau": "optimize.luck_scores",
    "Policy": "optimize.reinforce.policy",
    "PolicySelector": "optimize.reinforce.selector",
    "PortfolioBenchmark": "faces.benchmark_runner",
    "PortfolioMetrics": "faces.benchmark_runner",
    "PositionSizingConfig": "risk.sizing",
    "Price": "risk.stops",
    "PurgedKFold": "optimize.splits",
    "Pymoo": "optimize.exotic",
    "Quantities": "engine.inputs",
    "RLOptimizer": "faces.rl_optimizer",
    "RandomSearch": "optimize.sampling",
    "RandomSets": "core.sets",
    "Range": "optimize.variables",
    "Result": "analytics.result",
    "Risk": "risk.zones",
    "RiskManager": "faces.risk_manager",
    "RuleStrategy": "engine.rule_strategy",
    "Schedule": "optimize.schedule",
    "Search": "optimize.searched",
    "SearchDriver": "optimize.by_hand",
    "Signals": "engine.inputs",
    "SizeReport": "risk.sizing",
    "Sobol": "core.sets",
    "SobolSearch": "optimize.sampling",
    "Space": "core.space",
    "StopLossManager": "risk.stop_manager",
    "Stops": "risk.stops",
    "Strategy": "engine.strategy",
    "StrategyReport": "engine.causality",
    "Stream": "engine.stream",
    "Strengths": "engine.inputs",
    "Sweep": "analytics.sweep",
    "Ticks": "risk.stops",
    "Units": "risk.sizing",
    "VerifyReport": "analytics.saved",
    "VolatilitySizing": "risk.sizing",
    "WalkForward": "optimize.walk_result",
    "WalkForwardOptimizer": "faces.walk_forward_optimizer",
    "WalkForwardSplit": "optimize.splits",
    "Weight": "risk.sizing",
    "Weighted": "optimize.objective",
    "Weights": "engine.inputs",
    "Zones": "risk.zones",
    "as_strategy": "engine.strategy",
    "backtest": "api",
    "check_causal": "api",
    "check_config": "config.lint",
    "check_parity": "api",
    "check_strategy": "api",
    "combinatorial": "optimize.combinatorial",
    "compare": "analytics.comparison",
    "compare_ensemble_vs_individual": "analytics.ensemble",
    "create_position_sizer": "risk.sizing",
    "create_strategy": "strategies.registry",
    "drawdowns": "analytics.return_tables",
    "evidence_of": "analytics.luck.of_returns",
    "forecast_metrics": "analytics.forecasts",
    "learn_policy": "optimize.reinforce.training",
    "load_result": "analytics.saved",
    "load_strategies": "config.strategies",
    "monthly_returns": "analytics.return_tables",
    "pareto_front": "optimize.pareto",
    "register_accessors": "accessors",
    "register_strategy": "strategies.registry",
    "relative": "analytics.relative",
    "report": "analytics.sheet_returns",
    "returns_by": "analytics.return_tables",
    "rolling_metrics": "analytics.return_tables",
    "search": "optimize.search",
    "setup_logger": "logs",
    "stats": "analytics.return_tables",
    "strategy": "engine.function_strategy",
    "sweep": "api",
    "trading_env": "optimize.reinforce.environment",
    "trading_envs": "optimize.reinforce.environment",
    "value_at_risk": "analytics.return_tables",
    "verify": "analytics.saved",
    "walk_forward": "optimize.walk_forward",
    "yearly_returns": "analytics.return_tables",
}
"""Public name -> module of the package it lives in."""

_MODULES = {
    "errors": "errors",
    "evidence": "evidence",
    "executors": "executors",
    "indicators": "indicators",
    "ledger": "ledger",
    "metrics": "metrics",
    "presets": "risk.presets",
    "samples": "data.samples",
    "signals": "signals",
    "strategies": "strategies",
    "synthetic": "data.synthetic",
}
"""Public submodules under the name people use."""

if TYPE_CHECKING:
    from . import errors, evidence, executors, indicators, ledger, metrics, signals, strategies
    from .accessors import register_accessors
    from .analytics.comparison import Comparison, compare
    from .analytics.ensemble import EnsembleComparison, compare_ensemble_vs_individual
    from .analytics.forecasts import forecast_metrics
    from .analytics.luck.of_returns import evidence_of
    from .analytics.relative import relative
    from .analytics.result import Result
    from .analytics.return_tables import (
        drawdowns,
        monthly_returns,
        returns_by,
        rolling_metrics,
        stats,
        value_at_risk,
        yearly_returns,
    )
    from .analytics.saved import VerifyReport, load_result, verify
    from .analytics.sheet_returns import report
    from .analytics.sweep import Sweep
    from .api import backtest, check_causal, check_parity, check_strategy, sweep
    from .config.lint import Finding, check_config
    from .config.manager import ConfigManager
    from .config.strategies import load_strategies
    from .core.sets import RandomSets, Sobol
    from .core.space import Parameter, Space
    from .data import samples, synthetic
    from .data.bar import Bar
    from .data.bars import Bars
    from .data.market import Market
    from .engine.causality import StrategyReport
    from .engine.check import ParityReport
    from .engine.decision import Decision
    from .engine.event_strategy import EventStrategy
    from .engine.function_strategy import strategy
    from .engine.inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Quantities, Signals, Strengths, Weights
    from .engine.orders_input import Cancel, Order, Orders
    from .engine.rule_strategy import RuleStrategy
    from .engine.strategy import Strategy, as_strategy
    from .engine.stream import Stream
    from .execution.carry import Carry
    from .execution.costs import Costs
    from .faces.backtest_engine import BacktestEngine, EngineResult
    from .faces.benchmark_runner import BenchmarkReport, BenchmarkRunner, DataSplitter, PortfolioBenchmark, PortfolioMetrics
    from .faces.execution_rules import ExecutionPlan, ExecutionRulesConfig
    from .faces.metrics_comparator import ComparisonConfig, MetricsComparator
    from .faces.optimizers import BaseOptimizer, GeneticOptimizer, OptimizationResults, OptimizerFactory, ParameterBounds
    from .faces.order_manager import ManagedOrder, OrderManager
    from .faces.risk_manager import RiskManager
    from .faces.rl_optimizer import RLOptimizer
    from .faces.walk_forward_optimizer import WalkForwardOptimizer
    from .indicators.plan import Indicator
    from .logs import setup_logger
    from .optimize.bayesian import Bayesian
    from .optimize.by_hand import SearchDriver
    from .optimize.combinatorial import combinatorial
    from .optimize.differential import Differential
    from .optimize.exotic import Pymoo
    from .optimize.genetic import Genetic
    from .optimize.luck_scores import Deflated, Plateau
    from .optimize.objective import Penalty, Weighted
    from .optimize.pareto import pareto_front
    from .optimize.reinforce.environment import trading_env, trading_envs
    from .optimize.reinforce.policy import Policy
    from .optimize.reinforce.selector import PolicySelector
    from .optimize.reinforce.states import MarketStates
    from .optimize.reinforce.training import learn_policy
    from .optimize.sampling import GridSearch, RandomSearch, SobolSearch
    from .optimize.schedule import Schedule
    from .optimize.search import search
    from .optimize.searched import Search
    from .optimize.splits import CombinatorialPurged, PurgedKFold, WalkForwardSplit
    from .optimize.variables import Choice, Range
    from .optimize.walk_forward import walk_forward
    from .optimize.walk_result import WalkForward
    from .risk import presets
    from .risk.limits import Limits
    from .risk.sizing import (
        Cash,
        ConfidenceBasedSizing,
        EqualWeight,
        FixedFractionalSizing,
        ForecastSizing,
        InverseVolatility,
        KellyCriterion,
        Notional,
        PositionSizingConfig,
        SizeReport,
        Units,
        VolatilitySizing,
        Weight,
        create_position_sizer,
    )
    from .risk.stop_manager import StopLossManager
    from .risk.stops import Atr, Pct, Price, Stops, Ticks
    from .risk.zones import Risk, Zones
    from .strategies.registry import create_strategy, register_strategy

__all__ = [
    "ENTER_LONG",
    "ENTER_SHORT",
    "EXIT_LONG",
    "EXIT_SHORT",
    "Atr",
    "BacktestEngine",
    "Bar",
    "Bars",
    "BaseOptimizer",
    "Bayesian",
    "BenchmarkReport",
    "BenchmarkRunner",
    "Cancel",
    "Carry",
    "Cash",
    "Choice",
    "CombinatorialPurged",
    "Comparison",
    "ComparisonConfig",
    "ConfidenceBasedSizing",
    "ConfigManager",
    "Costs",
    "DataSplitter",
    "Decision",
    "Deflated",
    "Differential",
    "EngineResult",
    "EnsembleComparison",
    "EqualWeight",
    "EventStrategy",
    "ExecutionPlan",
    "ExecutionRulesConfig",
    "Finding",
    "FixedFractionalSizing",
    "ForecastSizing",
    "Genetic",
    "GeneticOptimizer",
    "GridSearch",
    "Indicator",
    "InverseVolatility",
    "KellyCriterion",
    "Limits",
    "ManagedOrder",
    "Market",
    "MarketStates",
    "MetricsComparator",
    "Notional",
    "OptimizationResults",
    "OptimizerFactory",
    "Order",
    "OrderManager",
    "Orders",
    "Parameter",
    "ParameterBounds",
    "ParityReport",
    "Pct",
    "Penalty",
    "Plateau",
    "Policy",
    "PolicySelector",
    "PortfolioBenchmark",
    "PortfolioMetrics",
    "PositionSizingConfig",
    "Price",
    "PurgedKFold",
    "Pymoo",
    "Quantities",
    "RLOptimizer",
    "RandomSearch",
    "RandomSets",
    "Range",
    "Result",
    "Risk",
    "RiskManager",
    "RuleStrategy",
    "Schedule",
    "Search",
    "SearchDriver",
    "Signals",
    "SizeReport",
    "Sobol",
    "SobolSearch",
    "Space",
    "StopLossManager",
    "Stops",
    "Strategy",
    "StrategyReport",
    "Stream",
    "Strengths",
    "Sweep",
    "Ticks",
    "Units",
    "VerifyReport",
    "VolatilitySizing",
    "WalkForward",
    "WalkForwardOptimizer",
    "WalkForwardSplit",
    "Weight",
    "Weighted",
    "Weights",
    "Zones",
    "__version__",
    "as_strategy",
    "backtest",
    "check_causal",
    "check_config",
    "check_parity",
    "check_strategy",
    "combinatorial",
    "compare",
    "compare_ensemble_vs_individual",
    "create_position_sizer",
    "create_strategy",
    "drawdowns",
    "errors",
    "evidence",
    "evidence_of",
    "executors",
    "forecast_metrics",
    "indicators",
    "learn_policy",
    "ledger",
    "load_result",
    "load_strategies",
    "metrics",
    "monthly_returns",
    "pareto_front",
    "presets",
    "register_accessors",
    "register_strategy",
    "relative",
    "report",
    "returns_by",
    "rolling_metrics",
    "samples",
    "search",
    "setup_logger",
    "signals",
    "stats",
    "strategies",
    "strategy",
    "sweep",
    "synthetic",
    "trading_env",
    "trading_envs",
    "value_at_risk",
    "verify",
    "walk_forward",
    "yearly_returns",
]


def _give_accessors() -> None:
    """`returns.vecbt` for objects of pandas and polars, where they are imported (see `vecbt.accessors`)."""
    for library in ("pandas", "polars"):
        # one that is only being imported, by another thread, has no Series yet
        if library not in _GIVEN and hasattr(sys.modules.get(library), "Series"):
            _GIVEN.add(library)
            importlib.import_module(".accessors", __name__)._register([library])


_GIVEN: set[str] = set()


def __getattr__(name: str) -> Any:
    _give_accessors()
    if name in _MODULES:
        value: Any = importlib.import_module(f".{_MODULES[name]}", __name__)
    elif name in _HOME:
        value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    else:
        raise AttributeError(f"module 'vecbt' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


_give_accessors()
