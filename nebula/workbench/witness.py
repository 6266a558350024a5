"""A profile that would exercise what no case does: a case's facts with one or two of them changed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from nebula.policy.compiled import ComparisonOutcome, CompiledPolicy
from nebula.policy.engine import NativeEngine
from nebula.profiling.vocabulary import Fact, FactValue, vocabulary
from nebula.workbench.coverage import Coverage, Seen, Target, observe

__all__ = ["Change", "Witness", "changes_of", "find_witnesses", "neighbours"]

Change = tuple[str, FactValue]

_BUDGET = 20_000


@dataclass(frozen=True)
class Witness:
    """A case and the changes to its facts that exercise something new.

    Attributes:
        case: Name of the case.
        changes: Facts and their new values; None is unknown.
    """

    case: str
    changes: tuple[Change, ...]


def find_witnesses(coverage: Coverage, *, budget: int = _BUDGET) -> dict[Target, Witness]:
    """Search for a profile for everything that is not covered.

    Each fact that a comparison reads is set, in every case's facts, to values below, at and above
    the constant, to each of its choices, and to unknown; then pairs of such changes are drawn.

    Args:
        coverage: What is covered.
        budget: Most profiles evaluated.

    Returns:
        A witness for each target where one was found.
    """
    missing = set(coverage.missing())
    found: dict[Target, Witness] = {}
    starts = coverage.starts or (Seen("no case", {}),)
    for start, changes, facts in neighbours(starts, changes_of(coverage.compiled), budget):
        if not missing:
            break
        for target in observe(coverage.compiled, facts) & missing:
            found[target] = Witness(start.name, changes)
            missing.discard(target)
    return found


def neighbours(
    starts: Iterable[Seen], changes: tuple[Change, ...], budget: int
) -> Iterator[tuple[Seen, tuple[Change, ...], dict[str, FactValue]]]:
    """Yield profiles near those given: first one change each, then random pairs, at most `budget`.

    Args:
        starts: Facts to start from.
        changes: Single changes.
        budget: Most profiles yielded.
    """
    cases = tuple(starts)
    draw = random.Random(0)  # noqa: S311 - the same witnesses in every run
    single = [(start, (change,)) for change in changes for start in cases]
    pairs = (
        (draw.choice(cases), (draw.choice(changes), draw.choice(changes))) for _ in range(budget if changes else 0)
    )
    for _, (start, made) in zip(range(budget), chain(single, pairs), strict=False):
        yield start, made, {**start.facts, **dict(made)}


def changes_of(compiled: CompiledPolicy) -> tuple[Change, ...]:
    """Return the single changes that can turn a comparison of the policy over.

    Args:
        compiled: The policy.
    """
    evaluation = compiled.evaluate({}, NativeEngine())
    found: dict[str, Change] = {}
    for rule in (*evaluation.derive, *evaluation.select):
        for comparison in rule.comparisons:
            for name, _ in comparison.values:
                if name in vocabulary():
                    for value in _values(comparison, vocabulary()[name], compiled.parameters):
                        found.setdefault(f"{name}={value!r}", (name, value))
    return tuple(found.values())


def _values(comparison: ComparisonOutcome, fact: Fact, parameters: Mapping[str, object]) -> Iterator[FactValue]:
    yield None
    if fact.kind == "bool":
        yield from (True, False)
    elif fact.kind == "str":
        yield from fact.choices or ("nothing-in-particular", *_quoted(comparison.text))
    elif fact.kind in ("int", "float"):
        edges = [comparison.threshold] if comparison.threshold is not None else [0.0, 1.0]
        edges += [float(v) for n, v in comparison.values if n in parameters and isinstance(v, int | float)]
        yield from (value for edge in edges for value in _around(edge, fact))


def _quoted(text: str) -> list[str]:
    return text.replace("'", '"').split('"')[1::2][:2]


def _around(edge: float, fact: Fact) -> Iterator[FactValue]:
    steps = (
        edge - max(1.0, abs(edge)),
        edge - 0.1 * abs(edge),
        edge,
        edge + 0.1 * abs(edge),
        edge + max(1.0, abs(edge)),
    )
    for step in steps:
        value = float(round(step)) if fact.kind == "int" else step
        if fact.admits(value) and math.isfinite(value):
            yield int(value) if fact.kind == "int" else value
