"""`BacktestEngine`: one object that is given its parts once and then data and signals of -1, 0 and 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import ArrayTN, Table
from ..analytics.result import Result
from ..analytics.statistics import STATISTICS
from ..api import backtest
from ..data.bars import Bars
from ..data.labels import label_text
from ..engine.alignment import place
from ..engine.inputs import Strengths
from ..errors import ConfigError, DataError, InputError, VecbtError, nearest
from ..execution.costs import Costs
from ..risk.sizing import SIZINGS, Sizing
from .risk_manager import RiskManager

__all__ = ["BacktestEngine", "EngineResult"]

_OTHER_NAMES = {"sharpe_ratio": "sharpe", "sortino_ratio": "sortino", "calmar_ratio": "calmar", "num_trades": "trades"}
_NAMES = [row.name for row in STATISTICS]


class EngineResult(Result):
    """A `Result` that also gives its statistics by name: `result["total_return"]`, `result["sharpe_ratio"]`."""

    def __getitem__(self, name: str) -> Any:
        """One statistic; a Series by symbol when each asset has its account."""
        own = _OTHER_NAMES.get(name, name)
        if own not in _NAMES:
            raise ConfigError(f"a result has no statistic {name!r}; {nearest(str(name), [*_NAMES, *_OTHER_NAMES])}")
        return self.stats().loc[own]

    def keys(self) -> list[str]:
        """The names of all statistics."""
        return list(_NAMES)


class BacktestEngine:
    """Parts that are set once, for runs on data and signals.

    Parameters
    ----------
    initial_capital : float
        Money the account starts with.
    risk_manager : RiskManager, optional
        Stops of positions and rules of the account; none without it.
    position_sizer : a size, optional
        How much an entry buys, such as `create_position_sizer("fixed_fractional")`; 1/N of equity times the confidence without it.
    commission_pct : float
        Commission as a fraction of the value traded: 0.0015 is 0.15 %.
    slippage_bps : float
        Slippage of market fills in hundredths of a percent.
    **keywords
        Any other argument of `backtest`; `direction` is `"long"` unless given, so that -1 is an exit.
    """

    def __init__(
        self,
        initial_capital: float = 10_000,
        risk_manager: RiskManager | None = None,
        position_sizer: Sizing | None = None,
        commission_pct: float = 0.0015,
        slippage_bps: float = 5,
        **keywords: Any,
    ) -> None:
        if risk_manager is not None and not isinstance(risk_manager, RiskManager):
            raise ConfigError(f"risk_manager is {risk_manager!r}; expected RiskManager(...)")
        if position_sizer is not None and not isinstance(position_sizer, SIZINGS):
            raise ConfigError(f"position_sizer is {position_sizer!r}; expected a size, such as create_position_sizer('fixed_fractional')")
        own = risk_manager.initial_capital if risk_manager is not None else None
        if own is not None and own != initial_capital:
            raise ConfigError(f"initial_capital is {initial_capital!r}, that of the risk manager {own!r}; expected one amount")
        for name in ("costs", "stops", "risk", "sizing"):
            if name in keywords:
                raise ConfigError(f"{name} follows from the engine's own arguments; call backtest() to set it directly")
        stops = risk_manager.stops if risk_manager is not None else None
        if position_sizer is not None and position_sizer.needs_stop and not (stops is not None and stops.has_stop):
            raise ConfigError(f"{type(position_sizer).__name__} sizes by the distance to the stop; give risk_manager=RiskManager(...)")
        self.initial_capital = initial_capital
        self.risk_manager = risk_manager
        self.position_sizer = position_sizer
        self.commission_pct = commission_pct
        self.slippage_bps = slippage_bps
        self._keywords: dict[str, Any] = {
            "direction": "long",
            **keywords,
            "initial_capital": initial_capital,
            "costs": _costs(commission_pct, slippage_bps),
            "sizing": position_sizer,
            "stops": stops,
            "risk": risk_manager.risk if risk_manager is not None else None,
        }
        self._result: EngineResult | None = None

    @property
    def findings(self) -> tuple[str, ...]:
        """What the parts mean together, a sentence each: which limit really decides the size."""
        return self.risk_manager.findings(self.position_sizer) if self.risk_manager is not None else ()

    def run_backtest(self, data: Any, signals: Any, confidences: Any = None) -> EngineResult:
        """Run signals over data. A decision of one bar is filled at the next open.

        Parameters
        ----------
        data : DataFrame or Bars
            Dated prices: open, high, low and close, or a column `price` or `close` alone. With one price a bar, stops meet
            closes only.
        signals : Series or array, (T,) or (T, N)
            1 buys, -1 sells, 0 does nothing. With `direction="long"` a sale is an exit, with `"both"` it goes short.
        confidences : Series or array, optional
            From 0 to 1, of the signals: strength, and so size and priority. An entry without one (NaN) or of 0 is none; an exit
            needs none.

        Returns
        -------
        EngineResult
            A `Result` with its statistics by name.

        Raises
        ------
        DataError, InputError, ConfigError
            What cannot be used, and what to do.
        """
        bars = data if isinstance(data, Bars) else _bars(data)
        strengths = _strengths(bars, signals, confidences, self._keywords["direction"])
        self._result = EngineResult(backtest(bars, Strengths(strengths), **self._keywords).run)
        return self._result

    @property
    def result(self) -> EngineResult:
        """The last run's result."""
        if self._result is None:
            raise VecbtError("nothing has been run; call run_backtest(data, signals) first")
        return self._result

    def get_equity_curve(self) -> Any:
        """Equity at each close, a Series."""
        return self.result.equity

    def get_trades(self) -> Table:
        """Every closed trade."""
        return self.result.trades

    def get_fills(self) -> Table:
        """Every fill."""
        return self.result.fills


