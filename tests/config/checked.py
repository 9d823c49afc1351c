"""A run file that has nothing to be found, and what is found when keys of it are changed."""

from __future__ import annotations

import copy
from typing import Any

from vecbt.config.lint import Finding, check_config

CLEAN: dict[str, Any] = {
    "data": {"sample": "us_daily", "symbols": ["AAPL", "MSFT"], "start": "2001-01-01", "end": "2001-06-01"},
    "strategy": {"name": "SmaCross", "parameters": {"fast": 5, "slow": 20}},
    "costs": {"commission_rate": 0.0005, "slippage_bps": 2},
    "account": {"initial_capital": 100000},
}
"""104 daily bars of two assets, at 10 to 12 and at 30."""


def findings(*settings: str, data: bool = True, **sections: Any) -> list[Finding]:
    """What a check of CLEAN says, with sections replaced and keys set."""
    tree = copy.deepcopy(CLEAN) | sections
    return check_config({k: v for k, v in tree.items() if v is not ...}, settings, data=data)


def found(id: str, *settings: str, data: bool = True, **sections: Any) -> list[Finding]:
    """Those of one id."""
    return [f for f in findings(*settings, data=data, **sections) if f.id == id]
