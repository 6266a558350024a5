"""What is timed: a loss, the inputs of a million elements, and what others compute it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Generator, Tensor

__all__ = ["ELEMENTS", "OPS", "Inputs", "Peer", "Row", "attribute", "installed"]

ELEMENTS = 1_000_000
OPS = "torch operations"
"""The name of the loss written out with torch's operations, as one would without a library."""

Inputs = tuple[Tensor, Tensor, dict[str, Tensor]]
Peer = Callable[..., Tensor]


@dataclass(frozen=True)
class Row:
    """One loss with parameters, and its peers.

    Attributes:
        loss: Name in policies.
        draw: Makes prediction, target and extra inputs.
        peers: By name: functions of prediction, target and extra inputs that return the same number.
            The word before the first space names the library; a peer whose library is missing is left out.
        params: Parameters of the loss.
        tolerance: Largest relative difference of the values.
    """

    loss: str
    draw: Callable[[Generator], Inputs]
    peers: Mapping[str, Peer]
    params: dict[str, Any] = field(default_factory=dict)
    tolerance: float = 2e-4

    @property
    def name(self) -> str:
        """The loss and what tells this row from its others."""
        told = ", ".join(f"{key}={value}" for key, value in self.params.items() if not isinstance(value, (list, tuple)))
        return f"{self.loss} ({told})" if told else self.loss


def installed(peer: str) -> bool:
    """Say whether the library of a peer is there."""
    return peer.startswith("torch ") or find_spec(peer.partition(" ")[0]) is not None


@cache
def attribute(module: str, name: str) -> Any:
    """Return what a library's module holds, imported when a peer first runs."""
    return getattr(import_module(module), name)


def normal(generator: Generator, *shape: int) -> Tensor:
    """Draw from a normal distribution."""
    return torch.randn(*shape, generator=generator)


def answers(generator: Generator, *shape: int) -> Tensor:
    """Draw 0 or 1, as floats."""
    return (torch.rand(*shape, generator=generator) < 0.3).float()
