"""Both arms on one data set: paired seeds, the step size chosen on validation, test rows touched once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from torch import Tensor

from nebula.decision.model import Decision
from nebula.demo.arms import Arm, naive_arm, selected_arm
from nebula.demo.constant import serve_constant
from nebula.demo.datasets import DataSet
from nebula.demo.metrics import Metric, find_metric
from nebula.demo.report import ArmScores, Row
from nebula.demo.splits import Split, split
from nebula.demo.training import Budget, Trained, evaluate, score, train
from nebula.demo.words import profile_words
from nebula.profiling.prediction import PredictionSpec
from nebula.selection import select

__all__ = ["Outcome", "compare", "decide"]


@dataclass(frozen=True)
class Outcome:
    """A row of the report with the decisions behind it, one a seed."""

    row: Row
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, eq=False)
class _Fit:
    arm: Arm
    kept: Trained
    test: float


def decide(data: DataSet, target: Tensor) -> Decision:
    """Let nebula choose the loss from the training target, the output's shape and the declared metric."""
    about = data.about
    prediction = PredictionSpec(shape=(None, about.n_outputs))
    return select(target, prediction, name=about.column, hints={"metric": about.metric})


def compare(data: DataSet, seeds: int, budget: Budget, advance: Callable[[], None]) -> Outcome:
    """Train both arms on every seed.

    Args:
        data: The data set, with its declared metric.
        seeds: Seeds 0 to seeds - 1; each sets the split, the start of the weights and the order of
            the batches, for both arms alike.
        budget: What every training may spend.
        advance: Called after every training.

    Raises:
        DecisionError: Nebula named no loss for this data set.
    """
    metric = find_metric(data.about.metric)
    splits = [split(data, seed) for seed in range(seeds)]
    decisions = [decide(data, part.train.target) for part in splits]
    fit = partial(_fit, splits=splits, metric=metric, budget=budget, n_outputs=data.about.n_outputs, advance=advance)
    naive = fit([naive_arm(data.about, metric) for _ in splits])
    nebula = fit([selected_arm(decision) for decision in decisions])
    constant = [_constant(data, part, metric) for part in splits]
    return Outcome(_row(data, metric, decisions, naive, nebula, constant), tuple(decisions))


def _fit(
    arms: list[Arm], splits: list[Split], metric: Metric, budget: Budget, n_outputs: int, advance: Callable[[], None]
) -> list[_Fit]:
    """Train one arm a seed at every step size; keep the step size whose mean validation metric is best.

    One step size for all seeds: chosen seed by seed it would follow the noise of a small validation set.
    """
    kept: list[Trained] = []
    for rate in budget.learning_rates:
        trained = []
        for seed, (arm, part) in enumerate(zip(arms, splits, strict=True)):
            trained.append(train(arm, part, metric, budget, n_outputs=n_outputs, rate=rate, seed=seed))
            advance()
        if not kept or metric.prefers(_mean_valid(trained), _mean_valid(kept)):
            kept = trained
    if not kept:
        raise ValueError("budget.learning_rates: expected at least one, found none.")
    return [
        _Fit(arm, run, evaluate(arm, run.network, part.test, metric, part.train.target))
        for arm, run, part in zip(arms, kept, splits, strict=True)
    ]


def _mean_valid(runs: list[Trained]) -> float:
    return fmean(run.valid for run in runs)


def _constant(data: DataSet, part: Split, metric: Metric) -> float:
    served = serve_constant(data.about, metric, part.train.target.numpy(), len(part.test.target))
    return score(served, part.test, metric, part.train.target)


def _scores(fits: list[_Fit]) -> ArmScores:
    arm = fits[0].arm
    return ArmScores(
        loss=arm.loss_name,
        link=arm.link,
        serve=arm.serve_name,
        test=tuple(fit.test for fit in fits),
        valid=tuple(fit.kept.valid for fit in fits),
        learning_rate=tuple(fit.kept.learning_rate for fit in fits),
        step=tuple(fit.kept.step for fit in fits),
    )


def _row(
    data: DataSet,
    metric: Metric,
    decisions: list[Decision],
    naive: list[_Fit],
    nebula: list[_Fit],
    constant: list[float],
) -> Row:
    theirs, ours = _scores(naive), _scores(nebula)
    return Row(
        name=data.about.name,
        description=data.about.description,
        source=data.about.source,
        rows=len(data.target),
        metric=metric.name,
        lower_is_better=metric.lower_is_better,
        profile=profile_words(decisions[0].trace.profile),
        decision=str(decisions[0]),
        because=decisions[0].trace.because or "",
        rules=tuple(decision.rule_id or "otherwise" for decision in decisions),
        trace_ids=tuple(decision.trace.id for decision in decisions),
        naive=theirs,
        nebula=ours,
        constant=tuple(constant),
        gain=metric.gain(ours.mean, theirs.mean),
    )
