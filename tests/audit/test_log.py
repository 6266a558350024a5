"""What is appended is read back: across segments, older files, masks, and storage that fails."""

from __future__ import annotations

import copy
import json
import os
import pickle
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import nebula
from nebula.audit.log import AuditLog, Sync
from nebula.audit.verification import verify_log
from nebula.errors import DataError
from nebula.schemas import SCHEMAS
from tests.audit.samples import SMALL, decide, files, written


@pytest.mark.parametrize("fsync", ["always", "interval", "never"])
def test_what_is_appended_is_read_back_in_order(tmp_path: Path, fsync: Sync) -> None:
    log = AuditLog(tmp_path / "deep" / "log.jsonl", fsync=fsync)
    traces = [decide(number).trace for number in range(1, 6)]
    for trace in traces:
        log.append(trace)
    assert list(log.read()) == traces
    assert [entry.seq for entry in AuditLog(log.path).entries()] == [1, 2, 3, 4, 5]


def test_segments_are_bounded_and_one_chain(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl", 12, max_bytes=9000)
    sizes = [file.stat().st_size for file in files(log.path)]
    assert max(sizes) <= 9000
    assert [file.name for file in files(log.path)][:2] == ["log.jsonl", "log.00001.jsonl"]
    assert [trace.profile.target.n_unique for trace in log.read()] == list(range(1, 13))
    AuditLog(log.path, max_bytes=9000).append(decide(13).trace)  # another writer finds the newest segment
    assert verify_log(log.path).last == 13
    assert verify_log(log.path).intact


def test_a_record_longer_than_a_segment_has_one_of_its_own(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl", 3, max_bytes=1)
    assert len(files(log.path)) == 3
    assert verify_log(log.path).records == 3


def test_two_writers_in_turn_keep_one_chain(tmp_path: Path) -> None:
    writers = [AuditLog(tmp_path / "log.jsonl") for _ in range(3)]
    for number in range(1, 10):
        writers[number % 3].append(decide(number).trace)
    assert verify_log(writers[0].path).records == 9


def test_a_file_of_plain_traces_is_read_and_continued(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "old.jsonl"
    old = [decide(number).trace for number in (1, 2)]
    path.write_text("".join(trace.to_json() + "\n" for trace in old) + old[0].to_json()[:90])
    assert list(AuditLog(path).read()) == old
    assert "old.jsonl:3" in caplog.text
    assert [finding.what for finding in verify_log(path).findings] == ["unchained"]
    AuditLog(path).append(decide(3).trace)
    assert [trace.profile.target.n_unique for trace in AuditLog(path).read()] == [1, 2, 3]
    result = verify_log(path)
    assert result.intact
    assert [tear.what for tear in result.tears] == ["unchained"]


def test_lines_that_cannot_be_read_are_told_and_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = written(tmp_path / "log.jsonl", 4)
    lines = log.path.read_bytes().splitlines(keepends=True)
    changed = lines[1].replace(b"MSELoss", b"L1Loss")
    log.path.write_bytes(lines[0] + changed + b"nonsense\n" + lines[2] + lines[3][:500])
    assert [trace.profile.target.n_unique for trace in log.read()] == [1, 3]
    assert [record.getMessage().partition(".jsonl:")[2][0] for record in caplog.records] == ["2", "3", "5"]


def test_every_line_fits_the_schema(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl", 2, mask=["target.name"])
    log.path.write_bytes(log.path.read_bytes() + b'{"seq":3,"prev":"')
    log.append(decide(3).trace)
    schema = Draft202012Validator(SCHEMAS["audit"]())
    lines = [json.loads(line) for line in log.path.read_text().splitlines() if not line.endswith('"prev":"')]
    assert [line["kind"] for line in lines] == ["decision", "decision", "gap", "decision"]
    for line in lines:
        schema.validate(line)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_bytes": 0}, "max_bytes: expected at least 1"),
        ({"fsync": "often"}, "fsync: expected always, interval or never"),
        ({"mask": ["target.nothing"]}, "mask: expected facts"),
        ({"mask_key": b"k" * 65}, "mask_key: expected at most 64 bytes"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path: Path, options: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        AuditLog(tmp_path / "log.jsonl", **options)  # type: ignore[arg-type]  # the point


def test_a_log_that_cannot_be_written_is_an_error_or_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "log.jsonl"
    folder.mkdir()
    with pytest.raises(OSError, match="directory"):
        AuditLog(folder).append(decide().trace)
    AuditLog(folder, on_error="warn").append(decide().trace)
    assert "is not in the audit log" in caplog.text


def test_a_full_disk_leaves_no_half_record(tmp_path: Path) -> None:
    import resource
    import signal

    log = written(tmp_path / "log.jsonl", 2)
    whole = log.path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 100, before[1]))
        with pytest.raises(OSError, match="File too large"):
            log.append(decide(3).trace)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert log.path.read_bytes() == whole
    log.append(decide(3).trace)
    assert verify_log(log.path).records == 3
    assert not verify_log(log.path).tears


def test_a_trace_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a trace of at most"):
        AuditLog(tmp_path / "log.jsonl").append(decide(name="n" * (1 << 23)).trace)


def test_a_log_moved_away_is_begun_anew(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl", 3)
    log.path.rename(tmp_path / "log.old")
    log.append(decide(9).trace)
    assert [entry.seq for entry in log.entries()] == [1]
    assert verify_log(log.path).intact


def test_a_log_is_copied_and_pickled_with_what_uses_it(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl", 1)
    for copied in (copy.deepcopy(log), pickle.loads(pickle.dumps(log))):
        copied.append(decide().trace, SMALL)
    log.append(decide().trace)
    assert verify_log(log.path).records == 4


def test_selecting_writes_the_log_and_the_policy(tmp_path: Path) -> None:
    criterion = nebula.Nebula(audit=tmp_path / "log.jsonl")
    criterion.fit([0.5, 1.5, 2.25, 3.5])
    assert criterion.audit is not None
    (trace,) = criterion.audit.read()
    assert criterion.decision is not None
    assert trace == criterion.decision.trace
    assert criterion.audit.policies.load(trace.policy.digest, trace.policy.source) is not None


def test_a_full_disk_names_the_file_and_leaves_the_log_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = written(tmp_path / "log.jsonl", 2)
    whole = os.write

    def fill(descriptor: int, content: memoryview) -> int:
        if len(content) < 1000:
            raise OSError(28, "No space left on device")
        return whole(descriptor, content[: len(content) - 999])

    third = decide(3).trace
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", fill)
        with pytest.raises(OSError, match="No space") as caught:
            log.append(third)
    assert caught.value.filename == str(log.path)
    assert verify_log(log.path).intact
    log.append(decide(4).trace)
    assert verify_log(log.path).records == 3
