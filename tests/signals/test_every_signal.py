"""What every strategy in `vecbt.signals` must do: rows and feed say the same, nothing knows the future, nothing is changed by a run."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import vecbt as vb
from tests.signals.examples import (
    COSTS,
    DYNAMIC,
    EXAMPLES,
    MIXED,
    SIGNALS,
    STRENGTHS,
    Loud,
    gappy_bars,
    numbers,
    public_strategies,
    values_of,
)
from vecbt.core.identity import identity
from vecbt.engine.strategy import Strategy, evaluate
from vecbt.errors import StateError
from vecbt.signals.combined import Combined

BASES = {"SignalFilter", "SteppedGenerator"}
BARS = gappy_bars()
EVERY = pytest.mark.parametrize("strategy", EXAMPLES, ids=lambda s: f"{type(s).__name__}-{EXAMPLES.index(s)}")


def test_every_public_strategy_has_an_example() -> None:
    assert {type(s).__name__ for s in EXAMPLES} >= {cls.__name__ for cls in public_strategies()} - BASES


@EVERY
def test_d1_d3_the_feed_says_what_rows_say_to_the_last_bit(strategy: Strategy) -> None:
    whole = numbers(evaluate(strategy, BARS))
    feed = strategy.feed(BARS.market)
    for t in range(BARS.T):
        if t % 37 == 5:
            saved = feed.save()
            feed = strategy.feed(BARS.market)
            feed.restore(saved)
            assert feed.save() == saved
        row = values_of(feed.update(BARS.row(t).normalized(BARS.market)), BARS)
        assert row.tobytes() == whole[t].tobytes(), (t, row, whole[t])


@EVERY
def test_d2_no_row_depends_on_a_later_bar(strategy: Strategy) -> None:
    whole = numbers(evaluate(strategy, BARS))
    for cut in (1, 9, 47, 101):
        part = numbers(evaluate(strategy, BARS.slice(0, cut)))
        assert part.tobytes() == np.ascontiguousarray(whole[:cut]).tobytes(), cut


@EVERY
def test_strengths_are_in_range_and_silent_where_there_is_no_market(strategy: Strategy) -> None:
    given = evaluate(strategy, BARS)
    if given.values is not None:
        assert np.nanmax(np.abs(given.values), initial=0.0) <= 1.0
        assert np.isnan(given.values[np.isnan(BARS.close)]).all()


@EVERY
def test_a_run_leaves_the_parameters_as_they_were(strategy: Strategy) -> None:
    before = identity(strategy)
    kept = copy.deepcopy(strategy)
    evaluate(strategy, BARS.slice(0, 30))
    feed = strategy.feed(BARS.market)
    feed.update(BARS.row(0).normalized(BARS.market))
    assert identity(strategy) == before == identity(kept)
    assert strategy == kept


@EVERY
def test_the_warmup_is_as_long_as_it_says(strategy: Strategy) -> None:
    values = evaluate(strategy, BARS).values
    if isinstance(strategy, Combined) and values is not None and not strategy.inputs:
        assert np.isnan(values[: strategy.warmup]).all()
        assert strategy.warmup < 60


def test_all_strategies_have_something_to_say() -> None:
    """Else most of the tests above would prove nothing."""
    for strategy in EXAMPLES:
        said = numbers(evaluate(strategy, BARS))
        if not isinstance(strategy, vb.signals.BaseSignalGenerator):
            assert len(np.unique(said[~np.isnan(said)])) >= 2, strategy


def test_a_feed_refuses_the_state_of_another_and_stays_as_it_was() -> None:
    market = BARS.market
    strategy = vb.signals.Ensemble(MIXED, dynamic=DYNAMIC)
    feed = strategy.feed(market)
    for t in range(20):
        feed.update(BARS.row(t).normalized(market))
    saved = feed.save()
    others = (vb.signals.Ensemble(MIXED), vb.signals.Ensemble({"a": SIGNALS}, dynamic=DYNAMIC), vb.signals.CooldownFilter(SIGNALS, 2))
    for other in others:
        with pytest.raises(StateError):
            other.feed(market).restore(saved)
        with pytest.raises(StateError):
            feed.restore(other.feed(market).save())
    with pytest.raises(StateError):
        strategy.feed(BARS.select(["S0"]).market).restore(saved)
    with pytest.raises(StateError):
        feed.restore(saved[:-3])
    assert feed.save() == saved


@pytest.mark.parametrize(
    "strategy",
    [
        vb.signals.Ensemble(MIXED, mode="weighted_vote", dynamic=DYNAMIC),
        vb.signals.MinimumHoldFilter(vb.signals.VolatilityFilter(Loud(), 0.02, window=5, method="shrink"), 3),
        vb.signals.PortfolioSignalAggregator({"a": SIGNALS, "b": STRENGTHS}, vb.signals.PortfolioAggregationConfig(max_gross=1.0)),
        vb.signals.TechnicalSignalGenerator(),
    ],
    ids=lambda s: type(s).__name__,
)
def test_composites_pass_the_parity_certificate(strategy: Strategy) -> None:
    """ENS-02, SIG-06: ensembles, filters and aggregators stream as any strategy does."""
    report = vb.check_parity(BARS.slice(0, 60), strategy, costs=COSTS, stops=vb.Stops(hard=vb.Pct(5)))
    assert report.ok, report
    assert report.fills > 3


def test_parameters_of_composites_can_be_swept() -> None:
    """Their space is that of any strategy, and equal parameters make equal, hashable objects."""
    space = vb.signals.CooldownFilter.space
    assert list(space) == ["member", "bars"] and space["bars"].low == 1
    made = {vb.signals.CooldownFilter.make({"member": SIGNALS, "bars": bars}) for bars in (2, 3, 3.0)}
    assert len(made) == 2
    assert len({vb.signals.Ensemble(MIXED, vote_ratio=r) for r in (0.5, 0.66, "2/3")}) == 2
    results = [vb.backtest(BARS, strategy, costs=COSTS).equity.iloc[-1] for strategy in sorted(made, key=lambda s: s.bars)]
    assert results[0] != results[1]
