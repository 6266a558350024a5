"""The gradient penalty that keeps a critic's slope near 1."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nebula.losses.modules.shapes import expect_axes

__all__ = ["gradient_penalty"]


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Tensor,
    made: Tensor,
    *,
    norm: float = 1.0,
    one_sided: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the mean squared distance of the critic's slope from `norm`, between real and made samples.

    Each row's point is drawn evenly on the line between its real and its made sample. Add it to
    `WassersteinCriticLoss` with a factor, 10 in the paper; its gradient is a second derivative of the
    critic, so the critic must have no in-place or batch-coupling layers (batch normalisation).

    Args:
        critic: From samples (N, …) to scores (N,) or (N, 1), every row on its own.
        real: Real samples, (N, …).
        made: Made samples, of the same shape; no gradient flows into either.
        norm: Length that the gradient shall have.
        one_sided: Count only gradients that are longer.
        generator: Source of the points.

    Returns:
        A scalar; 0 for no rows.

    Raises:
        ContractError: The shapes differ.

    Source: Gulrajani et al. 2017, Improved Training of Wasserstein GANs, equation 3.
    """
    expect_axes("gradient_penalty", real=(real, ("N", "…")), made=(made, ("N", "…")))
    share = torch.rand(
        (real.shape[0], *(1,) * (real.ndim - 1)), generator=generator, dtype=real.dtype, device=real.device
    )
    points = torch.lerp(made.detach(), real.detach(), share).requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    excess = torch.linalg.vector_norm(slope.flatten(1), dim=1) - norm
    if one_sided:
        excess = excess.relu()
    penalty: Tensor = excess.square().sum() / max(len(excess), 1)
    return penalty
