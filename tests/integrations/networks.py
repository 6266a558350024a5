"""Small networks, data and policies for the loops under test."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import nebula
from nebula.decision.policy import Policy
from nebula.policy.loader import loads


def counts(rows: int = 96) -> tuple[Tensor, Tensor]:
    """Inputs (N, 4) and counts (N,)."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(rows, 4, generator=generator)
    return inputs, torch.poisson(torch.exp(0.5 * inputs[:, 0] + 1), generator=generator)


def loader(batch_size: int = 32) -> DataLoader[tuple[Tensor, ...]]:
    """The counts, in batches."""
    return DataLoader(TensorDataset(*counts()), batch_size)


def two_terms() -> Policy:
    """A sum of two losses, the second of growing weight, and a penalty."""
    return Policy(
        loads(
            "apiVersion: nebula/v1\nname: sums\nversion: 1.0.0\n"
            "select:\n"
            "  - id: both\n"
            "    when: known(target.mean)\n"
            "    use:\n"
            "      compose:\n"
            "        - {loss: MSELoss, name: bulk}\n"
            "        - {loss: L1Loss, name: tails, weight: {schedule: linear, from: 0, to: 1, over: 10}}\n"
            "      penalties: [{kind: l2, strength: 0.001}]\n"
            "      serve: mean\n"
            "    because: The mean, later the tails as well.\n"
            "otherwise: {error: none}\n"
        )
    )


def learnable() -> Policy:
    """A sum whose balance is learned."""
    return Policy(
        loads(
            "apiVersion: nebula/v1\nname: learnt\nversion: 1.0.0\n"
            "select:\n"
            "  - id: both\n"
            "    when: known(target.mean)\n"
            "    use:\n"
            "      compose: [{loss: MSELoss, name: bulk}, {loss: L1Loss, name: tails}]\n"
            "      params: {weighting: uncertainty}\n"
            "      serve: mean\n"
            "    because: Both, and the data balance them.\n"
            "otherwise: {error: none}\n"
        )
    )


def undecided(**options: object) -> nebula.Nebula:
    """A loss that keeps nothing in a cache."""
    return nebula.Nebula(cache=None, **options)  # type: ignore[arg-type]


class Network(nn.Module):
    """One hidden layer; scikit-learn's searches set its sizes."""

    def __init__(self, features: int = 4, outputs: int = 1, hidden: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    def forward(self, inputs: Tensor) -> Tensor:
        raw: Tensor = self.layers(inputs)
        return raw
