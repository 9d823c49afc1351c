"""Saved results (verifiable results): a folder gives back every bit, `verify` finds every change, nothing runs unasked."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import vecbt as vb
from tests.analytics.example import CLOSE, FILLS, run_of, small
from vecbt import Cancel, Carry, Order, Orders
from vecbt.analytics.result import Result
from vecbt.analytics.saved.folder import MANIFEST, write_manifest
from vecbt.engine.inputs import AlignedInputs
from vecbt.errors import ConfigError, StateError

BARS = vb.samples.load("us_daily", symbols=["AAPL", "MSFT"])[-160:]
STOPPED = {
    "costs": vb.Costs(commission_rate=0.001, slippage_bps=3, minimum=1.0),
    "sizing": vb.FixedFractionalSizing(risk_fraction=0.01, max_position_fraction=0.4),
    "stops": vb.Stops(hard=vb.Atr(3), trailing=vb.Pct(9.5), activation=0.02, time_days=40),
    "risk": vb.Risk(zones=vb.Zones(boundaries=(0.004, 0.02, 0.1), cooldown_bars=20)),
}
PLAIN = {"costs": vb.Costs(per_order=1.5)}


@dataclass(frozen=True)
class Either(vb.Strategy):
    """A composite: what one or the other says."""

    one: vb.Strategy
    other: vb.Strategy
    seed: int = 7

    def rows(self, bars: vb.Bars) -> Any:
        """The flags of both."""
        one, other = (member.rows(bars).align(bars) for member in (self.one, self.other))
        return dataclasses.replace(one, flags=one.flags | other.flags)


@dataclass(frozen=True)
class Fitted(vb.Strategy):
    """A strategy with a parameter that is no plain value."""

    model: Any

    def rows(self, bars: vb.Bars) -> Any:
        """An entry on the first bar."""
        return vb.Signals(entries=np.arange(bars.T * bars.N).reshape(bars.shape) == 0)


def weekly(bars: vb.Bars, share: float = 0.5) -> vb.Weights:
    """A strategy as a function: weights on every fifth bar."""
    rows = np.arange(bars.T)[:, None] % 5 == 0
    return vb.Weights(np.where(rows, np.array([share, -share / 2]), np.nan))


RAW = vb.samples.load("us_daily", symbols=["AAPL", "MSFT"], adjusted=False).slice("2005-01-03", "2005-07-01")
"""With a split and dividends."""


def _orders() -> Orders:
    days = [str(time)[:10] for time in RAW.times]
    price = float(RAW.close[4, 0])
    bought = Order(symbol="AAPL", quantity=30, type="limit", limit=price * 1.02, tif="gtd", until=days[9], stop_loss=price * 0.8, tag=4)
    return Orders(
        {days[4]: bought, days[20]: [Order(symbol="MSFT", quantity=-40), Cancel(symbol="AAPL", tag=4)], days[90]: Cancel(symbol="MSFT")}
    )


def _signals() -> vb.Signals:
    rng = np.random.default_rng(3)
    return vb.Signals(entries=rng.random(BARS.shape) < 0.1, short_entries=rng.random(BARS.shape) < 0.1)


RUNS: dict[str, tuple[Any, dict[str, Any]]] = {
    "strategy with rules": (vb.strategies.SmaCross(4, 12), STOPPED),
    "signals, separate accounts": (_signals(), {**PLAIN, "accounts": "separate", "fill": "close", "positions": {"MSFT": (30.0, 27.5)}}),
    "weights of a mapping": (vb.strategies.FixedWeights({"AAPL": 0.3, "MSFT": 0.1}, every="week"), {**PLAIN, "liquidate_at_end": True}),
    "function": (weekly, PLAIN),
    "orders": (_orders(), {**PLAIN, "carry": Carry(borrow_rate={"MSFT": 0.04}, interest_rate=0.05), "flows": {"2005-03-01": 500.5}}),
    "composite": (Either(vb.strategies.BuyAndHold(), vb.strategies.EmaCross(3, 9, "both")), STOPPED),
}


class _Results(dict[str, Result]):
    """Results by name, run when they are asked for: each may compile rules of its own."""

    def __missing__(self, name: str) -> Result:
        source, options = RUNS[name]
        self[name] = vb.backtest(RAW if name == "orders" else BARS, source, **options)
        return self[name]


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    return _Results()


@pytest.fixture(scope="module")
def result(results: dict[str, Result]) -> Result:
    return results["strategy with rules"]


@pytest.fixture
def saved(result: Result, tmp_path: Path) -> Path:
    return result.save(tmp_path / "saved")


def rewritten(folder: Path, **parts: Any) -> None:
    """Write the manifest anew, as if `parts` and the files as they are now had been saved."""
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).unlink()
    kept = {name: value for name, value in (manifest | parts).items() if name not in ("what", "schema", "files", "sum")}
    write_manifest(folder, kept)


def manifest_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / MANIFEST).read_text()))


def changed_column(path: Path, column: str, row: int, value: Any) -> None:
    frame = pl.read_parquet(path)
    values = frame[column].to_list()
    values[row] = value(values[row]) if callable(value) else value
    frame.with_columns(pl.Series(column, values, dtype=frame[column].dtype)).write_parquet(path)


def assert_same_run(a: Any, b: Any) -> None:
    for part in dataclasses.fields(a):
        one, two = getattr(a, part.name), getattr(b, part.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes(), part.name
        elif part.name == "inputs":
            for field in dataclasses.fields(AlignedInputs):
                name, x, y = field.name, getattr(one, field.name), getattr(two, field.name)
                assert (x.tobytes() == y.tobytes()) if isinstance(x, np.ndarray) else x is y or x == y, name
        elif part.name != "source":
            assert one == two, part.name


# --- what is read is what was saved -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_a_result_comes_back_to_the_last_bit(results: dict[str, Result], name: str, tmp_path: Path) -> None:
    result = results[name]
    loaded = vb.load_result(result.save(tmp_path / "r"))
    assert_same_run(result.run, loaded.run)
    assert loaded.title == result.title and loaded.run.bars.notes == result.run.bars.notes and repr(loaded) == repr(result)
    stats, again = result.stats(), loaded.stats()
    assert stats.equals(again)
    assert loaded.run.setup.digest() == result.run.setup.digest()


@pytest.mark.parametrize("changes", [{}, {"zone": None}, {"accounts": "separate", "zone": np.zeros((6, 2))}, {"trades": [], "orders": []}])
def test_hand_made_runs_come_back_with_their_nans_and_other_records(changes: dict[str, Any], tmp_path: Path) -> None:
    """Fields of records are found by name, so records of any layout are saved."""
    run = run_of(CLOSE, FILLS, **changes) if "accounts" in changes else small(**changes)
    assert_same_run(run, vb.load_result(Result(run).save(tmp_path / "r")).run)


def test_bars_of_every_kind_come_back(tmp_path: Path) -> None:
    """No volume, bars without a market, a delisting with its haircut, units of trading, minus zero, a repair."""
    close = np.array([[10.0, 5.0], [np.nan, 6.0], [11.0, np.nan], [12.0, np.nan], [13.0, np.nan]])
    bars = vb.Bars.from_numpy(
        close, close, close, close, index=np.arange("2024-01-01", "2024-01-06", dtype="M8[D]"), symbols=["time", "symbol"],
        missing="no_market", delistings={"symbol": ("2024-01-03", 0.25)}, lot={"time": 1.0}, tick=0.01, time_zone="America/New_York",
        periods_per_year=252,
    )  # fmt: skip
    entries = np.zeros(bars.shape, dtype=bool)
    entries[0] = True
    result = vb.backtest(bars, vb.Signals(entries=entries), **PLAIN)
    loaded = vb.load_result(result.save(tmp_path / "r")).run.bars
    assert loaded == bars and loaded.periods_per_year_source == bars.periods_per_year_source
    assert loaded.delist_haircut.tolist() == [0.0, 0.25] and loaded.volume.tobytes() == bars.volume.tobytes()
    report = vb.verify(tmp_path / "r")
    assert report.ok and report.exact, report


def test_a_loaded_result_works_like_any_other(result: Result, saved: Path, tmp_path: Path) -> None:
    loaded = vb.load_result(saved)
    for name in ("equity", "cash", "orders", "fills", "trades"):
        assert not getattr(loaded.run, name).flags.writeable
    assert loaded.check_parity().ok
    assert loaded.trades.equals(result.trades) and loaded.open_positions.equals(result.open_positions)
    assert loaded.assumptions().equals(result.assumptions())
    again = loaded.save(tmp_path / "again")
    assert manifest_of(again) == manifest_of(saved)  # the strategy is still named
    assert vb.verify(again).strategy_checked


def test_the_manifest_says_what_made_it(result: Result, saved: Path) -> None:
    """Inventory 3.12: hashes of data, parameters, kernel sources and versions, seed and assumptions."""
    from vecbt.core.jit import kernel_sources_hash

    manifest = manifest_of(saved)
    assert manifest["hashes"]["bars"] == BARS.content_hash and manifest["hashes"]["setup"] == result.run.setup.digest()
    assert manifest["hashes"]["kernels"] == kernel_sources_hash() and manifest["vecbt"] == vb.__version__
    assert manifest["environment"]["numpy"] == np.__version__
    assert manifest["source"]["import"] == "vecbt.strategies.trend:SmaCross"
    assert manifest["source"]["parameters"] == {"fast": 4, "slow": 12, "direction": "long"}
    assert manifest["setup"]["stops"]["hard"] == {"type": "Atr", "multiple": 3}
    statistics = json.loads((saved / "statistics.json").read_text(), parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert statistics["stats"]["account"]["trades"] == result.stats()["trades"]
    assert {"section": "simulation", "name": "fill", "value": "next_open"}.items() <= next(
        row for row in statistics["assumptions"] if row["name"] == "fill"
    ).items()
    assert set(manifest["files"]) == {path.name for path in saved.iterdir()} - {MANIFEST}
    assert not [path for path in saved.iterdir() if path.suffix not in (".json", ".parquet")]


def test_what_the_run_files_of_a_saved_result_hold(results: dict[str, Result], tmp_path: Path) -> None:
    """Splits and dividends stand beside the prices, money paid in beside the equity, orders in tables of their own."""
    folder = results["orders"].save(tmp_path / "r")
    assert {"splits", "dividends"} <= set(pl.read_parquet(folder / "bars.parquet").columns)
    assert pl.read_parquet(folder / "curves.parquet")["flows"].sum() == 500.5
    requests = pl.read_parquet(folder / "inputs_orders.parquet")
    assert requests["quantity"].to_list() == [30.0, -40.0, 0.0, 0.0]
    assert len(pl.read_parquet(folder / "inputs_starts.parquet")) == RAW.T + 1
    changed_column(folder / "inputs_orders.parquet", "quantity", 0, 31.0)
    rewritten(folder)
    report = vb.verify(folder)
    assert {"inputs", "fills", "equity"} <= {check.name for check in report.checks if check.outcome == "differs"}


def test_seeds_of_a_strategy_are_named(results: dict[str, Result], tmp_path: Path) -> None:
    manifest = manifest_of(results["composite"].save(tmp_path / "r"))
    assert manifest["seeds"] == {"seed": 7}
    assert manifest["source"]["parameters"]["other"]["import"] == "vecbt.strategies.trend:EmaCross"


# --- where a result may be saved ------------------------------------------------------------------------------------------


def test_nothing_but_a_saved_result_is_ever_replaced(result: Result, saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds a saved result already"):
        result.save(saved)
    (saved / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds 'notes\.txt' beside a saved result"):
        result.save(saved, overwrite=True)
    (saved / "notes.txt").unlink()
    assert result.save(saved, overwrite=True) == saved and vb.verify(saved).ok
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]  # neither the old nor a work folder is left
    mine = tmp_path / "mine"
    mine.mkdir()
    assert result.save(mine) == mine
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="is no saved result"):
            result.save(other, overwrite=overwrite)
    with pytest.raises(ConfigError, match="which is a file"):
        result.save(other / "precious.txt")
    with pytest.raises(ConfigError, match="make it first"):
        result.save(tmp_path / "no" / "such")
    assert (other / "precious.txt").read_text() == "mine"


def test_a_save_that_fails_changes_nothing(result: Result, saved: Path, tmp_path: Path) -> None:
    """The bars do not fit: found out after the other files were written, into a folder nobody sees."""
    wrong = tmp_path / "wrong.parquet"
    BARS[-50:].to_polars().write_parquet(wrong)
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    for folder in (saved, tmp_path / "new"):
        with pytest.raises(ConfigError, match="holds other bars than this result"):
            result.save(folder, bars=wrong, overwrite=True)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved", "wrong.parquet"]


# --- bars by path and hash ------------------------------------------------------------------------------------------------


def test_bars_can_stand_in_a_file_that_results_share(results: dict[str, Result], tmp_path: Path) -> None:
    shared = tmp_path / "bars.parquet"
    for k, name in enumerate(("strategy with rules", "weights of a mapping")):
        folder = results[name].save(tmp_path / f"r{k}", bars=shared)
        assert not (folder / "bars.parquet").exists()
        assert vb.load_result(folder).run.bars == BARS and vb.verify(folder).ok
    (tmp_path / "far").mkdir()
    assert vb.verify((tmp_path / "r1").rename(tmp_path / "far" / "r1")).ok  # the folder moved alone
    both = tmp_path / "both"
    both.mkdir()
    for name in ("bars.parquet", "r0"):
        (tmp_path / name).rename(both / name)
    assert vb.verify(both / "r0").ok  # file and folder moved together
    (both / "bars.parquet").unlink()
    report = vb.verify(both / "r0")
    assert not report.ok and "where no file is now" in report.difference
    BARS[:-1].to_polars().write_parquet(both / "bars.parquet")
    report = vb.verify(both / "r0")
    assert not report.ok and "the bars are not those that were saved" in report.difference
    with pytest.raises(StateError, match="the bars are not those"):
        vb.load_result(both / "r0")


def test_bars_can_stand_in_the_users_own_file(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("Date,Open,High,Low,Close\n" + "".join(f"2024-01-{d:02d},{d},{d + 1},{d},{d}\n" for d in range(1, 20)))
    bars = vb.Bars.read_csv(table, symbol="XYZ", tick=0.5)
    result = vb.backtest(bars, vb.strategies.BuyAndHold(), **PLAIN)
    with pytest.raises(ConfigError, match=r"give reading=\{\.\.\.\}"):
        result.save(tmp_path / "r", bars=table)
    folder = result.save(tmp_path / "r", bars=table, reading={"symbol": "XYZ", "tick": 0.5})
    assert vb.verify(folder).ok and vb.load_result(folder).run.bars == bars
    table.write_text(table.read_text().replace("2024-01-19,19,20,19,19", "2024-01-19,19,20,19,19.5"))
    assert "the bars are not those that were saved" in vb.verify(folder).difference
    with pytest.raises(ConfigError, match="names no file"):
        result.save(tmp_path / "s", reading={"symbol": "XYZ"})
    with pytest.raises(ConfigError, match="inside the folder that is written"):
        result.save(folder, bars=folder / "bars.parquet", overwrite=True)
    with pytest.raises(ConfigError, match=r"must end in \.parquet"):
        result.save(tmp_path / "s", bars=tmp_path / "none.csv")


# --- verify ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_a_saved_result_is_verified_bit_by_bit(results: dict[str, Result], name: str, tmp_path: Path) -> None:
    report = vb.verify(results[name].save(tmp_path / "r"))
    assert report.ok and report.exact and report.difference == "", report
    assert {check.outcome for check in report.checks} <= {"equal", "unchecked"}
    compared = {check.name for check in report.checks}
    assert {"files", "bars", "setup", "strategy", "equity", "cash", "orders", "fills", "trades", "statistics"} <= compared
    assert str(report).startswith("verified, equal to the last bit")
    assert report.strategy_checked is (name not in ("function", "signals, separate accounts", "orders"))


FILES = ("accounts", "assets", "bars", "curves", "fills", "inputs", "orders", "trades")


@pytest.mark.parametrize("name", [*(f"{name}.parquet" for name in FILES), "statistics.json", MANIFEST])
def test_a_change_of_any_file_is_named(saved: Path, name: str) -> None:
    if name == MANIFEST:
        text = (saved / name).read_text()
        (saved / name).write_text(text.replace('"commission_rate": 0.001', '"commission_rate": 0.0001'))
        assert (saved / name).read_text() != text
    else:
        with (saved / name).open("ab") as file:
            file.write(b" ")
    report = vb.verify(saved)
    assert not report.ok and f"{name} was changed since it was saved" in report.difference
    assert str(report).startswith("NOT verified")
    with pytest.raises(StateError, match=f"{name} was changed since it was saved"):
        vb.load_result(saved)
    if name != MANIFEST:
        (saved / name).unlink()
        assert f"{name} is missing" in vb.verify(saved).difference


def test_a_file_that_is_broken_is_a_finding_no_error(saved: Path) -> None:
    (saved / "trades.parquet").write_bytes(b"PAR1")
    report = vb.verify(saved)
    assert not report.ok and any("trades.parquet cannot be read" in check.detail for check in report.checks)
    assert "what comes after was not compared" in report.notes
    rewritten(saved)
    with pytest.raises(StateError, match=r"trades\.parquet cannot be read"):
        vb.load_result(saved)


FORGED = {
    "equity of a bar": ("curves.parquet", "equity", 100, lambda v: v * 1.01, "equity", "equity"),
    "cash": ("curves.parquet", "cash", 3, lambda v: v + 1.0, "cash", "cash"),
    "pnl of a trade": ("trades.parquet", "pnl", 0, lambda v: v + 5.0, "trades", "pnl"),
    "price of a fill": ("fills.parquet", "price", 1, lambda v: v + 1e-9, "fills", "price"),
    "what became of an order": ("orders.parquet", "status", 0, 3, "orders", "status"),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_number_is_found_by_running_again(result: Result, saved: Path, what: str) -> None:
    """Even where every hash was made to fit."""
    file, column, row, value, check, field = FORGED[what]
    changed_column(saved / file, column, row, value)
    rewritten(saved)
    report = vb.verify(saved)
    differing = [c for c in report.checks if c.outcome == "differs"]
    assert not report.ok and [c.name for c in differing] == [check]
    assert field in differing[0].detail and "saved" in differing[0].detail and "now" in differing[0].detail
    if file == "curves.parquet":
        assert differing[0].detail.startswith(f"{result.times[row]:%Y-%m-%d}")


def test_forged_costs_and_inputs_are_found_by_running_again(saved: Path) -> None:
    setup = manifest_of(saved)["setup"]
    setup["costs"]["commission_rate"] = 0.0
    rewritten(saved, setup=setup)
    report = vb.verify(saved)
    assert not report.ok and {"setup", "cash", "equity"} <= {check.name for check in report.checks if check.outcome == "differs"}


def test_a_missing_record_and_forged_statistics_are_found(saved: Path) -> None:
    pl.read_parquet(saved / "trades.parquet")[:-1].write_parquet(saved / "trades.parquet")
    produced = manifest_of(saved)["produced"]
    produced["records"]["trades"]["count"] -= 1
    statistics = json.loads((saved / "statistics.json").read_text())
    statistics["stats"]["account"]["sharpe"] = 3.0
    (saved / "statistics.json").write_text(json.dumps(statistics))
    rewritten(saved, produced=produced)
    details = {check.name: check.detail for check in vb.verify(saved).checks if check.outcome == "differs"}
    assert set(details) == {"trades", "statistics"}
    assert "agree" in details["trades"] and details["statistics"].startswith("account sharpe: 3.0 saved")


# --- other code, versions, machines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("factor", "ok"), [(1.0, True), (1 + 1e-12, True), (1 + 1e-6, False)])
def test_elsewhere_a_tolerance_is_enough_and_the_report_says_which_held(saved: Path, factor: float, ok: bool) -> None:
    manifest = manifest_of(saved)
    changed_column(saved / "curves.parquet", "equity", 100, lambda v: v * factor)
    rewritten(saved)
    at_home = vb.verify(saved)
    assert at_home.ok is (factor == 1.0)
    rewritten(saved, hashes=manifest["hashes"] | {"kernels": "0" * 16}, environment=manifest["environment"] | {"numpy": "1.0"})
    report = vb.verify(saved)
    assert report.ok is ok and report.exact is (factor == 1.0)
    assert "numpy 1.0 then" in report.notes[0] and "sources of the kernels differ" in report.notes[0] and "1e-09" in report.notes[0]
    if factor != 1.0:
        assert "equity" in next(check for check in report.checks if check.outcome != "equal").detail
    if ok and factor != 1.0:
        assert str(report).startswith("verified, close within 1e-09, not to the last bit")


def test_compiled_or_not_the_same_bits_are_asked_for(saved: Path) -> None:
    manifest = manifest_of(saved)
    rewritten(saved, environment=manifest["environment"] | {"engine": "another"})
    report = vb.verify(saved)
    assert report.ok and report.exact and report.notes == ()


def test_what_an_older_version_did_not_save_takes_its_default_and_says_so(saved: Path) -> None:
    manifest = manifest_of(saved)
    del manifest["setup"]["band"], manifest["setup"]["stops"]["take_profit"]
    manifest["produced"]["records"]["orders"]["fields"].pop()
    rewritten(saved, setup=manifest["setup"], produced=manifest["produced"], vecbt="0.0.1")
    report = vb.verify(saved)
    assert report.ok and "vecbt 0.0.1 then" in report.notes[0]
    assert any("setup.stops was saved without take_profit" in note and "take_profit None" in note for note in report.notes)
    assert any("only what both versions have is compared" in note for note in report.notes)


def test_what_a_newer_version_saved_is_refused_by_name(saved: Path) -> None:
    manifest = manifest_of(saved)
    manifest["setup"]["stops"]["wider"] = 1.0
    rewritten(saved, setup=manifest["setup"])
    assert "setup.stops: Stops has no 'wider'" in vb.verify(saved).difference
    with pytest.raises(StateError, match="Stops has no 'wider'"):
        vb.load_result(saved)
    manifest = manifest_of(saved) | {"schema": 99}
    (saved / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(StateError, match="layout 99"):
        vb.verify(saved)


def test_a_setup_that_this_version_refuses_is_a_finding(saved: Path) -> None:
    manifest = manifest_of(saved)
    manifest["setup"]["fill"] = "yesterday"
    rewritten(saved, setup=manifest["setup"])
    assert "fill is 'yesterday'" in vb.verify(saved).difference


def test_what_is_no_saved_result_is_refused(tmp_path: Path) -> None:
    for name, text in (("empty", None), ("other", "{}"), ("broken", "{")):
        (tmp_path / name).mkdir()
        if text is not None:
            (tmp_path / name / MANIFEST).write_text(text)
        for function in (vb.verify, vb.load_result):
            with pytest.raises(StateError, match=name):
                function(tmp_path / name)
    with pytest.raises(StateError, match="is no folder"):
        vb.verify(tmp_path / "none")


@pytest.mark.parametrize("part", ["bars", "inputs", "produced", "hashes", "source", "vecbt"])
def test_a_manifest_that_says_nothing_is_damaged(saved: Path, part: str) -> None:
    rewritten(saved, **{part: {}})
    for function in (vb.verify, vb.load_result):
        with pytest.raises(StateError, match="damaged"):
            function(saved)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("setup", {}),
        ("setup", {"type": "Zones"}),
        ("bars.others.notes", None),
        ("bars.market.symbols", []),
        ("inputs.values.kind", 9),
        ("inputs.records", {"orders": 1}),
        ("produced.curves", ["equity", "nothing"]),
        ("produced.records.fills.fields", [["t", "O", []]]),
    ],
)
def test_a_manifest_that_makes_no_sense_is_a_finding(saved: Path, place: str, value: Any) -> None:
    manifest = manifest_of(saved)
    node: Any = manifest
    *way, last = place.split(".")
    for key in way:
        node = node[key]
    node[last] = value
    rewritten(saved, **manifest)
    assert not vb.verify(saved).ok
    with pytest.raises(StateError):
        vb.load_result(saved)


# --- the strategy ---------------------------------------------------------------------------------------------------------

OWN = """\
import pathlib
from dataclasses import dataclass
import numpy as np
import vecbt as vb

