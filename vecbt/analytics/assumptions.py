"""Every assumption in force, as rows a reader can check: parameters, data, annualization, and what the end of the data left open."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..core.codes import InputKind

if TYPE_CHECKING:
    from ..engine.run import Run

__all__ = ["Assumption", "assumptions", "source_name"]


class Assumption(NamedTuple):
    """One row: where it belongs, what it is called, what it is, and what that means where the value does not say it."""

    section: str
    name: str
    value: str
    meaning: str = ""


_SECTIONS = ("strategy", "simulation", "costs", "sizing", "stops", "risk", "account", "market", "data", "end")
_MEANINGS = {
    ("fill", "next_open"): "orders decided at a close are executed at the next open (T7)",
    ("fill", "close"): "orders decided at a close are executed at that same close (T7)",
    ("intrabar", "pessimistic"): "where stop and target lie inside one bar, the stop is met first (P5)",
    ("intrabar", "optimistic"): "where stop and target lie inside one bar, the target is met first (P5)",
    ("accounts", "shared"): "all assets draw on one account",
    ("accounts", "separate"): "each asset has an account of its own with this capital",
    ("weights_of", "net"): "target weights are of the equity left after the rebalance's own costs (W2)",
    ("weights_of", "gross"): "target weights are of the equity before costs (W2)",
    ("trade_through", "False"): "a limit level is filled when it is touched (P4)",
    ("trade_through", "True"): "a limit level is filled only when the price goes beyond it (P4)",
    ("accumulate", "False"): "an entry in the side already held does nothing (S2)",
    ("accumulate", "True"): "an entry in the side already held adds to it (S2)",
    ("liquidate_at_end", "True"): "everything is closed after the last bar, with costs (T8)",
    ("liquidate_at_end", "False"): "the end of the data closes nothing (T8)",
    ("stops", "off"): "no protective exits",
    ("zones", "off"): "no drawdown zones",
}
_NAMED = {
    "direction": "sides that may be held (S1)",
    "band": "an asset this close to its target weight is left alone (W3)",
    "commission_rate": "of the notional of a fill (F2)",
    "per_unit": "commission per unit, money (F2)",
    "per_order": "commission per order, money (F2)",
    "minimum": "least commission of an order, money (F2)",
    "maximum_rate": "most commission of an order, of its notional (F2)",
    "maker_rate": "of the notional of a limit fill; none: the commission rate (F2)",
    "slippage_bps": "hundredths of a percent of the price, market and stop fills (F1)",
    "half_spread": "in price units, market and stop fills (F1)",
    "volume_share": "k of the impact k*sigma*sqrt(quantity/volume) (F1)",
    "volume_window": "bars in the sigma of that impact (F1)",
    "sizing": "size of an entry (S3)",
    "hard": "distance of the hard stop (P1)",
    "trailing": "distance of the trailing stop (P2)",
    "activation": "gain that arms the trailing stop (P2)",
    "take_profit": "distance of the target (P4)",
    "time_bars": "bars after which a position is closed (P6)",
    "time_days": "days after which a position is closed (P6)",
    "atr_window": "bars of the average true range (P1)",
    "zones.boundaries": "drawdowns at which caution, alert and emergency begin (Z1)",
    "zones.factors": "new risk is multiplied by these, from normal to emergency (Z2)",
    "zones.liquidate_at": "drawdown at which everything is closed (Z3)",
    "zones.cooldown_bars": "bars after which an emergency is over; none: never (Z3)",
    "zones.mark": "prices that drawdown is judged at (Z1)",
    "initial_capital": "at the start, of each account (F14)",
    "positions": "held before the first bar: quantity, entry price (F14)",
}
_OF_WEIGHTS = ("weights_of", "band")


def assumptions(run: Run) -> list[Assumption]:
    """All rows, section by section."""
    rows = [Assumption(section, name, _text(value), _meaning(run, name, value)) for section, name, value in run.setup.describe()]
    rows += [*_strategy(run), *_market(run), *_data(run), *_end(run)]
    return sorted(rows, key=lambda row: _SECTIONS.index(row.section) if row.section in _SECTIONS else len(_SECTIONS))


def _meaning(run: Run, name: str, value: Any) -> str:
    if name in _OF_WEIGHTS and run.inputs.kind is not InputKind.WEIGHTS:
        return "for target weights only; this run has none"
    return _MEANINGS.get((name, str(value))) or _NAMED.get(name, "")


def source_name(run: Run) -> str:
    """The strategy's name, or the type of the inputs."""
    name = getattr(run.source, "name", None)
    return name if isinstance(name, str) and name else type(run.source).__name__


def _text(value: Any) -> str:
    if isinstance(value, float) and math.isinf(value):
        return "unlimited"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items()) or "none"
    return "none" if value is None else str(value)


def _strategy(run: Run) -> list[Assumption]:
    rows = [Assumption("strategy", "source", source_name(run), f"its rows are {run.inputs.kind.name.lower()}")]
    given = getattr(run.source, "parameters", None)
    return rows + [Assumption("strategy", str(name), _text(value)) for name, value in given.items()] if isinstance(given, dict) else rows


def _per_asset(run: Run, values: Any, off: float, meaning: str) -> str:
    """One number for all assets, or one each by symbol; where it is off for all, in words."""
    numbers = np.asarray(values, dtype=np.float64)
    if (numbers == off).all():
        return meaning
    if (numbers == numbers[0]).all():
        return _text(float(numbers[0]))
    return ", ".join(f"{symbol} {number:.12g}" for symbol, number in zip(run.bars.symbols, numbers, strict=True))


def _market(run: Run) -> list[Assumption]:
    market = run.bars.market
    return [
        Assumption("market", "periods_per_year", _text(run.bars.periods_per_year), run.bars.periods_per_year_source),
        Assumption("market", "sessions", f"{market.time_zone}, from {market.session_start}", "where a session begins, wall clock (B3)"),
        Assumption("market", "calendar", market.calendar or "none"),
        Assumption("market", "asset_class", market.asset_class),
        Assumption("market", "multiplier", _per_asset(run, market.multiplier, 1.0, "1")),
        Assumption("market", "lot", _per_asset(run, market.lot, 0.0, "none: fractional quantities")),
        Assumption("market", "tick", _per_asset(run, market.tick, 0.0, "none: any price")),
        Assumption("market", "min_notional", _per_asset(run, market.min_notional, 0.0, "none")),
    ]


def _data(run: Run) -> list[Assumption]:
    bars = run.bars
    gaps = int(np.isnan(bars.close).sum())
    rows = [
        Assumption("data", "bars", f"{bars.T:,} bars, {bars.N:,} asset{'s' if bars.N > 1 else ''}", "labels are the start of the bar, UTC"),
        Assumption("data", "symbols", ", ".join(bars.symbols)),
        Assumption("data", "without a market", f"{gaps:,}", "bars with no price: nothing fills, positions keep their last mark (F8)"),
        Assumption("data", "volume", "present" if bars.has_volume else "absent"),
        Assumption("data", "content hash", bars.content_hash),
    ]
    return rows + [Assumption("data", "note", note) for note in bars.notes]


def _end(run: Run) -> list[Assumption]:
    held = int((run.assets["q"] != 0.0).sum())
    waiting = int((run.orders["t_done"] < 0).sum())
    return [
        Assumption("end", "open positions", f"{held:,}", "at their last valid close, without costs of closing (T8)" if held else ""),
        Assumption("end", "pending orders", f"{waiting:,}", "decided but not executed before the data ended (T8)" if waiting else ""),
    ]
