"""The native twin: a clause fires when its literals are a subset of what holds."""

from __future__ import annotations

from nebula.policy.engine.program import Program

__all__ = ["NativeEngine"]


class NativeEngine:
    """Inference in a few lines of Python, where durable-rules is not installed, and its oracle."""

    name = "native"
    version = "1"

    def fire(self, program: Program, stratum: int, literals: frozenset[int]) -> tuple[int, ...]:
        """Return the heads whose clauses hold, each once, in the order of the clauses."""
        return tuple(dict.fromkeys([head for head, body in program.strata[stratum] if body <= literals]))

    def close(self, program: Program) -> None:
        """Keep nothing, free nothing."""
