"""For any two shapes: the loss of equal shapes, or an error that names both. Never a broadcast."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from nebula.errors import ContractError
from nebula.losses.registry import find
from nebula.losses.spec import AdaptStep
from tests.losses.planning import build, plan

shapes = st.lists(st.sampled_from([1, 2, 3]), min_size=0, max_size=3).map(tuple)
rows = st.sampled_from([1, 2, 3])
SAME = [
    "L1Loss",
    "MSELoss",
    "SmoothL1Loss",
    "HuberLoss",
    "BCEWithLogitsLoss",
    "PoissonNLLLoss",
    "MultiLabelSoftMarginLoss",
]


def drawn(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def torch_loss(name: str) -> nn.Module:
    entry = find(name)
    assert entry is not None
    return entry.build(entry.params())


@pytest.mark.parametrize("loss", SAME)
@settings(max_examples=150, deadline=None)
@given(prediction=shapes, target=shapes, n=rows, m=rows)
def test_without_steps_shapes_must_be_equal(
    loss: str, prediction: tuple[int, ...], target: tuple[int, ...], n: int, m: int
) -> None:
    z, y = drawn((n, *prediction), 0), drawn((m, *target), 1)
    if z.shape == y.shape:
        assert torch.equal(build(loss, ())(z, y), torch_loss(loss)(z, y))
    else:
        with pytest.raises(ContractError) as refusal:
            build(loss, ())(z, y)
        assert str(tuple(z.shape)) in str(refusal.value)
        assert str(tuple(y.shape)) in str(refusal.value)


@settings(max_examples=300, deadline=None)
@given(prediction=shapes, target=shapes, n=rows, known=st.booleans())
def test_planned_steps_move_only_a_trailing_axis(
    prediction: tuple[int, ...], target: tuple[int, ...], n: int, known: bool
) -> None:
    z, y = drawn((n, *prediction), 0), drawn((n, *target), 1)
    alike = z.shape == y.shape or (*z.shape, 1) == y.shape or z.shape == (*y.shape, 1)
    if alike:
        found = build("MSELoss", plan("MSELoss", y, z if known else None))(z, y)
        assert torch.equal(found, nn.functional.mse_loss(z, y.reshape(z.shape)))
    else:
        with pytest.raises(ContractError):
            build("MSELoss", plan("MSELoss", y, z if known else None))(z, y)


@settings(max_examples=300, deadline=None)
@given(prediction=shapes, target=shapes, n=rows)
def test_class_indices_need_exactly_one_axis_less(prediction: tuple[int, ...], target: tuple[int, ...], n: int) -> None:
    z, y = drawn((n, *prediction), 0), torch.zeros((n, *target), dtype=torch.long)
    fits = len(prediction) == len(target) + 1 and prediction[1:] == target and prediction[0] >= 2
    for loss in ("CrossEntropyLoss", "NLLLoss"):
        if fits:
            assert torch.equal(build(loss, ())(z, y), torch_loss(loss)(z, y))
        else:
            with pytest.raises(ContractError):
                build(loss, ())(z, y)


@settings(max_examples=200, deadline=None)
@given(prediction=shapes, target=shapes, n=rows)
def test_a_mean_and_a_variance_need_two_outputs_per_target(
    prediction: tuple[int, ...], target: tuple[int, ...], n: int
) -> None:
    z, y = drawn((n, *prediction), 0) + 0.1, drawn((n, *target), 1)
    if prediction == (*target, 2):
        assert torch.equal(build("GaussianNLLLoss", ())(z, y), nn.GaussianNLLLoss()(z[..., 0], y, z[..., 1]))
    else:
        with pytest.raises(ContractError):
            build("GaussianNLLLoss", ())(z, y)


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "message"),
    [
        ("CrossEntropyLoss", torch.randn(5), torch.rand(5), "int64, or class probabilities"),
        ("CrossEntropyLoss", torch.randn(5, 3), torch.rand(5), "int64, or class probabilities"),
        ("CrossEntropyLoss", torch.randn(5, 1), torch.rand(5, 1), "int64, or class probabilities"),
        ("CrossEntropyLoss", torch.randn(5, 3), torch.zeros(5, dtype=torch.int32), "dtype int64, found torch.int32"),
        ("NLLLoss", torch.randn(5, 3), torch.zeros(5), "dtype int64, found torch.float32"),
        ("BCEWithLogitsLoss", torch.randn(5), torch.zeros(5, dtype=torch.long), "floating target, found torch.int64"),
        ("GaussianNLLLoss", torch.randn(5, 2), torch.zeros(5, dtype=torch.long), "floating target"),
    ],
)
def test_a_dtype_that_torch_would_misread_is_refused(
    loss: str, prediction: Tensor, target: Tensor, message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        build(loss, ())(prediction, target)


@pytest.mark.parametrize("step", ["squeeze_last", "unsqueeze_last", "align_trailing_axis"])
def test_a_shape_step_never_makes_a_wrong_shape_pass(step: str) -> None:
    steps: tuple[Any, ...] = (AdaptStep(on="target", step=step, reason="planned"),)
    with pytest.raises(ContractError):
        build("MSELoss", steps)(torch.zeros(4, 3), torch.zeros(4))


def test_a_batch_of_one_keeps_its_row() -> None:
    steps = plan("CrossEntropyLoss", torch.tensor([[0], [1]]), torch.randn(2, 2))
    logits = torch.tensor([[0.0, 1.0]])
    expected = nn.functional.cross_entropy(logits, torch.tensor([1]))
    assert torch.equal(build("CrossEntropyLoss", steps)(logits, torch.tensor([[1]])), expected)
    assert torch.equal(build("CrossEntropyLoss", steps)(logits, torch.tensor([1])), expected)
