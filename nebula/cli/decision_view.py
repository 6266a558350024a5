"""A decision on the screen: the choice, and the table of rules behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nebula.cli.output import on_terminal, show_table, show_text

if TYPE_CHECKING:
    from nebula.decision.trace import DecisionTrace, RuleTrace

__all__ = ["show_choice", "show_explanation"]


def show_choice(trace: DecisionTrace) -> None:
    """Write the choice and its reason, one line each."""
    show_table(("", ""), list(_choice(trace)))


def show_explanation(trace: DecisionTrace) -> None:
    """Write the choice and every rule with the values it saw."""
    if not on_terminal():
        from nebula.decision.explain import explain

        show_text(explain(trace))
        return
    show_choice(trace)
    show_table(("rule", "verdict", "loss", "what it saw"), (_rule(rule) for rule in trace.rules), title="Rules")
    show_text(f"decided by {trace.engine}, policy {trace.policy.digest}")


def _choice(trace: DecisionTrace) -> Iterator[tuple[str, str]]:
    from nebula.decision.explain import show_value

    yield "loss", trace.spec.loss if trace.spec else "none: the policy refuses to guess"
    rule = f"rule `{trace.rule_id}`" if trace.rule_id else "`otherwise`"
    yield "by", f"{rule} of {trace.policy.name} {trace.policy.version} ({trace.status})"
    if trace.because:
        yield "because", trace.because
    if trace.spec:
        yield from _spec(trace)
    if trace.ambiguity:
        yield "ambiguous", f"{' or '.join(trace.ambiguity.between)}. {trace.ambiguity.ask}"
    for note in trace.notes:
        yield note.kind, note.text
    if trace.runner_up:
        yield "runner-up", f"{trace.runner_up.loss} (rule `{trace.runner_up.rule_id}`)"
    for edge in trace.boundaries:
        other = edge.would_choose or "no loss"
        yield "would change", f"{edge.fact} = {show_value(edge.value)}, across `{edge.comparison}`: {other}"


def _spec(trace: DecisionTrace) -> Iterator[tuple[str, str]]:
    from nebula.decision.composition import part_rows
    from nebula.decision.explain import serve_words, show_value

    spec = trace.spec
    if spec is None:
        return
    for name, value in spec.params.items():
        yield "parameter", f"{name} = {show_value(value)}"
    yield from part_rows(spec)
    yield "link", spec.link
    if spec.output_bias:
        yield "output bias", f"{spec.output_bias.kind} = {show_value(spec.output_bias.values)}"
    yield "serve", serve_words(spec)
    for step in spec.adapt:
        yield "adapt", f"{step.on}: {step.step} ({step.reason})"


def _rule(rule: RuleTrace) -> tuple[str, str, str, str]:
    from nebula.decision.explain import show_value

    seen = "\n".join(
        f"{comparison.text} is {comparison.outcome}"
        f" [{', '.join(f'{name} = {show_value(value)}' for name, value in comparison.values.items())}]"
        for comparison in rule.comparisons
    )
    return rule.id, rule.verdict, rule.loss or "", seen
