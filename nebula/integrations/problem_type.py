"""What Hugging Face's sequence classification would do with labels, silently, and what a policy chooses instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

import nebula
from nebula.decision.model import Decision
from nebula.decision.policy import Policy
from nebula.errors import DataError
from nebula.profiling.hints import Hints, parse_hints
from nebula.profiling.prediction import PredictionSpec
from nebula.selection import as_policy, decide

__all__ = ["IGNORED", "ProblemTypeReport", "check_problem_type"]

ProblemType = Literal["regression", "single_label_classification", "multi_label_classification"]

_LOSSES: dict[str, type[nn.Module]] = {
    "regression": nn.MSELoss,
    "single_label_classification": nn.CrossEntropyLoss,
    "multi_label_classification": nn.BCEWithLogitsLoss,
}
_SAME = {"BCEWithLogitsLoss": ("BCEWithLogitsLoss", "MultiLabelSoftMarginLoss")}
IGNORED = -100
"""The label that torch's cross-entropy leaves out unless told otherwise."""


@dataclass(frozen=True)
class ProblemTypeReport:
    """What a config makes of the labels.

    Attributes:
        problem_type: The config's, or what is made of None: of `num_labels` and the first batch's dtype.
        loss: The loss that the model would compute by itself.
        decision: What the policy chooses for the same labels and outputs.
        findings: What is wrong with the model's own loss, a sentence or more each; empty when nothing is.
    """

    problem_type: ProblemType
    loss: str
    decision: Decision
    findings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the model's own loss suits the labels, as far as the data can tell."""
        return not self.findings

    def __str__(self) -> str:
        """Return the report as text."""
        head = f"{self.problem_type}: the model would compute {self.loss}; the policy chooses {self.decision}"
        return "\n".join((head, *(f"- {finding}" for finding in self.findings)))


def check_problem_type(
    config: Any,
    labels: Tensor,
    *,
    policy: Policy | str = "default.yaml",
    hints: Hints | dict[str, Any] | None = None,
) -> ProblemTypeReport:
    """Check `config.problem_type` and `config.num_labels` against labels; the config is not changed.

    Args:
        config: The model's config: `num_labels` and `problem_type` are read.
        labels: As the collator gives them, all or many rows: (N,) or (N, C).
        policy: Decides which loss would suit.
        hints: What no statistic can supply.

    Raises:
        DataError: The problem type is none that transformers knows.

    Source: `ForSequenceClassificationLoss` of transformers 5 (`loss/loss_utils.py`).
    """
    outputs = int(config.num_labels)
    declared = getattr(config, "problem_type", None)
    kind = _resolve(declared, outputs, labels.dtype)
    prediction = torch.randn((len(labels), outputs), generator=torch.Generator().manual_seed(0))
    given, counted = (prediction.squeeze(), labels.squeeze()) if outputs == 1 else (prediction, labels)
    if kind == "single_label_classification":
        given, counted = prediction, labels.reshape(-1)
    loss = _LOSSES[kind]()
    filler = kind == "single_label_classification" and bool((labels == IGNORED).any())
    declarations = parse_hints({"ignore_value": IGNORED} if filler and hints is None else hints)
    decision = decide(as_policy(policy), labels, PredictionSpec(shape=(None, outputs)), hints=declarations)
    told = [f"{f.code}: {f.message} If ignored: {f.consequence}" for f in nebula.check(loss, given, counted).findings]
    name = type(loss).__name__
    findings = (*_about_config(declared, kind, outputs, labels), *told, *_about_choice(name, decision))
    return ProblemTypeReport(kind, name, decision, findings)


def _resolve(declared: str | None, outputs: int, dtype: torch.dtype) -> ProblemType:
    if declared is None:
        if outputs == 1:
            return "regression"
        return "single_label_classification" if dtype in (torch.long, torch.int) else "multi_label_classification"
    if declared not in _LOSSES:
        raise DataError(f"config.problem_type: expected one of {', '.join(_LOSSES)}, found {declared!r}.")
    kind: ProblemType = declared  # type: ignore[assignment]  # one of the three, as just checked
    return kind


def _about_config(declared: str | None, kind: ProblemType, outputs: int, labels: Tensor) -> Iterator[str]:
    codes = labels.ndim == 1 or not labels.is_floating_point()
    if declared is None and kind == "multi_label_classification" and codes:
        yield (
            f"problem_type is None and labels are {labels.dtype}: any type but int64 and int32 makes the model "
            "multi-label, and keeps it so from the first batch on. Set problem_type."
        )
    if kind == "regression" and outputs > 1 and labels.ndim == 1:
        yield (
            f"one label a row against {outputs} outputs: a batch of {outputs} rows, or of one, is broadcast, "
            "and every output is taught every row's label; other batches fail."
        )
    if kind == "single_label_classification" and labels.numel() and outputs > 1:
        counted = labels[labels != IGNORED]
        if counted.numel() and int(counted.min()) == 1 and int(counted.max()) == outputs - 1:
            yield f"labels are 1 to {outputs - 1}: output 0 is never right; count from 0 and take one output off."
    if kind != "single_label_classification" and bool((labels == IGNORED).any()):
        yield f"labels hold {IGNORED}, which {kind} takes for a value: only cross-entropy leaves it out."


def _about_choice(loss: str, decision: Decision) -> Iterator[str]:
    ambiguity, spec = decision.trace.ambiguity, decision.spec
    if ambiguity:
        yield f"the labels cannot tell {' or '.join(ambiguity.between)}. {ambiguity.ask}"
    if spec is not None and spec.loss not in _SAME.get(loss, (loss,)):
        yield f"{loss} is what the model would compute; the policy chooses {spec.loss}: {decision.trace.because}"
