"""The evidence for a whole sweep: whether its best set is more than the luckiest, from the sums over blocks that it keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from ...evidence import (
    EffectiveTrials,
    Moments,
    Overfitting,
    StepwiseTest,
    Superiority,
    effective_trials_of_blocks,
    expected_maximum_sharpe,
    moments_of_blocks,
    pbo_of_blocks,
    probabilistic_sharpe,
    spa_of_blocks,
    step_m_of_blocks,
    trial_variance,
)
from .judgement import Evidence, Line, in_words, line
from .tried import tried

if TYPE_CHECKING:
    from ..sweep import Sweep

__all__ = ["evidence_of_sweep"]


@dataclass(frozen=True)
class _Found:
    """What was found; Sharpe ratios `top` and `luck` are a year's, `root` times those per bar."""

    sets: int
    ran: int
    count: int
    effective: float
    how: str
    note: str
    beaten: str
    root: float
    top: float
    luck: float
    probability: float
    independent: EffectiveTrials
    overfit: Overfitting
    superior: Superiority
    stepwise: StepwiseTest


def evidence_of_sweep(sweep: Sweep, *, benchmark: Any, size: float, resamples: int, rf: float, seed: int, threads: int | None) -> Evidence:
    """See `Sweep.evidence`."""
    if sweep._of_bars().windowed:
        raise ConfigError("the sets of this sweep run over windows of their own (`between`), and evidence compares sets over the same bars")
    blocks, fine = sweep.blocks, sweep.fine
    if blocks is None or fine is None:
        raise ConfigError("this sweep kept no sums over parts of the bars, which its evidence needs; run it with blocks=True or 'file'")
    about, root = sweep._lines.about, math.sqrt(sweep._of_bars().bars.periods_per_year)
    of = moments_of_blocks(blocks, about.bars, rf=rf)
    beaten = "nothing" if benchmark is None else "the benchmark"
    ratios, known = np.atleast_1d(np.asarray(of.sharpe)), sweep.trials
    independent = effective_trials_of_blocks(fine, about.bars, seed=seed)
    sets, count = len(ratios), max(known.count, len(ratios))
    if count > sets:  # as a result's evidence counts them, so that both judge a set alike
        made = tried(known, about.bars)
        effective, variance, how = made.effective, made.variance, made.how
    else:
        shared = 0.0 if independent.reason else min(max(independent.average_correlation, 0.0), 0.999)
        effective, variance = float(sets) if independent.reason else independent.effective, trial_variance(of, shared)
        how = independent.reason or "from the correlations of their returns over 64 parts of the bars"
    top, luck, probability = _best(of, ratios, effective, variance)
    ran = about.sets * len(np.unique(sweep._lines.account))
    found = _Found(
        sets, ran, count, effective, how, known.note, beaten, root, top * root, luck * root, probability, independent,
        pbo_of_blocks(blocks, about.bars, rf=rf, threads=threads),
        spa_of_blocks(fine, about.bars, benchmark=benchmark, resamples=resamples, seed=seed),
        step_m_of_blocks(fine, about.bars, benchmark=benchmark, size=size, resamples=resamples, seed=seed),
    )  # fmt: skip
    lines = (*_of_trials(found), *_of_best(found), *_of_splits(found), *_of_tests(found))
    parts = {
        "moments": of, "trials": known, "independent": independent, "overfitting": found.overfit, "spa": found.superior,
        "stepwise": found.stepwise,
    }  # fmt: skip
    return Evidence(f"Is it luck? Sweep of {about.strategy}", _paragraph(found), lines, parts)


