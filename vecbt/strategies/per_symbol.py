"""A strategy of its own for each symbol (CFG-01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from ..core.codes import InputKind
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.market import Market
from ..engine.inputs import AlignedInputs
from ..engine.ruling import blank_rows
from ..engine.strategy import Strategy, written
from ..errors import ConfigError, StrategyError
from .binding import BoundFeed, bound_rows, check_bindable, column_of, restore_all, save_all
from .registry import create_strategy

__all__ = ["PerSymbol", "PerSymbolFeed"]


@dataclass(frozen=True)
class PerSymbol(Strategy):
    """Each symbol is traded by an instance of its own: another strategy, or the same one with other parameters.

    ```python
    PerSymbol({"AAPL": SmaCross(10, 50), "MSFT": "RsiReversion", "IBM": {"name": "SmaCross", "parameters": {"fast": 30, "slow": 150}}})
    ```

    Parameters
    ----------
    strategies : symbol to a Strategy, to the name of a registered one, or to `{"name": ..., "parameters": {...}}`

    Each sees the bars of its symbol alone. All give the same kind of input (all Signals, say). A symbol that is left out is not traded.

    Raises
    ------
    ConfigError for an unknown name or symbol; StrategyError for strategies of different kinds, and for one whose rule sees the account.
    """

    strategies: Mapping[str, Any] = field(hash=False)

    def check(self) -> None:
        """Names become strategies."""
        if not isinstance(self.strategies, Mapping) or not self.strategies:
            raise ConfigError(f"PerSymbol.strategies is {self.strategies!r}; expected a mapping such as {{'AAPL': SmaCross(10, 50)}}")
        made = {}
        for symbol, given in sorted(self.strategies.items(), key=lambda item: str(item[0])):  # equal ones are in the same order
            strategy = create_strategy(given) if isinstance(given, (str, Mapping)) else given
            made[symbol] = check_bindable(strategy, f"PerSymbol.strategies[{symbol!r}]")
        object.__setattr__(self, "strategies", made)

    @property
    def warmup(self) -> int:
        """The least of its members': none says anything before."""
        return min(int(strategy.warmup) for strategy in self.strategies.values())

    def joined(self, said: list[tuple[InputKind, NDArray[Any]]], columns: list[int], shape: tuple[int, int]) -> AlignedInputs:
        """Columns (T,) of each member in their places among all (T, N)."""
        kind = said[0][0]
        for (other, _), strategy in zip(said, self.strategies.values(), strict=True):
            if other != kind:
                first = next(iter(self.strategies.values())).name
                words = (kind.name.lower(), other.name.lower())
                raise StrategyError(f"{first} gives {words[0]}, {strategy.name} {words[1]}; all members of PerSymbol give the same kind")
        out = blank_rows(kind, shape)
        for (_, column), n in zip(said, columns, strict=True):
            out[:, n] = column
        signals = kind == InputKind.SIGNALS
        return AlignedInputs(kind, out if signals else None, None if signals else out)

    def rows(self, bars: Bars) -> AlignedInputs:
        """What each says of its own symbol."""
        columns = [column_of(symbol, bars.market, "PerSymbol") for symbol in self.strategies]
        said = []
        for symbol, strategy in self.strategies.items():
            inputs = bound_rows(strategy, bars, symbol)
            column = inputs.values if inputs.flags is None else inputs.flags
            assert column is not None
            said.append((inputs.kind, column[:, 0]))
        return self.joined(said, columns, (bars.T, bars.N))

    def feed(self, market: Market) -> PerSymbolFeed:
        """The members' feeds."""
        return PerSymbolFeed(self, market)


class PerSymbolFeed:
    """The stepping feed of PerSymbol."""

    def __init__(self, strategy: PerSymbol, market: Market) -> None:
        self._strategy, self._assets = strategy, market.N
        self._columns = [column_of(symbol, market, "PerSymbol") for symbol in strategy.strategies]
        self._feeds = [BoundFeed(s, market, n) for s, n in zip(strategy.strategies.values(), self._columns, strict=True)]

    def update(self, bar: NormalBar) -> AlignedInputs:
        """What the members say of one more bar, (1, N)."""
        return self._strategy.joined([feed.update(bar) for feed in self._feeds], self._columns, (1, self._assets))

    def _header(self) -> dict[str, Any]:
        return {"kind": "per symbol", "strategy": written(self._strategy), "assets": self._assets, "columns": self._columns}

    def save(self) -> bytes:
        """The state as bytes."""
        return save_all(self._header(), self._feeds)

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another strategy or other parameters."""
        restore_all(data, self._header(), self._feeds)
