"""NPY, NPZ and PT files, a slice of rows at a time; nothing in them is executed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from nebula.errors import DataError
from nebula.profiling.arrays import as_tensor
from nebula.profiling.streams.chunk import CHUNK_ROWS, Chunk, FeatureCounts, Kind, Numbers
from nebula.profiling.streams.reader import Wanted, require

__all__ = ["ArrayFile", "NpzFile", "chunk_of_arrays", "open_npy", "open_pt"]

_CHUNK_VALUES = 2**22


class ArrayFile:
    """Arrays that can be sliced: memory-mapped files, or whatever is in memory; a part is a slice of rows.

    Args:
        where: The source, for error messages.
        arrays: Arrays and tensors by name, rows first.
        wanted: What to read; without names, no columns beside the target.
    """

    def __init__(self, where: str, arrays: Mapping[str, Any], wanted: Wanted) -> None:
        beside = list(wanted.features or ())
        require(where, [*wanted.target, *beside], list(arrays))
        self._where, self._wanted = where, wanted
        # A single number is one row.
        named = {name: arrays[name] for name in dict.fromkeys([*wanted.target, *beside])}
        self._arrays = {name: array if array.ndim else array.reshape(1) for name, array in named.items()}
        self.rows: int | None = _same_rows(where, {name: tuple(array.shape) for name, array in self._arrays.items()})
        self.n_parts: int | None = None
        self._step = _rows_of_a_chunk([tuple(array.shape) for array in self._arrays.values()])

    def parts(self, start: int = 0) -> Iterator[Iterator[Chunk]]:
        """Return the slices from number `start` on."""
        rows = self.rows or 0
        for low in range(start * self._step, max(rows, 1) if not start else rows, self._step):
            cut = {name: array[low : low + self._step] for name, array in self._arrays.items()}
            yield iter([chunk_of_arrays(cut, self._wanted, self._where)])


class NpzFile:
    """An archive of named arrays, unpacked while it is read; a part is a slice of rows."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self._path, self._wanted = path, wanted
        with path.open("rb") as stream:
            if stream.read(6) == b"\x93NUMPY":
                raise DataError(
                    f"{path}: expected an archive of named arrays, found a single array; save it with numpy.savez."
                )
        beside = list(wanted.features or ())
        with zipfile.ZipFile(path) as archive:
            require(path, [*wanted.target, *beside], [name.removesuffix(".npy") for name in archive.namelist()])
            heads = {name: self._head(archive, name)[1:] for name in dict.fromkeys([*wanted.target, *beside])}
        self.rows: int | None = _same_rows(str(path), {name: shape for name, (shape, _, _) in heads.items()})
        self.n_parts: int | None = None
        self._heads = heads
        self._step = _rows_of_a_chunk([shape for shape, _, _ in heads.values()])

    def parts(self, start: int = 0) -> Iterator[Iterator[Chunk]]:
        """Return the slices from number `start` on; those before are unpacked and read over."""
        if any(fortran and len(shape) > 1 for shape, fortran, _ in self._heads.values()):
            yield from self._whole().parts(start)
            return
        with zipfile.ZipFile(self._path) as archive, ExitStack() as stack:
            streams = {name: stack.enter_context(self._head(archive, name)[0]) for name in self._heads}
            for low in range(0, max(self.rows or 0, 1), self._step):
                cut = {name: self._take(stream, name, low) for name, stream in streams.items()}
                if low >= start * self._step:
                    yield iter([chunk_of_arrays(cut, self._wanted, str(self._path))])

    def _whole(self) -> ArrayFile:
        """Return the arrays in memory: columns first cannot be cut into rows while unpacking."""
        with self._path.open("rb") as stream:
            arrays = np.load(stream, allow_pickle=False)
            return ArrayFile(str(self._path), {name: arrays[name] for name in self._heads}, self._wanted)

    def _head(self, archive: zipfile.ZipFile, name: str) -> tuple[IO[bytes], tuple[int, ...], bool, np.dtype[Any]]:
        known = archive.namelist()
        stream = archive.open(f"{name}.npy" if f"{name}.npy" in known else name)
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        if dtype.hasobject:
            raise DataError(f"{self._path}: {name}: expected numbers, found objects, which could run code.")
        return stream, shape, fortran, dtype

    def _take(self, stream: IO[bytes], name: str, low: int) -> np.ndarray[Any, Any]:
        shape, _, dtype = self._heads[name]
        if not shape:
            return np.frombuffer(bytearray(stream.read(dtype.itemsize)), dtype=dtype)
        rows = min(self._step, shape[0] - low)
        size = rows * int(np.prod(shape[1:])) * dtype.itemsize
        content = bytearray(stream.read(size))
        if len(content) != size:
            raise DataError(f"{self._path}: {name}: expected {shape[0]} rows, found the end of the file before.")
        return np.frombuffer(content, dtype=dtype).reshape(rows, *shape[1:])


