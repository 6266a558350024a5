"""Losses of energies and of critics."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from nebula.losses.modules.labelled import LabelLoss
from nebula.losses.modules.reduction import ElementLoss
from nebula.losses.modules.served_raw import ServedRaw

__all__ = ["EnergyNLL", "WassersteinCritic"]


class EnergyNLL(LabelLoss):
    """Negative log-likelihood of energies over a finite set of answers.

    Args:
        ignore_index: The label that counts for nothing.
        reduction: `mean`, `sum` or `none`.
    """

    name = "EnergyNLLLoss"

    def __init__(self, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of energies (N, C, …) against labels (N, …)."""
        return self.cross_entropy(-prediction, target)

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the probability of every answer, or the answer of least energy."""
        return raw.argmin(1) if functional == "argmax" else (-raw).softmax(1)


class WassersteinCritic(ServedRaw, ElementLoss):
    """What a critic minimises: its scores of made samples less those of real ones."""

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of the scores of real samples against those of made ones, of one shape."""
        return target - prediction
