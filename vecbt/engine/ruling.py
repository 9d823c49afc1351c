"""A rule at work: its compiled function, its memory, and its indicators, for all bars in pieces or for one bar at a time."""

from __future__ import annotations

import dis
import functools
import inspect
import math
from collections.abc import Callable, Mapping
from types import CodeType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .._typing import Block
from ..core.codes import InputKind
from ..core.jit import ENGINE
from ..core.native import Native, names_in, native, native_loop
from ..core.space import Domain
from ..core.state import schema_hash
from ..errors import InputError, StrategyError
from ..indicators.plan import PlanStream
from ..indicators.shape import readonly
from .inputs import Signals, Strengths
from .rule import ACCOUNT_VIEW, DESK, PRICE_FIELDS, rule_rows

if TYPE_CHECKING:
    from ..data.bars import Bars
    from .rule_strategy import RuleStrategy

__all__ = ["Player", "RuleBatch", "Ruling", "blank_rows", "block_of", "check_rule", "layouts_of", "param_number", "params_layout"]

_CELLS = 16_384  # of a piece: its indicators stay in the cache
_SHORTEST = 64


def blank_rows(kind: InputKind, shape: tuple[int, ...]) -> NDArray[Any]:
    """Rows that say nothing, writable: flags 0, or NaN."""
    return np.zeros(shape, dtype=np.uint8) if kind == InputKind.SIGNALS else np.full(shape, np.nan)


class Player(Protocol):
    """What answers for a strategy whose rule stays Python: it is called through `native`, and remembers more than a record holds."""

    native: Native
    failure: BaseException | None
    """What was raised inside a call; from then on every answer is that nothing is said."""

    def remembered(self) -> list[NDArray[Any]]:
        """All that is kept beside the memory of the rule, as arrays of plain numbers; StateError for what cannot be saved."""
        ...

    def recall(self, arrays: list[NDArray[Any]]) -> None:
        """Go on from what `remembered` gave."""
        ...


