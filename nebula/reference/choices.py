"""The rules of the default policy, read backwards: which loss, for which kind of target, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import get_args

from nebula.policy.compiled import CompiledPolicy
from nebula.policy.expression.formula import Any, kleene
from nebula.policy.expression.syntax import Known
from nebula.policy.files import shipped_policies
from nebula.policy.loader import load
from nebula.policy.model import SelectRule, ServeChoice
from nebula.profiling.hints import Task

__all__ = ["TASKS", "Choice", "choices", "default_policy"]

TASKS: tuple[str, ...] = get_args(Task)
"""The kinds of target, as `hints.task` names them."""


@dataclass(frozen=True)
class Choice:
    """One rule that chooses a loss, or asks.

    Attributes:
        rule: Its id.
        when: Its condition as written.
        any_of: Whether the condition as a whole is an `or`.
        tasks: The kinds of target for which it can decide: its condition can hold, and no rule before it always does.
        losses: What it chooses; several in a composite, none where it only asks.
        link: How the raw output becomes the quantity, or empty for the loss's own way.
        output_bias: Where the bias of the last layer starts, or empty.
        serves: What `predict` returns, or empty.
        because: Its reason.
        asks: What it asks where the data cannot tell, or empty.
    """

    rule: str
    when: str
    any_of: bool
    tasks: tuple[str, ...]
    losses: tuple[str, ...]
    link: str
    output_bias: str
    serves: str
    because: str
    asks: str


@cache
def default_policy() -> CompiledPolicy:
    """Return the policy that is used when none is named."""
    return load(next(path for path in shipped_policies() if path.name == "default.yaml"))


@cache
def choices() -> tuple[Choice, ...]:
    """Return the choices of the default policy in the order that they are tried."""
    return tuple(_choices(default_policy()))


def _choices(policy: CompiledPolicy) -> Iterator[Choice]:
    reachable = set(TASKS)
    for number, rule in enumerate(policy.file.select, len(policy.file.derive)):
        outcomes = {task: _outcome(policy, number, task) for task in TASKS if task in reachable}
        yield _choice(policy, rule, number, tuple(task for task, outcome in outcomes.items() if outcome is not False))
        reachable -= {task for task, outcome in outcomes.items() if outcome}


def _choice(policy: CompiledPolicy, rule: SelectRule, number: int, tasks: tuple[str, ...]) -> Choice:
    use = rule.use
    serve = use.serve if use else None
    if isinstance(serve, ServeChoice):
        serve = serve.functional or ("threshold" if serve.threshold is not None else "quantile")
    return Choice(
        rule=rule.id,
        when=policy.text(rule.id),
        any_of=isinstance(policy.plan.rules[number].condition, Any),
        tasks=tasks,
        losses=tuple(part.loss for part in use.parts()) if use else (),
        link=(use.link or "") if use else "",
        output_bias=(use.output_bias or "") if use else "",
        serves=serve or "",
        because=rule.because,
        asks=" ".join(rule.ambiguous.ask.split()) if rule.ambiguous else "",
    )


def _outcome(policy: CompiledPolicy, number: int, task: str) -> bool | None:
    """The condition's value where nothing but the kind of target is known: None when the data decide."""
    plan = policy.plan
    values = [task if name == "task" else None for name in plan.derived] + [None] * len(plan.facts)
    outcomes = [None if isinstance(atom.node, Known) else atom.test(values) for atom in plan.atoms]
    return kleene(plan.rules[number].condition, outcomes)
