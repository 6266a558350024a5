"""Losses whose raw output is itself the answer."""

from __future__ import annotations

from torch import Tensor

__all__ = ["ServedRaw"]


class ServedRaw:
    """Serves embeddings, scores and energies as the model gives them; mixed into a loss."""

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the raw output."""
        return raw
