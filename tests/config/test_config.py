"""A run file builds exactly the public objects; what is wrong is named with its line, its range, the nearest key."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from vecbt import Carry
from vecbt.config import load_run, parse_run, rules, run_schema, sizes
from vecbt.config.example import EXAMPLE
from vecbt.config.models import AccountSection, CostsSection, RunConfig
from vecbt.data import samples
from vecbt.engine.setup import Setup
from vecbt.engine.strategy import FunctionStrategy
from vecbt.errors import ConfigError, DataError, VecbtError
from vecbt.execution.costs import Costs
from vecbt.risk.limits import Limits
from vecbt.risk.presets import STOPS
from vecbt.risk.sizing import (
    SIZINGS,
    Cash,
    ConfidenceBasedSizing,
    EqualWeight,
    FixedFractionalSizing,
    ForecastSizing,
    InverseVolatility,
    KellyCriterion,
    Notional,
    Units,
    VolatilitySizing,
    Weight,
)
from vecbt.risk.sizing.factory import METHODS
from vecbt.risk.stops import Atr, Pct, Price, Stops, Ticks
from vecbt.risk.zones import Risk, Zones
from vecbt.strategies.basic import FixedWeights
from vecbt.strategies.trend import EmaCross, SmaCross

SMALL = """\
data: {sample: us_daily, symbols: [AAPL]}
strategy:
  name: SmaCross
costs: {commission_rate: 0.001}
account:
  initial_capital: 50000
