"""The tear sheet of a result: with trades, costs and assumptions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.labels import label_text
from ..errors import ConfigError, counted, nearest
from .assumptions import Assumption, assumptions
from .given_returns import accounts_together
from .return_tables import stats
from .sheet import Figure, Sheet
from .sheet_data import Cost, cost_rows
from .sheet_evidence import result_evidence
from .statistics import STATISTICS, Statistic, compute, write

if TYPE_CHECKING:
    from .result import Result

__all__ = ["GROUPS", "TILES", "RunSheet", "middle"]

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

_ONLY_WHERE_ANY = ("holding", "flows", "orders")  # groups of zeros are left out


@dataclass(frozen=True, eq=False)
class RunSheet(Sheet):
    """Everything a report tells of one result; with accounts of their own, curves and tables are of all of them together."""

    result: Result
    found: dict[str, Any]
    symbol: str | None

    @classmethod
    def of(cls, result: Result, *, symbol: str | None = None, evidence: Any = None) -> RunSheet:
        """The sheet of a result; see `Result.report`."""
        symbols = result.run.bars.symbols
        if symbol is not None and symbol not in symbols:
            raise ConfigError(f"symbol is {symbol!r}, which is not in this run; {nearest(symbol, symbols)}")
        found = compute(result.run, result._curves, rf=0.0, mar=0.0, alpha=0.05)
        chosen = symbol if symbol is not None else symbols[0] if len(symbols) == 1 else None
        told = result_evidence(result, evidence, symbol)
        return cls(accounts_together(result), result.title, told, result, found, chosen)

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
        whose = "All accounts together: " if self.several else ""
        begun, ended = float(run.initial.sum()), float(run.equity[-1].sum())
        gain = float(stats(self.given)["total_return"]) if self.several else middle(found["total_return"])
        paid = float(np.sum(found["deposits"]) - np.sum(found["withdrawals"]))
        flows = f", {write('money', abs(paid))} {'paid in' if paid > 0.0 else 'paid out'} on balance," if paid else ""
        money = f"{whose}{write('money', begun)} became {write('money', ended)}{flows} in {self.took}: {write('fraction', gain)} in all"
        trades = int(np.sum(found["trades"]))
        return f"{money}. {self.risk} {counted(trades, 'trade') if trades else 'No trade'} {'were' if trades > 1 else 'was'} closed."

    def figure(self, row: Statistic) -> Figure:
        """A statistic of the account, or the median over all accounts."""
        value = self.found[row.name]
        return Figure(row, self.written(row), middle(value) if row.kind != "time" else np.nan)

    def tiles(self) -> list[Figure]:
        """The figures shown first."""
        rows = {row.name: row for row in STATISTICS}
        return [self.figure(rows[name]) for name in TILES]

    def cards(self) -> list[tuple[str, list[Figure]]]:
        """Statistics in groups, those that have something to tell."""
        made = [(name, [self.figure(row) for row in self.shown(groups)]) for name, groups in GROUPS.items()]
        return [(name, figures) for name, figures in made if figures]

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
