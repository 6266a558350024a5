"""A policy's conditions compiled once: comparisons, formulas, phases, and the engine's program."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from nebula.policy.engine.program import Program, compile_program
from nebula.policy.expression.evaluate import Atom, Leaf, Test, compile_atom
from nebula.policy.expression.formula import ExpansionError, Formula, compile_holds, normalise, possibly
from nebula.policy.expression.syntax import Condition
from nebula.policy.expression.terms import Constant, Scope, Slot
from nebula.policy.strata import Strata, bare_names

__all__ = ["Plan", "RulePlan", "RuleTooLarge", "Setter", "make_plan"]

Scalar = bool | int | float | str


class RuleTooLarge(Exception):  # noqa: N818 - it is the finding, not a failure
    """A rule exceeds a bound once its definitions are put in.

    Attributes:
        rule: Number of the rule, derive rules first.
    """

    def __init__(self, message: str, rule: int) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True)
class RulePlan:
    """One rule, compiled.

    Attributes:
        condition: Its condition in negation normal form.
        formula: When it fires: the condition, or with `on_unknown` that the condition is not known to be false.
        atoms: Numbers of its comparisons, in the order written.
        holds: Truthy exactly when the rule fires; stops early.
    """

    condition: Formula
    formula: Formula
    atoms: tuple[int, ...]
    holds: Test


@dataclass(frozen=True)
class Setter:
    """A derived name's value from one rule."""

    rule: int
    value: Constant | Slot


@dataclass(frozen=True)
class Plan:
    """Everything that evaluation needs.

    Attributes:
        facts: Facts the policy reads, in the order of their slots after the derived names.
        derived: Derived names, in the order of their slots.
        atoms: The distinct comparisons.
        atom_phases: For each phase, the comparisons that can be judged from it on.
        rules: Derive rules, then select rules.
        rule_phases: For each phase, the rules judged in it; the last phase is `select`.
        lenient: Some rule fires on the unknown.
        settled: For each phase but the last, the names settled after it: (slot, rules that set it).
        program: What the engine runs.
    """

    facts: tuple[str, ...]
    derived: tuple[str, ...]
    atoms: tuple[Atom, ...]
    atom_phases: tuple[tuple[int, ...], ...]
    rules: tuple[RulePlan, ...]
    rule_phases: tuple[tuple[int, ...], ...]
    lenient: bool
    settled: tuple[tuple[tuple[int, tuple[Setter, ...]], ...], ...]
    program: Program


def make_plan(
    conditions: Sequence[Condition],
    sets: Sequence[Mapping[str, Scalar]],
    *,
    lenient: Collection[int],
    definitions: Mapping[str, Condition],
    parameters: Mapping[str, Scalar],
    strata: Strata,
) -> Plan:
    """Compile checked conditions.

    Args:
        conditions: Of the derive rules, then of the select rules.
        sets: What each derive rule sets.
        lenient: Numbers of the rules that fire on an unknown condition too.
        definitions: Named conditions.
        parameters: Effective parameters.
        strata: Order of the derive rules.

    Raises:
        RuleTooLarge: A condition with its definitions put in exceeds a bound.
        ProgramError: The clauses exceed a bound.
    """
    scope = Scope(tuple(strata.names), parameters)
    leaves: dict[str, tuple[int, Leaf]] = {}

    def number(leaf: Leaf) -> int:
        return leaves.setdefault(leaf.span.text, (len(leaves), leaf))[0]

    def expand(rule: int, condition: Condition) -> tuple[Formula, tuple[int, ...]]:
        try:
            return normalise(condition, definitions, number)
        except ExpansionError as error:
            raise RuleTooLarge(str(error), rule) from None

    formulas = [expand(rule, condition) for rule, condition in enumerate(conditions)]
    atoms = tuple(compile_atom(leaf, scope) for _, leaf in leaves.values())
    tests = [atom.test for atom in atoms]
    fires = [possibly(formula) if rule in lenient else formula for rule, (formula, _) in enumerate(formulas)]
    rules = tuple(
        RulePlan(condition, formula, seen, compile_holds(formula, tests))
        for (condition, seen), formula in zip(formulas, fires, strict=True)
    )
    phase_of_rule = (*strata.rules, *(strata.count for _ in range(len(conditions) - len(sets))))
    phase_of_atom = [
        max((strata.names[name] + 1 for name in bare_names(leaf) if name in strata.names), default=0)
        for _, leaf in leaves.values()
    ]
    phases = range(strata.count + 1)
    rule_phases = tuple(tuple(i for i, p in enumerate(phase_of_rule) if p == phase) for phase in phases)
    settled = _settle(sets, strata, scope)
    return Plan(
        facts=tuple(scope.facts),
        derived=scope.derived,
        atoms=atoms,
        atom_phases=tuple(tuple(i for i, p in enumerate(phase_of_atom) if p == phase) for phase in phases),
        rules=rules,
        rule_phases=rule_phases,
        lenient=bool(lenient),
        settled=settled,
        program=compile_program(
            [[(index, rules[index].formula) for index in phase] for phase in rule_phases],
            atoms=len(atoms),
            rules=len(rules),
        ),
    )


def _settle(
    sets: Sequence[Mapping[str, Scalar]], strata: Strata, scope: Scope
) -> tuple[tuple[tuple[int, tuple[Setter, ...]], ...], ...]:
    def source(value: Scalar) -> Constant | Slot:
        if not (isinstance(value, str) and value.startswith("$")):
            return Constant(value)
        name = value[1:]
        return Constant(scope.parameters[name]) if name in scope.parameters else Slot(scope.slot(name))

    return tuple(
        tuple(
            (
                scope.slot(name),
                tuple(Setter(rule, source(values[name])) for rule, values in enumerate(sets) if name in values),
            )
            for name, settled in strata.names.items()
            if settled == stratum
        )
        for stratum in range(strata.count)
    )
