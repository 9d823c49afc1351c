"""A sweep in pieces over workers: who gets what, what is done again, and the lines as they come."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..core.codes import InputKind
from ..core.sets import Sets
from ..engine.rule_strategy import RuleStrategy
from ..engine.strategy import as_strategy
from ..engine.sweep import SweepRun, sweep_sets
from ..engine.sweep_parts import Part
from ..errors import WorkerError, counted
from .base import Executor, whole
from .pace import Pace
from .sending import check_sendable, sent
from .work import Done, Failed, Plan

if TYPE_CHECKING:
    from ..data.bars import Bars
    from ..engine.strategy import Strategy

__all__ = ["Answer", "Code", "Crew", "Distributed", "Lost", "Piece", "used_sets"]

_GRACE = 1.0  # seconds that pieces at work are waited for after Ctrl-C, or an error


@dataclass(frozen=True)
class Lost:
    """The worker that had a piece is gone; how."""

    how: str


Answer: TypeAlias = Done | Failed | Lost
"""What becomes of a piece."""

class Code(NamedTuple):
    """What code a sweep runs: by what it is known, and its hash."""

    of: str
    hash: str


Take: TypeAlias = Callable[[NDArray[np.int64], Part], None]


@dataclass
class Piece:
    """Sets by their numbers in the sweep, and how often their worker was lost."""

    numbers: NDArray[np.int64]
    lost: int = 0


class Crew(Protocol):
    """Workers that are at one sweep."""

    workers: int
    """How many there are, or will be."""

    def room(self) -> int:
        """How many pieces more they take now."""
        ...

    def send(self, ticket: int, sets: Sets) -> None:
        """Give a piece to one of them."""
        ...

    def answers(self) -> list[tuple[int, Answer]]:
        """What has come back, by ticket; waits until something has."""
        ...

    def stop(self, seconds: float) -> list[tuple[int, Answer]]:
        """What comes back within that time; everything else they are at is ended and forgotten."""
        ...


class Distributed(Executor):
    """An executor whose workers are other processes.

    Parameters
    ----------
    retries : how often a piece is given to another worker when its worker is lost
    """

    def __init__(self, retries: int) -> None:
        self.retries = whole("retries", retries, 0)
        self._paces: dict[tuple[type, int], Pace] = {}

    @abstractmethod
    def crew(self, bars: Bars, plan: bytes, code: Code) -> Crew:
        """Workers for a sweep over these bars with this plan, in bytes; `code` is what it runs."""

    def sweep(self, bars: Bars, strategy: Strategy, sets: Sets, keywords: Mapping[str, Any], **options: Any) -> SweepRun:
        """All sets, in pieces; ConfigError before anything starts where a part of it cannot be sent to another process."""
        source = as_strategy(strategy)
        check_sendable(source, sets, keywords)
        sums = options.get("blocks") is not None and not isinstance(options["blocks"], bool)

        def elsewhere(run: SweepRun, kind: InputKind, numbers: NDArray[np.int64], take: Take) -> None:
            plan = Plan.of(run, kind, sums or run.blocks is not None)
            crew = self.crew(bars, sent(plan, "the sweep"), Code(_name_of(run), plan.code))
            _Drive(crew, run, self._pace(run), self.retries).all(numbers, take)

        return sweep_sets(bars, source, sets, keywords, elsewhere=elsewhere, **options)

    def _pace(self, run: SweepRun) -> Pace:
        key = type(run.strategy), run.bars.T * run.bars.N
        if key not in self._paces:
            self._paces[key] = Pace(key[1], isinstance(run.strategy, RuleStrategy) and run.strategy.compiled)
        return self._paces[key]


class _Drive:
    """One sweep at work."""

    def __init__(self, crew: Crew, run: SweepRun, pace: Pace, retries: int) -> None:
        self._crew, self._run, self._pace, self._retries = crew, run, pace, retries
        self._again: deque[Piece] = deque()
        self._out: dict[int, Piece] = {}
        self._line = _bytes_of_a_line(run)
        self._ticket = 0

    def all(self, numbers: NDArray[np.int64], take: Take) -> None:
        """Every piece, until all have come back."""
        at = 0
        try:
            while at < len(numbers) or self._again or self._out:
                while (self._again or at < len(numbers)) and self._crew.room() > 0:
                    if not self._again:
                        size = self._pace.size(len(numbers) - at, self._crew.workers, self._line)
                        self._again.append(Piece(numbers[at : at + size]))
                        at += size
                    self._send(self._again.popleft())
                for ticket, answer in self._crew.answers():
                    self._settle(self._out.pop(ticket), answer, take)
        except KeyboardInterrupt:
            for ticket, answer in self._crew.stop(_GRACE):
                if isinstance(answer, Done) and ticket in self._out:
                    with suppress(KeyboardInterrupt):  # from whoever watches: these lines count, and no others will come
                        take(self._out[ticket].numbers, answer.part)
            raise
        except BaseException:
            self._crew.stop(_GRACE)
            raise

    def _send(self, piece: Piece) -> None:
        self._ticket += 1
        self._out[self._ticket] = piece
        self._crew.send(self._ticket, used_sets(self._run.sets.kept(piece.numbers)))

    def _settle(self, piece: Piece, answer: Answer, take: Take) -> None:
        """What is to be done about an answer."""
        if isinstance(answer, Failed):
            raise answer.error
        if isinstance(answer, Done):
            self._pace.learn(len(piece.numbers), answer.seconds)
            take(piece.numbers, answer.part)
            return
        piece.lost += 1
        if piece.lost > self._retries:
            first, last = int(piece.numbers[0]), int(piece.numbers[-1])
            which = f"set {first}" if first == last else f"sets {first} to {last}"
            what = f"{which} ({counted(len(piece.numbers), 'set')}, the first is {self._run.sets.at(first)!r:.200})"
            times = "a worker" if piece.lost == 1 else f"{piece.lost} workers, one after the other,"
            raise WorkerError(f"{times} ended over {what}: {answer.how}; run one of these sets with vb.backtest to see why")
        self._again.append(piece)


def _name_of(run: SweepRun) -> str:
    """What kind of sweep it is: by this, and a hash of its code, edited code is told from other code."""
    kinds = [(name, type(value)) for name, value in (("", run.strategy), *run.keywords.items())]
    return f"{run.strategy.name} {[(name, kind.__module__, kind.__qualname__) for name, kind in kinds]}"


def used_sets(sets: Sets) -> Sets:
    """The same sets, with only the values that they have."""
    values, codes = [], np.empty_like(sets.codes)
    for k in range(len(sets.names)):
        used, found = np.unique(sets.codes[:, k], return_inverse=True)
        values.append(tuple([sets.values[k][i] for i in used.tolist()]))
        codes[:, k] = found.reshape(-1)
    return Sets(sets.names, tuple(values), codes)


def _bytes_of_a_line(run: SweepRun) -> int:
    """Bytes that come back of a set."""
    numbers = len(run.returns.dtype.names or ()) + len(run.trades.dtype.names or ()) + 2
    cells = numbers * (1 if run.envelope is None else 2) + 16 * 4 + 64 * 2 + (0 if run.equity is None else run.bars.T)
    return int(8 * cells * run.final.shape[1])
