"""Element losses against labels: what is left out, what a class counts, the log-loss they are made of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from nebula.errors import ContractError
from nebula.losses.modules.reduction import ElementLoss

__all__ = ["LabelLoss"]

# Below this torch reduces the rows of a matrix number by number on a CPU, above it in vectors.
_NARROW = 16


class LabelLoss(ElementLoss):
    """A loss of scores (N, C, …) against labels (N, …), with one label that counts for nothing.

    Args:
        ignore_index: The label that is left out: its element is 0, and counts 0 in the mean.
        weight: What every class counts, in output order; None: 1 each.
        reduction: `mean`, `sum` or `none`.
    """

    name = "CrossEntropyLoss"

    def __init__(
        self, ignore_index: int = -100, weight: Sequence[float] | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.ignore_index = ignore_index
        self.weight: Tensor | None
        held = None if weight is None else torch.tensor(weight, dtype=torch.float32)
        self.register_buffer("weight", held, persistent=False)

    def counted(self, target: Tensor) -> Tensor:
        """Return which labels count, as booleans."""
        # uint8 labels would be compared with the index modulo 256
        return target.long() != self.ignore_index

    def mass(self, target: Tensor) -> Tensor:
        """Return what every label counts in the mean."""
        counted = self.counted(target)
        if self.weight is None:
            return counted
        return torch.where(counted, self.weight[torch.where(counted, target, 0).long()], 0.0)

    def weigh(self, elements: Tensor, target: Tensor) -> Tensor:
        """Multiply element losses, 0 for what is left out, by the weight of their label."""
        return elements if self.weight is None else elements * self.mass(target).to(elements.dtype)

    def cross_entropy(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return -log softmax(z)_y per label, 0 for those left out.

        Raises:
            ContractError: There is not one weight per output.
            IndexError: A label is none of the outputs.
        """
        if self.weight is not None and self.weight.numel() != prediction.shape[1]:
            raise ContractError(
                f"{self.name}: expected one weight per output, {prediction.shape[1]} for predictions of "
                f"shape {tuple(prediction.shape)}, found {self.weight.numel()}: give {prediction.shape[1]} numbers."
            )
        narrow = prediction.ndim == 2 and prediction.shape[1] < _NARROW and prediction.device.type == "cpu"
        if not narrow or target.shape != prediction.shape[:1]:
            return functional.cross_entropy(prediction, target, ignore_index=self.ignore_index, reduction="none")
        # the rows as positions of one image: reduced side by side
        return functional.cross_entropy(
            prediction.t().unsqueeze(0), target.unsqueeze(0), ignore_index=self.ignore_index, reduction="none"
        ).squeeze(0)

    def picked(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the value (N, C, …) that stands at every label (N, …), 0 for labels left out.

        Raises:
            IndexError: A label is none of the outputs.
        """
        return -functional.nll_loss(values, target, ignore_index=self.ignore_index, reduction="none")
