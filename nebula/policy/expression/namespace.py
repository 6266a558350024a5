"""What a bare name in a condition stands for: a parameter, a derived fact or a definition."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from nebula.profiling.vocabulary import Fact

__all__ = ["RESERVED", "Kind", "Name", "Role", "did_you_mean", "kind_of_fact", "kind_of_value"]

Kind = Literal["bool", "number", "string", "list", "any"]
Role = Literal["parameter", "derived", "definition"]

RESERVED = frozenset({"true", "false", "null", "known", "has_word", *(word.lower() for word in keyword.kwlist)})


@dataclass(frozen=True)
class Name:
    """One bare name.

    Attributes:
        role: What kind of thing it names.
        kind: Type of its value; `any` when an earlier problem hides it.
        value: A parameter's value; None for the others.
        choices: The strings it may take; empty when they are open.
    """

    role: Role
    kind: Kind
    value: bool | int | float | str | None = None
    choices: tuple[str, ...] = ()


def kind_of_value(value: object) -> Kind:
    """Return the type that conditions see a scalar as."""
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "number"


def kind_of_fact(fact: Fact) -> Kind:
    """Return the type that conditions see a fact as."""
    kinds: Mapping[str, Kind] = {"bool": "bool", "int": "number", "float": "number", "str": "string"}
    return kinds.get(fact.kind, "list")


def did_you_mean(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """Return ` Did you mean …?` for the nearest known name, or an empty text."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean `{near[0]}`?" if near else ""
