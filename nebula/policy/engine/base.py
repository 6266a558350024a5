"""What an inference engine is to a policy."""

from __future__ import annotations

from typing import Protocol

from nebula.policy.engine.program import Program

__all__ = ["InferenceEngine"]


class InferenceEngine(Protocol):
    """Says which heads of a program's stratum follow from the literals that hold."""

    @property
    def name(self) -> str:
        """Name for the trace."""

    @property
    def version(self) -> str:
        """Version for the trace."""

    def fire(self, program: Program, stratum: int, literals: frozenset[int]) -> tuple[int, ...]:
        """Infer one stratum.

        Args:
            program: The compiled policy.
            stratum: Index into `program.strata`.
            literals: Everything that holds: comparisons and heads of earlier strata.

        Returns:
            The heads whose clauses hold, each once, in the order of the clauses.

        Raises:
            EngineError: The engine failed.
        """

    def close(self, program: Program) -> None:
        """Give back what the engine keeps for this program; the next `fire` makes it anew."""
