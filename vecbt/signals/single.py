"""One answer for now: the machine of a generator on whatever a caller has at hand, and its last strengths as records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._typing import ArrayTN, Block, IndexT
from ..core.codes import InputKind
from ..data.bars import Bars
from ..data.labels import label_text
from ..data.market import Market
from ..data.touch import is_pandas, is_polars
from ..engine.inputs import AlignedInputs
from ..errors import ConfigError, InputError
from ..indicators.shape import readonly
from .combined import Machine, View
from .records import SignalRecord
from .standing import Standing

if TYPE_CHECKING:
    from .base import SteppedGenerator

__all__ = ["History", "history_of", "records_of"]

_FIELDS = ("open", "high", "low", "close", "volume")


class History(NamedTuple):
    """Prices that came from anywhere: (5, T, N), NaN for what is not there."""

    prices: Block
    labels: IndexT
    market: Market
    timestamp: Any
    dated: bool
    """Whether the labels are those of bars; else they only count."""


def records_of(generator: SteppedGenerator, data: Any) -> dict[str, SignalRecord]:
    """A record by asset for the last bar of `data`; assets without a strength yet are left out."""
    history = history_of(data)
    market = history.market
    machine, strengths = _strengths(generator, history)
    strengths = strengths[-1]
    raw, value = (part[-1] for part in machine.last)  # type: ignore[attr-defined]
    out = {}
    for n, asset in enumerate(market.symbols):
        strength = float(strengths[n])
        if math.isnan(strength) or math.isnan(history.prices[3, -1, n]):
            continue
        out[asset] = SignalRecord(
            asset=asset,
            direction=generator.strength_to_direction(strength),
            strength=strength,
            raw_prediction=float(raw[n]),
            signal_value=float(value[n]),
            price=float(history.prices[3, -1, n]),
            timestamp=history.timestamp,
            metadata={"model_based": False, "confidence": abs(strength), "generator": generator.name},
        )
    return out


def _strengths(generator: SteppedGenerator, history: History) -> tuple[Machine, ArrayTN]:
    """The machine after all bars, and its strengths (T, N); members are asked the same way."""
    from .base import SteppedGenerator

    if generator.needs_sessions and not history.dated:
        raise InputError(f"{generator.name} reads sessions, which these rows do not have; give Bars")
    close, assets = history.prices[3], history.market.N
    names = tuple(generator.inputs)
    standing, said = Standing(names, assets), np.empty((len(names), *close.shape))
    for m, (name, member) in enumerate(generator.inputs.items()):
        if not isinstance(member, SteppedGenerator):
            found = type(member).__name__
            raise ConfigError(f"member {name!r} of {generator.name} is a {found}, which only answers as a strategy; use rows(bars)")
        rows = AlignedInputs(InputKind.STRENGTHS, None, np.where(np.isnan(close), np.nan, _strengths(member, history)[1]))
        standing.take(m, rows, close, said[m])
    machine = generator.machine(history.market)
    return machine, machine.run(View(history.prices, history.labels, said, standing.booleans, None))


def history_of(data: Any) -> History:
    """Prices of Bars, a frame, or a mapping of them; InputError where there are none.

    Frames are taken as they are: rows in order, no dates needed, and no door (B1), because a live loop asks about what it has. What an
    indicator reads must be there; it is NaN else, and the indicator says nothing.
    """
    if isinstance(data, Bars):
        return History(readonly(np.ascontiguousarray(data.block)), data.index, data.market, label_text(int(data.index[-1])), True)
    if is_pandas(data) or is_polars(data):
        return _of_frames({"default": data}, None)
    if not isinstance(data, Mapping):
        raise InputError(f"data is {type(data).__name__}; expected Bars, a frame, or a mapping with bars, ohlcv, close or price")
    timestamp = data.get("timestamp")
    if data.get("bars") is not None:
        history = history_of(data["bars"])
        return history if timestamp is None else history._replace(timestamp=timestamp)
    frames = data.get("ohlcv")
    if isinstance(frames, Mapping):
        return _of_frames(dict(frames), timestamp)
    asset = str(data.get("asset", "default"))
    if frames is not None:
        return _of_frames({asset: frames}, timestamp)
    columns = {name: np.atleast_1d(np.asarray(data[name], dtype=np.float64)) for name in _FIELDS if name in data}
    if "close" not in columns and "price" in data:
        columns["close"] = np.atleast_1d(np.asarray(data["price"], dtype=np.float64))
    if "close" not in columns:
        raise InputError(f"data has {', '.join(map(repr, data))}; expected bars, ohlcv, close or price")
    return _of_columns({asset: columns}, timestamp)


def _of_frames(frames: dict[str, Any], timestamp: Any) -> History:
    assets = {}
    for asset, frame in frames.items():
        if not (is_pandas(frame) or is_polars(frame)):
            raise InputError(f"ohlcv of {asset!r} is {type(frame).__name__}; expected a pandas or polars frame")
        names = {str(column).lower(): column for column in frame.columns}
        if "close" not in names:
            raise InputError(f"ohlcv of {asset!r} has no column 'close'; it has {', '.join(map(str, frame.columns))}")
        assets[asset] = {name: np.asarray(frame[names[name]], dtype=np.float64) for name in _FIELDS if name in names}
    return _of_columns(assets, timestamp)


def _of_columns(assets: dict[str, dict[str, Any]], timestamp: Any) -> History:
    lengths = {asset: len(columns["close"]) for asset, columns in assets.items()}
    length = next(iter(lengths.values()), 0)
    if not length or set(lengths.values()) != {length}:
        raise InputError(f"ohlcv has {lengths} rows; expected at least one, and as many of each asset")
    prices = np.full((5, length, len(assets)), np.nan)
    for n, (asset, columns) in enumerate(assets.items()):
        for name, values in columns.items():
            if values.shape != (length,):
                raise InputError(f"{name} of {asset!r} has shape {values.shape}; expected ({length},)")
            prices[_FIELDS.index(name), :, n] = values
    if np.isinf(prices).any():
        raise InputError("ohlcv holds infinite prices; a missing value is NaN")
    day = 86_400_000_000_000
    market = Market(symbols=tuple(assets), bar_ns=day, periods_per_year=252.0)
    return History(readonly(prices), np.arange(length, dtype=np.int64) * day, market, timestamp, False)
