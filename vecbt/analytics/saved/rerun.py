"""`verify`: run a saved result again and compare, so that its numbers need not be believed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.jit import kernel_sources_hash
from ...data.labels import label_text
from ...engine.batch import simulate
from ...engine.check import said_inputs
from ...engine.inputs import AlignedInputs
from ...engine.strategy import Strategy, as_strategy
from ...errors import StateError, VecbtError
from .compare import TOLERANCE, Compared, compare, compare_numbers
from .folder import MANIFEST, Saved, open_saved
from .outcome import CLOSE, DIFFERS, EQUAL, UNCHECKED, Check, VerifyReport
from .read import read_bars, read_inputs, read_produced, read_setup
from .source import StrategyMissing, found_strategy, saved_inputs, source_changed
from .values import encode
from .write import STATISTICS, environment, inputs_digest, statistics_of

if TYPE_CHECKING:
    from ...data.bars import Bars
    from ...engine.setup import Setup

__all__ = ["verify"]


def verify(
    folder: str | PathLike[str],
    *,
    strategy: Any = None,
    inputs_only: bool = False,
    path: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
) -> VerifyReport:
    """Run a saved result again from its folder and compare everything that came out.

    Files are compared with the hashes in the manifest; bars and parameters are read; the strategy is imported by its path, and its
    rows are compared with the saved inputs; the simulation is run on those inputs, and equity, cash, orders, fills, trades and the
    books at the end are compared bit by bit. Where the kernels, a version or the machine are not those that saved it, the report
    says so, and 1e-9 (relative) is enough.

    Importing a strategy runs the code of its module, as any import does: verify a folder from somebody else with
    `inputs_only=True` unless you trust the module of that name on your own machine. No code is taken from the folder itself.

    Parameters
    ----------
    folder : str or Path
        What `Result.save` wrote.
    strategy : Strategy or function `rows(bars)`, optional
        Compare this one's rows, and import none.
    inputs_only : bool
        Import no strategy; use the saved inputs.
    path : str, Path or several
        Folders in which the strategy's module is looked for first.

    Returns
    -------
    VerifyReport

    Raises
    ------
    StateError
        The folder is no saved result, or one of another layout.
    """
    work = _Verification(open_saved(folder), str(folder))
    folders = [path] if isinstance(path, str | PathLike) else list(path)
    try:
        work.files()
        work.environment()
        bars, setup, inputs, produced = work.read()
        work.rows(bars, (setup, inputs), strategy, inputs_only, [Path(p) for p in folders])
        work.run(bars, setup, inputs, produced)
    except _Stop:
        work.notes.append("what comes after was not compared")
    return work.report()


class _Stop(Exception):
    """There is nothing to go on with."""


@dataclass
class _Verification:
    """What was found so far."""

    saved: Saved
    folder: str
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    elsewhere: bool = False  # other code, versions or machine: a tolerance is allowed
    strategy_checked: bool = False

    def report(self) -> VerifyReport:
        """Everything found."""
        differing = [check for check in self.checks if check.outcome == DIFFERS]
        return VerifyReport(
            ok=not differing,
            exact=not any(check.outcome in (DIFFERS, CLOSE) for check in self.checks),
            strategy_checked=self.strategy_checked,
            folder=self.folder,
            title=str(self.saved.manifest.get("title", "")),
            checks=tuple(self.checks),
            notes=tuple(self.notes),
            difference=f"{differing[0].name}: {differing[0].detail}" if differing else "",
        )

    def _add(self, name: str, outcome: str, detail: str = "") -> None:
        self.checks.append(Check(name, outcome, detail))

    def _compared(self, name: str, found: Compared, detail: str = "", *, tolerant: bool = False) -> None:
        if found.exact:
            self._add(name, EQUAL, detail)
        elif found.close and (tolerant or self.elsewhere):
            self._add(name, CLOSE, found.difference)
        else:
            self._add(name, DIFFERS, found.difference)

    def files(self) -> None:
        """The hashes of all files, and of the manifest itself."""
        damage = self.saved.damage()
        count = len(self.saved.manifest["files"])
        self._add("files", DIFFERS if damage else EQUAL, "; ".join(damage) or f"{_count(count, 'file')} with the hash that was saved")
        if any(sentence.startswith(MANIFEST) for sentence in damage):
            raise _Stop

    def environment(self) -> None:
        """What computes now against what computed then."""
        now, then = environment(), self.saved.manifest
        different = [f"vecbt {then['vecbt']} then, {now['vecbt']} now"] if now["vecbt"] != then["vecbt"] else []
        for name, value in then["environment"].items():
            if name != "engine" and now["environment"].get(name) != value:  # compiled or not, the bits are the same
                different.append(f"{name} {value} then, {now['environment'].get(name)} now")
        if then["hashes"]["kernels"] != kernel_sources_hash():
            different.append(f"the sources of the kernels differ ({then['hashes']['kernels']} then, {kernel_sources_hash()} now)")
        if different:
            self.elsewhere = True
            self.notes.append(f"{'; '.join(different)}: numbers may differ by {TOLERANCE:g}, relative")

    def read(self) -> tuple[Bars, Setup, AlignedInputs, dict[str, Any]]:
        """What was saved."""
        bars, remark = self._readable("bars", lambda: read_bars(self.saved))
        self._add("bars", CLOSE if remark else EQUAL, remark or f"{_count(bars.T, 'bar')} of {_count(bars.N, 'asset')}")
        setup = self._readable("setup", lambda: read_setup(self.saved, self.notes))
        same = setup.digest() == self.saved.manifest["hashes"]["setup"]
        if not same and not self.elsewhere:
            self._add("setup", DIFFERS, "its hash is not the one that was saved")
        else:
            self._add("setup", EQUAL, "" if same else "its hash is taken another way in this version")
        inputs = self._readable("inputs", lambda: read_inputs(self.saved, bars))
        if inputs_digest(inputs) == self.saved.manifest["hashes"]["inputs"]:
            self._add("inputs", EQUAL, inputs.kind.name.lower())
        elif not self.elsewhere:
            self._add("inputs", DIFFERS, "their hash is not the one that was saved")
        produced = self._readable("result", lambda: read_produced(self.saved, bars))
        return bars, setup, inputs, produced

    def _readable(self, name: str, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except StateError as error:
            self._add(name, DIFFERS, str(error))
            raise _Stop from error

    def rows(self, bars: Bars, saved: tuple[Setup, AlignedInputs], given: Any, inputs_only: bool, folders: list[Path]) -> None:
        """The rows of the strategy against the saved inputs; `saved` are setup and inputs."""
        node = self.saved.manifest["source"]
        if given is None and (inputs_only or node["kind"] == "inputs"):
            why = "no strategy is imported, as asked" if inputs_only else f"the result was made from {node['name']}"
            self._add("strategy", UNCHECKED, f"{why}; the saved inputs are used")
            return
        try:
            strategy = as_strategy(given) if given is not None else found_strategy(node, folders)
        except StrategyMissing as error:
            hint = f"; its file was {node['file']}: name its folder as path" if "file" in node else ""
            self._add("strategy", UNCHECKED, f"{error}{hint}; the saved inputs are used")
            return
        except StateError as error:
            self._add("strategy", DIFFERS, str(error))
            return
        self._compare_rows(bars, saved, strategy)
        changed = source_changed(node, strategy) if given is None else ""
        if changed:
            self.notes.append(changed)

    def _compare_rows(self, bars: Bars, saved: tuple[Setup, AlignedInputs], strategy: Strategy) -> None:
        (setup, inputs), name = saved, _named(strategy)
        try:
            now = said_inputs(bars, strategy, setup)
        except Exception as error:  # the strategy is the user's: it may fail in any way, and that is a finding
            self._add("strategy", DIFFERS, f"{name} fails now: {type(error).__name__}: {error}")
            return
        if now.kind is not inputs.kind:
            self._add("strategy", DIFFERS, f"{name} gives {now.kind.name.lower()} now; {inputs.kind.name.lower()} were saved")
            return
        found = _compare_inputs(inputs, now, bars)
        if not found.exact:
            found = Compared(found.exact, found.close, f"its rows are not the saved inputs any more: {found.difference}")
        self._compared("strategy", found, f"the rows of {name} are the saved inputs")
        self.strategy_checked = self.checks[-1].outcome != DIFFERS

    def run(self, bars: Bars, setup: Setup, inputs: AlignedInputs, produced: dict[str, Any]) -> None:
        """The simulation of the saved inputs against what was saved of it."""
        from ..result import Result

        node = self.saved.manifest["source"]
        try:
            run = simulate(bars, saved_inputs(inputs, node), inputs, setup)
        except VecbtError as error:
            self._add("run", DIFFERS, f"this version refuses to run it: {error}")
            raise _Stop from error
        accounts = self.saved.manifest["produced"]["accounts"]
        for name, before in produced.items():
            if not hasattr(run, name):
                self.notes.append(f"{name} was saved, and this version has no such thing")
                continue
            self._compare_part(name, before, getattr(run, name), bars, accounts)
        now = json.loads(json.dumps(statistics_of(Result(run))["stats"]))
        then = self._readable("statistics", lambda: _statistics(self.saved))
        flat = [{f"{account} {name}": v for account, column in stats.items() for name, v in column.items()} for stats in (then, now)]
        self._compared("statistics", compare_numbers(*flat), _count(len(flat[0]), "number"), tolerant=True)

    def _compare_part(self, name: str, before: Any, after: Any, bars: Bars, accounts: list[str]) -> None:
        shown = f"{name}, at the end" if name in ("accounts", "assets") else name
        if not isinstance(before, np.ndarray) or not isinstance(after, np.ndarray):
            if encode(before, name) != encode(after, name):
                self._add(shown, DIFFERS, "it is not what was saved")
            return
        if before.dtype.names is not None:
            layouts = [set(records.dtype.names or ()) for records in (before, after)]
            if layouts[0] != layouts[1]:
                self.notes.append(
                    f"{shown}: only what both versions have is compared, without {', '.join(sorted(layouts[0] ^ layouts[1]))}"
                )
            columns = [{field: records[field] for field in records.dtype.names or ()} for records in (before, after)]
            self._compared(shown, compare(columns[0], columns[1], _record_of(name, before, bars)), _count(len(before), "record"))
            return
        by_bar = before.ndim == 2
        flat = [{name: values.reshape(-1)} for values in (before, after)]
        self._compared(shown, compare(flat[0], flat[1], _point_of(bars, accounts, by_bar)), _count(before.size, "value"))


def _named(strategy: Strategy) -> str:
    """Its name and parameters, as a person would write them."""
    return f"{strategy.name}({', '.join(f'{name}={value!r}' for name, value in strategy.parameters.items())})"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _statistics(saved: Saved) -> dict[str, dict[str, Any]]:
    try:
        stats = json.loads((saved.folder / STATISTICS).read_text(encoding="utf-8"))["stats"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateError(f"{STATISTICS} cannot be read: {error}") from error
    return dict(stats)


def _compare_inputs(saved: AlignedInputs, now: AlignedInputs, bars: Bars) -> Compared:
    """All arrays of two inputs of one kind; the first that is not close, else the first that is not equal."""
    found = []
    for part in dataclasses.fields(AlignedInputs):
        a, b = getattr(saved, part.name), getattr(now, part.name)
        if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
            found.append(compare_numbers({part.name: repr(a)}, {part.name: repr(b)}))
        elif a.dtype.names is not None:
            columns = [{name: records[name] for name in records.dtype.names or ()} for records in (a, b)]
            found.append(compare(columns[0], columns[1], _record_of(part.name, a, bars)))
        else:
            found.append(compare({part.name: a.reshape(-1)}, {part.name: b.reshape(-1)}, _cell_of(bars, a.shape == bars.shape)))
    worst = sorted(found, key=lambda one: (one.close, one.exact))
    return worst[0]


def _cell_of(bars: Bars, by_bar: bool) -> Callable[[int], str]:
    if not by_bar:
        return lambda row: f"number {row}"
    return lambda row: f"{label_text(int(bars.index[row // bars.N]))}, {bars.symbols[row % bars.N]}"


def _point_of(bars: Bars, accounts: list[str], by_bar: bool) -> Callable[[int], str]:
    def where(row: int) -> str:
        account = accounts[row % len(accounts)]
        shown = "" if len(accounts) == 1 else f", {account}"
        return (label_text(int(bars.index[row // len(accounts)])) if by_bar else "before the first bar") + shown

    return where


def _record_of(name: str, records: Any, bars: Bars) -> Callable[[int], str]:
    """Words for a record: its number, its bar and its asset, as far as it has them."""
    fields = records.dtype.names or ()
    time = next((field for field in ("t", "exit_t") if field in fields), None)

    def where(row: int) -> str:
        if row >= len(records):
            return f"{name} {row}"
        at = int(records[time][row]) if time is not None else -1
        when = [label_text(int(bars.index[at]))] if 0 <= at < bars.T else []
        asset = int(records["asset"][row]) if "asset" in fields else row if name == "assets" else -1
        what = [bars.symbols[asset]] if 0 <= asset < bars.N else []
        return f"{name} {row}" + (f" ({', '.join(when + what)})" if when or what else "")

    return where
