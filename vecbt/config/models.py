"""The sections of a run file. What is left out takes the default of the public object: none is written a second time."""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ..engine.setup import Setup
from ..execution.costs import Costs
from ..risk.sizing import FixedFractionalSizing, Weight
from ..risk.stops import Stops
from ..risk.zones import Zones
from .distances import Distance, Gain

__all__ = [
    "AccountSection", "CostsSection", "DataSection", "Delisting", "FixedFractionalSection", "MarketSection", "OutputSection",
    "PositionSection", "RiskSection", "RunConfig", "Section", "SizingSection", "StopsSection", "StrategySection", "ZonesSection",
    "run_schema",
]  # fmt: skip

Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
PerAsset = float | dict[str, float]


def _of(owner: type, name: str, description: str) -> Any:
    """A key that may be left out; the schema shows the default of the public object."""
    default = next((f.default for f in dataclasses.fields(owner) if f.name == name), None)
    shown = default if isinstance(default, (str, bool, int, float)) and default is not None and default != math.inf else None
    if isinstance(default, tuple):
        shown = list(default)  # type: ignore[assignment]
    return Field(default=None, description=description, json_schema_extra={"default": shown})


class Section(BaseModel):
    """Keys of one section: an unknown one is refused, numbers are numbers and not text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def given(self, *leave_out: str) -> dict[str, Any]:
        """What was written and is not null, by key."""
        return {k: getattr(self, k) for k in sorted(self.model_fields_set) if k not in leave_out and getattr(self, k) is not None}


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Delisting(Section):
    """When an asset was delisted, and what was lost then."""

    time: str = Field(description="date of the delisting")
    haircut: float = Field(default=0.0, ge=0, le=1, description="fraction of the last price that was lost")


class MarketSection(Section):
    """Sessions and units of trading; numbers are for all assets, or by symbol."""

    asset_class: Literal["equity", "fx", "crypto", "future", "other"] | None = Field(default=None, description="kind of the assets")
    time_zone: str | None = Field(default=None, description="IANA name, such as America/New_York; naive times are its wall clock")
    session_start: str | None = Field(default=None, description="wall clock at which a session begins, such as 09:30")
    calendar: str | None = Field(default=None, description="exchange calendar, such as XNYS")
    periods_per_year: Positive | None = Field(default=None, description="bars a year; derived from calendar and index when left out")
    multiplier: PerAsset | None = Field(default=None, description="money per point and unit")
    lot: PerAsset | None = Field(default=None, description="smallest step of a quantity; 0 is fractional")
    tick: PerAsset | None = Field(default=None, description="smallest step of a price; 0 is none")
    min_notional: PerAsset | None = Field(default=None, description="smallest order in money; 0 is none")


class DataSection(Section):
    """Where the prices come from: a sample that is bundled, or a CSV or Parquet file."""

    sample: str | None = Field(default=None, description="a bundled sample: us_daily")
    adjusted: bool | None = Field(default=None, description="of a sample: prices adjusted for splits and dividends (default) or raw")
    path: str | None = Field(default=None, description="CSV or Parquet file; relative to this file")
    symbols: Annotated[list[str], BeforeValidator(_as_list)] | None = Field(
        default=None, description="which assets, in this order; all when left out"
    )
    start: str | None = Field(default=None, description="first date or time that is used")
    end: str | None = Field(default=None, description="first date or time that is not used any more")
    resample: str | None = Field(default=None, description="longer bars: 1h, 1D, 1W, 1M")
    time: str | None = Field(default=None, description="column of times, where it has an unusual name")
    symbol: str | None = Field(default=None, description="name of the asset, where the file has one only")
    symbol_column: str | None = Field(default=None, description="column of symbols, where it has an unusual name")
    columns: dict[str, str] | None = Field(
        default=None, description="open, high, low, close, volume: their columns, where they are unusual"
    )
    missing: Literal["error", "no_market"] | None = Field(
        default=None, description="rows without any price: an error, or bars without a market"
    )
    repair: Annotated[list[str], BeforeValidator(_as_list)] | None = Field(
        default=None, description="repairs to make: sort, drop, keep_first, keep_last"
    )
    delisting: Literal["liquidate", "hold"] | None = Field(default=None, description="what happens to assets that end early")
    delistings: dict[str, Delisting] | None = Field(default=None, description="symbol: {time, haircut}")
    market: MarketSection | None = None

    @model_validator(mode="after")
    def _one_source(self) -> DataSection:
        if (self.sample is None) == (self.path is None):
            raise PydanticCustomError("source", "expected one of sample and path")
        only_files = ("time", "symbol", "symbol_column", "columns", "missing", "repair", "delisting", "delistings")
        wrong = [k for k in (only_files if self.sample is not None else ("adjusted",)) if getattr(self, k) is not None]
        if wrong:
            other, this = ("path", "sample") if self.sample is not None else ("sample", "path")
            raise PydanticCustomError("source", "{key} goes with {other}, not with {this}", {"key": wrong[0], "other": other, "this": this})
        return self


class StrategySection(Section):
    """What trades: a ready-made strategy or one of your own, and its parameters."""

    name: str = Field(description="SmaCross, EmaCross, BuyAndHold, FixedWeights, or module:Name of your own, in a module beside this file")
    parameters: dict[str, Any] | None = Field(default=None, description="parameters by name")


class CostsSection(Section):
    """Commission and slippage of every fill; none at all must be spelled out: free: true."""

    free: bool | None = Field(default=None, description="true: no costs at all")
    commission_rate: NotNegative | None = _of(Costs, "commission_rate", "fraction of the notional, per fill: 0.001 is 10 bps")
    per_unit: NotNegative | None = _of(Costs, "per_unit", "money per unit traded")
    per_order: NotNegative | None = _of(Costs, "per_order", "money per order")
    minimum: NotNegative | None = _of(Costs, "minimum", "least commission of an order, money")
    maximum_rate: NotNegative | None = _of(Costs, "maximum_rate", "most commission of an order, as a fraction of its notional")
    maker_rate: NotNegative | None = _of(Costs, "maker_rate", "rate of limit fills; commission_rate when left out")
    slippage_bps: NotNegative | None = _of(Costs, "slippage_bps", "price worsened by so many hundredths of a percent")
    half_spread: NotNegative | None = _of(Costs, "half_spread", "price worsened by so much, in price units")
    volume_share: NotNegative | None = _of(Costs, "volume_share", "k of the square-root impact k*sigma*sqrt(quantity/volume)")
    volume_window: Count | None = _of(Costs, "volume_window", "bars in the sigma of the impact")


class FixedFractionalSection(Section):
    """Risk a fixed fraction of the equity between entry and stop."""

    risk_fraction: Positive | None = _of(FixedFractionalSizing, "risk_fraction", "fraction of equity lost at the stop")
    max_position_fraction: Positive | None = _of(FixedFractionalSizing, "max_position_fraction", "most notional, a fraction of equity")


class SizingSection(Section):
    """How much an entry buys: exactly one of weight, units, notional, cash, fixed_fractional."""

    weight: Positive | None = Field(default=None, description="fraction of equity; 1/N when there is no sizing section")
    scale_by_signal: bool | None = _of(Weight, "scale_by_signal", "with weight: multiply by |strength|")
    units: Positive | None = Field(default=None, description="a fixed number of units")
    notional: Positive | None = Field(default=None, description="a fixed amount of money")
    cash: Annotated[float, Field(gt=0, le=1)] | None = Field(default=None, description="fraction of the room at the fill, costs included")
    fixed_fractional: FixedFractionalSection | None = Field(
        default=None, description="risk a fraction of equity to the stop; {} takes its defaults"
    )

    @model_validator(mode="after")
    def _one(self) -> SizingSection:
        methods = ("weight", "units", "notional", "cash", "fixed_fractional")
        given = [m for m in methods if getattr(self, m) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise PydanticCustomError(
                "sizing", "expected exactly one of {methods}; found {found}", {"methods": ", ".join(methods), "found": found}
            )
        if self.scale_by_signal is not None and self.weight is None:
            raise PydanticCustomError("sizing", "scale_by_signal goes with weight only")
        return self


class StopsSection(Section):
    """Protective exits of every position: "3%", "2 atr", "20 ticks", {price: 97.5}, or a fraction below 1."""

    hard: Distance = _of(Stops, "hard", "stop at this distance from the average entry price")
    trailing: Distance = _of(Stops, "trailing", "stop at this distance from the best price since entry; no price")
    activation: Gain = _of(Stops, "activation", "gain from which on the trailing stop is armed")
    take_profit: Distance = _of(Stops, "take_profit", "limit exit at this distance in profit")
    time_bars: Count | None = _of(Stops, "time_bars", "exit after so many bars")
    time_days: Count | None = _of(Stops, "time_days", "exit after so many days")
    atr_window: Count | None = _of(Stops, "atr_window", "bars in the ATR of atr distances")


class ZonesSection(Section):
    """Drawdown zones: NORMAL, CAUTION, ALERT, EMERGENCY."""

    boundaries: Annotated[list[Number], Field(min_length=3, max_length=3)] | None = _of(
        Zones, "boundaries", "drawdowns where CAUTION, ALERT, EMERGENCY begin"
    )
    factors: Annotated[list[Number], Field(min_length=4, max_length=4)] | None = _of(
        Zones, "factors", "what new risk is multiplied by in each zone"
    )
    liquidate_at: Number | None = _of(Zones, "liquidate_at", "drawdown at which everything is closed; ALERT's boundary or more")
    cooldown_bars: Count | None = _of(Zones, "cooldown_bars", "bars after which a halted account goes on")
    mark: Literal["close", "intrabar"] | None = _of(Zones, "mark", "judge drawdowns on closes, or at the worst price of the bar")


class RiskSection(Section):
    """Rules of the whole account."""

    zones: ZonesSection | None = Field(default=None, description="drawdown zones; {} takes their defaults")


class PositionSection(Section):
    """A position at the start."""

    quantity: Number = Field(description="units, negative for short")
    price: Positive = Field(description="entry price")


class AccountSection(Section):
    """The money."""

    initial_capital: Positive = Field(description="money at the start; of each account when they are separate")
    accounts: Literal["shared", "separate"] | None = _of(Setup, "accounts", "one account for all assets, or one each")
    positions: dict[str, PositionSection] | None = Field(default=None, description="symbol: {quantity, price} held at the start")


class OutputSection(Section):
    """Files to write; relative to this file."""

    report: str | None = Field(default=None, description="HTML report")
    plot: str | None = Field(default=None, description="picture: png, svg or pdf")


class RunConfig(Section):
    """One run: data, strategy, costs and account are needed, everything else is off or at its default."""

    data: DataSection
    strategy: StrategySection
    costs: CostsSection
    account: AccountSection
    sizing: SizingSection | None = None
    stops: StopsSection | None = None
    risk: RiskSection | None = None
    fill: Literal["next_open", "close"] | None = _of(Setup, "fill", "when orders meet the market")
    direction: Literal["both", "long", "short"] | None = _of(Setup, "direction", "sides that may be held")
    accumulate: bool | None = _of(Setup, "accumulate", "an entry in the side held adds to it")
    weights_of: Literal["net", "gross"] | None = _of(
        Setup, "weights_of", "target weights are of equity after or before the rebalance's own costs"
    )
    band: Annotated[float, Field(ge=0, lt=1)] | None = _of(Setup, "band", "no-trade band around target weights")
    intrabar: Literal["pessimistic", "optimistic"] | None = _of(Setup, "intrabar", "which comes first when stop and target lie in one bar")
    trade_through: bool | None = _of(Setup, "trade_through", "limit levels must be passed, not touched")
    liquidate_at_end: bool | None = _of(Setup, "liquidate_at_end", "close everything after the last bar, with costs")
    audit: bool | None = Field(default=None, description="check the accounts at every bar", json_schema_extra={"default": False})
    output: OutputSection | None = None


def run_schema() -> dict[str, Any]:
    """The JSON schema of a run file."""
    schema = RunConfig.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vecbt run file",
        **{k: v for k, v in schema.items() if k != "title"},
    }
