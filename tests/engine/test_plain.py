"""D1: what a sweep runs in numbers instead of records is what the step runs bar by bar, to the last bit."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecbt as vb
from tests.engine.sweeps_of_tests import arrays_of, assert_line_is_run
from vecbt.core.sets import sets_of
from vecbt.engine import plain_hits, sweep_levels, sweep_run
from vecbt.engine.plain import FINISHED, UNFIT
from vecbt.engine.strategy import as_strategy
from vecbt.engine.sweep import SweepRun, sweep_sets
from vecbt.engine.sweep_chunks import Seat
from vecbt.engine.sweep_run import DETAILS

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
EXAMPLES = settings().max_examples // (4 if INTERPRETED else 1)
T = 60 if INTERPRETED else 240

_distances = st.sampled_from([None, vb.Pct(0.7), vb.Pct(3.0), vb.Ticks(40), vb.Price(97.0)])
_targets = st.sampled_from([None, vb.Pct(0.7), vb.Pct(4.0), vb.Ticks(55)])
_costs = {
    "commission_rate": st.sampled_from([0.0, 0.0015]),
    "maker_rate": st.sampled_from([None, 0.0004]),
    "per_unit": st.sampled_from([0.0, 0.01]),
    "per_order": st.sampled_from([0.0, 1.5]),
    "minimum": st.sampled_from([0.0, 4.0]),
    "maximum_rate": st.sampled_from([np.inf, 0.002]),
    "slippage_bps": st.sampled_from([0.0, 6.0]),
    "half_spread": st.sampled_from([0.0, 0.03]),
}
_sizings = st.sampled_from(
    [None, vb.Cash(1.0), vb.Cash(0.35), vb.Weight(1.0), vb.Weight(0.4), vb.Units(12), vb.Notional(4_000), vb.EqualWeight(),
     vb.FixedFractionalSizing(0.01, 0.9), vb.ConfidenceBasedSizing()]
)  # fmt: skip


def bars_of(seed: int, **market: Any) -> vb.Bars:
    """A walk of one asset without gaps, its prices whole ticks where it has one."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.012, T)))
    opens = close * np.exp(rng.normal(0.0, 0.004, T))
    high = np.maximum(opens, close) * (1.0 + np.abs(rng.normal(0.0, 0.006, T)))
    low = np.minimum(opens, close) * (1.0 - np.abs(rng.normal(0.0, 0.006, T)))
    columns = [np.round(column, 2)[:, None] for column in (opens, high, low, close)]
    index = np.arange(T) * 86_400_000_000_000
    return vb.Bars.from_numpy(*columns, np.full((T, 1), 1e6), index=index, symbols=("X",), asset_class="crypto", **market)


def signals_of(seed: int, often: float) -> vb.Signals:
    """Any of the sixteen rows, some of them contradictions."""
    rng = np.random.default_rng(seed + 1)
    said = [rng.random((T, 1)) < often for _ in range(4)]
    return vb.Signals(entries=said[0], exits=said[1], short_entries=said[2], short_exits=said[3])


def swept(bars: vb.Bars, signals: vb.Signals, sets: list[dict[str, Any]], keywords: dict[str, Any], details: bool = True) -> SweepRun:
    """A sweep of setups, with sums over parts of the bars."""
    strategy = as_strategy(lambda _: signals)
    return sweep_sets(bars, strategy, sets_of(sets, strategy.space, strategy.parameters), keywords, threads=1, details=details)


@st.composite
def runs(draw: st.DrawFn) -> tuple[vb.Bars, vb.Signals, list[dict[str, Any]], dict[str, Any]]:
    seed, tick = draw(st.integers(0, 10_000)), draw(st.sampled_from([0.0, 0.01, 0.25]))
    market = {"tick": tick, "lot": draw(st.sampled_from([0.0, 1.0])), "min_notional": draw(st.sampled_from([0.0, 50.0]))}
    trailing = _distances.filter(lambda distance: not isinstance(distance, vb.Price))
    stops = {"stops.hard": _distances, "stops.trailing": trailing, "stops.take_profit": _targets}
    if tick == 0.0:
        stops = {name: values.filter(lambda distance: not isinstance(distance, vb.Ticks)) for name, values in stops.items()}
    sets = draw(st.lists(st.fixed_dictionaries(stops | {"sizing": _sizings}), min_size=1, max_size=4))
    if draw(st.booleans()):  # armed by a gain
        sets = [one | {"stops.trailing": vb.Pct(2.0), "stops.activation": draw(st.sampled_from([0.0, 0.01]))} for one in sets]
    given_costs = {name: draw(values) for name, values in _costs.items()}
    free = not any(value for name, value in given_costs.items() if name != "maximum_rate")
    keywords = {
        "costs": vb.Costs.free() if free else vb.Costs(**given_costs),
        "fill": draw(st.sampled_from(["close", "next_open"])),
        "direction": draw(st.sampled_from(["long", "short", "both"])),
        "intrabar": draw(st.sampled_from(["pessimistic", "optimistic"])),
        "trade_through": draw(st.booleans()),
        "liquidate_at_end": draw(st.booleans()),
        "leverage": draw(st.sampled_from([1.0, 3.0])),
        "maintenance": draw(st.sampled_from([0.0, 0.3])),
        "initial_capital": draw(st.sampled_from([400.0, 100_000.0])),
    }
    if draw(st.booleans()):
        window = draw(st.integers(0, 20)), draw(st.integers(40, T))
        sets = [one | {"between": window} for one in sets]
    return bars_of(seed, **market), signals_of(seed, draw(st.sampled_from([0.03, 0.2, 0.6]))), sets, keywords


