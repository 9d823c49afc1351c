"""Compiled strategies of many parameter sets: every distinct indicator once, and for each set a desk at which the loops find its rule."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import Block
from ..core.jit import ENGINE
from ..core.native import native_loop
from ..core.sets import Sets
from ..core.state import plain
from ..errors import InputError, StrategyError, VecbtError
from ..indicators.plan import IndicatorPlan
from ..indicators.registry import find
from ..indicators.shape import readonly
from .declared import parameters_of
from .rule import DESK, PRICE_FIELDS, rule_rows
from .rule_strategy import RuleStrategy
from .ruling import Ruling, block_of, param_number
from .strategy import Strategy

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["RuleTable", "remade"]

_Key = tuple[Any, ...]
_ROOM = 2**30  # bytes of indicators that are kept
_MOST_KNOWN = 2**20  # combinations of values for which the number of an indicator is looked up


def remade(base: Strategy, values: Mapping[str, Any]) -> Strategy:
    """The strategy with other parameters, checked as a new one is; a function keeps what is bound to it."""
    return type(base)(**{**base.parameters, **values}) if values else base


class _Columns:
    """Indicators over all bars, each distinct one computed once, when it is first asked for."""

    def __init__(self, bars: Bars) -> None:
        self._bars, self._prices = bars, block_of(bars)
        self._kept: dict[_Key, NDArray[np.float64]] = {}

    @property
    def prices(self) -> Block:
        """Prices as strategies read them."""
        return self._prices

    def at(self, key: _Key) -> NDArray[np.float64]:
        """The outputs (K, T, N) of an indicator: its name, its parameters, and the keys of what it reads with the output of each."""
        found = self._kept.get(key)
        if found is None:
            name, parameters, reads = key
            kernel = find(name)
            states, buffers, params = kernel.init(self._bars.N, *parameters)  # which were checked where it was declared
            found = np.empty((max(len(kernel.outputs), 1), self._bars.T, self._bars.N))
            rows = tuple(self._row(read) for read in reads)
            kernel.run(plain(states), buffers, plain(params), rows, found if kernel.outputs else found[0])
            self._kept[key] = found
        return found

    @functools.cached_property
    def _session(self) -> NDArray[np.float64]:
        """The session days of all bars, for every asset."""
        days = self._bars.session.astype(np.float64)[:, None]
        return readonly(np.ascontiguousarray(np.broadcast_to(days, (self._bars.T, self._bars.N))))

    def _row(self, read: Any) -> NDArray[np.float64]:
        if read == "session":
            return self._session
        if isinstance(read, str):
            row: NDArray[np.float64] = self._prices[PRICE_FIELDS.index(read)]
            return row
        key, output = read
        return readonly(self.at(key)[output])

    def keep_only(self, wanted: set[_Key], room: int) -> bool:
        """Forget what is not wanted, where all that is kept takes more than `room` bytes; whether it did."""
        if sum(part.nbytes for part in self._kept.values()) <= room:
            return False
        self._kept = {key: part for key, part in self._kept.items() if key in wanted}
        return True


class _Met(NamedTuple):
    """An indicator that was computed: what it is, its outputs, and the object that declared it."""

    key: _Key
    column: NDArray[np.float64]
    declared: Any


class _Source(NamedTuple):
    """A declared indicator that the rule reads, and those that sets have declared under its name.

    `fields` of `now` take its outputs; `numbers` has for an object that was declared before its place in `met` and in `places`, where
    each of the fields begins. `made_of` are the places of the parameters that it hangs on, among the strategy's own that vary, and `known`
    has by the values of these the number of the indicator, -1 where it was not met; None where its text does not say what it hangs on.
    """

    name: str
    kernel: str
    reads: tuple[str, ...]
    outputs: tuple[int, ...]
    fields: list[int]
    numbers: dict[int, int]
    met: list[_Met]
    places: list[list[int]]
    made_of: list[int]
    known: NDArray[np.int64] | None

    def keys(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of each set the place of its indicator in `known`."""
        if not self.made_of or self.known is None:
            return np.zeros(len(codes), dtype=np.int64)
        found: NDArray[np.int64] = np.ravel_multi_index(tuple(codes[:, self.made_of].T), self.known.shape)
        return found


