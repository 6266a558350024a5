"""The values that a decided loss can take, in the user's own coding of the target."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from nebula.decision.trace import DecisionTrace
from nebula.losses.adaptation import contract_for, entry_of
from nebula.losses.contract import Contract
from nebula.losses.labels import find_void
from nebula.losses.spec import AdaptStep, LossSpec
from nebula.profiling.model import DataProfile

__all__ = ["Domain", "domains_of"]


@dataclass(frozen=True)
class Domain:
    """What a target may be, element by element.

    Attributes:
        loss: Name of the loss that asks for it.
        low: Smallest value; `-inf` where there is none.
        high: Largest value; `inf` where there is none.
        low_open: `low` itself is not allowed.
        high_open: `high` itself is not allowed.
        whole: Only whole numbers.
        labels: The only values allowed, ascending; None: no list.
        left_out: A value that means *no label* and is always allowed.
        classes: The values are labels of classes.
    """

    loss: str
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    whole: bool = False
    labels: tuple[float, ...] | None = None
    left_out: float | None = None
    classes: bool = False

    @property
    def inside(self) -> float:
        """Some value that is allowed."""
        if self.labels:
            return self.labels[0]
        if math.isinf(self.low):
            return 0.0 if math.isinf(self.high) else self.high - 1
        return self.low if not self.low_open else (self.low + min(self.high, self.low + 1)) / 2

    def __str__(self) -> str:
        if self.labels is not None:
            shown = ", ".join(f"{label:g}" for label in self.labels[:8])
            return f"one of {shown}{', …' if len(self.labels) > 8 else ''}"
        low = "(-∞" if math.isinf(self.low) else f"{'(' if self.low_open else '['}{self.low:g}"
        high = "∞)" if math.isinf(self.high) else f"{self.high:g}{')' if self.high_open else ']'}"
        return f"{'whole numbers' if self.whole else 'values'} in {low}, {high}"


def domains_of(trace: DecisionTrace) -> tuple[Domain, ...]:
    """Return what the decided loss allows; of a composite, what each of its terms allows.

    The declared steps on the target are walked backwards, so that the values are those that the
    user's batches hold: percentages where these become fractions, the user's labels where these
    become indices.
    """
    if trace.spec is None:
        return ()
    specs = [term.spec for term in trace.spec.terms] or [trace.spec]
    return tuple(dict.fromkeys(_domain(spec, trace.profile) for spec in specs))


def _domain(spec: LossSpec, profile: DataProfile) -> Domain:
    contract = contract_for(entry_of(spec.loss), spec.params, profile)
    domain = _inside_the_loss(spec, contract, profile)
    for step in reversed([step for step in spec.adapt if step.on == "target"]):
        domain = _before(step, domain)
    return domain


def _inside_the_loss(spec: LossSpec, contract: Contract, profile: DataProfile) -> Domain:
    interval = contract.target_interval
    domain = Domain(
        loss=spec.loss,
        low=-math.inf if interval.low is None else interval.low,
        high=math.inf if interval.high is None else interval.high,
        low_open=interval.low_open,
        high_open=interval.high_open,
        whole=contract.integer_valued,
    )
    if contract.target_kind not in ("class_index", "level_index"):
        return domain
    outputs = profile.relation.n_outputs_per_label if profile.relation.class_axis is not None else None
    last = 0 if contract.layout == "thresholds" else 1
    highest = math.inf if outputs is None else outputs - last
    # an `ignore_index` nobody named is torch's -100, which would leave labels out unasked
    index, void = spec.params.get("ignore_index"), find_void(profile)
    left_out = float(index) if void is None and index is not None else void
    return replace(domain, high=highest, whole=True, left_out=left_out, classes=True)


def _before(step: AdaptStep, after: Domain) -> Domain:
    """Return what a step may be given for its result to be allowed."""
    match step.step:
        case "scale_target":
            by = step.params["by"]
            return replace(after, low=after.low / by, high=after.high / by)
        case "shift_labels":
            by = step.params["by"]
            return replace(after, low=after.low - by, high=after.high - by)
        case "remap_labels":
            values = tuple(float(value) for value in step.params["values"])
            return replace(
                after, low=values[0], high=values[-1], low_open=False, high_open=False, labels=values, whole=False
            )
        case "void_to_ignore":
            return replace(after, left_out=float(step.params["value"]))
        case "one_hot_to_index":
            return replace(after, low=0, high=1, left_out=None, whole=True)
        case "to_long":
            return replace(after, whole=after.labels is None)
        case _:
            return after
