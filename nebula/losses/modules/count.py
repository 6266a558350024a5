"""Negative binomial likelihoods of counts, plain and with extra zeros."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from nebula.losses.modules.domain import to_positive
from nebula.losses.modules.negative_binomial import negative_binomial_nll, negative_binomial_quantile
from nebula.losses.modules.reduction import ElementLoss

__all__ = ["NegativeBinomialNLL", "ZeroInflatedNegativeBinomialNLL"]


class NegativeBinomialNLL(ElementLoss):
    """Negative log-likelihood with variance mean + dispersion · mean² (NB2).

    Args:
        predicts_dispersion: The dispersion is the second of two outputs, through softplus.
        dispersion: The dispersion otherwise, the prediction being one output per count.
        dispersion_floor: Added to softplus of the second output; there the distribution is Poisson's.
        log_input: With a fixed dispersion: the prediction is the logarithm of the mean.
        eps: Added to the mean inside the logarithm when `log_input` is false.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(
        self,
        predicts_dispersion: bool = True,
        dispersion: float = 1.0,
        dispersion_floor: float = 1e-6,
        log_input: bool = True,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.predicts_dispersion = predicts_dispersion
        self.dispersion, self.dispersion_floor = dispersion, dispersion_floor
        self.log_input, self.eps = log_input, eps

    def _read(self, prediction: Tensor) -> tuple[Tensor, Tensor]:
        """Return the log mean and the dispersion."""
        if self.predicts_dispersion:
            log_mean, raw_dispersion = prediction.unbind(-1)
            return log_mean, to_positive(raw_dispersion, self.dispersion_floor)
        log_mean = prediction if self.log_input else (prediction + self.eps).log()
        return log_mean, log_mean.new_full((), self.dispersion)

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of raw outputs (…, 2), or (…) with a fixed dispersion, against counts (…)."""
        return negative_binomial_nll(*self._read(prediction), target)

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the mean, the median, or a quantile: the smallest count of at least that probability."""
        log_mean, dispersion = self._read(raw)
        if functional == "mean":
            return log_mean.exp()
        wanted = log_mean.new_tensor(0.5 if functional == "median" or level is None else level, dtype=torch.float64)
        return negative_binomial_quantile(wanted, log_mean.double().exp(), dispersion.double()).to(raw.dtype)


class ZeroInflatedNegativeBinomialNLL(ElementLoss):
    """Negative log-likelihood of a count that is 0 for another reason, or negative binomial.

    The outputs are the log mean, the raw dispersion, and the log-odds of an extra zero.

    Args:
        dispersion_floor: Added to softplus of the second output.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, dispersion_floor: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.dispersion_floor = dispersion_floor

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of raw outputs (…, 3) against counts (…)."""
        # each out of its column, which is read several times
        log_mean, raw_dispersion, logit = (output.contiguous() for output in prediction.unbind(-1))
        nll = negative_binomial_nll(log_mean, to_positive(raw_dispersion, self.dispersion_floor), target)
        return softplus(logit) + torch.where(target > 0, nll, -torch.logaddexp(logit, -nll))

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the mean, the median, or a quantile: the smallest count of at least that probability."""
        log_mean, raw_dispersion, logit = raw.unbind(-1)
        if functional == "mean":
            return (log_mean + logsigmoid(-logit)).exp()
        wanted = 0.5 if functional == "median" or level is None else level
        # P(y <= k) = p + (1 - p) F(k): the level within the negative binomial part
        within = 1 - (1 - wanted) / torch.sigmoid(-logit.double())
        dispersion = to_positive(raw_dispersion.double(), self.dispersion_floor)
        return negative_binomial_quantile(within.clamp_min(0), log_mean.double().exp(), dispersion).to(raw.dtype)
