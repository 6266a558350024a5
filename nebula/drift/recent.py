"""The latest rows, in bounded memory."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor

__all__ = ["RecentRows", "join_rows"]


def join_rows(parts: list[Tensor]) -> tuple[Tensor, bool]:
    """Return all targets in one tensor, and whether its rows are still rows.

    Args:
        parts: Batches, at least one; of several devices, those on the last one's count.

    Returns:
        (n, *tail), True; or, when the batches differ in the shape of a row, all values in (n,), False.
    """
    if len(parts) == 1 and parts[0].ndim:
        return parts[0].detach(), True
    try:
        return torch.cat(parts), True
    except RuntimeError:
        device = parts[-1].device
        here = [part for part in parts if part.device == device]
        if len(here) < len(parts):
            return join_rows(here)
        return torch.cat([part.reshape(-1) for part in parts]), not any(part.ndim for part in parts)


class RecentRows:
    """Keeps whole rows, the latest ones, up to a number of values.

    Args:
        limit: Most values kept; a single row may be larger.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._parts: deque[Tensor] = deque()

    def add(self, values: Tensor) -> None:
        """Append rows; the oldest batches go once the rest holds enough."""
        width = max(1, values[:1].numel())
        values = values[-max(1, self._limit // width) :]
        if self._parts and self._parts[-1].shape[1:] != values.shape[1:]:
            self.clear()
        self._parts.append(values)
        self._size += values.numel()
        while self._size - self._parts[0].numel() >= self._limit:
            self._size -= self._parts.popleft().numel()

    def clear(self) -> None:
        """Forget all rows."""
        self._parts.clear()
        self._size = 0

    def rows(self) -> Tensor | None:
        """Return the rows kept, oldest first; None when there are none."""
        return torch.cat(list(self._parts)) if self._parts else None
