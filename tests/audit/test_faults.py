"""Processes at once lose and tear nothing; a killed one loses at most the record it was writing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nebula.audit.log import AuditLog
from nebula.audit.verification import verify_log
from tests.audit.samples import decide
from tests.audit.writers import append_together, kill_writers


def test_processes_at_once_lose_and_tear_nothing(tmp_path: Path) -> None:
    append_together(tmp_path / "log.jsonl", processes=4, each=60)


def test_threads_at_once_lose_and_tear_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    shared = AuditLog(path, fsync="never")
    traces = [decide(number).trace for number in range(80)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda trace: (shared if trace.rule_id == "few" else AuditLog(path)).append(trace), traces))
    assert verify_log(path).intact
    assert sorted(trace.profile.target.n_unique or 0 for trace in shared.read()) == list(range(80))


def test_a_killed_writer_loses_at_most_the_record_it_was_writing(tmp_path: Path) -> None:
    kill_writers(tmp_path / "log.jsonl", kills=6)
