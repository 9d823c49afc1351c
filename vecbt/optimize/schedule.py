"""A strategy that switches strategies at labels: what a walk-forward leaves, and what trades on after it.

Every member is fed from the first bar on, so a switch is exact; rows and feed pick from the members by the label of the bar alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN, Block, IndexT
from ..core.codes import InputKind
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.labels import label_text, time_label
from ..data.market import Market
from ..engine.inputs import EXIT_LONG, EXIT_SHORT, AlignedInputs, Inputs
from ..engine.replay_feed import ReplayFeed
from ..engine.rule_strategy import RuleStrategy
from ..engine.strategy import Strategy, as_strategy, evaluate, written
from ..errors import ConfigError, DataError, StrategyError, counted
from ..indicators.save import pack, unpack
from ..signals.combined import row_of

__all__ = ["Schedule", "ScheduleFeed"]

_NEVER = np.iinfo(np.int64).min
_OUT = EXIT_LONG | EXIT_SHORT


class _Before(np.ndarray[Any, Any]):
    """An array whose text is short: reports print parameters."""

    def __repr__(self) -> str:
        return f"{self.dtype} {self.shape}"

    __str__ = __repr__


@dataclass(frozen=True, eq=False)
class Schedule(Strategy):
    """Strategies one after the other: `members[k]` decides from the bar labelled `starts[k]` on, until the next one does.

    Before the first label it says nothing; the last member goes on without end. Positions are carried over a switch as they are, and the
    member that follows trades them on by what it says from then; at a label in `closes` everything is closed first. `Schedule.of` finds
    these labels in bars. Members of equal parameters are one member: between them nothing switches.

    Parameters
    ----------
    members : strategies, K of them, that give one kind of inputs: signals, strengths, weights or quantities
    starts : K times, increasing: labels from which each decides
    closes : times at whose bar (the first one from there on that has a market, asset by asset) the row is an exit of everything in
        place of what the member says; the fills come at the next open
    before_prices : float64 (5, L, N), optional; bars before the first one that will come, as strategies read them (T9): open, high, low,
        close, volume. The members begin with them, so that they are warm at the first bar
    before_times : int64 (L,), optional; their labels, ns UTC. Bars that begin before the last of these labels do without them

    Raises
    ------
    ConfigError for labels that do not increase, members and labels of different number, bars before that are no bars; StrategyError for
    members whose rule sees the account (it has no rows that others could use), or that give orders, or different kinds.
    """

    members: Any
    starts: Any
    closes: Any = ()
    before_prices: Any = None
    before_times: Any = None

    def check(self) -> None:
        """Members become strategies, times labels."""
        if isinstance(self.members, str) or not isinstance(self.members, Sequence) or not len(self.members):
            raise ConfigError(f"Schedule.members is {self.members!r}; expected a sequence of at least one strategy")
        members = tuple(_member(member, k) for k, member in enumerate(self.members))
        starts, closes = _labels(self.starts, "starts"), _labels(self.closes, "closes")
        if len(starts) != len(members):
            raise ConfigError(f"Schedule has {len(members)} members and {len(starts)} starts; expected one label for each member")
        object.__setattr__(self, "members", members)
        object.__setattr__(self, "starts", tuple(map(_text, starts)))
        object.__setattr__(self, "closes", tuple(map(_text, closes)))
        self._check_before()

    def _check_before(self) -> None:
        prices, times = self.before_prices, self.before_times
        if prices is None and times is None:
            return
        if prices is None or times is None:
            raise ConfigError("Schedule takes before_prices and before_times together: the bars before the first one, and their labels")
        prices, times = np.ascontiguousarray(prices, dtype=np.float64), np.ascontiguousarray(times, dtype=np.int64)
        if times.ndim != 1 or prices.ndim != 3 or prices.shape[:2] != (5, len(times)) or not len(times) or (np.diff(times) <= 0).any():
            what = f"before_prices have shape {prices.shape}, before_times {times.shape}"
            raise ConfigError(f"Schedule: {what}; expected (5, L, N) and (L,) with L of at least 1, times increasing")
        for name, array in (("before_prices", prices), ("before_times", times)):
            kept = array.copy().view(_Before)
            kept.flags.writeable = False
            object.__setattr__(self, name, kept)

    @classmethod
    def of(cls, bars: Bars, members: Sequence[Any], starts: Iterable[Any], *, flatten: bool = True, warm: bool = True) -> Schedule:
        """The schedule for bars that are known.

        Parameters
        ----------
        bars : those that it will decide on, and those before them
        members, starts : as for the class
        flatten : close everything at the last bar before another member takes over; else positions are carried
        warm : give it the bars before the first label, so that it can be run over the bars from there on

        Raises
        ------
        ConfigError, StrategyError as the class does; ConfigError for a label after the last bar.
        """
        labels = _labels(starts, "starts")
        places = np.searchsorted(bars.index, np.array(labels, dtype=np.int64))
        if len(places) and places[-1] >= bars.T:
            raise ConfigError(f"Schedule.starts has {label_text(labels[-1])}, after the last bar at {label_text(int(bars.index[-1]))}")
        texts = [written(_member(member, k)) for k, member in enumerate(members)]
        turns = [k for k in range(1, min(len(texts), len(places))) if texts[k] != texts[k - 1] and places[k] > 0]
        closes = tuple(int(bars.index[places[k] - 1]) for k in turns) if flatten else ()
        first = int(places[0]) if len(places) and warm else 0
        if first == 0:
            return cls(tuple(members), labels, closes)
        return cls(tuple(members), labels, closes, _read_before(bars, first), bars.index[:first])

    @cached_property
    def _distinct(self) -> tuple[tuple[Strategy, ...], NDArray[np.int64]]:
        """The members without repetition, and for each of `members` which of them it is."""
        places: dict[str, int] = {}
        which = [places.setdefault(written(member), len(places)) for member in self.members]
        return tuple(self.members[which.index(k)] for k in range(len(places))), np.array(which, dtype=np.int64)

    @cached_property
    def start_labels(self) -> IndexT:
        """`starts` as labels, int64 (K,)."""
        return np.array(_labels(self.starts, "starts"), dtype=np.int64)

    @cached_property
    def close_labels(self) -> IndexT:
        """`closes` as labels, int64."""
        return np.array(_labels(self.closes, "closes"), dtype=np.int64)

    def __eq__(self, other: object) -> bool:
        return written(self) == written(other) if isinstance(other, Schedule) else NotImplemented

    def __hash__(self) -> int:
        return hash(written(self))

    def __repr__(self) -> str:
        spans = ", ".join(f"{_shown(member)} from {start}" for member, start in zip(self.members, self.starts, strict=True))
        closed = f", closed at {len(self.closes)} of its switches" if self.closes else ""
        before = "" if self.before_times is None else f", begun with the {counted(len(self.before_times), 'bar')} before"
        return f"Schedule({spans}{closed}{before})"

    @property
    def warmup(self) -> int:
        """Bars at the start that cannot say anything yet: the most that a member needs, less the bars that come before."""
        known = 0 if self.before_times is None else len(self.before_times)
        return max(0, max(member.warmup for member in self._distinct[0]) - known)

    def member_at(self, label: int) -> int:
        """Which member decides at a label: its number, -1 before the first."""
        return int(np.searchsorted(self.start_labels, label, side="right")) - 1

    def leads(self, first: int, assets: int) -> bool:
        """Whether the bars before are to be fed ahead of a bar labelled `first`; StrategyError where they are of other assets."""
        if self.before_times is None or first <= self.before_times[-1]:
            return False
        if self.before_prices.shape[2] != assets:
            found = self.before_prices.shape[2]
            raise StrategyError(f"{self.name} begins with bars of {found} assets, and these have {assets}; run it on those it was made on")
        return True

    def rows(self, bars: Bars) -> Inputs:
        """What the member in force says, bar by bar, and exits where everything is closed."""
        whole, lead = bars, 0
        if self.leads(int(bars.index[0]), bars.N):
            lead = len(self.before_times)
            block = np.concatenate([self.before_prices, bars.block], axis=1)
            index = np.concatenate([self.before_times, bars.index])
            whole = Bars._trusted(block, index, bars.market, source=bars.periods_per_year_source, has_volume=bars.has_volume)
        distinct, which = self._distinct
        at = np.searchsorted(self.start_labels, bars.index, side="right") - 1
        mine = np.where(at < 0, -1, which[at])
        kind, out = InputKind.SIGNALS, np.empty(0)
        for m, member in enumerate(distinct):
            here = mine == m
            if m and not here.any():
                continue
            said = evaluate(member, whole)
            if m == 0:
                kind, out = said.kind, _blank(said.kind, bars.shape)
            out[here] = _values(said, kind, member)[lead:][here]
        self._close(out, bars, kind)
        return _aligned(kind, out)

    def _close(self, out: NDArray[Any], bars: Bars, kind: InputKind) -> None:
        """Exits of everything at the bars of `closes`."""
        trades = ~np.isnan(bars.close)
        for t in np.searchsorted(bars.index, self.close_labels):
            if 0 < t < bars.T:  # at the first bar nothing is held
                later = trades[t:]
                first, some = np.argmax(later, axis=0), later.any(axis=0)
                out[t + first[some], np.flatnonzero(some)] = _exit_of(kind)

    def feed(self, market: Market) -> ScheduleFeed:
        """The feeds of the members, all of them fed, and asked in turn."""
        return ScheduleFeed(self, market)


class ScheduleFeed:
    """A schedule at work: the members' feeds, the label of the last bar, and which assets are still to be closed."""

    def __init__(self, strategy: Schedule, market: Market) -> None:
        self.strategy, self.market = strategy, market
        self._distinct, self._which = strategy._distinct
        self._closes = strategy.close_labels
        self._last = [int(np.flatnonzero(self._which == m)[-1]) for m in range(len(self._distinct))]
        self._make()

    def _make(self) -> None:
        self._feeds = [member.feed(self.market) for member in self._distinct]
        self._label = np.array([_NEVER], dtype=np.int64)
        self._closing = np.zeros(self.market.N, dtype=np.bool_)

    def update(self, bar: NormalBar) -> AlignedInputs:
        """The row (1, N) of one more bar."""
        label, before = int(bar.time), int(self._label[0])
        if before == _NEVER and self.strategy.leads(label, self.market.N):
            self._lead()
        at = self.strategy.member_at(label)
        asked = {0, int(self._which[at])} if at >= 0 else {0}
        said = {}
        for m, feed in enumerate(self._feeds):
            if m in asked:
                said[m] = row_of(feed.update(bar), self.market)
            elif self._last[m] > at:  # it decides later
                _take(feed, bar)
        kind = said[0].kind
        out = _blank(kind, (1, self.market.N))
        if at >= 0:
            m = int(self._which[at])
            out[...] = _values(said[m], kind, self._distinct[m])
        if before != _NEVER and ((before < self._closes) & (self._closes <= label)).any():
            self._closing[...] = True
        now = self._closing & ~np.isnan(bar.prices[3])
        out[0, now] = _exit_of(kind)
        self._closing[now] = False
        self._label[0] = label
        return _aligned(kind, out)

    def _lead(self) -> None:
        """The bars before the first one, into all feeds."""
        prices, times = self.strategy.before_prices, self.strategy.before_times
        for t, time in enumerate(times.tolist()):
            row = np.ascontiguousarray(prices[:, t])
            row.flags.writeable = False
            for feed in self._feeds:
                _take(feed, NormalBar(time, row))

    def _header(self) -> dict[str, Any]:
        return {"kind": "schedule", "strategy": written(self.strategy), "symbols": list(self.market.symbols)}

    def save(self) -> bytes:
        """The state as bytes, those of the members' feeds inside."""
        blobs = (np.frombuffer(feed.save(), dtype=np.uint8) for feed in self._feeds)
        return pack(self._header(), self._label, self._closing, *blobs)

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes; StateError when they are of another strategy, other parameters or other symbols."""
        label, closing, *blobs = unpack(data, self._header())
        before = dict(vars(self))
        try:
            self._make()
            self._label[...], self._closing[...] = label, closing
            for feed, blob in zip(self._feeds, blobs, strict=True):
                feed.restore(blob.tobytes())
        except BaseException:
            vars(self).update(before)  # where a part refuses, nothing has changed
            raise


def _take(feed: Any, bar: NormalBar) -> None:
    """One more bar to a feed that is not asked; one that evaluates all bars so far only keeps it."""
    if isinstance(feed, ReplayFeed):
        feed.take(bar)
    else:
        feed.update(bar)


def _member(given: Any, k: int) -> Strategy:
    if not isinstance(given, Strategy) and not callable(given):
        raise ConfigError(f"Schedule.members[{k}] is {given!r}; expected a strategy")
    member = as_strategy(given)
    if isinstance(member, RuleStrategy) and member.sees_account:
        what = f"Schedule.members[{k}]: the rule of {member.name} sees the account, so it has no rows that a schedule could switch between"
        raise StrategyError(f"{what}; write it without the account (stops and targets go to `stops`), or test each part by itself")
    return member


def _text(label: int) -> str:
    """A label as text, which reads back as the same one: times without a zone are UTC."""
    return label_text(label).replace(" ", "T")


def _shown(member: Strategy) -> str:
    return f"{member.name}({', '.join(f'{name}={value!r}' for name, value in member.parameters.items())})"


def _labels(given: Any, name: str) -> tuple[int, ...]:
    """Times as labels, increasing."""
    if isinstance(given, str) or not np.iterable(given):
        raise ConfigError(f"Schedule.{name} is {given!r}; expected a sequence of times")
    try:
        found = tuple(time_label(value, f"Schedule.{name}") for value in given)
    except DataError as error:
        raise ConfigError(str(error)) from error
    for one, other in itertools.pairwise(found):
        if one >= other:
            raise ConfigError(f"Schedule.{name} has {label_text(other)} after {label_text(one)}; expected times that increase")
    return found


def _read_before(bars: Bars, first: int) -> Block:
    """Bars before position `first` as a strategy reads them (T9) that begins there."""
    block = np.ascontiguousarray(bars.for_strategies.block[:, :first])
    if bars.splits is not None and bars.actions is not None:
        scale = bars.actions.scale[first - 1]
        block[:4] /= scale
        block[4] *= scale
    return block


def _blank(kind: InputKind, shape: tuple[int, int]) -> NDArray[Any]:
    """Rows that say nothing."""
    return np.zeros(shape, dtype=np.uint8) if kind == InputKind.SIGNALS else np.full(shape, np.nan)


def _exit_of(kind: InputKind) -> Any:
    """What closes a position."""
    return np.uint8(_OUT) if kind == InputKind.SIGNALS else 0.0


def _values(said: AlignedInputs, kind: InputKind, member: Strategy) -> ArrayTN | NDArray[np.uint8]:
    """Flags or numbers of a member; StrategyError where they are not of the kind of the first one."""
    if said.kind == InputKind.ORDERS:
        raise StrategyError(f"{member.name} gives orders; members of a schedule give Signals, Strengths, Weights or Quantities")
    if said.kind != kind:
        found, first = said.kind.name.lower(), kind.name.lower()
        raise StrategyError(f"{member.name} gives {found}, and the first member of the schedule {first}; expected one kind")
    array = said.flags if said.values is None else said.values
    assert array is not None
    return array


def _aligned(kind: InputKind, out: NDArray[Any]) -> AlignedInputs:
    return AlignedInputs(kind, out, None) if kind == InputKind.SIGNALS else AlignedInputs(kind, None, out)
