"""`nebula policy verify`: what is proved of a policy, and a profile for each thing that can go wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.exit_codes import ExitCode
from nebula.cli.options import Json, Parameters, key_values
from nebula.cli.output import show_json, show_text

if TYPE_CHECKING:
    from nebula.proof.report import Finding, Verification

__all__ = ["show_fact", "verify"]

OnePolicy = Annotated[
    str, typer.Argument(metavar="FILE", help="A policy file, or the name of a shipped one.", show_default=False)
]
Notes = Annotated[bool, typer.Option("--notes", help="Show every note, not only how many there are.")]

_NOTES = {
    "overlap": "pairs of rules with different losses can hold together; the first decides",
    "layout": "ways in which the model's shape can fail a rule's loss; the decision refuses and says so",
    "values": "ways in which a declaration can contradict the data; the decision refuses and says so",
    "gap": "gap, which `otherwise` answers",
    "never false": "comparisons that are never false",
}


def verify(file: OnePolicy, parameter: Parameters = None, notes: Notes = False, json: Json = False) -> None:
    """Prove that every rule is reached, none is left out, and no loss gets data it cannot take.

    The proof is over all profiles that data can have. Exit status 7 when there is a fault. Needs
    the extra `verify`.
    """
    from nebula.policy.loader import load
    from nebula.proof.verify import verify as prove

    found = prove(load(file, parameters=key_values(parameter, "--set")), show_notes=notes or json)
    if json:
        show_json(found.model_dump(mode="json"))
    else:
        _show(found, notes=notes)
    if found.faults:
        raise typer.Exit(ExitCode.FINDINGS)


def _show(found: Verification, *, notes: bool) -> None:
    show_text(f"{found.policy} {found.version}: {len(found.faults)} faults, {len(found.undecided)} questions undecided")
    for finding in found.findings:
        if finding.severity == "fault" or notes:
            _show_finding(finding)
    if not notes:
        for kind, count in Counter(finding.kind for finding in found.findings if finding.severity == "note").items():
            show_text(f"note: {count} {_NOTES.get(kind, kind)}")
    for question in found.undecided:
        show_text(f"undecided: {question}")


def _show_finding(finding: Finding) -> None:
    place = f"{finding.file}:{finding.line}: " if finding.line else ""
    rule = f"rule `{finding.rule}`: " if finding.rule and finding.kind != "overlap" else ""
    show_text(f"{place}{finding.severity}: {finding.kind}: {rule}{finding.message}")
    if finding.witness:
        facts = ", ".join(f"{name} = {show_fact(value)}" for name, value in finding.witness.facts.items())
        doubt = "" if finding.witness.confirmed else " (NOT confirmed by the engine: a fault of the verification)"
        show_text(f"    e.g. {facts or 'whatever the facts'}{doubt}")


def show_fact(value: object) -> str:
    """Write a fact's value short."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else f"{value}"
