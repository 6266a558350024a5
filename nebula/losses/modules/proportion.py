"""Beta and Dirichlet likelihoods of shares."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from nebula.errors import ContractError
from nebula.losses.modules.domain import log_softplus, to_positive
from nebula.losses.modules.incomplete_beta import beta_quantile
from nebula.losses.modules.reduction import ElementLoss

__all__ = ["BetaNLL", "DirichletNLL"]


class BetaNLL(ElementLoss):
    """Negative log-likelihood of a mean and a precision.

    Args:
        precision_floor: Added to softplus of the second output.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, precision_floor: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.precision_floor = precision_floor

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of raw outputs (…, 2) against targets (…) in the open interval (0, 1)."""
        logit = prediction[..., 0]
        precision = to_positive(prediction[..., 1], self.precision_floor)
        log_precision = precision.log()
        a, b = torch.sigmoid(logit) * precision, torch.sigmoid(-logit) * precision
        normaliser = (
            _log_gamma(a, logsigmoid(logit) + log_precision)
            + _log_gamma(b, logsigmoid(-logit) + log_precision)
            - _log_gamma(precision, log_precision)
        )
        return normaliser - (a - 1) * target.log() - (b - 1) * torch.log1p(-target)

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the mean, the median, or a quantile."""
        mean = torch.sigmoid(raw[..., 0])
        if functional == "mean":
            return mean
        wanted = 0.5 if functional == "median" or level is None else level
        precision = to_positive(raw[..., 1].double(), self.precision_floor)
        a, b = (torch.sigmoid(sign * raw[..., 0].double()) * precision for sign in (1, -1))
        return beta_quantile(precision.new_tensor(wanted), a, b).to(raw.dtype)


class DirichletNLL(ElementLoss):
    """Negative log-likelihood of one concentration per class, softplus of the output; classes on axis 1.

    Args:
        reduction: `mean` (over rows), `sum` or `none` (one loss per row).
    """

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of every row: raw outputs (N, C, …) against shares above 0 of the same shape.

        Raises:
            ContractError: There are not two classes on axis 1.
        """
        if prediction.shape != target.shape or prediction.ndim < 2 or prediction.shape[1] < 2:
            raise ContractError(
                f"DirichletNLLLoss: expected a prediction and shares of one shape (N, C >= 2, …), found prediction "
                f"{tuple(prediction.shape)} against target {tuple(target.shape)}: give one output per class on axis 1."
            )
        limits = torch.finfo(prediction.dtype)
        # a row of nothing but tiny concentrations is moved up to where they can be added, but still count as none
        small = 0.5 * math.log(limits.tiny)
        given = prediction.detach()
        lift = (math.log(limits.eps) - given.amax(dim=1, keepdim=True)).clamp_min(0)
        # what every output is moved up by; a constant, since log Γ(c) is -log c there, and log c the output itself
        moved = torch.maximum(small - given, lift)
        concentration = softplus(prediction + moved)
        each = torch.addcmul(torch.lgamma(concentration), concentration - 1, target.log(), value=-1)
        return each.sum(dim=1) - torch.lgamma(concentration.sum(dim=1)) + (moved.sum(dim=1) - lift.squeeze(1))

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the mean share of every class."""
        return torch.softmax(log_softplus(raw), dim=1)


def _log_gamma(value: Tensor, log_value: Tensor) -> Tensor:
    """Return log Γ of a positive value that may round to 0, from itself and its logarithm."""
    return torch.lgamma(value + 1) - log_value