def _costs(commission_pct: float, slippage_bps: float) -> Costs:
    """Costs of both; two zeros, which nobody gets without writing them, are no costs."""
    free = commission_pct == 0 and slippage_bps == 0
    return Costs.free() if free else Costs(commission_rate=commission_pct, slippage_bps=slippage_bps)


def _bars(data: Any) -> Bars:
    """Bars of a pandas or polars frame; one price a bar stands for all four."""
    if hasattr(data, "to_frame") and getattr(data, "ndim", 1) == 1:
        data = data.to_frame("price")
    if not hasattr(data, "columns"):
        raise DataError(f"data is {type(data).__name__}; expected a DataFrame with dates and prices, or Bars")
    read = Bars.from_pandas if hasattr(data, "index") else Bars.from_polars
    names = {str(c).lower(): c for c in data.columns}
    single = next((names[n] for n in ("price", "close") if n in names), None)
    if single is None or "open" in names or "o" in names or getattr(getattr(data, "columns", None), "nlevels", 1) > 1:
        return read(data)
    return read(data, columns=dict.fromkeys(("open", "high", "low", "close"), single))


def _strengths(bars: Bars, signals: Any, confidences: Any, direction: str) -> ArrayTN:
    """Signals and their confidences as strengths: 0 where a position is to be closed, NaN where nothing is wanted."""
    side = place(signals, "signals", bars)
    _refuse(bars, side, ~np.isin(side, (-1.0, 0.0, 1.0)), "signals", "expected -1, 0 or 1")
    sure = np.ones_like(side)
    if confidences is not None:
        sure = place(confidences, "confidences", bars)
        _refuse(bars, sure, (sure < 0.0) | (sure > 1.0), "confidences", "expected a number from 0 to 1, or NaN where there is none")
    out = side * np.where(sure > 0.0, sure, np.nan)
    out[side == 0.0] = np.nan
    if direction in ("long", "short"):
        out[side == (-1.0 if direction == "long" else 1.0)] = 0.0
    return out


def _refuse(bars: Bars, values: ArrayTN, bad: Any, name: str, remedy: str) -> None:
    if bad.any():
        t, n = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(f"{name} at {label_text(int(bars.index[t]))}, {bars.symbols[n]}: {values[t, n]}; {remedy}")
