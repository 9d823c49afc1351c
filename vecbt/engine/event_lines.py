"""What `next` of an event strategy reads: the last bars of its asset and of its indicators, newest last."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import StrategyError, nearest
from .rule import ACCOUNT_VIEW, PRICE_FIELDS

if TYPE_CHECKING:
    from .event_live import Seat

__all__ = ["Data", "History", "Line", "Lines", "Order", "Position", "View"]


class History:
    """The last bars of one asset that had a market: a row a field, newest last.

    Parameters
    ----------
    rows : how many fields
    most : how many bars can be read

    Attributes
    ----------
    count : bars seen
    """

    def __init__(self, rows: int, most: int) -> None:
        self.most, self.count, self._end = most, 0, 0
        self._kept = np.full((rows, 2 * most), np.nan)

    def add(self, values: NDArray[np.float64]) -> None:
        """One more bar (rows,)."""
        if self._end == 2 * self.most:
            self._kept[:, : self.most] = self._kept[:, self.most :]
            self._end = self.most
        self._kept[:, self._end] = values
        self._end += 1
        self.count += 1

    @property
    def size(self) -> int:
        """Bars that can be read."""
        return min(self.count, self.most)

    def at(self, row: int, back: int) -> float:
        """The value `back` bars ago, 1 for this bar."""
        if 1 <= back <= self.count and back <= self.most:
            value: float = self._kept.item(row, self._end - back)
            return value
        raise self._too_far(back)

    def part(self, row: int, start: int, stop: int) -> NDArray[np.float64]:
        """A copy of the values of the bars `start` to `stop - 1`, counted from the first bar seen."""
        if start < stop and start < self.count - self.most:
            raise self._too_far(self.count - start)
        first = self._end - self.count
        return self._kept[row, first + start : first + stop].copy()

    def _too_far(self, back: int) -> StrategyError | IndexError:
        if 1 <= back <= self.count:
            return StrategyError(f"{back} bars back is further than the {self.most} that are kept; set `history = {back}` in the class")
        return IndexError(f"[-{back}] is no bar: {self.count} had a market so far; the newest is [-1]")

    @property
    def parts(self) -> NDArray[np.float64]:
        """What can be read, (rows, size), oldest first."""
        return self._kept[:, self._end - self.size : self._end]

    def restore(self, values: NDArray[np.float64], count: int) -> None:
        """Go on from `parts` and `count`."""
        self._end, self.count = values.shape[1], count
        self._kept[:, : self._end] = values


class Line:
    """One field or indicator in time: `line[-1]` is this bar, `line[-2]` the one before, `line[-20:]` an array of the last twenty.

    Where it stands for a number in a comparison, it is the number of this bar. Bars without a market are in no line.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._history: History | None = None
        self._row = -1

    def bind(self, history: History, row: int) -> None:
        """Where its values come to stand."""
        self._history, self._row = history, row

    def _bound(self) -> History:
        if self._history is None:
            raise StrategyError(f"{self.name or 'an indicator'} has no values in init(): there is no bar yet; read it in next()")
        return self._history

    def __getitem__(self, place: int | slice) -> Any:
        history = self._bound()
        if isinstance(place, slice):
            start, stop, step = place.indices(history.count)
            if step < 0:
                raise StrategyError(f"{self.name}[{place.start}:{place.stop}:{step}] goes backwards; take the slice, then reverse it")
            return history.part(self._row, start, stop)[::step]
        return history.at(self._row, -place if place < 0 else history.count - place)

    def __len__(self) -> int:
        return self._bound().count

    def __float__(self) -> float:
        return self._bound().at(self._row, 1)

    def __gt__(self, other: Any) -> bool:
        return float(self) > float(other)

    def __lt__(self, other: Any) -> bool:
        return float(self) < float(other)

    def __ge__(self, other: Any) -> bool:
        return float(self) >= float(other)

    def __le__(self, other: Any) -> bool:
        return float(self) <= float(other)

    def __repr__(self) -> str:
        return f"<{self.name or 'indicator'}, no bar yet>" if self._history is None else f"<{self.name}, {len(self)} bars>"


