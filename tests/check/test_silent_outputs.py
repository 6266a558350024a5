"""Weights that follow the counts and outputs behind a ReLU: where the line to a right use runs."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from nebula.checking.run import check

ROWS = 48


def rare(positives: int) -> torch.Tensor:
    return (torch.arange(ROWS) < positives).float()


@given(positives=st.integers(3, 11), factor=st.floats(0.55, 1.8))
def test_odds_as_pos_weight_are_found_and_their_inverse_is_not(positives: int, factor: float) -> None:
    odds = torch.tensor(factor * positives / (ROWS - positives))
    z = torch.linspace(-3, 3, ROWS)
    assert "NEB-C019" in check(nn.BCEWithLogitsLoss(pos_weight=odds), z, rare(positives)).codes()
    assert check(nn.BCEWithLogitsLoss(pos_weight=1 / odds), z, rare(positives)).findings == ()


@pytest.mark.parametrize("power", [-1.0, -0.5, 0.0])
def test_weights_against_the_counts_are_right(power: float) -> None:
    counts = torch.tensor([30.0, 12.0, 6.0])
    labels = torch.repeat_interleave(torch.arange(3), counts.long())
    z = torch.randn(ROWS, 3, generator=torch.Generator().manual_seed(1))
    assert check(nn.CrossEntropyLoss(weight=counts**power), z, labels).findings == ()
    assert check(nn.CrossEntropyLoss(weight=counts / 17), z, labels).codes() == ("NEB-C019",)


def test_weights_are_judged_of_the_rows_that_count() -> None:
    labels = torch.repeat_interleave(torch.arange(3), torch.tensor([30, 12, 6]))
    z = torch.randn(ROWS, 3, generator=torch.Generator().manual_seed(1))
    loss = nn.CrossEntropyLoss(weight=torch.tensor([5.0, 2.0, 1.0]), ignore_index=0)
    assert check(loss, z, labels).findings == ()


def test_one_label_of_several_that_is_weighted_rightly_settles_it() -> None:
    target = torch.stack((rare(4), rare(4).flip(0)), dim=1)
    z = torch.randn(ROWS, 2, generator=torch.Generator().manual_seed(1))
    inverted, right = 4 / 44, 44 / 4
    assert check(nn.BCEWithLogitsLoss(pos_weight=torch.tensor([inverted, inverted])), z, target).codes() == (
        "NEB-C019",
    )
    assert check(nn.BCEWithLogitsLoss(pos_weight=torch.tensor([inverted, right])), z, target).findings == ()


def test_a_relu_is_a_fault_only_where_negative_numbers_are_needed() -> None:
    z = torch.linspace(-3, 3, ROWS)
    y = torch.linspace(-1, 1, ROWS)
    assert check(nn.MSELoss(), z.relu(), y).codes() == ("NEB-C049",)
    assert check(nn.MSELoss(), z.relu(), y.abs()).findings == ()
    assert check(nn.MSELoss(), z.abs() + 0.1, y).findings == ()
    assert check(nn.BCEWithLogitsLoss(), z.relu(), rare(20)).codes() == ("NEB-C049",)
    assert check(nn.BCEWithLogitsLoss(), nn.functional.leaky_relu(z), rare(20)).findings == ()


def test_a_divergence_is_normalised_where_its_target_is() -> None:
    generator = torch.Generator().manual_seed(2)
    z, target = torch.randn(8, 5, 4, generator=generator), torch.rand(8, 5, 4, generator=generator)
    loss = nn.KLDivLoss(reduction="batchmean")
    assert check(loss, z.log_softmax(2), target.softmax(1)).codes() == ("NEB-C043",)
    assert check(loss, z.log_softmax(2), target.softmax(2)).findings == ()
    logged = nn.KLDivLoss(reduction="batchmean", log_target=True)
    assert check(logged, z.log_softmax(0), target.log_softmax(1)).codes() == ("NEB-C043",)
    uniform = torch.full((8, 8), 1 / 8)
    assert check(loss, torch.randn(8, 8, generator=generator).log_softmax(0), uniform).findings == ()


def test_a_sigmoid_before_a_softmax_is_found() -> None:
    z = 3 * torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(3))
    labels = torch.arange(ROWS) % 4
    assert check(nn.CrossEntropyLoss(), z.sigmoid(), labels).codes() == ("NEB-C045",)
    assert check(nn.CrossEntropyLoss(), z, labels).findings == ()
