"""Connectionist temporal classification, with labels and lengths checked before torch reads them.

torch itself reads, and in the backward pass writes, outside of its arrays when a label is none of the classes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nebula.errors import ContractError
from nebula.losses.modules.reduction import ElementLoss
from nebula.losses.modules.served_raw import ServedRaw
from nebula.losses.modules.shapes import expect_axes, expect_kind

__all__ = ["CTC"]

_Parts = tuple[Tensor, Tensor, Tensor]


class CTC(ServedRaw, ElementLoss):
    """`nn.CTCLoss` of logits, one value per row.

    Args:
        blank: The class that stands for no label.
        zero_infinity: Count a row that admits no alignment as 0, not as infinite.
        per_label: Divide a row's loss by its number of labels.
        check: `cpu`: refuse wrong labels and lengths on the CPU; elsewhere, where looking would wait
            for the device, their row is NaN; `always`: refuse them everywhere.
        reduction: `mean` over the rows, `sum` or `none`.
    """

    def __init__(
        self,
        blank: int = 0,
        zero_infinity: bool = False,
        per_label: bool = True,
        check: str = "cpu",
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.blank, self.zero_infinity, self.per_label, self.check = blank, zero_infinity, per_label, check

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits (T, N, C) against labels (N, S) with input and target lengths (N,).

        Raises:
            ContractError: A shape or type is wrong; on the CPU, or with `check: always`, also: a label
                is the blank or no class, a length is beyond its axis, or no alignment exists.
        """
        inputs, targets = extra["input_lengths"], extra["target_lengths"]
        self._expect_shapes(prediction, target, inputs, targets)
        if not prediction.shape[1]:
            return prediction.sum((0, 2))
        target, inputs, targets = target.long(), inputs.long(), targets.long()
        broken = self._broken(prediction, target, inputs, targets)
        if self.check == "always" or prediction.device.type == "cpu":
            self._refuse(broken, prediction, target, inputs, targets)
        else:
            target, inputs, targets = self._made_safe(prediction, target, inputs, targets)
        loss = functional.ctc_loss(
            prediction.log_softmax(2),
            target,
            inputs,
            targets,
            blank=self.blank,
            reduction="none",
            zero_infinity=self.zero_infinity,
        )
        if self.per_label:
            loss = loss / targets.clamp(min=1)
        return loss.masked_fill(broken, torch.nan)

    def _expect_shapes(self, prediction: Tensor, target: Tensor, inputs: Tensor, targets: Tensor) -> None:
        expect_axes(
            "CTCLoss",
            prediction=(prediction, ("T", "N", "C")),
            target=(target, ("N", "S")),
            input_lengths=(inputs, ("N",)),
            target_lengths=(targets, ("N",)),
        )
        expect_kind("CTCLoss", floating=False, target=target, input_lengths=inputs, target_lengths=targets)
        if self.blank >= prediction.shape[2]:
            raise ContractError(
                f"CTCLoss: expected a blank among the {prediction.shape[2]} outputs, found {self.blank}: set `blank`."
            )

    def _broken(self, prediction: Tensor, target: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the rows whose labels or lengths torch must not read, (N,)."""
        wrong = _used(target, targets) & ~self._is_label(prediction, target)
        lengths = (inputs < 0) | (inputs > prediction.shape[0]) | (targets < 0) | (targets > target.shape[1])
        return wrong.any(1) | lengths

    def _is_label(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (target >= 0) & (target < prediction.shape[2]) & (target != self.blank)

    def _refuse(self, broken: Tensor, prediction: Tensor, target: Tensor, inputs: Tensor, targets: Tensor) -> None:
        if bool(broken.any()):
            row = int(broken.nonzero()[0])
            raise ContractError(
                f"CTCLoss: expected labels 0..{prediction.shape[2] - 1} other than the blank {self.blank} and lengths "
                f"of at most {prediction.shape[0]} inputs and {target.shape[1]} labels, found in row {row} the labels "
                f"{target[row, :8].tolist()}, input length {int(inputs[row])}, target length {int(targets[row])}: "
                "mend the labels; torch would read outside of its arrays."
            )
        if self.zero_infinity:
            return
        repeats = ((target[:, 1:] == target[:, :-1]) & _used(target, targets)[:, 1:]).sum(1)
        short = inputs < targets + repeats
        if bool(short.any()):
            row = int(short.nonzero()[0])
            raise ContractError(
                f"CTCLoss: expected at least as many input steps as labels and repeats, "
                f"{int((targets + repeats)[row])} in row {row}, found {int(inputs[row])}: the loss is infinite there; "
                "drop the row, or set "
                "`zero_infinity: true`."
            )

    def _made_safe(self, prediction: Tensor, target: Tensor, inputs: Tensor, targets: Tensor) -> _Parts:
        """Return labels and lengths that torch can read; what was wrong is marked in the loss."""
        other = 1 if self.blank == 0 else 0
        steps, labels = prediction.shape[0], target.shape[1]
        return (
            torch.where(self._is_label(prediction, target), target, other),
            inputs.clamp(0, steps),
            targets.clamp(0, labels),
        )


def _used(target: Tensor, lengths: Tensor) -> Tensor:
    """Return which places of the padded labels (N, S) count."""
    places: Tensor = torch.arange(target.shape[1], device=target.device) < lengths.unsqueeze(1)
    return places
