"""Rules that cannot matter, names that nothing uses, and terms written twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from nebula.policy.expression.syntax import And, Compare, Condition, HasWord, Literal, Or
from nebula.policy.model import DeriveRule, PolicyFile, SelectRule, ServeChoice, Use
from nebula.policy.range_findings import Finding
from nebula.policy.strata import bare_names
from nebula.policy.structure import parts_of, structure

__all__ = ["EntryFinding", "find_idle_rules", "find_repeats", "find_unused"]

Conditions = Mapping[tuple[str, str], Condition]
Rule = DeriveRule | SelectRule


class EntryFinding(NamedTuple):
    """Something about a whole entry of the policy.

    Attributes:
        code: Stable name of the kind of finding.
        message: What was found.
        hint: What to do.
        entry: Section, and name or id.
    """

    code: str
    message: str
    hint: str
    entry: tuple[str, str]


def find_idle_rules(file: PolicyFile, conditions: Conditions) -> Iterator[EntryFinding]:
    """Yield rules that an earlier rule always comes before.

    A derived name keeps the value of the first rule that sets it, so derive rules are compared by
    the names they set. Select rules are compared only where the first one that fires decides.

    Args:
        file: The resolved policy.
        conditions: The trees of its conditions; a rule without one is passed over.
    """
    yield from _idle("derive", file.derive, conditions)
    if file.hit_policy in (None, "first"):
        yield from _idle("select", file.select, conditions)


def _idle(section: str, rules: Sequence[Rule], conditions: Conditions) -> Iterator[EntryFinding]:
    seen: dict[object, Rule] = {}
    always: list[Rule] = []
    for rule in rules:
        condition = conditions.get((section, rule.id))
        if condition is None:
            continue
        key = (structure(condition), rule.on_unknown)
        first = next((other for other in always if _covers(other, rule)), None)
        if first is not None:
            message = f"rule `{rule.id}` is never reached: the condition of `{first.id}` before it is `true`."
            yield EntryFinding("NEB-P105", message, f"Move `{first.id}` after it, or leave it out.", (section, rule.id))
        elif key in seen and _covers(seen[key], rule):
            message = f"rule `{rule.id}` has the very condition of `{seen[key].id}` before it, which always wins."
            yield EntryFinding("NEB-P106", message, "Mend one of the two conditions.", (section, rule.id))
        seen.setdefault(key, rule)
        if isinstance(condition, Literal) and condition.value is True:
            always.append(rule)


def _covers(earlier: Rule, later: Rule) -> bool:
    if isinstance(earlier, DeriveRule) and isinstance(later, DeriveRule):
        return set(later.set) <= set(earlier.set)
    return True


def find_unused(file: PolicyFile, conditions: Conditions) -> Iterator[EntryFinding]:
    """Yield definitions and parameters that no rule reads, not even through other definitions.

    Args:
        file: The resolved policy.
        conditions: The trees of its conditions.
    """
    used = set(_referred(file))
    waiting = [
        name for (section, _), tree in conditions.items() if section != "definitions" for name in bare_names(tree)
    ]
    while waiting:
        name = waiting.pop()
        if name not in used and ("definitions", name) in conditions:
            waiting.extend(bare_names(conditions["definitions", name]))
        used.add(name)
    for name in file.definitions:
        if name not in used:
            hint = "Leave it out, or use it in a rule."
            yield EntryFinding("NEB-P107", f"no rule reads the definition `{name}`.", hint, ("definitions", name))
    for name in file.parameters:
        if name not in used:
            hint = "Leave it out, or use it in a rule."
            yield EntryFinding("NEB-P108", f"no rule reads the parameter `{name}`.", hint, ("parameters", name))


def _referred(file: PolicyFile) -> Iterator[str]:
    """Yield the names of all `$references`."""
    values: list[object] = [value for rule in file.derive for value in rule.set.values()]
    for use in _uses(file):
        values += [use.weight, *use.params.values()]
        for term in use.compose:
            values += [term.weight, *term.params.values()]
        if isinstance(use.serve, ServeChoice):
            values += [use.serve.threshold, use.serve.quantile]
    yield from (value[1:] for value in values if isinstance(value, str) and value.startswith("$"))


def _uses(file: PolicyFile) -> Iterator[Use]:
    yield from (rule.use for rule in file.select if rule.use is not None)
    if file.otherwise is not None and file.otherwise.use is not None:
        yield file.otherwise.use


def find_repeats(condition: Condition) -> Iterator[Finding]:
    """Yield the parts of `and`, `or`, lists and words that were written before in the same place.

    Args:
        condition: A checked tree.
    """
    for node in parts_of(condition):
        match node:
            case And(parts) | Or(parts):
                for part in _again(parts):
                    yield _repeat(part.span.text, part)
            case Compare(_, _, tuple() as elements):
                for element in _again(elements):
                    yield Finding("NEB-P109", f"`{element.span.text}` stands in the list twice.", _ONCE, element.span)
            case HasWord(_, words):
                folded = [word.casefold() for word in words]
                for word in dict.fromkeys(word for word in folded if folded.count(word) > 1):
                    yield Finding("NEB-P109", f'`"{word}"` stands among the words twice.', _ONCE, node.span)


_ONCE = "Write it once."


def _repeat(text: str, part: Condition) -> Finding:
    return Finding("NEB-P109", f"`{text}` stands beside itself.", _ONCE, part.span)


def _again(nodes: Iterable[Condition]) -> Iterator[Condition]:
    seen = set()
    for node in nodes:
        key = structure(node)
        if key in seen:
            yield node
        seen.add(key)
