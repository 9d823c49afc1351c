"""How alike members are: an ensemble of strategies that say the same is one strategy with more costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import Table
from ..data.bars import Bars
from ..engine.setup import Setup
from ..engine.strategy import evaluate
from ..errors import ConfigError
from ..metrics.returns import simple_returns_of
from .accounts import account_setup, equities
from .combined import as_members
from .standing import Standing

__all__ = ["strategy_correlation"]


def strategy_correlation(bars: Bars, members: Any, *, of: str = "returns", **account: Any) -> Table:
    """Correlation of members over `bars`, a pandas frame (M, M) by name.

    Parameters
    ----------
    bars : Bars
    members : strategies by name, or a sequence of them; they give signals or strengths
    of : "returns" of their own accounts, bar by bar, or "strengths": what they stand for in all assets
    **account : keywords of the accounts, as for `backtest`, `costs` among them; for "returns" only

    Returns
    -------
    Pearson's correlation over the bars where both have a value. NaN where one does not vary, its own diagonal too.

    Raises
    ------
    ConfigError for members that are none, another `of`, and account keywords that are missing or not used.
    """
    import pandas as pd

    named = as_members(members, "strategy_correlation")
    if of not in ("returns", "strengths"):
        raise ConfigError(f"of is {of!r}; expected 'returns' or 'strengths'")
    if of == "strengths" and account:
        raise ConfigError(f"{', '.join(account)} belong to accounts, which of='strengths' does not keep")
    rows = [evaluate(member, bars) for member in named.values()]
    standing, said = Standing(tuple(named), bars.N), np.empty((len(rows), bars.T, bars.N))
    for m, given in enumerate(rows):  # which also refuses what is no opinion
        standing.take(m, given, np.ascontiguousarray(bars.close), said[m])
    if of == "returns":
        setup = account_setup(Setup.of(**account))
        said = np.stack(
            [simple_returns_of(np.ascontiguousarray(e), np.full(e.shape[1], setup.initial_capital)) for e in equities(bars, rows, setup)]
        )
    series = said.reshape(len(named), -1)
    return pd.DataFrame(series.T, columns=list(named)).corr()
