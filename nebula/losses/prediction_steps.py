"""Steps on the prediction: from what the model emits to what the loss reads."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from nebula.losses.links import link_output
from nebula.losses.registry import LossParams
from nebula.losses.space import FLOAT32_TINY, LOGIT_EPS, VARIANCE_FLOOR
from nebula.losses.spec import Link
from nebula.losses.step import NoParams, Step

__all__ = [
    "ApplyLink",
    "CumulativeLogits",
    "LogOfProbabilities",
    "LogOfRate",
    "LogSoftmax",
    "LogitOfProbabilities",
    "MoveClassAxis",
    "SplitMeanVariance",
]


class MoveClassAxisParams(LossParams):
    """Where the classes stand."""

    source: int = Field(alias="from", ge=2, description="Axis of the classes, the rows being axis 0.")


class MoveClassAxis(Step[MoveClassAxisParams]):
    """(N, …, C) to (N, C, …)."""

    Params = MoveClassAxisParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return a view with the classes on axis 1."""
        return value.movedim(self.params.source, 1)


class LogSoftmaxParams(LossParams):
    """Where the classes stand."""

    axis: int = Field(1, ge=1, description="Axis of the classes.")


class LogSoftmax(Step[LogSoftmaxParams]):
    """Logits to log-probabilities."""

    Params = LogSoftmaxParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return the log-softmax."""
        return functional.log_softmax(value, dim=self.params.axis)


class CumulativeLogits(Step[NoParams]):
    """Logits of K levels (N, K, …) to log-odds of lying above each but the last, (N, K - 1, …).

    Of p = softmax(z) they are log P(Y > k) - log P(Y <= k), which never rise along axis 1.
    """

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return the log-odds."""
        below = value.logcumsumexp(1)[:, :-1]
        above = value.flip(1).logcumsumexp(1).flip(1)[:, 1:]
        return above - below


class FlooredParams(LossParams):
    """The smallest value whose logarithm is taken."""

    floor: float = Field(FLOAT32_TINY, gt=0, description="Smaller values count as this, with gradient 0.")


class _Floored(Step[FlooredParams]):
    Params = FlooredParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return the logarithm; the gradient below the floor is 0."""
        return value.clamp_min(self.params.floor).log()


class LogOfProbabilities(_Floored):
    """Probabilities to log-probabilities."""


class LogOfRate(_Floored):
    """Rates to log rates."""


class LogitOfProbabilitiesParams(LossParams):
    """How near to 0 and 1 a probability may come."""

    eps: float = Field(LOGIT_EPS, gt=0, lt=0.5, description="Probabilities are clamped to [eps, 1 - eps].")


class LogitOfProbabilities(Step[LogitOfProbabilitiesParams]):
    """Probabilities to logits."""

    Params = LogitOfProbabilitiesParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return log(p / (1 - p))."""
        return torch.logit(value, eps=self.params.eps)


class ApplyLinkParams(LossParams):
    """Which link."""

    link: Link = Field(description="Name of the link.")


class ApplyLink(Step[ApplyLinkParams]):
    """Raw outputs to the quantity."""

    Params = ApplyLinkParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return the quantity."""
        return link_output(value, self.params.link)


class SplitMeanVarianceParams(LossParams):
    """How small a variance may come."""

    floor: float = Field(VARIANCE_FLOOR, gt=0, description="Added to the variance, in the target's unit squared.")


class SplitMeanVariance(Step[SplitMeanVarianceParams]):
    """(…, 2) raw outputs to (…, 2): mean, variance."""

    Params = SplitMeanVarianceParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return the mean as it is and the second output through softplus, plus the floor."""
        mean, raw = value.unbind(-1)
        return torch.stack((mean, functional.softplus(raw) + self.params.floor), dim=-1)
