"""Likelihoods of times that may be censored: Weibull, and hazards in intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from nebula.errors import ContractError
from nebula.losses.modules.reduction import ElementLoss
from nebula.losses.modules.shapes import expect_axes

__all__ = ["DiscreteTimeSurvivalNLL", "WeibullAFTNLL"]


class WeibullAFTNLL(ElementLoss):
    """Negative log-likelihood of a Weibull time under right censoring.

    The outputs are log λ, the logarithm of the scale in the target's unit of time, and log k, that of
    the shape: above 0 the hazard rises with time.

    Args:
        reduction: `mean` over the rows, `sum` or `none`.
    """

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of (N, 2) against time, above 0, and event (N, 2), one per row."""
        expect_axes("WeibullAFTNLLLoss", prediction=(prediction, ("N", "2")), target=(target, ("N", "2")))
        log_scale, log_shape = prediction.unbind(-1)
        time, event = target.unbind(-1)
        log_time = time.log()
        # log of the cumulative hazard (t / λ)^k
        log_hazard = log_shape.exp() * (log_time - log_scale)
        return log_hazard.exp() - event * (log_shape + log_hazard - log_time)

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the mean, the median, or a quantile of the time."""
        log_scale, log_shape = raw.unbind(-1)
        inverse = log_shape.neg().exp()
        if functional == "mean":
            return (log_scale + torch.lgamma(1 + inverse)).exp()
        wanted = 0.5 if functional == "median" or level is None else level
        return (log_scale + inverse * math.log(-math.log1p(-wanted))).exp()


class DiscreteTimeSurvivalNLL(ElementLoss):
    """Negative log-likelihood of hazards in K intervals, each the probability to end in it once reached.

    Interval k reaches from the edge before it, excluded, to `cuts[k]`, included; the first starts at 0.
    A censored row has survived the intervals whose end it has reached, and says nothing of the one it
    was lost in. Beyond the last edge every row counts as censored there.

    Args:
        cuts: Upper edges of the intervals, rising, in the target's unit of time.
        reduction: `mean` over the rows, `sum` or `none`.

    Raises:
        ContractError: There are no cuts.
    """

    cuts: Tensor

    def __init__(self, cuts: Sequence[float] | None = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if cuts is None:
            raise ContractError(
                "DiscreteTimeSurvivalNLLLoss: expected `cuts`, the upper edges of the intervals, found none: give one "
                "per output, e.g. quantiles of the times at which events were seen."
            )
        self.register_buffer("cuts", torch.tensor(cuts, dtype=torch.float64), persistent=False)

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of hazard logits (N, K) against time and event (N, 2), one per row."""
        self._expect_intervals(prediction)
        expect_axes("DiscreteTimeSurvivalNLLLoss", prediction=(prediction, ("N", "K")), target=(target, ("N", "2")))
        time, happened = target[:, :1], target[:, 1:] > 0
        edges = self.cuts.to(time.dtype)
        survived = torch.where(happened, time > edges, time >= edges)
        ended = happened & (time <= edges)
        # the first interval that ends at or after the event
        ended = ended & ~torch.nn.functional.pad(ended[:, :-1], (1, 0))
        exposed = (survived | ended).to(prediction.dtype)
        return (exposed * softplus(prediction) - ended * prediction).sum(-1)

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the median or a quantile, or the risk.

        A quantile is the first edge at which so many have ended; the last edge, the horizon, where they
        never have. The risk is the sum over the edges of the cumulative hazard.
        """
        self._expect_intervals(raw)
        cumulative = softplus(raw).cumsum(-1)
        if functional == "risk":
            return cumulative.sum(-1)
        wanted = 0.5 if functional == "median" or level is None else level
        passed = (cumulative < -math.log1p(-wanted)).sum(-1)
        return self.cuts.to(raw.dtype)[passed.clamp(max=len(self.cuts) - 1)]

    def _expect_intervals(self, raw: Tensor) -> None:
        if raw.shape[-1:] != self.cuts.shape:
            raise ContractError(
                f"DiscreteTimeSurvivalNLLLoss: expected one output per interval, {len(self.cuts)}, found a prediction "
                f"of shape {tuple(raw.shape)}: match the last layer to `cuts`."
            )
