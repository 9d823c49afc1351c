"""Rows of orders over which the two engines once disagreed and the engine was wrong, shrunk, each with the rule that decides it."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

import pytest

from tests.fuzz.compare import disagreements, run_engine
from tests.naive.build import bars, flat, scenario
from tests.naive.resting_rows import Ask
from tests.naive.scenario import Costs, Limits, Risk, Scenario
from vecbt.core.codes import OrderStatus, rule_names

EIGHTH, THIRTY_SECOND = F(1, 8), F(1, 32)
QUIET = (16, 16, 16, 16, 64)


def _orders(table: Any, asks: dict[int, list[Any]], **other: Any) -> Scenario:
    """Rows by bar; 1024 of capital."""
    return scenario(table, "orders", [asks.get(t, []) for t in range(len(table.close))], **{"capital": 1024, **other})


def _volume_that_room_leaves_meets_the_next_group() -> Scenario:
    """F7: the purchase of 8 closes 7 and has no room for 1 more; that unit of volume goes to the sale, which is refused for room."""
    table = bars([QUIET, QUIET, (61, 61, 61, 61, 64)])
    asks = {1: [Ask(0, 8, "limit", limit=62), Ask(0, -1, "limit", limit=59, priority=F(1, 2))]}
    return _orders(table, asks, participation=EIGHTH, positions={0: (-7, 16)}, capital=464)


def _volume_of_a_fok_that_leaves_is_free() -> Scenario:
    """F7, O3: the FOK takes all volume, has no room for 40 at 32 and goes; the stop of T5 finds the volume again."""
    table = bars([QUIET, (32, 32, 32, 32, 320)])
    return _orders(table, {0: [Ask(0, 40, tif="fok"), Ask(0, -1, "stop", stop=34)]}, participation=EIGHTH)


def _fok_closes_what_it_can_close_whole() -> Scenario:
    """O3: each part of a FOK that crosses zero by itself; there is volume for the 2 it closes, for 2 more there is not."""
    return _orders(bars([QUIET, QUIET]), {0: [Ask(0, 4, tif="fok")]}, participation=THIRTY_SECOND, positions={0: (-2, 16)})


def _a_reduction_that_volume_cuts_is_not_refused_yet() -> Scenario:
    """O6, F7: held 4, to sell 8 with `direction="long"`, 2 a bar: nothing is refused while volume is what is missing."""
    table = bars([QUIET, (13, 14, 13, 13, 64), (13, 13, 13, 13, 64)])
    asks = {0: [Ask(0, -8, "limit", limit=F(27, 2))]}
    return _orders(table, asks, participation=THIRTY_SECOND, direction="long", positions={0: (4, 12)})


def _a_reduction_without_volume_keeps_its_quantity() -> Scenario:
    """O6, F7: the purchase takes all volume at the open; the sale that triggers after it waits with its 40 units, not with the 12 held."""
    table = bars([QUIET, (16, 16, 16, 16, 256), *[QUIET] * 2])
    asks = {0: [Ask(0, 40), Ask(0, -40, "stop", stop=20, reduce_only=True)]}
    return _orders(table, asks, participation=THIRTY_SECOND, positions={0: (4, 16)}, capital=4096)


def _a_split_rounds_no_order_of_the_book() -> Scenario:
    """T1, F5: ten for one leaves 0.4 of 4 units, paid out; the sale of what was 4 finds nothing to reduce, and no lot had a part in it."""
    table = bars([QUIET, (160, 160, 160, 160, 64)], lot=[4], splits={(1, 0): F(1, 10)})
    return _orders(table, {0: [Ask(0, -4, reduce_only=True)]}, positions={0: (4, 16)})


def _a_crossing_order_takes_room_for_what_it_opens() -> Scenario:
    """T5: the sale of the first group closes part of the purchase beside it; its commission of 1 takes no room from the second group."""
    table = bars([*flat(16, 1), *flat(27, 1)])
    first = [Ask(0, 40, "stop", stop=20), Ask(0, -1, "limit", limit=20)]
    return _orders(table, {0: [Ask(0, -1, "limit", limit=25, priority=F(1, 2)), *first]}, costs=Costs(per_order=1))


def _a_trailing_order_follows_the_whole_bar() -> Scenario:
    """O5, P8: a sale inside bar 2 is followed by no more than the close, for the position it opens; the trailing order's high is 38."""
    table = bars([None, (35, 35, 35, 35), (36, 38, 34, 36), (36, 36, 34, 36)])
    asks = {0: [Ask(0, -1, "trailing", trail_by=3)], 1: [Ask(0, F(-5, 2), "stop_limit", stop=F(69, 2), limit=35)]}
    return _orders(table, asks, intrabar="optimistic")


def _orders_of_one_asset_share_a_position() -> Scenario:
    """Z7, F10: 2 and 40 at 50 share a position of 105 by one factor; the first one does not take all."""
    return _orders(bars(flat(50, 2)), {0: [Ask(0, 2), Ask(0, 40)]}, risk=Risk(limits=Limits(position_value=105)))


def _a_waiting_order_counts_by_the_position_of_now() -> Scenario:
    """Z7: a resting sale of what was held when it was given would open a short, once a market order has sold that."""
    asks = {0: [Ask(0, -4, "limit", limit=60)], 1: [Ask(0, -4)], 2: [Ask(1, -8)]}
    return _orders(bars(flat(50, 4), flat(50, 4)), asks, positions={0: (4, 50)}, risk=Risk(limits=Limits(gross=F(1, 4))))


def _limits_bind_an_emptied_account() -> Scenario:
    """F15, Z7: of an equity of nothing, half is nothing: an order that would wait for its fill is refused."""
    given: dict[str, Any] = {"flows": {1: -1024}, "risk": Risk(limits=Limits(gross=F(1, 2)))}
    return _orders(bars([QUIET] * 4), {2: [Ask(0, 1)]}, **given)


SCENARIOS = [value for name, value in sorted(globals().items()) if name.startswith("_") and getattr(value, "__module__", "") == __name__]
SCENARIOS.remove(_orders)


@pytest.mark.parametrize("make", SCENARIOS, ids=lambda make: make.__name__.strip("_"))
def test_engines_agree(make: Any) -> None:
    """The same events and values from both engines."""
    assert disagreements(make()) == []


def test_regressions_still_reach_what_they_were_made_for() -> None:
    """A scenario whose fill or refusal has gone would agree for nothing."""
    reached = {
        _limits_bind_an_emptied_account: ["rejected: gross"],
        _volume_that_room_leaves_meets_the_next_group: ["partial: cash", "rejected: cash"],
        _volume_of_a_fok_that_leaves_is_free: ["rejected: cash", "filled: "],
        _fok_closes_what_it_can_close_whole: ["partial: volume"],
        _a_reduction_that_volume_cuts_is_not_refused_yet: ["pending: "],
        _a_reduction_without_volume_keeps_its_quantity: ["pending: ", "pending: "],
        _a_split_rounds_no_order_of_the_book: ["rejected: reduce_only", "filled: "],
        _a_crossing_order_takes_room_for_what_it_opens: ["partial: cash"] * 3,
        _a_trailing_order_follows_the_whole_bar: ["filled: ", "filled: "],
        _orders_of_one_asset_share_a_position: ["partial: position", "partial: position"],
        _a_waiting_order_counts_by_the_position_of_now: ["pending: ", "filled: ", "partial: gross"],
    }
    for make, words in reached.items():
        orders = sorted(run_engine(make()).orders, key=lambda o: int(o.id))
        assert [f"{OrderStatus(o.status).name.lower()}: {rule_names(int(o.cut_by))}" for o in orders] == words
