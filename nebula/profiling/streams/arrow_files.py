"""Parquet and Arrow IPC files, one row group or record batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from nebula.profiling.stores.stored_file import DataPath, StoredFile, opened
from nebula.profiling.streams.arrow_columns import chunk_of
from nebula.profiling.streams.chunk import CHUNK_ROWS, Chunk
from nebula.profiling.streams.reader import Wanted, import_pyarrow, require

__all__ = ["IpcFile", "ParquetFile"]

_BUFFER = 2**20


class ParquetFile:
    """A Parquet file; a part is a row group, of which only the wanted columns are read."""

    def __init__(self, path: DataPath, wanted: Wanted) -> None:
        import_pyarrow("reading Parquet files")
        from pyarrow import parquet

        self._path, self._wanted = path, wanted
        with opened(path) as source, parquet.ParquetFile(source) as file:
            self.rows: int | None = file.metadata.num_rows
            self.n_parts: int | None = file.metadata.num_row_groups
            names = file.schema_arrow.names
        require(path, [*wanted.target, *(wanted.features or ())], names)
        self._beside = wanted.beside(names)

    def parts(self, start: int = 0) -> Iterator[Iterator[Chunk]]:
        """Return the row groups from number `start` on."""
        from pyarrow import parquet

        # Without a buffer, a column of the whole row group is held at once.
        with (
            opened(self._path) as source,
            parquet.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False) as file,
        ):
            for group in range(start, self.n_parts or 0):
                yield self._chunks(file, group)

    def _chunks(self, file: Any, group: int) -> Iterator[Chunk]:
        columns = list(dict.fromkeys([*self._wanted.target, *self._beside]))
        for batch in file.iter_batches(CHUNK_ROWS, row_groups=[group], columns=columns, use_threads=False):
            yield chunk_of(batch, self._wanted, str(self._path), self._beside)


class IpcFile:
    """An Arrow IPC (Feather 2) file or stream; a part is a record batch."""

    def __init__(self, path: DataPath, wanted: Wanted) -> None:
        self._pa = import_pyarrow("reading Arrow files")
        self._path, self._wanted = path, wanted
        self.rows: int | None = None
        self.n_parts: int | None
        with ExitStack() as stack:
            reader, self.n_parts = self._open(stack)
            names = reader.schema.names
        require(path, [*wanted.target, *(wanted.features or ())], names)
        self._beside = wanted.beside(names)

    def parts(self, start: int = 0) -> Iterator[Iterator[Chunk]]:
        """Return the record batches from number `start` on."""
        with ExitStack() as stack:
            reader, count = self._open(stack)
            if count is not None:
                for place in range(start, count):
                    yield self._chunks(reader.get_batch(place))
                return
            for place, batch in enumerate(reader):
                if place >= start:
                    yield self._chunks(batch)

    def _open(self, stack: ExitStack) -> tuple[Any, int | None]:
        source = self._path.open() if isinstance(self._path, StoredFile) else self._pa.memory_map(str(self._path))
        stack.enter_context(source)
        try:
            reader = stack.enter_context(self._pa.ipc.open_file(source))
        except self._pa.ArrowInvalid:
            source.seek(0)
            return stack.enter_context(self._pa.ipc.open_stream(source)), None
        return reader, reader.num_record_batches

    def _chunks(self, batch: Any) -> Iterator[Chunk]:
        for start in range(0, batch.num_rows, CHUNK_ROWS):
            yield chunk_of(batch.slice(start, CHUNK_ROWS), self._wanted, str(self._path), self._beside)
