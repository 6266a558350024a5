"""When a part of the data is enough to decide on."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from nebula.decision.boundary import find_boundaries
from nebula.evidence.verdict import choose_on, same_choice
from nebula.policy.compiled import CompiledPolicy
from nebula.policy.engine import NativeEngine
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import facts_of

__all__ = ["CHECKS", "FIRST_CHECK", "Sufficiency"]

FIRST_CHECK = 1024
"""Rows before the first check; the next come at twice as many each."""

CHECKS = 3
"""Checks in a row that must agree."""

_T95 = 3.182
"""Student's t at 97.5 % with three degrees of freedom: the number of checks."""

_NATIVE = NativeEngine()


class Sufficiency:
    """Says when more rows of the same kind would hardly change the choice.

    At every check the rows have doubled, so that half of them are new. The evidence suffices when,
    in three checks one after the other,

    - the new half alone chooses as all rows do: each time a decision made independently;
    - the new half brings no value that the rows before lacked, where the values can be listed,
      and the target is not constant; and
    - the nearest thresholds, whose crossing would change the choice, are at least as far from the
      facts as the sampling error: |value - threshold| >= 3.182 s.

    A fact of all rows differs from the same fact of the new half by about its own standard error,
    as either half errs independently; s² is the mean of these squared differences over three
    checks, each scaled to the present number of rows. The rows must come in random order: labels
    that come sorted are noticed, a slow trend in a measurement need not be.

    Args:
        policy: The policy that is to decide.
    """

    def __init__(self, policy: CompiledPolicy) -> None:
        self._policy = policy
        self._values: tuple[float, ...] | None = None
        self._agreed: list[tuple[str, ...]] = []
        self._errors: list[tuple[int, dict[str, float]]] = []

    def check(self, whole: DataProfile, new_half: DataProfile) -> bool:
        """Say whether the evidence suffices by now.

        Args:
            whole: All rows so far.
            new_half: The rows since the last check.
        """
        chosen = choose_on(self._policy, whole)
        agrees = same_choice(self._policy, choose_on(self._policy, new_half), chosen)
        agrees = agrees and not whole.target.is_constant and not self._brings_values(whole)
        if not agrees or (self._agreed and not same_choice(self._policy, self._agreed[-1], chosen)):
            self._agreed.clear()
        if agrees:
            self._agreed.append(chosen)
        facts = facts_of(whole)
        self._errors.append((whole.evidence.rows_seen or 0, _differences(facts, facts_of(new_half))))
        if len(self._agreed) < CHECKS:
            return False
        boundaries = find_boundaries(self._policy, self._policy.evaluate(facts, _NATIVE), facts)
        return all(boundary.distance >= _T95 * self._error(boundary.fact) for boundary in boundaries)

    def _brings_values(self, whole: DataProfile) -> bool:
        before, self._values = self._values, whole.target.unique_values
        return before is not None and before != self._values

    def _error(self, fact: str) -> float:
        """Return the standard error of a fact of all rows, pooled over the last checks."""
        rows = self._errors[-1][0]
        recent = [(n, found[fact]) for n, found in self._errors[-CHECKS:] if fact in found]
        return sqrt(sum(error**2 * n / rows for n, error in recent) / len(recent)) if recent else 0.0


def _differences(whole: Mapping[str, object], half: Mapping[str, object]) -> dict[str, float]:
    return {
        name: abs(float(value) - float(other))
        for name, value in whole.items()
        if isinstance(value, int | float) and isinstance(other := half.get(name), int | float)
    }
