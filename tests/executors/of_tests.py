"""What tests of executors run: strategies of this module, in this process, in worker processes, and in drivers that are killed."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vecbt as vb
from tests.analytics.checkpoints import BARS, COSTS, breaks
from vecbt.analytics import sweep_checkpoint
from vecbt.executors import pace


@dataclass(frozen=True)
class Deadly(vb.Strategy):
    """Ends every process but that of `home`: of window 4 always, of window 3 as long as the file is there, which goes with it."""

    home: int
    window: int = vb.Parameter(2, low=2, integer=True)
    file: str = ""

    def rows(self, bars: vb.Bars) -> Any:
        """Breaks, or the end."""
        if os.getpid() != self.home:
            if self.window == 4:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.window == 3 and Path(self.file).exists():
                Path(self.file).unlink()
                os._exit(7)
        return breaks(bars, self.window)


@dataclass(frozen=True)
class Telling(vb.Strategy):
    """Says where it runs by what goes wrong with its sets."""

    home: int
    number: int = 0

    def rows(self, bars: vb.Bars) -> Any:
        """How many threads libraries may start, whether prices can be written to, and in what memory they stand."""
        if os.getpid() == self.home:
            return breaks(bars)
        place = bars.close.ctypes.data
        lines = [line.split() for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()]
        names = [line[5] for line in lines if len(line) > 5 and _within(place, line[0])]
        raise RuntimeError(f"threads {os.environ['OMP_NUM_THREADS']}, writeable {bars.close.flags.writeable}, in {names}")


def _within(place: int, span: str) -> bool:
    first, last = (int(end, 16) for end in span.split("-"))
    return first <= place < last


@dataclass(frozen=True)
class Slow(vb.Strategy):
    """Takes its time."""

    number: int = 0
    seconds: float = 0.02

    def rows(self, bars: vb.Bars) -> Any:
        """The same whatever the number."""
        time.sleep(self.seconds)
        return breaks(bars, 3)


def long_sweep(folder: Path | None, sets: int, **other: Any) -> Any:
    """So many sets that take their time."""
    return vb.sweep(BARS, Slow(), {"number": range(sets)}, costs=COSTS, checkpoint=folder, **({"progress": False} | other))


def driver(folder: str, sets: int) -> None:
    """A process that tells its workers when there is something to go on from, and what it had when it was interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started it may have switched it off
    pace.USUAL, sweep_checkpoint._EVERY = 0.1, 0.0
    workers = vb.executors.Processes(1)

    def told(done: int, total: int) -> None:
        if done >= 3:
            print("go", *workers.pids, flush=True)

    found = long_sweep(Path(folder), sets, executor=workers, progress=told)
    assert found.run is not None
    print("end", found.partial, int(found.run.done.sum()), len(found.run.sets), flush=True)
