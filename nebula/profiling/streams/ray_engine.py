"""Files read by the workers of a Ray cluster, and merged by them as a tree."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import partial
from typing import Any

from nebula.errors import DataError, MissingExtraError, NebulaError
from nebula.profiling.distribution import Array
from nebula.profiling.streams.blocks import Block, merge_states, read_block, split_blocks
from nebula.profiling.streams.origin import Origin
from nebula.profiling.streams.reader import LabelsFound, Wanted
from nebula.profiling.streams.table_accumulator import TableAccumulator

__all__ = ["count_on_ray", "gather_on_ray"]

_BLOCKS_A_CPU = 4
_FAN_IN = 8
_RETRIES = 5

Read = Callable[[Block, Wanted, int | None], dict[str, Array] | None]
Count = Callable[[Any], dict[str, Array] | None]


def gather_on_ray(
    origins: Sequence[Origin], wanted: Wanted, ignore_value: int | None, *, read: Read = read_block
) -> TableAccumulator:
    """Count files on the workers of Ray: the facts are those of one machine.

    Joins the cluster that `ray.init` or `RAY_ADDRESS` names, or starts one on this machine. Every
    worker must see the files under the same paths; those in a store, under the same address, with
    credentials of its own where the address holds none. A block whose worker dies
    is read again, up to five times.

    Args:
        origins: Files.
        wanted: Columns.
        ignore_value: The declared filler value.
        read: Counts one block.

    Raises:
        MissingExtraError: Ray is not installed.
        DataError: A block cannot be read.
        LabelsFound: A column of text holds labels: read it anew as labels.
    """
    ray = _start()
    paths = [origin.path.resolve() for origin in origins if origin.path is not None]
    blocks = split_blocks(paths, wanted, int(ray.cluster_resources().get("CPU", 1)) * _BLOCKS_A_CPU)
    arrays = count_on_ray(blocks, partial(_read, read, wanted, ignore_value))
    if arrays is None:
        raise LabelsFound
    return TableAccumulator.from_arrays(arrays)


def count_on_ray(items: Sequence[Any], count: Count) -> dict[str, Array] | None:
    """Count items on the workers of Ray and merge what they found as a tree.

    Args:
        items: What a worker is told, one at a time: a block, or a seed to generate rows from.
        count: Returns the arrays of a `TableAccumulator` of one item.

    Returns:
        The merged arrays; None when one is None.

    Raises:
        MissingExtraError: Ray is not installed.
        DataError: An item cannot be counted.
    """
    ray = _start()
    with redirect_stdout(sys.stderr):  # Ray tells of dead workers on standard output, where the result belongs
        map_item: Any = ray.remote(max_retries=_RETRIES)(_count)
        merge: Any = ray.remote(max_retries=_RETRIES)(_merge_arguments)
        level = [map_item.remote(count, item) for item in items]
        while len(level) > 1:
            level = [merge.remote(*level[at : at + _FAN_IN]) for at in range(0, len(level), _FAN_IN)]
        try:
            merged: dict[str, Array] | None = ray.get(level[0])
        except ray.exceptions.RayTaskError as error:
            cause = error.cause if isinstance(getattr(error, "cause", None), NebulaError) else None
            raise cause or DataError(f"ray: expected a result of every block, found a failed one: {error}") from None
        except ray.exceptions.RayError as error:
            raise DataError(
                f"ray: expected every block to be read, found that its workers died {_RETRIES + 1} times: {error}"
            ) from None
    return merged


def _start() -> Any:
    """Return Ray, joined to a cluster or started here."""
    ray = _import_ray()
    if not ray.is_initialized():
        with redirect_stdout(sys.stderr):
            ray.init(log_to_driver=False, include_dashboard=False, configure_logging=False)
    return ray


def _count(count: Count, item: Any) -> dict[str, Array] | None:
    return count(item)


def _read(read: Read, wanted: Wanted, ignore_value: int | None, block: Block) -> dict[str, Array] | None:
    return read(block, wanted, ignore_value)


def _import_ray() -> Any:
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray", "ray", "reading on a cluster") from None
    return ray


def _merge_arguments(*states: dict[str, Array] | None) -> dict[str, Array] | None:
    return merge_states(states)
