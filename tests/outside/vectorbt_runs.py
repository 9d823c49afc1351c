"""Runs vectorbt, in the environment where it is installed: `python vectorbt_runs.py QUESTIONS.npz ANSWERS.npz`.

Of vectorbt this file knows names to call, no more; what a question means, and what must come of it, stands in the tests, which run
in another environment and never import vectorbt. A question is an entry of the JSON text `questions`: its name, a function
(`from_signals`, `from_orders`; `from_stop_signals` makes exits of a stop first), keywords that are plain values, keywords that are
arrays of the file, and whether statistics are wanted.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

ORDERS = ("col", "idx", "size", "price", "fees", "side")
TRADES = ("col", "size", "entry_idx", "entry_price", "exit_idx", "exit_price", "pnl", "direction", "status")
YEARLY = ("sharpe_ratio", "sortino_ratio", "calmar_ratio", "annualized_return", "annualized_volatility")
YEAR = "252 days"


def simulate(question: dict[str, Any], arrays: dict[str, np.ndarray]) -> vbt.Portfolio:
    """The portfolio a question asks for; rows are days."""
    keywords = dict(question["plain"])
    days = pd.date_range("2024-01-01", periods=question["bars"], freq="D")
    for keyword, name in question["arrays"].items():
        values = arrays[name]
        keywords[keyword] = pd.DataFrame(values, index=days) if values.ndim == 2 else values
    if question["function"] == "from_stop_signals":
        bars = [keywords.pop(name) for name in ("open", "high", "low")]
        distance = keywords.pop("sl_stop")
        keywords["exits"] = keywords["entries"].vbt.signals.generate_ohlc_stop_exits(*bars, keywords["close"], sl_stop=distance)
        return vbt.Portfolio.from_signals(**keywords)
    return getattr(vbt.Portfolio, question["function"])(**keywords)


def answer(portfolio: vbt.Portfolio, stats: bool) -> dict[str, np.ndarray]:
    """Arrays by name: curves (T, G), record fields, one statistic per group."""
    found: dict[str, np.ndarray] = {
        "assets": np.asarray(portfolio.wrapper.shape_2d[1]),
        "value": portfolio.value().to_numpy(),
        "cash": portfolio.cash().to_numpy(),
    }
    tables = (("orders", portfolio.orders, ORDERS), ("trades", portfolio.trades, TRADES), ("positions", portfolio.positions, TRADES))
    for name, records, fields in tables:
        found |= {f"{name}.{field}": records.values[field] for field in fields}
    if stats:
        found["total_return"] = portfolio.total_return()
        found["max_drawdown"] = portfolio.max_drawdown()
        found["value_at_risk"] = portfolio.value_at_risk()
        found["cond_value_at_risk"] = portfolio.cond_value_at_risk()
        for statistic in YEARLY:
            found[statistic] = getattr(portfolio, statistic)(year_freq=YEAR)
        found["sharpe_ratio_by_default"] = portfolio.sharpe_ratio()
        for kind, trades in (("closed", portfolio.trades.closed), ("positions", portfolio.positions.closed), ("all", portfolio.trades)):
            found[f"{kind}_win_rate"] = trades.win_rate()
            found[f"{kind}_profit_factor"] = trades.profit_factor()
    return {name: np.asarray(values) for name, values in found.items()}


def main(source: str, target: str) -> None:
    """Answer every question of the file `source` in the file `target`; an error is an answer too, its text."""
    with np.load(source) as given:
        arrays = dict(given)
    found: dict[str, np.ndarray] = {"version": np.asarray(vbt.__version__)}
    for question in json.loads(str(arrays["questions"])):
        try:
            answers = answer(simulate(question, arrays), question["stats"])
        except Exception as error:
            answers = {"error": np.asarray(f"{type(error).__name__}: {error}")}
        found |= {f"{question['name']}/{name}": values for name, values in answers.items()}
    np.savez(target, **found)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of pandas and numba, in versions that are not ours
    main(*sys.argv[1:])
