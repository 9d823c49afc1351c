"""Objects as bytes for another process: what cannot be sent is named before anything starts, and arrays of bars are handed on whole."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.bars import Bars
from ..errors import ConfigError

if TYPE_CHECKING:
    from ..core.sets import Sets
    from ..engine.inputs import Inputs
    from ..engine.strategy import RowsFunction, Strategy

__all__ = ["Packed", "as_given", "check_sendable", "packed_bars", "sent", "unpacked"]

_HERE = ("__main__", "__mp_main__")


def as_given(inputs: Inputs) -> RowsFunction:
    """Inputs as what a strategy says: the same whatever the bars; a function that can be sent."""

    def rows(_: Bars) -> Inputs:
        return inputs

    rows.__name__ = type(inputs).__name__
    return rows


_GIVEN = f"{as_given.__qualname__}.<locals>.rows"


class _Unsendable(Exception):
    """What stands where no other process can find it."""


class _Pickler(pickle.Pickler):
    """Names what another process cannot import."""

    def reducer_override(self, value: Any) -> Any:
        """Functions and classes are sent by the name of their module."""
        if not isinstance(value, type | FunctionType):
            return NotImplemented
        if isinstance(value, FunctionType) and value.__module__ == __name__ and value.__qualname__ == _GIVEN:
            return as_given, (value.__closure__[0].cell_contents,) if value.__closure__ else ()
        what = "class" if isinstance(value, type) else "function"
        if "<lambda>" in value.__qualname__:
            raise _Unsendable(f"a lambda (in module {value.__module__})")
        if "<locals>" in value.__qualname__:
            raise _Unsendable(f"{what} {value.__qualname__.replace('.<locals>', '')}, which stands inside a function")
        if value.__module__ in _HERE:
            raise _Unsendable(f"{what} {value.__qualname__}, which stands in a notebook or in the script that runs")
        return NotImplemented


def sent(value: Any, what: str) -> bytes:
    """The bytes of an object; ConfigError, which names it, where another process could not make it of them."""
    file = io.BytesIO()
    try:
        _Pickler(file, protocol=5).dump(value)
    except _Unsendable as error:
        raise ConfigError(
            f"{what} cannot be sent to another process: it needs {error}; put it in a module that the workers can import, "
            "or sweep with executor=Threads()"
        ) from None
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ConfigError(f"{what} cannot be sent to another process: {error}; make it of plain values, or sweep with Threads()") from error
    return file.getvalue()


def check_sendable(strategy: Strategy, sets: Sets, keywords: Mapping[str, Any]) -> None:
    """ConfigError for the first of a strategy, the values of a parameter or a keyword that cannot be sent."""
    sent(strategy, f"strategy {strategy.name}")
    for name, values in zip(sets.names, sets.values, strict=True):
        sent(values, f"a value of {name}")
    for name, value in keywords.items():
        sent(value, f"{name}={value!r:.60}")


# --- bars ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Packed:
    """An object without its arrays, and their bytes."""

    data: bytes
    buffers: Sequence[NDArray[np.uint8]]


def packed_bars(bars: Bars) -> Packed:
    """Bars, their arrays not copied; nothing that was worked out of them."""
    plain = Bars._trusted(
        bars.block, bars.index, bars.market, source=bars.periods_per_year_source, has_volume=bars.has_volume, splits=_in_a_row(bars.splits),
        dividends=_in_a_row(bars.dividends), funding=_in_a_row(bars.funding), delist_bar=bars.delist_bar,
        delist_haircut=bars.delist_haircut, notes=bars.notes, repairs=bars.repairs,
    )  # fmt: skip
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(plain, protocol=5, buffer_callback=buffers.append)
    return Packed(data, [np.frombuffer(buffer.raw(), dtype=np.uint8) for buffer in buffers])


def unpacked(data: bytes, buffers: Sequence[Any]) -> Any:
    """The object, whose arrays are these bytes; read-only where they are."""
    return pickle.loads(data, buffers=buffers)


def _in_a_row(array: NDArray[Any] | None) -> Any:
    return None if array is None else np.ascontiguousarray(array)
