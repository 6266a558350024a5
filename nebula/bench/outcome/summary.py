"""Rows → regrets, tied sets and comparisons as one document."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nebula.bench.outcome.manifest import Manifest
from nebula.bench.outcome.regret import normalised_regret, relative_regret
from nebula.bench.outcome.report import Comparison, OutcomeReport, ProblemReport, Regret, Repeat, SelectorReport
from nebula.bench.outcome.rows import Results, again
from nebula.bench.outcome.rules import RULES
from nebula.bench.outcome.scores import ProblemScores, scores_of
from nebula.bench.outcome.selectors import brute_force, cross_fitted, fixed_table, oracle, rule
from nebula.bench.outcome.statistics import compare_seeds, signed_rank

__all__ = ["summarise"]

_AGAINST = ("cross_fitted", "peer_inferred", "peer_told", "guide", "fixed_table", "brute_force")


def summarise(
    results: Results, manifest: Manifest, policy: str, digest: str, versions: dict[str, str], samples: int = 20_000
) -> OutcomeReport:
    """Bring a run into one document.

    Args:
        results: Every row and pick of the run.
        manifest: What was to be done.
        policy: Name and version of nebula's policy.
        digest: Its digest.
        versions: Versions of the packages that train or ship data.
        samples: Draws of every posterior.

    Returns:
        The report. Problems without skill are listed and left out of every figure.
    """
    everything = scores_of(results)
    skilled = [problem for problem in everything if problem.skill >= manifest.skill]
    scores = [_selectors(skilled, place) for place in range(len(skilled))]
    problems = tuple(_problem(p, own, manifest.rope) for p, own in zip(skilled, scores, strict=True))
    names = list(scores[0]) if scores else []
    return OutcomeReport(
        manifest=manifest.name,
        manifest_digest=manifest.digest,
        policy=policy,
        policy_digest=digest,
        versions=versions,
        seeds=manifest.seeds,
        rope=manifest.rope,
        trainings=sum(row.rate > 0 for row in results.rows),
        listed=len(manifest.problems),
        finished=len(everything),
        unskilled=tuple(problem.problem for problem in everything if problem.skill < manifest.skill),
        problems=problems,
        selectors={name: _selector(problems, name) for name in names},
        families={
            family: {
                name: _mean([p.regrets[name].normalised for p in problems if p.family == family]) for name in names
            }
            for family in sorted({problem.family for problem in problems})
        },
        comparisons=_comparisons(problems, manifest.rope, samples),
        repeat=_repeat(skilled, manifest, samples),
    )


def _selectors(problems: Sequence[ProblemScores], place: int) -> dict[str, NDArray[np.float64]]:
    """Return each selector's test scores on one problem."""
    own = problems[place]
    ways = {name: partial(rule, own, name) for name in RULES} | {
        "fixed_table": partial(fixed_table, problems, place),
        "brute_force": partial(brute_force, own),
        "cross_fitted": partial(cross_fitted, own),
        "oracle": partial(oracle, own),
    }
    return {name: way() for name, way in ways.items()}


def _problem(problem: ProblemScores, scores: dict[str, NDArray[np.float64]], rope: float) -> ProblemReport:
    best = problem.test[problem.best]
    verdicts = {name: compare_seeds(problem.test[name], best, rope) for name in problem.candidates}
    return ProblemReport(
        problem=problem.problem,
        family=problem.family,
        metric=problem.metric,
        constant=problem.constant,
        skill=problem.skill,
        best=problem.best,
        best_score=problem.best_score,
        candidates={name: float(problem.test[name].mean()) for name in problem.candidates},
        tied=tuple(name for name in problem.candidates if verdicts[name] != "worse"),
        picked={name: max(set(arms), key=arms.count) for name, arms in problem.picks.items()},
        said=problem.said,
        regrets={name: _regret(float(own.mean()), problem) for name, own in scores.items()},
        against_best=compare_seeds(scores["nebula"], best, rope),
    )


def _regret(score: float, problem: ProblemScores) -> Regret:
    return Regret(relative=relative_regret(score, problem), normalised=normalised_regret(score, problem))


def _selector(problems: Sequence[ProblemReport], name: str) -> SelectorReport:
    regrets = [problem.regrets[name] for problem in problems]
    normalised = [regret.normalised for regret in regrets]
    return SelectorReport(
        mean=_mean(normalised),
        median=float(np.median(normalised)),
        worst=max(normalised),
        within_1=_mean([regret.relative <= 0.01 for regret in regrets]),
        within_5=_mean([regret.relative <= 0.05 for regret in regrets]),
    )


def _comparisons(problems: Sequence[ProblemReport], rope: float, samples: int) -> tuple[Comparison, ...]:
    """Compare nebula with the others by relative regret, so that the rope means the same on every problem."""
    if len(problems) < 2:
        return ()
    regrets = {name: np.array([p.regrets[name].relative for p in problems]) for name in ("nebula", *_AGAINST)}
    found = []
    for name in _AGAINST:
        posterior = signed_rank(regrets["nebula"], regrets[name], rope, samples)
        found.append(Comparison(against=name, better=posterior.better, same=posterior.same, worse=posterior.worse))
    return tuple(found)


def _repeat(problems: Sequence[ProblemScores], manifest: Manifest, samples: int) -> Repeat:
    """Hold every candidate that was trained twice against itself: whatever is found is false."""
    pairs = [
        (problem.test[name], problem.test[again(name)])
        for problem in problems
        for name in manifest.families[problem.family].twice
        if again(name) in problem.test
    ]
    verdicts = [compare_seeds(second, first, manifest.rope) for first, second in pairs]
    if len(pairs) < 2:
        return Repeat(pairs=len(pairs), found=0.0, better=0.0, same=1.0, worse=0.0)
    change = np.array([(second.mean() - first.mean()) / abs(first.mean()) for first, second in pairs])
    posterior = signed_rank(change, np.zeros(len(pairs)), manifest.rope, samples)
    return Repeat(
        pairs=len(pairs),
        found=_mean([verdict in ("better", "worse") for verdict in verdicts]),
        better=posterior.better,
        same=posterior.same,
        worse=posterior.worse,
    )


def _mean(values: Sequence[float] | Sequence[bool]) -> float:
    return float(np.mean(values)) if len(values) else 0.0
