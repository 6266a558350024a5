"""A trace in words: the summary line, the whole explanation, and why not another loss."""

from __future__ import annotations

from collections.abc import Iterator

from nebula.decision.composition import part_rows
from nebula.decision.naming import losses_chosen
from nebula.decision.trace import ComparisonTrace, DecisionTrace, RuleTrace
from nebula.errors import ContractError
from nebula.losses.capability import violations
from nebula.losses.catalogue import load_builtin
from nebula.losses.needed_outputs import NeededOutputs, needed_outputs
from nebula.losses.registry import find, nearest
from nebula.losses.spec import LossSpec

__all__ = ["explain", "serve_words", "show_value", "summary", "why_not"]

_MARK = {"fired": "=>", "also true": " ~", "false": " -", "unknown": " ?"}


def summary(trace: DecisionTrace) -> str:
    """Return one line: loss, rule, reason, status."""
    name = trace.spec.loss if trace.spec else "no loss"
    rule = f"rule `{trace.rule_id}`" if trace.rule_id else "`otherwise`"
    return f"{name} by {rule} of {trace.policy.name} {trace.policy.version} ({trace.status}): {trace.because}"


def explain(trace: DecisionTrace) -> str:
    """Return the decision, its reasons, each rule's verdict and what would change it."""
    return "\n".join(_explanation(trace))


def _explanation(trace: DecisionTrace) -> Iterator[str]:
    yield summary(trace)
    if trace.spec:
        yield from _choice(trace.spec, needed_outputs(trace.spec, trace.profile))
    if trace.ambiguity:
        yield f"  ambiguous:   {' or '.join(trace.ambiguity.between)}. {trace.ambiguity.ask}"
    for note in trace.notes:
        yield f"  {note.kind + ':':<12} {note.text}"
    if trace.runner_up:
        yield f"  runner-up:   {trace.runner_up.loss} (rule `{trace.runner_up.rule_id}`)"
    for edge in trace.boundaries:
        other = f"{edge.would_choose} (rule `{edge.would_fire}`)" if edge.would_fire else "no rule"
        seen = f"{edge.fact} = {edge.value:.6g}, at {edge.threshold:.6g} ({edge.distance:.3g} away)"
        yield f"  would change: {seen}: {other}"
    if trace.derived:
        yield f"  derived:     {', '.join(f'{name} = {value}' for name, value in trace.derived.items())}"
    yield "rules:"
    for rule in trace.rules:
        yield from _rule_lines(rule)
    yield f"decided by {trace.engine}, policy {trace.policy.digest}"


def _choice(spec: LossSpec, outputs: NeededOutputs | None) -> Iterator[str]:
    params = ", ".join(f"{name}={show_value(value)}" for name, value in spec.params.items())
    yield f"  loss:        {spec.loss}({params})"
    for about, text in part_rows(spec):
        yield f"  {about + ':':<12} {text}"
    if outputs:
        yield f"  outputs:     {outputs}"
    yield f"  link:        {spec.link}"
    if spec.output_bias:
        yield f"  output bias: {spec.output_bias.kind} = {show_value(list(spec.output_bias.values))}"
    yield f"  serve:       {serve_words(spec)}"
    for step in spec.adapt:
        yield f"  adapt:       {step.on}: {step.step} ({step.reason})"


def serve_words(spec: LossSpec) -> str:
    """Name what `predict` returns, with its cut, level and scale."""
    serve = spec.serve
    details = [
        f"cut {serve.threshold:.4g}" if serve.threshold is not None else "",
        f"level {serve.quantile:.4g}" if serve.quantile is not None else "",
        f"labels {show_value(list(serve.labels))}" if serve.labels else "",
        f"times {serve.scale:g}" if serve.scale != 1 else "",
    ]
    inside = ", ".join(detail for detail in details if detail)
    return f"{serve.functional} ({inside})" if inside else serve.functional


def _rule_lines(rule: RuleTrace) -> Iterator[str]:
    loss = f" -> {rule.loss}" if rule.loss else ""
    taken = " (unknown, taken for true: on_unknown)" if rule.taken_for_true else ""
    yield f" {_MARK[rule.verdict]} {rule.id}{loss}: {rule.verdict}{taken}"
    for comparison in rule.comparisons:
        yield f"      {comparison.outcome:<8} {comparison.text}  {_seen(comparison)}"


def _seen(comparison: ComparisonTrace) -> str:
    seen = ", ".join(f"{name} = {show_value(value)}" for name, value in comparison.values.items())
    far = f"; {comparison.distance:.3g} away" if comparison.distance is not None else ""
    return f"[{seen}{far}]" if seen or far else ""


def show_value(value: object) -> str:
    """Return a fact or parameter as people read it: six digits, six items, `unknown` for None."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        shown = ", ".join(show_value(item) for item in value[:6])
        return f"[{shown}{', …' if len(value) > 6 else ''}]"
    return str(value)


def why_not(trace: DecisionTrace, loss: str) -> str:
    """Say why this loss was not chosen: its rules' failing comparisons, then its contract.

    Raises:
        ContractError: No loss of that name is registered.
    """
    load_builtin()
    if find(loss) is None:
        near = nearest(loss)
        raise ContractError(
            f"expected a registered loss, found `{loss}`." + (f" Did you mean `{near}`?" if near else "")
        )
    if loss in losses_chosen(trace.spec):
        by = f"rule `{trace.rule_id}`" if trace.rule_id else "`otherwise`"
        whole = trace.spec.loss if trace.spec else loss
        return f"{loss} was chosen, by {by}." if whole == loss else f"{loss} was chosen, as a term of {whole}."
    rules = [rule for rule in trace.rules if rule.loss == loss]
    lines = [f"{loss} was not chosen."]
    for rule in rules:
        lines.extend(_why_rule_lost(trace, rule))
    if not rules:
        lines.append(f"  No rule of {trace.policy.name} {trace.policy.version} names it.")
    lines.extend(f"  It does not fit the data: {clause}" for clause in violations(loss, {}, trace.profile))
    return "\n".join(lines)


def _why_rule_lost(trace: DecisionTrace, rule: RuleTrace) -> Iterator[str]:
    if rule.verdict in ("also true", "fired"):
        yield f"  Rule `{rule.id}` holds too, but `{trace.rule_id}` stands before it."
        return
    yield f"  Rule `{rule.id}` is {rule.verdict}:"
    wanted = [c for c in rule.comparisons if c.outcome != "true"] or list(rule.comparisons)
    for comparison in wanted:
        yield f"    {comparison.text} is {comparison.outcome} {_seen(comparison)}".rstrip()
