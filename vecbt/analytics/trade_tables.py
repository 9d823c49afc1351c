"""Closed trades in groups, what each asset brought, and what trading and holding cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Table
from ..core.codes import Reason
from ..errors import ConfigError, nearest
from ..metrics.outcomes import OUTCOMES_METRICS, outcomes_of
from ..metrics.trades import TRADES_METRICS, trades_of
from .charges import carry_by_asset, charges

if TYPE_CHECKING:
    from ..engine.run import Run

__all__ = ["ACCOUNT", "KEYS", "attribution", "costs", "trade_stats"]

KEYS = ("asset", "side", "reason", "year", "month", "weekday")
"""What trades can be grouped by; times are those of the exit."""

ACCOUNT = "(account)"
"""Row of what belongs to an account and to none of its assets: interest."""

_COUNTS = ("trades", "longest_winning_streak", "longest_losing_streak", "long_trades", "short_trades")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def trade_stats(run: Run, by: str | Sequence[str] | None = None) -> Any:
    """Metrics of closed trades, in all or by group (M4, M5, M7); see `Result.trade_stats`."""
    import pandas as pd

    keys = () if by is None else (by,) if isinstance(by, str) else tuple(by)
    log = run.trades
    found = [_key(run, key) for key in keys]
    codes = np.stack([code for _, code in found], axis=1) if found else np.zeros((len(log), 1), dtype=np.int64)
    groups, places = np.unique(codes, axis=0, return_inverse=True)
    if not found:
        groups, places = np.zeros((1, 1), dtype=np.int64), np.zeros(len(log), dtype=np.int64)
    grouped = log.copy()
    grouped["account"] = places.reshape(-1)
    table = _columns(grouped, len(groups))
    if not found:
        return pd.Series({name: _whole(name, values[0]) for name, values in table.items()}, dtype=object, name="trades")
    levels = [np.asarray(names, dtype=object)[groups[:, k]] for k, (names, _) in enumerate(found)]
    index = pd.Index(levels[0], name=keys[0]) if len(keys) == 1 else pd.MultiIndex.from_arrays(levels, names=list(keys))
    columns = {name: values.astype(np.int64) if name in _COUNTS else values for name, values in table.items()}
    return pd.DataFrame(columns, index=index)


def _columns(grouped: Any, count: int) -> dict[str, NDArray[Any]]:
    of_trades, outcomes = trades_of(grouped, count), outcomes_of(grouped, count)
    table = {"trades": of_trades["trades"]}
    for name in ("pnl", "gross", "commission", "carry", "dividends"):
        table[name] = np.bincount(grouped["account"], weights=grouped[name], minlength=count)
    table |= {name: of_trades[name] for name in TRADES_METRICS.names or ()}
    table |= {name: outcomes[name] for name in OUTCOMES_METRICS.names or ()}
    return table


def _whole(name: str, value: Any) -> Any:
    return int(value) if name in _COUNTS else float(value)


def _key(run: Run, key: str) -> tuple[Sequence[Any], NDArray[np.int64]]:
    """Names of the groups of a key, and the place of each trade's among them."""
    log = run.trades
    if key in ("asset", "symbol"):
        return run.bars.symbols, log["asset"]
    if key == "side":
        return ("long", "short"), (log["side"] < 0).astype(np.int64)
    if key == "reason":
        members = sorted(Reason)
        return [member.name.lower() for member in members], np.searchsorted(np.array(members, dtype=np.int64), log["reason"])
    if key not in KEYS:
        raise ConfigError(f"by has {key!r}; {nearest(str(key), KEYS)}")
    dates = run.bars.session[log["exit_t"]].astype("M8[D]")
    if key == "weekday":
        return _DAYS, (dates.astype(np.int64) + 3) % 7
    unit = "Y" if key == "year" else "M"
    numbers, places = np.unique(dates.astype(f"M8[{unit}]"), return_inverse=True)
    return [int(str(number)) if unit == "Y" else str(number) for number in numbers], places


def attribution(run: Run) -> Table:
    """What each asset brought; see `Result.attribution`."""
    held, log, count = run.assets["q"] != 0.0, run.trades, run.bars.N
    open_ = np.where(held, run.assets["q"] * run.bars.market.multiplier * (run.assets["mark"] - run.assets["avg"]), 0.0)

    def both(name: str, running: str) -> Any:
        return np.bincount(log["asset"], weights=log[name], minlength=count) + np.where(held, run.assets[running], 0.0)

    columns: dict[str, NDArray[Any]] = {
        "trades": np.bincount(log["asset"], minlength=count),
        "gross": both("gross", "gross"),
        "unrealized": open_,
        "commission": both("commission", "commission"),
        "carry": both("carry", "trade_carry"),
        "dividends": both("dividends", "trade_dividends"),
    }
    columns["pnl"] = columns["gross"] + columns["unrealized"] - columns["commission"] - columns["carry"] + columns["dividends"]
    interest = charges(run).interest
    rest = {name: np.zeros(1, dtype=values.dtype) for name, values in columns.items()}
    rest["carry"], rest["pnl"] = interest.sum(keepdims=True), 0.0 - interest.sum(keepdims=True)
    table = {name: np.concatenate([values, rest[name]]) for name, values in columns.items()}
    capital = run.initial.sum()
    table["contribution"] = table["pnl"] / capital if capital > 0.0 else np.full(count + 1, np.nan)
    return _by_asset(run, table)


def costs(run: Run) -> Table:
    """What trading and holding each asset cost; see `Result.costs`."""
    fills, count = run.fills, run.bars.N
    funding, borrow = carry_by_asset(run)
    parts = {
        "commission": np.bincount(fills["asset"], weights=fills["commission"], minlength=count),
        "slippage": np.bincount(fills["asset"], weights=fills["slippage"], minlength=count),
        "borrow": borrow,
        "interest": np.zeros(count),
        "funding": funding,
    }
    table = {name: np.append(values, charges(run).interest.sum() if name == "interest" else 0.0) for name, values in parts.items()}
    table["total"] = np.sum(list(table.values()), axis=0)
    return _by_asset(run, table)


def _by_asset(run: Run, table: dict[str, NDArray[Any]]) -> Table:
    import pandas as pd

    return pd.DataFrame(table, index=pd.Index([*run.bars.symbols, ACCOUNT], name="symbol"))
