"""Each step alone: exact where it was planned, loud where it was not."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nebula.errors import ContractError
from nebula.losses.spec import AdaptStep
from nebula.losses.step import Step
from nebula.losses.steps import PREDICTION_STEPS, TARGET_STEPS, build_step
from tests.losses.planning import build

NONE = torch.empty(0)


def step(name: str, **params: Any) -> Step[Any]:
    on: Any = "prediction" if name in PREDICTION_STEPS else "target"
    return build_step(AdaptStep(on=on, step=name, params=params, reason="tested"))


@settings(max_examples=100, deadline=None)
@given(
    labels=st.sets(st.integers(-(2**40), 2**40), min_size=1, max_size=9),
    others=st.lists(st.integers(-(2**40), 2**40), max_size=9),
)
def test_remap_is_the_place_in_the_list_or_invalid(labels: set[int], others: list[int]) -> None:
    order = sorted(labels)
    values = [*order, *others]
    expected = [order.index(value) if value in labels else -1 for value in values]
    remap = step("remap_labels", values=order)
    assert remap(torch.tensor(values), NONE).tolist() == expected
    assert remap(torch.tensor(values, dtype=torch.float64), NONE).tolist() == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_a_module_in_half_precision_keeps_exact_labels(dtype: torch.dtype) -> None:
    whole = step("remap_labels", values=[1000001, 1000003]).to(dtype)
    assert whole(torch.tensor([1000003, 1000001]), NONE).tolist() == [1, 0]
    fractions = step("remap_labels", values=[0.1, 0.7]).to(dtype)
    assert fractions(torch.tensor([0.7, 0.1], dtype=torch.float64), NONE).tolist() == [1, 0]


def test_an_unplanned_float_label_becomes_nan() -> None:
    out = step("remap_labels", values=[-1, 1], dtype="float")(torch.tensor([1.0, 0.0, -1.0, torch.nan]), NONE)
    np.testing.assert_array_equal(out.numpy(), [1, np.nan, 0, np.nan])


LOUD = [
    ("remap", "remap_labels", {"values": [10, 20, 30]}, torch.tensor([10, 15])),
    ("remap-nan", "remap_labels", {"values": [10, 20, 30]}, torch.tensor([10, torch.nan])),
    ("shift-0", "shift_labels", {"by": -1}, torch.tensor([1, 0])),
    ("shift-onto-ignored", "shift_labels", {"by": -1, "ignore_index": -100}, torch.tensor([1, -99])),
    ("one-hot-none", "one_hot_to_index", {"axis": 1}, torch.tensor([[0, 1, 0], [0, 0, 0]])),
    ("one-hot-two", "one_hot_to_index", {"axis": 1}, torch.tensor([[0, 1, 0], [1, 0, 1]])),
    ("one-hot-cancelled", "one_hot_to_index", {"axis": 1}, torch.tensor([[0, 1, 0], [1, -1, 0]])),
    ("long-fraction", "to_long", {}, torch.tensor([1.0, 0.5])),
    ("long-nan", "to_long", {}, torch.tensor([1.0, torch.nan])),
]


@pytest.mark.parametrize(("name", "params", "target"), [row[1:] for row in LOUD], ids=[row[0] for row in LOUD])
def test_a_label_that_was_not_planned_makes_the_loss_raise(name: str, params: dict[str, Any], target: Tensor) -> None:
    steps = [AdaptStep(on="target", step=name, params=params, reason="planned")]
    if target.is_floating_point() and name == "shift_labels":
        steps.insert(0, AdaptStep(on="target", step="to_long", reason="planned"))
    with pytest.raises(IndexError, match="out of bounds"):
        build("CrossEntropyLoss", tuple(steps))(torch.randn(2, 3), target)


@pytest.mark.parametrize("value", [255, -1, 0])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float32], ids=str)
def test_void_becomes_the_ignored_index(value: int, dtype: torch.dtype) -> None:
    target = torch.tensor([value, 3, value, 4]).to(dtype)
    out = step("void_to_ignore", value=int(target[0]), ignore_index=-100)(target, NONE)
    assert out.tolist() == [-100, 3, -100, 4]


def test_a_uint8_label_does_not_wrap_around() -> None:
    assert step("shift_labels", by=-1)(torch.tensor([0, 1], dtype=torch.uint8), NONE).tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("name", "params"),
    [("to_long", {}), ("to_prediction_dtype", {}), ("squeeze_last", {}), ("align_trailing_axis", {})],
)
def test_a_step_with_nothing_to_do_returns_the_target_itself(name: str, params: dict[str, Any]) -> None:
    target = torch.tensor([1, 2])
    assert step(name, **params)(target, torch.tensor([0, 0])) is target


def test_logarithms_have_a_floor_and_logits_a_bound() -> None:
    zero, one = torch.tensor([0.0]), torch.tensor([1.0])
    assert step("log_of_probabilities")(zero, NONE).item() == pytest.approx(-87.3365, abs=1e-3)
    assert step("log_of_rate")(zero, NONE).isfinite().all()
    assert step("logit_of_probabilities")(one, NONE).item() == pytest.approx(16.6355, abs=0.1)
    assert step("logit_of_probabilities")(zero, NONE).item() == pytest.approx(-16.6355, abs=0.1)


def test_a_variance_stays_above_its_floor() -> None:
    out = step("split_mean_variance", floor=1e-6)(torch.tensor([[3.0, -1e4], [4.0, 1e4]]), NONE)
    assert out[:, 0].tolist() == [3.0, 4.0]
    assert out[0, 1].item() == pytest.approx(1e-6)
    assert out[1, 1].item() == pytest.approx(1e4)


@pytest.mark.parametrize(
    ("on", "name", "params", "message"),
    [
        ("target", "to_lang", {}, "did you mean `to_long`"),
        ("prediction", "to_long", {}, "a step on the prediction, found `to_long`"),
        ("target", "zzz", {}, "known: squeeze_last"),
        ("target", "remap_labels", {"values": [2, 1]}, "ascending"),
        ("target", "remap_labels", {"values": [1, 1]}, "ascending"),
        ("target", "remap_labels", {"values": []}, "remap_labels.values"),
        ("target", "remap_labels", {"values": [1], "invalid": 0}, "remap_labels.invalid"),
        ("target", "shift_labels", {}, "shift_labels.by"),
        ("target", "scale_target", {"by": float("nan")}, "scale_target.by"),
        ("target", "squeeze_last", {"axis": 1}, "squeeze_last.axis"),
        ("prediction", "move_class_axis", {"from": 1}, "move_class_axis.from"),
        ("prediction", "apply_link", {"link": "cube"}, "apply_link.link"),
    ],
    ids=str,
)
def test_a_wrong_step_is_named(on: Any, name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        build_step(AdaptStep(on=on, step=name, params=params, reason="tested"))


def test_steps_survive_copying_and_carry_no_state() -> None:
    remap = step("remap_labels", values=[10, 20])
    for other in (copy.deepcopy(remap), pickle.loads(pickle.dumps(remap))):
        assert other(torch.tensor([20, 10]), NONE).tolist() == [1, 0]
    assert dict(remap.state_dict()) == {}
    assert "values=(10.0, 20.0)" in repr(remap)


def test_no_name_is_a_step_on_both_arguments() -> None:
    assert not PREDICTION_STEPS.keys() & TARGET_STEPS.keys()
