"""Every rule of the check: what it finds, and the nearest configuration in which it has nothing to say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.config.checked import CLEAN, findings, found
from tests.house.source import PACKAGE
from vecbt.config import check_config

CASES = """
percent-for-fraction error risk.daily_loss
    bad   risk.daily_loss=3
    fine  risk.daily_loss=0.03
percent-for-fraction error risk.zones.boundaries[0]
    bad   risk.zones.boundaries=[5, 10, 15]
    fine  risk.zones={}
percent-for-fraction error sizing.weight
    bad   sizing.weight=25
    fine  sizing.weight=0.25
percent-for-fraction error carry.borrow_rate
    bad   carry.borrow_rate=5
    fine  carry.borrow_rate=0.05
money-for-fraction error risk.limits.max_position
    bad   risk.limits.max_position=10000
    fine  risk.limits.max_position=0.5
fraction-for-money error risk.limits.max_position_value
    bad   risk.limits.max_position_value=0.25
    fine  risk.limits.max_position_value=25000
fraction-for-money error sizing.notional
    bad   sizing.notional=0.1
    fine  sizing.notional=1000
unit warning sizing.fixed_fractional.risk_fraction
    bad   sizing.fixed_fractional.risk_fraction=0.5
    fine  sizing.fixed_fractional.risk_fraction=0.05
unit warning account.initial_capital
    bad   account.initial_capital=1
    fine  account.initial_capital=1000
unit warning costs.commission_rate
    bad   costs.commission_rate=0.1
    fine  costs.commission_rate=0.01
unit warning costs.slippage_bps
    bad   costs.slippage_bps=0.0005
    fine  costs.slippage_bps=1
unit warning costs.slippage_bps
    bad   costs.slippage_bps=600
    fine  costs.slippage_bps=60
unit warning costs.half_spread data
    bad   costs.half_spread=5
    fine  costs.half_spread=0.01
unit warning costs.per_unit data
    bad   costs.per_unit=5
    fine  costs.per_unit=0.01
unit warning sizing.forecast.max_portfolio_risk
    bad   sizing.forecast={max_portfolio_risk: 0.15}
    fine  sizing.forecast={max_portfolio_risk: 0.02}
no-horizon error risk.var_limit
    bad   risk.var_limit=0.05
    fine  risk.daily_loss=0.05
no-unit error stops.hard
    bad   stops.hard=3
    fine  stops.hard=3%
zero-costs warning costs.free
    bad   costs={free: true}
    fine
no-commission warning costs
    bad   costs={slippage_bps: 5}
    fine  costs={slippage_bps: 5, per_order: 1}
no-slippage warning costs
    bad   costs={commission_rate: 0.001}
    fine  costs={commission_rate: 0.001, half_spread: 0.01}
limit-below-size warning costs.maximum_rate
    bad   costs.maximum_rate=0.0001
    fine  costs.maximum_rate=0.01
unused-key note costs.maker_rate
    bad   costs.maker_rate=0.0001
    fine  costs.maker_rate=0.0001 ; stops.take_profit=5%
unused-key note costs.volume_window
    bad   costs.volume_window=9
    fine  costs.volume_window=9 ; costs.volume_share=0.1
costs-above-size warning costs.minimum
    bad   costs.minimum=20 ; sizing.notional=1000
    fine  costs.minimum=1
trail-before-stop warning stops.trailing
    bad   stops={hard: 3%, trailing: 2%}
    fine  stops={hard: 3%, trailing: 4%}
trail-before-stop warning stops.trailing
    bad   stops={hard: 0.03, trailing: 3%}
    fine  stops={hard: 0.03, trailing: 3%, activation: 1%}
trail-before-stop warning stops.trailing
    bad   stops={hard: 3 atr, trailing: 2 atr}
    fine  stops={hard: 2 atr, trailing: 3 atr}
trail-before-stop warning stops.trailing data
    bad   stops={hard: 9 atr, trailing: 2%}
    fine  stops={hard: 0.5 atr, trailing: 20%}
activation-after-target warning stops.activation
    bad   stops={trailing: 3%, activation: 6%, take_profit: 5%}
    fine  stops={trailing: 3%, activation: 4%, take_profit: 5%}
target-below-costs warning stops.take_profit
    bad   stops.take_profit=0.1%
    fine  stops.take_profit=2%
stop-inside-spread warning stops.hard
    bad   stops.hard=0.01%
    fine  stops.hard=1%
stop-never-met warning stops.hard
    bad   stops.hard=120%
    fine  stops.hard=20%
