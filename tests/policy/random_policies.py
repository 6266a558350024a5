"""Random policies with a reference of their own: brute-force Kleene logic, names looked up on demand."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.policy.samples import derive, policy

NUMBERS = ("target.mean", "target.n", "target.skew")
FLAGS = ("target.is_one_hot", "target.is_simplex", "target.is_constant")
CONSTANTS = (-1, 0, 0.5, 1, 1e-05, 3)
OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

Tree = tuple[Any, ...]
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """One random policy: its definitions, derive rules (name, value, condition) and select conditions."""

    definitions: tuple[Tree, ...]
    derive: tuple[tuple[str, int, Tree], ...]
    select: tuple[Tree, ...]

    def text(self) -> str:
        """The policy in YAML."""
        rules = [derive(f"d{i}", written(when), **{name: value}) for i, (name, value, when) in enumerate(self.derive)]
        definitions = {f"def{i}": written(tree) for i, tree in enumerate(self.definitions)}
        return policy(*map(written, self.select), definitions=definitions, derive=rules)

    def fired(self, facts: Facts) -> tuple[str, ...]:
        """The ids of the select rules that are true, by the reference."""
        return tuple(f"r{index}" for index, tree in enumerate(self.select) if self.value(tree, facts) is True)

    def derived(self, facts: Facts) -> dict[str, int]:
        """The derived facts, by the reference."""
        names = {name for name, _, _ in self.derive}
        return {name: value for name in names if (value := self.named(name, facts)) is not None}

    def named(self, name: str, facts: Facts) -> Any:
        """A fact's value, or what the first true rule in the file sets."""
        if "." in name:
            value = facts.get(name)
            return None if value != value else value
        return next((v for n, v, when in self.derive if n == name and self.value(when, facts) is True), None)

    def value(self, tree: Tree, facts: Facts) -> bool | None:
        """Kleene's value of a tree: 0 false, 1/2 unknown, 1 true."""
        match tree:
            case ("number", name, op, constant):
                found = self.named(name, facts)
                return None if found is None else OPERATORS[op](found, constant)
            case ("in", name, constants):
                found = self.named(name, facts)
                return None if found is None else any(found == constant for constant in constants)
            case ("flag", name):
                return self.named(name, facts)
            case ("known", name):
                return self.named(name, facts) is not None
            case ("constant", value):
                return value
            case ("definition", index):
                return self.value(self.definitions[index], facts)
            case ("not", part):
                return {True: False, False: True, None: None}[self.value(part, facts)]
            case (("and" | "or" | "all" | "any") as joint, *parts):
                grades = [{False: 0.0, None: 0.5, True: 1.0}[self.value(part, facts)] for part in parts]
                grade = min(grades) if joint in ("and", "all") else max(grades)
                return {0.0: False, 0.5: None, 1.0: True}[grade]
        raise AssertionError(tree)


def written(tree: Tree) -> Any:
    """The tree as a policy writes it."""
    match tree:
        case ("number", name, op, constant):
            return f"{name} {op} {constant}"
        case ("in", name, constants):
            return f"{name} in {list(constants)}"
        case ("flag", name):
            return name
        case ("known", name):
            return f"known({name})"
        case ("constant", value):
            return value
        case ("definition", index):
            return f"def{index}"
        case ("not", part):
            inner = written(part)
            return {"not": inner} if isinstance(inner, dict) else f"not ({inner})"
        case (joint, *parts):
            return _joined(joint, [written(part) for part in parts])
    raise AssertionError(tree)


def _joined(joint: str, parts: list[Any]) -> Any:
    if joint in ("all", "any") or any(isinstance(part, dict) for part in parts):
        return {{"and": "all", "or": "any"}.get(joint, joint): parts}
    return f" {joint} ".join(f"({part})" for part in parts)


def trees(names: tuple[str, ...] = (), definitions: int = 0) -> st.SearchStrategy[Tree]:
    """Conditions over the facts, the derived names and the definitions given."""
    numbers = st.sampled_from((*NUMBERS, *names))
    leaves = [
        st.tuples(st.just("number"), numbers, st.sampled_from(sorted(OPERATORS)), st.sampled_from(CONSTANTS)),
        st.tuples(st.just("in"), numbers, st.lists(st.sampled_from(CONSTANTS), min_size=1, max_size=3).map(tuple)),
        st.tuples(st.just("flag"), st.sampled_from(FLAGS)),
        st.tuples(st.just("known"), numbers),
        st.tuples(st.just("constant"), st.booleans()),
    ]
    if definitions:
        leaves.append(st.tuples(st.just("definition"), st.integers(0, definitions - 1)))
    return st.recursive(
        st.one_of(*leaves),
        lambda inner: st.one_of(
            st.tuples(st.just("not"), inner),
            st.builds(
                lambda joint, parts: (joint, *parts),
                st.sampled_from(("and", "or", "all", "any")),
                st.lists(inner, min_size=2, max_size=5),
            ),
        ),
        max_leaves=12,
    )


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """A policy whose derived names read only names of a smaller number, in a shuffled file order."""
    definitions = tuple(draw(st.lists(trees(), max_size=2)))
    rules: list[tuple[str, int, Tree]] = []
    count = draw(st.integers(0, 4))
    for level in range(count):
        below = tuple(f"x{index}" for index in range(level))
        conditions = draw(st.lists(trees(below, len(definitions)), min_size=1, max_size=2))
        rules.extend((f"x{level}", draw(st.integers(-1, 3)), condition) for condition in conditions)
    names = tuple(f"x{index}" for index in range(count))
    select = draw(st.lists(trees(names, len(definitions)), min_size=1, max_size=6))
    return Sample(definitions, tuple(draw(st.permutations(rules))), tuple(select))


def profiles() -> st.SearchStrategy[dict[str, Any]]:
    """Facts, some unknown, some NaN, many on a threshold."""
    number = st.one_of(st.none(), st.sampled_from((*CONSTANTS, float("nan"), 1e30, 5e-05, 0.1)))
    flag = st.one_of(st.none(), st.booleans())
    return st.fixed_dictionaries({**dict.fromkeys(NUMBERS, number), **dict.fromkeys(FLAGS, flag)})
