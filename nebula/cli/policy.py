"""`nebula policy`: check a policy file, or read it as it is after `extends`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nebula.cli.exit_codes import ExitCode
from nebula.cli.options import Json, Parameters, key_values
from nebula.cli.output import say, show_json, show_table, show_text

if TYPE_CHECKING:
    from nebula.decision.policy import Policy
    from nebula.errors import Problem

__all__ = ["policy"]

policy = typer.Typer(help="Check and read policies.", no_args_is_help=True)

PolicyFiles = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="Policy files, or names of shipped ones.", show_default=False)
]
OnePolicy = Annotated[
    str, typer.Argument(metavar="FILE", help="A policy file, or the name of a shipped one.", show_default=False)
]


@policy.command()
def lint(files: PolicyFiles, json: Json = False) -> None:
    """Load policies and report every problem with its line and column."""
    problems = [problem for file in files for problem in _problems(file)]
    if json:
        show_json([asdict(problem) for problem in problems])
    else:
        for problem in problems:
            show_text(str(problem))
    if problems:
        raise typer.Exit(ExitCode.POLICY)


@policy.command()
def show(file: OnePolicy, parameter: Parameters = None, json: Json = False) -> None:
    """Show a policy as it is after `extends`: parameters, definitions, rules in order."""
    from nebula.decision.policy import load_policy

    loaded = load_policy(file, parameters=key_values(parameter, "--set"))
    if json:
        show_json(loaded.compiled.file.model_dump(mode="json", by_alias=True, exclude_none=True))
        return
    say(f"{loaded.name} {loaded.version}, {_size(loaded)}, {loaded.digest}")
    written = loaded.compiled.file
    show_table(
        ("parameter", "value"),
        [(name, str(value)) for name, value in loaded.compiled.parameters.items()],
        title="Parameters",
    )
    show_table(
        ("definition", "condition"),
        [(name, _condition(condition)) for name, condition in written.definitions.items()],
        title="Definitions",
    )
    show_table(
        ("derived by", "sets", "when"),
        [
            (rule.id, ", ".join(f"{name}={value}" for name, value in rule.set.items()), _condition(rule.when))
            for rule in written.derive
        ],
        title="Derived facts",
    )
    show_table(
        ("rule", "loss", "when", "because"),
        [(rule.id, rule.use.loss if rule.use else "", _condition(rule.when), rule.because) for rule in written.select],
        title="Rules, first match wins",
    )


def _problems(file: str) -> tuple[Problem, ...]:
    from nebula.decision.policy import load_policy
    from nebula.errors import PolicyError

    try:
        loaded = load_policy(file)
    except PolicyError as error:
        return error.problems
    say(f"{file}: {loaded.name} {loaded.version} is sound: {_size(loaded)}")
    return ()


def _size(loaded: Policy) -> str:
    written = loaded.compiled.file
    return f"{len(written.derive)} derive rules, {len(written.select)} select rules"


def _condition(condition: Any) -> str:
    """Write a condition on one line, trees as `all(…)`, `any(…)`, `not(…)`."""
    from nebula.policy.model import AllOf, AnyOf, Not

    match condition:
        case AllOf():
            return f"all({', '.join(map(_condition, condition.all))})"
        case AnyOf():
            return f"any({', '.join(map(_condition, condition.any))})"
        case Not():
            return f"not({_condition(condition.not_)})"
        case bool():
            return str(condition).lower()
        case _:
            return " ".join(str(condition).split())
