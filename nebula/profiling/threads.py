"""How many threads torch may use while it reads memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["one_thread"]

_GRAIN = 2**15


@contextmanager
def one_thread(size: int) -> Iterator[None]:
    """Keep torch on the calling thread while it works on this many values.

    A second one gains little where memory is the limit, and its barriers were seen to cost forty
    times the work beside a busy neighbour. Below torch's own grain size nothing forks anyway.
    """
    threads = torch.get_num_threads()
    if size < _GRAIN or threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
