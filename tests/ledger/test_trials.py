"""What results know of other trials."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vecbt as vb
from tests.ledger.ledgers import days, run, six
from vecbt.ledger import counting
from vecbt.ledger.counting import _Tally
from vecbt.ledger.moments import TRIAL


def test_the_variance_is_that_of_the_sharpe_ratios_per_bar() -> None:
    swept = six(days())
    sharpes = swept.table["sharpe"].to_numpy() / math.sqrt(252)
    assert swept.trials.variance == pytest.approx(sharpes.var(ddof=1), rel=1e-5)
    assert math.isnan(run(days("MSFT")).trials.variance)


def test_a_result_knows_of_trials_before_and_after_it() -> None:
    found = run(days())
    assert found.trials.count == 1
    six(days())
    assert found.trials.count == 6 and found.trials.records == 2


def test_of_several_data_the_longest_speaks_for_a_configuration() -> None:
    bars = days()
    long = run(bars).trials.sharpes
    assert np.array_equal(run(bars[:100]).trials.sharpes, long)
    longer = vb.samples.load("us_daily", symbols=["AAPL", "IBM"])[:400]
    assert run(longer).trials.sharpes != long and run(bars[:90]).trials.sharpes == run(longer).trials.sharpes


def test_sums_over_parts_are_of_the_same_times_only() -> None:
    bars = days()
    six(bars[:-2])
    run(bars[:130], 4)
    tried = run(bars, 5).trials
    assert tried.count == 8 and tried.data_sets == 3 and tried.blocks_sample().shape == (7, 16, 4)
    assert tried.blocks_sample(3).shape == (3, 16, 4)
    with pytest.raises(vb.errors.ConfigError, match="most"):
        tried.blocks_sample(0)


def test_a_sample_is_the_one_with_the_smallest_ids_whatever_the_order() -> None:
    six(days(), space={"fast": [2, 3], "slow": [6, 9]})
    first = six(days()).trials.blocks_sample(3)
    assert np.array_equal(first, run(days(), 3, 9).trials.blocks_sample(3))


def test_many_configurations_are_counted_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_MOST", 2048)
    draw, tally = np.random.default_rng(1), _Tally()
    ids = draw.integers(0, 2**64, 100_000, dtype=np.uint64)
    for n in range(100):
        rows = np.zeros(1500, dtype=TRIAL)
        rows["id"] = np.concatenate([ids[1000 * n : 1000 * n + 1000], ids[:500]])  # some of them again and again
        rows["sharpe"] = n
        tally.add(n, 10, rows)
        assert tally._waiting <= 2048
    tally.merge()
    count = len(tally.found) << tally.halvings
    assert tally.halvings >= 6 and len(tally.found) <= 2048 and abs(count / 100_000 - 1.0) < 0.1
    assert len(np.unique(tally.found["id"])) == len(tally.found)


def test_counting_is_exact_below_that() -> None:
    tally = _Tally()
    rows = np.zeros(3, dtype=TRIAL)
    rows["id"], rows["sharpe"] = [5, 7, 5], [1.0, 2.0, 3.0]
    tally.add(1, 10, rows[:2])
    tally.add(2, 9, rows[2:])
    tally.merge()
    assert tally.found["id"].tolist() == [5, 7] and tally.found["sharpe"].tolist() == [1.0, 2.0] and tally.halvings == 0


def test_the_summary_has_a_line_for_each_data_set() -> None:
    assert vb.ledger.summary() == [] and "nothing is recorded" in vb.ledger.show()
    bars = days()
    swept = six(bars)
    run(bars[:-1], 8)
    run(days("MSFT"))
    rows = vb.ledger.summary()
    assert [(row["symbols"], row["bars"], row["trials"], row["overlaps"], row["records"]) for row in rows] == [
        (["AAPL", "IBM"], 260, 7, 1, 1), (["AAPL", "IBM"], 259, 7, 1, 1), (["MSFT"], 260, 1, 0, 1),
    ]  # fmt: skip
    best = swept.best()
    assert rows[0]["sharpe_annual"] == pytest.approx(best["sharpe"], rel=1e-5)
    assert (rows[0]["parameters"]["fast"], rows[0]["parameters"]["slow"]) == (best["fast"], best["slow"])
    shown = vb.ledger.show()
    assert "7 trials, with 1 data set that overlap" in shown and "MSFT" in shown and rows[0]["first"] in shown


def test_a_loaded_sweep_knows_its_trials(tmp_path: object) -> None:
    swept = six(days())
    loaded = vb.Sweep.load(swept.save(f"{tmp_path}/sweep"))
    assert loaded.trials.count == 6 and not loaded.trials.recorded


def test_trials_on_bars_that_were_never_met_are_none() -> None:
    tried = vb.ledger.trials(days())
    assert tried.count == 0 and not tried.recorded and "without a run" in tried.note
    run(days())
    assert vb.ledger.trials(days("MSFT")).count == 0
