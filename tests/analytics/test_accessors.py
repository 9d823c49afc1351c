"""`returns.vecbt`: there when pandas or polars is, never the reason that they are imported; thin over the functions."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import vecbt as vb
from tests.house.source import ROOT
from vecbt.accessors import ReturnsAccessor

FUNCTIONS = {
    "stats": vb.stats,
    "drawdowns": vb.drawdowns,
    "monthly": vb.monthly_returns,
    "yearly": vb.yearly_returns,
    "by": vb.returns_by,
    "rolling": vb.rolling_metrics,
    "value_at_risk": vb.value_at_risk,
    "relative": vb.relative,
    "evidence": vb.evidence_of,
    "report": vb.report,
}
ARGUMENTS = {"by": ("month",), "rolling": (20,)}


def returns(seed: int = 0) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(0.0, 0.01, 80), index=pd.date_range("2024-01-01", periods=80), name="x")


def test_every_method_is_a_function_with_the_same_arguments() -> None:
    methods = {name for name, _ in inspect.getmembers(ReturnsAccessor, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(FUNCTIONS)
    for name, function in FUNCTIONS.items():
        method = list(inspect.signature(getattr(ReturnsAccessor, name)).parameters.values())[1:]
        assert method == list(inspect.signature(function).parameters.values())[1:], name


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"evidence", "report"}))
def test_methods_give_what_functions_give(name: str) -> None:
    pl = pytest.importorskip("polars")
    vb.register_accessors()
    series, table = returns(), pd.DataFrame({"a": returns(1), "b": returns(2)})
    frame = pl.DataFrame({"time": pl.Series(table.index.to_numpy()), "a": table["a"].to_numpy(), "b": table["b"].to_numpy()})
    more = ARGUMENTS.get(name, ())
    for given in (series, table, frame):
        arguments = ((returns(3) if given is not frame else "b"),) if name == "relative" else more
        found, wanted = getattr(given.vecbt, name)(*arguments), FUNCTIONS[name](given, *arguments)
        assert type(found) is type(wanted) and found.equals(wanted)
    if name == "stats":
        assert frame["a"].vecbt.stats(periods_per_year=365.0)["sharpe"][0] == frame.vecbt.stats()["sharpe"][0]


def run(code: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


HAS = "; import pandas; print(hasattr(pandas.Series, 'vecbt') and hasattr(pandas.DataFrame, 'vecbt'), 'polars' in sys.modules)"


@pytest.mark.parametrize(
    "code",
    [
        "import sys, pandas, vecbt",  # pandas was there first
        "import sys, vecbt, pandas; vecbt.Costs",  # the first name that is used finds it
        "import sys, pandas; import vecbt.accessors, vecbt.accessors",
    ],
)
def test_accessors_come_with_pandas(code: str) -> None:
    assert run(code + HAS) == "True False"


def test_accessors_import_nothing_by_themselves() -> None:
    code = "import sys, vecbt, vecbt.accessors; vecbt.Costs; print(*[name in sys.modules for name in ('pandas', 'polars')])"
    assert run(code) == "False False"


def test_registering_twice_is_no_matter_and_a_blocked_library_neither() -> None:
    assert run("import sys; sys.modules['polars'] = None; import pandas, vecbt; print(*[vecbt.register_accessors() for _ in '12'])") == (
        "('pandas',) ('pandas',)"
    )
