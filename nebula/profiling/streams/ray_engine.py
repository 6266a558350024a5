"""Files read by the workers of a Ray cluster, and merged by them as a tree."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import Any

from nebula.errors import DataError, MissingExtraError, NebulaError
from nebula.profiling.distribution import Array
from nebula.profiling.streams.blocks import Block, merge_states, read_block, split_blocks
from nebula.profiling.streams.origin import Origin
from nebula.profiling.streams.reader import LabelsFound, Wanted
from nebula.profiling.streams.table_accumulator import TableAccumulator

__all__ = ["gather_on_ray"]

_BLOCKS_A_CPU = 4
_FAN_IN = 8
_RETRIES = 5

Read = Callable[[Block, Wanted, int | None], dict[str, Array] | None]


def gather_on_ray(
    origins: Sequence[Origin], wanted: Wanted, ignore_value: int | None, *, read: Read = read_block
) -> TableAccumulator:
    """Count files on the workers of Ray: the facts are those of one machine.

    Joins the cluster that `ray.init` or `RAY_ADDRESS` names, or starts one on this machine. Every
    worker must see the files under the same paths. A block whose worker dies is read again, up to five times.

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
    ray = _import_ray()
    with redirect_stdout(sys.stderr):  # Ray tells of dead workers on standard output, where the result belongs
        arrays = _count(ray, origins, wanted, ignore_value, read)
    if arrays is None:
        raise LabelsFound
    return TableAccumulator.from_arrays(arrays)


def _count(
    ray: Any, origins: Sequence[Origin], wanted: Wanted, ignore_value: int | None, read: Read
) -> dict[str, Array] | None:
    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False, configure_logging=False)
    paths = [origin.path for origin in origins if origin.path is not None]
    workers = int(ray.cluster_resources().get("CPU", 1))
    blocks = split_blocks([path.resolve() for path in paths], wanted, workers * _BLOCKS_A_CPU)
    map_block: Any = ray.remote(max_retries=_RETRIES)(read)
    merge: Any = ray.remote(max_retries=_RETRIES)(_merge_arguments)
    level = [map_block.remote(block, wanted, ignore_value) for block in blocks]
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


def _import_ray() -> Any:
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray", "ray", "reading on a cluster") from None
    return ray


def _merge_arguments(*states: dict[str, Array] | None) -> dict[str, Array] | None:
    return merge_states(states)
