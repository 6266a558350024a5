"""Shapes by the names of their axes: an axis of one name has one size, and nothing is broadcast."""

from __future__ import annotations

from torch import Tensor

from nebula.errors import ContractError
from nebula.losses.axes import Axes, write_axes

__all__ = ["expect_axes", "expect_kind", "expect_rows"]


def expect_axes(loss: str, **given: tuple[Tensor, Axes]) -> None:
    """Require tensors to have the axes named; shapes only are read, so it never waits for the device.

    Args:
        loss: Name, for the message.
        **given: Tensor and axes by the argument's name; a number is an axis of that size, an ellipsis,
            last, any number of further axes, equal in all.

    Raises:
        ContractError: An axis is missing, too many, or of two sizes.
    """
    sizes: dict[str, tuple[int, ...]] = {}
    if not all(_fits(tuple(tensor.shape), axes, sizes) for tensor, axes in given.values()):
        wanted = ", ".join(f"{name} {write_axes(axes)}" for name, (_, axes) in given.items())
        found = ", ".join(f"{name} {tuple(tensor.shape)}" for name, (tensor, _) in given.items())
        raise ContractError(f"{loss}: expected {wanted}, found {found}: give these axes; nothing is broadcast.")


def expect_rows(loss: str, least: int, **given: Tensor) -> None:
    """Require every tensor to have so many rows, where fewer leave nothing to compare.

    Raises:
        ContractError: One has fewer.
    """
    for name, tensor in given.items():
        if tensor.shape[0] < least:
            raise ContractError(
                f"{loss}: expected at least {least} rows of {name}, found {tensor.shape[0]}: rows are compared with "
                "each other; leave out a last batch that is too small (`drop_last=True`)."
            )


def expect_kind(loss: str, *, floating: bool, **given: Tensor) -> None:
    """Require floating tensors, or whole-number ones.

    Raises:
        ContractError: One is of the other kind.
    """
    for name, tensor in given.items():
        if tensor.is_floating_point() != floating:
            wanted, cast = ("floating", "float") if floating else ("whole-number", "long")
            raise ContractError(
                f"{loss}: expected a {wanted} {name}, found {tensor.dtype}: call `{name}.{cast}()` if it holds such."
            )


def _fits(shape: tuple[int, ...], axes: Axes, sizes: dict[str, tuple[int, ...]]) -> bool:
    if axes and axes[-1] == "…":
        named, rest = axes[:-1], shape[len(axes) - 1 :]
        if sizes.setdefault("…", rest) != rest:
            return False
        shape = shape[: len(named)]
    else:
        named = axes
    return len(shape) == len(named) and all(
        size == int(axis) if axis.isdigit() else sizes.setdefault(axis, (size,)) == (size,)
        for axis, size in zip(named, shape, strict=True)
    )
