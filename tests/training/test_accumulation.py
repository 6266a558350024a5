"""Parts of a batch, in any division, give the gradient of the whole."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from nebula import Nebula, PredictionSpec
from nebula.errors import ContractError
from nebula.losses.factory import build_criterion
from nebula.losses.spec import LossSpec, Serve
from nebula.training.accumulation import Accumulation
from tests.losses.loss_case import LossCase
from tests.losses.loss_cases import CASES


def adds_up(case: LossCase) -> bool:
    """Element losses are rows' own, prediction and target are along rows, and so are the extra inputs."""
    contract = case.criterion()._contract
    prediction, target, extra = case.inputs()
    aligned = all(len(given) == len(prediction) for given in (target, *extra.values()) if given.ndim)
    return not contract.couples_samples and "none" in contract.reductions and aligned and prediction.ndim > 0


ADDING = [case for case in CASES if adds_up(case)]


def gradient(loss: Tensor, prediction: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(loss, prediction, allow_unused=True)
    return torch.zeros_like(prediction) if found is None else found


def rows_of(extra: dict[str, Tensor], rows: slice) -> dict[str, Tensor]:
    return {name: value[rows] if value.ndim else value for name, value in extra.items()}


@pytest.mark.parametrize("case", ADDING, ids=lambda case: case.id)
@settings(max_examples=6, deadline=None)
@given(cuts=st.lists(st.integers(0, 6), max_size=3).map(sorted), seed=st.integers(0, 99), weighed=st.booleans())
def test_parts_give_the_gradient_of_the_whole(case: LossCase, cuts: list[int], seed: int, weighed: bool) -> None:
    prediction, target, extra = case.inputs(seed)
    prediction.requires_grad_()
    criterion = case.criterion().double()
    weight: dict[str, Tensor] = {}
    if weighed:
        weight = {"sample_weight": torch.rand(len(prediction), generator=torch.Generator().manual_seed(seed)).double()}
    whole = gradient(criterion(prediction, target, **weight, **extra), prediction)
    parts, edges = Accumulation(criterion), [0, *cuts, len(prediction)]
    twin = prediction.detach().clone().requires_grad_()
    for start, end in pairwise(edges):
        rows = slice(start, end)
        if start == end and not allows_nothing(case):
            continue
        part = parts.add(twin[rows], target[rows], **rows_of(weight, rows), **rows_of(extra, rows))
        if part.requires_grad:
            part.backward()
    value = parts.finish([twin])
    torch.testing.assert_close(twin.grad, whole)
    torch.testing.assert_close(value, criterion(prediction, target, **weight, **extra).double().detach())


def allows_nothing(case: LossCase) -> bool:
    return case.criterion()._contract.empty != "error"


def test_most_losses_add_up() -> None:
    assert len(ADDING) > 60


def tokens(rows: int, ignored: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    prediction = torch.randn(rows, 5, 7, generator=generator).double()
    target = torch.randint(0, 5, (rows, 7), generator=generator)
    target.view(-1)[:ignored] = -100
    return prediction.requires_grad_(), target


def entropy(**params: Any) -> Any:
    return build_criterion(LossSpec(loss="CrossEntropyLoss", params=params, serve=Serve(functional="argmax")))


def test_counted_tokens_give_the_gradient_of_the_whole_without_finish() -> None:
    criterion = entropy()
    prediction, target = tokens(6, ignored=20)
    whole = gradient(criterion(prediction, target), prediction)
    counted = (target != -100).sum()
    means, found = torch.zeros_like(prediction), torch.zeros_like(prediction)
    for rows in (slice(0, 3), slice(3, 4), slice(4, 6), slice(6, 6)):
        part = criterion(prediction[rows], target[rows], num_items_in_batch=counted)
        found = found + gradient(part, prediction)
        if rows.start > 2 and rows.stop > rows.start:
            means = means + gradient(criterion(prediction[rows], target[rows]), prediction) / 3
    torch.testing.assert_close(found, whole)
    assert not torch.allclose(means, whole), "the mean of means is another number"


def test_a_part_in_which_nothing_counts_changes_nothing() -> None:
    criterion = entropy(weight=[1.0, 2, 3, 4, 5]).double()
    prediction, target = tokens(6, ignored=21)
    whole = gradient(criterion(prediction, target), prediction)
    parts, twin = Accumulation(criterion), prediction.detach().clone().requires_grad_()
    for rows in (slice(0, 3), slice(3, 6), slice(0, 0)):
        parts.add(twin[rows], target[rows]).backward()
    parts.finish([twin])
    torch.testing.assert_close(twin.grad, whole)


def test_nothing_at_all_is_zero() -> None:
    parts, (prediction, target) = Accumulation(entropy()), tokens(2, ignored=14)
    parts.add(prediction, target).backward()
    assert parts.finish([prediction]) == 0
    assert prediction.grad is not None
    assert not prediction.grad.any()


def test_sums_ignore_the_count_and_elements_refuse_it() -> None:
    prediction, target = tokens(3, ignored=2)
    total = entropy(reduction="sum")
    torch.testing.assert_close(total(prediction, target, num_items_in_batch=9), total(prediction, target))
    with pytest.raises(ContractError, match="num_items_in_batch"):
        entropy(reduction="none")(prediction, target, num_items_in_batch=9)


def test_a_nebula_passes_the_count_on() -> None:
    criterion = Nebula().fit(torch.arange(60) % 3, prediction=PredictionSpec(shape=(None, 3)))
    prediction, target = torch.randn(6, 3), torch.arange(6) % 3
    torch.testing.assert_close(criterion(prediction, target, num_items_in_batch=12), criterion(prediction, target) / 2)
    parts = Accumulation(criterion)
    parts.add(prediction, target)
    torch.testing.assert_close(parts.finish([]).float(), criterion(prediction, target))


def test_what_cannot_be_parted_says_so() -> None:
    with pytest.raises(ContractError, match="decided"):
        Accumulation(Nebula())
    with pytest.raises(ContractError, match="decided"):
        Accumulation(nn.L1Loss())  # type: ignore[arg-type]
    coupled = next(case for case in CASES if case.criterion()._contract.couples_samples)
    prediction, target, extra = coupled.inputs()
    with pytest.raises(ContractError, match="no part of a batch"):
        Accumulation(coupled.criterion()).add(prediction, target, **extra)
