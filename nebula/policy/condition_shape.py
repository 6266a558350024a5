"""The shape of a condition in YAML, checked by hand: a union's own messages help nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nebula.policy.expression.namespace import did_you_mean
from nebula.policy.expression.parser import MAX_LENGTH
from nebula.policy.expression.trees import Path

__all__ = ["check_shape", "condition_paths"]

MAX_PARTS = 64
_KEYS = ("all", "any", "not")


def condition_paths(data: Any) -> Iterator[Path]:
    """Yield the path of every condition that a policy's data hold."""
    if not isinstance(data, dict):
        return
    definitions = data.get("definitions")
    if isinstance(definitions, dict):
        yield from (("definitions", name) for name in definitions)
    for section in ("derive", "select"):
        rules = data.get(section)
        if isinstance(rules, list):
            for index, rule in enumerate(rules):
                if isinstance(rule, dict) and "when" in rule:
                    yield (section, index, "when")


Shape = tuple[Path, str, str]
"""Where, what and the code of a fault."""


def check_shape(data: Any, path: Path) -> Iterator[Shape]:
    """Yield every fault in the condition at the path.

    Args:
        data: The value there.
        path: Where it stands.
    """
    if isinstance(data, dict):
        yield from _check_tree(data, path)
    elif isinstance(data, str):
        if not data.strip():
            yield path, "expected a condition, found nothing.", "NEB-P026"
        elif len(data) > MAX_LENGTH:
            said = f"expected at most {MAX_LENGTH} characters, found {len(data)}: split it into definitions."
            yield path, said, "NEB-P051"
    elif not isinstance(data, bool):
        found = "nothing" if data is None else "a list" if isinstance(data, list) else f"{data!r}"
        yield path, f"expected a condition (text, true, or a tree of all/any/not), found {found}.", "NEB-P026"


def _check_tree(data: dict[str, Any], path: Path) -> Iterator[Shape]:
    if len(data) != 1 or not data.keys() <= set(_KEYS):
        found = ", ".join(f"`{key}`" for key in data) or "none"
        guess = "".join(did_you_mean(key, _KEYS) for key in data if key not in _KEYS)
        yield path, f"expected exactly one key of `all`, `any`, `not`, found {found}.{guess}", "NEB-P026"
        return
    ((key, inner),) = data.items()
    if key == "not":
        yield from check_shape(inner, (*path, key))
    elif not isinstance(inner, list) or not 1 <= len(inner) <= MAX_PARTS:
        yield (*path, key), f"expected a list of 1 to {MAX_PARTS} conditions under `{key}`.", "NEB-P026"
    else:
        for index, part in enumerate(inner):
            yield from check_shape(part, (*path, key, index))
