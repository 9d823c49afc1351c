"""Random sweeps of ready-made strategies with random setups: every line is a run of its own, every error that of the run."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecbt as vb
from tests.engine.sweeps_of_tests import COSTS, alone, assert_line_is_run
from tests.strategies.discovered import GAPPY, TRIED
from vecbt.core.sets import sets_of
from vecbt.engine.strategy import Strategy
from vecbt.engine.sweep import sweep_sets
from vecbt.errors import VecbtError
from vecbt.strategies import (
    BollingerReversion,
    DonchianBreakout,
    EmaCross,
    FixedWeights,
    MacdCross,
    MomentumRotation,
    PairsReversion,
    RsiReversion,
    SmaCross,
    SupertrendFollow,
    VolatilityTargetedTrend,
)

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
EXAMPLES = settings().max_examples // (10 if INTERPRETED else 2)
_PANEL = GAPPY[:50] if INTERPRETED else GAPPY
BARS = {1: _PANEL.select(["S0"]), 3: _PANEL}
SIGNALS = (SmaCross, EmaCross, RsiReversion, BollingerReversion, DonchianBreakout, MacdCross, SupertrendFollow)
WEIGHTS = (VolatilityTargetedTrend, FixedWeights, MomentumRotation, PairsReversion)

_distances = st.one_of(st.none(), st.sampled_from([0.5, 2.0, 6.0]).map(vb.Pct), st.sampled_from([0.5, 3.0]).map(vb.Atr))
OF_ALL = {
    "fill": st.sampled_from(["close", "next_open"]),
    "intrabar": st.sampled_from(["pessimistic", "optimistic"]),
    "initial_capital": st.sampled_from([500.0, 20_000, 1e6]),
    "liquidate_at_end": st.booleans(),
    "leverage": st.sampled_from([1.0, 2.5]),
    "maintenance": st.sampled_from([0.1, 0.3]),
    "stops.hard": _distances,
    "stops.trailing": _distances,
    "stops.take_profit": _distances,
    "stops.atr_window": st.sampled_from([3, 14]),
    "stops.time_bars": st.sampled_from([None, 4]),
    "costs.commission_rate": st.sampled_from([0.0, 0.002]),
    "costs.per_order": st.sampled_from([0.0, 3.0]),
    "costs.slippage_bps": st.sampled_from([0, 10.0]),
    "costs.volume_share": st.sampled_from([0.0, 0.2]),
    "risk.daily_loss": st.sampled_from([None, 0.01]),
    "risk.max_heat": st.sampled_from([None, 0.05]),
    "risk.zones": st.sampled_from([None, vb.Zones(), vb.Zones(boundaries=(0.01, 0.02, 0.03), liquidate_at=0.04, cooldown_bars=5)]),
    "carry.interest_rate": st.sampled_from([0.01, 0.2]),
    "max_participation": st.sampled_from([None, 1e-4]),
}
OF_SIGNALS = {"accumulate": st.booleans(), "sizing": st.sampled_from([None, vb.Units(7), vb.Weight(0.4), vb.Notional(3_000)])}
OF_WEIGHTS = {"band": st.sampled_from([0.0, 0.05]), "weights_of": st.sampled_from(["net", "gross"])}


def values_of(kind: type[Strategy]) -> dict[str, st.SearchStrategy[Any]]:
    """For each parameter what was tried of it, and near it; some of it may not be."""
    found: dict[str, st.SearchStrategy[Any]] = {}
    for name, domain in kind.space.items():
        tried = st.sampled_from([s.parameters[name] for s in TRIED[kind]])
        if domain.choices is not None:
            found[name] = st.sampled_from(domain.choices)
        elif domain.integer:
            found[name] = st.one_of(tried, st.integers(0 if domain.low is None else int(domain.low), 12))
        else:
            found[name] = tried
    return found


@st.composite
def sweeps(draw: st.DrawFn) -> tuple[vb.Bars, Strategy, list[dict[str, Any]], dict[str, Any], int]:
    kind = draw(st.sampled_from((*SIGNALS, *WEIGHTS)))
    drawn = values_of(kind) | {**OF_ALL, **(OF_SIGNALS if kind in SIGNALS else OF_WEIGHTS)}
    own = draw(st.lists(st.sampled_from(sorted(kind.space)), unique=True, max_size=3))
    rest = draw(st.lists(st.sampled_from(sorted(drawn.keys() - kind.space.keys())), unique=True, min_size=0 if own else 1, max_size=4))
    sets = draw(st.lists(st.fixed_dictionaries({name: drawn[name] for name in (*own, *rest)}), min_size=1, max_size=6))
    keywords = {"costs": COSTS, "accounts": draw(st.sampled_from(["shared", "separate"]))}
    if draw(st.booleans()):
        keywords["stops"] = vb.Stops(hard=vb.Pct(4.0))
    assets = 3 if kind in WEIGHTS else draw(st.sampled_from([1, 3]))
    return BARS[assets], draw(st.sampled_from(TRIED[kind])), sets, keywords, draw(st.integers(1, 3))


@settings(max_examples=EXAMPLES)
@given(sweeps())
def test_d1_random_sweeps_are_runs(drawn: tuple[vb.Bars, Strategy, list[dict[str, Any]], dict[str, Any], int]) -> None:
    bars, strategy, space, keywords, threads = drawn
    run = sweep_sets(bars, strategy, sets_of(space, strategy.space, strategy.parameters), keywords, threads=threads)
    for c in range(len(run.sets)):
        if run.done[c]:
            assert_line_is_run(run, c)
        else:
            with pytest.raises(VecbtError) as caught:
                alone(run, c)
            assert run.errors[c] == str(caught.value), run.sets.at(c)
