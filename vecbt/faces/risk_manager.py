"""`RiskManager`: the risk rules of an account and the stops of its positions, under one roof and in fractions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigError, nearest
from ..risk.limits import Limits
from ..risk.sizing import ConfidenceBasedSizing, FixedFractionalSizing, Sizing
from ..risk.stops import Stops
from ..risk.zones import Risk, Zones

__all__ = ["RiskManager"]

_FRACTIONS = (
    "max_drawdown_pct", "daily_loss_limit_pct", "max_portfolio_heat", "hard_stop_pct", "trailing_stop_pct", "take_profit_pct",
    "max_position_pct", "max_trade_loss_pct", "liquidate_at",
)  # fmt: skip
_OF_A_CONFIGURATION = {
    "max_position_size": math.inf,
    "max_gross_exposure": 1.0,
    "max_net_exposure": 0.8,
    "max_drawdown_pct": 0.2,
    "reduce_exposure_at_drawdown": 0.1,
    "stop_trading_at_drawdown": 0.15,
    "max_daily_loss_pct": 0.03,
    "max_trade_loss_pct": None,
    "use_stop_loss": False,
    "default_stop_loss_pct": 0.05,
    "use_take_profit": False,
    "default_take_profit_pct": 0.1,
}


@dataclass(frozen=True)
class RiskManager:
    """Risk rules as fractions of equity and of prices; `stops` and `risk` are what a simulation takes. None switches one off.

    Parameters
    ----------
    initial_capital : float, optional
        Money the account starts with; a `BacktestEngine` with another one refuses.
    max_drawdown_pct : float
        Drawdown that halts new risk for good (Z3). Risk is halved from a third of it on, and quartered from two thirds on:
        at 15 % that is 5 % and 10 %.
    daily_loss_limit_pct : float
        Loss since the last session that blocks new risk until the next one (Z4).
    max_portfolio_heat : float
        Most of equity that may be lost if every stop is hit (Z5).
    hard_stop_pct, trailing_stop_pct, take_profit_pct : float
        Distances of every position's exits (P1, P2, P4).
    trailing_activation_pct : float, optional
        Gain that arms the trail; its own width if left out, so that it begins at the entry price and leaves the hard stop
        its range. 0 arms it at the entry.
    time_stop_days : int
        Days after which a position is closed (P6).
    max_position_pct : float
        Most of equity in one position (Z7).
    max_trade_loss_pct : float, optional
        Most of equity that one position may lose from now to its stop (Z9).
    liquidate_at : float, optional
        Drawdown that closes everything as well.
    zones, limits : Zones, Limits, optional
        Instead of those that follow from `max_drawdown_pct` and `max_position_pct`.

    Raises
    ------
    ConfigError
        A percentage where a fraction is meant, or a combination that cannot be.
    """

    initial_capital: float | None = None
    max_drawdown_pct: float | None = 0.15
    daily_loss_limit_pct: float | None = 0.03
    max_portfolio_heat: float | None = 0.03
    hard_stop_pct: float | None = 0.03
    trailing_stop_pct: float | None = 0.02
    take_profit_pct: float | None = 0.05
    trailing_activation_pct: float | None = field(default=None, kw_only=True)
    time_stop_days: int | None = field(default=30, kw_only=True)
    max_position_pct: float | None = field(default=0.25, kw_only=True)
    max_trade_loss_pct: float | None = field(default=None, kw_only=True)
    liquidate_at: float | None = field(default=None, kw_only=True)
    zones: Zones | None = field(default=None, kw_only=True)
    limits: Limits | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        for name in _FRACTIONS:
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < 1.0):
                raise ConfigError(f"RiskManager.{name} is {value!r}; expected a fraction between 0 and 1: 3 % is 0.03")
        capital = self.initial_capital
        if capital is not None and (isinstance(capital, bool) or not isinstance(capital, int | float) or not 0.0 < capital < math.inf):
            raise ConfigError(f"RiskManager.initial_capital is {capital!r}; expected an amount of money > 0")
        if self.trailing_activation_pct is not None and self.trailing_stop_pct is None:
            raise ConfigError("RiskManager.trailing_activation_pct arms the trail, but trailing_stop_pct is None")
        _ = self.stops, self.risk  # whatever else is wrong is said now

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> RiskManager:
        """A manager from a mapping: limits of exposure, three drawdowns, and stops that are off unless asked for.

        Parameters
        ----------
        config : mapping
            max_gross_exposure (1.0) and max_net_exposure (0.8) of equity; max_position_size: most money in one position, without
            limit if left out; reduce_exposure_at_drawdown (0.1): new risk is halved; stop_trading_at_drawdown (0.15): no new risk
            until the drawdown is less; max_drawdown_pct (0.2): everything is closed and new risk halted; max_daily_loss_pct (0.03);
            use_stop_loss (False) with default_stop_loss_pct (0.05), use_take_profit (False) with default_take_profit_pct (0.1);
            max_trade_loss_pct (0.01 with a stop loss, else off: without a stop the whole position counts as at risk, Z9).
            Exits are allowed in every state.
        """
        for name in config:
            if name not in _OF_A_CONFIGURATION:
                raise ConfigError(f"RiskManager has no limit {name!r}; {nearest(str(name), _OF_A_CONFIGURATION)}")
        given = {**_OF_A_CONFIGURATION, **config}
        bounds = tuple(given[n] for n in ("reduce_exposure_at_drawdown", "stop_trading_at_drawdown", "max_drawdown_pct"))
        most = given["max_position_size"]
        stop = given["default_stop_loss_pct"] if given["use_stop_loss"] else None
        loss = given["max_trade_loss_pct"] or (0.01 if stop is not None else None)
        return cls(
            max_drawdown_pct=given["max_drawdown_pct"],
            daily_loss_limit_pct=given["max_daily_loss_pct"],
            max_portfolio_heat=None,
            hard_stop_pct=stop,
            trailing_stop_pct=None,
            take_profit_pct=given["default_take_profit_pct"] if given["use_take_profit"] else None,
            time_stop_days=None,
            max_trade_loss_pct=loss,
            zones=Zones(boundaries=bounds, factors=(1.0, 0.5, 0.0, 0.0), liquidate_at=bounds[2]),
            limits=Limits(
                max_position_value=None if most == math.inf else most,
                max_gross=given["max_gross_exposure"],
                max_net=given["max_net_exposure"],
            ),
        )

    @property
    def stops(self) -> Stops | None:
        """The exits of every position, for `backtest(..., stops=)`; None when all are off."""
        exits = {"hard": self.hard_stop_pct, "trailing": self.trailing_stop_pct, "take_profit": self.take_profit_pct}
        if self.time_stop_days is None and all(v is None for v in exits.values()):
            return None
        arms = self.trailing_activation_pct if self.trailing_activation_pct is not None else self.trailing_stop_pct
        return Stops(**exits, activation=arms or None, time_days=self.time_stop_days)  # type: ignore[arg-type]

    @property
    def risk(self) -> Risk | None:
        """The rules of the account, for `backtest(..., risk=)`; None when all are off."""
        most = self.max_drawdown_pct
        zones = self.zones
        if zones is None and most is not None:
            thirds = (round(most / 3.0, 12), round(most * 2.0 / 3.0, 12), most)
            zones = Zones(boundaries=thirds, liquidate_at=self.liquidate_at)
        limits = self.limits
        if limits is None and self.max_position_pct is not None:
            limits = Limits(max_position=self.max_position_pct)
        rules: dict[str, Any] = {
            "zones": zones,
            "daily_loss": self.daily_loss_limit_pct,
            "max_heat": self.max_portfolio_heat,
            "max_trade_loss": self.max_trade_loss_pct,
            "limits": limits,
        }
        return Risk(**rules) if any(v is not None for v in rules.values()) else None

    def findings(self, sizer: Sizing | None = None) -> tuple[str, ...]:
        """What these numbers mean together and can hardly be seen one by one, a sentence each."""
        found = list(self.stops.findings) if self.stops is not None else []
        if self.hard_stop_pct is None and self.trailing_stop_pct is None:
            for name in ("max_portfolio_heat", "max_trade_loss_pct"):
                if getattr(self, name) is not None:
                    found.append(f"{name} without a stop: the whole value of a position counts as at risk, so this is what may be held")
        if isinstance(sizer, FixedFractionalSizing | ConfidenceBasedSizing) and self.hard_stop_pct is not None:
            stop = 1.0 - self.hard_stop_pct
            report = sizer.explain(1.0, 1.0, stop) if isinstance(sizer, FixedFractionalSizing) else sizer.explain(1.0, 1.0, stop, 1.0)
            if report.units < report.wanted:
                wanted = f"a risk of {report.wanted * self.hard_stop_pct:.2%} with a stop {self.hard_stop_pct:.2%} away"
                found.append(
                    f"{report.binding} decides: {wanted} asks for {report.wanted:.1%} of equity, {report.units:.1%} is allowed, "
                    f"so {report.risk:.2%} is at risk"
                )
        return tuple(found)
