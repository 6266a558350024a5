"""`nebula explain`: every rule behind a decision, made now or recorded earlier."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nebula.cli.audit_options import readable
from nebula.cli.decision_view import show_explanation
from nebula.cli.options import (
    CacheOption,
    Features,
    HintsOption,
    Json,
    Parameters,
    PolicyOption,
    PredictionShape,
    PredictionSpaceOption,
)
from nebula.cli.output import say, show_json, show_table, show_text
from nebula.cli.request import DataRequest
from nebula.cli.stability_view import RESAMPLES, show_stability

if TYPE_CHECKING:
    from nebula.decision.model import Decision
    from nebula.decision.policy import Policy
    from nebula.decision.trace import DecisionTrace

__all__ = ["explain"]

Source = Annotated[str, typer.Argument(metavar="FILE", help="A data file, or an audit log.", show_default=False)]
SomeTarget = Annotated[
    str | None,
    typer.Option("--target", "-t", metavar="COL[,COL]", help="Column of a data file to predict.", show_default=False),
]
Loss = Annotated[
    str | None,
    typer.Option(
        "--why-not", metavar="LOSS", help="Say why this loss was not chosen, and what would.", show_default=False
    ),
]
Prove = Annotated[
    bool,
    typer.Option("--prove", help="With --why-not: prove that no fewer facts would do, or find fewer (extra `verify`)."),
]
Tree = Annotated[bool, typer.Option("--tree", help="Draw a tree; with --json, its content.")]
TraceId = Annotated[
    str | None,
    typer.Option("--id", metavar="ID", help="The trace of this id, or of its first characters.", show_default=False),
]
Stable = Annotated[
    bool, typer.Option("--stability", help="Draw the rows many times again, and say how often the same loss wins.")
]
Resamples = Annotated[int, typer.Option(metavar="N", min=1, help="With --stability: how many times.")]
Last = Annotated[bool, typer.Option("--last", help="The last trace of the file.")]


def explain(
    file: Source,
    target: SomeTarget = None,
    features: Features = None,
    prediction_shape: PredictionShape = None,
    prediction_space: PredictionSpaceOption = None,
    policy: PolicyOption = "default.yaml",
    hint: HintsOption = None,
    parameter: Parameters = None,
    why_not: Loss = None,
    prove: Prove = False,
    tree: Tree = False,
    trace_id: TraceId = None,
    last: Last = False,
    stability: Stable = False,
    resamples: Resamples = RESAMPLES,
    cache: CacheOption = "user",
    json: Json = False,
) -> None:
    """Show every rule behind a decision, with the values it saw.

    FILE is a data file together with --target, or the audit log that `select --audit` wrote.
    """
    if prove and why_not is None:
        raise typer.BadParameter("expected a loss to ask about with --why-not.", param_hint="--prove")
    if stability:
        _refuse_beside_stability(target, why_not, tree=tree)
    if target is None:
        trace = _recorded(file, trace_id, last=last, json=json)
        if trace is None:
            return
        decision = _read_back(trace, policy if why_not is not None else None)
    else:
        request = DataRequest(file, target, features, prediction_shape, prediction_space, hint)
        if stability:
            show_stability(request, policy, parameter, resamples, json=json)
            return
        decision = request.decide(policy, parameter, cache)
    if why_not is not None:
        _show_why_not(decision, why_not, prove=prove, tree=tree, json=json)
    elif tree:
        why = decision.why()
        show_json(why.model_dump_json(indent=2)) if json else show_text(why.tree())
    elif json:
        show_json(decision.trace.to_json(indent=2))
    else:
        show_explanation(decision.trace)


def _refuse_beside_stability(target: str | None, why_not: str | None, *, tree: bool) -> None:
    if target is None:
        raise typer.BadParameter("expected a data file with --target.", param_hint="--stability")
    if tree or why_not is not None:
        raise typer.BadParameter("expected it without --tree and --why-not.", param_hint="--stability")


def _recorded(source: str, trace_id: str | None, *, last: bool, json: bool) -> DecisionTrace | None:
    """Return the record that is meant; list them all when that is open."""
    from nebula.profiling.stores.address import is_address, mask

    if is_address(source):
        raise typer.BadParameter(f"expected a column of {mask(source)} to predict.", param_hint="--target")
    file = Path(source)
    if file.suffix.lower() in (".csv", ".parquet", ".npz", ".pt"):
        raise typer.BadParameter(f"expected a column of {file} to predict.", param_hint="--target")
    traces = [entry.trace for entry in readable(file)]
    if trace_id is not None:
        traces = [trace for trace in traces if trace.id.startswith(trace_id)]
        if not traces:
            raise typer.BadParameter(f"expected the id of a trace in {file}, found {trace_id!r}.", param_hint="--id")
    if last or len(traces) == 1:
        if not traces:
            raise typer.BadParameter(f"expected at least one trace in {file}, found none.", param_hint="FILE")
        return traces[-1]
    if json:
        show_json([trace.model_dump(mode="json") for trace in traces])
    else:
        _list(traces)
    say(f"{len(traces)} traces in {file}: name one with --id, or --last")
    return None


def _list(traces: list[DecisionTrace]) -> None:
    show_table(
        ("id", "time", "target", "loss", "rule", "status"),
        (
            (
                trace.id,
                trace.time,
                trace.profile.target.name or "",
                trace.spec.loss if trace.spec else "",
                trace.rule_id or "",
                trace.status,
            )
            for trace in traces
        ),
    )


def _read_back(trace: DecisionTrace, policy: str | None) -> Decision:
    """Return the recorded decision, with the policy that made it if that is the one named."""
    from nebula.decision.model import Decision

    return Decision(trace, policy=None if policy is None else _policy_of(trace, policy))


def _policy_of(trace: DecisionTrace, policy: str) -> Policy | None:
    """Load the policy with the recorded parameters; None when it is not the one that decided."""
    from nebula.decision.policy import load_policy
    from nebula.errors import PolicyError

    with suppress(PolicyError):
        loaded = load_policy(policy, parameters=dict(trace.parameters))
        if loaded.digest == trace.policy.digest:
            return loaded
    made = trace.policy
    say(f"what would select it needs the policy that decided, {made.name} {made.version}: name it with --policy")
    return None


def _show_why_not(decision: Decision, loss: str, *, prove: bool, tree: bool, json: bool) -> None:
    from nebula.cli.loss_names import known_loss

    name = known_loss(loss).name
    prove = prove and decision.policy is not None  # why it is not at hand was said
    if decision.policy is not None and (json or tree):
        answer = decision.contrast(name, prove=prove)
        show_json(answer.model_dump_json(indent=2)) if json else show_text(answer.tree())
    elif json:
        show_json({"loss": name, "why_not": decision.why_not(name).splitlines()})
    else:
        show_text(decision.why_not(name, prove=prove))
