"""A crossing as somebody outside the package writes it: a compiled strategy in a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import vecbt as vb
from vecbt import ENTER_LONG, EXIT_LONG, Indicator, Parameter


@dataclass(frozen=True)
class UserCross(vb.RuleStrategy):
    """Long while the quick average is above the calm one."""

    fast: int = Parameter(20, low=1, integer=True, below="slow")
    slow: int = Parameter(100, low=2, integer=True)

    def indicators(self) -> Mapping[str, Indicator]:
        """Two averages of the close."""
        return {"quick": Indicator("sma", self.fast), "calm": Indicator("sma", self.slow)}

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any) -> float:
        """In when the averages cross upwards, out when they cross downwards."""
        if before.quick <= before.calm and now.quick > now.calm:
            return ENTER_LONG
        if before.quick >= before.calm and now.quick < now.calm:
            return EXIT_LONG
        return 0
