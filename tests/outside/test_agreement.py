"""Where vectorbt and vecbt mean the same they agree: equity, cash, every fill, every trade, statistics (to 1e-9)."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vecbt as vb
from tests.outside.families import FAMILIES, Family
from tests.outside.outside import Answer

pytestmark = pytest.mark.slow

CLOSE = 1e-9
STATISTICS = {
    "total_return": "total_return",
    "cagr": "annualized_return",
    "volatility": "annualized_volatility",
    "sharpe": "sharpe_ratio",
    "sortino": "sortino_ratio",
    "calmar": "calmar_ratio",
    "max_drawdown": "max_drawdown",
    "var": "value_at_risk",
    "win_rate": "positions_win_rate",
    "profit_factor": "positions_profit_factor",
}
FALLS = ("max_drawdown", "var")  # positive here (M2, M3), negative there


@pytest.mark.parametrize("name", FAMILIES)
def test_vectorbt_agrees(name: str, families: dict[str, Family], answers: dict[str, Answer]) -> None:
    """S1 to S4, F1 to F6, F9, F11, W1, W2 gross, P1 to P5, P8, P9, M1, M2, M4, by family."""
    family, answer = families[name], answers[families[name].question.name]
    assert "error" not in answer, str(answer["error"])
    fills = 0
    for number, case in enumerate(family.cases):
        ours = case.run()
        where = f"{name}, case {number}"
        _same_curves(ours, answer, number, where)
        fills += _same_fills(ours, answer, number, family.assets, where)
        _same_trades(ours, answer, number, family.assets, where)
        _same_statistics(ours, answer, number, where)
    assert fills >= len(family.cases), f"{name}: hardly any fills, so hardly anything compared"


def _accounts(ours: vb.Result, number: int) -> slice:
    """The accounts of a case among the columns of curves."""
    count = ours.run.equity.shape[1]
    return slice(number * count, (number + 1) * count)


def _mine(answer: Answer, records: str, number: int, assets: int) -> np.ndarray:
    """Which records of a table belong to the assets of a case."""
    return np.flatnonzero(answer[f"{records}.col"] // assets == number)


def _same(ours: np.ndarray, theirs: np.ndarray, where: str, scale: float | np.ndarray = 0.0) -> None:
    """Equal to 1e-9 of either or of `scale`."""
    apart = np.abs(ours - theirs)
    allowed = CLOSE * np.maximum(np.maximum(np.abs(ours), np.abs(theirs)), scale)
    wrong = np.flatnonzero(~(apart <= allowed))
    assert not wrong.size, f"{where}: first at {wrong[0]}, vecbt {ours[wrong[0]]!r}, vectorbt {theirs[wrong[0]]!r}"


def _same_curves(ours: vb.Result, answer: Answer, number: int, where: str) -> None:
    run, mine = ours.run, _accounts(ours, number)
    _same(run.equity.ravel(), answer["value"][:, mine].ravel(), f"{where}, equity")
    # cash may be what is left of a sum near zero: compared on the scale of the account
    _same(run.cash.ravel(), answer["cash"][:, mine].ravel(), f"{where}, cash", run.equity.ravel())


def _same_fills(ours: vb.Result, answer: Answer, number: int, assets: int, where: str) -> int:
    mine = _mine(answer, "orders", number, assets)
    column, t = answer["orders.col"][mine] % assets, answer["orders.idx"][mine]
    order = np.lexsort((column, t))
    signed = np.where(answer["orders.side"] == 0, 1.0, -1.0) * answer["orders.size"]
    fills = ours.run.fills[np.lexsort((ours.run.fills["asset"], ours.run.fills["t"]))]
    assert list(zip(fills["t"], fills["asset"], strict=True)) == list(zip(t[order], column[order], strict=True)), f"{where}: other fills"
    mine = mine[order]
    _same(fills["q"], signed[mine], f"{where}, quantities")
    _same(fills["price"], answer["orders.price"][mine], f"{where}, prices")
    _same(fills["commission"], answer["orders.fees"][mine], f"{where}, commissions")
    return len(fills)


def _same_trades(ours: vb.Result, answer: Answer, number: int, assets: int, where: str) -> None:
    """M4: a trade runs from flat to flat, which vectorbt calls a position."""
    mine = _mine(answer, "positions", number, assets)
    theirs = {name.partition(".")[2]: values[mine] for name, values in answer.items() if name.startswith("positions.")}
    closed = theirs["status"] == 1
    theirs = {name: values[closed] for name, values in theirs.items()}
    order = np.lexsort((theirs["exit_idx"], theirs["col"]))
    theirs = {name: values[order] for name, values in theirs.items()}
    trades = ours.run.trades[np.lexsort((ours.run.trades["exit_t"], ours.run.trades["asset"]))]
    assert len(trades) == len(theirs["col"]), f"{where}: vecbt closed {len(trades)} trades, vectorbt {len(theirs['col'])}"
    for mine_named, theirs_named in (("entry_t", "entry_idx"), ("exit_t", "exit_idx")):
        assert np.array_equal(trades[mine_named], theirs[theirs_named]), f"{where}, {mine_named}"
    assert np.array_equal(trades["side"], np.where(theirs["direction"] == 0, 1, -1)), f"{where}, side"
    notional = trades["quantity"] * trades["entry_price"]
    for mine_named, theirs_named in (("quantity", "size"), ("entry_price",) * 2, ("exit_price",) * 2, ("pnl",) * 2):
        scale = notional if mine_named == "pnl" else 0.0
        _same(trades[mine_named], theirs[theirs_named], f"{where}, {mine_named}", scale)


def _same_statistics(ours: vb.Result, answer: Answer, number: int, where: str) -> None:
    """M1, M2, M4; what is undefined here (M5) is NaN or infinite there."""
    found = ours.stats()
    columns = [found] if found.ndim == 1 else [found[name] for name in found]
    for account, stats in enumerate(columns):
        for name, theirs_named in STATISTICS.items():
            theirs = float(answer[theirs_named][number * len(columns) + account])
            theirs = -theirs if name in FALLS else theirs
            here = f"{where}, {name}: vecbt {stats[name]!r}, vectorbt {theirs!r}"
            if math.isnan(stats[name]):
                assert not math.isfinite(theirs), here
            else:
                # returns are differences of nearly equal numbers: on the scale of a return of 1
                assert abs(stats[name] - theirs) <= CLOSE * max(1.0, abs(theirs)), here
