"""Small networks and data for the loops under test."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


def counts(rows: int = 96) -> tuple[Tensor, Tensor]:
    """Inputs (N, 4) and counts (N,)."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(rows, 4, generator=generator)
    return inputs, torch.poisson(torch.exp(0.5 * inputs[:, 0] + 1), generator=generator)


def loader(batch_size: int = 32) -> DataLoader[tuple[Tensor, ...]]:
    """The counts, in batches."""
    return DataLoader(TensorDataset(*counts()), batch_size)


class Network(nn.Module):
    """One hidden layer; scikit-learn's searches set its sizes."""

    def __init__(self, features: int = 4, outputs: int = 1, hidden: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    def forward(self, inputs: Tensor) -> Tensor:
        raw: Tensor = self.layers(inputs)
        return raw


TWO_TERMS = """
apiVersion: nebula/v1
name: two-terms
version: 1.0.0
select:
  - id: both
    when: target.n_rows >= 1
    use:
      loss: CompositeLoss
"""
