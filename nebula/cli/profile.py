"""`nebula profile`: the facts that rules may look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nebula.cli.options import (
    Features,
    HintsOption,
    Json,
    PredictionShape,
    PredictionSpaceOption,
    Target,
)
from nebula.cli.output import say, show_json, show_table
from nebula.cli.request import DataRequest

__all__ = ["profile"]

SourceFile = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE",
        help="CSV, Parquet, NPZ, NPY, PT or Arrow file, a folder of them, or a quoted pattern; of any size.",
        show_default=False,
    ),
]


def profile(
    file: SourceFile,
    target: Target,
    features: Features = None,
    prediction_shape: PredictionShape = None,
    prediction_space: PredictionSpaceOption = None,
    hint: HintsOption = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep the progress here; a killed run goes on from there.", show_default=False
        ),
    ] = None,
    engine: Annotated[str, typer.Option(metavar="ENGINE", help="Who reads: local, or ray for a cluster.")] = "local",
    json: Json = False,
) -> None:
    """Show the facts of a column that rules may look at."""
    found = DataRequest(file, target, features, prediction_shape, prediction_space, hint).profile(checkpoint, engine)
    if json:
        show_json(found.model_dump_json(indent=2))
        return
    from nebula.decision.explain import show_value
    from nebula.profiling.vocabulary import facts_of, vocabulary

    facts = facts_of(found)
    known = {name: value for name, value in facts.items() if value is not None}
    show_table(
        ("fact", "value", "unit"),
        ((name, show_value(value), vocabulary()[name].unit or "") for name, value in known.items()),
    )
    say(f"{len(known)} facts are known, {len(facts) - len(known)} unknown; `nebula facts` says what they mean")
