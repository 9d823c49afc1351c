"""A strategy bound to one symbol: its rows on that symbol's bars alone, and a feed that sees nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.codes import InputKind
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.market import Market
from ..engine.inputs import AlignedInputs, normalize_row
from ..engine.rule_strategy import RuleStrategy
from ..engine.strategy import Strategy, evaluate
from ..errors import ConfigError, StateError, StrategyError, nearest
from ..indicators.save import pack, unpack

__all__ = ["BoundFeed", "bound_rows", "check_bindable", "column_of", "restore_all", "save_all"]


def check_bindable(strategy: Any, where: str) -> Strategy:
    """The strategy, if it can be bound; ConfigError for what is none, StrategyError for one that sees the account."""
    if not isinstance(strategy, Strategy):
        raise ConfigError(f"{where} is {strategy!r}; expected a Strategy, the name of one, or a mapping with its name and parameters")
    if isinstance(strategy, RuleStrategy) and strategy.sees_account:
        raise StrategyError(f"{where}: the rule of {strategy.name} sees the account, so it has no rows that others could use")
    return strategy


def column_of(symbol: str, market: Market, owner: str) -> int:
    """Where a symbol stands; ConfigError, which names `owner`, where it does not."""
    if symbol not in market.symbols:
        raise ConfigError(f"{owner} names {symbol!r}, which is no symbol; {nearest(symbol, market.symbols)}")
    return market.symbols.index(symbol)


def bound_rows(strategy: Strategy, bars: Bars, symbol: str) -> AlignedInputs:
    """What it says of one symbol, (T, 1)."""
    said = evaluate(strategy, bars.select([symbol]))
    _check_kind(said.kind, strategy)
    return said


def _check_kind(kind: InputKind, strategy: Strategy) -> None:
    if kind == InputKind.ORDERS:
        raise StrategyError(f"{strategy.name} gives orders; what is bound to a symbol gives Signals, Strengths, Weights or Quantities")


class BoundFeed:
    """The feed of a strategy on one symbol of a market."""

    def __init__(self, strategy: Strategy, market: Market, column: int) -> None:
        self._strategy, self._column = strategy, column
        self._market = market.subset([market.symbols[column]])
        self._feed = strategy.feed(self._market)

    def update(self, bar: NormalBar) -> tuple[InputKind, NDArray[Any]]:
        """What it says of one more bar: the kind, and flags or values (1,)."""
        prices = np.ascontiguousarray(bar.prices[:, self._column : self._column + 1])
        prices.flags.writeable = False
        row = self._feed.update(NormalBar(bar.time, prices))
        kind = row.kind
        _check_kind(kind, self._strategy)
        flags, values = normalize_row(row, self._market)
        said = values if flags is None else flags
        assert said is not None
        return kind, said

    def save(self) -> bytes:
        """The state as bytes."""
        return self._feed.save()

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes."""
        self._feed.restore(data)


def save_all(header: dict[str, Any], feeds: list[BoundFeed], *arrays: NDArray[Any]) -> bytes:
    """The states of several feeds, and arrays beside them, as bytes."""
    return pack(header, *arrays, *(np.frombuffer(feed.save(), dtype=np.uint8) for feed in feeds))


def restore_all(data: bytes, header: dict[str, Any], feeds: list[BoundFeed], *arrays: NDArray[Any]) -> None:
    """Go on from what `save_all` gave; StateError for bytes of another strategy."""
    saved = unpack(data, header)
    if len(saved) != len(feeds) + len(arrays):
        raise StateError(f"the saved state holds {len(saved)} parts; expected {len(feeds) + len(arrays)}")
    for array, part in zip(arrays, saved[: len(arrays)], strict=True):
        array[...] = part
    for feed, part in zip(feeds, saved[len(arrays) :], strict=True):
        feed.restore(part.tobytes())
