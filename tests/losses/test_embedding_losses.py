"""Embedding losses: torch's values, invariances, refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nebula.errors import ContractError
from nebula.losses.criterion import Criterion
from nebula.losses.factory import build_criterion
from nebula.losses.spec import LossSpec, Serve


def criterion(loss: str, **params: object) -> Criterion:
    return build_criterion(LossSpec(loss=loss, params=params, serve=Serve(functional="raw")))


def vectors(seed: int, rows: int = 8) -> Tensor:
    return torch.randn(rows, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def turned(*given: Tensor) -> tuple[Tensor, ...]:
    turn, _ = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64))
    return tuple(value @ turn for value in given)


def test_infonce_is_the_cross_entropy_of_similarities() -> None:
    z, y = vectors(0), vectors(1)
    logits = functional.cosine_similarity(z.unsqueeze(1), y, dim=-1) / 0.2
    own = torch.arange(len(z))
    torch.testing.assert_close(criterion("InfoNCELoss", temperature=0.2)(z, y), functional.cross_entropy(logits, own))
    both = (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2
    torch.testing.assert_close(criterion("InfoNCELoss", temperature=0.2, symmetric=True)(z, y), both)


def test_infonce_keeps_its_gradient_at_a_low_temperature() -> None:
    """A logarithm of a ratio would end at 0 here: the right key is the least similar one."""
    z = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    value = criterion("InfoNCELoss", temperature=0.005, reduction="sum")(z, z.detach().flip(0))
    value.backward()
    assert value.item() == pytest.approx(400.0)
    assert z.grad is not None
    assert z.grad.abs().max() > 1


@pytest.mark.parametrize("loss", ["TripletMarginLoss", "ContrastiveLoss", "InfoNCELoss"])
def test_distances_do_not_change_when_space_is_turned(loss: str) -> None:
    extra = {
        "TripletMarginLoss": {"negative": vectors(2)},
        "ContrastiveLoss": {"same": torch.tensor([0.0, 1.0]).repeat(4)},
        "InfoNCELoss": {},
    }[loss]
    z, y = vectors(0), vectors(1)
    plain = criterion(loss)(z, y, **extra)
    if loss == "TripletMarginLoss":
        z, y, extra["negative"] = turned(z, y, extra["negative"])
    else:
        z, y = turned(z, y)
    # torch adds 1e-6 to every difference of a triplet
    torch.testing.assert_close(criterion(loss)(z, y, **extra), plain, rtol=1e-5, atol=1e-6)


def test_equal_vectors_have_no_nan_gradient() -> None:
    for same in (0.0, 1.0):
        z = vectors(0).requires_grad_()
        criterion("ContrastiveLoss")(z, z.detach().clone(), same=torch.full((8,), same)).backward()
        assert z.grad is not None
        assert z.grad.abs().sum() == 0


def test_labels_of_pairs_may_be_bool_or_whole() -> None:
    z, y, same = vectors(0), vectors(1), torch.tensor([True, False]).repeat(4)
    loss = criterion("ContrastiveLoss")
    assert torch.equal(loss(z, y, same=same), loss(z, y, same=same.long()))
    assert torch.equal(loss(z, y, same=same), loss(z, y, same=same.double()))


def test_one_row_has_no_strangers() -> None:
    with pytest.raises(ContractError, match="at least 2 rows of prediction, found 1"):
        criterion("InfoNCELoss")(vectors(0, 1), vectors(1, 1))


def test_one_negative_is_not_broadcast() -> None:
    with pytest.raises(ContractError, match=r"negative \(N, D\), found .* negative \(1, 5\)"):
        criterion("TripletMarginLoss")(vectors(0), vectors(1), negative=vectors(2, 1))
