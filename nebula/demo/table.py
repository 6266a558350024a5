"""The report on a terminal: a paragraph for every data set while it runs, one table at the end."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nebula.demo.report import ArmScores, DemoReport, Row, percent

__all__ = ["print_row", "print_summary"]

_STYLE = {"better": "bold green", "same": "dim", "undecided": "yellow", "worse": "bold red"}


def print_row(console: Console, row: Row) -> None:
    """Print what the data are, what was decided and why, and how both arms did."""
    console.print(f"[bold]{row.name}[/]  {escape(row.description)} [dim]({row.source})[/]", highlight=False)
    console.print(f"  profile   {escape(row.profile)}", highlight=False)
    console.print(
        f"  decision  {_arm(row.nebula)}  [dim]rule {', '.join(dict.fromkeys(row.rules))}[/]", highlight=False
    )
    console.print(f"  because   {escape(row.because)}", highlight=False)
    console.print(
        f"  {row.metric:<9} naive {_score(row.naive)}  nebula {_score(row.nebula)}  {_gain(row)}", highlight=False
    )


def print_summary(console: Console, report: DemoReport) -> None:
    """Print all data sets in one table, and what the numbers can and cannot say."""
    title = "Declared metric on held-out rows, mean ± standard deviation"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("data set", "naive rule", "nebula", "difference"):
        table.add_column(heading, no_wrap=True)
    for row in report.rows:
        arrow = "↓" if row.lower_is_better else "↑"
        table.add_row(
            f"{row.name}\n[dim]{row.metric} {arrow}[/]",
            f"{_score(row.naive)}\n[dim]{row.naive.loss}[/]",
            f"{_score(row.nebula)}\n[dim]{row.nebula.loss}{'' if row.nebula.loss == row.naive.loss else ' *'}[/]",
            f"{_gain(row)}\n[dim]{_interval(row)}[/]",
        )
    console.print(table)
    seeds = report.settings.seeds
    console.print(
        f"better {report.count('better')}, same {report.count('same')}, undecided {report.count('undecided')}, "
        f"worse {report.count('worse')} of {len(report.rows)} data sets; {seeds} paired seed{'s' * (seeds != 1)} each; "
        f"{report.seconds:.0f} s.",
        highlight=False,
    )
    unskilled = [row.name for row in report.rows if not row.has_skill]
    if unskilled:
        console.print(f"no arm learnt more than a constant: {', '.join(unskilled)}", highlight=False)
    console.print(
        "[dim]* another loss than the naive rule's; where it is the same, the output bias or the serving differs. "
        "better, worse: the paired 95 % interval of the difference leaves zero out; same: it lies within 1 %; "
        "undecided: these rows and seeds cannot tell.[/]",
        highlight=False,
    )


def _arm(arm: ArmScores) -> str:
    return f"[bold cyan]{arm.loss}[/], link {arm.link}, serves {escape(arm.serve)}"


def _score(arm: ArmScores) -> str:
    spread = "" if arm.spread is None else f" ± {arm.spread:.2g}"
    return f"{arm.mean:.4g}{spread}"


def _gain(row: Row) -> str:
    return f"[{_STYLE[row.verdict]}]{percent(row.gain)} {row.verdict}[/]"


def _interval(row: Row) -> str:
    return "" if row.interval is None else ", ".join(percent(bound) for bound in row.interval)
