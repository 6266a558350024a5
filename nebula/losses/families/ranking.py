"""Losses of an order: positives above negatives."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Interval
from nebula.losses.params import LossParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "AUCParams"]


class AUCParams(LossParams):
    """Parameters of `AUCLoss`."""

    max_pairs: int = Field(
        1_000_000,
        ge=1,
        le=1_000_000_000,
        description="Most pairs of rows compared per column, never fewer than the rows; above it, evenly spread ones.",
    )
    reduction: Literal["mean", "sum"] = Field(
        "mean", description="`mean`: over a positive and a negative, then over the columns; `sum`: over all pairs."
    )


ENTRIES = (
    LossEntry(
        name="AUCLoss",
        family="ranking",
        summary="Logistic surrogate of the share of pairs in which a negative stands above a positive.",
        formula="mean of softplus(-(z_i - z_j)) over positives i and negatives j",
        reference="Gao and Zhou 2015, definition 3 with the logistic surrogate; Yan et al. 2003",
        limits=(
            "Grows with N² up to `max_pairs`; a batch of one class counts 0; scores have an order but no level, so no "
            "probability and no cut is served. With the cap, which pairs are compared depends on the order of the "
            "rows: shuffle them."
        ),
        contracts=(
            Contract(
                prediction_space="score",
                target_kind="binary",
                layout="same",
                target_dtype="float",
                target_interval=Interval(low=0, high=1),
                integer_valued=True,
                reductions=("mean", "sum"),
                empty="zero",
                couples_samples=True,
                cost="N²",
            ),
        ),
        params=AUCParams,
        build=torch_module("ranking", "PairwiseAUC"),
        serves=("raw",),
    ),
)
