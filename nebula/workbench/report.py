"""A failing case in words: expected against got, the values given, and the nearest miss."""

from __future__ import annotations

from collections.abc import Iterator

from nebula.decision.explain import show_value
from nebula.decision.record import record_rules
from nebula.decision.trace import ComparisonTrace, RuleTrace
from nebula.profiling.vocabulary import facts_of
from nebula.workbench.run import Result

__all__ = ["describe_failure", "nearest_miss"]


def describe_failure(result: Result) -> Iterator[str]:
    """Yield the lines of a failing case: where it stands, what differs, what it saw, what was missed.

    Args:
        result: A case that did not pass.
    """
    case = result.case
    yield f"FAILED {case.file}:{case.line}: {case.name}"
    for difference in result.differences:
        yield f"  {difference.what}: expected {difference.expected}, got {difference.got}"
    facts = facts_of(case.profile)
    given = [f"{name} = {show_value(v)}" for name, v in facts.items() if v is not None and name != "evidence.complete"]
    given += [f"{name} = {show_value(value)}" for name, value in case.parameters.items()]
    yield f"  given: {', '.join(given) or 'nothing'}"
    for index, line in enumerate(nearest_miss(result)):
        yield f"  nearest miss: {line}" if index == 0 else f"    {line}"


def nearest_miss(result: Result) -> Iterator[str]:
    """Yield why the rule that was meant did not decide: its comparisons that failed, with their distance.

    The rule is the expected one, else the one with the fewest failing comparisons among those that
    name the expected loss; for an expected task it is the derive rule nearest to setting it.

    Args:
        result: A case that did not pass.
    """
    facts = facts_of(result.case.profile)
    evaluation = result.policy.compiled.evaluate(facts)
    rules = record_rules(result.policy.compiled, evaluation)
    wanted = _wanted(result, rules)
    if not wanted:
        return
    rule = min(wanted, key=lambda rule: (rule.verdict not in ("fired", "also true"), len(_failing(rule))))
    if rule.verdict == "also true":
        winner = next(other.id for other in rules if other.kind == rule.kind and other.verdict == "fired")
        yield f"rule `{rule.id}` holds too, but `{winner}` stands before it"
    elif rule.verdict != "fired":
        yield f"rule `{rule.id}` is {rule.verdict}: {rule.condition}"
        yield from (_comparison(comparison) for comparison in _failing(rule))


def _wanted(result: Result, rules: tuple[RuleTrace, ...]) -> list[RuleTrace]:
    """Return the rules that would have brought what was expected, the most specific expectation first."""
    expect = result.case.expect
    if any(difference.what == "task" for difference in result.differences):
        setting = {rule.id for rule in result.policy.compiled.file.derive if rule.set.get("task") == expect.task}
        return [rule for rule in rules if rule.kind == "derive" and rule.id in setting]
    if expect.rule is not None:
        return [rule for rule in rules if rule.kind == "select" and rule.id == expect.rule]
    return [rule for rule in rules if expect.loss is not None and rule.loss == expect.loss]


def _failing(rule: RuleTrace) -> tuple[ComparisonTrace, ...]:
    """Return what stood in the way: of an unknown condition only what is unknown."""
    failing = tuple(comparison for comparison in rule.comparisons if comparison.outcome != "true")
    unknown = tuple(comparison for comparison in failing if comparison.outcome == "unknown")
    return unknown if rule.verdict == "unknown" else failing


def _comparison(comparison: ComparisonTrace) -> str:
    seen = ", ".join(f"{name} = {show_value(value)}" for name, value in comparison.values.items())
    far = f"; {comparison.distance:.3g} away" if comparison.distance is not None else ""
    return f"{comparison.text} is {comparison.outcome} [{seen}{far}]"
