"""What cases exercise of a policy: rules that decided, and outcomes of every comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from nebula.policy.compiled import CompiledPolicy, Evaluation
from nebula.policy.engine import NativeEngine
from nebula.policy.expression.evaluate import Outcome
from nebula.policy.model import PolicyFile
from nebula.profiling.vocabulary import FactValue, facts_of, vocabulary
from nebula.workbench.case_reader import Suite
from nebula.workbench.run import policy_of

__all__ = ["Coverage", "Seen", "Target", "measure", "observe", "targets_of"]

OUTCOMES: tuple[Outcome, ...] = ("true", "false", "unknown")


@dataclass(frozen=True, order=True)
class Target:
    """One thing that cases can exercise.

    Attributes:
        kind: A derive rule that sets its names, a select rule that decides, or a comparison.
        name: The rule's id, or the comparison as written.
        outcome: For a comparison, the outcome; else empty.
    """

    kind: Literal["derive", "select", "comparison"]
    name: str
    outcome: str = ""

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.name} is {self.outcome}" if self.outcome else f"{self.kind} rule {self.name}"


@dataclass(frozen=True)
class Seen:
    """The facts of one case, as a start for the search for witnesses."""

    name: str
    facts: Mapping[str, FactValue]


@dataclass(frozen=True)
class Coverage:
    """How much of a policy the cases exercise.

    Attributes:
        policy: Name and version.
        cases: How many cases there are.
        targets: Everything that can be exercised, rules first.
        covered: What the cases exercise.
        starts: The facts of every case.
        compiled: The policy with its own parameters.
    """

    policy: str
    cases: int
    targets: tuple[Target, ...]
    covered: frozenset[Target]
    starts: tuple[Seen, ...]
    compiled: CompiledPolicy

    def missing(self) -> tuple[Target, ...]:
        """Return what no case exercises, in policy order."""
        return tuple(target for target in self.targets if target not in self.covered)

    def share(self, *, rules: bool) -> float:
        """Return the covered share in percent: of rules, or of comparison outcomes."""
        wanted = [target for target in self.targets if (target.kind != "comparison") is rules]
        return 100.0 * sum(target in self.covered for target in wanted) / len(wanted) if wanted else 100.0


def measure(suites: Iterable[Suite]) -> tuple[Coverage, ...]:
    """Evaluate every case and note what it exercises; suites of one policy count together.

    Args:
        suites: Suites, read.

    Returns:
        One coverage per policy, in the order the policies first occur.

    Raises:
        PolicyError: A policy cannot be used.
    """
    grouped: dict[str, list[Suite]] = {}
    for suite in suites:
        grouped.setdefault(policy_of(suite)({}).digest, []).append(suite)
    return tuple(_measure(group) for group in grouped.values())


def _measure(suites: list[Suite]) -> Coverage:
    policy = policy_of(suites[0])
    covered: set[Target] = set()
    starts: list[Seen] = []
    for suite in suites:
        for case in suite.cases:
            facts = facts_of(case.profile)
            starts.append(Seen(case.name, facts))
            covered |= observe(policy(case.parameters).compiled, facts)
    own = policy({})
    targets = targets_of(own.compiled)
    return Coverage(
        f"{own.name} {own.version}",
        len(starts),
        targets,
        frozenset(covered & set(targets)),
        tuple(starts),
        own.compiled,
    )


def observe(compiled: CompiledPolicy, facts: Mapping[str, FactValue]) -> set[Target]:
    """Return what one profile exercises.

    Args:
        compiled: The policy.
        facts: Values by dotted name.
    """
    evaluation = compiled.evaluate(facts, NativeEngine())
    seen = {
        Target("comparison", comparison.text, comparison.outcome)
        for rule in (*evaluation.derive, *evaluation.select)
        for comparison in rule.comparisons
    }
    seen |= {Target("derive", rule.id) for rule in evaluation.derive if rule.applied}
    return seen | {Target("select", rule) for rule in evaluation.fired[:1]}


def targets_of(compiled: CompiledPolicy) -> tuple[Target, ...]:
    """Return everything of a policy that some profile could exercise; impossible outcomes are left out.

    Args:
        compiled: The policy.
    """
    file = compiled.file
    rules = (*(Target("derive", rule.id) for rule in file.derive), *(Target("select", rule.id) for rule in file.select))
    evaluation = compiled.evaluate({}, NativeEngine())
    possible = _possible(evaluation, file)
    return (*rules, *(Target("comparison", text, outcome) for text, found in possible.items() for outcome in found))


def _possible(evaluation: Evaluation, file: PolicyFile) -> dict[str, tuple[Outcome, ...]]:
    """Return each comparison with the outcomes that the facts' own bounds leave open."""
    found: dict[str, tuple[Outcome, ...]] = {}
    for rule in (*evaluation.derive, *evaluation.select):
        for comparison in rule.comparisons:
            never: set[Outcome] = set()
            reads = [name for name, _ in comparison.values if name not in file.parameters]
            if not reads:
                never = set(OUTCOMES) - {comparison.outcome}
            elif comparison.outcome != "unknown":  # on no facts at all only `known(x)` has a value
                never = {"unknown"}
            elif comparison.fact is not None and comparison.threshold is not None:
                never = _out_of_bounds(comparison.text, comparison.fact, comparison.threshold)
            found[comparison.text] = tuple(outcome for outcome in OUTCOMES if outcome not in never)
    return found


def _out_of_bounds(text: str, name: str, threshold: float) -> set[Outcome]:
    """Say which outcome `fact < constant` cannot have, because the fact's range ends before it."""
    fact = vocabulary()[name]
    operator = next((op for op in ("<=", ">=", "==", "!=", "<", ">") if f" {op} " in text), "")
    if not text.startswith(name) or not operator:
        return set()
    at_low, at_high = fact.low == threshold, fact.high == threshold
    below = fact.high is not None and (fact.high < threshold or (at_high and fact.high_open))
    above = fact.low is not None and (fact.low > threshold or (at_low and fact.low_open))
    always: dict[str, bool] = {
        "<": below,
        "<=": below or at_high,
        ">": above,
        ">=": above or at_low,
        "!=": below or above,
        "==": False,
    }
    never: dict[str, bool] = {
        "<": above or at_low,
        "<=": above,
        ">": below or at_high,
        ">=": below,
        "==": below or above,
        "!=": False,
    }
    return {"false"} if always[operator] else {"true"} if never[operator] else set()
