"""What the peers' rules say, and what becomes of a question that is answered by a question."""

from __future__ import annotations

import pytest
import torch

from nebula.bench.outcome.rules import RULES, Question, answer_all, infer_problem_type
from nebula.decision.policy import load_policy
from nebula.losses.catalogue import load_builtin

load_builtin()
DEFAULT = load_policy("default.yaml")


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (torch.tensor([0, 1] * 50), "binary"),
        (torch.tensor([3.5, 7.25] * 50), "binary"),
        (torch.arange(600) % 60, "multiclass"),  # a tenth of the rows, at most 1,000 rows
        (torch.arange(600) % 61, "regression"),
        (torch.arange(2000) % 100, "multiclass"),  # a twentieth beyond
        (torch.arange(2000) % 101, "regression"),
        ((torch.arange(2000) % 50).float(), "multiclass"),
        ((torch.arange(2000) % 50) + 0.5, "regression"),
        (torch.arange(1_000_000) % 1001, "regression"),
    ],
)
def test_the_inferred_kind(target: torch.Tensor, kind: str) -> None:
    assert infer_problem_type(target) == kind


def ask(target: torch.Tensor, kind: str, metric: str, outputs: object = 1) -> dict[str, object]:
    question = Question(target, kind, outputs, metric)
    return {answer.selector: answer for answer in answer_all(question, DEFAULT)}


def test_counts_are_classes_for_the_inferring_peer_only() -> None:
    answers = ask(torch.poisson(torch.full((1500,), 3.0)).long(), "number", "poisson_deviance")
    assert tuple(answers) == RULES
    losses = {name: answer.arm.spec.loss for name, answer in answers.items()}
    assert losses["peer_inferred"] == "CrossEntropyLoss"
    assert losses["peer_told"] == "MSELoss"
    assert losses["guide"] == "PoissonNLLLoss"
    assert answers["peer_inferred"].arm.spec.serve.functional == "argmax"


def test_the_guide_looks_for_outliers_and_for_rare_classes() -> None:
    plain = torch.randn(400)
    far = torch.cat((plain, torch.full((20,), 50.0)))
    assert ask(plain, "number", "rmse")["guide"].arm.spec.loss == "MSELoss"
    assert ask(far, "number", "rmse")["guide"].arm.spec.loss == "HuberLoss"
    rare = torch.tensor([0] * 380 + [1] * 20)
    assert ask(rare, "binary", "log_loss")["guide"].arm.spec.loss == "SigmoidFocalLoss"
    assert ask(torch.tensor([0, 1] * 200), "binary", "log_loss")["guide"].arm.spec.loss == "BCEWithLogitsLoss"


def test_a_rule_that_names_no_loss_has_no_arm_but_says_why() -> None:
    answer = ask(torch.full((100,), 3.0), "number", "rmse")["nebula"]
    assert answer.arm is None
    assert "constant" in answer.said
