"""`nebula profile`: the facts that rules may look at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.options import (
    CacheOption,
    DataFile,
    Features,
    HintsOption,
    Json,
    PolicyOption,
    PredictionShape,
    PredictionSpaceOption,
    Target,
)
from nebula.cli.output import say, show_json, show_table
from nebula.cli.request import DataRequest
from nebula.cli.shift_view import show_shift

if TYPE_CHECKING:
    from nebula.profiling.streams.source_profile import SourceProfile

__all__ = ["profile"]

_BAR_WIDTH = 30
_EIGHTHS = " ▏▎▍▌▋▊▉"

CheckpointOption = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        help="Keep the progress here; a killed run goes on from there.",
        show_default=False,
    ),
]
EngineOption = Annotated[str, typer.Option("--engine", metavar="ENGINE", help="Who reads: local, or ray.")]
Compare = Annotated[
    str | None,
    typer.Option(
        "--compare",
        metavar="OTHER",
        help="Show how far the same column of another source lies from it, and what is decided for each.",
        show_default=False,
    ),
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="OUT.html", help="Write a page with plots instead.", show_default=False),
]


def profile(
    file: DataFile,
    target: Target,
    features: Features = None,
    prediction_shape: PredictionShape = None,
    prediction_space: PredictionSpaceOption = None,
    hint: HintsOption = None,
    checkpoint: CheckpointOption = None,
    engine: EngineOption = "local",
    compare: Compare = None,
    policy: PolicyOption = "default.yaml",
    cache: CacheOption = "user",
    html: Html = None,
    json: Json = False,
) -> None:
    """Show the facts of a column that rules may look at."""
    from nebula.store.location import open_cache

    request = DataRequest(file, target, features, prediction_shape, prediction_space, hint)
    if compare is not None:
        if checkpoint is not None:
            raise typer.BadParameter("expected one source with it, found --compare too.", param_hint="--checkpoint")
        show_shift(request, replace(request, file=compare), policy, engine, html=html, json=json)
        return
    found = request.profile(checkpoint, engine, open_cache(cache).sources)
    if html is not None:
        from nebula.page.document import write_page
        from nebula.page.profile import profile_page
        from nebula.profiling.stores.address import mask

        write_page(profile_page(found, mask(file)), html)
        say(f"written: {html}")
    if json:
        show_json(found.profile.model_dump_json(indent=2))
    elif html is None:
        _show(found)


def _show(found: SourceProfile) -> None:
    from nebula.decision.explain import show_value
    from nebula.profiling.vocabulary import facts_of, vocabulary

    facts = facts_of(found.profile)
    known = {name: value for name, value in facts.items() if value is not None}
    show_table(
        ("fact", "value", "unit"),
        ((name, show_value(value), vocabulary()[name].unit or "") for name, value in known.items()),
    )
    if found.histogram:
        most = max(bar.share for bar in found.histogram)
        show_table(
            (f"{found.profile.target.name or 'values'}", "", "share"),
            ((bar.label, _draw(bar.share / most), f"{bar.share:.1%}") for bar in found.histogram),
        )
    say(f"{len(known)} facts are known, {len(facts) - len(known)} unknown; `nebula facts` says what they mean")


def _draw(part: float) -> str:
    """Return a bar of this part of the full width, to an eighth of a character; never nothing for something."""
    eighths = max(round(part * _BAR_WIDTH * 8), 1 if part else 0)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(_BAR_WIDTH)
