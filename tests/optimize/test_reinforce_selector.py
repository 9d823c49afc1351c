"""RL-01: states of the market, and the strategy that follows them, bar by bar as in a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from vecbt.errors import ConfigError, InputError
from vecbt.optimize.reinforce.kernels import mean_of_assets

COSTS = vb.Costs(commission_rate=0.001)
STATES = vb.MarketStates(trend_window=15, volatility_window=10, volume_window=8, volatility_bins=2)


def _members() -> dict[str, Any]:
    return {"trend": vb.strategies.SmaCross(3, 12), "reversion": vb.strategies.RsiReversion(5), "hold": vb.strategies.BuyAndHold()}


def _selector(bars: vb.Bars, **changes: Any) -> vb.PolicySelector:
    states = STATES.fit(bars[: bars.T // 2])
    names = list(_members())
    given = {"members": _members(), "states": states, "policy": [names[k * 7 % 3] for k in range(states.count)]}
    return vb.PolicySelector(**given | changes)


@pytest.mark.interpreted
def test_rl01_states_are_the_bins_of_the_indicators() -> None:
    bars = vb.synthetic.gbm(160, 1, 4)
    states = STATES.fit(bars[:100])
    close = bars.close[:, 0]
    trend = close / vb.indicators.sma(close, 15) - 1.0
    spread, volume = vb.indicators.close_sigma(bars, 10)[:, 0], vb.indicators.volume_ratio(bars, 8)[:, 0]
    first = 14  # the longest window
    expected = np.full(160, -1)
    for t in range(first, 160):
        places = [int(np.searchsorted(e, v[t], side="right")) for e, v in zip(states.edges, (trend, spread, volume), strict=True)]
        expected[t] = (places[0] * 2 + places[1]) * 3 + places[2]
    assert np.array_equal(states.on(bars), expected)
    assert states.warmup == first and states.count == 18 and len(states.names) == 18
    assert states.names[expected[100]].split(", ")[1] in ("calm", "wild")


def test_rl01_edges_cut_the_bars_they_were_found_on_into_equal_parts() -> None:
    bars = vb.synthetic.gbm(400, 1, 4)
    states = vb.MarketStates(trend_bins=4, volatility_bins=1, volume_bins=1).fit(bars)
    counts = np.bincount(states.on(bars)[states.warmup :])
    assert counts.max() - counts.min() <= 1 and len(counts) == 4
    assert list(states.table()["bin"])[:4] == [f"trend {k} of 4" for k in (1, 2, 3, 4)]
    assert vb.MarketStates.of(states.to_dict()) == states and states.fit(bars[:200]) != states


@pytest.mark.interpreted
def test_rl01_a_state_is_the_mean_over_assets_with_a_market_and_stays_where_there_is_none() -> None:
    values = np.array([[1.0, 3.0], [np.nan, 5.0], [np.nan, np.nan]])
    out = np.empty(3)
    mean_of_assets(values, out)
    assert np.array_equal(out, [2.0, 5.0, np.nan], equal_nan=True)
    whole = vb.synthetic.gbm(60, 1, 5)
    block = whole.block.copy()
    block[:, 40:43] = np.nan
    holes = vb.Bars.from_numpy(*(block[k] for k in range(5)), index=whole.index, symbols=whole.symbols, missing="no_market")
    states = vb.MarketStates(trend_window=10, volatility_bins=1, volume_bins=1).fit(whole)
    found = states.on(holes)
    assert (found[40:43] == found[39]).all()


@pytest.mark.parametrize("assets", [1, 3])
def test_rl01_the_selector_passes_check_strategy_and_parity(assets: int) -> None:
    """RL-01."""
    bars = vb.synthetic.gbm(110, assets, 6)
    selector = _selector(bars)
    report = vb.check_strategy(selector, bars, cuts=4)
    assert report.ok, str(report)
    assert vb.check_parity(bars, selector, costs=COSTS, restarts=4).ok


def test_rl01_the_choice_follows_the_table_and_says_what_the_member_holds() -> None:
    bars = vb.synthetic.gbm(200, 1, 7)
    selector = _selector(bars)
    machine, rows = selector.run(bars)
    codes = selector.market_states.on(bars)
    names = list(selector.members)
    for t in range(200):
        wanted = -1 if codes[t] < 0 else names.index(selector.policy[codes[t]])
        assert machine.choice[t] == wanted  # type: ignore[attr-defined]
    assert np.isnan(rows[: selector.own_warmup]).all() and len(set(machine.choice.tolist())) > 2  # type: ignore[attr-defined]


def test_rl01_one_member_in_all_states_trades_as_it_does_alone() -> None:
    bars = vb.synthetic.gbm(300, 1, 8)
    selector = _selector(bars, policy=["trend"] * 18, states=vb.MarketStates(2, 2, 2, volatility_bins=2).fit(bars))
    alone, through = (vb.backtest(bars, each, costs=COSTS) for each in (_members()["trend"], selector))
    assert np.array_equal(alone.run.equity, through.run.equity) and len(alone.run.trades) > 5


def test_rl01_a_choice_by_the_member_held_remembers_it() -> None:
    bars = vb.synthetic.gbm(200, 1, 9)
    states = vb.MarketStates(trend_window=5, trend_bins=2, volatility_bins=1, volume_bins=1).fit(bars)
    # rising: take "hold" where nothing or "trend" is held; who holds anything else stays
    policy = ["trend", "trend", "reversion", "hold", "hold", "hold", "reversion", "hold"]
    selector = _selector(bars, states=states, policy=policy)
    choice = selector.run(bars)[0].choice  # type: ignore[attr-defined]
    first = int(np.argmax(states.on(bars) == 1))
    assert (choice[first:] == 2).all() and (choice[states.warmup : first] == 0).all()
    assert vb.check_parity(bars, selector, costs=COSTS).ok


def test_rl01_a_selector_is_saved_in_results_and_verified(tmp_path: Path) -> None:
    bars = vb.synthetic.gbm(120, 1, 10)
    selector = _selector(bars)
    vb.backtest(bars, selector, costs=COSTS).save(tmp_path / "run")
    assert vb.verify(tmp_path / "run").ok
    assert vb.load_result(tmp_path / "run").run.source.name == "PolicySelector"


def test_rl01_states_and_selectors_that_may_not_be_are_refused() -> None:
    bars = vb.synthetic.gbm(120, 1, 11)
    with pytest.raises(ConfigError, match="trend_window is 0"):
        vb.MarketStates(trend_window=0)
    with pytest.raises(ConfigError, match="volume_bins is 13"):
        vb.MarketStates(volume_bins=13)
    with pytest.raises(ConfigError, match="trend_edges"):
        vb.MarketStates(trend_edges=(0.1, -0.1))
    with pytest.raises(ConfigError, match="no bar of 10 has a trend"):
        STATES.fit(bars[:10])
    with pytest.raises(ConfigError, match="no edges yet"):
        STATES.on(bars)
    with pytest.raises(ConfigError, match="have no edges"):
        _selector(bars, states=STATES)
    with pytest.raises(ConfigError, match="'trends', which is no member"):
        _selector(bars, policy=["trends"] * 18)
    with pytest.raises(ConfigError, match="has 5 names; expected 18"):
        _selector(bars, policy=["trend"] * 5)
    silent = vb.Bars.from_numpy(*(bars.block[k] for k in range(4)), index=bars.index, symbols=bars.symbols)
    with pytest.raises(InputError, match="volume_bins=1"):
        STATES.fit(silent)
    with pytest.raises(ConfigError, match="amounts, not opinions"):
        _selector(bars, members={"trend": vb.strategies.FixedWeights()}, policy=["trend"] * 18).rows(bars)
