"""Losses of sequences of labels, and of a best answer among candidates."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nebula.losses.modules.labelled import LabelLoss
from nebula.losses.modules.reduction import ElementLoss
from nebula.losses.modules.served_raw import ServedRaw
from nebula.losses.modules.shapes import expect_axes

__all__ = ["SequenceCrossEntropy", "StructuredHinge"]


class SequenceCrossEntropy(LabelLoss):
    """Cross entropy of the tokens of padded sequences.

    Args:
        ignore_index: The label of padding.
        label_smoothing: Share of a label that is spread over all classes.
        divide_by: `tokens`: the mean over all tokens that count, so that batches of any padding agree;
            `rows`: the sum over a row's tokens, averaged over the rows that have any.
        reduction: `mean`, `sum` or `none`.
    """

    name = "SequenceCrossEntropyLoss"

    def __init__(
        self,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
        divide_by: str = "tokens",
        reduction: str = "mean",
    ) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        self.label_smoothing, self.divide_by = label_smoothing, divide_by

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits (N, C, T) against labels (N, T), 0 for padding."""
        return functional.cross_entropy(
            prediction,
            target,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            reduction="none",
        )

    def mass(self, target: Tensor) -> Tensor:
        """Return what every token counts in the mean."""
        counted = self.counted(target)
        if self.divide_by == "tokens" or target.ndim == 1:
            return counted
        return counted / counted.flatten(1).sum(1).clamp(min=1).view(-1, *(1,) * (target.ndim - 1))


class StructuredHinge(ServedRaw, ElementLoss):
    """Loss-augmented hinge over a finite set of candidate answers per row.

    Args:
        margin: Task loss of every wrong candidate, where none is given.
        rescaling: `margin`: a candidate's task loss is the lead required of the right one; `slack`: it
            multiplies the lack of a lead of 1.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, margin: float = 1.0, rescaling: str = "margin", reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin, self.rescaling = margin, rescaling

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of scores (N, C, …) against the right candidate (N, …), `task_loss` (N, C, …) optional."""
        index = target.long().unsqueeze(1)
        right = prediction.gather(1, index)
        task_loss = extra.get("task_loss")
        if task_loss is None:
            task_loss = torch.full_like(prediction, self.margin)
        else:
            axes = ("N", "C", "…")
            expect_axes("StructuredHingeLoss", prediction=(prediction, axes), task_loss=(task_loss, axes))
        # the right answer costs nothing, whatever was given for it
        cost = task_loss.to(prediction.dtype).scatter(1, index, 0.0)
        lead = prediction - right
        augmented = cost + lead if self.rescaling == "margin" else cost * (1 + lead)
        return augmented.amax(1)
