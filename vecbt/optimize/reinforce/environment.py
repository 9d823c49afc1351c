"""Environments for agents of other packages, by name: what they are made of is imported when one is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...data.bars import Bars

if TYPE_CHECKING:
    from .gymnasium_env import TradingEnv, TradingVectorEnv

__all__ = ["trading_env", "trading_envs"]


def trading_env(bars: Bars, **keywords: Any) -> TradingEnv:
    """A Gymnasium environment of one account over these bars; needs the extra `rl`.

    Parameters
    ----------
    bars : Bars
    **keywords : `action` ("weights", "strengths", "member"), `members`, `steps`, `reward_function`, `decay`, `features`, `scaling`, see
        `vecbt.optimize.reinforce.trading.TradingEpisodes`; and those of `backtest`: costs (required), sizing, stops, ...

    Raises
    ------
    MissingDependency, ConfigError
    """
    from .gymnasium_env import TradingEnv

    return TradingEnv(bars, **keywords)


def trading_envs(bars: Bars, num_envs: int, **keywords: Any) -> TradingVectorEnv:
    """A Gymnasium vector environment of many accounts over windows of these bars, whose step is one compiled call.

    Parameters
    ----------
    num_envs : how many accounts
    bars, **keywords : as for `trading_env`

    Raises
    ------
    MissingDependency, ConfigError
    """
    from .gymnasium_env import TradingVectorEnv

    return TradingVectorEnv(bars, num_envs, **keywords)
