"""What a worker does, wherever it is: some sets of a sweep, one thread, and the lines that come of it."""

from __future__ import annotations

import pickle
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import errors
from ..core.codes import InputKind
from ..core.sources import code_hash
from ..engine.strategy import Strategy
from ..engine.sweep import sweep_sets
from ..engine.sweep_parts import Part
from ..errors import ConfigError, VecbtError, WorkerError

if TYPE_CHECKING:
    from ..core.sets import Sets
    from ..data.bars import Bars
    from ..engine.sweep import SweepRun

__all__ = ["ONE_THREAD", "Done", "Failed", "Plan", "loaded", "run_piece"]

_COUNTS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS",
)  # fmt: skip

ONE_THREAD = dict.fromkeys(_COUNTS, "1")
"""Environment of a worker: there is one for each processor, and libraries that start as many threads again only wait for each other."""


_PLAIN = (type(None), bool, int, float, str, tuple)


@dataclass(frozen=True)
class Plan:
    """What all pieces of a sweep share.

    `others` are values of parameters, one of each class that is no plain number or text; `code` is the hash of the code that it runs.
    """

    strategy: Strategy
    keywords: Mapping[str, Any]
    kind: InputKind
    rf: float
    mar: float
    blocks: bool
    equity: bool
    envelope: bool
    others: tuple[Any, ...]
    code: str

    @classmethod
    def of(cls, run: SweepRun, kind: InputKind, blocks: bool) -> Plan:
        """That of a sweep."""
        by_type = {type(value): value for values in run.sets.values for value in values}
        others = tuple(value for kind, value in by_type.items() if kind not in _PLAIN)
        return cls(
            run.strategy, run.keywords, kind, run.rf, run.mar, blocks, run.equity is not None, run.envelope is not None, others,
            code_hash(run.strategy, run.keywords, others),
        )  # fmt: skip

    def code_here(self) -> str:
        """The hash of the code in it, as it is in this process."""
        return code_hash(self.strategy, self.keywords, self.others)


@dataclass(frozen=True)
class Done:
    """The lines of a piece, and the seconds that it took."""

    part: Part
    seconds: float


@dataclass(frozen=True)
class Failed:
    """What ends a sweep: an error by its name, and its text."""

    kind: str
    text: str

    @classmethod
    def of(cls, error: BaseException, where: str) -> Failed:
        """An error of ours by its message, any other with the lines it came through."""
        if isinstance(error, VecbtError):
            return cls(type(error).__name__, str(error))
        shown = "".join(traceback.format_exception(error))
        return cls(WorkerError.__name__, f"{where} failed: {type(error).__name__}: {error}\n{shown}")

    @property
    def error(self) -> Exception:
        """To be raised."""
        made: Exception = getattr(errors, self.kind)(self.text)
        return made


def loaded(plan: bytes, where: str) -> Plan:
    """A plan from its bytes; ConfigError where its modules cannot be imported or hold other code than those of the sender."""
    try:
        found: Plan = pickle.loads(plan)
    except (ImportError, AttributeError) as error:
        what = f"{where} cannot import what the sweep is made of: {error}"
        raise ConfigError(f"{what}; the module must be importable there, under the same name and with the same code") from error
    code = found.code_here()
    if code != found.code:
        what = f"the code of strategy {found.strategy.name} differs: {found.code[:16]} here, {code[:16]} there"
        raise ConfigError(f"{where} is refused: {what}; give it the same modules, or close the executor and begin anew")
    return found


def run_piece(plan: Plan, bars: Bars, sets: Sets) -> Done:
    """Some sets, in this thread."""
    begun = time.perf_counter()
    run = sweep_sets(
        bars, plan.strategy, sets, plan.keywords, rf=plan.rf, mar=plan.mar, threads=1, blocks=plan.blocks, keep_equity=plan.equity,
        envelope=plan.envelope, kind=plan.kind,
    )  # fmt: skip
    return Done(Part.of(run), time.perf_counter() - begun)
