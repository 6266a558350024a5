"""Soft sizes against the sums they stand for, with their first and second derivatives."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import one_hot

from nebula.losses.modules.soft_counts import soft_counts


def plain(p: Tensor, labels: Tensor, kept: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    true = one_hot(labels, p.shape[1]).movedim(-1, 1) * kept.unsqueeze(1)
    return (p * true).sum(2), (p * kept.unsqueeze(1)).sum(2), true.sum(2)


@given(seed=st.integers(0, 999), rows=st.integers(0, 3), classes=st.integers(2, 4), places=st.integers(0, 6))
def test_sizes_and_their_derivatives_are_those_of_the_sums(seed: int, rows: int, classes: int, places: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(rows, classes, places, generator=rng, dtype=torch.float64).requires_grad_()
    labels = torch.randint(0, classes, (rows, places), generator=rng)
    kept = torch.rand(rows, places, generator=rng).round().double()

    def derivatives(function: object) -> list[Tensor]:
        assert callable(function)
        sizes = function(z.softmax(1), labels, kept)
        ratio = (sizes[0] / (sizes[1] + sizes[2] + 1)).sum()
        (first,) = torch.autograd.grad(ratio, z, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), z)
        return [*sizes, first, second]

    for found, wanted in zip(derivatives(soft_counts), derivatives(plain), strict=True):
        torch.testing.assert_close(found, wanted)
