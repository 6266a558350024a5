"""Files → one target, with the size of the table beside it."""

from __future__ import annotations

import pickle
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nebula.errors import DataError, MissingExtraError
from nebula.profiling.arrays import Source, as_source, as_tensor
from nebula.profiling.features import describe_features
from nebula.profiling.model import Categories, FeatureFacts
from nebula.profiling.stores.address import is_address, mask

__all__ = ["Table", "read_table"]

_LISTED = 20


@dataclass(frozen=True, eq=False)
class Table:
    """The target of a data file.

    Attributes:
        target: (N,) for one column, (N, C) for several.
        name: Name of the column, or None for several.
        features: Size and missing cells of the other columns; of none in `.npz` and `.pt` files
            unless they were named.
        rows: Number of rows.
        class_names: Label of every integer code, when the column held categories or strings.
        categories: Whether these have an order; None for numbers.
    """

    target: Tensor
    name: str | None
    features: FeatureFacts
    rows: int
    class_names: tuple[str, ...] | None = None
    categories: Categories | None = None

    @property
    def source(self) -> Source:
        """The target with what its column knew about it: what `nebula.profile` takes."""
        return Source(self.target, self.name, self.class_names, self.categories)


def read_table(path: str | Path, target: str | Sequence[str], features: Sequence[str] | None = None) -> Table:
    """Read a target out of a `.csv`, `.parquet`, `.npz` or `.pt` file.

    Nothing in the file is executed: arrays are read without pickles, tensors with
    `weights_only=True`.

    Args:
        path: The file. CSV has a header line; `.npz` holds arrays by name; `.pt` holds a dict of
            tensors by name, or one tensor, which then is the target under any name.
        target: Column or array; several columns make an (N, C) target. A column of strings becomes
            integer codes in sorted order.
        features: The columns beside the target; by default all others of a table.

    Raises:
        DataError: The file is missing, damaged or of another kind, or a column is unknown.
        MissingExtraError: pandas or pyarrow is not installed.
    """
    if is_address(path):
        raise DataError(
            f"{mask(path)}: expected a path, as all rows are held in memory, found an address; download it."
        )
    file = Path(path)
    wanted = [target] if isinstance(target, str) else list(target)
    beside = [features] if isinstance(features, str) else None if features is None else list(features)
    if not wanted:
        raise DataError(f"{file}: expected the name of a target column, found none.")
    read = _READERS.get(file.suffix.lower())
    if read is None:
        raise DataError(
            f"{file}: expected a file ending in {', '.join(_READERS)}, found {file.suffix or 'no ending'!r}."
        )
    if not file.is_file():
        raise DataError(f"{file}: expected a file, found {'a folder' if file.is_dir() else 'nothing'} there.")
    try:
        return read(file, wanted, beside)
    except (DataError, MissingExtraError):
        raise
    except (
        ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, EOFError, RuntimeError, OverflowError,
        MemoryError, Warning, pickle.UnpicklingError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise DataError(
            f"{file}: expected a readable {file.suffix} file, found a damaged one: {_first_line(error)}"
        ) from None


def _read_csv(file: Path, wanted: list[str], beside: list[str] | None) -> Table:
    pd = _import_pandas("reading CSV files")
    with warnings.catch_warnings():
        # Rows longer than the header would be cut, or shift every column by one.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        _require(file, wanted + (beside or []), list(pd.read_csv(file, nrows=0, index_col=False).columns))
        columns = None if beside is None else list(dict.fromkeys(wanted + beside))
        frame = pd.read_csv(file, usecols=columns, index_col=False, low_memory=False)
    return _from_frame(file, frame, wanted, beside)


def _read_parquet(file: Path, wanted: list[str], beside: list[str] | None) -> Table:
    pd = _import_pandas("reading Parquet files")
    try:
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "table", "reading Parquet files") from None
    _require(file, wanted + (beside or []), parquet.read_schema(file).names)
    columns = None if beside is None else list(dict.fromkeys(wanted + beside))
    return _from_frame(file, pd.read_parquet(file, columns=columns, engine="pyarrow"), wanted, beside)