class Lines:
    """The lines of an indicator that has several outputs, by their names: `self.macd.signal[-1]`."""

    def __init__(self, name: str, outputs: tuple[str, ...]) -> None:
        self.name = name
        self.lines = {output: Line("") for output in outputs}

    def __getattr__(self, name: str) -> Line:
        lines: dict[str, Line] = self.__dict__.get("lines", {})
        if name in lines:
            return lines[name]
        raise AttributeError(f"{self.name or 'the indicator'} has no output {name!r}; {nearest(name, lines)}")

    def __getitem__(self, place: Any) -> Any:
        raise StrategyError(f"{self.name or 'the indicator'} has several outputs; name one: {', '.join(f'.{o}[-1]' for o in self.lines)}")


class View:
    """A field of the account as the rules of compiled strategies see it (`engine.rule.ACCOUNT_VIEW`)."""

    def __init__(self, name: str, doc: str) -> None:
        self._name, self._place = name, (ACCOUNT_VIEW.names or ()).index(name)
        self.__doc__ = doc

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        seat = instance._seat
        if seat is None or seat.declaring:
            raise StrategyError(f"{self._name} is known in next(), when a simulation runs; there is no account yet")
        return seat.account.item(self._place)


class Position:
    """What is held of this asset after the fills of this bar, and the way out of it. It is true where something is held."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    size = View("position", "Units, signed: below 0 for a short position.")
    entry_price = View("entry_price", "Average price, in the units of the prices that are read here; NaN: nothing is held.")
    bars_held = View("bars_held", "Bars since the entry, 0 in its own bar.")
    profit = View("unrealized", "Money won or lost at this close, commissions not counted.")
    stop = View("stop", "Level that protects the position, NaN: none.")
    target = View("target", "Level at which the profit is taken, NaN: none.")
    best_price = View("best_price", "Best price since the entry (P2), NaN: nothing is held.")
    pl = profit

    @property
    def is_long(self) -> bool:
        """Whether more than nothing is held."""
        return bool(self.size > 0.0)

    @property
    def is_short(self) -> bool:
        """Whether less than nothing is held."""
        return bool(self.size < 0.0)

    def close(self) -> None:
        """Leave at the next fill."""
        self._seat.say_flat()

    def __bool__(self) -> bool:
        return bool(self.size != 0.0)

    def __repr__(self) -> str:
        return f"<position of {self.size:g}>"


class Order:
    """An order of this asset that waits.

    Attributes
    ----------
    size : units wanted, signed
    bars : bars since it was given
    """

    def __init__(self, size: float, bars: float) -> None:
        self.size, self.bars = size, int(bars)

    def __repr__(self) -> str:
        return f"<order for {self.size:g}, {self.bars} bars old>"


class Data:
    """The bars of one asset as strategies read them (T9): `open high low close volume` are lines, also with a capital letter."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self.lines = {name: Line(name) for name in PRICE_FIELDS}
        self.symbol = seat.symbol

    def __getattr__(self, name: str) -> Line:
        lines: dict[str, Line] = self.__dict__.get("lines", {})
        found = lines.get(name.lower() if name[:1].isupper() else name)
        if found is None:
            raise AttributeError(f"data has no {name!r}; {nearest(name, [*PRICE_FIELDS, 'time', 'datetime', 'symbol'])}")
        return found

    @property
    def time(self) -> int:
        """Label of this bar, ns since 1970 UTC."""
        if self._seat.declaring:
            raise StrategyError("data.time in init(): there is no bar yet")
        return int(self._seat.times[0])

    @property
    def datetime(self) -> datetime.datetime:
        """Label of this bar, UTC, to the microsecond."""
        return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=self.time // 1000)

    def __len__(self) -> int:
        return len(self.lines["close"])
