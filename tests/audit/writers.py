"""Processes that write one log: many at once, and one that is killed in the middle."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from nebula.audit.log import AuditLog
from nebula.audit.verification import verify_log
from tests.audit.samples import SMALL, decide

_SEGMENT = 1 << 20
_PIECE = 200


def write_in_pieces() -> None:
    """Let this process write few bytes at a time, as a slow disk may, so that a kill can fall between them."""
    whole = os.write
    os.write = lambda descriptor, content: whole(descriptor, content[:_PIECE])  # type: ignore[assignment]  # the fault


def write(path: Path, count: int, first: int = 0, *, acknowledge: bool = False) -> None:
    """Append decisions on `first`, `first` + 1, … distinct values; say each number once it is written."""
    log = AuditLog(path, max_bytes=_SEGMENT)
    trace = decide(first).trace
    for number in range(first, first + count):
        target = trace.profile.target.model_copy(update={"n_unique": number})
        profile = trace.profile.model_copy(update={"target": target})
        log.append(trace.model_copy(update={"profile": profile}), SMALL)
        if acknowledge:
            os.write(1, b"%d\n" % number)


def started(path: Path, count: int, first: int, *, acknowledge: bool) -> subprocess.Popen[bytes]:
    """Start a process that runs `write`, in pieces if it is to acknowledge each record."""
    command = [sys.executable, "-m", "tests.audit.writers", str(path), str(count), str(first), str(int(acknowledge))]
    return subprocess.Popen(command, stdout=subprocess.PIPE if acknowledge else None)


def numbers_in(path: Path) -> list[int | None]:
    """What the decisions of a log are on, in order."""
    return [trace.profile.target.n_unique for trace in AuditLog(path).read()]


def append_together(path: Path, processes: int, each: int) -> None:
    """Let processes append at once; raise unless every record is there and none is torn."""
    running = [started(path, each, worker * each, acknowledge=False) for worker in range(processes)]
    assert [process.wait() for process in running] == [0] * processes
    result = verify_log(path)
    assert result.intact
    assert not result.tears
    assert result.records == processes * each
    found = numbers_in(path)
    for worker in range(processes):
        own = range(worker * each, (worker + 1) * each)
        assert [number for number in found if number in own] == list(own)


def kill_writers(path: Path, kills: int, seed: int = 0) -> tuple[int, int]:
    """Kill writers of one log at random moments; raise when more than the record being written is lost.

    Returns:
        How many records were acknowledged, and how many the kills left torn.
    """
    draw = random.Random(seed)  # noqa: S311 - moments, not secrets
    done: list[int | None] = []
    torn = 0
    for kill in range(kills):
        process = started(path, 1 << 20, (kill + 1) << 21, acknowledge=True)
        assert process.stdout is not None
        done.append(int(process.stdout.readline()))
        time.sleep(draw.uniform(0, 0.03))
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        done += [int(line) for line in process.stdout.read().splitlines()]
        process.wait()
        process.stdout.close()
        result = verify_log(path)
        assert result.intact, result.findings
        assert len(result.tears) - torn in (0, 1), "a kill tears one record at most"
        assert len(result.tears) > torn or not result.open_tail
        torn = len(result.tears) - (result.open_tail and "whole" in result.tears[-1].text)
        found = numbers_in(path)
        assert found[: len(done)] == done, "a record that was acknowledged is lost"
        assert len(found) - len(done) in (0, 1), "more than the record being written was not acknowledged"
        done = found
    write(path, 1)
    result = verify_log(path)
    assert result.intact
    assert not result.open_tail
    return len(done), len(result.tears)


if __name__ == "__main__":
    if sys.argv[4] == "1":
        write_in_pieces()
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), acknowledge=sys.argv[4] == "1")
