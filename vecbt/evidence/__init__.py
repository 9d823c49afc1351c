"""Evidence: how likely a backtest result is luck. On returns, and on the sums over blocks of the bars that a sweep keeps for each set.

Sharpe ratios are *per bar* here unless a name says `annual`: an annual one is `sqrt(P)` times as large.
"""

from .comparison import ConfidenceSet, model_confidence_set, reality_check, spa, step_m
from .deflated import deflated_sharpe, expected_maximum_sharpe, minimum_track_record, probabilistic_sharpe, trial_variance
from .intervals import INTERVAL_METRICS, Interval, bootstrap_interval, optimal_block
from .maximum import expected_maximum
from .moments import FEWEST_BARS, Moments, block_sums, moments, moments_of_blocks, moments_of_sharpe
from .overfitting import Overfitting, pbo, pbo_of_blocks
from .record import SharpeEvidence, sharpe_evidence
from .sharpe import annual_factor, sharpe_error, sharpe_error_hac
from .superior import RealityCheck, StepwiseTest, Superiority, reality_check_of_blocks, spa_of_blocks, step_m_of_blocks
from .trials import EffectiveTrials, effective_trials, effective_trials_of_blocks

__all__ = [
    "FEWEST_BARS",
    "INTERVAL_METRICS",
    "ConfidenceSet",
    "EffectiveTrials",
    "Interval",
    "Moments",
    "Overfitting",
    "RealityCheck",
    "SharpeEvidence",
    "StepwiseTest",
    "Superiority",
    "annual_factor",
    "block_sums",
    "bootstrap_interval",
    "deflated_sharpe",
    "effective_trials",
    "effective_trials_of_blocks",
    "expected_maximum",
    "expected_maximum_sharpe",
    "minimum_track_record",
    "model_confidence_set",
    "moments",
    "moments_of_blocks",
    "moments_of_sharpe",
    "optimal_block",
    "pbo",
    "pbo_of_blocks",
    "probabilistic_sharpe",
    "reality_check",
    "reality_check_of_blocks",
    "sharpe_error",
    "sharpe_error_hac",
    "sharpe_evidence",
    "spa",
    "spa_of_blocks",
    "step_m",
    "step_m_of_blocks",
    "trial_variance",
]
