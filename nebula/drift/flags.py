"""A few numbers of many targets, taken on their own device and read later without waiting for it."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from nebula.decision.drift_event import Kind
from nebula.drift.domain import Domain

__all__ = ["Breach", "PendingFlags", "find_breaches", "start_flags"]

_FILLERS = (255.0, -1.0, -100.0)


class Breach(NamedTuple):
    """One clause of the loss's contract that some target broke.

    Attributes:
        loss: The loss.
        kind: Which clause.
        expected: What the loss is defined for.
        found: What came.
        advice: What to do, or empty.
    """

    loss: str
    kind: Kind
    expected: str
    found: str
    advice: str


class PendingFlags:
    """Flags that may still be on their way to the host.

    Args:
        flags: (F,) on the targets' device.
    """

    def __init__(self, flags: Tensor) -> None:
        self._event: torch.cuda.Event | None = None
        if flags.is_cuda:
            self._flags = torch.empty(flags.shape, dtype=flags.dtype, pin_memory=True)
            self._flags.copy_(flags, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record(torch.cuda.current_stream(flags.device))
        else:
            self._flags = flags

    @property
    def is_here(self) -> bool:
        """Reading would not wait."""
        return self._flags.device.type == "cpu" and (self._event is None or self._event.query())  # type: ignore[no-untyped-call]

    def read(self) -> list[float]:
        """Return the flags, waiting for them if need be."""
        if self._event is not None:
            self._event.synchronize()
        found: list[float] = self._flags.tolist()
        return found


def start_flags(values: Tensor, domains: tuple[Domain, ...]) -> PendingFlags:
    """Compute four numbers per domain: smallest, largest, any fraction, any unlisted label.

    Nothing waits for the device. A NaN makes smallest and largest NaN.

    Args:
        values: Targets of any shape, at least one element.
        domains: What is allowed.
    """
    flat = values.reshape(-1)
    if flat.dtype == torch.bool:
        flat = flat.to(torch.uint8)
    flags = [number for domain in domains for number in _measure(flat, domain)]
    exact = torch.float32 if flat.device.type == "mps" else torch.float64
    return PendingFlags(torch.stack([flag.to(exact) for flag in flags]))


def _measure(flat: Tensor, domain: Domain) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    if domain.left_out is not None:
        flat = torch.where(flat == domain.left_out, domain.inside, flat)
    low, high = torch.aminmax(flat)
    fraction = unlisted = flat.new_zeros(())
    if domain.whole and flat.is_floating_point():
        fraction = (flat != flat.floor()).any()
    if domain.labels is not None and not _is_run(domain.labels, flat):
        allowed = torch.tensor(domain.labels, dtype=torch.float64).to(
            flat.dtype if flat.is_floating_point() else torch.int64
        )
        unlisted = torch.isin(flat, allowed.to(flat.device, non_blocking=True), invert=True).any()
    return low, high, fraction, unlisted


def _is_run(labels: tuple[float, ...], flat: Tensor) -> bool:
    """Say whether the labels are consecutive whole numbers and the values whole by their type."""
    return not flat.is_floating_point() and labels[-1] - labels[0] == len(labels) - 1


def find_breaches(flags: list[float], domains: tuple[Domain, ...]) -> list[Breach]:
    """Return what the flags say against the domains, one breach a kind and domain.

    Args:
        flags: What `start_flags` computed.
        domains: The same domains.
    """
    return [
        breach for place, domain in enumerate(domains) for breach in _judge(domain, *flags[4 * place : 4 * place + 4])
    ]


def _judge(domain: Domain, low: float, high: float, fraction: float, unlisted: float) -> list[Breach]:
    if not (math.isfinite(low) and math.isfinite(high)):
        value = "NaN" if math.isnan(low) else "an infinite value"
        return [Breach(domain.loss, "not finite", "finite targets", value, "mask or drop those rows")]
    found = []
    if low <= domain.low if domain.low_open else low < domain.low:
        found.append(Breach(domain.loss, "below", str(domain), f"{low:g}", _advice(domain, low)))
    if high >= domain.high if domain.high_open else high > domain.high:
        found.append(Breach(domain.loss, "above", str(domain), f"{high:g}", _advice(domain, high)))
    if fraction:
        found.append(Breach(domain.loss, "not whole", str(domain), "fractions", "decide anew on data that hold them"))
    if unlisted and not found:
        text = f"another value between {low:g} and {high:g}"
        found.append(Breach(domain.loss, "unknown label", str(domain), text, "decide anew on data that hold it"))
    return found


def _advice(domain: Domain, value: float) -> str:
    if domain.classes and value in _FILLERS:
        return f"if {value:g} means no label, declare hints.ignore_value = {value:g}"
    if domain.classes:
        return "give the model an output for every label, and decide anew"
    return "mend the targets, or decide anew on data that hold them"
