"""What the charts of a page draw, as plain values for JSON: thinned so that a million bars stay light, without losing an extreme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayT, Table
from ..errors import ConfigError, nearest
from .drawing import split_scale
from .thin import spans, thin

if TYPE_CHECKING:
    from ..engine.run import Run
    from .curves import Curves

__all__ = [
    "CANDLES",
    "MOST_TRADES",
    "POINTS",
    "ZONES",
    "candles",
    "curve_lines",
    "growth_line",
    "numbers",
    "places_of",
    "price_lines",
    "rolling_lines",
    "time_steps",
    "trade_points",
]

POINTS = 4000  # of a line, about
CANDLES = 5000
ZONES = 2000  # stretches in which a zone is told apart
_MOST_LINES = 12
_MOST_STOPS = 4000
MOST_TRADES = 4000
_ENDS = 300  # trades kept from either end of each figure where there are more
_MS = 1_000_000  # nanoseconds


def numbers(values: Any, digits: int = 7) -> list[float | int | None]:
    """Values with so many significant digits; None where there is none."""
    found: list[float | int | None] = []
    for value in np.asarray(values, dtype=np.float64).tolist():
        if value - value != 0.0:
            found.append(None)
            continue
        short = float(f"{value:.{digits}g}")
        found.append(int(short) if short.is_integer() and abs(short) < 1e15 else short)
    return found


def time_steps(labels: NDArray[np.int64]) -> dict[str, Any]:
    """Labels (nanoseconds) as a start, a unit (milliseconds) and whole steps of it."""
    stamps = np.asarray(labels, dtype=np.int64) // _MS
    steps = np.diff(stamps)
    unit = int(np.gcd.reduce(steps)) if len(steps) else 1
    return {"from": int(stamps[0]), "unit": max(unit, 1), "steps": (steps // max(unit, 1)).tolist()}


def places_of(*series: ArrayT, limit: int = POINTS) -> NDArray[np.int64]:
    """Places at which all of the series are drawn: those of the extremes of each of them."""
    return np.unique(np.concatenate([thin(values, limit) for values in series]))


def growth_line(name: str, labels: NDArray[np.int64], growth: ArrayT, drawdown: ArrayT) -> dict[str, Any]:
    """Growth of one unit of money and drawdown (a positive fraction) of one of several series, at common places."""
    places = places_of(growth, drawdown, limit=POINTS // 2)
    return {
        "name": name,
        "time": time_steps(labels[places]),
        "growth": numbers(growth[places]),
        "drawdown": numbers(-drawdown[places], 5),
    }


def rolling_lines(labels: NDArray[np.int64], frame: Table, every: int, names: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Rolling figures at common places: `frame` has those of each `every` bars, the last among them; `names` their words and kinds."""
    values = {str(name): np.asarray(frame[name], dtype=np.float64) for name in frame.columns}
    places = places_of(*values.values())
    measured = labels[::-1][::every][::-1]
    return {
        "range": [int(labels[0]) // _MS, int(labels[-1]) // _MS],
        "time": time_steps(measured[places]),
        "names": list(values),
        "labels": [names[name][0] for name in values],
        "kinds": [names[name][1] for name in values],
        "values": {name: numbers(one[places], 5) for name, one in values.items()},
    }


def curve_lines(run: Run, curves: Curves) -> dict[str, Any]:
    """Equity, drawdown and exposure at common places, and the zones."""
    equity, depth = run.equity, -curves.drawdown
    gross, net = (side.mean(axis=1) for side in curves.exposures)
    lines: dict[str, ArrayT] = {"gross": gross, "net": net}
    if equity.shape[1] == 1:
        lines |= {"equity": equity[:, 0], "drawdown": depth[:, 0]}
    else:
        lines |= {"equity": equity.mean(axis=1), "low": equity.min(axis=1), "high": equity.max(axis=1)}
        lines |= {"drawdown": depth.mean(axis=1), "deepest": depth.min(axis=1)}
    places = places_of(*lines.values())
    found: dict[str, Any] = {"time": time_steps(run.bars.index[places]), "bars": run.bars.T, "initial": float(run.initial.mean())}
    found |= {name: numbers(values[places]) for name, values in lines.items()}
    found["zones"] = _zones(run)
    if run.flows is not None and run.flows.any():
        found["flows"] = _flows(run)
    return found


def _zones(run: Run) -> list[list[int]]:
    """Stretches as `[zone, first, past]`, labels in milliseconds; the highest zone of several accounts, and of a bucket."""
    if run.zone is None:
        return []
    stamps = run.bars.index // _MS
    past = np.append(stamps, stamps[-1] + (stamps[-1] - stamps[-2] if len(stamps) > 1 else 1))
    limit = ZONES if run.bars.T > 2 * ZONES else run.bars.T
    return [[level, int(past[low]), int(past[high])] for level, low, high in spans(run.zone.max(axis=1), limit)]


def _flows(run: Run) -> list[list[float]]:
    """Deposits and withdrawals as `[label in milliseconds, money]`, the largest where there are many."""
    assert run.flows is not None
    total = run.flows.sum(axis=1)
    paid = np.flatnonzero(total)
    paid = np.sort(paid[np.argsort(-np.abs(total[paid]), kind="stable")][:200])
    return [[int(run.bars.index[t]) // _MS, float(total[t])] for t in paid]


def price_lines(run: Run) -> dict[str, Any] | None:
    """Closes of a few assets relative to their first, `{symbol, values}`; None where there are too many to tell apart."""
    if run.bars.N > _MOST_LINES:
        return None
    close = run.bars.close * split_scale(run)
    seen = ~np.isnan(close)
    first = np.take_along_axis(close, seen.argmax(axis=0)[None, :], axis=0)[0]
    relative = 1.0 + (close - first) / np.abs(np.where(first == 0.0, np.nan, first))  # prices may be below zero (F12)
    places = places_of(*relative.T, limit=POINTS // 2)
    return {
        "time": time_steps(run.bars.index[places]),
        "lines": [{"name": name, "values": numbers(values, 5)} for name, values in zip(run.bars.symbols, relative[places].T, strict=True)],
    }


def candles(run: Run, curves: Curves, symbol: str, limit: int = CANDLES) -> dict[str, Any]:
    """Bars of one asset, several to a candle where there are many, with its fills, first stops, and where it is held.

    Prices are raw ones times splits so far. A candle opens with the first bar that has a price, closes with the last, and spans the
    greatest high and the least low. Fills of one side in one candle are one mark, at their mean price.
    """
    if symbol not in run.bars.symbols:
        raise ConfigError(f"symbol is {symbol!r}, which is not in this run; {nearest(symbol, run.bars.symbols)}")
    bars, asset = run.bars, run.bars.symbols.index(symbol)
    scale = np.broadcast_to(split_scale(run), bars.shape)[:, asset]
    size = -(-bars.T // limit)
    starts = np.arange(0, bars.T, size)
    prices = bars.block[:4, :, asset] * scale
    found: dict[str, Any] = {
        "symbol": symbol,
        "size": size,
        "split": bool((scale != 1.0).any()),
        "time": time_steps(bars.index[starts]),
        **{name: numbers(values) for name, values in zip("ohlc", _merged(prices, starts), strict=True)},
    }
    if bars.has_volume:
        found["v"] = numbers(np.add.reduceat(np.nan_to_num(bars.block[4, :, asset]), starts), 4)
    found["fills"] = _fills(run, asset, scale, size)
    found["stops"], found["stops_left"] = _stops(run, asset, scale, size)
    held = np.sign(curves.positions[:, asset])
    found["held"] = [
        [side, low // size, (past - 1) // size]
        for side in (1, -1)
        for _, low, past in spans((held == side).astype(np.int64), bars.T if size == 1 else limit)
    ]
    return found


def _merged(prices: NDArray[np.float64], starts: NDArray[np.int64]) -> list[ArrayT]:
    """Open, high, low, close of the candles that begin at `starts`; NaN where no bar of a candle has a price."""
    o, h, low, c = prices
    if len(starts) == len(c):
        return [o, h, low, c]
    seen, place = ~np.isnan(c), np.arange(len(c))
    first = np.minimum.reduceat(np.where(seen, place, len(c)), starts)
    last = np.maximum.reduceat(np.where(seen, place, -1), starts)
    none = last < 0
    opened, closed = o[np.where(none, 0, first)], c[np.where(none, 0, last)]
    top = np.maximum.reduceat(np.where(np.isnan(h), -np.inf, h), starts)
    bottom = np.minimum.reduceat(np.where(np.isnan(low), np.inf, low), starts)
    return [np.where(none, np.nan, values) for values in (opened, top, bottom, closed)]


def _fills(run: Run, asset: int, scale: ArrayT, size: int) -> dict[str, list[Any]]:
    """Fills by candle and side: `at`, mean `price`, signed `quantity`, how many."""
    log = run.fills[run.fills["asset"] == asset]
    side = np.sign(log["q"]).astype(np.int64)
    keys, where = np.unique((log["t"] // size) * 2 + (side > 0), return_inverse=True)
    weight = np.abs(log["q"])
    quantity = np.bincount(where, weights=weight, minlength=len(keys))
    price = np.bincount(where, weights=weight * log["price"] * scale[log["t"]], minlength=len(keys)) / np.where(quantity > 0, quantity, 1.0)
    return {
        "at": (keys // 2).tolist(),
        "price": numbers(price),
        "quantity": numbers(np.where(keys % 2 == 1, quantity, -quantity), 6),
        "count": np.bincount(where, minlength=len(keys)).tolist(),
    }


def _stops(run: Run, asset: int, scale: ArrayT, size: int) -> tuple[list[list[float | int | None]], int]:
    """First stops as `[candle, candle, level]`, and how many are left out: the earliest, where there are very many."""
    trades = run.trades[run.trades["asset"] == asset]
    pieces = [(max(int(t["entry_t"]), 0), int(t["exit_t"]), float(t["stop"])) for t in trades]
    still = run.assets[asset]
    if still["q"] != 0.0:
        pieces.append((max(int(still["entry_t"]), 0), run.bars.T - 1, float(still["first_stop"])))
    known = [piece for piece in pieces if piece[2] == piece[2]]
    shown = known[-_MOST_STOPS:]
    return [[low // size, high // size, numbers([level * scale[low]])[0]] for low, high, level in shown], len(known) - len(shown)


def trade_points(frame: Table) -> dict[str, Any] | None:
    """Closed trades for scatter charts: excursions and pnl; of very many, those at the ends of each figure and some between."""
    if not len(frame):
        return None
    chosen = np.arange(len(frame))
    if len(frame) > MOST_TRADES:
        ends = [np.argsort(frame[name].to_numpy(), kind="stable") for name in ("pnl", "mae", "mfe", "holding_bars")]
        between = np.linspace(0, len(frame) - 1, MOST_TRADES // 2).astype(np.int64)
        chosen = np.unique(np.concatenate([*(order[:_ENDS] for order in ends), *(order[-_ENDS:] for order in ends), between]))
    part = frame.iloc[chosen]
    symbols = list(dict.fromkeys(part["symbol"].astype(str)))
    place = {name: k for k, name in enumerate(symbols)}
    entry = part["entry_time"]
    return {
        "all": len(frame),
        "symbols": symbols,
        "symbol": [place[name] for name in part["symbol"].astype(str)],
        "entry": [None if stamp is None or stamp != stamp else int(stamp.as_unit("ns").value) // _MS for stamp in entry],
        "long": (part["side"] == "long").astype(int).tolist(),
        "bars": part["holding_bars"].tolist(),
        "pnl": numbers(part["pnl"], 6),
        "mae": numbers(part["mae"], 5),
        "mfe": numbers(part["mfe"], 5),
    }
