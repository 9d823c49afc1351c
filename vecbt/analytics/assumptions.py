"""Every assumption in force, as rows a reader can check: parameters, data, what was taken for nothing, what the end left open."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.codes import InputKind, Reason
from ..data.labels import label_text
from .charges import given_up, margin_calls
from .words import EXIT_INSIDE, MEANINGS, NAMED

if TYPE_CHECKING:
    from ..data.bars import Bars
    from ..engine.run import Run
    from ..engine.setup import Setup

__all__ = ["Assumption", "assumptions", "setup_rows", "source_name", "value_text"]


class Assumption(NamedTuple):
    """One row: where it belongs, what it is called, what it is, and what that means where the value does not say it."""

    section: str
    name: str
    value: str
    meaning: str = ""


_SECTIONS = ("strategy", "simulation", "costs", "carry", "sizing", "stops", "risk", "account", "market", "data", "end")
_OF_WEIGHTS = ("weights_of", "band")
_OF_ENTRIES = ("sizing", "accumulate")
_MOST_NAMES = 12


def assumptions(run: Run) -> list[Assumption]:
    """All rows, section by section."""
    rows = [
        Assumption(section, name, value_text(value), _meaning(run, name, value_text(value)))
        for section, name, value in run.setup.describe()
    ]
    rows += [*_strategy(run), *_taken_for_nothing(run), *_account(run), *_market(run), *_data(run), *_end(run)]
    return _sorted(rows)


def setup_rows(setup: Setup) -> list[Assumption]:
    """Those of a setup alone, without what hangs on data and rows."""
    told = [(section, name, value_text(value)) for section, name, value in setup.describe()]
    rows = [Assumption(section, name, value, MEANINGS.get((name, value)) or NAMED.get(name, "")) for section, name, value in told]
    return _sorted(rows)


def _sorted(rows: list[Assumption]) -> list[Assumption]:
    return sorted(rows, key=lambda row: _SECTIONS.index(row.section) if row.section in _SECTIONS else len(_SECTIONS))


def _meaning(run: Run, name: str, value: str) -> str:
    setup, kind = run.setup, run.inputs.kind
    if name in _OF_WEIGHTS and kind is not InputKind.WEIGHTS:
        return "for target weights only; this run has none"
    if name in _OF_ENTRIES and kind not in (InputKind.SIGNALS, InputKind.STRENGTHS):
        return "for signals and strengths only; the rows of this run say how much is held"
    if name == "participation_rest" and setup.max_participation is None:
        return "for max_participation only; it is off"
    if name == "sizing":
        words = (type(setup.sizing).__doc__ or "").strip().splitlines() if setup.sizing is not None else []
        return f"size of an entry (S3): {words[0].rstrip('.')}" if words else "size of an entry, of the equity at the decision (S3)"
    if name == "zones.liquidate_at" and setup.risk is not None and setup.risk.zones is not None and setup.risk.zones.mark == "intrabar":
        return EXIT_INSIDE
    return MEANINGS.get((name, value)) or NAMED.get(name, "")


def source_name(run: Run) -> str:
    """The strategy's name, or the type of the inputs."""
    name = getattr(run.source, "name", None)
    return name if isinstance(name, str) and name else type(run.source).__name__


