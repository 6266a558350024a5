"""`nebula bench paper`: the experiment of the original paper, and the same done right."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.options import Json
from nebula.cli.output import say, show_json, show_table, show_text

if TYPE_CHECKING:
    from nebula.bench.paper.report import PaperReport

__all__ = ["paper"]

Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Draws, and paired repetitions of every training.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the report as JSON.")]
Figures = Annotated[Path | None, typer.Option("--figures", metavar="DIR", help="Write the plots as SVG.")]


def paper(seeds: Seeds = 10, out: Out = None, figures: Figures = None, json: Json = False) -> None:
    """Repeat the original paper's loss comparison, then compare trained networks on held-out rows."""
    from nebula.bench.paper.figure import draw_paper
    from nebula.bench.paper.run import run_paper

    report = run_paper(seeds)
    if out is not None:
        out.write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if figures is not None:
        for file in draw_paper(report, figures):
            say(f"{file} written.")
    if json:
        show_json(report.model_dump_json(indent=1))
    else:
        _show(report)


def _show(report: PaperReport) -> None:
    for part in report.described:
        show_text(f"{part.task}, as described: values on random predictions; nothing is trained")
        show_table(("loss", "mean value"), [(name, f"{fmean(found):.4g}") for name, found in part.values.items()])
        show_text("")
    for outcome in report.trained:
        show_text(f"{outcome.task}, trained: {outcome.metric} on held-out rows; nebula chose {outcome.chosen[0]}")
        rows = [("constant", outcome.constant), *outcome.scores.items()]
        show_table(("loss", "mean"), [(name, f"{fmean(found):.4g}") for name, found in rows])
        show_text("")
