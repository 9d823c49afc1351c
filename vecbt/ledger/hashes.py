"""One hash for configurations: a sum of terms, one for each thing that is said, so that many sets are hashed as arrays.

A term is 64 bits of a place ("parameter fast") and what stands there. Sets of a sweep differ in a few terms, which are looked up and added.
Sums of terms that are spread evenly collide by chance only: two of a million configurations with a chance of 3 in 100 million.
"""

from __future__ import annotations

import functools
import hashlib
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.identity import identity

__all__ = ["MASK", "is_number", "mixed", "numbers_of", "term", "terms", "text_hash"]

MASK = 2**64 - 1


@functools.lru_cache(maxsize=4096)
def text_hash(text: str) -> int:
    """64 bits of the SHA-256 of a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def mixed(value: Any) -> Any:
    """64 bits spread over all places: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), of an int or of an array."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & MASK
    return value ^ (value >> 31)


def is_number(value: Any) -> bool:
    """Whether a value goes by its number, whatever its type: finite, and exact as a float."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    return bool(-(2**53) <= value <= 2**53) if isinstance(value, int | np.integer) else bool(np.isfinite(value))


def numbers_of(values: Sequence[Any]) -> NDArray[np.float64] | None:
    """Values that all go by their number, as an array; None where one does not."""
    if not len(values) or (not set(map(type, values)) <= {int, float} and not all(map(is_number, values))):
        return None
    try:
        found = np.array(values, dtype=np.float64)
    except OverflowError:
        return None
    far = np.abs(found).max()
    return found if far <= 2**53 or (np.isfinite(far) and all(map(is_number, values))) else None


def term(place: str, value: Any) -> int:
    """What a value at a place adds to the sum: of a number by its value, of anything else by its identity."""
    if is_number(value):
        (bits,) = struct.unpack("<Q", struct.pack("<d", float(value) + 0.0))  # -0 is 0
        number: int = mixed(text_hash(place) ^ mixed(bits))
        return number
    return text_hash(f"{place}={identity(value)}")


def terms(place: str, values: Sequence[Any]) -> NDArray[np.uint64]:
    """`term` of each value."""
    numbers = numbers_of(values) if len(values) > 1 else None  # an array of one takes three times as long
    if numbers is not None:
        bits = (numbers + 0.0).view(np.uint64)
        found: NDArray[np.uint64] = mixed(np.uint64(text_hash(place)) ^ mixed(bits))
        return found
    return np.array([term(place, value) for value in values], dtype=np.uint64)
