"""What the check says of a config is what transformers' own loss does."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from transformers.loss.loss_utils import ForSequenceClassificationLoss

from nebula.errors import DataError
from nebula.integrations.transformers import check_problem_type

G = torch.Generator().manual_seed(0)
CODES = torch.randint(0, 4, (60,), generator=G)
FLAGS = (torch.rand(60, 4, generator=G) > 0.6).float()


def config(outputs: int, kind: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(num_labels=outputs, problem_type=kind)


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [(4, CODES), (4, FLAGS), (1, CODES), (1, torch.randn(60, generator=G))],
)
def test_the_kind_is_the_one_that_transformers_takes(outputs: int, labels: torch.Tensor) -> None:
    taken = config(outputs)
    given = labels.float() if outputs == 1 else labels
    ForSequenceClassificationLoss(given, torch.randn(len(labels), outputs, generator=G), taken)
    report = check_problem_type(config(outputs), given)
    assert report.problem_type == taken.problem_type


@pytest.mark.parametrize(
    ("outputs", "kind", "labels"),
    [
        (4, None, CODES),
        (4, None, FLAGS),
        (1, None, torch.randn(60, generator=G)),
        (4, "single_label_classification", CODES),
    ],
)
def test_nothing_is_said_of_a_right_use(outputs: int, kind: str | None, labels: torch.Tensor) -> None:
    report = check_problem_type(config(outputs, kind), labels)
    assert report.ok, str(report)


@pytest.mark.parametrize(
    ("outputs", "kind", "labels", "said"),
    [
        (1, None, (CODES > 1).float(), "MSELoss is what the model would compute; the policy chooses BCEWithLogitsLoss"),
        (4, None, CODES.float(), "makes the model multi-label"),
        (4, None, CODES.short(), "makes the model multi-label"),
        (4, None, torch.eye(4)[CODES], "the policy chooses CrossEntropyLoss"),
        (4, None, CODES + 1, "NEB-C021"),
        (5, None, CODES + 1, "output 0 is never right"),
        (4, "regression", CODES, "a batch of 4 rows, or of one, is broadcast"),
        (1, None, torch.where(CODES == 0, -100.0, torch.randn(60, generator=G)), "which regression takes for a value"),
        (3, None, torch.randn(60, 3, generator=G), "NEB-C030"),
        (1, None, torch.poisson(torch.linspace(0.2, 12.0, 60), generator=G), "the policy chooses PoissonNLLLoss"),
        (1, None, (CODES + 1).float(), "the labels cannot tell"),
    ],
)
def test_a_wrong_use_is_told(outputs: int, kind: str | None, labels: torch.Tensor, said: str) -> None:
    report = check_problem_type(config(outputs, kind), labels)
    assert not report.ok
    assert said in str(report)


def test_the_broadcast_that_is_told_of_happens() -> None:
    with pytest.warns(UserWarning, match="broadcast"):
        loss = ForSequenceClassificationLoss(torch.arange(4.0), torch.zeros(4, 4), config(4, "regression"))
    assert loss.ndim == 0


def test_an_unknown_problem_type_is_told() -> None:
    with pytest.raises(DataError, match="expected one of regression"):
        check_problem_type(config(2, "ranking"), CODES)
