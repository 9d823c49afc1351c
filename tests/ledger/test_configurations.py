"""A configuration is the same from a run and from a sweep, and another one where anything that decides is."""

from __future__ import annotations

import dataclasses
import functools
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.ledger.ledgers import COSTS, days, run, six
from vecbt.ledger.code import code_of
from vecbt.ledger.configuration import setup_terms
from vecbt.ledger.hashes import mixed, term, terms


def _number(**keywords: Any) -> int:
    return run(days(), **keywords).trials.count


def _all_again(swept: vb.Sweep) -> None:
    """Every set run by itself is a trial that the sweep recorded, with the same numbers."""
    before = swept.trials
    for number in range(len(swept)):
        assert swept.run is not None
        again = vb.backtest(swept.run.bars, swept.run.strategy_of(number), **vars_of(swept, number)).trials
        assert again.recorded and again.count == before.count, swept.run.sets.at(number)
    after = swept.trials
    assert np.array_equal(before.sharpes, after.sharpes) and np.array_equal(before.kurtoses, after.kurtoses)


def vars_of(swept: vb.Sweep, number: int) -> dict[str, Any]:
    """The keywords of one set."""
    assert swept.run is not None
    setup = swept.run.setup_of(number)
    return {f.name: getattr(setup, f.name) for f in dataclasses.fields(setup)}


def _plain(level: float = 3.0) -> float:
    return level * 2.0


def test_the_sets_of_a_sweep_are_the_runs_of_its_sets() -> None:
    _all_again(six(days()))
    assert six(days()).trials.count == 6


@pytest.mark.parametrize(
    "space",
    [
        {"stops.hard": [0.04, 0.08, 0.06, 0.05, 0.1], "fill": ["close", "next_open"]},
        {"stops.hard": [None, 0.05], "stops.trailing": [None, 0.1]},
        {"stops.hard": [vb.Pct(3), vb.Atr(2), 0.03]},
        {"costs.commission_rate": [0.0, 0.001, 0.002, 0.003, 0.004], "costs.slippage_bps": [0.0, 5.0]},
        {"sizing": [None, vb.Weight(0.3), vb.Cash(0.5)], "initial_capital": [1e5, 2e5]},
        {"carry.borrow_rate": [0.0, 0.03], "carry.interest_rate": [0.0, 0.05]},
        {"risk.zones": [None, vb.Zones(), vb.Zones(cooldown_bars=5)]},
        {"risk.daily_loss": [0.02, 0.03, None], "risk.zones": [None, vb.Zones()]},
        {"stops.hard": [0.05], "stops.atr_window": [14, 20]},
        {"leverage": [1, 1.5, 2.0], "liquidate_at_end": [False, True]},
        {"stops": [None, vb.Stops(hard=0.05)], "stops.take_profit": [0.1, 0.2]},
    ],
    ids=lambda space: " ".join(space),
)
def test_sets_of_setups_are_the_runs_of_theirs(space: dict[str, Any]) -> None:
    _all_again(six(days(), space=space, strategy=vb.strategies.SmaCross(2, 9)))


def test_a_zero_that_is_the_default_is_no_other_configuration() -> None:
    weights = np.full((260, 2), np.nan)
    weights[::20] = 0.5
    swept = six(days(), space={"band": [0.0, 0.01, 0.02, 0.03, 0.04]}, strategy=vb.Weights(weights))
    for band in (0.0, 0.03):
        assert vb.backtest(days(), vb.Weights(weights), costs=COSTS, band=band).trials.count == 5 == swept.trials.count
    assert vb.backtest(days(), vb.Weights(weights), costs=COSTS).trials.count == 5


