"""A profile in one line, for a reader who has not seen the vocabulary."""

from __future__ import annotations

from nebula.profiling.model import DataProfile, TargetFacts

__all__ = ["profile_words"]


def profile_words(profile: DataProfile) -> str:
    """Return the facts of the target that a person would ask for first."""
    facts = profile.target
    rows = f"{facts.n:,} rows" if facts.n is not None else "rows unknown"
    columns = f" of {facts.n_columns}" if (facts.n_columns or 1) > 1 else ""
    return "; ".join([f"{rows}{columns}", _support(facts), *_shape(facts)])


def _support(facts: TargetFacts) -> str:
    if facts.min is None or facts.max is None:
        return "no finite value"
    kind = "whole numbers" if facts.is_integer_valued else "numbers"
    many = f"{facts.n_unique:,} {kind}" if facts.n_unique is not None else kind
    return f"{many} from {facts.min:.4g} to {facts.max:.4g}"


def _shape(facts: TargetFacts) -> list[str]:
    if facts.n_classes is not None and facts.n_classes <= 20 and facts.minority_fraction is not None:
        return [f"rarest {facts.minority_fraction:.1%}"]
    parts = []
    if facts.zero_fraction:
        parts.append(f"{facts.zero_fraction:.0%} zero")
    if facts.mean is not None:
        parts.append(f"mean {facts.mean:.4g}")
    if facts.skew is not None:
        parts.append(f"skew {facts.skew:.1f}")
    if facts.is_integer_valued and facts.dispersion is not None:
        parts.append(f"variance / mean {facts.dispersion:.1f}")
    return parts
