"""The benchmarks do the same work on both sides, and write their figures in the agreed form."""

from __future__ import annotations

import ast
import gc
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import vecbt as vb
from benchmarks.agents import learning_agents
from benchmarks.cases import agree, bar_by_bar, every_feature, long_run, rebalanced
from benchmarks.columns import six_metrics
from benchmarks.drivers import own_time_of_searches
from benchmarks.evidence import checked, luck
from benchmarks.executors import elsewhere
from benchmarks.indicators import indicators_on_a_panel
from benchmarks.ledger import recording
from benchmarks.peers import __main__ as peers
from benchmarks.peers import side
from benchmarks.peers.environments import HERE, Unavailable
from benchmarks.permutations import permuted
from benchmarks.python_sweeps import array_code
from benchmarks.risk_sweeps import risk_rules
from benchmarks.searches import genetic
from benchmarks.stop_sweeps import exits
from benchmarks.sweeps import crossings
from benchmarks.table import Disagreement, Row, machine, show, write
from benchmarks.walks import walks


@pytest.fixture(autouse=True)
def _nothing_old_to_collect() -> Iterator[None]:
    """Benchmarks collect garbage before each call; what all tests before have left would take seconds each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def test_both_sides_agree_and_rows_have_the_agreed_form(tmp_path: Path) -> None:
    rows = long_run(6_000) + rebalanced(70, 4) + bar_by_bar(1_000) + every_feature(1_000)
    rows += crossings(300, 9, wide=False) + exits(300, 2, calls=1)
    write(rows, machine(), tmp_path / "latest.json")
    kept = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert set(kept) == {"machine", "rows"}
    assert {"W1", "W2", "W3b", "W4", "W5", "features"} == {row["work"] for row in kept["rows"]}
    for row in kept["rows"]:
        assert set(row) == {"work", "what", "value", "unit", "reference", "must", "aim", "ok"}
        assert isinstance(row["value"], float) and row["value"] > 0.0
        assert all(row[bound] is None or isinstance(row[bound], float) for bound in ("must", "aim"))
        assert row["ok"] is (row["must"] is None or row["value"] <= row["must"])
    assert len(show(rows).splitlines()) == len(rows) + 1


def test_sweeps_of_rules_and_of_array_code_equal_backtests_of_their_sets() -> None:
    rows = risk_rules(300, (2, 2, 1, 1), calls=1) + array_code(300, 2, calls=1)
    assert [row.work for row in rows] == ["risk sweep"] * 2 + ["array code"] * 2
    assert all(row.value > 0.0 and row.must is not None for row in rows)


@pytest.mark.slow
def test_statistics_of_luck_equal_loops_over_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = luck(300)
    assert {row.work for row in rows} == {"evidence"} and len(rows) == 7
    assert [row.must for row in rows if "memory" not in row.what] == [None, 20.0, 20.0, None, None]
    monkeypatch.setattr("benchmarks.evidence.superior", lambda *_: 0.5)
    with pytest.raises(Disagreement, match="reality check"):
        checked()


def test_a_walk_forward_adopts_the_best_of_its_windows() -> None:
    rows = walks(2, (2, 2), (120, 30), calls=1)
    assert [row.work for row in rows] == ["walk"] * 2
    assert [row.must for row in rows] == [1.5, None]
    assert all(row.value > 0.0 for row in rows)


def test_permutations_in_the_old_order_are_the_run() -> None:
    rows = permuted(3, 300)
    assert [row.must for row in rows] == [10.0, 10.0] and all(row.value > 0.0 for row in rows)


def test_the_ledger_counts_what_was_recorded_before_its_cost_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECBT_LEDGER", str(tmp_path))
    rows = recording(300, 2, (40, 3), calls=3)
    assert [row.work for row in rows] == ["ledger"] * 6 and all(row.value > 0.0 for row in rows)
    assert [row.must is not None for row in rows] == [True, True, False, False, False, False]


def test_agents_are_timed_after_they_have_learned_and_accounts_equal_a_stream() -> None:
    rows = learning_agents(2_000, 5_000, 4)
    assert [row.work for row in rows] == ["agents"] * 4 and all(row.value > 0.0 for row in rows)
    assert [row.must for row in rows] == [100.0, 100.0, None, None]


def test_the_own_time_of_a_genetic_search_is_set_against_pymoo() -> None:
    pytest.importorskip("pymoo")
    rows = own_time_of_searches(10, 3, calls=1)
    assert [row.must for row in rows] == [0.1, 0.25] * 2 and all(row.value > 0.0 and row.work == "genetic" for row in rows)
@pytest.mark.slow
def test_sets_that_run_elsewhere_are_those_of_threads_before_anything_is_timed() -> None:
    rows = elsewhere(300, 2, calls=1, only=("threads", "processes"))
    assert [row.unit for row in rows] == ["x", "ms", "x"] and {row.work for row in rows} == {"executors"}
    assert all(row.value >= 0.0 for row in rows)


def test_a_search_is_the_sweeps_of_its_generations_before_it_is_timed() -> None:
    rows = genetic(300, 10, 3, calls=1)
    assert [row.must for row in rows][:2] == [2.0, 0.1] and all(row.value > 0.0 and row.work == "search" for row in rows)


def test_w7_agrees_with_loops_and_talib_and_times_every_indicator() -> None:
    pytest.importorskip("talib")
    rows = indicators_on_a_panel(420, 3, cold=False)
    assert {row.work for row in rows} == {"W7"} and all(row.value > 0.0 for row in rows)
    bounded = [row.what.split(",")[0] for row in rows if row.must is not None]
    assert bounded[::2] == bounded[1::2] and {"SMA 20", "EMA 20", "RSI 14", "ATR 14"} <= set(bounded)
    timed = {pair.split()[0] for pair in rows[-1].reference.split(", ")}
    assert timed | {name.split()[0].lower() for name in bounded} == set(vb.indicators.catalog())


def test_w6_agrees_with_the_loop_on_one_thread_and_on_two() -> None:
    rows = six_metrics(60, 5, calls=1)
    assert {row.work for row in rows} == {"W6"} and all(row.value > 0.0 for row in rows)
    assert [row.must for row in rows] == [1.5, None, 1.5, None, None]


def test_nothing_is_timed_where_results_differ() -> None:
    agree("same", [1.0, 2.0], [1.0, 2.0 + 1e-10])
    for ours in ([1.0, 2.1], [1.0], [1.0, math.nan]):
        with pytest.raises(Disagreement, match="what"):
            agree("what", ours, [1.0, 2.0])


def test_a_row_without_a_bar_is_never_missed() -> None:
    assert Row("W", "what", 1e9, "s", "").ok
    assert not Row("W", "what", 2.0, "s", "", must=1.0).ok


def test_unknown_work_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.__main__ import main

    assert main(["W99"]) == 2
    assert "W99" in capsys.readouterr().err


def test_sets_of_a_peer_are_counted_by_how_they_differ(capsys: pytest.CaptureFixture[str]) -> None:
    """P5: a stop before a target that the open was past is another convention; an open trade that counts, another count."""
    given = side.exits(20)
    ours, other = given.loop(True), given.loop(False)
    unlike = np.abs(ours[:, 0] - other[:, 0]) > 1e-6
    sharpe = other[:, 1] / other[:, 2] * side.YEAR**0.5
    wrong = np.arange(given.sets) == np.flatnonzero(~unlike)[0]
    side.measured("peer", given, lambda: side.Answer(other[:, 0] * (1.0 + wrong), sharpe, other[:, 3], other[:, 4] + other[:, 5]))
    line = json.loads(capsys.readouterr().out)
    assert 0 < unlike.sum() < given.sets and 0 < other[:, 5].sum()
    assert (line["by_target"], line["equal"]) == (unlike.sum(), given.sets - unlike.sum() - 1)
    assert (line["by_open"], line["miscounted"], line["by_sharpe"]) == (other[:, 5].sum(), 0, 0)
    assert "peer" in peers.show([line])


def test_a_peer_that_cannot_be_had_is_skipped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def absent(peer: str) -> str:
        raise Unavailable(f"it cannot be installed: no {peer}")

    monkeypatch.setattr(peers, "interpreter", absent)
    monkeypatch.setattr(peers, "free_gb", lambda: 19.5)
    monkeypatch.setattr(peers, "SIDES", (peers.Side("raptorbt", "W1"), peers.Side("vectorbt", "W1", ("numba",), 20.0)))
    assert peers.main([]) == 0
    said = capsys.readouterr().out
    assert "W1, raptorbt: skipped, it cannot be installed: no raptorbt" in said
    assert "W1, vectorbt numba: skipped, it needs 20 GB of free memory, and 19.5 are free" in said
    assert peers.main(["W99"]) == 2


def test_what_runs_beside_a_peer_does_not_need_vecbt() -> None:
    """Nor anything of these benchmarks that does."""
    beside = [path for path in sorted(HERE.glob("*.py")) if path.stem not in ("with_vecbt", "__main__", "__init__", "environments")]
    folder = HERE.parent
    for path in (*beside, *(folder / name for name in ("work.py", "loops.py", "sweep_loops.py"))):
        named = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                named |= {node.module.rpartition(".")[2]} if node.module else {alias.name for alias in node.names}
        assert not named & {"vecbt", "cases", "sweeps", "stop_sweeps", "table"}, path.name
    assert len(beside) == 5
