"""Everything that is wrong with a policy file, and everything that is probably not meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nebula.errors import PolicyError, Problem
from nebula.policy.checks import Checked, check_policy
from nebula.policy.contradictions import find_contradictions
from nebula.policy.files import find_policy
from nebula.policy.inheritance import Resolved, resolve
from nebula.policy.parameters import override_parameters
from nebula.policy.range_findings import Finding, find_settled
from nebula.policy.rule_findings import EntryFinding, find_idle_rules, find_repeats, find_unused
from nebula.policy.term_ranges import Terms
from nebula.profiling.vocabulary import vocabulary

__all__ = ["lint_policy"]


def lint_policy(source: str | Path, *, parameters: Mapping[str, Any] | None = None) -> tuple[Problem, ...]:
    """Check a policy without running it.

    An error keeps the policy from loading. When there is none, the conditions are searched for what
    loads but is probably not meant, by the bounds of the facts alone: such findings are warnings.

    Args:
        source: A path, or the name of a shipped policy.
        parameters: Values that replace the policy's parameters.

    Returns:
        Every problem, in file order.
    """
    try:
        resolved = resolve(find_policy(source))
        checked = check_policy(resolved, override_parameters(resolved, parameters))
    except PolicyError as error:
        return error.problems
    if checked is None or resolved.problems:
        return tuple(sorted(dict.fromkeys(resolved.problems)))
    return tuple(sorted(dict.fromkeys(_warnings(resolved, checked))))


def _warnings(resolved: Resolved, checked: Checked) -> Iterator[Problem]:
    for entry in checked.conditions:
        for finding in _in_condition(checked, entry):
            yield _at_span(resolved, entry, finding)
    for idle in find_idle_rules(checked.file, checked.conditions):
        yield _at_entry(resolved, idle, "when")
    for unused in find_unused(checked.file, checked.conditions):
        # An inherited name may serve other policies.
        if resolved.origins[unused.entry].source is resolved.source:
            yield _at_entry(resolved, unused)


def _in_condition(checked: Checked, entry: tuple[str, str]) -> Iterator[Finding]:
    terms = Terms(vocabulary(), checked.names)
    condition = checked.conditions[entry]
    definitions = {name: tree for (section, name), tree in checked.conditions.items() if section == "definitions"}
    yield from find_settled(condition, terms)
    yield from find_repeats(condition)
    for found in find_contradictions(condition, definitions, terms):
        beside = " and ".join(f"`{text}`" for text in found.earlier)
        message = f"`{found.text}` contradicts {beside}: no `{found.name}` makes both true."
        yield Finding("NEB-P103", message, "Mend one of them, or join them with `or`.", found.span)


def _at_span(resolved: Resolved, entry: tuple[str, str], finding: Finding) -> Problem:
    section, name = entry
    prefix = f"definition `{name}`: " if section == "definitions" else f"rule `{name}`: "
    span = finding.span
    return Problem(
        resolved.origins[entry].source.name,
        span.line,
        span.column,
        prefix + finding.message,
        finding.code,
        finding.hint,
        "warning",
        span.end_column,
    )


def _at_entry(resolved: Resolved, finding: EntryFinding, *below: str) -> Problem:
    origin = resolved.origins[finding.entry]
    problem = origin.problem(finding.message, *below, key=not below, code=finding.code)
    return replace(problem, hint=finding.hint, severity="warning")
