"""Wrong policies: every single change of a threshold, operator, connective, order or loss."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.policy_mutations.conditions import conditions_near, nudged
from benchmarks.policy_mutations.document import Document, at, conditions
from benchmarks.policy_mutations.equivalence import same_either_way, unread

__all__ = ["Mutant", "mutants_of"]


@dataclass(frozen=True)
class Mutant:
    """One wrong policy.

    Attributes:
        kind: threshold, operator, connective, order or loss.
        where: The rule, definition or parameter that was changed.
        change: Before and after.
        document: The policy.
        proof: Why no profile can tell it from the original, where that follows from its form.
    """

    kind: str
    where: str
    change: str
    document: Document
    proof: str | None = None


def mutants_of(document: Document) -> Iterator[Mutant]:
    """Yield every single mutation of a resolved policy."""
    for name, value in document.get("parameters", {}).items():
        for changed in nudged(value):
            yield _mutant(
                document, "threshold", f"parameter {name}", f"{value} -> {changed}", ["parameters", name], changed
            )
    for where, path in conditions(document):
        for kind, change, text in conditions_near(at(document, path)):
            proof = unread(document, path[1]) if path[0] == "definitions" else None
            yield _mutant(document, kind, where, change, path, text, proof)
    for section in ("derive", "select"):
        rules = document.get(section, [])
        for index in range(len(rules) - 1):
            first, second = rules[index], rules[index + 1]
            swapped = [*rules[:index], second, first, *rules[index + 2 :]]
            change = f"{first['id']} <-> {second['id']}"
            yield Mutant(
                "order",
                section,
                change,
                {**document, section: swapped},
                same_either_way(first, second, document.get("definitions", {})),
            )
    for index, rule in enumerate(document["select"]):
        if "use" in rule:
            old = rule["use"]["loss"]
            new = "L1Loss" if old == "MSELoss" else "MSELoss"
            changed = {name: value for name, value in rule["use"].items() if name != "params"} | {"loss": new}
            yield _mutant(document, "loss", f"rule {rule['id']}", f"{old} -> {new}", ["select", index, "use"], changed)


def _mutant(
    document: Document, kind: str, where: str, change: str, path: list[Any], value: Any, proof: str | None = None
) -> Mutant:
    mutated = copy.deepcopy(document)
    at(mutated, path[:-1])[path[-1]] = value
    return Mutant(kind, where, change, mutated, proof)
