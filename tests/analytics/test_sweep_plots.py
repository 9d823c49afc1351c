"""Pictures of a sweep: what is drawn, what is said, which files."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.analytics.sweeps import grid, separate
from vecbt.analytics.sweep import Sweep
from vecbt.analytics.sweep_cells import cells_of, scale_of
from vecbt.analytics.sweep_colors import colors_of, number_text, unit_label
from vecbt.errors import ConfigError

pytestmark = pytest.mark.interpreted


def words(picture: Any) -> list[str]:
    """The title, and what is beside it."""
    return [text.get_text() for text in picture.texts]


KINDS = ["heatmap", "surface", "slices", "parallel_coordinates", "distribution"]
PICTURES = [
    pytest.param(kind, ending, marks=[] if ending == "png" or kind == "slices" else pytest.mark.slow, id=f"{kind}-{ending}")
    for kind in KINDS
    for ending in ("png", "svg", "pdf")
]
"""Every format of one picture, one format of the others; the rest in `make check`."""


@pytest.mark.parametrize(("kind", "ending"), PICTURES)
def test_every_picture_is_returned_and_written(kind: str, ending: str, tmp_path: Path) -> None:
    axes = ("fast", "slow") if kind in ("heatmap", "surface") else ()
    path = tmp_path / f"picture.{ending}"
    picture = getattr(grid(), kind)(*axes, path=path)
    assert path.stat().st_size > 1000
    assert "16 of 60 left out: undefined, infinite or failed" in " ".join(words(picture)) or kind == "parallel_coordinates"


def test_an_ending_that_is_no_format_is_named() -> None:
    with pytest.raises(ConfigError, match="its ending chooses the format"):
        grid().distribution(path="picture.xyz")


@pytest.mark.parametrize(("reduce", "function"), [("mean", np.mean), ("median", np.median), ("max", np.max), ("min", np.min)])
def test_cells_reduce_the_other_parameters(reduce: str, function: Any) -> None:
    cells = cells_of(grid()._lines, "fast", "slow", "sharpe", reduce)
    table = grid().table
    for (i, slow), (j, fast) in itertools.product(enumerate([6, 9, 14, 119]), enumerate([2, 3, 5, 8])):
        part = table.filter((pl.col("fast") == fast) & (pl.col("slow") == slow) & pl.col("sharpe").is_not_nan())["sharpe"].to_numpy()
        assert np.isnan(cells.grid[i, j]) if not len(part) else cells.grid[i, j] == pytest.approx(function(part), rel=1e-13)
    assert f"{reduce} over stops.hard, fill · best outlined" in words(grid().heatmap("fast", "slow", reduce=reduce))[1]  # type: ignore[arg-type]


def test_the_best_cell_is_the_least_where_lower_is_better() -> None:
    for metric, choose in (("max_drawdown", np.nanmin), ("total_return", np.nanmax)):
        cells = cells_of(grid()._lines, "fast", "slow", metric, "mean")
        assert cells.grid.reshape(-1)[cells.best] == choose(cells.grid)


def test_symbols_are_reduced_and_said() -> None:
    assert "mean over symbols" in words(separate().heatmap("fast", "slow"))[1]
    assert "symbols" not in " ".join(words(separate().filter(pl.col("symbol") == "IBM").heatmap("fast", "slow")))


def test_words_make_an_axis_of_a_heat_map_but_no_surface() -> None:
    axes = grid().heatmap("fill", "fast").axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["close", "next_open"]
    with pytest.raises(ConfigError, match="fill is not numeric"):
        grid().surface("fill", "fast")


def test_names_and_choices_that_are_not_there_are_named() -> None:
    for ask, said in (
        (lambda: grid().heatmap("fats", "slow"), "'fats' is no parameter of this sweep; did you mean 'fast'"),
        (lambda: grid().heatmap("fast", "fast"), "expected two parameters"),
        (lambda: grid().heatmap("fast", "slow", reduce="medial"), "did you mean 'median'"),  # type: ignore[arg-type]
        (lambda: grid().parallel_coordinates(most=1), "at least 2"),
        (lambda: grid().filter(pl.col("slow") == 119).distribution(), "nothing to draw"),
        (lambda: grid().filter(pl.col("set") == 0).slices(), "no parameter varies"),
        (lambda: grid().filter(pl.col("fast") == 2).surface("fast", "slow"), "needs two values"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=said):
            ask()  # type: ignore[no-untyped-call]


def test_slices_have_a_panel_a_parameter_that_varies() -> None:
    picture = grid().filter(pl.col("fast") == 2).slices("max_drawdown")
    shown = [axes for axes in picture.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == ["slow", "stops.hard", "fill"]
    line = shown[0].lines[0]
    table = grid().table.filter(pl.col("fast") == 2)
    expected = [table.filter(pl.col("slow") == slow)["max_drawdown"].median() for slow in (6, 9, 14, 119)]
    assert line.get_ydata().tolist() == pytest.approx(expected)  # type: ignore[union-attr]


def test_parallel_coordinates_choose_evenly_spaced_ranks_with_the_best() -> None:
    picture = grid().parallel_coordinates(most=5)
    lines = picture.axes[0].collections[0]
    assert len(lines.get_segments()) == 5  # type: ignore[attr-defined]
    assert "5 of 44 sets, evenly spaced by rank" in words(picture)
    assert lines.get_segments()[-1][-1][1] == 1.0  # type: ignore[attr-defined]


def test_the_distribution_marks_median_and_best() -> None:
    texts = [text.get_text() for text in grid().distribution("max_drawdown").axes[0].texts]
    table = grid().table["max_drawdown"]
    assert texts == [f"median {float(np.median(table.to_numpy())):.2%}", f"best {float(table.min()):.2%}"]  # type: ignore[arg-type]


def test_many_values_drawn_at_random_are_cut_in_classes() -> None:
    sets = grid().run.sets  # type: ignore[union-attr]
    values = tuple(float(v) for v in np.random.default_rng(3).random(60))
    drawn = dataclasses.replace(sets, names=sets.names[:2], values=(values, values), codes=np.column_stack([np.arange(60)] * 2))
    lines = Sweep(dataclasses.replace(grid().run, sets=drawn))._lines  # type: ignore[type-var]
    cells = cells_of(lines, "fast", "slow", "max_drawdown", "mean")
    assert cells.grid.shape == (4, 4) and cells.x.title == "fast, 4 classes"
    assert scale_of(lines, "fast").labels == [f"{v:.6g}" for v in sorted(values)]  # 60 values are not too many for a panel
    step = (max(values) - min(values)) / 4
    assert scale_of(lines, "fast", 4, 4).place.tolist() == [min(int((v - min(values)) / step), 3) for v in values]


def test_colors_part_where_good_and_bad_part() -> None:
    both = colors_of("sharpe", np.array([-0.5, 0.1, 1.0]))
    neutral, good, bad = (both.map(float(both.norm(v))) for v in (0.0, 1.0, -0.5))
    assert min(neutral[:3]) > 0.9 and good[2] > good[0] and bad[0] > bad[2]
    assert colors_of("sharpe", np.array([0.2, 1.0])).map.name == "viridis"
    assert colors_of("max_drawdown", np.array([0.2, 1.0])).map.name == "viridis_r"
    assert colors_of("calmar", np.r_[np.linspace(0.1, 1.0, 200), 1e6]).extend == "both"
    assert colors_of("sharpe", np.array([1.0])).extend == "neither"


def test_numbers_and_units_are_short() -> None:
    assert [number_text("cagr", v) for v in (0.1234, 12.5)] == ["12.3%", "1,250%"]
    assert number_text("profit", 12345.6) == "12,346" and number_text("sharpe", 1.23456) == "1.23"
    assert [unit_label(name) for name in ("max_drawdown", "sharpe", "profit", "trades")] == [
        "Greatest drawdown, %", "Sharpe ratio", "Profit, money", "Trades",
    ]  # fmt: skip
