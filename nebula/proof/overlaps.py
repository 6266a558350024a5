"""Pairs of rules that can hold together though neither is a special case of the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from nebula.smt.oracle import Oracle
from nebula.smt.solver import z3

__all__ = ["Overlap", "find_overlaps"]


class Overlap(NamedTuple):
    """Two select rules by place, and a model in which both hold."""

    first: int
    second: int
    model: Any


def find_overlaps(
    oracle: Oracle, holds: Sequence[Any], losses: Sequence[str | None], models: Sequence[Any], *, all_of_them: bool
) -> Iterator[Overlap]:
    """Yield the overlaps of rules that name different losses.

    An exception that stands before its general rule is how an ordered policy is meant to be
    written; such a pair is no overlap.

    Args:
        oracle: Answers.
        holds: That each select rule holds.
        losses: What each names.
        models: Models found before; what they show is not asked again.
        all_of_them: Pairs of one loss and exceptions count too.
    """
    shown = [[z3.is_true(model.eval(truth, model_completion=True)) for truth in holds] for model in models]

    def shows(*places: tuple[int, bool]) -> Any | None:
        for model, truths in zip(models, shown, strict=True):
            if all(truths[place] is wanted for place, wanted in places):
                return model
        return None

    def only(one: int, other: int) -> bool:
        wanted = (holds[one], z3.Not(holds[other]))
        return shows((one, True), (other, False)) is not None or oracle.possible(*wanted, about="an overlap")

    for second in range(len(holds)):
        for first in range(second):
            if not all_of_them and losses[first] == losses[second]:
                continue
            model = shows((first, True), (second, True))
            if model is None:
                model = oracle.find(holds[first], holds[second], about="an overlap")
            if model is not None and (all_of_them or (only(first, second) and only(second, first))):
                yield Overlap(first, second, model)