def open_npy(path: Path, wanted: Wanted) -> ArrayFile:
    """Open a memory-mapped `.npy` file: one array, which is the target under any name."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return ArrayFile(str(path), {wanted.target[0]: array}, wanted)


def open_pt(path: Path, wanted: Wanted) -> ArrayFile:
    """Open a `.pt` file: a dict of tensors by name, or one tensor, which is the target under any name."""
    import pickle

    try:
        content = _load(path)
    except pickle.UnpicklingError:
        raise DataError(
            f"{path}: expected tensors only, found damage or other objects, which could run code; "
            f"save a dict of tensors with torch.save."
        ) from None
    if isinstance(content, Tensor):
        content = {wanted.target[0]: content}
    if not isinstance(content, Mapping):
        raise DataError(f"{path}: expected a tensor or a dict of tensors, found {type(content).__name__}.")
    named = {str(name): value for name, value in content.items()}
    beside = wanted.features or ()
    require(path, [*wanted.target, *beside], list(named))
    tensors = {name: as_tensor(named[name], f"{path}: {name}") for name in dict.fromkeys([*wanted.target, *beside])}
    return ArrayFile(str(path), tensors, wanted)


def chunk_of_arrays(arrays: Mapping[str, Any], wanted: Wanted, where: str) -> Chunk:
    """Make a chunk of arrays with the same rows.

    Raises:
        DataError: An array holds no real numbers.
    """
    tensors = {name: as_tensor(array, f"{where}: {name}") for name, array in arrays.items()}
    target = tensors[wanted.target[0]]
    if len(wanted.target) > 1:
        target = torch.stack([tensors[name].reshape(-1) for name in wanted.target], dim=1)
    if not wanted.features:
        return Chunk(Numbers(target))
    beside = [tensors[name] for name in wanted.features]
    width = [int(np.prod(tensor.shape[1:])) for tensor in beside]
    missing = sum(int(torch.isnan(tensor).sum()) for tensor in beside if tensor.is_floating_point())
    rows = len(target) if target.ndim else 1
    numeric: Kind = "numeric"
    return Chunk(Numbers(target), FeatureCounts(rows, sum(width), missing, (numeric,) * sum(width)))


def _load(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError:  # written in the format before torch 1.6, which cannot be mapped
        return torch.load(path, map_location="cpu", weights_only=True)


def _same_rows(where: str, shapes: Mapping[str, tuple[int, ...]]) -> int:
    sizes = {name: shape[0] if shape else 1 for name, shape in shapes.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(f"{where}: expected as many rows in every array, found {sizes}.")
    return next(iter(sizes.values()))


def _rows_of_a_chunk(shapes: list[tuple[int, ...]]) -> int:
    widest = max(int(np.prod(shape[1:])) for shape in shapes)
    return max(1, min(CHUNK_ROWS * 4, _CHUNK_VALUES // max(widest, 1)))
