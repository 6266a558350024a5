"""`nebula policy diff`: which decisions change between two policies, on recorded profiles and by proof."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nebula.cli.exit_codes import ExitCode
from nebula.cli.options import Json
from nebula.cli.output import say, show_json, show_text
from nebula.cli.policy_verify import show_fact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from nebula.decision.policy import Policy
    from nebula.proof.corpus import Change
    from nebula.proof.difference import Differences, Undone

__all__ = ["diff"]

_SHOWN = 10

Old = Annotated[str, typer.Argument(metavar="OLD", help="A policy file, or the name of a shipped one.")]
New = Annotated[str, typer.Argument(metavar="NEW", help="The policy to compare with it.")]
Corpus = Annotated[
    Path | None,
    typer.Option(
        "--corpus", metavar="FILE.jsonl", help="Profiles, or traces of decisions, one a line.", show_default=False
    ),
]


def diff(old: Old, new: New, corpus: Corpus = None, json: Json = False) -> None:
    """Show which decisions change from one policy to another.

    Decides every profile of the corpus by both. With the extra `verify`, a solver then looks for
    profiles on which the two choose other losses, or other settings, than the corpus showed. Exit
    status 7 when a decision changes, or when only rounding undoes a change that the solver sees.
    """
    from nebula.decision.policy import load_policy
    from nebula.proof.corpus import compare_on, read_corpus

    before, after = load_policy(old), load_policy(new)
    total, changes = compare_on(before, after, read_corpus(corpus) if corpus else ())
    proved = _proved(before, after, changes)
    if json:
        show_json(
            {
                "profiles": total,
                "changes": _dumped(changes),
                "proved": None if proved is None else _dumped(proved.changes),
                "undone_by_rounding": None if proved is None else _dumped(proved.undone),
            }
        )
    else:
        _show(total, changes, proved, asked=corpus is not None)
    if changes or (proved and any(proved)):
        raise typer.Exit(ExitCode.FINDINGS)


def _dumped(found: Sequence[BaseModel]) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json", exclude_none=True) for one in found]


def _proved(old: Policy, new: Policy, changes: tuple[Change, ...]) -> Differences | None:
    """Return what the solver adds, None without the extra."""
    from nebula.errors import MissingExtraError

    try:
        from nebula.proof.difference import find_differences
    except MissingExtraError as error:
        say(f"no proof, only the corpus: {error}")
        return None
    shown = {(change.old_loss, change.new_loss) for change in changes if change.what in ("loss", "settings")}
    return find_differences(old.compiled, new.compiled, shown)


def _show(total: int, changes: tuple[Change, ...], proved: Differences | None, *, asked: bool) -> None:
    if asked:
        changed = sum(change.count for change in changes)
        show_text(f"{changed} of {total} decisions change")
        for change in changes:
            show_text(f"{change.count:>6}  {_words(change)}  e.g. {change.place}")
    if proved is None:
        return
    if not any(proved):
        rest = "no other change of loss or settings" if changes else "both choose alike on every profile"
        show_text(f"proved: {rest}")
    for change in proved.changes[:_SHOWN]:
        show_text(f"proved  {_words(change)}")
        facts = ", ".join(f"{name} = {show_fact(value)}" for name, value in change.facts.items())
        show_text(f"        e.g. {facts or 'whatever the facts'}")
    if len(proved.changes) > _SHOWN:
        show_text(f"proved  {len(proved.changes) - _SHOWN} more: --json has them all")
    if proved.undone:
        losses = ", ".join(dict.fromkeys(_losses(undone) for undone in proved.undone))
        show_text(
            f"undone by rounding: {len(proved.undone)} ({losses}): the engine does not confirm the solver's profile"
        )


def _words(change: Change) -> str:
    rules = f"{change.old_rule or 'otherwise'} -> {change.new_rule or 'otherwise'}"
    return f"{change.what}: {_losses(change)} (rule {rules})"


def _losses(change: Change | Undone) -> str:
    return f"{change.old_loss or 'no loss'} -> {change.new_loss or 'no loss'}"
