"""What the demonstration found, as values: one row a data set, one pair of scores a seed."""

from __future__ import annotations

import math
import statistics
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ArmScores", "DemoReport", "Row", "Settings", "Verdict", "percent"]

Verdict = Literal["better", "same", "worse", "undecided"]

_EQUIVALENCE = 0.01  # a relative difference that nobody would act on
_LEAST_SKILL = 0.02


def percent(share: float) -> str:
    """Return a share as a signed percentage with the digits that matter."""
    return f"{share:+.0%}" if abs(share) >= 0.1 else f"{share:+.1%}"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ArmScores(_Value):
    """One arm on one data set; every tuple is in the order of the seeds."""

    loss: str
    link: str
    serve: str
    test: tuple[float, ...] = Field(description="Declared metric on the test rows.")
    valid: tuple[float, ...] = Field(description="Declared metric on the validation rows, at the kept look.")
    learning_rate: tuple[float, ...] = Field(description="Step size that validation chose, one for all seeds.")
    step: tuple[int, ...] = Field(description="Optimiser step of the kept look.")

    @property
    def mean(self) -> float:
        """Mean test metric over the seeds."""
        return statistics.fmean(self.test)

    @property
    def spread(self) -> float | None:
        """Standard deviation over the seeds, denominator n - 1; None for a single seed."""
        return statistics.stdev(self.test) if len(self.test) > 1 else None


class Row(_Value):
    """Both arms on one data set."""

    name: str
    description: str
    source: str
    rows: int = Field(description="Rows of the whole data set.")
    metric: str
    lower_is_better: bool
    profile: str = Field(description="The facts that the first seed's training target showed, in words.")
    decision: str = Field(description="The first seed's decision in one line.")
    because: str
    rules: tuple[str, ...] = Field(description="The rule that fired, for each seed.")
    trace_ids: tuple[str, ...] = Field(description="The decisions' records in the trace file.")
    naive: ArmScores
    nebula: ArmScores
    constant: tuple[float, ...] = Field(description="Test metric of the best answer that ignores the features.")
    gain: float = Field(description="Relative difference of the mean test metrics; positive: nebula is better.")

    def skill(self, arm: ArmScores) -> tuple[float, ...]:
        """Return how far each seed's arm went from the constant predictor (0) to a perfect answer (1)."""
        perfect = 0.0 if self.lower_is_better else 1.0
        return tuple((floor - value) / (floor - perfect) for floor, value in zip(self.constant, arm.test, strict=True))

    @property
    def has_skill(self) -> bool:
        """Whether the better arm beats the constant predictor by 2 % on average; else the pair says nothing."""
        return max(statistics.fmean(self.skill(arm)) for arm in (self.naive, self.nebula)) >= _LEAST_SKILL

    @property
    def interval(self) -> tuple[float, float] | None:
        """Paired 95 % Student interval of the mean difference, as a share of the naive mean; None for one seed.

        Positive is better for nebula. The splits of different seeds overlap, so the interval is
        somewhat too short: read `better` and `worse` as what these rows say, not as a law.
        """
        from scipy.stats import t

        n = len(self.naive.test)
        if n < 2:
            return None
        sign = 1 if self.lower_is_better else -1
        pairs = [sign * (theirs - ours) for theirs, ours in zip(self.naive.test, self.nebula.test, strict=True)]
        half = float(t.ppf(0.975, n - 1)) * statistics.stdev(pairs) / math.sqrt(n)
        centre, unit = statistics.fmean(pairs), abs(self.naive.mean)
        return ((centre - half) / unit, (centre + half) / unit) if unit else (0.0, 0.0)

    @property
    def verdict(self) -> Verdict:
        """`same` when the interval is within 1 % of no difference; better or worse when it leaves zero out."""
        if self.interval is None:
            return "undecided"
        low, high = self.interval
        if low >= -_EQUIVALENCE and high <= _EQUIVALENCE:
            return "same"
        if low > 0 or high < 0:
            return "better" if low > 0 else "worse"
        return "undecided"


class Settings(_Value):
    """Everything that the numbers depend on beside data and code."""

    seeds: int
    quick: bool
    learning_rates: tuple[float, ...]
    steps: int
    evaluate_every: int
    patience: int
    batch_size: int


class DemoReport(_Value):
    """The whole demonstration."""

    settings: Settings
    versions: dict[str, str]
    rows: tuple[Row, ...]
    seconds: float = Field(description="Wall time of the run.")

    def count(self, verdict: Verdict) -> int:
        """Return how many data sets got this verdict."""
        return sum(row.verdict == verdict for row in self.rows)
