"""The numbers kernels write where people read words."""

from __future__ import annotations

from enum import IntEnum, IntFlag

__all__ = [
    "InputKind", "Instrument", "OrderStatus", "OrderType", "Reason", "Rule", "SizeMethod", "StopForm", "TimeInForce", "Zone", "rule_names",
]  # fmt: skip


class Reason(IntEnum):
    """Why an order was given (P7). Entries and rebalances have reason SIGNAL."""

    SIGNAL = 1
    STOP = 2
    TRAIL = 3
    TARGET = 4
    TIME = 5
    RISK = 6
    MARGIN = 7
    DELISTING = 8
    END = 9
    SPLIT = 10


class OrderStatus(IntEnum):
    """What became of an order. PARTIAL: filled after a cut. REJECTED: nothing was filled."""

    PENDING = 0
    FILLED = 1
    PARTIAL = 2
    REJECTED = 3
    REPLACED = 4
    CANCELLED = 5


class Rule(IntFlag):
    """What cut or refused an order (Z6), a bit each."""

    ZONE = 1
    CASH = 2
    LOT = 4
    MINIMUM = 8
    STOP = 16
    DELISTED = 32
    VOLUME = 64
    EXPIRED = 128
    CANCEL = 256
    MARGIN = 512
    DAILY_LOSS = 1024
    TRADE_LOSS = 2048
    POSITION = 4096
    GROSS = 8192
    NET = 16384
    HEAT = 32768
    EDGE = 65536
    CONFIDENCE = 131072
    VOLATILITY = 262144
    DIRECTION = 524288
    REDUCE_ONLY = 1048576


class Zone(IntEnum):
    """Drawdown zones (Z1)."""

    NORMAL = 0
    CAUTION = 1
    ALERT = 2
    EMERGENCY = 3


class InputKind(IntEnum):
    """What a strategy's row means (S1)."""

    SIGNALS = 0
    STRENGTHS = 1
    WEIGHTS = 2
    QUANTITIES = 3
    ORDERS = 4


class OrderType(IntEnum):
    """What an order waits for (O1, O2, O5). A row CANCEL ends others."""

    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3
    TRAILING = 4
    CANCEL = 5


class TimeInForce(IntEnum):
    """How long an order waits (O3)."""

    GTC = 0
    DAY = 1
    GTD = 2
    IOC = 3
    FOK = 4


class Instrument(IntEnum):
    """What is traded (F12): paid in full, or settled by its moves."""

    CASH = 0
    FUTURE = 1
    PERPETUAL = 2


class SizeMethod(IntEnum):
    """How an entry is sized (S3)."""

    WEIGHT = 0
    UNITS = 1
    NOTIONAL = 2
    CASH = 3
    FIXED_FRACTIONAL = 4
    EQUAL_WEIGHT = 5
    INVERSE_VOLATILITY = 6
    VOLATILITY = 7
    KELLY = 8
    CONFIDENCE = 9
    FORECAST = 10


class StopForm(IntEnum):
    """Unit of a protective level's distance (P1)."""

    OFF = 0
    FRACTION = 1
    ATR = 2
    TICKS = 3
    PRICE = 4


def rule_names(mask: int) -> str:
    """`"zone, cash"` for a bit mask of rules, empty for none."""
    return ", ".join(str(rule.name).lower() for rule in Rule if mask & rule)
