"""`nebula demo`: real data, both arms, and the evidence as files."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from nebula import __version__
from nebula.audit.log import AuditLog
from nebula.demo.catalogue import DATASETS
from nebula.demo.datasets import Declaration, load
from nebula.demo.experiment import Outcome, compare
from nebula.demo.extras import require_extras
from nebula.demo.figure import draw
from nebula.demo.report import DemoReport, Settings
from nebula.demo.table import print_row, print_summary
from nebula.demo.training import Budget
from nebula.errors import NebulaError

__all__ = ["FIGURE", "REPORT", "TRACES", "run_demo"]

FIGURE, REPORT, TRACES = "demo.png", "demo.json", "traces.jsonl"

_QUICK_SETS = ("wine", "breast_cancer", "star98", "affairs", "card_spending", "diabetes", "linnerud")
_QUICK_BUDGET = Budget(learning_rates=(1e-2,), steps=120)


def run_demo(out: Path, seeds: int = 3, quick: bool = False, console: Console | None = None) -> DemoReport:
    """Compare nebula's decisions with the naive rule on real data sets.

    Args:
        out: Folder of the artifacts `demo.png`, `demo.json` and `traces.jsonl`; those three are
            overwritten, nothing else is touched.
        seeds: Paired repetitions, at least 1.
        quick: Fewer data sets and steps; for a smoke test, not for conclusions.
        console: Where progress and tables go; standard output when left out.

    Returns:
        Every number, as in `demo.json`.

    Raises:
        MissingExtraError: A package of the `demo` extra is not installed.
        NebulaError: The folder cannot be written, or the number of seeds is below 1.
    """
    require_extras()
    if seeds < 1:
        raise NebulaError(f"demo: expected at least 1 seed, found {seeds}.")
    _prepare(out)
    console = console or Console()
    started = time.perf_counter()
    budget = _QUICK_BUDGET if quick else Budget()
    chosen = [about for about in DATASETS if not quick or about.name in _QUICK_SETS]
    with _one_thread():
        outcomes = _compare_all(chosen, seeds, budget, console)
    report = DemoReport(
        settings=Settings(seeds=seeds, quick=quick, **asdict(budget)),
        versions=_versions(),
        rows=tuple(outcome.row for outcome in outcomes),
        seconds=time.perf_counter() - started,
    )
    _write(report, outcomes, out)
    print_summary(console, report)
    console.print(f"written: {out / FIGURE}, {out / REPORT}, {out / TRACES}", highlight=False)
    return report


def _prepare(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise NebulaError(
            f"demo: expected a folder to write to, found {out}: {error.strerror or error}. Choose another with --out."
        ) from None


@contextmanager
def _one_thread() -> Iterator[None]:
    """The networks are so small that a second thread costs more than it brings, and could reorder sums."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _compare_all(chosen: list[Declaration], seeds: int, budget: Budget, console: Console) -> list[Outcome]:
    columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    outcomes = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(chosen) * seeds * 2 * len(budget.learning_rates))
        for about in chosen:
            progress.update(task, description=about.name)
            outcome = compare(load(about), seeds, budget, advance=lambda: progress.advance(task))
            print_row(progress.console, outcome.row)
            outcomes.append(outcome)
    return outcomes


def _write(report: DemoReport, outcomes: list[Outcome], out: Path) -> None:
    (out / TRACES).unlink(missing_ok=True)
    traces = AuditLog(out / TRACES)
    for outcome in outcomes:
        for decision in outcome.decisions:
            traces.append(decision.trace, decision.policy)
    (out / REPORT).write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    draw(report, out / FIGURE)


def _versions() -> dict[str, str]:
    packages = ("torch", "numpy", "scikit-learn", "statsmodels", "pandas")
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "nebula": __version__,
        **{package: version(package) for package in packages},
    }
