"""`nebula select`: which loss for a column of a data file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nebula.cli.decision_view import show_choice
from nebula.cli.exit_codes import ExitCode
from nebula.cli.options import (
    CacheOption,
    DataFile,
    Features,
    HintsOption,
    Json,
    Parameters,
    PolicyOption,
    PredictionShape,
    PredictionSpaceOption,
    Target,
)
from nebula.cli.output import say, show_json
from nebula.cli.request import DataRequest

__all__ = ["select"]

Audit = Annotated[
    Path | None,
    typer.Option("--audit", metavar="JSONL", help="Append the decision's trace to this audit log.", show_default=False),
]


def select(
    file: DataFile,
    target: Target,
    features: Features = None,
    prediction_shape: PredictionShape = None,
    prediction_space: PredictionSpaceOption = None,
    policy: PolicyOption = "default.yaml",
    hint: HintsOption = None,
    parameter: Parameters = None,
    audit: Audit = None,
    cache: CacheOption = "user",
    json: Json = False,
) -> None:
    """Choose the loss for a column of a data file, and say why."""
    request = DataRequest(file, target, features, prediction_shape, prediction_space, hint)
    decision = request.decide(policy, parameter, cache)
    trace = decision.trace
    if audit is not None:
        from nebula.audit.log import AuditLog

        AuditLog(audit).append(trace, decision.policy)
    if json:
        show_json(trace.to_json(indent=2))
    else:
        show_choice(trace)
    if trace.spec is None:
        question = trace.ambiguity.ask if trace.ambiguity else "several losses fit."
        say(f"{trace.policy.name} {trace.policy.version}: the data cannot tell. {question}")
        raise typer.Exit(ExitCode.REFUSED)
