"""An order on its way through one session of fills (T4, T5 or T7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from .position import Draft
from .scenario import Order

__all__ = ["Job"]

ZERO = Fraction(0)


@dataclass
class Job:
    """What an order meets and what it got.

    A signal order says itself what it closes and opens. With `resolve` (section O) that is found at each of its turns, from `quantity`
    (signed, what is left of the order) and the position then. `whole` is FOK, `drop` IOC and FOK.
    """

    order: Order
    ref: Fraction
    maker: bool = False  # a limit order: no slippage, maker rate
    inside: bool = False  # filled inside the bar, not at its open
    resolve: bool = False
    quantity: Fraction = ZERO
    whole: bool = False
    drop: bool = False
    reduce_only: bool = False
    several: bool = False  # other orders of the asset fill in this phase too (O6)
    # what was found on the way, in units >= 0 but for the signed `closed` and `opened`
    price: Fraction = ZERO
    given: Fraction | None = None  # the piece volume allows (F7), all where nothing limits; None before its first turn
    limited: bool = False
    refused: bool = False
    want_close: Fraction = ZERO  # what it wanted to close at its first turn
    piece_open: Fraction = ZERO  # opening units that ask for room
    closed: Fraction = ZERO
    opened: Fraction = ZERO
    lost: Fraction = ZERO  # asked for room and cut
    commission: Fraction = ZERO
    logged: Fraction = ZERO  # of what it closed and opened, in fills that are written already
    begun: Draft | None = None  # the trade its opening part went to
    shares: list[tuple[Draft, Fraction]] = field(default_factory=list)  # trades it closed, with units

    @property
    def n(self) -> int:
        return self.order.asset

    @property
    def side(self) -> int:
        """Buys 1, sells -1."""
        whole = self.quantity if self.resolve else self.order.close + self.order.open
        return 1 if whole > 0 else -1

    @property
    def spare(self) -> Fraction:
        """Of the piece, what is not used yet."""
        return (self.given or ZERO) - abs(self.closed) - abs(self.opened) - self.lost
