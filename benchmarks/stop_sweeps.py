"""W3b: a sweep of hard stops, trailing stops and targets over entries at random, against a hand-written loop on as many threads."""

from __future__ import annotations

from typing import Any

import vecbt as vb

from . import work
from .cases import KEYWORDS
from .sweep_loops import ROOFLINE_MS, stops
from .sweeps import ASKED, bounds, compared
from .table import Row, in_turn, least

FULL = 8_000 * 5_000
"""Sets times bars of the workload as it is defined."""


def exits(count: int = 5_000, each: int = 20, calls: int = 3) -> list[Row]:
    """W3b: all cash in at the close of an entry, out at the first of three levels; `each` values of every level."""
    data, entries = work.walk_of_w3(count)
    bars = vb.Bars.from_numpy(**data, index=work.days(count), symbols=("X",), asset_class="crypto")
    names = ("stops.hard", "stops.trailing", "stops.take_profit")
    space = dict(zip(names, work.levels_of_w3(each), strict=True))
    levels = work.grid(*space.values())
    keywords: dict[str, Any] = KEYWORDS | {"costs": vb.Costs(commission_rate=work.COMMISSION_RATE)}

    def loop(threads: int) -> work.Array:
        return stops(data, entries, (levels[0], levels[1], levels[2]), (work.COMMISSION_RATE, True), work.CASH, threads)

    def sweep(threads: int, **more: Any) -> vb.Sweep:
        options = {"metrics": ASKED, "threads": threads, "progress": False, **keywords, **more}
        return vb.sweep(bars, vb.Signals(entries=entries[:, None]), space, **options)

    compared(sweep(2), loop(2), bars.market.periods_per_year or 0.0, "W3b")
    sets, rows = each**3, []
    cases: list[tuple[int, str, dict[str, Any]]] = [
        (1, "", {}), (2, "", {}), (1, ", no block sums", {"blocks": False}), (1, ", all metrics", {"metrics": None}),
    ]  # fmt: skip
    for threads, also, more in cases:
        taken, reference = in_turn(lambda n=threads, m=more: sweep(n, **m), lambda n=threads: loop(n), calls)  # type: ignore[misc]
        what = f"{sets:,} sets of stops and targets x {count:,} bars, threads: {threads}{also}"
        said = f"hand-written loop on as many {reference * 1e3:.1f} ms; {sets * count / taken / 1e6:,.0f} M bar-steps/s"
        rows.append(Row("W3b", what, taken / reference, "x loop", said, *bounds(more)))
    if sets * count == FULL:
        alone = least(lambda: loop(1))
        said = f"{alone * 1e3:.1f} ms on one thread at best, there {ROOFLINE_MS['W3']:g} ms"
        rows.append(Row("W3b", "the loop itself against a quicker machine's", alone * 1e3 / ROOFLINE_MS["W3"], "x", said, must=1.5))
    return rows
