"""A policy after `extends`, written as one file in which each entry tells where it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from nebula.policy.files import find_policy, shipped_policies
from nebula.policy.inheritance import Resolved, resolve
from nebula.policy.loader import load

__all__ = ["origins", "resolved_text"]

_SECTIONS = ("parameters", "definitions", "derive", "select")


def resolved_text(source: str) -> str:
    """Return the effective policy in YAML; it loads as it stands and has the same digest.

    Args:
        source: A path, or the name of a shipped policy.

    Raises:
        PolicyError: The policy cannot be used.
    """
    return "\n".join(_lines(_document(source), origins(source))) + "\n"


def origins(source: str) -> Mapping[tuple[str, str], str]:
    """Return `file:line` of each parameter, definition, rule (by id) and of `otherwise`.

    Args:
        source: A path, or the name of a shipped policy.

    Raises:
        PolicyError: The file is not YAML.
    """
    resolved = resolve(find_policy(source))
    return {key: _place(resolved, key) for key in resolved.origins}


def _place(resolved: Resolved, key: tuple[str, str]) -> str:
    origin = resolved.origins[key]
    line, _ = origin.source.key_place(origin.path)
    return f"{_short(origin.source.name)}:{line}"


def _short(name: str) -> str:
    """Return a shipped policy's bare name, whatever folder it was found in; any other file's as it is."""
    path = Path(name)
    return path.name if path.is_absolute() and path in shipped_policies() else name


def _document(source: str) -> dict[str, Any]:
    file = load(source).file
    written: dict[str, Any] = file.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return written | {"apiVersion": file.api_version}


def _lines(document: dict[str, Any], places: Mapping[tuple[str, str], str]) -> Iterator[str]:
    for key in ("apiVersion", "name", "version", "description", "hit_policy", "on_ambiguous", "on_drift"):
        if key in document:
            yield from _dump({key: document[key]}, "")
    for section in _SECTIONS:
        entries = document.get(section)
        if not entries:
            continue
        yield f"{section}:"
        if isinstance(entries, dict):
            for name, value in entries.items():
                yield from _dump({name: value}, "  ", places[section, name])
        else:
            for rule in entries:
                yield from _dump([rule], "  ", places[section, rule["id"]])
    if "otherwise" in document:
        yield from _dump({"otherwise": document["otherwise"]}, "", places["otherwise", ""])


def _dump(value: Any, indent: str, place: str = "") -> Iterator[str]:
    """Write one entry below a comment that names its place."""
    if place:
        yield f"{indent}# {place}"
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    yield from (indent + line if line else "" for line in text.splitlines())
