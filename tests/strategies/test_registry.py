"""CFG-01: strategies by name: made from plain parameters, registered, offered by other packages; portfolios out of mappings (PFM-08)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.strategies.discovered import GAPPY
from vecbt.data.bars import Bars
from vecbt.engine.strategy import Strategy, evaluate
from vecbt.errors import ConfigError, StrategyError
from vecbt.strategies import (
    CONFIG_CLASSES,
    REGISTRY,
    STRATEGY_CLASSES,
    EmaCross,
    HybridPortfolio,
    MACrossoverPortfolio,
    MultiStrategyPortfolio,
    PerSymbol,
    PortfolioConfig,
    RsiReversion,
    SmaCross,
    StrategyRegistry,
    StrategyType,
)
from vecbt.strategies.naming import BUILT_IN, OTHER_NAMES


@dataclass(frozen=True)
class Mine(Strategy):
    """Never in."""

    level: float = vb.Parameter(0.5, low=0.0, high=1.0)

    def rows(self, bars: Bars) -> vb.Signals:
        """Nothing."""
        return vb.Signals(entries=np.zeros((bars.T, bars.N), dtype=bool))


def test_cfg01_every_name_is_made_and_every_type_has_a_class() -> None:
    """CFG-01."""
    needed = {"PerSymbol": {"strategies": {"A": "SmaCross"}}}
    portfolios = {name: {"stocks": ["A"], "strategies": {"A": "SmaCross"}} for name in BUILT_IN if name.endswith("Portfolio")}
    for name in BUILT_IN:
        made = vb.create_strategy(name, needed.get(name, portfolios.get(name)))
        assert type(made).__name__ == name and name in REGISTRY and name in list(REGISTRY)
    for other, name in OTHER_NAMES.items():
        assert REGISTRY.find(other).__name__ == name and other in REGISTRY
    assert set(STRATEGY_CLASSES) == set(StrategyType) and len(STRATEGY_CLASSES) == len(StrategyType)
    for kind in StrategyType:
        assert STRATEGY_CLASSES[kind].__name__ == kind.class_name and CONFIG_CLASSES[kind] is STRATEGY_CLASSES[kind]
    assert STRATEGY_CLASSES[StrategyType("ma_crossover")] is SmaCross and vb.create_strategy(StrategyType.RSI) == RsiReversion()
    assert "no_such" not in STRATEGY_CLASSES


def test_cfg01_names_and_parameters_of_the_plan() -> None:
    with pytest.warns(UserWarning, match="'short_window' was read as 'fast'"):
        made = vb.create_strategy({"type": "MACrossoverStrategy", "params": {"short_window": 10, "long_window": 50}})
    assert made == SmaCross(10, 50)
    section = {"calm": {"name": "SmaCross", "parameters": {"fast": 9}}, "quick": "rsi"}
    assert REGISTRY.build(section) == {"calm": SmaCross(9), "quick": RsiReversion()}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vb.create_strategy("SmaCros"), "no strategy is called 'SmaCros'; did you mean 'SmaCross'"),
        (lambda: vb.create_strategy("SmaCross", {"fats": 3}), "SmaCross has no parameter 'fats'; did you mean 'fast'"),
        (lambda: vb.create_strategy("SmaCross", {"fast": 0}), "SmaCross.fast is 0; expected a whole number of at least 1"),
        (lambda: vb.create_strategy("SmaCross", {"fast": 50, "slow": 10}), "expected fast < slow"),
        (lambda: vb.create_strategy("SmaCross", [3, 8]), r"the parameters of SmaCross are \[3, 8\]"),  # type: ignore[arg-type]
        (lambda: vb.create_strategy({"nam": "SmaCross"}), "no key 'nam'; did you mean 'name'"),
        (lambda: vb.create_strategy({"name": "SmaCross", "type": "rsi"}), "expected one name"),
        (lambda: vb.create_strategy({"params": {}}), "expected one name"),
        (lambda: vb.create_strategy({"name": "SmaCross"}, {"fast": 3}), "not both"),
        (lambda: vb.create_strategy("PerSymbol"), "PerSymbol needs strategies"),
        (lambda: REGISTRY.build({"calm": {"name": "SmaCros"}}), "calm: no strategy is called"),
        (lambda: StrategyRegistry().register("a:b", Mine), "without a colon"),
        (lambda: StrategyRegistry().register("", Mine), "without a colon"),
        (lambda: StrategyRegistry().register("SmaCross", Mine), "the name of vecbt's SmaCross already; register Mine under another"),
        (lambda: StrategyRegistry().register("rsi", Mine), "the name of vecbt's RsiReversion already"),
        (lambda: StrategyRegistry().register("mine", Mine()), "expected a subclass of Strategy, or a function"),
        (lambda: StrategyRegistry().register("mine", dict), "expected a subclass of Strategy, or a function"),
        (lambda: StrategyRegistry().remove("mine"), "'mine' was not registered"),
    ],
)
def test_cfg01_what_may_not_be_is_refused_with_the_nearest_name(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.fixture
def registered() -> Iterator[None]:
    vb.register_strategy("mine", Mine)
    yield
    REGISTRY.remove("mine")


@pytest.mark.usefixtures("registered")
def test_cfg01_one_line_registers_a_strategy_of_your_own() -> None:
    assert vb.create_strategy("mine", {"level": 1}) == Mine(1.0)
    assert vb.register_strategy("mine", Mine) is Mine  # a cell of a notebook runs twice
    with pytest.raises(ConfigError, match=r"'mine' is the name of .*:Mine already"):
        vb.register_strategy("mine", SmaCross)
    assert [known.source for known in REGISTRY.names() if known.name == "mine"] == ["registered"]
    from vecbt.config.load import parse_run

    text = (
        "data: {sample: us_daily}\nstrategy: {name: mine, parameters: {level: 0.25}}\ncosts: {free: true}\naccount: {initial_capital: 1}\n"
    )
    assert parse_run(text).strategy() == Mine(0.25)


def test_cfg01_a_decorator_registers_classes_and_functions() -> None:
    registry = StrategyRegistry()

    @registry.register("dip")
    def dip(bars: Bars, depth: float = vb.Parameter(0.05, low=0.0)) -> vb.Signals:
        return vb.Signals(entries=bars.close < bars.open * (1 - depth))

    assert callable(dip) and not isinstance(dip, type)  # what stood there stays
    made = registry.create("dip", {"depth": 0.1})
    assert made.parameters == {"depth": 0.1} and evaluate(made, GAPPY).flags is not None
    with pytest.raises(ConfigError, match="depth is -1; expected a number of at least 0"):
        registry.create("dip", {"depth": -1})


MODULE = """\
from dataclasses import dataclass
import numpy as np
import vecbt as vb

