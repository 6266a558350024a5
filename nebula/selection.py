"""The way of the data in one call: profile, decide, build."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from nebula.decision.announcement import log_decision
from nebula.decision.cache import DecisionCache, decision_key
from nebula.decision.model import Decision
from nebula.decision.policy import Policy, load_policy
from nebula.decision.recount import recount
from nebula.decision.trace import CacheUse, new_record
from nebula.errors import AmbiguousDecision
from nebula.losses.factory import AnyCriterion, build_criterion
from nebula.profiling.hints import Hints, parse_hints
from nebula.profiling.model import DataProfile, TargetFacts
from nebula.profiling.profiler import TargetCache
from nebula.profiling.profiler import profile as profile_data
from nebula.store.location import CacheLike, open_cache

__all__ = ["as_policy", "build", "decide", "decide_profiled", "select"]


def as_policy(policy: Policy | str | Path, parameters: dict[str, Any] | None = None) -> Policy:
    """Return a loaded policy as it is, or load the named one.

    Raises:
        PolicyError: The file cannot be used.
        ValueError: Parameters were given for a policy that is loaded already.
    """
    if not isinstance(policy, Policy):
        return load_policy(policy, parameters=parameters)
    if parameters:
        raise ValueError("parameters: expected a policy by name, found a loaded one: pass them to `load_policy`.")
    return policy


def select(
    target: Any,
    prediction: Any = None,
    *,
    name: str | None = None,
    features: Any = None,
    policy: Policy | str | Path = "default.yaml",
    hints: Hints | dict[str, Any] | None = None,
    parameters: dict[str, Any] | None = None,
    cache: CacheLike = None,
) -> Decision:
    """Choose the loss for a target.

    Args:
        target: The targets of the whole data set, any shape: tensor, array, Series or list.
        prediction: What the model emits for them, or `PredictionSpec(shape=(None, 10))`: the
            shape is worth most, the values only name the numerical form.
        name: Column name of the target, when it came from a table.
        features: The table beside the target, for facts about its size.
        policy: A loaded policy, a path, or the name of a shipped one.
        hints: What no statistic can supply, e.g. `{"metric": "mae"}`; see `Hints`.
        parameters: Values that replace the policy's named thresholds.
        cache: What was found out before about the same content: `"user"`, a file, `"redis://…"` or a
            `DecisionCache`; see `nebula.store.location.open_cache`. None keeps nothing.

    Returns:
        The decision: `.spec`, `.rule_id`, `.status`, `.trace`, `.explain()`, `.why_not(loss)`.

    Raises:
        DataError: The target or the prediction cannot be profiled.
        HintError: A hint is unknown or out of range.
        PolicyError: The policy cannot be used.
        NoRuleFits: No rule fired and the policy's `otherwise` is an error.
        ContractError: The rule that fired names a loss that the data contradict.

    Example:
        >>> import torch, nebula
        >>> counts = torch.poisson(torch.full((500,), 3.0), generator=torch.Generator().manual_seed(0))
        >>> nebula.select(counts, nebula.PredictionSpec(shape=(None, 1))).spec.loss
        'PoissonNLLLoss'
    """
    loaded = as_policy(policy, parameters)
    declared, kept = parse_hints(hints), None if cache is None else open_cache(cache)
    decision = decide(loaded, target, prediction, name=name, features=features, hints=declared, cache=kept)
    log_decision(decision.trace)
    return decision


def decide(
    policy: Policy,
    target: Any,
    prediction: Any = None,
    *,
    hints: Hints,
    name: str | None = None,
    features: Any = None,
    cache: DecisionCache | None = None,
    **evidence: Any,
) -> Decision:
    """Profile and decide, reusing what the caches hold for the same content.

    Args:
        policy: The loaded policy.
        target: See `select`.
        prediction: See `select`.
        hints: Validated declarations.
        name: Column name of the target.
        features: The table beside the target.
        cache: Target facts and decisions by content; None keeps nothing.
        **evidence: `rows_total`, `batches`, `complete` of `nebula.profile`.

    Returns:
        The decision; its trace says which caches were hit and what each stage took.
    """
    started = time.perf_counter()
    policy = policy.current()  # one policy from the cache's key to the decision
    targets = _Watched(cache.targets) if cache else None
    profile = profile_data(target, prediction, name=name, features=features, hints=hints, cache=targets, **evidence)
    profiled_ms = (time.perf_counter() - started) * 1e3
    found: Literal["hit", "miss"] = "hit" if targets is not None and targets.hit else "miss"
    return decide_profiled(policy, profile, cache=cache, target=found, profile_ms=profiled_ms)


def decide_profiled(
    policy: Policy,
    profile: DataProfile,
    *,
    cache: DecisionCache | None = None,
    target: Literal["hit", "miss"] = "miss",
    profile_ms: float,
) -> Decision:
    """Decide on a profile, reusing the decision on the same content that the cache holds.

    Args:
        policy: The loaded policy.
        profile: Everything that is known of the data.
        cache: Decisions by content; None keeps nothing.
        target: Whether the target's facts came out of the cache, for the trace.
        profile_ms: What making the profile took, for the trace.

    Returns:
        The decision; its trace says which caches were hit and what each stage took.
    """
    policy = policy.current()
    if cache is None:
        return _with(policy.decide(profile), cache=CacheUse(), profile_ms=profile_ms)
    key = decision_key(profile, policy.digest)
    known = cache.decisions.get(key) if key else None
    use = CacheUse(target=target, decision="hit" if known else "miss")
    if known is not None:
        return _again(known, policy, cache=use, profile_ms=profile_ms)
    decision = policy.decide(profile)
    if key:
        cache.decisions.put(key, decision)
    return _with(decision, cache=use, profile_ms=profile_ms)


class _Watched:
    """The facts of one call's target, and whether they were known; other threads' calls do not count."""

    def __init__(self, targets: TargetCache) -> None:
        self._targets, self.hit, self.put = targets, False, targets.put

    def get(self, key: str) -> TargetFacts | None:
        known = self._targets.get(key)
        self.hit = known is not None
        return known


def _with(decision: Decision, *, profile_ms: float, **changed: Any) -> Decision:
    timings = {"profile": profile_ms, **decision.trace.timings_ms}
    return replace(decision, trace=decision.trace.model_copy(update={**changed, "timings_ms": timings}))


def _again(known: Decision, policy: Policy, *, profile_ms: float, **changed: Any) -> Decision:
    """Return a decision made before as a record of its own, under the name that the policy has now."""
    identity = known.trace.policy.model_copy(update={"source": policy.compiled.source})
    made = known.trace if known.policy else recount(known.trace, policy.compiled)
    trace = made.model_copy(update={"timings_ms": {}, "policy": identity, **new_record()})
    return _with(Decision(trace, policy), profile_ms=profile_ms, **changed)


def build(decision: Decision) -> AnyCriterion:
    """Make the torch module that a decision names.

    Args:
        decision: From `select`, `Policy.decide`, or read back from a trace.

    Returns:
        A module that takes the model's raw output and the target as the user has them;
        `.predict(raw)` serves, `.init_output_bias(layer)` sets the last layer's start.

    Raises:
        AmbiguousDecision: The policy refused to guess; the message asks the question that settles it.
    """
    if decision.spec is None:
        ambiguity = decision.trace.ambiguity
        readings = " or ".join(ambiguity.between) if ambiguity else "several losses"
        question = f" {ambiguity.ask}" if ambiguity else ""
        policy = decision.trace.policy
        raise AmbiguousDecision(f"{policy.name} {policy.version}: the data cannot tell {readings}.{question}")
    return build_criterion(decision.spec)
