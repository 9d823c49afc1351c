"""The sum over the last `window` values, without drift.

Values are taken in chunks of one window. While a chunk fills, its own values are added up in `prefix`; the buffer
still holds, from `head` on, the suffix sums of the chunk before. Their sum is the sum of the window: nothing is ever
subtracted, so no error stays behind, not even after a huge value, and a bar costs two additions whatever the window.
The buffer row has as many places as the window.
"""

from __future__ import annotations

from typing import NamedTuple

from ..core.jit import kernel

__all__ = ["WINDOW_FIELDS", "Window", "chunk_length", "window_next", "window_sum"]

_SHORTEST = 64
_CELLS = 65_536

WINDOW_FIELDS = [("prefix", "f8"), ("head", "i8"), ("count", "i8")]
"""Fields that the state of a kernel needs to keep a `Window`."""


@kernel
def chunk_length(assets):  # type: ignore[no-untyped-def]
    """Bars that a run takes of one asset before it goes to the next: its values stay in registers, the rows in the cache."""
    return max(_SHORTEST, _CELLS // max(assets, 1))


class Window(NamedTuple):
    """A window at work, beside its buffer. A run keeps it in registers: from bar to bar, memory would cost more than the sum."""

    prefix: float
    head: int
    filled: int


@kernel
def window_next(past, buffer, value):  # type: ignore[no-untyped-def]
    """The window after `value`, whose sum `window_sum` has given. A full chunk becomes suffix sums."""
    window = buffer.shape[0]
    filled = past.filled + 1 if past.filled < window else past.filled
    head = past.head + 1
    if head < window:
        return Window(past.prefix + value, head, filled)
    suffix = 0.0
    for i in range(window - 1, -1, -1):
        suffix += buffer[i]
        buffer[i] = suffix
    return Window(0.0, 0, filled)


@kernel
def window_sum(past, buffer, value):  # type: ignore[no-untyped-def]
    """Take one value into the buffer; the sum of the last `len(buffer)` values, of all of them while there are fewer."""
    head = past.head
    buffer[head] = value
    if head + 1 < buffer.shape[0]:
        return past.prefix + value + buffer[head + 1]
    return past.prefix + value
