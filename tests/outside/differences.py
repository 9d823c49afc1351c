"""Every difference that a run can show, in the order of the table of DIFFERENCES.md."""

from __future__ import annotations

from tests.outside.differ_exits import EXITS
from tests.outside.differ_money import MONEY
from tests.outside.differ_statistics import STATISTICS

__all__ = ["DIFFERENCES"]

DIFFERENCES = (*MONEY, *EXITS, *STATISTICS)
