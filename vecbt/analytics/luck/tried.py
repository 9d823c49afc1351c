"""How many independent configurations were tried, and how much their Sharpe ratios vary: what the best of them owes to luck."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ConfigError, counted
from ...evidence import EffectiveTrials, effective_trials_of_blocks, expected_maximum_sharpe

if TYPE_CHECKING:
    from ...ledger import Trials

__all__ = ["Tried", "given_trials", "tried"]


@dataclass(frozen=True)
class Tried:
    """What the best of all trials is judged against.

    Attributes
    ----------
    count : distinct configurations
    effective : as many independent ones
    variance : of the Sharpe ratios per bar of independent trials
    how : how both were found, for people
    source : where the count is from, for people
    """

    count: int
    effective: float
    variance: float
    how: str
    source: str

    @property
    def luck(self) -> float:
        """The Sharpe ratio per bar that the best is expected to have without skill; 0 for one trial."""
        return float(expected_maximum_sharpe(self.effective, self.variance))


def tried(found: Trials, bars: int, given: int | None = None) -> Tried:
    """From the ledger, or, for `given` trials, as many independent ones.

    The variance across independent trials is that of the ratios in the ledger over one less the mean correlation; where fewer than two are
    known it is 1/(T - 1), that of estimates of a ratio of 0 (Lo 2002).
    """
    if given is not None:
        return given_trials(given, found.variance if found.variance > 0.0 else None, bars)
    if found.count < 2:
        source = found.note or "this is the first configuration that the ledger has for these data"
        return Tried(max(found.count, 1), 1.0, _of_estimates(bars), "a single one", source)
    effective, shared, how = _independent(found, bars)
    variance = found.variance / (1.0 - shared)
    return Tried(found.count, effective, variance if variance > 0.0 else _of_estimates(bars), how, "by the trial ledger")


def given_trials(count: int, variance: float | None, bars: int) -> Tried:
    """So many independent ones; ConfigError where it is no number of them."""
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise ConfigError(f"trials is {count!r}; expected a whole number of at least 1")
    if variance is not None and not (isinstance(variance, int | float | np.floating) and math.isfinite(variance) and variance > 0.0):
        raise ConfigError(f"variance is {variance!r}; expected that of Sharpe ratios per bar, > 0")
    how = "a single one" if count == 1 else "taken as independent"
    return Tried(int(count), float(count), _of_estimates(bars) if variance is None else float(variance), how, "as given")


def _of_estimates(bars: int) -> float:
    return 1.0 / max(bars - 1, 1)


def _independent(found: Trials, bars: int) -> tuple[float, float, str]:
    """As many independent trials, the mean correlation (0 and up, below 1), and how they were found."""
    sums = found.blocks_sample()
    of: EffectiveTrials | None = effective_trials_of_blocks(sums, max(bars, sums.shape[1])) if len(sums) > 1 else None
    if of is None or of.reason or math.isnan(of.average_correlation):
        return float(found.count), 0.0, "taken as independent: the ledger keeps too few of their returns to compare them"
    shared = min(max(of.average_correlation, 0.0), 0.999)
    if of.trials + of.left_out >= found.count:
        return of.effective, shared, "from the correlations of their returns over sixteen parts of the bars"
    several = shared + (1.0 - shared) * found.count
    return several, shared, f"from the mean correlation, {shared:.2f}, of {counted(of.trials, 'trial')} among them"
