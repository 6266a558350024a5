"""Pinball loss of one or several quantile levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nebula.errors import ContractError
from nebula.losses.modules.reduction import ElementLoss

__all__ = ["Quantile"]


class Quantile(ElementLoss):
    """Pinball loss, the levels on a last axis; a single level may also have the target's own shape.

    Args:
        levels: Increasing levels in (0, 1).
        crossing_weight: Weight of the amount by which a quantile falls below the one of the next
            lower level, added to the element of the upper one; 0 adds nothing.
        reduction: `mean` (over values and levels), `sum` or `none`.
    """

    level: Tensor

    def __init__(self, levels: Sequence[float], crossing_weight: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.levels = tuple(levels)
        self.crossing_weight = crossing_weight
        self.register_buffer("level", torch.tensor(self.levels, dtype=torch.float64), persistent=False)

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return one loss per prediction (N, …, Q) against floating targets (N, …).

        Raises:
            ContractError: The shapes do not fit, or the target is not floating.
        """
        same = len(self.levels) == 1 and prediction.shape == target.shape
        if not same and prediction.shape != (*target.shape, len(self.levels)):
            raise ContractError(
                f"QuantileLoss: expected a prediction (N, …, {len(self.levels)}), one output per level, against a "
                f"target (N, …), found prediction {tuple(prediction.shape)} against target {tuple(target.shape)}: "
                "give the last layer one output per level; nothing is broadcast."
            )
        if not target.is_floating_point():
            raise ContractError(
                f"QuantileLoss: expected a floating target, found {target.dtype}: call `target.float()`."
            )
        error = (target if same else target.unsqueeze(-1)) - prediction
        if len(self.levels) == 1:
            (level,) = self.levels
            loss = torch.maximum(level * error, (level - 1) * error)
        else:
            # max(q e, (q - 1) e) = q e + max(-e, 0)
            loss = torch.addcmul(functional.relu(-error), error, self.level.to(error.dtype))
        if self.crossing_weight == 0 or len(self.levels) == 1:
            return loss
        fall = functional.relu(prediction[..., :-1] - prediction[..., 1:])
        return loss + self.crossing_weight * functional.pad(fall, (1, 0))

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return all quantiles as they are (`raw`), or one; between two levels it is interpolated linearly.

        Raises:
            ContractError: The level lies outside those that are predicted, or the last axis has
                another size than there are levels.
        """
        if functional == "raw":
            return raw
        wanted = 0.5 if functional == "median" or level is None else level
        if len(self.levels) == 1 and wanted == self.levels[0]:
            return raw
        if not self.levels[0] <= wanted <= self.levels[-1]:
            raise ContractError(
                f"QuantileLoss: expected a level in [{self.levels[0]:g}, {self.levels[-1]:g}] to serve, found "
                f"{wanted:g}: add it to `levels`; nothing is extrapolated."
            )
        if raw.ndim < 1 or raw.shape[-1] != len(self.levels):
            raise ContractError(
                f"QuantileLoss: expected raw output (…, {len(self.levels)}), found {tuple(raw.shape)}: "
                "give the model's output unreduced."
            )
        above = next(place for place, known in enumerate(self.levels) if known >= wanted)
        if self.levels[above] == wanted:
            return raw[..., above]
        low, high = self.levels[above - 1], self.levels[above]
        return torch.lerp(raw[..., above - 1], raw[..., above], (wanted - low) / (high - low))
