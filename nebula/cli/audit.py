"""`nebula audit`: ask the log of decisions."""

from __future__ import annotations

import typer

from nebula.cli.audit_events import list_events
from nebula.cli.audit_export import export
from nebula.cli.audit_list import list_decisions
from nebula.cli.audit_replay import replay
from nebula.cli.audit_show import show
from nebula.cli.audit_verify import verify

__all__ = ["audit"]

audit = typer.Typer(rich_markup_mode=None)
audit.command("list")(list_decisions)
audit.command()(show)
audit.command("events")(list_events)
audit.command()(verify)
audit.command()(replay)
audit.command()(export)
