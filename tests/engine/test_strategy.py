"""The strategy protocol: frozen parameters, rows, and a feed for any of them that goes on bit for bit (D2, D3)."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from vecbt.core.space import Parameter
from vecbt.data import synthetic
from vecbt.data.bars import Bars
from vecbt.engine.inputs import Signals, Strengths, Weights, normalize_row
from vecbt.engine.strategy import Feed, Strategy, as_strategy, evaluate
from vecbt.errors import ConfigError, StateError, StrategyError

BARS = synthetic.gbm(T=60, N=2, seed=3)


@dataclass(frozen=True)
class Breakout(Strategy):
    """The highest close of some bars."""

    window: int = Parameter(5, low=2, high=50, integer=True)
    scale: float = Parameter(1.0, low=0, high=1)

    def check(self) -> None:
        if self.window == 13:
            raise ConfigError("13 brings bad luck")

    def rows(self, bars: Bars) -> Strengths:
        close = pd.DataFrame(bars.close)
        return Strengths((close >= close.rolling(self.window).max()).to_numpy() * self.scale)


def strength_of_close(bars: Bars, divisor: float = 1e4) -> Strengths:
    """A plain function."""
    return Strengths(bars.close / divisor)


def test_parameters_are_checked_and_frozen() -> None:
    strategy = Breakout(window=np.int64(7))
    assert strategy == Breakout(7) and hash(strategy) == hash(Breakout(7))
    assert strategy.parameters == {"window": 7, "scale": 1.0} and strategy.name == "Breakout" and strategy.warmup == 0
    assert list(Breakout.space) == list(strategy.space) == ["window", "scale"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        strategy.window = 8  # type: ignore[misc]
    with pytest.raises(ConfigError, match=r"Breakout.window is 1; expected a whole number from 2 to 50"):
        Breakout(1)
    with pytest.raises(ConfigError, match="bad luck"):
        Breakout(13)
    with pytest.raises(ConfigError, match="bad luck"):
        dataclasses.replace(strategy, window=13)


def test_strategies_are_made_by_name() -> None:
    assert Breakout.make({"window": 9.0}) == Breakout(9)
    with pytest.raises(ConfigError, match="has no parameter 'windw'; did you mean 'window'"):
        Breakout.make({"windw": 9})

    @dataclass(frozen=True)
    class Needs(Strategy):
        model: Any

    with pytest.raises(ConfigError, match="Needs needs model"):
        Needs.make({})
    with pytest.raises(StrategyError, match="Needs must define rows"):
        Needs(1).rows(BARS)


def test_a_forgotten_decorator_is_named() -> None:
    class Forgot(Strategy):
        window: int = 3

    with pytest.raises(StrategyError, match=r"Forgot has parameters but is no dataclass; write @dataclass\(frozen=True\)"):
        Forgot()


def test_functions_are_strategies() -> None:
    plain = as_strategy(strength_of_close)
    assert plain.name == "strength_of_close" and plain.parameters == {}
    bound = as_strategy(functools.partial(strength_of_close, divisor=1e3))
    assert bound.name == "strength_of_close" and bound.parameters == {"divisor": 1e3}
    np.testing.assert_array_equal(evaluate(bound, BARS).values, BARS.close / 1e3)
    assert as_strategy(plain) is plain
    with pytest.raises(StrategyError, match=r"Breakout is a class; give an object of it, such as Breakout\(\)"):
        as_strategy(Breakout)  # type: ignore[arg-type]
    with pytest.raises(StrategyError, match="5 is no strategy"):
        as_strategy(5)  # type: ignore[arg-type]


def test_rows_that_cannot_be_used_name_the_strategy() -> None:
    with pytest.raises(StrategyError, match=r"rows\(\) of wrong returned ndarray; expected Signals"):

        def wrong(bars: Bars) -> Any:
            return bars.close

        evaluate(as_strategy(wrong), BARS)
    with pytest.raises(StrategyError, match=r"rows\(\) of short returned inputs that do not fit its bars: Weights has shape \(3, 2\)"):

        def short(bars: Bars) -> Weights:
            return Weights(bars.close[:3])

        evaluate(as_strategy(short), BARS)


def fed(strategy: Strategy, bars: Bars, restore_at: tuple[int, ...] = ()) -> np.ndarray:
    """All rows, one bar at a time."""
    feed, rows = strategy.feed(bars.market), []
    for t in range(bars.T):
        if t in restore_at:
            saved = feed.save()
            feed = strategy.feed(bars.market)
            feed.restore(saved)
            assert feed.save() == saved
        flags, values = normalize_row(feed.update(bars.row(t).normalized(bars.market)), bars.market)
        rows.append(flags if values is None else values)
    return np.array(rows)


@pytest.mark.parametrize(
    "strategy", [Breakout(4), as_strategy(strength_of_close), as_strategy(lambda bars: Signals(bars.close > bars.open))]
)
def test_d2_d3_the_default_feed_says_what_rows_say_also_when_restored(strategy: Strategy) -> None:
    whole = evaluate(strategy, BARS)
    expected = whole.flags if whole.values is None else whole.values
    assert fed(strategy, BARS).tobytes() == expected.tobytes()
    assert fed(strategy, BARS, restore_at=(0, 1, 30)).tobytes() == expected.tobytes()
    assert isinstance(strategy.feed(BARS.market), Feed)


def test_d2_the_default_feed_finds_a_look_ahead() -> None:
    def tomorrow(bars: Bars) -> Strengths:
        close = pd.DataFrame(bars.close)
        return Strengths((close.shift(-1) > close).to_numpy() * 1.0)

    strategy = as_strategy(tomorrow)
    assert fed(strategy, BARS).tobytes() != evaluate(strategy, BARS).values.tobytes()  # type: ignore[union-attr]


def test_the_default_feed_grows_over_its_first_room() -> None:
    bars = synthetic.gbm(T=600, N=1, seed=4)
    strategy = as_strategy(strength_of_close)
    assert fed(strategy, bars, restore_at=(300,)).tobytes() == evaluate(strategy, bars).values.tobytes()  # type: ignore[union-attr]


def test_the_default_feed_gives_the_bars_so_far() -> None:
    seen: list[Bars] = []

    def look(bars: Bars) -> Strengths:
        seen.append(bars)
        return Strengths(np.zeros(bars.shape))

    fed(as_strategy(look), BARS)
    assert [b.T for b in seen] == list(range(1, BARS.T + 1))
    assert seen[20] == BARS[:21] and seen[20].has_volume == BARS.has_volume and seen[-1].market == BARS.market


def test_a_feed_refuses_the_state_of_another_strategy() -> None:
    saved = Breakout(4).feed(BARS.market).save()
    for other in (Breakout(5), as_strategy(strength_of_close)):
        with pytest.raises(StateError, match="the saved state has"):
            other.feed(BARS.market).restore(saved)
    with pytest.raises(StateError, match="symbols"):
        Breakout(4).feed(BARS.select(BARS.symbols[:1]).market).restore(saved)


def test_a_feed_tells_parameters_apart_by_all_they_hold() -> None:
    """Arrays by every number, objects by what is in them, not by what their repr shows or where they stand."""

    class Model:
        def __init__(self, weights: np.ndarray) -> None:
            self.weights = weights

    def rows(bars: Bars, model: Model) -> Strengths:
        return Strengths(np.full(bars.shape, model.weights[0]))

    weights = np.zeros(5000)
    saved = as_strategy(functools.partial(rows, model=Model(weights))).feed(BARS.market).save()
    as_strategy(functools.partial(rows, model=Model(weights.copy()))).feed(BARS.market).restore(saved)
    weights[2500] = 1.0
    with pytest.raises(StateError, match="the saved state has strategy"):
        as_strategy(functools.partial(rows, model=Model(weights))).feed(BARS.market).restore(saved)
