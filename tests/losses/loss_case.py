"""What a case of a loss is: how to draw clean inputs, and its formula in numpy, written from the definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nebula.losses.adaptation import entry_of
from nebula.losses.criterion import Criterion
from nebula.losses.factory import build_criterion
from nebula.losses.spec import AdaptStep, LossSpec, Serve

Array = np.ndarray
ROWS, CLASSES = 6, 4


@dataclass(frozen=True)
class LossCase:
    """One loss with parameters: how to draw inputs, and the element losses they must give.

    `draw` returns prediction and target, and a dict of extra inputs where the contract has some;
    `elements` takes them as arrays (extra inputs by name) and gives what `reduction: none` gives, or
    the one number of a loss without element losses. `denominator` of the target is what the mean
    divides by; by default the number of elements.
    """

    loss: str
    params: dict[str, Any]
    draw: Callable[[np.random.Generator], tuple[Any, ...]]
    elements: Callable[..., Any]
    denominator: Callable[[Array], float] | None = None
    steps: tuple[AdaptStep, ...] = ()
    finite_at_extremes: bool = True

    @property
    def id(self) -> str:
        return "-".join([self.loss, *(f"{k}={v}" for k, v in self.params.items())])

    def criterion(self, **extra: Any) -> Criterion:
        serve = Serve(functional=(*entry_of(self.loss).serves, "mean")[0])
        spec = LossSpec(loss=self.loss, params={**self.params, **extra}, adapt=self.steps, serve=serve)
        return build_criterion(spec)

    def inputs(self, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Prediction, target, extra inputs; floating ones in `dtype`."""
        drawn = self.draw(np.random.default_rng(seed))
        tensors = [torch.from_numpy(np.asarray(array)) for array in drawn[:2]]
        extra = {name: torch.from_numpy(np.asarray(array)) for name, array in (drawn[2] if drawn[2:] else {}).items()}
        prediction, target = (_in(dtype, tensor) for tensor in tensors)
        return prediction, target, {name: _in(dtype, tensor) for name, tensor in extra.items()}

    def tensors(self, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
        """Prediction and target of a loss without extra inputs."""
        return self.inputs(seed, dtype)[:2]


def _in(dtype: torch.dtype, tensor: Tensor) -> Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


__all__ = ["CLASSES", "ROWS", "Array", "LossCase"]
