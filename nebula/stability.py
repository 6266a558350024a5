"""How firm a decision is: resample the rows, decide again, count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import sqrt
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from nebula.decision.policy import Policy
from nebula.decision.trace import Boundary
from nebula.errors import DataError
from nebula.profiling.arrays import as_source
from nebula.profiling.hints import Hints, parse_hints
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile
from nebula.profiling.vocabulary import facts_of

__all__ = ["Stability", "resample"]

_NO_LOSS = "no loss"
_Z95 = 1.959964


class Stability(BaseModel):
    """Shares of the resamples on which each loss and each rule wins."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    loss: str = Field(description="The loss on the data as they are.")
    rule_id: str | None = Field(description="The rule that chose it.")
    rows: int = Field(description="Rows of the data, and of every resample.")
    resamples: int
    seed: int
    same_loss: float = Field(ge=0, le=1, description="Share of the resamples with the same loss.")
    interval: tuple[float, float] = Field(description="95 % interval of that share (Wilson 1927).")
    losses: dict[str, float] = Field(description="Share of every loss seen, commonest first.")
    rules: dict[str, float] = Field(description="Share of every rule seen, commonest first.")
    nearest: Boundary | None = Field(description="The nearest threshold whose crossing changes the loss.")


def resample(
    policy: Policy,
    target: Any,
    prediction: Tensor | PredictionSpec | None = None,
    *,
    name: str | None = None,
    features: Any = None,
    hints: Hints | dict[str, Any] | None = None,
    resamples: int = 200,
    seed: int = 0,
    advance: Callable[[], None] | None = None,
) -> Stability:
    """Decide on bootstrap resamples of the rows.

    The facts that a rule stands on are estimates; drawing the rows again with replacement shows
    how often the same loss would have been chosen had other rows of the same kind been collected.
    Rare classes and extreme values are lost in some resamples, which is part of the answer.

    Args:
        policy: The loaded policy.
        target: The targets, as for `nebula.select`.
        prediction: What the model emits; of a tensor only shape and space are used.
        name: Column name of the target.
        features: The table beside the target.
        hints: What the user declares.
        resamples: How often the rows are drawn, at least 1.
        seed: Start of the draws; equal seeds give equal answers.
        advance: Called after every resample, for a progress bar.

    Returns:
        The shares, with the interval of the first.

    Raises:
        DataError: There are no rows, or fewer than one resample was asked for.

    Source: B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7 (1979).
    """
    source = as_source(target, "target")
    rows = source.tensor.shape[0] if source.tensor.ndim else 0
    if rows == 0 or resamples < 1:
        raise DataError(f"expected at least one row and one resample, found {rows} rows and {resamples} resamples.")
    spec = PredictionSpec.from_batch(prediction) if isinstance(prediction, Tensor) else prediction
    declared = parse_hints(hints)
    generator = torch.Generator().manual_seed(seed)

    def facts(drawn: Tensor) -> dict[str, Any]:
        part = replace(source, tensor=drawn)
        return facts_of(profile(part, spec, name=name, features=features, hints=declared, fingerprint=False))

    decision = policy.decide(profile(source, spec, name=name, features=features, hints=declared, fingerprint=False))
    rules: Counter[str] = Counter()
    losses: Counter[str] = Counter()
    for _ in range(resamples):
        places = torch.randint(rows, (rows,), generator=generator).to(source.tensor.device)
        fired = policy.compiled.outcome_only(facts(source.tensor[places]))
        rules[fired[0] if fired else "otherwise"] += 1
        losses[_loss(policy, fired)] += 1
        if advance:
            advance()
    loss = decision.spec.loss if decision.spec else _NO_LOSS
    return Stability(
        loss=loss,
        rule_id=decision.rule_id,
        rows=rows,
        resamples=resamples,
        seed=seed,
        same_loss=losses[loss] / resamples,
        interval=_wilson(losses[loss], resamples),
        losses=_shares(losses, resamples),
        rules=_shares(rules, resamples),
        nearest=next(iter(decision.trace.boundaries), None),
    )


def _loss(policy: Policy, fired: tuple[str, ...]) -> str:
    file = policy.compiled.file
    chooser = policy.compiled.rule(fired[0]) if fired else file.otherwise
    refused = bool(fired) and file.on_ambiguous == "refuse" and policy.compiled.rule(fired[0]).ambiguous is not None
    return chooser.use.loss if chooser and chooser.use and not refused else _NO_LOSS


def _shares(counts: Counter[str], total: int) -> dict[str, float]:
    return {name: count / total for name, count in counts.most_common()}


def _wilson(hits: int, n: int) -> tuple[float, float]:
    share, z2 = hits / n, _Z95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
