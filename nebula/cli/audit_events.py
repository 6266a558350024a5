"""`nebula audit events`: what the guard noticed after the decisions of a log."""

from __future__ import annotations

from nebula.cli.audit_options import Log
from nebula.cli.options import Json
from nebula.cli.output import say, show_json, show_table

__all__ = ["list_events"]


def list_events(log: Log, json: Json = False) -> None:
    """List what the drift guard noticed, oldest first."""
    from nebula.audit.reading import read_events

    events = list(read_events(log))
    if json:
        show_json([event.model_dump(mode="json") for event in events])
        return
    if not events:
        say(f"no drift in {log}")
        return
    rows = ((e.time[:19], e.decision[:12], e.kind, e.loss or "", e.outcome, e.found) for e in events)
    show_table(("time", "decision", "kind", "loss", "outcome", "found"), rows)
