"""A decision at work: adapt steps, shape guard, torch loss; and what is served at prediction time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nebula.losses.base import LossFunction
from nebula.losses.guard import guard_for
from nebula.losses.output_layer import set_output_bias
from nebula.losses.registry import LossEntry, LossParams
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

    The module has nothing to learn and an empty state dict: the spec is its state.

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
        self._guard = guard_for(contracts)
        self._two_outputs = contracts[0].layout == "mean_and_variance"
        self.loss = entry.build(params)
        self.serving = Serving(spec, entry, self.prediction_steps)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss.

        Args:
            prediction: The model's raw output.
            target: The targets, in the shape and coding that was decided on.

        Returns:
            A scalar, or element losses with `reduction: none`.

        Raises:
            ContractError: The shapes or dtypes are not what the loss is defined for; nothing is broadcast.
            IndexError: A label that was never planned for (on a GPU: a device-side assertion).
        """
        if prediction.dtype in _HALF:
            prediction = prediction.float()
        if self._adapts:
            for step in self.prediction_steps:
                prediction = step(prediction, target)
            for step in self.target_steps:
                target = step(target, prediction)
        self._guard(self.spec.loss, prediction, target)
        if self._two_outputs:
            mean, variance = prediction.unbind(-1)
            loss: Tensor = self.loss(mean, target, variance)
        else:
            loss = self.loss(prediction, target)
        return loss

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
        return set_output_bias(layer, self.spec.output_bias, outputs_differ=self._two_outputs)

    def extra_repr(self) -> str:
        """Name the loss."""
        return self.spec.loss
