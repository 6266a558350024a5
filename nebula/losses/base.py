"""The paper's name for a loss."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

__all__ = ["LossFunction"]


class LossFunction(nn.Module):
    """A loss of predictions and targets: `compute_loss(y_pred, y_true)` is a call of the module.

    Where there is a shorter way to the loss than the class's `forward`, it is set on the instance.
    It passes the modules inside by: register hooks on the object that you call.

    Source: K. Gomez, "Nebula is All You Need" (2023), section 3.
    """

    def shorten(self) -> None:
        """Put the shortest way to the loss in place, if there is one."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the shortest way, which belongs to this object."""
        return {name: value for name, value in self.__dict__.items() if name != "forward"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Find the shortest way anew."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self.shorten()

    def compute_loss(self, y_pred: Tensor, y_true: Tensor) -> Tensor:
        """Return the loss.

        Args:
            y_pred: The model's raw output.
            y_true: The targets.
        """
        loss: Tensor = self(y_pred, y_true)
        return loss
