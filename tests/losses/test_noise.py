"""Losses for wrong labels: their limits, their symmetry, and what the gradient is."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from tests.losses.planning import build

NAMES = ["GeneralizedCrossEntropyLoss", "SymmetricCrossEntropyLoss", "MAEProbLoss", "BootstrapLoss"]


def drawn(seed: int = 0) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(30, 4, generator=rng, dtype=torch.float64) * 3, torch.randint(0, 4, (30,), generator=rng)


def test_generalised_cross_entropy_lies_between_the_log_loss_and_the_linear_loss() -> None:
    z, y = drawn()
    log_loss = functional.cross_entropy(z, y)
    torch.testing.assert_close(build("GeneralizedCrossEntropyLoss", (), q=1e-9)(z, y), log_loss)
    linear = build("GeneralizedCrossEntropyLoss", (), q=1.0)(z, y)
    torch.testing.assert_close(2 * linear, build("MAEProbLoss", ())(z, y))
    between = [build("GeneralizedCrossEntropyLoss", (), q=q)(z, y) for q in (0.1, 0.4, 0.7, 0.9)]
    assert all(a > b for a, b in zip([log_loss, *between], [*between, linear], strict=True))


@given(z=st.lists(st.floats(-30, 30), min_size=2, max_size=6))
def test_the_linear_loss_over_all_labels_is_constant(z: list[float]) -> None:
    """The condition under which labels exchanged at random do not move the optimum (Ghosh et al. 2017)."""
    row = torch.tensor([z], dtype=torch.float64)
    total = sum(build("MAEProbLoss", ())(row, torch.tensor([label])).item() for label in range(len(z)))
    assert total == pytest.approx(2 * (len(z) - 1))


def test_only_the_product_of_the_reverse_weight_and_the_zero_counts() -> None:
    z, y = drawn()
    one = build("SymmetricCrossEntropyLoss", (), reverse_weight=2.0, log_zero=-3.0)(z, y)
    torch.testing.assert_close(one, build("SymmetricCrossEntropyLoss", (), reverse_weight=1.0, log_zero=-6.0)(z, y))
    linear = build("SymmetricCrossEntropyLoss", (), cross_entropy_weight=0.0, log_zero=-2.0)(z, y)
    torch.testing.assert_close(linear, build("MAEProbLoss", ())(z, y))


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_a_detached_bootstrap_pulls_towards_the_label_only(beta: float) -> None:
    """With q held fixed the gradient is p - (β y + (1 - β) p) = β (p - y)."""
    z, y = drawn()
    z.requires_grad_()
    build("BootstrapLoss", (), label_weight=beta, detach=True, reduction="sum")(z, y).backward()
    hot = functional.one_hot(y, 4)
    torch.testing.assert_close(z.grad, beta * (z.detach().softmax(1) - hot))


def test_detaching_changes_the_gradient_and_not_the_value() -> None:
    z, y = drawn()
    values, slopes = [], []
    for detach in (False, True):
        raw = z.clone().requires_grad_()
        value = build("BootstrapLoss", (), detach=detach)(raw, y)
        value.backward()
        values.append(value.detach())
        slopes.append(raw.grad)
    assert torch.equal(*values)
    assert not torch.allclose(*slopes)


def test_full_trust_in_the_label_is_the_log_loss() -> None:
    z, y = drawn()
    for kind in ("soft", "hard"):
        found = build("BootstrapLoss", (), kind=kind, label_weight=1.0)(z, y)
        torch.testing.assert_close(found, functional.cross_entropy(z, y))


@pytest.mark.parametrize("loss", NAMES)
def test_a_hopeless_row_pulls_less_than_under_the_log_loss(loss: str) -> None:
    """A label that the model holds for all but impossible is likely to be wrong."""
    z, y = torch.tensor([[8.0, 0.0, 0.0]]), torch.tensor([1])

    def pull(criterion: object) -> float:
        raw = z.clone().requires_grad_()
        criterion(raw, y).backward()  # type: ignore[operator]
        assert raw.grad is not None
        return raw.grad.norm().item()

    assert pull(build(loss, ())) < pull(functional.cross_entropy)


@pytest.mark.parametrize("loss", NAMES)
@pytest.mark.parametrize("label", [-1, 4])
def test_a_label_that_is_no_output_raises(loss: str, label: int) -> None:
    with pytest.raises(IndexError):
        build(loss, ())(torch.randn(2, 4), torch.tensor([0, label]))
