"""Anything that holds numbers → one detached, dense, real torch tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nebula.errors import DataError
from nebula.profiling.frames import is_frame, read_frame
from nebula.profiling.model import Categories

__all__ = ["Source", "as_source", "as_tensor"]


@dataclass(frozen=True)
class Source:
    """Data as a tensor, with what its container knew about it.

    Attributes:
        tensor: Detached, dense, real; shares memory with the input where it can.
        name: Name of the column, or None.
        class_names: Label of every integer code, when the input held categories or strings.
        categories: Whether these have an order; None for numbers.
    """

    tensor: Tensor
    name: str | None = None
    class_names: tuple[str, ...] | None = None
    categories: Categories | None = None


def as_tensor(data: Any, role: str = "target") -> Tensor:
    """Return `as_source(data, role).tensor`."""
    return as_source(data, role).tensor


def as_source(data: Any, role: str = "target") -> Source:
    """Read a tensor out of whatever the user has.

    Args:
        data: What was read already, a torch tensor, numpy array or scalar, pandas or polars Series or frame, number, or
            (nested) list of numbers. Missing entries of nullable columns become NaN; categories
            and strings in a Series become integer codes: in the declared order for ordered
            categories, else in sorted order.
        role: What the data is, for error messages.

    Raises:
        DataError: The data is sparse, quantized, complex, textual, ragged, or of an unknown type.
    """
    if isinstance(data, Source):
        return data
    if isinstance(data, Tensor):
        return Source(_dense(data, role))
    if is_frame(data):
        column = read_frame(data, role)
        return Source(_from_numpy(column.values, role), column.name, column.class_names, column.categories)
    if isinstance(data, np.ndarray | np.generic):
        return Source(_from_numpy(np.asanyarray(data), role))
    if isinstance(data, bool | int | float | list | tuple):
        return Source(_from_numpy(_from_list(data, role), role))
    raise DataError(
        f"{role}: expected a tensor, array, Series or list of numbers, found {type(data).__name__}; "
        f"convert it with torch.as_tensor first."
    )


def _dense(tensor: Tensor, role: str) -> Tensor:
    problem = None
    if tensor.is_nested:
        problem = "a nested tensor; call .to_padded_tensor(nan)"
    elif tensor.is_quantized:
        problem = "a quantized tensor; call .dequantize()"
    elif tensor.layout != torch.strided:
        problem = f"a sparse tensor ({tensor.layout}); call .to_dense()"
    elif tensor.is_complex():
        problem = f"complex values ({tensor.dtype}); pass the real and imaginary parts with torch.view_as_real"
    elif tensor.device.type == "meta":
        problem = "a tensor on the meta device, which has no values; pass real data, or a PredictionSpec"
    if problem:
        raise DataError(f"{role}: expected dense real numbers, found {problem} first.")
    plain = tensor.detach().resolve_neg()
    # Apple's devices share the host's memory and have no float64.
    return plain.cpu() if plain.device.type == "mps" else plain


def _from_numpy(array: np.ndarray[Any, Any], role: str) -> Tensor:
    if isinstance(array, np.ma.MaskedArray):
        raise DataError(f"{role}: expected a plain array, found a masked one; call .filled(numpy.nan) first.")
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{role}: expected numbers, found an array of dtype {array.dtype}; {_advice(array.dtype.kind)}."
        )
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    array = np.asarray(array, dtype=array.dtype.newbyteorder("="))
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()
    return torch.from_numpy(array)


def _from_list(data: Any, role: str) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(data)
    except (ValueError, TypeError, RuntimeError, OverflowError):
        raise DataError(f"{role}: expected numbers in a list of even lengths, found a ragged or mixed list.") from None


def _advice(kind: str) -> str:
    if kind in "US":
        return "pass the labels as a pandas Series, or number them first"
    if kind in "Mm":
        return "turn dates and durations into numbers of a unit first"
    if kind == "c":
        return "pass the real and imaginary parts as two columns"
    return "convert it with .astype to a number type first"
