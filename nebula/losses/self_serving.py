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

_LABELLED = ("argmax", "median", "threshold")


class SelfServing(nn.Module):
    """Serves one functional of the raw output through the loss's own `serve(functional, raw, level)`.

    Args:
        spec: The decision's spec.
        entry: The registered loss, which says what it serves.
        loss: The built loss.
        steps: The spec's steps on the prediction, built: the loss reads what they give.

    Raises:
        ContractError: The loss does not serve the spec's functional.
    """

    def __init__(self, spec: LossSpec, entry: LossEntry, loss: nn.Module, steps: nn.ModuleList) -> None:
        super().__init__()
        self.loss, self.choice = spec.loss, spec.serve
        if spec.serve.functional not in entry.serves:
            raise ContractError(
                f"{spec.loss}: expected serve to be one of {', '.join(entry.serves)}, "
                f"found {spec.serve.functional}: set it in the policy."
            )
        # the bound method, and not the module, which is the criterion's submodule already
        self._serve: Callable[[str, Tensor, float | None], Tensor] = loss.serve  # type: ignore[assignment]
        self.steps = tuple(steps)
        self.class_axis = next((int(step.params["from"]) for step in spec.adapt if step.step == "move_class_axis"), 1)
        self.labels = LabelTable(spec.serve.labels) if spec.serve.labels else None

    def forward(self, raw: Tensor) -> Tensor:
        """Return the answer: in the target's unit, or the user's labels where classes are coded.

        Probabilities have their classes on the axis on which the raw output has them.

        Raises:
            ContractError: `quantile` without a level, `threshold` without a cut, or a shape that the
                loss does not read.
        """
        if self.choice.functional == "quantile" and self.choice.quantile is None:
            raise ContractError(
                f"{self.loss}: to serve quantile expected serve.quantile, a level in (0, 1), found none."
            )
        if self.choice.functional == "threshold" and self.choice.threshold is None:
            raise ContractError(
                f"{self.loss}: to serve threshold expected serve.threshold, a cut in (0, 1), found none."
            )
        for step in self.steps:
            raw = step(raw, raw)
        answer = self._answer(raw)
        if self.class_axis != 1 and self.choice.functional == "probability":
            answer = answer.movedim(1, self.class_axis)
        return answer if self.choice.scale == 1 else answer * self.choice.scale

    def _answer(self, raw: Tensor) -> Tensor:
        choice = self.choice
        if self.labels is None or choice.functional not in (*_LABELLED, "expectation"):
            return self._serve(choice.functional, raw, self._level())
        labels = torch.as_tensor(self.labels())
        if choice.functional != "expectation":
            return labels[self._serve(choice.functional, raw, self._level())]
        probability = self._serve("probability", raw, None).movedim(1, -1)
        if probability.shape[-1] != len(self.labels):
            raise ContractError(
                f"{self.loss}: expected one label per class, {probability.shape[-1]}, found {len(self.labels)} in "
                "serve.labels: match the model's outputs to the labels."
            )
        return probability @ labels.to(probability.dtype)

    def _level(self) -> float | None:
        return self.choice.threshold if self.choice.functional == "threshold" else self.choice.quantile

    def extra_repr(self) -> str:
        """Name the functional."""
        return self.choice.functional
