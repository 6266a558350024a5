"""`Nebula`: the loss that chooses itself on the data set, once, and then stays out of the way."""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.compiler import is_compiling

from nebula.audit.log import AuditLog
from nebula.decision.announcement import log_decision
from nebula.decision.drift_event import DriftEvent
from nebula.decision.in_force import find_dataset
from nebula.decision.model import Decision
from nebula.decision.policy import Policy
from nebula.decision.shadow import compare_shadow, load_shadow
from nebula.decision.trace import DecisionTrace
from nebula.drift.guards import Guards
from nebula.drift.options import GuardOptions
from nebula.evidence.budget import Budget
from nebula.evidence.first_prediction import predict_first
from nebula.evidence.fitting import decide_on
from nebula.evidence.ranks import is_writer
from nebula.lockfile.guard import LockGuard, OnMismatch
from nebula.losses.base import LossFunction
from nebula.losses.criterion import Criterion
from nebula.losses.factory import AnyCriterion
from nebula.profiling.hints import Hints, parse_hints
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.sources import first_input
from nebula.selection import as_policy, build, decide
from nebula.store.location import USER, CacheLike, open_cache

__all__ = ["DatasetId", "Nebula"]

DatasetId = str | int | None

_logger = logging.getLogger("nebula")
_deciding = threading.RLock()


