"""Strategies as objects with `init` and `next`: the form of the event-driven engines, called by the same bar, and the slow way."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, dataclass_transform

import numpy as np
from numpy.typing import NDArray

from ..core.codes import InputKind
from ..core.space import Parameter, Space
from ..errors import StrategyError, nearest
from ..indicators.plan import Indicator
from .event_lines import Data, Line, Order, Position, View
from .event_live import EventPlayer, Seat, declared_by
from .rule_strategy import RuleStrategy

__all__ = ["EventStrategy"]

_STOPS = "stops= of the run says it, as in vb.backtest(..., stops=vb.Stops(hard=vb.Pct(5), take_profit=vb.Pct(10)))"
_RESTING = "prices of orders are rows of vb.Orders, as in vb.Orders({time: vb.Order(symbol=..., quantity=..., type='limit', limit=...)})"
_WAYS = {
    **dict.fromkeys(("sl", "tp", "stop_loss", "take_profit", "trail", "trailamount", "trailpercent"), _STOPS),
    **dict.fromkeys(("limit", "stop", "price", "plimit", "exectype", "valid", "tif"), _RESTING),
}
"""Words of other engines' orders, and where what they ask for is said here."""


class _SpaceOf:
    """`EventStrategy.space`, on classes and instances."""

    def __get__(self, instance: object, owner: type[EventStrategy]) -> Space:
        return Space.of(_finished(owner))


def _finished(owner: type[EventStrategy]) -> type[EventStrategy]:
    """The class as a frozen dataclass: one that was not decorated is made one when it is first used."""
    for kind in reversed(owner.__mro__):
        if issubclass(kind, EventStrategy) and "__dataclass_params__" not in kind.__dict__ and not kind.__dict__.get("_live"):
            dataclasses.dataclass(frozen=True)(kind)
    return owner


