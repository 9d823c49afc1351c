"""Event strategies at work: an object of the user's class for each asset, called by the engine, its attributes saved and restored."""

from __future__ import annotations

import functools
import itertools
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.codes import InputKind
from ..core.native import called_back
from ..data.labels import label_text
from ..errors import ConfigError, StateError, StrategyError
from ..indicators.plan import Indicator, is_column
from .event_lines import Data, History, Line, Lines, Position
from .inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from .rule import ACCOUNT_VIEW, PRICE_FIELDS
from .ruling import layouts_of

if TYPE_CHECKING:
    from .event_strategy import EventStrategy

__all__ = ["EventPlayer", "Seat", "declared_by"]

_PRICES = len(PRICE_FIELDS)
_VIEW = len(ACCOUNT_VIEW.names or ())
_PLAIN = (bool, int, float, str, type(None))


class Seat:
    """Where one object of the user's class sits: its asset's bars, the view of the account, and what it says of this bar.

    Attributes
    ----------
    account : float64, as `ACCOUNT_VIEW`; times : int64 (1,), the label of the bar
    declared : the lines that `init` made, with what they are of
    said : flags or a value; None where nothing was said
    ready : whether every indicator had a value once
    """

    def __init__(self, kind: InputKind, symbol: str) -> None:
        self.kind, self.symbol = kind, symbol
        self.account: NDArray[np.float64] = np.empty(0)
        self.times: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.declared: list[tuple[Line | Lines, Any]] = []
        self.declaring, self.ready = True, False
        self.said: float | None = None
        self.data, self.position = Data(self), Position(self)

    def declare(self, name: str, parameters: tuple[Any, ...], of: Any, more: dict[str, Any]) -> Line | Lines:
        """A line for one more indicator."""
        if not self.declaring:
            raise StrategyError(f"I({name!r}, ...) in next(); declare indicators in init(), where they are named")
        if not isinstance(name, str):
            raise StrategyError(
                f"I({name!r}, ...): a function over whole arrays has no streaming form; name an indicator of vb.indicators.catalog(), "
                "such as self.I('sma', 20), or work it out in next() from slices such as self.data.close[-20:]"
            )
        kernel = Indicator(name, *parameters, of=_placeholder(of), **more).kernel
        made = Lines("", kernel.outputs) if kernel.outputs else Line("")
        self.declared.append((made, (name, parameters, of, more)))
        return made

    def say_side(self, side: int, size: float | None) -> None:
        """A purchase (+1) or a sale (-1)."""
        word = "buy" if side > 0 else "sell"
        if self.kind == InputKind.SIGNALS:
            if size is not None:
                raise StrategyError(f"{word}(size={size!r}): sizing= of the run decides; to say sizes here, set gives = vb.Quantities")
            self.said = ENTER_LONG if side > 0 else ENTER_SHORT
            return
        if self.kind == InputKind.WEIGHTS:
            raise StrategyError(f"{word}() names a side, and this strategy gives Weights; write self.order_target_percent(0.5)")
        if size is None and self.kind == InputKind.QUANTITIES:
            raise StrategyError(f"{word}() needs size=, in units, because this strategy gives Quantities")
        wanted = self._number(f"{word}(size=...)", 1.0 if size is None else size)
        if wanted <= 0.0:
            raise StrategyError(f"{word}(size={size!r}); expected a size above 0: the side is in the word")
        if self.kind == InputKind.STRENGTHS:
            self.said = side * wanted
            return
        self.said = (self.position.size if self.said is None else self.said) + side * wanted

    def say_flat(self) -> None:
        """Leave what is held."""
        self._in_next("close()")
        self.said = EXIT_LONG | EXIT_SHORT if self.kind == InputKind.SIGNALS else 0.0

    def say_target(self, kind: InputKind, word: str, value: float) -> None:
        """A weight or a quantity to hold."""
        if self.kind != kind:
            found = self.kind.name.lower()
            raise StrategyError(f"{word}() needs `gives = vb.{kind.name.capitalize()}` in the class; this one gives {found}")
        self.said = self._number(f"{word}(...)", value)

    def _number(self, word: str, value: Any) -> float:
        self._in_next(word)
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)) or not math.isfinite(value):
            raise StrategyError(f"{word} was given {value!r}; expected a finite number")
        return float(value)

    def _in_next(self, word: str) -> None:
        if self.declaring:
            raise StrategyError(f"{word} in init(): there is no bar yet; orders are given in next()")


