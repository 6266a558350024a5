"""The guards of all decisions that one object has in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nebula.decision.drift_event import DriftEvent
from nebula.decision.model import Decision
from nebula.decision.policy import Policy
from nebula.drift.guard import Guard
from nebula.drift.options import GuardOptions
from nebula.errors import DecisionError

__all__ = ["Guards"]

_DatasetId = str | int | None


class Guards:
    """A guard for each data set; copies and pickles start to watch anew.

    Args:
        policy: The policy that decides.
        options: As for a `Guard`; `True` takes the defaults, `False` watches nothing.
        audit: Something with a method `append_event`, which is then given every event, or anything else.
        switch: Puts a new decision for a data set into force and says whether it did.

    Attributes:
        by_dataset: The guards.
        events: What they noticed, in order, also under decisions that are no longer in force.
    """

    def __init__(
        self,
        policy: Policy,
        options: GuardOptions | bool,
        audit: Any,
        switch: Callable[[_DatasetId, Decision], bool],
    ) -> None:
        self.policy, self.options = policy, GuardOptions() if options is True else options or None
        self.by_dataset: dict[_DatasetId, Guard] = {}
        self.events: list[DriftEvent] = []
        self._audit, self._switch = audit, switch
        self._watched: dict[_DatasetId, tuple[Decision, bool]] = {}

    def refuse_redecide(self) -> None:
        """Make sure that no finding is to make a new decision.

        Raises:
            DecisionError: The code, or else the policy, asks for it; one of several processes cannot.
        """
        said = self.policy.current().compiled.file.on_drift
        if self.options is not None and (self.options.on_drift or said) == "redecide":
            raise DecisionError(
                "fit: expected `on_drift` to be warn or raise where several processes decide together, found redecide: "
                "a process that notices drift in its own shard cannot change the loss of the others. Pass "
                "guard=GuardOptions(on_drift='warn'), and call fit(group=...) again when it warns."
            )

    def watch(self, dataset: _DatasetId, decision: Decision, *, alone: bool = True) -> None:
        """Guard a decision, in place of the one before.

        Args:
            dataset: The data set.
            decision: The decision in force.
            alone: It was made on this process's data; where several decided together, each judges
                single values only, as its own shard may be unlike the others.
        """
        if self.options is None:
            return
        self._watched[dataset] = decision, alone
        self.by_dataset[dataset] = Guard(
            decision,
            self.policy,
            replace(self.options, sink=self._record),
            dataset=dataset,
            switch=lambda new: self._switch(dataset, new),
            facts=alone,
        )

    def look(self) -> tuple[DriftEvent, ...]:
        """Look at all batches that are still held, and return every event.

        Raises:
            DriftError: They do not fit, and `on_drift` is `raise`.
        """
        for guard in tuple(self.by_dataset.values()):
            guard.flush()
        return tuple(self.events)

    def _record(self, event: DriftEvent) -> None:
        self.events.append(event)
        append = getattr(self._audit, "append_event", None)
        if append is not None:
            append(event)
        if self.options is not None and self.options.sink is not None:
            self.options.sink(event)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the guards, which hold targets."""
        return self.__dict__ | {"by_dataset": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Watch the same decisions anew."""
        self.__dict__.update(state)
        for dataset, (decision, alone) in tuple(self._watched.items()):
            self.watch(dataset, decision, alone=alone)
