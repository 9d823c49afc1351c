"""Sizes that are always capped, never trade, or are given in the wrong unit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .entries import RISK_SIZES, cap_of, entry, kelly_edge, risk_asked, unit_value
from .facts import Facts, percent
from .finding import Finding

__all__ = ["RULES"]


def _above_leverage(facts: Facts) -> Iterator[Finding]:
    one = entry(facts).weight
    if one is None or facts.sizing == "cash" or one <= facts.room * (1.0 + 1e-9):
        return
    fits, where = facts.room, "sizing" if facts.sizing is None or not facts.given("sizing") else f"sizing.{facts.sizing}"
    yield facts.finding(
        "size-above-leverage",
        "warning",
        where,
        f"an entry asks for about {one:.4g} times the equity, leverage allows {fits:g}",
        "every full entry is cut to what fits, costs included: the sizing does not decide",
        "ask for less, or set account.leverage",
    )


def _cap_binds(facts: Facts) -> Iterator[Finding]:
    """1 % at a 3 % stop asks for 33 % of equity: with a cap of 25 % the risk is 0.75 %."""
    risk, cap, stop = risk_asked(facts), cap_of(facts), facts.first_stop()
    if facts.sizing == "confidence_based":
        risk = facts.number("sizing.confidence_based.base_risk_fraction")  # what even the least confidence risks
    if facts.sizing not in RISK_SIZES or not facts.sizes_apply or risk is None or cap is None or stop is None or not stop.high < 1.0:
        return
    where, most = cap
    if risk > most * stop.high * (1.0 + 1e-9):
        often = "" if stop.fixed else " on nearly every bar of this data"
        yield facts.finding(
            "cap-always-binds",
            "warning",
            where,
            f"risking {percent(risk)} at a stop {percent(stop.middle)} away asks for {percent(risk / stop.middle)} of equity, the cap is "
            f"{percent(most)}{often}",
            f"the cap decides every size: what is risked is {percent(most * stop.middle)}, not {percent(risk)}",
            "widen the stop, raise the cap, or write the risk that is taken",
        )


def _kelly(facts: Facts) -> Iterator[Finding]:
    if facts.sizing != "kelly":
        return
    fraction, known = facts.number("sizing.kelly.kelly_fraction"), kelly_edge(facts)
    if fraction is not None and fraction > 0.5:
        much = "more than all of Kelly's fraction" if fraction > 1 else "more than half of Kelly's fraction"
        yield facts.finding(
            "kelly-fraction",
            "error" if fraction > 1 else "warning",
            "sizing.kelly.kelly_fraction",
            f"kelly_fraction is {fraction:g}, {much}",
            "win rate and payoff are estimates: above half of it drawdowns grow faster than the account, above 1 the account grows slower",
            "use a quarter, 0.25; half at most",
        )
    if known is not None and not known[0] * known[1] > 1.0 - known[0]:
        yield facts.finding(
            "kelly-without-edge",
            "error",
            "sizing.kelly",
            f"a win rate of {percent(known[0])} with wins {known[1]:.4g} times the losses has no edge",
            "Kelly's fraction is 0 or less: every entry is refused, nothing is ever traded",
            "check win_rate, avg_win and avg_loss, or use another sizing",
        )
    trades = facts.count("sizing.kelly.min_trades")
    if known is None and trades is not None and facts.bars is not None and 4 * trades >= facts.bars.T * facts.bars.N:
        yield facts.finding(
            "window-too-long",
            "warning",
            "sizing.kelly.min_trades" if facts.given("sizing.kelly.min_trades") else "sizing.kelly",
            f"Kelly waits for {trades} closed trades, the data has {facts.bars.T} bars of {facts.bars.N} assets",
            "there are hardly so many trades in it: start_fraction decides most sizes",
            "ask for fewer trades, give win_rate, avg_win and avg_loss, or load more data",
        )


def _confidence(facts: Facts) -> Iterator[Finding]:
    if facts.sizing != "confidence_based":
        return
    place = "sizing.confidence_based"
    base, most, least = (facts.number(f"{place}.{name}") for name in ("base_risk_fraction", "max_risk_fraction", "min_confidence"))
    if base is not None and most is not None and base > most:
        yield facts.finding(
            "confidence-order",
            "error",
            f"{place}.max_risk_fraction",
            f"the risk at full confidence, {percent(most)}, is below that at the least, {percent(base)}",
            "more confidence would risk less",
            "set base_risk_fraction to the smaller of the two",
        )
    if least is not None and facts.inputs is not None:
        values = facts.inputs.values
        if values is None:
            yield facts.finding(
                "confidence-unknown",
                "warning",
                place,
                "the strategy gives booleans, whose strength is always 1",
                "every entry counts as fully confident: the largest risk is always taken",
                "give strengths in [-1, 1], or use fixed_fractional",
            )
        elif facts.sizes_apply and values.size and not np.any(np.abs(values[np.isfinite(values)]) >= least):
            yield facts.finding(
                "never-trades",
                "error",
                f"{place}.min_confidence",
                f"no strength of this strategy reaches {least:g}",
                "every entry is refused, nothing is ever traded",
                "lower min_confidence, or scale the strengths",
            )


def _shares(facts: Facts) -> Iterator[Finding]:
    """Equal weight and inverse volatility: what each asset may have, against what there is to share."""
    name = facts.sizing
    if name not in ("equal_weight", "inverse_volatility"):
        return
    most, least = facts.number(f"sizing.{name}.max_position"), facts.number(f"sizing.{name}.min_position")
    if most is not None and least is not None and least > most:
        yield facts.finding(
            "never-trades",
            "error",
            f"sizing.{name}.min_position",
            f"a position is refused under {percent(least)} and cut at {percent(most)}",
            "a share above the one is cut below it: the two contradict each other",
            "set min_position below max_position",
        )
    if facts.assets is None:
        return
    share = 1.0 / facts.assets
    if least is not None and least > share:
        always = "every entry is refused, nothing is ever traded" if name == "equal_weight" else "at least one asset is always refused"
        yield facts.finding(
            "never-trades",
            "error" if name == "equal_weight" else "warning",
            f"sizing.{name}.min_position",
            f"{facts.assets} assets have {percent(share)} each on average, and under {percent(least)} is refused",
            always,
            f"set min_position to {share:.4g} at most",
        )
    if most is not None and most < share:
        yield facts.finding(
            "limit-below-size",
            "warning",
            f"sizing.{name}.max_position",
            f"{facts.assets} assets have {percent(share)} each on average, and the cap is {percent(most)}",
            f"{percent(1.0 - most * facts.assets)} of equity or more is never used",
            "raise the cap, or add assets",
        )


def _too_small(facts: Facts) -> Iterator[Finding]:
    """An entry below one lot, or below the least order, is refused."""
    one, capital, unit = entry(facts).weight, facts.capital, unit_value(facts)
    if facts.bars is None or one is None or capital is None or unit is None:
        return
    money, where = one * capital, f"sizing.{facts.sizing}" if facts.given("sizing") else "account.initial_capital"
    lot, least = float(np.min(facts.bars.market.lot)), float(np.min(facts.bars.market.min_notional))
    for what, needed in ((f"one lot of {lot:g}", lot * unit), ("the least order", least)):
        if money < needed:
            yield facts.finding(
                "never-trades",
                "error" if money < 0.1 * needed else "warning",
                where,
                f"an entry is worth about {money:,.6g}; {what} is worth {needed:,.6g}",
                "an order that is rounded to nothing is refused",
                "raise the capital or the size, or check the unit of either",
            )


def _windows(facts: Facts) -> Iterator[Finding]:
    for name in ("inverse_volatility", "volatility", "forecast"):
        window = facts.count(f"sizing.{name}.window") if facts.sizing == name else None
        if window is not None and facts.bars is not None and window >= facts.bars.T:
            yield facts.finding(
                "window-too-long",
                "warning",
                f"sizing.{name}.window" if facts.given(f"sizing.{name}.window") else f"sizing.{name}",
                f"the volatility is that of {window} bars, the data has {facts.bars.T}",
                "the window never fills: sizes rest on fewer bars than asked for",
                "use a shorter window, or load more data",
            )


RULES = (_above_leverage, _cap_binds, _kelly, _confidence, _shares, _too_small, _windows)
