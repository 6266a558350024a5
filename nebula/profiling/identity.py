"""A file's cheap identity: what changes when the file does, without reading it.

A content hash needs every byte. Where a file was, how long it is and when it was written is known
at once; the footer of a Parquet file, which holds the place and the extremes of every column
chunk, tells most rewrites that keep all three apart.
"""

from __future__ import annotations

from pathlib import Path

import xxhash

from nebula.errors import DataError

__all__ = ["identity"]

_MOST_FOOTER = 2**26


def identity(path: str | Path) -> str:
    """Return the identity of a file: equal while nobody writes to it.

    Args:
        path: The file.

    Returns:
        `file1:` and 32 hex digits over the resolved path, the size, the time of the last change in
        nanoseconds and, of a Parquet file, its footer. A change that keeps the size, sets the time
        back and leaves the footer alone is not seen; the content's fingerprint sees it.

    Raises:
        DataError: There is no such file.
    """
    file = Path(path).resolve()
    try:
        about = file.stat()
        footer = _read_footer(file, about.st_size) if file.suffix.lower() == ".parquet" else b""
    except OSError as error:
        raise DataError(f"{path}: expected a file, found none that can be read: {error.strerror}.") from None
    state = xxhash.xxh3_128(f"{file}|{about.st_size}|{about.st_mtime_ns}|".encode())
    state.update(footer)
    return f"file1:{state.hexdigest()}"


def _read_footer(file: Path, size: int) -> bytes:
    """Return the metadata at the end of a Parquet file; its length stands before the last four bytes."""
    with file.open("rb") as stream:
        stream.seek(max(size - 8, 0))
        tail = stream.read(8)
        length = int.from_bytes(tail[:4], "little")
        if len(tail) < 8 or length > min(size - 8, _MOST_FOOTER):
            return tail
        stream.seek(size - 8 - length)
        return stream.read(length)
