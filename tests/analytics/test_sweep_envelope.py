"""Sweeps under both intrabar rules: each line of the two is a run of its own, fragility is a plain twin's, and the table shows both."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections import defaultdict
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb
from tests.analytics.sweeps import grid
from tests.engine.rules_of_tests import Patient
from tests.engine.sweeps_of_tests import Rolling, assert_line_is_run
from tests.engine.test_sweep import Stepping
from tests.rules.helpers import bars_of
from vecbt.analytics.sweep import Sweep
from vecbt.analytics.sweep_lines import METRICS
from vecbt.data import synthetic
from vecbt.engine import sweep_chunks
from vecbt.engine.log import TRADE
from vecbt.engine.rule_strategy import RuleStrategy
from vecbt.engine.sweep import SweepRun
from vecbt.engine.sweep_pairs import PairedRuns
from vecbt.errors import ConfigError
from vecbt.strategies import SmaCross

COSTS = vb.Costs(commission_rate=0.001)
ONE = synthetic.garch_jumps(T=100, N=1, seed=4)
GAPPY = synthetic.garch_jumps(T=60, N=3, seed=11, missing=0.1)
TIGHT = {"stops.hard": [0.003, 0.01], "stops.take_profit": [0.003, 0.01]}


def both(bars: vb.Bars, strategy: Any, space: Any, **keywords: Any) -> SweepRun:
    """The run of an envelope."""
    found = vb.sweep(bars, strategy, space, costs=COSTS, envelope=True, progress=False, threads=2, **keywords)
    assert found.run is not None
    return found.run


def twin(first: Any, second: Any, symbols: tuple[str, ...]) -> float:
    """The share of differing trades, of frames of trades: by symbol and entry, several of one bar in their order (M8)."""
    ends: list[dict[Any, list[Any]]] = [defaultdict(list), defaultdict(list)]
    for side, trades in zip(ends, (first, second), strict=True):
        for row in trades[trades["symbol"].isin(symbols)].to_dict("records"):
            entry = None if row["entry_time"] is None or row["entry_time"] != row["entry_time"] else row["entry_time"]
            side[row["symbol"], entry].append((row["exit_time"], row["reason"], row["exit_price"]))
    differing = every = 0
    for key in {*ends[0], *ends[1]}:
        for a, b in zip_longest(ends[0].get(key, []), ends[1].get(key, [])):
            every += 1
            differing += a is None or b is None or a[:2] != b[:2] or not math.isclose(a[2], b[2], rel_tol=1e-9)
    return differing / every if every else math.nan


def assert_both_lines_are_runs(run: SweepRun) -> None:
    """Each line is the backtest under its rule, to the last bit; the fragility is that of the twin."""
    assert run.errors == {} and run.done.all() and run.envelope is not None
    envelope = run.envelope
    other = dataclasses.replace(
        run, keywords={**run.keywords, "intrabar": envelope.rule}, final=envelope.final, returns=envelope.returns, trades=envelope.trades
    )  # fmt: skip
    assert {envelope.rule, run.keywords.get("intrabar", "pessimistic")} == {"pessimistic", "optimistic"}
    for c in range(len(run.sets)):
        assert_line_is_run(run, c)
        assert_line_is_run(other, c)
        frames = [Sweep(each).backtest(c).trades for each in (run, other)]
        groups = [(s,) for s in run.bars.symbols] if run.final.shape[1] > 1 else [run.bars.symbols]
        wanted = [twin(*frames, group) for group in groups]
        assert np.array_equal(envelope.fragility[c], wanted, equal_nan=True), (run.sets.at(c), envelope.fragility[c], wanted)


def entries_inside(bars: vb.Bars, window: int = 5) -> Any:
    """Limit orders that are bought inside a bar, with a stop and a target around them (P8)."""
    given: dict[Any, list[Any]] = {}
    for t in range(window, bars.T, window):
        price = float(bars.close[t, 0])
        if math.isfinite(price):
            order = vb.Order(
                symbol=bars.symbols[0], quantity=10, type="limit", limit=price * 0.999, stop_loss=price * 0.99, take_profit=price * 1.005
            )  # fmt: skip
            given[bars.datetime_index[t]] = [order]
    return vb.Orders(given)


# --- the two runs of a set -----------------------------------------------------------------------------------------------


@pytest.mark.interpreted
def test_m8_p5_each_end_is_a_run_and_some_trades_hang_on_the_rule() -> None:
    run = both(ONE[:60], SmaCross(1, 4), {"slow": [4, 7], "stops.take_profit": [0.003, 0.01]}, stops=vb.Stops(hard=0.004))
    assert_both_lines_are_runs(run)
    assert run.envelope is not None and 0.0 < run.envelope.fragility.max() < 1.0


@pytest.mark.parametrize("accounts", ["shared", "separate"])
@pytest.mark.parametrize("strategy", [SmaCross(1, 4, "both"), Patient(2, 5), Rolling()], ids=["rule", "sees the account", "arrays"])
def test_m8_panels_with_gaps_of_every_kind_of_strategy(strategy: Any, accounts: str) -> None:
    space = {**TIGHT, "fill": ["close", "next_open"]}
    run = both(GAPPY, strategy, space, accounts=accounts, intrabar="optimistic")
    assert_both_lines_are_runs(run)
    assert run.envelope is not None and run.envelope.rule == "pessimistic" and np.nanmax(run.envelope.fragility) > 0.0


@pytest.mark.parametrize("strategy", [Stepping(), entries_inside, SmaCross(1, 4)], ids=["events", "orders", "deposits"])
def test_m8_sets_that_run_alone_are_compared_too(strategy: Any) -> None:
    flows = {str(ONE.datetime_index[20])[:10]: 500.0} if isinstance(strategy, SmaCross) else None
    stops = {"initial_capital": [1e4, 1e5]} if strategy is entries_inside else TIGHT
    run = both(ONE, strategy, stops, flows=flows)
    assert_both_lines_are_runs(run)
    assert run.envelope is not None and run.envelope.fragility.max() > 0.0


@pytest.mark.parametrize("most", [1, 7])
def test_m8_pairs_stay_together_in_chunks_and_where_the_log_is_too_short(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of one pair, and of more, of which calls of three runs begin amid a pair."""
    space = {"slow": [2, 3, 30], **TIGHT, "liquidate_at_end": [False, True]}
    wanted = both(ONE, SmaCross(1, 2, "both"), space, fill="close")
    monkeypatch.setattr(sweep_chunks, "_MOST_SETS", most)
    monkeypatch.setattr(sweep_chunks, "_CHUNK_BARS", 1000)
    monkeypatch.setattr(sweep_chunks, "_adapted", lambda *_: 3)
    monkeypatch.setattr(sweep_chunks, "FILLS_PER_BAR", 10 - 1024)  # room for ten trades
    run = both(ONE, SmaCross(1, 2, "both"), space, fill="close")
    assert run.trades["trades"].max() > 30, "the log was long enough"
    assert_both_lines_are_runs(run)
    assert wanted.envelope is not None and run.envelope is not None
    assert run.envelope.fragility.tobytes() == wanted.envelope.fragility.tobytes() and run.final.tobytes() == wanted.final.tobytes()


