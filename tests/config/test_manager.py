"""CFG-02: one configuration for a program: YAML, JSON and TOML, values by key, credentials from the environment only."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from vecbt.config import ConfigManager, Credentials
from vecbt.errors import ConfigError

SECRET = "sk-live-0123456789"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("VECBT_CONFIG", raising=False)
    ConfigManager.reset()
    yield
    ConfigManager.reset()


def test_the_documents_example_runs() -> None:
    """CFG-02: `ConfigManager.instance()`, sections with a default."""
    config = ConfigManager.instance()
    strategy_config = config.get("strategy", {})
    strategy_config["execution_mode"] = "backtest"
    assert config.get("models", {}) == {} and config.get("strategy", {}) == {}, "what get returns is a copy"


def test_the_whole_program_shares_one() -> None:
    assert ConfigManager.instance() is ConfigManager.instance()
    ConfigManager.instance().set("data.symbols", ["AAPL"])
    assert ConfigManager.instance().get("data.symbols") == ["AAPL"]
    ConfigManager.reset()
    assert ConfigManager.instance().get("data.symbols") is None


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.yaml").write_text("strategy:\n  signal: {lookback: 20}\n")
    monkeypatch.setenv("VECBT_CONFIG", str(tmp_path / "config.yaml"))
    assert ConfigManager.instance().get("strategy.signal.lookback") == 20


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "a: {b: 1, when: 2001-01-01}\nc: [1, 2]\n"),
        ("a.json", '{"a": {"b": 1, "when": "2001-01-01"}, "c": [1, 2]}'),
        ("a.toml", "c = [1, 2]\n[a]\nb = 1\nwhen = 2001-01-01\n"),
    ],
)
def test_yaml_json_and_toml_are_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    config = ConfigManager().load(tmp_path / name)
    assert config.to_dict() == {"a": {"b": 1, "when": "2001-01-01"}, "c": [1, 2]}
    assert config.get("a.b") == 1 and "a.b" in config and "a.x" not in config and config.get("a.b.c", "none") == "none"


def test_later_files_win_and_sections_are_merged(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("a: {b: 1, c: 2}\n")
    (tmp_path / "mine.json").write_text('{"a": {"c": 3}}')
    config = ConfigManager().load(tmp_path / "base.yaml").load(tmp_path / "mine.json")
    assert config.to_dict() == {"a": {"b": 1, "c": 3}}


def test_files_are_read_safely(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: !!python/object/apply:os.system [echo]\n")
    with pytest.raises(ConfigError, match=r"a\.yaml, line 1"):
        ConfigManager().load(tmp_path / "a.yaml")
    (tmp_path / "b.toml").write_text("a = 1\nb = \n")
    with pytest.raises(ConfigError, match=r"b\.toml, line 2: Invalid value"):
        ConfigManager().load(tmp_path / "b.toml")


def test_values_are_required_and_checked(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("risk:\n  max_drawdown_pct: 15\n  mode: fast\n  days: 2.5\n")
    config = ConfigManager().load(tmp_path / "a.yaml")
    assert config.require("risk.max_drawdown_pct", low=0, high=20) == 15.0
    assert config.require("risk.mode", choices=("fast", "slow")) == "fast" and config.require("risk", kind=dict)["days"] == 2.5
    cases = [
        (
            lambda: config.require("risk.max_drawdown_pct", low=0, high=1),
            r"a\.yaml, line 2: risk.max_drawdown_pct is 15; expected a number from 0",
        ),
        (lambda: config.require("risk.mode", choices=("quick", "slow")), r"line 3: risk.mode is 'fast'; expected one of 'quick', 'slow'"),
        (lambda: config.require("risk.days", integer=True), r"line 4: risk.days is 2.5; expected a whole number"),
        (lambda: config.require("risk.mode", kind=dict), r"line 3: risk.mode is 'fast'; expected dict"),
        (lambda: config.require("risk.mod"), r"risk.mod is missing; did you mean 'risk.mode'\?"),
        (lambda: ConfigManager().require("x"), "x is missing; nothing has been loaded"),
    ]
    for call, message in cases:
        with pytest.raises(ConfigError, match=message):
            call()


def test_credentials_come_from_the_environment_and_are_never_shown() -> None:
    environment = {"ALPACA_API_KEY": SECRET, "OTHER": "x"}
    config = ConfigManager({"broker": {"type": "alpaca", "api_key": "", "paper_trading": True}}, environment=environment)
    found = config.credentials("alpaca")
    assert found["api_key"] == found["ALPACA_API_KEY"] == SECRET
    assert found.missing == ("ALPACA_API_SECRET",) and not found.complete and found.get("api_secret") is None
    assert repr(found) == "Credentials(alpaca: ALPACA_API_KEY set, ALPACA_API_SECRET missing)"
    with pytest.raises(ConfigError, match="environment variable ALPACA_API_SECRET is not set"):
        found["api_secret"]
    with pytest.raises(ConfigError, match="no credential 'api_keys'; did you mean"):
        found["api_keys"]
    for shown in (
        repr(found),
        str(found),
        repr(config),
        repr(vars(found)),
        repr(vars(config)),
        repr(config.to_dict()),
        repr(found.items()),
    ):
        assert SECRET not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(found)
    assert config.credentials("kraken").names == ("KRAKEN_API_KEY", "KRAKEN_API_SECRET")
    assert isinstance(config.credentials("x", ("MY_TOKEN",)), Credentials)


@pytest.mark.parametrize("key", ["api_key", "API_SECRET", "password", "bot_token", "apikey"])
def test_a_secret_in_a_file_is_refused_without_showing_it(tmp_path: Path, key: str) -> None:
    (tmp_path / "a.yaml").write_text(f"broker:\n  name: x\n  {key}: {SECRET}\n")
    with pytest.raises(ConfigError) as caught:
        ConfigManager().load(tmp_path / "a.yaml")
    assert f"a.yaml, line 3: broker.{key} holds a value, which is not shown here" in str(caught.value) and SECRET not in str(caught.value)
    with pytest.raises(ConfigError):
        ConfigManager().set(f"broker.{key}", SECRET)


def test_names_of_variables_and_innocent_keys_may_stand_in_files() -> None:
    values = {"broker": {"api_key": "", "api_secret": "${ALPACA_API_SECRET}", "password": None}, "key_column": "date", "tokens_per_day": 5}
    assert ConfigManager(values).to_dict() == values


def test_a_run_file_is_checked(tmp_path: Path) -> None:
    config = ConfigManager({"stops": {"hard": 3}})
    assert "stops.hard" in {f.where for f in config.check()}
