"""Several perceptrons of one shape as one network: a batched product trains them side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nebula.demo.network import Perceptron

__all__ = ["Stack"]


class Stack(nn.Module):
    """S perceptrons; the s-th sees the s-th rows only, so that each trains as it would alone.

    Args:
        networks: Untrained perceptrons of equal shapes.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, networks: Sequence[Perceptron]) -> None:
        super().__init__()
        layers = [_linear_layers(network) for network in networks]
        depth = range(len(layers[0]))
        self.weights = nn.ParameterList(_stack([own[i].weight.T for own in layers]) for i in depth)
        self.biases = nn.ParameterList(_stack([own[i].bias[None] for own in layers]) for i in depth)
        self.register_buffer("centre", torch.stack([network.unit.centre[None] for network in networks]))
        self.register_buffer("scale", torch.stack([network.unit.scale[None] for network in networks]))

    def forward(self, features: Tensor) -> Tensor:
        """Return raw outputs (S, b, k) for features (S, b, d)."""
        hidden = torch.baddbmm(self.biases[0], features, self.weights[0]).relu()
        hidden = torch.baddbmm(self.biases[1], hidden, self.weights[1]).relu()
        return self.centre + self.scale * torch.baddbmm(self.biases[2], hidden, self.weights[2])

    def keep(self, best: list[Tensor], improved: Tensor) -> None:
        """Copy the weights of the networks that improved, (S,) flags, into the best ones so far."""
        with torch.no_grad():
            for kept, now in zip(best, self.parameters(), strict=True):
                kept[improved] = now[improved]

    def snapshot(self) -> list[Tensor]:
        """Return a copy of all weights."""
        return [value.detach().clone() for value in self.parameters()]

    def restore(self, weights: Sequence[Tensor]) -> None:
        """Take weights back."""
        with torch.no_grad():
            for value, kept in zip(self.parameters(), weights, strict=True):
                value.copy_(kept)


def _linear_layers(network: Perceptron) -> list[nn.Linear]:
    return [layer for layer in (*network.hidden, network.head) if isinstance(layer, nn.Linear)]


def _stack(values: Sequence[Tensor]) -> nn.Parameter:
    return nn.Parameter(torch.stack([value.detach() for value in values]))
