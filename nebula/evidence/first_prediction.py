"""What a model emits for its first inputs: the shape that structure is read from."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from nebula.errors import DecisionError
from nebula.evidence.asking import asked_without_a_trace

__all__ = ["predict_first"]


def predict_first(model: nn.Module, inputs: Any) -> Tensor:
    """Run a model without touching its gradients, mode or buffers.

    Args:
        model: The model.
        inputs: What it is called with.

    Returns:
        What it emits.

    Raises:
        DecisionError: It returns something else than a tensor.
    """
    with asked_without_a_trace(model):
        output = model(inputs)
    if not isinstance(output, Tensor):
        raise DecisionError(
            f"expected the model to return a tensor, found {type(output).__name__}: pass `prediction=` instead."
        )
    return output