def test_m8_pairs_of_evaluated_strategies_stay_together_however_many_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = both(ONE, Rolling(), {"window": [2, 3, 4], **TIGHT})
    for count in (1, 3):
        monkeypatch.setattr(sweep_chunks, "_adapted", lambda *_, count=count: count)
        run = both(ONE, Rolling(), {"window": [2, 3, 4], **TIGHT})
        assert wanted.envelope is not None and run.envelope is not None and run.done.all()
        assert run.envelope.fragility.tobytes() == wanted.envelope.fragility.tobytes() and not np.isnan(run.envelope.fragility).any()


def test_m8_what_is_kept_beside_the_lines_is_of_the_rule_of_the_setup() -> None:
    for rule in ("pessimistic", "optimistic"):
        kept = {"costs": COSTS, "intrabar": rule, "keep": ("equity",), "progress": False}
        wide = vb.sweep(ONE, SmaCross(1, 4), TIGHT, envelope=True, **kept).run  # type: ignore[arg-type]
        plain = vb.sweep(ONE, SmaCross(1, 4), TIGHT, **kept).run  # type: ignore[arg-type]
        assert wide is not None and plain is not None and plain.envelope is None
        for name in ("equity", "blocks", "fine", "final", "initial"):
            assert getattr(wide, name).tobytes() == getattr(plain, name).tobytes(), (rule, name)


