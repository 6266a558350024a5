"""Formulas → Horn clauses in strata: the form that a production-rule engine runs.

Literals, rules and intermediate facts share one numbering. `4k` is "comparison k is true", `4k + 1`
"it is false", `4k + 2` "it may be true" and `4k + 3` "it may be false": of the unknown, the last two
hold. Then come the rules in order, then the intermediate facts.
Formulas are in negation normal form, so a clause's body is a plain set of literals. An `or` whose
clauses would multiply past a bound becomes an intermediate fact, inferred in an earlier stratum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import product
from math import prod
from threading import Lock
from typing import NamedTuple
from weakref import WeakValueDictionary

from nebula.policy.expression.formula import All, Any, Certain, Formula, Is

__all__ = [
    "MAX_BODY",
    "MAX_CLAUSES",
    "MAX_CLAUSES_PER_RULE",
    "Clause",
    "Program",
    "ProgramError",
    "compile_program",
    "literals_of",
]

MAX_CLAUSES_PER_RULE = 16
MAX_CLAUSES = 4096
MAX_BODY = 200

Body = frozenset[int]


_LITERALS = {True: (0, 2), False: (1, 3), None: (2, 3)}


def literals_of(atom: int, outcome: bool | None) -> tuple[int, int]:
    """Return the literals that hold when a comparison is true, false or unknown."""
    first, second = _LITERALS[outcome]
    return 4 * atom + first, 4 * atom + second


class ProgramError(Exception):
    """A rule cannot be compiled within the bounds.

    Attributes:
        rule: Number of the rule.
    """

    def __init__(self, message: str, rule: int) -> None:
        super().__init__(message)
        self.rule = rule


class Clause(NamedTuple):
    """When the whole body holds, the head does."""

    head: int
    body: Body


@dataclass(frozen=True, eq=False)
class Program:
    """A policy's rules as clauses; equal programs are one object.

    Attributes:
        digest: Content hash of the strata.
        strata: Clauses by stratum, in the order of their heads.
        phases: For each phase of the policy, the indices of its strata.
        first_rule: Number of the first rule; rules and intermediate facts follow the literals.
        rules: How many rules there are.
    """

    digest: str
    strata: tuple[tuple[Clause, ...], ...]
    phases: tuple[range, ...]
    first_rule: int
    rules: int


_programs: WeakValueDictionary[str, Program] = WeakValueDictionary()
_programs_lock = Lock()


def compile_program(phases: Sequence[Sequence[tuple[int, Formula]]], *, atoms: int, rules: int) -> Program:
    """Compile rules to clauses.

    Args:
        phases: For each phase in order, its (rule number, condition) pairs.
        atoms: How many comparisons the formulas speak of.
        rules: How many rules there are in all.

    Returns:
        The program; the same object for the same content, so that engines keep one copy.

    Raises:
        ProgramError: More than 4,096 clauses in all, or a clause with more than 200 literals.
    """
    compiler = _Compiler(first_rule=4 * atoms, first_fact=4 * atoms + rules)
    strata: list[tuple[Clause, ...]] = []
    ranges = []
    for phase in phases:
        levels = compiler.phase(phase)
        ranges.append(range(len(strata), len(strata) + len(levels)))
        strata.extend(levels)
    content = repr(([[(c.head, sorted(c.body)) for c in stratum] for stratum in strata], ranges, atoms, rules))
    digest = blake2b(content.encode(), digest_size=16).hexdigest()
    program = Program(digest, tuple(strata), tuple(ranges), 4 * atoms, rules)
    with _programs_lock:
        return _programs.setdefault(digest, program)


class _Compiler:
    def __init__(self, *, first_rule: int, first_fact: int) -> None:
        self.first_rule, self.next_fact = first_rule, first_fact
        self.facts: dict[tuple[Body, ...], int] = {}
        self.level: dict[int, int] = {}
        self.clauses: list[Clause] = []
        self.total = 0
        self.rule = 0

    def phase(self, rules: Sequence[tuple[int, Formula]]) -> list[tuple[Clause, ...]]:
        """Compile the rules of one phase and return their clauses by level."""
        self.level = dict.fromkeys(self.level, -1)  # inferred in an earlier phase: there from the start
        self.clauses = []
        for self.rule, formula in rules:
            for body in self.bodies(formula):
                self.add(self.first_rule + self.rule, body)
        levels: list[list[Clause]] = []
        for clause in self.clauses:
            level = self.level_of(clause.body)
            levels.extend([] for _ in range(level + 1 - len(levels)))
            levels[level].append(clause)
        return [tuple(sorted(level, key=lambda clause: clause.head)) for level in levels]

    def level_of(self, body: Body) -> int:
        """Return the first level at which every intermediate fact of the body is known."""
        return max((self.level.get(literal, -1) + 1 for literal in body), default=0)

    def add(self, head: int, body: Body) -> None:
        """Keep one clause, within the bounds."""
        self.total += 1
        if self.total > MAX_CLAUSES:
            raise ProgramError(f"expected at most {MAX_CLAUSES} clauses in the policy, found more here.", self.rule)
        if len(body) > MAX_BODY:
            raise ProgramError(f"expected at most {MAX_BODY} comparisons joined by `and`, found more.", self.rule)
        self.clauses.append(Clause(head, body))

    def bodies(self, formula: Formula) -> list[Body]:
        """Return at most 16 alternatives, each a set of literals that makes the formula true."""
        match formula:
            case Certain(value):
                return [frozenset()] if value else []
            case Is(atom, positive, possible):
                return [frozenset({4 * atom + 2 * possible + (not positive)})]
            case Any(parts):
                return self.bounded([body for part in parts for body in self.bodies(part)])
            case All(parts):
                return self.conjoin([self.bodies(part) for part in parts])

    def conjoin(self, factors: list[list[Body]]) -> list[Body]:
        """Multiply out, after turning the widest factors into intermediate facts."""
        while prod(map(len, factors)) > MAX_CLAUSES_PER_RULE:
            widest = max(range(len(factors)), key=lambda index: len(factors[index]))
            factors[widest] = [self.infer(factors[widest])]
        joined = (frozenset().union(*choice) for choice in product(*factors))
        return [body for body in dict.fromkeys(joined) if not self.contradicts(body)]

    def bounded(self, bodies: list[Body]) -> list[Body]:
        """Return few alternatives as they are, many as one intermediate fact."""
        bodies = list(dict.fromkeys(bodies))
        return bodies if len(bodies) <= MAX_CLAUSES_PER_RULE else [self.infer(bodies)]

    def infer(self, bodies: list[Body]) -> Body:
        """Return the intermediate fact that holds when one of the bodies does."""
        key = tuple(bodies)
        if key not in self.facts:
            self.facts[key] = self.next_fact
            self.next_fact += 1
            for body in bodies:
                self.add(self.facts[key], body)
            self.level[self.facts[key]] = max(self.level_of(body) for body in bodies)
        return frozenset({self.facts[key]})

    def contradicts(self, body: Body) -> bool:
        """Say whether the body wants a comparison both true and false."""
        known = (literal for literal in body if literal < self.first_rule and literal % 4 == 0)
        return any(literal + 1 in body for literal in known)
