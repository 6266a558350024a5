"""What both experiments found, as values."""

from __future__ import annotations

from statistics import fmean, stdev

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Outcome", "PaperReport", "Values"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Values(_Value):
    """Values of the losses on random predictions, in the order of the draws."""

    task: str
    values: dict[str, tuple[float, ...]]


class Outcome(_Value):
    """Test metrics of trained networks, in the order of the seeds."""

    task: str
    metric: str
    lower_is_better: bool
    constant: tuple[float, ...] = Field(description="The best answer that ignores the features.")
    scores: dict[str, tuple[float, ...]]
    chosen: tuple[str, ...] = Field(description="The loss that nebula chose.")

    def difference(self, name: str) -> tuple[float, float]:
        """Return mean and standard error of the paired difference nebula - `name`; positive: nebula is better."""
        sign = -1 if self.lower_is_better else 1
        pairs = [sign * (ours - theirs) for ours, theirs in zip(self.scores["nebula"], self.scores[name], strict=True)]
        return fmean(pairs), stdev(pairs) / len(pairs) ** 0.5 if len(pairs) > 1 else float("nan")


class PaperReport(_Value):
    """Both experiments."""

    policy: str
    versions: dict[str, str]
    described: tuple[Values, ...]
    trained: tuple[Outcome, ...]