# --- trades against trades -----------------------------------------------------------------------------------------------


@st.composite
def logs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two logs of three assets: many ends are alike, some trades are in one of them only, several begin in one bar."""
    out = []
    for _ in range(2):
        rows = []
        for asset in range(3):
            entries = sorted(draw(st.lists(st.integers(-1, 5), max_size=6)))
            rows += [(asset, t, t + draw(st.integers(0, 1)), draw(st.sampled_from([1.0, 1.0 + 1e-12, 2.0])), draw(st.integers(2, 3)))
                     for t in entries]  # fmt: skip
        rows.sort(key=lambda row: row[2])  # as they end; what ends in one bar stays in the order of entries
        trades = np.zeros(len(rows), dtype=TRADE).view(np.recarray)
        for name, column in zip(("asset", "entry_t", "exit_t", "exit_price", "reason"), zip(*rows, strict=True), strict=False):
            trades[name] = column
        out.append(trades)
    return out[0], out[1]


@pytest.mark.interpreted
@pytest.mark.parametrize("separate", [False, True])
@given(pair=logs())
def test_m8_fragility_is_that_of_the_twin(separate: bool, pair: tuple[Any, Any]) -> None:
    import pandas as pd

    frames = []
    for trades in pair:
        trades["account"] = trades["asset"] if separate else 0
        frames.append(
            pd.DataFrame({"symbol": trades["asset"].astype(str), "entry_time": trades["entry_t"], "exit_time": trades["exit_t"],
                          "exit_price": trades["exit_price"], "reason": trades["reason"]})
        )  # fmt: skip
    compare = PairedRuns(3, 3 if separate else 1)
    assert np.isnan(compare.take(6, pair[0])).all()
    groups = [("0",), ("1",), ("2",)] if separate else [("0", "1", "2")]
    assert np.array_equal(compare.take(7, pair[1]), [twin(*frames, group) for group in groups], equal_nan=True)
    assert np.isnan(compare.take(9, pair[1])).all(), "the first of this pair did not come"


# --- the table -------------------------------------------------------------------------------------------------------------


@functools.cache
def wide() -> Sweep:
    """Twelve sets of which one never trades."""
    space = [{"fast": f, "slow": s, "stops.hard": h, "stops.take_profit": h} for f in (1, 2) for s in (4, 7, 99) for h in (0.003, 0.01)]
    return vb.sweep(ONE, SmaCross(1, 4), space, costs=COSTS, envelope=True, metrics=["sharpe", "max_drawdown"], progress=False)


def test_a_metric_is_followed_by_both_ends_and_the_last_column_is_the_fragility() -> None:
    ends = ["sharpe", "sharpe_low", "sharpe_high", "max_drawdown", "max_drawdown_low", "max_drawdown_high", "fragility"]
    assert wide().table.columns == ["set", "fast", "slow", "stops.hard", "stops.take_profit", *ends, "error"]
    every = vb.sweep(ONE, SmaCross(1, 4), {"slow": [4]}, costs=COSTS, envelope=True, progress=False)
    assert every.metrics == (*(f"{name}{end}" for name in METRICS for end in ("", "_low", "_high")), "fragility")
    for row in wide().table.iter_rows(named=True):
        runs = [
            vb.backtest(ONE, SmaCross(row["fast"], row["slow"]), costs=COSTS, intrabar=rule,  # type: ignore[arg-type]
                        stops=vb.Stops(hard=row["stops.hard"], take_profit=row["stops.take_profit"]))
            for rule in ("pessimistic", "optimistic")
        ]  # fmt: skip
        for name in ("sharpe", "max_drawdown"):
            values = [float(result.stats()[name]) for result in runs]
            shown = [row[f"{name}{end}"] for end in ("", "_low", "_high")]
            assert np.array_equal(shown, [values[0], min(values), max(values)], equal_nan=True), (row, name)
        assert np.array_equal(row["fragility"], twin(runs[0].trades, runs[1].trades, ONE.symbols), equal_nan=True)


@pytest.mark.interpreted
def test_without_anything_inside_a_bar_the_ends_are_one() -> None:
    found = vb.sweep(ONE, SmaCross(1, 4), {"slow": [4, 7, 99]}, costs=COSTS, envelope=True, progress=False)
    table = found.table
    for name in METRICS:
        assert table[f"{name}_low"].to_list() == pytest.approx(table[f"{name}_high"].to_list(), rel=0, abs=0, nan_ok=True)
    assert table["fragility"].to_list() == pytest.approx([0.0, 0.0, math.nan], nan_ok=True)
    assert "the intrabar rule ends no trade of any set otherwise" in repr(found)
    silent = vb.sweep(ONE, SmaCross(1, 4), {"slow": [99]}, costs=COSTS, envelope=True, progress=False)
    assert "no set has a closed trade" in repr(silent)


@pytest.mark.interpreted
def test_ends_and_fragility_rank_filter_and_are_drawn_like_any_metric(tmp_path: Path) -> None:
    table = wide().table
    assert wide().best("sharpe_low")["sharpe_low"] == table["sharpe_low"].fill_nan(None).max()
    assert wide().best("fragility")["fragility"] == 0.0 and wide().best("max_drawdown_high")["max_drawdown_high"] == min(
        table["max_drawdown_high"]
    )
    robust = wide().filter(pl.col("fragility") < 0.05)
    assert 0 < len(robust) < len(wide()) and (robust.table["fragility"] < 0.05).all()
    assert wide().plateau("sharpe_low").columns[5] == "sharpe_low"
    picture = wide().heatmap("slow", "stops.hard", "sharpe_low", path=tmp_path / "cells.png")
    assert picture.get_suptitle() == "Sharpe ratio, low end over slow and stops.hard"
    most = float(np.nanmax(table["fragility"].to_numpy()))
    assert f"at most {most:.1%}" in repr(wide())
    assert len(wide().to_pandas()) == 12 and "fragility" in wide().top(3, "fragility").columns


@pytest.mark.interpreted
def test_a_saved_envelope_comes_back_whole(tmp_path: Path) -> None:
    loaded = Sweep.load(wide().save(tmp_path / "sweep"), bars=ONE, strategy=SmaCross(1, 4), costs=COSTS)
    assert loaded.table.equals(wide().table) and repr(loaded) == repr(wide()) and loaded.metrics == wide().metrics
    number = loaded.best("sharpe_low")["set"]
    assert loaded.backtest(number).stats()["sharpe"] == loaded.table["sharpe"][number]


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_picture_has_an_interval_a_set_best_first(ending: str, tmp_path: Path) -> None:
    picture = wide().envelope(path=tmp_path / f"envelope.{ending}")
    assert (tmp_path / f"envelope.{ending}").stat().st_size > 1000
    bars = picture.axes[0].collections[0].get_segments()  # type: ignore[attr-defined]
    known = wide().table.filter(pl.col("sharpe").is_not_nan()).sort("sharpe", descending=True)
    assert len(bars) == len(known) == 8
    assert [bar[0][1] for bar in bars] == known["sharpe_low"].to_list() and [bar[1][1] for bar in bars] == known["sharpe_high"].to_list()
    assert "4 of 12 left out" in " ".join(text.get_text() for text in picture.texts)
    few = wide().envelope("max_drawdown", most=3)
    assert len(few.axes[0].collections[0].get_segments()) == 3  # type: ignore[attr-defined]


# --- what cannot be --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Touchy(RuleStrategy):
    """Says nonsense once it has lost too much."""

    state: ClassVar[Mapping[str, str]] = {"seen": "i8"}

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any, account: Any) -> int:
        """Always long."""
        return 77 if account.drawdown > 0.02 else 1


def test_a_set_that_fails_under_one_rule_has_no_line_and_says_under_which() -> None:
    bars = bars_of([(100, 100, 100, 100), (100, 104, 96, 100), (100, 100, 100, 100)])
    stops = vb.Stops(hard=0.03, take_profit=0.03)
    for own, text in (("optimistic", "with intrabar='pessimistic': the rule answered 77"), ("pessimistic", "the rule answered 77")):
        found = vb.sweep(
            bars, Touchy(), {"initial_capital": [1e5]}, costs=COSTS, sizing=vb.Weight(1.0), stops=stops, intrabar=own,  # type: ignore[arg-type]
            envelope=True, progress=False,
        )  # fmt: skip
        assert found.errors[0].startswith(text), found.errors
        assert found.table["sharpe"].null_count() == found.table["sharpe_low"].null_count() == found.table["fragility"].null_count() == 1


def test_errors_of_a_set_stay_with_it_and_progress_counts_sets() -> None:
    heard: list[tuple[int, int]] = []
    sets = [{"fast": f, "slow": 4, "stops.hard": h} for f, h in ((1, 0.01), (9, 0.01), (2, -1.0), (2, 0.01))]
    found = vb.sweep(ONE, SmaCross(1, 4), sets, costs=COSTS, envelope=True, progress=lambda *counts: heard.append(counts))
    assert sorted(found.errors) == [1, 2] and found.table["fragility"].null_count() == 2 and not found.partial
    assert heard[-1] == (4, 4) and heard == sorted(set(heard))


@dataclasses.dataclass(frozen=True)
class Named(vb.Strategy):
    """Has a parameter of the rule's name."""

    intrabar: int = 1