@dataclass(frozen=True)
class Offered(vb.Strategy):
    '''From another package.'''
    level: int = vb.Parameter(1, low=1, integer=True)

    def rows(self, bars):
        return vb.Signals(entries=np.zeros((bars.T, bars.N), dtype=bool))
"""


@pytest.fixture
def another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An installed distribution that offers two strategies, one of them broken, and one under a name that is taken."""
    (tmp_path / "offered_rules.py").write_text(MODULE)
    about = tmp_path / "offered_rules-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: offered-rules\nVersion: 1.0\n")
    lines = (
        "offered = offered_rules:Offered",
        "broken = offered_rules:Missing",
        "number = offered_rules:np",
        "SmaCross = offered_rules:Offered",
    )
    (about / "entry_points.txt").write_text("[vecbt.strategies]\n" + "\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "offered_rules"
    sys.modules.pop("offered_rules", None)


def test_cfg01_other_packages_offer_strategies_that_are_imported_when_asked_for(another_package: str) -> None:
    registry = StrategyRegistry()
    assert {known.name: known.source for known in registry.names()}["offered"] == "offered-rules"
    assert "offered" in registry and registry.create("SmaCross") == SmaCross()  # a name that is taken keeps its meaning
    assert another_package not in sys.modules
    made = registry.create("offered", {"level": 3})
    assert made.parameters == {"level": 3} and another_package in sys.modules and registry.find("offered") is type(made)
    with pytest.raises(ConfigError, match=r"'broken' .offered_rules:Missing. of an installed package cannot be imported"):
        registry.create("broken")
    with pytest.raises(ConfigError, match=r"'number' .* expected a subclass of Strategy"):
        registry.create("number")


def test_cfg01_each_symbol_has_an_instance_of_its_own() -> None:
    quick, slow = SmaCross(3, 8, "both"), SmaCross(5, 13)
    joined = evaluate(PerSymbol({"S2": quick, "S0": {"name": "SmaCross", "parameters": {"fast": 5, "slow": 13}}}), GAPPY).flags
    assert joined is not None
    np.testing.assert_array_equal(joined[:, 2], evaluate(quick, GAPPY).flags[:, 2])  # type: ignore[index]
    np.testing.assert_array_equal(joined[:, 0], evaluate(slow, GAPPY).flags[:, 0])  # type: ignore[index]
    assert not joined[:, 1].any()
    # what looks at all assets sees one alone
    alone = evaluate(PerSymbol({"S1": vb.strategies.MomentumRotation(3, 1, "bar")}), GAPPY).values
    assert alone is not None and set(alone[~np.isnan(alone)]) == {1.0}


def test_equal_composites_go_on_from_each_others_states_whatever_order_they_were_written_in() -> None:
    cross, rsi, ema = SmaCross(3, 8), RsiReversion(5), EmaCross(2, 7)
    pairs = [
        (PerSymbol({"S0": cross, "S2": rsi}), PerSymbol({"S2": rsi, "S0": cross})),
        (
            HybridPortfolio(("S0",), {"S0": {"a": cross, "b": rsi, "c": ema}}),
            HybridPortfolio(("S0",), {"S0": {"c": ema, "b": rsi, "a": cross}}),
        ),
    ]
    for one, other in pairs:
        assert one == other
        first, second = one.feed(GAPPY.market), other.feed(GAPPY.market)
        for t in range(40):
            first.update(GAPPY.row(t).normalized(GAPPY.market))
        second.restore(first.save())
        assert second.save() == first.save()


@dataclass(frozen=True)
class _Looks(vb.RuleStrategy):
    """A rule that sees the account."""

    @staticmethod
    def rule(now, before, params, state, account):  # type: ignore[no-untyped-def]
        """In until something is held."""
        return 1 if account.position == 0.0 else 0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: PerSymbol({}), ConfigError, "expected a mapping such as"),
        (lambda: PerSymbol({"S0": 3}), ConfigError, r"PerSymbol.strategies\['S0'\] is 3"),
        (lambda: PerSymbol({"S0": "SmaCros"}), ConfigError, "did you mean 'SmaCross'"),
        (lambda: PerSymbol({"S0": _Looks()}), StrategyError, "sees the account"),
        (lambda: evaluate(PerSymbol({"S7": SmaCross()}), GAPPY), ConfigError, "PerSymbol names 'S7', which is no symbol"),
        (lambda: PerSymbol({"S7": SmaCross()}).feed(GAPPY.market), ConfigError, "PerSymbol names 'S7'"),
        (
            lambda: evaluate(PerSymbol({"S0": SmaCross(), "S1": vb.strategies.FixedWeights()}), GAPPY),
            StrategyError,
            "SmaCross gives signals, FixedWeights weights; all members of PerSymbol give the same kind",
        ),
        (lambda: HybridPortfolio(()), ConfigError, r"HybridPortfolio.stocks is \(\)"),
        (lambda: HybridPortfolio("AAPL"), ConfigError, "expected a list of symbols"),  # type: ignore[arg-type]
        (lambda: HybridPortfolio(("A", "A")), ConfigError, "each once"),
        (lambda: HybridPortfolio(("A",)), ConfigError, "HybridPortfolio.strategies is None"),
        (lambda: HybridPortfolio(("A", "B"), {"A": "rsi"}), ConfigError, "strategies has none for B"),
        (lambda: HybridPortfolio(("A",), {"A": "rsi", "C": "rsi"}), ConfigError, "names 'C', which is not among the stocks"),
        (lambda: HybridPortfolio(("A",), {"A": "rsj"}), ConfigError, r"strategies\['A'\]\['rsj'\]: no strategy is called 'rsj'"),
        (lambda: HybridPortfolio(("A",), {"A": {"rsi": {"wait": 1}}}), ConfigError, "no key 'wait'; did you mean 'weight'"),
        (lambda: HybridPortfolio(("A",), {"A": {"rsi": {"weight": 0}}}), ConfigError, "weight is 0; expected a number above 0"),
        (lambda: HybridPortfolio(("A",), {"A": {"rsi": 3}}), ConfigError, "is 3; expected a strategy"),
        (
            lambda: HybridPortfolio(("A",), {"A": {"a": SmaCross(2, 3), "b": SmaCross(4, 5)}}),
            ConfigError,
            "has two of SmaCross: 'a' and 'b'; a stock has one of each type",
        ),
        (
            lambda: HybridPortfolio(("A",), {"A": "rsi"}, {"A": -1}),
            ConfigError,
            r"allocation\['A'\] is -1; expected a number of at least 0",
        ),
        (lambda: HybridPortfolio(("A", "B"), {"A": "rsi", "B": "rsi"}, {"A": 1}), ConfigError, "allocation says nothing of B"),
        (lambda: HybridPortfolio(("A",), {"A": "rsi"}, None, {"type": "ml"}), ConfigError, "type is 'ml'; expected 'weighted'"),
        (lambda: HybridPortfolio(("A",), {"A": "rsi"}, None, {"weight": {}}), ConfigError, "no key 'weight'"),
        (lambda: HybridPortfolio(("A",), {"A": "rsi"}, None, {"weights": {"rsy": 1}}), ConfigError, "weighs 'rsy', which no stock has"),
        (lambda: MACrossoverPortfolio(("A",), {"A": "rsi"}), ConfigError, "is a RsiReversion; expected SmaCross or EmaCross"),
        (lambda: evaluate(HybridPortfolio(("S9",), {"S9": "rsi"}), GAPPY), ConfigError, "HybridPortfolio names 'S9'"),
        (
            lambda: evaluate(HybridPortfolio(("S0",), {"S0": vb.strategies.FixedWeights()}), GAPPY),
            StrategyError,
            "FixedWeights gives weights; members of a portfolio give Signals or Strengths",
        ),
        (lambda: HybridPortfolio(("A",), {"A": "rsi"}).members_of("B"), ConfigError, "has no stock 'B'"),
        (lambda: PortfolioConfig({"stock": ["A"]}), ConfigError, "no key 'stock'; did you mean 'stocks'"),
        (lambda: PortfolioConfig({"stocks": ["A"], "strategies": {"B": {}}}), ConfigError, "names 'B', which is not among the stocks"),
    ],
)
def test_cfg01_pfm08_composites_refuse_what_they_cannot_hold(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_pfm08_the_configuration_of_the_plan_runs_as_it_is_written(registered_forest: type[Strategy]) -> None:
    """PFM-08: the example of the plan, letter by letter; the strategy it calls random_forest is one that a user registers."""
    config = PortfolioConfig({
        'name': 'tech_portfolio',
        'stocks': ['AAPL', 'MSFT', 'GOOGL'],
        'strategies': {
            'AAPL': {
                'ma_crossover': {
                    'weight': 0.6,
                    'params': {
                        'short_window': 10,
                        'long_window': 50
                    }
                },
                'random_forest': {
                    'weight': 0.4,
                    'params': {
                        'n_estimators': 100,
                        'max_depth': 5
                    }
                }
            }
        }
    })  # fmt: skip
    assert config.name == "tech_portfolio" and config.strategies_of("AAPL") == ["ma_crossover", "random_forest"]
    assert config.strategies_of("MSFT") == [] and "tech_portfolio" in repr(config)
    with pytest.warns(UserWarning, match="short_window"):
        portfolio = config.build()
    assert isinstance(portfolio, MultiStrategyPortfolio) and portfolio.stocks == ("AAPL",) and portfolio.allocation == {"AAPL": 1 / 3}
    members = portfolio.members_of("AAPL")
    assert members["ma_crossover"] == (SmaCross(10, 50), 0.6) and members["random_forest"] == (registered_forest(100, 5), 0.4)  # type: ignore[call-arg]


@pytest.fixture
def registered_forest() -> Iterator[type[Strategy]]:
    """A strategy that somebody registers as `random_forest`: the package has no models."""

    @vb.strategy
    def forest(bars: Bars, n_estimators: int = 10, max_depth: int = 3) -> vb.Signals:
        return vb.Signals(entries=np.zeros((bars.T, bars.N), dtype=bool))

    vb.register_strategy("random_forest", forest)
    yield forest
    REGISTRY.remove("random_forest")


PLAN = """\
strategies:
  ma_crossover:
    type: "MACrossoverStrategy"
    params:
      short_window: 10
      long_window: 50
  random_forest:
    type: "{forest}"
    params:
      window: 5
portfolio_strategies:
  ma_portfolio:
    type: "MACrossoverPortfolio"
    stocks: ["AAPL", "MSFT", "GOOGL"]
    strategies:
      AAPL: "ma_crossover"
      MSFT: "ma_crossover"
      GOOGL: "ma_crossover"
    allocation:
      AAPL: 0.4
      MSFT: 0.3
      GOOGL: 0.3

  hybrid_portfolio:
    type: "HybridPortfolio"
    stocks: ["AAPL", "MSFT", "GOOGL"]
    strategies:
      AAPL: "random_forest"
      MSFT: "ma_crossover"
      GOOGL: "ma_crossover"
    allocation:
      AAPL: 0.4
      MSFT: 0.3
      GOOGL: 0.3
    aggregation:
      type: "weighted"
      weights:
        random_forest: 0.6
        ma_crossover: 0.4
  several:
    type: MultiStrategyPortfolio
    stocks: [AAPL]
    strategies: {{AAPL: {{random_forest: {{weight: 2}}, EmaCross: {{params: {{fast: 3, slow: 9}}}}}}}}
  listed: {{type: HybridPortfolio, stocks: [AAPL], strategies: {{AAPL: [random_forest, ma_crossover]}}}}
"""


@pytest.mark.filterwarnings("ignore:.*_window. was read as:UserWarning")
def test_cfg01_pfm08_the_files_of_the_plan_load(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.format(forest="RsiReversion"))
    loaded = vb.load_strategies(tmp_path / "plan.yaml")
    cross, forest = SmaCross(10, 50), RsiReversion(5)
    shares = {"AAPL": 0.4, "MSFT": 0.3, "GOOGL": 0.3}
    assert loaded["ma_crossover"] == cross and loaded["random_forest"] == forest
    assert loaded["ma_portfolio"] == MACrossoverPortfolio(tuple(shares), {s: {"ma_crossover": cross} for s in shares}, shares)
    hybrid = loaded["hybrid_portfolio"]
    assert isinstance(hybrid, HybridPortfolio) and hybrid.members_of("AAPL") == {"random_forest": (forest, 0.6)}
    assert hybrid.members_of("GOOGL") == {"ma_crossover": (cross, 0.4)} and hybrid.allocation == shares
    several = loaded["several"]
    assert isinstance(several, MultiStrategyPortfolio)
    assert several.members_of("AAPL") == {"random_forest": (forest, 2.0), "EmaCross": (EmaCross(3, 9), 1.0)}
    assert list(loaded["listed"].members_of("AAPL")) == ["ma_crossover", "random_forest"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strategy: {}\nb: 1\n", "line 1: unknown section 'strategy'; did you mean 'strategies'"),
        (
            "strategies:\n  a:\n    type: SmaCros\n",
            r"line 3: strategies\.a: no strategy is called 'SmaCros'|line 2: strategies\.a: no strategy",
        ),
        ("strategies: [SmaCross]\n", "expected labels with a type each"),
        ("portfolio_strategies:\n  a: {stocks: [A]}\n", "expected a type, stocks and strategies"),
        ("strategies: {a: rsi}\nportfolio_strategies:\n  a: {type: HybridPortfolio}\n", "stands under strategies already"),
        ("portfolio_strategies:\n  a: {type: HybridPortfolio, stocks: [A], strategies: {A: rsj}}\n", "no strategy is called 'rsj'"),
    ],
)
def test_cfg01_a_mistake_in_a_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        vb.load_strategies(tmp_path / "plan.yaml")


