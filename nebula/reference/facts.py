"""The page of facts: what a rule may name."""

from __future__ import annotations

from itertools import groupby

from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import Fact, vocabulary
from nebula.reference.markdown import NOTICE, page, table

__all__ = ["render_facts"]


def render_facts() -> str:
    """Return the page of facts, one table a group."""
    lines = [
        "# Facts",
        "",
        NOTICE,
        "",
        "What a rule may name. A fact that was not observed is *unknown*, never false. Facts that others register",
        "are named `custom.<name>`: see [facts of your own](../facts-of-your-own.md).",
        "",
    ]
    for group, facts in groupby(vocabulary().values(), key=lambda fact: fact.name.partition(".")[0]):
        lines += [f"## `{group}`", "", DataProfile.model_fields[group].description or "", ""]
        rows = ((f"`{fact.name}`", _type(fact), fact.unit or "", fact.description) for fact in facts)
        lines += [*table(("fact", "type", "unit", "meaning"), rows), ""]
    return page(lines)


def _type(fact: Fact) -> str:
    if fact.choices:
        return "one of " + ", ".join(f"`{choice}`" for choice in fact.choices)
    return f"{fact.kind} {fact.bounds}".rstrip()
