"""Losses that each break one promise, and the property that must notice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from nebula.losses.contract import Contract, ExtraInput
from nebula.losses.declaring import _FromParams
from nebula.losses.families import classification
from nebula.losses.modules.reduction import ElementLoss
from nebula.losses.params import LossParams, ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["FAULTS", "sound"]

CROSS_ENTROPY = next(entry for entry in classification.ENTRIES if entry.name == "CrossEntropyLoss")
_REAL = Contract(
    prediction_space="raw", target_kind="real", layout="same", target_dtype="float", empty="zero", proper="mean"
)


class Sound(ElementLoss):
    """A squared error that keeps every promise."""

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return (prediction - target) ** 2


class NotANumber(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return super().elements(prediction, target) * torch.nan


class Overflowing(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return torch.expm1((prediction - target).abs())


class WrongSlope(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return prediction.detach() * prediction - 2 * prediction * target + target**2


class Detached(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return super().elements(prediction, target) + (prediction - prediction.detach()) ** 2 - 2 * prediction.detach()


class WrongMean(Sound):
    def forward(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return super().forward(prediction, target) * (2 if self.reduction == "mean" else 1)


class InOrder(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        places = torch.arange(len(target), dtype=target.dtype).view(-1, *(1,) * (target.ndim - 1))
        return super().elements(prediction, target) * (1 + places)


class Centred(Sound):
    """Subtracts the batch's mean, which couples the rows."""

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return (prediction - prediction.mean(dim=0) - target) ** 2


class Biased(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return (prediction - target - 0.3) ** 2


class Median(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return (prediction - target).abs()


class ChangesItsTarget(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        found = super().elements(prediction, target.clone())
        target.add_(1)
        return found


class Random(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return super().elements(prediction, target) * torch.rand(())


class ReadsAValue(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return super().elements(prediction, target) * (2 if prediction.sum().item() > 1e9 else 1)


class Graphless(Sound):
    """Breaks the compiled graph only: on the meta device it runs."""

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        torch._dynamo.graph_break()
        return super().elements(prediction, target)


class Learning(Sound):
    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.scale = nn.Parameter(torch.ones(()))


class Unpicklable(Sound):
    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.power = lambda value: value**2


class TakesAnything(Sound):
    def forward(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return super().forward(prediction, target)


class Serving(Sound):
    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        return raw.mean()


class NaNWhenEmpty(Sound):
    def forward(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return (
            self.elements(prediction, target).mean()
            if self.reduction == "mean"
            else super().forward(prediction, target)
        )


class DoublyDetached(Sound):
    """Right in the first derivative; the second is that of a constant."""

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return _Cubed.apply(prediction - target)


class _Cubed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, error: Tensor) -> Tensor:
        ctx.save_for_backward(error)
        return error.abs() ** 3

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (error,) = ctx.saved_tensors
        return grad * 3 * error.detach() ** 2 * error.sign()


class HalfOnly(Sound):
    """Computes float32 in half precision."""

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        if prediction.dtype == torch.float64:
            return super().elements(prediction, target)
        return super().elements(prediction.bfloat16(), target.bfloat16()).to(prediction.dtype)


class Unmoved(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return 0 * prediction + target**2


class FlatOnly(Sound):
    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        return super().elements(prediction, target) * (1 if prediction.ndim == 2 else torch.nan)


class NoReduction(LossParams):
    """Nothing to choose by."""


class AnyReduction(LossParams):
    """Parameters that take every word for a reduction."""

    reduction: str = "mean"


def sound(module: type[nn.Module] = Sound, **changes: Any) -> LossEntry:
    """An entry of a squared error, with a module of its own and some clauses changed."""
    clauses = {key: changes.pop(key) for key in list(changes) if key in Contract.model_fields}
    entry = LossEntry(
        name="SoundLoss",
        family="test",
        summary="Squared error.",
        formula="(y - z)²",
        reference="none",
        limits="none",
        contracts=(_REAL.model_copy(update=clauses),),
        params=ReducedParams,
        build=_FromParams(module),
    )
    return replace(entry, **changes)


_FREE = {"layout": "free", "axes": (("N", "…"), ("N", "…"))}
_WEIGHT = ExtraInput(name="weight", axes=("N",), holds="unit", description="A weight.")

# torch's cross-entropy of ignored labels alone is NaN
_CLASSES = CROSS_ENTROPY.contracts[0].model_copy(update={"empty": "zero"})
_ENTROPY = replace(CROSS_ENTROPY, name="SoundLoss", contracts=(_CLASSES,))

FAULTS: list[tuple[str, LossEntry]] = [
    ("finite_values_and_gradients", sound(NotANumber)),
    ("precisions_agree", sound(HalfOnly)),
    ("finite_at_extremes", sound(Overflowing)),
    ("gradient", sound(WrongSlope)),
    ("second_derivative", sound(DoublyDetached)),
    ("reductions_agree", sound(WrongMean)),
    ("reductions_are_declared", sound(params=AnyReduction)),
    ("empty_batch", sound(NaNWhenEmpty)),
    ("empty_batch", sound(empty="error")),
    ("row_order", sound(InOrder)),
    ("elements_follow_rows", sound(InOrder)),
    ("coupling", sound(Centred)),
    ("coupling", sound(couples_samples=True)),
    ("weight_zero_removes", sound(Centred)),
    ("perfect_prediction", sound(Biased)),
    ("elicits", sound(Median)),
    ("elicits", sound(proper="median")),
    ("repeats", sound(ChangesItsTarget)),
    ("repeats", sound(Random)),
    ("moves", sound(ReadsAValue)),
    ("compiles", sound(Graphless)),
    ("state", sound(Learning)),
    ("state", sound(learnable=True)),
    ("learns", sound(Learning, learnable=True)),
    ("copies", sound(Unpicklable)),
    ("refuses_other_axes", sound(TakesAnything, **_FREE)),
    ("refuses_other_rows", sound(extra_inputs=(_WEIGHT,))),
    ("refuses_other_dtype", sound(TakesAnything, **_FREE)),
    ("serves", sound(Serving, serves=("mean",))),
    ("documented", sound(limits=" ")),
    ("all_ignored", _ENTROPY),
    ("gradient_moves", sound(Unmoved)),
    ("further_axes", sound(FlatOnly)),
    ("whole", sound(reductions=("mean", "sum"), params=NoReduction)),
    ("whole", sound(supports_ignore_index=True)),
]
