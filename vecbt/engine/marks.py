"""T6: positions at their marks, the account's equity, whether it carries them (F13), and what is judged by it (Z1, Z4)."""

from __future__ import annotations

import math

from ..core.jit import kernel, spine, unsigned
from ..risk.zones import judge_zone
from .account import settle_move, touch
from .rows import last_prices

__all__ = ["balance", "is_ruin", "judge", "keep_judgement", "margin_of", "mark", "mark_again", "ruin_line", "watch", "weigh"]

_RUIN = 1e-9  # F13: of `initial`


@spine
def mark(a, prices):  # type: ignore[no-untyped-def]
    """High, low and close of the bar: M7 for what is held, and the mark."""
    high, low, close = prices
    if not math.isnan(close) and a.delisted == 0:
        if a.q != 0.0:
            touch(a, a.q, high, low)
        a.mark = close


@spine
def margin_of(a, money, maintenance):  # type: ignore[no-untyped-def]
    """F13: what a position worth `money` must keep."""
    return abs(a.q) * a.maintenance_margin if a.maintenance_margin > 0.0 else maintenance * abs(money)


@spine
def weigh(a, acct, maintenance):  # type: ignore[no-untyped-def]
    """What a position adds to the equity at its mark, and the margin it must keep; a contract's move goes to cash instead (F12)."""
    money = a.q * a.multiplier * a.mark
    need = margin_of(a, money, maintenance)
    if a.kind == 0:
        return money, need
    settle_move(a, acct, a.mark)
    return 0.0, need


@spine
def watch(desk, row, rules):  # type: ignore[no-untyped-def]
    """Marks and equity after a bar into which no rule looks."""
    lo, hi, acct, assets = desk
    value, need, maintenance = 0.0, 0.0, rules.maintenance
    for n in range(lo, hi):
        a = assets[unsigned(n)]
        mark(a, last_prices(n, row))
        if a.q != 0.0:
            worth, margin = weigh(a, acct, maintenance)
            value += worth
            need += margin
    balance(acct, value, need)
    return acct.equity


@spine
def ruin_line(acct):  # type: ignore[no-untyped-def]
    """F13: equity at which nothing is left; none where all was withdrawn (F15)."""
    return _RUIN * acct.initial if acct.empty == 0 else -math.inf


@spine
def is_ruin(acct, equity):  # type: ignore[no-untyped-def]
    """Whether nothing is left."""
    return equity <= ruin_line(acct)


@spine
def balance(acct, value, need):  # type: ignore[no-untyped-def]
    """The equity, positions being worth `value`; a margin call where it is below the `need` (F13)."""
    acct.equity = acct.cash + value
    if is_ruin(acct, acct.equity):
        acct.ruined = 1
    acct.margin_call = 1 if acct.equity < need or acct.ruined == 1 else 0


@spine
def keep_judgement(acct):  # type: ignore[no-untyped-def]
    """The judgement of the last bar, so that this bar's can be taken back."""
    acct.peak_before = acct.peak
    acct.zone_before = acct.zone
    acct.halted_before = acct.halted
    acct.liquidating_before = acct.liquidating
    acct.halted_bars_before = acct.halted_bars
    acct.day_blocked_before = acct.day_blocked


@spine
def judge(acct, zones, terms, worst):  # type: ignore[no-untyped-def]
    """The drawdown zone (Z1) and the daily loss (Z4)."""
    judge_zone(acct, zones, worst)
    if terms is not None:
        if terms.daily_loss > 0.0 and acct.empty == 0 and acct.equity <= acct.day_start * (1.0 - terms.daily_loss):
            acct.day_blocked = 1


@kernel
def mark_again(desk, zones, terms, worst, rules):  # type: ignore[no-untyped-def]
    """T6 once more, after fills at the close (T7); the judgement before them is taken back."""
    lo, hi, acct, assets = desk
    acct.peak = acct.peak_before
    acct.zone = acct.zone_before
    acct.halted = acct.halted_before
    acct.liquidating = acct.liquidating_before
    acct.halted_bars = acct.halted_bars_before
    acct.day_blocked = acct.day_blocked_before
    value, need = 0.0, 0.0
    for n in range(lo, hi):
        if assets[n].q != 0.0:
            worth, margin = weigh(assets[n], acct, rules.maintenance)
            value += worth
            need += margin
    balance(acct, value, need)
    judge(acct, zones, terms, worst)
