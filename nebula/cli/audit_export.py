"""`nebula audit export`: one decision as a page for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nebula.cli.audit_options import Log, Which, find_one
from nebula.cli.output import show_text

__all__ = ["export"]

Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE.html", help="Where to write it; standard output when left out."),
]


def export(log: Log, record: Which = "last", out: Out = None) -> None:
    """Write a decision as one HTML file: the choice, the data, every rule and its margins, why not another loss."""
    from nebula.audit.html.page import decision_page
    from nebula.page.document import write_page

    entry = find_one(log, record)
    if out is None:
        show_text(decision_page(entry).rstrip())
        return
    write_page(decision_page(entry), out)
    show_text(f"written: {out}")
