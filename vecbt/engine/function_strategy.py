"""A plain function of bars and parameters as a class of strategies: the short form of `Strategy`."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any

from ..data.bars import Bars
from ..errors import StrategyError
from .inputs import Inputs
from .strategy import Strategy

__all__ = ["strategy"]

_KINDS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def strategy(function: Callable[..., Inputs]) -> type[Any]:
    """A class of strategies out of a function of bars: its other arguments are the parameters.

    ```python
    @vb.strategy
    def breakout(bars, window: int = vb.Parameter(20, low=2, high=500, integer=True)):
        \"\"\"Buy a close at the highest close of the window, sell one at its lowest.\"\"\"
        close = bars.to_pandas()["close"]
        rolling = close.rolling(window)
        return vb.Signals(entries=close >= rolling.max(), exits=close <= rolling.min())

    vb.backtest(bars, breakout(window=50), costs=...)
    ```

    It is the same as a frozen dataclass with these fields and `rows`, and can be used in the same places: sweeps, run files, the registry.
    A default is a `Parameter`, with what the parameter may be, or a plain value; a parameter without one must be given.

    Parameters
    ----------
    function : `function(bars, parameters...)` to Signals, Strengths, Weights or Quantities for all bars, from each bar and those before

    Returns
    -------
    A subclass of Strategy that is called like the function. `bars` is left out when an object of it is made.

    Raises
    ------
    StrategyError for a function without an argument for the bars, with *arguments, or with a default that can be changed, such as a list.
    """
    if isinstance(function, type) or not callable(function):
        raise StrategyError(f"{function!r} is no function; vb.strategy stands above def name(bars, parameters...)")
    name = getattr(function, "__name__", type(function).__name__)
    arguments = list(inspect.signature(function).parameters.values())
    if not arguments or arguments[0].kind == inspect.Parameter.KEYWORD_ONLY:
        raise StrategyError(f"{name} takes no bars; write def {name}(bars, ...)")
    fields = [_field(argument, name) for argument in arguments[1:]]

    def rows(self: Strategy, bars: Bars) -> Inputs:
        """What the function says of all bars."""
        return function(bars, **self.parameters)

    if arguments[0].kind not in _KINDS:
        raise StrategyError(f"{name} takes *{arguments[0].name}; write def {name}(bars, ...)")
    names = {"rows": rows, "__doc__": inspect.getdoc(function) or f"`{name}` of the bars.", "__module__": function.__module__}
    names["__qualname__"] = getattr(function, "__qualname__", name)
    try:
        made = dataclasses.make_dataclass(name, fields, bases=(Strategy,), namespace=names, frozen=True)
    except (TypeError, ValueError) as error:
        raise StrategyError(f"{name}: {error}") from error
    made.__module__ = function.__module__
    functools.update_wrapper(rows, function, assigned=("__module__",), updated=())
    return made


def _field(argument: inspect.Parameter, owner: str) -> tuple[str, Any, Any]:
    """An argument as the field of a dataclass."""
    if argument.kind not in _KINDS:
        raise StrategyError(f"{owner} takes *{argument.name}; each parameter of a strategy has a name of its own")
    if argument.name in dir(Strategy):
        raise StrategyError(f"{owner} has a parameter {argument.name!r}, a name that strategies use themselves; rename it")
    kind = Any if argument.annotation is argument.empty else argument.annotation
    if argument.default is argument.empty:
        return argument.name, kind, dataclasses.field(kw_only=argument.kind == inspect.Parameter.KEYWORD_ONLY)
    if isinstance(argument.default, dataclasses.Field):
        return argument.name, kind, argument.default
    return argument.name, kind, dataclasses.field(default=argument.default)
