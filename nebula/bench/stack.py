"""Many equal networks as one: their weights are stacked, so that a step costs one batched product a layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nebula.demo.network import Perceptron

__all__ = ["Stack"]

_DECAY_MEAN, _DECAY_SQUARE, _EPSILON = 0.9, 0.999, 1e-8  # torch's Adam


class Stack:
    """K perceptrons of one shape with an Adam of its own step size each.

    Args:
        networks: Their start; they are not changed.
        rates: Step size of each.
    """

    def __init__(self, networks: Sequence[Perceptron], rates: Sequence[float]) -> None:
        layers = [[m for m in network.modules() if isinstance(m, nn.Linear)] for network in networks]
        self.parameters: list[Tensor] = []
        for place in range(3):
            weights = torch.stack([layer[place].weight.detach().T for layer in layers])
            biases = torch.stack([layer[place].bias.detach()[None] for layer in layers])
            self.parameters += [weights.clone().requires_grad_(), biases.clone().requires_grad_()]
        self._centre = torch.stack([network.unit.centre for network in networks])[:, None]
        self._scale = torch.stack([network.unit.scale for network in networks])[:, None]
        self._rates = torch.tensor(rates, dtype=torch.float32)[:, None, None]
        self._mean = [torch.zeros_like(p) for p in self.parameters]
        self._square = [torch.zeros_like(p) for p in self.parameters]
        self._steps = 0

    def __call__(self, features: Tensor) -> Tensor:
        """Map (K, n, d) features to (K, n, k) raw outputs in each network's unit."""
        w1, b1, w2, b2, w3, b3 = self.parameters
        hidden = torch.baddbmm(b1, features, w1).relu()
        hidden = torch.baddbmm(b2, hidden, w2).relu()
        return self._centre + self._scale * torch.baddbmm(b3, hidden, w3)

    def step(self, loss: Tensor) -> None:
        """Take one step of Adam down the sum of all networks' losses."""
        gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True, materialize_grads=True)
        self._steps += 1
        mean_share, square_share = 1 - _DECAY_MEAN**self._steps, 1 - _DECAY_SQUARE**self._steps
        with torch.no_grad():
            for p, g, mean, square in zip(self.parameters, gradients, self._mean, self._square, strict=True):
                mean.lerp_(g, 1 - _DECAY_MEAN)
                square.mul_(_DECAY_SQUARE).addcmul_(g, g, value=1 - _DECAY_SQUARE)
                p.sub_(self._rates * (mean / mean_share) / ((square / square_share).sqrt() + _EPSILON))

    def snapshot(self) -> list[Tensor]:
        """Return a copy of the weights."""
        return [p.detach().clone() for p in self.parameters]

    def keep(self, kept: list[Tensor], place: int) -> None:
        """Copy one network's present weights into a snapshot."""
        for saved, p in zip(kept, self.parameters, strict=True):
            saved[place] = p.detach()[place]

    def restore(self, kept: list[Tensor]) -> None:
        """Go back to the weights of a snapshot."""
        with torch.no_grad():
            for saved, p in zip(kept, self.parameters, strict=True):
                p.copy_(saved)
