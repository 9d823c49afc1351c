"""A figure with its bars, the machine it was measured on, and how both are printed and kept."""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LATEST = Path(__file__).resolve().parent / "latest.json"
CALLS = 7


class Disagreement(Exception):
    """vecbt and the reference did not do the same work, so there is nothing to time."""


@dataclass(frozen=True)
class Row:
    """One figure. `must` and `aim` are upper bounds in `unit`, None where there is none."""

    work: str
    what: str
    value: float
    unit: str
    reference: str
    must: float | None = None
    aim: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the figure is within what it must reach."""
        return self.must is None or self.value <= self.must


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    import numba
    import numpy

    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        model = model or "unknown processor"
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "numba": numba.__version__,
    }


def in_turn(ours: Callable[[], object], reference: Callable[[], object], calls: int = CALLS) -> tuple[float, float]:
    """Median seconds of both, called turn and turn about after one warm call each; each result is released before the next call."""
    ours()
    reference()
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(calls):
        for function, taken in zip((ours, reference), seconds, strict=True):
            gc.collect()
            start = time.perf_counter()
            result = function()
            taken.append(time.perf_counter() - start)
            del result
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def least(function: Callable[[], object], calls: int = 3 * CALLS) -> float:
    """Seconds of the call that was disturbed least, after a warm one: what code can do, where a quiet machine's time is set against it."""
    function()
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def show(rows: Sequence[Row]) -> str:
    """The table as text, a line a figure."""
    head = ("work", "what", "value", "unit", "must", "aim", "ok", "reference")
    body = [
        (row.work, row.what, f"{row.value:.3g}", row.unit, _bound(row.must), _bound(row.aim), "yes" if row.ok else "NO", row.reference)
        for row in rows
    ]
    widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in (head, *body))


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def write(rows: Sequence[Row], about: dict[str, Any], path: Path = LATEST) -> None:
    """Keep the figures: `{"machine": ..., "rows": [...]}`."""
    content = {"machine": about, "rows": [asdict(row) | {"ok": row.ok} for row in rows]}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
