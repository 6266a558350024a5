"""What must not change a decision: order, repetition, element type, layout, half of the rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import nebula
from nebula import PredictionSpec
from tests.acceptance.witnesses import DEFAULT, Case

SETTLED = [rule for rule in DEFAULT if rule != "constant"]


def chosen(case: Case, target: Tensor) -> tuple[object, ...]:
    """What a user acts on: rule, task, status and the spec without the numbers that follow n."""
    prediction = case.prediction
    if isinstance(prediction, Tensor):
        prediction = PredictionSpec(shape=(None, *prediction.shape[1:]), space="log_probabilities")
    decision = nebula.select(target, prediction, name=case.name, hints=case.hints)
    spec = decision.spec
    steps = tuple((s.step, str(s.params)) for s in spec.adapt if s.step in STABLE_STEPS) if spec else ()
    return decision.rule_id, decision.task, decision.status, spec and (spec.loss, spec.link, spec.serve), steps


STABLE_STEPS = {"remap_labels", "shift_labels", "void_to_ignore", "scale_target", "one_hot_to_index", "log_softmax"}


def strided(target: Tensor) -> Tensor:
    wide = torch.stack([target, target.flip(0)], dim=-1)
    return wide[..., 0]


def column(target: Tensor) -> Tensor:
    return target.unsqueeze(-1) if target.ndim == 1 else target


ROWS: dict[str, Callable[[Tensor], Tensor]] = {
    "shuffled": lambda t: t[torch.randperm(len(t), generator=torch.Generator().manual_seed(5))],
    "reversed": lambda t: t.flip(0),
    "sorted": lambda t: t[torch.argsort(t.reshape(len(t), -1)[:, 0], stable=True)],
    "repeated": lambda t: torch.cat([t] * 4),
    "strided": strided,
    "column": column,
}


@pytest.mark.parametrize("change", ROWS)
@pytest.mark.parametrize("rule", SETTLED)
def test_rows(rule: str, change: str) -> None:
    case = DEFAULT[rule](np.random.default_rng(11))
    assert chosen(case, ROWS[change](case.target)) == chosen(case, case.target)


WHOLE = [rule for rule in SETTLED if bool((DEFAULT[rule](np.random.default_rng(11)).target % 1 == 0).all())]
TYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("rule", WHOLE)
def test_element_types(rule: str, dtype: torch.dtype) -> None:
    case = DEFAULT[rule](np.random.default_rng(11))
    if torch.equal(case.target.to(dtype).to(torch.float64), case.target.to(torch.float64)):
        assert chosen(case, case.target.to(dtype)) == chosen(case, case.target)


@pytest.mark.parametrize("rule", [r for r in SETTLED if r not in WHOLE])
def test_single_precision(rule: str) -> None:
    case = DEFAULT[rule](np.random.default_rng(11))
    assert chosen(case, case.target.float())[:3] == chosen(case, case.target.double())[:3]


@pytest.mark.parametrize("rule", SETTLED)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_random_quarter(rule: str, seed: int) -> None:
    case = DEFAULT[rule](np.random.default_rng(11))
    rows = torch.randperm(len(case.target), generator=torch.Generator().manual_seed(seed))[: len(case.target) // 4]
    assert chosen(case, case.target[rows])[:2] == chosen(case, case.target)[:2]


@pytest.mark.parametrize("rule", SETTLED)
def test_array_and_tensor(rule: str) -> None:
    case = DEFAULT[rule](np.random.default_rng(11))
    assert chosen(case, case.target.numpy()) == chosen(case, case.target)  # type: ignore[arg-type]
