"""One decision as a page: what was chosen, why, on which data, how near to something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4
from xml.etree.ElementTree import Element

from nebula.audit.html.element import Content, element, render
from nebula.audit.html.plots import margin_plot, profile_plots
from nebula.audit.html.style import STYLE
from nebula.audit.reading import Entry
from nebula.decision.explain import serve_words, show_value, why_not
from nebula.decision.naming import losses_chosen
from nebula.decision.trace import ComparisonTrace, DecisionTrace, RuleTrace
from nebula.decision.why import explain_why
from nebula.errors import ContractError
from nebula.profiling.vocabulary import facts_of

__all__ = ["decision_page", "write_page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The page loads nothing and runs nothing, whatever stands in it."""


def write_page(entry: Entry, path: Path) -> None:
    """Write a decision as an HTML file, whole or not at all.

    Raises:
        OSError: The file cannot be written.
    """
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        draft.write_text(decision_page(entry), encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def decision_page(entry: Entry) -> str:
    """Return a decision as self-contained HTML."""
    trace = entry.trace
    title = f"{trace.spec.loss if trace.spec else 'No loss'} for {trace.profile.target.name or 'a target'}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title}: nebula"),
        element("style", STYLE),
    )
    body = element(
        "body",
        element("h1", title),
        element("p", explain_why(trace).sentence()),
        _terms(_identity(entry)),
        *_section("The choice", _terms(_choice(trace))),
        *_section("What a reader should know", _bullets(f"{note.kind}: {note.text}" for note in trace.notes)),
        *_section("The data", element("div", *profile_plots(trace.profile.target), class_="plots")),
        *_section("The rules", _rules(trace)),
        *_section("What would change the choice", _boundaries(trace)),
        *_section("Why not another loss", *_others(trace)),
        *_section("Every known fact", _facts(trace)),
    )
    return render(element("html", head, body, lang="en"))


def _section(title: str, *content: Element | None) -> Iterator[Element]:
    present = [part for part in content if part is not None and len(part)]
    if present:
        yield element("section", element("h2", title), *present)


def _terms(pairs: Iterable[tuple[str, str]]) -> Element:
    return element("dl", *(part for name, text in pairs for part in (element("dt", name), element("dd", text))))


def _bullets(lines: Iterable[str]) -> Element:
    return element("ul", *(element("li", line) for line in lines))


def _table(columns: tuple[str, ...], rows: Iterable[tuple[Content, ...]]) -> Element | None:
    made = [
        element("tr", *(element("td", cell, data_name=name) for name, cell in zip(columns, row, strict=True)))
        for row in rows
    ]
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in columns)))
    return element("table", head, element("tbody", *made)) if made else None


def _identity(entry: Entry) -> Iterator[tuple[str, str]]:
    trace = entry.trace
    yield "decision", trace.id
    if entry.seq is not None:
        yield "record", str(entry.seq)
    yield "time", trace.time
    yield "status", trace.status
    yield "policy", f"{trace.policy.name} {trace.policy.version}, {trace.policy.digest}"
    yield "data", trace.profile.fingerprint or "unknown"
    yield "engine", trace.engine
    yield "versions", ", ".join(f"{name} {version}" for name, version in trace.versions.items())


def _choice(trace: DecisionTrace) -> Iterator[tuple[str, str]]:
    spec = trace.spec
    if trace.because:
        yield "because", trace.because
    if trace.cite:
        yield "source", trace.cite
    if spec:
        yield "loss", spec.loss
        yield from ((name, show_value(value)) for name, value in spec.params.items())
        yield "link", spec.link
        if spec.output_bias:
            yield "output bias", f"{spec.output_bias.kind} = {show_value(spec.output_bias.values)}"
        yield "serve", serve_words(spec)
        for step in spec.adapt:
            yield f"{step.on} step", f"{step.step}: {step.reason}"
        for term in spec.terms:
            yield f"term {term.name}", term.spec.loss
    if trace.ambiguity:
        yield "ambiguous", f"{' or '.join(trace.ambiguity.between)}. {trace.ambiguity.ask}"
    if trace.runner_up:
        yield "runner-up", f"{trace.runner_up.loss} by rule {trace.runner_up.rule_id}"


def _rules(trace: DecisionTrace) -> Element | None:
    columns = ("rule", "verdict", "loss", "comparisons")
    return _table(columns, (_rule(rule) for rule in trace.rules))


def _rule(rule: RuleTrace) -> tuple[Content, ...]:
    verdict = f"{rule.verdict}, taken for true" if rule.taken_for_true else rule.verdict
    kind = {"fired": "fired", "also true": "true"}.get(rule.verdict, rule.verdict)
    comparisons = [_comparison(comparison) for comparison in rule.comparisons]
    return (
        element("span", element("strong", rule.id), element("br"), element("code", rule.condition, class_="soft")),
        element("span", verdict, class_=kind),
        rule.loss or "",
        element("div", *comparisons),
    )


def _comparison(comparison: ComparisonTrace) -> Element:
    seen = ", ".join(f"{name} = {show_value(value)}" for name, value in comparison.values.items())
    far = f"; {comparison.distance:.3g} away" if comparison.distance is not None else ""
    return element(
        "div",
        element("code", comparison.text),
        " is ",
        element("span", comparison.outcome, class_=comparison.outcome),
        element("div", f"{seen}{far}", class_="soft"),
        margin_plot(comparison),
    )


def _boundaries(trace: DecisionTrace) -> Element | None:
    columns = ("fact", "is", "threshold", "away", "then")
    return _table(
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


def _others(trace: DecisionTrace) -> Iterator[Element]:
    chosen = set(losses_chosen(trace.spec))
    for loss in dict.fromkeys(rule.loss for rule in trace.rules if rule.loss and rule.loss not in chosen):
        try:
            told = why_not(trace, loss)
        except ContractError as error:  # a loss of a plugin that is not installed here
            told = str(error)
        first, *rest = told.splitlines()
        yield element("div", element("p", first), _bullets(line.strip() for line in rest))


def _facts(trace: DecisionTrace) -> Element | None:
    known = {name: value for name, value in facts_of(trace.profile).items() if value is not None}
    return _table(("fact", "value"), ((name, show_value(value)) for name, value in known.items()))
