"""Losses for rare classes, and for errors that do not cost the same."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Interval
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry
from nebula.losses.weights import Weights

__all__ = [
    "ENTRIES",
    "AsymmetricParams",
    "ClassBalancedParams",
    "CostSensitiveBCEParams",
    "CostSensitiveParams",
    "FocalParams",
    "SigmoidFocalParams",
]

_MOST_CLASSES = 4096
_Cost = Annotated[float, Field(ge=0)]
_Row = Annotated[tuple[_Cost, ...], Field(min_length=2, max_length=_MOST_CLASSES)]
_IGNORE = "The label that counts for nothing."


class SigmoidFocalParams(ReducedParams):
    """Parameters of `SigmoidFocalLoss`."""

    focus: float = Field(2.0, ge=0, description="γ: how strongly easy examples are weighed down; 0: not at all.")
    positive_weight: float | None = Field(
        0.25, ge=0, le=1, description="α: weight of positives; negatives weigh 1 - α. None: both weigh 1."
    )


class FocalParams(ReducedParams):
    """Parameters of `FocalLoss`."""

    focus: float = Field(2.0, ge=0, description="γ: how strongly easy examples are weighed down; 0: not at all.")
    weight: Weights | None = Field(None, description="One weight per class, in output order.")
    ignore_index: int = Field(-100, description=_IGNORE)


class ClassBalancedParams(ReducedParams):
    """Parameters of `ClassBalancedLoss`."""

    class_counts: Weights | None = Field(
        None, description="Training rows per class, in output order, e.g. `$target.class_counts`; None: all alike."
    )
    beta: float = Field(
        0.9999, ge=0, lt=1, description="Overlap of samples: 0 gives equal weights, towards 1 the inverse frequency."
    )
    ignore_index: int = Field(-100, description=_IGNORE)


class AsymmetricParams(ReducedParams):
    """Parameters of `AsymmetricLoss`."""

    focus_positive: float = Field(0.0, ge=0, description="γ+: how strongly easy present labels are weighed down.")
    focus_negative: float = Field(4.0, ge=0, description="γ-: how strongly easy absent labels are weighed down.")
    margin: float = Field(
        0.05, ge=0, lt=1, description="m: taken off the probability of an absent label; below it, the loss is 0."
    )


class CostSensitiveParams(ReducedParams):
    """Parameters of `CostSensitiveLoss`."""

    costs: Annotated[tuple[_Row, ...], Field(min_length=2, max_length=_MOST_CLASSES)] | None = Field(
        None, description="Cost of every decision (column) under every true class (row); None: 1 for every error."
    )
    cross_entropy_weight: float = Field(0.0, ge=0, description="Share of the log-loss that is added.")
    ignore_index: int = Field(-100, description=_IGNORE)

    @model_validator(mode="after")
    def _square(self) -> CostSensitiveParams:
        if self.costs is not None and any(len(row) != len(self.costs) for row in self.costs):
            raise ValueError("expected as many columns as rows of costs")
        return self


class CostSensitiveBCEParams(ReducedParams):
    """Parameters of `CostSensitiveBCELoss`."""

    cost_false_negative: float = Field(1.0, gt=0, description="Cost of missing a positive.")
    cost_false_positive: float = Field(1.0, gt=0, description="Cost of raising a negative.")


def _labels(proper: str | None) -> Contract:
    return Contract(
        prediction_space="logits",
        target_kind="class_index",
        layout="class_axis",
        target_dtype="long",
        target_interval=Interval(low=0),
        integer_valued=True,
        min_outputs=2,
        supports_ignore_index=True,
        empty="zero",
        proper=proper,
        cost="NC",
    )


def _answers(target_kind: Literal["binary", "multi_hot"], *, whole: bool) -> Contract:
    return Contract(
        prediction_space="logits",
        target_kind=target_kind,
        layout="same",
        target_dtype="float",
        target_interval=Interval(low=0, high=1),
        integer_valued=whole,
        empty="zero",
    )


ENTRIES = (
    LossEntry(
        name="SigmoidFocalLoss",
        family="imbalance",
        summary="Log-loss of yes/no questions with easy examples weighed down.",
        formula="-α_t (1 - p_t)^γ log p_t, p_t the probability of the right answer",
        reference="Lin et al. 2017, equation 5",
        limits=(
            "Easy examples, not rare ones, are weighed down; the default α = 0.25 lowers the weight of positives "
            "(it was tuned for detection). Not proper: probabilities lean towards 1/2. The mean is over the elements, "
            "not over the positives as in the paper. Gradients vanish on confident right answers."
        ),
        contracts=(_answers("binary", whole=True),),
        params=SigmoidFocalParams,
        build=torch_module("imbalance", "SigmoidFocal"),
        native_link="sigmoid",
    ),
    LossEntry(
        name="FocalLoss",
        family="imbalance",
        summary="Log-loss of one class out of several with easy examples weighed down.",
        formula="-w_y (1 - p_y)^γ log p_y, p = softmax(z)",
        reference="Lin et al. 2017, equation 4, with a softmax",
        limits=(
            "Not proper: probabilities are less confident than the data. With weights the mean is divided by their "
            "sum; a batch of one class has no weights then."
        ),
        contracts=(_labels(None),),
        params=FocalParams,
        build=torch_module("imbalance", "Focal"),
        native_link="softmax",
    ),
    LossEntry(
        name="ClassBalancedLoss",
        family="imbalance",
        summary="Log-loss weighed by the inverse effective number of samples of the class.",
        formula="-w_y log softmax(z)_y, w_c ∝ (1 - β) / (1 - β^{n_c}), mean 1 over the classes that occur",
        reference="Cui et al. 2019, equations 4 and 6",
        limits=(
            "A class without rows has weight 0: its rows count for nothing if they come after all. "
            "Served probabilities are those of the re-weighed population. Without `class_counts` it is the log-loss."
        ),
        contracts=(_labels(None),),
        params=ClassBalancedParams,
        build=torch_module("imbalance", "ClassBalanced"),
        native_link="softmax",
    ),
    LossEntry(
        name="AsymmetricLoss",
        family="imbalance",
        summary="Log-loss of several labels a row, most of them absent, with a focus of its own for those.",
        formula="-y (1 - p)^{γ+} log p - (1 - y) p_m^{γ-} log(1 - p_m), p_m = max(p - m, 0)",
        reference="Ridnik et al. 2021, equations 4 to 7",
        limits=(
            "An absent label with p < m has no gradient. With a margin the loss of an absent label is bounded by "
            "-log m, and its gradient vanishes as p goes to 1. The derivative goes through the focus, "
            "which the authors' code leaves out by default. Not proper."
        ),
        contracts=(_answers("multi_hot", whole=False),),
        params=AsymmetricParams,
        build=torch_module("imbalance", "Asymmetric"),
        native_link="sigmoid",
    ),
    LossEntry(
        name="CostSensitiveLoss",
        family="imbalance",
        summary="Expected cost of deciding at random by the predicted probabilities.",
        formula="Σ_k cost[y, k] p_k - λ log p_y, p = softmax(z)",
        reference="Elkan 2001, equation 1; Galdran et al. 2020, equation 3, for the sum with the log-loss",
        limits=(
            "Linear in p: without a share of the log-loss, p goes to the cheapest decision, not to the probabilities, "
            "and the gradient vanishes where the softmax saturates, also on the wrong side. Costs are not normalised."
        ),
        contracts=(_labels(None),),
        params=CostSensitiveParams,
        build=torch_module("imbalance", "CostSensitive"),
        native_link="softmax",
        example={"costs": [[0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 1.0, 2.0], [2.0, 1.0, 0.0, 1.0], [9.0, 4.0, 1.0, 0.0]]},
    ),
    LossEntry(
        name="CostSensitiveBCELoss",
        family="imbalance",
        summary="Log-loss of yes/no questions with a cost for each of the two errors.",
        formula="c_FN y softplus(-z) + c_FP (1 - y) softplus(z)",
        reference="Elkan 2001, theorem 1",
        limits=(
            "Cutting the served probability at 1/2 is cutting the true one at c_FP / (c_FP + c_FN). The scale of the "
            "loss grows with the costs: the mean is over the elements."
        ),
        contracts=(_answers("binary", whole=False),),
        params=CostSensitiveBCEParams,
        build=torch_module("imbalance", "CostSensitiveBCE"),
        native_link="sigmoid",
        example={"cost_false_negative": 5.0},
    ),
)
