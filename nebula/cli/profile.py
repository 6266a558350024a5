"""`nebula profile`: the facts that rules may look at."""

from __future__ import annotations

from nebula.cli.options import (
    DataFile,
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


def profile(
    file: DataFile,
    target: Target,
    features: Features = None,
    prediction_shape: PredictionShape = None,
    prediction_space: PredictionSpaceOption = None,
    hint: HintsOption = None,
    json: Json = False,
) -> None:
    """Show the facts of a column that rules may look at."""
    found = DataRequest(file, target, features, prediction_shape, prediction_space, hint).profile()
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
