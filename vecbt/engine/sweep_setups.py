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
from .setup import Rules, Setup

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
        self._rules: dict[int, Rules] = {}
        parts: dict[Any, list[int]] = {}
        self.alone: list[int] = []
        for u, setup in enumerate(self.setups):
            if isinstance(setup, Setup):
                if kind == InputKind.ORDERS or setup.flows is not None:
                    self.alone.append(u)
                else:
                    self._rules[u] = setup.rules(kind, bars.market)
                    parts.setdefault(_group_of(setup, self._rules[u]), []).append(u)
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

    def _group(self, numbers: list[int]) -> SetupGroup:
        setups = [s for s in (self.setups[u] for u in numbers) if isinstance(s, Setup)]
        market = self._bars.market
        rules = [self._rules.pop(u) for u in numbers]
        places = np.full(len(self.setups), -1, dtype=np.int64)
        places[numbers] = np.arange(len(numbers))
        books: list[Books] = []
        known: dict[Any, int] = {}
        starts = np.zeros(len(numbers), dtype=np.int64)
        for u, (setup, laws) in enumerate(zip(setups, rules, strict=True)):
            # where something is held from the start, its levels are those of the setup's own stops
            key = (float(setup.initial_capital), None if setup.carry is None else repr(setup.carry), u if setup.positions else -1)
            if key not in known:
                known[key] = len(books)
                books.append(opened_books(setup, market, int(self._bars.session[0]), laws))
            starts[u] = known[key]
        common, stops, zones = (_row([laws[k] for laws in rules]) for k in range(3))
        terms = None if rules[0].terms is None else _row([laws.terms for laws in rules])
        ends = np.array([int(setup.liquidate_at_end) for setup in setups], dtype=np.int64)
        return SetupGroup(setups[0], places, (common, stops, zones, terms), ends, books, starts)


def _group_of(setup: Setup, rules: Rules) -> tuple[Any, ...]:
    """What must be the same for setups that run on the same rows."""
    atr = setup.stops.atr_window if setup.stops is not None and setup.stops.needs_atr else None
    return atr, setup.sigma_window, rules.terms is None, bool(rules.zones["on"][0]), setup.accounts


def _row(parts: list[Any]) -> Records:
    """Records of one each as one array."""
    joined = np.frombuffer(b"".join([part.tobytes() for part in parts]), dtype=np.uint8).copy()
    out: Records = joined.view(parts[0].dtype).view(np.recarray)
    return out
