"""What an executor is, and the one that runs sets in threads of this process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from ..engine.sweep import SweepRun, sweep_sets
from ..errors import ConfigError

if TYPE_CHECKING:
    from ..core.sets import Sets
    from ..data.bars import Bars
    from ..engine.strategy import Strategy

__all__ = ["Executor", "Threads", "whole"]


class Executor(ABC):
    """Runs the sets of sweeps. Use it in a `with`, or `close` it; its workers stay for the next sweep until then."""

    @abstractmethod
    def sweep(self, bars: Bars, strategy: Strategy, sets: Sets, keywords: Mapping[str, Any], **options: Any) -> SweepRun:
        """All sets, as `engine.sweep.sweep_sets` with these arguments runs them, to the last bit."""

    @abstractmethod
    def close(self) -> None:
        """End what was started. An executor that is closed starts anew when it is used again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Threads(Executor):
    """Threads of this process, what `vb.sweep` does without an executor: kernels run side by side, Python one line at a time.

    Parameters
    ----------
    threads : how many; None: as many as there are processors
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = None if threads is None else whole("threads", threads)

    def __repr__(self) -> str:
        return f"Threads({'' if self.threads is None else self.threads})"

    def sweep(self, bars: Bars, strategy: Strategy, sets: Sets, keywords: Mapping[str, Any], **options: Any) -> SweepRun:
        """All sets, in chunks on threads."""
        return sweep_sets(bars, strategy, sets, keywords, threads=self.threads, **options)

    def close(self) -> None:
        """Nothing: threads are there as long as a sweep."""


def whole(name: str, value: Any, least: int = 1) -> int:
    """A whole number of at least so much; ConfigError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{name} is {value!r}; expected a whole number of at least {least}")
    return value
