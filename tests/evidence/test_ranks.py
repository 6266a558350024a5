"""Four processes, each with other classes, hold one decision; one of them writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from nebula import Nebula, PredictionSpec
from nebula.decision.audit import TraceFile
from nebula.errors import DataError
from nebula.evidence.budget import Budget

RANKS = 4
ROWS = 1200


def labels() -> Tensor:
    """Sorted, so that every contiguous shard holds other classes."""
    return (torch.arange(ROWS) * 8 // ROWS).long()


def shard(rank: int) -> Tensor:
    edges = [0, 100, 500, 1100, ROWS]
    return labels()[edges[rank] : edges[rank + 1]]


def loader(target: Tensor) -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.zeros(len(target), 2), target), batch_size=32)


def work(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=RANKS)
    try:
        shape, mine = PredictionSpec(shape=(None, 8)), shard(rank)
        audit = folder / f"log.{rank}.jsonl"
        found = []
        for data, budget in ((mine, None), (loader(mine), None), (loader(mine), Budget(rows=90))):
            criterion = Nebula(audit=audit).fit(data, prediction=shape, group=True, budget=budget)
            assert criterion.decision is not None
            found.append(criterion.decision.trace.canonical_json())
        for _ in range(70):
            criterion(torch.zeros(len(mine), 8), mine)
        assert criterion.drift_events == ()
        try:
            Nebula().fit([] if rank == 2 else mine, prediction=shape, group=True)
        except DataError as error:
            found.append(str(error))
        (folder / f"{rank}.txt").write_text("\n".join(found))
    finally:
        dist.destroy_process_group()


def test_all_ranks_decide_the_same_and_one_writes(tmp_path: Path) -> None:
    mp.spawn(work, args=(tmp_path,), nprocs=RANKS)  # type: ignore[no-untyped-call]
    results = [(tmp_path / f"{rank}.txt").read_text().splitlines() for rank in range(RANKS)]
    assert all(result[:3] == results[0][:3] for result in results)
    whole = Nebula().fit(labels(), prediction=PredictionSpec(shape=(None, 8))).decision
    assert whole is not None
    assert whole.spec is not None
    assert [trace.rule_id for trace in TraceFile(tmp_path / "log.0.jsonl").read()] == [whole.rule_id] * 3
    assert not any((tmp_path / f"log.{rank}.jsonl").exists() for rank in range(1, RANKS))
    first = next(iter(TraceFile(tmp_path / "log.0.jsonl").read()))
    assert first.profile.target == whole.trace.profile.target
    assert first.spec == whole.spec
    assert first.status == "decided"
    assert "at least one batch" in results[2][3]
    assert all("found 1 that could not" in results[rank][3] for rank in (0, 1, 3))


def test_without_a_group_it_says_so() -> None:
    with pytest.raises(DataError, match="expected an initialised process group"):
        Nebula().fit(labels(), prediction=PredictionSpec(shape=(None, 8)), group=True)
