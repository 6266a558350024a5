"""The append-only log of decisions: one JSON line each, chained by hashes, safe among processes and crashes."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

from nebula.audit.masking import check_masks, mask, mask_event
from nebula.audit.policies import PolicyArchive
from nebula.audit.reading import Entry, Unreadable, read_events, read_log
from nebula.audit.record import MAX_LINE, Kind, Seal, seal_line
from nebula.audit.segments import locked, segment
from nebula.audit.tail import Tail, find_tail
from nebula.decision.drift_event import DriftEvent
from nebula.decision.policy import Policy
from nebula.decision.trace import DecisionTrace
from nebula.errors import DataError

__all__ = ["AuditLog", "Sync", "archive_of"]

_logger = logging.getLogger("nebula")

Sync = Literal["always", "interval", "never"]
_SYNC_SECONDS = 1.0


def archive_of(path: Path) -> PolicyArchive:
    """Return the policies beside a log: `log.policies/` of `log.jsonl`."""
    return PolicyArchive(path.with_name(f"{path.stem}.policies"))


class AuditLog:
    """A log of decisions that shows every later change of it.

    Each record names its number and the hash of the record before it. A writer locks the log, so several processes
    and threads may share one (on Windows a single process at a time). A record torn by a killed writer costs only
    itself, and the next writer leaves a record that tells of it.

    Args:
        path: The JSON Lines file; its folder is made when missing. Further segments stand beside it as
            `name.00001.jsonl`, the policies that decided in `name.policies/`.
        max_bytes: A segment that would grow larger is followed by a new one.
        fsync: When records are forced to the disk: `always` before `append` returns; at an `interval`, at most once
            a second; `never`, the system decides. A killed process loses nothing that was written under any of them.
        mask: Facts to leave out, e.g. `["target.name", "target.unique_values"]`.
        mask_key: Secret for the digests of masked facts.
        on_error: What happens when a record cannot be written: `warn` tells the log of the program and goes on.

    Raises:
        ValueError: An option is out of range, or a mask is no fact.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_bytes: int = 64 << 20,
        fsync: Sync = "interval",
        mask: Collection[str] = (),
        mask_key: bytes = b"",
        on_error: Literal["warn", "raise"] = "raise",
    ) -> None:
        if max_bytes < 1:
            raise ValueError(f"max_bytes: expected at least 1, found {max_bytes}.")
        if fsync not in ("always", "interval", "never"):
            raise ValueError(f"fsync: expected always, interval or never, found {fsync!r}.")
        if len(mask_key) > 64:
            raise ValueError(f"mask_key: expected at most 64 bytes, found {len(mask_key)}.")
        self.path = Path(path)
        self.max_bytes, self.fsync, self.on_error = max_bytes, fsync, on_error
        self.masks, self._mask_key = check_masks(mask), mask_key
        self.policies = archive_of(self.path)
        self._tail: Tail | None = None  # assigned under the log's lock only
        self._synced = 0.0

    def append(self, trace: DecisionTrace, policy: Policy | None = None) -> None:
        """Write one record at the end.

        Args:
            trace: The record.
            policy: The policy that decided, kept beside the log so that the decision can be made again.

        Raises:
            OSError: The log cannot be written, and `on_error` is `raise`.
            DataError: The file holds something else than a log, or the trace is too large, likewise.
        """
        try:
            if policy is not None and policy.digest == trace.policy.digest:
                self.policies.keep(policy)
            self._append("decision", _content(*mask(trace, self.masks, self._mask_key)))
        except (OSError, DataError) as error:
            if self.on_error == "raise":
                raise
            _logger.warning("nebula: the decision %s is not in the audit log %s: %s", trace.id, self.path, error)

    def append_event(self, event: DriftEvent) -> None:
        """Write what the guard noticed as a record of its own; with masks, without the values it saw.

        Args:
            event: The event.

        Raises:
            OSError: The log cannot be written, and `on_error` is `raise`.
            DataError: The file holds something else than a log, likewise.
        """
        try:
            self._append("drift", f'"event":{mask_event(event, self.masks).to_json()}')
        except (OSError, DataError) as error:
            if self.on_error == "raise":
                raise
            _logger.warning("nebula: the event %s is not in the audit log %s: %s", event.id, self.path, error)

    def read(self) -> Iterator[DecisionTrace]:
        """Yield every trace in order; lines that cannot be read are told as warnings and passed over.

        Raises:
            DataError: There is no such log.
        """
        for entry in self.entries():
            yield entry.trace

    def events(self) -> Iterator[DriftEvent]:
        """Yield what the guard noticed, in order.

        Raises:
            DataError: There is no such log.
        """
        yield from read_events(self.path)

    def entries(self) -> Iterator[Entry]:
        """Yield every decision with its place in the log, as `read` does."""
        for found in read_log(self.path):
            if isinstance(found, Unreadable):
                _logger.warning("nebula: %s: %s", found.place, found.problem)
            else:
                yield found

    def _append(self, kind: Kind, content: str) -> None:
        if len(content) > MAX_LINE // 4:
            raise DataError(
                f"{self.path}: expected a trace of at most {MAX_LINE // 4} characters, found {len(content)}."
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.path):
            tail = self._current()
            repair, last = _repair(tail)
            if tail.gap is not None:
                _logger.warning("nebula: %s", _told(segment(self.path, tail.number), tail))
            line, seal = seal_line(last, kind, content)
            number, size = tail.number, tail.size + len(repair)
            if size and size + len(line) > self.max_bytes:
                if repair:
                    self._write(number, tail.size, repair)
                number, size = number + 1, 0
                self._write(number, 0, line)
            else:
                self._write(number, tail.size, repair + line)
            self._tail = Tail(number, size + len(line), seal)

    def _current(self) -> Tail:
        """Return the known end of the log when nobody has written since, else look for it."""
        known = self._tail
        if known is not None and not segment(self.path, known.number + 1).exists():
            file = segment(self.path, known.number)
            if file.exists() and file.stat().st_size == known.size:
                return known
        return find_tail(self.path)

    def _write(self, number: int, size: int, content: bytes) -> None:
        """Append whole or not at all, as far as an error can be told from a crash."""
        file = segment(self.path, number)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            left = memoryview(content)
            try:
                while left:
                    left = left[os.write(descriptor, left) :]
            except OSError as error:
                self._tail = None
                os.ftruncate(descriptor, size)
                raise OSError(error.errno, error.strerror, str(file)) from error
            if self._sync_is_due():
                os.fsync(descriptor)
                if size == 0:
                    _sync_folder(file.parent)
        finally:
            os.close(descriptor)

    def _sync_is_due(self) -> bool:
        if self.fsync != "interval":
            return self.fsync == "always"
        now = time.monotonic()
        due = now - self._synced >= _SYNC_SECONDS
        self._synced = now if due else self._synced
        return due


def _content(trace: DecisionTrace, masked: dict[str, str]) -> str:
    told = f'"masked":{json.dumps(masked, separators=(",", ":"))},' if masked else ""
    return f'{told}"trace":{trace.to_json()}'


def _repair(tail: Tail) -> tuple[bytes, Seal | None]:
    """Return what is written before the next record, and the record that this then follows."""
    closing = b"" if tail.closed else b"\n"
    if tail.gap is None:
        return closing, tail.last
    line, seal = seal_line(tail.last, "gap", f'"gap":{tail.gap.model_dump_json()}')
    return closing + line, seal


def _told(file: Path, tail: Tail) -> str:
    what = {"torn": "a torn record", "unchained": "traces without a chain", "damaged": "lines that are no records"}
    gap = tail.gap
    return f"{file} ends in {what[gap.reason]}, {gap.bytes} bytes: a record tells of it" if gap else ""


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # which has no descriptors of folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
