"""A compiled policy as formulas: which rule holds, which is first, what it derives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nebula.policy.compiled import CompiledPolicy
from nebula.policy.expression.evaluate import Leaf
from nebula.policy.expression.formula import All, Certain, Formula, Is, normalise
from nebula.policy.expression.parser import parse_condition
from nebula.policy.expression.syntax import Compare, HasWord, Known, Term
from nebula.policy.expression.terms import Constant, Slot
from nebula.policy.plan import Setter
from nebula.smt.solver import z3
from nebula.smt.values import Case, FactTable, constant_case, read_term

__all__ = ["EncodedPolicy", "encode_condition"]

Truth = tuple[Any, Any]
"""A Kleene truth value: (is known to be true, is known to be false)."""


class EncodedPolicy:
    """One policy over a table of facts.

    Every select rule has two truth values of its own: that it holds, and that it is the first to.

    Attributes:
        policy: The compiled policy.
        holds: For each rule, derive rules first, a formula that is true exactly when it holds.
        atoms: For each comparison, when it is true and when it is false.
        first: For each select rule, that it holds and none before it does.
        definitions: What the solver must be told for the names to mean this.
    """

    def __init__(self, policy: CompiledPolicy, facts: FactTable, prefix: str = "") -> None:
        self.policy, self.facts = policy, facts
        self._derived: dict[str, list[Case]] = {}
        self.definitions: list[Any] = []
        self.holds: list[Any] = [None] * len(policy.plan.rules)
        self.atoms: list[Truth | None] = [None] * len(policy.plan.atoms)
        self._encode(prefix)
        select = self.holds[len(policy.file.derive) :]
        self.first = [
            self._named(f"{prefix}first {i}", z3.And(h, *map(z3.Not, select[:i]))) for i, h in enumerate(select)
        ]

    def _encode(self, prefix: str) -> None:
        plan = self.policy.plan
        for phase, rules in enumerate(plan.rule_phases):
            for index in plan.atom_phases[phase]:
                self.atoms[index] = _leaf(plan.atoms[index].node, self._term, self._cases, self.facts)
            for index in rules:
                self.holds[index] = self._named(
                    f"{prefix}rule {index}", _formula(plan.rules[index].formula, self.atoms)
                )
            for slot, setters in plan.settled[phase] if phase < len(plan.settled) else ():
                self._derived[plan.derived[slot]] = self._settle(setters)

    def _named(self, name: str, formula: Any) -> Any:
        truth = z3.Bool(name)
        self.definitions.append(truth == formula)
        return truth

    def _settle(self, setters: Sequence[Setter]) -> list[Case]:
        """The first rule that holds sets the name, even to a value that is unknown."""
        cases: list[Case] = []
        for place, setter in enumerate(setters):
            chosen = z3.And(self.holds[setter.rule], *(z3.Not(self.holds[other.rule]) for other in setters[:place]))
            cases += [Case(z3.And(chosen, guard), value) for guard, value in self._source(setter.value)]
        return cases

    def _source(self, value: Constant | Slot) -> list[Case]:
        if isinstance(value, Slot):
            plan = self.policy.plan
            return self._cases((*plan.derived, *plan.facts)[value.index])
        return [constant_case(value.value)]

    def _cases(self, name: str) -> list[Case]:
        return self._derived[name] if name in self._derived else [self.facts.case(name)]

    def _term(self, node: Term) -> list[Case]:
        return read_term(node, self._cases, self.policy.parameters)


def encode_condition(text: str, facts: FactTable) -> Truth:
    """Encode a condition over facts alone, written as in a policy.

    Args:
        text: The condition.
        facts: The variables.
    """
    leaves: list[Leaf] = []

    def number(leaf: Leaf) -> int:
        leaves.append(leaf)
        return len(leaves) - 1

    def cases(name: str) -> list[Case]:
        return [facts.case(name)]

    tree = parse_condition(text)
    positive, _ = normalise(tree, {}, number)
    atoms: list[Truth | None] = [_leaf(leaf, lambda node: read_term(node, cases, {}), cases, facts) for leaf in leaves]
    return _formula(positive, atoms), _formula(positive, [atom and (atom[1], atom[0]) for atom in atoms], dual=True)


def _formula(formula: Formula, atoms: Sequence[Truth | None], *, dual: bool = False) -> Any:
    """Return when a formula is true; with the atoms swapped and `dual`, when it is false."""
    match formula:
        case Is(atom, positive, possible):
            truth = atoms[atom]
            assert truth is not None  # noqa: S101 - phases judge a comparison before the rules that read it
            return z3.Not(truth[positive]) if possible else truth[not positive]
        case Certain(value):
            return z3.BoolVal(value is not dual)
        case _:
            parts = [_formula(part, atoms, dual=dual) for part in formula.parts]
            return z3.And(parts) if isinstance(formula, All) is not dual else z3.Or(parts)


def _leaf(
    node: Leaf, term: Callable[[Term], list[Case]], cases: Callable[[str], list[Case]], facts: FactTable
) -> Truth:
    match node:
        case Known(operand):
            known = z3.Or([guard for guard, _ in cases(operand.name)])
            return known, z3.Not(known)
        case HasWord(operand, words):
            return _judge([(g, z3.Or([facts.word(w)(_code(v, facts)) for w in words])) for g, v in term(operand)])
        case Compare(op, left, right):
            rights = right if isinstance(right, tuple) else (right,)
            outcomes = []
            for guard, value in term(left):
                sides = [side for element in rights for side in term(element)]
                if op in ("in", "not in"):
                    member = z3.Or([_compare("==", value, other, facts) for _, other in sides])
                    outcomes.append((guard, member if op == "in" else z3.Not(member)))
                else:
                    outcomes += [(z3.And(guard, other), _compare(op, value, side, facts)) for other, side in sides]
            return _judge(outcomes)
        case _:
            return _judge(term(node))


def _judge(outcomes: Sequence[tuple[Any, Any]]) -> Truth:
    true = z3.Or([z3.And(guard, value) for guard, value in outcomes])
    false = z3.Or([z3.And(guard, z3.Not(value)) for guard, value in outcomes])
    return true, false


def _compare(op: str, left: Any, right: Any, facts: FactTable) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return z3.BoolVal((left == right) is (op == "=="))
    a, b = _code(left, facts), _code(right, facts)
    match op:
        case "==":
            return a == b
        case "!=":
            return a != b
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
        case _:
            return a >= b


def _code(value: Any, facts: FactTable) -> Any:
    return z3.IntVal(facts.code(value)) if isinstance(value, str) else value
