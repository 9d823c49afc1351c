"""Rule strategies that tests drive: one that sees nothing of the account, and several that do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from vecbt.core.space import Parameter
from vecbt.engine.inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Quantities, Strengths, Weights
from vecbt.engine.rule_strategy import RuleStrategy
from vecbt.indicators.plan import Indicator


@dataclass(frozen=True)
class Cross(RuleStrategy):
    """Enters and leaves where two averages cross."""

    fast: int = Parameter(3, low=1, integer=True, below="slow")
    slow: int = Parameter(8, low=2, integer=True)

    def indicators(self) -> Mapping[str, Indicator]:
        """Two averages, and the average of one of them."""
        return {"calm": Indicator("sma", self.slow), "quick": Indicator("ema", self.fast), "smooth": Indicator("sma", 2, of="quick")}

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any) -> int:
        """Crosses of the smoothed one."""
        if before.smooth <= before.calm and now.smooth > now.calm:
            return ENTER_LONG
        if before.smooth >= before.calm and now.smooth < now.calm:
            return EXIT_LONG | ENTER_SHORT
        return 0


@dataclass(frozen=True)
class Patient(Cross):
    """Enters where prices rise, leaves after so many bars or a loss from the best close; remembers that close itself."""

    most: int = Parameter(6, low=1, integer=True)
    side: str = Parameter("long", choices=("long", "short"))
    loss: float = Parameter(0.03, low=0.0, high=1.0)
    state: ClassVar[Mapping[str, str]] = {"peak": "f8", "seen": "i8"}

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any, account: Any) -> int:
        """Looks at the position, the waiting order and the drawdown."""
        state.seen += 1
        if account.position == 0.0:
            state.peak = now.close
            if now.quick > before.quick and account.order == 0.0 and account.drawdown < 0.9:
                return ENTER_LONG if params.side == 0 else ENTER_SHORT
            return 0
        state.peak = max(state.peak, now.close) if account.position > 0.0 else min(state.peak, now.close)
        lost = abs(now.close / state.peak - 1.0)
        if account.bars_held >= params.most or lost > params.loss:
            return EXIT_LONG if account.position > 0.0 else EXIT_SHORT
        return 0


@dataclass(frozen=True)
class Leaning(Cross):
    """A weight that hangs on what is held already."""

    gives: ClassVar[Any] = Weights

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any, account: Any) -> float:
        """More where the account is whole, nothing new otherwise."""
        if math.isnan(now.calm):
            return math.nan
        if account.drawdown > 0.2:
            return 0.0
        return 0.3 if now.close > now.calm else -0.1


@dataclass(frozen=True)
class Counting(Cross):
    """A number of units, from what is held."""

    gives: ClassVar[Any] = Quantities

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any, account: Any) -> float:
        """One more unit on a rise, up to five."""
        return min(account.position + 1.0, 5.0) if now.close > before.close else math.nan


@dataclass(frozen=True)
class Strong(Cross):
    """A strength, without looking at the account."""

    gives: ClassVar[Any] = Strengths

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any) -> float:
        """Distance from the slow average, in tenths of it."""
        return max(-1.0, min(1.0, 10.0 * (now.close / now.calm - 1.0)))


SEEN = (
    "position", "entry_price", "bars_held", "unrealized", "stop", "target", "best_price", "order", "order_bars", "equity", "cash",
    "drawdown", "zone",
)  # fmt: skip


@dataclass(frozen=True)
class Witness(Patient):
    """`Patient`, writing down all that it is shown."""

    state: ClassVar[Mapping[str, str]] = {"peak": "f8", "seen": "i8", **{f"saw_{name}": "f8" for name in SEEN}}

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any, account: Any) -> int:
        """Every field of the view, then an entry every fifth bar and an exit four bars on."""
        state.saw_position = account.position
        state.saw_entry_price = account.entry_price
        state.saw_bars_held = account.bars_held
        state.saw_unrealized = account.unrealized
        state.saw_stop = account.stop
        state.saw_target = account.target
        state.saw_best_price = account.best_price
        state.saw_order = account.order
        state.saw_order_bars = account.order_bars
        state.saw_equity = account.equity
        state.saw_cash = account.cash
        state.saw_drawdown = account.drawdown
        state.saw_zone = account.zone
        state.seen += 1
        if account.position == 0.0:
            return ENTER_LONG if state.seen % 5 == 0 else 0
        return EXIT_LONG if account.bars_held >= 4.0 else 0
