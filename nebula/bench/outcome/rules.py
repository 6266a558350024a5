"""Selectors that answer before anything is trained: nebula, and what people use in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from nebula.bench.outcome.arm import Arm, make_arm, n_outputs, resolve
from nebula.bench.outcome.manifest import Kind, Metric, Outputs
from nebula.decision.policy import Policy
from nebula.errors import NebulaError
from nebula.policy.model import Use
from nebula.profiling.hints import parse_hints
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile
from nebula.selection import decide

__all__ = ["RULES", "Answer", "Question", "answer_all", "infer_problem_type"]

RULES = ("nebula", "peer_inferred", "peer_told", "guide")
"""Selectors of this module, in the order of `answer_all`."""

_LABELS = ("balanced_accuracy", "qwk", "mae", "rmse", "poisson_deviance", "gamma_deviance")


@dataclass(frozen=True, eq=False)
class Question:
    """What a selector is told: the training target, the model's outputs, the declared metric."""

    target: Tensor
    kind: Kind
    asked_outputs: Outputs
    metric: Metric


@dataclass(frozen=True, eq=False)
class Answer:
    """What a selector said; no arm when it asked back or failed."""

    selector: str
    arm: Arm | None
    said: str


def answer_all(question: Question, policy: Policy) -> list[Answer]:
    """Ask every rule."""
    inferred = infer_problem_type(question.target)
    told = {"binary": "binary", "number": "regression"}.get(question.kind, "multiclass")
    peers = [("peer_inferred", *_peer_use(inferred, question)), ("peer_told", *_peer_use(told, question))]
    asked = [("guide", *_guide_use(question)), *peers]
    answers = {name: _resolved(name, use, outputs, question) for name, use, outputs in asked}
    answers["nebula"] = _nebula(question, policy)
    return [answers[name] for name in RULES]


def _nebula(question: Question, policy: Policy) -> Answer:
    outputs = n_outputs(question.asked_outputs, question.target)
    try:
        decision = decide(
            policy,
            question.target,
            PredictionSpec(shape=(None, outputs)),
            hints=parse_hints({"metric": question.metric}),
        )
        if decision.spec is None:
            return Answer("nebula", None, f"asked: {decision.rule_id}")
        return Answer("nebula", make_arm(decision.spec, outputs or 1), f"{decision.spec.loss}: {decision.rule_id}")
    except NebulaError as error:
        return Answer("nebula", None, f"{type(error).__name__}: {error}"[:160])


def _resolved(name: str, use: Use, outputs: Outputs, question: Question) -> Answer:
    return Answer(name, resolve(use, outputs, question.target), use.loss)


def infer_problem_type(target: Tensor) -> Literal["binary", "multiclass", "regression"]:
    """Infer the kind of task as AutoGluon 1.x documents it; this is a re-implementation.

    Two values are binary. Whole numbers are classes when there are at most 1,000 of them and they are
    few for the rows: at most a share of 0.05 beyond 1,000 rows, of 0.1 else. Everything else is regression.

    Args:
        target: (m,) training targets.
    """
    distinct, rows = len(torch.unique(target)), len(target)
    if distinct == 2:
        return "binary"
    few = distinct <= 1000 and distinct / rows <= (0.05 if rows > 1000 else 0.1)
    whole = not target.is_floating_point() or bool((target == target.round()).all())
    return "multiclass" if few and whole else "regression"


def _peer_use(kind: str, question: Question) -> tuple[Use, Outputs]:
    """Return the usual loss of a kind, started and served as usual: a label for what wants no probability."""
    if kind == "regression":
        return Use(loss="MSELoss", serve="mean"), 1
    if kind == "binary":
        return Use(loss="BCEWithLogitsLoss", serve="probability"), 1
    serves_label = question.metric in _LABELS
    return Use(loss="CrossEntropyLoss", serve="argmax" if serves_label else "probability"), "classes"


_RARE, _FAR_SHARE, _FAR = 0.2, 0.01, 3.0


def _guide_use(question: Question) -> tuple[Use, Outputs]:
    """Return what a guide to losses says of the data alone: outliers, counts, imbalance."""
    if question.kind != "number":
        return _guide_classes(question)
    target = question.target
    if bool((target >= 0).all()) and bool((target == target.round()).all()):
        return Use(loss="PoissonNLLLoss", link="exp", output_bias="link_mean", serve="mean"), 1
    low, high = target.double().quantile(0.25), target.double().quantile(0.75)
    far = ((target < low - _FAR * (high - low)) | (target > high + _FAR * (high - low))).double().mean()
    if float(far) > _FAR_SHARE:
        return Use(loss="HuberLoss", params={"delta": "$target.iqr"}, output_bias="median", serve="mean"), 1
    return Use(loss="MSELoss", serve="mean"), 1


def _guide_classes(question: Question) -> tuple[Use, Outputs]:
    balance = profile(question.target).target.class_balance
    rare = balance is not None and balance < _RARE
    if question.kind == "binary":
        loss = "SigmoidFocalLoss" if rare else "BCEWithLogitsLoss"
        return Use(loss=loss, link="sigmoid", serve="probability"), 1
    loss = "FocalLoss" if rare else "CrossEntropyLoss"
    return Use(loss=loss, link="softmax", serve="probability"), "classes"
