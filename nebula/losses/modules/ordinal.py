"""Losses for levels in an order: the further off, the worse."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nebula.losses.modules.labelled import LabelLoss
from nebula.losses.modules.reduction import ElementLoss

__all__ = ["CORAL", "EMD", "LevelLoss", "OrdinalLogistic"]


class LevelLoss(LabelLoss):
    """A loss of thresholds (N, K - 1, …) against levels 0..K - 1 (N, …) that knows the level's distribution."""

    def reached(self, raw: Tensor) -> Tensor:
        """Return P(Y > k), (N, K - 1, …), not increasing along axis 1."""
        raise NotImplementedError

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Serve the distribution of the level.

        Returns:
            `argmax`: the most probable level; `median`: the smallest level with P(Y <= level) >= 1/2;
            `expectation`: the mean level; `probability`: (N, K, …), summing to 1 along axis 1.
        """
        reached = self.reached(raw)
        if functional == "median":
            return (reached > 0.5).sum(1)
        if functional == "expectation":
            return reached.sum(1)
        edge = torch.ones_like(reached[:, :1])
        probability = torch.cat((edge, reached), 1) - torch.cat((reached, torch.zeros_like(edge)), 1)
        return probability.argmax(1) if functional == "argmax" else probability


class OrdinalLogistic(LevelLoss):
    """Negative log-likelihood of the cumulative logit model, its thresholds ordered by construction.

    The first output is the log-odds of Y > 0; every further one goes down from the one before by
    softplus of the raw output.
    """

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of raw thresholds (N, K - 1, …) against levels (N, …)."""
        log_odds = _descend(prediction)
        sure = torch.full_like(log_odds[:, :1], torch.inf)
        above = self.picked(torch.cat((sure, log_odds), 1), target)
        below = self.picked(torch.cat((log_odds, -sure), 1), target)
        log_p = functional.logsigmoid(above) + functional.logsigmoid(-below)
        if prediction.shape[1] > 1:
            # sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)), and a - b is softplus(d),
            # of which 1 - exp(-softplus(d)) is sigmoid(d): no difference of probabilities is taken
            gap = self.picked(torch.cat((sure, prediction[:, 1:], sure), 1), target)
            log_p = log_p + functional.logsigmoid(gap)
        return torch.where(self.counted(target), -log_p, 0.0)

    def reached(self, raw: Tensor) -> Tensor:
        """Return P(Y > k)."""
        return _descend(raw).sigmoid()


class CORAL(LevelLoss):
    """Log-loss of the questions whether the level is above each threshold, summed over the thresholds."""

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of threshold logits (N, K - 1, …) against levels (N, …)."""
        thresholds = prediction.shape[1]
        counted = self.counted(target)
        table = torch.ones(thresholds + 1, thresholds, dtype=prediction.dtype, device=prediction.device).tril(-1)
        # reading the answers from a table also raises on a level that is none
        above = functional.embedding(torch.where(counted, target, 0).long(), table).movedim(-1, 1)
        questions = functional.binary_cross_entropy_with_logits(prediction, above, reduction="none")
        return torch.where(counted, questions.sum(1), 0.0)

    def reached(self, raw: Tensor) -> Tensor:
        """Return P(Y > k), the smallest so far where the model's thresholds cross."""
        return raw.sigmoid().cummin(1).values


class EMD(ElementLoss):
    """Squared distance of the predicted from the true cumulative distribution.

    Args:
        ignore_index: The level that is left out.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.ignore_index = ignore_index

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits (N, K, …) against levels (N, …) or distributions (N, K, …)."""
        p = prediction.softmax(1)
        if target.is_floating_point():
            return (p - target).cumsum(1).square().sum(1)
        counted = target.long() != self.ignore_index
        level = torch.where(counted, target, 0).long().unsqueeze(1)
        gap = p.scatter_add(1, level, torch.full_like(level, -1, dtype=p.dtype))
        return torch.where(counted, gap.cumsum(1).square().sum(1), 0.0)

    def mass(self, target: Tensor) -> Tensor | None:
        """Return which levels count; None for distributions, which count 1 a row."""
        return None if target.is_floating_point() else target.long() != self.ignore_index


def _descend(raw: Tensor) -> Tensor:
    """Return log-odds (N, K - 1, …) that do not increase along axis 1."""
    if raw.shape[1] == 1:
        return raw
    return torch.cat((raw[:, :1], raw[:, :1] - functional.softplus(raw[:, 1:]).cumsum(1)), 1)
