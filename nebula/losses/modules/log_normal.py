"""Log-normal likelihood, plain and with a share of zeros."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from nebula.losses.modules.domain import to_positive
from nebula.losses.modules.reduction import ElementLoss

__all__ = ["LogNormalNLL", "ZeroInflatedLogNormalNLL"]

_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


class LogNormalNLL(ElementLoss):
    """Negative log-likelihood of the location and scale of log y.

    Args:
        scale_floor: Added to softplus of the second output; log y has no unit.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, scale_floor: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.scale_floor = scale_floor

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of raw outputs (…, 2) against targets (…) above 0."""
        return _nll(prediction[..., 0], to_positive(prediction[..., 1], self.scale_floor), target.log())

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the mean, the median, or a quantile."""
        location, scale = raw[..., 0], to_positive(raw[..., 1], self.scale_floor)
        if functional == "mean":
            return (location + scale.square() / 2).exp()
        if functional == "median" or level is None:
            return location.exp()
        return (location + scale * NormalDist().inv_cdf(level)).exp()


class ZeroInflatedLogNormalNLL(ElementLoss):
    """Negative log-likelihood of a quantity that is 0, or log-normal.

    The outputs are the log-odds of not being 0, and the location and raw scale of log y.

    Args:
        scale_floor: Added to softplus of the third output.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, scale_floor: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.scale_floor = scale_floor

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of raw outputs (…, 3) against targets (…) of at least 0."""
        logit, location, raw_scale = prediction.unbind(-1)
        present = target > 0
        # the logarithm of a 0 must not be taken even where it is left out: its gradient would be NaN
        log_target = torch.where(present, target, 1.0).log()
        amount = _nll(location, to_positive(raw_scale, self.scale_floor), log_target)
        return softplus(torch.where(present, -logit, logit)) + torch.where(present, amount, 0.0)

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the mean, the median, or a quantile."""
        logit, location, raw_scale = raw.unbind(-1)
        scale = to_positive(raw_scale, self.scale_floor)
        if functional == "mean":
            return (logsigmoid(logit) + location + scale.square() / 2).exp()
        wanted = 0.5 if functional == "median" or level is None else level
        # P(y <= q) = (1 - p) + p F(q): the level within the positive part
        within = 1 - (1 - wanted) / torch.sigmoid(logit.double())
        part = torch.special.ndtri(within.clamp_min(0)).to(raw.dtype)
        return torch.where(within > 0, (location + scale * part).exp(), 0.0)


def _nll(location: Tensor, scale: Tensor, log_target: Tensor) -> Tensor:
    return scale.log() + ((log_target - location) / scale).square() / 2 + (log_target + _HALF_LOG_TWO_PI)
