"""The keywords that every driver takes: the fields of `Setup`, once more for editors and type checkers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal, Required, TypedDict, TypeVar

from ..execution.carry import Carry
from ..execution.costs import Costs
from ..risk.sizing import Sizing
from ..risk.stops import Stops
from ..risk.zones import Risk
from .setup import Setup

__all__ = ["Keywords", "explicit"]

F = TypeVar("F", bound=Callable[..., Any])


class Keywords(TypedDict, total=False):
    """The fields of `Setup`, which explains them; only `costs` must be given. A test holds the two together."""

    costs: Required[Costs]
    sizing: Sizing | None
    stops: Stops | None
    risk: Risk | None
    initial_capital: float
    fill: Literal["next_open", "close"]
    direction: Literal["both", "long", "short"]
    accumulate: bool
    weights_of: Literal["net", "gross"]
    band: float
    intrabar: Literal["pessimistic", "optimistic"]
    trade_through: bool
    accounts: Literal["shared", "separate"]
    positions: Mapping[str, tuple[float, float]] | None
    liquidate_at_end: bool
    leverage: float
    maintenance: float
    max_participation: float | None
    participation_rest: Literal["queue", "drop"]
    carry: Carry | None
    flows: Mapping[Any, float] | None


def explicit(function: F) -> F:
    """Show the fields of `Setup` in `help()` and tooltips where the function has `**keywords`."""
    own = inspect.signature(function)
    kept = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
    added = [p.replace(kind=p.KEYWORD_ONLY) for p in inspect.signature(Setup).parameters.values()]
    function.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
    return function
