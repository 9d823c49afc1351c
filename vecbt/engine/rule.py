"""Rules that users write: called once a bar and asset with records, in the loops of the engine.

What a rule reads and writes stands in one row of float64 per asset, its *memory*: this bar's prices and indicators (`now`), those of the
last bar that had a market (`before`), a view of the account (`ACCOUNT_VIEW`), and the fields the rule keeps itself (`state`). All of it
is state: saved, restored and compared with everything else. A rule that sees no account is called by `rule_rows`, for all bars before
the simulation; one that does, by `ask_rules`, at T7 of each bar.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..core.jit import kernel, kernel_loop, spine, unsigned
from ..core.places import beside, call_five, call_four, left_there, peek, peek_int, poke, poke_byte, poke_int, taken_here

__all__ = ["ACCOUNT_VIEW", "DESK", "PRICE_FIELDS", "RuleDesk", "ask_rules", "keeps_copy", "rule_rows", "shape_of"]

PRICE_FIELDS = ("open", "high", "low", "close", "volume")
"""Prices that `now` and `before` may have, in the units that strategies read (T9)."""

ACCOUNT_VIEW = np.dtype(
    [
        ("position", "f8"),  # units held, signed
        ("entry_price", "f8"),  # average, in the units of `now`; NaN: nothing is held
        ("bars_held", "f8"),  # bars since the entry; 0 in its own bar, and where nothing is held
        ("unrealized", "f8"),  # money, at this close
        ("stop", "f8"),  # level that protects the position, NaN: none
        ("target", "f8"),
        ("best_price", "f8"),  # the watermark of P2, NaN: nothing is held
        ("order", "f8"),  # units the waiting order wants, signed; 0: none waits
        ("order_bars", "f8"),  # bars since it was given
        ("equity", "f8"),  # of the account, at T6
        ("cash", "f8"),
        ("drawdown", "f8"),  # fraction below the peak
        ("zone", "f8"),  # 0 NORMAL to 3 EMERGENCY
        ("time", "i8"),  # label of this bar, ns UTC
    ]
)
"""What a rule with a fifth argument sees of the account and the clock; nothing that it writes there is read."""

_VIEW = len(ACCOUNT_VIEW.names or ())
_MANY = 16  # bars that are worth a look at all of them beforehand

DESK = ("function", "memory", "params", "sources", "close", "said", "taken", "width", "recalls", "signals", "fault", "most", "bad")
"""Places in the int64 array that a desk is handed on as; `most` and `bad` hold float64."""
_FUNCTION, _MEMORY, _PARAMS, _SOURCES, _CLOSE, _SAID, _TAKEN, _WIDTH, _RECALLS, _SIGNALS, _FAULT, _MOST, _BAD = range(len(DESK))


class RuleDesk(NamedTuple):
    """Where a rule's function, its memory and what it reads are: addresses. A cell is a bar times the assets, plus the asset.

    `sources` are the addresses of cell 0 of each field of `now`, of which the first four stand in `first` to `fourth` as well: a loop
    that writes to memory would look them up again each bar. `close` is that of the closes. `taken` fields has `now`, `recalls` of those
    of `before` are read; `signals`: the answers are flags. In a loop made for one rule these three and the `width` are constants.
    """

    desk: int
    function: int
    memory: int
    params: int
    sources: int
    close: int
    said: int
    first: int
    second: int
    third: int
    fourth: int
    taken: int
    width: int
    recalls: int
    signals: int


@kernel
def shape_of(desk):  # type: ignore[no-untyped-def]
    """What a loop made for one rule knows beforehand: `taken`, `width`, `recalls`, `signals`."""
    return peek_int(desk, _TAKEN), peek_int(desk, _WIDTH), peek_int(desk, _RECALLS), peek_int(desk, _SIGNALS)


@spine
def _load(desk, shape):  # type: ignore[no-untyped-def]
    sources, last = peek_int(desk, _SOURCES), shape[0] - 1
    return RuleDesk(
        desk,
        peek_int(desk, _FUNCTION),
        peek_int(desk, _MEMORY),
        peek_int(desk, _PARAMS),
        sources,
        peek_int(desk, _CLOSE),
        peek_int(desk, _SAID),
        peek_int(sources, 0),
        peek_int(sources, min(1, last)),
        peek_int(sources, min(2, last)),
        peek_int(sources, min(3, last)),
        shape[0],
        shape[1],
        shape[2],
        shape[3],
    )


@spine
def _gather(own, memory, cell):  # type: ignore[no-untyped-def]
    """This bar's prices and indicators into the memory of an asset."""
    poke(memory, 0, peek(own.first, cell))
    if own.taken > 1:
        poke(memory, 1, peek(own.second, cell))
    if own.taken > 2:
        poke(memory, 2, peek(own.third, cell))
    if own.taken > 3:
        poke(memory, 3, peek(own.fourth, cell))
    for k in range(4, own.taken):
        poke(memory, k, peek(peek_int(own.sources, k), cell))


@spine
def _remember(own, memory):  # type: ignore[no-untyped-def]
    """`now` becomes `before`."""
    if own.recalls > 0:
        poke(memory, own.taken, peek(memory, 0))
    if own.recalls > 1:
        poke(memory, own.taken + 1, peek(memory, 1))
    if own.recalls > 2:
        poke(memory, own.taken + 2, peek(memory, 2))
    if own.recalls > 3:
        poke(memory, own.taken + 3, peek(memory, 3))
    for k in range(4, own.recalls):
        poke(memory, own.taken + k, peek(memory, k))


