"""Is the log as it was written? Every record against its own hash, its number and the record before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nebula.audit.numbering import Numbering
from nebula.audit.record import GENESIS, MAX_LINE, AuditRecord, Gap, Seal, digest, is_torn, sealed_by
from nebula.audit.segments import Line, locked, read_lines, segment, segments
from nebula.audit.tail import judge_gap
from nebula.errors import DataError

__all__ = ["Finding", "Verification", "verify_log"]

What = Literal["changed", "missing", "misplaced", "torn", "unchained", "unexpected"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Value):
    """One place where the log is not as it was written, or was not written to the end."""

    what: What
    record: int | None = Field(None, description="Number of the record at fault, or of the first one.")
    place: str = Field(description="`file:line`.")
    text: str = Field(description="What was expected and found, as a sentence.")


class Verification(_Value):
    """What came of reading a whole log."""

    records: int = Field(description="Records whose own hash is right, gaps included.")
    segments: int
    last: int = Field(description="Number of the last record; 0 when there is none.")
    head: str | None = Field(description="Hash of the last record: kept elsewhere, it shows a log cut short later.")
    findings: tuple[Finding, ...] = Field(description="Edits, removals and changes of order.")
    tears: tuple[Finding, ...] = Field(description="Records that a stopped writer left torn, and told traces.")
    open_tail: bool = Field(description="The log ends in a torn record that no writer has told of yet.")

    @property
    def intact(self) -> bool:
        """Nothing was changed, removed or moved."""
        return not self.findings


def verify_log(
    path: Path, *, expected: tuple[int, str] | None = None, advance: Callable[[int], None] | None = None
) -> Verification:
    """Check every byte of a log.

    Args:
        path: The first segment.
        expected: Number and hash (or its first digits) of a record that was seen earlier: a log that was cut short
            or written anew does not have it.
        advance: Is told 1 for every record.

    Raises:
        DataError: There is no such log, or it cannot be read.
    """
    try:
        ends = _ends(path)
        if not ends:
            raise DataError(f"{path}: expected an audit log, found no such file.")
        checker = _Checker(advance)
        for number, end in ends.items():
            checker.read(segment(path, number), end)
        return checker.result(path, len(ends), expected)
    except OSError as error:
        raise DataError(f"{path}: expected an audit log: {error}.") from None


def _ends(path: Path) -> dict[int, int]:
    """Return each segment's size at a moment when nobody writes."""
    if not path.exists():
        return {number: segment(path, number).stat().st_size for number in segments(path)}
    with locked(path, shared=True):
        return {number: segment(path, number).stat().st_size for number in segments(path)}