class Nebula(LossFunction):
    """A loss function that a policy chooses for each data set.

    `fit` decides on the whole data set before training. Without it, the first call decides on the
    batch it is given (*provisional*), says so in the log, and locks: a choice is never silently
    changed afterwards. A decided call only runs the chosen loss, and keeps a reference to the
    targets: a `Guard` looks at them now and then, and tells when they no longer fit the decision.

    Args:
        policy: A loaded policy, a path, or the name of a shipped one.
        hints: What no statistic can supply; see `Hints`.
        parameters: Values that replace the policy's named thresholds.
        cache: Target facts and decisions by content: `"user"`, a file in the user's cache folder;
            `":memory:"` or None, this object's own; a file; `"redis://…"`; or a `DecisionCache`, whose
            entries all objects share that are given it.
        audit: A JSON Lines file to which every decision's trace is appended, or an `AuditLog` with
            other settings. With a file's name, one that cannot be written is a warning.
        lock: A lockfile. A decision that is not the one pinned there under the data set's name, or
            the only one when none is named, is not used.
        on_mismatch: `warn` uses a decision that differs from the lockfile's all the same, and says so.
        shadow: A policy that decides beside the first one; the log tells where they disagree, and
            nothing else changes. One that cannot be used is told in the log and left out.
        guard: How the batches after a decision are watched; False does not watch them.

    Source: K. Gomez, "Nebula is All You Need" (2023), sections 3.3 to 3.5.
    """

    def __init__(
        self,
        policy: Policy | str | Path = "default.yaml",
        *,
        hints: Hints | dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        cache: CacheLike = USER,
        audit: AuditLog | str | os.PathLike[str] | None = None,
        shadow: Policy | str | Path | None = None,
        lock: str | os.PathLike[str] | None = None,
        on_mismatch: OnMismatch = "raise",
        guard: GuardOptions | bool = True,
    ) -> None:
        super().__init__()
        self.policy = as_policy(policy, parameters).prepared()
        self.hints = parse_hints(hints)
        self.cache = open_cache(cache)
        self.audit = audit if isinstance(audit, AuditLog) or audit is None else AuditLog(audit, on_error="warn")
        self.shadow = load_shadow(shadow)
        self.pins = None if lock is None else LockGuard(lock, on_mismatch)
        self._guards = Guards(self.policy, guard, self.audit, self._switch)
        self._criteria: dict[DatasetId, AnyCriterion] = {}
        self._decisions: dict[DatasetId, Decision] = {}

    @classmethod
    def from_policy(cls, policy: Policy | str | Path = "default.yaml", **options: Any) -> Nebula:
        """Return a `Nebula` that decides by this policy; the options are those of the class."""
        return cls(policy, **options)

    def fit(
        self,
        data: Any,
        model: nn.Module | None = None,
        *,
        prediction: Tensor | PredictionSpec | None = None,
        target: int | str | None = None,
        name: str | None = None,
        dataset: DatasetId = None,
        budget: Budget | None = None,
        group: Any = None,
    ) -> Nebula:
        """Decide on the data set, and lock.

        Args:
            data: Targets, `(inputs, targets)`, a `DataLoader`, a `Dataset`, or an iterable of pairs.
            model: Run on the first inputs, without gradients, to see the prediction's shape.
            prediction: Instead of a model: predictions, or a `PredictionSpec`.
            target: Which element of a batch is the target, by index or key; 1 of a pair.
            name: Column name of the target.
            dataset: Name of the data set, when one object serves several.
            budget: Bounds on reading a loader, which is then read only until the evidence
                suffices; without one, all of it is read.
            group: A `torch.distributed` process group, or True for all: every rank calls `fit` with
                its own shard, all decide the same on the merged evidence, the first rank writes.

        Returns:
            This object.

        Raises:
            DataError: The target cannot be found or profiled.
            AmbiguousDecision: The policy refuses to guess.
            LockError: The decision is not the one that `lock` pins.
            DecisionError: `redecide` is asked for together with a group.
        """
        if group:
            self._guards.refuse_redecide()
        if prediction is None and model is not None:
            prediction = predict_first(model, first_input(data))
        with _deciding:
            options = {"name": name, "target": target, "budget": budget, "group": group}
            decision = decide_on(data, self.policy, prediction, hints=self.hints, cache=self.cache, **options)
            self._lock(dataset, decision, group=group)
        return self

    def forward(self, prediction: Tensor, target: Tensor, dataset: DatasetId = None, **inputs: Any) -> Tensor:
        """Return the chosen loss of these predictions.

        Args:
            prediction: The model's raw output.
            target: The targets, as the user has them.
            dataset: Name of the data set, when one object serves several.
            **inputs: `sample_weight`, what every row counts, (N,); `num_items_in_batch`, what a mean is
                divided by where these rows are one part of a batch; and what the chosen loss names
                beside, such as the group of every row. See `Criterion.forward`.

        Returns:
            The loss, reduced as the policy's parameters say (a scalar mean by default).

        Raises:
            ContractError: Shapes or values are not what the chosen loss is defined for.
            DriftError: The batches no longer fit the decision, and `on_drift` is `raise`.
        """
        criterion = self._criteria.get(dataset)
        if criterion is None:
            criterion = self.determine_loss_function(prediction, target, dataset)
        guard = self._guards.by_dataset.get(dataset)
        if guard is not None and not is_compiling():
            guard.observe(target)
            criterion = self._criteria[dataset]
        loss: Tensor = criterion(prediction, target, **inputs)
        return loss

    def determine_loss_function(
        self, prediction: Tensor | PredictionSpec, target: Tensor, dataset: DatasetId = None
    ) -> AnyCriterion:
        """Decide on what is at hand and lock; a data set that is decided already is left as it is.

        Args:
            prediction: The model's raw output, or its shape.
            target: The targets seen so far; the decision is provisional.
            dataset: Name of the data set.

        Returns:
            The criterion that is now in force.
        """
        with _deciding:
            if dataset not in self._criteria:
                decision = decide(self.policy, target, prediction, hints=self.hints, cache=self.cache, complete=False)
                self._lock(dataset, decision)
                _logger.warning(
                    "nebula: decided on one batch of %s rows; call fit() with the whole data set to be sure",
                    decision.trace.profile.evidence.rows_seen,
                )
            return self._criteria[dataset]

    def compute_loss(self, y_pred: Tensor, y_true: Tensor) -> Tensor:
        """Return the loss (the paper's name for a call)."""
        loss: Tensor = self(y_pred, y_true)
        return loss

    @property
    def loss_function(self) -> AnyCriterion | None:
        """The criterion in force; None before the first decision."""
        return self._criteria[find_dataset(self._decisions, None)] if self._criteria else None

    @property
    def decision(self) -> Decision | None:
        """The decision in force; None before the first one."""
        return self._decisions[find_dataset(self._decisions, None)] if self._decisions else None

    @property
    def decisions(self) -> dict[DatasetId, Decision]:
        """Every decision in force, by data set."""
        return dict(self._decisions)

    @property
    def drift_events(self) -> tuple[DriftEvent, ...]:
        """What was noticed about the batches, in order; the rest is looked at now, which may raise `DriftError`."""
        return self._guards.look()

    def explain(self, dataset: DatasetId = None) -> str:
        """Return the reasons of a decision as plain text."""
        return self._decisions[find_dataset(self._decisions, dataset)].explain()

    def why_not(self, loss: str, dataset: DatasetId = None) -> str:
        """Say why another loss was not chosen."""
        return self._decisions[find_dataset(self._decisions, dataset)].why_not(loss)

    def predict(self, raw: Tensor, dataset: DatasetId = None) -> Tensor:
        """Serve the raw output as the functional that answers the metric."""
        return self._criteria[find_dataset(self._decisions, dataset)].predict(raw)

    def init_output_bias(self, layer: nn.Module, dataset: DatasetId = None) -> nn.Module:
        """Set the last layer's bias to the constant predictor."""
        return self._criteria[find_dataset(self._decisions, dataset)].init_output_bias(layer)

    def _lock(self, dataset: DatasetId, decision: Decision, *, group: Any = None) -> None:
        if self.pins is not None:
            self.pins.check(decision, None if dataset is None else str(dataset))
        self._install(dataset, decision, build(decision), alone=not group)
        if not is_writer(group):
            return
        log_decision(decision.trace)
        if self.audit is not None:
            self.audit.append(decision.trace, decision.policy or self.policy.current())
        if self.shadow is not None:
            compare_shadow(decision.trace, self.shadow)

    def _install(self, dataset: DatasetId, decision: Decision, criterion: AnyCriterion, *, alone: bool = True) -> None:
        known = list(self._criteria)
        position = known.index(dataset) if dataset in self._criteria else len(known)
        self._criteria[dataset], self._decisions[dataset] = criterion, decision
        self.add_module(f"criterion_{position}", criterion)
        self._guards.watch(dataset, decision, alone=alone)
        self.shorten()

    def adopt(self, decision: Decision, dataset: DatasetId = None) -> None:
        """Put a decision into force that was made elsewhere, without looking at any data.

        What the criterion in force has learned is kept where the loss is the same.
        """
        criterion, before = build(decision), self._criteria.get(dataset)
        if before is not None and before.spec.loss == criterion.spec.loss:
            criterion.load_state_dict(before.state_dict())
        self._install(dataset, decision, criterion)

    def shorten(self) -> None:
        """Put the shortest way to the loss in place: for a single, unnamed data set, if its loss has one."""
        self.__dict__.pop("forward", None)
        only = self._criteria.get(None) if len(self._criteria) == 1 else None
        if isinstance(only, Criterion):
            direct = only.direct_for(self, self._guards.by_dataset.get(None))
            if direct is not None:
                self.forward = direct.forward  # type: ignore[method-assign]  # found before the class's

    def _switch(self, dataset: DatasetId, decision: Decision) -> bool:
        """Put a decision into force that a guard made; not in place of a loss that learns, or of a pinned one."""
        if self.pins is not None or any(True for _ in self._criteria[dataset].parameters()):
            return False
        self._lock(dataset, decision)
        return True

    def get_extra_state(self) -> str:
        """Return the decisions in force as JSON, so that a `state_dict` restores them."""
        return json.dumps([[dataset, decision.trace.to_json()] for dataset, decision in self._decisions.items()])

    def set_extra_state(self, state: str) -> None:
        """Restore decisions without looking at any data."""
        for dataset, trace in json.loads(state):
            self.adopt(Decision(DecisionTrace.model_validate_json(trace)), dataset)

    def extra_repr(self) -> str:
        """Name the policy and what is in force."""
        chosen = ", ".join(f"{k!r}: {d.spec.loss if d.spec else None}" for k, d in self._decisions.items())
        return f"policy={self.policy.name} {self.policy.version}, decided={{{chosen}}}"
