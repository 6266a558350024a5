"""One problem: every candidate and whatever else a selector chose, on every seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nebula.bench.outcome.arm import Arm, resolve
from nebula.bench.outcome.constant import score_constant
from nebula.bench.outcome.folds import split_table
from nebula.bench.outcome.manifest import Budget, Manifest, Problem
from nebula.bench.outcome.metrics import FLOOR_SHARE, Scale
from nebula.bench.outcome.rows import CONSTANT, Pick, Results, Row, again
from nebula.bench.outcome.rules import Question, answer_all
from nebula.bench.outcome.table import load_problem
from nebula.bench.outcome.training import Seed, Trained, score_test, train
from nebula.decision.policy import Policy
from nebula.demo.splits import Split
from nebula.losses.catalogue import load_builtin

__all__ = ["OTHER_START", "run_problem"]

OTHER_START = 1000
"""Added to the seed of the start and of the batch order of the second arm of the A/A test."""


@dataclass(frozen=True, eq=False)
class _Bench:
    manifest: Manifest
    problem: Problem
    splits: list[Split]
    scales: list[Scale]


def run_problem(manifest: Manifest, problem: Problem, policy: Policy, trained: Sequence[Row] = ()) -> Results:
    """Train everything on one problem.

    Args:
        manifest: What to do.
        problem: One of its problems.
        policy: nebula's policy.
        trained: Rows of its candidates, of their second trainings and of the constant, when another
            policy was asked before: these are not trained again.

    Returns:
        A row for each training, and what each rule picked on each seed.

    Raises:
        DataError: The data cannot be read.
    """
    load_builtin()
    family = manifest.families[problem.family]
    table = load_problem(problem, family.kind, manifest.max_rows)
    splits = [split_table(table, seed, manifest.max_levels) for seed in range(manifest.seeds)]
    floors = [FLOOR_SHARE * float(split.train.target.double().mean()) for split in splits]
    bench = _Bench(manifest, problem, splits, [Scale(problem.metric, table.levels, floor) for floor in floors])
    arms = _candidates(bench)
    picks, own = _ask(bench, arms, policy)
    rows = list(trained or _candidate_rows(bench, arms))
    for name, chosen in own.items():
        rows += _rows(bench, name, chosen)
    return Results(tuple(rows), tuple(picks))


def _candidate_rows(bench: _Bench, arms: dict[str, list[Arm]]) -> Iterator[Row]:
    yield from _constants(bench)
    for name, per_seed in arms.items():
        yield from _rows(bench, name, dict(enumerate(per_seed)), candidate=True)
    for name in bench.manifest.families[bench.problem.family].twice:
        if name in arms:
            yield from _rows(bench, again(name), dict(enumerate(arms[name])), shift=OTHER_START)


def _candidates(bench: _Bench) -> dict[str, list[Arm]]:
    """Return the candidates that are defined on every seed's training targets."""
    arms: dict[str, list[Arm]] = {}
    for name, candidate in bench.manifest.candidates(bench.problem).items():
        found = [resolve(candidate.use, candidate.outputs, split.train.target) for split in bench.splits]
        defined = [arm for arm in found if arm is not None]
        if len(defined) == len(found):
            arms[name] = defined
    return arms


def _ask(bench: _Bench, arms: dict[str, list[Arm]], policy: Policy) -> tuple[list[Pick], dict[str, dict[int, Arm]]]:
    """Return every rule's pick, and the arms that are no candidate's: by selector and seed."""
    family = bench.manifest.families[bench.problem.family]
    picks: list[Pick] = []
    own: dict[str, dict[int, Arm]] = {}
    for seed, split in enumerate(bench.splits):
        known = {per_seed[seed].key: name for name, per_seed in arms.items()}
        question = Question(split.train.target, family.kind, family.asked_outputs, bench.problem.metric)
        for answer in answer_all(question, policy):
            name = CONSTANT if answer.arm is None else known.get(answer.arm.key, answer.selector)
            if answer.arm is not None and name == answer.selector:
                own.setdefault(name, {})[seed] = answer.arm
                known.setdefault(answer.arm.key, name)
            picks.append(
                Pick(problem=bench.problem.id, seed=seed, selector=answer.selector, arm=name, said=answer.said)
            )
    return picks, own


def _constants(bench: _Bench) -> Iterator[Row]:
    for seed, (split, scale) in enumerate(zip(bench.splits, bench.scales, strict=True)):
        scores = [score_constant(split.train.target, part.target, scale) for part in (split.valid, split.test)]
        yield _row(bench, CONSTANT, seed, rate=0.0, valid=scores[0], step=0, test_score=scores[1], candidate=False)


def _rows(bench: _Bench, name: str, arms: dict[int, Arm], *, candidate: bool = False, shift: int = 0) -> Iterator[Row]:
    """Train one arm at every step size; look at the test rows with the one that is best on validation."""
    seeds = {
        number: Seed(arm, bench.splits[number], bench.scales[number], number + shift) for number, arm in arms.items()
    }
    for numbers in _alike(seeds):
        group = [seeds[number] for number in numbers]
        runs = _at_every_rate(group, bench.manifest.budget)
        kept = [min(own, key=lambda run: run.valid) for own in runs]
        for number, own, best, score in zip(numbers, runs, kept, score_test(group, kept), strict=True):
            for run in own:
                tested = score if run is best else None
                yield _row(bench, name, number, run.rate, run.valid, run.step, tested, candidate=candidate)


def _at_every_rate(group: Sequence[Seed], budget: Budget) -> list[tuple[Trained, ...]]:
    return list(zip(*(train(group, budget, rate) for rate in budget.learning_rates), strict=True))


def _alike(seeds: dict[int, Seed]) -> list[list[int]]:
    """Group seeds whose networks have the same shape: classes and categories seen in training may differ."""
    groups: dict[tuple[int, int], list[int]] = {}
    for number, seed in seeds.items():
        groups.setdefault((seed.split.train.features.shape[1], seed.arm.outputs), []).append(number)
    return list(groups.values())


def _row(
    bench: _Bench,
    arm: str,
    seed: int,
    rate: float,
    valid: float,
    step: int,
    test_score: float | None,
    *,
    candidate: bool,
) -> Row:
    problem = bench.problem
    return Row(
        manifest=bench.manifest.digest,
        problem=problem.id,
        family=problem.family,
        metric=problem.metric,
        arm=arm,
        candidate=candidate,
        seed=seed,
        rate=rate,
        valid=valid,
        step=step,
        test=test_score,
    )
