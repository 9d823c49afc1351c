"""What is checked: a strategy, or any function of data. It answers rows, or says in words why it cannot."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...core.identity import identity
from ...data.bars import Bars
from ...data.labels import label_text
from ...errors import InputError, StrategyError, VecbtError
from ..check import said_inputs
from ..inputs import Inputs, Signals
from ..rule_strategy import RuleStrategy
from ..setup import Setup
from ..strategy import FunctionStrategy, Strategy, evaluate
from .rows import Rows, as_rows, rows_of_inputs

__all__ = ["Failed", "FunctionSubject", "StrategySubject", "Subject", "attempt", "in_words"]


@dataclass(frozen=True)
class Failed:
    """It raised on so many bars: `why` in one line."""

    bars: int
    why: str


class Subject(Protocol):
    """What is checked."""

    name: str
    warmup: int

    def rows(self, data: Any) -> Rows:
        """Its rows for data; any error of its own comes through."""
        ...

    def state(self) -> str:
        """A text that changes when its parameters, or what a function keeps, do."""
        ...


def attempt(subject: Subject, data: Any) -> Rows | Failed:
    """The rows, or why there are none."""
    try:
        return subject.rows(data)
    except Exception as error:  # a strategy may fail in any way
        return Failed(len(data), in_words(error))


def in_words(error: BaseException) -> str:
    """An error in one line: its type, its text, and the line of the strategy's own file where it was raised."""
    text = " ".join(str(error).split())
    if isinstance(error, VecbtError):
        return text
    own = [f for f in traceback.extract_tb(error.__traceback__) if _is_own(f.filename)]
    where = f" (line {own[-1].lineno}, in {own[-1].name})" if own else ""
    if "read-only" in text:
        text += "; the bars are not to be written to: copy what is to be changed"
    return f"{type(error).__name__}: {text}{where}" if text else f"{type(error).__name__}{where}"


def _is_own(filename: str) -> bool:
    """Whether a file belongs to neither this package nor to one that is installed."""
    return not any(part in filename for part in ("site-packages", "/vecbt/", "\\vecbt\\", "<frozen", "<string>", "lib/python"))


class StrategySubject:
    """A strategy: what it says for the bars as strategies read them (T9); one that sees the account, in a run with this setup."""

    def __init__(self, strategy: Strategy, setup: Setup) -> None:
        self.strategy, self._setup = strategy, setup
        self._asked_inside = isinstance(strategy, RuleStrategy) and strategy.sees_account
        self.name, self.warmup = strategy.name, int(strategy.warmup)

    def rows(self, bars: Bars) -> Rows:
        """Its rows; the numbers in them are not judged."""
        if self._asked_inside:
            return rows_of_inputs(said_inputs(bars, self.strategy, self._setup), bars)
        inputs = self.strategy.rows(bars.for_strategies)
        if not isinstance(inputs, Inputs):
            raise StrategyError(f"rows() returned {type(inputs).__name__}; expected Signals, Strengths, Weights, Quantities or Orders")
        try:
            return rows_of_inputs(inputs, bars)
        except InputError as error:
            raise StrategyError(f"{error}{_where_short(inputs, bars)}") from error

    def judged(self, bars: Bars) -> str:
        """What is wrong with the numbers in its rows, as a run would say, with bar and asset; empty when they can be used."""
        if self._asked_inside:
            return ""  # the run that gave the rows has judged them
        try:
            evaluate(self.strategy, bars)
        except StrategyError as error:
            return str(error)
        return ""

    def state(self) -> str:
        """Its parameters and fields, and what a function keeps."""
        if isinstance(self.strategy, FunctionStrategy):
            return _kept_by(self.strategy.function)
        return identity([self.strategy, self.strategy.parameters])


def _where_short(inputs: Inputs, bars: Bars) -> str:
    """The first bar or asset without a row, where an array has another shape than the bars."""
    names = ("entries", "exits", "short_entries", "short_exits") if isinstance(inputs, Signals) else ("values",)
    for part in (getattr(inputs, name, None) for name in names):
        if not isinstance(part, np.ndarray | list | tuple) or np.ndim(part) == 0:
            continue
        shape = np.shape(part)
        if shape[0] < bars.T:
            return f"; the bar at {label_text(int(bars.index[shape[0]]))} is the first without a row"
        if shape[0] > bars.T:
            return f"; {shape[0] - bars.T} rows stand after the last bar, {label_text(int(bars.index[-1]))}"
        if len(shape) == 2 and shape[1] < bars.N:
            return f"; {bars.symbols[shape[1]]} is the first asset without a column"
    return ""


class FunctionSubject:
    """Any function from data to rows."""

    def __init__(self, function: Callable[[Any], Any], warmup: int) -> None:
        inner = function.func if isinstance(function, functools.partial) else function
        self._function, self.warmup = function, warmup
        self.name = getattr(inner, "__name__", type(inner).__name__)

    def rows(self, data: Any) -> Rows:
        """What it returns, as rows; of bars it gets what strategies read (T9)."""
        data = data.for_strategies if isinstance(data, Bars) else data
        return as_rows(self._function(data), data)

    def state(self) -> str:
        """Bound arguments, defaults and closure of the function; the object behind a method."""
        return _kept_by(self._function)


def _kept_by(function: Any) -> str:
    """Whatever a callable keeps between calls, as far as it can be read."""
    inner = function
    kept: list[Any] = []
    while isinstance(inner, functools.partial):
        kept += [inner.args, inner.keywords]
        inner = inner.func
    kept += [inner, getattr(inner, "__defaults__", None), getattr(inner, "__kwdefaults__", None)]
    for cell in getattr(inner, "__closure__", None) or ():
        try:
            kept.append(cell.cell_contents)
        except ValueError:  # a name that is bound later
            continue
    return identity(kept)
