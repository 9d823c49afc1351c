"""The logs of a run as frames: times, symbols and words instead of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Table
from ..core.codes import OrderStatus, OrderType, Reason, Rule, TimeInForce, rule_names
from ..engine.audit.facts import requests_of_orders
from ..metrics.holdings import position_values
from .words import RULES

if TYPE_CHECKING:
    from ..engine.run import Run

__all__ = ["fills", "open_positions", "orders", "refusals", "times", "trades"]

_NOT_YET = np.iinfo(np.int64).min  # the bits of NaT


def times(run: Run, bars: Any = None) -> Any:
    """UTC times of bar numbers, or of all bars; a bar before the first or still to come is NaT."""
    import pandas as pd

    if bars is None:
        return run.bars.datetime_index
    index = run.bars.index
    known = (bars >= 0) & (bars < len(index))
    index = np.where(known, index[np.where(known, bars, 0)], _NOT_YET)
    return pd.DatetimeIndex(np.asarray(index, dtype=np.int64).view("M8[ns]"), tz="UTC")


def _text(words: Sequence[str], places: NDArray[np.int64]) -> Any:
    """Words by their places: a column of text, made of one word each."""
    import pandas as pd

    return pd.array(list(words), dtype="str").take(places)


def _words(codes: NDArray[np.int64], kind: type[IntEnum]) -> Any:
    """Names of codes, in lower case."""
    members = sorted(kind)
    return _text([member.name.lower() for member in members], np.searchsorted(np.array(members, dtype=np.int64), codes))


def _rules(masks: NDArray[np.int64]) -> Any:
    """Names of the rules in each mask."""
    found, places = np.unique(masks, return_inverse=True)
    return _text([rule_names(int(mask)) for mask in found], places)


def _symbols(run: Run, assets: NDArray[np.int64]) -> Any:
    return _text(run.bars.symbols, assets)


def _sides(signed: NDArray[Any]) -> Any:
    return _text(("short", "long"), (signed > 0).astype(np.int64))


def _frame(columns: dict[str, Any]) -> Table:
    import pandas as pd

    return pd.DataFrame(columns)


def orders(run: Run) -> Table:
    """Every order in time order, pending ones last.

    Quantities are signed. `wanted` is before any cut, NaN where the size is found at the fill; `closing` and `opening` are its parts as
    queued; `cut_by` names the rules that cut or refused it, empty when none did; `done` is NaT while it is pending. Where the inputs are
    `Orders` there are also their `type`, `limit`, `stop`, `tif` and `tag`; exits that were not given have none.
    """
    log = run.orders
    columns = {
        "id": log["id"],
        "time": times(run, log["t"]),
        "symbol": _symbols(run, log["asset"]),
        "wanted": log["wanted"],
        "closing": log["close_q"],
        "opening": log["open_q"],
        "filled": log["filled"],
        "price": log["price"],
        "commission": log["commission"],
        "done": times(run, log["t_done"]),
        "status": _words(log["status"], OrderStatus),
        "reason": _words(log["reason"], Reason),
        "cut_by": _rules(log["cut_by"]),
        "priority": log["priority"],
    }
    return _frame(columns | _requests(run))


def _requests(run: Run) -> dict[str, Any]:
    """What was asked for, where the inputs are orders."""
    given = run.inputs.orders
    places = None if given is None else requests_of_orders(run)
    if given is None or places is None:
        return {}
    known = places >= 0
    rows: Any = given[places] if len(given) else np.zeros(len(places), dtype=given.dtype)
    kind, tif = np.where(known, rows["type"], len(OrderType)), np.where(known, rows["tif"], len(TimeInForce))
    limited = np.isin(kind, (OrderType.LIMIT, OrderType.STOP_LIMIT))
    stopped = np.isin(kind, (OrderType.STOP, OrderType.STOP_LIMIT))
    return {
        "type": _text([*(member.name.lower() for member in OrderType), ""], kind),
        "limit": np.where(limited, rows["limit"], np.nan),
        "stop": np.where(stopped, rows["stop"], np.nan),
        "tif": _text([*(member.name.lower() for member in TimeInForce), ""], tif),
        "tag": np.where(known, rows["tag"], 0),
    }


def fills(run: Run) -> Table:
    """Every fill in time order: `quantity` is signed, `price` includes slippage, `reference` does not; costs are money."""
    log = run.fills
    columns = {
        "time": times(run, log["t"]),
        "symbol": _symbols(run, log["asset"]),
        "order": log["order"],
        "quantity": log["q"],
        "price": log["price"],
        "reference": log["ref"],
        "commission": log["commission"],
        "slippage": log["slippage"],
        "reason": _words(log["reason"], Reason),
    }
    return _frame(columns)


def trades(run: Run) -> Table:
    """Every closed trade, from flat to flat (M4), in the order they were closed.

    `pnl` is `gross` less `commission` and `carry` (borrow fees and funding, below zero when received) plus `dividends`, `return` is pnl
    over the money paid at entry, `mae` and `mfe` are fractions of the entry price (M7), `r_multiple` is pnl over initial risk, NaN without
    a stop. A position held before the first bar has entry time NaT.
    """
    log = run.trades
    risk = np.where(log["initial_risk"] > 0.0, log["initial_risk"], np.nan)
    paid = np.abs(log["quantity"] * log["entry_price"]) * run.bars.market.multiplier[log["asset"]]
    columns = {
        "symbol": _symbols(run, log["asset"]),
        "side": _sides(log["side"]),
        "entry_time": times(run, log["entry_t"]),
        "exit_time": times(run, log["exit_t"]),
        "holding_bars": log["exit_t"] - log["entry_t"],
        "quantity": log["quantity"],
        "entry_price": log["entry_price"],
        "exit_price": log["exit_price"],
        "gross": log["gross"],
        "commission": log["commission"],
        "carry": log["carry"],
        "dividends": log["dividends"],
        "pnl": log["pnl"],
        "return": log["pnl"] / np.where(paid > 0.0, paid, np.nan),
        "reason": _words(log["reason"], Reason),
        "mae": log["mae"],
        "mfe": log["mfe"],
        "stop": log["stop"],
        "initial_risk": log["initial_risk"],
        "r_multiple": log["pnl"] / risk,
    }
    return _frame(columns)


def open_positions(run: Run) -> Table:
    """What is held after the last bar, at its mark (T8): `stop` and `target` are the levels in force.

    `value` is signed exposure, `unrealized` the gain against the average price, `carry` and `dividends` those so far, all money.
    """
    held = np.flatnonzero(run.assets["q"] != 0.0)
    state, multiplier = run.assets[held], run.bars.market.multiplier[held]
    columns = {
        "symbol": _symbols(run, held),
        "side": _sides(state["q"]),
        "quantity": state["q"],
        "entry_time": times(run, state["entry_t"]),
        "entry_price": state["avg"],
        "mark": state["mark"],
        "value": position_values(state["q"], state["mark"], multiplier),
        "unrealized": state["q"] * multiplier * (state["mark"] - state["avg"]),
        "carry": state["trade_carry"],
        "dividends": state["trade_dividends"],
        "stop": state["stop"],
        "target": state["target"],
    }
    return _frame(columns)


def refusals(run: Run) -> Table:
    """How many orders each rule cut or refused, and what became of them, most frequent first (Z6).

    `rule` names one rule; `status` is what became of the orders, `orders` how many there are, `because` says why. An order that
    several rules cut counts for each of them, so the counts may add up to more than the orders whose `cut_by` is not empty.
    """
    log, rows = run.orders, []
    for rule in Rule:
        statuses, counts = np.unique(log["status"][(log["cut_by"] & rule) != 0], return_counts=True)
        name, sentence = str(rule.name).lower(), RULES[rule]
        rows += [(name, OrderStatus(s).name.lower(), n, sentence) for s, n in zip(statuses.tolist(), counts.tolist(), strict=True)]
    rows.sort(key=lambda row: (-row[2], row[0], row[1]))
    return _frame(
        {
            "rule": _text_of([row[0] for row in rows]),
            "status": _text_of([row[1] for row in rows]),
            "orders": np.array([row[2] for row in rows], dtype=np.int64),
            "because": _text_of([row[3] for row in rows]),
        }
    )


def _text_of(words: Sequence[str]) -> Any:
    import pandas as pd

    return pd.array(list(words), dtype="str")
