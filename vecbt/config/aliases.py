"""Other names for the keys of a run file: accepted, with a warning, and never beside the name itself.

One quantity has one name here. Files written for other programs, or flat ones (`initial_capital` at the top, as in Python), say it
differently; what can be read without guessing is moved to its place, the rest stays an unknown key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .optimizer_names import moves
from .sizes import METHODS
from .source import Place, Source, dotted

__all__ = ["Renaming", "canonical"]

_NAMES: dict[str, tuple[str, ...]] = {
    "account.initial_capital": (
        "initial_capital", "account.capital", "account.initial_balance", "backtesting.initial_capital", "account.starting_capital",
    ),
    "account.accounts": ("accounts",),
    "account.positions": ("positions",),
    "account.leverage": ("leverage",),
    "account.maintenance": ("maintenance", "account.maintenance_margin"),
    "account.flows": ("flows", "account.deposits"),
    "carry.borrow_rate": ("borrow_rate", "costs.borrow_rate", "account.borrow_rate"),
    "carry.interest_rate": ("interest_rate", "costs.interest_rate", "account.interest_rate"),
    "costs.commission_rate": (
        "commission_rate", "commission_pct", "costs.commission_pct", "costs.transaction_cost", "backtesting.transaction_cost",
        "backtesting.commission_pct", "backtesting.commission_rate",
    ),
    "costs.slippage_bps": ("slippage_bps", "backtesting.slippage_bps", "costs.fixed_slippage_bps"),
    "max_participation": ("costs.max_participation", "risk.max_participation"),
    "participation_rest": ("costs.participation_rest", "risk.participation_rest"),
    "stops": ("risk_management.stop_loss",),
    "stops.hard": ("stops.stop_loss", "stops.stop_loss_pct", "stops.hard_stop", "stops.hard_stop_pct"),
    "stops.trailing": ("stops.trailing_stop", "stops.trailing_stop_pct", "stops.trail"),
    "stops.take_profit": ("stops.take_profit_pct", "stops.target"),
    "stops.time_days": ("stops.time_stop_days", "stops.max_days"),
    "stops.time_bars": ("stops.time_stop_bars", "stops.max_bars"),
    "stops.atr_window": ("stops.atr_period", "stops.atr_length", "stops.atr_lookback", "stops.lookback_period", "stops.lookback"),
    "risk.zones": ("zones", "drawdown_zones", "risk.drawdown_zones", "risk_management.drawdown_zones"),
    "risk.zones.liquidate_at": ("risk.zones.emergency", "risk.liquidate_at"),
    "risk.daily_loss": (
        "risk.max_daily_loss", "risk.max_daily_loss_pct", "risk.daily_loss_limit", "risk.daily_loss_limit_pct",
        "risk_management.portfolio.daily_loss_limit_pct",
    ),
    "risk.max_heat": ("risk.max_portfolio_heat", "risk.heat", "risk_management.portfolio.max_portfolio_heat"),
    "risk.max_trade_loss": ("risk.max_trade_loss_pct",),
    "risk.max_drawdown": ("risk.max_drawdown_pct", "risk_management.portfolio.max_drawdown_pct"),
    "risk.limits": ("limits",),
    "risk.limits.max_gross": ("risk.max_gross", "risk.max_gross_exposure", "risk.limits.max_gross_exposure"),
    "risk.limits.max_net": ("risk.max_net", "risk.max_net_exposure", "risk.limits.max_net_exposure"),
    "risk.limits.max_position": ("risk.max_position", "risk.max_position_pct", "risk.limits.max_position_pct"),
    "risk.limits.max_position_value": ("risk.max_position_value",),
    "sizing": ("position_sizing", "risk.position_sizing", "risk_management.position_sizing"),
    "strategy.name": ("strategy.type",),
}  # fmt: skip

_DRAWDOWN = ("risk", "max_drawdown")
"""No key either: a station on the way to the zones' boundaries."""

