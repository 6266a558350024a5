"""What a loss is defined for, as data: checks, tables and tests are derived from it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Contract", "Interval", "Layout", "TargetKind"]

TargetKind = Literal["real", "count", "fraction", "binary", "class_index", "class_probabilities", "multi_hot"]
Layout = Literal["same", "class_axis", "mean_and_variance"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Value):
    """The values a target may take; None is unbounded, both ends closed."""

    low: float | None = None
    high: float | None = None

    def contains(self, low: float | None, high: float | None) -> bool | None:
        """Say whether [low, high] lies inside; None when either is unknown."""
        if low is None or high is None:
            return None
        return (self.low is None or low >= self.low) and (self.high is None or high <= self.high)


class Contract(_Value):
    """The clauses that must hold for a loss value to mean what its name says."""

    requires_params: dict[str, bool] = Field(
        default_factory=dict, description="Parameter values under which these clauses hold; empty: always."
    )
    prediction_space: Literal["raw", "logits", "probabilities", "log_probabilities", "rate", "log_rate"] = Field(
        description="What the loss reads its first argument as."
    )
    target_kind: TargetKind = Field(description="What the loss reads its second argument as.")
    layout: Layout = Field(
        description="`same`: equal shapes; `class_axis`: prediction (N, C, *) against target (N, *)."
    )
    target_dtype: Literal["float", "long"] = Field(description="Element type the loss needs its target in.")
    target_interval: Interval = Field(default_factory=Interval, description="Values a target may take.")
    integer_valued: bool = Field(False, description="Targets must be whole numbers.")
    min_outputs: int = Field(
        1, ge=1, description="Fewest outputs on the class axis for which the loss is not constant."
    )
    supports_ignore_index: bool = Field(False, description="A label may be left out by value.")
    couples_samples: bool = Field(False, description="The loss of a row depends on other rows.")
    bounded_below: bool = Field(True, description="The loss has a finite minimum on its domain.")
    proper: str | None = Field(None, description="The functional it elicits: `mean`, `median`, `probability`, …")
    reductions: tuple[str, ...] = Field(("mean", "sum", "none"), description="Reductions it offers.")
