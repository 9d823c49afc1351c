"""Permutation tests, on shuffled bars and with drawn entries, and trades in another order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from vecbt.analytics.luck.entries import Holdings
from vecbt.analytics.luck.permutation import PermutationTest
from vecbt.analytics.luck.rerun import metric_of
from vecbt.analytics.luck.shuffled import Moves, block_order
from vecbt.analytics.luck.trade_order import trade_order
from vecbt.analytics.sweep_lines import METRICS
from vecbt.data import synthetic
from vecbt.errors import ConfigError, InputError

COSTS = vb.Costs(commission_rate=0.001)


def rising_after_rise(count: int, seed: int) -> vb.Bars:
    """Prices whose moves go on: what a bar did says what the next one does."""
    rng = np.random.default_rng(seed)
    moves = np.empty(count)
    moves[0] = 0.0
    for t in range(1, count):
        moves[t] = 0.8 * moves[t - 1] + 0.004 * rng.standard_normal()
    close = 100.0 * np.exp(np.cumsum(moves))
    opened = np.concatenate([[100.0], close[:-1]])
    return vb.Bars.from_numpy(
        opened,
        np.maximum(opened, close) * 1.001,
        np.minimum(opened, close) * 0.999,
        close,
        index=np.datetime64("2020-01-01") + np.arange(count),
    )


# --- shuffled bars ---------------------------------------------------------------------------------------------------


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_an_order_of_blocks_is_a_permutation_that_keeps_the_first_bar_and_cuts_no_more_than_it_must(
    bars: int, block: int, seed: int
) -> None:
    order = block_order(bars, block, np.random.default_rng(seed))
    assert order[0] == 0 and sorted(order.tolist()) == list(range(bars))
    cuts = int((np.diff(order) != 1).sum())
    assert cuts <= 1 + math.ceil((bars - 1) / block) + 1


@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_shuffled_bars_are_bars_with_the_same_moves(seed: int, block: int) -> None:
    bars = synthetic.garch_jumps(40, N=3, seed=5)
    moves = Moves.of(bars)
    order = block_order(bars.T, block, np.random.default_rng(seed))
    found = moves.ordered(order)
    seen = ~np.isnan(found.close)
    assert (found.high[seen] >= np.maximum(found.open, found.close)[seen]).all()
    assert (found.low[seen] <= np.minimum(found.open, found.close)[seen]).all()
    assert np.allclose(found.close / found.open, (bars.close / bars.open)[order], equal_nan=True, rtol=1e-12)
    assert np.array_equal(found.volume, bars.volume[order], equal_nan=True)
    whole = seen.all(axis=0)
    assert np.allclose(found.close[-1, whole], bars.close[-1, whole], rtol=1e-10), "the product of all moves stays"
    assert np.array_equal(found.index, bars.index)


def test_the_old_order_gives_the_old_prices_with_dividends_in_them() -> None:
    plain = synthetic.gbm(30, N=2, seed=3)
    assert np.allclose(Moves.of(plain).ordered(np.arange(30)).block, plain.block, rtol=1e-12)
    close = np.array([100.0, 95.0, 95.0, 47.5])
    paying = vb.Bars.from_numpy(
        close, close, close, close, index=np.datetime64("2020-01-01") + np.arange(4), symbols=("X",),
        dividends={"X": {"2020-01-02": 5.0}}, splits={"X": {"2020-01-04": 2.0}},
    )  # fmt: skip
    again = Moves.of(paying).ordered(np.arange(4))
    assert np.allclose(again.close[:, 0], 100.0), "the dividend made up for the fall, the split was none"
    assert again.actions is None


def test_prices_that_may_be_negative_have_no_ratios() -> None:
    bars = vb.Bars.from_numpy(
        [1.0, -1.0], [1.0, -1.0], [1.0, -1.0], [1.0, -1.0], index=["2020-01-01", "2020-01-02"], allow_negative=True, asset_class="future"
    )
    with pytest.raises(ConfigError, match="may be negative"):
        Moves.of(bars)


# --- holdings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_holdings_at_their_own_times_are_the_run(fill: str) -> None:
    bars = synthetic.gbm(120, N=2, seed=8)
    rng = np.random.default_rng(4)
    entries, exits = rng.random((2, bars.T, bars.N)) < 0.08
    short = rng.random((bars.T, bars.N)) < 0.05
    kept = vb.Signals(entries & ~exits & ~short, exits & ~short, short & ~exits, exits & ~entries)
    run = vb.backtest(bars, kept, costs=COSTS, fill=fill).run
    held = Holdings.of(run)
    again = vb.backtest(bars, _signals(held.flags(None)), costs=COSTS, fill=fill).run
    assert len(run.trades) > 8
    assert again.equity.tobytes() == run.equity.tobytes()


def _signals(flags: np.ndarray) -> vb.Signals:
    parts = [(flags & bit) != 0 for bit in (vb.ENTER_LONG, vb.EXIT_LONG, vb.ENTER_SHORT, vb.EXIT_SHORT)]
    return vb.Signals(*parts)


@given(st.integers(0, 2**32 - 1))
def test_holdings_at_random_times_keep_number_sides_and_lengths(seed: int) -> None:
    bars = synthetic.gbm(90, seed=8)
    entries, exits = np.zeros((2, 90), dtype=bool)
    entries[[3, 20, 55]], exits[[9, 21, 70]] = True, True
    run = vb.backtest(bars, vb.Signals(entries, exits), costs=COSTS).run
    lengths = sorted((run.trades["exit_t"] - run.trades["entry_t"]).tolist())
    other = vb.backtest(bars, _signals(Holdings.of(run).flags(np.random.default_rng(seed))), costs=COSTS, liquidate_at_end=True).run
    found = sorted((other.trades["exit_t"] - other.trades["entry_t"]).tolist())
    assert len(found) <= 3 and (other.trades["side"] == 1).all()
    if other.trades["exit_t"].max() < 89:  # none was cut by the end
        assert found == lengths


# --- tests -----------------------------------------------------------------------------------------------------------


def test_a_planted_pattern_is_found_and_lost_when_bars_are_shuffled() -> None:
    result = vb.backtest(rising_after_rise(160, 2), vb.strategies.SmaCross(2, 5), costs=vb.Costs.free())
    found = result.permutation_test(n=39, seed=1, progress=False)
    assert found.p_value == 1 / 40 and found.runs == 39
    assert "shuffled bars" in str(found) and f"{found.p_value:.3g}" in str(found)
    assert np.array_equal(found.null, result.permutation_test(n=39, seed=1, progress=False).null), "the same seed, the same bits"


def test_perfect_timing_is_better_than_any_other() -> None:
    bars = synthetic.gbm(80, seed=3)
    up = np.append(np.diff(bars.open[:, 0]) > 0, False)
    wanted = np.append(up[1:], False)
    result = vb.backtest(bars, vb.Signals(wanted, ~wanted), costs=vb.Costs.free())
    found = result.permutation_test("total_return", kind="entries", n=39, progress=False)
    assert found.p_value == 1 / 40 and found.observed == pytest.approx(result.stats()["total_return"], rel=1e-12)


def test_lower_is_better_for_drawdowns() -> None:
    result = vb.backtest(rising_after_rise(120, 5), vb.strategies.SmaCross(2, 5), costs=vb.Costs.free())
    found = result.permutation_test("max_drawdown", n=19, progress=False)
    assert found.p_value == (1 + (found.null <= found.observed).sum()) / 20


def test_a_metric_of_a_run_is_that_of_its_statistics() -> None:
    result = vb.backtest(synthetic.gbm(60, seed=2), vb.strategies.SmaCross(2, 5), costs=COSTS)
    stats = result.stats()
    for name in METRICS:
        assert np.array_equal(metric_of(result.run, name)[0], float(stats[name]), equal_nan=True), name


def test_without_a_trade_there_is_no_p_value_and_the_reason_is_said() -> None:
    bars = synthetic.gbm(40, seed=2)
    never = np.zeros(40, dtype=bool)
    found = vb.backtest(bars, vb.Signals(never), costs=COSTS).permutation_test("win_rate", n=5, progress=False)
    assert math.isnan(found.p_value) and "undefined in the run itself (0 trades)" in found.reason and found.reason in str(found)


def test_bad_arguments_are_named() -> None:
    bars = synthetic.gbm(40, N=2, seed=2)
    result = vb.backtest(bars, vb.strategies.SmaCross(2, 5), costs=COSTS)
    for keywords, words in (
        ({"kind": "bar"}, "kind is 'bar'"), ({"n": 0}, "n is 0"), ({"block": 0}, "block is 0"), ({"block": 30}, "more than half"),
        ({"seed": -1}, "seed is -1"), ({"metric": "sharp"}, "sharpe"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            result.permutation_test(**{"n": 3, "progress": False, **keywords})
    with pytest.raises(ConfigError, match="account of its own"):
        vb.backtest(bars, vb.strategies.SmaCross(2, 5), costs=COSTS, accounts="separate").permutation_test(n=3)
    sized = vb.backtest(
        bars, vb.strategies.SmaCross(2, 5), costs=COSTS, sizing=vb.FixedFractionalSizing(0.01), stops=vb.Stops(hard=vb.Pct(0.05))
    )
    with pytest.raises(ConfigError, match=r"sizing=vb\.Weight"):
        sized.permutation_test(kind="entries", n=3)
    assert sized.permutation_test(kind="entries", n=3, sizing=vb.Weight(0.5), progress=False).runs == 3


def test_progress_is_told_and_can_be_off() -> None:
    result = vb.backtest(synthetic.gbm(40, seed=2), vb.strategies.SmaCross(2, 5), costs=COSTS)
    told: list[tuple[int, int]] = []
    result.permutation_test(n=4, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bars", "entries"])
def test_under_the_null_p_values_are_uniform(kind: str) -> None:
    """Kolmogorov–Smirnov over 200 walks without a pattern, 39 random runs each; 1.95 is the 0.1 % bound."""
    p = []
    for seed in range(200):
        result = vb.backtest(synthetic.gbm(150, seed=seed), vb.strategies.SmaCross(3, 10), costs=vb.Costs.free())
        p.append(result.permutation_test("total_return", kind=kind, n=39, seed=seed, progress=False).p_value)  # type: ignore[arg-type]
    grid = np.arange(1, 41) / 40
    distance = max(abs((np.array(p) <= x + 1e-12).mean() - x) for x in grid)
    assert distance < 1.95 / math.sqrt(200)


# --- order of trades -------------------------------------------------------------------------------------------------


def test_paths_of_trades_are_those_of_a_plain_loop() -> None:
    returns = np.array([0.1, -0.2, 0.05, -0.3, 0.3])
    for replace in (True, False):
        found = trade_order(returns, n=50, ruin=0.4, fraction=1.5, replace=replace, seed=3)
        rng, ruined = np.random.default_rng(3), 0
        growth = np.maximum(1.0 + 1.5 * returns, 0.0)
        drawn = rng.choice(growth, size=(50, 5)) if replace else rng.permuted(np.tile(growth, (50, 1)), axis=1)
        for k in range(50):
            level = peak = lowest = 1.0
            deepest = 0.0
            for step in drawn[k]:
                level *= step
                peak, lowest = max(peak, level), min(lowest, level)
                deepest = max(deepest, 1.0 - level / peak)
            ruined += lowest <= 0.4
            assert found.total_return[k] == level - 1.0 and found.max_drawdown[k] == deepest
        assert found.ruined == ruined / 50 and 0.0 < found.ruined < 1.0
        assert found.error == pytest.approx(math.sqrt(found.ruined * (1 - found.ruined) / 50))


def test_in_random_order_the_product_stays_and_paths_in_pieces_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from vecbt.analytics.luck import trade_order as module

    returns = np.random.default_rng(0).normal(0.01, 0.05, 30)
    found = trade_order(returns, n=200, replace=False)
    assert np.allclose(found.total_return, np.prod(1.0 + returns) - 1.0, rtol=1e-12)
    whole = trade_order(returns, n=200, seed=4)
    monkeypatch.setattr(module, "_AT_ONCE", 7 * 30)
    assert np.array_equal(trade_order(returns, n=200, seed=4).max_drawdown, whole.max_drawdown)


def test_ruin_of_a_coin_is_that_of_the_formula() -> None:
    """Doubling or losing all, ten times: ruin is 1 - 2**-10; within four standard errors."""
    found = trade_order([1.0, -1.0] * 5, n=4000, ruin=0.0)
    exact = 1.0 - 0.5**10
    assert abs(found.ruined - exact) <= 4.0 * math.sqrt(exact * (1 - exact) / 4000)


def test_trades_of_a_run_and_too_few_of_them() -> None:
    result = vb.backtest(rising_after_rise(120, 1), vb.strategies.SmaCross(2, 5), costs=COSTS, sizing=vb.Weight(1.0))
    found = result.trade_order(n=100)
    assert found.trades == len(result.trades) and found.table.loc[0.5, "max_drawdown"] >= 0.0
    assert "drawn with replacement" in str(found)
    none = trade_order([0.1])
    assert "at least 2" in none.reason and math.isnan(none.ruined) and np.isnan(none.table.to_numpy()).all() and str(none) == none.reason
    for bad in ({"n": 0}, {"ruin": 1.0}, {"fraction": 0.0}, {"replace": 1}, {"seed": -1}):
        with pytest.raises(ConfigError, match=f"{next(iter(bad))} is"):
            trade_order([0.1, 0.2], **bad)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not finite"):
        trade_order([0.1, np.nan])


def test_pictures_are_drawn() -> None:
    result = vb.backtest(rising_after_rise(120, 1), vb.strategies.SmaCross(2, 5), costs=COSTS)
    test = result.permutation_test(n=19, progress=False)
    texts = [text.get_text() for text in test.plot().axes[0].texts]
    assert texts and texts[0].startswith("the run: ")
    assert len(result.trade_order(n=50).plot().axes) == 2
    undefined = PermutationTest("bars", "sharpe", math.nan, np.full(3, np.nan), math.nan, 1, 0, "why")
    assert not list(undefined.plot().axes[0].texts)
