"""How much a choice costs against the best candidate in hindsight."""

from __future__ import annotations

from nebula.bench.outcome.scores import ProblemScores

__all__ = ["MOST", "normalised_regret", "relative_regret"]

MOST = 1000.0
"""Regrets are cut off here: an answer that overflowed is one failure, not the mean of a table."""


def relative_regret(score: float, problem: ProblemScores) -> float:
    """Return (L - L_best) / L_best; negative when a choice that is no candidate beats them all."""
    return min((score - problem.best_score) / max(abs(problem.best_score), 1e-12), MOST)


def normalised_regret(score: float, problem: ProblemScores) -> float:
    """Return (L - L_best) / (L_constant - L_best): 0 is the best candidate, 1 the constant predictor."""
    spread = problem.constant - problem.best_score
    return min((score - problem.best_score) / max(spread, 1e-12), MOST)
