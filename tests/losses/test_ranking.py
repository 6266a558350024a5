"""Ranking: pairs one by one, the AUC that it bounds, the cap on pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from nebula.errors import ContractError
from nebula.losses.factory import build_criterion
from nebula.losses.spec import LossSpec, Serve
from tests.losses.cases.ranking import pairs
from tests.losses.planning import build

rows = st.integers(2, 30)


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=n), np.append([0.0, 1.0], rng.integers(0, 2, n - 2))


@given(n=rows, seed=st.integers(0, 99))
def test_every_pair_counts_once(n: int, seed: int) -> None:
    z, y = drawn(n, seed)
    found = build("AUCLoss", (), reduction="sum")(torch.from_numpy(z), torch.from_numpy(y))
    assert found.item() == pytest.approx(sum(map(sum, pairs(z, y))))
    assert build("AUCLoss", ())(torch.from_numpy(z), torch.from_numpy(y)).item() == pytest.approx(np.mean(pairs(z, y)))


@given(n=rows, seed=st.integers(0, 99))
def test_the_loss_bounds_the_share_of_wrong_pairs(n: int, seed: int) -> None:
    z, y = drawn(n, seed)
    found = build("AUCLoss", ())(torch.from_numpy(z), torch.from_numpy(y)).item()
    assert found >= math.log(2) * (1 - roc_auc_score(y, z)) - 1e-12


@given(n=rows, seed=st.integers(0, 99), shift=st.floats(-100, 100))
def test_only_differences_of_scores_count(n: int, seed: int, shift: float) -> None:
    z, y = (torch.from_numpy(values) for values in drawn(n, seed))
    torch.testing.assert_close(build("AUCLoss", ())(z + shift, y), build("AUCLoss", ())(z, y))


@settings(max_examples=50)
@given(n=st.integers(4, 40), cap=st.integers(1, 400), seed=st.integers(0, 9))
def test_the_cap_takes_evenly_spread_pairs_each_once(n: int, cap: int, seed: int) -> None:
    z, y = (torch.from_numpy(values) for values in drawn(n, seed))
    half = n // 2
    stride = math.ceil(half / max(1, min(half, cap // n)))
    offsets = range(1, half + 1, stride)
    assert len(offsets) * n <= max(cap, n)
    taken = {frozenset((i, (i + k) % n)) for i in range(n) for k in offsets}
    wanted = sum(
        math.log1p(math.exp((z[j] - z[i]).item()))
        for pair in taken
        for i, j in (tuple(pair), tuple(pair)[::-1])
        if y[i] == 1 and y[j] == 0
    )
    assert build("AUCLoss", (), max_pairs=cap, reduction="sum")(z, y).item() == pytest.approx(wanted)


def test_a_capped_batch_is_small_in_memory() -> None:
    """All pairs of 200 000 rows would need 160 GB."""
    z = torch.randn(200_000, requires_grad=True)
    build("AUCLoss", ())(z, (z.detach() > 1).float()).backward()
    assert z.grad is not None
    assert z.grad.isfinite().all()


def test_minimising_it_orders_what_can_be_ordered() -> None:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(200, 2, generator=rng)
    y = (x @ torch.tensor([1.0, -2.0]) > 1.5).float()
    w = torch.zeros(2, requires_grad=True)
    loss, optimiser = build("AUCLoss", ()), torch.optim.SGD([w], lr=2.0)
    for _ in range(100):
        optimiser.zero_grad()
        loss(x @ w, y).backward()
        optimiser.step()
    assert roc_auc_score(y, (x @ w).detach()) > 0.99


@pytest.mark.parametrize("answer", [0.0, 1.0])
@pytest.mark.parametrize("n", [0, 1, 5])
def test_one_class_alone_has_no_pairs(answer: float, n: int) -> None:
    z = torch.randn(n, requires_grad=True)
    found = build("AUCLoss", ())(z, torch.full((n,), answer))
    found.backward()
    assert found.item() == 0
    assert z.grad is not None
    assert not z.grad.any()


def test_columns_count_alike_and_empty_ones_not() -> None:
    z, y = torch.randn(6, 3, dtype=torch.float64), torch.tensor([[0.0, 1, 1], [1, 0, 1]] * 3, dtype=torch.float64)
    each = [build("AUCLoss", ())(z[:, column], y[:, column]) for column in range(2)]
    torch.testing.assert_close(build("AUCLoss", ())(z, y), torch.stack(each).mean())


def test_scores_are_served_as_they_are_and_nothing_else() -> None:
    z = torch.randn(4)
    assert torch.equal(build("AUCLoss", ()).predict(z), z)
    with pytest.raises(ContractError, match="one of raw"):
        build_criterion(LossSpec(loss="AUCLoss", serve=Serve(functional="probability")))


def test_rows_have_no_loss_of_their_own() -> None:
    with pytest.raises(ContractError, match="reduction"):
        build("AUCLoss", (), reduction="none")
    with pytest.raises(ContractError, match="sample_weight"):
        build("AUCLoss", ())(torch.randn(4), torch.tensor([0.0, 1, 0, 1]), sample_weight=torch.ones(4))
