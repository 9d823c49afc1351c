"""Array aliases with the dimension in the name. `T` bars, `N` assets, `G` accounts."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

ArrayT: TypeAlias = NDArray[np.float64]
"""One number a bar, shape (T,)."""

ArrayN: TypeAlias = NDArray[np.float64]
"""One number an asset, shape (N,)."""

ArrayTN: TypeAlias = NDArray[np.float64]
"""One number a bar and asset, shape (T, N), C order."""

ArrayTG: TypeAlias = NDArray[np.float64]
"""One number a bar and account, shape (T, G), C order."""

Block: TypeAlias = NDArray[np.float64]
"""Open, high, low, close, volume: shape (5, T, N), C order."""

IndexT: TypeAlias = NDArray[np.int64]
"""Nanoseconds since 1970 UTC, or session days, shape (T,)."""

Records: TypeAlias = np.recarray[Any, Any]
"""An array of flat records, the state and the parameters of kernels."""

Table: TypeAlias = Any
"""A pandas or polars object; both are optional at import time, so no type names them here."""