@pytest.mark.parametrize(
    "space",
    [{"initial_capital": [1e4, 1e5, 2e5, 5e4, 3e5, 4e5, 5e5, 6e5]}, {"maintenance": [0.2, 0.25, 0.3, 0.1, 0.4, 0.35, 0.15, 0.12]}],
    ids=lambda space: " ".join(space),
)
def test_a_default_among_other_numbers_is_no_other_configuration(space: dict[str, Any]) -> None:
    """Of many numbers a few are looked at: the one that is no term is among them, wherever it stands."""
    _all_again(six(days(), space=space, strategy=vb.strategies.SmaCross(2, 9)))


def test_parts_of_parts_are_the_runs_of_their_sets() -> None:
    risk = vb.Risk(zones=vb.Zones(liquidate_at=0.3))
    space = {"risk.zones.liquidate_at": [0.2, 0.3, None], "risk.zones.cooldown_bars": [5, 10]}
    _all_again(six(days(), space=space, strategy=vb.strategies.SmaCross(2, 9), risk=risk))


def test_accounts_of_their_own_are_runs_over_their_symbols() -> None:
    swept = six(days(), accounts="separate")
    assert swept.trials.count == 12
    found = run(days().select("IBM")).trials
    assert found.recorded and found.count == 12, "that symbol alone was one of the accounts"
    assert run(days(), accounts="separate").trials.count == 12
    assert run(days()).trials.count == 13, "one account for both is another"


def test_whatever_decides_makes_another_configuration() -> None:
    seen = [
        _number(), _number(fast=4), _number(slow=10), _number(costs=vb.Costs(commission_rate=0.002)), _number(stops=vb.Stops(hard=0.05)),
        _number(stops=vb.Stops(hard=0.05, atr_window=20)), _number(fill="close"), _number(initial_capital=5e4), _number(leverage=2.0),
        _number(risk=vb.Risk(zones=vb.Zones())), _number(positions={"AAPL": (1.0, 20.0)}), _number(sizing=vb.Weight(0.2)),
    ]  # fmt: skip
    assert seen == list(range(1, 13))


def test_what_is_only_written_otherwise_is_the_same() -> None:
    run(days(), initial_capital=100_000.0, stops=vb.Stops(hard=0.05))
    assert _number(initial_capital=100_000, stops=vb.Stops(hard=np.float64(0.05))) == 1
    assert _number(stops=vb.Stops(hard=0.05, atr_window=14), leverage=1) == 1


def test_inputs_go_by_their_rows_whatever_table_they_come_in() -> None:
    bars, up = days(), np.zeros((260, 2), dtype=bool)
    up[5] = up[90] = True
    first = vb.backtest(bars, vb.Signals(entries=up), costs=COSTS).trials.count
    frame = bars.to_pandas()["close"] * 0.0 + up > 0.5
    assert first == vb.backtest(bars, vb.Signals(entries=frame), costs=COSTS).trials.count == 1
    assert vb.sweep(bars, vb.Signals(entries=up), {"fill": ["next_open", "close"]}, costs=COSTS, progress=False).trials.count == 2
    up[91] = True
    assert vb.backtest(bars, vb.Signals(entries=up), costs=COSTS).trials.count == 3


def test_functions_go_by_their_code_and_what_is_bound_to_them() -> None:
    bars = days()

    def rows(given: vb.Bars, level: float = 30.0) -> Any:
        return vb.Signals(entries=given.close > level, exits=given.close < level)

    def tried(function: Any) -> int:
        return vb.backtest(bars, function, costs=COSTS).trials.count

    assert tried(rows) == tried(rows) == 1
    assert tried(functools.partial(rows, level=40.0)) == tried(functools.partial(rows, level=40)) == 2
    one, two = (lambda given: vb.Signals(entries=given.close > 3)), (lambda given: vb.Signals(entries=given.close > 4))
    assert tried(one) == 3 and tried(two) == 4


_TEXT = """
import vecbt as vb

LEVEL = 30.0

def level_of(bars):
    return LEVEL

@vb.strategy
def above(bars, factor: float = 1.0):
    return vb.Signals(entries=bars.close > factor * level_of(bars), exits=bars.close < 0.9 * level_of(bars))
"""


