"""Overlap of a predicted with a true set, from soft counts: one loss under five names."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nebula.errors import ContractError
from nebula.losses.modules.reduction import ElementLoss
from nebula.losses.modules.soft_counts import soft_counts
from nebula.losses.space import FLOAT32_TINY

__all__ = ["FBeta", "Overlap"]

_EXPECTED = {
    "single": "(N, …), one mask, and with `over: sample` at least one axis beside the rows",
    "independent": "(N, C, …), a mask per class, and with `over: sample` at least one axis behind the classes",
    "exclusive": "(N, C, …), C >= 2, and with `over: sample` at least one axis behind the classes",
}


class Overlap(ElementLoss):
    """1 - TP / (TP + a FP + b FN) per set, to a power.

    Args:
        name: Name of the loss, for messages.
        classes: `single`: logits (N, …) are one mask; `independent`: logits (N, C, …) are a mask per
            class, each through a sigmoid; `exclusive`: logits (N, C, …) through a softmax against
            labels (N, …).
        over: `sample`: a set is one row's positions; `batch`: those of all rows.
        false_positive_weight: a, what a position wrongly taken counts.
        false_negative_weight: b, what a position missed counts.
        smooth: True positives added to every set, in positions.
        exponent: Power of the loss.
        ignore_index: With `exclusive`, the label of positions that belong to no set.
        reduction: `mean` over the sets, `sum`, or `none`: (N, C), (N,), (C,) or ().
    """

    def __init__(
        self,
        name: str = "TverskyLoss",
        classes: str = "independent",
        over: str = "sample",
        false_positive_weight: float = 0.5,
        false_negative_weight: float = 0.5,
        smooth: float = 1.0,
        exponent: float = 1.0,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.name, self.classes, self.over = name, classes, over
        self.false_positive_weight, self.false_negative_weight = false_positive_weight, false_negative_weight
        self.smooth, self.exponent, self.ignore_index = smooth, exponent, ignore_index

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of every set.

        Raises:
            ContractError: The prediction has no axis along which a set lies.
        """
        axes = self._set_axes(prediction, target)
        hits, taken, true = self._counts(prediction, target, axes)
        errors = self.false_positive_weight * (taken - hits) + self.false_negative_weight * (true - hits)
        missed = errors / (hits + errors + self.smooth)
        if self.exponent == 1:
            return missed
        # a power below 1 has no derivative at 0: a perfect set is taken to have none to give
        return torch.where(missed > 0, missed.clamp_min(FLOAT32_TINY) ** self.exponent, 0.0)

    def _counts(self, prediction: Tensor, target: Tensor, axes: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the soft sizes of every set: of both together, of what is taken, of what is true."""
        if self.classes != "exclusive":
            p = prediction.sigmoid()
            return (p * target).sum(axes), p.sum(axes), target.sum(axes)
        # behind the classes one axis of positions, of length 1 where there is none
        counted = target.long() != self.ignore_index
        labels = torch.where(counted, target, 0).long().unsqueeze(-1).flatten(1)
        p, kept = prediction.softmax(1).unsqueeze(-1).flatten(2), counted.to(prediction.dtype)
        counts = soft_counts(p, labels, kept.unsqueeze(-1).flatten(1))
        if self.over == "sample":
            return counts
        hits, taken, true = (count.sum(0) for count in counts)
        return hits, taken, true

    def _set_axes(self, prediction: Tensor, target: Tensor) -> tuple[int, ...]:
        first = 1 if self.classes == "single" else 2
        positions = tuple(range(first, prediction.ndim))
        axes = positions if self.over == "sample" else (0, *positions)
        if self.over == "sample" and not positions:
            raise ContractError(
                f"{self.name}: expected a prediction {_EXPECTED[self.classes]}, found prediction "
                f"{tuple(prediction.shape)} against target {tuple(target.shape)}: a set of one position has no "
                "overlap; set `over: batch` to take the batch as the set."
            )
        return axes

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the most probable label for `argmax`, probabilities, or what reaches the cut `level`.

        With exclusive classes the first is the background: where the others together reach the cut,
        `threshold` gives the most probable of them.
        """
        if self.classes == "exclusive":
            probability = raw.softmax(1)
            if functional == "probability":
                return probability
            # among the classes behind the first, the background, where they reach the cut together
            taken = probability[:, 0] <= 1 - level if functional == "threshold" and level is not None else None
            return raw.argmax(1) if taken is None else torch.where(taken, raw[:, 1:].argmax(1) + 1, 0)
        if functional == "probability":
            return raw.sigmoid()
        return (raw.sigmoid() >= (0.5 if level is None else level)).long()


class FBeta(Overlap):
    """Overlap whose weights make it 1 - F_beta."""

    def __init__(self, beta: float = 1.0, **options: Any) -> None:
        square = beta**2
        super().__init__(false_positive_weight=1 / (1 + square), false_negative_weight=square / (1 + square), **options)
