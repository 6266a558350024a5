"""The best answer that ignores the features: the 1 of normalised regret."""

from __future__ import annotations

import torch
from torch import Tensor

from nebula.bench.outcome.metrics import Scale, score

__all__ = ["score_constant"]


def score_constant(train: Tensor, test: Tensor, scale: Scale) -> float:
    """Score the constant predictor.

    Args:
        train: (m,) targets that it is taken from.
        test: (n,) targets that it is scored on.
        scale: The declared metric.

    Returns:
        The metric of the class shares, the commonest label, the median, the quantile or the mean.
    """
    name, _, level = scale.metric.partition("@")
    values = train.double()
    if name in ("log_loss", "balanced_accuracy", "qwk"):
        levels = torch.tensor(scale.levels, dtype=torch.float64)
        shares = (values[:, None] == levels).double().mean(dim=0)
        return score(shares.expand(len(test), -1), test, scale)
    if name == "mae":
        answer = values.quantile(0.5)
    elif name == "pinball":
        answer = values.quantile(float(level))
    else:
        answer = values.mean()
    return score(answer.expand(len(test)), test, scale)
