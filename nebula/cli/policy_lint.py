"""`nebula policy lint`: every problem of policy files, as text, JSON or SARIF."""

from __future__ import annotations

from dataclasses import asdict, replace
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.exit_codes import ExitCode
from nebula.cli.options import Json
from nebula.cli.output import say, show_json, show_text
from nebula.cli.policy_show import size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nebula.errors import Problem

__all__ = ["lint"]


class _Format(str, Enum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def lint(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Policy files, or names of shipped ones.", show_default=False)
    ],
    format: Annotated[_Format, typer.Option(help="How to write the problems.")] = _Format.TEXT,  # noqa: A002
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    json: Json = False,
) -> None:
    """Report every problem of policies: errors, and what is probably not meant.

    Errors, or with `--strict` any problem, end with the status of an unusable policy.
    """
    problems = list(dict.fromkeys(problem for file in files for problem in _problems(file)))
    if strict:
        problems = [replace(problem, severity="error") for problem in problems]
    _show(problems, _Format.JSON if json else format)
    if any(problem.severity == "error" for problem in problems):
        raise typer.Exit(ExitCode.POLICY)


def _show(problems: Sequence[Problem], form: _Format) -> None:
    from nebula import __version__
    from nebula.policy.rendering import render_problems
    from nebula.policy.sarif import to_sarif

    if form is _Format.JSON:
        show_json([asdict(problem) for problem in problems])
    elif form is _Format.SARIF:
        show_json(to_sarif(problems, version=__version__))
    elif problems:
        show_text(render_problems(problems))
    if problems:
        errors = sum(problem.severity == "error" for problem in problems)
        counts = ((errors, "error"), (len(problems) - errors, "warning"))
        said = ", ".join(f"{number} {noun}{'s' * (number != 1)}" for number, noun in counts if number)
        say(f"{said}; `nebula explain-code {problems[0].code}` explains the first.")


def _problems(file: str) -> tuple[Problem, ...]:
    from nebula.decision.policy import load_policy
    from nebula.policy.lint import lint_policy

    problems = lint_policy(file)
    if not any(problem.severity == "error" for problem in problems):
        loaded = load_policy(file)
        sound = "can be used" if problems else "is sound"
        say(f"{file}: {loaded.name} {loaded.version} {sound}: {size(loaded)}")
    return problems