@settings(max_examples=EXAMPLES, deadline=None)
@given(runs(), st.booleans())
def test_d1_plain_runs_are_those_of_the_step(drawn: tuple[vb.Bars, vb.Signals, list[dict[str, Any]], dict[str, Any]], asked: bool) -> None:
    """Whether their levels are walked bar by bar, or looked up."""
    bars, signals, sets, keywords = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_levels, "_SHARED", 0 if asked else 10**6)
        quick, counted = swept(bars, signals, sets, keywords), swept(bars, signals, sets, keywords, details=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Seat, "_is_plain", lambda *_: 0)
        slow = swept(bars, signals, sets, keywords)
    assert quick.errors == slow.errors
    assert arrays_of(quick) == arrays_of(slow)
    for left, right in ((quick.blocks, slow.blocks), (quick.fine, slow.fine)):
        assert left is None or right is None or left.tobytes() == right.tobytes()
    for whole, few in ((quick.returns, counted.returns), (quick.trades, counted.trades)):
        for name in set(whole.dtype.names or ()) - DETAILS:
            assert whole[name].tobytes() == few[name].tobytes(), name
    if "between" not in sets[0] and quick.done[0]:
        assert_line_is_run(quick, 0)


@pytest.mark.skipif(not INTERPRETED, reason="compiled loops cannot be watched")
@pytest.mark.parametrize(
    ("keywords", "ends"),
    [
        ({}, FINISHED),
        ({"fill": "close", "direction": "both"}, FINISHED),
        ({"sizing": vb.Cash(1.0), "stops": vb.Stops(hard=vb.Pct(2.0), trailing=vb.Pct(3.0), take_profit=vb.Pct(4.0))}, FINISHED),
        ({"leverage": 2.0, "sizing": vb.Weight(2.0), "liquidate_at_end": True}, FINISHED),
        ({"stops": vb.Stops(hard=vb.Atr(2.0))}, UNFIT),
        ({"stops": vb.Stops(time_bars=3)}, UNFIT),
        ({"risk": vb.Risk(zones=vb.Zones())}, UNFIT),
        ({"accumulate": True}, UNFIT),
        ({"sizing": vb.Units(1e9)}, FINISHED),
        ({"sizing": vb.Units(1e-9), "min_notional": 1.0}, UNFIT),
    ],
)
def test_d1_which_runs_are_plain(monkeypatch: pytest.MonkeyPatch, keywords: dict[str, Any], ends: int) -> None:
    found, plain = [], sweep_run._simulate_plain
    monkeypatch.setattr(sweep_run, "_simulate_plain", lambda *given: found.append(plain(*given)) or found[-1])
    market = {"min_notional": keywords.pop("min_notional")} if "min_notional" in keywords else {}
    keywords = {"costs": vb.Costs(commission_rate=0.001), **keywords}
    run = swept(bars_of(1, **market), signals_of(1, 0.1), [{"costs.slippage_bps": 3.0}], keywords)
    assert found == [ends] and run.done.all()
    assert ends == UNFIT or run.trades["trades"].sum() > 0


@pytest.mark.parametrize("side", ["entries", "short_entries"])
@pytest.mark.parametrize("fill", ["close", "next_open"])
def test_d1_a_trail_without_ticks_is_the_step_s(side: str, fill: str) -> None:
    """Walked without jumps: it moves with new best prices, stands beside a hard stop and a target, and may be armed by a gain."""
    said = np.random.default_rng(8).random((T, 1)) < 0.2
    strategy = vb.Signals(**{side: said})
    wide = {"stops.hard": None, "stops.take_profit": None}
    sets = [wide | {"stops.trailing": vb.Pct(share)} for share in (0.5, 1.0, 2.0, 4.0, 8.0)]
    sets += [
        wide | {"stops.trailing": vb.Pct(2.0), "stops.hard": vb.Pct(1.5)},
        wide | {"stops.trailing": vb.Pct(3.0), "stops.take_profit": 0.02},
    ]
    for seed in (1, 2, 3):
        run = swept(bars_of(seed), strategy, sets, {"costs": vb.Costs(commission_rate=0.001), "fill": fill})
        assert run.trades["trades"][0] > 0  # the nearest trail
        for c in range(len(sets)):
            assert_line_is_run(run, c)


