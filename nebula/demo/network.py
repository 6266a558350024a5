"""The one network that every arm trains."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from nebula.losses.spec import Link

__all__ = ["OutputUnit", "Perceptron", "output_unit"]

_LINKS_IN_TARGET_UNIT = {"identity", "softplus"}


class OutputUnit(nn.Module):
    """The affine map from a network's own scale to the target's: raw = centre + scale * z.

    It is the target standardised, written on the output side, so that losses, links and biases
    keep the target's natural unit.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, centre: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("scale", scale)

    def forward(self, z: Tensor) -> Tensor:
        """Map (n, k) network outputs to raw outputs."""
        return self.centre + self.scale * z

    def inverse(self, raw: Tensor) -> Tensor:
        """Map raw outputs back to the network's scale."""
        return (raw - self.centre) / self.scale


def output_unit(link: Link, target: Tensor, n_outputs: int) -> OutputUnit:
    """Return the unit of the raw output under a link.

    Args:
        link: Where it is `identity` or `softplus` the raw output is in the target's unit, and the
            target's mean and standard deviation set the scale; logits and logarithms need none.
        target: Training targets, (n,) or (n, k).
        n_outputs: k.
    """
    if link not in _LINKS_IN_TARGET_UNIT:
        return OutputUnit(torch.zeros(n_outputs), torch.ones(n_outputs))
    columns = target.to(torch.float32).reshape(len(target), -1)
    spread = columns.std(dim=0, correction=0)
    return OutputUnit(
        columns.mean(dim=0).expand(n_outputs).clone(),
        torch.where(spread > 0, spread, torch.ones_like(spread)).expand(n_outputs).clone(),
    )


class Perceptron(nn.Module):
    """Two hidden layers of 64 rectified units, torch's default start.

    Args:
        n_features: Columns of the input.
        n_outputs: Columns of the raw output.
        unit: Scale of the raw output.
        seed: Start of the weights; equal seeds start equal networks and leave torch's generator alone.
    """

    def __init__(self, n_features: int, n_outputs: int, unit: OutputUnit, *, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.hidden = nn.Sequential(nn.Linear(n_features, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
            self.head = nn.Linear(64, n_outputs)
        self.unit = unit

    def forward(self, features: Tensor) -> Tensor:
        """Return raw outputs (n, k) for standardised features (n, d)."""
        raw: Tensor = self.unit(self.head(self.hidden(features)))
        return raw

    def start_at(self, init_output_bias: Callable[[nn.Module], object]) -> None:
        """Start the output bias at the constant predictor.

        Args:
            init_output_bias: Sets the bias of a layer in the raw output's unit.
        """
        layer = nn.Linear(1, self.head.out_features)
        init_output_bias(layer)
        with torch.no_grad():
            self.head.bias.copy_(self.unit.inverse(layer.bias))
