"""Contradictions of the design documents that a configuration can express (C1 to C23 of the inventory), and faults of their logic.

Each is written as one of those documents would, and found before anything is run.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.config.checked import CLEAN, findings, found
from vecbt.config import check_config, parse_run
from vecbt.errors import ConfigError
from vecbt.risk.sizing import ConfidenceBasedSizing
from vecbt.risk.stops import Stops
from vecbt.risk.zones import Risk, Zones

OTHER_PROGRAM = """\
data: {sample: us_daily, symbols: [AAPL, MSFT], start: 2001-01-01, end: 2003-01-01}
risk_management:
  position_sizing:
    method: "confidence_based"
    risk_per_trade: 0.01
    max_position_size: 0.25
  stop_loss:
    enabled: true
    hard_stop_pct: 0.03
    trailing_stop_pct: 0.02
    take_profit_pct: 0.05
    time_stop_days: 30
  portfolio:
    max_drawdown_pct: 0.15
    daily_loss_limit_pct: 0.03
    max_portfolio_heat: 0.03
  drawdown_zones:
    normal: 0.05
    caution: 0.10
    alert: 0.15
    emergency: 0.20
strategy:
  type: SmaCross
backtesting:
  initial_capital: 10000
  transaction_cost: 0.0015
  slippage_bps: 5
"""


def test_a_configuration_of_another_program_is_read_with_warnings() -> None:
    """C1, C7, C14, C16: its names, its nesting and its four zones become ours, each with its line."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        given = parse_run(OTHER_PROGRAM, name="config.yaml").keywords()
    assert given["initial_capital"] == 10000 and given["costs"].commission_rate == 0.0015 and given["costs"].slippage_bps == 5
    assert given["stops"] == Stops(hard=0.03, trailing=0.02, take_profit=0.05, time_days=30)
    assert given["sizing"] == ConfidenceBasedSizing(base_risk_fraction=0.01, max_position_fraction=0.25)
    assert given["risk"] == Risk(zones=Zones(boundaries=(0.05, 0.10, 0.15), liquidate_at=0.20), daily_loss=0.03, max_heat=0.03)
    messages = [str(w.message) for w in said]
    assert "config.yaml, line 21: risk_management.drawdown_zones.emergency was read as risk.zones.liquidate_at" in "\n".join(messages)
    assert all("; " in m for m in messages), "each says what to write"


def test_what_contradicts_itself_in_it_is_found(tmp_path: Path) -> None:
    """C4 and faults 17: its trail is tighter than its stop, its cap always binds."""
    (tmp_path / "config.yaml").write_text(OTHER_PROGRAM)
    ids = {(f.id, f.where) for f in check_config(tmp_path / "config.yaml")}
    assert ("trail-before-stop", "stops.trailing") in ids
    assert ("cap-always-binds", "sizing.confidence_based.max_position_fraction") in ids
    assert ("confidence-unknown", "sizing.confidence_based") in ids
    assert not [f for f in check_config(tmp_path / "config.yaml") if f.severity == "error"]


def test_c1_zones_are_one_ordered_array_and_emergency_is_the_liquidation() -> None:
    """Out of order, liquidated before ALERT begins, and in the named form before it ends."""
    assert found("zones-order", "risk.zones.boundaries=[0.10, 0.05, 0.15]", data=False)
    assert found("liquidation-before-alert", "risk.zones={emergency: 0.06}", data=False)
    named = "risk.zones={normal: 0.05, caution: 0.10, alert: 0.15, emergency: 0.12}"
    (finding,) = found("two-names", named, data=False)
    assert finding.severity == "error" and "must be alert or more" in finding.what
    assert not [f for f in findings(named.replace("0.12", "0.20"), data=False) if f.severity == "error"]
    with pytest.raises(ConfigError, match="must be alert or more"):
        parse_run("a: 1", [named])


def test_c1_one_drawdown_that_halts_is_the_last_boundary() -> None:
    with pytest.warns(UserWarning, match="the last of three zones"):
        run = parse_run(_text(), ["risk.max_drawdown_pct=0.15"])
    assert run.keywords()["risk"] == Risk(zones=Zones(boundaries=(0.05, 0.10, 0.15)))
    (finding,) = found("two-names", "risk={max_drawdown_pct: 0.2, zones: {}}", "risk.zones.boundaries=[0.05, 0.1, 0.15]", data=False)
    assert "is 0.2, but the last of the zones' boundaries, which halts trading, is 0.15" in finding.what


def _text() -> str:
    return "data: {sample: us_daily}\nstrategy: {name: SmaCross}\ncosts: {commission_rate: 0.001}\naccount: {initial_capital: 5000}\n"