wide-stop warning stops.trailing
    bad   stops.trailing=0.5
    fine  stops.trailing=0.4
one-price-for-all warning stops.hard data
    bad   stops.hard={price: 9}
    fine  stops.hard={price: 9} ; data.symbols=[AAPL]
price-never-met warning stops.hard data
    bad   stops.hard={price: 900} ; data.symbols=[AAPL]
    fine  stops.hard={price: 10} ; data={sample: us_daily, symbols: [AAPL]}
no-tick error stops.hard data
    bad   stops.hard=20 ticks
    fine  stops.hard=20 ticks ; data.market={tick: 0.01}
time-stop-never warning stops.time_bars data
    bad   stops.time_bars=104
    fine  stops.time_bars=50
time-stop-never warning stops.time_days data
    bad   stops.time_days=1000
    fine  stops.time_days=100
time-stop-never warning stops.time_bars data
    bad   stops={time_bars: 30, time_days: 30}
    fine  stops={time_bars: 20, time_days: 30}
unused-key note stops.atr_window
    bad   stops={hard: 3%, atr_window: 9}
    fine  stops={hard: 3 atr, atr_window: 9}
window-too-long error stops.atr_window data
    bad   stops={hard: 3 atr, atr_window: 104}
    fine  stops={hard: 3 atr, atr_window: 50}
optimistic warning intrabar
    bad   intrabar=optimistic
    fine  intrabar=pessimistic
zones-order error risk.zones.boundaries
    bad   risk.zones.boundaries=[0.15, 0.10, 0.05]
    fine  risk.zones={cooldown_bars: 5}
zones-order error risk.zones.factors
    bad   risk.zones.factors=[0.5, 1, 0.25, 0]
    fine  risk.zones.factors=[1, 0.5, 0.25, 0]
zone-without-effect note risk.zones.factors
    bad   risk.zones.factors=[1, 1, 0.25, 0]
    fine  risk.zones={cooldown_bars: 5}
liquidation-before-alert error risk.zones.liquidate_at
    bad   risk.zones.liquidate_at=0.05
    fine  risk.zones.liquidate_at=0.2
boundary-never-binds warning risk.zones.liquidate_at
    bad   risk.zones.liquidate_at=0.12
    fine  risk.zones.liquidate_at=0.15
halt-for-good note risk.zones
    bad   risk.zones={}
    fine  risk.zones={cooldown_bars: 5}
window-too-long warning risk.zones.cooldown_bars data
    bad   risk.zones.cooldown_bars=104
    fine  risk.zones={cooldown_bars: 5}
one-trade-halts warning risk.zones
    bad   risk.zones={cooldown_bars: 5} ; sizing.weight=1 ; stops.hard=16%
    fine  risk.zones={cooldown_bars: 5} ; sizing.weight=1 ; stops.hard=5%
limit-never-binds warning risk.daily_loss
    bad   risk.zones={cooldown_bars: 5} ; risk.daily_loss=0.15
    fine  risk.zones={cooldown_bars: 5} ; risk.daily_loss=0.03
limit-never-binds warning risk.daily_loss
    bad   risk.zones.liquidate_at=0.12 ; risk.daily_loss=0.13
    fine  risk.zones.liquidate_at=0.12 ; risk.daily_loss=0.1
limit-never-binds warning risk.limits.max_gross
    bad   risk.limits.max_gross=1.5
    fine  risk.limits.max_gross=1.5 ; account.leverage=2
limit-never-binds error risk.limits.max_net
    bad   risk.limits={max_gross: 0.8, max_net: 0.9}
    fine  risk.limits={max_gross: 0.9, max_net: 0.8}
limit-never-binds warning risk.limits.max_gross
    bad   risk.limits={max_gross: 1.0, max_net: 0.8} ; direction=long
    fine  risk.limits={max_gross: 1.0, max_net: 0.8}
limit-never-binds warning risk.limits.max_position
    bad   risk.limits={max_gross: 0.5, max_position: 0.6}
    fine  risk.limits={max_gross: 0.5, max_position: 0.4}
limit-never-binds warning risk.limits.max_gross
    bad   risk.limits={max_gross: 0.9, max_position: 0.4}
    fine  risk.limits={max_gross: 0.7, max_position: 0.4}
limit-never-binds warning risk.limits.max_position_value
    bad   risk.limits={max_position: 0.25, max_position_value: 30000}
    fine  risk.limits={max_position: 0.25, max_position_value: 20000}
