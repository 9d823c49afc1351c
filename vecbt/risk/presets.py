"""Protective exits and rules of an account under a name, with their numbers. None is on unless it is asked for."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigError, nearest
from .limits import Limits
from .stops import Atr, Pct, Stops
from .zones import Risk, Zones

__all__ = ["RISK", "STOPS", "risk", "stops"]

STOPS: dict[str, dict[str, Any]] = {
    "wide": {"hard": Pct(5), "take_profit": Pct(10)},
    "layered": {"hard": Pct(3), "trailing": Pct(2), "activation": Pct(2), "take_profit": Pct(5), "time_days": 30},
    "tight": {"hard": Pct(2), "take_profit": Pct(4)},
    "atr": {"trailing": Atr(2)},
}
"""Name -> the arguments of `Stops`.

`wide`      stop 5 %, target 10 %, as orders carry them
`layered`   hard stop 3 %, trail 2 %, target 5 %, out after 30 days. The trail is armed by a gain of 2 %: armed at the entry, being the
            tighter one, it would always come first and the hard stop would be dead. From a gain of its own width on it
            stands at the entry price, near enough, so that each of the two has its range: the hard one limits the loss, the trail
            keeps what was gained
`tight`     stop 2 %, target 4 %
`atr`       a trail of two average true ranges
"""

RISK: dict[str, dict[str, Any]] = {
    "zones": {
        "zones": Zones(boundaries=(0.05, 0.10, 0.15), liquidate_at=0.20),
        "daily_loss": 0.03,
        "max_heat": 0.03,
        "limits": Limits(max_position=0.25),
    },
    "steps": {
        "zones": Zones(boundaries=(0.10, 0.15, 0.20), factors=(1.0, 0.5, 0.0, 0.0), liquidate_at=0.20),
        "daily_loss": 0.03,
        "limits": Limits(max_gross=1.0, max_net=0.8),
    },
}
"""Name -> the arguments of `Risk`.

`zones`  risk is halved at a drawdown of 5 %, quartered at 10 %, halted at 15 %; everything is closed at 20 %. 3 % of loss a day, 3 % of
         heat (give stops: without one a position counts in full), a quarter of equity in one position
`steps`  risk is halved at 10 %, none is new at 15 % until the drawdown is less; everything is closed at 20 %. 3 % of loss a day, gross
         exposure 1, net 0.8
"""


def risk(name: str) -> Risk:
    """The rules of this name: `zones` or `steps`; see `RISK` for their numbers.

    Raises
    ------
    ConfigError
        An unknown name; the nearest one is named.
    """
    if not isinstance(name, str) or name not in RISK:
        raise ConfigError(f"no preset of risk rules is called {name!r}; {nearest(str(name), RISK)}")
    return Risk(**RISK[name])


def stops(name: str) -> Stops:
    """The stops of this name: `wide`, `layered`, `tight` or `atr`; see `STOPS` for their numbers.

    Raises
    ------
    ConfigError
        An unknown name; the nearest one is named.
    """
    if not isinstance(name, str) or name not in STOPS:
        raise ConfigError(f"no preset of stops is called {name!r}; {nearest(str(name), STOPS)}")
    return Stops(**STOPS[name])
