"""The strategy protocol: parameters, warmup, rows for all bars, and a feed that gives them one bar at a time.

A strategy is a frozen object that holds parameters and nothing else. What it remembers between bars lives in its feed,
so batch, replay and live can start from the same object and never disturb each other.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .._typing import Block
from ..core.codes import InputKind
from ..core.identity import identity
from ..core.space import Space
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.market import Market
from ..errors import ConfigError, InputError, StrategyError
from .inputs import AlignedInputs, Inputs

__all__ = [
    "Feed", "FunctionStrategy", "RowsFunction", "SteppingFeed", "Strategy", "as_strategy", "declared_lookback", "evaluate", "written",
]  # fmt: skip

RowsFunction: TypeAlias = Callable[[Bars], Inputs]
"""A plain function from bars to inputs for all of them; enough to be a strategy."""

S = TypeVar("S", bound="Strategy")


@runtime_checkable
class Feed(Protocol):
    """A strategy at work on a stream of bars. It alone holds state."""

    def update(self, bar: NormalBar) -> Inputs:
        """Inputs of this bar, one row, from it and the bars before it."""
        ...

    def save(self) -> bytes:
        """All that is needed to go on, without pickle."""
        ...

    def restore(self, data: bytes) -> None:
        """Go on from what `save` returned; StateError for bytes of another strategy."""
        ...


@runtime_checkable
class SteppingFeed(Feed, Protocol):
    """A feed that can also go on in one compiled call. `update` alone is enough; this saves most of a stream's time, and says the same."""

    kind: InputKind
    """What it says, always."""

    def stepper(self, prices: Block, out: NDArray[Any]) -> Callable[[], object]:
        """A call without arguments that takes the bar now in `prices`, as `update` takes one, and writes all of `out`.

        Parameters
        ----------
        prices : float64 (5, 1, N), read-only: open, high, low, close, volume; the caller writes each bar into the memory behind it
        out : (1, N), uint8 flags where `kind` is signals, else float64 values, as in `AlignedInputs`
        """
        ...


class _SpaceOf:
    """`Strategy.space`, on the class (a sweep has no instance yet) and on its instances; of a finished dataclass it is read once."""

    _KEPT = "_space_of_fields"

    def __get__(self, instance: object, owner: type) -> Space:
        kept: Space | None = owner.__dict__.get(self._KEPT)
        if kept is None:
            kept = Space.of(owner)
            if "__dataclass_params__" in owner.__dict__:
                setattr(owner, self._KEPT, kept)
        return kept


class _Undeclared:
    """`Strategy.lookback` where nothing is declared: None on objects. The class has no such attribute: a parameter may be called so."""

    def __get__(self, instance: object, owner: type) -> None:
        if instance is None:
            raise AttributeError("lookback")


