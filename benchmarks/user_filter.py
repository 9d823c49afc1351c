"""A strategy as a researcher writes it: array code of pandas, nothing of it compiled by vecbt."""

from __future__ import annotations

import vecbt as vb


@vb.strategy
def filtered_cross(bars: vb.Bars, fast: int = 10, slow: int = 50, overbought: float = 70.0, window: int = 14) -> vb.Signals:
    """Long while the fast average is above the slow one, entered only where Wilder's RSI is below a level."""
    close = bars.to_pandas()["close"]
    above = close.rolling(fast).mean() > close.rolling(slow).mean()
    move = close.diff()
    rise = move.clip(lower=0.0).ewm(alpha=1.0 / window, adjust=False).mean()
    fall = (-move).clip(lower=0.0).ewm(alpha=1.0 / window, adjust=False).mean()
    strength = 100.0 - 100.0 / (1.0 + rise / fall)
    return vb.Signals(entries=above & (strength < overbought), exits=~above)
