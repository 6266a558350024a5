"""A whole run: unfinished problems, in processes, with what is finished kept."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nebula.bench.outcome.experiment import run_problem
from nebula.bench.outcome.manifest import Manifest, Problem
from nebula.bench.outcome.rows import Parts, Results, Row
from nebula.decision.policy import Policy, load_policy
from nebula.errors import DataError

__all__ = ["finished", "run_outcome"]

Work = Callable[[Manifest, Problem, Policy, tuple[Row, ...]], Results]
"""Runs one problem; the last argument holds what was trained for its candidates before."""


class _Asked(NamedTuple):
    name: str
    digest: str


def run_outcome(manifest: Manifest, policy: str, parts: Path, *, jobs: int = 1, work: Work = run_problem) -> Results:
    """Train what is not trained yet; a progress bar goes to standard error.

    Under another policy only what it chooses anew is trained, not the candidates.

    Args:
        manifest: What to do.
        policy: nebula's policy: a file or the name of a shipped one.
        parts: Folder of finished problems; a run that was stopped goes on from it.
        jobs: Processes.
        work: Runs one problem.

    Returns:
        All rows and picks, in the manifest's order.

    Raises:
        DataError: The folder holds rows of another manifest, data are missing, or the policy was edited meanwhile.
        PolicyError: The policy cannot be used.
    """
    loaded = load_policy(policy)
    kept = Parts(parts, manifest.digest, loaded.digest)
    left = {problem: kept.trained(problem.id) for problem in manifest.problems if not kept.has(problem.id)}
    columns = (
        TextColumn("{task.description:<32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("training", total=len(manifest.problems), completed=len(manifest.problems) - len(left))
        for problem, results in _results(manifest, left, _Asked(policy, loaded.digest), jobs, work):
            kept.add(problem.id, results)
            bar.update(line, advance=1, description=problem.id[:32])
    return kept.merge(problem.id for problem in manifest.problems)


def finished(manifest: Manifest, policy: str, parts: Path) -> Results:
    """Return what a run has finished so far, and train nothing.

    Raises:
        DataError: The folder holds rows of another manifest.
    """
    kept = Parts(parts, manifest.digest, load_policy(policy).digest)
    return kept.merge(problem.id for problem in manifest.problems)


def _results(
    manifest: Manifest, left: Mapping[Problem, tuple[Row, ...]], policy: _Asked, jobs: int, work: Work
) -> Iterator[tuple[Problem, Results]]:
    if jobs <= 1 or len(left) <= 1:
        for problem, trained in left.items():
            yield problem, _one(manifest, problem, policy, trained, work)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {
            pool.submit(_one, manifest, problem, policy, trained, work): problem for problem, trained in left.items()
        }
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one(manifest: Manifest, problem: Problem, policy: _Asked, trained: tuple[Row, ...], work: Work) -> Results:
    """Run one problem on one thread, without the line that every decision logs."""
    loaded = load_policy(policy.name)
    if loaded.digest != policy.digest:
        raise DataError(f"{policy.name}: expected the policy that the run began with, found an edited one: run again.")
    logger = logging.getLogger("nebula")
    before, threads = logger.level, torch.get_num_threads()
    logger.setLevel(logging.ERROR)
    torch.set_num_threads(1)
    try:
        return work(manifest, problem, loaded, trained)
    finally:
        logger.setLevel(before)
        torch.set_num_threads(threads)
