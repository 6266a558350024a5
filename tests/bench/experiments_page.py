"""Sweeps and the paper's experiment in docs/evidence.md; `python -m tests.bench.experiments_page` writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import fmean

from nebula.bench.paper.figure import draw_paper
from nebula.bench.paper.report import PaperReport
from nebula.bench.sweep.catalogue import SWEEPS
from nebula.bench.sweep.figure import draw_sweeps
from nebula.bench.sweep.point import Point
from nebula.bench.sweep.record import read_points
from nebula.bench.sweep.summary import boundary, read_point
from nebula.decision.policy import load_policy
from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "evidence.md"
PICTURES = ROOT / "docs" / "evidence"
RESULTS = ROOT / "benchmarks" / "results"
_BLOCK = re.compile(
    r"(?P<mark><!-- table of (?P<kind>paper|sweep): (?P<name>[\w-]+) -->\n).*?(?=<!-- end -->)", re.DOTALL
)


def rendered(text: str) -> str:
    """The page with every table of an experiment written from its result."""
    return _BLOCK.sub(lambda block: f"{block['mark']}\n{_TABLES[block['kind']](block['name'])}\n", text)


def paper() -> PaperReport:
    return PaperReport.model_validate_json((RESULTS / "paper.json").read_bytes())


def points() -> tuple[Point, ...]:
    return read_points(RESULTS / "sweep.jsonl")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _paper(name: str) -> str:
    report = paper()
    if name == "values":
        losses = list(report.described[0].values)
        rows = [[p.task, *(f"{fmean(p.values[loss]):.4g}" for loss in losses)] for p in report.described]
        return _table(["mean value of", *losses], rows)
    losses = [name for name in report.trained[0].scores if name != "nebula"]
    rows = []
    for found in report.trained:
        means = {loss: fmean(scores) for loss, scores in found.scores.items()}
        best = (min if found.lower_is_better else max)(means, key=lambda loss: means[loss])
        shown = {loss: f"**{mean:.4g}**" if loss == best else f"{mean:.4g}" for loss, mean in means.items()}
        cells = []
        for loss in losses:
            gain, error = found.difference(loss)
            cells.append(f"{shown[loss]} ({gain:+.2g} ± {error:.1g})")
        ours = f"{shown['nebula']} {found.chosen[0]}"
        rows.append([f"{found.task}, {found.metric}", f"{fmean(found.constant):.4g}", ours, *cells])
    seeds = len(report.trained[0].constant)
    return f"{seeds} paired seeds, {report.policy}.\n\n" + _table(["test rows", "constant", "nebula", *losses], rows)


def _sweep(name: str) -> str:
    (sweep,) = (s for s in SWEEPS if s.name == name)
    threshold = load_policy("default.yaml").compiled.parameters.get(sweep.parameter or "")
    parts = []
    for metric in sweep.metrics:
        readings = [read_point(p) for p in points() if (p.sweep, p.metric) == (name, metric)]
        losses = list(readings[0].means)
        rows = []
        for r in readings:
            cells = [f"**{r.means[n]:.4g}**" if n == r.best else f"{r.means[n]:.4g}" for n in losses]
            error = "" if r.error is None else f" ± {r.error:.1%}"
            cost = "" if r.cost is None else f"{r.cost:.1%}{error if r.cost else ''}"
            rows.append([f"{r.level:g}", "" if r.fact is None else f"{r.fact:.3g}", *cells, r.chosen, cost])
        fact = sweep.parameter or "fact"
        head = [
            sweep.axis,
            f"fact held against `{fact}`" if sweep.parameter else "",
            *losses,
            "the policy names",
            "costs",
        ]
        at = boundary(readings, float(threshold)) if isinstance(threshold, int | float) else None
        said = "" if at is None else f" The policy's line `{sweep.parameter}` = {threshold:g} is crossed at {at:.3g}."
        parts.append(f"`{metric}` on test rows.{said}\n\n{_table(head, rows)}")
    return "\n".join(parts)


_TABLES = {"paper": _paper, "sweep": _sweep}


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    draw_paper(paper(), PICTURES)
    draw_sweeps(points(), load_policy("default.yaml").compiled.parameters, PICTURES)
