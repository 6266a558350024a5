"""`nebula audit list`: the decisions of a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula.cli.audit_options import (
    Data,
    Log,
    LossName,
    PolicyName,
    Rule,
    Since,
    StatusName,
    Until,
    query,
    readable,
)
from nebula.cli.options import Json
from nebula.cli.output import say, show_json, show_table

if TYPE_CHECKING:
    from nebula.audit.reading import Entry

__all__ = ["list_decisions"]


def list_decisions(
    log: Log,
    rule: Rule = None,
    loss: LossName = None,
    data: Data = None,
    since: Since = None,
    until: Until = None,
    policy: PolicyName = None,
    status: StatusName = None,
    json: Json = False,
) -> None:
    """List decisions, oldest first."""
    entries = list(query(rule, loss, data, since, until, policy, status).matching(readable(log)))
    if json:
        show_json([_document(entry) for entry in entries])
        return
    if not entries:
        say(f"no such decision in {log}")
        return
    show_table(("record", "id", "time", "target", "loss", "rule", "status", "policy"), map(_row, entries))


def _document(entry: Entry) -> dict[str, object]:
    trace = entry.trace
    return {
        "record": entry.seq,
        "id": trace.id,
        "time": trace.time,
        "target": trace.profile.target.name,
        "fingerprint": trace.profile.fingerprint,
        "loss": trace.spec.loss if trace.spec else None,
        "rule": trace.rule_id,
        "status": trace.status,
        "policy": trace.policy.model_dump(mode="json"),
        "masked": entry.masked,
    }


def _row(entry: Entry) -> tuple[str, ...]:
    trace = entry.trace
    return (
        "" if entry.seq is None else str(entry.seq),
        trace.id[:12],
        trace.time[:19],
        trace.profile.target.name or "",
        trace.spec.loss if trace.spec else "",
        trace.rule_id or "otherwise",
        trace.status,
        f"{trace.policy.name} {trace.policy.version}",
    )
