"""Seeded prices with known truth, for tests and demonstrations. The same arguments give the same bits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._typing import ArrayTN, Block, IndexT
from ..errors import ConfigError
from .bars import Bars
from .calendar import resolve
from .events import find_delistings
from .labels import time_label
from .market import Market
from .zones import DAY_NS

__all__ = ["garch_jumps", "gbm", "sine", "trend"]

_START = "2000-01-03"


def _index(count: int, start: Any, bar_ns: int, weekends: bool) -> IndexT:
    """Labels from `start` on, in bars of `bar_ns`; without weekends unless asked."""
    first = time_label(start, "start")
    if weekends:
        return first + np.arange(count, dtype=np.int64) * bar_ns
    per_day = max(DAY_NS // bar_ns, 1)
    days = np.busday_offset(np.datetime64(first // DAY_NS, "D"), np.arange(-(-count // per_day)), roll="forward").astype(np.int64)
    within = np.arange(per_day, dtype=np.int64) * bar_ns
    return (days[:, None] * DAY_NS + within[None, :]).ravel()[:count] + first % DAY_NS


def _check(count: int, assets: int, grid: float | None, bar_ns: int) -> None:
    if count < 1 or assets < 1:
        raise ConfigError(f"T is {count} and N is {assets}; expected at least one bar and one asset")
    if grid is not None and (not math.isfinite(grid) or grid <= 0.0):
        raise ConfigError(f"grid is {grid!r}; expected a step > 0, such as 1/64, or None")
    if bar_ns < 1 or (bar_ns < DAY_NS and DAY_NS % bar_ns):
        raise ConfigError(f"bar_ns is {bar_ns!r}; expected a whole part of a day, in ns")
    if bar_ns > DAY_NS:
        raise ConfigError(f"bar_ns is {bar_ns!r}; expected a day at most: resample for longer bars")


def _on_grid(prices: ArrayTN, grid: float | None) -> ArrayTN:
    """Prices on multiples of `grid`: open and close to the nearest, high up, low down, at least one step above zero."""
    if grid is None:
        return prices
    out = np.empty_like(prices)
    out[0], out[3] = np.rint(prices[0] / grid), np.rint(prices[3] / grid)
    out[1] = np.maximum(np.ceil(prices[1] / grid), np.maximum(out[0], out[3]))
    out[2] = np.minimum(np.floor(prices[2] / grid), np.minimum(out[0], out[3]))
    return np.maximum(out, 1.0) * grid


def _bars(prices: ArrayTN, volume: ArrayTN, index: IndexT, about: dict[str, Any], *, weekends: bool, seen: ArrayTN | None = None) -> Bars:
    """Bars from (4, T, N) prices; `seen` is 0 where there is no market."""
    count, assets = volume.shape
    block: Block = np.empty((5, count, assets))
    block[:4], block[4] = prices, volume
    valid = np.ones((count, assets), dtype=bool) if seen is None else seen > 0.0
    block[:, ~valid] = np.nan
    symbols = tuple(f"S{k}" for k in range(assets)) if assets > 1 else ("S",)
    bar_ns = about.pop("bar_ns")
    days = 365.0 if weekends else 252.0
    per_year = days * DAY_NS / bar_ns
    market = Market(symbols=symbols, asset_class="crypto" if weekends else "equity", bar_ns=bar_ns, periods_per_year=per_year)
    known = ", ".join(f"{name}={value!r}" for name, value in about.items())
    delist_bar, haircut, notes = find_delistings(valid, index, market, None, "liquidate")
    return Bars._trusted(
        block,
        index,
        resolve(index, market)[0],
        source=f"{per_year:g} bars a year: the generator takes {days:g} days of {DAY_NS / bar_ns:g} bars",
        delist_bar=delist_bar,
        delist_haircut=haircut,
        notes=(f"synthetic: {known}", *notes),
    )


def _extremes(start: ArrayTN, end: ArrayTN, sigma: ArrayTN, rng: np.random.Generator) -> tuple[ArrayTN, ArrayTN]:
    """Highest and lowest log price of a Brownian bridge from `start` to `end`: each is drawn from its exact law."""
    gap = end - start
    up = np.sqrt(gap**2 - 2.0 * sigma**2 * np.log1p(-rng.random(gap.shape)))
    down = np.sqrt(gap**2 - 2.0 * sigma**2 * np.log1p(-rng.random(gap.shape)))
    return (start + end + up) / 2.0, (start + end - down) / 2.0


def _ohlc(log_open: ArrayTN, log_close: ArrayTN, sigma: ArrayTN, rng: np.random.Generator, grid: float | None) -> ArrayTN:
    """(4, T, N) prices; high and low hold open and close exactly."""
    top, bottom = _extremes(log_open, log_close, sigma, rng)
    o, c = np.exp(log_open), np.exp(log_close)
    high = np.maximum(np.exp(top), np.maximum(o, c))
    low = np.minimum(np.exp(bottom), np.minimum(o, c))
    return _on_grid(np.stack([o, high, low, c]), grid)


def _volumes(shape: tuple[int, int], rng: np.random.Generator) -> ArrayTN:
    return np.rint(1e6 * np.exp(0.3 * rng.standard_normal(shape)))


def gbm(
    T: int = 1000,
    N: int = 1,
    seed: int = 0,
    *,
    drift: float = 0.05,
    volatility: float = 0.2,
    correlation: float = 0.0,
    price: float = 100.0,
    gap: float = 0.2,
    start: Any = _START,
    bar_ns: int = DAY_NS,
    weekends: bool = False,
    grid: float | None = None,
) -> Bars:
    """Geometric Brownian motion.

    Parameters
    ----------
    drift, volatility : of the log price a year (`E[log(c[T]/c[0])]` a year is `drift - volatility**2/2`)
    correlation : of the log returns of any two assets, 0 .. 1
    price : close before the first bar
    gap : share of a bar's variance that falls between its open and the close before, 0 .. 1
    start, bar_ns, weekends : labels; 252 days a year without weekends, 365 with
    grid : prices are multiples of it, such as 1/64; None = as they fall

    High and low are the extremes of the path inside the bar, each with its exact law.
    """
    _check(T, N, grid, bar_ns)
    if not 0.0 <= gap < 1.0 or not 0.0 <= correlation <= 1.0 or volatility <= 0.0 or price <= 0.0:
        raise ConfigError(
            f"gap={gap!r}, correlation={correlation!r}, volatility={volatility!r}, price={price!r}; "
            "expected 0 <= gap < 1, 0 <= correlation <= 1, volatility > 0 and price > 0"
        )
    rng = np.random.default_rng(seed)
    step = bar_ns / DAY_NS / (365.0 if weekends else 252.0)
    noise = math.sqrt(correlation) * rng.standard_normal((2, T, 1)) + math.sqrt(1.0 - correlation) * rng.standard_normal((2, T, N))
    night = volatility * math.sqrt(gap * step) * noise[0]
    inside = (drift - volatility**2 / 2.0) * step + volatility * math.sqrt((1.0 - gap) * step) * noise[1]
    log_close = math.log(price) + np.cumsum(night + inside, axis=0)
    prices = _ohlc(log_close - inside, log_close, np.full((T, N), volatility * math.sqrt((1.0 - gap) * step)), rng, grid)
    about = {"model": "gbm", "seed": seed, "drift": drift, "volatility": volatility, "bar_ns": bar_ns}
    about |= {"correlation": correlation, "gap": gap}
    return _bars(prices, _volumes((T, N), rng), _index(T, start, bar_ns, weekends), about, weekends=weekends)


def garch_jumps(
    T: int = 1000,
    N: int = 1,
    seed: int = 0,
    *,
    volatility: float = 0.2,
    alpha: float = 0.08,
    beta: float = 0.9,
    jump_rate: float = 0.01,
    jump_scale: float = 0.05,
    missing: float = 0.0,
    price: float = 100.0,
    start: Any = _START,
    bar_ns: int = DAY_NS,
    weekends: bool = False,
    grid: float | None = None,
) -> Bars:
    """Clustered volatility with jumps between bars and, if asked, bars without a market.

    The log return inside a bar is `s[t]*z[t]`, `s[t]**2 = w + alpha*(s[t-1]*z[t-1])**2 + beta*s[t-1]**2` with `w` such that the
    long-run variance a year is `volatility**2`; before the open, with probability `jump_rate`, the log price jumps by a normal of
    scale `jump_scale`.

    Parameters
    ----------
    volatility : a year, without jumps; alpha, beta : >= 0, alpha + beta < 1
    jump_rate, jump_scale : probability of a jump per bar, and its standard deviation
    missing : probability that an asset has no market in a bar (never the first and the last)
    others : as in `gbm`
    """
    _check(T, N, grid, bar_ns)
    if alpha < 0.0 or beta < 0.0 or alpha + beta >= 1.0:
        raise ConfigError(f"alpha is {alpha!r} and beta {beta!r}; expected both >= 0 and their sum below 1")
    if not 0.0 <= missing < 1.0 or not 0.0 <= jump_rate <= 1.0 or volatility <= 0.0 or jump_scale < 0.0 or price <= 0.0:
        raise ConfigError(
            f"missing={missing!r}, jump_rate={jump_rate!r}, volatility={volatility!r}, jump_scale={jump_scale!r}, price={price!r}; "
            "expected 0 <= missing < 1, 0 <= jump_rate <= 1, jump_scale >= 0, volatility > 0 and price > 0"
        )
    rng = np.random.default_rng(seed)
    long_run = volatility**2 * bar_ns / DAY_NS / (365.0 if weekends else 252.0)
    shocks = rng.standard_normal((T, N))
    sigma, inside = np.empty((T, N)), np.empty((T, N))
    variance = np.full(N, long_run)
    for t in range(T):
        sigma[t] = np.sqrt(variance)
        inside[t] = sigma[t] * shocks[t]
        variance = long_run * (1.0 - alpha - beta) + alpha * inside[t] ** 2 + beta * variance
    jumps = np.where(rng.random((T, N)) < jump_rate, jump_scale * rng.standard_normal((T, N)), 0.0)
    log_close = math.log(price) + np.cumsum(inside + jumps, axis=0)
    prices = _ohlc(log_close - inside, log_close, sigma, rng, grid)
    seen = (rng.random((T, N)) >= missing).astype(np.float64)
    seen[[0, -1]] = 1.0
    about = {"model": "garch_jumps", "seed": seed, "volatility": volatility, "alpha": alpha, "beta": beta, "bar_ns": bar_ns}
    about |= {"jump_rate": jump_rate, "jump_scale": jump_scale, "missing": missing}
    return _bars(prices, _volumes((T, N), rng), _index(T, start, bar_ns, weekends), about, weekends=weekends, seen=seen)


def _smooth(closes: ArrayTN, spread: float, before: ArrayTN, grid: float | None) -> ArrayTN:
    """Bars that open at the close before and reach `spread` (a fraction) beyond open and close."""
    opens = np.vstack([before[None, :], closes[:-1]])
    high = np.maximum(opens, closes) * (1.0 + spread)
    low = np.minimum(opens, closes) * (1.0 - spread)
    return _on_grid(np.stack([opens, high, low, closes]), grid)


def trend(
    T: int = 250,
    N: int = 1,
    *,
    growth: float = 0.001,
    price: float = 100.0,
    spread: float = 0.0,
    start: Any = _START,
    bar_ns: int = DAY_NS,
    weekends: bool = False,
    grid: float | None = None,
) -> Bars:
    """Closes that grow by `growth` a bar, exactly `price*(1 + growth)**(t + 1)`; each bar opens at the close before. No noise.

    `spread` is how far, as a fraction, high and low reach beyond open and close; the other arguments are as in `gbm`.
    """
    _check(T, N, grid, bar_ns)
    if growth <= -1.0 or not 0.0 <= spread < 1.0 or price <= 0.0:
        raise ConfigError(f"growth={growth!r}, spread={spread!r}, price={price!r}; expected growth > -1, 0 <= spread < 1 and price > 0")
    closes = np.repeat(price * (1.0 + growth) ** np.arange(1, T + 1)[:, None], N, axis=1)
    about = {"model": "trend", "growth": growth, "bar_ns": bar_ns}
    prices = _smooth(closes, spread, np.full(N, price), grid)
    return _bars(prices, np.full((T, N), 1e6), _index(T, start, bar_ns, weekends), about, weekends=weekends)


def sine(
    T: int = 250,
    N: int = 1,
    *,
    wave_bars: float = 50.0,
    amplitude: float = 0.1,
    price: float = 100.0,
    spread: float = 0.0,
    start: Any = _START,
    bar_ns: int = DAY_NS,
    weekends: bool = False,
    grid: float | None = None,
) -> Bars:
    """Closes on a wave, exactly `price*(1 + amplitude*sin(2*pi*((t + 1)/wave_bars + k/N)))` for asset k; each opens at the close before.

    `spread` is how far, as a fraction, high and low reach beyond open and close; the other arguments are as in `gbm`.
    """
    _check(T, N, grid, bar_ns)
    if wave_bars <= 0.0 or not 0.0 <= amplitude < 1.0 or not 0.0 <= spread < 1.0 or price <= 0.0:
        raise ConfigError(
            f"wave_bars={wave_bars!r}, amplitude={amplitude!r}, spread={spread!r}, price={price!r}; "
            "expected wave_bars > 0, 0 <= amplitude < 1, 0 <= spread < 1 and price > 0"
        )
    phase = np.arange(0, T + 1)[:, None] / wave_bars + np.arange(N)[None, :] / N
    wave = price * (1.0 + amplitude * np.sin(2.0 * np.pi * phase))
    about = {"model": "sine", "wave_bars": wave_bars, "amplitude": amplitude, "bar_ns": bar_ns}
    prices = _smooth(wave[1:], spread, wave[0], grid)
    return _bars(prices, np.full((T, N), 1e6), _index(T, start, bar_ns, weekends), about, weekends=weekends)
