"""Prices come in here: read, checked, aligned, frozen."""

from __future__ import annotations

from .bar import Bar, NormalBar
from .bars import Bars
from .calendar import session_days
from .market import Market

__all__ = ["Bar", "Bars", "Market", "NormalBar", "session_days"]