def _placeholder(of: Any) -> Any:
    """`of` with a price where a line stands, which has no name yet."""
    if of is None or isinstance(of, str):
        return of
    if isinstance(of, tuple | list):
        return tuple(_placeholder(part) for part in of)
    if isinstance(of, Line):
        return "close"
    if isinstance(of, Lines):
        raise ConfigError(f"of= is an indicator with several outputs; give one of them: {', '.join('.' + output for output in of.lines)}")
    raise ConfigError(f"of={of!r}; expected a price such as 'high', another indicator of this strategy, or a tuple of those")


@functools.cache
def _live_class(owner: Any) -> Any:
    """The user's class, for objects that may keep attributes of their own."""
    from .event_strategy import EventStrategy

    taken = frozenset(name for name in dir(EventStrategy) if not name.startswith("__"))

    def keep(self: Any, name: str, value: Any) -> None:
        if name in taken:
            raise StrategyError(f"self.{name} = ... in {owner.__name__}: that name has a meaning already; choose another")
        if name in owner.space:
            raise StrategyError(f"self.{name} = ... in {owner.__name__}: parameters do not change; keep it under another name")
        if isinstance(value, (Line, Lines)) and not value.name:
            value.name = name
        if not self._seat.declaring and _is_lines(value):
            raise StrategyError(f"self.{name} = ... in next() of {owner.__name__}: keep lines in init(); a restored object would lack it")
        object.__setattr__(self, name, _as_plain(value))

    body = {"_live": True, "__setattr__": keep, "__delattr__": object.__delattr__}
    body |= {"__module__": owner.__module__, "__qualname__": owner.__qualname__}
    return type(owner.__name__, (owner,), body)


def _as_plain(value: Any) -> Any:
    """NumPy's scalars as Python's, which are saved as they are."""
    return value.item() if isinstance(value, (np.floating, np.integer, np.bool_)) else value


def _seated(strategy: EventStrategy, symbol: str) -> Any:
    """A new object of the user's class after its `init`."""
    owner: Any = type(strategy)
    live = object.__new__(_live_class(owner))
    live.__dict__.update(strategy.parameters, _seat=Seat(strategy.kind, symbol))
    live.init()
    live._seat.declaring = False
    return live


def declared_by(strategy: EventStrategy) -> dict[str, Indicator]:
    """What `init` of the strategy declares, by the names of the attributes; what has none, by that of its indicator."""
    return _resolved(_seated(strategy, "")._seat)


def _resolved(seat: Seat) -> dict[str, Indicator]:
    taken = {made.name for made, _ in seat.declared}
    for made, (name, *_) in seat.declared:
        columns = [f"{made.name}_{output}" for output in made.lines] if isinstance(made, Lines) else [made.name]
        if not all(map(is_column, columns)):
            made.name = next(free for number in itertools.count(1) if (free := f"{name}_{number}") not in taken)
            taken.add(made.name)
        for output, line in made.lines.items() if isinstance(made, Lines) else ():
            line.name = f"{made.name}_{output}"
    return {made.name: Indicator(name, *parameters, of=_named(of), **more) for made, (name, parameters, of, more) in seat.declared}


def _named(of: Any) -> Any:
    if isinstance(of, Line):
        return of.name
    return tuple(_named(part) for part in of) if isinstance(of, tuple | list) else of


