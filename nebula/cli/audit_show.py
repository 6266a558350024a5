"""`nebula audit show`: one decision of a log, with every rule."""

from __future__ import annotations

from nebula.cli.audit_options import Log, Which, find_one
from nebula.cli.decision_view import show_explanation
from nebula.cli.options import Json
from nebula.cli.output import show_json, show_text

__all__ = ["show"]


def show(log: Log, record: Which = "last", json: Json = False) -> None:
    """Show a decision with every rule and the values it saw; --json writes its whole trace."""
    entry = find_one(log, record)
    if json:
        show_json(entry.trace.to_json(indent=2))
        return
    number = "a trace from before the chain" if entry.seq is None else f"record {entry.seq}"
    show_text(f"{number}, {entry.place}, decided {entry.trace.time}, id {entry.trace.id}")
    for name, digest in entry.masked.items():
        show_text(f"masked: {name}, {digest}")
    show_explanation(entry.trace)
