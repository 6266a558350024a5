"""What a model emits for its first inputs, and the layer that it comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from nebula.errors import DecisionError
from nebula.evidence.asking import asked_without_a_trace
from nebula.selector import Nebula

__all__ = ["RawOutput", "see_output", "start_at_constant"]


class RawOutput(NamedTuple):
    """A raw output and its origin.

    Attributes:
        prediction: What the model emits, on the CPU.
        layer: The linear or convolutional layer whose output is emitted unchanged, or as a view such as
            `squeeze(-1)`; None when it is computed further, e.g. by an activation.
    """

    prediction: Tensor
    layer: nn.Module | None


def see_output(run: Callable[[], Any], model: nn.Module) -> RawOutput:
    """Run a model once, without gradients and in evaluation mode, and see where its output comes from.

    Args:
        run: Runs the model on its first inputs, and returns the raw output.
        model: The model.

    Raises:
        DecisionError: It returns something else than a tensor.
    """
    places: dict[int, nn.Module] = {}
    kept: list[Tensor] = []  # a freed storage's address may be given to another tensor

    def note(layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        places[output.untyped_storage().data_ptr()] = layer
        kept.append(output)

    layers = [module for module in model.modules() if isinstance(module, nn.Linear | _ConvNd)]
    handles = [layer.register_forward_hook(note) for layer in layers]
    try:
        with asked_without_a_trace(model):
            output = run()
    finally:
        for handle in handles:
            handle.remove()
    if not isinstance(output, Tensor):
        raise DecisionError(
            f"expected the model to return a tensor, found {type(output).__name__}: pass `prediction=` instead."
        )
    return RawOutput(output.cpu(), places.get(output.untyped_storage().data_ptr()))


def start_at_constant(criterion: Nebula, layer: nn.Module | None) -> bool:
    """Set an output layer's bias to the decision's constant predictor.

    Args:
        criterion: A decided `Nebula`.
        layer: From `see_output`.

    Returns:
        Whether it was set: the decision has an output bias, and the layer has one.

    Raises:
        ContractError: The layer has another number of outputs than the decision.
    """
    spec = criterion.decision.spec if criterion.decision else None
    if spec is None or spec.output_bias is None or layer is None or layer.bias is None:
        return False
    criterion.init_output_bias(layer)
    return True
