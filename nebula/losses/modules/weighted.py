"""torch's classification losses with weights from a list: checked for length, moved with the module.

A weight is a non-persistent buffer: it belongs to the decision, not to the training state. Without
weights every class here is torch's own forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nebula.errors import ContractError

__all__ = [
    "WeightedBCEWithLogits",
    "WeightedCrossEntropy",
    "WeightedMultiLabelSoftMargin",
    "WeightedMultiMargin",
    "WeightedNLL",
]


def _keep(module: nn.Module, name: str, values: Sequence[float] | None) -> None:
    """Hold the list as a float32 buffer that no state dict stores."""
    tensor = None if values is None else torch.tensor(values, dtype=torch.float32)
    delattr(module, name)
    module.register_buffer(name, tensor, persistent=False)


def _matched(module: nn.Module, name: str, weights: Tensor, prediction: Tensor, axis: int) -> Tensor:
    """Return the weights in the prediction's dtype, one per output on `axis`."""
    outputs = prediction.shape[axis] if prediction.ndim > 1 else 1
    if weights.numel() != outputs:
        raise ContractError(
            f"{module.torch_name}: expected one {name} per output, {outputs} for predictions of shape "
            f"{tuple(prediction.shape)}, found {weights.numel()}: give {outputs} numbers."
        )
    return weights.to(prediction.dtype)


def _column(module: nn.Module, name: str, weights: Tensor | None, prediction: Tensor) -> Tensor | None:
    """Return per-column weights shaped to multiply axis 1; a single one serves every column."""
    if weights is None or weights.numel() == 1:
        return weights
    return _matched(module, name, weights, prediction, axis=1).view(-1, *(1,) * (prediction.ndim - 2))


def _label_mass(target: Tensor, weight: Tensor | None, ignore_index: int) -> Tensor | None:
    """Return the weight of every label, 0 for ignored ones; None for class probabilities, which count 1 a row."""
    if target.is_floating_point():
        return None
    counted = target != ignore_index
    if weight is None:
        return counted.float()
    return torch.where(counted, weight[torch.where(counted, target, 0).long()], 0.0)


class WeightedCrossEntropy(nn.CrossEntropyLoss):
    """`CrossEntropyLoss` with one weight per class."""

    torch_name = "CrossEntropyLoss"

    def __init__(self, weight: Sequence[float] | None = None, **options: Any) -> None:
        super().__init__(**options)
        _keep(self, "weight", weight)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits (N, C, *) against indices (N, *) or probabilities (N, C, *)."""
        weight = self.weight
        if weight is not None:
            weight = _matched(self, "weight", weight, prediction, axis=1)
        return functional.cross_entropy(
            prediction,
            target,
            weight=weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )

    def mass(self, target: Tensor) -> Tensor | None:
        """Return what every label counts in the mean."""
        return _label_mass(target, self.weight, self.ignore_index)


class WeightedNLL(nn.NLLLoss):
    """`NLLLoss` with one weight per class."""

    torch_name = "NLLLoss"

    def __init__(self, weight: Sequence[float] | None = None, **options: Any) -> None:
        super().__init__(**options)
        _keep(self, "weight", weight)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of log-probabilities (N, C, *) against indices (N, *)."""
        weight = self.weight
        if weight is not None:
            weight = _matched(self, "weight", weight, prediction, axis=1)
        return functional.nll_loss(
            prediction, target, weight=weight, ignore_index=self.ignore_index, reduction=self.reduction
        )

    def mass(self, target: Tensor) -> Tensor | None:
        """Return what every label counts in the mean."""
        return _label_mass(target, self.weight, self.ignore_index)


class WeightedBCEWithLogits(nn.BCEWithLogitsLoss):
    """`BCEWithLogitsLoss` with weights per column (axis 1), also for dense (N, C, H, W) predictions."""

    torch_name = "BCEWithLogitsLoss"

    def __init__(
        self,
        weight: Sequence[float] | None = None,
        pos_weight: Sequence[float] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        _keep(self, "weight", weight)
        _keep(self, "pos_weight", pos_weight)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits against targets in [0, 1] of the same shape."""
        return functional.binary_cross_entropy_with_logits(
            prediction,
            target,
            weight=_column(self, "weight", self.weight, prediction),
            pos_weight=_column(self, "pos_weight", self.pos_weight, prediction),
            reduction=self.reduction,
        )


class WeightedMultiLabelSoftMargin(nn.MultiLabelSoftMarginLoss):
    """`MultiLabelSoftMarginLoss` with one weight per column."""

    torch_name = "MultiLabelSoftMarginLoss"

    def __init__(self, weight: Sequence[float] | None = None, **options: Any) -> None:
        super().__init__(**options)
        _keep(self, "weight", weight)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits (N, C) against targets in [0, 1] of the same shape."""
        weight = self.weight
        if weight is not None:
            if prediction.ndim != 2:
                # torch multiplies the weights along the last axis, which is the column axis only for (N, C)
                raise ContractError(
                    f"{self.torch_name}: expected a prediction (N, C) with column weights, found "
                    f"{tuple(prediction.shape)}: use BCEWithLogitsLoss, whose weights are per column in any shape."
                )
            weight = _matched(self, "weight", weight, prediction, axis=1)
        return functional.multilabel_soft_margin_loss(prediction, target, weight=weight, reduction=self.reduction)


class WeightedMultiMargin(nn.MultiMarginLoss):
    """`MultiMarginLoss` with one weight per class; its mean is over the rows."""

    torch_name = "MultiMarginLoss"

    def __init__(self, weight: Sequence[float] | None = None, **options: Any) -> None:
        super().__init__(**options)
        _keep(self, "weight", weight)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of scores (N, C, *) against labels (N, *), the further axes as rows.

        Without rows, for which torch returns memory as it was found, the mean is 0.
        """
        if target.numel() == 0:
            nothing = prediction.sum(1)
            return nothing if self.reduction == "none" else nothing.sum()
        weight = self.weight
        if weight is not None:
            weight = _matched(self, "weight", weight, prediction, axis=1)
        rows = prediction.movedim(1, -1).flatten(0, -2) if prediction.ndim > 2 else prediction
        loss = functional.multi_margin_loss(
            rows, target.flatten(), self.p, self.margin, weight, reduction=self.reduction
        )
        return loss.view(target.shape) if self.reduction == "none" else loss