def value_text(value: Any) -> str:
    """A value as a page shows it."""
    if isinstance(value, float) and math.isinf(value):
        return "unlimited"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list | tuple):
        return ", ".join(value_text(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {value_text(item)}" for key, item in value.items()) or "none"
    return "none" if value is None else str(value)


def _strategy(run: Run) -> list[Assumption]:
    rows = [Assumption("strategy", "source", source_name(run), f"its rows are {run.inputs.kind.name.lower()}")]
    given = getattr(run.source, "parameters", None)
    return (
        rows + [Assumption("strategy", str(name), value_text(value)) for name, value in given.items()] if isinstance(given, dict) else rows
    )


def _per_asset(run: Run, values: Any, off: float, meaning: str) -> str:
    """One number for all assets, or one each by symbol; where it is off for all, in words."""
    numbers = np.asarray(values, dtype=np.float64)
    if (numbers == off).all():
        return meaning
    if (numbers == numbers[0]).all():
        return value_text(float(numbers[0]))
    return ", ".join(f"{symbol} {number:.12g}" for symbol, number in zip(run.bars.symbols, numbers, strict=True))


def _symbols(run: Run, chosen: NDArray[np.bool_]) -> str:
    """The symbols of the assets chosen `(N,)`; of many the first."""
    names = [symbol for symbol, wanted in zip(run.bars.symbols, chosen, strict=True) if wanted]
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _held(run: Run, side: int) -> NDArray[np.bool_]:
    """Assets that were ever held long (+1) or short (-1), `(N,)`."""
    held = np.asarray(run.assets["q"]) * side > 0.0
    held[run.trades["asset"][run.trades["side"] == side]] = True
    return held


def _taken_for_nothing(run: Run) -> Iterator[Assumption]:
    """Money and stock that a real account would pay for, and this one did not."""
    bars, carry = run.bars, run.setup.carry
    kinds = np.array(bars.market.instrument)
    rates = np.zeros(bars.N) if carry is None else carry.borrow_rates(bars.symbols)
    free = _held(run, -1) & (kinds == "cash") & (rates == 0.0)
    if free.any():
        yield Assumption(
            "carry", "short without a borrow rate", _symbols(run, free), "borrowed for nothing: carry has no rate for them (T2)"
        )
    owed = (run.cash < -1e-9 * np.abs(run.initial)).any(axis=1)
    if owed.any() and (carry is None or not carry.interest_rate):
        yield Assumption(
            "carry", "cash below zero without interest", f"{int(owed.sum()):,} bars", "lent for nothing, no rate is given (T2)"
        )
    unpaid = (_held(run, 1) | _held(run, -1)) & (kinds == "perpetual")
    if unpaid.any() and bars.funding is None:
        yield Assumption("carry", "perpetuals without funding", _symbols(run, unpaid), "the bars bring no funding rates (T2)")


def _account(run: Run) -> Iterator[Assumption]:
    """What the parameters do not say: brackets, withdrawals given up, margin calls, ruin, the size of fills."""
    lost = given_up(run)
    if lost.any():
        times = [label_text(int(run.bars.index[t])) for t in np.flatnonzero(lost.any(axis=1))]
        when = ", ".join(times[:3]) + (f" and {len(times) - 3:,} more" if len(times) > 3 else "")
        meaning = f"asked for at {when}: a withdrawal takes at most the room there is (F15)"
        yield Assumption("account", "withdrawals given up", value_text(float(f"{lost.sum():.6g}")), meaning)
    given = run.inputs.orders
    own = 0 if given is None else int((~np.isnan(given["own_stop"]) | ~np.isnan(given["own_target"]) | (given["own_trail"] > 0.0)).sum())
    if own:
        yield Assumption("stops", "brackets", _count(own, "order"), "with levels of their own, in place of the others (O3)")
    calls = int(margin_calls(run).sum())
    if calls:
        yield Assumption("account", "margin calls", f"{calls:,}", "bars after which all was closed, because equity did not carry it (F13)")
    ruined = int(np.count_nonzero(run.accounts["ruined"]))
    if ruined:
        yield Assumption(
            "account", "ruined", f"{ruined:,} of {len(run.accounts):,} accounts", "equity was gone: no new risk after it (F13)"
        )
    if run.bars.has_volume and len(run.fills):
        yield Assumption(
            "simulation", "largest fill", _largest_fill(run), "of its bar's volume; what a market would take is not known (F7)"
        )


def _largest_fill(run: Run) -> str:
    fills = run.fills[~np.isin(run.fills["reason"], (Reason.SPLIT, Reason.DELISTING, Reason.END))]
    volume = run.bars.volume[fills["t"], fills["asset"]]
    known = volume > 0.0
    if not len(fills) or not known.any():
        return "unknown"
    share = f"{np.max(np.abs(fills['q'][known]) / volume[known]):.3g}"
    return share if known.all() else f"{share}, and {int((~known).sum()):,} fills on bars without volume"


def _market(run: Run) -> list[Assumption]:
    market = run.bars.market
    kinds = market.instrument
    words = kinds[0] if len(set(kinds)) == 1 else ", ".join(f"{s} {kind}" for s, kind in zip(run.bars.symbols, kinds, strict=True))
    rows = [
        Assumption("market", "periods_per_year", value_text(run.bars.periods_per_year), run.bars.periods_per_year_source),
        Assumption("market", "sessions", f"{market.time_zone}, from {market.session_start}", "where a session begins, wall clock (B3)"),
        Assumption("market", "calendar", market.calendar or "none"),
        Assumption("market", "asset_class", market.asset_class),
        Assumption("market", "instrument", words, "cash is paid in full; of futures and perpetuals only the moves are settled (F12)"),
        Assumption("market", "multiplier", _per_asset(run, market.multiplier, 1.0, "1")),
        Assumption("market", "lot", _per_asset(run, market.lot, 0.0, "none: fractional quantities")),
        Assumption("market", "tick", _per_asset(run, market.tick, 0.0, "none: any price")),
        Assumption("market", "min_notional", _per_asset(run, market.min_notional, 0.0, "none")),
    ]
    for name, meaning in (("initial_margin", "in place of leverage (F4)"), ("maintenance_margin", "in place of maintenance (F13)")):
        margins = np.asarray(getattr(market, name))
        if margins.any():
            rows.append(Assumption("market", name, _per_asset(run, margins, 0.0, "none"), f"money per unit, {meaning}; 0: the account's"))
    if np.asarray(market.allow_negative).any():
        rows.append(Assumption("market", "allow_negative", _symbols(run, market.allow_negative), "prices may be zero and below (F12)"))
    return rows


def _data(run: Run) -> list[Assumption]:
    bars = run.bars
    gaps = int(np.isnan(bars.close).sum())
    rows = [
        Assumption("data", "bars", f"{bars.T:,} bars, {bars.N:,} asset{'s' if bars.N > 1 else ''}", "labels are the start of the bar, UTC"),
        Assumption("data", "symbols", ", ".join(bars.symbols)),
        Assumption("data", "without a market", f"{gaps:,}", "bars with no price: nothing fills, positions keep their last mark (F8)"),
        Assumption("data", "volume", "present" if bars.has_volume else "absent"),
        *_events(run),
        Assumption("data", "content hash", bars.content_hash),
    ]
    return rows + [Assumption("data", "note", note) for note in bars.notes]


def _events(run: Run) -> Iterator[Assumption]:
    """Corporate actions, funding and delistings, and what is assumed where there are none."""
    bars = run.bars
    if bars.actions is None:
        yield Assumption("data", "corporate actions", "none", "prices are taken as adjusted; nothing is known of splits and dividends (T1)")
    else:
        splits, dividends = int((bars.actions.split != 1.0).sum()), int((bars.actions.dividend != 0.0).sum())
        words = "prices are raw: splits and dividends are booked on what is held (T1), strategies read prices times the splits so far (T9)"
        yield Assumption("data", "corporate actions", f"{_count(splits, 'split')}, {_count(dividends, 'dividend')} booked", words)
    if bars.funding is not None:
        count = int((np.nan_to_num(bars.funding) != 0.0).sum())
        yield Assumption("data", "funding", f"{_count(count, 'bar')} with a rate", "paid on what is held over it (T2)")
    gone = np.flatnonzero(bars.delist_bar >= 0)
    if len(gone):
        told = [f"{bars.symbols[n]} {label_text(int(bars.index[bars.delist_bar[n]]))}{_haircut(bars, n)}" for n in gone[:_MOST_NAMES]]
        more = f" and {len(gone) - _MOST_NAMES:,} more" if len(gone) > _MOST_NAMES else ""
        yield Assumption("data", "delistings", ", ".join(told) + more, "closed at the last mark less the haircut, without costs (T10)")


def _haircut(bars: Bars, n: int) -> str:
    return f" at {bars.delist_haircut[n]:.3g} less" if bars.delist_haircut[n] else ""


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _end(run: Run) -> list[Assumption]:
    held = int((run.assets["q"] != 0.0).sum())
    waiting = int((run.orders["t_done"] < 0).sum())
    return [
        Assumption("end", "open positions", f"{held:,}", "at their last valid close, without costs of closing (T8)" if held else ""),
        Assumption("end", "pending orders", f"{waiting:,}", "decided but not executed before the data ended (T8)" if waiting else ""),
    ]
