"""Paths, folders, patterns and addresses → files with a reader each."""

from __future__ import annotations

import glob
import pickle
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nebula.errors import DataError, MissingExtraError
from nebula.profiling.stores.address import is_address, local_path, mask, parse_address
from nebula.profiling.stores.listing import find_stored
from nebula.profiling.stores.stored_file import DataPath, StoredFile
from nebula.profiling.streams.array_files import NpzFile, open_npy, open_pt
from nebula.profiling.streams.arrow_files import IpcFile, ParquetFile
from nebula.profiling.streams.csv_files import CsvFile
from nebula.profiling.streams.reader import LabelsFound, Reader, Wanted

__all__ = ["SUFFIXES", "find_files", "naming", "open_file"]

_OPEN: dict[str, Callable[[DataPath, Wanted], Reader]] = {
    ".csv": CsvFile,
    ".parquet": ParquetFile,
    ".arrow": IpcFile,
    ".feather": IpcFile,
    ".ipc": IpcFile,
}
# These are mapped or unpacked, so they must lie on a disk.
_OPEN_LOCAL: dict[str, Callable[[Path, Wanted], Reader]] = {".npz": NpzFile, ".pt": open_pt, ".npy": open_npy}
SUFFIXES = (*_OPEN, *_OPEN_LOCAL)


def find_files(source: str | Path | Sequence[str | Path]) -> tuple[DataPath, ...]:
    """List the files of a source, in the order of their names.

    Args:
        source: A file; a folder, which is searched to its depths, hidden names and those that
            begin with an underscore left out; a pattern such as `data/*.parquet`; any of these in a
            store, such as `s3://bucket/data/*.parquet`; or several of these.

    Raises:
        DataError: There is none, one is of another kind, they are of several kinds, or a store
            does not give them.
        MissingExtraError: pyarrow is not installed.
    """
    found = _list(source)
    kinds = sorted({file.suffix.lower() for file in found})
    if len(kinds) > 1:
        raise DataError(
            f"{mask(source)}: expected files of one kind, found {' and '.join(kinds)}; name them by a pattern."
        )
    return tuple(found)


def _list(source: str | Path | Sequence[str | Path]) -> list[DataPath]:
    found: list[DataPath]
    if isinstance(source, str) and is_address(source):
        address = parse_address(source)
        if address.scheme == "file":
            return _list(local_path(address))
        found = [*find_stored(address, SUFFIXES)]
    elif not isinstance(source, str | Path):
        return [file for part in source for file in _list(part)]
    elif (path := Path(source)).is_dir() and path.suffix.lower() not in SUFFIXES:
        found = [*sorted(file for file in path.rglob("*") if file.is_file() and _is_data(file.relative_to(path)))]
        if not found:
            raise DataError(f"{path}: expected files ending in {', '.join(SUFFIXES)}, found none in the folder.")
    elif glob.has_magic(str(source)) and not path.is_file():
        found = [*sorted({Path(name) for name in glob.glob(str(source), recursive=True) if Path(name).is_file()})]  # noqa: PTH207 - the pattern may be absolute
        if not found:
            raise DataError(f"{source}: expected files that match, found none; quote the pattern.")
    else:
        found = [path]
    for file in found:
        _check_file(file)
    return found


def open_file(path: DataPath, wanted: Wanted) -> Reader:
    """Return the reader of a file.

    Raises:
        DataError: It is damaged, or lacks a column.
        MissingExtraError: pyarrow is not installed.
    """
    with naming(path):
        suffix = path.suffix.lower()
        if isinstance(path, Path) and suffix in _OPEN_LOCAL:
            return _OPEN_LOCAL[suffix](path, wanted)
        return _OPEN[suffix](path, wanted)


@contextmanager
def naming(path: DataPath) -> Iterator[None]:
    """Turn what libraries say about a damaged file into a sentence with its name."""
    try:
        yield
    except DataError as error:
        if str(error).startswith(str(path)):
            raise
        raise DataError(f"{path}: {error}") from None
    except (MissingExtraError, LabelsFound):
        raise
    except (
        ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, EOFError, RuntimeError, OverflowError,
        MemoryError, Warning, pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, NotImplementedError,
    ) as error:  # fmt: skip
        if isinstance(path, StoredFile) and isinstance(error, OSError) and (fault := path.fault(error)) is not None:
            raise fault from None
        said: Any = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise DataError(f"{path}: expected a readable {path.suffix} file, found a damaged one: {said}") from None


def _is_data(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not any(part.startswith((".", "_")) for part in path.parts)


def _check_file(file: DataPath) -> None:
    if file.suffix.lower() not in SUFFIXES:
        raise DataError(
            f"{file}: expected a file ending in {', '.join(SUFFIXES)}, found {file.suffix or 'no ending'!r}."
        )
    if isinstance(file, StoredFile):
        if file.suffix.lower() not in _OPEN:
            raise DataError(
                f"{file}: expected a file ending in {', '.join(_OPEN)} in a store, found {file.suffix!r}, which is read "
                f"from disks only; download it first."
            )
    elif not file.is_file():
        raise DataError(f"{file}: expected a file, found {'a folder' if file.is_dir() else 'nothing'} there.")
