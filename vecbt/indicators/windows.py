"""The sum over the last `window` values, without drift.

Values are taken in chunks of one window. While a chunk fills, its own values are added up in `prefix`; the buffer
still holds, from `head` on, the suffix sums of the chunk before. Their sum is the sum of the window: nothing is ever
subtracted, so no error stays behind, not even after a huge value, and a bar costs two additions whatever the window.
The buffer row has as many places as the window.
"""

from __future__ import annotations

from ..core.jit import kernel

__all__ = ["CHUNK", "WINDOW_FIELDS", "window_sum"]

CHUNK = 64
"""Bars that a run with a buffer takes of one asset before it goes to the next: the buffer stays at hand, rows stay in the
cache. Where there is no buffer, time outside and assets inside is faster still."""

WINDOW_FIELDS = [("prefix", "f8"), ("head", "i8"), ("count", "i8")]
"""Fields that the state of a kernel needs to use `window_sum`."""


@kernel
def window_sum(state, buffer, value):  # type: ignore[no-untyped-def]
    """Take one value; the sum of the last `len(buffer)` values, of all of them while there are fewer."""
    window = buffer.shape[0]
    if state.count < window:
        state.count += 1
    head = state.head
    buffer[head] = value
    state.prefix += value
    head += 1
    if head < window:
        state.head = head
        return state.prefix + buffer[head]
    total = state.prefix
    suffix = 0.0
    for i in range(window - 1, -1, -1):
        suffix += buffer[i]
        buffer[i] = suffix
    state.prefix = 0.0
    state.head = 0
    return total
