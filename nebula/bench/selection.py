"""The selection benchmark: ask for a loss in three ways, judge each answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, get_args

import torch
from pydantic import BaseModel, ConfigDict, Field

from nebula.bench.packages import load_table
from nebula.bench.target import Target, make_target
from nebula.bench.task import Task
from nebula.bench.verdict import Verdict, judge
from nebula.decision.policy import Policy
from nebula.errors import NebulaError
from nebula.profiling.hints import parse_hints
from nebula.profiling.prediction import PredictionSpec
from nebula.selection import decide

__all__ = ["Answer", "Way", "ask", "count", "targets_of"]

Way = Literal["target", "shape", "named"]
"""`target`: the target alone; `shape`: the model's outputs too; `named`: the column's name too."""


class Answer(BaseModel):
    """One answer of a selector with its verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    family: str
    way: Way
    said: str = Field(description="The loss, `(weight)` with class weights; the status or the error without one.")
    rule: str | None = Field(description="The rule that decided.")
    verdict: Verdict


def targets_of(tasks: Iterable[Task]) -> Iterator[tuple[Task, Target]]:
    """Yield each task with its target, one at a time."""
    for task in tasks:
        table, column = load_table(task)
        yield task, make_target(task, table, column)


def ask(
    policy: Policy, tasks: Iterable[tuple[Task, Target]], advance: Callable[[], None] | None = None
) -> list[Answer]:
    """Ask a policy about every target in every way.

    Args:
        policy: The loaded policy.
        tasks: Tasks with their targets.
        advance: Called after every task, for a progress bar.

    Returns:
        Three answers a task.
    """
    answers = []
    for task, target in tasks:
        answers += [_answer(policy, task, target, way) for way in get_args(Way)]
        if advance is not None:
            advance()
    return answers


def _answer(policy: Policy, task: Task, target: Target, way: Way) -> Answer:
    given: dict[str, Any] = {}
    declared: dict[str, Any] | None = None
    if way != "target":
        given["prediction"] = PredictionSpec(shape=(None, target.outputs))
    if way == "named":
        given["name"] = target.name
        declared = {"task": "survival"} if task.event is not None else None
    rule: str | None = None
    try:
        decision = decide(policy, torch.from_numpy(target.values), hints=parse_hints(declared), **given)
        rule = decision.rule_id
    except NebulaError as error:
        said, verdict = f"{type(error).__name__}: {error}"[:120], "error"
    else:
        said, verdict = _judge(task, decision)
    return Answer(task=task.id, family=task.family, way=way, said=said, rule=rule, verdict=verdict)


def _judge(task: Task, decision: Any) -> tuple[str, Verdict]:
    if decision.spec is None:
        return decision.status, "ambiguous"
    weighted = any(decision.spec.params.get(name) is not None for name in ("weight", "pos_weight"))
    loss = decision.spec.loss
    return f"{loss}(weight)" if weighted else loss, judge(task.labels, loss, weighted=weighted)


def count(answers: Iterable[Answer]) -> dict[Way, Counter[Verdict]]:
    """Count the verdicts of each way."""
    counted: dict[Way, Counter[Verdict]] = {way: Counter() for way in get_args(Way)}
    for answer in answers:
        counted[answer.way][answer.verdict] += 1
    return counted
