"""What the check says of a configuration is what happens when it is run."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

import vecbt as vb
from tests.config.checked import CLEAN, found
from vecbt.config.load import RunFile
from vecbt.config.models import RunConfig
from vecbt.config.source import Source
from vecbt.core.codes import Reason, Rule

BOTH = ("data.end=2003-01-01", "strategy.parameters.direction=both")


def _run(*settings: str) -> vb.Result:
    source = Source.of(copy.deepcopy(CLEAN))
    source.override((*BOTH, *settings))
    run = RunFile(RunConfig.model_validate(source.tree), source, Path())
    return vb.backtest(run.bars(), run.strategy(), **run.keywords())


def _reasons(*settings: str) -> set[Reason]:
    return {Reason(int(reason)) for reason in _run(*settings).run.trades["reason"]}


def _cuts(*settings: str) -> Rule:
    out = 0
    for mask in _run(*settings).run.orders["cut_by"]:
        out |= int(mask)
    return Rule(out)


def test_c4_a_hard_stop_behind_a_tighter_trail_never_fires() -> None:
    dead, alive = "stops={hard: 3%, trailing: 2%}", "stops={hard: 3%, trailing: 4%}"
    assert found("trail-before-stop", dead, data=False) and not found("trail-before-stop", alive, data=False)
    assert Reason.STOP not in _reasons(dead) and {Reason.STOP, Reason.TRAIL} <= _reasons(alive)


def test_a_trail_that_waits_for_more_than_the_target_never_fires() -> None:
    dead = "stops={trailing: 3%, activation: 6%, take_profit: 5%}"
    assert found("activation-after-target", dead, data=False)
    assert Reason.TRAIL not in _reasons(dead) and Reason.TARGET in _reasons(dead)


@pytest.mark.parametrize(
    ("dead", "alive", "rule"),
    [
        (("risk.limits={max_gross: 1.5}",), ("risk.limits={max_gross: 0.7}",), Rule.GROSS),
        (("risk.max_trade_loss=0.04", "stops.hard=3%"), ("risk.max_trade_loss=0.01", "stops.hard=3%"), Rule.TRADE_LOSS),
        (
            ("risk={max_heat: 0.02, max_trade_loss: 0.03}", "stops.hard=4%"),
            ("risk={max_trade_loss: 0.01}", "stops.hard=4%"),
            Rule.TRADE_LOSS,
        ),
        (
            ("risk={zones: {cooldown_bars: 5}, daily_loss: 0.15}", "sizing.weight=1"),
            ("risk={zones: {cooldown_bars: 5}, daily_loss: 0.01}", "sizing.weight=1"),
            Rule.DAILY_LOSS,
        ),
    ],
)
def test_a_limit_that_can_never_bind_does_not(dead: tuple[str, ...], alive: tuple[str, ...], rule: Rule) -> None:
    assert found("limit-never-binds", *BOTH, *dead, data=False) and not found("limit-never-binds", *BOTH, *alive, data=False)
    assert not _cuts(*dead) & rule and _cuts(*alive) & rule


def test_the_cap_decides_every_size() -> None:
    settings = ("sizing.fixed_fractional={}", "stops.hard=3%", "data.symbols=[AAPL]")
    assert found("cap-always-binds", *settings, data=False)
    result = _run(*settings)
    entries = result.run.orders[result.run.orders["open_q"] != 0.0]
    worth = [abs(o["wanted"] * result.run.bars.close[o["t"], 0]) / result.run.equity[o["t"], 0] for o in entries if o["close_q"] == 0.0]
    assert worth and worth == pytest.approx([0.25] * len(worth))


def test_leverage_that_maintenance_does_not_allow_is_liquidated_at_once() -> None:
    at_once, fine = ("account.leverage=4", "sizing.weight=4"), ("account.leverage=2", "sizing.weight=2")
    assert found("margin-at-once", *at_once, data=False) and not found("margin-at-once", *fine, data=False)
    for settings, least, most in ((at_once, 0.5, 1.0), (fine, 0.0, 0.1)):
        trades = _run(*settings, "data.symbols=[AAPL]").run.trades
        early = trades[(trades["reason"] == int(Reason.MARGIN)) & (trades["exit_t"] - trades["entry_t"] <= 1)]
        assert least <= len(early) / len(trades) <= most


def test_what_never_trades_does_not_trade() -> None:
    for id, settings in (
        ("direction", ("direction=short", "strategy.parameters.direction=long")),
        ("window-too-long", ("stops={hard: 3 atr, atr_window: 503}",)),
        ("never-trades", ("sizing.equal_weight={min_position: 0.6}",)),
        ("never-trades", ("account.initial_capital=100", "data.market={lot: 1000}")),
    ):
        assert [f for f in found(id, *BOTH, *settings) if f.severity == "error"], settings
        assert len(_run(*settings).run.fills) == 0
