"""The paper's name for a loss."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["LossFunction"]


class LossFunction(nn.Module):
    """A loss of predictions and targets: `compute_loss(y_pred, y_true)` is a call of the module.

    Source: K. Gomez, "Nebula is All You Need" (2023), section 3.
    """

    def compute_loss(self, y_pred: Tensor, y_true: Tensor) -> Tensor:
        """Return the loss.

        Args:
            y_pred: The model's raw output.
            y_true: The targets.
        """
        loss: Tensor = self(y_pred, y_true)
        return loss
