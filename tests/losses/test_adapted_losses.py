"""What the user has × what the model emits: the adapted loss equals a reference computed by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from nebula.profiling.prediction import PredictionSpec
from tests.losses.adapted_rows import TABLE, UNKNOWN, Adapted
from tests.losses.planning import build, plan


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_adapted_loss_equals_the_reference(row: Adapted) -> None:
    known = PredictionSpec(shape=(None, *row.prediction.shape[1:]), space=row.space, dtype="float32")
    steps = plan(row.loss, row.target, known, row.link, row.hints, **row.params)
    assert [step.step for step in steps] == row.steps
    assert all(step.reason for step in steps)
    found = build(row.loss, steps, **row.params)(row.prediction, row.target)
    torch.testing.assert_close(found, row.expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "expected", "steps"),
    [row[1:] for row in UNKNOWN],
    ids=[row[0] for row in UNKNOWN],
)
def test_without_a_prediction_the_plan_waits_for_the_call(
    loss: str, prediction: Tensor, target: Tensor, expected: Tensor, steps: list[str]
) -> None:
    planned = plan(loss, target, None)
    assert [step.step for step in planned] == steps
    torch.testing.assert_close(build(loss, planned)(prediction, target), expected, rtol=1e-5, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    labels=st.sets(st.integers(-99, 1000), min_size=2, max_size=6),
    dtype=st.sampled_from([torch.int64, torch.int32, torch.int16, torch.float32, torch.float64]),
    column=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_coding_of_the_classes_gives_the_same_loss(
    labels: set[int], dtype: torch.dtype, column: bool, seed: int
) -> None:
    own = torch.tensor(sorted(labels))
    rng = torch.Generator().manual_seed(seed)
    places = torch.cat([torch.arange(len(own)), torch.randint(len(own), (20,), generator=rng)])
    prediction = torch.randn(len(places), len(own), generator=rng)
    target = own[places].to(dtype)
    target = target[:, None] if column else target
    # -1, 255 and -100 beside a block of labels from 0 are read as void: declare that nothing is
    steps = plan("CrossEntropyLoss", target, prediction, hints={"ignore_value": 5000})
    found = build("CrossEntropyLoss", steps)(prediction, target)
    assert torch.equal(found, nn.functional.cross_entropy(prediction, places))


def test_a_batch_without_some_class_keeps_its_labels() -> None:
    assert plan("CrossEntropyLoss", torch.tensor([0, 2, 2]), torch.randn(3, 5)) == ()
    assert plan("CrossEntropyLoss", torch.tensor([1, 2, 2]), torch.randn(3, 5)) == ()


def test_of_several_axes_that_could_hold_the_classes_the_first_is_taken() -> None:
    """As torch reads it, and as the profile says."""
    target, square = torch.tensor([[0, 1, 2], [2, 1, 0]]), torch.randn(2, 3, 3)
    assert plan("CrossEntropyLoss", target, square) == ()


@pytest.mark.parametrize("ignored", [-1, -2, -100])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("void", [77, None])
def test_no_unplanned_label_lands_on_the_ignored_index(ignored: int, first: int, void: int | None) -> None:
    """A fraction, and the value below the first label, must raise and not be left out."""
    target = torch.tensor([0.0, 1.0, 2.0]) + first
    steps = plan("CrossEntropyLoss", target, torch.randn(3, 3), hints={"ignore_value": void}, ignore_index=ignored)
    criterion = build("CrossEntropyLoss", steps, ignore_index=ignored)
    assert criterion(torch.randn(2, 3), torch.tensor([void or ignored, first])).isfinite()
    for stray in (0.5, first - 1.0, first + 3.0, torch.nan):
        if stray != ignored:
            with pytest.raises(IndexError, match="out of bounds"):
                criterion(torch.randn(2, 3), torch.tensor([stray, first]))


@pytest.mark.parametrize("loss", ["CrossEntropyLoss", "NLLLoss"])
def test_the_logarithm_of_a_tiny_probability_is_not_cut(loss: str) -> None:
    sure = torch.tensor([[1.0, 1e-30], [1e-30, 1.0]])
    steps = plan(loss, torch.tensor([1, 0]), PredictionSpec(shape=(None, 2), space="probabilities"))
    assert build(loss, steps)(sure, torch.tensor([1, 0])).item() == pytest.approx(69.0776, rel=1e-5)