def test_cfg01_run_files_hold_composites() -> None:
    from vecbt.config.load import parse_run

    text = """\
data: {sample: us_daily, symbols: [AAPL, MSFT]}
strategy:
  name: PerSymbol
  parameters:
    strategies:
      AAPL: {name: SmaCross, parameters: {fast: 10, slow: 50}}
      MSFT: RsiReversion
costs: {free: true}
account: {initial_capital: 100000}
"""
    assert parse_run(text).strategy() == PerSymbol({"AAPL": SmaCross(10, 50), "MSFT": RsiReversion()})
    stocks = "strategy={name: HybridPortfolio, parameters: {stocks: [AAPL], strategies: {AAPL: macd}}}"
    assert parse_run(text, [stocks]).strategy() == HybridPortfolio(("AAPL",), {"AAPL": "macd"})


def test_composites_are_saved_and_verified(tmp_path: Path) -> None:
    bars = vb.samples.load("us_daily", symbols=["AAPL", "MSFT"])[:120]
    for k, strategy in enumerate(
        (PerSymbol({"AAPL": SmaCross(3, 8)}), HybridPortfolio(("MSFT",), {"MSFT": {"rsi": {"params": {"window": 5}}}}))
    ):
        result = vb.backtest(bars, strategy, costs=vb.Costs.free())
        found = vb.verify(result.save(tmp_path / str(k)))
        assert found.ok and found.strategy_checked