def test_c2_positions_are_limited_by_fraction_and_money_and_the_tightest_wins() -> None:
    (note,) = found("tightest-limit", "risk.limits={max_position: 0.25, max_position_value: 10000}", data=False)
    assert "10,000" in note.what and "10 % of the capital" in note.what
    (never,) = found("limit-never-binds", "risk.limits={max_position: 0.1, max_position_value: 20000}", data=False)
    assert "only bind once equity is above 200,000" in never.why
    with pytest.warns(UserWarning, match="max_position_value"):
        limits = parse_run(_text(), ["risk.max_position_size=10000"]).keywords()["risk"].limits
    assert limits.max_position_value == 10000 and limits.max_position is None
    with pytest.warns(UserWarning, match="max_position"):
        assert parse_run(_text(), ["risk.max_position_size=0.1"]).keywords()["risk"].limits.max_position == 0.1


def test_c3_stops_of_each_document_are_presets_and_off_by_default() -> None:
    assert "stops" not in parse_run(_text()).keywords()
    assert parse_run(_text(), ["stops.preset=tight"]).keywords()["stops"] == Stops.preset("tight")
    assert found("trail-before-stop", "stops={preset: layered, activation: null, trailing: 2%}", data=False) == []
    (finding,) = [f for f in findings("stops.preset=layred", data=False) if f.severity == "error"]
    assert finding.where == "stops.preset" and "'layered'" in finding.remedy


def test_c4_a_trail_tighter_than_the_hard_stop() -> None:
    assert found("trail-before-stop", "stops={hard: 3%, trailing: 2%}", data=False)
    assert not found("trail-before-stop", "stops={hard: 3%, trailing: 2%, activation: 2%}", data=False)


def test_c5_kelly_above_one_half() -> None:
    for fraction, severities in (("0.25", []), ("0.5", []), ("0.75", ["warning"]), ("1.1", ["error"])):
        assert [f.severity for f in found("kelly-fraction", f"sizing.kelly.kelly_fraction={fraction}", data=False)] == severities


def test_c6_costs_that_are_zero_in_whole_or_in_part() -> None:
    assert found("zero-costs", data=False, costs={"free": True})
    assert found("no-commission", data=False, costs={"slippage_bps": 5})
    assert found("no-slippage", data=False, costs={"commission_rate": 0.001})
    (finding,) = [f for f in findings(data=False, costs={"commission_rate": 0}) if f.severity == "error"]
    assert "Costs are all zero" in finding.what


def test_c7_capital_is_required_in_a_file() -> None:
    (finding,) = [f for f in findings(data=False, account={}) if f.severity == "error"]
    assert (finding.id, finding.where) == ("missing-key", "account.initial_capital") and "another default" in finding.why


def test_c9_confidence_that_is_not_there_is_no_passing_number() -> None:
    (finding,) = found("confidence-unknown", "sizing.confidence_based={}", "stops.hard=9%")
    assert "fully confident" in finding.why


def test_c10_and_c11_a_risk_without_its_horizon() -> None:
    """A value at risk is three numbers; portfolio risk of a year and of a bar have one name."""
    for name in ("var_limit", "max_portfolio_risk"):
        (finding,) = [f for f in findings(f"risk.{name}=0.15", data=False) if f.severity == "error"]
        assert (finding.id, finding.where) == ("no-horizon", f"risk.{name}")
    assert found("unit", "sizing.forecast={max_portfolio_risk: 0.15}", data=False)


def test_c12_orders_meet_the_next_open_unless_asked_otherwise() -> None:
    """Fault 22: decided and filled at one close."""
    assert not found("same-bar-fill", data=False) and found("same-bar-fill", "fill=close", data=False)


def test_c13_windows_have_one_unit_and_a_step() -> None:
    """Faults 25 and 34 too: overlapping tests, and a minimum that no window can meet."""
    days = "train_window_days: 90, test_window_days: 30"
    assert found("window-step", f"walk_forward={{{days}}}", data=False)
    assert found("window-units", "walk_forward={train_window_days: 90, test_window_bars: 63}", data=False)
    assert found("window-step", "walk_forward={train_window_bars: 252, test_window_bars: 63, step_bars: 21}", data=False)
    assert found("window-below-minimum", f"optimization={{wfo: {{{days}, min_observations: 1000}}}}", data=False)


def test_c14_other_names_of_a_window_are_accepted_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "momentum_for_check.py").write_text("def rows(bars, window=5):\n    raise ValueError(window)\n")
    for name in ("lookback_days", "lookback_period", "lookback"):
        tree = CLEAN | {"strategy": {"name": "momentum_for_check:rows", "parameters": {name: 30}}}
        (warning,) = [f for f in check_config(tree, folder=tmp_path) if f.id == "other-name"]
        assert f"{name!r} was read as 'window'" in warning.what and warning.severity == "warning"
        with pytest.warns(UserWarning, match="was read as 'window'"):
            run = parse_run(_text(), [f"strategy={{name: momentum_for_check:rows, parameters: {{{name}: 30}}}}"], folder=tmp_path)
            assert run.strategy().parameters == {"window": 30}
    two = CLEAN | {"strategy": {"name": "momentum_for_check:rows", "parameters": {"window": 3, "lookback_days": 30}}}
    (error,) = [f for f in check_config(two, folder=tmp_path) if f.severity == "error"]
    assert "takes no parameter 'lookback_days'" in error.what