def test_p5_what_an_envelope_cannot_be_is_said() -> None:
    with pytest.raises(ConfigError, match="intrabar varies, and an envelope runs each set under both rules"):
        vb.sweep(ONE, SmaCross(1, 4), {"intrabar": ["pessimistic", "optimistic"]}, costs=COSTS, envelope=True)
    with pytest.raises(ConfigError, match="has a parameter intrabar"):
        vb.sweep(ONE, Named(), [{"initial_capital": 1.0}], costs=COSTS, envelope=True)
    with pytest.raises(ConfigError, match="intrabar is 'hopeful'"):
        vb.sweep(ONE, SmaCross(1, 4), {"slow": [4]}, costs=COSTS, envelope=True, intrabar="hopeful")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="envelope is 1; expected True or False"):
        vb.sweep(ONE, SmaCross(1, 4), {"slow": [4]}, costs=COSTS, envelope=1)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"'sharpe_low' is no metric of this sweep; it takes vb\.sweep\(\.\.\., envelope=True\)"):
        grid().top(3, "sharpe_low")
    for draw in (lambda: grid().envelope(), lambda: grid().heatmap("fast", "slow", "fragility")):
        with pytest.raises(ConfigError, match="envelope=True"):
            draw()
    with pytest.raises(ConfigError, match="did you mean 'sharpe_low'"):
        wide().top(3, "sharpe_lo")
    with pytest.raises(ConfigError, match="'sharpe_low' is no metric"):
        wide().envelope("sharpe_low")