def _from_frame(file: Path, frame: Any, wanted: list[str], beside: list[str] | None) -> Table:
    for column in wanted:
        _refuse_half_numbers(file, frame[column])
    one = len(wanted) == 1
    source = as_source(frame[wanted[0]] if one else frame[wanted], f"{file}: {', '.join(wanted)}")
    others = [column for column in frame.columns if column not in wanted] if beside is None else beside
    return Table(
        target=source.tensor,
        name=wanted[0] if one else None,
        features=describe_features(frame[others]),
        rows=len(frame),
        class_names=source.class_names,
        categories=source.categories,
    )


def _refuse_half_numbers(file: Path, column: Any) -> None:
    """Refuse a column of numbers that one stray word would turn into labels."""
    present = column.dropna()
    if getattr(column.dtype, "kind", "O") != "O" or column.dtype.name == "category" or not len(present):
        return
    pd = _import_pandas("reading tables")
    numbers = pd.to_numeric(present.astype(object), errors="coerce").notna()
    if len(present) // 2 < numbers.sum() < len(present):
        stray = present[~numbers].iloc[0]
        raise DataError(
            f"{file}: {column.name}: expected numbers or labels, found {int(numbers.sum())} numbers among "
            f"{len(present)} entries, and {stray!r}; mend or empty the others."
        )


def _read_npz(file: Path, wanted: list[str], beside: list[str] | None) -> Table:
    # numpy leaves a damaged file open when it opened it itself.
    with file.open("rb") as stream:
        arrays = np.load(stream, allow_pickle=False)
        if not hasattr(arrays, "files"):
            raise DataError(
                f"{file}: expected an archive of named arrays, found a single array; save it with numpy.savez."
            )
        names = wanted + (beside or [])
        _require(file, names, arrays.files)
        return _from_arrays(file, {name: arrays[name] for name in dict.fromkeys(names)}, wanted, beside)


def _read_pt(file: Path, wanted: list[str], beside: list[str] | None) -> Table:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise DataError(
            f"{file}: expected tensors only, found damage or other objects, which could run code; "
            f"save a dict of tensors with torch.save."
        ) from None
    if isinstance(content, Tensor):
        content = {wanted[0]: content}
    if not isinstance(content, Mapping):
        raise DataError(f"{file}: expected a tensor or a dict of tensors, found {type(content).__name__}.")
    _require(file, wanted + (beside or []), [str(name) for name in content])
    return _from_arrays(file, content, wanted, beside)


def _from_arrays(file: Path, arrays: Mapping[str, Any], wanted: list[str], beside: list[str] | None) -> Table:
    tensors = {name: as_tensor(arrays[name], f"{file}: {name}") for name in dict.fromkeys(wanted + (beside or []))}
    sizes = {name: tensor.shape[0] if tensor.ndim else 1 for name, tensor in tensors.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(f"{file}: expected as many rows in every array, found {sizes}.")
    one = len(wanted) == 1
    target = tensors[wanted[0]] if one else torch.stack([tensors[name].reshape(-1) for name in wanted], dim=1)
    facts = FeatureFacts()
    if beside:
        facts = describe_features(
            torch.cat([tensors[name].reshape(sizes[name], -1).double() for name in beside], dim=1)
        )
    return Table(target, wanted[0] if one else None, facts, sizes[wanted[0]])


def _require(file: Path, names: list[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            guess = f" Did you mean {near[0]!r}?" if near else ""
            listed = ", ".join(map(str, known[:_LISTED])) + (", …" if len(known) > _LISTED else "")
            raise DataError(f"{file}: expected a column {name!r}, found none of that name.{guess} Known: {listed}.")


def _import_pandas(purpose: str) -> Any:
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtraError("pandas", "table", purpose) from None
    return pd


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


_READERS: dict[str, Callable[[Path, list[str], list[str] | None], Table]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".npz": _read_npz,
    ".pt": _read_pt,
}
