"""A loaded policy, and the decision it makes on a profile. No tensors are involved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from nebula.decision.boundary import find_boundaries
from nebula.decision.choice import choose, unknown_facts
from nebula.decision.collect import collect
from nebula.decision.contrast import WhyNot
from nebula.decision.model import Decision
from nebula.decision.record import library_versions, record_rules, take_notes
from nebula.decision.resolve import resolve_use
from nebula.decision.trace import DecisionTrace, Note, PolicyIdentity, RunnerUp, Status, new_record
from nebula.errors import ContractError, NoRuleFits
from nebula.losses.spec import LossSpec
from nebula.policy.compiled import CompiledPolicy, Evaluation, RuleOutcome
from nebula.policy.loader import load
from nebula.policy.model import SelectRule, Use
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import facts_of

__all__ = ["Policy", "load_policy"]


def load_policy(source: str | Path, *, parameters: dict[str, Any] | None = None) -> Policy:
    """Read, check and compile a policy.

    Args:
        source: A path, or the name of a shipped policy: `default.yaml`, `strict.yaml`, `paper.yaml`.
        parameters: Values that replace the policy's named thresholds.

    Returns:
        The policy, ready to decide.

    Raises:
        PolicyError: The policy cannot be used; lists every problem with file, line and column.
    """
    return Policy(load(source, parameters=parameters))


class Policy:
    """Ordered rules that decide on a profile.

    Attributes:
        compiled: The checked rules and the engine's program.
    """

    def __init__(self, compiled: CompiledPolicy) -> None:
        self.compiled = compiled

    @property
    def name(self) -> str:
        """The policy's own name."""
        return self.compiled.file.name

    @property
    def version(self) -> str:
        """The policy's own version."""
        return self.compiled.file.version

    @property
    def digest(self) -> str:
        """Content hash of the resolved policy with its parameters."""
        return self.compiled.digest

    def __repr__(self) -> str:
        """Name, version and digest."""
        return f"Policy({self.name} {self.version}, {self.digest})"

    def current(self) -> Policy:
        """Return the policy in force, which never changes: this one."""
        return self

    def prepared(self) -> Policy:
        """Return this policy with the engine loaded and holding its rules, which the first decision does otherwise.

        Raises:
            EngineError: The engine failed.
        """
        self.compiled.evaluate({})
        library_versions()
        return self

    def decide(self, profile: DataProfile) -> Decision:
        """Choose the loss for this profile.

        Args:
            profile: The facts; unknown ones are None and no rule fires on them.

        Returns:
            The decision with its trace, whose `rules` and `boundaries` are written from the evidence of
            this run when they are first read; for `rules` nothing is judged again.

        Raises:
            NoRuleFits: No rule fired and `otherwise` is an error.
            DecisionError: The hit policy is `unique` and rules disagree, or a rule with
                `on_unknown: error` was reached and its condition is unknown.
            ContractError: The rule that fired names a loss that the data contradict.
        """
        started = time.perf_counter()
        facts = facts_of(profile)
        evaluation = self.compiled.evaluate(facts)
        rule = choose(self.compiled, evaluation)
        use, because = self._choice(rule, evaluation)
        names = {**facts, **self.compiled.parameters, **evaluation.derived}
        task = str(evaluation.derived["task"]) if "task" in evaluation.derived else profile.hints.task
        spec = self._resolve(rule, use, names, profile) if use else None
        ambiguity = rule.ambiguous if rule else None
        refused = ambiguity is not None and self.compiled.file.on_ambiguous == "refuse"
        trace = DecisionTrace(
            **new_record(),
            status=_status(profile, ambiguous=ambiguity is not None),
            rule_id=rule.id if rule else None,
            task=task,
            because=because,
            cite=rule.cite if rule else None,
            spec=None if refused else spec,
            ambiguity=ambiguity,
            notes=(*_taken_for_true(evaluation), *take_notes(rule, use, spec, profile, task)),
            runner_up=self._runner_up(evaluation, use),
            derived=dict(evaluation.derived),
            parameters=dict(self.compiled.parameters),
            policy=PolicyIdentity(
                name=self.name, version=self.version, digest=self.digest, source=self.compiled.source
            ),
            profile=profile,
            engine=evaluation.engine,
            versions=library_versions(),
            timings_ms={"decide": (time.perf_counter() - started) * 1e3},
        )
        return Decision(
            trace.defer(
                boundaries=partial(find_boundaries, self.compiled, evaluation, facts),
                rules=partial(record_rules, self.compiled, evaluation),
            ),
            policy=self,
        )

    def why_not(self, decision: Decision, loss: str, *, prove: bool = False) -> WhyNot:
        """Search for the smallest change of facts on which this policy would have chosen another loss.

        Args:
            decision: A decision of this policy, also one read back from its record.
            loss: Name of a registered loss.
            prove: Prove that no fewer facts would do, or find fewer; needs the extra `verify`.

        Returns:
            The answer: `.changes`, `.proof`, `.sentence()`, `.tree()`, `.model_dump_json()`.

        Raises:
            ContractError: No loss of that name is registered.
            DecisionError: Another policy decided.
            MissingExtraError: A proof was asked for and the extra `verify` is not installed.
        """
        return decision.contrast(loss, policy=self, prove=prove)

    def _choice(self, rule: SelectRule | None, evaluation: Evaluation) -> tuple[Use | None, str]:
        if rule is not None and self.compiled.file.hit_policy == "collect":
            rules = [self.compiled.rule(identity) for identity in evaluation.fired]
            return collect(rules), " ".join(fired.because for fired in rules)
        if rule is not None:
            return rule.use, rule.because
        otherwise = self.compiled.file.otherwise
        if otherwise is None or otherwise.use is None:
            said = otherwise.error if otherwise and otherwise.error else "no rule fits this data"
            raise NoRuleFits(f"{self.name} {self.version}: {said}")
        return otherwise.use, otherwise.because or "no rule fits; the policy's `otherwise`"

    def _resolve(self, rule: SelectRule | None, use: Use, names: dict[str, Any], profile: DataProfile) -> LossSpec:
        try:
            return resolve_use(use, names, profile)
        except ContractError as error:
            where = f"rule `{rule.id}`" if rule else "`otherwise`"
            declared = f" (hints.task = {profile.hints.task!r} was declared)" if profile.hints.task else ""
            raise ContractError(
                f"{self.name} {self.version}: {where} names {use.loss}, which the data contradict{declared}: {error}"
            ) from error

    def _runner_up(self, evaluation: Evaluation, use: Use | None) -> RunnerUp | None:
        if self.compiled.file.hit_policy == "collect":
            return None
        for rule_id in evaluation.fired[1:]:
            rule = self.compiled.rule(rule_id)
            if rule.use and (use is None or rule.use.loss != use.loss):
                return RunnerUp(rule_id=rule.id, loss=rule.use.loss, because=rule.because)
        return None


def _taken_for_true(evaluation: Evaluation) -> Iterator[Note]:
    """Tell which rules decided or set a name although their condition is unknown."""
    if not evaluation.assumed:
        return
    deciding = (*(rule for rule in evaluation.derive if rule.applied), *_first(evaluation))
    for rule in deciding:
        if rule.outcome == "unknown":
            names = ", ".join(unknown_facts(rule))
            text = f"rule `{rule.id}` fired although {names} is unknown (on_unknown: match)"
            yield Note(kind="assumption", text=text)


def _first(evaluation: Evaluation) -> Iterator[RuleOutcome]:
    return (rule for rule in evaluation.select if rule.id in evaluation.fired[:1])


def _status(profile: DataProfile, *, ambiguous: bool) -> Status:
    if ambiguous:
        return "ambiguous"
    return "decided" if profile.evidence.complete is not False else "provisional"
