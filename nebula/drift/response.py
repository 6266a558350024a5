"""What happens when something was noticed: it is told, and then warned of, raised, or decided anew."""

from __future__ import annotations

import logging
from collections.abc import Callable

from nebula.decision.drift_event import DriftEvent, Outcome
from nebula.decision.model import Decision
from nebula.decision.policy import Policy
from nebula.drift.judging import Finding
from nebula.drift.options import GuardOptions
from nebula.errors import ContractError, DecisionError, DriftError
from nebula.policy.model import OnDrift
from nebula.profiling.model import DataProfile

__all__ = ["Response"]

_logger = logging.getLogger("nebula")


class Response:
    """Meets findings as the policy, or the code, says; every one leaves an event.

    Args:
        decision: The decision in force.
        policy: The policy that made it, or None.
        options: `on_drift` and `sink`.
        dataset: Name of the data set, for the events.
        switch: Puts a new decision into force and says whether it did.
    """

    def __init__(
        self,
        decision: Decision,
        policy: Policy | None,
        options: GuardOptions,
        dataset: str | int | None,
        switch: Callable[[Decision], bool] | None,
    ) -> None:
        said: OnDrift | None = policy.compiled.file.on_drift if policy is not None else None
        self.on_drift: OnDrift = options.on_drift or said or "warn"
        self._decision, self._policy, self._sink = decision, policy, options.sink
        self._dataset, self._switch = dataset, switch

    def meet(
        self,
        finding: Finding,
        evidence: DataProfile | None,
        calls: int,
        rows: int,
        keep: Callable[[DriftEvent], object],
    ) -> Outcome:
        """Tell of a finding, and act.

        Args:
            finding: What was noticed.
            evidence: All that is known of the data by now, or None.
            calls: Batches watched so far.
            rows: Rows watched so far.
            keep: Called with the event before anything is raised.

        Returns:
            What was done.

        Raises:
            DriftError: `on_drift` is `raise`.
        """
        outcome: Outcome = "told"
        new: Decision | None = None
        done = ""
        if finding.kind != "complete" and self.on_drift == "raise":
            outcome = "raised"
        elif finding.kind != "complete" and self.on_drift == "redecide":
            new, outcome, done = self._redecide(evidence)
        where = f" for data set {self._dataset!r}" if self._dataset is not None else ""
        advice = done or finding.advice
        message = f"{finding.message}{where}, after {calls} batches{f': {advice}' if advice else ''}."
        event = DriftEvent.about(
            self._decision.trace,
            kind=finding.kind,
            message=message,
            expected=finding.expected,
            found=finding.found,
            dataset=self._dataset,
            calls=calls,
            rows=rows,
            changed=finding.changed,
            on_drift=self.on_drift,
            outcome=outcome,
            new_decision=new.trace.id if new else None,
            new_loss=new.spec.loss if new and new.spec else None,
        )
        keep(event)
        _logger.log(logging.INFO if finding.kind == "complete" else logging.WARNING, "nebula: drift: %s", message)
        if self._sink is not None:
            self._sink(event)
        if outcome == "raised":
            raise DriftError(message)
        return outcome

    def _redecide(self, evidence: DataProfile | None) -> tuple[Decision | None, Outcome, str]:
        """Decide on all that is known; return the new decision, what came of it, and a clause that says so."""
        if self._policy is None or evidence is None:
            return None, "kept", "it cannot be decided anew without the policy and rows to decide on; the loss stays"
        try:
            new = self._policy.decide(evidence)
        except (DecisionError, ContractError) as error:
            return None, "kept", f"the policy names no other loss for these rows ({error}); the loss stays"
        before, after = self._decision.spec, new.spec
        if after is None or (before is not None and before == after):
            return new, "kept", "decided anew on these rows too, the loss stays"
        named = f"decided anew, rule `{new.rule_id}` names {after.loss}"
        if self._switch is None:
            return new, "told", f"{named}; put it into force, or go on"
        if self._switch(new):
            return new, "switched", f"{named}, which is in force from now on"
        return new, "kept", f"{named}; the loss stays, as what it has learned would be lost"
