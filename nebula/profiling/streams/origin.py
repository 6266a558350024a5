"""Where rows come from, opened anew for every pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from nebula.profiling.identity import identity
from nebula.profiling.loaders import Choice, LoaderTargets, is_in_memory
from nebula.profiling.stores.stored_file import DataPath, StoredFile
from nebula.profiling.streams.chunk import Chunk
from nebula.profiling.streams.files import find_files, naming, open_file
from nebula.profiling.streams.objects import is_paths, is_table, open_object
from nebula.profiling.streams.reader import Reader, Wanted

__all__ = ["Origin", "origins_of"]


@dataclass(frozen=True)
class Origin:
    """One file, or one object.

    Attributes:
        open: Returns its reader.
        path: The file, or None.
        repeatable: It can be read more than once, with the same rows in the same order.
        counts_batches: Its chunks are the user's batches.
    """

    open: Callable[[Wanted], Reader]
    path: DataPath | None = None
    repeatable: bool = True
    counts_batches: bool = False

    def naming(self) -> AbstractContextManager[None]:
        """Name the file in errors."""
        return nullcontext() if self.path is None else naming(self.path)

    def identity(self) -> str | None:
        """Return the cheap identity of the file; None for an object.

        Raises:
            DataError: The file is gone, or its store does not answer.
        """
        if self.path is None:
            return None
        return self.path.identity() if isinstance(self.path, StoredFile) else identity(self.path)

    def read(self, wanted: Wanted, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, Chunk | None]]:
        """Read chunks with the numbers of their parts; None follows the last chunk of a part.

        Args:
            wanted: What to read.
            start: The first part.
            stop: The part before which to stop; None reads to the end.
        """
        with self.naming():
            for place, part in enumerate(self.open(wanted).parts(start), start):
                if place == stop:
                    return
                for chunk in part:
                    yield place, chunk
                yield place, None


def origins_of(data: Any, choice: Choice = None) -> list[Origin]:
    """Return the files behind a path, folder or pattern, in order, or the one object.

    Raises:
        DataError: There are no such files.
    """
    if is_paths(data):
        return [Origin(partial(open_file, path), path) for path in find_files(data)]
    is_loader = not isinstance(data, np.memmap) and not is_table(data)
    counts_batches = is_loader and not is_in_memory(data) and LoaderTargets(data).counts_batches
    return [
        Origin(
            lambda wanted: open_object(data, wanted, choice),
            # A reader of record batches is used up by reading; a loader may shuffle.
            repeatable=not counts_batches and (is_loader or hasattr(data, "__len__") or hasattr(data, "num_rows")),
            counts_batches=counts_batches,
        )
    ]
