"""empyrical-reloaded and quantstats agree where they mean the same, and where they do not, the difference is stated (M1 to M3, M6).

What they say is kept beside; `make check` asks them again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.oracle.ask import answers, read
from tests.oracle.cases import CASES, PERIODS, case

KEPT = read()
PARTS = sorted({(library, metric) for library, _, metric in KEPT})


def _compounded(found: dict[str, Any], returns: Any) -> float:
    """empyrical compounds the alpha of a bar over the year; here it is multiplied, as means are everywhere else (M2)."""
    return float((1.0 + found["alpha"] / PERIODS) ** PERIODS - 1.0)


def _sample(found: dict[str, Any], returns: Any) -> float:
    """quantstats divides the squared drawdowns by one less than their number."""
    return float(found["ulcer"] * np.sqrt(len(returns) / (len(returns) - 1)))


def _moved(found: dict[str, Any], returns: Any) -> float:
    """quantstats leaves bars out that did not move."""
    return float((returns > 0).sum() / (returns != 0).sum())


DIFFERENT: dict[tuple[str, str], Callable[[dict[str, Any], Any], float]] = {
    ("empyrical", "alpha"): _compounded,
    ("quantstats", "ulcer"): _sample,
    ("quantstats", "positive_bars"): _moved,
}
"""What they call by the same name and define otherwise, from our figures."""


@pytest.fixture(scope="module")
def ours() -> dict[str, dict[str, Any]]:
    """Our figures of every case by name."""
    found = {}
    for name in CASES:
        returns, benchmark = case(name)
        rolled = vb.rolling_metrics(returns, 20, ("sharpe", "max_drawdown"), periods_per_year=PERIODS).iloc[-1]
        above, more = (vb.stats(returns, periods_per_year=PERIODS, **rates) for rates in ({"rf": 0.0001}, {"mar": 0.0002}))
        found[name] = {
            **vb.relative(returns, benchmark, periods_per_year=PERIODS),
            **vb.stats(returns, periods_per_year=PERIODS),
            "sharpe above 0.0001": above["sharpe"],
            "sortino above 0.0002": more["sortino"],
            "omega above 0.0002": more["omega"],
            "last month": vb.returns_by(returns, "month").iloc[-1],
            "last year": vb.yearly_returns(returns).iloc[-1],
            "rolling sharpe": rolled["sharpe"],
            "rolling max_drawdown": rolled["max_drawdown"],
        }
    return found


@pytest.mark.parametrize(("library", "metric"), PARTS)
def test_they_agree(library: str, metric: str, ours: dict[str, dict[str, Any]]) -> None:
    """To 1e-9, in every case; what they define otherwise is first computed as they do."""
    for name in CASES:
        theirs = KEPT[library, name, metric]
        assert np.isfinite(theirs), "an answer that says nothing"
        adapt = DIFFERENT.get((library, metric))
        found = ours[name][metric] if adapt is None else adapt(ours[name], case(name)[0])
        assert found == pytest.approx(theirs, rel=1e-9, abs=1e-12), name
        if adapt is not None:
            assert ours[name][metric] != pytest.approx(theirs, rel=1e-6), f"{name}: no difference that must be stated"


@pytest.mark.slow
def test_m6_drawdowns_are_those_of_quantstats_but_for_the_peak() -> None:
    """It dates a drawdown from its first bar below the peak and to its last one; depths and troughs are the same."""
    qs = pytest.importorskip("quantstats.stats")
    returns = case("plain")[0]
    theirs = qs.drawdown_details(qs.to_drawdown_series(returns)).sort_values("max drawdown").head(5)
    found = vb.drawdowns(returns, most=5)
    np.testing.assert_allclose(found["depth"], -theirs["max drawdown"] / 100.0, rtol=1e-9)
    assert [str(day.date()) for day in found["trough"]] == [str(day)[:10] for day in theirs["valley"]]
    places = returns.index.get_indexer(found["peak"]) + 1
    assert [str(day.date()) for day in returns.index[places]] == [str(day)[:10] for day in theirs["start"]]


@pytest.mark.slow
def test_the_answers_kept_are_what_they_say_today() -> None:
    pytest.importorskip("empyrical")
    pytest.importorskip("quantstats")
    today = answers()
    assert set(today) == set(KEPT)
    for key, value in KEPT.items():
        assert today[key] == pytest.approx(value, rel=1e-9, abs=1e-12), key
