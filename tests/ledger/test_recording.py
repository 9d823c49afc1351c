"""What is recorded, what is not, and that it can be switched off."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.ledger.ledgers import COSTS, days, run, six
from vecbt.engine.sweep_blocks import BlockFiles
from vecbt.engine.sweep_run import sum_blocks
from vecbt.ledger import place, recording
from vecbt.ledger.moments import TRIAL, moments_of_sums, sums_of_equity, sums_of_returns
from vecbt.ledger.store import current


def _rows() -> list[Any]:
    with current().reading() as execute:
        return list(execute("SELECT n, kind, trials, length(body) FROM records WHERE kind<>'data' ORDER BY n"))


def test_the_numbers_of_a_run_are_those_of_its_returns() -> None:
    found = run(days())
    returns = found.returns.to_numpy()
    centred = returns - returns.mean()
    tried = found.trials
    assert tried.sharpes[0] == pytest.approx(returns.mean() / returns.std(ddof=1), rel=1e-6)
    assert tried.sharpes[0] * math.sqrt(252) == pytest.approx(found.stats()["sharpe"], rel=1e-6)
    assert tried.skews[0] == pytest.approx((centred**3).mean() / (centred**2).mean() ** 1.5, rel=1e-5)
    assert tried.kurtoses[0] == pytest.approx((centred**4).mean() / (centred**2).mean() ** 2, rel=1e-5)
    parts = [returns[b * 260 // 16 : (b + 1) * 260 // 16] for b in range(16)]
    sums = [[(part**k).sum() for k in (1, 2, 3, 4)] for part in parts]
    assert np.allclose(tried.blocks_sample()[0], sums, rtol=1e-6, atol=0)


@pytest.mark.parametrize("bars", [5, 16, 63, 1000])
def test_sums_over_parts_are_those_that_a_sweep_keeps(bars: int) -> None:
    returns = np.random.default_rng(bars).normal(0.0003, 0.01, (bars, 3))
    found = sums_of_returns(returns)
    equity = 7.0 * np.cumprod(1.0 + returns, axis=0)
    assert np.allclose(sums_of_equity(equity, np.full(3, 7.0)), found, rtol=1e-9, atol=1e-12)
    for a in range(3):
        blocks, fine = np.empty((16, 4)), np.empty((64, 2))
        sum_blocks(np.ascontiguousarray(returns[:, a]), bars, blocks, fine)
        assert np.allclose(found[a], blocks, rtol=1e-12, atol=1e-18)
        assert np.allclose(sums_of_returns(returns[:, a : a + 1])[0], blocks, rtol=1e-12, atol=1e-18)


def test_a_ruined_account_has_no_returns_and_no_sharpe_ratio() -> None:
    prices = np.r_[np.linspace(10.0, 11.0, 20), np.linspace(11.0, 60.0, 20)]
    bars = vb.Bars.from_numpy(prices, prices, prices, prices, index=days().index[:40])
    short = np.zeros(40, dtype=bool)
    short[3] = True
    found = vb.backtest(bars, vb.Signals(short_entries=short), costs=COSTS, sizing=vb.Weight(1.0), maintenance=0.0)
    assert found.run.equity[-1, 0] < 0.0 and np.isnan(found.returns.to_numpy()[-5:]).all() and np.isnan(found.stats()["sharpe"])
    assert found.trials.count == 1 and np.isnan(found.trials.sharpes[0])


@pytest.mark.parametrize("blocks", [True, False, "file"])
def test_the_numbers_of_a_sweep_are_those_of_its_table(blocks: Any, tmp_path: Path) -> None:
    swept = six(days(), blocks=tmp_path / "sums" if blocks == "file" else blocks, rf=0.0002)
    free = six(days(), blocks=False).table["sharpe"].to_numpy()
    tried = swept.trials
    assert np.allclose(np.sort(tried.sharpes) * math.sqrt(252), np.sort(free), rtol=1e-5)
    assert np.isnan(tried.skews).all() == (blocks is False)
    assert len(tried.blocks_sample()) == (0 if blocks is False else 6)


def test_deposits_are_no_returns() -> None:
    flows = {days().times[100]: 50_000.0}
    found = run(days(), flows=flows)
    assert found.trials.sharpes[0] * math.sqrt(252) == pytest.approx(found.stats()["sharpe"], rel=1e-6)


def test_a_trial_without_a_trade_counts_and_has_no_sharpe_ratio() -> None:
    tried = run(days(), 3, 250).trials
    assert tried.count == 1 and np.isnan(tried.sharpes).all() and math.isnan(tried.variance)
    assert np.isnan(moments_of_sums(np.zeros((1, 4)), 10)).all()
    steady = np.array([[0.1 * 7, 0.01 * 7, 0.001 * 7, 0.0001 * 7]])
    assert np.isnan(moments_of_sums(steady, 7)).all() and np.isnan(moments_of_sums(steady, 0)).all()


def test_the_same_again_is_no_second_record() -> None:
    run(days())
    six(days())
    before = _rows()
    assert run(days()).trials.count == six(days()).trials.count == 6
    assert _rows() == before and len(before) == 2


def test_a_set_that_a_sweep_runs_again_counts_once() -> None:
    swept = six(days())
    again = swept.backtest(4)
    assert again.trials.count == 6 and again.trials.recorded
    assert swept.filter(lambda table: table["fast"] == 2).trials.recorded
    both = swept.append(six(days(), space={"fast": [4], "slow": [9]}))
    assert both.trials.count == 7 and both.trials.recorded


def test_a_partial_sweep_records_what_was_done_and_the_rest_when_it_goes_on(tmp_path: Path) -> None:
    def pressed(done: int, _: int) -> None:
        if done:
            raise KeyboardInterrupt

    sets = [{"fill": "close", "fast": 2}, {"fill": "close", "fast": 3}, {"fill": "next_open", "flows": {days().times[9]: 5.0}, "fast": 2}]
    space = [{"flows": None} | one for one in sets]
    early = six(days(), space=space, progress=pressed, checkpoint=tmp_path / "kept")
    assert early.partial and early.trials.count == int(early.table["sharpe"].is_not_null().sum()) == 2
    whole = six(days(), space=space, checkpoint=tmp_path / "kept")
    assert not whole.partial and whole.trials.count == 3
    assert six(days(), space=space, checkpoint=tmp_path / "kept").trials.count == 3


def test_sets_that_fail_are_no_trials() -> None:
    swept = six(days(), space=[{"fast": 2, "slow": 9}, {"fast": 9, "slow": 2}])
    assert len(swept.errors) == 1 and swept.trials.count == 1


def test_a_sweep_in_which_every_set_fails_is_no_record() -> None:
    swept = six(days(), space=[{"fast": 9, "slow": 2}])
    assert swept.trials.recorded and swept.trials.count == 0


def test_an_envelope_records_the_rule_of_the_setup() -> None:
    keywords = {"space": {"stops.hard": [0.05, 0.1]}, "strategy": vb.strategies.SmaCross(3, 9)}
    assert six(days(), envelope=True, **keywords).trials.count == 2 == six(days(), **keywords).trials.count
    assert run(days(), stops=vb.Stops(hard=0.05)).trials.count == 2


def test_checks_record_nothing() -> None:
    bars = days()[:60]
    strategy = vb.strategies.SmaCross(3, 9)
    assert vb.check_parity(bars, strategy, costs=COSTS).ok
    vb.check_strategy(strategy, bars, cuts=2)
    assert not place.path().exists()
    result = run(bars)
    before = _rows()
    result.check_parity()
    six(bars).break_even("commission_rate", progress=False)
    assert len(_rows()) == len(before) + 1, "the sweep itself"


def test_off_by_a_context_records_nothing_and_is_said() -> None:
    run(days(), 2)
    with vb.ledger.off():
        found, swept = run(days()), six(days())
        assert "nothing is recorded" in vb.ledger.show()
    for result in (found, swept):
        assert not result.trials.recorded and "vb.ledger.off()" in result.trials.note and "vb.ledger.off()" in repr(result)
    assert [row[1] for row in _rows()] == ["run"]
    assert found.trials.count == 1, "what others tried is known once it is on again"
    assert run(days()).trials.recorded


@pytest.mark.parametrize("word", ["off", "OFF", "0", "no"])
def test_off_by_the_environment_records_nothing_and_is_said(word: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VECBT_LEDGER", word)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    found = run(days())
    assert not found.trials.recorded and found.trials.count == 0 and f"VECBT_LEDGER={word}" in found.trials.note
    assert not (tmp_path / "data").exists()


def test_it_is_in_the_folder_for_data_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VECBT_LEDGER")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert vb.ledger.path() == tmp_path / "data" / "vecbt" / "ledger.sqlite"
    monkeypatch.setattr("sys.platform", "darwin")
    assert vb.ledger.path().parts[-4:] == ("Library", "Application Support", "vecbt", "ledger.sqlite")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert vb.ledger.path() == tmp_path / "local" / "vecbt" / "ledger.sqlite"


def test_many_sets_take_twenty_bytes_each_and_some_have_their_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "SAMPLE", 4)
    swept = six(days())
    ((_, kind, count, size),) = _rows()
    assert (kind, count, size) == ("sweep", 6, 6 * TRIAL.itemsize + 4 * (4 + 16 * 4 * 4)) and TRIAL.itemsize == 20
    tried = swept.trials
    ids = np.sort(np.concatenate([np.frombuffer(body[:120], dtype=TRIAL)["id"] for (body,) in _bodies()]))
    assert tried.blocks_sample().shape == (4, 16, 4) and len(np.unique(ids)) == 6


def test_a_record_of_very_many_trials_keeps_a_share_that_stands_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST", 40)
    single = run(days(), 3, 200).trials
    assert single.exact
    swept = six(days(), space={"fast": range(2, 18), "slow": range(20, 40)})
    tried = swept.trials
    assert not tried.exact and 10 <= len(tried.sharpes) <= 41 and tried.count in (8 * len(tried.sharpes), 16 * len(tried.sharpes))
    assert len(tried.blocks_sample()) >= 10 and 200 <= tried.count <= 450
    ((_, _, stored, size),) = [row for row in _rows() if row[1] == "sweep"]
    assert stored <= 40 and size == stored * (TRIAL.itemsize + 4 + 256)
    best = max(swept.best()["sharpe"], run(days(), 3, 200).stats()["sharpe"])
    assert vb.ledger.summary()[0]["sharpe_annual"] == pytest.approx(best, rel=1e-5)


def _bodies() -> list[Any]:
    with current().reading() as execute:
        return list(execute("SELECT body FROM records WHERE kind<>'data'"))


def test_sums_in_files_are_read_for_the_sample_alone(tmp_path: Path) -> None:
    swept = six(days(), blocks=tmp_path / "sums")
    assert swept.block_sums == "file" and isinstance(BlockFiles(tmp_path / "sums"), BlockFiles)
    assert np.allclose(swept.trials.blocks_sample(), six(days()).trials.blocks_sample())
