"""`nebula policy show`: a policy as it is after `extends`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nebula.cli.options import Json, Parameters, key_values
from nebula.cli.output import say, show_json, show_table, show_text

if TYPE_CHECKING:
    from nebula.decision.policy import Policy

__all__ = ["show", "size"]

OnePolicy = Annotated[
    str, typer.Argument(metavar="FILE", help="A policy file, or the name of a shipped one.", show_default=False)
]
AsText = Annotated[
    bool, typer.Option("--resolved", help="Write it as one YAML file that tells where each entry was written.")
]


def show(file: OnePolicy, parameter: Parameters = None, resolved: AsText = False, json: Json = False) -> None:
    """Show a policy as it is after `extends`: parameters, definitions, rules in order."""
    from nebula.decision.policy import load_policy

    if resolved:
        _show_resolved(file, parameter, json=json)
        return

    loaded = load_policy(file, parameters=key_values(parameter, "--set"))
    if json:
        show_json(loaded.compiled.file.model_dump(mode="json", by_alias=True, exclude_none=True))
        return
    say(f"{loaded.name} {loaded.version}, {size(loaded)}, {loaded.digest}")
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


def size(loaded: Policy) -> str:
    """Return how many rules a policy has, in words."""
    written = loaded.compiled.file
    return f"{len(written.derive)} derive rules, {len(written.select)} select rules"


def _show_resolved(file: str, parameter: list[str] | None, *, json: bool) -> None:
    from nebula.policy.resolved_text import origins, resolved_text

    if parameter:
        raise typer.BadParameter("expected no --set with --resolved: it shows what the files say.", param_hint="--set")
    text = resolved_text(file)
    if json:
        show_json([{"section": s, "id": name, "origin": place} for (s, name), place in origins(file).items()])
    else:
        show_text(text.rstrip())


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
