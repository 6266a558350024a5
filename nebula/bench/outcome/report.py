"""The result of the outcome benchmark as one document."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from nebula.bench.outcome.statistics import Verdict

__all__ = ["Comparison", "OutcomeReport", "ProblemReport", "Regret", "Repeat", "SelectorReport"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Regret(_Part):
    """What a selector costs on one problem, against the best candidate in hindsight."""

    relative: float = Field(description="(L - L_best) / L_best")
    normalised: float = Field(description="(L - L_best) / (L_constant - L_best)")


class ProblemReport(_Part):
    """One problem; scores are lower-is-better means over the seeds."""

    problem: str
    family: str
    metric: str
    constant: float
    skill: float = Field(description="Share of the constant's score that the best candidate saves.")
    best: str
    best_score: float
    candidates: dict[str, float]
    tied: tuple[str, ...] = Field(description="Candidates that the seeds cannot tell from the best one.")
    picked: dict[str, str] = Field(description="Rule → the arm it picked on most seeds.")
    said: dict[str, str]
    regrets: dict[str, Regret] = Field(description="Selector → what it costs.")
    against_best: Verdict = Field(description="nebula against the best candidate, on paired seeds.")


class SelectorReport(_Part):
    """One selector over all problems with skill."""

    mean: float = Field(description="Mean normalised regret.")
    median: float
    worst: float
    within_1: float = Field(description="Share of the problems with a relative regret of at most 1 %.")
    within_5: float


class Comparison(_Part):
    """nebula against one selector: probabilities by the Bayesian signed-rank test."""

    against: str
    better: float
    same: float = Field(description="Within the rope.")
    worse: float


class Repeat(_Part):
    """The A/A test: the same candidate twice, from other starts and with other batches."""

    pairs: int
    found: float = Field(description="Share of the pairs that the test on seeds calls different.")
    better: float = Field(description="The signed-rank posterior over all pairs.")
    same: float
    worse: float


class OutcomeReport(_Part):
    """What a run found."""

    manifest: str
    manifest_digest: str
    policy: str
    policy_digest: str
    versions: dict[str, str]
    seeds: int
    rope: float
    trainings: int
    listed: int = Field(description="Problems of the manifest.")
    finished: int = Field(description="Problems that were run.")
    unskilled: tuple[str, ...] = Field(description="Left out: the best candidate hardly beats the constant.")
    problems: tuple[ProblemReport, ...]
    selectors: dict[str, SelectorReport]
    families: dict[str, dict[str, float]] = Field(description="Family → selector → mean normalised regret.")
    comparisons: tuple[Comparison, ...]
    repeat: Repeat
