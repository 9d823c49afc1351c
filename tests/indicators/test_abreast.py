"""Assets that are computed side by side, and matrices that are computed piece by piece: the same bits as one bar of one asset at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.indicators.discovered import KERNELS, as_matrix, choices
from vecbt.core.kernel import Kernel
from vecbt.errors import InputError
from vecbt.indicators import compute as computing
from vecbt.indicators.streaming import IndicatorStream

pytestmark = pytest.mark.interpreted

ABREAST = [
    ("sma", (1,)), ("sma", (5,)), ("sma", (20,)), ("ema", (1,)), ("ema", (6,)), ("rsi", (1,)), ("rsi", (5,)),
    ("bollinger", (1, 2.0)), ("bollinger", (6, 1.5)), ("rolling_std", (5, 1)), ("zscore", (7, 0)),
]  # fmt: skip
"""Indicators with a loop over assets for many of them, and parameters."""

BARS = 44

SERIES = [kernel for kernel in KERNELS if not kernel.takes_bars]


def panels(assets: int) -> dict[str, np.ndarray]:
    """Prices (T, N) with flat stretches: without gaps, with one in one asset, with bars that all miss, with assets that begin apart."""
    rng = np.random.default_rng(assets)
    prices = 50 * np.exp(np.cumsum(rng.normal(0, 0.03, (BARS, assets)), axis=0))
    prices = np.round(prices * 4) / 4
    prices[15:33, 2] = prices[15, 2]
    one, holiday, apart, never = prices.copy(), prices.copy(), prices.copy(), prices.copy()
    one[BARS // 2 + 5, 1] = np.nan
    holiday[[0, 20, 21, BARS - 9]] = np.nan
    apart[3, 0] = apart[5:9, 4] = np.nan
    never[:, assets - 1] = np.nan
    return {"full": prices, "one": one, "holiday": holiday, "apart": apart, "never": never}


def ran(stream: IndicatorStream, prices: np.ndarray, cuts: list[int]) -> np.ndarray:
    """All bars, from cut to cut, (outputs, T, N)."""
    parts = []
    for start, stop in zip([0, *cuts], [*cuts, len(prices)], strict=True):
        rows = np.ascontiguousarray(prices[start:stop])
        rows.flags.writeable = False
        out = np.full((max(len(stream.kernel.outputs), 1), *rows.shape), 7.0)
        stream.run((rows,), out if stream.kernel.outputs else out[0])
        parts.append(out)
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize(("name", "parameters"), ABREAST)
@pytest.mark.parametrize("assets", [7, 8, 9])
def test_d1_d3_assets_side_by_side_equal_each_alone_in_value_and_state(name: str, parameters: tuple[Any, ...], assets: int) -> None:
    for what, prices in panels(assets).items():
        together = vb.indicators.stream(name, *parameters, assets=assets)
        whole = ran(together, prices, [])
        for n in range(assets):
            alone = as_matrix(vb.indicators.find(name).function(np.ascontiguousarray(prices[:, n]), *parameters))
            assert alone.tobytes() == np.ascontiguousarray(whole[:, :, n]).tobytes(), (what, n)
        steps = vb.indicators.stream(name, *parameters, assets=assets)
        rows = np.stack([as_matrix(steps.update(row)) for row in prices], axis=1)
        assert rows.tobytes() == whole.tobytes(), what
        assert steps.save() == together.save(), what


@pytest.mark.parametrize(("name", "parameters"), ABREAST)
def test_d1_where_a_run_is_cut_changes_neither_values_nor_state(name: str, parameters: tuple[Any, ...]) -> None:
    draw = np.random.default_rng(6)
    for what, prices in panels(8).items():
        uncut = vb.indicators.stream(name, *parameters, assets=8)
        whole = ran(uncut, prices, [])
        for count in (1, 5):
            stream = vb.indicators.stream(name, *parameters, assets=8)
            cuts = sorted(draw.choice(np.arange(1, BARS), count, replace=False).tolist())
            assert ran(stream, prices, cuts).tobytes() == whole.tobytes(), (what, cuts)
            assert stream.save() == uncut.save(), (what, cuts)


@pytest.mark.parametrize("kernel", SERIES, ids=lambda k: k.name)
def test_d1_pieces_that_are_looked_through_and_computed_in_turn_change_nothing(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = choices(kernel)[0][1]
    prices = panels(9)
    given = (prices["apart"], prices["one"] + 1.0)[: len(kernel.inputs)]
    whole = as_matrix(computing.compute(kernel, given, *parameters))
    monkeypatch.setattr(computing, "_SHORTEST", 13)
    monkeypatch.setattr(computing, "_CELLS", 1)
    assert as_matrix(computing.compute(kernel, given, *parameters)).tobytes() == whole.tobytes()


@pytest.mark.parametrize("kernel", [vb.indicators.find(name) for name in ("sma", "bollinger", "correlation")], ids=lambda k: k.name)
def test_an_infinite_value_is_named_wherever_it_stands(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is that of the user's matrix; the series that comes first is named first; nothing of the user's is written to."""
    monkeypatch.setattr(computing, "_SHORTEST", 13)
    monkeypatch.setattr(computing, "_CELLS", 1)
    parameters, full = choices(kernel)[0][1], panels(9)["full"]
    for row in (0, 12, 13, BARS - 1):
        bad = full.copy()
        bad[row, 3] = -np.inf
        bad[BARS - 1, 8] = np.inf
        kept = bad.copy()
        given = (bad, full)[: len(kernel.inputs)]
        with pytest.raises(InputError, match=rf"values are infinite at row {row}, column 3 \(2 in all\); a missing value is NaN"):
            computing.compute(kernel, given, *parameters)
        np.testing.assert_array_equal(bad, kept)
    if len(kernel.inputs) > 1:
        early, late = full.copy(), full.copy()
        early[2, 1] = late[40, 0] = np.inf
        with pytest.raises(InputError, match="values are infinite at row 40, column 0"):
            computing.compute(kernel, (late, early), *parameters)
        with pytest.raises(InputError, match="other are infinite at row 2, column 1"):
            computing.compute(kernel, (full, early), *parameters)
