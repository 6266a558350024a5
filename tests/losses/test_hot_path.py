"""What a call costs the device: no extra operation without steps, never a wait."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from nebula.losses.steps import PREDICTION_STEPS, TARGET_STEPS
from nebula.profiling.prediction import PredictionSpec
from tests.losses.adapted_rows import TABLE, Adapted
from tests.losses.cases import torch_losses
from tests.losses.loss_cases import CASES, LossCase
from tests.losses.planning import build, plan

# Operations that copy a value to the host, or whose output's shape depends on values.
WAITING = {"_local_scalar_dense", "item", "is_nonzero", "nonzero", "masked_select", "_unique2", "equal", "bincount"}


class Operations(TorchDispatchMode):
    """Counts the operations that reach the device."""

    def __init__(self) -> None:
        super().__init__()
        self.names: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names[func.__name__.split(".")[0]] += 1
        return func(*args, **(kwargs or {}))


def operations(call: Any, *args: Any) -> Counter[str]:
    with Operations() as seen:
        call(*args)
    return seen.names


def test_the_counter_sees_a_wait() -> None:
    assert operations(lambda: torch.ones(()).item())["_local_scalar_dense"] == 1


@pytest.mark.parametrize(
    "case", [c for c in torch_losses.CASES if not c.params and c.loss != "GaussianNLLLoss"], ids=lambda case: case.id
)
def test_without_steps_a_call_is_the_torch_loss_and_nothing_more(case: LossCase) -> None:
    prediction, target = case.tensors(dtype=torch.float32)
    raw = getattr(nn, case.loss)(**({"reduction": "batchmean"} if case.loss == "KLDivLoss" else {}))
    assert operations(case.criterion(), prediction, target) == operations(raw, prediction, target)


@pytest.mark.parametrize("case", [case for case in CASES if case.loss != "CTCLoss"], ids=lambda case: case.id)
def test_no_loss_waits_for_the_device(case: LossCase) -> None:
    """CTCLoss looks at its labels before torch would read out of bounds."""
    prediction, target, extra = case.inputs(dtype=torch.float32)
    criterion = case.criterion()
    assert not WAITING & operations(lambda z, y: criterion(z, y, **extra), prediction, target).keys()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_no_step_waits_for_the_device(row: Adapted) -> None:
    known = PredictionSpec(shape=(None, *row.prediction.shape[1:]), space=row.space, dtype="float32")
    steps = plan(row.loss, row.target, known, row.link, row.hints, **row.params)
    criterion = build(row.loss, steps, **row.params)
    assert not WAITING & operations(criterion, row.prediction, row.target).keys()


def test_the_table_uses_every_step() -> None:
    used = {name for row in TABLE for name in row.steps}
    # the one step that waits for the call because the prediction is unknown
    assert used == {*PREDICTION_STEPS, *TARGET_STEPS} - {"align_trailing_axis"}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_an_adapted_loss_runs_on_a_device_without_values(row: Adapted) -> None:
    """On `meta` any look at a value is an error, so nothing here depends on one; buffers have moved."""
    known = PredictionSpec(shape=(None, *row.prediction.shape[1:]), space=row.space, dtype="float32")
    steps = plan(row.loss, row.target, known, row.link, row.hints, **row.params)
    criterion = build(row.loss, steps, **row.params).to("meta")
    assert criterion(row.prediction.to("meta"), row.target.to("meta")).device.type == "meta"
