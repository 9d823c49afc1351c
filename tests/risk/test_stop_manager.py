"""Stops by hand (STP-03, STP-04): the same levels as a run, for both sides, and a trail that only ratchets."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from tests.rules.helpers import bars_of, run, signals
from vecbt.errors import ConfigError

MANAGER = vb.StopLossManager(stop_loss_pct=0.02, take_profit_pct=0.04)


@pytest.mark.parametrize(
    ("price", "long", "short"),
    [
        (98, "stop_loss", "hold"),
        (98.01, "hold", "hold"),
        (100, "hold", "hold"),
        (102, "hold", "stop_loss"),
        (101.99, "hold", "hold"),
        (104, "take_profit", "stop_loss"),
        (103.99, "hold", "stop_loss"),
        (96, "stop_loss", "take_profit"),
        (150, "take_profit", "stop_loss"),
        (50, "stop_loss", "take_profit"),
    ],
)
def test_STP03_both_sides_at_an_entry_of_100(price: float, long: str, short: str) -> None:
    """Stop 2 %, target 4 %; a price at a level is met."""
    assert MANAGER.check_exit_conditions(100, price, "long") == long
    assert MANAGER.check_exit_conditions(entry_price=100, current_price=price, position_type="short") == short


def test_STP03_a_run_with_these_stops_exits_where_the_manager_says() -> None:
    """Closes only, long from 100: 98.5 and 101 hold, 97 is the stop."""
    out = run(bars_of([100, 100, 98.5, 101, 97]), signals("L"), stops=MANAGER.stops(), sizing=vb.Units(1))
    assert out.exits() == [(4, 97, "stop")]
    assert [MANAGER.check_exit_conditions(100, p, "long") for p in (98.5, 101, 97)] == ["hold", "hold", "stop_loss"]


def test_STP04_the_dynamic_stop_never_follows_the_price_down() -> None:
    """Entry 100, ATR 2, two of them: 96; at 110 it is 106; back at 104 it stays at 106, and is hit."""
    trail = MANAGER.trail(100)
    assert math.isnan(trail.stop) and not trail.is_hit(1)
    assert [trail.update(price, 2.0) for price in (100, 99, 110, 104)] == [96, 96, 106, 106]
    assert trail.is_hit(106) and trail.is_hit(104) and not trail.is_hit(106.01)
    assert trail.update(107, 5.0) == 106  # a wider range does not lower it


def test_STP04_shorts_mirror_longs() -> None:
    trail = MANAGER.trail(100, "short")
    assert [trail.update(price, 2.0) for price in (100, 101, 90, 96)] == [104, 104, 94, 94]
    assert trail.is_hit(94) and not trail.is_hit(93.99)


def test_STP04_one_call_takes_the_stop_so_far() -> None:
    assert MANAGER.dynamic_stop_loss(100, 95, 2.0) == 96  # in loss: from the entry
    assert MANAGER.dynamic_stop_loss(entry_price=100, current_price=110, volatility=2.0) == 106
    assert MANAGER.dynamic_stop_loss(100, 104, 2.0, previous_stop=106) == 106
    assert MANAGER.dynamic_stop_loss(100, 96, 2.0, "short", previous_stop=94) == 94
    assert vb.StopLossManager(atr_multiplier=3).dynamic_stop_loss(100, 110, 2.0) == 104


def test_STP04_a_run_trails_by_the_same_levels() -> None:
    """Entered at 100; two true ranges of the last bar, 2, 10 and 2, from earlier highs: 97, still 97, then 106, which bar 4 meets."""
    prices = [(100, 101, 99, 100), (100, 101, 99, 100), (109, 110, 108, 109), (109, 110, 108, 109), (107, 108, 106, 107)]
    out = run(bars_of(prices), signals("L"), stops=vb.Stops(trailing=vb.Atr(2), atr_window=1), sizing=vb.Units(1))
    trail = MANAGER.trail(100)
    assert [trail.update(high, true_range) for high, true_range in ((101, 2), (110, 10), (110, 2))] == [97, 97, 106]
    assert out.exits() == [(4, 106, "trail")]


@given(prices=st.lists(st.floats(1, 1_000), min_size=1, max_size=30), side=st.sampled_from(["long", "short"]))
def test_STP04_a_trail_only_ratchets(prices: list[float], side: str) -> None:
    trail = MANAGER.trail(100, side)
    levels = [trail.update(price, 1.0) for price in prices]
    sign = 1 if side == "long" else -1
    assert all((b - a) * sign >= 0 for a, b in itertools.pairwise(levels))


def test_what_cannot_be_is_refused() -> None:
    for wrong, message in (
        ({"stop_loss_pct": 2}, "2 % is 0.02"),
        ({"take_profit_pct": 0}, "take_profit_pct is 0"),
        ({"atr_multiplier": 0}, "Atr"),
    ):
        with pytest.raises(ConfigError, match=message):
            vb.StopLossManager(**wrong)
    with pytest.raises(ConfigError, match="position_type is 'lnog'; expected 'long' or 'short'"):
        MANAGER.check_exit_conditions(100, 100, "lnog")
    with pytest.raises(ConfigError, match="entry_price is 0; expected a price > 0"):
        MANAGER.check_exit_conditions(0, 100, "long")
    with pytest.raises(ConfigError, match="volatility is nan"):
        MANAGER.dynamic_stop_loss(100, 100, math.nan)
