"""`Result`: what a backtest returns. A run with statistics, frames, a picture and a report."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._typing import ArrayTG, Table
from ..core import memory
from ..core.codes import Zone
from ..data.labels import label_text
from ..engine.decision import order_id
from ..errors import ConfigError, nearest
from . import tables
from .assumptions import assumptions, source_name
from .curves import Curves
from .luck.questions import Luck
from .result_tables import ResultTables
from .statistics import STATISTICS, compute, write
from .tried import Tried

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..data.bars import Bars
    from ..engine.check import ParityReport
    from ..engine.run import Run
    from ..ledger.place import Entry

__all__ = ["Result"]

_FRAMES = ("equity", "cash", "flows", "drawdown", "returns", "zone", "positions", "exposure", "orders", "fills", "trades", "open_positions")
_ABSENT = {
    "zone": "zones were off in this run, so there is no zone to give; set risk=Risk(zones=Zones())",
    "flows": "nothing was paid in or out in this run, so there are no flows to give; set flows={time: money}",
}
_SHORT = ("total_return", "cagr", "sharpe", "max_drawdown", "trades", "win_rate")


class Result(Tried, ResultTables, Luck):
    """A finished backtest.

    Frames are made when they are asked for, and are the caller's to change. Per-bar frames have UTC times as index; with one account
    `equity`, `cash`, `drawdown`, `returns` and `zone` are Series, with one account per asset they are frames with a column per symbol.

    Parameters
    ----------
    run : Run
        What the engine returned; kept as `result.run`.
    entry : Entry, optional
        What became of it in the trial ledger; None where it was not to be recorded.
    """

    def __init__(self, run: Run, *, entry: Entry | None = None) -> None:
        self.run, self._entry = run, entry
        self._curves = Curves(run)

    def stats(self, *, rf: float = 0.0, mar: float = 0.0, alpha: float = 0.05) -> Any:
        """All statistics by name; see `vecbt.analytics.statistics.STATISTICS` for unit and meaning of each.

        Parameters
        ----------
        rf, mar : float
            Riskless and minimum acceptable return *per bar*, for Sharpe and Sortino ratios.
        alpha : float
            Share of the worst bars for `var` and `cvar`.

        Returns
        -------
        pandas.Series, or pandas.DataFrame with a column per symbol when each asset has its account
            Fractions, ratios, money and counts; what is undefined is NaN (M5).
        """
        import pandas as pd

        found = compute(self.run, self._curves, rf=rf, mar=mar, alpha=alpha)
        for name in ("start", "end"):
            found[name] = pd.Timestamp(int(found[name]), tz="UTC")
        whole = {row.name for row in STATISTICS if row.kind == "count"}
        columns = {}
        for account, label in enumerate(self._labels):
            values = {name: value[account] if isinstance(value, np.ndarray) else value for name, value in found.items()}
            columns[label] = pd.Series({name: _plain(value, name in whole) for name, value in values.items()}, dtype=object, name="stats")
        return pd.DataFrame(columns) if self._curves.separate else columns[self._labels[0]]

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        return self.run.bars.symbols if self._curves.separate else ("account",)

    def _by_account(self, values: ArrayTG, name: str) -> Any:
        """A frame of an array that is the caller's own."""
        import pandas as pd

        if self._curves.separate:
            return pd.DataFrame(values, index=self.times, columns=list(self._labels), copy=False)
        return pd.Series(values[:, 0], index=self.times, name=name, copy=False)

    @cached_property
    def times(self) -> Any:
        """Labels of all bars, a UTC DatetimeIndex named `time`."""
        return tables.times(self.run).rename("time")

    @property
    def equity(self) -> Any:
        """Equity at each close, money; what was paid in and out included (F15)."""
        return self._by_account(_copy(self.run.equity), "equity")

    @property
    def cash(self) -> Any:
        """Cash at each close, money; proceeds of shorts included (F3), and the settled moves of contracts (F12)."""
        return self._by_account(_copy(self.run.cash), "cash")

    @property
    def flows(self) -> Any:
        """Money paid in (> 0) and out in each bar (F15): what was paid, not what was asked for. None where nothing was to be paid."""
        return None if self.run.flows is None else self._by_account(_copy(self.run.flows), "flows")

    @property
    def drawdown(self) -> Any:
        """Drawdown at each close, a positive fraction of the highest close so far (Z1); with deposits, of the product of returns (M1)."""
        return self._by_account(self._curves.drawdown, "drawdown")

    @property
    def returns(self) -> Any:
        """Simple return of each bar, the first against `initial` (M1); what was paid in before the open is no return."""
        return self._by_account(self._curves.returns, "returns")

    @property
    def zone(self) -> Any:
        """Drawdown zone of each bar, an ordered categorical from `normal` to `emergency` (Z1); None when zones are off."""
        import pandas as pd

        if self.run.zone is None:
            return None
        kind = pd.CategoricalDtype([zone.name.lower() for zone in Zone], ordered=True)
        columns = {
            label: pd.Series(pd.Categorical.from_codes(self.run.zone[:, account], dtype=kind), index=self.times, name="zone")
            for account, label in enumerate(self._labels)
        }
        return pd.DataFrame(columns) if self._curves.separate else columns[self._labels[0]]

    @property
    def positions(self) -> Table:
        """Signed quantity held at each close, a column per symbol: starting positions, splits and fills, added up."""
        import pandas as pd

        return pd.DataFrame(self._curves.positions, index=self.times, columns=list(self.run.bars.symbols), copy=False)

    @property
    def exposure(self) -> Table:
        """Gross and net value of positions over equity at each close, contracts at their whole value; NaN where equity is not positive.

        Columns `gross` and `net`; with one account per asset, two levels: `gross` or `net`, and the symbol.
        """
        import pandas as pd

        both = self._curves.exposures
        if not self._curves.separate:
            return pd.DataFrame(both[:, :, 0].T, index=self.times, columns=["gross", "net"], copy=False)
        names = pd.MultiIndex.from_product([["gross", "net"], self._labels])
        return pd.DataFrame(np.concatenate(list(both), axis=1), index=self.times, columns=names, copy=False)

    @property
    def orders(self) -> Table:
        """Every order with its status and the rules that cut or refused it; those still pending come last."""
        return tables.orders(self.run)

    @property
    def fills(self) -> Table:
        """Every fill: signed quantity, price with slippage, reference price without, commission, reason."""
        return tables.fills(self.run)

    @property
    def trades(self) -> Table:
        """Every closed trade: entry, exit, costs, carry, dividends, pnl, reason, MAE, MFE, R multiple."""
        return tables.trades(self.run)

    @property
    def open_positions(self) -> Table:
        """What is held after the last bar, at its mark."""
        return tables.open_positions(self.run)

    @property
    def refusals(self) -> Table:
        """How many orders each rule cut or refused, and why; an order that several rules cut counts for each of them."""
        return tables.refusals(self.run)

    def to_polars(self, name: str) -> Table:
        """One of the frames as a polars DataFrame; per-bar frames get their times as a column `time`.

        Parameters
        ----------
        name : str
            equity, cash, flows, drawdown, returns, zone, positions, exposure, orders, fills, trades or open_positions.
        """
        import polars as pl

        if name not in _FRAMES:
            raise ConfigError(f"name is {name!r}, which is no frame of a result; {nearest(name, _FRAMES)}")
        frame = getattr(self, name)
        if frame is None:
            raise ConfigError(_ABSENT[name])
        if frame.index.name == "time":
            frame = (frame.to_frame() if frame.ndim == 1 else frame).reset_index()
        columns = {}
        for label, column in frame.items():
            plain = column.dt.tz_localize(None) if getattr(column.dtype, "tz", None) is not None else column
            values = plain.to_numpy() if plain.dtype.kind in "fiubM" else plain.to_list()
            name = "_".join(part for part in label if part) if isinstance(label, tuple) else str(label)
            series = pl.Series(name, values, strict=False)
            columns[series.name] = series.cast(pl.Datetime("ns")).dt.replace_time_zone("UTC") if plain.dtype.kind == "M" else series
        return pl.DataFrame(columns)

    def assumptions(self) -> Table:
        """Every assumption in force: section, name, value, and what it means where the value does not say so."""
        import pandas as pd

        return pd.DataFrame(assumptions(self.run), columns=["section", "name", "value", "meaning"]).astype("str")

    def plot(self, path: str | Path | None = None, *, log: bool = False, symbol: str | None = None) -> Figure:
        """Equity, drawdown with its zones, prices with fills, exposure: one matplotlib figure.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it; the ending chooses the format (png, svg, pdf).
        log : bool
            Equity on a logarithmic axis.
        symbol : str, optional
            The asset whose price and fills are drawn; several assets are else drawn relative to their first close.

        Returns
        -------
        matplotlib.figure.Figure
            Shown by notebooks; nothing opens a window.
        """
        from .drawing import to_file
        from .plots import figure

        return to_file(figure(self.run, self._curves, log=log, symbol=symbol, title=self.title), path)

    def plot_bars(
        self,
        symbol: str | None = None,
        *,
        start: Any = None,
        stop: Any = None,
        indicators: Mapping[str, Any] | None = None,
        panes: Mapping[str, str | None] | None = None,
        path: str | Path | None = None,
    ) -> Figure:
        """Bars of one asset with what the strategy saw and said: indicators, signals, fills, first stops, positions (shaded), volume.

        Up to 260 bars are candles, hollow where the close is not below the open; more are a line of closes. Signals are hollow, where a run
        of equal ones begins; fills are filled triangles at their prices. Prices are as strategies read them (T9).

        Declared indicators of a RuleStrategy are among the prices where they are prices (`analytics.bars_plot.ON_PRICE`, and they read
        prices), else in a pane of their own. Extra series are, where 95 % of their values lie between half of the least and twice the
        greatest price shown.

        Parameters
        ----------
        symbol : str, optional
            The asset; the first one, if it is not said.
        start, stop : optional
            Which bars, as in `bars.slice`: times or positions, `stop` not included.
        indicators : mapping, optional
            More series by name, each as inputs are given: a frame, Series or array of all bars and assets.
        panes : mapping, optional
            Name of a series, or of an indicator with several outputs, to its pane: "price", any other word for a pane of that title (those
            of the same title share it), or None to leave it out.
        path : str or Path, optional
            Where to write it; the ending chooses the format (png, svg, pdf).

        Returns
        -------
        matplotlib.figure.Figure
            Shown by notebooks; nothing opens a window.

        Raises
        ------
        ConfigError, DataError, InputError
            A name is unknown, there are no such bars, or a series does not fit them.
        """
        from .bars_plot import bars_figure
        from .drawing import to_file

        picture = bars_figure(
            self.run, self._curves, symbol=symbol, start=start, stop=stop, indicators=indicators, panes=panes, title=self.title
        )
        return to_file(picture, path)

    def report(self, path: str | Path = "report.html", *, log: bool = False, symbol: str | None = None, evidence: Any = None) -> Path:
        """Write the tear sheet, in the form that the ending of the path chooses.

        `.html` is one page that needs nothing else, with charts to zoom and point at; `.pdf` has the same on sheets of paper, `.png` on a
        tall picture. All of them: equity, drawdown and exposure, prices with fills, returns by month, drawdowns, rolling figures, trades,
        costs, statistics, refused orders, every assumption in force.

        Parameters
        ----------
        path : str or Path
            Where to write it; its folder must exist.
        log, symbol
            As in `plot`; where each asset has an account of its own, the symbol also says whose evidence is asked for.
        evidence : optional
            What is known of whether the result could be luck: an object with `rows` of (name, value, meaning) and a `paragraph`, or such
            a pair; False for none. What the result itself finds (`evidence()`) where nothing is given, or why it can say nothing; the head
            of the trial ledger stands below, for `vecbt ledger verify`.

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        ConfigError
            The ending names no form, the symbol is none of the run, or the evidence has another shape.
        """
        from .sheet_file import write_report
        from .sheet_run import RunSheet

        return write_report(lambda: RunSheet.of(self, symbol=symbol, evidence=evidence), path, log=log)

    def report_text(self, *, symbol: str | None = None, evidence: Any = None) -> str:
        """The tear sheet for a terminal, at most 100 columns: statistics, returns by month, drawdowns, costs, refused orders.

        Parameters
        ----------
        symbol, evidence : optional
            As in `report`.
        """
        from .sheet_run import RunSheet
        from .sheet_text import sheet_text

        return sheet_text(RunSheet.of(self, symbol=symbol, evidence=evidence))

    def _tried_on(self) -> tuple[Bars, str]:
        return self.run.bars, self.run.bars.content_hash

    def order_ids(self, session: str = "vecbt") -> list[str]:
        """The id of every order, in the order of `orders`: session, bar label, symbol and the account's counter.

        A stream of the same session gives the same ids, so that nothing is sent twice when a run is repeated.
        """
        bars = self.run.bars
        return [order_id(session, int(bars.index[o.t]), bars.symbols[o.asset], int(o.id)) for o in self.run.orders]

    def check_parity(self, *, restarts: int = 3, seed: int = 0, progress: Any = None) -> ParityReport:
        """Replay this run bar by bar, with save, kill and restore at random bars, and compare all state (D1, D3).

        Parameters
        ----------
        restarts, seed : int
            How often, and at which random bars, the stream is restored from its save.
        progress : callable (done, total), optional
            Called after each bar.
        """
        from ..engine.check import replay

        return replay(self.run.bars, self.run.source, self.run.setup, restarts=restarts, seed=seed, progress=progress)

    @property
    def title(self) -> str:
        """Strategy or inputs, and assets."""
        symbols = self.run.bars.symbols
        shown = ", ".join(symbols[:6]) + (f" and {len(symbols) - 6} more" if len(symbols) > 6 else "")
        return f"{source_name(self.run)} · {shown}"

    def _headline(self) -> list[tuple[str, str]]:
        """A few statistics of the first account as people read them."""
        kinds = {row.name: row.kind for row in STATISTICS}
        found = compute(self.run, self._curves, rf=0.0, mar=0.0, alpha=0.05)
        return [(name, write(kinds[name], found[name][0])) for name in _SHORT]

    def save(
        self,
        folder: str | Path,
        *,
        bars: str | Path | None = None,
        reading: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Save this result in a folder, for `vecbt.load_result` and `vecbt.verify`: Parquet and JSON, every bit, nothing pickled.

        Parameters
        ----------
        folder : str or Path
            A new or an empty folder; it appears whole or not at all.
        bars : str or Path, optional
            A file that holds the bars; then only its path and their hash are saved. A `.parquet` file that is not there yet is
            written, for many results to share. Without it the folder gets a copy.
        reading : mapping, optional
            With `bars`, a file of your own: the keywords of `Bars.read_csv` or `read_parquet` that made these bars.
        overwrite : bool
            Replace a saved result that is there. Anything else that is there is left alone.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        ConfigError
            The folder may not be written, the file holds other bars, or a parameter is no plain value.
        """
        from .saved import save

        return save(self, folder, bars=bars, reading=reading, overwrite=overwrite)

    def __repr__(self) -> str:
        index, accounts = self.run.bars.index, self.run.equity.shape[1]
        span = f"{label_text(int(index[0]))} to {label_text(int(index[-1]))}, {len(index):,} bars"
        lines = [f"Result: {self.title}", f"  {span}" + (f", {accounts} accounts" if accounts > 1 else "")]
        if accounts == 1:
            lines.append("  " + ", ".join(f"{name} {value}" for name, value in self._headline()))
        lines += self._not_recorded()
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from .report import summary

        return summary(self)


def _copy(values: ArrayTG) -> ArrayTG:
    """The caller's own."""
    out = memory.empty(values.shape)
    out[...] = values
    return out


def _plain(value: Any, whole: bool) -> Any:
    """NumPy's scalars as Python's; counts as int."""
    if isinstance(value, np.generic):
        value = value.item()
    return int(value) if whole and isinstance(value, float) and value == value else value
