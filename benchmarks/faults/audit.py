"""The faults of the audit log's tests in full numbers: killed writers, many at once, flipped bits, replays.

    python -m benchmarks.faults.audit

Writes benchmarks/results/audit_faults.json; stops at the first fault that is not survived or not told.
"""

from __future__ import annotations

import contextlib
import json
import logging
import tempfile
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from nebula.audit.log import AuditLog
from nebula.audit.replay import replay
from nebula.audit.verification import verify_log
from nebula.decision.policy import load_policy
from nebula.errors import NebulaError
from nebula.profiling.model import DataProfile
from tests.audit.samples import written
from tests.audit.writers import append_together, kill_writers
from tests.project.tree import ROOT
from tests.proof.random_profiles import profiles

_DRAWN = settings(max_examples=1600, database=None, deadline=None, phases=[Phase.generate])
RESULT = ROOT / "benchmarks" / "results" / "audit_faults.json"


def kill(folder: Path) -> dict[str, Any]:
    """Kill 200 writers."""
    records, torn = kill_writers(folder / "kill.jsonl", kills=200)
    return {"kills": 200, "records acknowledged and read back": records, "kills that tore a record": torn}


def together(folder: Path) -> dict[str, Any]:
    """Let 16 processes append 1,000 decisions each."""
    append_together(folder / "together.jsonl", processes=16, each=1000)
    return {"processes": 16, "records of each": 1000, "lost": 0, "torn": 0}


def flips(folder: Path) -> dict[str, Any]:
    """Flip every bit of a log of two records."""
    path = written(folder / "flips.jsonl", 2).path
    whole = bytearray(path.read_bytes())
    for position in range(len(whole)):
        for bit in range(8):
            whole[position] ^= 1 << bit
            path.write_bytes(whole)
            assert not verify_log(path).intact, (position, bit)
            whole[position] ^= 1 << bit
    return {"bytes": len(whole), "flips of one bit": 8 * len(whole), "not found": 0}


def replays(folder: Path) -> dict[str, Any]:
    """Decide on 1,000 random profiles, and again from the log."""
    policy, log = load_policy("default.yaml"), AuditLog(folder / "replay.jsonl", fsync="never")
    numbers = count()

    @settings(_DRAWN, suppress_health_check=list(HealthCheck))
    @given(profile=profiles())
    def record(profile: DataProfile) -> None:
        with contextlib.suppress(NebulaError):
            decision = policy.decide(profile)
            if next(numbers) < 1000:
                log.append(decision.trace, policy)

    record()
    outcomes = Counter(found.outcome for found in replay(log.path, log.entries()))
    assert outcomes == {"same": 1000}, outcomes
    return {"decisions": 1000, "byte-equal": outcomes["same"]}


def main() -> None:
    """Run all, and write what was run."""
    logging.getLogger("nebula").setLevel(logging.ERROR)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for fault in (kill, together, flips, replays):
            started = time.perf_counter()
            results[fault.__name__] = fault(Path(folder))
            print(f"{fault.__name__}: {results[fault.__name__]} in {time.perf_counter() - started:.0f} s", flush=True)
    RESULT.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
