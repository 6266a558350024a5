"""`nebula audit replay`: decide again, and compare."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.audit_options import (
    Data,
    Log,
    LossName,
    PolicyName,
    Rule,
    Since,
    StatusName,
    Until,
    find_one,
    query,
    readable,
)
from nebula.cli.exit_codes import ExitCode
from nebula.cli.options import Json
from nebula.cli.output import show_json, show_text
from nebula.cli.progress import show_progress

if TYPE_CHECKING:
    from nebula.audit.replay import Replayed

__all__ = ["replay"]

_ALL = "all"
_Some = Annotated[
    str, typer.Argument(metavar="RECORD", help="One decision: `last`, its number or the beginning of its id.")
]


def replay(
    log: Log,
    record: _Some = _ALL,
    rule: Rule = None,
    loss: LossName = None,
    data: Data = None,
    since: Since = None,
    until: Until = None,
    policy: PolicyName = None,
    status: StatusName = None,
    json: Json = False,
) -> None:
    """Decide again from the stored profiles by the stored policies, and compare byte for byte.

    Versions of libraries may differ and are told. Exit status 7 when a decision comes out otherwise, or cannot be
    made again.
    """
    from nebula.audit.replay import replay as decide_again

    asked = query(rule, loss, data, since, until, policy, status)
    entries = readable(log) if record == _ALL else iter([find_one(log, record)])
    found = []
    with show_progress(f"replaying {log}", "decisions") as advance:
        for one in decide_again(log, asked.matching(entries)):
            found.append(one)
            if advance is not None:
                advance(1)
    if json:
        show_json([one.model_dump(mode="json") for one in found])
    else:
        _show(found)
    if any(one.outcome not in ("same", "masked") for one in found):
        raise typer.Exit(ExitCode.FINDINGS)


def _show(found: list[Replayed]) -> None:
    for one in found:
        if one.outcome == "same":
            continue
        loss = one.loss or "no loss"
        if one.loss != one.loss_now and (one.outcome == "differs" or one.loss_now):
            loss += f" -> {one.loss_now or 'no loss'}"
        show_text(f"{one.outcome}: {f'record {one.seq}' if one.seq else one.id[:12]}, {loss}")
        for difference in one.differences:
            show_text(f"  {difference}")
        for name, (then, now) in one.versions.items():
            show_text(f"  {name}: {then or 'none'} then, {now or 'none'} now")
    counts = Counter(one.outcome for one in found)
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    decisions = "1 decision" if len(found) == 1 else f"{len(found)} decisions"
    show_text(f"{decisions} replayed{f': {told}' if told else ''}")
    changed = dict.fromkeys(
        f"{name} {then or 'none'} -> {now or 'none'}" for one in found for name, (then, now) in one.versions.items()
    )
    if changed:
        show_text(f"changed since: {', '.join(changed)}")
