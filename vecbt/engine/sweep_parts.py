"""Lines of some sets of a sweep by themselves: what comes back from wherever they ran."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.codes import InputKind
from .columns import Columns
from .sweep_blocks import BlockFiles

if TYPE_CHECKING:
    from .sweep import SweepRun
    from .sweep_pairs import Envelope

__all__ = ["Elsewhere", "Part"]


@dataclass(frozen=True)
class Part:
    """The arrays of a `SweepRun`, without what it was made of; see there. The sets are numbered from 0."""

    done: NDArray[np.bool_]
    errors: dict[int, str]
    final: NDArray[np.float64]
    initial: NDArray[np.float64]
    returns: Columns
    trades: Columns
    blocks: NDArray[np.float64] | None
    fine: NDArray[np.float64] | None
    equity: NDArray[np.float64] | None
    envelope: Envelope | None

    @classmethod
    def of(cls, run: SweepRun) -> Part:
        """All lines of a run."""
        return cls(
            run.done, run.errors, run.final, run.initial, run.returns, run.trades, run.blocks, run.fine, run.equity, run.envelope
        )  # fmt: skip

    def put(self, numbers: NDArray[np.int64], run: SweepRun, files: BlockFiles | None) -> None:
        """These lines as those of the sets `numbers` of another run, whose sums over parts of the bars may go to files."""
        run.initial[numbers] = self.initial
        ends: list[tuple[Any, Any]] = [(run, self)]
        if run.envelope is not None and self.envelope is not None:
            ends.append((run.envelope, self.envelope))
            run.envelope.fragility[numbers] = self.envelope.fragility
        for out, found in ends:
            out.final[numbers], out.returns[numbers], out.trades[numbers] = found.final, found.returns, found.trades
        if files is not None and self.blocks is not None and self.fine is not None:
            files.put(numbers[self.done], self.blocks[self.done], self.fine[self.done])
        for kept, part in ((run.blocks, self.blocks), (run.fine, self.fine), (run.equity, self.equity)):
            if kept is not None:
                kept[numbers] = part
        run.errors |= {int(numbers[c]): text for c, text in self.errors.items()}
        run.done[numbers] = self.done


class Elsewhere(Protocol):
    """Runs sets of a sweep somewhere else than in the threads of this process."""

    def __call__(
        self, run: SweepRun, kind: InputKind, numbers: NDArray[np.int64], take: Callable[[NDArray[np.int64], Part], None]
    ) -> None:
        """Run the sets `numbers` of `run`, whose strategy says `kind`, in pieces and in any order; `take` is given each that is finished.

        On KeyboardInterrupt, what is finished is taken and the exception goes on; the rest is forgotten.
        """
        ...
