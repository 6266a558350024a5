"""One level of one sweep under one metric: all candidates trained on paired seeds, and what the policy said."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from nebula.bench.paired import paired_scores
from nebula.bench.sweep.candidate import Candidate
from nebula.bench.sweep.catalogue import Sweep
from nebula.decision.model import Decision
from nebula.decision.policy import Policy
from nebula.demo.arms import selected_arm
from nebula.demo.metrics import find_metric
from nebula.demo.splits import Split
from nebula.demo.training import Budget
from nebula.errors import NebulaError
from nebula.losses.spec import LossSpec
from nebula.profiling.prediction import PredictionSpec
from nebula.selection import select

__all__ = ["BUDGET", "Point", "ask_again", "run_point", "setup_of"]

BUDGET = Budget(learning_rates=(3e-3, 1e-2), steps=200, evaluate_every=25)
_OTHER = "another"


class Point(BaseModel):
    """What was found; every tuple is in the order of the seeds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sweep: str
    level: float
    metric: str
    lower_is_better: bool
    setup: str = Field(description="Digest of candidates, budget and seeds: points of another are not mixed.")
    scores: dict[str, tuple[float, ...]] = Field(description="Candidate → metric on test rows.")
    fact: tuple[float | None, ...] = Field(description="What the threshold is compared with, on training targets.")
    chosen: tuple[str, ...] = Field(description="The candidate that the policy named, `another`, or an error's class.")
    policy: str = Field(description="Digest of the policy asked.")

    @property
    def key(self) -> tuple[str, float, str]:
        """What the point is about."""
        return self.sweep, self.level, self.metric


def setup_of(sweep: Sweep, metric: str, seeds: int) -> str:
    """Return a digest of everything that the scores of a point depend on, the drawn rows' code left out."""
    uses = [(c.label, c.use, c.n_outputs) for c in sweep.candidates(metric)]
    text = json.dumps([sweep.draw.__name__, uses, asdict(BUDGET), seeds])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run_point(sweep: Sweep, level: float, metric_name: str, *, seeds: int, policy: Policy) -> Point:
    """Draw the problem once a seed, train every candidate on it and ask the policy.

    Args:
        sweep: The sweep.
        level: One of its levels.
        metric_name: One of its metrics; early stopping and the step size follow it on validation rows.
        seeds: Paired repetitions, at least 1.
        policy: The policy to ask.
    """
    metric = find_metric(metric_name)
    splits = _splits(sweep, level, seeds)
    decisions = {c: [c.decide(part.train.target) for part in splits] for c in sweep.candidates(metric_name)}
    specs = [{c.label: found[seed].spec for c, found in decisions.items()} for seed in range(seeds)]
    return Point(
        sweep=sweep.name,
        level=level,
        metric=metric_name,
        lower_is_better=metric.lower_is_better,
        setup=setup_of(sweep, metric_name, seeds),
        scores={
            c.label: paired_scores(
                [selected_arm(said) for said in found], splits, metric, BUDGET, n_outputs=c.n_outputs
            )
            for c, found in decisions.items()
        },
        fact=tuple(sweep.measure(said.trace.profile) for said in next(iter(decisions.values()))),
        chosen=_answers(sweep, metric_name, splits, specs, policy),
        policy=policy.digest,
    )


def ask_again(point: Point, sweep: Sweep, policy: Policy) -> Point:
    """Return the point with the answers of this policy; nothing is trained."""
    splits = _splits(sweep, point.level, len(point.fact))
    specs = [{c.label: c.decide(s.train.target).spec for c in sweep.candidates(point.metric)} for s in splits]
    chosen = _answers(sweep, point.metric, splits, specs, policy)
    return point.model_copy(update={"chosen": chosen, "policy": policy.digest})


def _answers(
    sweep: Sweep, metric: str, splits: list[Split], specs: list[dict[str, LossSpec | None]], policy: Policy
) -> tuple[str, ...]:
    """Return the label of the candidate that the policy names, one a seed."""
    candidates = sweep.candidates(metric)
    asked = [_ask(policy, sweep, candidates, metric, part) for part in splits]
    return tuple(_label(said, known) for said, known in zip(asked, specs, strict=True))


def _splits(sweep: Sweep, level: float, seeds: int) -> list[Split]:
    """Two sweeps of one draw see the same rows, as do all metrics of a level."""
    place = zlib.crc32(f"{sweep.draw.__name__} {float(level)}".encode())
    return [sweep.draw(level, np.random.default_rng([seed, place])) for seed in range(seeds)]


def _ask(
    policy: Policy, sweep: Sweep, candidates: tuple[Candidate, ...], metric: str, part: Split
) -> Decision | NebulaError:
    prediction = PredictionSpec(shape=(None, candidates[0].n_outputs))
    hints = {"metric": metric} if sweep.declared else None
    try:
        return select(part.train.target, prediction, name=sweep.column, hints=hints, policy=policy)
    except NebulaError as error:
        return error


def _label(said: Decision | NebulaError, specs: dict[str, LossSpec | None]) -> str:
    if isinstance(said, NebulaError):
        return type(said).__name__
    spec = said.spec
    same = (label for label, other in specs.items() if spec and other and _essence(spec) == _essence(other))
    return next(same, _OTHER)


def _essence(spec: LossSpec) -> tuple[object, ...]:
    """What makes two choices train and serve alike."""
    return spec.loss, spec.params, spec.link, spec.output_bias and spec.output_bias.kind, spec.serve
