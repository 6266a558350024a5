"""Profiles on which two policies choose differently, found by proof instead of by trying."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from nebula.policy.compiled import CompiledPolicy
from nebula.policy.model import SelectRule, Use
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import FactValue, facts_of
from nebula.proof.corpus import Change
from nebula.smt.encoding import EncodedPolicy
from nebula.smt.oracle import Oracle
from nebula.smt.solver import z3
from nebula.smt.witness import essential_facts, read_profile

__all__ = ["Differences", "Undone", "find_differences"]

Facts = Mapping[str, FactValue]

Choice = tuple[str | None, str]
"""The loss, and all of a choice as text; no loss is (None, "")."""


class Undone(BaseModel):
    """A change that the solver sees among real numbers, and the engine does not once they are rounded."""

    model_config = ConfigDict(frozen=True)

    old_loss: str | None
    new_loss: str | None
    fired: tuple[str | None, str | None] = Field(description="The rules that the engine fires on the example instead.")
    example: DataProfile = Field(description="The solver's profile, its numbers rounded to floats.")


class Differences(NamedTuple):
    """What the solver found.

    Attributes:
        changes: Confirmed by the engine.
        undone: Not confirmed; of these pairs of losses no further profile was looked for.
    """

    changes: tuple[Change, ...]
    undone: tuple[Undone, ...]


def find_differences(
    old: CompiledPolicy, new: CompiledPolicy, known: Iterable[tuple[str | None, str | None]] = ()
) -> Differences:
    """Return one profile for each pair of losses, or of settings, between which a decision can change.

    Choices are compared as rules write them: loss, parameters, link, output bias and serving. Nothing
    returned means that the policies choose alike on every profile that data can have; two profiles
    that only rounding inside a condition tells apart are left out of account.

    Args:
        old: One policy.
        new: The other.
        known: (old loss, new loss) that need no further witness.
    """
    oracle = Oracle()
    before, after = oracle.learn(old), oracle.learn(new)
    was, now = _choices(before), _choices(after)
    found: list[Change] = []
    undone: list[Undone] = []
    shown = set(known)
    asked: list[Any] = [z3.Not(z3.And(was[a], now[b])) for a in was for b in now if a == b or (a[0], b[0]) in shown]
    while (model := oracle.find(*asked, about="a difference", rounded=True)) is not None:
        a = next(choice for choice in was if z3.is_true(model.eval(was[choice], model_completion=True)))
        b = next(choice for choice in now if z3.is_true(model.eval(now[choice], model_completion=True)))
        seen = _seen(old, new, a, b, read_profile(model, oracle.facts))
        if isinstance(seen, Undone):
            undone.append(seen)
        else:
            found.append(seen)
        alike = [(x, y) for x in was for y in now if (x[0], y[0]) == (a[0], b[0])]
        asked += [z3.Not(z3.And(was[x], now[y])) for x, y in alike]
    return Differences(tuple(found), tuple(undone))


def _choices(encoded: EncodedPolicy) -> dict[Choice, Any]:
    """Group the rules by what they choose: when each choice is made."""
    policy = encoded.policy
    grouped: dict[Choice, list[Any]] = {}
    for rule, first in zip(policy.file.select, encoded.first, strict=True):
        grouped.setdefault(_choice(policy, _use(policy, rule)), []).append(first)
    otherwise = policy.file.otherwise.use if policy.file.otherwise else None
    nothing = z3.And([z3.Not(holds) for holds in encoded.holds[len(policy.file.derive) :]])
    grouped.setdefault(_choice(policy, otherwise), []).append(nothing)
    return {choice: z3.Or(when) for choice, when in grouped.items()}


def _choice(policy: CompiledPolicy, use: Use | None) -> Choice:
    if use is None:
        return None, ""

    def value(found: Any) -> Any:
        if isinstance(found, str) and found.startswith("$") and found[1:] in policy.parameters:
            return policy.parameters[found[1:]]
        return {key: value(inner) for key, inner in found.items()} if isinstance(found, dict) else found

    return use.loss, json.dumps(value(use.model_dump(mode="json")), sort_keys=True)


def _seen(old: CompiledPolicy, new: CompiledPolicy, was: Choice, now: Choice, profile: DataProfile) -> Change | Undone:
    """Put the solver's profile to the real engine."""

    def still(facts: Facts) -> bool:
        return _chosen(old, facts)[1] == was and _chosen(new, facts)[1] == now

    facts = facts_of(profile)
    fired = (_chosen(old, facts)[0], _chosen(new, facts)[0])
    if not still(facts):
        return Undone(old_loss=was[0], new_loss=now[0], fired=fired, example=profile)
    return Change(
        what="loss" if was[0] != now[0] else "settings",
        old_rule=fired[0],
        new_rule=fired[1],
        old_loss=was[0],
        new_loss=now[0],
        count=0,
        example=profile,
        facts=essential_facts(profile, still),
        place="solver",
    )


def _chosen(policy: CompiledPolicy, facts: Facts) -> tuple[str | None, Choice]:
    """Return the rule that decides and its choice, by the real engine."""
    fired = policy.outcome_only(facts)
    if not fired:
        return None, _choice(policy, policy.file.otherwise.use if policy.file.otherwise else None)
    return fired[0], _choice(policy, _use(policy, policy.rule(fired[0])))


def _use(policy: CompiledPolicy, rule: SelectRule) -> Use | None:
    refused = rule.ambiguous is not None and policy.file.on_ambiguous == "refuse"
    return None if refused else rule.use
