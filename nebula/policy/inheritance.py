"""`extends`: inherited rules come first, are replaced by id, and keep their origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nebula.errors import PolicyError, Problem
from nebula.policy.expression.namespace import did_you_mean
from nebula.policy.expression.trees import Path
from nebula.policy.files import PolicyText, find_policy, is_policy
from nebula.policy.model import DeriveRule, Parameter, PolicyFile, SelectRule
from nebula.policy.placing import place
from nebula.policy.source_map import Source
from nebula.policy.validation import validate
from nebula.policy.yaml_reader import read_yaml

__all__ = ["MAX_EXTENDS_DEPTH", "MAX_FILES", "Origin", "Resolved", "resolve"]

MAX_EXTENDS_DEPTH = 8
MAX_FILES = 64

Key = tuple[str, str]


@dataclass(frozen=True)
class Origin:
    """Where an entry of the resolved policy was written."""

    source: Source
    path: Path

    def problem(self, message: str, *below: str | int, key: bool = False, code: str = "") -> Problem:
        """Return a problem at this entry, or below it."""
        return self.source.problem((*self.path, *below), message, key=key, code=code)


@dataclass
class Resolved:
    """A policy with everything inherited put in.

    Attributes:
        file: The resolved policy; it extends nothing.
        source: The file that was asked for.
        origins: Where each entry was written: by (section, id or name).
        problems: Faults found on the way.
        hidden: Names that faulty entries would have declared.
        files: Identities of all files that were read.
    """

    file: PolicyFile | None
    source: Source
    origins: dict[Key, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    files: tuple[str, ...] = ()


def resolve(text: PolicyText) -> Resolved:
    """Read a policy and all that it extends.

    Args:
        text: The file that was asked for.

    Returns:
        The resolved policy with its problems.

    Raises:
        PolicyError: The file is not YAML.
    """
    resolver = _Resolver()
    result = resolver.resolve(text, ())
    result.files = tuple(resolver.done)
    if result.file is not None:
        result.file = _rank(result, result.file)
    return result


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
        def refuse(message: str, code: str) -> None:
            result.problems.append(result.source.problem(("extends", index), message, code=code))

        try:
            found = find_policy(entry, folder=text.folder)
            if not is_policy(found.content):
                refuse(_no_policy(found), "NEB-P001")
            elif found.identity in chain:
                refuse(f"`{entry}` extends itself, directly or through others: break the circle.", "NEB-P030")
            elif len(chain) >= MAX_EXTENDS_DEPTH:
                refuse(f"expected at most {MAX_EXTENDS_DEPTH} levels of `extends`, found more.", "NEB-P031")
            elif len(self.done) >= MAX_FILES:
                refuse(f"expected at most {MAX_FILES} files in all, found more.", "NEB-P031")
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
                    refuse(problem.message, problem.code)
        result.hidden.add("*")  # what it would have declared is not known
        return None


def _no_policy(text: PolicyText) -> str:
    """Refuse a file without a word of what it holds: whoever reads the error may not be allowed to read it."""
    return f"expected a policy, found no `apiVersion: nebula/v1` in `{text.name}`, in UTF-8: name another file."


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
    own = _without_repeats(own)
    layers = [*files, own]
    _check_disabled(result, own, files)
    merged: dict[str, Any] = {
        "extends": (),
        "disable": (),
        "parameters": _lay_parameters(layers),
        "definitions": {name: value for layer in layers for name, value in layer.definitions.items()},
        "otherwise": next((layer.otherwise for layer in reversed(layers) if layer.otherwise is not None), None),
        "hit_policy": next((layer.hit_policy for layer in reversed(layers) if layer.hit_policy), None),
        "on_ambiguous": next((layer.on_ambiguous for layer in reversed(layers) if layer.on_ambiguous), None),
        "on_drift": next((layer.on_drift for layer in reversed(layers) if layer.on_drift), None),
    }
    for section in ("derive", "select"):
        inherited = [rule for file in files for rule in getattr(file, section)]
        merged[section] = place(inherited, getattr(own, section), own.disable, _refuser(result, section))
    result.file = own.model_copy(update=merged)


def _lay_parameters(layers: list[PolicyFile]) -> dict[str, Any]:
    """Let later values replace earlier ones; a plain value keeps the range and type declared before."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.parameters.items():
            before = merged.get(name)
            if isinstance(before, Parameter) and not isinstance(value, Parameter):
                merged[name] = before.model_copy(
                    update={"value": value, "type": before.type or type(before.value).__name__}
                )
            else:
                merged[name] = value
    return merged


def _check_disabled(result: Resolved, own: PolicyFile, files: list[PolicyFile]) -> None:
    known = tuple(identity for file in files for identity in _ids(file))
    written = _ids(own)
    for index, identity in enumerate(own.disable):
        if identity not in known and "*" not in result.hidden:
            message = f"expected the id of an inherited rule, found `{identity}`.{did_you_mean(identity, known)}"
        elif identity in written:
            message = f"rule `{identity}` is written here too, which replaces the inherited one: do not disable it."
        else:
            continue
        result.problems.append(result.source.problem(("disable", index), message, code="NEB-P032"))


def _ids(file: PolicyFile) -> list[str]:
    return [*(rule.id for rule in file.derive), *(rule.id for rule in file.select)]


def _rank(result: Resolved, file: PolicyFile) -> PolicyFile:
    """Put the select rules into the order in which they decide: by priority, where the policy says so."""
    if file.hit_policy == "priority":
        return file.model_copy(update={"select": tuple(sorted(file.select, key=lambda rule: -(rule.priority or 0)))})
    if "hit_policy" in (result.source.data or {}) and file.hit_policy is None:
        return file  # what it means to say cannot be read, and is told
    for rule in file.select:
        if rule.priority is not None:
            message = f"rule `{rule.id}`: a priority has no effect here: set `hit_policy: priority`, or leave it out."
            problem = result.origins["select", rule.id].problem(message, "priority", code="NEB-P025")
            result.problems.append(problem)
    return file


def _without_repeats(file: PolicyFile) -> PolicyFile:
    """Keep the first rule of every id: a repeated id is a fault, and no place could be given for what it says."""
    derive: dict[str, DeriveRule] = {}
    for rule in file.derive:
        derive.setdefault(rule.id, rule)
    select: dict[str, SelectRule] = {}
    for choice in file.select:
        if choice.id not in derive:
            select.setdefault(choice.id, choice)
    return file.model_copy(update={"derive": tuple(derive.values()), "select": tuple(select.values())})


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
                result.problems.append(source.problem((section, index, "id"), message, code="NEB-P033"))
            else:
                taken[identity] = source.place((section, index))[0]
                result.origins[section, identity] = Origin(source, (section, index))
            result.origins.setdefault((section, identity), Origin(source, (section, index)))


def _refuser(result: Resolved, section: str) -> Callable[[str, str, str], None]:
    def refuse(rule: str, key: str, message: str) -> None:
        result.problems.append(result.origins[section, rule].problem(message, key, code="NEB-P032"))

    return refuse