@pytest.mark.parametrize("side", ["entries", "short_entries"])
@pytest.mark.parametrize("keywords", [
    {"fill": "close"}, {"fill": "next_open", "intrabar": "optimistic", "direction": "both"}, {"trade_through": True},
], ids=str)  # fmt: skip
@pytest.mark.parametrize(("tick", "apart"), [(0.0, True), (0.25, True), (0.0, False)])
def test_d1_levels_that_sets_share_are_met_where_the_step_meets_them(
    monkeypatch: pytest.MonkeyPatch, side: str, keywords: dict[str, Any], tick: float, apart: bool
) -> None:
    """What was found for one set is told to the next. Other costs are other fills: they are apart, or what was found is found anew."""
    if not apart:
        monkeypatch.setattr(sweep_levels, "_FILLS", ())
    monkeypatch.setattr(plain_hits, "_LEAST", 4)  # of what runs uncompiled: looked through in many pieces
    signals, places = vb.Signals(**{side: np.random.default_rng(9).random((T, 1)) < 0.2}), []
    sets = [
        {"stops.hard": hard, "stops.trailing": trail, "stops.take_profit": target, "stops.activation": gain, "costs.slippage_bps": slippage}
        for hard in (None, 0.01, 0.2) for trail in (0.01, 0.03, 0.3) for target in (None, 0.01, 0.15)
        for gain in (None, 0.01) for slippage in (2.0, 5.0)
    ]  # fmt: skip
    sets = [one | {"between": (5 * (k % 2), T - 9 * (k % 2))} for k, one in enumerate(sets)]
    made = sweep_levels.SharedLevels.of
    monkeypatch.setattr(sweep_levels.SharedLevels, "of", lambda *given: places.append(made(*given)) or places[-1])
    run = swept(bars_of(4, tick=tick), signals, sets, {"costs": vb.Costs(commission_rate=0.001)} | keywords, details=False)
    assert run.done.all() and [one.count for one in places] == [(1 + apart) * (2 + 6 + 2)]
    monkeypatch.setattr(Seat, "_is_plain", lambda *_: 0)
    slow = swept(bars_of(4, tick=tick), signals, sets, {"costs": vb.Costs(commission_rate=0.001)} | keywords)
    assert run.final.tobytes() == slow.final.tobytes()
    assert run.trades["trades"].tobytes() == slow.trades["trades"].tobytes()
    for name in set(run.returns.dtype.names or ()) - DETAILS:
        assert run.returns[name].tobytes() == slow.returns[name].tobytes(), name


def test_levels_that_few_sets_share_are_not_remembered() -> None:
    forms, numbers = [(name, "i8") for name in ("on", "hard_form", "trail_form", "target_form")], ("hard", "trail", "activation", "target")
    stops = np.zeros(60, dtype=[*forms, *((name, "f8") for name in numbers)])
    rules = np.zeros(60, dtype=[("slippage", "f8"), ("half_spread", "f8"), ("at_close", "i8")])
    of = sweep_levels.SharedLevels.of
    assert of(rules, stops, 60, 60, 100).count == 0
    stops["on"], stops["hard_form"], stops["hard"], stops["target_form"], stops["target"] = 1, 1, np.arange(60) % 3, 1, 0.5
    stops["hard_form"][::10] = 0
    shared = of(rules, stops, 60, 60, 100)
    assert shared.count == 4 and shared.answers(100).shape == (100, 2, 4, plain_hits.FIELDS)
    assert (shared.columns[:, 0] == np.where(np.arange(60) % 10 == 0, -1, np.arange(60) % 3)).all()
    assert (shared.columns[:, 1] == -1).all() and (shared.columns[:, 2] == 3).all()
    rules["slippage"][30:], rules["at_close"][::2] = 0.1, 1
    apart = of(rules, stops, 60, 600, 100)
    assert apart.count == 4 * (3 + 1) and len(np.unique(apart.columns[:, 2])) == 4
    stops["hard"] = np.arange(60)
    own = of(rules, stops, 60, 60, 100)
    assert own.count == 0 and (own.columns == -1).all() and own.answers(100).shape[0] == 0
    one = of(rules, stops[1:2], 60, 600, 100)  # rules differ, stops do not
    assert one.count == 2 * 4 and (one.columns[:, 0] >= 0).all() and (one.columns[:, 2] - one.columns[:, 0] == 4).all()
    assert of(rules, stops, 60, 60_000, 100).count == 54 + 4 and of(rules, stops, 60, 60_000, 10**6).count == 0


