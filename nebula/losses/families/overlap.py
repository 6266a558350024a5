"""Losses of the overlap of a predicted with a true set: one loss under five names."""

from __future__ import annotations

from itertools import product
from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Interval
from nebula.losses.params import LossParams, ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "FBetaParams", "FocalTverskyParams", "OverlapParams", "TverskyParams"]

_Classes = Literal["independent", "single", "exclusive"]
_Over = Literal["sample", "batch"]


class OverlapParams(ReducedParams):
    """Parameters of `DiceLoss` and `JaccardLoss`."""

    classes: _Classes = Field(
        "independent",
        description="`single`: logits (N, …) are one mask; `independent`: (N, C, …) are a mask per class; "
        "`exclusive`: (N, C, …) through a softmax, against labels (N, …).",
    )
    over: _Over = Field(
        "sample", description="`sample`: a set is the positions of one row; `batch`: those of all rows."
    )
    smooth: float = Field(1.0, gt=0, description="True positives added to every set, in positions.")
    ignore_index: int = Field(-100, description="With `exclusive`: the label of positions that belong to no set.")

    @model_validator(mode="after")
    def _rows_or_one_number(self) -> OverlapParams:
        if self.over == "batch" and self.reduction == "none":
            raise ValueError("with `over: batch` expected reduction mean or sum, the rows having no loss of their own")
        return self


class TverskyParams(OverlapParams):
    """Parameters of `TverskyLoss`."""

    false_positive_weight: float = Field(0.3, ge=0, description="What a position wrongly taken counts.")
    false_negative_weight: float = Field(0.7, gt=0, description="What a position missed counts; more raises recall.")


class FocalTverskyParams(TverskyParams):
    """Parameters of `FocalTverskyLoss`."""

    exponent: float = Field(
        0.75,
        gt=0,
        le=3,
        description="Power of the loss, 1/γ in the paper; below 1 sets that are nearly right weigh on.",
    )


class FBetaParams(OverlapParams):
    """Parameters of `FBetaLoss`."""

    over: _Over = Field("batch", description="`sample`: a set is the positions of one row; `batch`: those of all rows.")
    beta: float = Field(1.0, gt=0, description="Recall is this many times as important as precision.")


def _contract(classes: _Classes, over: _Over) -> Contract:
    exclusive = classes == "exclusive"
    axes = {"single": 1, "independent": 1 if over == "batch" else 2, "exclusive": 2}[classes]
    return Contract(
        requires_params={"classes": classes, "over": over},
        prediction_space="logits",
        target_kind="class_index" if exclusive else "binary",
        layout="class_axis" if exclusive else "same",
        target_dtype="long" if exclusive else "float",
        target_interval=Interval(low=0) if exclusive else Interval(low=0, high=1),
        integer_valued=exclusive,
        min_outputs=2 if exclusive else 1,
        min_axes=axes + (over == "sample"),
        supports_ignore_index=exclusive,
        reductions=("mean", "sum") if over == "batch" else ("mean", "sum", "none"),
        empty="zero",
        couples_samples=over == "batch",
        cost="NC",
    )


_CONTRACTS = tuple(_contract(*choice) for choice in product(get_args(_Classes), get_args(_Over)))
_LIMITS = (
    "An empty true set is not left out: its loss is a FP / (a FP + smooth), 0 only if nothing is taken. A set needs "
    "positions: on one label a row, take `over: batch`, which is biased for small batches and cannot be accumulated. "
    "Channels must stand on axis 1: masks (N, H, W) are `single`. Gradients vanish where all of a set saturates. "
)


def _entry(
    name: str, summary: str, formula: str, reference: str, limits: str, params: type[LossParams], **fixed: Any
) -> LossEntry:
    return LossEntry(
        name=name,
        family="overlap",
        summary=summary,
        formula=formula,
        reference=reference,
        limits=_LIMITS + limits,
        contracts=_CONTRACTS,
        params=params,
        build=torch_module("overlap", "FBeta" if params is FBetaParams else "Overlap", name=name, **fixed),
        serves=("argmax", "probability", "threshold"),
    )


ENTRIES = (
    _entry(
        "FBetaLoss",
        "1 - F_β from soft counts: precision and recall in one number.",
        "1 - TP / (TP + FP / (1 + β²) + β² FN / (1 + β²)), TP = Σ p t, FP = Σ p (1 - t), FN = Σ (1 - p) t",
        "van Rijsbergen 1979, chapter 7; soft counts: Pastor-Pellicer et al. 2013",
        "β weighs recall: above 1 misses cost more, below 1 false alarms do.",
        FBetaParams,
    ),
    _entry(
        "DiceLoss",
        "1 - Dice coefficient from soft counts.",
        "1 - 2 TP / (2 TP + FP + FN), TP = Σ p t, FP = Σ p (1 - t), FN = Σ (1 - p) t",
        "Milletari et al. 2016, section 3, without squares in the denominator",
        "`smooth` stands once in numerator and denominator of TP / (TP + (FP + FN) / 2): half of MONAI's.",
        OverlapParams,
        false_positive_weight=0.5,
        false_negative_weight=0.5,
    ),
    _entry(
        "JaccardLoss",
        "1 - intersection over union from soft counts.",
        "1 - TP / (TP + FP + FN), TP = Σ p t, FP = Σ p (1 - t), FN = Σ (1 - p) t",
        "Rahman and Wang 2016, equation 3",
        "It ranks as DiceLoss D does, being 2D / (1 + D), with larger gradients near a perfect set.",
        OverlapParams,
        false_positive_weight=1.0,
        false_negative_weight=1.0,
    ),
    _entry(
        "TverskyLoss",
        "1 - Tversky index from soft counts: false alarms and misses weigh apart.",
        "1 - TP / (TP + a FP + b FN), TP = Σ p t, FP = Σ p (1 - t), FN = Σ (1 - p) t",
        "Salehi et al. 2017, equations 2 and 3 (a = α = 0.3 of false positives, b = β = 0.7 of false negatives)",
        "Papers differ in which of α and β is which; here the names say it.",
        TverskyParams,
    ),
    _entry(
        "FocalTverskyLoss",
        "Tversky loss to a power, for small sets.",
        "[1 - TP / (TP + a FP + b FN)]^exponent, TP = Σ p t, FP = Σ p (1 - t), FN = Σ (1 - p) t",
        "Abraham and Khan 2019, equation 4 (γ = 4/3, 0.7 on false negatives)",
        "With an exponent below 1 the gradient grows without bound towards a perfect set, and is 0 on it.",
        FocalTverskyParams,
    ),
)
