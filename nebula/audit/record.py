"""One line of the log: what it says, sealed by a hash that the next line repeats."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from hashlib import blake2b
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from nebula.decision.drift_event import DriftEvent
from nebula.decision.trace import DecisionTrace

__all__ = ["GENESIS", "MAX_LINE", "AuditRecord", "Gap", "Seal", "digest", "is_torn", "seal_line", "sealed_by"]

GENESIS = "0" * 64
"""What the first record names as the hash before it."""

MAX_LINE = 1 << 24
"""Longest line that is read, in bytes."""

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Reason = Literal["torn", "unchained", "damaged"]
Kind = Literal["decision", "gap", "drift"]

_HEAD = re.compile(rb'\{"seq":([1-9][0-9]{0,17}),"prev":"([0-9a-f]{64})","kind":"(decision|gap|drift)",')
_TAIL = re.compile(rb',"hash":"([0-9a-f]{64})"\}\Z')
_END = re.compile(rb'[0-9a-f]{64}"\}\Z|,"hash":"(?![0-9a-f]{0,64}"?\Z)')
"""What only a line that was written to its end, or changed near it, shows."""
_TAIL_SIZE = 75


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Gap(_Value):
    """What stands between two records and is none, told by the writer that found it."""

    reason: Reason = Field(
        description="`torn`: a writer was stopped; `unchained`: traces from before the chain; `damaged`: anything else."
    )
    digest: Hash = Field(description="BLAKE2b-256 of what stands there, line ends included.")
    bytes: Annotated[int, Field(ge=1)] = Field(description="How many bytes that is.")


class AuditRecord(_Value):
    """One line of the audit log. `hash` covers every byte of the line before `,"hash"`."""

    seq: Annotated[int, Field(ge=1)] = Field(description="Number of the record, from 1 on, across segments.")
    prev: Hash = Field(description="`hash` of the record before; 64 zeros in the first.")
    kind: Kind
    time: str = Field(description="When it was written: UTC, ISO 8601.")
    masked: dict[str, str] = Field(
        default_factory=dict, description="Facts left out of the trace, with the digest of what they were."
    )
    trace: DecisionTrace | None = Field(None, description="Of a decision.")
    gap: Gap | None = Field(None, description="Of a gap.")
    event: DriftEvent | None = Field(None, description="Of drift: what the guard noticed after a decision.")
    hash: Hash = Field(description="BLAKE2b-256 of the line before this member.")


class Seal(NamedTuple):
    """What chains a record to its neighbours.

    Attributes:
        seq: Number of the record.
        prev: Hash of the record before.
        kind: `decision`, `gap` or `drift`.
        hash: Its own.
    """

    seq: int
    prev: str
    kind: str
    hash: str


def digest(content: bytes) -> str:
    """Return BLAKE2b-256 as 64 hexadecimal digits."""
    return blake2b(content, digest_size=32).hexdigest()


def seal_line(after: Seal | None, kind: Kind, content: str) -> tuple[bytes, Seal]:
    """Write one line that follows a record.

    Args:
        after: The last record; None for the first line of a log.
        kind: What the line holds.
        content: Its own members as JSON, without braces.

    Returns:
        The line with its line end, and its seal.
    """
    seq, prev = (after.seq + 1, after.hash) if after else (1, GENESIS)
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    body = f'{{"seq":{seq},"prev":"{prev}","kind":"{kind}","time":"{now}",{content}'.encode()
    own = digest(body)
    return body + f',"hash":"{own}"}}\n'.encode(), Seal(seq, prev, kind, own)


def sealed_by(line: bytes) -> Seal | None:
    """Return the seal of a line without its line end; None when the line is no record or was changed."""
    head, tail = _HEAD.match(line), _TAIL.search(line)
    if head is None or tail is None or digest(line[: tail.start()]) != tail[1].decode():
        return None
    return Seal(int(head[1]), head[2].decode(), head[3].decode(), tail[1].decode())


def is_torn(line: bytes, after: Seal | None) -> bool:
    """Say whether a line is the beginning of the record that follows `after`, and no more than that."""
    seq, prev = (after.seq + 1, after.hash) if after else (1, GENESIS)
    start = f'{{"seq":{seq},"prev":"{prev}","kind":"'.encode()
    return line[: len(start)] == start[: len(line)] and not _END.search(line, max(0, len(line) - _TAIL_SIZE - 1))
