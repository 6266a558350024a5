"""The fingerprint of a tensor that is never whole in memory."""

from __future__ import annotations

import torch
import xxhash
from torch import Tensor

__all__ = ["ContentHash"]


class ContentHash:
    """Hashes a tensor in pieces: the result is `fingerprint` of the whole, however it was cut.

    Args:
        dtype: Element type of the whole.
        shape: Shape of the whole; it is hashed before the content.
    """

    def __init__(self, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
        self.dtype, self.shape = dtype, shape
        self.rows = 0
        self._state = xxhash.xxh3_128(f"{dtype}|{shape}|".encode())

    def update(self, piece: Tensor) -> None:
        """Add the next rows, in order."""
        plain = piece.to(self.dtype).contiguous()
        self.rows += len(plain)
        octets = plain.as_strided((plain.numel(),), (1,)).view(torch.uint8)
        self._state.update(octets.numpy().data)

    def fingerprint(self) -> str:
        """Return the scheme, a colon and 32 hex digits."""
        return f"xxh3_128:{self._state.hexdigest()}"