tightest-limit note risk.limits.max_position_value
    bad   risk.limits={max_position: 0.25, max_position_value: 10000}
    fine  risk.limits.max_position_value=10000
limit-below-size warning risk.limits.max_position
    bad   risk.limits.max_position=0.3
    fine  risk.limits.max_position=0.5
limit-below-size warning risk.limits.max_position_value
    bad   risk.limits.max_position_value=30000
    fine  risk.limits.max_position_value=60000
limit-without-stop warning risk.max_heat
    bad   risk.max_heat=0.03
    fine  risk.max_heat=0.03 ; stops.hard=3%
limit-without-stop warning risk.max_trade_loss
    bad   risk.max_trade_loss=0.01
    fine  risk.max_trade_loss=0.01 ; stops.hard=1%
limit-below-size warning risk.max_heat
    bad   risk.max_heat=0.01 ; stops.hard=3%
    fine  risk.max_heat=0.02 ; stops.hard=3%
limit-below-size warning risk.max_trade_loss
    bad   risk.max_trade_loss=0.01 ; stops.hard=3%
    fine  risk.max_trade_loss=0.02 ; stops.hard=3%
limit-never-binds warning risk.max_heat
    bad   risk.max_heat=0.02 ; stops.hard=3% ; sizing.weight=0.25
    fine  risk.max_heat=0.01 ; stops.hard=3% ; sizing.weight=0.25
limit-never-binds warning risk.max_heat
    bad   risk.max_heat=0.04 ; stops.hard=3%
    fine  risk.max_heat=0.025 ; stops.hard=3%
limit-never-binds warning risk.max_trade_loss
    bad   risk.max_trade_loss=0.04 ; stops.hard=3%
    fine  risk.max_trade_loss=0.02 ; stops.hard=3%
limit-never-binds warning risk.max_trade_loss
    bad   risk={max_heat: 0.02, max_trade_loss: 0.03} ; stops.hard=4%
    fine  risk={max_heat: 0.03, max_trade_loss: 0.02} ; stops.hard=4%
size-above-leverage warning sizing.weight
    bad   sizing.weight=1.5
    fine  sizing.weight=1.5 ; account.leverage=2
size-above-leverage warning sizing.notional
    bad   sizing.notional=200000
    fine  sizing.notional=50000
size-above-leverage warning sizing.units data
    bad   sizing.units=100000
    fine  sizing.units=100
cap-always-binds warning sizing.fixed_fractional.max_position_fraction
    bad   sizing.fixed_fractional={} ; stops.hard=3%
    fine  sizing.fixed_fractional={} ; stops.hard=4%
cap-always-binds warning sizing.kelly.max_position_fraction
    bad   sizing.kelly={win_rate: 0.6, avg_win: 2, avg_loss: 1} ; stops.hard=3%
    fine  sizing.kelly={win_rate: 0.6, avg_win: 2, avg_loss: 1} ; stops.hard=3% ; sizing.kelly.kelly_fraction=0.01
cap-always-binds warning sizing.confidence_based.max_position_fraction
    bad   sizing.confidence_based={} ; stops.hard=3%
    fine  sizing.confidence_based={} ; stops.hard=5%
cap-always-binds warning sizing.fixed_fractional.max_position_fraction data
    bad   sizing.fixed_fractional={} ; stops.hard=0.2 atr
    fine  sizing.fixed_fractional={} ; stops.hard=2 atr
kelly-fraction warning sizing.kelly.kelly_fraction
    bad   sizing.kelly={win_rate: 0.6, avg_win: 2, avg_loss: 1} ; sizing.kelly.kelly_fraction=0.6
    fine  sizing.kelly={win_rate: 0.6, avg_win: 2, avg_loss: 1} ; sizing.kelly.kelly_fraction=0.5
kelly-fraction error sizing.kelly.kelly_fraction
    bad   sizing.kelly={win_rate: 0.6, avg_win: 2, avg_loss: 1} ; sizing.kelly.kelly_fraction=1.5
    fine  sizing.kelly={win_rate: 0.6, avg_win: 2, avg_loss: 1}
kelly-without-edge error sizing.kelly
    bad   sizing.kelly={win_rate: 0.5, avg_win: 1, avg_loss: 1}
    fine  sizing.kelly={win_rate: 0.6, avg_win: 2, avg_loss: 1}
window-too-long warning sizing.kelly.min_trades data
    bad   sizing.kelly={min_trades: 60}
    fine  sizing.kelly={win_rate: 0.6, avg_win: 2, avg_loss: 1}
