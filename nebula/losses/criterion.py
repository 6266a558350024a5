"""A decision at work: adapt steps, shape guard, torch loss; and what is served at prediction time."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from nebula.errors import ContractError
from nebula.losses.base import LossFunction
from nebula.losses.direct import DirectCall, Watch, direct_kind
from nebula.losses.guard import guard_for
from nebula.losses.kernels import kernel_of
from nebula.losses.modules.reduction import reduce, weigh_rows
from nebula.losses.output_layer import set_output_bias
from nebula.losses.params import LossParams
from nebula.losses.registry import LossEntry
from nebula.losses.self_serving import SelfServing
from nebula.losses.serving import Serving
from nebula.losses.spec import LossSpec
from nebula.losses.steps import build_step

__all__ = ["Criterion"]

_HALF = frozenset((torch.float16, torch.bfloat16))


class Criterion(LossFunction):
    """The loss of a spec, on raw outputs and targets as the user has them.

    A call runs the steps on the prediction, the steps on the target, a check of the shapes, and the
    torch loss; without steps it adds no operation to the torch loss, and it never waits for the
    device. Half precision predictions are computed in float32, and so is the loss returned.

    Its state dict is empty, the spec being its state, unless the loss itself is learnable.

    Args:
        spec: What was decided.
        entry: The registered loss of that name.
        params: Its validated parameters.

    Attributes:
        spec: What was decided.
        loss: The torch module.

    Example:
        >>> import torch
        >>> from nebula.losses.factory import build_criterion
        >>> from nebula.losses.spec import LossSpec, Serve
        >>> criterion = build_criterion(LossSpec(loss="L1Loss", serve=Serve(functional="median")))
        >>> criterion(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        tensor(1.)
    """

    def __init__(self, spec: LossSpec, entry: LossEntry, params: LossParams) -> None:
        super().__init__()
        self.spec = spec
        self.prediction_steps = nn.ModuleList(build_step(step) for step in spec.adapt if step.on == "prediction")
        self.target_steps = nn.ModuleList(build_step(step) for step in spec.adapt if step.on == "target")
        self._adapts = bool(spec.adapt)
        contracts = entry.contracts_for(spec.params)
        self._contract = contracts[0]
        self._guard = guard_for(contracts)
        self._two_outputs = contracts[0].layout == "mean_and_variance"
        self._outputs_differ = contracts[0].layout in ("mean_and_variance", "parameters")
        self.loss = entry.build(params)
        self._reduction: str = getattr(params, "reduction", "mean")
        # a tuple, so that the twin, which shares the loss's buffers and parameters, is no second submodule
        self._unreduced = (_without_reduction(self.loss),)
        self.serving: nn.Module = (
            SelfServing(spec, entry, self.loss, self.prediction_steps)
            if entry.serves
            else Serving(spec, entry, self.prediction_steps)
        )
        self._direct = None if self._two_outputs else direct_kind(self.loss, contracts, spec.adapt)
        self.shorten()

    def shorten(self) -> None:
        """Put the shortest way to the loss in place, if there is one."""
        direct = self.direct_for(self)
        if direct is not None:
            self.forward = direct.forward  # type: ignore[method-assign]  # found before the class's

    def direct_for(self, owner: nn.Module, watch: Watch | None = None) -> DirectCall | None:
        """Return the shortest way to this loss for a module that calls it; None where steps are between.

        Args:
            owner: The module; its class's `forward` takes what is unusual.
            watch: Is shown the targets.
        """
        return None if self._direct is None else self._direct(owner, kernel_of(self.loss), watch)

    def forward(
        self,
        prediction: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        num_items_in_batch: Tensor | float | None = None,
        **extra: Any,
    ) -> Tensor:
        """Return the loss.

        Args:
            prediction: The model's raw output.
            target: The targets, in the shape and coding that was decided on.
            sample_weight: What every row counts, (N,), or every element loss; not negative. The mean
                is divided by the weights' sum. None: 1 each.
            num_items_in_batch: What a mean is divided by instead, where these rows are one part of a
                batch: the elements that count in all its parts (labels that are not ignored). None:
                these rows are the batch.
            **extra: The contract's extra inputs, by name.

        Returns:
            A scalar, or element losses with `reduction: none`.

        Raises:
            ContractError: The shapes or dtypes are not what the loss is defined for (nothing is
                broadcast), an extra input is missing or unknown, or the loss has no value per row to weigh.
            IndexError: A label that was never planned for (on a GPU: a device-side assertion).
        """
        prediction, target = self._adapted(prediction, target)
        if extra or self._contract.extra_inputs:
            self._check_extra(extra)
        if sample_weight is None and num_items_in_batch is None:
            return self._call(self.loss, prediction, target, extra)
        elements, mass = self._elements(prediction, target, sample_weight, extra)
        if num_items_in_batch is None or self._reduction == "sum":
            return reduce(elements, self._reduction, mass)
        if self._reduction == "none":
            raise ContractError(
                f"{self.spec.loss}: expected a mean to divide by num_items_in_batch, found reduction none: "
                "leave it out, or set `reduction: mean`."
            )
        return elements.sum() / num_items_in_batch

    def total_and_mass(
        self, prediction: Tensor, target: Tensor, *, sample_weight: Tensor | None = None, **extra: Any
    ) -> tuple[Tensor, Tensor]:
        """Return the sum of the element losses, and what it is divided by in the mean of these rows.

        Both add up over the parts of a batch, in any division into parts.

        Args:
            prediction: The model's raw output.
            target: The targets.
            sample_weight: What every row counts, (N,), or every element loss.
            **extra: The contract's extra inputs, by name.

        Returns:
            Two scalars: the sum, and the number of the elements that count, each times its weight; 0
            with `reduction: sum`, which divides by nothing.

        Raises:
            ContractError: As for a call, or rows have no loss of their own.
        """
        prediction, target = self._adapted(prediction, target)
        if extra or self._contract.extra_inputs:
            self._check_extra(extra)
        elements, mass = self._elements(prediction, target, sample_weight, extra)
        return elements.sum(), mass.new_zeros(()) if self._reduction == "sum" else mass.sum()

    def _adapted(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        if prediction.dtype in _HALF:
            prediction = prediction.float()
        if self._adapts:
            for step in self.prediction_steps:
                prediction = step(prediction, target)
            for step in self.target_steps:
                target = step(target, prediction)
        self._guard(self.spec.loss, prediction, target)
        return prediction, target

    def _call(self, loss: nn.Module, prediction: Tensor, target: Tensor, extra: dict[str, Any]) -> Tensor:
        if self._two_outputs:
            mean, variance = prediction.unbind(-1)
            value: Tensor = loss(mean, target, variance)
        else:
            value = loss(prediction, target, **extra)
        return value

    def _check_extra(self, extra: dict[str, Any]) -> None:
        known = {given.name: given for given in self._contract.extra_inputs}
        missing = [name for name, given in known.items() if given.required and extra.get(name) is None]
        if missing or not extra.keys() <= known.keys():
            unknown = sorted(extra.keys() - known.keys())
            raise ContractError(
                f"{self.spec.loss}: expected the extra inputs {', '.join(known) or 'none'}, found "
                f"{f'no {missing[0]}' if missing else f'`{unknown[0]}`'}: pass them to the criterion by name."
            )

    def _elements(
        self, prediction: Tensor, target: Tensor, sample_weight: Tensor | None, extra: dict[str, Any]
    ) -> tuple[Tensor, Tensor]:
        """Return the weighed element losses, and what each counts in the mean's denominator."""
        if self._contract.couples_samples or "none" not in self._contract.reductions:
            given = "no part of a batch" if sample_weight is None else "no sample_weight"
            raise ContractError(
                f"{self.spec.loss}: expected {given}, found one: rows have no loss of their own here; "
                "give the whole batch, and weigh rows in the sampling."
            )
        elements = self._call(self._unreduced[0], prediction, target, extra)
        mass = _mass_of(self.loss, target)
        if mass is None:
            mass = elements.new_ones(elements.shape[:1] if self._reduction == "batchmean" else elements.shape)
        if sample_weight is None:
            return elements, mass
        weight = weigh_rows(sample_weight, elements, self.spec.loss)
        return elements * weight, weight if self._reduction == "batchmean" else mass * weight

    @property
    def extra_inputs(self) -> frozenset[str]:
        """Names of the keywords that a call takes beside `sample_weight`."""
        return frozenset(given.name for given in self._contract.extra_inputs)

    def predict(self, raw: Tensor) -> Tensor:
        """Serve the raw output as `spec.serve` says: see `Serving.forward`."""
        answer: Tensor = self.serving(raw)
        return answer

    def init_output_bias(self, layer: nn.Module) -> nn.Module:
        """Set the model's last layer to start at the constant predictor; weights are left alone.

        Args:
            layer: The last linear or convolutional layer, or an `nn.Sequential` that ends in one.

        Returns:
            The layer, changed in place.

        Raises:
            ContractError: The spec has no output bias, or the layer has no bias of that length.
        """
        return set_output_bias(layer, self.spec.output_bias, outputs_differ=self._outputs_differ)

    def extra_repr(self) -> str:
        """Name the loss."""
        return self.spec.loss


def _mass_of(loss: nn.Module, target: Tensor) -> Tensor | None:
    """Return what every element counts in the loss's own mean; torch's plain losses count each as 1."""
    mass: Tensor | None = loss.mass(target) if hasattr(loss, "mass") else None  # type: ignore[operator]
    return mass


def _without_reduction(loss: nn.Module) -> nn.Module:
    """Return a module that shares everything with the loss but returns element losses."""
    twin = copy.copy(loss)
    twin.reduction = "none"  # type: ignore[assignment]  # a string attribute of every loss
    return twin
