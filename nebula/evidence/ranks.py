"""One decision for all processes of a group: what each has counted, merged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist

from nebula.errors import DataError
from nebula.profiling.distributed import merge_across
from nebula.profiling.model import DataProfile

__all__ = ["is_writer", "merge_ranks"]


def merge_ranks(count: Callable[[], DataProfile], group: Any = None) -> DataProfile:
    """Return the profile of all shards, the same on every rank.

    A collective call. A rank that cannot count its shard tells the others, so that none waits.

    Args:
        count: Makes the profile of this rank's shard.
        group: A `torch.distributed` process group, or True for all processes.

    Raises:
        DataError: No group is initialised, a rank could not count, or the shards do not fit together.
    """
    ranks = None if group is True else group
    if not dist.is_available() or not dist.is_initialized():
        raise DataError(
            "fit: expected an initialised process group for `group`, found none; call "
            "torch.distributed.init_process_group first, or leave `group` out."
        )
    fault: DataError | None = None
    part = DataProfile()
    try:
        part = count()
    except DataError as error:
        fault = error
    on_cuda = dist.get_backend(ranks) == "nccl"
    failed = torch.tensor([int(fault is not None)], device="cuda" if on_cuda else "cpu")
    dist.all_reduce(failed, group=ranks)
    if fault is not None:
        raise fault
    if int(failed):
        raise DataError(
            f"fit: expected every rank to count its shard, found {int(failed)} that could not; their errors tell why."
        )
    return merge_across(part, ranks)


def is_writer(group: Any = None) -> bool:
    """Say whether this rank writes the logs: the first of the group does."""
    return not group or dist.get_rank(None if group is True else group) == 0
