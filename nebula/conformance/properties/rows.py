"""Rows: their order means nothing, and what they have to do with each other is declared."""

from __future__ import annotations

import torch
from torch import Tensor

from nebula.conformance.property import Property, expect, expect_close
from nebula.conformance.sample import ROWS, Sample
from nebula.conformance.subject import Subject

__all__ = ["PROPERTIES"]

_ORDER = (3, 5, 0, 2, 1, 4)


def _order_means_nothing(subject: Subject) -> None:
    sample, criterion = subject.sample(1), subject.criterion()
    mixed = sample.take(torch.tensor(_ORDER))
    wanted = criterion(sample.prediction, sample.target, **sample.extra)
    expect_close(
        criterion(mixed.prediction, mixed.target, **mixed.extra), wanted, "the loss of rows in another order", rtol=1e-9
    )


def _elements_follow_their_rows(subject: Subject) -> None:
    sample, criterion = subject.sample(2), subject.criterion(reduction="none")
    order = torch.tensor(_ORDER)
    mixed = sample.take(order)
    wanted = criterion(sample.prediction, sample.target, **sample.extra)[order]
    found = criterion(mixed.prediction, mixed.target, **mixed.extra)
    expect_close(found, wanted, "the element losses of rows in another order", rtol=1e-9)


def _coupling(subject: Subject) -> None:
    """Look whether a row's loss changes when another row does."""
    if subject.contract.couples_samples:
        expect(_is_coupled(subject), "rows that change each other's gradient (couples_samples)", "rows on their own")
        return
    sample, criterion = subject.sample(3), subject.criterion(reduction="none")
    whole = criterion(sample.prediction, sample.target, **sample.extra)
    for row in range(ROWS):
        one = sample.take(torch.tensor([row]))
        alone = criterion(one.prediction, one.target, **one.extra)
        expect_close(alone[0], whole[row], f"the loss of row {row} alone", rtol=1e-9)


def _is_coupled(subject: Subject) -> bool:
    """Say whether the gradient of some row depends, beyond a common factor, on the rows beside it."""
    for seed in range(3):
        sample = subject.sample(seed)
        whole, half = _slopes(subject, sample), _slopes(subject, sample.take(torch.arange(ROWS // 2)))
        axis = sample.contract.shapes[0].index("N")
        kept = whole.index_select(axis, torch.arange(ROWS // 2)).flatten()
        ratio = (kept @ half.flatten()) / (half.flatten() @ half.flatten()).clamp(min=torch.finfo(kept.dtype).tiny)
        if not torch.allclose(kept, ratio * half.flatten(), rtol=1e-6, atol=1e-9):
            return True
    return False


def _slopes(subject: Subject, sample: Sample) -> Tensor:
    given = sample.requiring_grad()
    value = subject.criterion()(given.prediction, given.target, **given.extra)
    slopes: Tensor
    (slopes,) = torch.autograd.grad(value, given.prediction)
    return slopes


def _in_rows(subject: Subject) -> bool:
    return all("N" in axes for axes in subject.contract.shapes)


def _per_element(subject: Subject) -> bool:
    return _in_rows(subject) and "none" in subject.contract.reductions and not subject.contract.couples_samples


def _couples_or_has_elements(subject: Subject) -> bool:
    return _per_element(subject) or (_in_rows(subject) and subject.contract.couples_samples)


PROPERTIES = (
    Property("row_order", "The order of the rows does not change the loss.", _order_means_nothing, _in_rows),
    Property(
        "elements_follow_rows",
        "Element losses come in the order of the rows.",
        _elements_follow_their_rows,
        _per_element,
    ),
    Property(
        "coupling", "Rows depend on each other exactly if the contract says so.", _coupling, _couples_or_has_elements
    ),
)
