"""`nebula bench`: benchmarks of the choice itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.bench_outcome import outcome
from nebula.cli.bench_paper import paper
from nebula.cli.bench_sweep import sweep
from nebula.cli.options import Json, PolicyOption
from nebula.cli.output import say, show_json, show_table, show_text

if TYPE_CHECKING:
    from nebula.bench.report import SelectionReport, Shares

__all__ = ["bench"]

bench = typer.Typer(rich_markup_mode=None)
for _command in (outcome, paper, sweep):
    bench.command()(_command)

Index = Annotated[
    Path, typer.Option("--index", metavar="DIR", help="Folder of labelled targets, one YAML file a family.")
]
Peers = Annotated[
    Path | None,
    typer.Option("--peers", metavar="FILE", help="Answers of other tools, from ask_peers.py.", show_default=False),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the report as JSON.")]
Export = Annotated[
    Path | None,
    typer.Option("--export", metavar="FILE", help="Write the targets for ask_peers.py (NPZ) and stop."),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="List every answer that is not preferred.")]


@bench.command()
def selection(
    index: Index = Path("benchmarks/selection/index"),
    policy: PolicyOption = "default.yaml",
    peers: Peers = None,
    out: Out = None,
    export: Export = None,
    verbose: Verbose = False,
    json: Json = False,
) -> None:
    """Hold a policy against expert labels of real targets that ship in public packages."""
    from nebula.bench.index import read_index
    from nebula.bench.run import export_targets, run_selection

    tasks = read_index(index)
    if export is not None:
        export_targets(tasks, export)
        say(f"{export}: {len(tasks)} targets written.")
        return
    report = run_selection(tasks, policy, peers)
    if out is not None:
        out.write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if json:
        show_json(report.model_dump_json(indent=1))
    else:
        _show(report, verbose=verbose)


def _show(report: SelectionReport, *, verbose: bool) -> None:
    head = ("", "targets", "preferred", "usable", "weak", "wrong", "asked", "error")
    show_text(f"{report.policy} on {report.ways['target'].targets} targets of {report.data_sets} data sets\n")
    rows = [_row(f"nebula, {way}", shares) for way, shares in report.ways.items()]
    show_table(head, rows + [_row(name, shares) for name, shares in report.peers.items()])
    show_text("")
    show_table(("with shape, by family", *head[1:]), [_row(name, part) for name, part in report.families.items()])
    show_text("")
    show_table(("change that leaves the task as it is", "flips"), [(k, f"{v:.1%}") for k, v in report.flips.items()])
    show_text("")
    show_table(("rows of a batch", "other loss than all rows"), [(k, f"{v:.1%}") for k, v in report.batches.items()])
    show_text(f"\nA loss is named on {report.covered:.1%}; of these {report.usable_where_covered:.1%} are usable.")
    if verbose:
        missed = [a for a in report.answers if a.verdict != "preferred"]
        show_text("")
        show_table(
            ("target", "asked with", "verdict", "said", "rule"),
            [(a.task, a.way, a.verdict, a.said, a.rule or "") for a in missed],
        )


def _row(name: str, shares: Shares) -> tuple[str, ...]:
    parts = (shares.preferred, shares.usable, shares.weak, shares.wrong, shares.ambiguous, shares.error)
    return (name, str(shares.targets), *(f"{part:.1%}" for part in parts))
