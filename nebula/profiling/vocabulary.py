"""The facts as a typed table: what a rule may name, derived from the profile's models."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nebula.profiling.custom import GROUP, custom_facts
from nebula.profiling.custom_fact import CustomFact
from nebula.profiling.model import DataProfile

__all__ = ["Fact", "FactKind", "FactValue", "facts_of", "vocabulary"]

FactKind = Literal["bool", "int", "float", "str", "list"]
FactValue = bool | int | float | str | tuple[float, ...] | None


@dataclass(frozen=True)
class Fact:
    """One name a rule may use.

    Attributes:
        name: Dotted name, e.g. `target.zero_fraction`.
        kind: Type of the value once known.
        low: Lower bound of a number, or None.
        high: Upper bound of a number, or None.
        low_open: The lower bound itself is no value of the fact.
        high_open: The upper bound itself is no value of the fact.
        choices: The values a string may take; empty when it is free.
        unit: Unit of a number, or None.
        description: What the fact means.
        structural: It follows from how the data are laid out, not from their values.
    """

    name: str
    kind: FactKind
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    unit: str | None
    description: str
    structural: bool
    low_open: bool = False
    high_open: bool = False

    @property
    def bounds(self) -> str:
        """The bounds as text: `0..1`, `0..`; `>0..<1` where the ends themselves do not belong; empty without any."""
        if self.low is None and self.high is None:
            return ""
        low = "" if self.low is None else f"{'>' if self.low_open else ''}{self.low:g}"
        high = "" if self.high is None else f"{'<' if self.high_open else ''}{self.high:g}"
        return f"{low}..{high}"

    def admits(self, number: float) -> bool:
        """Say whether a number lies within the bounds."""
        above = self.low is None or number > self.low or (number == self.low and not self.low_open)
        below = self.high is None or number < self.high or (number == self.high and not self.high_open)
        return above and below


def vocabulary() -> dict[str, Fact]:
    """Return every fact of `DataProfile` by dotted name, in declaration order, then those that were registered.

    Raises:
        PluginError: An installed package announces facts that cannot be used.
    """
    return _with_custom(custom_facts())


@lru_cache(maxsize=8)
def _with_custom(custom: tuple[CustomFact, ...]) -> dict[str, Fact]:
    found = {f"{GROUP}.{fact.name}": _custom(fact) for fact in custom}
    return {**_builtin(), **found} if found else _builtin()


def _custom(fact: CustomFact) -> Fact:
    return Fact(
        name=f"{GROUP}.{fact.name}",
        kind=fact.kind,
        low=fact.low,
        high=fact.high,
        choices=fact.choices,
        unit=fact.unit,
        description=fact.description,
        structural=False,
    )


@cache
def _builtin() -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    for group, field in DataProfile.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for name, inner in field.annotation.model_fields.items():
                facts[f"{group}.{name}"] = _fact(f"{group}.{name}", inner)
    return facts


def facts_of(profile: DataProfile) -> dict[str, FactValue]:
    """Flatten a profile to the values of its facts; None where unknown."""
    values: dict[str, FactValue] = {}
    for group, fields in _layout().items():
        found = vars(getattr(profile, group))
        values.update([(name, found[field]) for name, field in fields])
    own = profile.custom.__pydantic_extra__
    values.update([(f"{GROUP}.{fact.name}", own.get(fact.name)) for fact in custom_facts()])
    return values


@cache
def _layout() -> dict[str, tuple[tuple[str, str], ...]]:
    """By group, each fact's dotted name and its field, in declaration order."""
    parted = [(name, *name.split(".")) for name in _builtin()]
    groups = dict.fromkeys(group for _, group, _ in parted)
    return {group: tuple((name, field) for name, of, field in parted if of == group) for group in groups}


def _fact(name: str, field: FieldInfo) -> Fact:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    kind, choices = _kind(field.annotation)
    bounds = [*field.metadata, *_metadata(field.annotation)]
    return Fact(
        name=name,
        kind=kind,
        low=_bound(bounds, "ge", "gt"),
        high=_bound(bounds, "le", "lt"),
        choices=choices,
        unit=str(extra["unit"]) if "unit" in extra else None,
        description=field.description or "",
        structural=bool(extra.get("structural", False)),
        low_open=_bound(bounds, "gt") is not None,
        high_open=_bound(bounds, "lt") is not None,
    )


def _kind(annotation: Any) -> tuple[FactKind, tuple[str, ...]]:
    for option in _options(annotation):
        if get_origin(option) is Annotated:
            return _kind(get_args(option)[0])
        if get_origin(option) is Literal:
            return "str", tuple(str(choice) for choice in get_args(option))
        if get_origin(option) is tuple:
            return "list", ()
        for python, kind in ((bool, "bool"), (int, "int"), (float, "float"), (str, "str")):
            if option is python:
                return kind, ()  # type: ignore[return-value]
    raise TypeError(f"no fact can have the type {annotation}")


def _options(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        yield from (option for option in get_args(annotation) if option is not type(None))
    else:
        yield annotation


def _metadata(annotation: Any) -> Iterator[Any]:
    for option in _options(annotation):
        if get_origin(option) is Annotated:
            for item in get_args(option)[1:]:
                yield from getattr(item, "metadata", None) or [item]


def _bound(metadata: list[Any], *names: str) -> float | None:
    found = [getattr(item, name) for item in metadata for name in names if getattr(item, name, None) is not None]
    return float(found[0]) if found else None