def test_d1_extremes_of_long_holdings_are_the_step_s() -> None:
    """M7: taken as many bars at a time as there are lanes, whatever is left over at the end of a holding."""
    for bars_held in range(1, 4 * 4 + 2):
        entries, exits = np.zeros((T, 1), dtype=bool), np.zeros((T, 1), dtype=bool)
        entries[2], exits[2 + bars_held] = True, True
        for sides in ({"entries": entries, "exits": exits}, {"short_entries": entries, "short_exits": exits}):
            run = swept(bars_of(bars_held), vb.Signals(**sides), [{"costs.commission_rate": 0.001}], {"costs": vb.Costs(slippage_bps=1.0)})
            assert run.trades["trades"][0] == 1 and run.trades["average_mae"][0] + run.trades["average_mfe"][0] > 0.0
            assert_line_is_run(run, 0)


@pytest.mark.parametrize("fill", ["close", "next_open"])
@pytest.mark.parametrize("stops", [None, vb.Stops(hard=vb.Pct(60.0)), vb.Stops(trailing=vb.Pct(60.0))], ids=["none", "hard", "trail"])
@pytest.mark.parametrize("short", [False, True])
def test_d1_f13_a_margin_call_inside_a_long_holding_is_the_step_s(fill: str, stops: vb.Stops | None, short: bool) -> None:
    """Only the worst close of a holding is looked at where that is enough; the call comes in its middle, and prices come back."""
    for at in range(5, 5 + 9):
        close = np.full(T, 100.0)
        close[at : at + 2] = 155.0 if short else 45.0
        bars = vb.Bars.from_numpy(*[close[:, None]] * 4, index=np.arange(T) * 86_400_000_000_000, symbols=("X",), asset_class="crypto")
        said = np.zeros((T, 1), dtype=bool)
        said[2] = True
        keywords = {"costs": vb.Costs(commission_rate=0.001), "fill": fill, "maintenance": 0.4, "stops": stops}
        keywords |= {} if short else {"leverage": 2.0, "sizing": vb.Weight(1.6)}
        run = swept(bars, vb.Signals(**{"short_entries" if short else "entries": said}), [{"costs.slippage_bps": 1.0}], keywords)
        assert run.trades["trades"][0] == 1, at
        assert_line_is_run(run, 0)


def test_m1_curves_that_fall_to_nothing_are_measured_again_with_every_bar_asked() -> None:
    """A short whose price doubles and more leaves nothing, or less: no return is measured from there on, and the other lanes stay."""
    close = np.full(T, 100.0)
    close[20:23] = 210.0
    bars = vb.Bars.from_numpy(*[close[:, None]] * 4, index=np.arange(T) * 86_400_000_000_000, symbols=("X",), asset_class="crypto")
    said = np.zeros((T, 1), dtype=bool)
    said[2] = True
    sets, signals = [{"sizing": vb.Weight(weight)} for weight in (0.1, 1.0 / 1.1, 0.95, 0.3, 1.0)], vb.Signals(short_entries=said)
    whole, few = (swept(bars, signals, sets, {"costs": vb.Costs.free()}, details=details) for details in (True, False))
    assert np.isnan(few.returns["sharpe"][:, 0]).tolist() == [False, True, True, False, True] and few.final.min() < 0.0
    for left, right in ((whole.returns, few.returns), (whole.trades, few.trades)):
        for name in set(left.dtype.names or ()) - DETAILS:
            assert left[name].tobytes() == right[name].tobytes(), name
    for c in range(len(sets)):
        assert_line_is_run(whole, c)


def test_d1_a_last_exit_at_no_price_is_left_to_the_step() -> None:
    """Slippage of more than the price: what is held at the end is sold for nothing, which is a trade still."""
    entries = np.zeros((T, 1), dtype=bool)
    entries[3] = True
    keywords = {"costs": vb.Costs(slippage_bps=20_000.0), "sizing": vb.Units(2), "liquidate_at_end": True}
    run = swept(bars_of(5), vb.Signals(entries=entries), [{"costs.commission_rate": 0.001}], keywords)
    assert run.trades["trades"][0] == 1
    assert_line_is_run(run, 0)


def test_d1_gaps_are_left_to_the_step() -> None:
    bars = bars_of(3)
    block = bars.block.copy()
    block[:, 20, 0] = np.nan
    gappy = vb.Bars.from_numpy(*block, index=bars.index, symbols=("X",), asset_class="crypto", missing="no_market")
    run = swept(gappy, signals_of(3, 0.2), [{"costs.slippage_bps": 3.0}], {"costs": vb.Costs(commission_rate=0.001)})
    assert_line_is_run(run, 0)
