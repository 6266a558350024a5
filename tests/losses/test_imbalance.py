"""Focus, class weights and costs: limits, optima, scikit-learn's weights, exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional

from nebula.errors import ContractError
from nebula.losses.class_weights import balanced_weights, effective_number_weights, power_weights
from tests.losses.planning import build, plan

counts = st.lists(st.integers(0, 10_000), min_size=2, max_size=6).filter(any)


@given(counts=counts, power=st.floats(0, 3), beta=st.floats(0, 0.999999))
def test_class_weights_have_mean_one_over_the_classes_that_occur(counts: list[int], power: float, beta: float) -> None:
    for weights in (balanced_weights(counts), power_weights(counts, power), effective_number_weights(counts, beta)):
        present = [weight for weight, count in zip(weights, counts, strict=True) if count]
        assert np.mean(present) == pytest.approx(1)
        assert all((weight > 0) == (count > 0) for weight, count in zip(weights, counts, strict=True))
        order = sorted(zip(counts, weights, strict=True))
        rare_first = [weight for count, weight in order if count]
        assert all(left >= right * (1 - 1e-9) for left, right in pairwise(rare_first))


@given(counts=st.lists(st.integers(1, 200), min_size=2, max_size=6))
def test_balanced_weights_are_scikit_learns_up_to_the_scale(counts: list[int]) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    wanted = compute_class_weight("balanced", classes=np.arange(len(counts)), y=labels)
    np.testing.assert_allclose(balanced_weights(counts), wanted / wanted.mean())


@pytest.mark.parametrize("beta", [0.5, 0.9999, 1 - 1e-8])
def test_effective_numbers_are_exact_where_a_subtraction_is_not(beta: float) -> None:
    counts = [1, 7, 500]
    exact = [1 / (1 - Fraction(beta) ** count) for count in counts]
    mean = sum(exact) / len(exact)
    np.testing.assert_allclose(effective_number_weights(counts, beta), [float(w / mean) for w in exact], rtol=1e-7)
    assert effective_number_weights(counts, 0.0) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("counts", [[], [0, 0], [1, -1], [1, float("inf")], [1, float("nan")]], ids=str)
def test_counts_that_are_none_are_refused(counts: list[float]) -> None:
    for weigh in (balanced_weights, lambda c: effective_number_weights(c, 0.9)):
        with pytest.raises(ValueError, match="expected counts"):
            weigh(counts)


@given(focus=st.floats(0.1, 5), z=st.floats(-40, 40))
def test_focus_weighs_down_what_is_right(focus: float, z: float) -> None:
    """Where p is right the loss falls by (1 - p)^focus."""
    raw, one = torch.tensor([z], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    plain = functional.binary_cross_entropy_with_logits(raw, one)
    found = build("SigmoidFocalLoss", (), focus=focus, positive_weight=None)(raw, one)
    assert found.item() == pytest.approx((torch.sigmoid(-raw) ** focus * plain).item(), rel=1e-9)


def test_two_classes_of_focal_loss_are_the_sigmoid_focal_loss_of_the_difference() -> None:
    z, y = torch.randn(50, 2, dtype=torch.float64) * 4, torch.randint(0, 2, (50,))
    for focus in (0.5, 2.0):
        both = build("FocalLoss", (), focus=focus)(z, y)
        one = build("SigmoidFocalLoss", (), focus=focus, positive_weight=None)(z[:, 1] - z[:, 0], y.double())
        torch.testing.assert_close(both, one)


@pytest.mark.parametrize("focus", [0.1, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("loss", ["FocalLoss", "SigmoidFocalLoss"])
def test_a_focus_below_one_has_no_nan_gradient_on_a_sure_answer(loss: str, focus: float) -> None:
    z = torch.tensor([[0.0, 20.0], [0.0, 200.0], [30.0, -30.0]], requires_grad=True)
    y = torch.tensor([1, 1, 0]) if loss == "FocalLoss" else torch.tensor([[0.0, 1], [0, 1], [1, 0]])
    build(loss, (), focus=focus)(z, y).backward()
    assert z.grad is not None
    assert z.grad.isfinite().all()


def test_class_balanced_is_the_weighted_log_loss() -> None:
    z, y = torch.randn(40, 3), torch.randint(0, 3, (40,))
    weights = effective_number_weights([900, 90, 9], 0.999)
    wanted = functional.cross_entropy(z, y, torch.tensor(weights))
    torch.testing.assert_close(build("ClassBalancedLoss", (), class_counts=[900, 90, 9], beta=0.999)(z, y), wanted)


def test_as_many_counts_as_outputs() -> None:
    z, y = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    with pytest.raises(ContractError, match="class_counts"):
        plan("ClassBalancedLoss", y, z, class_counts=[1, 2])
    with pytest.raises(ContractError, match="ClassBalancedLoss: expected one weight per output"):
        build("ClassBalancedLoss", (), class_counts=[1, 2])(z, y)


def test_asymmetric_loss_without_focus_and_margin_is_the_log_loss() -> None:
    z, y = torch.randn(9, 4) * 5, torch.rand(9, 4)
    found = build("AsymmetricLoss", (), focus_negative=0.0, margin=0.0)(z, y)
    torch.testing.assert_close(found, functional.binary_cross_entropy_with_logits(z, y))


def test_an_absent_label_below_the_margin_is_left_alone() -> None:
    z = torch.tensor([-4.0, 0.0], requires_grad=True)
    build("AsymmetricLoss", ())(z, torch.zeros(2)).backward()
    assert z.grad is not None
    assert z.grad[0] == 0
    assert z.grad[1] > 0


def test_the_least_expected_cost_is_at_the_cheapest_decision() -> None:
    costs = [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [10.0, 10.0, 0.0]]
    y = torch.tensor([0] * 6 + [1] * 3 + [2])
    row = torch.zeros(3, requires_grad=True)
    loss, optimiser = build("CostSensitiveLoss", (), costs=costs), torch.optim.SGD([row], lr=1.0)
    for _ in range(300):
        optimiser.zero_grad()
        loss(row.expand(10, 3), y).backward()
        optimiser.step()
    decisions = (torch.tensor(costs)[y]).mean(0)
    assert row.argmax() == decisions.argmin()
    assert row.softmax(0).max() > 0.9


def test_costs_move_the_cut_to_their_ratio() -> None:
    """With costs 4 and 1, the constant prediction says yes from a rate of 1 / 5 on."""
    for rate, positive in ((0.19, False), (0.21, True)):
        z = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        y = torch.tensor([rate], dtype=torch.float64)
        build("CostSensitiveBCELoss", (), cost_false_negative=4.0)(z, y).backward()
        assert z.grad is not None
        assert (z.grad < 0).item() is positive


def test_costs_are_a_square_table_as_wide_as_the_outputs() -> None:
    with pytest.raises(ContractError, match="as many columns as rows"):
        build("CostSensitiveLoss", (), costs=[[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    with pytest.raises(ContractError, match="CostSensitiveLoss: expected one row of costs per output, 3"):
        build("CostSensitiveLoss", (), costs=[[0.0, 1.0], [1.0, 0.0]])(torch.randn(2, 3), torch.tensor([0, 1]))


@pytest.mark.parametrize("loss", ["FocalLoss", "ClassBalancedLoss", "CostSensitiveLoss"])
@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_no_output_raises(loss: str, label: int) -> None:
    costs = {"costs": [[0.0, 1, 1], [1, 0, 1], [1, 1, 0]]} if loss == "CostSensitiveLoss" else {}
    with pytest.raises(IndexError):
        build(loss, (), **costs)(torch.randn(2, 3), torch.tensor([0, label]))
