"""Evidence: how likely a backtest result is luck. On returns, and on the sums over blocks of the bars that a sweep keeps for each set.

Sharpe ratios are *per bar* here unless a name says `annual`: an annual one is `sqrt(P)` times as large.
"""

from .deflated import deflated_sharpe, expected_maximum, expected_maximum_sharpe, minimum_track_record, probabilistic_sharpe
from .moments import FEWEST_BARS, Moments, block_sums, moments, moments_of_blocks, moments_of_sharpe
from .overfitting import Overfitting, pbo, pbo_of_blocks
from .record import SharpeEvidence, sharpe_evidence
from .sharpe import annual_factor, sharpe_error, sharpe_error_hac
from .superior import RealityCheck, StepwiseTest, Superiority, reality_check_of_blocks, spa_of_blocks, step_m_of_blocks

__all__ = [
    "FEWEST_BARS",
    "Moments",
    "Overfitting",
    "RealityCheck",
    "SharpeEvidence",
    "StepwiseTest",
    "Superiority",
    "annual_factor",
    "block_sums",
    "deflated_sharpe",
    "expected_maximum",
    "expected_maximum_sharpe",
    "minimum_track_record",
    "moments",
    "moments_of_blocks",
    "moments_of_sharpe",
    "pbo",
    "pbo_of_blocks",
    "probabilistic_sharpe",
    "reality_check_of_blocks",
    "sharpe_error",
    "sharpe_error_hac",
    "sharpe_evidence",
    "spa_of_blocks",
    "step_m_of_blocks",
]
