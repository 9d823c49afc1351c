"""The trial ledger: every configuration that was evaluated on data, in a file of the user's that is only ever appended to.

The best of many trials looks good by chance; how good depends on how many there were (Bailey and López de Prado, "The deflated Sharpe
ratio", Journal of Portfolio Management 40(5), 2014). So `backtest` and `sweep` record what they evaluate, and results know the number.

>>> result = vb.backtest(bars, strategy, costs=costs)
>>> result.trials.count, result.trials.variance, result.trials.head
>>> print(vb.ledger.show()); vb.ledger.verify().ok
>>> with vb.ledger.off(): ...

Checks (`check_parity`, `check_strategy`, `check_causal`, `verify`) and `Sweep.break_even` choose nothing and record nothing.
"""

from __future__ import annotations

from .counting import Trials, trials
from .overview import head, show, summary
from .place import off, path
from .verifying import LedgerReport, verify

__all__ = ["LedgerReport", "Trials", "head", "off", "path", "show", "summary", "trials", "verify"]
