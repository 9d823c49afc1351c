"""Records and their words: where they begin, what they hold, and that copying words copies every field."""

from __future__ import annotations

import numpy as np
import pytest

from vecbt.core.state import plain, records, words
from vecbt.engine.books import ACCOUNT, ASSET

pytestmark = pytest.mark.interpreted


@pytest.mark.parametrize("dtype", [ACCOUNT, ASSET], ids=["account", "asset"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_records_are_zero_and_begin_on_a_cache_line(dtype: np.dtype[np.void], count: int) -> None:
    for _ in range(5):
        made = records(dtype, count)
        assert made.shape == (count,)
        assert made.ctypes.data % 64 == 0
        assert not words(made).any()
        again = records(made.dtype, count)  # of the records' own dtype, which has attributes already
        assert again.dtype == made.dtype
        assert again.ctypes.data % 64 == 0


def test_a_field_is_an_attribute_and_a_plain_view_shares_it() -> None:
    made = records(ASSET, 2)
    made.q[1] = 3.5
    assert plain(made)["q"].tolist() == [0.0, 3.5]
    assert made.view(np.ndarray)["q"].tolist() == [0.0, 3.5]


def test_words_are_the_memory_of_records_and_copying_them_copies_every_field() -> None:
    made, numbers = records(ASSET, 3), np.random.default_rng(5)
    words(made)[:] = numbers.integers(0, 2**62, words(made).shape)
    assert words(made).shape == (3, ASSET.itemsize // 8)
    copied = records(ASSET, 1)
    words(copied)[:] = words(made)[1:2]
    for name in ASSET.names or ():
        assert copied[name].tobytes() == made[name][1:2].tobytes(), name
    copied.q[0] = 1.25
    assert made.q[1] != 1.25
