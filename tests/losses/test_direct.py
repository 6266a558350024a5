"""The shortest way to a loss: torch's own value and gradient, and the criterion's own refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nebula.errors import ContractError
from nebula.losses.criterion import Criterion
from nebula.losses.direct import DirectClasses, DirectColumn, DirectValues
from nebula.losses.factory import build_criterion
from nebula.losses.spec import AdaptStep, LossSpec, Serve

Raw = Callable[..., nn.Module]

VALUES: dict[str, tuple[Raw, dict[str, Any]]] = {
    "MSELoss": (nn.MSELoss, {}),
    "L1Loss": (nn.L1Loss, {}),
    "SmoothL1Loss": (nn.SmoothL1Loss, {"beta": 0.7}),
    "HuberLoss": (nn.HuberLoss, {"delta": 0.7}),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, {}),
    "PoissonNLLLoss": (nn.PoissonNLLLoss, {"full": True}),
}
CAST = ("to_prediction_dtype",)
COLUMN = ("unsqueeze_last", "to_prediction_dtype")

reductions = st.sampled_from(["mean", "sum", "none"])
seeds = st.integers(0, 2**31)


def criterion_of(loss: str, steps: tuple[str, ...] = (), **params: Any) -> Criterion:
    adapt = tuple(AdaptStep(on="target", step=step, reason="given") for step in steps)
    built = build_criterion(LossSpec(loss=loss, params=params, adapt=adapt, serve=Serve(functional="mean")))
    assert isinstance(built, Criterion)
    return built


def drawn(seed: int, *shape: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator), torch.rand(shape, generator=generator)


def outcome(loss: nn.Module, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    leaf = prediction.clone().requires_grad_()
    value = loss(leaf, target)
    value.sum().backward()
    assert leaf.grad is not None
    return value.detach(), leaf.grad


def way(criterion: nn.Module) -> type:
    return type(criterion.forward.__self__)


@given(
    name=st.sampled_from(sorted(VALUES)),
    reduction=reductions,
    seed=seeds,
    shape=st.lists(st.integers(1, 4), max_size=3),
)
@settings(max_examples=120, deadline=None)
def test_values_and_gradients_are_those_of_torch(name: str, reduction: Any, seed: int, shape: list[int]) -> None:
    raw, params = VALUES[name]
    prediction, target = drawn(seed, *shape)
    expected = outcome(raw(reduction=reduction, **params), prediction, target)
    for steps in ((), CAST):
        criterion = criterion_of(name, steps, reduction=reduction, **params)
        assert way(criterion) is DirectValues
        torch.testing.assert_close(outcome(criterion, prediction, target), expected, rtol=0, atol=0)


@given(
    name=st.sampled_from(sorted(VALUES)),
    reduction=reductions,
    seed=seeds,
    shape=st.lists(st.integers(1, 4), max_size=2),
)
@settings(max_examples=60, deadline=None)
def test_predictions_in_columns(name: str, reduction: Any, seed: int, shape: list[int]) -> None:
    raw, params = VALUES[name]
    prediction, target = drawn(seed, *shape, 1)
    criterion = criterion_of(name, COLUMN, reduction=reduction, **params)
    assert way(criterion) is DirectColumn
    expected = outcome(raw(reduction=reduction, **params), prediction, target)
    torch.testing.assert_close(outcome(criterion, prediction, target.squeeze(-1)), expected, rtol=0, atol=0)
    torch.testing.assert_close(outcome(criterion, prediction, target), expected, rtol=0, atol=0)


@given(
    reduction=reductions,
    seed=seeds,
    classes=st.integers(2, 6),
    smoothing=st.sampled_from([0.0, 0.1]),
    weighted=st.booleans(),
    soft=st.booleans(),
    places=st.lists(st.integers(1, 3), max_size=2),
)
@settings(max_examples=120, deadline=None)
def test_cross_entropy_is_that_of_torch(
    reduction: Any, seed: int, classes: int, smoothing: float, weighted: bool, soft: bool, places: list[int]
) -> None:
    prediction, other = drawn(seed, 5, classes, *places)
    target = other.softmax(1) if soft else other.argmax(1)
    if not soft:
        target.view(-1)[0] = -100
    weight = [1.0 + index for index in range(classes)] if weighted else None
    options = {"reduction": reduction, "label_smoothing": smoothing}
    criterion = criterion_of("CrossEntropyLoss", weight=weight, **options)
    assert way(criterion) is DirectClasses
    raw = nn.CrossEntropyLoss(None if weight is None else torch.tensor(weight), **options)
    expected = outcome(raw, prediction, target)
    torch.testing.assert_close(outcome(criterion, prediction, target), expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("steps", [(), CAST, COLUMN])
@given(left=st.lists(st.integers(1, 4), max_size=3), right=st.lists(st.integers(1, 4), max_size=3))
@settings(max_examples=80, deadline=None)
def test_shapes_that_differ_are_refused_where_torch_would_broadcast(
    steps: tuple[str, ...], left: list[int], right: list[int]
) -> None:
    criterion = criterion_of("MSELoss", steps)
    fits = left == right or (steps == COLUMN and left == [*right, 1])
    if fits:
        criterion(torch.zeros(left), torch.zeros(right))
    else:
        with pytest.raises(ContractError, match="one shape"):
            criterion(torch.zeros(left), torch.zeros(right))


@pytest.mark.parametrize(
    ("prediction", "target"),
    [((4, 1), (4,)), ((4,), ()), ((4, 3), (5,)), ((4, 3), (4, 1)), ((3,), (3,)), ((4, 3, 2), (4, 3))],
    ids=str,
)
def test_what_is_no_classification_is_refused(prediction: tuple[int, ...], target: tuple[int, ...]) -> None:
    with pytest.raises(ContractError, match="CrossEntropyLoss: expected"):
        criterion_of("CrossEntropyLoss")(torch.zeros(prediction), torch.zeros(target, dtype=torch.long))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("steps", [CAST, COLUMN])
def test_other_dtypes_take_the_long_way_to_the_same_value(steps: tuple[str, ...], dtype: torch.dtype) -> None:
    prediction, target = drawn(0, 6, 1)
    shaped = target.squeeze(-1) if steps == COLUMN else target
    computed = torch.float64 if dtype is torch.float64 else torch.float32
    found = criterion_of("MSELoss", steps)(prediction.to(dtype), shaped)
    torch.testing.assert_close(found, nn.MSELoss()(prediction.to(dtype).to(computed), target.to(computed)))


class Named(Tensor):
    """Tells which of torch's functions it was given to."""

    seen: list[str]

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        cls.seen.append(getattr(func, "__name__", ""))
        return super().__torch_function__(func, types, args, kwargs or {})


class Names(TorchFunctionMode):
    """Tells which of torch's functions was called."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(getattr(func, "__name__", ""))
        return func(*args, **(kwargs or {}))


LISTENED = {
    "MSELoss": ("mse_loss", *drawn(0, 4, 3)),
    "CrossEntropyLoss": ("cross_entropy", torch.zeros(4, 3), torch.zeros(4, dtype=torch.long)),
}


@pytest.mark.parametrize("loss", LISTENED)
def test_a_subclass_sees_the_function_that_it_may_replace(loss: str) -> None:
    function, prediction, target = LISTENED[loss]
    for given_, other in ((prediction.as_subclass(Named), target), (prediction, target.as_subclass(Named))):
        Named.seen = []
        found = criterion_of(loss)(given_, other)
        assert function in Named.seen
        assert isinstance(found, Named)


@pytest.mark.parametrize("loss", LISTENED)
def test_a_mode_sees_it_too(loss: str) -> None:
    function, prediction, target = LISTENED[loss]
    with Names() as names:
        criterion_of(loss)(prediction, target)
    assert function in names.seen
