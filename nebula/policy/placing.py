"""Where a policy's own rules stand among those that it inherits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from nebula.policy.expression.namespace import did_you_mean
from nebula.policy.model import DeriveRule, SelectRule

__all__ = ["place"]

Rule = TypeVar("Rule", DeriveRule, SelectRule)


def place(
    inherited: Sequence[Rule], own: Sequence[Rule], disabled: Sequence[str], refuse: Callable[[str, str, str], None]
) -> tuple[Rule, ...]:
    """Replace by id, then put new rules before their anchor, after it, or before all inherited ones.

    Args:
        inherited: The rules of all bases, in order; of one id, the last counts.
        own: The rules of the file that extends them.
        disabled: Ids of inherited rules to leave out.
        refuse: Called with the rule's id, the key at fault and the message.
    """
    rules: dict[str, Rule] = {rule.id: rule for rule in inherited if rule.id not in disabled}
    known: tuple[str, ...] = tuple(dict.fromkeys(rule.id for rule in inherited))
    fresh: list[Rule] = []
    around: dict[str, dict[str, list[Rule]]] = {"before": {}, "after": {}}
    for rule in own:
        key, anchor = _anchor(rule)
        plain = rule.model_copy(update=dict.fromkeys(("before", "after"))) if anchor else rule
        if rule.replace:
            plain = plain.model_copy(update={"replace": False})
            if rule.id not in known:
                guess = did_you_mean(rule.id, known)
                refuse(
                    rule.id, "replace", f"rule `{rule.id}`: expected an inherited rule to replace, found none.{guess}"
                )
        if anchor and anchor not in known:
            message = f"rule `{rule.id}`: expected an inherited rule, found `{anchor}`.{did_you_mean(anchor, known)}"
            refuse(rule.id, key, message)
            fresh.append(plain)
        elif anchor and anchor != rule.id:
            rules.pop(rule.id, None)
            around[key].setdefault(anchor, []).append(plain)
        elif rule.id in rules:
            rules[rule.id] = plain
        else:
            fresh.append(plain)
    for identity in known:  # a rule that moved away or is disabled leaves its place to those put around it
        fresh.extend(around["before"].get(identity, ()))
        fresh.extend([rules[identity]] if identity in rules else [])
        fresh.extend(around["after"].get(identity, ()))
    return tuple(fresh)


def _anchor(rule: DeriveRule | SelectRule) -> tuple[str, str]:
    """Return `before` or `after` with the id it names, or two empty texts."""
    if isinstance(rule, SelectRule):
        for key, anchor in (("before", rule.before), ("after", rule.after)):
            if anchor:
                return key, anchor
    return "", ""
