"""Through the door: read tables become one checked, aligned, frozen panel.

The order is: market, labels on the UTC clock, repairs, checks (B1), union of times (B2), delistings (F8, T10), events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from .._typing import Block, IndexT
from ..errors import ConfigError, DataError, nearest
from .calendar import resolve
from .events import Events, event_matrix, find_delistings
from .labels import label_text, to_labels
from .market import Market, PerAsset
from .quality import Table, check_table, refuse
from .repair import Repair, check_policies, repaired
from .tables import RawTable

__all__ = ["Options", "Panel", "assemble"]


class Options(TypedDict, total=False):
    """Keywords that all constructors of `Bars` share."""

    missing: Literal["error", "no_market"]
    repair: str | Sequence[str] | None
    delistings: Mapping[str, Any] | None
    delisting: Literal["liquidate", "hold"]
    splits: Any
    dividends: Any
    funding: Any
    market: Market | None
    asset_class: str
    time_zone: str
    session_start: str
    calendar: str | None
    periods_per_year: float | None
    multiplier: PerAsset
    lot: PerAsset
    tick: PerAsset
    min_notional: PerAsset
    allow_negative: bool | PerAsset
    instrument: str | Sequence[str] | Mapping[str, str]
    initial_margin: PerAsset
    maintenance_margin: PerAsset
    events: bool
    bar_ns: int | None


_MARKET_FIELDS = tuple(f.name for f in fields(Market) if f.name != "symbols")


@dataclass(frozen=True)
class Panel:
    """All that `Bars` is made of."""

    block: Block
    index: IndexT
    market: Market
    periods_per_year_source: str
    has_volume: bool
    events: Events
    notes: tuple[str, ...]
    repairs: tuple[Repair, ...]


def _check_options(options: Mapping[str, Any]) -> None:
    """Refuse unknown keywords and choices with the nearest known one."""
    known = Options.__annotations__
    for key in options:
        if key not in known:
            raise ConfigError(f"unknown keyword {key!r}; {nearest(key, known)}")
    for key, choices in (("missing", ("error", "no_market")), ("delisting", ("liquidate", "hold"))):
        value = options.get(key, choices[0])
        if value not in choices:
            raise ConfigError(f"{key} is {value!r}; expected {' or '.join(repr(c) for c in choices)}")


def _market(raw: Sequence[RawTable], symbols: tuple[str, ...], options: Mapping[str, Any]) -> tuple[Market, list[str]]:
    """The market as given, or built from keywords; the zone of the stamps is that of sessions unless one is given."""
    given = {name: options[name] for name in _MARKET_FIELDS if name in options}
    market = options.get("market")
    if market is not None:
        if not isinstance(market, Market):
            raise ConfigError(f"market is {market!r}; expected a Market, or its fields as keywords")
        if given:
            raise ConfigError(f"both market and {next(iter(given))} are given; put {next(iter(given))} into the market")
        if set(market.symbols) == set(symbols):
            return market.subset(symbols), []
        lacking = [s for s in symbols if s not in market.symbols]
        if lacking:
            raise ConfigError(f"the table has {lacking[0]!r}, which is no symbol of the market; {nearest(lacking[0], market.symbols)}")
        missing = ", ".join(s for s in market.symbols if s not in symbols)
        raise ConfigError(f"the market has {missing}, the table has not; use market.subset")
    notes = []
    aware = {table.stamps.aware for table in raw}
    if len(aware) > 1 and "time_zone" not in given:
        naive = next(t for t in raw if not t.stamps.aware).symbols[0]
        other = next(t for t in raw if t.stamps.aware).symbols[0]
        raise DataError(f"mixed time zones: the times of {other} carry a zone, those of {naive} do not; give all of them one (rule B1)")
    zones = {table.stamps.zone for table in raw}
    if "time_zone" not in given and len(zones) == 1 and (zone := next(iter(zones))) not in (None, "UTC"):
        given["time_zone"] = zone
        notes.append(f"sessions are in {zone}, the zone of the times")
    return Market(symbols=symbols, **given), notes


def _table(raw: RawTable, market: Market) -> Table:
    labels = to_labels(raw.stamps, market.time_zone, market.bar_ns, f"{raw.symbols[0]}: time")
    return Table(raw.symbols, labels, raw.block, raw.has_volume, raw.cells)


def _checked(table: Table, market: Market, options: Mapping[str, Any]) -> tuple[Table, tuple[Repair, ...]]:
    """One table past the door: repaired as asked, then without a fault, or refused."""
    policies = check_policies(options.get("repair"))
    missing = options.get("missing", "error")
    negative = market.allow_negative[[market.symbols.index(s) for s in table.symbols]]
    done: tuple[Repair, ...] = ()
    if policies:
        table, done = repaired(table, policies, negative, missing)
        if len(table.labels) == 0:
            raise DataError(f"{table.symbols[0]}: no row is left after repair={policies!r}; the table is not usable (rule B1)")
        missing = "no_market" if "drop" in policies else missing  # what is missing now, was dropped on request
    refuse(check_table(table, negative, missing))
    return table, done


def _align(tables: Sequence[Table], has_volume: bool) -> tuple[Block, IndexT, list[str]]:
    """The union of times, NaN where an asset has no bar (B2). One way to write NaN and zero, so that equal bars have equal bits."""
    index = tables[0].labels if all(np.array_equal(t.labels, tables[0].labels) for t in tables) else None
    notes = []
    if index is None:
        index = np.unique(np.concatenate([t.labels for t in tables]))
        notes = _strangers(tables)
    block = np.full((5, len(index), sum(len(t.symbols) for t in tables)), np.nan)
    start = 0
    for table in tables:
        columns = slice(start, start + len(table.symbols))
        block[:, np.searchsorted(index, table.labels), columns] = table.block
        start = columns.stop
    block[4, np.isnan(block[3])] = np.nan  # a volume of 0 on a bar without prices is no market either
    if not has_volume:
        block[4] = np.nan
    block += 0.0
    block[np.isnan(block)] = np.nan
    return block, np.array(index, dtype=np.int64), notes


def _strangers(tables: Sequence[Table]) -> list[str]:
    """A note where the labels of two tables overlap in time and never meet: their clocks are probably different."""
    notes = []
    first = tables[0]
    for table in tables[1:]:
        overlap = min(first.labels[-1], table.labels[-1]) > max(first.labels[0], table.labels[0])
        if overlap and not np.isin(table.labels, first.labels, assume_unique=True).any():
            notes.append(
                f"no time of {table.symbols[0]} is a time of {first.symbols[0]} (for example {label_text(int(table.labels[0]))} and "
                f"{label_text(int(first.labels[0]))}): check that both use the same time zone and stamp the start of the bar"
            )
    return notes


def assemble(raw: Sequence[RawTable], options: Mapping[str, Any]) -> Panel:
    """One panel from tables of one or more assets. Raises DataError (tables) or ConfigError (keywords)."""
    _check_options(options)
    symbols = tuple(s for table in raw for s in table.symbols)
    _check_unique(symbols)
    with_volume = [table.has_volume for table in raw]
    if len(set(with_volume)) > 1:
        lacks = raw[with_volume.index(False)].symbols[0]
        raise DataError(f"{lacks} has no volume and others have; give a volume for all assets or for none (rule B1)")
    market, notes = _market(raw, symbols, options)
    checked = [_checked(_table(table, market), market, options) for table in raw]
    repairs = tuple(r for _, done in checked for r in done)
    notes += [str(r) for r in repairs]
    unused = list(dict.fromkeys(name for table in raw for name in table.unused))
    if unused:
        notes.append(f"columns not used: {', '.join(unused)}")
    block, index, remarks = _align([table for table, _ in checked], with_volume[0])
    notes += remarks
    market, how = resolve(index, market)
    bar, haircut, dated = find_delistings(_valid(block), index, market, options.get("delistings"), options.get("delisting", "liquidate"))
    events = Events(
        splits=event_matrix(options.get("splits"), "splits", index, market),
        dividends=event_matrix(options.get("dividends"), "dividends", index, market),
        funding=event_matrix(options.get("funding"), "funding", index, market),
        delist_bar=bar,
        delist_haircut=haircut,
    )
    return Panel(block, index, market, how, with_volume[0], events, tuple(notes + dated), repairs)


def _valid(block: Block) -> NDArray[np.bool_]:
    valid: NDArray[np.bool_] = ~np.isnan(block[3])
    return valid


def _check_unique(symbols: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in symbols:
        if name in seen:
            raise DataError(f"the symbol {name!r} is given more than once; name each asset once (rule B1)")
        seen.add(name)
