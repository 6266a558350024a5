"""The last layer's bias, set to the constant predictor."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.parameter import UninitializedParameter

from nebula.errors import ContractError
from nebula.losses.spec import OutputBias

__all__ = ["set_output_bias"]


def set_output_bias(layer: nn.Module, bias: OutputBias | None, *, outputs_differ: bool = False) -> nn.Module:
    """Fill the bias in place.

    Args:
        layer: A linear or convolutional layer, or an `nn.Sequential` that ends in one.
        bias: One value per output, or one for all outputs.
        outputs_differ: A single value must not serve several outputs, because they mean different things.

    Returns:
        The layer as it was given.

    Raises:
        ContractError: There is nothing to set, nothing to set it on, or the lengths differ.
    """
    if bias is None:
        raise ContractError(
            "init_output_bias: expected a decision with an output bias, found none: "
            "the rule sets none, or the facts it needs are unknown (see the trace)."
        )
    last = layer
    while isinstance(last, nn.Sequential) and len(last):
        last = last[-1]
    if not isinstance(last, (nn.Linear, _ConvNd)):
        raise ContractError(
            f"init_output_bias: expected the last linear or convolutional layer, found {type(last).__name__}: "
            "pass that layer itself, e.g. `criterion.init_output_bias(model.head)`."
        )
    if last.bias is None:
        raise ContractError(f"init_output_bias: expected a layer with a bias, found {last}: build it with `bias=True`.")
    if isinstance(last.bias, UninitializedParameter):
        raise ContractError(f"init_output_bias: expected a layer of known size, found {last}: run the model once.")
    outputs, given = last.bias.numel(), len(bias.values)
    if given != outputs and (given != 1 or outputs_differ):
        raise ContractError(
            f"init_output_bias: expected a layer with {given} outputs, as many as `{bias.kind}` has values, "
            f"found {outputs}: match the layer to the decision."
        )
    with torch.no_grad():
        values = torch.tensor(bias.values, dtype=torch.float64)
        last.bias.copy_(values.to(last.bias.dtype).expand(outputs))
    return layer
