"""Shards of many processes → one profile, the same on every rank.

Only what was counted travels, at most a few MB a rank, never the data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import reduce
from io import BytesIO
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from nebula.errors import DataError
from nebula.profiling.accumulator import TargetAccumulator
from nebula.profiling.model import DataProfile
from nebula.profiling.streams.table_accumulator import TableAccumulator

__all__ = ["merge_across"]

Part = TypeVar("Part", DataProfile, TargetAccumulator, TableAccumulator)


def merge_across(part: Part, group: Any = None) -> Part:
    """Merge what every process of a group has counted.

    A collective call: every rank must make it, with a part of the same kind, and gets the same
    result to the last bit, as all merge in the order of the ranks.

    Args:
        part: The profile of this rank's shard, or an accumulator. A shard without rows adds
            nothing, whatever its shape. Labels merge as `TableAccumulator` only, as each profile
            has numbered them by itself.
        group: A `torch.distributed` process group; by default that of all processes. With the
            backend `nccl` the bytes travel through the current CUDA device.

    Raises:
        DataError: `torch.distributed` is not initialised, or the parts do not fit together; this
            is then raised on every rank.
    """
    if not dist.is_available() or not dist.is_initialized():
        raise DataError(
            "merge_across: expected an initialised process group, found none; call torch.distributed."
            "init_process_group first."
        )
    try:
        payload, fault = _pack(part), b""
    except DataError as error:  # the others wait: tell them, rather than leave them waiting
        payload, fault = b"", str(error).encode()
    faults = [text for text in _gather_bytes(fault, group) if text]
    if faults:
        raise DataError(faults[0].decode())
    parts: list[Any] = [_unpack(type(part), content) for content in _gather_bytes(payload, group)]
    filled = [one for one in parts if _rows(one)]
    merge: Callable[[Any, Any], Any] = lambda left, right: left.merge(right)  # noqa: E731
    merged: Part = reduce(merge, filled or parts[:1])
    return merged


def _pack(part: DataProfile | TargetAccumulator | TableAccumulator) -> bytes:
    accumulator: Any = part.accumulator if isinstance(part, DataProfile) else part
    if accumulator is None:
        raise DataError(
            "merge_across: expected a profile that still holds what it counted, found one read from JSON or from a "
            "cache; profile the data again."
        )
    arrays = dict(accumulator.to_arrays())
    if isinstance(part, DataProfile):
        arrays["profile"] = np.frombuffer(json.dumps(part.model_dump(mode="json")).encode(), dtype=np.uint8)
    stream = BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def _unpack(kind: type[Any], content: bytes) -> Any:
    with np.load(BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    if not issubclass(kind, DataProfile):
        return kind.from_arrays(arrays)
    text = arrays.pop("profile").tobytes()
    return kind.model_validate_json(text).with_accumulator(TargetAccumulator.from_arrays(arrays))


def _rows(part: DataProfile | TargetAccumulator | TableAccumulator) -> int:
    return (part.target.n or 0) if isinstance(part, DataProfile) else part.rows


def _gather_bytes(content: bytes, group: Any) -> list[bytes]:
    """Return the bytes of every rank, in the order of the ranks; they may differ in length."""
    device = _device(group)
    ranks = dist.get_world_size(group)
    size = torch.tensor([len(content)], dtype=torch.int64, device=device)
    sizes = [torch.zeros_like(size) for _ in range(ranks)]
    dist.all_gather(sizes, size, group=group)
    lengths = [int(one) for one in sizes]
    # All-gather wants equal sizes, so the short ones are padded.
    sent = torch.zeros(max([1, *lengths]), dtype=torch.uint8)
    sent[: len(content)] = torch.from_numpy(np.frombuffer(content, dtype=np.uint8).copy())
    sent = sent.to(device)
    received: list[Tensor] = [torch.empty_like(sent) for _ in range(ranks)]
    dist.all_gather(received, sent, group=group)
    return [one[:length].cpu().numpy().tobytes() for one, length in zip(received, lengths, strict=True)]


def _device(group: Any) -> torch.device:
    """Return where the backend reads tensors: nccl knows devices only."""
    if dist.get_backend(group) == "nccl":
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")
