"""Compiled strategies of many parameter sets: every distinct indicator once, and for each set a desk at which the loops find its rule."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Block
from ..core.jit import ENGINE
from ..core.native import native_loop
from ..errors import InputError, StrategyError, VecbtError
from ..indicators.plan import IndicatorPlan
from ..indicators.registry import find
from ..indicators.shape import readonly
from ..indicators.streaming import IndicatorStream
from .rule import DESK, PRICE_FIELDS, rule_rows
from .rule_strategy import RuleStrategy
from .ruling import Ruling, block_of, param_value, params_layout
from .strategy import Strategy

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["RuleTable", "remade"]

_Key = tuple[Any, ...]
_ROOM = 2**30  # bytes of indicators that are kept


def remade(base: Strategy, values: Mapping[str, Any]) -> Strategy:
    """The strategy with other parameters, checked as a new one is; a function keeps what is bound to it."""
    return type(base)(**{**base.parameters, **values}) if values else base


def _as_ours(error: Exception) -> VecbtError:
    """What a strategy raised, as what is wrong with its set."""
    return error if isinstance(error, VecbtError) else StrategyError(f"{type(error).__name__}: {error}")


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
            stream = IndicatorStream(find(name), *parameters, assets=self._bars.N)
            outputs = stream.kernel.outputs
            found = np.empty((max(len(outputs), 1), self._bars.T, self._bars.N))
            stream.run(tuple(self._row(read) for read in reads), found if outputs else found[0])
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

    def keep_only(self, wanted: set[_Key], room: int) -> None:
        """Forget what is not wanted, where all that is kept takes more than `room` bytes."""
        if sum(part.nbytes for part in self._kept.values()) > room:
            self._kept = {key: part for key, part in self._kept.items() if key in wanted}


class RuleTable:
    """A rule strategy with many parameter sets over the same bars.

    Attributes
    ----------
    ruling : of the strategy as given: what all sets share
    loop : address of what asks the rule for all bars; 0: it sees the account, and the simulation asks it
    """

    def __init__(self, base: RuleStrategy, bars: Bars) -> None:
        self._base, self._bars, self._layout = base, bars, params_layout(base)
        plan = self._fitting(base.plan)
        self.ruling = Ruling(base, bars.symbols)
        self.loop = 0
        if not base.sees_account:
            self.loop = native_loop(rule_rows, (), base.rule, (), "").address if ENGINE == "python" else self.ruling.native.address
        self._columns = _Columns(bars)
        given = all(f.init for f in dataclasses.fields(base))
        self._plain = given and type(base).check is Strategy.check and type(base).__post_init__ is RuleStrategy.__post_init__
        self._shape = {name: (indicator.name, indicator.of) for name, indicator in plan.declared.items()}

    def _fitting(self, plan: IndicatorPlan) -> IndicatorPlan:
        if plan.needs_volume and not self._bars.has_volume:
            raise InputError(f"an indicator of {self._base.name} reads the volume, and these bars have none")
        return plan

    def objects(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[RuleStrategy | VecbtError]:
        """The strategies of these sets, or what is wrong with one."""
        return [self._object(dict(zip(names, row, strict=True))) for row in rows]

    def _object(self, values: Mapping[str, Any]) -> RuleStrategy | VecbtError:
        try:
            if not self._plain:
                return remade(self._base, values)  # type: ignore[return-value]
            # what dataclasses would do, without looking at the parameters that stay
            made: RuleStrategy = object.__new__(type(self._base))
            fields = {name: self._base.parameters[name] for name in self._base.space} | dict(values)
            space = self._base.space
            for name in values:
                fields[name] = space[name].validate(fields[name], type(self._base).__name__)
            space.compare(fields)
            for name, value in fields.items():
                object.__setattr__(made, name, value)
            return made
        except Exception as error:  # of its own checks, too: it has its line in the table
            return _as_ours(error)

    def desks(self, strategies: Sequence[RuleStrategy]) -> tuple[NDArray[np.int64], list[VecbtError | None], tuple[Any, ...]]:
        """Desks (S, len(DESK)) of these strategies, what is wrong with one, and what must live as long as the desks are used."""
        count, fields = len(strategies), self.ruling.fields
        params, sources = np.zeros(count, dtype=self._layout), np.zeros((count, len(fields)), dtype=np.int64)
        wrong: list[VecbtError | None] = [None] * count
        held: list[Any] = [params, sources]
        wanted: set[_Key] = set()
        for s, strategy in enumerate(strategies):
            try:
                columns = self._keys(strategy)
                for name in self._layout.names or ():
                    if name in strategy.space:
                        params[s][name] = self._number(strategy, name)
                sources[s] = [self._address(columns[name] if name not in PRICE_FIELDS else name, held, wanted) for name in fields]
            except Exception as error:  # of `indicators`, too
                wrong[s] = _as_ours(error)
        out = np.repeat(self.ruling.desk[None], count, axis=0)
        out[:, DESK.index("params")] = params.ctypes.data + self._layout.itemsize * np.arange(count)
        out[:, DESK.index("sources")] = sources.ctypes.data + 8 * len(fields) * np.arange(count)
        out[:, DESK.index("close")] = self._columns.prices[PRICE_FIELDS.index("close")].ctypes.data
        self._columns.keep_only(wanted, _ROOM)
        return out, wrong, tuple(held)

    def _number(self, strategy: RuleStrategy, name: str) -> float:
        """A parameter as the rule sees it, where it can: the rule is compiled for the kinds of those the strategy was given with."""
        value: Any = param_value(strategy, name)
        whole = isinstance(value, int | np.integer)
        if whole or (isinstance(value, float | np.floating) and self._layout[name] == np.float64):
            return value  # type: ignore[no-any-return]
        expected = "a number" if self._layout[name] == np.float64 else "a whole number"
        given = getattr(self._base, name)
        raise StrategyError(f"{strategy.name}.{name} is {value!r}; expected {expected}, as {given!r} was that the strategy was given with")

    def _address(self, read: Any, held: list[Any], wanted: set[_Key]) -> int:
        if isinstance(read, str):
            return int(self._columns.prices[PRICE_FIELDS.index(read)].ctypes.data)
        key, output = read
        column = self._columns.at(key)
        held.append(column)
        wanted.add(key)
        return int(column.ctypes.data + output * column.strides[0])

    def _keys(self, strategy: RuleStrategy) -> dict[str, tuple[_Key, int]]:
        """Of each column the indicator and its output."""
        declared = strategy.indicators()
        plan = self._base.plan
        if {name: (i.name, i.of) for name, i in declared.items()} != self._shape:
            plan = self._fitting(IndicatorPlan(declared))
            if plan.columns != self._base.plan.columns:
                raise StrategyError(
                    f"{strategy.name} declares {', '.join(plan.columns)} with these parameters, and {', '.join(self._base.plan.columns)} "
                    "as it was given; a sweep needs the same names for all of its sets"
                )
        found: dict[str, tuple[_Key, int]] = {}
        for name in plan.order:
            indicator = declared[name]
            key = (indicator.name, indicator.parameters, tuple(found.get(read, read) for read in indicator.of))
            places = plan.places(name)
            for output, column in enumerate(plan.columns[places]):
                found[column] = (key, output)
        return found
