"""Setups of many parameter sets over the same bars: their records in a row, and what must be the same for sets that run together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Records
from ..core.codes import InputKind
from ..data.labels import label_text
from ..errors import VecbtError
from .batch import check_events, check_levels, opened_books, rows_of
from .books import Books
from .inputs import AlignedInputs
from .rows import Rows
from .setup import Setup

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["SetupGroup", "SetupTable"]


@dataclass
class SetupGroup:
    """Setups that run on the same rows: one ATR, one sigma, the same rules in force.

    Attributes
    ----------
    numbers : int64 (U,), of each setup of the table its place in `rules`, -1 where it belongs to another group
    rules : records (U,) of each kind, see `Rules`
    books : for each start that a setup can have
    starts : int64 (U,), which of the books
    """

    first: Setup
    numbers: NDArray[np.int64]
    rules: tuple[Records, Records, Records, Records | None]
    ends: NDArray[np.int64]
    books: list[Books]
    starts: NDArray[np.int64]

    def rows(self, bars: Bars, inputs: AlignedInputs) -> Rows:
        """Everything the step reads; the rows said are `inputs`."""
        return rows_of(bars, inputs, self.first)


class SetupTable:
    """Setups, checked for bars and a kind of input.

    Attributes
    ----------
    setups : each, or what is wrong with it
    groups : those that run compiled, together
    alone : numbers of those that need a run of their own (deposits, orders)
    """

    def __init__(self, count: int, make: Callable[[int], Setup], bars: Bars, kind: InputKind) -> None:
        self._bars, self._kind = bars, kind
        self.setups: list[Setup | VecbtError] = [self._checked(make, u) for u in range(count)]
        parts: dict[Any, list[int]] = {}
        self.alone: list[int] = []
        for u, setup in enumerate(self.setups):
            if isinstance(setup, Setup):
                if kind == InputKind.ORDERS or setup.flows is not None:
                    self.alone.append(u)
                else:
                    parts.setdefault(self._group_of(setup), []).append(u)
        self.groups = [self._group(numbers) for numbers in parts.values()]

    def _checked(self, make: Callable[[int], Setup], u: int) -> Setup | VecbtError:
        bars = self._bars
        try:
            setup = make(u).for_market(bars.market, bars.has_volume).for_inputs(self._kind)
            check_events(bars.market, bars.funding)
            check_levels(setup, bars.market, bars.low, lambda t: label_text(int(bars.index[t])))
            return setup
        except VecbtError as error:
            return error

    def _group_of(self, setup: Setup) -> tuple[Any, ...]:
        atr = setup.stops.atr_window if setup.stops is not None and setup.stops.needs_atr else None
        rules = setup.rules(self._kind, self._bars.market)
        return atr, setup.sigma_window, rules.terms is None, bool(rules.zones.on[0]), setup.accounts

    def _group(self, numbers: list[int]) -> SetupGroup:
        setups = [s for s in (self.setups[u] for u in numbers) if isinstance(s, Setup)]
        market = self._bars.market
        rules = [setup.rules(self._kind, market) for setup in setups]
        places = np.full(len(self.setups), -1, dtype=np.int64)
        places[numbers] = np.arange(len(numbers))
        books: list[Books] = []
        known: dict[Any, int] = {}
        starts = np.zeros(len(numbers), dtype=np.int64)
        for u, (setup, laws) in enumerate(zip(setups, rules, strict=True)):
            held = tuple(sorted((setup.positions or {}).items()))
            # where something is held from the start, its levels are those of the setup's own stops
            key = (float(setup.initial_capital), repr(setup.carry), held, u if held else -1)
            if key not in known:
                known[key] = len(books)
                books.append(opened_books(setup, market, int(self._bars.session[0]), laws))
            starts[u] = known[key]
        common, stops, zones = (np.concatenate([laws[k] for laws in rules]).view(np.recarray) for k in range(3))
        terms = None if rules[0].terms is None else np.concatenate([laws.terms for laws in rules]).view(np.recarray)
        ends = np.array([int(setup.liquidate_at_end) for setup in setups], dtype=np.int64)
        return SetupGroup(setups[0], places, (common, stops, zones, terms), ends, books, starts)