pathlib.Path(__file__).with_name("imported").touch()

@dataclass(frozen=True)
class Own(vb.Strategy):
    every: int = 5

    def rows(self, bars):
        return vb.Signals(entries=np.arange(bars.T * bars.N).reshape(bars.shape) % self.every == 0)

other = Own(3)
def function(bars):
    raise AssertionError("a function was called")
"""


@pytest.fixture
def own(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """A saved run of a strategy whose module was beside a run file and cannot be imported any more; its folder and the saved one."""
    name = "own_" + hashlib.md5(request.node.name.encode()).hexdigest()  # a module's name is known to Python for good
    place = tmp_path / "place"
    place.mkdir()
    (place / f"{name}.py").write_text(OWN)
    sys.path.insert(0, str(place))
    try:
        module = __import__(name)
    finally:
        sys.path.remove(str(place))
    folder = vb.backtest(BARS, module.Own(4), **PLAIN).save(tmp_path / "saved")
    del sys.modules[name]
    (place / "imported").unlink()
    yield name, place, folder
    sys.modules.pop(name, None)


def test_a_strategy_that_cannot_be_found_is_said_and_the_saved_inputs_are_used(own: Any) -> None:
    name, place, folder = own
    report = vb.verify(folder)
    assert report.ok and report.exact and not report.strategy_checked
    check = next(check for check in report.checks if check.name == "strategy")
    assert check.outcome == "unchecked" and f"{name}:Own cannot be imported here" in check.detail
    assert "the saved inputs are used" in check.detail and str(place / f"{name}.py") in check.detail
    assert not (place / "imported").exists()


def test_loading_imports_nothing(own: Any) -> None:
    name, place, folder = own
    sys.path.insert(0, str(place))
    try:
        assert vb.load_result(folder).title.startswith("Own · ")
        assert vb.verify(folder, inputs_only=True).ok
        assert name not in sys.modules and not (place / "imported").exists()
        report = vb.verify(folder)
        assert report.strategy_checked and (place / "imported").exists()
    finally:
        sys.path.remove(str(place))


def test_a_strategy_is_found_in_a_folder_that_is_named(own: Any) -> None:
    _, place, folder = own
    before = list(sys.path)
    report = vb.verify(folder, path=place)
    assert report.ok and report.strategy_checked and not report.notes
    assert "Own(every=4)" in next(check for check in report.checks if check.name == "strategy").detail
    assert sys.path == before


@pytest.mark.parametrize(
    ("change", "ok", "said"),
    [
        (("% self.every == 0", "% self.every == 1"), False, "its rows are not the saved inputs any more"),
        (("every: int = 5", "every: int = 5  # bars"), True, "was changed since the result was saved"),
        (("every: int", "each: int"), False, "does not take the saved parameters"),
        (("class Own", "class Mine"), True, "has no Own"),
        (("return vb.Signals(", "1 / 0; return vb.Signals("), False, "fails now: ZeroDivisionError"),
        (("vb.Signals(entries=np", "vb.Strengths(1.0 * np"), False, "gives strengths now; signals were saved"),
        (("import pathlib", "import no_such_module_at_all"), True, "No module named 'no_such_module_at_all'"),
        (("import pathlib", "import pathlib; 1 / 0"), True, "its module fails: ZeroDivisionError"),
        (("class Own(vb.Strategy)", "class Own"), True, "is no subclass of Strategy"),
    ],
)
def test_a_strategy_that_changed_is_told_from_an_engine_that_changed(own: Any, change: tuple[str, str], ok: bool, said: str) -> None:
    name, place, folder = own
    text = (place / f"{name}.py").read_text().replace("self.every == 0", "self.every == 0")
    file = place / f"{name}.py"
    file.write_text(text.replace("self.each", "self.every").replace(*change).replace("other = Own(3)", ""))
    os.utime(file, (1, 1))  # a byte code file of the same second would hide the change
    report = vb.verify(folder, path=[place])
    assert report.ok is ok and said in str(report), report
    assert all(check.outcome == "equal" for check in report.checks if check.name not in ("strategy",)), report


@pytest.mark.parametrize("path", ["os:system", "{own}:other", "{own}:function", "__main__:x", "os.path", "a b:c", "{own}:Own.rows"])
def test_nothing_but_a_class_of_strategies_is_used_from_a_manifest(own: Any, path: str) -> None:
    name, place, folder = own
    source = manifest_of(folder)["source"] | {"import": path.format(own=name)}
    rewritten(folder, source=source)
    report = vb.verify(folder, path=place)
    assert report.ok and not report.strategy_checked
    assert "the saved inputs are used" in next(check for check in report.checks if check.name == "strategy").detail


def test_functions_and_what_cannot_be_written_use_the_saved_inputs(results: dict[str, Result], tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Local(vb.Strategy):
        def rows(self, bars: vb.Bars) -> Any:
            return vb.Strengths(np.ones(bars.shape))

    for source, said in ((Fitted(object()), "strategy.model is of type object"), (Local(), "where nothing can import it from")):
        folder = vb.backtest(BARS, source, **PLAIN).save(tmp_path / type(source).__name__)
        report = vb.verify(folder)
        assert report.ok and not report.strategy_checked and said in str(report)
        assert vb.verify(folder, strategy=source).strategy_checked
    folder = results["function"].save(tmp_path / "function")
    assert "is a function" in str(vb.verify(folder))
    assert vb.verify(folder, strategy=weekly).strategy_checked
    report = vb.verify(folder, strategy=vb.strategies.BuyAndHold())
    assert not report.ok and "gives signals now; weights were saved" in report.difference
    report = vb.verify(folder, strategy=lambda bars: weekly(bars, 0.4))
    assert not report.ok and "2012-" in report.difference and "0.5 saved, 0.4 now" in report.difference
