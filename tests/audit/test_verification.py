"""Whatever is done to a log is found, with the number of the record; a torn end is told apart."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.audit.record import seal_line
from nebula.audit.verification import Verification, verify_log
from nebula.errors import DataError
from tests.audit.samples import SMALL, decide, files, written

LONG = 12


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of a sound log of twelve records."""
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    written(path, LONG)
    return path.read_bytes().splitlines(keepends=True)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch") / "log.jsonl"


def verified(path: Path, *content: bytes, **options: Any) -> Verification:
    path.write_bytes(b"".join(content))
    return verify_log(path, **options)


def found(result: Verification) -> list[tuple[str, int | None]]:
    return [(finding.what, finding.record) for finding in result.findings]


def test_a_sound_log_is_intact(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl", LONG, max_bytes=9000)
    counted: list[int] = []
    result = verify_log(log.path, advance=counted.append)
    assert result.intact
    assert counted == [1] * LONG
    assert (result.records, result.last, result.segments) == (LONG, LONG, len(files(log.path)))
    assert result.segments > 2
    assert not result.tears


def test_every_flipped_byte_is_found_at_its_record(lines: list[bytes], scratch: Path) -> None:
    whole, middle = bytearray(b"".join(lines[:2])), len(lines[0])
    for position, byte in enumerate(whole):
        whole[position] = changed = byte ^ (position % 255 + 1)
        result = verified(scratch, whole)
        whole[position] = byte
        told = found(result)
        assert told[:1] == [("changed", 1 if position < middle else 2)], position
        assert not result.tears
        assert len(told) == 1 or changed == ord("\n"), position  # which makes two lines of one


@given(data=st.data())
def test_removed_records_are_named(data: st.DataObject, lines: list[bytes], scratch: Path) -> None:
    last = data.draw(st.integers(2, LONG), label="last record kept")
    gone = data.draw(st.sets(st.integers(1, last - 1), min_size=1), label="gone")
    result = verified(scratch, *(line for number, line in enumerate(lines[:last], 1) if number not in gone))
    starts = [number for number in sorted(gone) if number - 1 not in gone]
    assert found(result) == [("missing", number) for number in starts]
    assert result.last == last


@given(st.permutations(range(LONG)))
def test_another_order_is_found(lines: list[bytes], scratch: Path, order: list[int]) -> None:
    result = verified(scratch, *(lines[index] for index in order))
    late = [index + 1 for place, index in enumerate(order) if index < max(order[:place], default=-1)]
    assert [number for what, number in found(result) if what == "misplaced"] == late
    assert {what for what, _ in found(result)} <= {"misplaced"}
    assert result.intact == (order == list(range(LONG)))


@given(st.integers(1, LONG), st.integers(0, LONG))
def test_a_repeated_record_is_found(lines: list[bytes], scratch: Path, number: int, place: int) -> None:
    content = [*lines[:place], lines[number - 1], *lines[place:]]
    assert [record for _, record in found(verified(scratch, *content))] == [number] if place >= number else True
    assert not verify_log(scratch).intact


@given(st.lists(st.integers(1, LONG - 1), min_size=1, unique=True), st.data())
def test_edited_records_are_named(lines: list[bytes], scratch: Path, edited: list[int], data: st.DataObject) -> None:
    content = list(lines)
    for number in edited:
        line = content[number - 1]
        position = data.draw(st.integers(100, len(line) - 100))
        content[number - 1] = line[:position] + b"#" + line[position:]
    assert found(verified(scratch, *content)) == [("changed", number) for number in sorted(edited)]


def test_an_edit_with_a_new_hash_breaks_the_chain(lines: list[bytes], scratch: Path) -> None:
    from nebula.audit.record import sealed_by

    before, old = sealed_by(lines[3][:-1]), sealed_by(lines[4][:-1])
    assert before
    assert old
    body = lines[4].partition(b'"time":')[2].partition(b",")[2].rpartition(b',"hash"')[0].decode()
    forged, seal = seal_line(before, "decision", body.replace("MSELoss", "L1Loss"))
    assert seal.seq == old.seq
    result = verified(scratch, *lines[:4], forged, *lines[5:])
    assert found(result) == [("misplaced", 6)]
    assert "not written after" in result.findings[0].text


def test_a_foreign_line_is_found(lines: list[bytes], scratch: Path) -> None:
    result = verified(scratch, *lines[:4], b"hello\n", *lines[4:])
    assert found(result) == [("changed", None)]
    assert result.findings[0].place.endswith(":5")


def test_a_log_cut_between_records_shows_against_an_earlier_head(lines: list[bytes], scratch: Path) -> None:
    whole = verified(scratch, *lines)
    assert whole.head
    cut = verified(scratch, *lines[:7])
    assert cut.intact
    assert found(verify_log(scratch, expected=(LONG, whole.head))) == [("unexpected", LONG)]
    assert verified(scratch, *lines, expected=(LONG, whole.head[:8])).intact


@pytest.mark.parametrize("kept", ["every 31st byte", "the last 90 bytes"])
def test_a_torn_end_is_told_and_repaired_by_the_next_writer(
    lines: list[bytes], tmp_path: Path, kept: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, size = tmp_path / "log.jsonl", len(lines[2])
    for left in range(1, size - 1, 31) if kept == "every 31st byte" else range(size - 90, size - 1):
        torn = verified(path, *lines[:2], lines[2][:left])
        assert torn.intact
        assert torn.open_tail
        assert [(tear.what, tear.record) for tear in torn.tears] == [("torn", 3)]
        written(path, 0).append(decide(9).trace, SMALL)
        mended = verify_log(path)
        assert mended.intact
        assert not mended.open_tail
        assert [(tear.what, tear.record) for tear in mended.tears] == [("torn", 3)], left
        assert (mended.records, mended.last) == (4, 4)  # two, the one that tells, the new one
        assert [trace.profile.target.n_unique for trace in written(path, 0).read()] == [1, 2, 9]
    assert "a torn record" in caplog.text


def test_a_writer_stopped_while_it_repairs_is_told_as_well(lines: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    torn = b"".join(lines[:2]) + lines[2][:200]
    path.write_bytes(torn)
    written(path, 0).append(decide(9).trace, SMALL)
    repaired = path.read_bytes()
    for size in range(len(torn), len(repaired), 9):
        path.write_bytes(repaired[:size])
        written(path, 0).append(decide(9).trace, SMALL)
        result = verify_log(path)
        assert result.intact, size
        assert result.tears, size
        assert [trace.profile.target.n_unique for trace in written(path, 0).read()] == [1, 2, 9]


def test_a_record_without_its_line_end_is_whole(lines: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    result = verified(path, *lines[:2], lines[2][:-1])
    assert result.intact
    assert result.open_tail
    written(path, 0).append(decide(9).trace, SMALL)
    assert verify_log(path).records == 4


def test_an_edited_last_record_is_not_taken_for_torn_by_the_next_writer(lines: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join([*lines[:2], lines[2].replace(b"MSELoss", b"L1LossX")]))
    written(path, 0).append(decide(9).trace, SMALL)
    assert found(verify_log(path)) == [("changed", None)]


def test_what_a_gap_tells_of_is_checked(lines: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join(lines[:2]) + lines[2][:200])
    written(path, 0).append(decide(9).trace, SMALL)
    content = bytearray(path.read_bytes())
    content[sum(map(len, lines[:2])) + 100] ^= 1
    assert found(verified(path, content)) == [("changed", 3)]


def test_a_removed_segment_is_found(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl", LONG, max_bytes=9000)
    for removed in files(log.path)[:-1]:
        kept = removed.with_name("kept")
        shutil.move(removed, kept)
        assert {what for what, _ in found(verify_log(log.path))} == {"missing"}
        shutil.move(kept, removed)


def test_numbers_out_of_all_bounds_cost_nothing(lines: list[bytes], scratch: Path) -> None:
    from nebula.audit.record import Seal

    line, _ = seal_line(Seal(10**17, "0" * 64, "decision", "0" * 64), "gap", '"masked":{}')
    result = verified(scratch, *lines[:2], line)
    assert found(result) == [("missing", 3)]
    assert "records 3 to 100000000000000000" in result.findings[0].text


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found no such file"):
        verify_log(tmp_path / "none.jsonl")
    other = tmp_path / "other.jsonl"
    other.write_text("not a log\n")
    assert not verify_log(other).intact
    with pytest.raises(DataError, match="write to another file"):
        written(other, 1)
    assert other.read_text() == "not a log\n"
