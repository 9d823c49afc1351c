"""What the strategy asks for, against what the run lets it do; and the way orders are filled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...engine.inputs import ENTER_LONG, ENTER_SHORT
from .facts import Facts, percent
from .finding import Finding

__all__ = ["RULES"]


def _same_bar(facts: Facts) -> Iterator[Finding]:
    if facts.get("fill") == "close":
        yield facts.finding(
            "same-bar-fill",
            "warning",
            "fill",
            "orders are decided and filled at the same close",
            "a close is known when trading in it is over: nobody can trade at a price that decided the trade",
            "use next_open; close suits strategies that decide before it, such as auction orders",
        )


def _end(facts: Facts) -> Iterator[Finding]:
    if facts.get("liquidate_at_end") is True:
        yield facts.finding(
            "liquidate-at-end",
            "note",
            "liquidate_at_end",
            "what is held after the last bar is sold there, with costs",
            "the last bar and the statistics of trades contain sales that the strategy did not ask for",
            "leave it out to see open positions at their marks",
        )


def _warmup(facts: Facts) -> Iterator[Finding]:
    if facts.bars is None or facts.strategy is None:
        return
    warmup, bars = facts.strategy.warmup, facts.bars.T
    if warmup >= bars:
        yield facts.finding(
            "window-too-long",
            "error",
            "strategy.parameters" if facts.given("strategy.parameters") else "strategy",
            f"the strategy is silent for {warmup} bars, the data has {bars}",
            "it never asks for anything",
            "use shorter windows, or load more data",
        )
    elif 2 * warmup > bars:
        yield facts.finding(
            "window-too-long",
            "warning",
            "strategy.parameters" if facts.given("strategy.parameters") else "strategy",
            f"the strategy is silent for {warmup} of {bars} bars",
            "most of the data is used up before it begins",
            "use shorter windows, or load more data",
        )


def _sides(facts: Facts) -> tuple[int, int] | None:
    """Entries, or rows with a target, on the long and on the short side."""
    inputs = facts.inputs
    if inputs is None or (inputs.flags is None and inputs.values is None):
        return None
    if inputs.flags is not None:
        return int(np.count_nonzero(inputs.flags & ENTER_LONG)), int(np.count_nonzero(inputs.flags & ENTER_SHORT))
    assert inputs.values is not None
    return int(np.count_nonzero(inputs.values > 0)), int(np.count_nonzero(inputs.values < 0))


def _direction(facts: Facts) -> Iterator[Finding]:
    """A side that is not allowed: an entry is an exit of the other side then, a target is 0 (S1)."""
    sides = _sides(facts)
    if sides is None:
        return
    allowed = facts.value("direction")
    if sides == (0, 0):
        yield facts.finding(
            "never-trades",
            "warning",
            "strategy",
            "the strategy asks for no position in this data",
            "the run ends as it began",
            "check its parameters, and the dates and symbols of the data",
        )
        return
    forbidden = sides[1] if allowed == "long" else sides[0] if allowed == "short" else 0
    if not forbidden:
        return
    other = "short" if allowed == "long" else "long"
    means = "as an exit" if facts.inputs is not None and facts.inputs.kind.name in ("SIGNALS", "STRENGTHS") else "as 0"
    if forbidden == sum(sides):
        yield facts.finding(
            "direction",
            "error",
            "direction",
            f"the strategy asks for {other} positions only, and direction is {allowed}",
            "nothing is ever traded",
            f"set direction to {other} or both",
        )
    else:
        yield facts.finding(
            "direction",
            "warning",
            "direction",
            f"{forbidden:,} of {sum(sides):,} entries or targets are {other}, and direction is {allowed}",
            f"each of them is read {means}: exits and {other} entries are not the same wish",
            f"set direction to both, or let the strategy ask for {allowed} positions only",
        )


def _band(facts: Facts) -> Iterator[Finding]:
    """A target within the band of what is held is left alone, from nothing on too (W3)."""
    band, inputs = facts.number("band"), facts.inputs
    if not band or inputs is None or inputs.kind.name != "WEIGHTS" or inputs.values is None:
        return
    targets = np.abs(inputs.values[np.isfinite(inputs.values) & (inputs.values != 0.0)])
    if not targets.size:
        return
    small = int(np.count_nonzero(targets <= band))
    if small:
        never = small == targets.size
        yield facts.finding(
            "band-above-weight",
            "error" if never else "warning",
            "band",
            f"the band is {percent(band)}; {'all' if never else f'{small:,} of {targets.size:,}'} targets are not above it, the least is "
            f"{percent(float(targets.min()))}",
            "an asset that is not held is within the band of such a target: it is never bought",
            "use a band well below the smallest target",
        )


def _weights_above_leverage(facts: Facts) -> Iterator[Finding]:
    inputs = facts.inputs
    if inputs is None or inputs.kind.name != "WEIGHTS" or inputs.values is None or facts.value("account.accounts") == "separate":
        return
    gross = np.nansum(np.abs(inputs.values), axis=1)
    most = float(gross.max()) if gross.size else 0.0
    if most > facts.room * (1.0 + 1e-9):
        percent_for = most > 10 * facts.leverage
        yield facts.finding(
            "percent-for-fraction" if percent_for else "size-above-leverage",
            "error" if percent_for else "warning",
            "strategy",
            f"the target weights of a bar add up to {most:.4g} times the equity, leverage allows {facts.room:g}",
            "weights are fractions: 1 is all of the equity; what does not fit is cut",
            "scale the weights, or set account.leverage",
        )


def _one_row(facts: Facts) -> Iterator[Finding]:
    """Volume that a rule needs is there at all, but zero."""
    if facts.bars is None or not (facts.number("costs.volume_share") or facts.number("max_participation")) or not facts.bars.has_volume:
        return
    volume, market = facts.bars.volume, np.isfinite(facts.bars.close)
    silent = int(np.count_nonzero(market & ~(volume > 0)))
    if 2 * silent > np.count_nonzero(market):
        yield facts.finding(
            "no-volume",
            "warning",
            "max_participation" if facts.number("max_participation") else "costs.volume_share",
            f"{silent:,} of {np.count_nonzero(market):,} bars have no volume",
            "where volume is used, nothing fills on such a bar",
            "use data with volume, or leave the rule out",
        )


RULES = (_same_bar, _end, _warmup, _direction, _band, _weights_above_leverage, _one_row)