class _Checker:
    def __init__(self, advance: Callable[[int], None] | None) -> None:
        self._advance = advance
        self.last: Seal | None = None
        self.numbering = Numbering()
        self.found: list[tuple[int, Finding]] = []  # with how many lines had been read
        self.tears: list[Finding] = []
        self._hashes: dict[int, str] = {}
        self._loose: list[Line] = []
        self._open = False
        self._lines = 0

    def read(self, file: Path, end: int) -> None:
        """Check one segment."""
        for line in read_lines(file, until=end, longest=MAX_LINE):
            self._lines += 1
            seal = sealed_by(line.content)
            if seal is None:
                self._loose.append(line)
                continue
            self._settle(line, seal)
            self._follow(line, seal)
            if self._advance is not None:
                self._advance(1)
            if not line.closed:
                self._open = True
                self._tear("torn", seal.seq, line, "the record is whole, but its line was not ended")

    def result(self, path: Path, count: int, expected: tuple[int, str] | None) -> Verification:
        """Close the books."""
        open_tail = bool(self._loose) and all(is_torn(line.content, self.last) for line in self._loose)
        if open_tail:
            size = sum(line.end - line.start for line in self._loose)
            number = self.last.seq + 1 if self.last else 1
            text = f"the log ends in {size} bytes of a record that was not finished"
            self._tear("torn", number, self._loose[0], text)
        else:
            self._account(None)
        for at, place, numbers in self.numbering.missing:
            text = f"record {numbers[0]} is" if len(numbers) == 1 else f"records {numbers[0]} to {numbers[-1]} are"
            finding = Finding(what="missing", record=numbers[0], place=place, text=f"{text} not in the log")
            self.found.append((at, finding))
        if expected is not None:
            self._expect(path, *expected)
        return Verification(
            records=len(self._hashes),
            segments=count,
            last=self.last.seq if self.last else 0,
            head=self.last.hash if self.last else None,
            findings=tuple(finding for _, finding in sorted(self.found, key=lambda pair: pair[0])),
            tears=tuple(self.tears),
            open_tail=open_tail or self._open,
        )

    def _follow(self, line: Line, seal: Seal) -> None:
        before = GENESIS if seal.seq == 1 else self._hashes.get(seal.seq - 1)
        if seal.seq <= self.numbering.highest:
            text = f"record {seal.seq} stands after record {self.numbering.highest}"
            self._find("misplaced", seal.seq, line, text)
            self.numbering.come_late(seal.seq)
        elif before is not None and seal.prev != before:
            text = f"record {seal.seq} was not written after the record that stands before it"
            self._find("misplaced", seal.seq, line, text)
        self.numbering.come(seal.seq)
        self._hashes.setdefault(seal.seq, seal.hash)
        self.last = seal

    def _settle(self, line: Line, seal: Seal) -> None:
        """Compare what stands before a record with what the record tells of it."""
        gap = _gap(line) if seal.kind == "gap" else None
        if gap is None:
            self._account((line, seal))
            return
        loose = [one.content for one in self._loose]
        content = b"".join(one + b"\n" for one in loose)
        told = len(content) == gap.bytes and digest(content) == gap.digest
        if not told or judge_gap(loose, self.last) != gap.reason:
            text = f"record {seal.seq} tells of {gap.bytes} bytes that are not before it"
            self._find("changed", seal.seq, line, text)
        elif gap.reason == "damaged":
            self._account((line, seal))
        else:
            what = "traces from before the chain" if gap.reason == "unchained" else "a record that was not finished"
            text = f"{gap.bytes} bytes of {what}, as record {seal.seq} tells"
            self._tear(gap.reason, seal.seq, self._loose[0], text)
        self._loose = []

    def _account(self, following: tuple[Line, Seal] | None) -> None:
        """Tell which records the lines without a seal stood for; the rest before the next record is missing."""
        if self.last is None:
            self._tell_unchained()
        place, upto = (following[0].place, following[1].seq) if following else ("", None)
        numbers = self.numbering.assign([line.content for line in self._loose], upto, self._lines, place)
        for line, number in zip(self._loose, numbers, strict=True):
            text = f"expected no line after record {self.numbering.highest}, found one without a right hash"
            if number is not None:
                text = f"record {number} does not match its hash"
            self._find("changed", number, line, text)
        self._loose = []

    def _tell_unchained(self) -> None:
        traces = [line for line in self._loose if line.content.startswith(b'{"trace_version"')]
        if traces:
            text = f"{len(traces)} traces without a chain, as older versions wrote them"
            self._find("unchained", None, traces[0], text)
            self._loose = [line for line in self._loose if line not in traces]

    def _expect(self, path: Path, number: int, own: str) -> None:
        found = self._hashes.get(number)
        if found is None or not found.startswith(own):
            text = f"expected record {number} with the hash {own}, found {found or 'no such record'}"
            self.found.append((self._lines, Finding(what="unexpected", record=number, place=str(path), text=text)))

    def _find(self, what: What, record: int | None, line: Line, text: str) -> None:
        self.found.append((self._lines, Finding(what=what, record=record, place=line.place, text=text)))

    def _tear(self, what: Literal["torn", "unchained"], record: int, line: Line, text: str) -> None:
        self.tears.append(Finding(what=what, record=record, place=line.place, text=text))


def _gap(line: Line) -> Gap | None:
    try:
        return AuditRecord.model_validate_json(line.content).gap
    except ValidationError:
        return None
