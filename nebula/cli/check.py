"""`nebula check`: what is silently wrong with the loss that is already in use."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.exit_codes import ExitCode
from nebula.cli.options import Json, key_values
from nebula.cli.output import say, show_json, show_text

if TYPE_CHECKING:
    from nebula.checking.report import CheckReport
    from nebula.errors import Problem

__all__ = ["check"]


def check(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A batch (PT or NPZ), or a Python script to read.", show_default=False),
    ],
    loss: Annotated[
        str | None,
        typer.Option("--loss", "-l", metavar="NAME", help="For a batch: a loss of torch.nn, or a registered one."),
    ] = None,
    params: Annotated[
        list[str] | None,
        typer.Option("--params", metavar="NAME=VALUE", help="A parameter of the loss; repeatable.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Find what is silently wrong with a loss, from a batch of data or a training script.

    A batch holds `prediction` and `target`; a script is read, never run. Errors and warnings end with
    the status of findings.
    """
    if file.suffix.lower() == ".py":
        if loss is not None or params:
            raise typer.BadParameter("expected no loss with a script, which names its own.", param_hint="--loss")
        problems = _read(file)
        _show_problems(problems, json=json)
        wrong = bool(problems)
    else:
        if loss is None:
            raise typer.BadParameter("expected the name of a loss, such as KLDivLoss.", param_hint="--loss")
        report = _measure(file, loss, params)
        _show_report(report, json=json)
        wrong = not report.ok
    if wrong:
        raise typer.Exit(ExitCode.FINDINGS)


def _read(file: Path) -> tuple[Problem, ...]:
    from nebula.checking.source.reader import read_script

    return read_script(file)


def _measure(file: Path, loss: str, params: list[str] | None) -> CheckReport:
    from nebula.checking.batch_file import read_batch
    from nebula.checking.run import check as check_batch

    options = key_values(params, "--params")
    batch = read_batch(file)
    return check_batch(loss, batch.prediction, batch.target, **batch.extra, **options)


def _show_problems(problems: tuple[Problem, ...], *, json: bool) -> None:
    from nebula.policy.rendering import render_problem

    if json:
        show_json([asdict(problem) for problem in problems])
    elif problems:
        lines = Path(problems[0].file).read_text(encoding="utf-8-sig").splitlines()
        show_text("\n\n".join(render_problem(problem, lines) for problem in problems))
    if not problems:
        say("nothing found: the text of the script shows no fault of a loss.")
    else:
        say(f"`nebula explain-code {problems[0].code}` explains the first.")


def _show_report(report: CheckReport, *, json: bool) -> None:
    if json:
        show_json(report.to_dict())
    else:
        show_text(str(report))
    if report.findings:
        say(f"`nebula explain-code {report.findings[0].code}` explains the first.")
