"""Margins against scikit-learn and torch, and the coding of signs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import hinge_loss
from torch.nn import functional

from nebula.errors import ContractError
from nebula.losses.factory import build_criterion
from nebula.losses.spec import LossSpec, Serve
from tests.losses.planning import build, plan

seeds = st.integers(0, 2**16)


@given(seed=seeds)
def test_crammer_and_singer_is_scikit_learns_multiclass_hinge(seed: int) -> None:
    rng = np.random.default_rng(seed)
    z, y = rng.normal(size=(12, 5)), np.append(np.arange(5), rng.integers(0, 5, 7))
    found = build("CrammerSingerLoss", ())(torch.from_numpy(z), torch.from_numpy(y))
    assert found.item() == pytest.approx(hinge_loss(y, z))


@given(seed=seeds)
def test_hinge_is_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    z, y = rng.normal(size=12), np.append([-1.0, 1.0], rng.choice([-1.0, 1.0], 10))
    assert build("HingeLoss", ())(torch.from_numpy(z), torch.from_numpy(y)).item() == pytest.approx(hinge_loss(y, z))


def test_soft_margin_is_the_log_loss_and_torchs_where_that_is_finite() -> None:
    z = torch.linspace(-30, 30, 61, dtype=torch.float64)
    for sign in (-1.0, 1.0):
        y = torch.full_like(z, sign)
        found = build("SoftMarginLoss", (), reduction="none")(z, y)
        torch.testing.assert_close(found, functional.binary_cross_entropy_with_logits(z, (y + 1) / 2, reduction="none"))
        torch.testing.assert_close(found, functional.soft_margin_loss(z, y, reduction="none"))
    far = torch.tensor([-200.0])
    assert functional.soft_margin_loss(far, torch.ones(1)).isinf()
    assert build("SoftMarginLoss", ())(far, torch.ones(1)).item() == 200


def test_two_classes_of_crammer_and_singer_are_the_hinge_of_the_difference() -> None:
    z, y = torch.randn(20, 2, dtype=torch.float64), torch.randint(0, 2, (20,))
    hinge = build("HingeLoss", ())(z[:, 1] - z[:, 0], 2.0 * y.double() - 1)
    torch.testing.assert_close(build("CrammerSingerLoss", ())(z, y), hinge)


def test_multi_margin_reads_further_axes_as_rows() -> None:
    z, y = torch.randn(3, 4, 5), torch.randint(0, 4, (3, 5))
    found = build("MultiMarginLoss", (), reduction="none")(z, y)
    for place in range(5):
        one = functional.multi_margin_loss(z[:, :, place], y[:, place], reduction="none")
        torch.testing.assert_close(found[:, place], one)


@pytest.mark.parametrize("labels", [(0, 1), (1, 2), (3.0, 7.5)], ids=str)
@pytest.mark.parametrize("loss", ["HingeLoss", "SoftMarginLoss"])
def test_two_labels_become_signs_and_come_back(loss: str, labels: tuple[float, float]) -> None:
    y = torch.tensor(labels).repeat(4)
    z = torch.linspace(-2, 2, 8)
    steps = plan(loss, y, z)
    signs = torch.tensor([-1.0, 1.0]).repeat(4)
    assert torch.equal(build(loss, steps)(z, y), build(loss, ())(z, signs))
    serve = Serve(functional="argmax", labels=labels) if loss == "HingeLoss" else None
    if serve:
        served = build_criterion(LossSpec(loss=loss, adapt=steps, serve=serve)).predict(z)
        assert served.tolist() == [labels[int(value > 0)] for value in z]


def test_signs_are_left_as_they_are() -> None:
    y = torch.tensor([-1.0, 1.0, 1.0, -1.0])
    assert plan("HingeLoss", y, torch.randn(4)) == ()


@pytest.mark.parametrize("y", [[0.0, 1.0, 2.0], [-1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.2, 0.4, 0.9]], ids=str)
def test_what_is_not_two_labels_is_refused(y: list[float]) -> None:
    with pytest.raises(ContractError):
        plan("HingeLoss", torch.tensor(y * 2), torch.randn(6))


def test_scores_are_served_neither_as_probabilities_nor_with_a_cut() -> None:
    spec = LossSpec(loss="CrammerSingerLoss", serve=Serve(functional="probability"))
    with pytest.raises(ContractError, match="link"):
        build_criterion(spec).predict(torch.randn(3, 4))
    with pytest.raises(ContractError, match="argmax, raw"):
        build_criterion(LossSpec(loss="HingeLoss", serve=Serve(functional="probability")))


def test_a_void_label_is_refused_where_none_can_be_left_out() -> None:
    y, z = torch.tensor([0, 1, 2, 255, 1, 0]), torch.randn(6, 3)
    with pytest.raises(ContractError, match="void"):
        plan("MultiMarginLoss", y, z, hints={"ignore_value": 255})
    steps = plan("CrammerSingerLoss", y, z, hints={"ignore_value": 255})
    counted = build("CrammerSingerLoss", ())(z[y != 255], y[y != 255])
    torch.testing.assert_close(build("CrammerSingerLoss", steps)(z, y), counted)
