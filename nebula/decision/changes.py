"""Changes of facts: whose they are to make, how far they move, and the profile that has them."""

from __future__ import annotations

from typing import Literal

from pydantic import ValidationError

from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import FactValue, facts_of

__all__ = ["Change", "Changes", "Whose", "changed_profile", "kind_of", "relative_move"]

Change = tuple[str, FactValue]
Changes = tuple[Change, ...]
Whose = Literal["declaration", "prediction", "data"]


def kind_of(fact: str) -> Whose:
    """Say who can change a fact: the user by a declaration, the model by its output, or only other data."""
    group = fact.partition(".")[0]
    return "declaration" if group == "hints" else "prediction" if group in ("prediction", "relation") else "data"


def relative_move(before: FactValue, after: FactValue) -> float:
    """Return |after - before| / max(|after|, |before|) of two numbers; 1 for any other change."""
    if isinstance(before, bool) or not (isinstance(before, int | float) and isinstance(after, int | float)):
        return 1.0
    return abs(after / 2 - before / 2) / max(abs(after), abs(before)) * 2 if after != before else 0.0


def changed_profile(profile: DataProfile, changes: Changes) -> DataProfile | None:
    """Return the profile with these facts changed and no other; None when its types do not allow it."""
    groups = profile.model_dump()
    for name, value in changes:
        group, _, field = name.partition(".")
        groups[group][field] = value
    try:
        changed = DataProfile.model_validate(groups)
    except ValidationError:
        return None
    return changed if facts_of(changed) == {**facts_of(profile), **dict(changes)} else None
