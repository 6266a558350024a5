"""Every case of every family."""

from __future__ import annotations

from tests.losses.cases import (
    amounts,
    embedding,
    imbalance,
    margin,
    noise,
    ordinal,
    overlap,
    ranking,
    regression,
    sequence,
    survival,
    terms,
    torch_losses,
)
from tests.losses.loss_case import LossCase

__all__ = ["CASES", "LossCase"]

FAMILIES = (
    torch_losses,
    regression,
    amounts,
    margin,
    imbalance,
    overlap,
    ranking,
    noise,
    ordinal,
    survival,
    sequence,
    embedding,
    terms,
)

CASES: list[LossCase] = [case for family in FAMILIES for case in family.CASES]