class Ruling:
    """A rule strategy bound to the assets of these symbols.

    Attributes
    ----------
    memory : float64 (N, width), all that the rule and its loop remember; the indicators have their own state
    address : where the loops find everything; it does not change as long as this object lives
    said : what `point_at` was given, (bars, N): uint8 flags, or float64 values
    fields : of `now`
    """

    def __init__(self, strategy: RuleStrategy, symbols: tuple[str, ...]) -> None:
        assets = len(symbols)
        self.strategy, self.assets, self.kind = strategy, assets, strategy.kind
        layouts = layouts_of(strategy)
        self.params = _params_of(strategy, layouts[2])
        self.fields = layouts[0].names or ()
        taken, state = len(self.fields), layouts[3].itemsize // 8
        width, recalls = 2 * taken + len(ACCOUNT_VIEW.names or ()) + state, taken if _recalls(strategy) else 0
        shape = (taken, width, recalls, int(self.kind == InputKind.SIGNALS))
        self.memory = np.zeros((assets, width))
        self.memory[:, : 2 * taken] = np.nan
        self._player = strategy.player(self.memory, symbols)
        alone = self._player is None and not strategy.sees_account and ENGINE != "python"
        if alone:
            self.native = _loop_of(strategy, shape, layouts)
        else:
            self.native = _native_of(strategy) if self._player is None else self._player.native
        self._rows: Callable[[int, int, int], object] = self.native.function if alone else rule_rows
        self._desk = np.zeros(len(DESK), dtype=np.int64)
        self._fault = self._desk.data[DESK.index("fault") :]
        self._sources = np.zeros(taken, dtype=np.int64)
        self._kept: tuple[Any, ...] = ()
        self._set(
            function=self.native.address, memory=self.memory.ctypes.data, params=self.params.ctypes.data,
            sources=self._sources.ctypes.data, taken=shape[0], width=shape[1], recalls=shape[2], signals=shape[3],
        )  # fmt: skip
        self._number("most")[0] = strategy.gives.most if strategy.gives is not Signals else 0.0
        self.address = int(self._desk.ctypes.data)

    @functools.cached_property
    def indicators(self) -> PlanStream:
        """The indicators of the strategy, bar after bar; a sweep computes its own and never asks for them."""
        return PlanStream(self.strategy.plan, self.assets)

    @property
    def desk(self) -> NDArray[np.int64]:
        """What stands at the address."""
        return self._desk

    def _number(self, name: str) -> NDArray[np.float64]:
        """A place of the desk that holds a float64."""
        return self._desk[DESK.index(name) : DESK.index(name) + 1].view(np.float64)

    def _set(self, **places: int) -> None:
        for name, value in places.items():
            self._desk[DESK.index(name)] = value

    def point_at(self, prices: Block, said: NDArray[Any], columns: NDArray[np.float64]) -> None:
        """Read bars from `prices` (5, L, N) as strategies read them, and indicators from `columns` (K, M, N); write into `said` (L, N)."""
        self._kept = (prices, said, columns)
        self.said = said
        names, cell = self.strategy.plan.columns, 8 * self.assets
        starts = [
            prices[PRICE_FIELDS.index(name)].ctypes.data if name in PRICE_FIELDS else columns[names.index(name)].ctypes.data
            for name in self.fields
        ]
        self._starts = np.array([*starts, prices[PRICE_FIELDS.index("close")].ctypes.data, said.ctypes.data], dtype=np.int64)
        of_column = [name not in PRICE_FIELDS for name in self.fields]
        self._bar_bytes = np.array([*(cell for _ in self.fields), cell, self.assets * said.itemsize], dtype=np.int64)
        self._piece_bytes = np.array([*(cell if of else 0 for of in of_column), 0, 0], dtype=np.int64)
        self.count_from(0, 0)

    def count_from(self, first: int, piece: int) -> None:
        """Loops count their bars from bar `first`; the columns begin at bar `piece`."""
        at = self._starts + first * self._bar_bytes - piece * self._piece_bytes
        self._sources[:] = at[:-2]
        self._set(close=int(at[-2]), said=int(at[-1]))

    def take(self, bars: int) -> None:
        """What a rule that sees no account says of so many bars, from where `count_from` points."""
        self._rows(self.address, bars, self.assets)

    def taker(self, where: Callable[[int, int], str]) -> Callable[[], None]:
        """A call that takes one bar, and checks it."""
        rows, address, assets, fault, player = self._rows, self.address, self.assets, self._fault, self._player

        def take() -> None:
            rows(address, 1, assets)
            if fault[0] or (player is not None and player.failure is not None):
                self.check(where)

        return take

    def check(self, where: Callable[[int, int], str], first: int = 0) -> None:
        """StrategyError if an answer may not be; `where(t, n)` says of which bar and asset. What a player raised is raised here."""
        if self._player is not None and self._player.failure is not None:
            raise self._player.failure
        fault = self._fault[0]
        if fault:
            self._set(fault=0)
            bad = float(self._number("bad")[0])
            t, n = divmod(fault - 1, self.assets)
            raise StrategyError(f"the rule of {self.strategy.name} answered {bad:g} {where(t + first, n)}; expected {self._expected()}")

    def _expected(self) -> str:
        if self.kind == InputKind.SIGNALS:
            return "ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT, a sum of them, or 0"
        limit = "a number in [-1, 1]" if self.strategy.gives is Strengths else "a finite number"
        return f"{limit}, or nan to change nothing"

    @property
    def parts(self) -> list[NDArray[Any]]:
        """All that changes from bar to bar, but for what a player remembers."""
        return [self.memory, *self.indicators.parts]

    def remembered(self) -> list[NDArray[Any]]:
        """What a player remembers, see `Player`; nothing where the rule is compiled."""
        return [] if self._player is None else self._player.remembered()

    @property
    def memory_bytes(self) -> bytes:
        """All that the rule itself remembers, for comparisons."""
        return b"".join([self.memory.tobytes(), *(part.tobytes() for part in self.remembered())])

    def recall(self, arrays: list[NDArray[Any]]) -> None:
        """Go on from what `remembered` gave."""
        if self._player is not None:
            self._player.recall(arrays)

    @property
    def header(self) -> dict[str, Any]:
        """What a saved state must have been saved from."""
        layout = schema_hash(*self.native.layouts)
        return {"kind": "rule", "layout": layout, "assets": self.assets, "indicators": self.indicators.header}


