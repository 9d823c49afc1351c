"""What empyrical-reloaded and quantstats say of the cases: `python -m tests.oracle.ask` writes it to `answers.csv`.

Their sign of losses is turned where vecbt's is positive, and their ratio per bar is annualized where vecbt's is; nothing else is changed.
"""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.oracle.cases import CASES, PERIODS, case

__all__ = ["ANSWERS", "answers", "read", "say"]

ANSWERS = Path(__file__).with_name("answers.csv")

Answer = dict[tuple[str, str, str], float]
YEARLY = float(np.sqrt(PERIODS))


def answers() -> Answer:
    """All figures by library, case and name of the metric."""
    found: Answer = {}
    for name in CASES:
        for library, say_ in say().items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # theirs
                found |= {(library, name, metric): float(value) for metric, value in say_(*case(name)).items()}
    return found


def say() -> dict[str, Any]:
    """The libraries, and what asks them."""
    return {"empyrical": _empyrical, "quantstats": _quantstats}


def _empyrical(r: pd.Series, b: pd.Series) -> dict[str, Any]:
    import empyrical as ep

    months = ep.aggregate_returns(r, "monthly")
    return {
        "total_return": ep.cum_returns_final(r),
        "cagr": ep.annual_return(r),
        "volatility": ep.annual_volatility(r),
        "sharpe": ep.sharpe_ratio(r),
        "sharpe above 0.0001": ep.sharpe_ratio(r, risk_free=0.0001),
        "sortino": ep.sortino_ratio(r),
        "sortino above 0.0002": ep.sortino_ratio(r, required_return=0.0002),
        "downside_deviation": ep.downside_risk(r),
        "calmar": ep.calmar_ratio(r),
        "max_drawdown": -ep.max_drawdown(r),
        "omega": ep.omega_ratio(r),
        "omega above 0.0002": ep.omega_ratio(r, required_return=0.0002, annualization=1),
        "tail_ratio": ep.tail_ratio(r),
        "var": -ep.value_at_risk(r),
        "cvar": -ep.conditional_value_at_risk(r),
        "best_month": months.max(),
        "worst_month": months.min(),
        "last month": months.iloc[-1],
        "last year": ep.aggregate_returns(r, "yearly").iloc[-1],
        "beta": ep.beta(r, b),
        "alpha": ep.alpha(r, b),
        "up_capture": ep.up_capture(r, b),
        "down_capture": ep.down_capture(r, b),
        "capture_ratio": ep.up_down_capture(r, b),
        "information_ratio": ep.excess_sharpe(r, b) * YEARLY,
        "batting_average": ep.batting_average(r, b)["batting average"],
        "rolling max_drawdown": -ep.roll_max_drawdown(r, window=20).iloc[-1],
        "rolling sharpe": ep.roll_sharpe_ratio(r, window=20).iloc[-1],
    }


def _quantstats(r: pd.Series, b: pd.Series) -> dict[str, Any]:
    import quantstats.stats as qs

    line = qs.greeks(r, b)
    return {
        "total_return": qs.comp(r),
        "cagr": qs.cagr(r, periods=PERIODS),
        "volatility": qs.volatility(r),
        "sharpe": qs.sharpe(r),
        "sortino": qs.sortino(r),
        "calmar": qs.calmar(r),
        "max_drawdown": -qs.max_drawdown(r),
        "skew": qs.skew(r),
        "kurtosis": qs.kurtosis(r),
        "omega": qs.omega(r),
        "tail_ratio": qs.tail_ratio(r),
        "parametric_var": -qs.value_at_risk(r),
        "parametric_cvar": -qs.cvar(r),
        "cvar": -qs.cvar(r, method="historical"),
        "ulcer": qs.ulcer_index(r),
        "positive_bars": qs.win_rate(r),
        "best_bar": qs.best(r),
        "worst_bar": qs.worst(r),
        "best_month": qs.best(r, "ME"),
        "worst_month": qs.worst(r, "ME"),
        "beta": line["beta"],
        "alpha": line["alpha"],
        "information_ratio": qs.information_ratio(r, b) * YEARLY,
        "r_squared": qs.r_squared(r, b),
    }


def read() -> Answer:
    """The answers as they were written down."""
    with ANSWERS.open(encoding="utf-8", newline="") as file:
        return {(row["library"], row["case"], row["metric"]): float(row["value"]) for row in csv.DictReader(file)}


if __name__ == "__main__":
    with ANSWERS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["library", "case", "metric", "value"])
        writer.writerows([*key, repr(value)] for key, value in answers().items())
