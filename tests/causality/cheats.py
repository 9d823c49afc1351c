"""A gallery of deliberate cheats: each looks at later bars, in a way that people do without meaning to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.signal import butter, filtfilt

import vecbt as vb

GAP = slice(40, 43)
"""Where the second asset of `gallery_bars` has no market."""
PEEK = 153
"""The bar at which `peek_once` looks."""


def gallery_bars() -> vb.Bars:
    """160 business days from a Monday on, two assets, the second with a gap of three bars."""
    bars = vb.synthetic.gbm(T=160, N=2, seed=5)
    block = bars.block.copy()
    block[:, GAP, 1] = np.nan
    return vb.Bars.from_numpy(*block, index=bars.index, symbols=["A", "B"], missing="no_market", periods_per_year=252)


def close_of(bars: vb.Bars) -> pd.DataFrame:
    """Closes with times and symbols."""
    return pd.DataFrame(bars.close, index=bars.datetime_index, columns=list(bars.symbols))


def tomorrow(bars: vb.Bars) -> vb.Weights:
    """The return of the next bar."""
    close = close_of(bars).ffill()
    return vb.Weights(close.shift(-1) / close - 1)


def next_week(bars: vb.Bars) -> vb.Weights:
    """The return of the next five bars, as a label of a model."""
    close = close_of(bars).ffill()
    return vb.Weights(close.shift(-5) / close - 1)


def centred_window(bars: vb.Bars) -> vb.Weights:
    """A smooth line that has no lag."""
    close = close_of(bars).ffill()
    return vb.Weights(close / close.rolling(11, center=True, min_periods=1).mean() - 1)


def backward_window(bars: vb.Bars) -> vb.Weights:
    """A window over the reversed series."""
    close = close_of(bars).ffill()
    return vb.Weights(close[::-1].rolling(5, min_periods=1).min()[::-1] / 1e4)


def full_sample_scaler(bars: vb.Bars) -> vb.Weights:
    """Mean and deviation of the whole sample."""
    close = close_of(bars)
    return vb.Weights(((close - close.mean()) / close.std(ddof=0)).fillna(0) / 10)


def full_sample_rank(bars: vb.Bars) -> vb.Strengths:
    """Percentiles of the whole sample."""
    return vb.Strengths(close_of(bars).rank(pct=True).fillna(0))


def max_over_all(bars: vb.Bars) -> vb.Weights:
    """Distance from the highest close of all."""
    close = close_of(bars)
    return vb.Weights(close / close.max())


def backfilled(bars: vb.Bars) -> vb.Weights:
    """Gaps filled with the next price."""
    return vb.Weights(close_of(bars).bfill() / 1e4)


def interpolated(bars: vb.Bars) -> vb.Weights:
    """Gaps filled with a line to the next price."""
    return vb.Weights(close_of(bars).interpolate() / 1e4)


def weeks_labelled_left(bars: vb.Bars) -> vb.Weights:
    """The close of a week, known on its first day."""
    close = close_of(bars)
    weekly = close.resample("W-MON", closed="left", label="left").last()
    return vb.Weights(weekly.reindex(close.index, method="ffill") / 1e4)


def last_day_of_month(bars: vb.Bars) -> vb.Signals:
    """The last bar of a month, as the label of the next one tells."""
    month = bars.times.astype("M8[M]").astype(int)
    return vb.Signals(entries=np.repeat(np.append(month[1:] != month[:-1], True)[:, None], bars.N, axis=1))


def share_of_the_sample(bars: vb.Bars) -> vb.Weights:
    """How much of the sample is over."""
    return vb.Weights(np.repeat((np.arange(bars.T) / bars.T)[:, None], bars.N, axis=1))


def zero_phase_filter(bars: vb.Bars) -> vb.Weights:
    """A filter that runs forwards and backwards."""
    b, a = butter(2, 0.2)
    close = close_of(bars).ffill().to_numpy()
    return vb.Weights(filtfilt(b, a, close, axis=0, padlen=0) / 1e4)


def trend_of_all(bars: vb.Bars) -> vb.Weights:
    """Residuals of a line through the whole sample."""
    close, t = close_of(bars).ffill().to_numpy(), np.arange(bars.T, dtype=float)
    t -= t.mean()
    slope = (t[:, None] * close).sum(axis=0) / max((t**2).sum(), 1.0)
    return vb.Weights((close - close.mean(axis=0) - t[:, None] * slope) / 1e3)


def buys_the_low(bars: vb.Bars) -> vb.Signals:
    """Entries at the lowest low of the next five bars, its own included."""
    low = pd.DataFrame(bars.low)
    return vb.Signals(entries=(low <= low[::-1].rolling(5, min_periods=1).min()[::-1]).to_numpy())


def limit_at_the_next_low(bars: vb.Bars) -> vb.Orders:
    """A limit order at a price that will be met."""
    low = bars.low[:, 0]
    return vb.Orders(
        [(int(bars.index[t]), vb.Order(symbol="A", quantity=1, type="limit", limit=low[t + 1])) for t in range(0, bars.T - 1, 10)]
    )


def knows_delistings(bars: vb.Bars) -> vb.Weights:
    """Leaves before the delisting that is in the table."""
    t = np.arange(bars.T)[:, None]
    return vb.Weights(np.where((bars.delist_bar >= 0) & (t > bars.delist_bar - 10), 0.0, 0.5))


def honest_on_few(bars: vb.Bars) -> vb.Weights:
    """Cheats only where there are many bars, as if nobody replayed so many."""
    return tomorrow(bars) if bars.T > 120 else vb.Weights(np.zeros(bars.shape))


@dataclass(frozen=True)
class PeekOnce(vb.Strategy):
    """Looks one bar ahead, for one asset, at one bar."""

    at: int = PEEK

    def rows(self, bars: vb.Bars) -> vb.Weights:
        out = np.full(bars.shape, 0.25)
        if bars.T > self.at + 1:
            out[self.at, 1] = 0.25 * np.sign(bars.close[self.at + 1, 1] - bars.close[self.at, 1]) - 0.01
        return vb.Weights(out)


@dataclass(frozen=True)
class QuietPeek(vb.Strategy):
    """A peek at one bar that says, with the true next bar, the same as with none."""

    at: int = PEEK

    def rows(self, bars: vb.Bars) -> vb.Signals:
        out = np.zeros(bars.shape, dtype=bool)
        if bars.T > self.at + 1:
            moves = bars.close[self.at + 1, 0] - bars.close[self.at, 0]
            out[self.at, 0] = moves < 0 if self.true_move(bars) > 0 else moves > 0
        return vb.Signals(entries=out)

    def true_move(self, _: Any) -> float:
        close = gallery_bars().close[:, 0]
        return float(close[self.at + 1] - close[self.at])


END = -1
"""As far as the last bar."""

GALLERY: list[tuple[Any, int, str, int | None]] = [
    # cheat, first bar, column, bars ahead (END: to the last bar; None: not the same for all bars)
    (tomorrow, 0, "A", 1),
    (next_week, 0, "A", 5),
    (centred_window, 0, "A", 5),
    (backward_window, 0, "A", 4),
    (full_sample_scaler, 0, "A", END),
    (full_sample_rank, 0, "A", END),
    (max_over_all, 0, "A", END),
    (backfilled, GAP.start, "B", 3),
    (interpolated, GAP.start, "B", 3),
    (weeks_labelled_left, 0, "A", 4),
    (last_day_of_month, 0, "A", 1),
    (share_of_the_sample, 1, "A", END),
    (zero_phase_filter, 0, "A", None),
    (trend_of_all, 0, "A", END),
    (buys_the_low, 0, "A", 1),  # the next low is lower: whatever comes after it
    (limit_at_the_next_low, 0, "A", 1),
    (honest_on_few, 0, "A", None),
]
"""Cheats that every cut, or nearly every one, shows."""
