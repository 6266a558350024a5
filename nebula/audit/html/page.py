"""One decision as a page: what was chosen, why, on which data, how near to something else."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from nebula.audit.html.rules import rules_table
from nebula.audit.reading import Entry
from nebula.decision.explain import serve_words, show_value
from nebula.decision.naming import losses_chosen
from nebula.decision.trace import DecisionTrace
from nebula.decision.why import RuleAccount, Why, explain_why
from nebula.errors import ContractError
from nebula.losses.capability import violations
from nebula.losses.catalogue import load_builtin
from nebula.page.document import document
from nebula.page.element import Content, element
from nebula.page.parts import bullets, section, sentence, table, terms
from nebula.page.plots import profile_plots
from nebula.profiling.vocabulary import facts_of

__all__ = ["decision_page"]


def decision_page(entry: Entry) -> str:
    """Return a decision as self-contained HTML."""
    trace, why = entry.trace, explain_why(entry.trace)
    title = f"{trace.spec.loss if trace.spec else 'No loss'} for {trace.profile.target.name or 'a target'}"
    return document(
        title,
        element("h1", title, " ", element("span", trace.status, class_=f"badge {trace.status}")),
        sentence("p", why.sentence()),
        *section("The choice", terms(_choice(trace))),
        *section("What a reader should know", bullets(_notes(trace))),
        *section("The data", element("div", *profile_plots(trace.profile.target), class_="plots")),
        *section("The rule that decided", rules_table(rule for rule in trace.rules if rule.id == trace.rule_id)),
        *section("What would change the choice", _boundaries(trace)),
        *section("Why not another loss", *_others(trace, why)),
        *section("Every rule, in order", rules_table(trace.rules)),
        *section("Every known fact", _facts(trace)),
        *section("The record", terms(_identity(entry))),
    )


def _choice(trace: DecisionTrace) -> Iterator[tuple[str, Content]]:
    spec = trace.spec
    if trace.because:
        yield "because", trace.because
    if trace.cite:
        yield "source", trace.cite
    if spec:
        yield "loss", element("strong", spec.loss)
        yield from ((name, show_value(value)) for name, value in spec.params.items())
        yield "link", spec.link
        if spec.output_bias:
            yield "output bias", f"{spec.output_bias.kind} = {show_value(spec.output_bias.values)}"
        yield "serve", serve_words(spec)
        for step in spec.adapt:
            yield f"{step.on} step", f"{step.step}: {step.reason}"
        for term in spec.terms:
            yield f"term {term.name}", term.spec.loss
    if trace.runner_up:
        yield "runner-up", f"{trace.runner_up.loss} by rule {trace.runner_up.rule_id}"


def _notes(trace: DecisionTrace) -> Iterator[str]:
    if trace.ambiguity:
        yield f"ambiguous: {' or '.join(trace.ambiguity.between)}. {trace.ambiguity.ask}"
    yield from (f"{note.kind}: {note.text}" for note in trace.notes)


def _boundaries(trace: DecisionTrace) -> Element | None:
    columns = ("fact", "is", "threshold", "away", "then")
    return table(
        columns,
        (
            (
                edge.fact,
                show_value(edge.value),
                show_value(edge.threshold),
                f"{edge.distance:.3g} ({edge.relative_distance:.0%})",
                f"{edge.would_choose} by {edge.would_fire}" if edge.would_choose else "no loss",
            )
            for edge in trace.boundaries
        ),
    )


def _others(trace: DecisionTrace, why: Why) -> Iterator[Element]:
    load_builtin()
    chosen = set(losses_chosen(trace.spec))
    rules: dict[str, list[RuleAccount]] = {}
    for rule in why.rules:
        if rule.loss and rule.loss not in chosen:
            rules.setdefault(rule.loss, []).append(rule)
    for loss, accounts in rules.items():
        lines = [*map(_lost, accounts), *_misfits(loss, trace)]
        yield element("div", element("strong", loss), bullets(lines), class_="other")


def _lost(rule: RuleAccount) -> str:
    if rule.failing is None:
        return f"`{rule.id}` holds too, after the rule that decided"
    return f"`{rule.id}`: {rule.failing.sentence()}"


def _misfits(loss: str, trace: DecisionTrace) -> Iterator[str]:
    try:
        yield from (f"does not fit the data: {clause}" for clause in violations(loss, {}, trace.profile))
    except ContractError as error:  # it came from a plugin that is not installed here
        yield str(error)


def _facts(trace: DecisionTrace) -> Element | None:
    known = {name: value for name, value in facts_of(trace.profile).items() if value is not None}
    return table(("fact", "value"), ((name, show_value(value)) for name, value in known.items()))


def _identity(entry: Entry) -> Iterator[tuple[str, Content]]:
    trace = entry.trace
    yield "decision", trace.id
    if entry.seq is not None:
        yield "record", str(entry.seq)
    yield "time", trace.time
    yield "policy", f"{trace.policy.name} {trace.policy.version}, {trace.policy.digest}"
    yield "data", trace.profile.fingerprint or "unknown"
    yield from ((f"masked: {name}", digest) for name, digest in entry.masked.items())
    yield "engine", trace.engine
    yield "versions", ", ".join(f"{name} {version}" for name, version in trace.versions.items())
