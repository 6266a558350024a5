"""The trace file keeps what was written: several processes, a writer killed in the middle."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

import nebula
from nebula.decision.audit import TraceFile
from nebula.errors import DataError


@pytest.fixture(scope="module")
def trace() -> nebula.DecisionTrace:
    return nebula.select(torch.arange(90) % 3, nebula.PredictionSpec(shape=(None, 3))).trace


def test_writers_at_once_mix_no_lines(tmp_path: Path, trace: nebula.DecisionTrace) -> None:
    path = tmp_path / "traces.jsonl"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: TraceFile(path).append(trace), range(80)))
    assert list(TraceFile(path).read()) == [trace] * 80


@pytest.mark.parametrize("kept", [1, 100, -1])
def test_a_torn_record_costs_only_itself(
    tmp_path: Path, trace: nebula.DecisionTrace, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    file = TraceFile(tmp_path / "traces.jsonl")
    file.append(trace)
    whole = file.path.read_bytes()
    file.path.write_bytes(whole + whole[:kept])
    file.append(trace)
    first, torn, last = file.path.read_bytes().splitlines()
    assert first == last == whole.strip()
    assert "torn record" in caplog.text
    if kept > 0:
        assert torn == whole[:kept]
        with pytest.raises(DataError, match=":2: expected a decision trace"):
            list(file.read())
