"""Signal generators: from bars to strengths in [-1, 1], by one pipeline of raw value, smoothing, thresholds and direction.

A generator is a strategy: it runs in a batch and a stream. It also answers `generate_signals(data)` with a record per asset, for data
as a live loop has it: the last values, or a frame of prices.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, TypeVar, dataclass_transform

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN
from ..core.codes import InputKind
from ..core.space import Parameter
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.labels import label_text
from ..data.market import Market
from ..engine.inputs import AlignedInputs, Inputs
from ..engine.replay_feed import ReplayFeed
from ..errors import ConfigError, StrategyError, nearest
from ..indicators.moving import SMA
from ..indicators.save import pack, unpack
from ..indicators.shape import readonly
from ..indicators.streaming import IndicatorStream
from .combined import Combined, Machine, View

__all__ = ["BaseSignalGenerator", "GeneratorFeed", "SignalGenerator", "SteppedGenerator", "configurable", "direction_of", "gated"]

C = TypeVar("C", bound=type)
_NOT_PARAMETERS = ("type",)


@dataclass_transform(frozen_default=True)
def configurable(kind: C) -> C:
    """A frozen dataclass whose constructor also takes one mapping of its fields: `Generator({"signal_threshold": 0.1})`.

    An unknown key is a ConfigError, unless a subclass that takes more of its own hands its configuration on.
    """
    made: Any = dataclass(frozen=True)(kind)
    plain = made.__init__
    known = [f.name for f in fields(made) if f.init]

    @functools.wraps(plain)
    def __init__(self: Any, *given: Any, **keywords: Any) -> None:
        if given and isinstance(given[0], Mapping):
            config, given = {k: v for k, v in given[0].items() if k not in _NOT_PARAMETERS}, given[1:]
            unknown = [name for name in config if name not in known]
            if unknown and type(self) is made:
                raise ConfigError(f"{made.__name__} has no parameter {unknown[0]!r}; {nearest(str(unknown[0]), known)}")
            keywords = {**{name: value for name, value in config.items() if name in known}, **keywords}
        plain(self, *given, **keywords)

    made.__init__ = __init__
    return made  # type: ignore[no-any-return]


def direction_of(strength: Any, threshold: float = 0.0) -> Any:
    """1 above the threshold, -1 below its negative, else 0; elementwise for arrays. NaN is 0."""
    if isinstance(strength, np.ndarray):
        return (strength > threshold).astype(np.int64) - (strength < -threshold).astype(np.int64)
    return 1 if strength > threshold else -1 if strength < -threshold else 0


def gated(values: ArrayTN, signal_threshold: float, direction_threshold: float) -> ArrayTN:
    """Values cut to [-1, 1]; 0 where they are smaller than the one threshold or have no direction by the other; NaN stays."""
    cut = np.clip(values, -1.0, 1.0)
    weak = (np.abs(cut) < signal_threshold) | (direction_of(cut, direction_threshold) == 0)
    return np.where(np.isnan(cut) | ~weak, cut, 0.0)


@configurable
class SignalGenerator(Combined, ABC):
    """Base of all generators; a subclass defines `generate_signals`.

    Parameters
    ----------
    signal_threshold : strengths smaller than this become 0. In units of the strength, so after any scaling
    direction_threshold : a strength is long above it, short below its negative, and else has no direction: it becomes 0
    signal_smoothing : mean of so many values, before the cut to [-1, 1] and the thresholds; 1 is none

    All three may come as one mapping. As a strategy, `generate_signals` is asked at every bar with the bars so far.
    """

    _: KW_ONLY  # so that subclasses begin with their own
    signal_threshold: float = Parameter(0.0, low=0.0, high=1.0)
    direction_threshold: float = Parameter(0.0, low=0.0, high=1.0)
    signal_smoothing: int = Parameter(1, low=1, integer=True)

    @abstractmethod
    def generate_signals(self, data: Any) -> Mapping[str, Any]:
        """Signals by asset, of the last bar in `data`: records, or mappings with `strength` or `direction`; assets left out have none.

        As a strategy it gets a mapping: `assets`, `timestamp`, `prices` (last close by asset), `bars` (Bars so far), and `ohlcv`, a frame
        of the bars so far (by asset, where there are several).
        """

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters by name, and whatever else a subclass keeps."""
        return {**super().parameters, **vars(self)}

    def strength_to_direction(self, strength: float) -> int:
        """1 (long), -1 (short) or 0 by `direction_threshold`."""
        return int(direction_of(float(strength), self.direction_threshold))

    _strength_to_direction = strength_to_direction

    def rows(self, bars: Bars) -> Inputs:
        """Strengths for all bars, asked bar by bar."""
        feed, out = GeneratorFeed(self, bars.market), np.empty(bars.shape)
        for t in range(bars.T):
            values = feed.update(NormalBar(int(bars.index[t]), bars.block[:, t])).values
            assert values is not None
            out[t] = values[0]
        return AlignedInputs(InputKind.STRENGTHS, None, out)

    def feed(self, market: Market) -> Any:
        """Asks `generate_signals` once per bar."""
        return GeneratorFeed(self, market)


@configurable
class BaseSignalGenerator(SignalGenerator):
    """Says nothing, ever: a start for generators of your own. `generate_signals` gives an empty mapping."""

    def generate_signals(self, data: Any) -> Mapping[str, Any]:
        """No signals."""
        return {}


