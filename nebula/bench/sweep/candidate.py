"""A choice to be trained: a `use` block, completed by the same machinery as a policy's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from nebula.decision.model import Decision
from nebula.decision.policy import Policy
from nebula.policy.loader import loads
from nebula.profiling.prediction import PredictionSpec
from nebula.selection import select

__all__ = ["Candidate"]

_POLICY = """
apiVersion: nebula/v1
name: candidate
version: 1.0.0
select:
  - {{id: candidate, when: target.n_columns >= 1, use: {use}, because: A candidate of a sweep.}}
"""


@dataclass(frozen=True)
class Candidate:
    """One loss with its link, output bias and serving.

    Attributes:
        label: Short name, unique in its sweep.
        use: The `use` block in YAML's flow style; `$target.iqr` and its like are taken from the data.
        n_outputs: Outputs of the model.
    """

    label: str
    use: str
    n_outputs: int = 1

    @cached_property
    def _policy(self) -> Policy:
        return Policy(loads(_POLICY.format(use=self.use), name=self.label))

    def decide(self, target: Tensor) -> Decision:
        """Complete the choice for these training targets."""
        return select(target, PredictionSpec(shape=(None, self.n_outputs)), policy=self._policy)