class EventPlayer:
    """All seats of an event strategy, and the call from the engine's loop that takes one of them on by a bar.

    Parameters
    ----------
    memory : as `Ruling.memory`: what the engine writes for each asset before it calls
    """

    def __init__(self, strategy: EventStrategy, memory: NDArray[np.float64], symbols: tuple[str, ...]) -> None:
        self._strategy, self._memory, self._symbols = strategy, memory, symbols
        self._base, self._step = int(memory.ctypes.data), int(memory.strides[0])
        self._fields = _PRICES + len(strategy.plan.columns)
        self._silence = 0.0 if strategy.kind == InputKind.SIGNALS else math.nan
        self.failure: BaseException | None = None
        self._objects = [self._sit(n) for n in range(len(symbols))]
        self.native = called_back(self._answer, layouts_of(strategy))

    def _sit(self, n: int) -> tuple[Any, History, NDArray[np.float64]]:
        strategy, plan, fields = self._strategy, self._strategy.plan, self._fields
        live, history, row = _seated(strategy, self._symbols[n]), History(fields, strategy.history), self._memory[n]
        seat = live._seat
        if _resolved(seat) != plan.declared:
            raise StrategyError(f"init() of {strategy.name} declares other indicators for {seat.symbol}; it must declare the same always")
        for place, line in enumerate(seat.data.lines.values()):
            line.bind(history, place)
        for made, _ in seat.declared:
            for line in made.lines.values() if isinstance(made, Lines) else (made,):
                line.bind(history, _PRICES + plan.columns.index(line.name))
        seat.account = row[2 * fields : 2 * fields + _VIEW]
        seat.times = seat.account[_VIEW - 1 :].view(np.int64)
        return live, history, row[:fields]

    def _answer(self, now: int, *_: int) -> float:
        if self.failure is not None:
            return self._silence
        n = (now - self._base) // self._step
        live, history, row = self._objects[n]
        seat = live._seat
        try:
            history.add(row)
            if not seat.ready:
                seat.ready = not np.isnan(row[_PRICES:]).any()
                if not seat.ready:
                    return self._silence
            seat.said = None
            live.next()
            return self._silence if seat.said is None else float(seat.said)
        except BaseException as error:  # an exception cannot pass through compiled code: whoever runs the loop raises it
            error.add_note(f"in next() of {self._strategy.name}, {seat.symbol}, bar {label_text(int(seat.times[0]))}")
            self.failure = error
            return self._silence

    # --- save and restore --------------------------------------------------------------------------------------------

    def remembered(self) -> list[NDArray[Any]]:
        """Of each asset: how many bars it has seen and whether it has begun, its attributes as JSON, its history."""
        arrays: list[NDArray[Any]] = []
        for live, history, _ in self._objects:
            text = json.dumps(_attributes(live)).encode()
            arrays += [np.array([history.count, live._seat.ready]), np.frombuffer(text, dtype=np.uint8), history.parts]
        return arrays

    def recall(self, arrays: list[NDArray[Any]]) -> None:
        """Go on from what `remembered` gave."""
        for (live, history, _), counts, text, values in zip(self._objects, arrays[::3], arrays[1::3], arrays[2::3], strict=True):
            for name in _attributes(live):
                del live.__dict__[name]
            live.__dict__.update(json.loads(text.tobytes()))
            live._seat.ready = bool(counts[1])
            history.restore(values, int(counts[0]))


def _attributes(live: Any) -> dict[str, Any]:
    """What the object keeps itself: no parameters, no lines. StateError for what cannot be saved."""
    own, seen = {}, set[int]()
    for name, value in live.__dict__.items():
        if name not in live.space and name != "_seat" and not _is_lines(value):
            _check_plain(f"{type(live).__name__}.{name}", value, seen)
            own[name] = value
    return own


def _is_lines(value: Any) -> bool:
    """A line, or a collection of nothing else."""
    if isinstance(value, (list, tuple, dict)):
        inner = list(value.values() if isinstance(value, dict) else value)
        return bool(inner) and all(_is_lines(part) for part in inner)
    return isinstance(value, (Line, Lines))


def _check_plain(name: str, value: Any, seen: set[int]) -> None:
    if type(value) in _PLAIN:
        return
    if type(value) not in (list, dict):
        raise StateError(
            f"{name} is {type(value).__name__}, which cannot be saved; keep numbers, bools, strings, None, and lists and dicts of them"
        )
    if id(value) in seen:
        raise StateError(f"{name} is a {type(value).__name__} that stands in two places; after a restore it would be two: keep it in one")
    seen.add(id(value))
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(value, dict) and type(key) is not str:
            raise StateError(f"{name} has the key {key!r}, which cannot be saved; keys are strings")
        _check_plain(f"{name}[{key!r}]", part, seen)