@spine
def _is_market(own, cell):  # type: ignore[no-untyped-def]
    return not math.isnan(peek(own.close, cell))


@spine
def _say(own, cell, answer):  # type: ignore[no-untyped-def]
    """The answer into the row; one that may not be ends the run, and is remembered as a fault."""
    if not _write(own, cell, answer, peek(own.desk, _MOST)) and peek_int(own.desk, _FAULT) == 0:
        poke_int(own.desk, _FAULT, cell + 1)
        poke(own.desk, _BAD, answer)


@spine
def _write(own, cell, answer, most):  # type: ignore[no-untyped-def]
    """The answer into the row, nothing in place of one that may not be; whether it may."""
    if own.signals != 0:
        code = np.int32(answer) if answer >= 0.0 and answer <= 15.0 else np.int32(0)  # narrow: four of them fit a register
        poke_byte(own.said, cell, np.uint8(code))
        return float(code) == answer
    fine = math.isnan(answer) or abs(answer) <= most
    poke(own.said, cell, answer if fine else math.nan)
    return fine


@kernel
def _say_nothing(own, cell):  # type: ignore[no-untyped-def]
    if own.signals != 0:
        poke_byte(own.said, cell, np.uint8(0))
    else:
        poke(own.said, cell, math.nan)


@kernel
def keeps_copy(desk):  # type: ignore[no-untyped-def]
    """Whether a loop made for one rule has a copy of the memory of its asset, so that it can begin again."""
    return (0,)


@spine
def _are_markets(own, bars):  # type: ignore[no-untyped-def]
    """Whether the only asset has a market in all bars."""
    gaps = 0
    for t in range(bars):
        gaps |= 0 if _is_market(own, t) else 1
    return gaps == 0


@kernel_loop
def rule_rows(desk, bars, assets):  # type: ignore[no-untyped-def]
    """All bars of all assets, for a rule that sees no account: what it says into `flags` or `values`."""
    own = _load(desk, shape_of(desk))
    before, state = 8 * own.taken, 8 * (2 * own.taken + _VIEW)
    if assets == 1:
        # the only asset's memory may be this loop's own, and then it need not be memory
        if bars >= _MANY and keeps_copy(desk)[0] == 1 and _are_markets(own, bars):
            # without a jump, for the processor to go through several bars at once
            copy, most, wrong = taken_here(own.memory), peek(own.desk, _MOST), 0
            for t in range(bars):
                _gather(own, copy, t)
                answer = call_four(own.function, copy, beside(copy, before), own.params, beside(copy, state))
                wrong |= 0 if _write(own, t, answer, most) else 1
                _remember(own, copy)
            if wrong == 0:
                left_there(own.memory, copy, own.width)
                return
        mine = taken_here(own.memory)
        for t in range(bars):
            if _is_market(own, t):
                _gather(own, mine, t)
                _say(own, t, call_four(own.function, mine, beside(mine, before), own.params, beside(mine, state)))
                _remember(own, mine)
            else:
                _say_nothing(own, t)
        left_there(own.memory, mine, own.width)
    else:
        for t in range(bars):
            for n in range(assets):
                cell, memory = t * assets + n, own.memory + 8 * n * own.width
                if _is_market(own, cell):
                    _gather(own, memory, cell)
                    _say(own, cell, call_four(own.function, memory, memory + before, own.params, memory + state))
                    _remember(own, memory)
                else:
                    _say_nothing(own, cell)


@kernel
def ask_rules(desk, lo, hi, acct, assets, first):  # type: ignore[no-untyped-def]
    """T7: what the rule says of the assets `lo` to `hi - 1` of an account; the cell of asset n is `first + n`."""
    own = _load(desk, shape_of(desk))
    for n in range(lo, hi):
        a = assets[unsigned(n)]
        if _is_market(own, first + n) and a.delisted == 0:
            memory = own.memory + 8 * n * own.width
            _gather(own, memory, first + n)
            view = memory + 16 * own.taken
            _show(view, a, acct)
            _say(own, first + n, call_five(own.function, memory, memory + 8 * own.taken, own.params, view + 8 * _VIEW, view))
            _remember(own, memory)
        else:
            _say_nothing(own, first + n)


@kernel
def _show(view, a, acct):  # type: ignore[no-untyped-def]
    """The account as `ACCOUNT_VIEW`, prices as strategies read them."""
    held = a.q != 0.0
    poke(view, 0, a.q)
    poke(view, 1, a.avg * a.scale if held else math.nan)
    poke(view, 2, float(acct.bars - a.entry_t) if held else 0.0)
    poke(view, 3, a.q * a.multiplier * (a.mark - a.avg) if held else 0.0)
    poke(view, 4, a.stop * a.scale if held else math.nan)
    poke(view, 5, a.target * a.scale if held else math.nan)
    poke(view, 6, a.watermark * a.scale if held else math.nan)
    poke(view, 7, a.order_wanted if a.order_active == 1 else 0.0)
    poke(view, 8, float(acct.bars - a.order_t) if a.order_active == 1 else 0.0)
    poke(view, 9, acct.equity)
    poke(view, 10, acct.cash)
    poke(view, 11, 1.0 - acct.equity / acct.peak if acct.peak > 0.0 else 0.0)
    poke(view, 12, float(acct.zone))
    poke_int(view, 13, acct.time)
