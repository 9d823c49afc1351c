"""Differences about fills, sizes and cash (T, F, S, W): each a small example that shows it."""

from __future__ import annotations

from typing import Any

import vecbt as vb
from tests.outside.difference import held, next_bar, number, refused, row, their_fills
from tests.outside.outside import Answer
from tests.rules.helpers import bars_of, quantities, run, signals, weights

__all__ = ["MONEY"]

SHARED: dict[str, Any] = {"cash_sharing": True, "group_by": True}
FLAT = bars_of([100, 100, 100])
RISING = bars_of([(100, 110, 100, 110), (112, 113, 111, 112)])
JUMPING = bars_of([100, 110])
GAPPED = bars_of([100, None, 120])
FALLEN = bars_of([100, 80])
RUINED = bars_of([100, 250, 100])
TENTHS = bars_of([100, 100, 100], lot=0.1)
TWO = bars_of({"A": [100, 100], "B": [100, 100]})
THREE = bars_of({"A": [100, 100], "B": [100, 100], "C": [100, 100]})


def _ours(bars: vb.Bars, given: Any, **keywords: Any) -> str:
    """What is held in the end, asset by asset."""
    outcome = run(bars, given, **keywords)
    return ", ".join(number(outcome.held(symbol)) for symbol in bars.symbols)


def _theirs(answer: Answer) -> str:
    return ", ".join(number(held(answer, n)) for n in range(answer["assets"]))


MONEY = (
    row(
        "When an order fills", RISING, signals("L"),
        ours=lambda: number(run(RISING, signals("L")).fills[0].price),
        theirs=lambda answer: number(their_fills(answer)[0].price),
    ),
    row(
        "Costs that are not said", FLAT, signals("L"),
        ours=lambda: refused(lambda: vb.backtest(FLAT, signals("L")(FLAT))),
        theirs=lambda answer: number(their_fills(answer)[0].fee),
    ),
    row(
        "Size and account that are not said", TWO, signals({"A": "L", "B": "L"}),
        ours=lambda: _ours(TWO, signals({"A": "L", "B": "L"}), fill="close"),
        theirs=_theirs,
    ),
    row(
        "Money made units, for the next open", JUMPING, next_bar(signals("L")), size=550.0, size_type="value", price=JUMPING.open,
        ours=lambda: _ours(JUMPING, signals("L"), sizing=vb.Notional(550)),
        theirs=_theirs,
    ),
    row(
        "A bar without a market", GAPPED, next_bar(signals("L")), size=5.0, price=GAPPED.open,
        ours=lambda: _ours(GAPPED, signals("L"), sizing=vb.Units(5)),
        theirs=_theirs,
    ),
    row(
        "An exit where entries add", FLAT, signals("L L l"), size=3.0, accumulate=True,
        ours=lambda: _ours(FLAT, signals("L L l"), sizing=vb.Units(3), accumulate=True, fill="close"),
        theirs=_theirs,
    ),
    row(
        "Scarce cash", THREE, signals({"A": "L", "B": "L", "C": "L"}), size=500.0, size_type="value", **SHARED,
        ours=lambda: _ours(THREE, signals({"A": "L", "B": "L", "C": "L"}), sizing=vb.Notional(500), fill="close"),
        theirs=_theirs,
    ),
    row(
        "Weights of all there is, with costs", TWO, weights({"A": [0.5], "B": [0.5]}), function="from_orders",
        fees=0.01, size_type="targetpercent", call_seq="auto", **SHARED,
        ours=lambda: _ours(TWO, weights({"A": [0.5], "B": [0.5]}), costs=vb.Costs(commission_rate=0.01), fill="close"),
        theirs=_theirs,
    ),
    row(
        "Proceeds of shorts", TWO, signals({"A": "S", "B": ". L"}), size=10.0, **SHARED,
        ours=lambda: _ours(TWO, signals({"A": "S", "B": ". L"}), sizing=vb.Units(10), fill="close"),
        theirs=_theirs,
    ),
    row(
        "Size of shorts", FLAT, signals("S"), size=50.0,
        ours=lambda: _ours(FLAT, signals("S"), sizing=vb.Units(50), fill="close"),
        theirs=_theirs,
    ),
    row(
        "Adding to a short", FALLEN, signals("S S"), size=0.5, size_type="percent", accumulate="addonly",
        ours=lambda: _ours(FALLEN, signals("S S"), sizing=vb.Cash(0.5), accumulate=True, fill="close"),
        theirs=_theirs,
    ),
    row(
        "A loss beyond the equity", RUINED, signals("S s"), size=10.0,
        ours=lambda: number(run(RUINED, signals("S s"), sizing=vb.Units(10), fill="close").equity[-1]),
        theirs=lambda answer: number(float(answer["value"][-1, 0])),
    ),
    row(
        "A sale smaller than its fee", FLAT, signals("L l"), size=0.05, fixed_fees=7.5,
        ours=lambda: _ours(FLAT, signals("L l"), sizing=vb.Units(0.05), costs=vb.Costs(per_order=7.5), fill="close"),
        theirs=_theirs,
    ),
    row(
        "Lots that are no binary fractions", TENTHS, signals("L"), size=0.7, size_granularity=0.1,
        ours=lambda: _ours(TENTHS, signals("L"), sizing=vb.Units(0.7), fill="close"),
        theirs=_theirs,
    ),
    row(
        "Closing, with lots", TENTHS, signals("L l"), size=0.6, size_granularity=0.1,
        ours=lambda: _ours(TENTHS, signals("L l"), sizing=vb.Units(0.6), fill="close"),
        theirs=_theirs,
    ),
    row(
        "The smallest order", FLAT, quantities([5e-9]), function="from_orders", min_size=None,
        ours=lambda: _ours(FLAT, quantities([5e-9]), fill="close"),
        theirs=_theirs,
    ),
    row(
        "A part of the cash, reversing", FLAT, signals("L S"), size=0.5, size_type="percent",
        ours=lambda: _ours(FLAT, signals("L S"), sizing=vb.Cash(0.5), fill="close"),
        theirs=lambda answer: str(answer["error"]).partition(":")[0],
    ),
    row(
        "A part of the cash, sold short, with a fee an order", FLAT, signals("S"), size=0.5, size_type="percent", fixed_fees=100.0,
        ours=lambda: _ours(FLAT, signals("S"), sizing=vb.Cash(0.5), costs=vb.Costs(per_order=100), fill="close"),
        theirs=_theirs,
    ),
)  # fmt: skip
"""In the order of the table."""
