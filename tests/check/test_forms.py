"""Whatever form a loss comes in, it is recognised, and nothing that is passed in is changed."""

from __future__ import annotations

import copy
import functools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as torch's own pages write it

from nebula.checking.run import check
from nebula.checking.subject import FUNCTIONS
from nebula.checking.traits import TRAITS
from nebula.errors import ContractError, DataError
from nebula.losses.factory import build_criterion
from nebula.losses.spec import AdaptStep, LossSpec, Serve

ROWS = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]])
LABELS = torch.tensor([0, 2, 1])


class _Own(nn.CrossEntropyLoss):
    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002
        return super().forward(input.log(), target)


@pytest.mark.parametrize(
    "loss",
    [
        nn.CrossEntropyLoss(),
        F.cross_entropy,
        functools.partial(F.cross_entropy, label_smoothing=0.1),
        "CrossEntropyLoss",
        "cross_entropy",
        build_criterion(LossSpec(loss="CrossEntropyLoss", serve=Serve(functional="argmax"))),
    ],
    ids=["module", "function", "partial", "name", "function's name", "criterion"],
)
def test_every_form_has_the_same_findings(loss: Any) -> None:
    assert check(loss, ROWS, LABELS).codes() == ("NEB-C040",)
    assert check(loss, ROWS.logit(), LABELS).ok


def test_a_class_whose_meaning_was_changed_is_not_judged_by_its_base() -> None:
    assert check(_Own(), ROWS, LABELS).findings == ()


def test_the_steps_of_a_criterion_run_first() -> None:
    step = AdaptStep(on="target", step="to_long", reason="labels are floats")
    criterion = build_criterion(LossSpec(loss="CrossEntropyLoss", adapt=(step,), serve=Serve(functional="argmax")))
    assert check(criterion, ROWS.logit(), LABELS.float()).ok
    assert check(criterion, ROWS, LABELS.float()).codes() == ("NEB-C040",)
    assert check(criterion, ROWS[:, 0], LABELS.float()).codes() == ("NEB-C001",)


def test_parameters_are_shown_and_kept_by_the_fix() -> None:
    report = check(functools.partial(F.kl_div, log_target=True), ROWS.log(), ROWS.log())
    assert report.loss == "KLDivLoss(log_target=True)"
    assert report.findings[0].fix == "loss = functools.partial(F.kl_div, log_target=True, reduction='batchmean')"
    report = check("BCELoss", torch.tensor([3.0, -2.0]), torch.tensor([0.0, 1.0]), reduction="sum")
    assert report.findings[0].fix == "loss = nn.BCEWithLogitsLoss(reduction='sum')"


def test_lists_and_arrays_are_taken() -> None:
    assert check("MSELoss", [0.5, 1.5], [1.0, 2.0]).value == 0.25
    assert check("MSELoss", np.zeros((4, 1)), np.ones(4)).codes() == ("NEB-C010",)


@pytest.mark.parametrize(
    ("loss", "arguments", "words"),
    [
        (nn.MSELoss, ([1.0], [1.0]), "found the class"),
        (3, ([1.0], [1.0]), "found int"),
        ("NoSuchLoss", ([1.0], [1.0]), "NoSuchLoss"),
        (nn.CTCLoss(), (torch.zeros(3, 1, 4), torch.ones(1, 2)), "`input_lengths`"),
        (nn.MSELoss(), (object(), [1.0]), "found object"),
        (nn.MSELoss(), (torch.zeros(2, dtype=torch.complex64), [1.0, 1.0]), "real numbers"),
        (nn.MSELoss(), ([1.0], None), "`target`"),
        (functools.partial(F.mse_loss, torch.zeros(2)), ([1.0], [1.0]), "positional"),
        (functools.partial(F.mse_loss, tempo=3), ([1.0], [1.0]), "`tempo`"),
    ],
    ids=lambda value: "" if not isinstance(value, str) else value,
)
def test_what_is_no_loss_or_no_batch_is_told(loss: Any, arguments: tuple[Any, Any], words: str) -> None:
    with pytest.raises((DataError, ContractError), match=words):
        check(loss, *arguments)


