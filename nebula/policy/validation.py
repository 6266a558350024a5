"""Plain data → `PolicyFile`, with every fault at its line and column."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from nebula.errors import Problem
from nebula.policy.condition_shape import check_shape, condition_paths
from nebula.policy.expression.namespace import did_you_mean
from nebula.policy.expression.trees import Path
from nebula.policy.model import Ambiguity, DeriveRule, Otherwise, Parameter, PolicyFile, SelectRule, ServeChoice, Use
from nebula.policy.source_map import Source

__all__ = ["Fault", "describe", "validate"]

Fault = tuple[Path, str, bool, str]
"""Where, what, whether the key rather than the value is at fault, and the code."""

_MODELS: dict[str, type[BaseModel]] = {
    "select": SelectRule,
    "derive": DeriveRule,
    "use": Use,
    "serve": ServeChoice,
    "ambiguous": Ambiguity,
    "otherwise": Otherwise,
}
_PATTERNS = {
    r"^[a-z][a-z0-9_]*$": "a name of small letters, digits and underscores, a letter first",
    r"^[a-z][a-z0-9-]*$": "small letters, digits and hyphens, a letter first",
    r"^\d+\.\d+\.\d+$": "a version such as 1.0.0",
}
_WHOLE = frozenset({"missing", "extra_forbidden", "value_error"})
_STAND_INS = {"apiVersion": "nebula/v1", "name": "unnamed", "version": "0.0.0"}
"""Taken where a file lacks them, so that the rest of it is checked."""
_PRUNABLE = frozenset({"select", "derive", "parameters", "definitions"})


def validate(source: Source) -> tuple[PolicyFile | None, list[Problem]]:
    """Check a file against the policy model.

    Args:
        source: What was read.

    Returns:
        The policy, and every problem. When there are problems the policy lacks its faulty entries,
        so that the sound ones can be checked further; it is None when nothing can be saved.
    """
    data = source.data
    if not isinstance(data, dict):
        found = "nothing" if data is None else type(data).__name__
        message = f"expected a mapping with `apiVersion`, `name` and rules, found {found}."
        return None, [source.problem((), message, code="NEB-P020")]
    shapes = [fault for path in condition_paths(data) for fault in check_shape(_at(data, path), path)]
    faults: list[Fault] = [(path, message, False, code) for path, message, code in shapes]
    policy = None
    try:
        policy = PolicyFile.model_validate(data)
    except ValidationError as error:
        conditions = tuple(path for path in condition_paths(data) if any(_within(p, path) for p, *_ in shapes))
        faults.extend(f for f in describe(error, data) if not any(_within(f[0], path) for path in conditions))
    if faults:
        policy = _prune(data, [path for path, *_ in faults])
    return policy, [
        source.problem(path, _name(data, path) + message, key=key, code=code) for path, message, key, code in faults
    ]


def describe(error: ValidationError, data: Any) -> Iterator[Fault]:
    """Yield one fault for each value that pydantic refuses, the branches of a union joined."""
    groups: dict[Path, list[tuple[Path, dict[str, Any]]]] = defaultdict(list)
    for item in error.errors(include_url=False):
        path, branch = _walk(data, item["loc"])
        groups[path if branch is None else branch].append((path, dict(item)))
    for branch, items in groups.items():
        deeper = [(path, item) for path, item in items if len(path) > len(branch)]
        whole = [(path, item) for path, item in items if item["type"] in _WHOLE]
        if isinstance(_at(data, branch), dict) and (deeper or whole):
            yield from _merge(deeper or whole)
        else:
            yield from _merge([pair for pair in items if pair[1]["type"] != "model_type"] or items)


def _merge(items: list[tuple[Path, dict[str, Any]]]) -> Iterator[Fault]:
    """Yield one fault a value; that a branch takes another type says little where a branch took this one."""
    faults: dict[Path, list[tuple[Path, dict[str, Any]]]] = defaultdict(list)
    for path, item in items:
        if item["type"] in _WHOLE:
            yield _fault(path, item)
        else:
            faults[path].append((path, item))
    for pairs in faults.values():
        telling = [pair for pair in pairs if not pair[1]["type"].endswith("_type")] or pairs
        yield _join([_fault(path, item) for path, item in telling])


def _walk(data: Any, location: tuple[int | str, ...]) -> tuple[Path, Path | None]:
    """Follow an error's location through the data; parts that are no keys name a union's branch."""
    path: Path = ()
    branch: Path | None = None
    for part in location:
        if part in (data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()):
            data = data[part]
            path = (*path, part)
        elif branch is None and part != location[-1]:
            branch = path
    return path, branch


def _fault(path: Path, item: dict[str, Any]) -> Fault:
    kind, context, found = item["type"], item.get("ctx", {}), item["input"]
    name = str(item["loc"][-1]) if item["loc"] else ""
    if kind == "extra_forbidden":
        return path, f"unknown key `{name}`.{did_you_mean(name, _known_keys(path[:-1]))}", True, "NEB-P021"
    if kind == "missing":
        mend = "`nebula policy migrate` adds it" if name == "apiVersion" else "add it"
        return path, f"expected the key `{name}`, found none: {mend}.", False, "NEB-P022"
    if kind == "literal_error":
        choices = tuple(re.findall(r"'([^']*)'", context["expected"]))
        guess = did_you_mean(str(found), choices)
        code = "NEB-P027" if path == ("apiVersion",) else "NEB-P023"
        return path, f"expected {context['expected']}, found {_show(found)}.{guess}", False, code
    if kind == "string_pattern_mismatch":
        expected = _PATTERNS.get(context["pattern"], f"text like `{context['pattern']}`")
        return path, f"expected {expected}, found {_show(found)}.", "[key]" in item["loc"], "NEB-P024"
    if kind == "value_error":
        return path, f"{context['error']}.", False, "NEB-P025"
    if kind == "too_long":
        most, told = context["max_length"], context["actual_length"]
        mend = ": split the policy with `extends`" if path in (("select",), ("derive",)) else ""
        return path, f"expected at most {most}, found {told}{mend}.", False, "NEB-P023"
    if kind == "string_type" and isinstance(found, int | float):
        return path, f"expected text, found {_show(found)}: put it in quotes.", False, "NEB-P023"
    message = item["msg"].removeprefix("Input should be ").replace("a valid ", "a ").replace("a integer", "an integer")
    message = message.replace("a tuple", "a list")
    return path, f"expected {message[:1].lower()}{message[1:]}, found {_show(found)}.", False, "NEB-P023"


def _join(faults: list[Fault]) -> Fault:
    """Say `expected A or B` for a value that no branch of a union takes."""
    path, message, key, code = faults[0]
    expected = dict.fromkeys(text.partition(", found ")[0].removeprefix("expected ") for _, text, *_ in faults)
    if len(expected) > 1:
        message = f"expected {' or '.join(expected)}, found {message.partition(', found ')[2]}"
    return path, message, key, code


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _known_keys(path: Path) -> tuple[str, ...]:
    """Return the keys of the model at a path."""
    if path[:1] == ("parameters",) and len(path) == 2:
        return tuple(Parameter.model_fields)
    named = next((part for part in reversed(path) if isinstance(part, str)), None)
    model = PolicyFile if named is None else _MODELS.get(named)
    return tuple(field.alias or name for name, field in model.model_fields.items()) if model else ()


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _within(path: Path, outer: Path) -> bool:
    return path[: len(outer)] == outer


def _name(data: Any, path: Path) -> str:
    """Return ``rule `x`: `` for a path inside a rule that has an id."""
    if len(path) >= 2 and path[0] in ("select", "derive") and isinstance(rule := _at(data, path[:2]), dict):
        return f"rule `{rule['id']}`: " if isinstance(rule.get("id"), str) and path[2:] != ("id",) else ""
    return ""


def _prune(data: dict[str, Any], faults: list[Path]) -> PolicyFile | None:
    """Leave out the faulty entries and validate the rest."""
    doomed = {path[:2] for path in faults if len(path) >= 2 and path[0] in _PRUNABLE}
    dropped = {path[0] for path in faults if path[:1] and path[0] not in {*_PRUNABLE, "apiVersion"}}
    kept = _STAND_INS | {key: _without(value, key, doomed) for key, value in data.items() if key not in dropped}
    try:
        return PolicyFile.model_validate(kept)
    except ValidationError:
        return None


def _without(value: Any, section: str, doomed: set[Path]) -> Any:
    if isinstance(value, list):
        return [part for index, part in enumerate(value) if (section, index) not in doomed]
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if (section, name) not in doomed}
    return value
