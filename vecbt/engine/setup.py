"""Every parameter in force in a run, checked once, for all drivers alike."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._typing import Records
from ..core.codes import InputKind
from ..core.identity import identity
from ..core.state import records
from ..errors import ConfigError, nearest
from ..execution.carry import Carry
from ..execution.costs import Costs
from ..risk.limits import Limits
from ..risk.sizing import SIZINGS, Sizing, Weight
from ..risk.stops import Stops, no_stops
from ..risk.zones import Risk, no_zones
from .rows import RULES, TERMS

if TYPE_CHECKING:
    from ..data.market import Market

__all__ = ["Rules", "Setup", "spans_of"]

_CHOICES = {
    "fill": ("next_open", "close"),
    "direction": ("both", "long", "short"),
    "weights_of": ("net", "gross"),
    "intrabar": ("pessimistic", "optimistic"),
    "accounts": ("shared", "separate"),
    "participation_rest": ("queue", "drop"),
}
_OF_ACCOUNT = ("initial_capital", "accounts", "positions", "leverage", "maintenance", "flows")
_FLAGS = ("accumulate", "trade_through", "liquidate_at_end")
_TYPES: dict[str, tuple[type, ...]] = {
    "costs": (Costs,),
    "sizing": SIZINGS,
    "stops": (Stops,),
    "risk": (Risk,),
    "carry": (Carry,),
}


class Rules(NamedTuple):
    """Parameters as the kernels take them, one record each; `terms` is None where nothing goes beyond a plain account."""

    common: Records
    stops: Records
    zones: Records
    terms: Records | None


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Parameters of a simulation. The keywords of `backtest`, `Stream` and `check_parity` are these fields.

    Parameters
    ----------
    costs : Costs
        Commission and slippage; there is no default.
    sizing : Weight, Units, Notional, Cash, FixedFractionalSizing, KellyCriterion, ..., optional
        Size of entries from signals and strengths (S3); default `Weight(1/N)` with N the assets of the account.
    stops : Stops, optional
        Protective exits (P); off by default.
    risk : Risk, optional
        Account-level rules (Z); off by default.
    initial_capital : float
        Money at the start (F14); of each account when they are separate.
    fill : {"next_open", "close"}
        When orders meet the market (T7).
    direction : {"both", "long", "short"}
        Sides that may be held (S1).
    accumulate : bool
        An entry in the side held adds to it (S2).
    weights_of : {"net", "gross"}
        Target weights are of equity after or before the rebalance's own costs (W2).
    band : float
        No-trade band around target weights, a fraction (W3).
    intrabar : {"pessimistic", "optimistic"}
        Which of stop and target comes first inside a bar (P5).
    trade_through : bool
        Limit levels must be passed, not touched (O1, P4).
    accounts : {"shared", "separate"}
        One account for all assets, or one each (F14).
    positions : mapping of symbol to (quantity, entry price), optional
        Positions at the start (F14).
    liquidate_at_end : bool
        Close everything after the last bar, with costs (T8).
    leverage : float
        Most exposure over equity for new risk (F4), at least 1.
    maintenance : float
        Equity over exposure below which all is closed (F13), a fraction.
    max_participation : float, optional
        Most of a bar's volume that all orders of an asset fill together (F7), a fraction; needs volume.
    participation_rest : {"queue", "drop"}
        What F7 leaves waits for the next open, or is dropped.
    carry : Carry, optional
        Borrow fees and interest (T2).
    flows : mapping of time to money, optional
        Deposits and withdrawals (< 0) of each account (F15).

    Raises
    ------
    ConfigError
        A value of the wrong type or outside its range, or a combination that makes no sense.
    """

    costs: Costs
    sizing: Sizing | None = None
    stops: Stops | None = None
    risk: Risk | None = None
    initial_capital: float = 100_000.0
    fill: str = "next_open"
    direction: str = "both"
    accumulate: bool = False
    weights_of: str = "net"
    band: float = 0.0
    intrabar: str = "pessimistic"
    trade_through: bool = False
    accounts: str = "shared"
    positions: Mapping[str, tuple[float, float]] | None = field(default=None)
    liquidate_at_end: bool = False
    leverage: float = 1.0
    maintenance: float = 0.25
    max_participation: float | None = None
    participation_rest: str = "queue"
    carry: Carry | None = None
    flows: Mapping[Any, float] | None = field(default=None)

    @classmethod
    def of(cls, **keywords: Any) -> Setup:
        """A setup from keywords; an unknown one is refused with the nearest known."""
        known = _names()
        for name in keywords:
            if name not in known:
                raise ConfigError(f"unknown argument {name!r}; {nearest(name, known)}")
        if "costs" not in keywords:
            raise ConfigError("costs are missing; give costs=Costs(commission_rate=..., slippage_bps=...), or costs=Costs.free()")
        return cls(**keywords)

    def __post_init__(self) -> None:
        for name, types in _TYPES.items():
            value = getattr(self, name)
            if not isinstance(value, types) and not (value is None and name != "costs"):
                raise ConfigError(f"{name} is {value!r}; expected {' or '.join(t.__name__ for t in types)}")
        for name, options in _CHOICES.items():
            value = getattr(self, name)
            if value not in options:
                hint = nearest(str(value), options)
                raise ConfigError(f"{name} is {value!r}; expected one of {', '.join(map(repr, options))} ({hint})")
        for name in _FLAGS:
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise ConfigError(f"{name} is {getattr(self, name)!r}; expected True or False")
        self._check_numbers()
        self._check_combinations()

    def _check_numbers(self) -> None:
        capital = self.initial_capital
        if isinstance(capital, bool) or not isinstance(capital, int | float | np.integer | np.floating):
            raise ConfigError(f"initial_capital is {capital!r}; expected an amount of money")
        if not (math.isfinite(capital) and capital > 0):
            raise ConfigError(f"initial_capital is {capital!r}; expected a finite amount > 0")
        if isinstance(self.band, bool) or not isinstance(self.band, int | float | np.floating) or not 0.0 <= self.band < 1.0:
            raise ConfigError(f"band is {self.band!r}; expected a fraction of equity from 0 up to 1, such as 0.02")
        if not isinstance(self.leverage, int | float | np.floating) or isinstance(self.leverage, bool) or not 1.0 <= self.leverage <= 1000:
            raise ConfigError(f"leverage is {self.leverage!r}; expected exposure over equity, from 1 (none) on")
        kept = self.maintenance
        if not isinstance(kept, int | float | np.floating) or isinstance(kept, bool) or not 0.0 <= kept < 1.0:
            raise ConfigError(f"maintenance is {self.maintenance!r}; expected a fraction of exposure from 0 up to 1, such as 0.25")
        part = self.max_participation
        if part is not None and (not isinstance(part, int | float | np.floating) or isinstance(part, bool) or not 0.0 < part <= 1.0):
            raise ConfigError(f"max_participation is {part!r}; expected a fraction of the volume, more than 0 and at most 1: 10 % is 0.1")
        if self.positions is not None:
            object.__setattr__(self, "positions", _checked_positions(self.positions))
        if self.flows is not None:
            object.__setattr__(self, "flows", _checked_flows(self.flows))

    def _check_combinations(self) -> None:
        sizing = self.sizing
        name = type(sizing).__name__
        if sizing is not None and sizing.needs_stop and not (self.stops and self.stops.has_stop):
            raise ConfigError(f"{name} sizes by the distance to the stop; give stops=Stops(hard=...) or trailing=...")
        if sizing is not None and sizing.at_fill:
            if self.costs.needs_volume:
                raise ConfigError(f"{name} sizes an order by its fill price, and volume_share prices it by its size; use another sizing")
            if self.max_participation is not None:
                raise ConfigError(f"{name} sizes an order at one fill, and max_participation may fill it over many bars; use Weight")
            if self.risk is not None and self.risk.limits_new_risk:
                raise ConfigError(f"{name} is sized at the fill, and limits of risk are judged before it; use another sizing")
        window = getattr(sizing, "window", None)
        if window is not None and self.costs.needs_volume and window != self.costs.volume_window:
            raise ConfigError(
                f"{name}.window is {window} and Costs.volume_window {self.costs.volume_window}: a run has one sigma; make them equal"
            )
        if self.maintenance * self.leverage > 1.0:
            raise ConfigError(
                f"maintenance {self.maintenance} of exposure at leverage {self.leverage} is more than the equity: a full position would be "
                f"closed at once; expected at most {1.0 / self.leverage:g}"
            )

    @property
    def uses_volume(self) -> bool:
        """Whether the volume column is needed."""
        return self.costs.needs_volume or self.max_participation is not None

    @property
    def sigma_window(self) -> int | None:
        """Bars in sigma (F1), None where no rule needs one."""
        if self.costs.needs_volume:
            return self.costs.volume_window
        window: int | None = getattr(self.sizing, "window", None)
        return window

    def for_market(self, market: Market, has_volume: bool) -> Setup:
        """The same setup after the checks that need the market.

        Raises
        ------
        ConfigError
            A tick, a volume column or a symbol is missing that a rule needs.
        """
        if self.stops is not None and self.stops.needs_tick and not np.all(np.asarray(market.tick) > 0):
            raise ConfigError("a stop is given in Ticks, but the market has no tick for every asset; set tick= on the bars' market")
        if self.stops is not None and self.stops.lowest_price <= 0 and not market.allow_negative.any():
            raise ConfigError(f"stops has Price({self.stops.lowest_price:g}), and no asset of the market may have prices <= 0")
        if self.costs.needs_volume and not has_volume:
            raise ConfigError("costs use volume_share, but the bars have no volume column")
        if self.max_participation is not None and not has_volume:
            raise ConfigError("max_participation is a part of the volume, but the bars have no volume column")
        if self.carry is not None:
            self.carry.borrow_rates(market.symbols)
        for symbol in self.positions or {}:
            if symbol not in market.symbols:
                raise ConfigError(f"positions names {symbol!r}, which is not in the bars; {nearest(symbol, market.symbols)}")
        return self

    def for_inputs(self, kind: InputKind) -> Setup:
        """The same setup after the checks that need the kind of input."""
        if kind in (InputKind.WEIGHTS, InputKind.QUANTITIES, InputKind.ORDERS):
            for name in ("sizing", "accumulate"):
                if getattr(self, name):
                    raise ConfigError(f"{name} does not apply to {kind.name.lower()}: the rows say how much is held")
        if kind is not InputKind.WEIGHTS and (self.band or self.weights_of != "net"):
            raise ConfigError(f"band and weights_of apply to target weights only; the inputs are {kind.name.lower()}")
        return self

    def sizing_for(self, assets: int) -> Sizing:
        """The sizing in force for an account of so many assets."""
        return self.sizing or Weight(1.0 / assets)

    def rules(self, kind: InputKind, market: Market) -> Rules:
        """The parameters as the kernels take them."""
        common, assets = records(RULES, 1), 1 if self.accounts == "separate" else market.N
        zones = self.risk.zones if self.risk is not None else None
        terms, judges_inside = self._terms(market, kind), zones is not None and zones.mark == "intrabar"
        plain = kind is not InputKind.ORDERS and terms is None and not self.uses_volume and self.sigma_window is None and not judges_inside
        timed = self.stops is not None and (self.stops.time_bars is not None or self.stops.time_days is not None)
        common[0] = (
            int(kind),
            int(self.fill == "close"),
            int(self.direction != "short"),
            int(self.direction != "long"),
            int(self.accumulate),
            int(self.weights_of == "net"),
            self.band,
            int(self.intrabar == "optimistic"),
            int(self.trade_through),
            self.leverage,
            self.maintenance,
            self.max_participation or 0.0,
            int(self.participation_rest == "queue"),
            int(self.uses_volume),
            int(zones is not None and judges_inside and zones.liquidate_at is not None),
            int(judges_inside),
            int(not plain or self.stops is not None),
            int(kind is InputKind.ORDERS or self.uses_volume or judges_inside),
            int(plain and self.stops is not None and not timed),
            0,
            *self.costs.numbers(),
            *self.sizing_for(assets).numbers(),
        )
        stops = self.stops.record() if self.stops is not None else no_stops(kind is InputKind.ORDERS)
        return Rules(common, stops, no_zones() if zones is None else zones.record(), terms)

    def _terms(self, market: Market, kind: InputKind) -> Records | None:
        """What goes beyond a plain account; None where nothing does."""
        risk = self.risk
        limits = risk is not None and risk.limits_new_risk
        beyond = limits or self.carry is not None or self.flows is not None or market.events
        if not beyond and kind is not InputKind.ORDERS:  # orders: one specialisation less to compile
            return None
        out = records(TERMS, 1)
        most = risk.limits if risk is not None else None
        for owner, names in ((risk, ("max_heat", "max_trade_loss")), (most, [f.name for f in fields(Limits)])):
            for name in names:
                value = None if owner is None else getattr(owner, name)
                out[name] = math.inf if value is None else value
        out.daily_loss = (risk.daily_loss if risk is not None else None) or 0.0
        out.interest_rate = self.carry.interest_rate if self.carry is not None else 0.0
        return out

    def describe(self) -> list[tuple[str, str, Any]]:
        """Every parameter in force as (section, name, value); what is off says so."""
        rows: list[tuple[str, str, Any]] = []
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name == "costs":
                rows += [("costs", name, v) for name, v in value.to_dict().items()]
            elif f.name == "sizing":
                rows.append(("sizing", "sizing", repr(value) if value is not None else "Weight(1/N), N assets in the account"))
            elif f.name == "stops":
                off = [("stops", "stops", "off")]
                rows += [("stops", name, v) for name, v in value.to_dict().items()] if value is not None else off
                rows += [("stops", "finding", sentence) for sentence in (value.findings if value is not None else ())]
            elif f.name in ("risk", "carry"):
                rows += [(f.name, name, v) for name, v in value.to_dict().items()] if value is not None else [(f.name, f.name, "off")]
            else:
                value = dict(value) if isinstance(value, Mapping) else value
                rows.append(("account" if f.name in _OF_ACCOUNT else "simulation", f.name, value))
        return rows

    def digest(self) -> str:
        """Hash of every parameter, 16 hexadecimal digits: equal for equal ones, whatever their type or order, in every process."""
        return hashlib.sha256(identity(self).encode()).hexdigest()[:16]