@dataclasses.dataclass(frozen=True)
class Strategy:
    """Base of strategies. A subclass is a frozen dataclass whose fields are its parameters.

    ```python
    @dataclass(frozen=True)
    class Breakout(Strategy):
        window: int = Parameter(20, low=2, high=500, integer=True)

        def rows(self, bars):
            high = bars.to_pandas()["high"]
            return Signals(entries=high >= high.rolling(self.window).max())
    ```

    `vb.strategy` above a function of bars and parameters makes the same class out of it.

    `rows` is all it needs; a row may use its own bar and the bars before, never a later one (D2, and the replay finds
    out; `check_strategy` finds where). Override `check` for constraints between parameters, `warmup` where the first bars
    cannot speak, and `feed` where stepping is cheaper than evaluating `rows` on all bars so far; or declare a `lookback`,
    where a row needs so many bars and no more. Composites hold strategies in their fields, and combine the rows and the
    feeds of these members without looking inside them.

    Raises ConfigError for a parameter outside its range.
    """

    space = _SpaceOf()

    def __post_init__(self) -> None:
        kind = type(self)
        if "__dataclass_params__" not in kind.__dict__ and inspect.get_annotations(kind):
            raise StrategyError(f"{kind.__name__} has parameters but is no dataclass; write @dataclass(frozen=True) above it")
        for name, domain in self.space.items():
            object.__setattr__(self, name, domain.validate(getattr(self, name), kind.__name__))
        self.space.compare({name: getattr(self, name) for name in self.space})
        self.check()

    def check(self) -> None:
        """Constraints between parameters: override it, and raise ConfigError. Called when the object is made."""

    @classmethod
    def make(cls: type[S], parameters: Mapping[str, Any]) -> S:
        """The strategy with these parameters, from a file or a search: ConfigError names the nearest for an unknown one."""
        values = cls.space.validate(parameters)
        missing = [n for n, d in cls.space.items() if n not in values and d.default is dataclasses.MISSING and not _has_factory(cls, n)]
        if missing:
            raise ConfigError(f"{cls.__name__} needs {', '.join(missing)}")
        return cls(**values)

    @property
    def name(self) -> str:
        """What reports call it."""
        return type(self).__name__

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters by name."""
        return {name: getattr(self, name) for name in self.space}

    @property
    def warmup(self) -> int:
        """Bars at the start whose rows cannot say anything yet."""
        return 0

    if TYPE_CHECKING:

        @property
        def lookback(self) -> int | None:
            """Bars, its own included, that a row needs and the default feed keeps; None (the default): all there are.

            A class attribute (`lookback = 50`) or a property of the parameters; a parameter that is called `lookback` declares nothing. It
            makes the default feed cheap, and is exact only where a row forgets: a recursive indicator does not. `check_strategy` measures
            the largest difference, and certifies a bounded strategy only where there is none.
            """
            ...
    else:
        lookback = _Undeclared()

    def rows(self, bars: Bars) -> Inputs:
        """Inputs for all bars, from each bar and those before it."""
        raise StrategyError(f"{type(self).__name__} must define rows(bars): inputs for all bars, such as Signals(...)")

    def feed(self, market: Market) -> Feed:
        """A new feed at its first bar. This one evaluates `rows` on the bars so far: right for any strategy; slow without a `lookback`."""
        from .replay_feed import ReplayFeed

        return ReplayFeed(self, market)


def _has_factory(strategy: type[Strategy], name: str) -> bool:
    return any(f.name == name and f.default_factory is not dataclasses.MISSING for f in dataclasses.fields(strategy))


@dataclasses.dataclass(frozen=True)
class FunctionStrategy(Strategy):
    """A plain function `rows(bars)` as a strategy. Arguments bound with functools.partial are its parameters.

    Parameters
    ----------
    function : from bars to inputs for all of them
    looks_back : its declared `lookback`, None = all bars
    """

    function: RowsFunction
    looks_back: int | None = None

    def check(self) -> None:
        """A lookback is a whole number of bars."""
        declared_lookback(self)

    @property
    def name(self) -> str:
        """The name of the function."""
        inner = self.function.func if isinstance(self.function, functools.partial) else self.function
        return getattr(inner, "__name__", type(inner).__name__)

    @property
    def parameters(self) -> dict[str, Any]:
        """Keywords bound with functools.partial."""
        return dict(self.function.keywords) if isinstance(self.function, functools.partial) else {}

    @property
    def lookback(self) -> int | None:
        """What was declared."""
        return self.looks_back

    def rows(self, bars: Bars) -> Inputs:
        """What the function returns."""
        return self.function(bars)


def as_strategy(source: Strategy | RowsFunction, *, lookback: int | None = None) -> Strategy:
    """A strategy from a strategy or a function `rows(bars)`.

    Parameters
    ----------
    source : a Strategy, which comes back as it is, or a function from bars to inputs for all of them
    lookback : declares of a function how many bars its rows need, see `Strategy.lookback`

    Raises
    ------
    StrategyError for anything else; ConfigError for a lookback that is no whole number of at least 1, or is given for a Strategy.
    """
    if isinstance(source, Strategy):
        if lookback is not None:
            raise ConfigError(f"lookback is given for {source.name}, which is a Strategy; declare it in the class: lookback = {lookback}")
        return source
    if isinstance(source, type):
        raise StrategyError(f"{source.__name__} is a class; give an object of it, such as {source.__name__}()")
    if callable(source):
        return FunctionStrategy(source, lookback)
    raise StrategyError(f"{source!r} is no strategy; expected a Strategy, a function rows(bars), or inputs such as Signals(...)")


def declared_lookback(strategy: Strategy) -> int | None:
    """The lookback that a strategy declares, None = all bars; ConfigError where it is no whole number of at least 1.

    A parameter of that name is the strategy's own affair and declares nothing.
    """
    found = None if "lookback" in strategy.space else strategy.lookback
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | np.integer) or found < 1:
        raise ConfigError(f"lookback of {strategy.name} is {found!r}; expected a whole number of bars of at least 1, or None for all")
    return int(found)


def written(strategy: Strategy) -> str:
    """Name and parameters as a text that only an equal strategy has, in any process: what a saved state goes by."""
    return f"{strategy.name}({', '.join(f'{name}={identity(value)}' for name, value in sorted(strategy.parameters.items()))})"


def evaluate(strategy: Strategy, bars: Bars) -> AlignedInputs:
    """`strategy.rows(bars)`, aligned to the bars. StrategyError, which names the strategy, for results that cannot be used."""
    inputs = strategy.rows(bars.for_strategies)
    if not isinstance(inputs, Inputs):
        found = type(inputs).__name__
        raise StrategyError(f"rows() of {strategy.name} returned {found}; expected Signals, Strengths, Weights or Quantities")
    try:
        return inputs.align(bars)
    except InputError as error:
        raise StrategyError(f"rows() of {strategy.name} returned inputs that do not fit its bars: {error}") from error
