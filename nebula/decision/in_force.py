"""Which of several decisions in force is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from nebula.errors import DecisionError

__all__ = ["find_dataset"]

_Name = TypeVar("_Name", bound="str | int | None")


def find_dataset(decisions: Mapping[_Name, object], dataset: _Name) -> _Name:
    """Return the data set that is meant: the named one, or the only one when none is named.

    Args:
        decisions: What is in force, by name of the data set.
        dataset: The name; None for the only one.

    Raises:
        DecisionError: There is no decision yet, or none of that name.
    """
    if not decisions:
        raise DecisionError("expected a decision, found none yet: call fit() with the data set first.")
    if dataset in decisions:
        return dataset
    if dataset is None and len(decisions) == 1:
        return next(iter(decisions))
    raise DecisionError(f"dataset: expected one of {list(decisions)}, found {dataset!r}.")
