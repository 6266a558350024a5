"""The order in which derived facts become known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nebula.policy.expression.syntax import (
    And,
    Arithmetic,
    Compare,
    Condition,
    HasWord,
    Known,
    NameRef,
    Negative,
    Node,
    Not,
    Or,
)

__all__ = ["Circle", "Strata", "bare_names", "derived_reads", "find_circle", "stratify"]


class Circle(Exception):  # noqa: N818 - it is the finding, not a failure
    """Names that are read to set themselves.

    Attributes:
        names: The circle, its first name repeated at the end.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(" -> ".join(names))
        self.names = names


@dataclass(frozen=True)
class Strata:
    """When each derive rule is judged and each name is settled.

    Attributes:
        rules: Stratum of each rule, in file order.
        names: Stratum after which each derived name has its value.
        count: How many strata there are.
    """

    rules: tuple[int, ...]
    names: Mapping[str, int]
    count: int


def bare_names(node: Node | tuple[Node, ...]) -> Iterator[str]:
    """Yield every bare name in a tree, repeats included."""
    match node:
        case NameRef(name):
            yield name
        case And(parts) | Or(parts):
            for part in parts:
                yield from bare_names(part)
        case Not(inner) | Known(inner) | HasWord(inner) | Negative(inner):
            yield from bare_names(inner)
        case Compare(_, left, right):
            yield from bare_names(left)
            yield from bare_names(right)
        case Arithmetic(_, left, right):
            yield from bare_names(left)
            yield from bare_names(right)
        case tuple():
            for item in node:
                yield from bare_names(item)
        case _:
            return


def find_circle(reads: Mapping[str, Iterable[str]]) -> tuple[str, ...] | None:
    """Return one circle of the relation, or None; iterative, so that length cannot exhaust the stack."""
    state: dict[str, int] = {}
    for start in reads:
        path: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = []
        if start not in state:
            stack.append((start, iter(reads[start])))
            state[start] = 1
            path.append(start)
        while stack:
            name, following = stack[-1]
            after = next(following, None)
            if after is None:
                state[name] = 2
                stack.pop()
                path.pop()
            elif state.get(after) == 1:
                return (*path[path.index(after) :], after)
            elif after in reads and after not in state:
                state[after] = 1
                path.append(after)
                stack.append((after, iter(reads[after])))
    return None


def stratify(sets: Sequence[Iterable[str]], reads: Sequence[frozenset[str]]) -> Strata:
    """Order derive rules so that each is judged after all it reads is settled.

    Args:
        sets: The names each rule sets.
        reads: The derived names each rule reads, through definitions and `$references` too.

    Returns:
        Strata from 0; a name is settled once every rule that sets it has been judged.

    Raises:
        Circle: A name is read to set itself.
    """
    needs: dict[str, set[str]] = {}
    for names, read in zip(sets, reads, strict=True):
        for name in names:
            needs.setdefault(name, set()).update(read)
    if circle := find_circle({name: sorted(needed) for name, needed in needs.items()}):
        raise Circle(circle)
    settled: dict[str, int] = {}
    while len(settled) < len(needs):
        for name, needed in needs.items():
            if name not in settled and needed <= settled.keys():
                settled[name] = 1 + max((settled[other] for other in needed), default=-1)
    rules = tuple(1 + max((settled[name] for name in read), default=-1) for read in reads)
    return Strata(rules, settled, 1 + max(settled.values(), default=-1))


def derived_reads(
    condition: Condition, definitions: Mapping[str, frozenset[str]], derived: Iterable[str]
) -> frozenset[str]:
    """Return the derived names that a condition reads, given those of each definition."""
    names = set(bare_names(condition))
    through = (definitions[name] for name in names if name in definitions)
    return frozenset(names & set(derived)).union(*through)
