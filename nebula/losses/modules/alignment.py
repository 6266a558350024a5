"""Distances between the features of two domains."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nebula.losses.modules.served_raw import ServedRaw
from nebula.losses.modules.shapes import expect_axes, expect_kind, expect_rows

__all__ = ["MMD", "CORALAlignment"]


class CORALAlignment(ServedRaw, nn.Module):
    """Squared distance of two covariances."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of source features (N, D) against target features (M, D).

        Raises:
            ContractError: The features differ in number, or a side has fewer than 2 rows.
        """
        _expect_features("CORALAlignmentLoss", prediction, target)
        gap = _covariance(prediction) - _covariance(target)
        return (gap / (2 * prediction.shape[1])).square().sum()


class MMD(ServedRaw, nn.Module):
    """Squared maximum mean discrepancy under a mean of Gaussian kernels exp(-d² / (2 σ²)).

    Args:
        bandwidths: σ of every kernel, in units of the features; None: `scales` times the median
            distance between the rows of both sides, taken anew at every call, without a gradient.
        scales: Factors of the median distance.
        unbiased: Leave a row's kernel with itself out; the value may then be below 0. Its mean over
            batches of one distribution is 0, also with the median distance: both sides enter that alike.
    """

    def __init__(
        self,
        bandwidths: Sequence[float] | None = None,
        scales: Sequence[float] = (0.25, 0.5, 1.0, 2.0, 4.0),
        unbiased: bool = False,
    ) -> None:
        super().__init__()
        self.bandwidths = None if bandwidths is None else tuple(bandwidths)
        self.scales, self.unbiased = tuple(scales), unbiased

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of source features (N, D) against target features (M, D).

        Raises:
            ContractError: The features differ in number, or a side has fewer than 2 rows.
        """
        _expect_features("MMDLoss", prediction, target)
        rows, others = prediction.shape[0], target.shape[0]
        both = torch.cat((prediction, target.to(prediction.dtype)))
        # distances do not change, and near the origin their squares lose fewer digits
        both = both - both.detach().mean(0)
        norms = both.square().sum(1)
        squares = (norms.unsqueeze(1) + norms - 2 * both @ both.T).clamp_min(0)
        kernel = self._kernel(squares)
        within, across, beyond = kernel[:rows, :rows], kernel[:rows, rows:], kernel[rows:, rows:]
        return self._mean(within, rows) + self._mean(beyond, others) - 2 * across.mean()

    def _kernel(self, squares: Tensor) -> Tensor:
        if self.bandwidths is not None:
            return _mean_kernel(squares, self.bandwidths)
        pairs = torch.triu_indices(len(squares), len(squares), offset=1, device=squares.device)
        median = squares.detach()[pairs[0], pairs[1]].median()
        scaled = squares / torch.where(median > 0, median, 1.0)
        return _mean_kernel(scaled, self.scales)

    def _mean(self, kernel: Tensor, rows: int) -> Tensor:
        if not self.unbiased:
            return kernel.mean()
        return (kernel.sum() - kernel.diagonal().sum()) / (rows * (rows - 1))


def _expect_features(loss: str, source: Tensor, target: Tensor) -> None:
    expect_axes(loss, prediction=(source, ("N", "D")), target=(target, ("M", "D")))
    expect_kind(loss, floating=True, target=target)
    expect_rows(loss, 2, prediction=source, target=target)


def _covariance(features: Tensor) -> Tensor:
    centred = features - features.mean(0)
    return centred.T @ centred / (features.shape[0] - 1)


def _mean_kernel(squares: Tensor, widths: Sequence[float]) -> Tensor:
    total = torch.exp(squares / (-2 * widths[0] ** 2))
    for width in widths[1:]:
        total = total + torch.exp(squares / (-2 * width**2))
    return total / len(widths)