def test_an_edited_strategy_and_a_changed_global_are_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import sys

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "own_rules.py").write_text(_TEXT)
    module = importlib.import_module("own_rules")
    bars = days()

    def tried() -> int:
        return vb.backtest(bars, module.above(1.5), costs=COSTS).trials.count

    assert tried() == tried() == 1
    module.LEVEL = 31.0
    assert tried() == 2
    module.LEVEL = 30.0
    assert tried() == 2
    (tmp_path / "own_rules.py").write_text(_TEXT.replace("0.9 *", "0.85 *"))
    importlib.invalidate_caches()
    module = importlib.reload(module)
    assert tried() == 3
    swept = vb.sweep(bars, module.above(1.0), {"factor": [1.0, 1.5]}, costs=COSTS, progress=False)
    assert swept.trials.count == 4


def test_the_hash_of_code_is_looked_up_where_nothing_was_changed() -> None:
    from vecbt.core.sources import code_hash
    from vecbt.ledger import code

    code._kept.clear()
    assert code_of(_number) == code_hash(_number) and len(code._kept) == 0, "it reads costs, which could be others"
    for _ in range(2):
        assert code_of(_plain) == code_hash(_plain) and len(code._kept) == 1
    assert code_of(3) == code_of("text") == code_of((1, 2)) == ""


def test_terms_of_many_values_are_those_of_each() -> None:
    for values in ([0, 1, -1, 2.5, 1e300], [0.1, np.float64(0.1), np.int64(7), 7.0], ["a", "b"], [True, 1], [None, float("nan"), 2**60]):
        assert terms("place", values).tolist() == [term("place", value) for value in values]
    assert term("place", 5) == term("place", 5.0) == term("place", np.float32(5)) != term("place", True)
    assert term("place", 0.0) == term("place", -0.0) and term("a", 1) != term("b", 1)


def test_ids_are_spread() -> None:
    """SplitMix64 of 1 and 2, as its authors' code gives them; and no collisions among neighbours."""
    assert mixed(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF
    found = mixed(terms("fast", range(300))[:, None] + terms("slow", range(300))[None, :]).reshape(-1)
    assert len(np.unique(found)) == 90_000
    ones = np.unpackbits(found.view(np.uint8).reshape(-1, 8), axis=1).mean(axis=0)
    assert np.abs(ones - 0.5).max() < 0.01


def test_defaults_are_no_terms() -> None:
    assert set(setup_terms(vb.engine.setup.Setup.of(costs=COSTS))) == {"costs.commission_rate"}


def test_many_random_sets_are_still_the_runs_of_their_sets() -> None:
    """Numbers that stand in the setup as they are go by columns."""
    space = vb.RandomSets(40, {"fast": (2, 9), "stops.hard": (0.01, 0.2), "costs.commission_rate": (0.0001, 0.01)}, seed=2)
    swept = six(days("AAPL"), space=space)
    _all_again(swept)
    assert swept.trials.count == 40


def test_nothing_secret_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_API_KEY", "hunter2hunter2")
    bars = days()

    @vb.strategy
    def spy(bars: vb.Bars, api_key: str = "", comment: str = "") -> Any:
        return vb.Signals(entries=bars.close > 30.0)

    assert vb.backtest(bars, spy("quite a secret", comment="with hunter2hunter2 in it"), costs=COSTS).trials.recorded
    from tests.ledger.ledgers import closed

    data = closed().read_bytes()
    assert b"hunter2" not in data and b"quite a secret" not in data and b"<BROKER_API_KEY>" in data


def test_what_cannot_be_described_ends_no_run() -> None:
    class Odd:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(textwrap.dedent("no"))

    @vb.strategy
    def odd(bars: vb.Bars, thing: Any = None) -> Any:
        return vb.Signals(entries=bars.close > 30.0)

    found = vb.backtest(days(), odd(Odd()), costs=COSTS)
    assert found.stats()["trades"] >= 0 and not found.trials.recorded and "RuntimeError" in found.trials.note
