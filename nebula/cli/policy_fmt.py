"""`nebula policy fmt`: one canonical form for policy files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from nebula.cli.exit_codes import ExitCode
from nebula.cli.output import say, show_text

__all__ = ["Check", "PolicyPaths", "fmt", "read_policy", "replace_file"]

PolicyPaths = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Policy files, rewritten in place.", show_default=False)
]
Check = Annotated[bool, typer.Option("--check", help="Change nothing; name the files that would change.")]


def fmt(files: PolicyPaths, check: Check = False) -> None:
    """Put policy files into canonical form: key order, indentation, spacing. Comments stay."""
    from nebula.policy.formatting import format_policy

    changed = 0
    for path in files:
        before = read_policy(path)
        after = format_policy(before, str(path))
        if after == before:
            continue
        changed += 1
        show_text(f"{path}: {'would be' if check else 'is'} formatted")
        if not check:
            replace_file(path, after)
    say(f"{changed} of {len(files)} files {'would change' if check else 'changed'}")
    if check and changed:
        raise typer.Exit(ExitCode.POLICY)


def read_policy(path: Path) -> str:
    """Return the text of a policy file that is to be rewritten.

    Raises:
        typer.BadParameter: There is no such file; a shipped policy is not meant.
        PolicyError: It cannot be read, or is not YAML in UTF-8.
    """
    from nebula.policy.files import find_policy
    from nebula.policy.yaml_reader import read_yaml

    if not path.is_file():
        raise typer.BadParameter(f"expected a policy file, found no file at {path}.", param_hint="FILE")
    source, _ = read_yaml(find_policy(path).content, str(path))
    return source.text


def replace_file(path: Path, text: str) -> None:
    """Write the file so that a reader sees the old text or the new one, never a part."""
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8", newline="")
        fresh.chmod(target.stat().st_mode)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
