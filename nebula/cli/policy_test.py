"""`nebula policy test`: does a policy decide as its cases say?"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nebula.cli.exit_codes import ExitCode
from nebula.cli.options import Json
from nebula.cli.output import say, show_json, show_text

if TYPE_CHECKING:
    from nebula.workbench.case_reader import Case, Suite
    from nebula.workbench.run import Result

__all__ = ["TestPaths", "read_suites", "run_cases"]

_MANY = 50

TestPaths = Annotated[
    list[str],
    typer.Argument(metavar="PATH...", help="Test files, or folders searched for *.test.yaml.", show_default=False),
]
Filter = Annotated[
    str | None,
    typer.Option("--filter", metavar="TEXT", help="Only cases whose name contains this.", show_default=False),
]


def run_cases(paths: TestPaths, text: Filter = None, json: Json = False) -> None:
    """Run test cases on their policies; a failure shows the values and the nearest miss."""
    started = time.perf_counter()
    suites = read_suites(paths)
    chosen = [(suite, [case for case in suite.cases if (text or "").lower() in case.name.lower()]) for suite in suites]
    total = sum(len(cases) for _, cases in chosen)
    if text is not None and not total:
        raise typer.BadParameter(f"no case has {text!r} in its name.", param_hint="--filter")
    results = [(suite, list(_run(suite, cases))) for suite, cases in chosen]
    failed = [result for _, found in results for result in found if not result.passed]
    if json:
        show_json({"passed": total - len(failed), "failed": len(failed), "cases": _documents(results)})
    else:
        _show(results)
        show_text(f"{total - len(failed)} passed, {len(failed)} failed")
    say(f"{total} cases in {time.perf_counter() - started:.1f} s")
    if failed:
        raise typer.Exit(ExitCode.TESTS_FAILED)


def read_suites(paths: list[str]) -> list[Suite]:
    """Read every test file among the paths.

    Raises:
        typer.Exit: Files cannot be used; the problems of all of them were shown.
    """
    from nebula.errors import PolicyError, Problem
    from nebula.policy.rendering import render_problems
    from nebula.workbench.case_reader import find_files, read_suite

    problems: list[Problem] = []

    def read(file: Path) -> Suite | None:
        try:
            return read_suite(file)
        except PolicyError as error:
            problems.extend(error.problems)
            return None

    suites = [suite for suite in map(read, find_files(paths)) if suite]
    if problems:
        found = list(dict.fromkeys(problems))
        many = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        say(f"{many} in test files or their policies:\n{render_problems(found)}")
        raise typer.Exit(ExitCode.POLICY)
    return suites


def _run(suite: Suite, cases: list[Case]) -> Iterator[Result]:
    from nebula.workbench.run import run_suite

    results = run_suite(suite, cases)
    if len(cases) < _MANY or not sys.stderr.isatty():
        return results
    from rich.console import Console
    from rich.progress import track

    return iter(track(results, suite.file, total=len(cases), console=Console(stderr=True), transient=True))


def _show(results: list[tuple[Suite, list[Result]]]) -> None:
    from nebula.workbench.report import describe_failure

    for suite, found in results:
        for result in found:
            if not result.passed:
                for line in describe_failure(result):
                    show_text(line)
        passed = sum(result.passed for result in found)
        show_text(f"{suite.file}: {passed} of {len(found)} passed")


def _documents(results: list[tuple[Suite, list[Result]]]) -> list[dict[str, Any]]:
    from nebula.workbench.report import nearest_miss

    return [
        {
            "suite": suite.file,
            "file": result.case.file,
            "line": result.case.line,
            "name": result.case.name,
            "passed": result.passed,
            "differences": [asdict(difference) for difference in result.differences],
            "nearest_miss": [] if result.passed else list(nearest_miss(result)),
        }
        for suite, found in results
        for result in found
    ]
