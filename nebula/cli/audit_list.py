"""`nebula audit list`: the decisions of a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
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
    """List decisions in the order they were written.

    Policies of one name and version that say something else are told apart by their digests.
    """
    entries = list(query(rule, loss, data, since, until, policy, status).matching(readable(log)))
    if json:
        show_json([_document(entry) for entry in entries])
        return
    if not entries:
        say(f"no such decision in {log}")
        return
    show_table(
        ("record", "id", "time", "target", "loss", "rule", "status", "policy"), map(_row, entries, _policies(entries))
    )


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


def _policies(entries: list[Entry]) -> Iterator[str]:
    """Yield each entry's policy as the table names it."""
    made = [entry.trace.policy for entry in entries]
    contents = Counter((name, version) for name, version, _ in {(one.name, one.version, one.digest) for one in made})
    for one in made:
        digest = f" {one.digest.partition(':')[2][:8]}" if contents[one.name, one.version] > 1 else ""
        yield f"{one.name} {one.version}{digest}"


def _row(entry: Entry, policy: str) -> tuple[str, ...]:
    trace = entry.trace
    return (
        "" if entry.seq is None else str(entry.seq),
        trace.id[:12],
        trace.time[:19],
        trace.profile.target.name or "",
        trace.spec.loss if trace.spec else "",
        trace.rule_id or "otherwise",
        trace.status,
        policy,
    )