_SIZES = {
    **{name: name for name in METHODS}, "confidence": "confidence_based", "fixed_pct": "weight", "risk_parity": "inverse_volatility",
}  # fmt: skip
_RISK_NAMES = {"max_position_size": "max_position_fraction", "max_position_pct": "max_position_fraction"}
_SHARE_NAMES = {"max_position_size": "max_position", "min_position_size": "min_position", "max_position_pct": "max_position"}
_SIZE_KEYS: dict[str, dict[str, str]] = {
    "weight": {"default_size_pct": "weight", "max_position_pct": "max_position", "max_position_size": "max_position"},
    "fixed_fractional": {"risk_per_trade": "risk_fraction", **_RISK_NAMES},
    "kelly": {"fraction": "kelly_fraction", **_RISK_NAMES},
    "confidence_based": {"risk_per_trade": "base_risk_fraction", "confidence_threshold": "min_confidence", **_RISK_NAMES},
    "equal_weight": _SHARE_NAMES,
    "inverse_volatility": {"adaptation_period": "window", "lookback": "window", "lookback_period": "window", **_SHARE_NAMES},
    "volatility": {"lookback": "window", "lookback_period": "window", **_SHARE_NAMES},
    "forecast": {"max_position_pct": "max_position_size"},
}


@dataclass(frozen=True)
class Renaming:
    """A key that was written under another name. `refusal` says why it cannot be taken, where it cannot."""

    written: Place
    meant: Place
    sentence: str
    refusal: str = field(default="")


def canonical(source: Source) -> list[Renaming]:
    """Move every key that stands under another name to its own place, lines too; the source is changed."""
    out: list[Renaming] = []
    for meant, others in _NAMES.items():
        for other in others:
            out += _move(source, tuple(other.split(".")), tuple(meant.split(".")))
    out += _named_zones(source)
    out += _drawdown(source)
    out += _position_size(source)
    out += _switches(source)
    out += _sizing_method(source)
    out += _optimization(source)
    for name in ("optimization", "risk_management", "backtesting"):
        _drop_empty(source.tree, name)
    return [r for r in out if r.refusal or r.meant != _DRAWDOWN]


def _move(source: Source, old: Place, new: Place, value: Any = None) -> list[Renaming]:
    """One key, if it stands under its other name."""
    found, here = _take(source.tree, old, remove=False)
    if not found or here is None:
        return []
    stands, there = _take(source.tree, new, remove=False)
    if stands and isinstance(there, dict) and isinstance(here, dict):
        out = [r for key in list(here) for r in _move(source, (*old, key), (*new, key))]
        if not here:
            _take(source.tree, old, remove=True)
        return out
    written = source.origin(old)
    sentence = f"{dotted(written)} was read as {dotted(new)}; write {dotted(new)}"
    if stands and there is not None and there != here:
        _take(source.tree, old, remove=True)
        return [
            Renaming(written, new, sentence, f"{dotted(written)} is another name of {dotted(new)}, and both are given; keep one of them")
        ]
    _take(source.tree, old, remove=True)
    if not _put(source.tree, new, here if value is None else value):
        _put(source.tree, old, here)
        return []
    _note(source, old, new)
    return [Renaming(written, new, sentence)]


def _note(source: Source, old: Place, new: Place) -> None:
    """Lines and origin of what was moved."""
    line = source.written(old)
    for place, written in list(source.lines.items()):
        if place[: len(old)] == old:
            source.lines[new + place[len(old) :]] = written
    for end in range(1, len(new)):
        if line:
            source.lines.setdefault(new[:end], line)
    source.moved[new] = source.origin(old)


def _take(tree: Any, place: Place, *, remove: bool) -> tuple[bool, Any]:
    """Whether a place is there, and what stands in it."""
    for part in place[:-1]:
        tree = tree.get(part) if isinstance(tree, dict) else None
    if not isinstance(tree, dict) or place[-1] not in tree:
        return False, None
    return True, tree.pop(place[-1]) if remove else tree[place[-1]]


def _put(tree: dict[str, Any], place: Place, value: Any) -> bool:
    """Set a place, making the sections around it; False where one of them is no section."""
    here: Any = tree
    for part in place[:-1]:
        if here.get(part) is None:
            here[part] = {}
        here = here[part]
        if not isinstance(here, dict):
            return False
    here[place[-1]] = value
    return True


def _section(source: Source, *place: str) -> dict[str, Any] | None:
    value = _take(source.tree, place, remove=False)[1]
    return value if isinstance(value, dict) else None


def _named_zones(source: Source) -> list[Renaming]:
    """`{normal: 0.05, caution: 0.10, alert: 0.15}`: where each zone ends, so where the next one begins."""
    zones, names = _section(source, "risk", "zones"), ("normal", "caution", "alert")
    if zones is None or not all(name in zones for name in names) or "boundaries" in zones:
        return []
    old, new = ("risk", "zones", names[0]), ("risk", "zones", "boundaries")
    ends = [zones.pop(name) for name in names]
    zones["boundaries"] = ends
    _note(source, old, new)
    for k, name in enumerate(names):
        source.lines[(*new, k)] = source.written(("risk", "zones", name))
    sentence = f"{dotted(source.origin(old))}, caution and alert were read as the ends of these zones; write risk.zones.boundaries: {ends}"
    last = zones.get("liquidate_at")
    numbers = all(isinstance(v, int | float) for v in (last, ends[2]))
    early = numbers and last is not None and last < ends[2]
    refusal = f"emergency ({last}) closes everything before alert ({ends[2]}) ends; it must be alert or more" if early else ""
    return [Renaming(source.origin(old), new, sentence, refusal)]


