"""A small policy and decisions by it, whose records are short."""

from __future__ import annotations

from pathlib import Path

from nebula.audit.log import AuditLog
from nebula.audit.segments import segment, segments
from nebula.decision.model import Decision
from nebula.decision.policy import Policy
from nebula.policy.loader import loads
from nebula.profiling.model import DataProfile, TargetFacts

TEXT = """
apiVersion: nebula/v1
name: small
version: 1.0.0
parameters: {most: 10}
select:
  - {id: few, when: target.n_unique <= most, use: {loss: MSELoss}, because: Few values.}
  - {id: counts, when: target.min >= 0, use: {loss: PoissonNLLLoss}, because: Counts.}
otherwise: {use: {loss: L1Loss}, because: Nothing is known.}
"""
SMALL = Policy(loads(TEXT))


def decide(n_unique: int = 3, name: str | None = "y", policy: Policy = SMALL) -> Decision:
    """A decision on a profile with few facts."""
    target = TargetFacts(name=name, n=20, n_unique=n_unique, min=0.5, unique_values=(0.5, 1.25, 2.75))
    return policy.decide(DataProfile(fingerprint=f"test:{n_unique:032x}", target=target))


def written(path: Path, count: int, **options: object) -> AuditLog:
    """A log of so many decisions, of which the n-th is on n distinct values."""
    log = AuditLog(path, fsync="never", **options)  # type: ignore[arg-type]  # handed on
    for number in range(1, count + 1):
        log.append(decide(number).trace, SMALL)
    return log


def files(path: Path) -> list[Path]:
    """The segments of a log."""
    return [segment(path, number) for number in segments(path)]
