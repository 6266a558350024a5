"""Watches the batches after a decision: cheaply on every call, thoroughly now and then."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor as is_wrapped

from nebula.decision.drift_event import DriftEvent
from nebula.decision.model import Decision
from nebula.decision.policy import Policy
from nebula.drift.domain import domains_of
from nebula.drift.flags import PendingFlags, find_breaches, start_flags
from nebula.drift.judging import Finding, Judge
from nebula.drift.options import GuardOptions
from nebula.drift.pace import Pace
from nebula.drift.recent import join_rows
from nebula.drift.response import Response
from nebula.errors import DataError

__all__ = ["Guard"]

_FACTS_GROW = 8


class Guard:
    """Tells when batches no longer fit the decision under which they are trained on.

    Call `observe` with the targets of every batch. A call only keeps a reference to them. Now and
    then all targets kept are looked at together, on their own device, and what was found is read
    one look later on an accelerator, at once on the CPU; `Pace` says when. Targets that were
    written to in the meantime are left out.

    Watched are the values that the loss is defined for (`domains_of`), and, at the looks that are
    `facts_every` calls apart, whether the policy would choose the same on the recent rows: see
    `Judge`. While it would, the distance doubles, up to eight times `facts_every`.

    Args:
        decision: The decision in force.
        policy: The policy that decided; by default the decision's own. Without one, only the
            values are watched.
        options: How often, and what to do.
        dataset: Name of the data set, for the events.
        switch: Puts a new decision into force and says whether it did; for `redecide`.
        facts: Watch the recent rows; False where they are one of several uneven shards.

    Attributes:
        events: What was noticed, each kind of thing once.
        counts: How often each kind was seen.
        kept: Targets since the last look, with torch's count of writes to them.
        limit: How many are kept before the next look.
    """

    def __init__(
        self,
        decision: Decision,
        policy: Policy | None = None,
        options: GuardOptions | None = None,
        *,
        dataset: str | int | None = None,
        switch: Callable[[Decision], bool] | None = None,
        facts: bool = True,
    ) -> None:
        self.decision, self.options = decision, options or GuardOptions()
        trace = decision.trace
        policy = policy if policy is not None else decision.policy
        policy = policy.current() if policy is not None else None
        if policy is not None and policy.digest != trace.policy.digest:
            policy = None
        self.events: list[DriftEvent] = []
        self.counts: Counter[str] = Counter()
        self._domains = domains_of(trace)
        self._judge = Judge(trace, policy, window=self.options.window) if policy is not None and facts else None
        self._response = Response(decision, policy, self.options, dataset, switch)
        self._told: set[tuple[str, ...]] = set()
        self._lock = threading.RLock()
        self._pending: PendingFlags | None = None
        self._calls = self._rows = 0
        self._next_facts = self._facts_stride = self.options.facts_every
        self._pace = Pace(self.options.every, soon=self._judge is not None and self._judge.grows)
        self.kept: list[tuple[Tensor, int]] = []
        self.limit = 1

    def observe(self, target: Any) -> None:
        """Watch one batch.

        Args:
            target: The batch's targets; anything but a tensor, and tensors of
                `torch.inference_mode` or inside a `torch.func` transform, are passed over.

        Raises:
            DriftError: Batches no longer fit, and `on_drift` is `raise`.
        """
        try:
            self.kept.append((target, target._version))  # noqa: SLF001 - torch's own count of writes
            if len(self.kept) == 1:
                self.limit = self._pace.limit_from(target)
        except (AttributeError, RuntimeError):
            return
        if len(self.kept) >= self.limit:
            self._look()

    def flush(self) -> None:
        """Look at everything kept so far and read what was found; waits for the device.

        Raises:
            DriftError: As for `observe`.
        """
        self._look()
        with self._lock:
            self._read(wait=True)
            self._judge_facts()

    def _look(self) -> None:
        with self._lock, torch.no_grad():
            held, self.kept = self.kept, []
            if held:
                self._pace.look(held[0][0], held[-1][0])
            self._calls += len(held)
            parts = [part for part, version in held if not is_wrapped(part) and part._version == version]  # noqa: SLF001
            self._read(wait=True)
            if parts and not _is_capturing(parts[0]):
                self._take(parts)
            if self._judge is not None and (self._calls >= self._next_facts or self._judge.is_due):
                self._judge_facts()
                self._facts_stride = min(2 * self._facts_stride, _FACTS_GROW * self.options.facts_every)

    def _take(self, parts: list[Tensor]) -> None:
        values, whole_rows = join_rows(parts)
        if not values.numel():
            return
        self._rows += len(values) if whole_rows else sum(part.shape[0] if part.ndim else 1 for part in parts)
        if self._judge is not None and whole_rows:
            try:
                self._judge.add(values, batches=len(parts))
            except DataError:  # rows of another shape than those before
                self._judge = None
        if self._domains and not values.is_complex():
            self._pending = start_flags(values, self._domains)
            self._read(wait=False)

    def _read(self, *, wait: bool) -> None:
        pending = self._pending
        if pending is None or not (wait or pending.is_here):
            return
        self._pending = None
        for breach in find_breaches(pending.read(), self._domains):
            message = f"expected {breach.expected} for {breach.loss}, found {breach.found}"
            if self._domains:
                self._meet(Finding(breach.kind, breach.expected, breach.found, message, breach.advice), breach.loss)

    def _judge_facts(self) -> None:
        if self._judge is None:
            return
        for finding in self._judge.judge():
            self._meet(finding, finding.found)
        if self._judge is not None and self._judge.doubts:
            self._facts_stride = self.options.facts_every
        self._next_facts = self._calls + self._facts_stride

    def _meet(self, finding: Finding, *about: str) -> None:
        self.counts[finding.kind] += 1
        self._pace.restart()
        key = (finding.kind, *about)
        if key in self._told:
            return
        self._told.add(key)
        evidence = self._judge.evidence if self._judge is not None else None
        done = self._response.meet(finding, evidence, self._calls, self._rows, self.events.append)
        if done == "switched":  # another guard watches from now on
            self._domains, self._judge = (), None


def _is_capturing(part: Tensor) -> bool:
    """Say whether a CUDA graph is being recorded, in which nothing may be read."""
    return part.is_cuda and torch.cuda.is_current_stream_capturing()
