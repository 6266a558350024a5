"""`nebula facts`: the vocabulary of the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.cli.options import Json
from nebula.cli.output import show_json, show_table

if TYPE_CHECKING:
    from nebula.profiling.vocabulary import Fact

__all__ = ["facts"]


def facts(json: Json = False) -> None:
    """List every fact that a rule may name."""
    from dataclasses import asdict

    from nebula.profiling.vocabulary import vocabulary

    found = vocabulary().values()
    if json:
        show_json([asdict(fact) for fact in found])
        return
    show_table(("fact", "type", "unit", "meaning"), ((f.name, _type(f), f.unit or "", f.description) for f in found))


def _type(fact: Fact) -> str:
    return f"{fact.kind} {fact.bounds}".rstrip()
