"""Gaps between the mean answers of groups."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nebula.errors import ContractError
from nebula.losses.modules.shapes import expect_axes, expect_kind

__all__ = ["DemographicParity", "EqualOpportunity"]


class _GroupGap(nn.Module):
    """The gap between groups in the mean probability of a yes.

    Args:
        groups: Number of groups G; `group` holds 0..G - 1.
        gap: `max`: the highest mean less the lowest; `mean`: mean distance of the groups' means from that
            of all rows; `squared`: mean squared distance.
    """

    name: str

    def __init__(self, groups: int = 2, gap: str = "max") -> None:
        super().__init__()
        self.groups, self.gap = groups, gap

    def counted(self, target: Tensor) -> Tensor | None:
        """Return what every answer counts; None: 1 each."""
        raise NotImplementedError

    def forward(self, prediction: Tensor, target: Tensor, *, group: Tensor) -> Tensor:
        """Return the gap of logits (N, …) against answers 0 and 1, with `group` (N,), averaged over columns.

        A group without a counted row in the batch is skipped; with fewer than two groups the gap is 0.

        Raises:
            ContractError: `group` is not one whole number a row; on the CPU, or is none of the groups.
        """
        expect_axes(self.name, prediction=(prediction, ("N", "…")), group=(group, ("N",)))
        expect_kind(self.name, floating=False, group=group)
        probability = prediction.sigmoid().unsqueeze(-1).flatten(1)
        counted = self.counted(target)
        mass = (torch.ones_like(target) if counted is None else counted).unsqueeze(-1).flatten(1).to(probability.dtype)
        try:
            sums = _sums(probability * mass, group, self.groups)
            sizes = _sums(mass, group, self.groups)
        except (IndexError, RuntimeError) as error:
            self._explain(group, error)
            raise
        present = sizes > 0
        means = sums / torch.where(present, sizes, 1.0)
        overall = sums.sum(0) / sizes.sum(0).clamp(min=1)
        return self._gap(means, present, overall).sum() / max(probability.shape[1], 1)

    def _explain(self, group: Tensor, error: Exception) -> None:
        """Name the unknown group that a sum failed on; the values are read only then."""
        low, high = (int(end) for end in group.long().aminmax())
        if low < 0 or high >= self.groups:
            raise ContractError(
                f"{self.name}: expected groups 0..{self.groups - 1}, found {low if low < 0 else high}: set `groups` to "
                "how many there are and number them from 0; leave rows of an unknown group out."
            ) from error

    def _gap(self, means: Tensor, present: Tensor, overall: Tensor) -> Tensor:
        """Return the gap of every column, (C,)."""
        if self.gap == "max":
            # an absent group stands at the mean of all, which lies between the others
            filled = torch.where(present, means, overall)
            return filled.amax(0) - filled.amin(0)
        off = torch.where(present, means - overall, 0.0)
        distance = off.abs() if self.gap == "mean" else off.square()
        return distance.sum(0) / present.sum(0).clamp(min=1)

    def extra_repr(self) -> str:
        """Name the gap."""
        return f"groups={self.groups}, gap={self.gap!r}"


class DemographicParity(_GroupGap):
    """Gap of the mean probability of a yes, whatever is true."""

    name = "DemographicParityLoss"

    def counted(self, target: Tensor) -> Tensor | None:
        """Count every row."""
        return None


class EqualOpportunity(_GroupGap):
    """Gap of the mean probability of a yes among the rows whose answer is yes."""

    name = "EqualOpportunityLoss"

    def counted(self, target: Tensor) -> Tensor | None:
        """Count the rows whose answer is yes."""
        return target


def _sums(values: Tensor, group: Tensor, groups: int) -> Tensor:
    """Return the sums of (N, C) by group, (G, C)."""
    return values.new_zeros(groups, values.shape[1]).index_add(0, group.long(), values)
