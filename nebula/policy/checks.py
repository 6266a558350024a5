"""A resolved policy checked against the vocabulary and the registry, then compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nebula.errors import PolicyError, Problem
from nebula.policy import model
from nebula.policy.engine.program import ProgramError
from nebula.policy.expression.namespace import Name
from nebula.policy.expression.parser import ConditionError
from nebula.policy.expression.syntax import Condition, Span
from nebula.policy.expression.trees import Path, read_condition
from nebula.policy.expression.typecheck import check_types
from nebula.policy.inheritance import Origin, Resolved
from nebula.policy.model import PolicyFile
from nebula.policy.names import collect_names
from nebula.policy.plan import Plan, RuleTooLarge, make_plan
from nebula.policy.references import check_use
from nebula.policy.source_map import Source
from nebula.policy.strata import Circle, Strata, bare_names, derived_reads, find_circle, stratify
from nebula.profiling.vocabulary import vocabulary

__all__ = ["Checked", "Readable", "check_policy", "compile_file", "read_conditions"]

Scalar = bool | int | float | str


@dataclass(frozen=True)
class Readable:
    """What of a policy can be read, whatever else is wrong with it.

    Attributes:
        file: The resolved policy.
        conditions: The tree of each condition that is sound in itself, by section (`definitions`,
            `derive`, `select`) and name or id.
        names: Parameters, definitions and derived facts.
    """

    file: PolicyFile
    conditions: Mapping[tuple[str, str], Condition]
    names: Mapping[str, Name]


@dataclass(frozen=True)
class Checked(Readable):
    """A policy without problems.

    Attributes:
        plan: Its conditions, compiled.
        texts: Source text of each rule's condition, by id.
    """

    plan: Plan
    texts: Mapping[str, str]


def check_policy(resolved: Resolved, parameters: Mapping[str, Scalar]) -> Checked | None:
    """Check and compile; every fault is added to `resolved.problems`.

    Args:
        resolved: The policy with everything inherited put in.
        parameters: Effective parameters.

    Returns:
        The compiled policy, or None when there are problems.
    """
    if resolved.file is None:
        return None
    return _Checker(resolved, resolved.file, parameters).check()


def read_conditions(resolved: Resolved, parameters: Mapping[str, Scalar]) -> Readable | None:
    """Read what can be read of a policy that has problems, which are added to `resolved.problems` again.

    Args:
        resolved: The policy with everything inherited put in.
        parameters: Effective parameters.

    Returns:
        Its sound conditions, or None when nothing of the file could be saved.
    """
    if resolved.file is None:
        return None
    return _Checker(resolved, resolved.file, parameters).read()


def compile_file(file: PolicyFile, parameters: Mapping[str, Scalar], name: str) -> Plan:
    """Compile a resolved policy that was checked before, in another process.

    Args:
        file: The resolved policy.
        parameters: Effective parameters.
        name: What errors call it.

    Raises:
        PolicyError: This process lacks what the policy names, such as a registered loss.
    """
    source = Source(name, "", {}, {}, {})
    keys = [("otherwise", "")]
    keys += [("parameters", key) for key in file.parameters]
    keys += [("definitions", key) for key in file.definitions]
    keys += [("derive", rule.id) for rule in file.derive]
    keys += [("select", rule.id) for rule in file.select]
    origins = {key: Origin(source, ()) for key in keys}
    resolved = Resolved(file, source, origins)
    checked = check_policy(resolved, parameters)
    if checked is None or resolved.problems:
        raise PolicyError(resolved.problems)
    return checked.plan


class _Checker:
    def __init__(self, resolved: Resolved, file: PolicyFile, parameters: Mapping[str, Scalar]) -> None:
        self.resolved, self.file, self.parameters = resolved, file, parameters
        self.problems = resolved.problems
        self.names: dict[str, Name] = collect_names(resolved, file, parameters, vocabulary())

    def read(self) -> Readable:
        """Keep the conditions in which nothing is wrong."""
        sound = {entry: tree for entry, tree, faulty in self._entries() if not faulty}
        return Readable(self.file, sound, self.names)

    def _entries(self) -> Iterator[tuple[tuple[str, str], Condition, bool]]:
        """Yield each condition's entry, its tree, and whether something is wrong in it."""
        written: list[tuple[tuple[str, str], model.Condition, tuple[str, ...]]] = [
            *((("definitions", name), condition, ()) for name, condition in self.file.definitions.items()),
            *((("derive", rule.id), rule.when, ("when",)) for rule in self.file.derive),
            *((("select", rule.id), rule.when, ("when",)) for rule in self.file.select),
        ]
        for entry, condition, below in written:
            told = len(self.problems)
            tree = self._read(condition, entry, *below)
            yield entry, tree, len(self.problems) > told

    def check(self) -> Checked | None:
        """Run every check, then compile what passed them."""
        conditions = {entry: tree for entry, tree, _ in self._entries()}
        definitions = {name: tree for (section, name), tree in conditions.items() if section == "definitions"}
        derive = [conditions["derive", rule.id] for rule in self.file.derive]
        select = [conditions["select", rule.id] for rule in self.file.select]
        self._check_choices()
        circle = find_circle({name: sorted(set(bare_names(tree))) for name, tree in definitions.items()})
        if circle is not None:
            message = f"definition `{circle[0]}` reads itself: {' -> '.join(circle)}."
            self.problems.append(self._origin("definitions", circle[0]).problem(message, code="NEB-P046"))
        if self.problems:
            return None
        strata = self._stratify(derive, definitions)
        plan = strata and self._plan([*derive, *select], definitions, strata)
        if not plan:
            return None
        ids = (*(rule.id for rule in self.file.derive), *(rule.id for rule in self.file.select))
        texts = {rule: " ".join(tree.span.text.split()) for rule, tree in zip(ids, [*derive, *select], strict=True)}
        return Checked(self.file, conditions, self.names, plan, texts)

    def _origin(self, section: str, name: str) -> Origin:
        return self.resolved.origins[section, name]

    def _read(self, condition: model.Condition, entry: tuple[str, str], *below: str) -> Condition:
        origin = self._origin(*entry)
        source, prefix = origin.source, "" if entry[0] == "definitions" else f"rule `{entry[1]}`: "

        def refuse(error: ConditionError) -> None:
            said = prefix + error.message
            end = error.end_column
            self.problems.append(Problem(source.name, error.line, error.column, said, error.code, end_column=end))

        def report(code: str, message: str, span: Span) -> None:
            end = span.end_column
            self.problems.append(Problem(source.name, span.line, span.column, prefix + message, code, end_column=end))

        tree = read_condition(condition, (*origin.path, *below), source.locate, refuse)
        check_types(tree, facts=vocabulary(), names=self.names, report=report)
        return tree

    def _check_choices(self) -> None:
        for rule in self.file.select:
            if rule.use is not None:
                self._check_use(rule.use, self._origin("select", rule.id), f"rule `{rule.id}`: ")
        otherwise = self.file.otherwise.use if self.file.otherwise else None
        if otherwise is not None:
            self._check_use(otherwise, self._origin("otherwise", ""), "")

    def _check_use(self, use: model.Use, origin: Origin, prefix: str) -> None:
        def report(path: Path, code: str, message: str) -> None:
            self.problems.append(origin.problem(prefix + message, "use", *path, code=code))

        check_use(use, facts=vocabulary(), names=self.names, report=report)

    def _stratify(self, derive: list[Condition], definitions: Mapping[str, Condition]) -> Strata | None:
        derived = {name for rule in self.file.derive for name in rule.set}
        through: dict[str, frozenset[str]] = {}
        for name in _inner_first(definitions):
            through[name] = derived_reads(definitions[name], through, derived)
        reads = [
            derived_reads(tree, through, derived) | _referred(rule.set, derived)
            for rule, tree in zip(self.file.derive, derive, strict=True)
        ]
        try:
            return stratify([tuple(rule.set) for rule in self.file.derive], reads)
        except Circle as circle:
            first = circle.names[0]
            rule = next(rule for rule in self.file.derive if first in rule.set)
            message = f"rule `{rule.id}`: derived fact `{first}` is read to set itself: {circle}."
            self.problems.append(self._origin("derive", rule.id).problem(message, "when", code="NEB-P047"))
            return None

    def _plan(self, conditions: list[Condition], definitions: Mapping[str, Condition], strata: Strata) -> Plan | None:
        sets = [rule.set for rule in self.file.derive]
        rules: tuple[model.DeriveRule | model.SelectRule, ...] = (*self.file.derive, *self.file.select)
        lenient = frozenset(number for number, rule in enumerate(rules) if rule.on_unknown != "skip")
        try:
            return make_plan(
                conditions,
                sets,
                lenient=lenient,
                definitions=definitions,
                parameters=self.parameters,
                strata=strata,
            )
        except (ProgramError, RuleTooLarge) as error:
            derive = len(self.file.derive)
            section, number = ("derive", error.rule) if error.rule < derive else ("select", error.rule - derive)
            rule = (self.file.derive if section == "derive" else self.file.select)[number].id
            message = f"rule `{rule}`: {error}"
            self.problems.append(self._origin(section, rule).problem(message, "when", code="NEB-P051"))
            return None


def _referred(values: Mapping[str, Scalar], derived: set[str]) -> set[str]:
    """Return the derived names that `$references` among the values read."""
    return {v[1:] for v in values.values() if isinstance(v, str) and v.startswith("$")} & derived


def _inner_first(definitions: Mapping[str, Condition]) -> list[str]:
    """Order definitions so that each comes after those it reads; they have no circle."""
    reads = {name: set(bare_names(tree)) & definitions.keys() for name, tree in definitions.items()}
    ordered: dict[str, None] = {}
    while len(ordered) < len(reads):
        ordered.update({name: None for name, needed in reads.items() if needed <= ordered.keys()})
    return list(ordered)
