"""A policy's text from an earlier version of the file format to the present one; comments and layout stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nebula.errors import PolicyError
from nebula.policy.source_map import Source
from nebula.policy.yaml_reader import read_yaml

__all__ = ["MIGRATIONS", "Migrated", "Migration", "migrate_policy"]

_NUMBERED = re.compile(r"nebula/v(\d{1,9})")


@dataclass(frozen=True)
class Migration:
    """One step from a version to the next.

    Attributes:
        old: The `apiVersion` it takes; empty for a file that has none.
        new: The `apiVersion` that it leaves.
        rewrite: Gives the new text; it changes what the version changes and nothing else.
    """

    old: str
    new: str
    rewrite: Callable[[Source], str]


@dataclass(frozen=True)
class Migrated:
    """A text that was brought up to the present version.

    Attributes:
        text: The policy as it is now.
        versions: The versions that it went through, the present one last; a single one when it was there already.
    """

    text: str
    versions: tuple[str, ...]


def migrate_policy(text: str, name: str = "<string>", *, steps: Sequence[Migration] | None = None) -> Migrated:
    """Bring a policy's text up to the present version, one step after the other.

    Args:
        text: The policy in YAML; what it says need not be sound.
        name: What errors call it.
        steps: Each leaves the version that the next one takes; those of nebula when None.

    Raises:
        PolicyError: The text cannot be read, has a version that no step takes, or is written in a
            way that a step cannot change.
    """
    chain = MIGRATIONS if steps is None else steps
    present = chain[-1].new
    source, version = _read(text, name)
    versions = [version]
    while version != present:
        step = next((step for step in chain if step.old == version), None)
        if step is None:
            raise _unknown(source, version, present)
        source, version = _rewritten(source, step)
        versions.append(version)
    return Migrated(source.text, tuple(versions))


def _read(text: str, name: str) -> tuple[Source, str]:
    source, problems = read_yaml(text, name)
    if problems:
        raise PolicyError(problems)
    if not isinstance(source.data, dict) or not source.data:
        raise PolicyError([source.problem((), "expected a mapping with `name` and rules.", code="NEB-P020")])
    return source, str(source.data.get("apiVersion", ""))


def _rewritten(source: Source, step: Migration) -> tuple[Source, str]:
    """Take one step, and see that what came out is of the version that it promises."""
    try:
        after, version = _read(step.rewrite(source), source.name)
    except PolicyError:
        version = None
    if version != step.new:
        said = f"expected a text that can be migrated to {step.new}: write it with a key on each line."
        raise PolicyError([source.problem((), said, code="NEB-P004")])
    return after, version


def _unknown(source: Source, version: str, present: str) -> PolicyError:
    found, known = _NUMBERED.fullmatch(version), _NUMBERED.fullmatch(present)
    newer = found and known and int(found[1]) > int(known[1])
    why = "it is newer than this nebula: update nebula." if newer else "no such version was ever released."
    return PolicyError(
        [source.problem(("apiVersion",), f"expected {present}, found {version!r}: {why}", code="NEB-P027")]
    )


def _add_version(source: Source) -> str:
    """Write the version above the first key and its comment; what heads the file stays on top."""
    first = min((place for path, place in source.keys.items() if len(path) == 1), key=lambda place: place.start)
    ending = "\r\n" if "\r\n" in source.text else "\n"
    indent = " " * (first.column - 1)
    at, above = first.start, source.text[: first.start - len(indent)].splitlines(keepends=True)
    while above and above[-1].lstrip().startswith("#"):
        at -= len(above.pop())
    if not above:
        at = first.start
    return f"{source.text[:at]}apiVersion: nebula/v1{ending}{indent}{source.text[at:]}"


MIGRATIONS = (Migration("", "nebula/v1", _add_version),)
"""From the earliest version to the present one."""
