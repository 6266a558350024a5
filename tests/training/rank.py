"""One of three processes: `python -m tests.training.rank FOLDER RANK` trains on its own skewed shard."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from nebula import Nebula, PredictionSpec
from nebula.training.accumulation import Accumulation

RANKS, ROWS = 3, 90
EDGES = (0, 10, 40, ROWS)


def data() -> tuple[Tensor, Tensor]:
    """Sorted labels, so that every shard holds other classes."""
    inputs = torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(0))
    return inputs, torch.arange(ROWS) * 6 // ROWS


def model() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(4, 6)


def parts(rank: int) -> list[tuple[Tensor, Tensor]]:
    """Two parts a rank; the first rank's first one is empty."""
    inputs, target = (part[EDGES[rank] : EDGES[rank + 1]] for part in data())
    cut = 0 if rank == 0 else 7
    return [(inputs[:cut], target[:cut]), (inputs[cut:], target[cut:])]


def gradient(wrapped: nn.Module, criterion: Nebula, mine: list[tuple[Tensor, Tensor]]) -> Tensor:
    whole = Accumulation(criterion, group=True)
    for inputs, target in mine:
        whole.add(wrapped(inputs), target).backward()
    whole.finish(wrapped.parameters())
    found: Any = next(wrapped.parameters()).grad
    return found.full_tensor() if hasattr(found, "full_tensor") else found  # type: ignore[no-any-return]


def work(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=RANKS)
    try:
        mine = parts(rank)
        shape = PredictionSpec(shape=(None, 6))
        criterion = Nebula(cache=None).fit(mine, prediction=shape, group=True)
        resumed = Nebula(cache=None)
        resumed.load_state_dict(criterion.state_dict())
        assert criterion.decision is not None
        assert resumed.decision is not None
        found = {
            "decision": criterion.decision.trace.canonical_json(),
            "resumed": resumed.decision.trace.canonical_json(),
            "ddp": gradient(DistributedDataParallel(model()), resumed, mine),
            "fsdp2": gradient(fully_shard(model()), criterion, mine),
        }
        torch.save(found, folder / f"{rank}.pt")
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    work(int(sys.argv[2]), Path(sys.argv[1]))
