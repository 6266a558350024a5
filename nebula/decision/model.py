"""The decision: a thin, immutable view of its trace with the questions people ask of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nebula.decision.explain import explain, summary, why_not
from nebula.decision.trace import DecisionTrace, Status
from nebula.decision.why import Why, explain_why
from nebula.errors import DecisionError
from nebula.losses.needed_outputs import NeededOutputs, needed_outputs
from nebula.losses.spec import LossSpec

if TYPE_CHECKING:
    from nebula.decision.contrast import WhyNot
    from nebula.decision.policy import Policy

__all__ = ["Decision"]


@dataclass(frozen=True)
class Decision:
    """Which loss, by which rule, on which facts.

    Attributes:
        trace: The full record; everything else is read from it.
        policy: The policy that decided; None when the decision was read back from its record.
    """

    trace: DecisionTrace
    policy: Policy | None = field(default=None, repr=False, compare=False)

    @property
    def spec(self) -> LossSpec | None:
        """Loss × link × output bias × serving; None when the policy refuses to guess."""
        return self.trace.spec

    @property
    def outputs(self) -> NeededOutputs | None:
        """How many outputs the model's last layer needs, and what each one is; None without a loss of known shape."""
        return needed_outputs(self.trace.spec, self.trace.profile) if self.trace.spec else None

    @property
    def rule_id(self) -> str | None:
        """The select rule that fired; None when `otherwise` answered."""
        return self.trace.rule_id

    @property
    def task(self) -> str | None:
        """The kind of quantity the target was taken for."""
        return self.trace.task

    @property
    def status(self) -> Status:
        """`decided`; `provisional` on a part of the data; `ambiguous` when the data cannot tell."""
        return self.trace.status

    def explain(self) -> str:
        """Return the reasons as plain text: the choice, each rule, what would change it."""
        return explain(self.trace)

    def why(self) -> Why:
        """Return what came of every rule: `.sentence()`, `.tree()`, `.model_dump_json()`."""
        return explain_why(self.trace)

    def why_not(self, loss: str, *, policy: Policy | None = None, prove: bool = False) -> str:
        """Say why another loss was not chosen, rule by rule, and last what would select it.

        What would select it needs the policy, which a decision read back from its record lacks:
        without `policy` its text then ends with the rules.

        Args:
            loss: Name of a registered loss, e.g. `MSELoss`.
            policy: The policy that decided, for a decision read back.
            prove: Prove that no fewer facts would do, or find fewer; needs the extra `verify`.

        Raises:
            ContractError: No loss of that name is registered.
            DecisionError: Another policy decided, or a proof is asked for and none is at hand.
            MissingExtraError: A proof was asked for and the extra `verify` is not installed.
        """
        if policy is None and self.policy is None and not prove:
            return why_not(self.trace, loss)
        answer = self.contrast(loss, policy=policy, prove=prove)
        said = answer.answer in ("chosen", "not named")
        return "\n".join([*answer.why_not, *([] if said else [f"  {answer.sentence()}"])])

    def contrast(self, loss: str, *, policy: Policy | None = None, prove: bool = False) -> WhyNot:
        """Search for the smallest change of facts that would select another loss.

        Args:
            loss: Name of a registered loss.
            policy: The policy that decided, for a decision read back.
            prove: Prove that no fewer facts would do, or find fewer; needs the extra `verify`.

        Returns:
            The answer: `.changes`, `.proof`, `.sentence()`, `.tree()`, `.model_dump_json()`.

        Raises:
            ContractError: No loss of that name is registered.
            DecisionError: Another policy decided, or none is at hand.
            MissingExtraError: A proof was asked for and the extra `verify` is not installed.
        """
        from nebula.decision.contrast import explain_why_not

        asked = policy or self.policy
        if asked is None:
            name = f"{self.trace.policy.name} {self.trace.policy.version}"
            raise DecisionError(f"expected the policy {name}, found a decision read back without it: pass `policy=`.")
        return explain_why_not(asked.current(), self.trace, loss, prove=prove)

    def __str__(self) -> str:
        """Return the one readable line."""
        return summary(self.trace)