@functools.cache
def _names() -> tuple[str, ...]:
    return tuple(f.name for f in fields(Setup))


def _checked_positions(positions: Any) -> Mapping[str, tuple[float, float]]:
    """A read-only copy of the starting positions; ConfigError for anything but symbol -> (quantity, entry price)."""
    if not isinstance(positions, Mapping):
        raise ConfigError(f"positions is {positions!r}; expected a mapping of symbol to (quantity, entry price)")
    out = {}
    for symbol, entry in positions.items():
        numbers = entry if isinstance(entry, tuple | list) else ()
        fine = all(isinstance(v, int | float | np.integer | np.floating) and math.isfinite(v) for v in numbers)
        if len(numbers) != 2 or not fine or any(isinstance(v, bool) for v in numbers):
            raise ConfigError(f"positions[{symbol!r}] is {entry!r}; expected (quantity, entry price)")
        if not numbers[1] > 0:
            raise ConfigError(f"positions[{symbol!r}] has entry price {numbers[1]!r}; expected a price > 0")
        out[symbol] = (float(numbers[0]), float(numbers[1]))
    return MappingProxyType(out)


def _checked_flows(flows: Any) -> Mapping[Any, float]:
    """A read-only copy of deposits and withdrawals; ConfigError for anything but time -> money."""
    if not isinstance(flows, Mapping) or not flows:
        raise ConfigError(f"flows is {flows!r}; expected a mapping of time to money, such as {{'2020-01-02': 1000.0}}")
    for time, amount in flows.items():
        fine = isinstance(amount, int | float | np.integer | np.floating) and not isinstance(amount, bool) and math.isfinite(amount)
        if not fine or amount == 0:
            raise ConfigError(f"flows[{time!r}] is {amount!r}; expected money: a deposit above 0, a withdrawal below")
    return MappingProxyType({time: float(amount) for time, amount in flows.items()})


def spans_of(accounts: str, assets: int) -> np.ndarray:
    """First asset of every account, and the end."""
    return np.arange(assets + 1, dtype=np.int64) if accounts == "separate" else np.array([0, assets], dtype=np.int64)
