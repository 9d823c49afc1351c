"""Setups of many parameter sets over the same bars: their records in a row, and what must be the same for sets that run together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Records
from ..core import memory
from ..core.codes import InputKind
from ..data.labels import label_text
from ..errors import VecbtError
from .batch import check_events, check_levels, opened_books, rows_of
from .books import Books
from .inputs import AlignedInputs
from .rows import Rows
from .setup import Rules, Setup
from .sweep_levels import SharedLevels

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["SetupGroup", "SetupTable"]

_Varied = Mapping[str, tuple[tuple[Any, ...], NDArray[np.int64]]]


@dataclass
class SetupGroup:
    """Setups that run on the same rows: one ATR, one sigma, the same rules in force.

    Attributes
    ----------
    numbers : int64 (U,), of each setup of the table its place in `rules`, -1 where it belongs to another group
    rules : records (U,) of each kind, see `Rules`, or a single one where they differ in nothing
    books : for each start that a setup can have
    starts : int64 (U,), which of the books
    """

    first: Setup
    numbers: NDArray[np.int64]
    rules: tuple[Records, Records, Records, Records | None]
    ends: NDArray[np.int64]
    books: list[Books]
    starts: NDArray[np.int64]
    _levels: SharedLevels | None = field(default=None, init=False, repr=False)

    def rows(self, bars: Bars, inputs: AlignedInputs) -> Rows:
        """Everything the step reads; the rows said are `inputs`."""
        return rows_of(bars, inputs, self.first)

    def levels(self, sets: int, bars: int) -> SharedLevels:
        """The levels that so many sets share."""
        if self._levels is None:
            self._levels = SharedLevels.of(self.rules[0], self.rules[1], len(self.starts), sets, bars)
        return self._levels


_SEPARATE = {
    "stops.hard": (1, ("hard",)),
    "stops.trailing": (1, ("trail",)),
    "stops.take_profit": (1, ("target",)),
    "stops.activation": (1, ("activation",)),
    "costs.commission_rate": (0, ("rate", "maker_rate")),
    "costs.slippage_bps": (0, ("slippage",)),
    "costs.half_spread": (0, ("half_spread",)),
    "costs.per_unit": (0, ("per_unit",)),
    "costs.per_order": (0, ("per_order",)),
    "costs.minimum": (0, ("minimum",)),
    "sizing.kelly_fraction": (0, ("amount",)),
    "sizing.risk_fraction": (0, ("amount",)),
    "sizing.weight": (0, ("amount",)),
    "sizing.max_position_fraction": (0, ("most",)),
    "risk.daily_loss": (3, ("daily_loss",)),
    "risk.max_heat": (3, ("max_heat",)),
    "risk.max_trade_loss": (3, ("max_trade_loss",)),
}
"""Parameters that are numbers in fields of their own, whatever the others are: in which of the records, and in which fields."""


class SetupTable:
    """Setups, checked for bars and a kind of input.

    Parameters
    ----------
    make : the setup with values by their names
    varied : the distinct values of each parameter that varies, and for each setup the place of its value
    count : how many setups there are

    Attributes
    ----------
    errors : what is wrong with a setup, by its number
    groups : those that run compiled, together
    alone : numbers of those that need a run of their own (deposits, orders)
    """

    def __init__(self, make: Callable[[dict[str, Any]], Setup], varied: _Varied, count: int, bars: Bars, kind: InputKind) -> None:
        self._make, self._varied, self._bars, self._kind = make, varied, bars, kind
        self.errors: dict[int, VecbtError] = {}
        self.alone: list[int] = []
        together = self._by_columns(count)
        self.groups = self._one_by_one(count) if together is None else together

    def setup(self, u: int) -> Setup:
        """One of them."""
        return self._checked({name: values[codes[u]] for name, (values, codes) in self._varied.items()})

    def _checked(self, values: dict[str, Any]) -> Setup:
        bars = self._bars
        setup = self._make(values).for_market(bars.market, bars.has_volume).for_inputs(self._kind)
        check_events(bars.market, bars.funding)
        check_levels(setup, bars.market, bars.low, lambda t: label_text(int(bars.index[t])))
        return setup

    def _tried(self, u: int) -> Setup | None:
        try:
            return self.setup(u)
        except VecbtError as error:
            self.errors[u] = error
            return None

    def _one_by_one(self, count: int) -> list[SetupGroup]:
        made = {u: setup for u in range(count) if (setup := self._tried(u)) is not None}
        parts: dict[Any, dict[int, Rules]] = {}
        for u, setup in made.items():
            if self._needs_its_own_run(setup):
                self.alone.append(u)
            else:
                rules = setup.rules(self._kind, self._bars.market)
                parts.setdefault(_group_of(setup, rules), {})[u] = rules
        return [self._group(count, [made[u] for u in rules], rules) for rules in parts.values()]

    def _needs_its_own_run(self, setup: Setup) -> bool:
        return self._kind == InputKind.ORDERS or setup.flows is not None

    def _group(self, count: int, setups: list[Setup], rules: dict[int, Rules]) -> SetupGroup:
        all_rules = list(rules.values())
        places = np.full(count, -1, dtype=np.int64)
        places[list(rules)] = np.arange(len(rules))
        books, starts = self._books(setups, all_rules)
        common, stops, zones = (_row([laws[k] for laws in all_rules]) for k in range(3))
        terms = None if all_rules[0].terms is None else _row([laws.terms for laws in all_rules])
        ends = np.array([int(setup.liquidate_at_end) for setup in setups], dtype=np.int64)
        return SetupGroup(setups[0], places, (common, stops, zones, terms), ends, books, starts)

    def _books(self, setups: list[Setup], rules: list[Rules]) -> tuple[list[Books], NDArray[np.int64]]:
        """The books that there are at the start, and for each setup which are its own."""
        books: list[Books] = []
        known: dict[Any, int] = {}
        starts = np.zeros(len(setups), dtype=np.int64)
        for u, (setup, laws) in enumerate(zip(setups, rules, strict=True)):
            # where something is held from the start, its levels are those of the setup's own stops
            key = (float(setup.initial_capital), None if setup.carry is None else repr(setup.carry), u if setup.positions else -1)
            if key not in known:
                known[key] = len(books)
                books.append(opened_books(setup, self._bars.market, int(self._bars.session[0]), laws))
            starts[u] = known[key]
        return books, starts

    def _by_columns(self, count: int) -> list[SetupGroup] | None:
        """All setups that differ in numbers with fields of their own at once; None: it is not worth it, or cannot be done.

        Values are checked in setups of their own, which also show that they change nothing but their fields; see `_numbers` for which.
        """
        inner = {name for name, (values, _) in self._varied.items() if name in _SEPARATE and all(_is_number(value) for value in values)}
        codes = [codes for name, (_, codes) in self._varied.items() if name not in inner]
        firsts, which = np.zeros(1, dtype=np.int64), np.zeros(count, dtype=np.int64)
        if codes:
            _, firsts, which = np.unique(np.column_stack(codes), axis=0, return_index=True, return_inverse=True)
        if 2 * len(firsts) * sum(len(self._varied[name][0]) for name in inner) > count or not inner:
            return None
        parts: dict[Any, list[_Part]] = {}
        try:
            for k, first in enumerate(firsts):
                part = self._part(int(first), np.flatnonzero(which.reshape(-1) == k), inner)
                parts.setdefault(_group_of(part.first, part.rules), []).append(part)
        except (VecbtError, _Entangled):
            self.errors.clear()
            return None
        return [self._joined(count, of_group) for of_group in parts.values()]

    def _part(self, u: int, members: NDArray[np.int64], inner: set[str]) -> _Part:
        """The setups `members`, which differ from number `u` in `inner` parameters only."""
        market = self._bars.market
        start = {name: values[codes[u]] for name, (values, codes) in self._varied.items()}
        first = self._checked(start)
        if self._needs_its_own_run(first) or first.positions:
            raise _Entangled
        rules, fine = first.rules(self._kind, market), np.ones(len(members), dtype=bool)
        group = _group_of(first, rules)
        varied = {_SEPARATE[name][0] for name in inner}
        rows: list[Any] = [part if part is None or k not in varied else _repeated(part, len(members)) for k, part in enumerate(rules)]
        for name in inner:
            codes = self._varied[name][1][members]
            part, fields = _SEPARATE[name]
            numbers, bad = self._numbers(start, name, np.flatnonzero(np.bincount(codes)), (rules, group))
            fine &= ~bad[codes]
            for place, of_values in zip(fields, numbers.T, strict=True):
                rows[part][place] = of_values[codes]
        for wrong in members[~fine]:
            self._tried(int(wrong))
        if not fine.all():
            members, rows = members[fine], [part[fine] if k in varied else part for k, part in enumerate(rows)]
        return _Part(members, first, rules, rows)

    def _numbers(
        self, start: dict[str, Any], name: str, used: NDArray[np.int64], like: tuple[Rules, Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """What the used values of a parameter are in its fields, and which are wrong.

        Of numbers that stand there as they are and lie between two that are fine, only a few are looked at.
        """
        values, market = self._varied[name][0], self._bars.market
        part, fields = _SEPARATE[name]
        numbers, bad = np.zeros((len(values), len(fields))), np.zeros(len(values), dtype=bool)

        def look(k: int) -> None:
            laws: Any = like[0]
            if values[k] is not start[name]:
                try:
                    setup = self._checked({**start, name: values[k]})
                except VecbtError:
                    bad[k] = True
                    return
                laws = setup.rules(self._kind, market)
                if _group_of(setup, laws) != like[1] or not _differ_in(like[0], laws, part, fields):
                    raise _Entangled
            numbers[k] = [laws[part][field][0] for field in fields]

        written = np.array([float(value) for value in values])
        few = _few(written, used)
        for k in few:
            look(k)
        if not bad.any() and (numbers[few] == written[few, None]).all():
            numbers[used] = written[used, None]
        else:
            for k in set(used.tolist()) - set(few):
                look(k)
        return numbers, bad

    def _joined(self, count: int, parts: list[_Part]) -> SetupGroup:
        """Parts that run on the same rows."""
        members = np.concatenate([part.members for part in parts])
        places = np.full(count, -1, dtype=np.int64)
        places[members] = np.arange(len(members))
        sizes = [len(part.members) for part in parts]
        rules: Any = tuple(_side_by_side(rows, sizes) for rows in zip(*(part.rows for part in parts), strict=True))
        books, starts = self._books([part.first for part in parts], [part.rules for part in parts])
        ends = np.repeat([int(part.first.liquidate_at_end) for part in parts], sizes)
        return SetupGroup(parts[0].first, places, rules, ends, books, np.repeat(starts, sizes))


class _Entangled(Exception):
    """A parameter changes more than its fields."""


@dataclass
class _Part:
    """Setups that differ from one of them in numbers with fields of their own."""

    members: NDArray[np.int64]
    first: Setup
    rules: Rules
    rows: list[Any]


def _repeated(record: Records, count: int) -> NDArray[Any]:
    """One record so many times."""
    out = memory.empty((count, record.dtype.itemsize), np.uint8)
    out[:] = np.asarray(record).view(np.uint8).reshape(1, -1)
    return out.view(record.dtype).reshape(-1)


def _side_by_side(rows: Sequence[Any], sizes: list[int]) -> Records | None:
    """Records of parts of these sizes as one array; those of a part may be a single one, which all of it share."""
    if rows[0] is None:
        return None
    if len(rows) > 1:
        rows = [np.concatenate([part if len(part) == n else _repeated(part, n) for part, n in zip(rows, sizes, strict=True)])]
    found: Records = np.asarray(rows[0]).view(np.recarray)
    return found


def _few(numbers: NDArray[np.float64], used: NDArray[np.int64]) -> list[int]:
    """Places of the ends of the used numbers, of zeros, and of some between."""
    mine = numbers[used]
    places = {0, len(used) // 2, int(mine.argmin()), int(mine.argmax()), *np.flatnonzero(mine == 0.0).tolist()}
    return [int(used[k]) for k in sorted(places)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _differ_in(left: Rules, right: Rules, part: int, fields: tuple[str, ...]) -> bool:
    """Whether two setups differ in these fields of one record at most."""
    for k, (mine, its) in enumerate(zip(left, right, strict=True)):
        if mine is None or its is None:
            if mine is not its:
                return False
            continue
        same: NDArray[Any] = np.asarray(mine)
        if k == part:
            same = same.copy()
            for field in fields:
                same[field] = its[field]
        if same.tobytes() != its.tobytes():
            return False
    return True


def _group_of(setup: Setup, rules: Rules) -> tuple[Any, ...]:
    """What must be the same for setups that run on the same rows."""
    atr = setup.stops.atr_window if setup.stops is not None and setup.stops.needs_atr else None
    return atr, setup.sigma_window, rules.terms is None, bool(rules.zones["on"][0]), setup.accounts


def _row(parts: list[Any]) -> Records:
    """Records of one each as one array; a single one as it is."""
    if len(parts) == 1:
        found: Records = parts[0]
        return found
    joined = np.frombuffer(b"".join([part.tobytes() for part in parts]), dtype=np.uint8).copy()
    out: Records = joined.view(parts[0].dtype).view(np.recarray)
    return out