def test_nothing_is_changed() -> None:
    loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.5]))
    prediction, target = ROWS.clone().requires_grad_(), LABELS.clone()
    before = copy.deepcopy(loss.state_dict())
    check(loss, prediction, target)
    assert prediction.grad is None
    assert prediction.requires_grad
    assert torch.equal(prediction, ROWS)
    assert torch.equal(target, LABELS)
    assert all(torch.equal(value, before[name]) for name, value in loss.state_dict().items())


def test_a_loss_that_writes_into_its_arguments_writes_into_copies() -> None:
    prediction, target = torch.ones(4), torch.zeros(4)
    check(lambda p, t: t.add_(1).sum() + p.detach().mul_(2).sum(), prediction, target)
    assert torch.equal(prediction, torch.ones(4))
    assert torch.equal(target, torch.zeros(4))


def test_labels_out_of_range_of_sequences_are_never_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("run")

    monkeypatch.setattr(nn.CTCLoss, "forward", refuse)
    lengths = {"input_lengths": torch.tensor([9]), "target_lengths": torch.tensor([3])}
    prediction = torch.randn(9, 1, 4).log_softmax(-1)
    for labels in ([[1, 2, 9]], [[1, 2, -3]]):
        report = check("CTCLoss", prediction, torch.tensor(labels), **lengths)
        assert report.codes() == ("NEB-C063",)
        assert report.value is None


_TENSORS = st.builds(
    lambda shape, kind, seed: _tensor(tuple(shape), kind, seed),
    st.lists(st.integers(0, 4), max_size=4),
    st.sampled_from(["normal", "unit", "label", "nan", "huge", "bool", "half", "byte", "zero"]),
    st.integers(0, 9),
)


def _tensor(shape: tuple[int, ...], kind: str, seed: int) -> Tensor:
    draw = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    made = {
        "normal": draw,
        "unit": draw.sigmoid(),
        "label": (draw * 3).long(),
        "nan": torch.where(draw > 0, torch.nan, draw),
        "huge": draw * 1e38,
        "bool": draw > 0,
        "half": (draw * 1000).half(),
        "byte": draw.abs().byte(),
        "zero": torch.zeros(shape),
    }
    return made[kind]


@given(st.sampled_from(sorted(TRAITS)), st.data())
def test_no_batch_makes_it_crash(name: str, data: st.DataObject) -> None:
    arguments = {argument: data.draw(_TENSORS) for argument in TRAITS[name].arguments}
    before = {argument: tensor.clone() for argument, tensor in arguments.items()}
    report = check(name, **{"target": None, **arguments})
    assert all(finding.fix and finding.message and finding.consequence for finding in report.findings)
    for argument, tensor in arguments.items():
        assert torch.equal(torch.nan_to_num(tensor.float()), torch.nan_to_num(before[argument].float()))


def test_every_function_has_its_class() -> None:
    assert set(FUNCTIONS.values()) == set(TRAITS)


@given(
    st.integers(2, 40),
    st.integers(2, 6),
    st.integers(0, 10_000),
    st.sampled_from(["CrossEntropyLoss", "NLLLoss", "MSELoss", "BCEWithLogitsLoss", "KLDivLoss", "PoissonNLLLoss"]),
)
def test_a_right_use_has_no_error(rows: int, outputs: int, seed: int, name: str) -> None:
    torch.manual_seed(seed)
    raw, labels = torch.randn(rows, outputs), torch.randint(0, outputs, (rows,))
    prediction = raw.log_softmax(1) if name in ("NLLLoss", "KLDivLoss") else raw
    target = {
        "CrossEntropyLoss": labels,
        "NLLLoss": labels,
        "MSELoss": torch.randn(rows, outputs),
        "BCEWithLogitsLoss": torch.randint(0, 2, (rows, outputs)).float(),
        "KLDivLoss": torch.randn(rows, outputs).softmax(1),
        "PoissonNLLLoss": torch.poisson(torch.full((rows, outputs), 3.0)),
    }[name]
    report = check(name, prediction, target, **({"reduction": "batchmean"} if name == "KLDivLoss" else {}))
    assert report.ok, str(report)
