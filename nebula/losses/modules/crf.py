"""Conditional random field along a chain: labels that depend on their neighbours."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nebula.errors import ContractError
from nebula.losses.modules.reduction import ElementLoss
from nebula.losses.modules.shapes import expect_axes, expect_kind

__all__ = ["ChainCRF"]


class ChainCRF(ElementLoss):
    """Negative log-likelihood of a sequence of labels, with learnable scores of neighbouring labels.

    Args:
        classes: Number of labels C.
        reduction: `mean` over the rows, `sum` or `none`.

    Attributes:
        transitions: Score of label j after label i at [i, j], (C, C); starts at 0: tokens on their own.
        starts: Score of the first label, (C,).
        ends: Score of the last label, (C,).
    """

    def __init__(self, classes: int = 2, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.transitions = nn.Parameter(torch.zeros(classes, classes))
        self.starts = nn.Parameter(torch.zeros(classes))
        self.ends = nn.Parameter(torch.zeros(classes))

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of emissions (N, T, C) against labels (N, T), the first `lengths` (N,) of which count.

        A row of length 0 counts 0.

        Raises:
            ContractError: A shape or type is wrong.
            IndexError, RuntimeError: A label, padding included, is no class (on a GPU: a device-side assertion).
        """
        lengths = extra["lengths"]
        expect_axes(
            "CRFLoss", prediction=(prediction, ("N", "T", "C")), target=(target, ("N", "T")), lengths=(lengths, ("N",))
        )
        expect_kind("CRFLoss", floating=False, target=target, lengths=lengths)
        self._expect_classes(prediction)
        return self._log_partition(prediction, lengths) - self._score(prediction, target.long(), lengths)

    def _score(self, emissions: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
        """Return the score of the labels, (N,)."""
        places = torch.arange(emissions.shape[1], device=emissions.device)
        counted = places < lengths.unsqueeze(1)
        own = emissions.gather(2, labels.unsqueeze(2)).squeeze(2) + torch.cat(
            (self.starts[labels[:, :1]], self.transitions[labels[:, :-1], labels[:, 1:]]), dim=1
        )
        last = self.ends[labels] * (places == lengths.unsqueeze(1) - 1)
        return ((own + last) * counted).sum(1)

    def _log_partition(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return the log of the sum over all label sequences, by the forward recursion, (N,)."""
        forward = self.starts + emissions[:, 0]
        for step in range(1, emissions.shape[1]):
            reached = (forward.unsqueeze(2) + self.transitions).logsumexp(1) + emissions[:, step]
            forward = torch.where((step < lengths).unsqueeze(1), reached, forward)
        return torch.where(lengths > 0, (forward + self.ends).logsumexp(1), 0.0)

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the likeliest labels of full-length sequences (N, T, C), (N, T), by Viterbi's recursion."""
        self._expect_classes(raw)
        best, backwards = self.starts + raw[:, 0], []
        for step in range(1, raw.shape[1]):
            top, source = (best.unsqueeze(2) + self.transitions).max(1)
            best = top + raw[:, step]
            backwards.append(source)
        labels = [(best + self.ends).argmax(1)]
        for source in reversed(backwards):
            labels.append(source.gather(1, labels[-1].unsqueeze(1)).squeeze(1))
        return torch.stack(labels[::-1], dim=1)

    def _expect_classes(self, emissions: Tensor) -> None:
        if emissions.ndim != 3 or not emissions.shape[1] or emissions.shape[2] != len(self.starts):
            raise ContractError(
                f"CRFLoss: expected emissions (N, T >= 1, C) of {len(self.starts)} classes, found "
                f"{tuple(emissions.shape)}: set `classes` to the number of labels."
            )
