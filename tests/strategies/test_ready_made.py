"""Ready-made strategies: what they say, and that their feeds say the same to the last bit, restored or not (D1, D3)."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest

import vecbt
import vecbt.strategies
from tests.naive import indicators as naive
from tests.strategies.discovered import ALL, GAPPY, TRIED, found, late
from vecbt.data import synthetic
from vecbt.data.bars import Bars
from vecbt.engine.inputs import normalize_row
from vecbt.engine.strategy import Strategy, evaluate, written
from vecbt.errors import ConfigError, StateError
from vecbt.strategies.basic import BuyAndHold, FixedWeights
from vecbt.strategies.naming import BUILT_IN
from vecbt.strategies.pairs import PairsReversion
from vecbt.strategies.trend import EmaCross, SmaCross

pytestmark = pytest.mark.interpreted


def test_every_strategy_of_the_package_is_tried_and_has_a_name_in_the_registry() -> None:
    kinds = found()
    assert len(kinds) >= 16 and {kind.__name__ for kind in kinds} == set(BUILT_IN)
    assert set(TRIED) == set(kinds), "tests/strategies/discovered.py has parameters for each strategy"
    assert {kind.__name__ for kind in kinds} <= set(vecbt.strategies.__all__)


@pytest.mark.parametrize("strategy", ALL, ids=repr)
def test_d1_d3_the_feed_says_what_rows_say_to_the_last_bit(strategy: Strategy) -> None:
    bars = late(GAPPY)
    whole = evaluate(strategy, bars)
    expected = whole.flags if whole.values is None else whole.values
    assert expected is not None
    feed = strategy.feed(bars.market)
    for t in range(bars.T):
        if t % 37 == 5:
            saved = feed.save()
            feed = strategy.feed(bars.market)
            feed.restore(saved)
            assert feed.save() == saved
        flags, values = normalize_row(feed.update(bars.row(t).normalized(bars.market)), bars.market)
        row = flags if values is None else values
        assert row is not None and row.tobytes() == expected[t].tobytes(), t


@pytest.mark.parametrize("strategy", ALL, ids=repr)
def test_d2_a_row_depends_on_nothing_later(strategy: Strategy) -> None:
    whole, part = evaluate(strategy, GAPPY), evaluate(strategy, GAPPY[:100])
    if whole.values is None:
        np.testing.assert_array_equal(part.flags, whole.flags[:100])  # type: ignore[index]
    else:
        np.testing.assert_array_equal(part.values, whole.values[:100])


@pytest.mark.parametrize("strategy", [s for s in ALL if s.warmup], ids=repr)
def test_nothing_is_said_during_the_warmup(strategy: Strategy) -> None:
    said = evaluate(strategy, GAPPY)
    if said.values is None:
        assert said.flags is not None and not said.flags[: strategy.warmup].any()
    else:
        assert np.isnan(said.values[: strategy.warmup]).all()


@pytest.mark.parametrize("strategy", [s for s in ALL if 0 < s.warmup < 100], ids=repr)
def test_the_warmup_is_no_longer_than_it_must_be(strategy: Strategy) -> None:
    """Some bars without gaps let it speak on the first bar after its warmup, or the first on which it may."""
    soonest = 10**6
    for seed in range(12):
        bars = synthetic.garch_jumps(T=90, N=3, seed=seed, grid=1 / 2)
        said = evaluate(strategy, bars)
        spoken = ~np.isnan(said.values) if said.values is not None else said.flags != 0  # type: ignore[operator]
        soonest = min(soonest, *np.flatnonzero(spoken.any(axis=1)).tolist(), 10**6)
    assert strategy.warmup <= soonest <= strategy.warmup + 25


@pytest.mark.parametrize(("kind", "average"), [(SmaCross, naive.sma), (EmaCross, naive.ema)])
@pytest.mark.parametrize("direction", ["long", "short", "both"])
def test_crosses_are_where_the_slow_twin_finds_them(kind: Any, average: Any, direction: str) -> None:
    bars = GAPPY
    flags = evaluate(kind(3, 8, direction), bars).flags
    assert flags is not None
    up = {"long": 1, "short": 8, "both": 1}[direction]
    down = {"long": 2, "short": 4, "both": 4}[direction]
    for n in range(bars.N):
        close = list(bars.close[:, n])
        fast, slow = average(close, 3), average(close, 8)
        last, expected = 0, []
        for f, s in zip(fast, slow, strict=True):
            # averages this close are ties that one of the two methods rounds apart
            side = 0 if np.isnan(f) or np.isnan(s) or abs(f - s) < 1e-9 else (1 if f > s else -1)
            expected.append(0 if side == 0 or last in (0, side) else (up if side > 0 else down))
            last = side or last
        np.testing.assert_array_equal(flags[:, n], expected)
    assert flags.any()


def closes(*values: float) -> Bars:
    prices = np.array(values, dtype=float)
    return Bars.from_numpy(
        prices, prices, prices, prices, index=np.arange(len(values)) * 86_400_000_000_000, symbols=["A"], missing="no_market"
    )


def test_ties_and_missing_bars_keep_the_side() -> None:
    # with windows 1 and 2 the fast average is above the slow one when the close rises, equal when it stays
    bars = closes(5, 4, 4, 5, 5, np.nan, 6, 6, 5, np.nan, 7)
    flags = evaluate(SmaCross(1, 2), bars).flags
    assert flags is not None and flags[:, 0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 1]


def test_a_flat_price_crosses_nothing() -> None:
    bars = closes(*np.linspace(1, 2, 30), *([0.1] * 60))
    for strategy in (SmaCross(3, 7, "both"), EmaCross(3, 7, "both")):
        flags = evaluate(strategy, bars).flags
        assert flags is not None and np.flatnonzero(flags[:, 0]).tolist() == [30], strategy


def test_buy_and_hold_enters_each_asset_once() -> None:
    flags = evaluate(BuyAndHold(), late(GAPPY)).flags
    assert flags is not None and flags.sum() == 3
    first = [int(np.flatnonzero(~np.isnan(late(GAPPY).close[:, n]))[0]) for n in range(3)]
    assert flags.argmax(axis=0).tolist() == first and first[1] >= 30


def test_fixed_weights_come_on_first_bars_of_periods() -> None:
    bars = synthetic.gbm(T=70, N=2, seed=1, start="2024-01-03")
    rows = evaluate(FixedWeights({"S0": 0.6}, "month"), bars).values
    assert rows is not None
    spoken = ~np.isnan(rows[:, 0])
    months = bars.times.astype("M8[M]")
    np.testing.assert_array_equal(spoken, np.r_[True, months[1:] != months[:-1]])
    np.testing.assert_array_equal(rows[spoken], [[0.6, 0.0]] * int(spoken.sum()))
    weeks = ~np.isnan(evaluate(FixedWeights(every="week"), bars).values[:, 0])  # type: ignore[index]
    assert {str(d) for d in bars.times[weeks][1:].astype("M8[D]")} == {
        str(d) for d in bars.times[1:].astype("M8[D]") if d.item().weekday() == 0
    }
    once = evaluate(FixedWeights(every="once"), bars).values
    assert once is not None and once[0].tolist() == [0.5, 0.5] and np.isnan(once[1:]).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SmaCross(20, 20), "SmaCross.fast is 20, slow is 20; expected fast < slow"),
        (lambda: EmaCross(0, 20), "EmaCross.fast is 0; expected a whole number of at least 1"),
        (lambda: SmaCross(2, 20, "up"), "SmaCross.direction is 'up'; expected one of 'long', 'short', 'both'"),
        (lambda: FixedWeights(every="decade"), "FixedWeights.every is 'decade'"),
        (lambda: FixedWeights({}), "expected a mapping"),
        (lambda: FixedWeights([0.5]), "expected a mapping"),  # type: ignore[arg-type]
        (lambda: FixedWeights({"A": float("nan")}), r"FixedWeights.weights\['A'\] is nan"),
        (lambda: evaluate(FixedWeights({"S7": 1.0}), GAPPY), "names 'S7', which is no symbol"),
        (lambda: FixedWeights({"S7": 1.0}).feed(GAPPY.market), "names 'S7', which is no symbol"),
    ],
)
def test_parameters_that_may_not_be_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(("one", "other"), list(itertools.pairwise([*ALL, ALL[0]])), ids=lambda s: s.name)
def test_a_feed_refuses_the_state_of_another(one: Strategy, other: Strategy) -> None:
    market = GAPPY.market
    saved = one.feed(market).save()
    with pytest.raises(StateError):
        other.feed(market).restore(saved)
    if isinstance(one, (SmaCross, BuyAndHold, PairsReversion)):
        with pytest.raises(StateError):
            one.feed(synthetic.gbm(T=5, N=4, seed=1).market).restore(saved)


@pytest.mark.parametrize("strategy", ALL, ids=repr)
def test_a_strategy_is_a_value(strategy: Strategy) -> None:
    evaluate(strategy, GAPPY[:5])  # what it has worked out meanwhile changes nothing
    again = pickle.loads(pickle.dumps(strategy))
    assert again == strategy and hash(again) == hash(strategy) and written(again) == written(strategy)
    assert type(strategy).make(strategy.parameters) == strategy
