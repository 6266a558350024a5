"""Logarithms of cumulative sums of exponentials, with derivatives of every order."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["log_cumulative"]


def log_cumulative(values: Tensor) -> Tensor:
    """Return log Σ_{j <= i} exp(values_j) for every i, (N,).

    `torch.logcumsumexp` takes the logarithm of the gradient that reaches it, so its second derivative is NaN
    as soon as one of them is 0. Here a place that gets no gradient stays out. All gradients must have one sign,
    as those of a sum of such terms with weights of 0 or more have.
    """
    result: Tensor = _LogCumulative.apply(values)  # type: ignore[no-untyped-call]
    return result


class _LogCumulative(torch.autograd.Function):
    @staticmethod
    def forward(values: Tensor) -> Tensor:
        return torch.logcumsumexp(values, 0)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        values, result = ctx.saved_tensors
        # Σ_{i >= j} g_i exp(values_j - result_i), in log space: either factor alone may overflow
        size = gradient.abs()
        counts = size > 0
        nothing = 0.5 * torch.finfo(values.dtype).min
        logs = torch.where(counts, torch.where(counts, size, 1.0).log() - result, nothing)
        total = log_cumulative(logs.flip(0)).flip(0)
        scaled: Tensor = gradient.detach().sum().sign() * (values + total).exp()
        return scaled
