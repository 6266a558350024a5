"""`nebula bench sweep`: where the best loss changes as one property of the data does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nebula.cli.options import PolicyOption
from nebula.cli.output import say, show_table

__all__ = ["sweep"]

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Sweeps to run; all when left out.")]
Points = Annotated[Path, typer.Option("--points", metavar="FILE", help="Finished points; a run goes on from them.")]
Figures = Annotated[Path | None, typer.Option("--figures", metavar="DIR", help="Write the plots as SVG.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Paired repetitions of every point.")]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Processes.")]


def sweep(
    names: Names = None,
    points: Points = Path("sweep.jsonl"),
    figures: Figures = None,
    seeds: Seeds = 3,
    jobs: Jobs = 2,
    policy: PolicyOption = "default.yaml",
) -> None:
    """Turn one property of synthetic data up, train every candidate, and hold the policy against the best.

    Points that are finished are not trained again; those of another policy are asked again.
    """
    from nebula.bench.sweep.figure import draw_sweeps
    from nebula.bench.sweep.run import run_sweeps
    from nebula.bench.sweep.summary import read_point
    from nebula.decision.policy import load_policy

    found = run_sweeps(points, names=tuple(names or ()), seeds=seeds, jobs=jobs, policy=policy)
    if figures is not None:
        for file in draw_sweeps(found, load_policy(policy).compiled.parameters, figures):
            say(f"{file} written.")
    rows = []
    for point in found:
        reading = read_point(point)
        cost = "" if reading.cost is None else f"{reading.cost:.1%}"
        rows.append((point.sweep, f"{point.level:g}", point.metric, reading.best, reading.chosen, cost))
    show_table(("sweep", "level", "metric", "best", "the policy names", "costs"), rows)
