"""`nebula policy tune`: thresholds fitted to results, and whether that is worth it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.options import Json
from nebula.cli.output import say, show_json, show_table, show_text

if TYPE_CHECKING:
    from nebula.tuning.tuning import Tuning

__all__ = ["tune"]

PolicyFile = Annotated[
    str, typer.Argument(metavar="POLICY", help="A policy file, or the name of a shipped one.", show_default=False)
]
Results = Annotated[
    Path,
    typer.Argument(metavar="RESULTS", help="One JSON object a line: data_set, facts, scores.", show_default=False),
]
Named = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        metavar="NAME[=LOW:HIGH]",
        help="A parameter to fit, repeatable; without any, all that declare `low` and `high`.",
        show_default=False,
    ),
]
Folds = Annotated[int, typer.Option("--folds", min=2, help="Parts of the data sets, each held out once.")]
Trials = Annotated[int, typer.Option("--trials", min=1, max=10_000, help="Values tried in each fold.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Sets the folds and the search.")]
Write = Annotated[bool, typer.Option("--write", help="Write the fitted values into POLICY, if the gain is proved.")]


def tune(
    policy: PolicyFile,
    results: Results,
    parameter: Named = None,
    folds: Folds = 5,
    trials: Trials = 60,
    seed: Seed = 0,
    write: Write = False,
    json: Json = False,
) -> None:
    """Fit named thresholds to a table of results by cross-validation over its data sets.

    Says what the fitted values gain on data sets that they were not fitted to, with its uncertainty.
    Nothing is written without `--write`, and nothing when the gain may be chance.
    """
    from rich.console import Console
    from rich.progress import Progress

    from nebula.tuning.tuning import tune as fit

    if write and not Path(policy).is_file():
        raise typer.BadParameter(f"expected a policy file to write to, found no file at {policy}.", param_hint="POLICY")
    ranges = dict(_range(text) for text in parameter or ())
    with Progress(console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("fitting", total=folds + 1)
        found = fit(policy, results, ranges, folds=folds, trials=trials, seed=seed, advance=lambda: bar.advance(line))
    if json:
        show_json(found.model_dump_json(indent=2))
    else:
        _show(found)
    _write(found, policy, write=write)


def _range(text: str) -> tuple[str, tuple[float, float] | None]:
    name, equals, given = text.partition("=")
    if not equals:
        return name, None
    low, _, high = given.partition(":")
    try:
        found = float(low), float(high)
    except ValueError:
        found = (math.nan, math.nan)
    if not all(map(math.isfinite, found)):
        raise typer.BadParameter(f"expected NAME=LOW:HIGH, two numbers, found {text!r}.", param_hint="--parameter")
    return name, found


def _show(found: Tuning) -> None:
    gain = found.gain
    show_text(f"{found.policy}: {found.rows} rows of {found.data_sets} data sets")
    show_table(
        ("parameter", "now", "fitted", "range", "without each fold"),
        [
            (p.name, f"{p.now:g}", f"{p.fitted:g}", f"{p.low:g}:{p.high:g}", " ".join(f"{v:g}" for v in p.folds))
            for p in found.parameters
        ],
    )
    show_text(f"cost on data sets held out: {gain.now:.4g} now, {gain.fitted:.4g} fitted")
    show_text(f"gain: {gain.mean:.3g}, 95 % interval {gain.low:.3g} to {gain.high:.3g}, sign-flip p = {gain.p:.2g}")
    show_text(f"      better on {gain.better} data sets, worse on {gain.worse}, alike on {gain.alike}")
    show_text(
        "The gain is more than chance." if gain.proved else "No gain: what was seen may be chance. Keep the values."
    )


def _write(found: Tuning, policy: str, *, write: bool) -> None:
    from nebula.cli.policy_fmt import read_policy, replace_file
    from nebula.tuning.rewriting import rewrite_parameters

    if not found.gain.proved or not found.changes:
        if write:
            say(f"{policy}: nothing written.")
        return
    changed = ", ".join(found.changes)
    if not write:
        say(f"{policy}: nothing written; --write would change {changed}.")
        return
    path = Path(policy)
    replace_file(path, rewrite_parameters(read_policy(path), found.changes, name=policy))
    say(f"{policy}: {changed} written. Run the policy's tests, and `nebula policy diff`, before you use it.")
