"""Which memory layout of prices: `python -m benchmarks.layout`.

Three ways to keep open, high, low, close, volume of N assets over T bars: one block (5, T, N), five separate (T, N)
arrays, one block (T, N, 5). Two pieces of work: a loop that reads o, h, l, c of every bar as a simulation does (a
position with a stop per asset), and a rolling mean over the closes as an indicator does. All three give the same
numbers, which is checked before anything is timed; layouts take turns, the best of the rounds counts.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SIZES = ((1_000_000, 1), (5_000, 500))
ROUNDS = 7
WINDOW = 20


@numba.njit(nogil=True)
def asset_step(state: Array, k: int, o: float, h: float, l: float, c: float) -> None:  # noqa: E741 # pragma: no cover - compiled
    """One bar of one asset: a stop 2 % below the entry, an entry after a rise. `state` (3, N): entry, profit, last close."""
    entry = state[0, k]
    if entry > 0.0:
        stop = entry * 0.98
        if o <= stop:
            state[1, k] += o - entry
            state[0, k] = 0.0
        elif l <= stop:
            state[1, k] += stop - entry
            state[0, k] = 0.0
        elif h >= entry * 1.04:
            state[1, k] += entry * 0.04
            state[0, k] = 0.0
    elif c > state[2, k]:
        state[0, k] = c
    state[2, k] = c


@numba.njit(nogil=True)
def simulate_block(block: Array, state: Array) -> None:  # pragma: no cover - compiled
    """(5, T, N)."""
    for t in range(block.shape[1]):
        for k in range(block.shape[2]):
            asset_step(state, k, block[0, t, k], block[1, t, k], block[2, t, k], block[3, t, k])


@numba.njit(nogil=True)
def simulate_separate(o: Array, h: Array, l: Array, c: Array, state: Array) -> None:  # noqa: E741 # pragma: no cover - compiled
    """Four of five (T, N)."""
    for t in range(o.shape[0]):
        for k in range(o.shape[1]):
            asset_step(state, k, o[t, k], h[t, k], l[t, k], c[t, k])


@numba.njit(nogil=True)
def simulate_together(bars: Array, state: Array) -> None:  # pragma: no cover - compiled
    """(T, N, 5)."""
    for t in range(bars.shape[0]):
        for k in range(bars.shape[1]):
            asset_step(state, k, bars[t, k, 0], bars[t, k, 1], bars[t, k, 2], bars[t, k, 3])


@numba.njit(nogil=True)
def rolling(close: Array, sums: Array, out: Array) -> None:  # pragma: no cover - compiled
    """Mean of the last `WINDOW` closes; `close` (T, N) of any stride."""
    for t in range(close.shape[0]):
        for k in range(close.shape[1]):
            sums[k] += close[t, k]
            if t >= WINDOW:
                sums[k] -= close[t - WINDOW, k]
            out[t, k] = sums[k] / WINDOW


def prices(bars: int, assets: int) -> Array:
    """A (5, T, N) block of random walks."""
    draw = np.random.default_rng(0)
    close = 100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.005, (bars, assets)), axis=0))
    opens = np.vstack([np.full((1, assets), 100.0), close[:-1]])
    high, low = np.maximum(opens, close) * 1.002, np.minimum(opens, close) * 0.998
    return np.stack([opens, high, low, close, np.ones((bars, assets))])


def cases(block: Array) -> dict[str, dict[str, Callable[[], Any]]]:
    """Work -> layout -> a call that does it and returns what it found."""
    _, bars, assets = block.shape
    separate = [np.array(field) for field in block]
    together = np.ascontiguousarray(block.transpose(1, 2, 0))
    out = np.empty((bars, assets))

    def simulation(run: Callable[..., None], *given: Array) -> Callable[[], Array]:
        def call() -> Array:
            state = np.zeros((3, assets))
            run(*given, state)
            return state

        return call

    def indicator(close: Array) -> Callable[[], Array]:
        def call() -> Array:
            rolling(close, np.zeros(assets), out)
            return out

        return call

    return {
        "simulation": {
            "(5, T, N)": simulation(simulate_block, block),
            "5 x (T, N)": simulation(simulate_separate, *separate[:4]),
            "(T, N, 5)": simulation(simulate_together, together),
        },
        "rolling mean": {
            "(5, T, N)": indicator(block[3]),
            "5 x (T, N)": indicator(separate[3]),
            "(T, N, 5)": indicator(together[:, :, 3]),
        },
    }


def measure(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Best seconds of each layout over the rounds, turn and turn about; all must find the same."""
    answers = [np.array(call()) for call in calls.values()]
    assert all(np.array_equal(answers[0], other) for other in answers[1:]), "the layouts do not agree"
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    """Print the table."""
    print(f"{platform.machine()}, Python {platform.python_version()}, numba {numba.__version__}; best of {ROUNDS}, ns per bar and asset")
    print(f"{'work':<14}{'T':>10}{'N':>6}   {'(5, T, N)':>12}{'5 x (T, N)':>12}{'(T, N, 5)':>12}")
    for bars, assets in SIZES:
        for work, calls in cases(prices(bars, assets)).items():
            best = measure(calls)
            cells = "".join(f"{seconds / (bars * assets) * 1e9:>12.2f}" for seconds in best.values())
            print(f"{work:<14}{bars:>10,}{assets:>6}   {cells}")


if __name__ == "__main__":
    main()
