"""Student's t likelihood: a normal one with heavy tails."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from nebula.losses.modules.domain import to_positive
from nebula.losses.modules.incomplete_beta import beta_quantile
from nebula.losses.modules.reduction import ElementLoss

__all__ = ["StudentTNLL"]

# A predicted number of degrees of freedom stays above it, so that the variance exists.
_LEAST_DF = 2.0
# Where Stirling's series below errs by less than 1e-9.
_LARGE = 8.0


class StudentTNLL(ElementLoss):
    """Negative log-likelihood of a location, a scale and degrees of freedom.

    Args:
        predicts_df: The degrees of freedom are a third output, 2 + softplus of it.
        df: Degrees of freedom otherwise.
        scale_floor: Added to softplus of the second output, in the target's unit.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(
        self, predicts_df: bool = False, df: float = 4.0, scale_floor: float = 1e-6, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.predicts_df, self.df, self.scale_floor = predicts_df, df, scale_floor

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of raw outputs (…, 2), or (…, 3) with predicted degrees of freedom, against targets (…)."""
        scale = to_positive(prediction[..., 1], self.scale_floor)
        squared = ((target - prediction[..., 0]) / scale).square()
        if not self.predicts_df:
            constant = math.lgamma(self.df / 2) - math.lgamma((self.df + 1) / 2) + 0.5 * math.log(self.df * math.pi)
            return (squared / self.df).log1p() * ((self.df + 1) / 2) + (scale.log() + constant)
        df = to_positive(prediction[..., 2], _LEAST_DF)
        peak = 0.5 * (df * math.pi).log() - _log_gamma_half_step(df / 2)
        return (squared / df).log1p() * ((df + 1) / 2) + scale.log() + peak

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the location (`mean` and `median`), or a quantile."""
        location = raw[..., 0]
        if functional != "quantile" or level is None:
            return location
        df = to_positive(raw[..., 2], _LEAST_DF) if self.predicts_df else raw.new_tensor(self.df)
        reach = _t_distance(level, df.double()).to(raw.dtype)
        return location + math.copysign(1.0, level - 0.5) * reach * to_positive(raw[..., 1], self.scale_floor)


def _t_distance(level: float, df: Tensor) -> Tensor:
    """Return how far the quantile of a standard t lies from 0.

    t² / (df + t²) has the distribution Beta(1 / 2, df / 2); the smaller of it and its complement is
    solved for, so that neither the middle nor the tails lose digits.
    """
    inside, half = abs(2 * level - 1), df.new_tensor(0.5)
    if inside < 0.5:
        near = beta_quantile(df.new_tensor(inside), half, df / 2)
        return (df * near / (1 - near)).sqrt()
    far = beta_quantile(df.new_tensor(2 * min(level, 1 - level)), df / 2, half)
    return (df * (1 - far) / far).sqrt()


def _log_gamma_half_step(x: Tensor) -> Tensor:
    """Return log Γ(x + ½) - log Γ(x), x >= 1, without the cancellation of two large numbers."""
    large = x.clamp_min(_LARGE)
    inverse = 1 / large
    cube = inverse * inverse * inverse
    series = 0.5 * large.log() - inverse / 8 + cube / 192 - cube * inverse * inverse / 640
    small = x.clamp_max(_LARGE)
    return torch.where(x < _LARGE, torch.lgamma(small + 0.5) - torch.lgamma(small), series)
