"""The names of a policy: parameters, definitions and derived facts in one namespace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from nebula.policy.expression.namespace import RESERVED, Kind, Name, kind_of_fact, kind_of_value
from nebula.policy.inheritance import Origin, Resolved
from nebula.policy.model import DeriveRule, PolicyFile
from nebula.profiling.vocabulary import Fact

__all__ = ["collect_names"]

Scalar = bool | int | float | str


def collect_names(
    resolved: Resolved, file: PolicyFile, parameters: Mapping[str, Scalar], facts: Mapping[str, Fact]
) -> dict[str, Name]:
    """Return every bare name; clashes and conflicting types become problems.

    Args:
        resolved: The policy's origins and problems.
        file: The resolved policy.
        parameters: Effective parameters.
        facts: The vocabulary.
    """
    names: dict[str, Name] = {name: Name("derived", "any") for name in resolved.hidden}
    declared: dict[str, str] = {}

    def declare(name: str, role: str, origin: Origin, *below: str) -> bool:
        if name in RESERVED:
            message = f"expected a name that the language does not use itself, found `{name}`: rename it."
            resolved.problems.append(origin.problem(message, *below, key=True, code="NEB-P040"))
        elif declared.setdefault(name, role) != role:
            message = f"`{name}` is a {declared[name]} already: parameters, definitions and derived facts share names."
            resolved.problems.append(origin.problem(message, *below, key=True, code="NEB-P041"))
        else:
            return True
        return False

    for name, value in parameters.items():
        if declare(name, "parameter", resolved.origins["parameters", name]):
            names[name] = Name("parameter", kind_of_value(value), value)
    for name in file.definitions:
        if declare(name, "definition", resolved.origins["definitions", name]):
            names[name] = Name("definition", "bool")
    for rule in file.derive:
        for name in rule.set:
            declare(name, "derived fact", resolved.origins["derive", rule.id], "set", name)
    derived = {name for rule in file.derive for name in rule.set if declared.get(name) == "derived fact"}
    _Typer(resolved, file.derive, names, facts).add(derived)
    return names


class _Typer:
    """Gives each derived fact the type and the choices of what its rules set."""

    def __init__(
        self, resolved: Resolved, rules: tuple[DeriveRule, ...], names: dict[str, Name], facts: Mapping[str, Fact]
    ) -> None:
        self.resolved, self.rules, self.names, self.facts = resolved, rules, names, facts

    def add(self, derived: set[str]) -> None:
        """Type all; one that is set to another waits until that one is known."""
        waiting = sorted(derived - self.names.keys())
        for name in waiting:
            self.names[name] = Name("derived", "any")
        for _ in range(len(waiting) + 1):
            changed = False
            for name in waiting:
                typed = self._type(name, lambda *_: None)
                changed |= typed != self.names[name]
                self.names[name] = typed
            if not changed:
                break
        for name in waiting:
            self._type(name, self._report)

    def _report(self, rule: DeriveRule, name: str, code: str, message: str) -> None:
        origin = self.resolved.origins["derive", rule.id]
        self.resolved.problems.append(origin.problem(message, "set", name, code=code))

    def _type(self, name: str, report: Callable[[DeriveRule, str, str, str], None]) -> Name:
        kind: Kind = "any"
        choices: list[str] | None = []
        for rule in self.rules:
            if name not in rule.set:
                continue
            value = rule.set[name]
            found, options = self._value(value)
            if found is None:
                report(rule, name, "NEB-P045", self._unknown(str(value)))
            elif found == "list":
                report(rule, name, "NEB-P044", f"expected a single value, found the list `{value}`.")
            elif kind not in ("any", found) and found != "any":
                said = f"`{name}` is a {kind} in an earlier rule, found {value!r}, a {found}."
                report(rule, name, "NEB-P044", said)
            else:
                kind = found if found != "any" else kind
            choices = None if choices is None or not options else [*choices, *options]
        return Name("derived", kind, None, tuple(dict.fromkeys(choices or ())))

    def _value(self, value: Scalar) -> tuple[Kind | None, tuple[str, ...]]:
        if not (isinstance(value, str) and value.startswith("$")):
            return kind_of_value(value), (value,) if isinstance(value, str) else ()
        target = value[1:]
        if target in self.facts:
            return kind_of_fact(self.facts[target]), self.facts[target].choices
        if target in self.names and self.names[target].role != "definition":
            name = self.names[target]
            return name.kind, (name.value,) if isinstance(name.value, str) else name.choices
        return ("any", ()) if "*" in self.resolved.hidden else (None, ())

    def _unknown(self, reference: str) -> str:
        near = get_close_matches(reference[1:], [*self.facts, *self.names], n=1, cutoff=0.5)
        guess = f" Did you mean `${near[0]}`?" if near else ""
        return f"expected a fact, parameter or derived fact, found `{reference}`.{guess}"
