"""`extends`: inherited rules come first, are replaced by id, and keep their origin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nebula.errors import PolicyError, Problem
from nebula.policy.expression.namespace import did_you_mean
from nebula.policy.expression.trees import Path
from nebula.policy.files import PolicyText, find_policy
from nebula.policy.model import DeriveRule, PolicyFile, SelectRule
from nebula.policy.source_map import Source
from nebula.policy.validation import validate
from nebula.policy.yaml_reader import read_yaml

__all__ = ["MAX_EXTENDS_DEPTH", "MAX_FILES", "Origin", "Resolved", "resolve"]

MAX_EXTENDS_DEPTH = 8
MAX_FILES = 64

Rule = TypeVar("Rule", DeriveRule, SelectRule)
Key = tuple[str, str]


@dataclass(frozen=True)
class Origin:
    """Where an entry of the resolved policy was written."""

    source: Source
    path: Path

    def problem(self, message: str, *below: str | int, key: bool = False) -> Problem:
        """Return a problem at this entry, or below it."""
        return self.source.problem((*self.path, *below), message, key=key)


@dataclass
class Resolved:
    """A policy with everything inherited put in.

    Attributes:
        file: The resolved policy; it extends nothing.
        source: The file that was asked for.
        origins: Where each entry was written: by (section, id or name).
        problems: Faults found on the way.
        hidden: Names that faulty entries would have declared.
    """

    file: PolicyFile | None
    source: Source
    origins: dict[Key, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)


def resolve(text: PolicyText) -> Resolved:
    """Read a policy and all that it extends.

    Args:
        text: The file that was asked for.

    Returns:
        The resolved policy with its problems.

    Raises:
        PolicyError: The file is not YAML.
    """
    return _Resolver().resolve(text, ())


class _Resolver:
    def __init__(self) -> None:
        self.done: dict[str, Resolved] = {}

    def resolve(self, text: PolicyText, chain: tuple[str, ...]) -> Resolved:
        """Resolve one file, once."""
        if text.identity not in self.done:
            self.done[text.identity] = self._resolve(text, (*chain, text.identity))
        return self.done[text.identity]

    def _resolve(self, text: PolicyText, chain: tuple[str, ...]) -> Resolved:
        source, problems = read_yaml(text.content, text.name)
        own, found = validate(source)
        result = Resolved(own, source, problems=[*problems, *found])
        result.hidden = _declared(source.data) if result.problems else set()
        if own is None:
            return result
        bases = [self._base(entry, index, text, result, chain) for index, entry in enumerate(own.extends)]
        _inherit(result, own, [base for base in bases if base is not None])
        return result

    def _base(
        self, entry: str, index: int, text: PolicyText, result: Resolved, chain: tuple[str, ...]
    ) -> Resolved | None:
        def refuse(message: str) -> None:
            result.problems.append(result.source.problem(("extends", index), message))

        try:
            found = find_policy(entry, folder=text.folder)
            if found.identity in chain:
                refuse(f"`{entry}` extends itself, directly or through others: break the circle.")
            elif len(chain) >= MAX_EXTENDS_DEPTH:
                refuse(f"expected at most {MAX_EXTENDS_DEPTH} levels of `extends`, found more.")
            elif len(self.done) >= MAX_FILES:
                refuse(f"expected at most {MAX_FILES} files in all, found more.")
            else:
                base = self.resolve(found, chain)
                result.problems.extend(p for p in base.problems if p not in result.problems)
                result.hidden |= base.hidden
                if base.file is not None:
                    return base
        except PolicyError as error:
            for problem in error.problems:
                if problem.line:
                    result.problems.append(problem)
                else:
                    refuse(problem.message)
        result.hidden.add("*")  # what it would have declared is not known
        return None


def _declared(data: Any) -> set[str]:
    """Return the names that a file means to declare, however faulty it is."""
    names: set[str] = set()
    if isinstance(data, dict):
        for section in ("parameters", "definitions"):
            names |= set(data[section]) if isinstance(data.get(section), dict) else set()
        rules = data.get("derive")
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, dict) and isinstance(rule.get("set"), dict):
                names |= set(rule["set"])
    return names


def _inherit(result: Resolved, own: PolicyFile, bases: list[Resolved]) -> None:
    """Lay the file over its bases, the later over the earlier."""
    files = [base.file for base in bases if base.file is not None]
    for base in bases:
        result.origins.update(base.origins)
    _note_origins(result, own)
    layers = [*files, own]
    merged: dict[str, Any] = {
        "extends": (),
        "parameters": {name: value for layer in layers for name, value in layer.parameters.items()},
        "definitions": {name: value for layer in layers for name, value in layer.definitions.items()},
        "otherwise": next((layer.otherwise for layer in reversed(layers) if layer.otherwise is not None), None),
        "on_ambiguous": next((layer.on_ambiguous for layer in reversed(layers) if layer.on_ambiguous), None),
        "derive": _place([rule for file in files for rule in file.derive], own.derive, _refuser(result, "derive")),
        "select": _place([rule for file in files for rule in file.select], own.select, _refuser(result, "select")),
    }
    result.file = own.model_copy(update=merged)


def _note_origins(result: Resolved, own: PolicyFile) -> None:
    source = result.source
    for section in ("parameters", "definitions"):
        for name in getattr(own, section):
            result.origins[section, name] = Origin(source, (section, name))
    if own.otherwise is not None:
        result.origins["otherwise", ""] = Origin(source, ("otherwise",))
    taken: dict[str, int] = {}
    for section in ("derive", "select"):
        for index, rule in enumerate(source.data.get(section) or ()):
            identity = rule.get("id") if isinstance(rule, dict) else None
            if not isinstance(identity, str):
                continue
            if identity in taken:
                message = f"duplicate rule id `{identity}`: the rule on line {taken[identity]} has it already."
                result.problems.append(source.problem((section, index, "id"), message))
            else:
                taken[identity] = source.place((section, index))[0]
                result.origins[section, identity] = Origin(source, (section, index))
            result.origins.setdefault((section, identity), Origin(source, (section, index)))


def _refuser(result: Resolved, section: str) -> Callable[[str, str, str], None]:
    def refuse(rule: str, key: str, message: str) -> None:
        result.problems.append(result.origins[section, rule].problem(message, key))

    return refuse


def _place(inherited: list[Rule], own: Sequence[Rule], refuse: Callable[[str, str, str], None]) -> tuple[Rule, ...]:
    """Replace by id, then put new rules before their anchor, after it, or before all inherited ones."""
    rules: dict[str, Rule] = {rule.id: rule for rule in inherited}
    known: tuple[str, ...] = tuple(rules)
    fresh: list[Rule] = []
    around: dict[str, dict[str, list[Rule]]] = {"before": {}, "after": {}}
    for rule in own:
        key, anchor = _anchor(rule)
        plain = rule.model_copy(update={"before": None, "after": None}) if anchor else rule
        if anchor and anchor not in known:
            message = f"rule `{rule.id}`: expected an inherited rule, found `{anchor}`.{did_you_mean(anchor, known)}"
            refuse(rule.id, key, message)
        elif anchor and anchor != rule.id:
            rules.pop(rule.id, None)
            around[key].setdefault(anchor, []).append(plain)
        elif rule.id in rules:
            rules[rule.id] = plain
        else:
            fresh.append(plain)
    for identity in known:  # a rule that moved away leaves its place to those put around it
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
