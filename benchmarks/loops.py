"""Hand-written loops: the least code that does the work of a workload and nothing else, compiled, on one thread.

Semantics: the fast average goes strictly above the slow one after being strictly below it: buy at this close with all cash, costs
included; the other way round: sell all at this close. Prices move against the order by the slippage.
"""

from __future__ import annotations

import math

import numba

from .work import COMMISSION_RATE, FAST, SLIPPAGE_BPS, SLOW, Array

SLIPPAGE = SLIPPAGE_BPS * 1e-4

BAR, FAST_SUM, SLOW_SUM, SIGN, CASH_LEFT, QUANTITY = range(6)
"""Places in the state of `account_step`, a float64 array (6,) of zeros but for the cash."""


@numba.njit(nogil=True)
def account_loop(
    close: Array, windows: tuple[int, int], costs: tuple[float, float], start: float, series: Array, fills: Array, trades: Array
) -> tuple[int, int, float, float, float]:  # pragma: no cover - compiled
    """W1. Fills `series` (4, T) with equity, cash, position, drawdown; `fills` (n, 5) and `trades` (n, 6).

    Returns the number of fills and trades, mean and standard deviation of the returns, the largest drawdown.
    """
    fast, slow = windows
    rate, slip = costs
    fast_sum, slow_sum, sign = 0.0, 0.0, 0
    cash, q, entry, entry_t, entry_fee = start, 0.0, 0.0, 0, 0.0
    n_fills, n_trades = 0, 0
    last, peak, deepest = start, start, 0.0
    total, squares = 0.0, 0.0
    bars = close.shape[0]
    for t in range(bars):
        price = close[t]
        fast_sum += price
        slow_sum += price
        if t >= fast:
            fast_sum -= close[t - fast]
        if t >= slow:
            slow_sum -= close[t - slow]
        if t >= slow - 1:
            difference = fast_sum / fast - slow_sum / slow
            now = 1 if difference > 0.0 else (-1 if difference < 0.0 else 0)
            if now == 1 and sign == -1 and q == 0.0:
                entry = price * (1.0 + slip)
                q = cash / (entry * (1.0 + rate))
                entry_fee = q * entry * rate
                cash -= q * entry + entry_fee
                entry_t = t
                fills[n_fills, 0], fills[n_fills, 1], fills[n_fills, 2] = t, q, entry
                fills[n_fills, 3], fills[n_fills, 4] = entry_fee, q * (entry - price)
                n_fills += 1
            elif now == -1 and sign == 1 and q != 0.0:
                out = price * (1.0 - slip)
                fee = q * out * rate
                cash += q * out - fee
                fills[n_fills, 0], fills[n_fills, 1], fills[n_fills, 2] = t, -q, out
                fills[n_fills, 3], fills[n_fills, 4] = fee, q * (price - out)
                n_fills += 1
                trades[n_trades, 0], trades[n_trades, 1], trades[n_trades, 2] = entry_t, t, q
                trades[n_trades, 3], trades[n_trades, 4] = entry, out
                trades[n_trades, 5] = q * (out - entry) - fee - entry_fee
                n_trades += 1
                q = 0.0
            sign = now
        equity = cash + q * price
        change = equity / last - 1.0
        last = equity
        total += change
        squares += change * change
        peak = max(peak, equity)
        drawdown = 1.0 - equity / peak
        deepest = max(deepest, drawdown)
        series[0, t], series[1, t], series[2, t], series[3, t] = equity, cash, q, drawdown
    mean = total / bars
    return n_fills, n_trades, mean, math.sqrt(max(0.0, (squares - bars * mean * mean) / (bars - 1))), deepest


@numba.njit(nogil=True)
def rebalance_loop(
    close: Array, every: int, rate: float, start: float, held: Array, series: Array, fills: Array, positions: Array
) -> int:  # pragma: no cover - compiled
    """W4: equal weights of the equity left after this rebalance's commission, every so many bars, at this close.

    `held` (N,) are zeros at the start. Fills `series` (2, T) with equity and cash, `fills` (n, 5), and `positions` (T, N) where there is
    room for them. Returns the number of fills.
    """
    bars, assets = close.shape
    weight, cash, count = 1.0 / assets, start, 0
    for t in range(bars):
        value = 0.0
        for n in range(assets):
            value += held[n] * close[t, n]
        equity = cash + value
        if t % every == 0:
            before, after = equity, math.inf
            while abs(before - after) > 1e-12 * equity:
                after, traded = before, 0.0
                for n in range(assets):
                    traded += abs(after * weight - held[n] * close[t, n])
                before = equity - rate * traded
            for side in (-1.0, 1.0):  # sales pay for purchases
                for n in range(assets):
                    price = close[t, n]
                    change = before * weight / price - held[n]
                    if change * side > 0.0:
                        fee = rate * abs(change * price)
                        cash -= change * price + fee
                        held[n] += change
                        fills[count, 0], fills[count, 1], fills[count, 2], fills[count, 3], fills[count, 4] = t, n, change, price, fee
                        count += 1
            value = 0.0
            for n in range(assets):
                value += held[n] * close[t, n]
            equity = cash + value
        series[0, t], series[1, t] = equity, cash
        if positions.shape[0] > 0:
            for n in range(assets):
                positions[t, n] = held[n]
    return count


@numba.njit(nogil=True)
def account_step(state: Array, window: Array, price: float) -> float:  # pragma: no cover - compiled
    """W5: one bar of the same account with the windows and costs of `work`; the last prices are kept in a ring (SLOW,).

    Returns the equity.
    """
    t = int(state[BAR])
    state[FAST_SUM] += price
    state[SLOW_SUM] += price
    if t >= FAST:
        state[FAST_SUM] -= window[(t - FAST) % SLOW]
    if t >= SLOW:
        state[SLOW_SUM] -= window[t % SLOW]
    window[t % SLOW] = price
    if t >= SLOW - 1:
        difference = state[FAST_SUM] / FAST - state[SLOW_SUM] / SLOW
        now = 1.0 if difference > 0.0 else (-1.0 if difference < 0.0 else 0.0)
        if now == 1.0 and state[SIGN] == -1.0 and state[QUANTITY] == 0.0:
            state[QUANTITY] = state[CASH_LEFT] / (price * (1.0 + SLIPPAGE) * (1.0 + COMMISSION_RATE))
            state[CASH_LEFT] = 0.0
        elif now == -1.0 and state[SIGN] == 1.0 and state[QUANTITY] != 0.0:
            state[CASH_LEFT] += state[QUANTITY] * price * (1.0 - SLIPPAGE) * (1.0 - COMMISSION_RATE)
            state[QUANTITY] = 0.0
        state[SIGN] = now
    state[BAR] += 1.0
    return state[CASH_LEFT] + state[QUANTITY] * price
