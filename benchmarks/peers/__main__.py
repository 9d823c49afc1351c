"""Make the environments, run every side in processes of its own, print the tables. Exit status 0 whatever is missing."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from ..table import machine
from .environments import Unavailable, interpreter, lines_of


class Side(NamedTuple):
    """One process: its peer (None: ours), workload, further arguments, and the memory it needs, GB."""

    peer: str | None
    workload: str
    engine: tuple[str, ...] = ()
    needs: float = 2.0


SIDES = (
    Side(None, "W1"),
    Side("vectorbt", "W1", ("numba",)),
    Side("vectorbt", "W1", ("rust",)),
    Side("raptorbt", "W1"),
    Side(None, "W2"),
    Side("vectorbt", "W2", ("numba",), 11.0),
    Side("vectorbt", "W2", ("rust",), 11.0),
    Side("raptorbt", "W2"),
    Side("backtesting", "W2"),
    Side("backtrader", "W2"),
    Side(None, "W3a/10"),
    Side("vectorbt", "W3a/10", ("numba",), 3.0),
    Side("vectorbt", "W3a/10", ("rust",), 3.0),
    Side("raptorbt", "W3a/10"),
    Side(None, "W3a"),
    Side("vectorbt", "W3a", ("numba",), 20.0),
    Side("raptorbt", "W3a", (), 4.0),
)

WORKLOADS = {
    "W1": "W1: one run, averages of 10 and 50; equity curve, trades, statistics",
    "W2": "W2: all pairs of averages of 2 to 101 (some engines a part of them), the times of as many sets",
    "W3a": "W3a: entries at random, 20 distances as fixed and as trailing stops, 20 targets or 200",
}

NOTES = """\
x loop: by the time that a hand-written loop on one thread takes for as many sets, in the same process, in turn.
x vecbt: that ratio by ours on one thread. equal: sets whose last equity and largest drawdown are the loop's to 1e-9.
by P5: further ones, equal where a stop inside the bar goes before a target that the open was past already. differ: all others.
Sharpe: of the equal ones, those with another Sharpe ratio. +open: a trade that is open at the end is counted as well.
trades differ: by something else."""


def main(wanted: list[str]) -> int:
    """Workloads by name, all of them without; 2 for a name there is not."""
    unknown = set(wanted) - {side.workload for side in SIDES}
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(dict.fromkeys(side.workload for side in SIDES))}", file=sys.stderr)
        return 2
    print(", ".join(f"{name} {value}" for name, value in machine().items()), flush=True)
    found: list[dict[str, Any]] = []
    broken: dict[str, str] = {}
    for side in SIDES:
        if wanted and side.workload not in wanted:
            continue
        name = " ".join((side.peer or "vecbt", *side.engine))
        try:
            if side.peer in broken:
                raise Unavailable(broken[side.peer])
            free = free_gb()
            if free is not None and free < side.needs:
                raise Unavailable(f"it needs {side.needs:g} GB of free memory, and {free:.1f} are free")
            python = _python(side.peer, broken)
            about, *lines = lines_of(python, f"benchmarks.peers.with_{side.peer or 'vecbt'}", side.workload, *side.engine)
            found += lines
            print(f"{side.workload}, {name}: done ({about['versions']})", flush=True)
        except Unavailable as error:
            print(f"{side.workload}, {name}: skipped, {error}", flush=True)
    for workload, title in WORKLOADS.items():
        lines = [line for line in found if line["workload"] == workload]
        if lines:
            print(f"\n{title}\n{show(lines)}")
    print(f"\n{NOTES}")
    return 0


def _python(peer: str | None, broken: dict[str, str]) -> str:
    """Whose interpreter; what cannot be installed is tried once."""
    if peer is None:
        return sys.executable
    try:
        return interpreter(peer)
    except Unavailable as error:
        broken[peer] = str(error)
        raise


def free_gb() -> float | None:
    """Memory that could be had, 2**30 bytes; None where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="utf-8") as file:
            return next((int(line.split()[1]) / 2**20 for line in file if line.startswith("MemAvailable")), None)
    except OSError:
        return None


def show(lines: list[dict[str, Any]]) -> str:
    """The lines of a workload as text; its ratio to ours is that to a line of as many sets, where there is one."""
    head = ("engine", "sets", "first s", "median s", "us a set", "loop ms", "x loop", "x vecbt", "peak MB",
            "equal", "by P5", "differ", "Sharpe", "+open", "trades differ")  # fmt: skip
    ours: dict[int, float] = {}
    for line in lines:
        if line["engine"].startswith("vecbt"):
            ours.setdefault(line["sets"], line["seconds"] / line["loop"])
    body = []
    for line in lines:
        ratio = line["seconds"] / line["loop"]
        base = ours.get(line["sets"], next(iter(ours.values()), float("nan")))
        differ = line["sets"] - line["equal"] - line["by_target"]
        each = line["seconds"] / line["sets"] * 1e6
        times = (f"{line['first']:.2f}", f"{line['seconds']:.3f}", f"{each:,.0f}", f"{line['loop'] * 1e3:.3g}")
        counts = (line["equal"], line["by_target"], differ, line["by_sharpe"], line["by_open"], line["miscounted"])
        ratios = (f"{ratio:,.3g}", f"{ratio / base:,.3g}", f"{line['peak']:,.0f}")
        body.append((line["engine"], f"{line['sets']:,}", *times, *ratios, *(f"{count:,}" for count in counts)))
    widths = [max(len(row[i]) for row in (head, *body)) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in (head, *body)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