confidence-order error sizing.confidence_based.max_risk_fraction
    bad   sizing.confidence_based={base_risk_fraction: 0.03}
    fine  sizing.confidence_based={base_risk_fraction: 0.02}
confidence-unknown warning sizing.confidence_based data
    bad   sizing.confidence_based={} ; stops.hard=9%
    fine  sizing.fixed_fractional={}
never-trades error sizing.equal_weight.min_position
    bad   sizing.equal_weight={min_position: 0.6}
    fine  sizing.equal_weight={min_position: 0.5}
never-trades warning sizing.inverse_volatility.min_position
    bad   sizing.inverse_volatility={min_position: 0.6}
    fine  sizing.inverse_volatility={min_position: 0.1}
never-trades error sizing.equal_weight.min_position
    bad   sizing.equal_weight={max_position: 0.1, min_position: 0.2}
    fine  sizing.equal_weight={max_position: 0.2, min_position: 0.1}
limit-below-size warning sizing.equal_weight.max_position
    bad   sizing.equal_weight={max_position: 0.1}
    fine  sizing.equal_weight={max_position: 0.6}
never-trades error account.initial_capital data
    bad   account.initial_capital=20 ; data.market={lot: 100}
    fine  data.market={lot: 100}
never-trades warning sizing.notional data
    bad   sizing.notional=500 ; data.market={min_notional: 1000}
    fine  sizing.notional=1500 ; data.market={min_notional: 1000}
window-too-long warning sizing.volatility.window data
    bad   sizing.volatility={window: 104}
    fine  sizing.volatility={window: 50}
margin-at-once error account.leverage
    bad   account.leverage=5
    fine  account.leverage=4
margin-at-once warning account.leverage
    bad   account.leverage=4
    fine  account.leverage=3
margin-at-once error account.leverage
    bad   account.leverage=2 ; account.maintenance=0.6
    fine  account.leverage=2
margin-before-stop warning stops.hard
    bad   account.leverage=3 ; stops.hard=12% ; sizing.weight=1.5
    fine  account.leverage=3 ; stops.hard=5% ; sizing.weight=1.5
limit-never-binds warning risk.zones.liquidate_at
    bad   account.leverage=3 ; risk.zones.liquidate_at=0.4 ; sizing.weight=1.5
    fine  account.leverage=3 ; risk.zones.liquidate_at=0.2 ; sizing.weight=1.5
limit-never-binds note account.leverage
    bad   account.leverage=2 ; sizing.weight=0.5
    fine  account.leverage=2 ; sizing.weight=0.8
limit-never-binds note account.maintenance
    bad   account.maintenance=0.3 ; direction=long
    fine  account.maintenance=0.3
free-money warning account.leverage
    bad   account.leverage=2
    fine  account.leverage=2 ; carry.interest_rate=0.05
free-money warning carry data
    bad   strategy.parameters.direction=both
    fine  strategy.parameters.direction=both ; carry.borrow_rate=0.01
unused-key note carry.borrow_rate data
    bad   carry.borrow_rate=0.01
    fine  carry.borrow_rate=0.01 ; strategy.parameters.direction=both
unused-key note carry.interest_rate
    bad   carry.interest_rate=0.01
    fine  carry.interest_rate=0.01 ; account.leverage=2
flows warning account.flows
    bad   account.flows={2001-03-01: -200000}
    fine  account.flows={2001-03-01: -2000}
flows note account.flows.1999-01-01 data
    bad   account.flows={1999-01-01: 2000}
    fine  account.flows={2001-03-01: 2000}
unit warning account.flows.2001-03-01
    bad   account.flows={2001-03-01: 0.05}
    fine  account.flows={2001-03-01: 5000}
participation warning max_participation
    bad   max_participation=0.8
    fine  max_participation=0.05
unused-key note participation_rest
    bad   participation_rest=drop
    fine  participation_rest=drop ; max_participation=0.05
same-bar-fill warning fill
    bad   fill=close
    fine  fill=next_open
liquidate-at-end note liquidate_at_end
    bad   liquidate_at_end=true
    fine  liquidate_at_end=false
window-too-long error strategy.parameters data
    bad   strategy.parameters.slow=200
    fine
window-too-long warning strategy.parameters data
    bad   strategy.parameters.slow=80
    fine
direction error direction data
    bad   direction=short
    fine  direction=long
direction warning direction data
    bad   strategy.parameters.direction=both ; direction=long
    fine  strategy.parameters.direction=both