class RuleBatch:
    """A ruling over all bars of a batch: indicators come piece by piece, so that no column is ever whole.

    `said` is (T, N), blank at first.
    """

    def __init__(self, strategy: RuleStrategy, bars: Bars) -> None:
        self.ruling = Ruling(strategy, bars.symbols)
        self._plan, self._bars = strategy.plan, bars
        self._prices = block_of(bars)
        if self._plan.needs_volume and not bars.has_volume:
            raise InputError(f"an indicator of {strategy.name} reads the volume, and these bars have none")
        self._session = bars.session if self._plan.needs_sessions else None
        self._length = min(max(_SHORTEST, _CELLS // bars.N), max(bars.T, 1))
        self._columns = np.empty((len(self._plan.columns), self._length, bars.N))
        self.said = blank_rows(strategy.kind, (bars.T, bars.N))
        self.ruling.point_at(self._prices, self.said, self._columns)
        self._first = self._end = 0

    def ready(self, t: int, stop: int) -> int:
        """See to it that the indicators of bar `t` stand there; up to which bar they do, `stop` at most."""
        if t >= self._end:
            self._first, self._end = t, min(t + self._length, self._bars.T)
            session = None if self._session is None else self._session[self._first : self._end]
            columns = self._columns[:, : self._end - self._first]
            self.ruling.indicators.run(self._prices[:, self._first : self._end], session, columns)
            self.ruling.count_from(0, self._first)
        return min(stop, self._end)

    def pass_over(self, stop: int) -> None:
        """Only the indicators see the bars before `stop`."""
        t = 0
        while t < stop:
            t = self.ready(t, stop)

    def run(self) -> NDArray[Any]:
        """What a rule that sees no account says of all bars."""
        t = 0
        while t < self._bars.T:
            end = self.ready(t, self._bars.T)
            self.ruling.count_from(t, t)
            self.ruling.take(end - t)
            self.check(t)
            t = end
        return self.said

    def check(self, first: int = 0) -> None:
        """StrategyError for an answer that may not be."""
        from ..data.labels import label_text

        bars = self._bars
        self.ruling.check(lambda t, n: f"at {label_text(int(bars.index[t]))}, {bars.symbols[n]}", first)


def block_of(bars: Bars) -> Block:
    """The prices, read-only; bars and assets of a field lie one after the other."""
    block = bars.block
    if block.size and block.strides[1:] != (8 * bars.N, 8):
        block = np.ascontiguousarray(block)
    return readonly(block)


# --- what a rule is handed -----------------------------------------------------------------------------------------------


def _native_of(strategy: RuleStrategy) -> Native:
    """The rule, for a simulation that asks it."""
    known = (*PRICE_FIELDS, *strategy.plan.columns)
    return native(type(strategy).rule, layouts_of(strategy), f"the rule of {strategy.name}", (known, known))


def _loop_of(strategy: RuleStrategy, shape: tuple[int, ...], layouts: tuple[np.dtype[Any], ...]) -> Native:
    """All bars of a rule that sees no account, with the rule in the loop."""
    known = (*PRICE_FIELDS, *strategy.plan.columns)
    owner, constants = f"the rule of {strategy.name}", (("shape_of", shape), ("keeps_copy", (1,)))
    return native_loop(rule_rows, constants, shape[1], type(strategy).rule, layouts, owner, (known, known))


def layouts_of(strategy: RuleStrategy) -> tuple[np.dtype[Any], ...]:
    """The records that the rule takes, in order; `now` and `before` have the fields that its code names, and no others.

    Where a player answers for the rule they have all fields.
    """
    known = (*PRICE_FIELDS, *strategy.plan.columns)
    rule = getattr(type(strategy), "rule", None)
    named = set(known) if rule is None else names_in(rule)
    now = np.dtype([(name, "f8") for name in known if name in named] or [("close", "f8")])
    layouts = (now, now, params_layout(strategy), _state_of(strategy))
    return (*layouts, ACCOUNT_VIEW) if strategy.sees_account else layouts


def _recalls(strategy: RuleStrategy) -> bool:
    """Whether the rule looks at `before` at all; a player may."""
    rule = getattr(type(strategy), "rule", None)
    if rule is None:
        return True
    return _looks_back(getattr(rule, "py_func", rule).__code__)


@functools.lru_cache(maxsize=1_000)
def _looks_back(code: CodeType) -> bool:
    name = code.co_varnames[1]
    return name in code.co_cellvars or any(step.argval == name for step in dis.get_instructions(code))


def _state_of(strategy: RuleStrategy) -> np.dtype[Any]:
    """The fields that the rule keeps; one that is never used where it keeps none."""
    given: Mapping[str, str] = type(strategy).state
    for name, kind in given.items():
        if kind not in ("f8", "i8"):
            raise StrategyError(f"{strategy.name}.state[{name!r}] is {kind!r}; expected 'f8' (a number) or 'i8' (a whole number)")
    return np.dtype([(name, kind) for name, kind in given.items()] or [("nothing", "i8")])


def params_layout(strategy: RuleStrategy) -> np.dtype[Any]:
    """The record of the parameters that a rule can see."""
    parameters = strategy.parameters
    fields = [(name, _kind_of(domain, parameters[name])) for name, domain in strategy.space.items()]
    return np.dtype([(name, kind) for name, kind in fields if kind] or [("nothing", "i8")])


def _kind_of(domain: Domain, value: Any) -> str:
    """How a parameter stands in a record: a number as itself, a choice of words by its place; what is neither is left out."""
    if domain.choices is not None and not all(isinstance(choice, (int, float)) for choice in domain.choices):
        return "i8"
    if isinstance(value, (bool, int, np.integer)) and (domain.integer or not domain.is_number):
        return "i8"
    return "f8" if isinstance(value, (int, float, np.integer, np.floating)) else ""


def _params_of(strategy: RuleStrategy, layout: np.dtype[Any]) -> NDArray[Any]:
    out, parameters = np.zeros(1, dtype=layout), strategy.parameters
    for name in strategy.space:
        if name in (layout.names or ()):
            out[name][0] = param_number(strategy, name, parameters[name])
    return out


def param_number(strategy: RuleStrategy, name: str, value: Any) -> Any:
    """A value of a parameter as the rule sees it: a word as its place in the choices."""
    choices = strategy.space[name].choices
    number = choices.index(value) if choices is not None and not isinstance(value, (int, float)) else value
    if isinstance(number, float) and math.isnan(number):
        raise StrategyError(f"{strategy.name}.{name} is nan; expected a number")
    return number


def check_rule(owner: type) -> bool:
    """Whether the rule of a class sees the account; StrategyError where it takes other arguments than a rule does."""
    rule = getattr(owner, "rule", None)
    if rule is None:
        raise StrategyError(f"{owner.__name__} has no rule; write a staticmethod rule(now, before, params, state[, account])")
    taken = _arguments(rule)
    if taken[:1] == ["self"]:
        raise StrategyError(
            f"{owner.__name__}.rule takes self; write @staticmethod above it and leave self out: parameters are in params, memory in state"
        )
    if len(taken) not in (4, 5):
        raise StrategyError(
            f"{owner.__name__}.rule takes ({', '.join(taken)}); expected (now, before, params, state), or with account at the end, "
            "as a staticmethod"
        )
    return len(taken) == 5


@functools.lru_cache(maxsize=1_000)
def _arguments(rule: Any) -> list[str]:
    """The names of what a rule takes: a sweep asks for them in every set."""
    return list(inspect.signature(rule).parameters)
