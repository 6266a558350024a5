"""Everything that is wrong with a policy file, and everything that is probably not meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nebula.errors import PolicyError, Problem
from nebula.policy.checks import Readable, check_policy, read_conditions
from nebula.policy.contradictions import find_contradictions
from nebula.policy.files import find_policy
from nebula.policy.inheritance import Resolved, resolve
from nebula.policy.model import Parameter
from nebula.policy.parameters import override_parameters
from nebula.policy.range_findings import Finding, find_settled
from nebula.policy.rule_findings import EntryFinding, find_idle_rules, find_repeats, find_unused
from nebula.policy.term_ranges import Terms
from nebula.policy.unit_findings import find_mixed_units
from nebula.policy.weight_findings import find_lone_schedules
from nebula.profiling.vocabulary import vocabulary

__all__ = ["lint_policy"]


def lint_policy(source: str | Path, *, parameters: Mapping[str, Any] | None = None) -> tuple[Problem, ...]:
    """Check a policy without running it.

    An error keeps the policy from loading. A warning tells what loads but is probably not meant, by
    the bounds and units of the facts alone. Beside errors, the conditions that are sound are searched
    each on its own; names that nothing uses are told only once there is no error.

    Args:
        source: A path, or the name of a shipped policy.
        parameters: Values that replace the policy's parameters.

    Returns:
        Every problem, in file order.
    """
    try:
        resolved = resolve(find_policy(source))
    except PolicyError as error:
        return error.problems
    settings = override_parameters(resolved, parameters)
    checked = check_policy(resolved, settings)
    readable = checked or read_conditions(resolved, settings)
    warnings = _warnings(resolved, readable, whole=checked is not None) if readable else ()
    return tuple(sorted(dict.fromkeys([*resolved.problems, *warnings])))


def _warnings(resolved: Resolved, readable: Readable, *, whole: bool) -> Iterator[Problem]:
    for entry in readable.conditions:
        for finding in _in_condition(readable, entry, whole=whole):
            yield _at_span(resolved, entry, finding)
    for idle in find_idle_rules(readable.file, readable.conditions):
        yield _at_entry(resolved, idle, "when")
    for lone in find_lone_schedules(readable.file):
        yield _at_entry(resolved, lone, "use", "compose", 0, "weight")
    for unused in find_unused(readable.file, readable.conditions) if whole else ():
        # An inherited name may serve other policies.
        if resolved.origins[unused.entry].source is resolved.source:
            yield _at_entry(resolved, unused)


def _in_condition(readable: Readable, entry: tuple[str, str], *, whole: bool) -> Iterator[Finding]:
    units = {name: value.unit for name, value in readable.file.parameters.items() if isinstance(value, Parameter)}
    terms = Terms(vocabulary(), readable.names, {name: unit for name, unit in units.items() if unit})
    condition = readable.conditions[entry]
    # Only a checked policy bounds what its definitions grow to when they are put in.
    named = readable.conditions.items() if whole else ()
    definitions = {name: tree for (section, name), tree in named if section == "definitions"}
    settled = list(find_settled(condition, terms))
    yield from settled
    told = {finding.span for finding in settled}
    yield from (finding for finding in find_mixed_units(condition, terms) if finding.span not in told)
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


def _at_entry(resolved: Resolved, finding: EntryFinding, *below: str | int) -> Problem:
    origin = resolved.origins[finding.entry]
    problem = origin.problem(finding.message, *below, key=not below, code=finding.code)
    return replace(problem, hint=finding.hint, severity="warning")
