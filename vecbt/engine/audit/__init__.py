"""Accounts that audit themselves (F3): everything the log can prove, worked out again from fills, splits, bars and setup.

`facts` says what happened when, `ledger` keeps positions and trades by average prices, `money` cash, equity, carry, dividends and deposits.
`trades`, `orders`, `room`, `rules` and `limits` hold the log against it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...data.labels import label_text
from ...errors import AuditError
from ..run import Run
from .facts import Facts, Finding
from .limits import Limited
from .money import Money
from .orders import bar_of_fills, order_log
from .room import Room
from .rules import Judge, refusals, zone_findings
from .trades import final_state, positions_held, trade_log

__all__ = ["audit"]


def audit(run: Run) -> None:
    """Check the books of a run against its fills.

    At each bar: positions are the sum of fills and splits; cash and equity follow from them, carry, dividends and deposits are those of
    bars, positions and setup, `equity - initial = realized + unrealized - fees - carry + dividends + flows` (F3) to 1e-9 of the money
    involved. Fills are prices of their bar, worsened (F1), within its volume (F7), with the commission of the costs (F2); orders and trades
    are what their fills make them, and together they are the account (M4). New risk found room (F4) and no rule that refuses it (F13, Z).

    Raises
    ------
    AuditError
        The first violation, with bar, account and the order last filled. It means a fault in vecbt.
    """
    first: Finding | None = None
    for found in _findings(run):
        if first is None or found.t < first.t:
            first = found
    if first is not None:
        raise AuditError(_told(run, first))


def _findings(run: Run) -> Iterator[Finding]:
    """All that does not add up; of one bar the more telling first."""
    facts = Facts(run)
    yield from order_log(facts)
    if (facts.order_of < 0).any():
        return  # the rest reads orders by their fills
    money = Money(facts)
    yield from money.findings()
    yield from bar_of_fills(facts)
    yield from trade_log(money)
    yield from positions_held(money)
    yield from final_state(money)
    room = Room(money)
    judge = Judge(money, room)
    yield from room.findings()
    yield from refusals(judge)
    yield from zone_findings(judge)
    yield from Limited(judge).findings()


def _told(run: Run, found: Finding) -> str:
    """A finding as a message."""
    t, account, what = found
    before = run.fills[(run.fills.t <= t) & (run.fills.account == account)]
    last = "no order was filled before"
    if len(before):
        fill = before[-1]
        symbol = run.bars.symbols[fill.asset]
        last = f"last filled: order {fill.order} of account {account}, {symbol}, {fill.q:+g} at {fill.price:g}, bar {fill.t}"
    return f"audit: bar {t} ({label_text(int(run.bars.index[t]))}), account {account}: {what}; {last}. Please report this."
