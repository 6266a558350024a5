"""A model in evaluation mode for one question, and then every part of it as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["asked_without_a_trace"]


@contextmanager
def asked_without_a_trace(model: nn.Module) -> Iterator[None]:
    """Evaluate without gradients, and give each module its own mode back: a frozen part stays frozen.

    Args:
        model: The model that is asked inside.
    """
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes:
            part.training = training
