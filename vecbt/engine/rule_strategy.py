"""Strategies in the compiled form: declared indicators and a small rule, from which arrays, batch, stream and sweep all come."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._typing import Block
from ..core.codes import InputKind
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.calendar import SessionClock
from ..data.market import Market
from ..errors import StrategyError
from ..indicators.plan import Indicator, IndicatorPlan
from ..indicators.save import pack, unpack
from ..indicators.shape import readonly
from .inputs import AlignedInputs, Quantities, Signals, Strengths, Weights
from .ruling import Player, RuleBatch, Ruling, blank_rows, check_rule
from .strategy import Strategy, written

__all__ = ["RuleFeed", "RuleStrategy"]


@dataclass(frozen=True)
class RuleStrategy(Strategy):
    """Base of compiled strategies: `indicators` declares what is computed, `rule` says what to do with it, one bar and asset at a time.

    ```python
    @dataclass(frozen=True)
    class Cross(RuleStrategy):
        fast: int = Parameter(20, low=1, integer=True, below="slow")
        slow: int = Parameter(100, low=2, integer=True)

        def indicators(self):
            return {"quick": Indicator("sma", self.fast), "calm": Indicator("sma", self.slow)}

        @staticmethod
        def rule(now, before, params, state):
            if before.quick <= before.calm and now.quick > now.calm:
                return ENTER_LONG
            if before.quick >= before.calm and now.quick < now.calm:
                return EXIT_LONG
            return 0
    ```

    The rule is compiled once and kept on disk; `VECBT_ENGINE=python` runs it as plain Python, for breakpoints. So it is written in
    numbers: arithmetic, comparisons, `if`, loops, `math`, names of numbers (ENTER_LONG and the like are imported from vecbt), and
    functions under `@numba.njit`; no `self`, no tables, no attributes of its own. It is not called on bars without a market. What does
    not fit that form is an array strategy (`Strategy.rows`), or, the slow way, an `EventStrategy`.

    Arguments of the rule
    ---------------------
    now, before : this bar, and the last one before it that had a market: `open high low close volume` as strategies read them (T9), and a
        field for each declared indicator (`name`, or `name_output` where it has several). NaN before there is a value
    params : the strategy's own parameters; a choice of words by its place in the choices
    state : the fields declared in `state`, 0 at first, kept from bar to bar, of each asset its own
    account : only where the rule has a fifth argument: what it sees of the account (`engine.rule.ACCOUNT_VIEW`: position, entry_price,
        bars_held, unrealized, stop, target, best_price, order, order_bars, equity, cash, drawdown, zone) and `time`, the label of the
        bar in ns UTC. Such a rule is called inside the simulation, at T7; its rows cannot be known without one

    It returns what `gives` says: for Signals a sum of ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT, or 0; for Strengths, Weights and
    Quantities a number, or nan to change nothing. `state` maps names to "f8" (numbers) or "i8" (whole numbers).
    """

    gives: ClassVar[Any] = Signals
    state: ClassVar[Mapping[str, str]] = {}
    rule: ClassVar[Callable[..., Any]]
    compiled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gives not in (Signals, Strengths, Weights, Quantities):
            raise StrategyError(f"{self.name}.gives is {self.gives!r}; expected Signals, Strengths, Weights or Quantities")
        self.check_form()

    def check_form(self) -> None:
        """StrategyError where the class is no strategy of its form; called when the object is made."""
        check_rule(type(self))

    def player(self, memory: NDArray[np.float64], symbols: tuple[str, ...]) -> Player | None:
        """What answers where the rule is not compiled; None: the rule itself does."""
        return None

    def indicators(self) -> Mapping[str, Indicator]:
        """What the rule reads beside prices: name to Indicator. Override it; this one declares none."""
        return {}

    @functools.cached_property
    def plan(self) -> IndicatorPlan:
        """The declared indicators in the order in which they are computed."""
        return IndicatorPlan(self.indicators())

    @property
    def kind(self) -> InputKind:
        """What the rule gives."""
        kind: InputKind = self.gives.kind
        return kind

    @property
    def sees_account(self) -> bool:
        """Whether the rule is called inside the simulation."""
        return check_rule(type(self))

    @property
    def warmup(self) -> int:
        """Bars before every indicator can have a value."""
        return self.plan.warmup

    def table(self, bars: Bars) -> Any:
        """All declared indicators as a pandas DataFrame: a row a bar, a column an indicator, (indicator, symbol) for several assets."""
        import pandas as pd

        columns = self.plan.on(bars.for_strategies)
        if bars.N == 1:
            return pd.DataFrame({name: values[:, 0] for name, values in columns.items()}, index=bars.datetime_index)
        wide = {(name, symbol): values[:, n] for name, values in columns.items() for n, symbol in enumerate(bars.symbols)}
        out = pd.DataFrame(wide, index=bars.datetime_index)
        out.columns.names = ["indicator", "symbol"]
        return out

    def rows(self, bars: Bars) -> AlignedInputs:
        """What the rule says of all bars; StrategyError for one that sees the account."""
        if self.sees_account:
            raise StrategyError(
                f"the rule of {self.name} sees the account, so its rows are known in a simulation only: "
                "run vb.backtest, whose result has them as inputs"
            )
        return self.said(RuleBatch(self, bars).run())

    def said(self, rows: NDArray[Any]) -> AlignedInputs:
        """Rows (T, N) as inputs."""
        signals = self.kind == InputKind.SIGNALS
        return AlignedInputs(self.kind, rows if signals else None, None if signals else rows)

    def feed(self, market: Market) -> RuleFeed:
        """Steps each indicator, then the rule."""
        return RuleFeed(self, market)


class RuleFeed:
    """The stepping feed of every compiled strategy.

    Where the rule sees the account, stepping takes the indicators on, and the step of the simulation itself asks the rule, at the
    `address` it is given.

    Attributes
    ----------
    session : float64 (1, N), where an indicator reads sessions, else None: whoever calls the stepper writes the day there first
    """

    def __init__(self, strategy: RuleStrategy, market: Market) -> None:
        self._strategy, self._market, self.kind = strategy, market, strategy.kind
        self.ruling = Ruling(strategy, market.symbols)
        self.asked_inside = strategy.sees_account
        needs = strategy.plan.needs_sessions
        self.session: NDArray[np.float64] | None = np.zeros((1, market.N)) if needs else None
        self._clock = SessionClock(market) if needs else None
        self._step: Callable[[], object] | None = None
        self._prices = np.empty((5, 1, market.N))
        self._out = blank_rows(self.kind, (1, market.N))

    def stepper(self, prices: Block, out: NDArray[Any]) -> Callable[[], object]:
        """A call that takes the bar now in `prices`, see `SteppingFeed`."""
        columns = np.empty((len(self._strategy.plan.columns), 1, self._market.N))
        self.ruling.point_at(prices, out, columns)
        calls = self.ruling.indicators.steppers(prices, self.session, columns)
        if self.asked_inside:
            return _all(calls)
        return _all([*calls, self.ruling.taker(self._where)])

    def check(self) -> None:
        """StrategyError for an answer that may not be."""
        self.ruling.check(self._where)

    def _where(self, _: int, n: int) -> str:
        return f"for {self._market.symbols[n]}"

    def update(self, bar: NormalBar) -> AlignedInputs:
        """What the rule says of one more bar, (1, N); StrategyError for one that sees the account."""
        if self.asked_inside:
            raise StrategyError(f"the rule of {self._strategy.name} sees the account; give the strategy to a Stream, which has one")
        if self._step is None:
            self._step = self.stepper(readonly(self._prices), self._out)
        if self.session is not None and self._clock is not None:
            self.session[:] = self._clock.day(bar.time)
        self._prices[:, 0] = bar.prices
        self._step()
        return self._strategy.said(self._out.copy())

    def _header(self) -> dict[str, Any]:
        return {**self.ruling.header, "strategy": written(self._strategy)}

    def save(self) -> bytes:
        """The state as bytes."""
        return pack(self._header(), *self.ruling.parts, *self.ruling.remembered())

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another strategy or other parameters."""
        parts, saved = self.ruling.parts, unpack(data, self._header())
        self.ruling.recall(saved[len(parts) :])
        for part, array in zip(parts, saved, strict=False):
            part[...] = array.view(part.dtype)


def _all(calls: list[Callable[[], object]]) -> Callable[[], object]:
    """One call that makes all of them."""

    def step() -> None:
        for call in calls:
            call()

    return step
