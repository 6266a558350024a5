"""`nebula policy coverage`: what of a policy do its cases exercise?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nebula.cli.exit_codes import ExitCode
from nebula.cli.options import Json
from nebula.cli.output import say, show_json, show_text
from nebula.cli.policy_test import TestPaths, read_suites

if TYPE_CHECKING:
    from nebula.workbench.coverage import Coverage, Target
    from nebula.workbench.witness import Witness

__all__ = ["coverage"]

MinRules = Annotated[
    float, typer.Option("--min-rules", min=0, max=100, metavar="PERCENT", help="Least share of rules that decide.")
]
MinOutcomes = Annotated[
    float, typer.Option("--min-outcomes", min=0, max=100, metavar="PERCENT", help="Least share of outcomes seen.")
]


def coverage(paths: TestPaths, min_rules: MinRules = 100, min_outcomes: MinOutcomes = 95, json: Json = False) -> None:
    """Say which rules decide and which outcomes of every comparison the cases see."""
    from nebula.workbench.coverage import measure
    from nebula.workbench.witness import find_witnesses

    measured = [(found, find_witnesses(found)) for found in measure(read_suites(paths))]
    if json:
        show_json([_document(found, witnesses) for found, witnesses in measured])
    else:
        for found, witnesses in measured:
            _show(found, witnesses)
    short = [found for found, _ in measured if found.share(rules=True) < min_rules]
    short += [found for found, _ in measured if found.share(rules=False) < min_outcomes and found not in short]
    for found in short:
        say(f"{found.policy}: expected {min_rules:g} % of the rules and {min_outcomes:g} % of the outcomes.")
    if short:
        raise typer.Exit(ExitCode.TESTS_FAILED)


def _show(found: Coverage, witnesses: dict[Target, Witness]) -> None:
    show_text(f"{found.policy}, {found.cases} cases")
    for label, rules in (("rules", True), ("comparison outcomes", False)):
        wanted = [target for target in found.targets if (target.kind != "comparison") is rules]
        covered = sum(target in found.covered for target in wanted)
        show_text(f"  {label}: {covered} of {len(wanted)} ({found.share(rules=rules):.1f} %)")
    for target in found.missing():
        show_text(f"  not covered: {target}")
        show_text(f"    {_words(witnesses.get(target))}")


def _words(witness: Witness | None) -> str:
    from nebula.decision.explain import show_value

    if witness is None:
        return "no witness found"
    changes = " and ".join(f"{name} = {show_value(value)}" for name, value in witness.changes)
    return f"e.g. case `{witness.case}` with {changes}"


def _document(found: Coverage, witnesses: dict[Target, Witness]) -> dict[str, Any]:
    return {
        "policy": found.policy,
        "cases": found.cases,
        "rules_percent": found.share(rules=True),
        "outcomes_percent": found.share(rules=False),
        "not_covered": [
            {
                "kind": target.kind,
                "name": target.name,
                "outcome": target.outcome or None,
                "witness": _witness(witnesses.get(target)),
            }
            for target in found.missing()
        ],
    }


def _witness(witness: Witness | None) -> dict[str, Any] | None:
    return {"case": witness.case, "changes": dict(witness.changes)} if witness else None
