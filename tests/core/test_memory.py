"""Memory is used again only when nobody can see it any more."""

from __future__ import annotations

import gc

import numpy as np
import pandas as pd
import pytest

from vecbt.core import memory

SHAPE = (300_000, 1)


def address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def test_an_array_is_what_numpy_would_give() -> None:
    for shape, dtype in ((SHAPE, np.float64), ((2_000_000,), np.uint8), ((3, 4), np.float64), ((0, 5), np.float64)):
        array = memory.empty(shape, dtype)
        assert array.shape == shape and array.dtype == dtype and array.flags.c_contiguous and array.flags.writeable
        array[...] = 1
        assert (array == 1).all()


def test_memory_of_an_array_that_is_gone_is_used_again() -> None:
    first = memory.empty(SHAPE)
    place = address(first)
    del first
    assert address(memory.empty(SHAPE)) == place


@pytest.mark.parametrize("view", [lambda a: a[5:10], lambda a: a.T, lambda a: a.view(np.int64), lambda a: a[:, 0].reshape(-1)])
def test_memory_somebody_still_sees_is_left_alone(view: object) -> None:
    array = memory.empty(SHAPE)
    array[:] = 7.0
    place, kept = address(array), view(array)  # type: ignore[operator]
    seen = kept.copy()
    del array
    gc.collect()
    others = [memory.empty(SHAPE) for _ in range(3)]
    for other in others:
        other[:] = -1.0
    assert place not in [address(other) for other in others]
    np.testing.assert_array_equal(kept, seen)


def test_a_frame_keeps_its_memory() -> None:
    series = pd.Series(memory.empty(SHAPE)[:, 0], copy=False)
    series[:] = 3.0
    tail = series.iloc[-5:]
    del series
    gc.collect()
    memory.empty(SHAPE)[:] = -1.0
    assert (tail == 3.0).all()


def test_no_more_is_kept_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    size = SHAPE[0] * 8
    monkeypatch.setattr(memory, "_STORE", memory._Store(2 * size))
    arrays = [memory.empty(SHAPE) for _ in range(4)]
    places = [address(array) for array in arrays]
    arrays.reverse()
    while arrays:
        arrays.pop()
    assert sum(part.nbytes for part in memory._STORE._kept) <= 2 * size
    again = [memory.empty(SHAPE), memory.empty(SHAPE)]
    assert sorted(address(array) for array in again) == sorted(places[2:])


def test_live_arrays_never_overlap() -> None:
    arrays = [memory.empty(SHAPE) for _ in range(6)]
    for number, array in enumerate(arrays):
        array[:] = number
    assert all((array == number).all() for number, array in enumerate(arrays))
