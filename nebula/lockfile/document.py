"""The lockfile as text: sorted, commented, read back by the reader of policies."""

from __future__ import annotations

import json
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from nebula.errors import DataError, PolicyError
from nebula.lockfile.model import Lockfile
from nebula.policy.validation import describe
from nebula.policy.yaml_reader import MAX_BYTES, read_yaml

__all__ = ["read_lockfile", "render_lockfile", "write_lockfile"]

_HEAD = """\
# Decisions pinned by nebula. Keep this file beside the code, and review its changes like code.
# `nebula lock --check` says what changed since; `nebula lock --update` takes the change.
"""
_MEND = "Restore the file, or pin anew with `nebula lock`."
_CONFLICT = re.compile(rb"^(<{7}|>{7})( |$)", re.MULTILINE)
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_ .:/=@,()-]*[A-Za-z0-9_)]|[A-Za-z_]")


class _Dumper(yaml.SafeDumper):
    """Writes plain data; quotes each text that any reader of YAML could take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _represent_text)


def render_lockfile(lockfile: Lockfile) -> str:
    """Return the file's text: the same bytes for the same decisions."""
    document = lockfile.model_dump(mode="json", exclude_defaults=True)
    content = {"lockVersion": lockfile.lockVersion, "decisions": document.get("decisions", {})}
    text: str = yaml.dump(content, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=120)
    return _HEAD + text


def read_lockfile(path: Path) -> Lockfile:
    """Read a lockfile.

    Args:
        path: The file, at most 1 MiB.

    Raises:
        DataError: There is no such file, or it is no lockfile; names the first fault with its line.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        conflict = _CONFLICT.search(content)
        if conflict:
            line = content.count(b"\n", 0, conflict.start()) + 1
            raise DataError(f"{path}:{line}:1: expected a lockfile, found the marks of an unfinished merge. {_MEND}")
        source, problems = read_yaml(content, str(path))
    except OSError as error:
        raise DataError(
            f"{path}: expected a lockfile, found {error.strerror or error}. `nebula lock` makes one."
        ) from None
    except PolicyError as error:
        raise DataError(f"{error.problems[0]}") from None
    if problems:
        raise DataError(f"{min(problems)}")
    try:
        return Lockfile.model_validate_json(json.dumps(source.data))
    except ValidationError as error:
        place, message, is_key, _ = next(describe(error, source.data))
        line, column = source.key_place(place) if is_key else source.place(place)
        where = f" in `{place[1]}`" if len(place) > 1 else ""
        raise DataError(f"{path}:{line}:{column}: not a lockfile of this nebula{where}: {message} {_MEND}") from None


def write_lockfile(path: Path, lockfile: Lockfile) -> bool:
    """Write a lockfile in the place of an earlier one, whole or not at all.

    Returns:
        Whether the text changed.

    Raises:
        DataError: It would be larger than a lockfile may be.
        OSError: The file cannot be written.
    """
    text = render_lockfile(lockfile)
    if len(text.encode()) > MAX_BYTES:
        raise DataError(f"{path}: expected at most {MAX_BYTES} bytes of decisions: split it into several lockfiles.")
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text:
        return False
    try:
        _replace(path, text)
    except OSError as error:
        raise OSError(error.errno, error.strerror or "cannot be written", str(path)) from error
    return True


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
