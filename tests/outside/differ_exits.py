"""Differences about protective exits (P, T4, T5): each a small example that shows it."""

from __future__ import annotations

from typing import Any

import vecbt as vb
from tests.outside.difference import held, next_bar, number, reach, refused, row, their_fills
from tests.outside.outside import Answer
from tests.rules.helpers import bars_of, run, signals

__all__ = ["EXITS"]

STOP = vb.Stops(hard=0.05)
BOTH = vb.Stops(hard=0.05, take_profit=0.1)
SLIPPAGE = vb.Costs(slippage_bps=100)

SAME_BAR = bars_of([100, (100, 101, 90, 98), (92, 93, 91, 92)])
EXIT_AT_OPEN = bars_of([100, 100, (100, 101, 90, 91)])
PAST_THE_TARGET = bars_of([100, (112, 113, 94, 96)])
TO_THE_TARGET = bars_of([100, (105, 115, 105, 112)])
TO_THE_STOP = bars_of([100, (99, 99, 90, 92)])
MOVED_AFTER_ENTRY = bars_of([100, (100, 105, 100, 104), (103, 103, 94, 96)])
FALLING = bars_of([100, (90, 90, 60, 60), (50, 50, 40, 40)])
STOPPED = bars_of([100, (99, 99, 94, 96), 96, 96])


def _exit_price(bars: vb.Bars, given: Any, stops: vb.Stops, **keywords: Any) -> str:
    return number(run(bars, given, stops=stops, sizing=vb.Units(5), **keywords).fills[-1].price)


def _their_exit_price(answer: Answer) -> str:
    return number(their_fills(answer)[-1].price)


MARKET: dict[str, Any] = {"size": 5.0, "stop_entry_price": "fillprice", "stop_exit_price": "stopmarket"}

EXITS = (
    row(
        "The bar of the entry", SAME_BAR, next_bar(signals("L")), price=SAME_BAR.open, sl_stop=0.05, **MARKET, **reach(SAME_BAR),
        ours=lambda: _exit_price(SAME_BAR, signals("L"), STOP),
        theirs=_their_exit_price,
    ),
    row(
        "An order at the open, then a stop", EXIT_AT_OPEN, next_bar(signals("L l")), price=EXIT_AT_OPEN.open, sl_stop=0.05, **MARKET,
        **reach(EXIT_AT_OPEN),
        ours=lambda: _exit_price(EXIT_AT_OPEN, signals("L l"), STOP),
        theirs=_their_exit_price,
    ),
    row(
        "An open past the target, then the stop", PAST_THE_TARGET, signals("L"), sl_stop=0.05, tp_stop=0.1, **MARKET,
        **reach(PAST_THE_TARGET),
        ours=lambda: _exit_price(PAST_THE_TARGET, signals("L"), BOTH, fill="close"),
        theirs=_their_exit_price,
    ),
    row(
        "Slippage of a target", TO_THE_TARGET, signals("L"), tp_stop=0.1, slippage=0.01, **MARKET, **reach(TO_THE_TARGET),
        ours=lambda: _exit_price(TO_THE_TARGET, signals("L"), vb.Stops(take_profit=0.1), costs=SLIPPAGE, fill="close"),
        theirs=_their_exit_price,
    ),
    row(
        "Slippage of a stop", TO_THE_STOP, signals("L"), size=5.0, sl_stop=0.05, slippage=0.01, stop_entry_price="fillprice",
        **reach(TO_THE_STOP),
        ours=lambda: _exit_price(TO_THE_STOP, signals("L"), STOP, costs=SLIPPAGE, fill="close"),
        theirs=_their_exit_price,
    ),
    row(
        "Where the distance is measured from", MOVED_AFTER_ENTRY, next_bar(signals("L")), size=5.0, sl_stop=0.05,
        price=MOVED_AFTER_ENTRY.open, **reach(MOVED_AFTER_ENTRY),
        ours=lambda: _exit_price(MOVED_AFTER_ENTRY, signals("L"), STOP),
        theirs=_their_exit_price,
    ),
    row(
        "A distance without a unit", FALLING, signals("L"), size=5.0, sl_stop=20.0, **reach(FALLING),
        ours=lambda: refused(lambda: vb.Stops(hard=20)),
        theirs=lambda answer: f"{len(their_fills(answer)) - 1} exits",
    ),
    row(
        "A stop made a signal", TO_THE_STOP, signals("L"), function="from_stop_signals", size=5.0, sl_stop=0.05, **reach(TO_THE_STOP),
        ours=lambda: _exit_price(TO_THE_STOP, signals("L"), STOP, fill="close"),
        theirs=_their_exit_price,
    ),
    row(
        "An exit after the stop", STOPPED, signals("L . l"), size=5.0, sl_stop=0.05, direction="both", **reach(STOPPED),
        ours=lambda: number(run(STOPPED, signals("L . l"), stops=STOP, sizing=vb.Units(5), fill="close").held()),
        theirs=lambda answer: number(held(answer)),
    ),
)  # fmt: skip
"""In the order of the table."""
