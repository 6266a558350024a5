"""Whether a loss can take the data: its contract's broken clauses, as sentences."""

from __future__ import annotations

from typing import Any

from nebula.losses.adaptation import draw_plan
from nebula.profiling.model import DataProfile

__all__ = ["violations"]


def violations(loss: str, params: dict[str, Any], profile: DataProfile) -> tuple[str, ...]:
    """Return one sentence for every clause of the loss's contract that the data break.

    Clauses that a declared step can mend (a trailing axis, labels from 1, a dtype) are not broken,
    nor are clauses about facts that are unknown. The loss's own link is assumed.

    Raises:
        ContractError: The loss is unknown or a parameter is out of range.
    """
    return tuple(draw_plan(loss, params, None, profile).violations)
