"""Which data are the same, which overlap, and which are others."""

from __future__ import annotations

import numpy as np
import pytest

import vecbt as vb
from tests.ledger.ledgers import days, other_prices, run
from vecbt.ledger.blocks import block_keys, period_of
from vecbt.ledger.store import current


def _tried_on(bars: vb.Bars) -> int:
    return vb.ledger.trials(bars).count


def test_one_more_bar_wipes_nothing_clean() -> None:
    bars = days()
    run(bars[:-1], 2)
    run(bars[:-1], 3)
    assert _tried_on(bars) == 2
    assert run(bars, 3).trials.count == 2, "the same configuration on one more bar is the same trial"
    assert run(bars, 4).trials.count == 3 == _tried_on(bars[:-1])


def test_another_start_and_a_slice_overlap() -> None:
    bars = days()
    run(bars)
    assert _tried_on(bars[37:]) == 1
    assert _tried_on(bars["2000-05-01":"2000-08-01"]) == 1
    assert vb.ledger.trials(bars[37:]).data_sets == 1


def test_some_of_the_symbols_overlap_and_are_configurations_of_their_own() -> None:
    bars = days()
    run(bars)
    alone = run(bars.select("IBM")).trials
    assert alone.count == 2 and alone.data_sets == 2
    assert _tried_on(bars.select(["IBM", "AAPL"])) == 2
    assert run(bars.select(["IBM", "AAPL"])).trials.count == 2, "the order of the symbols is none of the configuration"


def test_other_data_are_others() -> None:
    bars = days()
    run(bars)
    assert _tried_on(days("MSFT")) == 0
    assert _tried_on(vb.samples.load("us_daily", symbols=["AAPL", "IBM"])["2003":"2004"]) == 0
    assert _tried_on(other_prices(bars, lambda field: field[::-1])) == 0


def test_prices_adjusted_anew_or_in_another_unit_are_the_same_data() -> None:
    bars = days()
    run(bars)
    assert _tried_on(other_prices(bars, lambda field: field * 0.98765)) == 1
    half = np.where(np.arange(bars.T) < 200, 0.5, 1.0)[:, None]
    assert _tried_on(other_prices(bars, lambda field: field * half)) == 1
    assert _tried_on(other_prices(bars, lambda field: field * 1.0, asset_class="crypto")) == 1


def test_one_price_changes_its_month_and_no_other() -> None:
    bars = days("AAPL")
    close = np.array(bars.close)
    close[130] *= 1.0001
    fields = [np.array(f) for f in (bars.open, bars.high, bars.low)]
    fields[1][130], fields[2][130] = max(fields[1][130, 0], close[130, 0]), min(fields[2][130, 0], close[130, 0])
    changed = vb.Bars.from_numpy(*fields, close, index=bars.index, symbols=bars.symbols)
    assert (block_keys(bars) != block_keys(changed)).sum() == 1


def test_symbols_share_no_hash_and_their_names_do_not_count() -> None:
    bars = days()
    keys = block_keys(bars)
    assert len(np.unique(keys)) == len(keys) and len(keys) % 2 == 0
    renamed = vb.Bars.from_numpy(*(f.copy() for f in (bars.open, bars.high, bars.low, bars.close)), index=bars.index, symbols=("X", "Y"))
    assert np.array_equal(block_keys(renamed), keys)
    assert np.array_equal(block_keys(bars.select("IBM")), keys[len(keys) // 2 :])


def test_bars_without_a_market_or_without_moves_say_nothing() -> None:
    flat = other_prices(days(), lambda field: np.full_like(field, 5.0))
    assert len(block_keys(flat)) == 0
    run(flat)
    assert run(flat, 4).trials.count == 2, "such data are known as a whole"
    assert _tried_on(flat[:-1]) == 0


def test_gaps_and_prices_below_zero_are_hashed_without_a_warning() -> None:
    draw = np.random.default_rng(8)
    close = draw.normal(0.0, 1.0, (200, 3))
    close[20:90, 1] = np.nan
    close[::2, 2] = 1e-250
    wide = [close, np.maximum(close, 1e-3), np.minimum(close, -1e-3), close]
    index = np.datetime64("2024-01-01", "ns") + np.arange(200) * np.timedelta64(1, "D")
    bars = vb.Bars.from_numpy(*wide, index=index, symbols=list("ABC"), asset_class="crypto", missing="no_market", allow_negative=True)
    keys = block_keys(bars)
    assert len(np.unique(keys)) == len(keys) >= 15
    assert np.isin(block_keys(bars[:150]), keys).sum() >= 10


@pytest.mark.parametrize(
    ("step", "period"), [("1s", "hour"), ("1m", "day"), ("30m", "day"), ("1h", "week"), ("4h", "week"), ("1D", "month"), ("7D", "year")]
)
def test_parts_have_some_tens_of_bars(step: str, period: str) -> None:
    length = np.timedelta64(int(step[:-1]), step[-1])
    assert period_of(int(length.astype("m8[ns]").astype(np.int64))) == period


def test_hourly_and_minute_bars_overlap_too() -> None:
    for step, count in (("h", 24 * 20), ("m", 60 * 24 * 3)):
        prices = 100.0 * np.exp(np.cumsum(np.random.default_rng(3).normal(0.0, 0.01, count)))
        index = np.datetime64("2024-01-01", "ns") + np.arange(count) * np.timedelta64(1, step)
        bars = vb.Bars.from_numpy(prices, prices, prices, prices, index=index, asset_class="crypto")
        run(bars[:-5])
        assert _tried_on(bars[7:]) == 1, step


def test_many_slices_of_a_panel_take_little_room() -> None:
    bars = days()
    run(bars)
    for first in range(10, 100, 10):
        run(bars[first:], 4)
    with current().reading() as execute:
        sizes = [len(body) for (body,) in execute("SELECT body FROM records WHERE kind='data' ORDER BY n")]
    assert len(sizes) == 10 and all(size < sizes[0] / 2 for size in sizes[1:])
    assert vb.ledger.trials(bars).count == 2
