"""One of four processes: `python -m tests.evidence.rank FOLDER RANK` decides on its own shard."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from nebula import Nebula, PredictionSpec
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


if __name__ == "__main__":
    work(int(sys.argv[2]), Path(sys.argv[1]))
