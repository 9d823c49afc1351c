"""What compiled loops do with addresses."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vecbt.core.jit import kernel_loop
from vecbt.core.places import first_byte, peek_int


@kernel_loop
def first_of(rows, out):  # type: ignore[no-untyped-def]
    """The first row of eight that is not 0."""
    out[0] = first_byte(peek_int(rows.ctypes.data, 0))


@given(st.lists(st.integers(0, 255), min_size=8, max_size=8).filter(any))
def test_the_first_byte_that_is_not_zero_is_found(rows: list[int]) -> None:
    out = np.zeros(1, dtype=np.int64)
    first_of(np.array(rows, dtype=np.uint8), out)
    assert out[0] == next(k for k, row in enumerate(rows) if row)