@dataclass_transform(frozen_default=True, field_specifiers=(Parameter, dataclasses.field))
class EventStrategy(RuleStrategy):
    """Base of strategies with `init` and `next`. The slow way: `next` is Python, called once a bar and asset; a `RuleStrategy` is compiled.

    ```python
    class Cross(vb.EventStrategy):
        fast = vb.Parameter(20, low=1, integer=True, below="slow")
        slow = 100

        def init(self):
            self.quick = self.I("sma", self.fast)
            self.calm = self.I("sma", self.slow)

        def next(self):
            if self.crossover(self.quick, self.calm):
                self.buy()
            elif self.position and self.quick[-1] < self.calm[-1]:
                self.position.close()
    ```

    It runs wherever a strategy does (`vb.backtest`, `vb.Stream`, `vb.check_parity`), inside the same simulation: `next` is called at T7,
    after the fills and marks of the bar, and what it says is filled as the run fills signals. A bar costs 3 microseconds and what `next`
    takes: the example above took 8, and 0.1 as a compiled rule (one shared core; a ratio, not a promise).

    One asset at a time: of several assets, each has an object of this class for itself, and they share the account only. `next` is not
    called on bars without a market, nor before every indicator had a value for the first time.

    Class attributes
    ----------------
    parameters : `Parameter(...)`, and any public number, bool or string; needs no decorator
    gives : `Signals` (default), `Strengths`, `Weights` or `Quantities`: what the orders of `next` mean
    history : how many bars back can be read, 500; a line reads no further, so that a saved stream stays small

    In `init`
    ---------
    `self.I(name, *parameters, of=...)` declares an indicator of `vb.indicators.catalog()`

    In `next`
    ---------
    self.data : `close[-1]`, `close[-20:]`, also `open high low volume`; `time`, `datetime`, `symbol`
    self.quick[-1] : an indicator at this bar, `[-2]` at the one before
    self.position : `size entry_price bars_held profit stop target is_long is_short close()`; true where something is held
    self.equity, self.cash, self.drawdown, self.zone, self.orders : of the account; its orders that wait, of this asset
    self.buy(), self.sell(), self.close() : see each; the last word of a bar counts

    Attributes that `next` keeps on `self` are saved with a stream and restored, so they are numbers, bools, strings, None, and lists and
    dicts of these; StateError names any other. What it raises reaches the caller as it is, with a note that names bar and asset.
    """

    compiled: ClassVar[bool] = False
    history: ClassVar[int] = 500
    space = _SpaceOf()
    _seat: ClassVar[Any] = None

    equity = View("equity", "Of the account, money, at this close (T6).")
    cash = View("cash", "Of the account, money.")
    drawdown = View("drawdown", "Of the account: fraction below its peak.")
    zone = View("zone", "Drawdown zone of the account, 0 NORMAL to 3 EMERGENCY.")

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        kinds = dict(inspect.get_annotations(cls))
        known = dir(EventStrategy)
        for name, value in vars(cls).items():
            if name.startswith("_") or name in known or name in kinds:
                continue
            if isinstance(value, (bool, int, float, str, dataclasses.Field)):
                kinds[name] = Any
            elif isinstance(value, (list, dict, set)):
                raise StrategyError(f"{cls.__name__}.{name} is one {type(value).__name__} for all assets and runs; make it in init()")
        if kinds:
            cls.__annotations__ = kinds

    def __new__(cls, *_: Any, **__: Any) -> Any:
        """An object of the finished class."""
        return object.__new__(_finished(cls))

    # --- what users write --------------------------------------------------------------------------------------------

    def init(self) -> None:
        """Declare indicators; called once for each asset. Override it; this one declares none."""

    def next(self) -> None:
        """One bar: override it."""
        raise StrategyError(f"{self.name} must define next(self): what to do at each bar, such as self.buy()")

    # --- what they call ----------------------------------------------------------------------------------------------

    def I(self, name: str, *parameters: Any, of: Any = None, **more: Any) -> Any:  # noqa: E743 (the name that users of such engines know)
        """Declare an indicator, in `init`.

        Parameters
        ----------
        name : as in `vb.indicators.catalog()`
        parameters : as for its function
        of : what it reads, where that is not the close: "high", `self.data.high`, another indicator, or a tuple where it reads several

        Returns
        -------
        A line to be read in `next`; where it has several outputs, one for each by name, as `self.macd.signal[-1]`.
        """
        return self._at("I()").declare(name, parameters, of, more)

    indicator = I

    @property
    def data(self) -> Data:
        """The bars of this asset so far."""
        return self._at("data").data

    @property
    def position(self) -> Position:
        """What is held of this asset."""
        return self._at("position").position

    @property
    def orders(self) -> tuple[Order, ...]:
        """The order of this asset that waits, if any does; what is said next replaces it (S4)."""
        account = self._at("orders", running=True).account
        waiting = account.item(7)
        return (Order(waiting, account.item(8)),) if waiting != 0.0 else ()

    def buy(self, size: float | None = None, **more: Any) -> None:
        """Be long.

        With Signals an entry of the long side: it reverses a short position, and does nothing in a long one (S2); `sizing` of the run
        says how much. With Strengths `size` in (0, 1] is the strength, 1 by default. With Quantities `size` units more than are held.
        """
        _refuse("buy", more)
        self._at("buy()", running=True).say_side(1, size)

    def sell(self, size: float | None = None, **more: Any) -> None:
        """Be short: the mirror of `buy`. It goes short; to leave a long position without that, `close`."""
        _refuse("sell", more)
        self._at("sell()", running=True).say_side(-1, size)

    def close(self) -> None:
        """Leave what is held of this asset; `self.position.close()` does the same."""
        self._at("close()", running=True).say_flat()

    def order_target_percent(self, weight: float) -> None:
        """Hold this fraction of the equity (0.5 is half of it, below 0 short); for `gives = Weights`."""
        self._at("order_target_percent()", running=True).say_target(InputKind.WEIGHTS, "order_target_percent", weight)

    def order_target(self, quantity: float) -> None:
        """Hold so many units, below 0 short; for `gives = Quantities`."""
        self._at("order_target()", running=True).say_target(InputKind.QUANTITIES, "order_target", quantity)

    @staticmethod
    def crossover(one: Line, other: Line | float) -> bool:
        """Whether `one` rose above `other`, a line or a number, in this bar: at or below it a bar ago, above it now. NaN never crosses."""
        if len(one) < 2:
            return False
        before, now = (other[-2], other[-1]) if isinstance(other, Line) else (other, other)
        return bool(one[-2] <= before and one[-1] > now)

    def _at(self, word: str, running: bool = False) -> Seat:
        seat = self._seat
        if seat is None or (running and seat.declaring):
            raise StrategyError(f"{self.name}: {word} is for {'next()' if running else 'init() and next()'}, when a simulation runs")
        return seat  # type: ignore[no-any-return]

    # --- what the engine asks ----------------------------------------------------------------------------------------

    def check_form(self) -> None:
        """StrategyError where `next` is missing or `history` is no number of bars."""
        if type(self).next is EventStrategy.next:
            EventStrategy.next(self)
        if isinstance(self.history, bool) or not isinstance(self.history, int) or self.history < 2:
            raise StrategyError(f"{self.name}.history is {self.history!r}; expected a whole number of bars, 2 or more")

    @property
    def sees_account(self) -> bool:
        """True: `next` is called inside the simulation."""
        return True

    def indicators(self) -> Mapping[str, Indicator]:
        """What `init` declares, by the names of the attributes."""
        return self._declared

    @functools.cached_property
    def _declared(self) -> dict[str, Indicator]:
        return declared_by(self)

    def player(self, memory: NDArray[np.float64], symbols: tuple[str, ...]) -> EventPlayer:
        """One object for each asset."""
        return EventPlayer(self, memory, symbols)


def _refuse(word: str, more: Mapping[str, Any]) -> None:
    """StrategyError for what an order cannot be given here."""
    for name in more:
        way = _WAYS.get(name)
        raise StrategyError(f"{word}({name}=...): {way if way else 'there is no such argument; ' + nearest(name, ['size'])}")
