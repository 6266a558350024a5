"""`nebula audit verify`: is the log as it was written?"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.audit_options import Log
from nebula.cli.exit_codes import ExitCode
from nebula.cli.options import Json
from nebula.cli.output import show_json, show_text
from nebula.cli.progress import show_progress

if TYPE_CHECKING:
    from nebula.audit.verification import Verification

__all__ = ["verify"]

Expect = Annotated[
    str | None,
    typer.Option(
        "--expect",
        metavar="NUMBER:HASH",
        help="A record that must be there, as an earlier run named the last one.",
        show_default=False,
    ),
]


def verify(log: Log, expect: Expect = None, json: Json = False) -> None:
    """Find every edit, removal and change of order, and tell torn records apart.

    Exit status 7 when the log is not as it was written, 8 when it only ends in a torn record.
    A log cut off between two records is whole in itself: keep the head that is shown and name it with --expect.
    """
    from nebula.audit.verification import verify_log

    expected = _expected(expect)
    with show_progress(f"checking {log}", "records") as advance:
        found = verify_log(log, expected=expected, advance=advance)
    if json:
        show_json(found.model_dump_json(indent=2))
    else:
        _show(found)
    if not found.intact:
        raise typer.Exit(ExitCode.FINDINGS)
    if found.open_tail:
        raise typer.Exit(ExitCode.TORN)


def _expected(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,17}):([0-9a-f]{8,64})", text)
    if match is None:
        raise typer.BadParameter(f"expected NUMBER:HASH with 8 digits at least, found {text!r}.", param_hint="--expect")
    return int(match[1]), match[2]


def _show(found: Verification) -> None:
    for finding in (*found.findings, *found.tears):
        show_text(f"{finding.place}: {finding.what}: {finding.text}")
    files = "1 segment" if found.segments == 1 else f"{found.segments} segments"
    faults = len(found.findings)
    verdict = "intact" if found.intact else "1 finding" if faults == 1 else f"{faults} findings"
    counts = Counter(tear.what for tear in found.tears)
    torn = "".join(f", {counts[what]} {what}" for what in counts)
    records = "1 record" if found.records == 1 else f"{found.records} records"
    show_text(f"{verdict}: {records} in {files}{torn}")
    if found.head:
        show_text(f"head {found.last}:{found.head}")