class RuleTable:
    """A rule strategy with many parameter sets over the same bars.

    Parameters
    ----------
    base : the strategy as given
    bars : as strategies read them
    sets, names : the sets, and which of their parameters are the strategy's own

    Attributes
    ----------
    ruling : of the strategy as given: what all sets share
    loop : address of what asks the rule for all bars; 0: it sees the account, and the simulation asks it
    """

    def __init__(self, base: RuleStrategy, bars: Bars, sets: Sets, names: tuple[str, ...]) -> None:
        self._bars, self._base, self._sets, self._names = bars, base, sets, names
        plan = self._fitting(base.plan)
        self.ruling = Ruling(base, bars.symbols)
        self._layout = self.ruling.params.dtype
        self.loop = 0
        if not base.sees_account:
            self.loop = native_loop(rule_rows, (), 0, base.rule, (), "").address if ENGINE == "python" else self.ruling.native.address
        self._columns = _Columns(bars)
        given = all(f.init for f in dataclasses.fields(base))
        self._plain = given and type(base).check is Strategy.check and type(base).__post_init__ is RuleStrategy.__post_init__
        self._fields, self._slotted = dict(base.parameters), "__slots__" in vars(type(base))
        self._shape = {name: (indicator.name, indicator.of) for name, indicator in plan.declared.items()}
        self._places = [(name, plan.columns[plan.places(name)]) for name in plan.order]
        self._values = {name: self._checked(name) for name in names}
        self._floats: dict[str, NDArray[np.float64]] = {}
        self._numbers = {name: self._as_numbers(name) for name in names if name in (self._layout.names or ())}
        self._plan, self._made_of = plan, parameters_of(type(base)) if len(sets) > 1 else None
        self._sources = self._direct()
        self._of_prices = [self._address(name, {}) if name in PRICE_FIELDS else 0 for name in self.ruling.fields]

    def _fitting(self, plan: IndicatorPlan) -> IndicatorPlan:
        if plan.needs_volume and not self._bars.has_volume:
            raise InputError(f"an indicator of {self._base.name} reads the volume, and these bars have none")
        return plan

    def _checked(self, name: str) -> list[Any]:
        """The distinct values of a parameter as they are kept, or what is wrong with one."""
        domain, found = self._base.space[name], []
        for value in self._sets.values[self._sets.names.index(name)]:
            try:
                found.append(domain.validate(value, type(self._base).__name__))
            except VecbtError as error:
                found.append(error)
        return found

    def _as_numbers(self, name: str) -> tuple[NDArray[Any], dict[int, Any]]:
        """The distinct values of a parameter as the rule sees them, and by their place what is wrong with one."""
        whole, wrong, values = self._layout[name].kind == "i", {}, self._values[name]
        numbers = np.zeros(len(values), dtype=self._layout[name])
        for k, value in enumerate(values):
            try:
                if isinstance(value, VecbtError):
                    continue  # said where the strategy is made
                number = param_number(self._base, name, value)
                if isinstance(number, str) or (whole and number != int(number)):
                    expected, given = "a whole number" if whole else "a number", getattr(self._base, name)
                    found = f"{self._base.name}.{name} is {value!r}; expected {expected}"
                    raise StrategyError(f"{found}, as {given!r} was that the strategy was given with")
                numbers[k] = number
            except (VecbtError, TypeError, ValueError) as error:
                wrong[k] = error
        return numbers, wrong

    def _direct(self) -> list[_Source] | None:
        """The declared indicators that the rule reads, none of them computed.

        None where one reads another: then its place depends on more than its own parameters.
        """
        fields, found = self.ruling.fields, []
        for name, columns in self._places:
            indicator = self._plan.declared[name]
            if any(read not in (*PRICE_FIELDS, "session") for read in indicator.of):
                return None
            outputs = tuple(output for output, column in enumerate(columns) if column in fields)
            taken = [fields.index(columns[output]) for output in outputs]
            found.append(_Source(name, indicator.name, indicator.of, outputs, taken, {}, [], [], *self._blank(name)))
        return found

    def _blank(self, name: str) -> tuple[list[int], NDArray[np.int64] | None]:
        """What an indicator is made of, and a table by that in which none was met; None where it is not known, or would be large."""
        read = (self._made_of or {}).get(name)
        if read is None or not self._plain:
            return [], None
        made_of = [k for k, own in enumerate(self._names) if own in read]
        shape = [len(self._values[self._names[k]]) for k in made_of]
        return made_of, np.full(shape, -1, dtype=np.int64) if math.prod(shape) <= _MOST_KNOWN else None

    def _made(self, row: tuple[Any, ...], ordered: bool) -> RuleStrategy:
        """The strategy of one set, as a new one would be made, without looking at the parameters that stay.

        `ordered`: those that must be below others are known to be.
        """
        if not self._plain:
            return remade(self._base, dict(zip(self._names, row, strict=True)))  # type: ignore[return-value]
        made: RuleStrategy = object.__new__(type(self._base))
        fields = self._fields.copy()
        fields.update(zip(self._names, row, strict=True))
        if not ordered:
            self._base.space.compare(fields)
        if self._slotted:
            for name, value in fields.items():
                object.__setattr__(made, name, value)
        else:
            object.__setattr__(made, "__dict__", fields)
        return made

    def _ordered(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Of each set whether the parameters that must be below others are; where they are no numbers, it is looked at again."""
        fine = np.ones(len(codes), dtype=bool)
        for name, domain in self._base.space.items():
            if domain.below:
                fine &= self._column(name, codes) < self._column(domain.below, codes)
        return fine

    def _column(self, name: str, codes: NDArray[np.int64]) -> Any:
        if name not in self._names:
            return _as_float(self._fields[name])
        if name not in self._floats:
            self._floats[name] = np.array([_as_float(value) for value in self._values[name]])
        return self._floats[name][codes[:, self._names.index(name)]]

    def desks(self, firsts: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[Any], Any]:
        """Desks (S, len(DESK)) for the strategies of these sets, what is wrong with one, and what must live as long as they are used."""
        count, fields = len(firsts), self.ruling.fields
        codes = self._sets.codes[firsts][:, [self._sets.names.index(name) for name in self._names]]
        wrong, apart, held = self._unfit(codes, count), dict[int, list[int]](), dict[Any, _Met]()
        numbers, ordered = np.full((count, len(self._sources or ())), -1, dtype=np.int64), self._ordered(codes)
        left = np.array([found is None for found in wrong], dtype=bool)

        def ask(s: int) -> None:
            """What one set declares."""
            left[s] = False
            try:
                values = tuple([self._values[name][codes[s, j]] for j, name in enumerate(self._names)])
                strategy = self._made(values, bool(ordered[s]))
                declared = strategy.indicators()
                known = self._known(declared)
                if known is None:
                    apart[s] = self._places_by_key(declared, strategy, held)
                else:
                    numbers[s] = known
            except Exception as error:  # its line in the table has it
                wrong[s] = error

        self._recall(codes, numbers, ordered, left, ask)
        for s in np.flatnonzero(left).tolist():
            ask(s)
        where, params = self._where(numbers, apart, held), self._params(codes, count)
        out = np.repeat(self.ruling.desk[None], count, axis=0)
        out[:, DESK.index("params")] = params.ctypes.data + self._layout.itemsize * np.arange(count)
        out[:, DESK.index("sources")] = where.ctypes.data + 8 * len(fields) * np.arange(count)
        out[:, DESK.index("close")] = self._columns.prices[PRICE_FIELDS.index("close")].ctypes.data
        if self._columns.keep_only({met.key for met in held.values()}, _ROOM):
            self._sources = self._direct()
        return out, wrong, (where, params, held)

    def _recall(
        self, codes: NDArray[np.int64], numbers: NDArray[np.int64], ordered: NDArray[np.bool_], left: NDArray[np.bool_],
        ask: Callable[[int], None],
    ) -> None:  # fmt: skip
        """Numbers for those of the sets that are `left` whose indicators were all met before; of what is new, one set each is asked."""
        tables = [source.known for source in self._sources or ()]
        if self._sources is None or self._made_of is None or not self._plain:
            return
        flat = [table.reshape(-1) for table in tables if table is not None]
        if len(flat) < len(tables):
            return
        keys = [source.keys(codes) for source in self._sources]
        for met, places in zip(flat, keys, strict=True):
            new = np.flatnonzero(ordered & left & (met[places] < 0))
            for s in new[np.unique(places[new], return_index=True)[1]].tolist():
                ask(s)
                for other, its, number in zip(flat, keys, numbers[s].tolist(), strict=True):
                    other[its[s]] = max(number, int(other[its[s]]))
        looked_up = np.flatnonzero(ordered & left)
        for k, (met, places) in enumerate(zip(flat, keys, strict=True)):
            numbers[looked_up, k] = met[places[looked_up]]
        fine = (numbers[looked_up] >= 0).all(axis=1)
        numbers[looked_up[~fine]] = -1
        left[looked_up[fine]] = False

    def _where(self, numbers: NDArray[np.int64], apart: dict[int, list[int]], held: dict[Any, _Met]) -> NDArray[np.int64]:
        """Where each field of `now` begins for each set, (S, fields); `held` takes the indicators that are used.

        `numbers` (S, sources): the indicator of each source, -1 none; `apart` has the places of sets that were looked at alone.
        """
        where = np.repeat(np.array([self._of_prices], dtype=np.int64), len(numbers), axis=0)
        for source, chosen in zip(self._sources or (), numbers.T, strict=True):
            known = np.flatnonzero(chosen >= 0)
            if source.met and source.fields and len(known):
                where[known[:, None], source.fields] = np.array(source.places, dtype=np.int64)[chosen[known]]
            held |= {source.met[k].key: source.met[k] for k in np.flatnonzero(np.bincount(chosen[known])).tolist()}
        for s, places in apart.items():
            where[s] = places
        return where

    def _unfit(self, codes: NDArray[np.int64], count: int) -> list[Any]:
        """What is wrong with a value of each set, or None."""
        wrong: list[Any] = [None] * count
        for j, name in enumerate(self._names):
            faults = {k: value for k, value in enumerate(self._values[name]) if isinstance(value, VecbtError)}
            faults |= self._numbers[name][1] if name in self._numbers else {}
            for k, fault in faults.items():
                for s in np.flatnonzero(codes[:, j] == k):
                    wrong[s] = wrong[s] or fault
        return wrong

    def _params(self, codes: NDArray[np.int64], count: int) -> NDArray[Any]:
        """The records of the parameters that the rule sees."""
        out = np.repeat(self.ruling.params, count)
        for j, name in enumerate(self._names):
            if name in self._numbers:
                out[name] = self._numbers[name][0][codes[:, j]]
        return out

    def _known(self, declared: Mapping[str, Any]) -> list[int] | None:
        """Of each source the number of its indicator; None where another one than the strategy as given declares stands in its place."""
        if self._sources is None or len(declared) != len(self._shape):
            return None
        found = []
        for source in self._sources:
            indicator = declared.get(source.name)
            number = source.numbers.get(id(indicator))  # an indicator that was declared before is the same object
            if number is None:
                number = self._meet(indicator, source)
                if number is None:
                    return None
            found.append(number)
        return found

    def _meet(self, indicator: Any, source: _Source) -> int | None:
        """An indicator for the first time."""
        if indicator is None or indicator.name != source.kernel or indicator.of != source.reads:
            return None
        key = (source.kernel, indicator.parameters, source.reads)
        column = self._columns.at(key)
        source.places.append([int(column.ctypes.data + output * column.strides[0]) for output in source.outputs])
        source.met.append(_Met(key, column, indicator))
        source.numbers[id(indicator)] = number = len(source.met) - 1
        return number

    def _places_by_key(self, declared: Mapping[str, Any], strategy: RuleStrategy, held: dict[Any, _Met]) -> list[int]:
        keys = self._keys(declared, strategy)
        return [self._address(keys[field], held) for field in self.ruling.fields]

    def _address(self, read: Any, held: dict[Any, _Met]) -> int:
        """Where a price, or an output of an indicator, begins."""
        if isinstance(read, str):
            return int(self._columns.prices[PRICE_FIELDS.index(read)].ctypes.data)
        key, output = read
        column = self._columns.at(key)
        held[key] = _Met(key, column, None)
        return int(column.ctypes.data + output * column.strides[0])

    def _keys(self, declared: Mapping[str, Any], strategy: RuleStrategy) -> dict[str, Any]:
        """Of each field of `now` the price that it is, or the indicator and its output."""
        places = self._places
        if len(declared) != len(self._shape) or any(self._shape.get(name) != (i.name, i.of) for name, i in declared.items()):
            plan = self._fitting(IndicatorPlan(declared))
            if plan.columns != self._base.plan.columns:
                mine, theirs = ", ".join(plan.columns), ", ".join(self._base.plan.columns)
                raise StrategyError(
                    f"{strategy.name} declares {mine} with these parameters, and {theirs} as it was given; a sweep needs the same names "
                    "for all of its sets"
                )
            places = [(name, plan.columns[plan.places(name)]) for name in plan.order]
        found: dict[str, Any] = {name: name for name in PRICE_FIELDS}
        for name, outputs in places:
            indicator = declared[name]
            key = (indicator.name, indicator.parameters, tuple([found.get(read, read) for read in indicator.of]))
            for output, column in enumerate(outputs):
                found[column] = (key, output)
        return found


def _as_float(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
