"""Losses that place embeddings: what belongs together near, the rest apart."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Cost, EmptyPolicy, ExtraInput
from nebula.losses.params import LossParams, ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "ContrastiveParams", "InfoNCEParams", "TripletMarginParams"]


class TripletMarginParams(ReducedParams):
    """Parameters of `TripletMarginLoss`."""

    margin: float = Field(1.0, gt=0, description="How much farther than the positive the negative must be.")
    p: float = Field(2.0, ge=1, description="Norm of the distance: 2 is Euclidean.")
    swap: bool = Field(
        False, description="Take the positive's distance to the negative where it is smaller than the anchor's."
    )
    eps: float = Field(1e-6, gt=0, description="Added to every difference, so that equal vectors have a gradient.")


class ContrastiveParams(ReducedParams):
    """Parameters of `ContrastiveLoss`."""

    margin: float = Field(1.0, gt=0, description="Distance from which on vectors that do not belong together count 0.")


class InfoNCEParams(LossParams):
    """Parameters of `InfoNCELoss`."""

    temperature: float = Field(
        0.07, gt=0, description="What similarities are divided by: lower looks at the nearest strangers only."
    )
    normalise: bool = Field(True, description="Scale vectors to length 1, so that similarities are cosines.")
    symmetric: bool = Field(False, description="Average the losses of queries among keys and of keys among queries.")
    reduction: Literal["mean", "sum"] = Field("mean", description="Over the rows.")


def _pairs(
    *extra: ExtraInput,
    reductions: tuple[str, ...] = ("mean", "sum", "none"),
    empty: EmptyPolicy = "zero",
    cost: Cost = "N",
) -> tuple[Contract, ...]:
    return (
        Contract(
            prediction_space="embedding",
            target_kind="embedding",
            layout="free",
            axes=(("N", "D"), ("N", "D")),
            target_dtype="float",
            extra_inputs=extra,
            reductions=reductions,
            couples_samples="none" not in reductions,
            empty=empty,
            cost=cost,
        ),
    )


ENTRIES = (
    LossEntry(
        name="TripletMarginLoss",
        family="embedding",
        summary="The negative must be farther from the anchor than the positive, by a margin.",
        formula="max(0, margin + |a - p| - |a - n|), a the prediction, p the target, n `negative`",
        reference=(
            "Schroff et al. 2015, FaceNet, equation 2 (there of squared distances); "
            "https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html"
        ),
        limits=(
            "Triplets are given: most easy ones count 0, and finding hard ones is the sampler's part. Equal vectors "
            "everywhere give the margin, with hardly a gradient to leave that point."
        ),
        contracts=_pairs(
            ExtraInput(
                name="negative", axes=("N", "D"), holds="embedding", description="Embeddings that do not belong."
            )
        ),
        params=TripletMarginParams,
        build=torch_module("embedding", "TripletMargin"),
        serves=("raw",),
    ),
    LossEntry(
        name="ContrastiveLoss",
        family="embedding",
        summary="Pairs that belong together are drawn near, others pushed to a margin.",
        formula="s d² + (1 - s) max(0, margin - d)², d = |z - y|, s = 1 where the pair belongs together",
        reference="Hadsell, Chopra and LeCun 2006, Learning an Invariant Mapping, equation 4",
        limits=(
            "Twice the paper's value, which has a factor 1/2. The margin is in units of the embedding, whose scale is "
            "free. Strangers that are exactly equal get no gradient to part."
        ),
        contracts=_pairs(
            ExtraInput(name="same", axes=("N",), holds="binary", description="1 where the pair belongs together.")
        ),
        params=ContrastiveParams,
        build=torch_module("embedding", "Contrastive"),
        serves=("raw",),
    ),
    LossEntry(
        name="InfoNCELoss",
        family="embedding",
        summary="Find every query's own key among all keys of the batch.",
        formula="log Σ_j exp(z_i·y_j / τ) - z_i·y_i / τ, of vectors scaled to length 1",
        reference=(
            "van den Oord et al. 2018, Contrastive Predictive Coding, equation 4; τ of He et al. 2020, MoCo; "
            "symmetric: Radford et al. 2021, CLIP"
        ),
        limits=(
            "The task grows with the batch: values of two batch sizes do not compare, and accumulated small batches "
            "are not a large one. Two rows of one class are pushed apart. A vector of zeros has a gradient of 1e12."
        ),
        contracts=_pairs(reductions=("mean", "sum"), empty="error", cost="N²"),
        params=InfoNCEParams,
        build=torch_module("embedding", "InfoNCE"),
        serves=("raw",),
    ),
)
