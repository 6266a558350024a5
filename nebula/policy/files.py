"""Where policies are found: on disk, or among those that ship with nebula."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from os.path import normpath
from pathlib import Path, PurePath

from nebula.errors import PolicyError, Problem
from nebula.policy.expression.namespace import did_you_mean
from nebula.policy.yaml_reader import MAX_BYTES

__all__ = ["PolicyText", "find_policy", "is_policy", "shipped_policies"]

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_VERSION = re.compile(rb"""apiVersion["']?\s*:\s*["']?nebula/v[0-9]+["']?[\s,}]""")


@dataclass(frozen=True)
class PolicyText:
    """A policy file's content.

    Attributes:
        name: The file as the user named it.
        content: Its bytes, or its text.
        folder: Where its `extends` are looked up.
        identity: The same for the same file, however it was named.
    """

    name: str
    content: bytes | str
    folder: Path
    identity: str


def find_policy(source: str | Path, *, folder: Path | None = None) -> PolicyText:
    """Read a policy by path, else by the name of a shipped one.

    Args:
        source: A path, or a name such as `default.yaml`.
        folder: What a relative path starts from; the working directory when None.

    Returns:
        The file's content.

    Raises:
        PolicyError: There is no such file, or it cannot be read.
    """
    path = Path(source) if folder is None else folder / source
    try:
        if not path.is_file():
            shipped = next((file for file in shipped_policies() if file.name == str(source)), None)
            if shipped is None:
                raise _error(source, _not_found(source, path))
            path = shipped
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except PolicyError:
        raise
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        raise _error(source, f"expected a readable policy file, found {error}.") from None
    name = str(source) if folder is None or not (folder / source).is_file() else normpath(path)
    return PolicyText(name, content, path.parent, str(path.resolve()))


def shipped_policies() -> Iterator[Path]:
    """Yield the policies that come with nebula, by name."""
    package = Path(str(files("nebula")))
    for folder in (package / "shipped" / "policies", package.parent / "policies"):
        if folder.is_dir():
            yield from sorted(file for file in folder.glob("*.yaml") if file.is_file())
            return


def is_policy(content: bytes | str) -> bool:
    """Say whether a file names a version of this format, without reading it as YAML.

    Args:
        content: Its bytes or its text.
    """
    data = content.encode(errors="replace") if isinstance(content, str) else content
    return _VERSION.search(data + b"\n") is not None


def _not_found(source: str | Path, path: Path) -> str:
    named = str(source)
    if path.exists():
        return "expected a policy file, found something that is no file."
    if path.is_symlink():
        return "expected a policy file, found a link that leads to no file: mend the link."
    if _URL.match(named):
        return "expected a policy file, found a URL: nothing is fetched, so download it and name the file."
    if named == "-":
        return "expected a policy file, found `-`: name the file, or `/dev/stdin` where the system has it."
    names = {file.stem: file.name for file in shipped_policies()}
    near = did_you_mean(PurePath(named).stem, {**names}).replace("`?", ".yaml`?")
    guess = near or f" Shipped: {', '.join(names.values()) or 'none'}."
    where = f" in `{path.parent}`" if path.parent != Path() else ""
    slashes = " Write `/` between folders." if "\\" in named and os.sep == "/" else ""
    return f"expected a policy file or the name of a shipped policy, found no such file{where}.{slashes or guess}"


def _error(source: str | Path, message: str) -> PolicyError:
    return PolicyError([Problem(str(source), 0, 0, message, "NEB-P001")])
