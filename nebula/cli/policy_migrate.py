"""`nebula policy migrate`: policy files from an earlier version of the format to the present one."""

from __future__ import annotations

import typer

from nebula.cli.exit_codes import ExitCode
from nebula.cli.output import say, show_text
from nebula.cli.policy_fmt import Check, PolicyPaths, read_policy, replace_file

__all__ = ["migrate"]


def migrate(files: PolicyPaths, check: Check = False) -> None:
    """Bring policy files up to the present version of the format. Comments and layout stay.

    There is one version, `nebula/v1`: a file without `apiVersion` gets it. A version that this
    nebula does not know is refused, and no file is changed then.
    """
    from nebula.policy.migration import migrate_policy

    migrated = [(path, migrate_policy(read_policy(path), str(path))) for path in files]
    changed = 0
    for path, found in migrated:
        *earlier, present = found.versions
        if not earlier:
            show_text(f"{path}: already {present}")
            continue
        changed += 1
        steps = " -> ".join(version or "no version" for version in found.versions)
        show_text(f"{path}: {'would be' if check else 'is'} migrated: {steps}")
        if not check:
            replace_file(path, found.text)
    say(f"{changed} of {len(files)} files {'would change' if check else 'changed'}")
    if check and changed:
        raise typer.Exit(ExitCode.POLICY)
