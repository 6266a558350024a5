"""Comparisons of one value with constants, judged together: its place among the constants tells all of them.

Two values in one cell (equal to the same constant, or between the same two neighbours) cannot be told
apart by any comparison with those constants, so a cell is judged once, by the comparisons themselves,
and looked up from then on. Finding the cell is exact: Python compares int and float without rounding.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from nebula.policy.engine.program import literals_of
from nebula.policy.expression.evaluate import Atom
from nebula.policy.expression.syntax import Compare, FactRef, HasWord, Known, NameRef
from nebula.policy.expression.terms import Constant, Scope, Slot, Values, compile_term

__all__ = ["Judged", "Judges", "make_judges"]

MAX_CELLS = 256
_OTHER = object()
_ORDERED = {"<", "<=", ">", ">="}


class Judged(NamedTuple):
    """What holds of some comparisons.

    Attributes:
        mask: The literals as bits.
        literals: The same literals as the engine reads them.
    """

    mask: int
    literals: frozenset[int]


class _Judge:
    """Numbered comparisons, each evaluated."""

    def __init__(self, atoms: Iterable[tuple[int, Atom]], *, lenient: bool) -> None:
        self.tests = tuple((number, atom.test) for number, atom in atoms)
        self.lenient = lenient

    def judge(self, values: Values) -> Judged:
        """Evaluate every comparison.

        Raises:
            TypeError: A value cannot be compared.
        """
        found: list[int] = []
        for number, test in self.tests:
            result = test(values)
            literals = literals_of(number, None if result is None else bool(result))
            if self.lenient:
                found.extend(literals)
            elif result is not None:
                found.append(literals[0])
        mask = 0
        for literal in found:
            mask |= 1 << literal
        return Judged(mask, frozenset(found))


class _Cells(_Judge):
    """Comparisons of one slot's value with constants of one kind, judged by cell."""

    def __init__(
        self, slot: int, atoms: Iterable[tuple[int, Atom]], constants: Iterable[Any], *, lenient: bool
    ) -> None:
        super().__init__(atoms, lenient=lenient)
        self.slot = slot
        self.constants = frozenset(constants)
        self.known: dict[Hashable, Judged] = {}

    def judge(self, values: Values) -> Judged:
        """Look up the cell of a text or a boolean, or judge it."""
        value = values[self.slot]
        cell = value if value is None or value in self.constants else _OTHER
        return self.known.get(cell) or self.visit(cell, values)

    def visit(self, cell: Hashable, values: Values) -> Judged:
        """Judge a cell for the first time."""
        found = super().judge(values)
        if len(self.known) < MAX_CELLS:
            self.known[cell] = found
        return found


class _OrderedCells(_Cells):
    """The same for numbers, which are also compared by order."""

    def __init__(
        self, slot: int, atoms: Iterable[tuple[int, Atom]], constants: Iterable[Any], *, lenient: bool
    ) -> None:
        super().__init__(slot, atoms, constants, lenient=lenient)
        self.thresholds = sorted(self.constants)

    def judge(self, values: Values) -> Judged:
        """Look up the number's cell, or judge it."""
        value, thresholds = values[self.slot], self.thresholds
        # twice the thresholds below, and one more on a threshold
        cell = None if value is None else bisect_left(thresholds, value) + bisect_right(thresholds, value)
        return self.known.get(cell) or self.visit(cell, values)


Judges = tuple[_Judge, ...]


def make_judges(atoms: Sequence[tuple[int, Atom]], *, lenient: bool) -> Judges:
    """Group comparisons so that together they are judged fast.

    Args:
        atoms: (number, comparison) of those that can be judged at the same time.
        lenient: Rules fire on the unknown, so "may be true" and "may be false" are wanted too.
    """
    groups: dict[tuple[int, bool], tuple[list[tuple[int, Atom]], list[Any]]] = {}
    alone: list[tuple[int, Atom]] = []
    for numbered in sorted(atoms, key=lambda pair: isinstance(pair[1].node, Known)):
        compared = _compared(numbered[1])
        if compared is None:
            alone.append(numbered)
            continue
        slot, constants = compared
        # known(x) needs no constants, so it joins the numbers that are there already
        numeric = any(type(c) in (int, float) for c in constants) or (not constants and (slot, True) in groups)
        members, all_constants = groups.setdefault((slot, numeric), ([], []))
        members.append(numbered)
        all_constants.extend(constants)
    judges: list[_Judge] = [
        (_OrderedCells if numeric else _Cells)(slot, members, constants, lenient=lenient)
        for (slot, numeric), (members, constants) in groups.items()
    ]
    return (*judges, *([_Judge(alone, lenient=lenient)] if alone else []))


def _compared(atom: Atom) -> tuple[int, tuple[Any, ...]] | None:
    """Return the slot and the constants of one kind that its bare value is compared with, if it is so."""
    slots = {source.index for _, source in atom.reads if isinstance(source, Slot)}
    if len(slots) != 1 or isinstance(atom.node, HasWord):
        return None
    (slot,) = slots
    match atom.node:
        case Known():
            return slot, ()
        case FactRef() | NameRef():
            return slot, (True, False)
        case Compare(op, left, right):
            parameters = {name: source.value for name, source in atom.reads if isinstance(source, Constant)}
            sides = (left, *right) if isinstance(right, tuple) else (left, right)
            values = [compile_term(side, Scope((), parameters)) for side in sides]
            constants = tuple(v.value for v in values if isinstance(v, Constant) and v.value is not None)
            plain = sum(isinstance(v, Slot) for v in values) == 1 and all(
                isinstance(v, (Slot, Constant)) for v in values
            )
            kinds = {type(constant) for constant in constants}
            numeric = kinds <= {int, float} and bool(kinds)
            one_kind = numeric or (kinds <= {bool, str} and op not in _ORDERED)
            return (slot, constants) if plain and one_kind else None