"""


def keywords(*settings: str) -> dict[str, Any]:
    return parse_run(SMALL, settings).keywords()


def test_only_what_is_given_is_passed_on() -> None:
    run = parse_run(SMALL)
    assert run.keywords() == {"costs": Costs(commission_rate=0.001), "initial_capital": 50000.0}
    assert run.strategy() == SmaCross()
    assert run.bars() == samples.load("us_daily", ["AAPL"])


def test_every_section_becomes_its_public_object() -> None:
    assert keywords("costs={free: true}")["costs"] == Costs.free()
    assert keywords("costs.minimum=1", "costs.volume_window=5")["costs"] == Costs(commission_rate=0.001, minimum=1, volume_window=5)
    forms = {
        "{weight: 0.5}": Weight(0.5),
        "{weight: 0.5, scale_by_signal: false}": Weight(0.5, scale_by_signal=False),
        "{units: 10}": Units(10),
        "{notional: 5000}": Notional(5000),
        "{cash: 0.9}": Cash(0.9),
        "{fixed_fractional: {}}": FixedFractionalSizing(),
        "{fixed_fractional: {risk_fraction: 0.02}}": FixedFractionalSizing(risk_fraction=0.02),
        "{weight: 0.5, max_position: 0.2}": Weight(0.5, max_position=0.2),
        "{kelly: {kelly_fraction: 0.5, min_trades: 9}}": KellyCriterion(kelly_fraction=0.5, min_trades=9),
        "{kelly: {win_rate: 0.6, avg_win: 2, avg_loss: 1}}": KellyCriterion(win_rate=0.6, avg_win=2.0, avg_loss=1.0),
        "{confidence_based: {min_confidence: 0.6}}": ConfidenceBasedSizing(min_confidence=0.6),
        "{equal_weight: {max_position: 0.2}}": EqualWeight(max_position=0.2),
        "{inverse_volatility: {window: 9}}": InverseVolatility(window=9),
        "{volatility: {risk_per_trade: 0.02}}": VolatilitySizing(risk_per_trade=0.02),
        "{forecast: {scale: 0.02}}": ForecastSizing(scale=0.02),
    }
    assert {type(size) for size in forms.values()} == set(SIZINGS)
    for text, size in forms.items():
        assert keywords(f"sizing={text}")["sizing"] == size
    stops = keywords("stops={hard: 3%, trailing: 2 atr, activation: 1.5%, take_profit: {price: 97.5}, time_bars: 9, atr_window: 7}")[
        "stops"
    ]
    assert stops == Stops(hard=Pct(3), trailing=Atr(2), activation=Pct(1.5), take_profit=Price(97.5), time_bars=9, atr_window=7)
    assert keywords("risk={zones: {}}")["risk"] == Risk(zones=Zones())
    zones = keywords("risk={zones: {boundaries: [0.1, 0.2, 0.3], liquidate_at: 0.25, cooldown_bars: 5}}")["risk"]
    assert zones == Risk(zones=Zones(boundaries=(0.1, 0.2, 0.3), liquidate_at=0.25, cooldown_bars=5))
    risk = keywords("risk={daily_loss: 0.03, max_heat: 0.04, max_trade_loss: 0.01, limits: {max_gross: 1, max_position_value: 5000}}")[
        "risk"
    ]
    assert risk == Risk(daily_loss=0.03, max_heat=0.04, max_trade_loss=0.01, limits=Limits(max_gross=1.0, max_position_value=5000.0))
    assert keywords("carry={borrow_rate: {A: 0.01}, interest_rate: 0.05}")["carry"] == Carry(borrow_rate={"A": 0.01}, interest_rate=0.05)
    assert keywords("stops={preset: layered, hard: 4%}")["stops"] == dataclasses.replace(Stops.preset("layered"), hard=Pct(4))
    account = keywords("account.leverage=2", "account.maintenance=0.3", "account.flows={2001-02-01: -500}", "max_participation=0.1")
    assert {k: account[k] for k in ("leverage", "maintenance", "flows", "max_participation")} == {
        "leverage": 2, "maintenance": 0.3, "flows": {"2001-02-01": -500}, "max_participation": 0.1,
    }  # fmt: skip
    given = keywords(
        "fill=close",
        "direction=long",
        "band=0.02",
        "audit=true",
        "account.accounts=separate",
        "account.positions={A: {quantity: -3, price: 9}}",
    )
    assert {k: given[k] for k in ("fill", "direction", "band", "audit", "accounts", "positions")} == {
        "fill": "close", "direction": "long", "band": 0.02, "audit": True, "accounts": "separate", "positions": {"A": (-3.0, 9.0)},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "distance"),
    [
        ("3%", Pct(3)), ("'2.5 %'", Pct(2.5)), ("3 percent", Pct(3)), ("2 atr", Atr(2)), ("1.5ATR", Atr(1.5)), ("20 ticks", Ticks(20)),
        ("1 tick", Ticks(1)),
        ("0.03", 0.03), ("{price: 97.5}", Price(97.5)), ("{percent: 3}", Pct(3)), ("{atr: 2}", Atr(2)), ("{ticks: 4}", Ticks(4)),
    ],
)  # fmt: skip
def test_distances_are_written_in_words(text: str, distance: Any) -> None:
    assert keywords(f"stops.hard={text}")["stops"].hard == distance


def test_strategies_take_their_parameters() -> None:
    assert parse_run(SMALL, ["strategy={name: EmaCross, parameters: {fast: 5, slow: 9, direction: both}}"]).strategy() == EmaCross(
        5, 9, "both"
    )
    assert parse_run(SMALL, ["strategy={name: FixedWeights, parameters: {weights: {AAPL: 0.5}}}"]).strategy() == FixedWeights({"AAPL": 0.5})


def test_a_strategy_of_your_own_stands_beside_the_run_file(tmp_path: Path) -> None:
    (tmp_path / "my_rules_for_test.py").write_text(
        "from dataclasses import dataclass\n"
        "from vecbt.engine.inputs import Strengths\n"
        "from vecbt.engine.strategy import Strategy\n"
        "from vecbt.core.space import Parameter\n"
        "@dataclass(frozen=True)\n"
        "class Mine(Strategy):\n"
        "    level: float = Parameter(0.5, low=0, high=1)\n"
        "    def rows(self, bars):\n"
        "        return Strengths(bars.close * 0 + self.level)\n"
        "def plain(bars, level=0.25):\n"
        "    return Strengths(bars.close * 0 + level)\n"
        "READY = Mine(0.75)\n"
        "number = 3\n"
    )
    (tmp_path / "run.yaml").write_text(SMALL)

    def strategy(*settings: str) -> Any:
        return load_run(tmp_path / "run.yaml", settings).strategy()

    name = "strategy.name=my_rules_for_test"
    assert strategy(f"{name}:Mine", "strategy.parameters.level=1").parameters == {"level": 1.0}
    assert strategy(f"{name}:READY").parameters == {"level": 0.75}
    plain = strategy(f"{name}:plain", "strategy.parameters.level=0.125")
    assert isinstance(plain, FunctionStrategy) and isinstance(plain.function, functools.partial) and plain.parameters == {"level": 0.125}
    bars = samples.load("us_daily", ["AAPL"])[:5]
    assert np.all(plain.rows(bars).align(bars).values == 0.125)
    for settings, message in (
        ((f"{name}:Min",), "the module has no 'Min'; did you mean 'Mine'"),
        ((f"{name}:number",), "expected a subclass of Strategy"),
        ((f"{name}:Mine", "strategy.parameters.level=2"), "Mine.level is 2; expected a number from 0 to 1"),
        ((f"{name}:plain", "strategy.parameters.lvl=2"), "takes no parameter 'lvl'; did you mean 'level'"),
        (("strategy.name=no_such_module:X",), "no module 'no_such_module' in .* or among the installed packages"),
        (("strategy.name=SmaCros",), "which no strategy is called; did you mean 'SmaCross'"),
    ):
        with pytest.raises(ConfigError, match=message):
            strategy(*settings)


def test_an_import_error_inside_your_module_is_not_hidden(tmp_path: Path) -> None:
    (tmp_path / "broken_for_test.py").write_text("import a_package_nobody_has\n")
    run = parse_run(SMALL, ["strategy.name=broken_for_test:X"], folder=tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_package_nobody_has"):
        run.strategy()


def test_prices_come_from_files_beside_the_run_file(tmp_path: Path) -> None:
    days = [f"2024-01-{d:02d}" for d in range(1, 11)]
    (tmp_path / "one.csv").write_text("date,open,high,low,close\n" + "".join(f"{d},10,11,9,10\n" for d in days))
    rows = [f"{d},{s},10,11,9,10,5\n" for d in days for s in ("A", "B")]
    (tmp_path / "two.csv").write_text("date,symbol,open,high,low,close,volume\n" + "".join(rows))

    def bars(data: str) -> Any:
        return parse_run(SMALL, [f"data={data}"], folder=tmp_path).bars()

    one = bars("{path: one.csv, symbol: X, market: {tick: 0.01, calendar: null}, start: 2024-01-03, end: 2024-01-06}")
    assert one.symbols == ("X",) and one.T == 3 and one.market.tick.tolist() == [0.01]
    assert bars("{path: two.csv, symbols: [B]}").symbols == ("B",)
    assert bars("{path: two.csv, symbols: [B, A], resample: 1W}").symbols == ("B", "A")
    closed = bars("{path: two.csv, delistings: {B: {time: 2024-01-04, haircut: 0.5}}}")
    assert closed.delist_haircut.tolist() == [0.0, 0.5]
    dated = bars("{path: two.csv, splits: {A: {2024-01-05: 2}}, dividends: {B: {2024-01-06: 0.5}}}")
    assert dated.splits[4, 0] == 2.0 and dated.dividends[5, 1] == 0.5 and dated.funding is None
    swaps = bars("{path: one.csv, symbol: X, funding: {X: {2024-01-05: 0.001}}, market: {instrument: perpetual, initial_margin: 2}}")
    assert swaps.funding[4, 0] == 0.001 and swaps.market.instrument == ("perpetual",) and swaps.market.initial_margin.tolist() == [2.0]
    for data, message in (
        ("{path: none.csv}", "no such CSV file"),
        ("{path: none.txt}", "expected a file called .csv or .parquet"),
        ("{path: two.csv, symbols: [C]}", "'C' is no symbol"),
        ("{path: two.csv, start: 2030-01-01}", "no bar from"),
        ("{path: two.csv, start: soon}", "start is 'soon'; expected a date"),
        ("{path: two.csv, adjusted: true}", "adjusted goes with sample, not with path"),
        ("{sample: us_daily, splits: {AAPL: {2001-01-01: 2}}}", "splits goes with path, not with sample"),
        ("{path: two.csv, market: {instrument: {A: option}}}", "data.market.instrument.A is 'option'; expected one of 'cash'"),
    ):
        with pytest.raises(VecbtError, match=message):
            bars(data)


def test_units_of_trading_can_be_set_for_a_sample() -> None:
    run = parse_run(SMALL, ["data.market={tick: 0.01, lot: {AAPL: 1}}"])
    bars = run.bars()
    assert bars.market.tick.tolist() == [0.01] and bars.market.lot.tolist() == [1.0] and bars.market.calendar == "XNYS"
    np.testing.assert_array_equal(bars.close, samples.load("us_daily", ["AAPL"]).close)
    with pytest.raises(ConfigError, match=r"market\.calendar is part of a sample"):
        parse_run(SMALL, ["data.market.calendar=XLON"]).bars()


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (1, "data: {sample: us_daily, path: x}", "data: expected one of sample and path"),
        (1, "data: {sample: us_daily, time: t}", "data: time goes with path, not with sample"),
        (1, "data: {sampel: us_daily}", "unknown key 'sampel' in data; did you mean 'sample'?"),
        (1, "data: {sample: us_daily, symbols: [1]}", "data.symbols[0] is 1; expected text; put it in quotes"),
        (1, "data: 3", "data is 3; expected a section of keys"),
        (3, "  nam: SmaCross", "unknown key 'nam' in strategy; did you mean 'name'?"),
        (4, "costs: {slipage_bps: 5}", "unknown key 'slipage_bps' in costs; did you mean 'slippage_bps'?"),
        (4, "costs: {slippage_bps: -5}", "costs.slippage_bps is -5; expected a number of at least 0"),
        (4, "costs: {slippage_bps: '5'}", "costs.slippage_bps is '5'; expected a number"),
        (4, "costs: {slippage_bps: .nan}", "costs.slippage_bps is nan; expected a finite number"),
        (4, "costs:", "costs is empty; expected a section with the keys free, commission_rate"),
        (4, "costz: {free: true}", "unknown key 'costz'; did you mean 'costs'?"),
        (6, "  initial_capital: 0", "account.initial_capital is 0; expected a number greater than 0"),
        (6, "  initial_capital: 100k", "account.initial_capital is '100k'; expected a number"),
        (5, "account: {}", "account.initial_capital is missing: money at the start"),
        (7, "band: 1", "band is 1; expected a number of at least 0 and below 1"),
        (7, "fill: open", "fill is 'open'; expected one of 'next_open', 'close'"),
        (7, "audit: 1", "audit is 1; expected true or false"),
        (7, "stops: {hard: 3}", "stops.hard is 3; expected the unit as well: '3%', '3 atr', '3 ticks' or {price: 3}"),
        (7, "stops: {hard: 3 pct}", "stops.hard is '3 pct'; expected '3%', '2 atr', '20 ticks', {price: 97.5}, or a fraction"),
        (7, "stops: {hard: true}", "stops.hard is true; expected '3%'"),
        (7, "stops: {hard: {prize: 3}}", "expected one of the keys price, percent, atr, ticks"),
        (7, "stops: {hard: {price: x}}", "expected a number under price"),
        (7, "stops: {hard: 0 ticks}", "expected a distance greater than 0"),
        (7, "stops: {trailing: 3%, activation: 1 atr}", "stops.activation is '1 atr'; expected a gain such as '2%' or 0.02"),
        (7, "stops: {time_bars: 2.5}", "stops.time_bars is 2.5; expected a whole number"),
        (7, "stops: {time_bars: 0}", "stops.time_bars is 0; expected a number of at least 1"),
        (7, "sizing: {}", "expected exactly one of weight, units, notional, cash, fixed_fractional, kelly, confidence_based,"),
        (7, "sizing: {weight: 1, cash: 1}", "found weight and cash"),
        (7, "sizing: {units: 1, scale_by_signal: true}", "scale_by_signal goes with weight only"),
        (7, "sizing: {cash: 1.5}", "sizing.cash is 1.5; expected a number greater than 0 and of at most 1"),
        (7, "risk: {zones: {boundaries: [0.1, 0.2]}}", "risk.zones.boundaries is [0.1, 0.2]; expected 3 numbers"),
        (7, "risk: {zones: {boundaries: [0.1, 0.2, x]}}", "risk.zones.boundaries[2] is 'x'; expected a number"),
    ],
)
def test_a_mistake_is_named_with_its_line(line: int, text: str, message: str) -> None:
    lines = SMALL.splitlines()
    if line == 5:
        lines = lines[:4]
    lines[line - 1 : line] = [text]
    with pytest.raises(ConfigError) as caught:
        parse_run("\n".join(lines), name="run.yaml")
    assert message in str(caught.value) and f"line {line}" in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("costs={}", "costs: Costs are all zero"),
        ("costs.free=true", "costs: free: true stands beside commission_rate; keep one"),
        ("costs.commission_rate=0.7", "--set costs.commission_rate=0.7: costs: Costs.commission_rate is 0.7, half of the notional or more"),
        ("stops={}", "stops: Stops() sets no exit"),
        ("stops={trailing: {price: 3}}", "stops: Stops.trailing is Price(level=3.0), a fixed level"),
        ("risk={}", "risk: Risk() sets no rule"),
        ("risk.zones.boundaries=[0.3, 0.2, 0.1]", "risk: Zones.boundaries are (0.3, 0.2, 0.1); expected ascending"),
        ("sizing.fixed_fractional.risk_fraction=2", "sizing: FixedFractionalSizing.risk_fraction is 2"),
    ],
)
def test_what_a_public_object_refuses_is_named_with_its_section(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        keywords(setting)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_run("data: {sample: us_daily}\ncosts: {x: 1}\naccount: {initial_capital: -1}\n", name="run.yaml")
    text = str(caught.value).splitlines()
    assert len(text) == 3 and "strategy is missing" in text[0] + text[1] + text[2]


def test_the_example_is_the_tour_and_runs_as_it_is() -> None:
    run = parse_run(EXAMPLE)
    assert run.bars().symbols == ("AAPL", "MSFT", "IBM") and run.strategy() == SmaCross()
    Setup.of(**run.keywords()).for_market(run.bars().market, True)
    off = [line.lstrip("# ").split("  #")[0].rstrip() for line in EXAMPLE.splitlines() if re.match(r"^\s*# \w+: ", line)]
    assert len(off) > 10
    known = set(RunConfig.model_fields)
    for section in ("data", "strategy", "costs", "account", "sizing", "stops", "risk", "output"):
        inner = RunConfig.model_fields[section].annotation
        known |= set(getattr(inner, "model_fields", {})) or {f for part in inner.__args__ for f in getattr(part, "model_fields", {})}  # type: ignore[union-attr]
    known |= set(rules.ZonesSection.model_fields)
    assert {line.split(":")[0] for line in off} <= known, "the example speaks of a key that is none"


def test_every_line_of_the_example_that_is_off_can_be_switched_on() -> None:
    lines = EXAMPLE.splitlines()
    off = [k for k, line in enumerate(lines) if re.match(r"^ *# +\w+: ", line) and "path:" not in line]
    assert len(off) > 25
    for k in off:
        instead = re.search(r"# (weight|units|notional|cash|kelly|equal_weight): ", lines[k])
        text = [line for line in lines if not (instead and "fixed_fractional:" in line)]
        on = re.sub(r"^( *)# ", r"\1", lines[k])
        header = next((line[2:] for line in reversed(lines[:k]) if re.match(r"# \w+: +#", line)), "")
        where = text.index(lines[k])
        text[where : where + 1] = [header, on] if lines[k].startswith("#   ") else [on]
        run = parse_run("\n".join(text))
        Setup.of(**{key: value for key, value in run.keywords().items() if key != "audit"})


def test_what_the_example_shows_as_off_is_the_default() -> None:
    shown = dict(re.findall(r"^# (\w+): (\S+)", EXAMPLE, flags=re.MULTILINE))
    defaults = {f.name: f.default for f in dataclasses.fields(Setup)} | {"audit": False}
    defaults = {k: v for k, v in defaults.items() if v is not None}  # where nothing is the default, a value is shown
    assert {k: yaml.safe_load(v) for k, v in shown.items() if k in defaults} == {k: defaults[k] for k in shown if k in defaults}
    assert {"fill", "direction", "intrabar", "liquidate_at_end", "audit"} <= set(shown)


def test_the_schema_shows_the_defaults_of_the_public_objects() -> None:
    schema = run_schema()
    json.dumps(schema, allow_nan=False)
    assert schema["properties"]["fill"]["default"] == "next_open" and schema["required"] == ["data", "strategy", "costs", "account"]
    definitions = schema["$defs"]
    assert definitions["CostsSection"]["properties"]["volume_window"]["default"] == Costs.free().volume_window
    assert definitions["ZonesSection"]["properties"]["boundaries"]["default"] == [0.05, 0.1, 0.15]
    assert definitions["AccountSection"]["required"] == ["initial_capital"]
    for definition in definitions.values():
        assert definition["additionalProperties"] is False and definition["description"]


@pytest.mark.parametrize(
    ("section", "owner"),
    [
        (CostsSection, Costs), (rules.StopsSection, Stops), (rules.ZonesSection, Zones), (rules.RiskSection, Risk),
        (rules.LimitsSection, Limits), (rules.CarrySection, Carry), (sizes.FixedFractionalSection, FixedFractionalSizing),
        (sizes.KellySection, KellyCriterion), (sizes.ConfidenceSection, ConfidenceBasedSizing), (sizes.EqualWeightSection, EqualWeight),
        (sizes.InverseVolatilitySection, InverseVolatility), (sizes.VolatilitySection, VolatilitySizing),
        (sizes.ForecastSection, ForecastSizing),
    ],
)  # fmt: skip
def test_sections_have_every_field_of_their_object(section: Any, owner: Any) -> None:
    assert set(section.model_fields) - {"free", "preset"} == {f.name for f in dataclasses.fields(owner) if not f.name.startswith("_")}


def test_every_preset_and_every_size_has_a_key() -> None:
    """C3: numbers by name."""
    (words,) = [p for p in run_schema()["$defs"]["StopsSection"]["properties"]["preset"]["anyOf"] if "enum" in p]
    assert set(words["enum"]) == set(STOPS)
    assert set(sizes.METHODS) == set(METHODS)


def test_every_keyword_of_a_run_has_a_key() -> None:
    keys = set(RunConfig.model_fields) | set(AccountSection.model_fields)
    assert {f.name for f in dataclasses.fields(Setup)} <= keys


def test_mistakes_in_data_are_data_errors() -> None:
    with pytest.raises(DataError, match="line 1: data: no bar"):
        parse_run(SMALL, ["data.start=2030-01-01"], name="run.yaml").bars()
