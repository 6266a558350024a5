"""One batch from a file: what a loss was called with."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nebula.errors import DataError

__all__ = ["Batch", "read_batch"]

_PREDICTION = ("prediction", "predictions", "input", "output", "logits", "y_pred")
_TARGET = ("target", "targets", "label", "labels", "y_true", "y")
_EXTRA = (
    *("var", "input_lengths", "target_lengths", "input2", "positive", "negative"),
    *("teacher", "group", "same", "lengths", "task_loss", "sample_weight"),
)


@dataclass(frozen=True)
class Batch:
    """The arguments of one call.

    Attributes:
        prediction: The first argument.
        target: The target; None of a loss without one.
        extra: Further tensors by the names that `check` takes.
    """

    prediction: Tensor
    target: Tensor | None
    extra: dict[str, Tensor] = field(default_factory=dict)


def read_batch(path: str | Path) -> Batch:
    """Read a batch.

    Args:
        path: A file of `torch.save` with a dict or a pair of tensors, read with `weights_only=True`, or an
            `.npz` of arrays. Names: `prediction` and `target` (or `logits`, `labels`, … ), and further
            ones by the names that `nebula.check` takes.

    Raises:
        DataError: The file cannot be read, or has no prediction.
    """
    file = Path(path)
    content = _read_npz(file) if file.suffix.lower() == ".npz" else _read_pt(file)
    if isinstance(content, (tuple, list)):
        if not 2 <= len(content) <= 2:
            raise DataError(f"{path}: expected a pair (prediction, target), found {len(content)} elements.")
        content = dict(zip(("prediction", "target"), content, strict=True))
    if not isinstance(content, Mapping):
        raise DataError(f"{path}: expected a dict or a pair of tensors, found {type(content).__name__}.")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    prediction = next((tensors[name] for name in _PREDICTION if name in tensors), None)
    if prediction is None:
        raise DataError(
            f"{path}: expected a tensor named `prediction`, found {', '.join(map(repr, tensors)) or 'no tensors'}."
        )
    target = next((tensors[name] for name in _TARGET if name in tensors), None)
    return Batch(prediction, target, {name: tensors[name] for name in _EXTRA if name in tensors})


def _read_pt(file: Path) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise DataError(f"{file}: expected a file to read, found {error.strerror or error}.") from None
    except Exception as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{file}: expected tensors saved by torch.save, found something else ({first[:200]}): save a dict with "
            "`prediction` and `target`."
        ) from None


def _read_npz(file: Path) -> dict[str, Tensor]:
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(np.ascontiguousarray(arrays[name])) for name in arrays.files}
    except OSError as error:
        raise DataError(f"{file}: expected a file to read, found {error.strerror or error}.") from None
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise DataError(f"{file}: expected an .npz of arrays of numbers, found {error}.") from None