def _best(of: Moments, ratios: NDArray[np.float64], effective: float, variance: float) -> tuple[float, float, float]:
    """Per bar: the highest ratio, what luck alone would bring, and the probability that the true one of its set is above that."""
    if not np.isfinite(ratios).any() or not variance > 0.0:
        return (float(np.nanmax(ratios)) if np.isfinite(ratios).any() else math.nan), math.nan, math.nan
    best, luck = int(np.nanargmax(ratios)), float(expected_maximum_sharpe(effective, variance))
    return float(ratios[best]), luck, float(np.atleast_1d(np.asarray(probabilistic_sharpe(of, luck)))[best])


def _of_trials(found: _Found) -> list[Line]:
    here = " on these data or data that overlap with them (by the trial ledger)"
    beyond = f"; no others are counted: {found.note}" if found.note else here
    return [
        line("sets", found.sets, "lines of this sweep", ",.0f"),
        line("trials", found.count, f"configurations tried{beyond}", ",.0f"),
        line("independent_trials", found.effective, f"as many independent ones; {found.how}", ",.1f"),
    ]


def _of_best(found: _Found) -> list[Line]:
    return [
        line("best_sharpe", found.top, "Sharpe ratio a year of the best set", ".2f"),
        line("lucky_sharpe", found.luck, "what the best of so many is expected to have by luck alone", ".2f"),
        line("probability", found.probability, "that the true ratio of the best set is above it (deflated Sharpe ratio)", ".3f"),
    ]


def _of_splits(found: _Found) -> list[Line]:
    of = found.overfit
    inside, outside = (math.nan if of.reason else float(np.median(part)) * found.root for part in (of.inside, of.outside))
    what = of.reason or "probability that the set that is best in one half of the time is below the median in the other (PBO)"
    return [
        line("pbo", of.probability, what, ".3f"),
        line("inside_sharpe", inside, f"median over {of.splits:,} splits of the winner's ratio a year in its half", ".2f"),
        line("outside_sharpe", outside, "and in the other half", ".2f"),
        line("loss_outside", of.loss, "share of splits whose winner loses in the other half", ".1%"),
    ]


def _of_tests(found: _Found) -> list[Line]:
    spa, steps = found.superior, found.stepwise
    said = f"sets that earn more than {found.beaten}, with {1.0 - steps.size:.0%} confidence in all of them at once (StepM)"
    return [
        line("spa_p", spa.consistent, spa.reason or f"p-value of: no set earns more than {found.beaten} (Hansen's SPA)", ".3f"),
        line("better_sets", math.nan if steps.reason else len(steps.superior), steps.reason or said, ",.0f"),
    ]


def _paragraph(found: _Found) -> str:
    more = f", {found.count:,} with what else the ledger has for these data" if found.count > found.sets else ""
    said = [f"{found.sets:,} sets were tried{more}; they count as {found.effective:,.1f} independent ones."]
    if math.isnan(found.luck):
        said.append("No two of them have Sharpe ratios that could be compared.")
    else:
        said.append(
            f"The best has a Sharpe ratio of {found.top:.2f} a year; by luck alone it is expected to have {found.luck:.2f}, and the "
            f"probability that its true ratio is above that is {in_words(found.probability)}."
        )
    if not found.overfit.reason:
        said.append(
            "The set that is best in one half of the time is below the median in the other half with probability "
            f"{found.overfit.probability:.0%}."
        )
    spa, steps = found.superior, found.stepwise
    if not spa.reason and not steps.reason:
        shown = f"{spa.consistent:.2g}" if spa.consistent > 0.0 else f"less than {1.0 / spa.resamples:.1g}"
        said.append(
            f"That no set earns more than {found.beaten} has a p-value of {shown}; {len(steps.superior):,} sets do, with "
            f"{1.0 - steps.size:.0%} confidence in all of them at once."
        )
    if not math.isnan(found.luck):
        said.append(f"To be more than luck, the best would have to stay above {found.luck:.2f} on bars that none of these sets has seen.")
    if found.sets < found.ran:
        said.append(f"These are {found.sets:,} of {found.ran:,} lines, chosen after they were seen: all of this flatters them.")
    return " ".join(said)
