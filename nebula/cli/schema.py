"""`nebula schema`: the JSON schema of what nebula reads and writes."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from nebula.cli.output import say, show_text

__all__ = ["SchemaKind", "schema"]


class SchemaKind(str, Enum):
    """A kind of document that has a schema."""

    policy = "policy"
    trace = "trace"
    audit = "audit"
    why = "why"
    why_not = "why-not"
    drift_event = "drift-event"
    lock = "lock"
    profile = "profile"
    hints = "hints"


Kind = Annotated[SchemaKind, typer.Argument(help="Which document.")]
Folder = Annotated[
    Path | None,
    typer.Option("--write", metavar="DIR", help="Write all schemas into this folder instead.", show_default=False),
]


def schema(kind: Kind = SchemaKind.policy, write: Folder = None) -> None:
    """Print the JSON schema of a kind of document."""
    from nebula.schemas import render, write_schemas

    if write is None:
        show_text(render(kind.value).rstrip("\n"))
        return
    for path in write_schemas(write):
        say(f"wrote {path}")
