"""All points of the sweeps, on several processes, from where the last run stopped."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nebula.bench.sweep.catalogue import SWEEPS, Sweep, find_sweeps
from nebula.bench.sweep.point import Point, ask_again, run_point, setup_of
from nebula.bench.sweep.record import append_point, read_points, write_points
from nebula.decision.policy import load_policy

__all__ = ["SEEDS", "run_sweeps"]

SEEDS = 3


def run_sweeps(
    file: Path, *, names: Sequence[str] = (), seeds: int = SEEDS, jobs: int = 2, policy: str = "default.yaml"
) -> tuple[Point, ...]:
    """Run what is missing; points whose policy changed are asked again without training.

    Args:
        file: Points, one a line; made, or gone on with.
        names: Sweeps to run; all when empty.
        seeds: Paired repetitions of every point.
        jobs: Processes.
        policy: A policy file or the name of a shipped one.

    Returns:
        All points of the file, in the order of the catalogue.

    Raises:
        DataError: The file holds something else.
        HintError: A sweep is unknown.
        PolicyError: The policy cannot be used.
    """
    digest = load_policy(policy).digest
    wanted = [(s, float(level), m) for s in find_sweeps(tuple(names)) for m in s.metrics for level in s.levels]
    known = {point.key: point for point in read_points(file)}
    kept = {key: point for key, point in known.items() if point.policy == digest}
    open_ = [
        (sweep, level, metric, known.get((sweep.name, level, metric)))
        for sweep, level, metric in wanted
        if (found := kept.get((sweep.name, level, metric))) is None or found.setup != setup_of(sweep, metric, seeds)
    ]
    write_points(file, known.values())
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn())
    with (
        Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bar,
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_prepare) as pool,
    ):
        line = bar.add_task("sweeps", total=len(open_))
        running = [pool.submit(_point, s.name, level, m, seeds, policy, old) for s, level, m, old in open_]
        for future in as_completed(running):
            point = future.result()
            append_point(file, point)
            bar.update(line, advance=1, description=f"{point.sweep} {point.level:g}")
    points = sorted(read_points(file), key=_place)
    write_points(file, points)
    return tuple(points)


def _prepare() -> None:
    """One thread a process: the networks are small; no line in the log for every decision."""
    import torch

    torch.set_num_threads(1)
    logging.getLogger("nebula").setLevel(logging.ERROR)


def _point(name: str, level: float, metric: str, seeds: int, policy: str, old: Point | None) -> Point:
    (sweep,) = find_sweeps((name,))
    loaded = load_policy(policy)
    if old is not None and old.setup == setup_of(sweep, metric, seeds):
        return ask_again(old, sweep, loaded)
    return run_point(sweep, level, metric, seeds=seeds, policy=loaded)


def _place(point: Point) -> tuple[int, int, int]:
    names = [sweep.name for sweep in SWEEPS]
    if point.sweep not in names:
        return len(names), 0, 0
    sweep: Sweep = SWEEPS[names.index(point.sweep)]
    levels = [float(level) for level in sweep.levels]
    place = levels.index(point.level) if point.level in levels else len(levels)
    return names.index(point.sweep), sweep.metrics.index(point.metric), place
