"""Losses of the margin: the score of the right answer must lead by a distance."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Interval
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry
from nebula.losses.weights import Weights

__all__ = ["ENTRIES", "CrammerSingerParams", "HingeParams", "MultiMarginParams", "SoftMarginParams"]

_TORCH = "https://docs.pytorch.org/docs/stable/generated/torch.nn."


class MultiMarginParams(ReducedParams):
    """Parameters of `MultiMarginLoss`."""

    p: Literal[1, 2] = Field(1, description="Power of the lack of margin.")
    margin: float = Field(1.0, gt=0, description="Lead that the right score must have.")
    weight: Weights | None = Field(None, description="One weight per class, in output order.")


class CrammerSingerParams(ReducedParams):
    """Parameters of `CrammerSingerLoss`."""

    margin: float = Field(1.0, gt=0, description="Lead that the right score must have over the best other.")
    ignore_index: int = Field(-100, description="The label that counts for nothing.")


class HingeParams(ReducedParams):
    """Parameters of `HingeLoss`."""

    margin: float = Field(1.0, gt=0, description="Distance from 0 that the score must have on the right side.")
    squared: bool = Field(False, description="Square the lack of margin.")


class SoftMarginParams(ReducedParams):
    """Parameters of `SoftMarginLoss`."""


def _labels(*, ignoring: bool) -> Contract:
    return Contract(
        prediction_space="score",
        target_kind="class_index",
        layout="class_axis",
        target_dtype="long",
        target_interval=Interval(low=0),
        integer_valued=True,
        min_outputs=2,
        supports_ignore_index=ignoring,
        twice_differentiable=False,
        compiles=ignoring,
        empty="zero",
        cost="NC",
    )


def _signs(prediction_space: Literal["score", "logits"], proper: str | None) -> Contract:
    return Contract(
        prediction_space=prediction_space,
        target_kind="sign",
        layout="same",
        target_dtype="float",
        target_interval=Interval(low=-1, high=1),
        twice_differentiable=proper is not None,
        empty="zero",
        proper=proper,
    )


ENTRIES = (
    LossEntry(
        name="MultiMarginLoss",
        family="margin",
        summary="Multiclass hinge summed over the wrong classes, divided by their number plus one.",
        formula="Σ_{k≠y} w_y max(0, margin - z_y + z_k)^p / C",
        reference="Weston and Watkins 1999; " + _TORCH + "MultiMarginLoss.html",
        limits=(
            "Not Crammer and Singer's hinge, and divided by C: 0.80 against 1.53 on the same ten scores. Scores are no "
            "probabilities. No label can be left out; the mean is over the rows also with weights. torch has no "
            "second derivative of it, and no backward for torch.compile."
        ),
        contracts=(_labels(ignoring=False),),
        params=MultiMarginParams,
        build=torch_module("weighted", "WeightedMultiMargin"),
    ),
    LossEntry(
        name="CrammerSingerLoss",
        family="margin",
        summary="Multiclass hinge against the best wrong class.",
        formula="max(0, margin + max_{k≠y} z_k - z_y)",
        reference="Crammer and Singer 2001, equation 4; scikit-learn's hinge_loss",
        limits=(
            "Scores are no probabilities; the second derivative is 0; only two classes of a row get a gradient. "
            "Not consistent where no class has more than half of the probability."
        ),
        contracts=(_labels(ignoring=True),),
        params=CrammerSingerParams,
        build=torch_module("margin", "CrammerSinger"),
    ),
    LossEntry(
        name="HingeLoss",
        family="margin",
        summary="Hinge of one score per yes/no question, answers -1 and 1.",
        formula="max(0, margin - y z), or its square",
        reference="Cortes and Vapnik 1995; squared: Rosasco et al. 2004",
        limits="The score tells the side, not a probability. Labels 0 and 1 must become -1 and 1: on 0 it is constant.",
        contracts=(_signs("score", None),),
        params=HingeParams,
        build=torch_module("margin", "Hinge"),
        serves=("argmax", "raw"),
    ),
    LossEntry(
        name="SoftMarginLoss",
        family="margin",
        summary="Log-loss of one score per yes/no question, answers -1 and 1.",
        formula="log(1 + exp(-y z))",
        reference=_TORCH + "SoftMarginLoss.html",
        limits=(
            "It equals BCEWithLogitsLoss, which has weights; on a label 0 it is the constant log 2. torch's own "
            "is infinite from z = -89 on, this one is not."
        ),
        contracts=(_signs("logits", "probability"),),
        params=SoftMarginParams,
        build=torch_module("margin", "SoftMargin"),
        native_link="sigmoid",
    ),
)