def _drawdown(source: Source) -> list[Renaming]:
    """A single `max_drawdown` is where trading halts: the last of three boundaries."""
    place, meant = _DRAWDOWN, ("risk", "zones", "boundaries")
    found, most = _take(source.tree, place, remove=False)
    if not found or isinstance(most, bool) or not isinstance(most, int | float):
        return []
    zones, written = _section(source, "risk", "zones"), source.origin(place)
    given = zones.get("boundaries") if zones is not None else None
    if isinstance(given, list):
        _take(source.tree, place, remove=True)
        same = len(given) != 3 or given[2] == most
        refusal = (
            "" if same else f"{dotted(written)} is {most:g}, but the last of the zones' boundaries, which halts trading, is {given[2]}"
        )
        return [Renaming(written, meant, f"{dotted(written)} repeats the last of {dotted(meant)}; leave it out", refusal)]
    bounds = [round(most / 3, 12), round(2 * most / 3, 12), most]
    sentence = f"{dotted(written)} was read as the last of three zones; write {dotted(meant)}: {bounds}"
    return [Renaming(r.written, r.meant, sentence) for r in _move(source, place, meant, bounds)]


def _position_size(source: Source) -> list[Renaming]:
    """`max_position_size` is a fraction in some programs, money in others: its value tells which."""
    out: list[Renaming] = []
    for section in (("risk",), ("risk", "limits")):
        found, most = _take(source.tree, (*section, "max_position_size"), remove=False)
        if found and isinstance(most, int | float) and not isinstance(most, bool):
            name = "max_position" if most <= 1 else "max_position_value"
            out += _move(source, (*section, "max_position_size"), ("risk", "limits", name))
    return out


def _switches(source: Source) -> list[Renaming]:
    """`enabled: true` in a section says nothing: a rule that is given is on."""
    out = []
    for name in ("stops", "sizing"):
        section = _section(source, name)
        if section is not None and isinstance(section.get("enabled"), bool):
            written, on = source.origin((name, "enabled")), section.pop("enabled")
            if not on:
                source.tree[name] = None
            what = "leave it out" if on else f"the whole of {name} was left out; remove it"
            out.append(Renaming(written, (name,), f"{dotted(written)} is no key, a section that is given is on; {what}"))
    return out


def _sizing_method(source: Source) -> list[Renaming]:
    """`{method: kelly, ...}` as `kelly: {...}`."""
    sizing, method = _section(source, "sizing"), ("sizing", "method")
    said = None if sizing is None else sizing.get("method")
    if sizing is None or not isinstance(said, str) or said not in _SIZES:
        return []
    del sizing["method"]
    name = _SIZES[said]
    inner = {_SIZE_KEYS.get(name, {}).get(key, key): sizing.pop(key) for key in list(sizing)}
    flat = name in ("weight", "units", "notional", "cash")  # the key itself holds the number
    sizing.update(inner if flat else {name: inner})
    _note(source, method, ("sizing", name))
    written = source.origin(method)
    other = "; risk parity leaves correlations aside here: equal risk contribution is an allocation" if said == "risk_parity" else ""
    meant = ", ".join(f"{key}: {value}" for key, value in inner.items()) if flat else f"{name}: {inner}"
    return [Renaming(written, ("sizing", name), f"{dotted(written)} is a section here{other}; write sizing: {{{meant}}}")]


def _optimization(source: Source) -> list[Renaming]:
    """The section of an optimizer; see `optimizer_names`."""
    out: list[Renaming] = []
    for old, new, value, said in list(moves(source)):
        if new is not None:
            out += _move(source, old, new, value)
        elif _take(source.tree, old, remove=True)[0]:
            out.append(Renaming(source.origin(old), ("optimize",), said))
    return out


def _drop_empty(tree: dict[str, Any], name: str) -> None:
    """Sections of which everything was moved away."""
    section = tree.get(name)
    if isinstance(section, dict):
        for key in list(section):
            if isinstance(section[key], dict):
                _drop_empty(section, key)
        if not section:
            del tree[name]
