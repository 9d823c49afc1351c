"""The other side: the environment in which vectorbt is installed, questions put to it, and its answers.

`make check` makes the environment; nothing else needs it, and this project never imports vectorbt.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("vectorbt_runs.py")
PYTHON = ROOT / ".venv-outside" / "bin" / "python"
INSTALL = "make outside"
SECONDS = 900

Answer = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Question:
    """One call of vectorbt.

    Parameters
    ----------
    name : unique in a file of questions
    function : "from_signals" or "from_orders"
    arrays : keyword -> (T, C) prices, signals, parameters by column, or (C,) groups
    plain : keyword -> string, number or bool
    stats : also answer statistics
    """

    name: str
    function: str
    arrays: Mapping[str, np.ndarray]
    plain: Mapping[str, Any] = field(default_factory=dict)
    stats: bool = False


def python() -> str:
    """The interpreter of the environment; a failure of the test, with the command that makes it, where there is none."""
    chosen = Path(os.environ.get("VECBT_OUTSIDE_PYTHON", PYTHON))
    if not chosen.exists():
        pytest.fail(
            f"tests/outside compare with vectorbt, in an environment of its own, which is not there: run `{INSTALL}`", pytrace=False
        )
    return str(chosen)


def ask(questions: Sequence[Question], folder: Path) -> dict[str, Answer]:
    """Put all questions in one process (it compiles once); the answers by name of the question.

    A question that vectorbt refuses has the answer `error`, its text.
    """
    interpreter = python()
    listed, arrays = [], {}
    for question in questions:
        names = {keyword: f"{question.name}/{keyword}" for keyword in question.arrays}
        arrays |= {names[keyword]: values for keyword, values in question.arrays.items()}
        bars = len(question.arrays["close"])
        parts = {"name": question.name, "function": question.function, "bars": bars, "stats": question.stats}
        listed.append({**parts, "arrays": names, "plain": question.plain})
    source, target = folder / "questions.npz", folder / "answers.npz"
    np.savez(source, questions=np.asarray(json.dumps(listed)), **arrays)
    # as a person calls it: settings of this run are not those of the other environment
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "PYTHON"))}
    done = subprocess.run(
        [interpreter, str(SCRIPT), str(source), str(target)], env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"vectorbt could not be asked; is the environment whole? `{INSTALL}` makes it.\n{done.stderr[-3000:]}"
    found: dict[str, dict[str, np.ndarray]] = {question.name: {} for question in questions}
    with np.load(target) as answers:
        for key in answers.files:
            name, _, part = key.partition("/")
            if part:
                found[name][part] = answers[key]
    return dict(found)
