"""Losses of distances between embeddings."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nebula.losses.modules.reduction import ElementLoss, reduce
from nebula.losses.modules.served_raw import ServedRaw
from nebula.losses.modules.shapes import expect_axes, expect_kind, expect_rows

__all__ = ["Contrastive", "InfoNCE", "TripletMargin"]


class TripletMargin(ServedRaw, ElementLoss):
    """Hinge of an anchor's distances to a positive and a negative.

    Args:
        margin: How much farther the negative must be.
        p: Norm of the distance.
        swap: Take the positive's distance to the negative where it is the smaller one.
        eps: Added to every difference, so that equal vectors have a gradient; torch's own.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, swap: bool = False, eps: float = 1e-6, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.margin, self.p, self.swap, self.eps = margin, p, swap, eps

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of anchors (N, D), positives (N, D) and `negative` (N, D), one per row."""
        negative, axes = extra["negative"], ("N", "D")
        expect_axes(
            "TripletMarginLoss", prediction=(prediction, axes), target=(target, axes), negative=(negative, axes)
        )
        expect_kind("TripletMarginLoss", floating=True, target=target, negative=negative)
        return functional.triplet_margin_loss(
            prediction, target, negative, self.margin, self.p, self.eps, self.swap, reduction="none"
        )


class Contrastive(ServedRaw, ElementLoss):
    """Squared distance of pairs that belong together, squared lack of distance of those that do not.

    Args:
        margin: Distance from which on strangers count 0.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of pairs (N, D) and (N, D), with `same` (N,) 1 where they belong together, one per row."""
        same, axes = extra["same"], ("N", "D")
        expect_axes("ContrastiveLoss", prediction=(prediction, axes), target=(target, axes), same=(same, ("N",)))
        expect_kind("ContrastiveLoss", floating=True, target=target)
        # the norm has the gradient 0 where two vectors are equal; a root of the squares would have NaN
        distance = torch.linalg.vector_norm(prediction - target, dim=-1)
        share = same.to(distance.dtype)
        elements: Tensor = share * distance.square() + (1 - share) * (self.margin - distance).relu().square()
        return elements


class InfoNCE(ServedRaw, nn.Module):
    """Cross entropy of every query's own key among all keys of the batch.

    Args:
        temperature: What similarities are divided by.
        normalise: Scale vectors to length 1, so that similarities are cosines.
        symmetric: Average with the cross entropy of every key's own query.
        reduction: `mean` over the rows, or `sum`.
    """

    def __init__(
        self, temperature: float = 0.07, normalise: bool = True, symmetric: bool = False, reduction: str = "mean"
    ) -> None:
        super().__init__()
        self.temperature, self.normalise = temperature, normalise
        self.symmetric, self.reduction = symmetric, reduction

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of queries (N, D) against keys (N, D), row i of both belonging together.

        Raises:
            ContractError: The shapes differ, or there are fewer than 2 rows.
        """
        expect_axes("InfoNCELoss", prediction=(prediction, ("N", "D")), target=(target, ("N", "D")))
        expect_kind("InfoNCELoss", floating=True, target=target)
        expect_rows("InfoNCELoss", 2, prediction=prediction)
        if self.normalise:
            prediction, target = functional.normalize(prediction, dim=1), functional.normalize(target, dim=1)
        similarity = prediction @ target.T / self.temperature
        own = similarity.diagonal()
        elements = similarity.logsumexp(1) - own
        if self.symmetric:
            elements = (elements + similarity.logsumexp(0) - own) / 2
        return reduce(elements, self.reduction)
