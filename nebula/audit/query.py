"""Which decisions are meant: by rule, loss, data, time, policy or status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from nebula.audit.reading import Entry

__all__ = ["Query", "parse_time"]


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 date or time; UTC where it names no zone.

    Raises:
        ValueError: It is none.
    """
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Query:
    """What every decision must meet; None asks nothing.

    Attributes:
        rule: Id of the rule that fired; `otherwise` for none.
        loss: Name of the loss.
        data: Column name of the target, or the beginning of its fingerprint (with or without its scheme).
        since: Decided at this time or later.
        until: Decided before this time.
        policy: Name of the policy, or the beginning of its digest (with or without its scheme).
        status: `decided`, `provisional` or `ambiguous`.
    """

    rule: str | None = None
    loss: str | None = None
    data: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    policy: str | None = None
    status: str | None = None

    def matching(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield the decisions that meet all."""
        return (entry for entry in entries if self.matches(entry))

    def matches(self, entry: Entry) -> bool:
        """Say whether a decision meets all."""
        trace = entry.trace
        return (
            (self.rule is None or (trace.rule_id or "otherwise") == self.rule)
            and (self.loss is None or (trace.spec.loss if trace.spec else None) == self.loss)
            and (self.status is None or trace.status == self.status)
            and _names(self.data, trace.profile.target.name, trace.profile.fingerprint)
            and _names(self.policy, trace.policy.name, trace.policy.digest)
            and self._in_time(trace.time)
        )

    def _in_time(self, time: str) -> bool:
        if self.since is None and self.until is None:
            return True
        try:
            at = parse_time(time)
        except ValueError:
            return False
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


def _names(asked: str | None, name: str | None, digest: str | None) -> bool:
    if asked is None or asked == name:
        return True
    return digest is not None and (digest.startswith(asked) or digest.partition(":")[2].startswith(asked))
