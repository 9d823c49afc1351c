"""A tear sheet before it has a form: the numbers and sentences that the page, the pictures and the text share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .._typing import ArrayT, Table
from ..data.labels import label_text
from ..errors import ConfigError, counted, nearest
from .assumptions import Assumption, assumptions
from .sheet_data import Cost, cost_rows, drawdown_table, monthly_table, rolling_table, rolling_window, whole_curve
from .sheet_evidence import EvidenceTable, evidence_of
from .statistics import STATISTICS, Statistic, compute, write

if TYPE_CHECKING:
    from .result import Result

__all__ = ["GROUPS", "ROLLING", "TILES", "Sheet", "middle"]

TILES = ("total_return", "cagr", "sharpe", "volatility", "max_drawdown", "final_equity", "trades", "profit_factor")
GROUPS = {
    "Return": ("return",),
    "Risk": ("risk",),
    "Trades": ("trades",),
    "Activity and costs": ("activity", "costs"),
    "Holding": ("holding",),
    "Paid in and out": ("flows",),
    "Orders": ("orders",),
    "Run": ("run", "end"),
}
ROLLING = {"sharpe": ("Sharpe ratio", "ratio"), "volatility": ("Volatility, annualized", "percent"), "gain": ("Return", "percent")}
"""Rolling figures: label and kind of each."""

_ONLY_WHERE_ANY = ("holding", "flows", "orders")  # groups of zeros are left out
_YEAR = 365.25 * 86_400e9


@dataclass(frozen=True, eq=False)
class Sheet:
    """Everything a report tells of one result, found once."""

    result: Result
    found: dict[str, Any]
    evidence: EvidenceTable | None
    symbol: str | None

    @classmethod
    def of(cls, result: Result, *, symbol: str | None = None, evidence: Any = None) -> Sheet:
        """The sheet of a result; see `Result.report`."""
        symbols = result.run.bars.symbols
        if symbol is not None and symbol not in symbols:
            raise ConfigError(f"symbol is {symbol!r}, which is not in this run; {nearest(symbol, symbols)}")
        found = compute(result.run, result._curves, rf=0.0, mar=0.0, alpha=0.05)
        chosen = symbol if symbol is not None else symbols[0] if len(symbols) == 1 else None
        return cls(result, found, evidence_of(result, evidence), chosen)

    @cached_property
    def curve(self) -> tuple[ArrayT, ArrayT]:
        """Returns and growth of the account, or of all accounts together."""
        return whole_curve(self.result.run, self.result._curves)

    @cached_property
    def months(self) -> Table:
        """Return of each month."""
        return monthly_table(self.result.times, self.curve[0])

    @cached_property
    def drawdowns(self) -> Table:
        """The ten deepest drawdowns."""
        return drawdown_table(self.result.times, self.curve[1])

    @cached_property
    def window(self) -> int:
        """Bars of the rolling window, 0 for a run too short for one."""
        return rolling_window(self.result.run.bars.T, self.result.run.bars.periods_per_year)

    @cached_property
    def rolling(self) -> Table | None:
        """Rolling figures, those that have a value anywhere; None for a run too short for any."""
        if not self.window:
            return None
        frame = rolling_table(self.result.times, self.curve[0], self.window, self.result.run.bars.periods_per_year)
        known = [name for name in frame.columns if np.isfinite(frame[name]).any()]
        return frame[known] if known else None

    @cached_property
    def costs(self) -> list[Cost]:
        """From the result before costs to the profit."""
        return cost_rows(self.found)

    @cached_property
    def assumed(self) -> list[Assumption]:
        """Every assumption in force."""
        return assumptions(self.result.run)

    @property
    def several(self) -> bool:
        """Whether there are several accounts."""
        return self.result._curves.separate

    @property
    def of_what(self) -> str:
        """What curves and tables are of, where that is not the one account."""
        return "All accounts together." if self.several else ""

    @property
    def span(self) -> str:
        """First and last bar, how many, and accounts."""
        index, accounts = self.result.run.bars.index, self.result.run.equity.shape[1]
        span = f"{label_text(int(index[0]))} to {label_text(int(index[-1]))} UTC, {counted(len(index), 'bar')}"
        return span + (f", {accounts} accounts" if accounts > 1 else "")

    @property
    def parameters(self) -> str:
        """Parameters of the strategy, as `fast 20, slow 100`; empty where it has none."""
        own = [row for row in self.assumed if row.section == "strategy" and row.name != "source"]
        return ", ".join(f"{row.name} {row.value}" for row in own)

    @property
    def lead(self) -> str:
        """In one or two sentences: did it make money, and at what risk."""
        run, found = self.result.run, self.found
        years = float(run.bars.index[-1] - run.bars.index[0]) / _YEAR
        took = f"{years:.1f} years" if years >= 1.0 else counted(max(round(years * 365.25), 1), "day")
        whose = "All accounts together: " if self.several else ""
        begun, ended = float(run.initial.sum()), float(run.equity[-1].sum())
        gain = float(self.curve[1][-1] - 1.0) if len(self.curve[1]) else np.nan
        paid = float(np.sum(found["deposits"]) - np.sum(found["withdrawals"]))
        flows = f", {write('money', abs(paid))} {'paid in' if paid > 0.0 else 'paid out'} on balance," if paid else ""
        money = f"{whose}{write('money', begun)} became {write('money', ended)}{flows} in {took}: {write('fraction', gain)} in all"
        deepest = float(self.drawdowns["depth"].iloc[0]) if len(self.drawdowns) else 0.0
        risk = f"At worst it closed {write('fraction', deepest)} below an earlier close."
        risk = risk if deepest else "It never closed below an earlier close."
        trades = int(np.sum(found["trades"]))
        return f"{money}. {risk} {counted(trades, 'trade') if trades else 'No trade'} {'were' if trades > 1 else 'was'} closed."

    def tiles(self) -> list[tuple[Statistic, str, float]]:
        """The figures shown first: statistic, as written, as a number."""
        rows = {row.name: row for row in STATISTICS}
        return [(rows[name], self.written(rows[name]), middle(self.found[name])) for name in TILES]

    def written(self, row: Statistic, account: int | None = None) -> str:
        """A statistic as people read it; of several accounts one, or their median."""
        value = self.found[row.name]
        if row.kind == "time":
            return label_text(int(value))
        if isinstance(value, np.ndarray):
            value = value[account] if account is not None else middle(value)
        return write(row.kind, value)

    def shown(self, groups: tuple[str, ...]) -> list[Statistic]:
        """Statistics of these groups; none where a group has nothing to tell."""
        rows = [row for row in STATISTICS if row.group in groups]
        if groups[0] in _ONLY_WHERE_ANY and not any(np.any(np.nan_to_num(self.found[row.name]) != 0.0) for row in rows):
            return []
        return rows


def middle(value: Any) -> float:
    """One number for several accounts: the median of those where it is defined."""
    known = np.atleast_1d(np.asarray(value, dtype=np.float64))
    known = known[~np.isnan(known)]
    return float(np.median(known)) if len(known) else np.nan
