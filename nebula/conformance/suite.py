"""The suite: every property that a loss's contracts promise, and what it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nebula.conformance.properties import (
    declarations,
    derivatives,
    life,
    optimum,
    reductions,
    refusals,
    rows,
    values,
    weights,
)
from nebula.conformance.property import Nonconformity, Property
from nebula.conformance.subject import Subject, subjects_of
from nebula.losses.registry import LossEntry

__all__ = ["PROPERTIES", "Check", "broken", "checks"]

_FILES = (declarations, values, reductions, derivatives, rows, weights, optimum, refusals, life)
PROPERTIES: tuple[Property, ...] = tuple(item for file in _FILES for item in file.PROPERTIES)
"""All properties, in the order that they are checked."""


@dataclass(frozen=True)
class Check:
    """One property of one loss under one contract."""

    subject: Subject
    promise: Property

    @property
    def id(self) -> str:
        """Return `loss-property`."""
        return f"{self.subject.id}-{self.promise.name}"

    def run(self) -> None:
        """Try to break the property.

        Raises:
            Nonconformity: It is broken.
        """
        self.promise.check(self.subject)


def checks(entries: Iterable[LossEntry]) -> Iterator[Check]:
    """Yield every check that applies to these losses."""
    for entry in entries:
        for subject in subjects_of(entry):
            yield from (Check(subject, item) for item in PROPERTIES if item.applies(subject))


def broken(entry: LossEntry) -> dict[str, str]:
    """Return what a loss breaks: the message of every failed check by its id; empty when it conforms."""
    found = {check.id: _fault(check) for check in checks([entry])}
    return {name: fault for name, fault in found.items() if fault}


def _fault(check: Check) -> str:
    try:
        check.run()
    except Nonconformity as error:
        return str(error)
    except Exception as error:
        return f"expected no error, found {type(error).__name__}: {error}"
    return ""
