"""How the values of a composite's terms become one: fixed, learned or adapted factors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nebula.losses.families.composition import CompositeParams

__all__ = ["DynamicWeightAverage", "GradNorm", "ScaleWeighting", "StaticWeighting", "UncertaintyWeighting", "weighting"]


class StaticWeighting(nn.Module):
    """Σ w_k L_k."""

    def forward(self, values: Tensor, weights: Tensor) -> Tensor:
        """Return the total.

        Args:
            values: Value of every term, (K,).
            weights: Constant or scheduled weight of every term, (K,).
        """
        return values @ weights

    def end_epoch(self) -> None:
        """Take note that an epoch is over."""


class UncertaintyWeighting(StaticWeighting):
    """Σ w_k (exp(-s_k) L_k + s_k) / 2 with learned log-variances s_k (Kendall et al. 2018, equation 10).

    The parameters belong to the optimiser: pass `criterion.parameters()` along with the model's.

    Args:
        terms: Number of terms.
    """

    def __init__(self, terms: int) -> None:
        super().__init__()
        self.log_variances = nn.Parameter(torch.zeros(terms))

    def forward(self, values: Tensor, weights: Tensor) -> Tensor:
        """Return the total; it can be negative."""
        return (0.5 * ((-self.log_variances).exp() * values + self.log_variances)) @ weights


class DynamicWeightAverage(StaticWeighting):
    """Weights from the terms' rates of descent over the last two epochs (Liu et al. 2019, equation 7).

    The factors are K softmax(r / temperature), r_k the ratio of the last two epochs' means; 1 until
    two epochs are over.

    Args:
        terms: Number of terms.
        temperature: Softness; large is equal weights.
    """

    sums: Tensor
    count: Tensor
    history: Tensor
    factors: Tensor

    def __init__(self, terms: int, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.register_buffer("sums", torch.zeros(terms))
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("history", torch.full((2, terms), torch.nan))
        self.register_buffer("factors", torch.ones(terms))

    def forward(self, values: Tensor, weights: Tensor) -> Tensor:
        """Return the total and, while training, take note of the values."""
        if self.training:
            self.sums = self.sums + values.detach()
            self.count = self.count + 1
        return values @ (weights * self.factors)

    def end_epoch(self) -> None:
        """Set the factors for the next epoch."""
        mean = self.sums / self.count
        self.history = torch.stack((self.history[1], mean))
        ratio = self.history[1] / self.history[0]
        usable = ratio.isfinite().all()
        softened = len(ratio) * torch.softmax(torch.nan_to_num(ratio) / self.temperature, dim=0)
        self.factors = torch.where(usable, softened, torch.ones_like(softened))
        self.sums, self.count = torch.zeros_like(self.sums), torch.zeros_like(self.count)


class ScaleWeighting(StaticWeighting):
    """Each term divided by a running mean of its own size, so that all are about 1.

    Args:
        terms: Number of terms.
        momentum: Memory of the running mean, in [0, 1).
    """

    means: Tensor
    seen: Tensor

    def __init__(self, terms: int, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("means", torch.zeros(terms))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, values: Tensor, weights: Tensor) -> Tensor:
        """Return the total; a term whose mean is 0 counts as it is."""
        if self.training:
            self.means = self.momentum * self.means + (1 - self.momentum) * values.detach().abs()
            self.seen = self.seen + 1
        unbiased = self.means / (1 - self.momentum**self.seen)
        scale = torch.where(unbiased > 0, unbiased, torch.ones_like(unbiased))
        return values @ (weights / scale)


class GradNorm(StaticWeighting):
    """Factors that pull the terms' gradient norms together (Chen et al. 2018, equations 1 and 2).

    The step differs from the paper's in that it is relative: see `balance`.

    Args:
        terms: Number of terms.
        restoring_force: How strongly terms that train slowly are favoured.
        rate: Step size of the factors.
    """

    factors: Tensor
    initial: Tensor

    def __init__(self, terms: int, restoring_force: float, rate: float) -> None:
        super().__init__()
        self.restoring_force, self.rate = restoring_force, rate
        self.register_buffer("factors", torch.ones(terms))
        self.register_buffer("initial", torch.full((terms,), torch.nan))

    def forward(self, values: Tensor, weights: Tensor) -> Tensor:
        """Return the total under the present factors."""
        return values @ (weights * self.factors)

    def balance(self, values: Tensor, weights: Tensor, shared: Sequence[Tensor]) -> Tensor:
        """Move the factors one step; call it before `backward`, with the graph alive.

        Args:
            values: Value of every term, (K,), connected to the graph.
            weights: Constant or scheduled weight of every term, (K,).
            shared: Parameters of the last layer that all terms share.

        Returns:
            The gradient norm of every weighted term, (K,).
        """
        norms = torch.stack([_norm(value, shared) for value in values]) * weights
        current = values.detach()
        self.initial = torch.where(self.initial.isnan(), current, self.initial)
        ratio = current / self.initial
        pace = (ratio / ratio.mean()) ** self.restoring_force
        weighted = self.factors * norms
        goal = weighted.mean() * pace
        # d/dw_k of Σ |w_k g_k - goal_k| with the goal held fixed is ± g_k, as in the paper; dividing it by
        # the mean norm makes the rate free of the losses' units, and stepping in the logarithm keeps factors above 0
        moved = self.factors * torch.exp(-self.rate * torch.sign(weighted - goal) * norms / norms.mean())
        self.factors = moved * len(moved) / moved.sum()
        return weighted


def _norm(value: Tensor, shared: Sequence[Tensor]) -> Tensor:
    gradients = torch.autograd.grad(value, list(shared), retain_graph=True, allow_unused=True)
    parts = [gradient.detach().flatten() for gradient in gradients if gradient is not None]
    return torch.cat(parts).norm() if parts else torch.zeros((), device=value.device)


def weighting(params: CompositeParams, terms: int) -> StaticWeighting:
    """Build the weighting that the parameters name."""
    match params.weighting:
        case "uncertainty":
            return UncertaintyWeighting(terms)
        case "dwa":
            return DynamicWeightAverage(terms, params.temperature)
        case "scale":
            return ScaleWeighting(terms, params.momentum)
        case "gradnorm":
            return GradNorm(terms, params.restoring_force, params.weight_rate)
        case _:
            return StaticWeighting()
