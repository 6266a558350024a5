"""Losses that carry knowledge over: from a teacher, or from one domain to another."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Cost, ExtraInput, Interval
from nebula.losses.params import LossParams, ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "CORALAlignmentParams", "DistillationParams", "MMDParams"]

_Widths = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1, max_length=32)]


class DistillationParams(ReducedParams):
    """Parameters of `DistillationLoss`."""

    label_weight: float = Field(
        0.5, ge=0, le=1, description="Weight of the labels; that of the teacher is 1 less it. 0: the teacher alone."
    )
    temperature: float = Field(
        2.0, gt=0, description="What both models' logits are divided by in the teacher's part: higher is softer."
    )
    ignore_index: int = Field(-100, description="The label whose element counts for nothing, in both parts.")


class CORALAlignmentParams(LossParams):
    """Parameters of `CORALAlignmentLoss`: there are none."""


class MMDParams(LossParams):
    """Parameters of `MMDLoss`."""

    bandwidths: _Widths | None = Field(
        None, description="σ of every kernel, in units of the features; left out: `scales` times the median distance."
    )
    scales: _Widths = Field(
        (0.25, 0.5, 1.0, 2.0, 4.0), description="Factors of the median distance, where no `bandwidths` are given."
    )
    unbiased: bool = Field(False, description="Leave every row's kernel with itself out; values may be below 0.")


def _domains(cost: Cost) -> tuple[Contract, ...]:
    return (
        Contract(
            prediction_space="embedding",
            target_kind="embedding",
            layout="free",
            axes=(("N", "D"), ("M", "D")),
            target_dtype="float",
            reductions=("mean",),
            empty="error",
            couples_samples=True,
            cost=cost,
        ),
    )


ENTRIES = (
    LossEntry(
        name="DistillationLoss",
        family="transfer",
        summary="Cross entropy of the labels, and divergence from a teacher's softened answers.",
        formula="w CE(z, y) + (1 - w) T² KL(softmax(t / T) || softmax(z / T)), t the teacher's logits",
        reference="Hinton, Vinyals and Dean 2015, Distilling the Knowledge in a Neural Network, sections 2 and 4",
        limits=(
            "Teacher and student have the same classes in one order. An infinite logit of the teacher gives NaN. The "
            "student learns the teacher's errors and, if the teacher is overconfident, little beyond the labels."
        ),
        contracts=(
            Contract(
                prediction_space="logits",
                target_kind="class_index",
                layout="class_axis",
                target_dtype="long",
                target_interval=Interval(low=0),
                integer_valued=True,
                min_outputs=2,
                extra_inputs=(
                    ExtraInput(
                        name="teacher",
                        axes=("N", "C", "…"),
                        holds="logits",
                        description="The teacher's logits; no gradient flows into them.",
                    ),
                ),
                supports_ignore_index=True,
                empty="zero",
                cost="NC",
            ),
        ),
        params=DistillationParams,
        build=torch_module("distillation", "Distillation"),
        native_link="softmax",
    ),
    LossEntry(
        name="CORALAlignmentLoss",
        family="transfer",
        summary="Features of two domains shall have one covariance.",
        formula="|C_z - C_y|² / (4 D²), C the covariance of features, |·| the Frobenius norm",
        reference="Sun and Saenko 2016, Deep CORAL, equations 1 to 3",
        limits=(
            "Means may differ: only the second moments are aligned. Features may shrink to 0 to please it: keep a "
            "task loss beside it. With fewer rows than features the covariance is mostly noise. It does not know "
            "classes."
        ),
        contracts=_domains("N"),
        params=CORALAlignmentParams,
        build=torch_module("alignment", "CORALAlignment"),
        serves=("raw",),
    ),
    LossEntry(
        name="MMDLoss",
        family="transfer",
        summary="Features of two domains shall have one distribution, as kernels see it.",
        formula="mean k(z, z') + mean k(y, y') - 2 mean k(z, y), k a mean of Gaussian kernels exp(-d² / (2 σ²))",
        reference=(
            "Gretton et al. 2012, A Kernel Two-Sample Test, JMLR 13, equations 3 and 5; several kernels: Long et al. "
            "2015, Deep Adaptation Networks"
        ),
        limits=(
            "Biased by default: above 0 also for two batches of one distribution, the more the fewer rows. Sides far "
            "apart beyond the widest kernel have no gradient; the median distance, taken anew at every call, keeps "
            "that from happening but makes the loss follow the scale of the features. Its median is the lower one."
        ),
        contracts=_domains("N²"),
        params=MMDParams,
        build=torch_module("alignment", "MMD"),
        serves=("raw",),
        # the median distance has no gradient, so finite differences would see another loss
        example={"bandwidths": [0.5, 1.0, 2.0]},
    ),
)
