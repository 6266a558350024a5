"""Serving by the loss itself: the functional of a distribution that only the loss knows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from nebula.errors import ContractError
from nebula.losses.label_table import LabelTable
from nebula.losses.registry import LossEntry
from nebula.losses.spec import LossSpec

__all__ = ["SelfServing"]

_LABELLED = ("argmax",)


class SelfServing(nn.Module):
    """Serves one functional of the raw output through the loss's own `serve(functional, raw, level)`.

    Args:
        spec: The decision's spec.
        entry: The registered loss, which says what it serves.
        loss: The built loss.

    Raises:
        ContractError: The loss does not serve the spec's functional.
    """

    def __init__(self, spec: LossSpec, entry: LossEntry, loss: nn.Module) -> None:
        super().__init__()
        self.loss, self.choice = spec.loss, spec.serve
        if spec.serve.functional not in entry.serves:
            raise ContractError(
                f"{spec.loss}: expected serve to be one of {', '.join(entry.serves)}, "
                f"found {spec.serve.functional}: set it in the policy."
            )
        # the bound method, and not the module, which is the criterion's submodule already
        self._serve: Callable[[str, Tensor, float | None], Tensor] = loss.serve  # type: ignore[assignment]
        self.labels = LabelTable(spec.serve.labels) if spec.serve.labels else None

    def forward(self, raw: Tensor) -> Tensor:
        """Return the answer: in the target's unit, or the user's label for `argmax`.

        Raises:
            ContractError: `quantile` without a level, or a shape that the loss does not read.
        """
        if self.choice.functional == "quantile" and self.choice.quantile is None:
            raise ContractError(
                f"{self.loss}: to serve quantile expected serve.quantile, a level in (0, 1), found none."
            )
        answer = self._serve(self.choice.functional, raw, self.choice.quantile)
        if self.labels is not None and self.choice.functional in _LABELLED:
            return torch.as_tensor(self.labels())[answer]
        return answer if self.choice.scale == 1 else answer * self.choice.scale

    def extra_repr(self) -> str:
        """Name the functional."""
        return self.choice.functional