class GeneratorFeed(ReplayFeed):
    """Keeps the bars so far, and asks `generate_signals` at each; the strengths it gets pass smoothing and thresholds."""

    def __init__(self, generator: SignalGenerator, market: Market) -> None:
        super().__init__(generator, market)
        self._generator, self._symbols = generator, market.symbols
        self._mean = IndicatorStream(SMA, generator.signal_smoothing, assets=market.N)

    def update(self, bar: NormalBar) -> AlignedInputs:
        """Strengths (1, N) of one more bar; NaN for assets without a signal."""
        self.take(bar)
        signals = self._generator.generate_signals(self._data(bar))
        if not isinstance(signals, Mapping):
            found = type(signals).__name__
            raise StrategyError(f"generate_signals of {self._generator.name} returned {found}; expected a mapping of asset to signal")
        values = np.full((1, len(self._symbols)), np.nan)
        for asset, signal in signals.items():
            if asset not in self._symbols:
                raise StrategyError(f"generate_signals names {asset!r}, which is no symbol; {nearest(str(asset), self._symbols)}")
            values[0, self._symbols.index(asset)] = _strength_in(signal, asset)
        generator = self._generator
        values, smooth = np.where(np.isnan(bar.close), np.nan, values), np.empty_like(values)
        self._mean.run((readonly(values),), smooth)
        return AlignedInputs(InputKind.STRENGTHS, None, gated(smooth, generator.signal_threshold, generator.direction_threshold))

    def save(self) -> bytes:
        """The bars so far, and the values that are averaged."""
        return pack({"kind": "generator"}, *(np.frombuffer(part, dtype=np.uint8) for part in (super().save(), self._mean.save())))

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another generator, other parameters or other symbols."""
        bars, mean = (part.tobytes() for part in unpack(data, {"kind": "generator"}))
        super().restore(bars)
        self._mean.restore(mean)

    def _data(self, bar: NormalBar) -> dict[str, Any]:
        bars = self.bars
        frames = {symbol: bars.select(symbol).to_pandas() for symbol in self._symbols}
        return {
            "assets": list(self._symbols),
            "timestamp": label_text(bar.time),
            "prices": dict(zip(self._symbols, bar.close.tolist(), strict=True)),
            "bars": bars,
            "ohlcv": frames[self._symbols[0]] if len(frames) == 1 else frames,
        }


def _strength_in(signal: Any, asset: str) -> float:
    for name in ("strength", "direction"):
        if isinstance(signal, Mapping) and name in signal:
            strength = float(signal[name])
            if not -1.0 <= strength <= 1.0:
                raise StrategyError(f"generate_signals gives {asset!r} a {name} of {signal[name]!r}; expected a number from -1 to 1")
            return strength
    raise StrategyError(f"generate_signals gives {asset!r} {signal!r}; expected a mapping with strength or direction")


@configurable
class SteppedGenerator(SignalGenerator):
    """Base of generators with a machine for their raw values: rows, feed and `generate_signals` all run it."""

    def raw(self, market: Market) -> Machine:
        """A new machine that gives raw values (L, N), not yet smoothed or cut."""
        raise StrategyError(f"{type(self).__name__} must define raw(market)")

    @property
    def raw_warmup(self) -> int:
        """Bars before the first raw value."""
        return 0

    @property
    def own_warmup(self) -> int:
        """Bars before the first strength."""
        return self.raw_warmup + self.signal_smoothing - 1

    def machine(self, market: Market) -> Machine:
        """The raw machine, then smoothing and thresholds."""
        return _Pipeline(self, market)

    def rows(self, bars: Bars) -> Inputs:
        """Strengths for all bars."""
        return Combined.rows(self, bars)

    def feed(self, market: Market) -> Any:
        """The same machine, one bar at a time."""
        return Combined.feed(self, market)

    def generate_signals(self, data: Any) -> Mapping[str, Any]:
        """A `SignalRecord` by asset for the last bar of `data`; assets whose indicators have no value yet are left out.

        data : Bars; a pandas frame of one asset with columns open, high, low, close, volume in any case (those it needs); or a mapping
            with `bars`, or `ohlcv` (such a frame, or frames by asset), or the last values alone (`close` or `price`); `asset` names one,
            `timestamp` goes into the records.
        """
        from .single import records_of

        return records_of(self, data)


class _Pipeline:
    """Raw values, their mean, the cut and the thresholds."""

    def __init__(self, generator: SteppedGenerator, market: Market) -> None:
        self._generator, self._raw = generator, generator.raw(market)
        self._mean = None if generator.signal_smoothing == 1 else IndicatorStream(SMA, generator.signal_smoothing, assets=market.N)
        self.last: tuple[ArrayTN, ArrayTN] | None = None
        """Raw and smoothed values (L, N) of the last bars that were run."""

    @property
    def parts(self) -> list[NDArray[Any]]:
        """All that changes from bar to bar."""
        return [*self._raw.parts, *(() if self._mean is None else self._mean.parts)]

    def run(self, view: View) -> ArrayTN:
        """Strengths (L, N)."""
        raw = np.ascontiguousarray(self._raw.run(view))
        smooth = raw
        if self._mean is not None:
            smooth = np.empty_like(raw)
            self._mean.run((readonly(raw),), smooth)
        self.last = (raw, smooth)
        return gated(smooth, self._generator.signal_threshold, self._generator.direction_threshold)
