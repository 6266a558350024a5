"""`nebula lock`: pin decisions in a file beside the code, and say what changed since."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.exit_codes import ExitCode, exit_code
from nebula.cli.options import (
    Features,
    HintsOption,
    Json,
    Parameters,
    PolicyOption,
    PredictionShape,
    PredictionSpaceOption,
)
from nebula.cli.output import say, show_json, show_text
from nebula.cli.request import DataRequest
from nebula.errors import NebulaError

if TYPE_CHECKING:
    from nebula.lockfile.model import Lockfile, Pin, Request
    from nebula.lockfile.revision import Revision

__all__ = ["lock"]

Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE]...", help="Data files to pin; with --check or --update all that are pinned.", show_default=False
    ),
]
SomeTarget = Annotated[
    str | None,
    typer.Option("--target", "-t", metavar="COL[,COL]", help="Column of each file to predict.", show_default=False),
]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="LOCKFILE", help="The lockfile.")]
Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="Name of the decision, by default FILE:TARGET.", show_default=False),
]
Check = Annotated[bool, typer.Option("--check", help="Decide again and say what changed; nothing is written.")]
Update = Annotated[bool, typer.Option("--update", help="Decide again and take what changed.")]


def lock(
    files: Files = None,
    target: SomeTarget = None,
    features: Features = None,
    prediction_shape: PredictionShape = None,
    prediction_space: PredictionSpaceOption = None,
    policy: PolicyOption = "default.yaml",
    hint: HintsOption = None,
    parameter: Parameters = None,
    output: Output = Path("nebula.lock"),
    name: Name = None,
    check: Check = False,
    update: Update = False,
    json: Json = False,
) -> None:
    """Pin decisions in a lockfile, or compare the pinned ones with what is decided now.

    A decision that is pinned already and differs is not replaced without --update. Exit status 7
    tells that something differs.
    """
    from nebula.lockfile.document import read_lockfile, write_lockfile
    from nebula.lockfile.model import Lockfile

    if check and update:
        raise typer.BadParameter("expected one of --check and --update.", param_hint="--check")
    if name is not None and len(files or ()) != 1:
        raise typer.BadParameter("expected one file with it.", param_hint="--name")
    exists = output.exists()
    lockfile = read_lockfile(output) if exists or not files else Lockfile()
    if files:
        if target is None:
            raise typer.BadParameter("expected a column to predict.", param_hint="--target")
        _refuse_addresses(files)
        asked = {
            name or f"{_relative(file, output)}:{target}": _request(
                file, output, target, features, prediction_shape, prediction_space, policy, hint, parameter
            )
            for file in map(Path, files)
        }
    else:
        asked = {name: pinned.request for name, pinned in lockfile.decisions.items() if pinned.request is not None}
        for other in lockfile.decisions.keys() - asked.keys():
            say(f"{other}: was pinned in code, and is compared where it is decided")
    revisions, failed = _revise_all(asked, lockfile, output)
    taken = {} if check else {r.name: r.found for r in revisions if update or r.pinned is None}
    if taken:
        write_lockfile(output, Lockfile(decisions={**lockfile.decisions, **taken}))
    show_json([revision.document() for revision in revisions]) if json else _show(revisions, taken)
    differing = [revision for revision in revisions if revision.differs and revision.name not in taken]
    if failed:
        for name, error in failed.items():
            say(f"{name}: cannot be decided again: {error}")
        raise typer.Exit(exit_code(next(iter(failed.values()))))
    if differing:
        say(f"{len(differing)} of {len(revisions)} decisions differ from {output}; `--update` takes them")
        raise typer.Exit(ExitCode.FINDINGS)


def _show(revisions: list[Revision], taken: dict[str, Pin]) -> None:
    for revision in revisions:
        verdict = revision.verdict if revision.name not in taken else "pinned" if not revision.pinned else "updated"
        show_text(f"{revision.name}: {revision.found.loss or 'no loss'} ({verdict})")
        for change in revision.changes:
            show_text(f"  {change}")
        if revision.unexplained:
            show_text("  data, policy, settings and libraries are as pinned: the lockfile was edited, or code was")


def _revise_all(
    asked: dict[str, Request], lockfile: Lockfile, output: Path
) -> tuple[list[Revision], dict[str, NebulaError]]:
    """Decide each anew; a pinned one that cannot be decided keeps none of the others from being looked at."""
    failed: dict[str, NebulaError] = {}

    def revise(name: str, request: Request) -> Revision | None:
        try:
            return _revise(name, request, lockfile, output)
        except NebulaError as error:
            if name not in lockfile.decisions:
                raise
            failed[name] = error
            return None

    found = [revise(name, request) for name, request in asked.items()]
    return [revision for revision in found if revision is not None], failed


def _revise(name: str, request: Request, lockfile: Lockfile, output: Path) -> Revision:
    """Decide anew, without any cache."""
    from nebula.lockfile.model import pin
    from nebula.lockfile.revision import Revision

    folder = output.parent
    asked = DataRequest(
        str(folder / request.file),
        request.target,
        request.features,
        request.prediction_shape,
        request.prediction_space,
        list(request.hints),
    )
    policy = folder / request.policy
    decision = asked.decide(
        str(policy) if policy.is_file() else request.policy, list(request.parameters), cache=":memory:"
    )
    return Revision(name, lockfile.decisions.get(name), pin(decision, request))


def _request(
    file: Path,
    output: Path,
    target: str,
    features: str | None,
    prediction_shape: str | None,
    prediction_space: str | None,
    policy: str,
    hints: list[str] | None,
    parameters: list[str] | None,
) -> Request:
    from nebula.lockfile.model import Request

    return Request(
        file=_relative(file, output),
        target=target,
        features=features,
        prediction_shape=prediction_shape,
        prediction_space=prediction_space,
        policy=_relative(Path(policy), output) if Path(policy).is_file() else policy,
        hints=tuple(hints or ()),
        parameters=tuple(parameters or ()),
    )


def _refuse_addresses(files: list[str]) -> None:
    from nebula.profiling.stores.address import is_address, mask

    for file in filter(is_address, files):
        raise typer.BadParameter(f"expected paths, found an address: {mask(file)}; download it.", param_hint="FILE")


def _relative(file: Path, output: Path) -> str:
    """Name a file from the lockfile's folder, the same on every machine."""
    return Path(os.path.relpath(file, output.parent)).as_posix()
