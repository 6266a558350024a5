"""Gradients of several terms brought to one where they point against each other, by torchjd's aggregators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from nebula.errors import ContractError, MissingExtraError
from nebula.losses.modules.multitask import StaticWeighting

__all__ = ["AGGREGATORS", "GradientAggregation"]

AGGREGATORS = {"pcgrad": "PCGrad", "mgda": "MGDA", "imtl_g": "IMTLG", "aligned_mtl": "AlignedMTL"}
"""Names in policies, and torchjd's."""

_EXPECTED = (
    "CompositeLoss: expected `criterion.backward(criterion.values(…), shared)` with the weighting {name}, found a "
    "total to differentiate: this weighting aggregates gradients, and a total has one only."
)


class GradientAggregation(StaticWeighting):
    """Weights that stay as they are, and one gradient from the terms' own.

    Args:
        name: Key of `AGGREGATORS`.

    Raises:
        MissingExtraError: torchjd is not installed.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self._aggregate = name, _aggregator(name)

    def forward(self, values: Tensor, weights: Tensor) -> Tensor:
        """Return the total, to look at: it cannot be differentiated.

        Raises:
            ContractError: A gradient would flow through the total.
        """
        if values.requires_grad:
            raise ContractError(_EXPECTED.format(name=self.name))
        return super().forward(values, weights)

    def backward(self, values: Tensor, weights: Tensor, shared: Sequence[Tensor], own: Sequence[Tensor] = ()) -> Tensor:
        """Add the aggregated gradient to `.grad` of the shared parameters, and the total's to that of the others.

        Args:
            values: Value of every term, (K,), connected to the graph, which is freed.
            weights: Constant or scheduled weight of every term, (K,).
            shared: Parameters that several terms share.
            own: Further parameters, e.g. of the heads.

        Returns:
            The Jacobian of the weighted terms, (K, P).
        """
        weighted = values * weights
        rows = [torch.autograd.grad(value, list(shared), retain_graph=True, allow_unused=True) for value in weighted]
        filled = [[_or_zero(slope, at) for slope, at in zip(row, shared, strict=True)] for row in rows]
        jacobian = torch.stack([torch.cat([slope.flatten() for slope in row]) for row in filled])
        found = torch.split(self._aggregate(jacobian), [at.numel() for at in shared])
        for at, slope in zip(shared, found, strict=True):
            _add(at, slope.view_as(at))
        if own:
            for at, rest in zip(own, torch.autograd.grad(weighted.sum(), list(own), allow_unused=True), strict=True):
                if rest is not None:
                    _add(at, rest)
        return jacobian


def _or_zero(slope: Tensor | None, at: Tensor) -> Tensor:
    return torch.zeros_like(at) if slope is None else slope


def _add(parameter: Tensor, slope: Tensor) -> None:
    parameter.grad = slope.clone() if parameter.grad is None else parameter.grad + slope


def _aggregator(name: str) -> Callable[[Tensor], Tensor]:
    try:
        from torchjd import aggregation
    except ImportError as error:
        raise MissingExtraError("torchjd", "multitask", "aggregating the gradients of several terms") from error
    known: Any = aggregation
    return cast("Callable[[Tensor], Tensor]", getattr(known, AGGREGATORS[name])())
