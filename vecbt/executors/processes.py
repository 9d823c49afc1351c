"""Processes of this machine: for strategies in plain Python, which threads would run one at a time."""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import WorkerError
from .base import whole
from .driving import Answer, Code, Crew, Distributed, Lost
from .marks import check_mark, own_mark
from .sending import Packed, packed_bars, sent
from .wire import receive, send
from .work import ONE_THREAD

if TYPE_CHECKING:
    from ..core.sets import Sets
    from ..data.bars import Bars

__all__ = ["Processes"]

_KEPT = 2  # bars that stay shared: those of this sweep and of the last one
_ALIGNED = 64
_MAIN = "import sys; sys.path[:] = {path!r}; from vecbt.executors.worker import main; main({descriptor})"


class Processes(Distributed):
    """Processes of this machine, started when they are first needed; about a second each, and they stay for the next sweep.

    They are new ones (nothing is forked), run one thread each (`OMP_NUM_THREADS=1` and the like), and read the bars in shared memory that
    has no name: it is gone with the last process that has it, however that ends. They end when this object is closed or collected, or when
    this process ends, also by a kill. What they print is seen.

    Parameters
    ----------
    workers : how many; None: as many as there are processors
    retries : how often sets are given to another process when theirs was lost

    Raises
    ------
    ConfigError
        From sweeps: the strategy or a keyword cannot be sent (it stands in a notebook, in the script that runs, or is a lambda); other
        packages or kernels there than here.
    WorkerError
        From sweeps: the same sets ended one process after the other.
    """

    def __init__(self, workers: int | None = None, retries: int = 2) -> None:
        super().__init__(retries)
        self.workers = (os.cpu_count() or 1) if workers is None else whole("workers", workers)
        self._hands: list[_Hand] = []
        self._shared: OrderedDict[int, tuple[Bars, _Shared]] = OrderedDict()
        self._numbers = 0
        self._codes: dict[str, str] = {}
        self._end = weakref.finalize(self, _end_all, self._hands)

    def __repr__(self) -> str:
        return f"Processes({self.workers})"

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that are there now, by their numbers."""
        return tuple(hand.process.pid for hand in self._hands)

    def crew(self, bars: Bars, plan: bytes, code: Code) -> Crew:
        """These processes, for one sweep. They are begun anew where code was edited since they imported it."""
        if self._codes.setdefault(*code) != code.hash:
            self._codes[code.of] = code.hash
            _end_all(self._hands)
        for hand in [hand for hand in self._hands if hand.process.poll() is not None]:  # ended since the last sweep
            self._hands.remove(hand)
            hand.end()
        return _Crew(self.workers, self._hands, self._number_of(bars), self._shared, plan)

    def close(self) -> None:
        """End the processes, and give the shared memory back."""
        _end_all(self._hands)
        self._shared.clear()

    def _number_of(self, bars: Bars) -> int:
        """The number under which these bars are shared."""
        for number, (shared, _) in self._shared.items():
            if shared is bars:
                self._shared.move_to_end(number)
                return number
        self._numbers += 1
        self._shared[self._numbers] = bars, _Shared(packed_bars(bars))
        while len(self._shared) > _KEPT:
            self._shared.popitem(last=False)
        return self._numbers


class _Shared:
    """Bars in memory that other processes map: a file without a name, in memory where the system has such."""

    def __init__(self, packed: Packed) -> None:
        self.data = packed.data
        self.spans: list[tuple[int, int]] = []
        at = 0
        for buffer in packed.buffers:
            self.spans.append((at, len(buffer)))
            at += -(-len(buffer) // _ALIGNED) * _ALIGNED
        made = getattr(os, "memfd_create", None)
        self._file = tempfile.TemporaryFile() if made is None else os.fdopen(made("vecbt-bars"), "w+b")
        self._file.truncate(max(at, 1))
        for (place, _), buffer in zip(self.spans, packed.buffers, strict=True):
            self._file.seek(place)
            self._file.write(buffer.data)
        self._file.flush()

    @property
    def file(self) -> int:
        """Its descriptor."""
        return self._file.fileno()

    def __del__(self) -> None:
        self._file.close()


@dataclass(eq=False)
class _Hand:
    """One process, and what it knows."""

    process: subprocess.Popen[bytes]
    wire: socket.socket
    ticket: int | None = None
    checked: bool = False
    plan: bytes | None = None
    bars: list[int] = field(default_factory=list)

    @classmethod
    def start(cls) -> _Hand:
        """A new process; it is asked for its mark, and its answer comes before any other."""
        ours, theirs = socket.socketpair()
        with theirs:
            code = _MAIN.format(path=sys.path, descriptor=theirs.fileno())
            # in a session of its own: Ctrl-C on the terminal is answered here, not there
            process = subprocess.Popen(
                [sys.executable, "-c", code], env={**os.environ, **ONE_THREAD}, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        hand = cls(process, ours)
        hand.tell("mark", dict(own_mark()))
        return hand

    def tell(self, *message: Any, files: tuple[int, ...] = ()) -> None:
        """Send a message."""
        send(self.wire, pickle.dumps(message, protocol=5), files)

    def learn(self, number: int, shared: _Shared) -> None:
        """See to it that these bars are known there, and not many others."""
        if number in self.bars:
            return
        self.tell("bars", number, shared.data, shared.spans, files=(shared.file,))
        self.bars.append(number)
        while len(self.bars) > _KEPT:
            self.tell("forget", self.bars.pop(0))

    def end(self) -> str:
        """End it; how it ended."""
        self.wire.close()
        try:
            self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        code = self.process.returncode
        return f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with exit code {code}"


def _end_all(hands: list[_Hand]) -> None:
    for hand in hands:
        hand.wire.close()  # all at once; then each is waited for
    while hands:
        hands.pop().end()


class _Crew:
    """The processes at one sweep."""

    def __init__(
        self, workers: int, hands: list[_Hand], number: int, shared: OrderedDict[int, tuple[Bars, _Shared]], plan: bytes
    ) -> None:
        self.workers, self._hands, self._number, self._shared, self._plan = workers, hands, number, shared[number][1], plan
        self._lost: list[tuple[int, Answer]] = []

    def room(self) -> int:
        return self.workers - sum(hand.ticket is not None for hand in self._hands)

    def send(self, ticket: int, sets: Sets) -> None:
        data = sent(sets, "a value")
        hand = next((hand for hand in self._hands if hand.ticket is None), None)
        try:
            if hand is None:
                hand = _Hand.start()
                self._hands.append(hand)
            hand.ticket = ticket  # before anything is sent: what is half-sent is never used again
            hand.learn(self._number, self._shared)
            if hand.plan is not self._plan:
                hand.tell("plan", self._plan)
                hand.plan = self._plan
            hand.tell("piece", ticket, self._number, data)
        except OSError as error:
            if hand is None:
                raise WorkerError(f"no process can be started: {error}") from error
            self._lose(hand)

    def _lose(self, hand: _Hand) -> None:
        """A process is gone."""
        self._hands.remove(hand)
        how = hand.end()
        if hand.ticket is not None:
            self._lost.append((hand.ticket, Lost(how if hand.checked else f"{how}, before it was ready; what it said is on stderr")))

    def answers(self) -> list[tuple[int, Answer]]:
        while not self._lost:
            found = self._heard(None)
            if found:
                return found
        found, self._lost = self._lost, []
        return found

    def _heard(self, seconds: float | None) -> list[tuple[int, Answer]]:
        """What those that are at work have said, waited for so long."""
        poll = select.poll()
        by_file = {hand.wire.fileno(): hand for hand in self._hands if hand.ticket is not None}
        for file in by_file:
            poll.register(file, select.POLLIN)
        found: list[tuple[int, Answer]] = []
        for file, _ in poll.poll(None if seconds is None else 1000.0 * seconds):
            hand = by_file[file]
            try:
                said = pickle.loads(receive(hand.wire)[0])
            except EOFError:
                self._lose(hand)
                continue
            if not hand.checked:
                check_mark(said, own_mark(), "a worker process")
                hand.checked = True
                continue
            found.append(said)
            hand.ticket = None
        return found

    def stop(self, seconds: float) -> list[tuple[int, Answer]]:
        found: list[tuple[int, Answer]] = []
        until = time.monotonic() + seconds
        try:
            while any(hand.ticket is not None for hand in self._hands) and (left := until - time.monotonic()) > 0.0:
                found += self._heard(left)
        finally:
            self._lost.clear()
            for hand in [hand for hand in self._hands if hand.ticket is not None]:
                self._hands.remove(hand)
                hand.process.kill()
                hand.end()
        return found
