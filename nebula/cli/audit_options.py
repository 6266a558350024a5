"""What the commands of the audit log share: the log, which of its decisions, and how they are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.output import say
from nebula.errors import DataError

if TYPE_CHECKING:
    from datetime import datetime

    from nebula.audit.query import Query
    from nebula.audit.reading import Entry

__all__ = [
    "Data",
    "Log",
    "LossName",
    "PolicyName",
    "Rule",
    "Since",
    "StatusName",
    "Until",
    "Which",
    "find_one",
    "query",
    "readable",
]

_TOLD = 5
"""Lines without a decision that are told one by one."""
_LONGEST_NUMBER = 7
"""Digits alone are taken for a record's number, up to so many; ids are hexadecimal."""

Log = Annotated[Path, typer.Argument(metavar="LOG", help="The log: its first JSONL file.", show_default=False)]
Which = Annotated[
    str,
    typer.Argument(
        metavar="RECORD", help="`last`, the number of the record, or the first characters of the decision's id."
    ),
]
Rule = Annotated[str | None, typer.Option("--rule", metavar="ID", help="Decided by this rule; `otherwise` for none.")]
LossName = Annotated[str | None, typer.Option("--loss", metavar="LOSS", help="Chose this loss.")]
Data = Annotated[
    str | None,
    typer.Option("--data", metavar="NAME", help="The target's column, or the first digits of its fingerprint."),
]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Decided then or later: ISO 8601, UTC.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Decided before then.")]
PolicyName = Annotated[
    str | None,
    typer.Option("--policy", "-p", metavar="POLICY", help="The policy's name, or first digits of its digest."),
]
StatusName = Annotated[
    str | None, typer.Option("--status", metavar="STATUS", help="decided, provisional or ambiguous.")
]


def query(
    rule: str | None,
    loss: str | None,
    data: str | None,
    since: str | None,
    until: str | None,
    policy: str | None,
    status: str | None,
) -> Query:
    """Return what the options ask of a decision."""
    from nebula.audit.query import Query

    if status not in (None, "decided", "provisional", "ambiguous"):
        raise typer.BadParameter(
            f"expected decided, provisional or ambiguous, found {status!r}.", param_hint="--status"
        )
    return Query(rule, loss, data, _time(since, "--since"), _time(until, "--until"), policy, status)


def _time(text: str | None, option: str) -> datetime | None:
    from nebula.audit.query import parse_time

    try:
        return None if text is None else parse_time(text)
    except ValueError:
        raise typer.BadParameter(
            f"expected a date or time such as 2026-05-31T12:00, found {text!r}.", param_hint=option
        ) from None


def readable(log: Path) -> Iterator[Entry]:
    """Yield the decisions of a log; what cannot be read is told on standard error, the first lines one by one.

    Raises:
        DataError: There is no such log, or the file is none.
    """
    from nebula.audit.reading import Unreadable, read_log

    decisions = faults = 0
    for found in read_log(log):
        if not isinstance(found, Unreadable):
            decisions += 1
            yield found
            continue
        faults += 1
        if faults <= _TOLD:
            say(f"{found.place}: {found.problem}")
    if faults > _TOLD and not decisions:
        raise DataError(f"{log}: expected an audit log, found {faults} lines and no decision among them.")
    if faults > _TOLD:
        say(f"{log}: {faults - _TOLD} more lines give no decision; `nebula audit verify` lists them")


def find_one(log: Path, which: str) -> Entry:
    """Return the decision that is meant.

    Raises:
        BadParameter: There is none, or several.
    """
    entries = list(readable(log))
    found = [entry for entry in entries if str(entry.seq) == which]
    if not (which.isdecimal() and len(which) <= _LONGEST_NUMBER):
        found = found or [entry for entry in entries if entry.trace.id.startswith(which)]
    if which == "last":
        found = entries[-1:]
    if len(found) != 1:
        what = f"{len(found)} that begin like that" if found else "none"
        raise typer.BadParameter(
            f"expected `last`, the number of a decision in {log} or the beginning of one id, found {which!r}: {what}.",
            param_hint="RECORD",
        )
    return found[0]
