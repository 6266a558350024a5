"""Gaps between groups, as terms beside a task loss."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, ExtraInput, Interval
from nebula.losses.params import LossParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "GroupGapParams"]


class GroupGapParams(LossParams):
    """Parameters of the gaps between groups."""

    groups: int = Field(2, ge=2, le=10_000, description="Number of groups; `group` holds 0 up to it, excluded.")
    gap: Literal["max", "mean", "squared"] = Field(
        "max",
        description=(
            "`max`: highest less lowest mean of a group; `mean`: mean distance of the groups from all rows; `squared`: "
            "mean squared distance, which is smooth."
        ),
    )


_ANSWERS = Contract(
    prediction_space="logits",
    target_kind="binary",
    layout="same",
    target_dtype="float",
    target_interval=Interval(low=0, high=1),
    extra_inputs=(
        ExtraInput(name="group", axes=("N",), holds="group", description="Number of every row's group, from 0."),
    ),
    reductions=("mean",),
    empty="zero",
    couples_samples=True,
)

_LIMITS = (
    "The gap is estimated within the batch: groups of few rows make it noise, and its size grows with that noise. "
    "Constant answers please it: keep a task loss beside it. Probabilities are compared, not decisions after a cut."
)

ENTRIES = (
    LossEntry(
        name="DemographicParityLoss",
        family="fairness",
        summary="The mean probability of a yes shall be the same in every group.",
        formula="max_g p_g - min_g p_g, p_g the mean of sigmoid(z) over the rows of group g",
        reference="Dwork et al. 2012, Fairness Through Awareness, section 3 (statistical parity)",
        limits=_LIMITS + " The target is not looked at: where base rates differ, accuracy is given up.",
        contracts=(_ANSWERS,),
        params=GroupGapParams,
        build=torch_module("fairness", "DemographicParity"),
        native_link="sigmoid",
    ),
    LossEntry(
        name="EqualOpportunityLoss",
        family="fairness",
        summary="Those whose answer is yes shall get the same mean probability of it in every group.",
        formula="max_g p_g - min_g p_g, p_g the mean of sigmoid(z) over the rows of group g with y = 1",
        reference="Hardt, Price and Srebro 2016, Equality of Opportunity in Supervised Learning, definition 2.2",
        limits=_LIMITS + " Labels that are themselves unfair go unnoticed.",
        contracts=(_ANSWERS,),
        params=GroupGapParams,
        build=torch_module("fairness", "EqualOpportunity"),
        native_link="sigmoid",
    ),
)