never-trades warning strategy data
    bad   data.end=2001-01-10
    fine
band-above-weight error band data
    bad   strategy={name: FixedWeights, parameters: {weights: {AAPL: 0.04, MSFT: 0.05}}} ; band=0.05
    fine  strategy={name: FixedWeights, parameters: {weights: {AAPL: 0.4, MSFT: 0.5}}} ; band=0.05
band-above-weight warning band data
    bad   strategy={name: FixedWeights, parameters: {weights: {AAPL: 0.04, MSFT: 0.5}}} ; band=0.05
    fine
size-above-leverage warning strategy data
    bad   strategy={name: FixedWeights, parameters: {weights: {AAPL: 1, MSFT: 1}}}
    fine  strategy={name: FixedWeights, parameters: {weights: {AAPL: 0.5, MSFT: 0.5}}}
window-step warning walk_forward
    bad   walk_forward={train_window_days: 90, test_window_days: 30}
    fine  walk_forward={train_window_days: 90, test_window_days: 30, step_days: 30}
window-step error walk_forward
    bad   walk_forward={train_window_bars: 252, test_window_bars: 63, step_bars: 21}
    fine  walk_forward={train_window_bars: 252, test_window_bars: 63, step_bars: 63}
window-units error walk_forward
    bad   walk_forward={train_window_bars: 252, test_window_days: 90}
    fine  walk_forward={train_window_bars: 252, test_window_bars: 63}
window-below-minimum error walk_forward.min_observations
    bad   walk_forward={train_window_days: 90, test_window_days: 30, min_observations: 1000}
    fine  walk_forward={train_window_days: 90, test_window_days: 30, min_observations: 90}
flat-section warning optimization.episodes
    bad   optimization={mode: rl, episodes: 20}
    fine  optimization={mode: rl, rl: {episodes: 20}}
"""
"""Id, severity and place, `data` where prices are needed; settings in which it is found, and settings in which it just is not."""


def _cases() -> list[Any]:
    lines = [line for line in CASES.splitlines() if line.strip()]
    out = []
    for head, bad, fine in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        id, severity, where, *data = head.split()
        settings = [tuple(s for s in line[10:].split(" ; ") if s) for line in (bad, fine)]
        out.append(pytest.param(id, severity, where, *settings, bool(data), id=f"{id}-{len(out)}-{where}"))
    return out


def test_a_clean_file_has_no_findings() -> None:
    assert findings() == []


@pytest.mark.parametrize(("id", "severity", "where", "bad", "good", "data"), _cases())
def test_a_rule_finds_it_and_nothing_near_it(
    id: str, severity: str, where: str, bad: tuple[str, ...], good: tuple[str, ...], data: bool
) -> None:
    caught = [f for f in found(id, *bad, data=data) if f.where == where]
    assert [f.severity for f in caught] == [severity], findings(*bad, data=data)
    assert caught[0].what and caught[0].why and caught[0].remedy
    assert not [f for f in found(id, *good, data=data) if (f.where, f.severity) == (where, severity)], "found where it is fine"


def test_every_rule_has_a_case() -> None:
    """Ids of the modules of rules; those of the schema, the objects and other names have tests of their own."""
    rules = (p for p in (PACKAGE / "config" / "lint").glob("*.py") if p.stem not in ("__init__", "structure", "load"))
    text = "".join(p.read_text(encoding="utf-8") for p in rules)
    ids = set(re.findall(r'(?:finding\(|_never\()\s*(?:facts,\s*)?"([a-z-]+)",', text))
    assert len(ids) > 40
    assert ids - {line.split()[0] for line in CASES.splitlines() if line.strip()} == {"no-volume"}


def test_no_volume_where_it_is_needed(tmp_path: Path) -> None:
    days = [f"2024-01-{d:02d}" for d in range(1, 31)]
    (tmp_path / "plain.csv").write_text("date,open,high,low,close\n" + "".join(f"{d},10,11,9,10\n" for d in days))
    (tmp_path / "silent.csv").write_text("date,open,high,low,close,volume\n" + "".join(f"{d},10,11,9,10,0\n" for d in days))
    for name, severity in (("plain", "error"), ("silent", "warning")):
        tree = CLEAN | {"data": {"path": f"{name}.csv", "symbol": "A"}, "strategy": {"name": "BuyAndHold"}, "max_participation": 0.1}
        assert [(f.severity, f.where) for f in check_config(tree, folder=tmp_path) if f.id == "no-volume"] == [
            (severity, "max_participation")
        ]
