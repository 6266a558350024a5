"""What the user sees: tables on a terminal, plain lines in a pipe, clean JSON, messages aside."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["on_terminal", "say", "show_json", "show_table", "show_text"]

Rows = Iterable[Sequence[str]]


def on_terminal() -> bool:
    """Say whether a person, not a program, reads standard output."""
    return sys.stdout.isatty()


def say(message: str) -> None:
    """Write a message to standard error, apart from the result."""
    print(f"nebula: {message}", file=sys.stderr)


def show_text(text: str) -> None:
    """Write text to standard output as it is."""
    print(text)


def show_json(document: Any) -> None:
    """Write a document to standard output as JSON; a string is taken for ready JSON."""
    print(document if isinstance(document, str) else json.dumps(document, indent=2, ensure_ascii=False))


def show_table(columns: Sequence[str], rows: Rows, *, title: str = "") -> None:
    """Write rows as a table on a terminal, as aligned lines in a pipe.

    Args:
        columns: Headings; all empty for a table without a head.
        rows: Cells as plain text; markup is not read.
        title: Line above the table, on a terminal.
    """
    if on_terminal():
        _show_rich(columns, rows, title)
    else:
        _show_plain(columns, list(rows))


def _show_rich(columns: Sequence[str], rows: Rows, title: str) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=SIMPLE, show_header=any(columns))
    for position, column in enumerate(columns):
        table.add_column(Text(column), style="bold" if position == 0 else "", no_wrap=position == 0)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(soft_wrap=False).print(table)


def _show_plain(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    lines = [columns, *rows] if any(columns) else rows
    widths = [max((len(line[i]) for line in lines), default=0) for i in range(len(columns))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
