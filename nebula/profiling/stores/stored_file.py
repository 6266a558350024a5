"""A file in a store: what a reader needs of a path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import xxhash

from nebula.errors import DataError
from nebula.profiling.stores.address import Address
from nebula.profiling.stores.connecting import connect
from nebula.profiling.stores.faults import store_fault

__all__ = ["DataPath", "StoredFile", "opened"]


@dataclass(frozen=True, repr=False)
class StoredFile:
    """One file; nothing is read, and nothing asked of the store, before it is opened.

    Attributes:
        address: Its store, with what is needed to connect.
        path: Its path, as the file system of pyarrow names it.
    """

    address: Address
    path: str

    def __str__(self) -> str:
        """Return its address without secrets."""
        return str(self.address)

    def __repr__(self) -> str:
        """Return the same: a task of a cluster shows its arguments when it fails."""
        return f"StoredFile({str(self)!r})"

    @property
    def suffix(self) -> str:
        """The ending of its name, with the dot."""
        return PurePosixPath(self.path).suffix

    def resolve(self) -> StoredFile:
        """Return itself: an address means the same on every machine."""
        return self

    def open(self) -> Any:
        """Return it as a `pyarrow.NativeFile` that reads only what it is asked for.

        Raises:
            DataError: The store does not give it.
        """
        store = connect(self.address)
        try:
            return store.open_input_file(self.path)
        except OSError as error:
            raise self.fault(error) or error from None

    def identity(self) -> str:
        """Return the cheap identity of the file as it is now.

        Returns:
            `stored1:` and 32 hex digits over the address, the size and the time of the last change.

        Raises:
            DataError: There is no such file, or the store does not answer.
        """
        store = connect(self.address)
        try:
            about = store.get_file_info(self.path)
        except OSError as error:
            raise self.fault(error) or error from None
        if not about.is_file:
            raise DataError(f"{self}: expected a file, found nothing there.")
        endpoint = dict(self.address.options).get("endpoint_override", "")
        text = f"{self.address}|{endpoint}|{about.size}|{about.mtime_ns}"
        return f"stored1:{xxhash.xxh3_128(text.encode()).hexdigest()}"

    def fault(self, error: OSError) -> DataError | None:
        """Return what the store refused as a sentence; None when the file is at fault."""
        return store_fault(self.address, error)


DataPath = Path | StoredFile


@contextmanager
def opened(path: DataPath) -> Iterator[Any]:
    """Yield what the readers of pyarrow take: a path, or a stored file while it is open."""
    if isinstance(path, Path):
        yield path
        return
    with path.open() as stream:
        yield stream
