"""The layer that a model's raw output comes from, found by running the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from nebula.selector import Nebula

__all__ = ["find_output_layer", "start_at_constant"]


def find_output_layer(run: Callable[[], Any], model: nn.Module) -> nn.Module | None:
    """Return the linear or convolutional layer whose output the model returns unchanged.

    Args:
        run: Runs the model once and returns its raw output; called without gradients.
        model: The model, whose mode is evaluation meanwhile.

    Returns:
        The layer; None when the output is computed further, e.g. by an activation. A view of the
        layer's output, such as `squeeze(-1)`, is still its output.
    """
    places: dict[int, nn.Module] = {}

    def note(layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        places[output.untyped_storage().data_ptr()] = layer
        kept.append(output)

    kept: list[Tensor] = []  # a freed storage's address may be given to another tensor
    layers = [module for module in model.modules() if isinstance(module, nn.Linear | _ConvNd)]
    handles = [layer.register_forward_hook(note) for layer in layers]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            output = run()
    finally:
        model.train(was_training)
        for handle in handles:
            handle.remove()
    return places.get(output.untyped_storage().data_ptr()) if isinstance(output, Tensor) else None


def start_at_constant(criterion: Nebula, run: Callable[[], Any], model: nn.Module) -> bool:
    """Set the output layer's bias to the decision's constant predictor.

    Args:
        criterion: A decided `Nebula`.
        run: See `find_output_layer`.
        model: The model.

    Returns:
        Whether a bias was set: the decision has one, and the layer that it belongs to was found.

    Raises:
        ContractError: The layer has another number of outputs than the decision.
    """
    spec = criterion.decision.spec if criterion.decision else None
    if spec is None or spec.output_bias is None:
        return False
    layer = find_output_layer(run, model)
    if layer is None or layer.bias is None:
        return False
    criterion.init_output_bias(layer)
    return True
