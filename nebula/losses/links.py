"""Links: from the raw output to the quantity."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from nebula.losses.spec import Link

__all__ = ["link_output"]


def link_output(raw: Tensor, link: Link, class_axis: int = 1) -> Tensor:
    """Apply a link.

    Args:
        raw: Raw output, any shape.
        link: `identity`, `exp`, `softplus`, `sigmoid` or `softmax`.
        class_axis: Axis of the classes, for `softmax`.
    """
    if link == "exp":
        return raw.exp()
    if link == "softplus":
        return functional.softplus(raw)
    if link == "sigmoid":
        return torch.sigmoid(raw)
    if link == "softmax":
        return torch.softmax(raw, dim=class_axis)
    return raw
