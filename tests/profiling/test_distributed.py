"""Four processes with uneven shards hold one profile."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import nebula
from nebula.errors import DataError
from nebula.profiling.distributed import merge_across

EDGES = [0, 7, 7, 500, 1000]  # the second shard is empty


def values(kind):
    generator = torch.Generator().manual_seed(0)
    if kind == "labels":
        return torch.randint(0, 9, (1000,), generator=generator)
    return torch.randn(1000, 3, generator=generator)


def work(rank, store, out):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=4)
    try:
        found = []
        for kind in ("labels", "rows"):
            shard = values(kind)[EDGES[rank] : EDGES[rank + 1]]
            part = nebula.profile(shard if len(shard) else torch.empty(0))
            found.append(merge_across(part).model_dump_json())
        try:
            profile = nebula.profile([1, 2])
            merge_across(type(profile).model_validate_json(profile.model_dump_json()) if rank == 2 else profile)
        except DataError as error:
            found.append(str(error))
        (out / f"{rank}.txt").write_text("\n".join(found))
    finally:
        dist.destroy_process_group()


def test_every_rank_gets_the_profile_of_the_whole(tmp_path):
    mp.spawn(work, args=(tmp_path / "store", tmp_path), nprocs=4)
    results = [(tmp_path / f"{rank}.txt").read_text().splitlines() for rank in range(4)]
    assert all(result == results[0] for result in results)
    labels, rows, fault = results[0]
    whole = nebula.profile(values("labels"))
    found = type(whole).model_validate_json(labels)
    assert found.target == whole.target
    assert found.evidence.rows_seen == 1000
    several = type(whole).model_validate_json(rows)
    assert several.target.n == 1000
    assert several.target.row_sum_max == nebula.profile(values("rows")).target.row_sum_max
    assert "read from JSON" in fault


def test_without_a_group_it_says_so():
    with pytest.raises(DataError, match="expected an initialised process group"):
        merge_across(nebula.profile([1, 2]))
