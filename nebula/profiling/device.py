"""A piece of a target on an accelerator: counted there, with only counts and a part of the values coming back.

In torch operations alone, so that a CPU can run, and test, the same code.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nebula.profiling.distribution import Array, widen
from nebula.profiling.power_sums import sum_in_float64
from nebula.profiling.survey import Survey
from nebula.profiling.totals import Extremes, Totals
from nebula.profiling.value_hash import hash_on_device, threshold_of

__all__ = ["count_distinct", "lies_on_host", "pick_level", "survey_on_device", "total_on_device"]

_LEVELS = 32


def lies_on_host(tensor: Tensor) -> bool:
    """Say whether numpy can read the tensor where it is."""
    return tensor.device.type == "cpu"


def survey_on_device(piece: Tensor) -> Survey:
    """Do the work of `survey`, with two waits for the device at most.

    Args:
        piece: Real values, (N,).
    """
    if not piece.dtype.is_floating_point:
        values = piece.to(torch.int64)
        low, high = torch.stack(torch.aminmax(values)).tolist() if values.numel() else (0, 0)
        return Survey(values, 0, 0, low, high, True)
    values = piece.float() if piece.dtype.itemsize < 4 else piece
    nan, finite = torch.isnan(values), torch.isfinite(values)
    nan_count, kept = torch.stack([nan.sum(), finite.sum()]).tolist()
    inf_count = values.numel() - nan_count - kept
    if kept < values.numel():
        values = values[finite]
    if not kept:
        return Survey(values, nan_count, inf_count, 0, 0, True)
    low, high = torch.aminmax(values)
    whole = (values == values.floor()).all()
    least, most, is_whole = torch.stack([low.double(), high.double(), whole.double()]).tolist()
    return Survey(values, nan_count, inf_count, least + 0.0, most + 0.0, bool(is_whole))


def count_distinct(seen: Survey) -> tuple[Tensor, Tensor]:
    """Return the distinct values of a piece, ascending, and their counts, both on the device."""
    values = seen.finite
    if seen.is_narrow and abs(seen.low) < 2**53:
        counts = torch.bincount((values - seen.low).long(), minlength=1)
        places = torch.nonzero(counts).squeeze(1)
        return places + int(seen.low), counts[places]
    distinct, counts = torch.unique(values, sorted=True, return_counts=True)
    return distinct, counts


def pick_level(distinct: Tensor, counts: Tensor, level: int, capacity: int) -> tuple[Array, Array, int]:
    """Bring distinct values to the host, at the lowest level at which they fit.

    Args:
        distinct: Distinct values, (D,).
        counts: How often each occurs, (D,).
        level: The lowest level wanted.
        capacity: Most values to bring.

    Returns:
        Values as `widen` gives them, their counts, and the level.
    """
    if level or distinct.numel() > capacity:
        hashed = hash_on_device(distinct)
        limits = torch.tensor([threshold_of(rung) if rung else -1 for rung in range(_LEVELS)], device=hashed.device)
        # The number of limits that a hash exceeds, less one, is the highest level at which it stays.
        stays = torch.searchsorted(limits, hashed) - 1
        at_least = torch.bincount(stays, minlength=_LEVELS).flip(0).cumsum(0).flip(0).tolist()
        while level < _LEVELS - 1 and at_least[level] > capacity:
            level += 1
        keep = stays >= level
        distinct, counts = distinct[keep], counts[keep]
    return widen(distinct.cpu().numpy()), counts.cpu().numpy(), level


def total_on_device(seen: Survey, ignore: int | None) -> Totals:
    """Total the values of a piece with at least one finite value, with two waits for the device."""
    values, low, high = seen.finite, seen.low, seen.high
    marks = [low, high, 0] + ([] if ignore is None else [ignore])
    found = torch.stack([*((values == mark).sum() for mark in marks), (values < 0).sum()]).tolist()
    extremes = Extremes(low, high, found[0], found[1])
    ignored = found[3] if ignore is not None else 0
    rest = None if ignore is None else extremes
    if ignored:
        left = values[values != ignore]
        rest = None
        if left.numel():
            least, most = torch.aminmax(left)
            ends = torch.stack([(left == least).sum(), (left == most).sum()]).tolist()
            rest = Extremes(least.item() + 0, most.item() + 0, ends[0], ends[1])
    return Totals(
        seen.whole, found[2], found[-1], ignored, extremes, rest, sum_in_float64(values, float(low), float(high))
    )
