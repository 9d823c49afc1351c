"""`load_result`: a saved result as it was, without running anything again and without importing its strategy."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.inputs import AlignedInputs
from ...engine.run import Run
from ...errors import StateError
from .bars import content_of, load_bars
from .folder import Saved, open_saved
from .source import saved_inputs
from .tables import plain_list, read_panel, read_records
from .values import Json, decode
from .write import CURVES, INPUTS

if TYPE_CHECKING:
    from ...data.bars import Bars
    from ...engine.setup import Setup
    from ..result import Result

__all__ = ["load_result", "read_bars", "read_inputs", "read_produced", "read_setup"]


@contextmanager
def _damage_told(name: str) -> Iterator[None]:
    """A manifest that does not say what it should is damaged, whatever its hash says."""
    try:
        yield
    except StateError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StateError(f"what the manifest says about {name} is damaged: {type(error).__name__}: {error}") from error


def load_result(folder: str | PathLike[str]) -> Result:
    """The result that `Result.save` wrote.

    Everything is read from the folder: nothing is simulated, and no strategy is imported, so a folder from somebody else runs no
    code. `result.run.source` is the saved inputs under the strategy's name. To run it again, `verify`.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    Result

    Raises
    ------
    StateError
        No saved result, one of another layout, or a file that is not the one that was saved.
    """
    from ..result import Result

    saved = open_saved(folder)
    damage = saved.damage()
    if damage:
        raise StateError(f"{str(folder)!r} is not as it was saved: {'; '.join(damage)}")
    bars, _ = read_bars(saved)
    inputs = read_inputs(saved, bars)
    parts = {"bars": bars, "setup": read_setup(saved), "source": saved_inputs(inputs, saved.manifest["source"]), "inputs": inputs}
    produced = read_produced(saved, bars)
    missing = [f.name for f in dataclasses.fields(Run) if f.name not in parts | produced and f.default is dataclasses.MISSING]
    if missing:
        raise StateError(f"{str(folder)!r} was saved by vecbt {saved.manifest['vecbt']}, without {', '.join(missing)}; run it again")
    known = {f.name for f in dataclasses.fields(Run)}
    return Result(Run(**{name: _readonly(value) for name, value in (parts | produced).items() if name in known}))


def _readonly(value: Any) -> Any:
    if hasattr(value, "flags") and hasattr(value.flags, "writeable"):
        value.flags.writeable = False
    return value


@_damage_told("bars")
def read_bars(saved: Saved) -> tuple[Bars, str]:
    """The bars, and a remark where their hash is of another version of vecbt; StateError where they are not those that were saved."""
    about = saved.manifest["bars"]
    bars = load_bars(saved.folder, about)
    if bars.content_hash == about["hash"]:
        return bars, ""
    if content_of(bars) == about["content"] and _market_holds(bars, about):
        return bars, "prices, events and market are those saved; their hash is taken another way in this version"
    raise StateError(f"the bars are not those that were saved: their hash is {bars.content_hash[:16]}, {about['hash'][:16]} was saved")


def _market_holds(bars: Bars, about: Json) -> bool:
    """Whether everything a market was saved with is still so; this version may know more."""
    now = bars.market.to_dict()
    return all(name in now and now[name] == value for name, value in about["market"].items())


@_damage_told("setup")
def read_setup(saved: Saved, notes: list[str] | None = None) -> Setup:
    """Every parameter in force; StateError where this version does not take them."""
    from ...engine.setup import Setup

    setup = decode(saved.manifest["setup"], "setup", None, notes)
    if not isinstance(setup, Setup):
        raise StateError(f"the saved setup is a {type(setup).__name__}; the manifest is damaged")
    return setup


@_damage_told("inputs")
def read_inputs(saved: Saved, bars: Bars) -> AlignedInputs:
    """What decided at each bar, aligned to the bars."""
    about = saved.manifest["inputs"]
    parts = {name: decode(node, f"inputs.{name}") for name, node in about["values"].items()}
    if about["matrices"]:
        index, matrices = read_panel(saved.folder / INPUTS, bars.symbols)
        if index.tobytes() != bars.index.tobytes():
            raise StateError(f"{INPUTS} has other times than the bars")
        parts |= {name: matrices[name] for name in about["matrices"]}
    parts |= {name: read_records(saved.folder / f"inputs_{Path(name).name}.parquet", layout) for name, layout in about["records"].items()}
    parts |= {name: plain_list(parts[name]) for name in about["lists"]}
    known = {f.name for f in dataclasses.fields(AlignedInputs)}
    unknown = [name for name, value in parts.items() if name not in known and value is not None]
    if unknown:
        raise StateError(f"the inputs have {unknown[0]!r}, which this version of vecbt does not know")
    return AlignedInputs(**{name: value for name, value in parts.items() if name in known})


@_damage_told("the result")
def read_produced(saved: Saved, bars: Bars) -> dict[str, Any]:
    """What came out: series (T, G), records, and single values, by name."""
    about = saved.manifest["produced"]
    index, curves = read_panel(saved.folder / CURVES, about["accounts"], key="account")
    if index.tobytes() != bars.index.tobytes():
        raise StateError(f"{CURVES} has other times than the bars")
    tables = {name: read_records(saved.folder / f"{Path(name).name}.parquet", layout) for name, layout in about["records"].items()}
    values = {name: decode(node, f"run.{name}") for name, node in about["values"].items()}
    return {name: curves[name] for name in about["curves"]} | tables | values