def test_c16_flat_keys_are_moved_with_a_warning_and_never_beside_the_nested_ones() -> None:
    flat = {k: v for k, v in CLEAN.items() if k not in ("account", "costs")} | {
        "initial_capital": 5000, "commission_rate": 0.001, "slippage_bps": 5, "limits": {"max_gross": 0.9},
    }  # fmt: skip
    found_ = check_config(flat, data=False)
    assert {f.where for f in found_ if f.id == "other-name"} == {"initial_capital", "commission_rate", "slippage_bps", "limits"}
    assert not [f for f in found_ if f.severity == "error"]
    (error,) = [f for f in findings("initial_capital=7000", data=False) if f.severity == "error"]
    assert error.id == "two-names" and "both are given" in error.what
    assert found("flat-section", "optimization={mode: rl, episodes: 20, rl: {}}", data=False)


def test_c21_a_side_that_is_not_allowed(tmp_path: Path) -> None:
    """Short entries and short weights where direction is long; a strategy that only sells short."""
    (tmp_path / "sides_for_check.py").write_text(
        "import numpy as np\n"
        "from vecbt.engine.inputs import Signals, Weights\n"
        "def both(bars):\n    up = bars.close > bars.open\n    return Signals(entries=up, short_entries=~up)\n"
        "def short(bars):\n    return Weights(np.full(bars.close.shape, -0.4))\n"
    )
    for name, severity, message in (("both", "warning", "read as an exit"), ("short", "error", "nothing is ever traded")):
        tree = CLEAN | {"strategy": {"name": f"sides_for_check:{name}"}, "direction": "long"}
        (finding,) = [f for f in check_config(tree, folder=tmp_path) if f.id == "direction"]
        assert finding.severity == severity and message in finding.why
        assert not [f for f in check_config(tree | {"direction": "both"}, folder=tmp_path) if f.id == "direction"]


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [
        ("risk={reduce_exposure_at_drawdown: 0.1, stop_trading_at_drawdown: 0.15}", "use risk.zones.boundaries"),  # C1
        ("stops={default_stop_loss_pct: 0.05}", "use stops.hard"),  # C3
        ("stops={use_stop_loss: false}", "a stop that is given is on"),
        ("sizing.kelly={kelly_win_loss_ratio: 1.0}", "give avg_win and avg_loss"),  # C5
        ("sizing.kelly={half_kelly: true}", "use kelly_fraction: 0.5"),
        ("signal={long_threshold: 0.01, signal_scale: 3}", "strategy.parameters"),  # C8
        ("prediction={confidence_threshold: 0.6}", "strategy.parameters"),  # C9
        ("order={type: limit, time_in_force: day}", "market orders at the next open"),  # C12
        ("walk_forward={train_window_bars: 252, test_window_bars: 63, step_bars: 63}", "one simulation"),  # C13
        ("execution={algorithm: twap, parts: 10}", "market orders at the next open"),  # C15
        ("ensemble={thresholds: {vote_ratio: 0.66}}", "strategy.parameters"),  # C17
        ("allow_short=false", "use direction"),  # C21
        ("optimization={tune_on: test}", "use sweep.vary"),  # C22
        ("sizing={weight: 0.1, equal_risk_contribution: {}}", "use inverse_volatility"),  # C23
    ],
)
def test_what_other_programs_say_elsewhere_is_refused_and_says_where_it_stands_here(setting: str, remedy: str) -> None:
    """No key is silently ignored: each is an error whose remedy names the key, or the place, that decides it here."""
    errors = [f for f in findings(setting, data=False) if f.id == "unknown-key"]
    assert errors and all(remedy in f.remedy for f in errors), errors
    with pytest.raises(ConfigError, match=remedy):
        parse_run(_text(), [setting])


def test_c23_risk_parity_says_which_of_the_two_it_is() -> None:
    (finding,) = found("other-name", "sizing={method: risk_parity}", data=False)
    assert "leaves correlations aside" in finding.remedy + finding.what and "inverse_volatility" in finding.remedy


def test_fault_17_the_cap_decides_what_is_risked() -> None:
    (finding,) = found("cap-always-binds", "sizing.fixed_fractional={}", "stops.hard=3%", data=False)
    assert "asks for 33.33 % of equity, the cap is 25 %" in finding.what and "what is risked is 0.75 %, not 1 %" in finding.why


def test_fault_20_a_gate_on_the_win_rate() -> None:
    (finding,) = findings("sizing.kelly={min_win_rate: 0.4}", "stops.hard=9%", data=False)
    assert finding.where == "sizing.kelly.min_win_rate" and finding.severity == "warning" and "the edge" in finding.what


def test_fault_21_kelly_without_an_edge_never_trades() -> None:
    (finding,) = [
        f for f in findings("sizing.kelly={win_rate: 0.5, avg_win: 1, avg_loss: 1}", "stops.hard=9%", data=False) if f.severity == "error"
    ]
    assert finding.id == "kelly-without-edge" and "nothing is ever traded" in finding.why
