"""The user's labels on the device, exact in every dtype that the module is moved to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["LabelTable"]


class LabelTable(nn.Module):
    """Labels in output order.

    Args:
        labels: The labels; int64 when all are whole, else float64.
    """

    def __init__(self, labels: Sequence[float]) -> None:
        super().__init__()
        self.whole = all(float(label).is_integer() for label in labels)
        values = torch.tensor(labels, dtype=torch.int64 if self.whole else torch.float64)
        # float64 labels are kept as their bits, because `.half()` would round a floating buffer
        self.bits: Tensor
        self.register_buffer("bits", values.view(torch.int64), persistent=False)

    def forward(self) -> Tensor:
        """Return the labels, (K,), int64 or float64."""
        return self.bits if self.whole else self.bits.view(torch.float64)

    def __len__(self) -> int:
        """Return the number of labels."""
        return self.bits.numel()
