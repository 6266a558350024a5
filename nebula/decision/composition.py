"""The parts of a composite in words: terms with their weights and schedules, and penalties."""

from __future__ import annotations

from collections.abc import Iterator

from nebula.losses.schedule import Cyclical, Phases, Schedule, Stepwise
from nebula.losses.spec import LossSpec, Penalty, Term

__all__ = ["part_rows", "weight_words"]


def part_rows(spec: LossSpec) -> Iterator[tuple[str, str]]:
    """Yield what each line is about, and its text; nothing for a single loss.

    Args:
        spec: The choice.
    """
    for term in spec.terms:
        yield "term", _term(term)
        for step in term.spec.adapt:
            yield "adapt", f"{term.name}: {step.on}: {step.step} ({step.reason})"
    for penalty in spec.penalties:
        yield "penalty", _penalty(penalty)


def weight_words(weight: float | Schedule) -> str:
    """Say a constant weight, or how a scheduled one changes with the steps.

    Args:
        weight: Of a term.
    """
    if isinstance(weight, int | float):
        return f"{weight:g}"
    match weight:
        case Stepwise():
            least = f", never below {weight.least:g}" if weight.least else ""
            return f"step: {weight.start:g}, times {weight.factor:g} every {weight.every} steps{least}"
        case Cyclical():
            return f"cyclical: from {weight.low:g} to {weight.high:g} and back every {weight.period} steps"
        case Phases():
            parts = [f"{p.weight:g} until step {p.until}" if p.until else f"{p.weight:g}" for p in weight.phases]
            return f"phases: {', then '.join(parts)}"
        case _:
            after = f", after {weight.delay} steps" if weight.delay else ""
            return f"{weight.schedule}: from {weight.start:g} to {weight.stop:g} over {weight.over} steps{after}"


def _term(term: Term) -> str:
    from nebula.decision.explain import show_value

    params = ", ".join(f"{name}={show_value(value)}" for name, value in term.spec.params.items())
    return f"{term.name}: {term.spec.loss}({params}), link {term.spec.link}, weight {weight_words(term.weight)}"


def _penalty(penalty: Penalty) -> str:
    share = f", {penalty.l1_share:g} of it l1" if penalty.kind == "elastic_net" else ""
    names = ", ".join(penalty.include) if penalty.include else "all weights"
    left_out = f" without {', '.join(penalty.exclude)}" if penalty.exclude else ""
    whole = ", biases and norms too" if penalty.biases_and_norms else ""
    return f"{penalty.kind} of strength {penalty.strength:g}{share} on {names}{left_out}{whole}"
