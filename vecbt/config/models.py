"""The sections of a run file. What is left out takes the default of the public object: none is written a second time."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ..engine.setup import Setup
from ..execution.costs import Costs
from .optimizing import OptimizeSection
from .rules import CarrySection, RiskSection, StopsSection
from .sections import Count, Fraction, NotNegative, Number, PerAsset, Positive, Section, of
from .sizes import SizingSection
from .sweeps import SweepSection

__all__ = [
    "AccountSection", "CostsSection", "DataSection", "Delisting", "MarketSection", "OutputSection", "PositionSection", "RunConfig",
    "StrategySection", "run_schema",
]  # fmt: skip

Instrument = Literal["cash", "future", "perpetual"]
Dated = dict[str, dict[str, Number]]
"""symbol: {time: number}"""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_EVENTS = ("splits", "dividends", "funding")


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
    instrument: Instrument | dict[str, Instrument] | None = Field(default=None, description="paid in full, or settled by its moves")
    initial_margin: PerAsset | None = Field(default=None, description="money per unit that a contract ties up; 0 is that of the account")
    maintenance_margin: PerAsset | None = Field(
        default=None, description="money per unit below which all is closed; 0 is that of the account"
    )
    allow_negative: bool | dict[str, bool] | None = Field(default=None, description="prices of 0 and below are real")


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
    splits: Dated | None = Field(default=None, description="symbol: {time: new units per old one}; prices are raw then")
    dividends: Dated | None = Field(default=None, description="symbol: {time: cash per unit}; prices are raw then")
    funding: Dated | None = Field(default=None, description="symbol: {time: rate}, of perpetuals")
    market: MarketSection | None = None

    @model_validator(mode="after")
    def _one_source(self) -> DataSection:
        if (self.sample is None) == (self.path is None):
            raise PydanticCustomError("source", "expected one of sample and path")
        only_files = ("time", "symbol", "symbol_column", "columns", "missing", "repair", "delisting", "delistings", *_EVENTS)
        wrong = [k for k in (only_files if self.sample is not None else ("adjusted",)) if getattr(self, k) is not None]
        if wrong:
            other, this = ("path", "sample") if self.sample is not None else ("sample", "path")
            raise PydanticCustomError("source", "{key} goes with {other}, not with {this}", {"key": wrong[0], "other": other, "this": this})
        return self


class StrategySection(Section):
    """What trades: a ready-made strategy or one of your own, and its parameters."""

    name: str = Field(description="a strategy that `vecbt strategies` lists, or module:Name of your own, in a module beside this file")
    parameters: dict[str, Any] | None = Field(default=None, description="parameters by name")


class CostsSection(Section):
    """Commission and slippage of every fill; none at all must be spelled out: free: true."""

    free: bool | None = Field(default=None, description="true: no costs at all")
    commission_rate: NotNegative | None = of(Costs, "commission_rate", "fraction of the notional, per fill: 0.001 is 10 bps")
    per_unit: NotNegative | None = of(Costs, "per_unit", "money per unit traded")
    per_order: NotNegative | None = of(Costs, "per_order", "money per order")
    minimum: NotNegative | None = of(Costs, "minimum", "least commission of an order, money")
    maximum_rate: NotNegative | None = of(Costs, "maximum_rate", "most commission of an order, as a fraction of its notional")
    maker_rate: NotNegative | None = of(Costs, "maker_rate", "rate of limit fills; commission_rate when left out")
    slippage_bps: NotNegative | None = of(Costs, "slippage_bps", "price worsened by so many hundredths of a percent")
    half_spread: NotNegative | None = of(Costs, "half_spread", "price worsened by so much, in price units")
    volume_share: NotNegative | None = of(Costs, "volume_share", "k of the square-root impact k*sigma*sqrt(quantity/volume)")
    volume_window: Count | None = of(Costs, "volume_window", "bars in the sigma of the impact")


class PositionSection(Section):
    """A position at the start."""

    quantity: Number = Field(description="units, negative for short")
    price: Positive = Field(description="entry price")


class AccountSection(Section):
    """The money."""

    initial_capital: Positive = Field(description="money at the start; of each account when they are separate")
    accounts: Literal["shared", "separate"] | None = of(Setup, "accounts", "one account for all assets, or one each")
    positions: dict[str, PositionSection] | None = Field(default=None, description="symbol: {quantity, price} held at the start")
    leverage: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = of(Setup, "leverage", "most exposure over equity for new risk")
    maintenance: NotNegative | None = of(Setup, "maintenance", "equity over exposure below which all is closed, a fraction")
    flows: dict[str, Number] | None = Field(default=None, description="time: money paid in, or out where below 0; of each account")


class OutputSection(Section):
    """Files to write; relative to this file."""

    report: str | None = Field(default=None, description="tear sheet: html, pdf or png")
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
    carry: CarrySection | None = None
    fill: Literal["next_open", "close"] | None = of(Setup, "fill", "when orders meet the market")
    direction: Literal["both", "long", "short"] | None = of(Setup, "direction", "sides that may be held")
    accumulate: bool | None = of(Setup, "accumulate", "an entry in the side held adds to it")
    weights_of: Literal["net", "gross"] | None = of(
        Setup, "weights_of", "target weights are of equity after or before the rebalance's own costs"
    )
    band: Annotated[float, Field(ge=0, lt=1)] | None = of(Setup, "band", "no-trade band around target weights")
    intrabar: Literal["pessimistic", "optimistic"] | None = of(Setup, "intrabar", "which comes first when stop and target lie in one bar")
    trade_through: bool | None = of(Setup, "trade_through", "limit levels must be passed, not touched")
    liquidate_at_end: bool | None = of(Setup, "liquidate_at_end", "close everything after the last bar, with costs")
    max_participation: Fraction | None = of(Setup, "max_participation", "most of a bar's volume that the orders of an asset fill")
    participation_rest: Literal["queue", "drop"] | None = of(Setup, "participation_rest", "what the volume leaves waits, or is dropped")
    audit: bool | None = Field(default=None, description="check the accounts at every bar", json_schema_extra={"default": False})
    output: OutputSection | None = None
    sweep: SweepSection | None = None
    optimize: OptimizeSection | None = None


def run_schema() -> dict[str, Any]:
    """The JSON schema of a run file."""
    schema = RunConfig.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vecbt run file",
        **{k: v for k, v in schema.items() if k != "title"},
    }
