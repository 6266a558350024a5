"""The gradient of a whole batch from its parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from nebula.errors import ContractError
from nebula.losses.criterion import Criterion
from nebula.selector import Nebula

__all__ = ["Accumulation"]


class Accumulation:
    """Sums element losses over the parts of a batch, and divides once, by what counted in all of them.

    The mean of the parts' means is not the mean of the batch where parts differ in what counts:
    ignored labels, padding, sample weights, class weights, a short or empty last part. So every part
    gives its sum for `backward`, and `finish` divides the gradients.

    Args:
        criterion: A criterion, or a `Nebula` that has decided on one data set.
        group: A `torch.distributed` process group, or True for all processes, where gradients are
            averaged over its ranks, as DDP and FSDP do: then all ranks' parts are one batch.

    Attributes:
        total: Sum of the element losses so far.
        mass: What counted so far.

    Raises:
        ContractError: The criterion is a composite, or has not decided.

    Example:
        >>> import torch
        >>> from nebula.losses.factory import build_criterion
        >>> from nebula.losses.spec import LossSpec, Serve
        >>> criterion = build_criterion(LossSpec(loss="MSELoss", serve=Serve(functional="mean")))
        >>> slope = torch.zeros(1, requires_grad=True)
        >>> parts = Accumulation(criterion)
        >>> for x in (torch.tensor([1.0]), torch.tensor([2.0, 3.0])):
        ...     parts.add(slope * x, torch.ones_like(x)).backward()
        >>> parts.finish([slope]), slope.grad
        (tensor(1., dtype=torch.float64), tensor([-4.]))
    """

    total: Tensor | float
    mass: Tensor | float

    def __init__(self, criterion: Criterion | Nebula, group: Any = None) -> None:
        loss = criterion.loss_function if isinstance(criterion, Nebula) else criterion
        if not isinstance(loss, Criterion):
            raise ContractError(
                f"Accumulation: expected a single loss that is decided, found {type(loss).__name__}: "
                "call fit() first; the terms of a composite have no common denominator."
            )
        self._criterion, self._group = loss, group
        self.total = self.mass = 0.0

    def add(self, prediction: Tensor, target: Tensor, **inputs: Any) -> Tensor:
        """Take in one part, which may be empty.

        Args:
            prediction: The model's raw output.
            target: The targets.
            **inputs: `sample_weight`, and what the loss names beside.

        Returns:
            The sum of its element losses; call `backward` on it.

        Raises:
            ContractError: As for a call of the criterion, or rows have no loss of their own.
        """
        total, mass = self._criterion.total_and_mass(prediction, target, **inputs)
        self.total = self.total + total.detach()
        self.mass = self.mass + mass.detach()
        return total

    def finish(self, parameters: Iterable[Tensor]) -> Tensor:
        """Divide the gradients of the parameters, and start anew; call it before the optimiser's step.

        A collective call with a group. Gradients that are to be clipped are clipped after it.

        Args:
            parameters: Those that `backward` gave gradients to, each once, e.g. `model.parameters()`.

        Returns:
            The mean over all parts (of all ranks); 0 when nothing counted.
        """
        both = torch.stack([torch.as_tensor(self.total), torch.as_tensor(self.mass)]).double()
        ranks = 1
        if self._group is not None and self._group is not False:
            group = None if self._group is True else self._group
            dist.all_reduce(both, group=group)
            ranks = dist.get_world_size(group)
        total, mass = both.unbind()
        mass = torch.where(mass > 0, mass, torch.ones_like(mass))
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.mul_((ranks / mass).to(parameter.grad.device))
        self.total = self.mass = 0.0
        return total / mass
