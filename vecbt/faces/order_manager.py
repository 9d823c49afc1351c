"""`OrderManager`: the book-keeper of someone who gives orders to a `Stream` by hand, one row a bar."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..core.codes import OrderStatus, Reason, rule_names
from ..engine.decision import Decision
from ..engine.orders_input import Cancel, Order, Orders
from ..errors import ConfigError, nearest

__all__ = ["ManagedOrder", "OrderManager"]

_STATUSES = ("created", "filled", "partial", "rejected", "cancelled")
_OF_CODE = {
    int(OrderStatus.FILLED): "filled",
    int(OrderStatus.PARTIAL): "partial",
    int(OrderStatus.REJECTED): "rejected",
    int(OrderStatus.CANCELLED): "cancelled",
    int(OrderStatus.REPLACED): "cancelled",
}


@dataclass
class ManagedOrder:
    """An order and what became of it; `order["status"]` is `order.status`.

    Attributes
    ----------
    direction : {1, -1}
    size : float
        Without sign.
    price : float or None
        Limit of a limit order; what stop loss and take profit are measured from.
    tag : int
        What the stream knows it by.
    status : {"created", "filled", "partial", "rejected", "cancelled"}
        `partial` while some of it is filled, and for good if it ended so.
    active : bool
        Whether it can still fill.
    filled, fill_price : float
        Quantity filled so far, without sign, and its average price (None before).
    rule : str
        What cut, refused or ended it.
    """

    order_id: str
    asset: str
    type: str
    direction: int
    size: float
    price: float | None
    time_in_force: str
    tag: int
    stop_price: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    signal_metadata: dict[str, Any] = field(default_factory=dict)
    status: str = "created"
    active: bool = True
    filled: float = 0.0
    fill_price: float | None = None
    rule: str = ""

    def __getitem__(self, name: str) -> Any:
        """A field by name."""
        known = [f.name for f in fields(self)]
        if name not in known:
            raise ConfigError(f"an order has no field {name!r}; {nearest(str(name), known)}")
        return getattr(self, name)

    def to_order(self) -> Order:
        """What a stream is given."""
        return Order(
            quantity=self.direction * self.size,
            symbol=self.asset,
            type=self.type,
            limit=self.price if self.type in ("limit", "stop_limit") else None,
            stop=self.stop_price,
            tif=self.time_in_force,
            tag=self.tag,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
        )


_DEFAULTS: dict[str, Any] = {
    "default_order_type": "market",
    "default_time_in_force": "day",
    "use_stop_loss": False,
    "default_stop_loss_pct": 0.05,
    "use_take_profit": False,
    "default_take_profit_pct": 0.1,
}


class OrderManager:
    """Creates orders, remembers them, and learns from each `Decision` what became of them.

    Each bar: create and cancel orders, hand `row()` to the stream's next `update`, hand its decision to `update`.

    Parameters
    ----------
    config : mapping, optional
        The parameters below, by name.
    default_order_type, default_time_in_force : str
        What an order is unless it says so itself: "market" and "day".
    use_stop_loss, use_take_profit : bool
        Whether orders bring a bracket (O3): levels that protect the position they open, `price` worse and better by the two
        fractions. Off by default.
    default_stop_loss_pct, default_take_profit_pct : float
        0.05 and 0.1.
    """

    def __init__(self, config: Mapping[str, Any] | None = None, **parameters: Any) -> None:
        given = {**(config or {}), **parameters}
        for name in given:
            if name not in _DEFAULTS:
                raise ConfigError(f"OrderManager has no parameter {name!r}; {nearest(str(name), _DEFAULTS)}")
        self.config: dict[str, Any] = {**_DEFAULTS, **given}
        for name in ("default_stop_loss_pct", "default_take_profit_pct"):
            _fraction(f"OrderManager.{name}", self.config[name])
        Order(quantity=1, tif=self.config["default_time_in_force"])  # a wrong word is said now
        self.orders: dict[str, ManagedOrder] = {}
        self._unsent: list[ManagedOrder] = []
        self._cancels: list[Cancel] = []
        self._sent: list[ManagedOrder] = []
        self._known: dict[tuple[str, int], ManagedOrder] = {}

    def create_order(
        self,
        asset: str,
        order_type: str | None = None,
        direction: int = 1,
        size: float = 0.0,
        price: float | None = None,
        signal_metadata: Mapping[str, Any] | None = None,
        *,
        stop_price: float | None = None,
        time_in_force: str | None = None,
    ) -> ManagedOrder:
        """A new order, sent with the next row.

        Parameters
        ----------
        asset : str
        order_type : {"market", "limit", "stop", "stop_limit"}, optional
        direction : {1, -1}
            1 buys.
        size : float
            Units, without sign.
        price : float, optional
            The limit of limit orders; of others what a bracket is measured from.
        signal_metadata : mapping, optional
            Kept with the order; `stop_loss_pct` and `take_profit_pct` in it take the place of the defaults.
        stop_price : float, optional
            Of stop and stop-limit orders.

        Raises
        ------
        ConfigError, InputError
            What does not fit.
        """
        kind = str(order_type or self.config["default_order_type"]).lower()
        if direction not in (1, -1):
            raise ConfigError(f"direction is {direction!r}; expected 1 to buy, -1 to sell")
        count = len(self.orders) + 1
        order = ManagedOrder(
            order_id=f"order_{count}",
            asset=asset,
            type=kind,
            direction=int(direction),
            size=abs(size),
            price=price,
            time_in_force=str(time_in_force or self.config["default_time_in_force"]).lower(),
            tag=count,
            stop_price=stop_price,
            signal_metadata=dict(signal_metadata or {}),
        )
        order.stop_loss = self._bracket(order, "stop_loss", -direction)
        order.take_profit = self._bracket(order, "take_profit", direction)
        order.to_order()  # what is wrong is said now
        self.orders[order.order_id] = order
        self._unsent.append(order)
        return order

    def _bracket(self, order: ManagedOrder, name: str, towards: int) -> float | None:
        if not self.config[f"use_{name}"]:
            return None
        if order.price is None:
            raise ConfigError(f"use_{name} measures from a price; give price=, for a market order the current one")
        distance = order.signal_metadata.get(f"{name}_pct", self.config[f"default_{name}_pct"])
        return order.price + towards * _fraction(f"{name}_pct", distance) * order.price

    def cancel_order(self, order_id: str) -> ManagedOrder | None:
        """Cancel an active order; None for one that is unknown or over.

        One that was not sent yet is cancelled at once, another when the decision says so: it may fill before.
        """
        order = self.orders.get(order_id)
        if order is None or not order.active:
            return None
        if order in self._unsent:
            self._unsent.remove(order)
            order.status, order.active, order.rule = "cancelled", False, "cancel"
        else:
            self._cancels.append(Cancel(symbol=order.asset, tag=order.tag))
        return order

    def row(self) -> Orders:
        """What was created and cancelled since the last row, for `Stream.update(bar, row)`.

        Raises
        ------
        ConfigError
            The last row has not been answered: its decision goes to `update` first.
        """
        if self._sent:
            raise ConfigError(f"{self._sent[0].order_id} was sent and not answered; hand the stream's decision to update() first")
        row = Orders([*self._cancels, *(order.to_order() for order in self._unsent)])
        self._sent, self._unsent, self._cancels = self._unsent, [], []
        return row

    def update(self, decision: Decision) -> list[ManagedOrder]:
        """Take over what a bar brought; the orders whose status, fills or rule changed."""
        symbols = decision.market.symbols
        settled = [(o, False) for o in decision.orders]
        waiting = [(o, True) for o in decision.queued]
        self._recognize(decision.t, symbols, [o for o, _ in settled + waiting])
        changed = []
        for record, waits in settled + waiting:
            order = self._known.get((symbols[record.asset], int(record.id)))
            if order is not None and _take_over(order, record, waits):
                changed.append(order)
        return changed

    def _recognize(self, t: int, symbols: tuple[str, ...], records: list[Any]) -> None:
        """The stream numbers the orders of a row as they stand in it: its new ones of an asset, by id, are those sent."""
        new = sorted((r for r in records if r.t == t and r.reason == Reason.SIGNAL), key=lambda r: int(r.id))
        for symbol in {order.asset for order in self._sent}:
            sent = [order for order in self._sent if order.asset == symbol]
            found = [int(r.id) for r in new if symbols[r.asset] == symbol]
            if len(found) != len(sent):
                raise ConfigError(
                    f"{len(sent)} orders of {symbol} were sent, the decision has {len(found)} new ones; hand row() as it is to the "
                    "stream's update, and every decision to update()"
                )
            self._known.update({(symbol, number): order for number, order in zip(found, sent, strict=True)})
        self._sent = []

    def update_order_status(self, order_id: str, status: str, execution_data: Mapping[str, Any] | None = None) -> ManagedOrder | None:
        """Set a status by hand, for orders that were executed elsewhere; None for an unknown order.

        `execution_data` may hold `fill_price` and `fill_quantity`.
        """
        if status not in _STATUSES:
            raise ConfigError(f"status is {status!r}; {nearest(str(status), _STATUSES)}")
        order = self.orders.get(order_id)
        if order is not None:
            order.status, order.active = status, status in ("created", "partial")
            data = execution_data or {}
            order.fill_price = data.get("fill_price", order.fill_price)
            order.filled = data.get("fill_quantity", order.filled)
        return order

    def get_order(self, order_id: str) -> ManagedOrder | None:
        """An order by its id, None for an unknown one."""
        return self.orders.get(order_id)

    def get_active_orders(self, asset: str | None = None) -> dict[str, ManagedOrder]:
        """Orders that can still fill, by id; of one asset, if it is named."""
        return {k: o for k, o in self.orders.items() if o.active and (asset is None or o.asset == asset)}


def _take_over(order: ManagedOrder, record: Any, waits: bool) -> bool:
    """Whether the record of the simulation changed the order."""
    before = (order.status, order.active, order.filled, order.fill_price, order.rule)
    order.filled = abs(float(record.filled))
    order.fill_price = float(record.price) if order.filled > 0.0 and not math.isnan(record.price) else None
    order.rule = rule_names(int(record.cut_by))
    order.active = waits
    if waits:
        order.status = "partial" if order.filled > 0.0 else "created"
    else:
        order.status = _OF_CODE[int(record.status)]
    return before != (order.status, order.active, order.filled, order.fill_price, order.rule)


def _fraction(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < 1.0:
        raise ConfigError(f"{name} is {value!r}; expected a fraction between 0 and 1: 5 % is 0.05")
    return float(value)
