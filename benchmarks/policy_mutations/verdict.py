"""What becomes of a mutant: the policy's own cases are run on it until one fails; the solver judges what is left."""

from __future__ import annotations

import json
from dataclasses import dataclass

from benchmarks.policy_mutations.mutants import Mutant
from nebula.decision.policy import Policy
from nebula.errors import PolicyError
from nebula.policy.engine import NativeEngine
from nebula.policy.loader import loads
from nebula.profiling.vocabulary import facts_of
from nebula.proof.difference import Differences, find_differences
from nebula.workbench.case_reader import Suite
from nebula.workbench.coverage import Seen
from nebula.workbench.run import run_case
from nebula.workbench.witness import changes_of, neighbours

__all__ = ["Verdict", "judge"]

SEARCHED = 6_000
"""How many neighbours of the cases are tried before the solver is asked."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        kind: As the mutant's.
        where: As the mutant's.
        change: As the mutant's.
        outcome: killed, refused (it does not load), equivalent (proven), or survived.
        by: The case that failed, the loader's message, or the proof, by form or by the solver.
        witness: For a survivor, a profile that tells it from the original: a case and changed facts.
    """

    kind: str
    where: str
    change: str
    outcome: str
    by: str | None
    witness: str | None


def judge(mutant: Mutant, suite: Suite, original: Policy) -> Verdict:
    """Run a suite on a mutant until a case fails; look for a witness when none does."""

    def verdict(outcome: str, by: str | None, witness: str | None = None) -> Verdict:
        return Verdict(mutant.kind, mutant.where, mutant.change, outcome, by, witness)

    text, made = json.dumps(mutant.document), {}
    for case in suite.cases:
        key = tuple(sorted(case.parameters.items()))
        try:
            made[key] = made.get(key) or Policy(loads(text, parameters=dict(case.parameters)))
        except PolicyError as error:
            return verdict("refused", error.problems[0].message)
        if not run_case(made[key], case).passed:
            return verdict("killed", case.name)
    if mutant.proof:
        return verdict("equivalent", mutant.proof)
    mutated = Policy(loads(text))
    if (witness := _witness(mutated, original, suite)) is not None:
        return verdict("survived", None, witness)
    found = find_differences(original.compiled, mutated.compiled)
    if not (found.changes or found.undone):
        return verdict("equivalent", "the solver: every profile gets the same loss with the same settings")
    return verdict("survived", None, _told(found))


def _told(found: Differences) -> str | None:
    """Say on which facts the solver sees another choice; None where only rounding undoes what it sees."""
    if not found.changes:
        return None
    change, changed = found.changes[0], ", ".join(f"{name} = {value}" for name, value in found.changes[0].facts.items())
    return f"{changed}: {change.old_rule} {change.old_loss} against {change.new_rule} {change.new_loss}"


def _witness(mutated: Policy, original: Policy, suite: Suite) -> str | None:
    starts = [Seen(case.name, facts_of(case.profile)) for case in suite.cases]
    engine = NativeEngine()
    for start, changes, facts in neighbours(starts, changes_of(original.compiled), SEARCHED):
        one, other = (policy.compiled.evaluate(facts, engine) for policy in (original, mutated))
        if (one.fired[:1], one.derived) != (other.fired[:1], other.derived):
            made = ", ".join(f"{name} = {value}" for name, value in changes)
            return f"{start.name}, with {made}: {one.fired[:1]} {one.derived} against {other.fired[:1]} {other.derived}"
    return None
