"""The rules as a table: what came of each, what every comparison saw, and how far it was from its threshold."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from nebula.audit.html.margins import margin_plot
from nebula.decision.explain import show_value
from nebula.decision.trace import ComparisonTrace, RuleTrace
from nebula.page.element import Content, element
from nebula.page.parts import table

__all__ = ["rules_table"]

_MARK = {"true": "✓", "false": "✗", "unknown": "?"}


def rules_table(rules: Iterable[RuleTrace]) -> Element | None:
    """Draw rules in order; None without any."""
    return table(("rule", "verdict", "loss", "comparisons"), map(_row, rules))


def _row(rule: RuleTrace) -> tuple[Content, ...]:
    kind = {"fired": "fired", "also true": "true"}.get(rule.verdict, rule.verdict)
    taken = " (taken for true)" if rule.taken_for_true else ""
    return (
        element("span", element("strong", rule.id), element("br"), element("code", rule.condition)),
        element("span", f"{rule.verdict}{taken}", class_=kind),
        rule.loss,
        element("div", *map(_comparison, rule.comparisons)) if rule.comparisons else None,
    )


def _comparison(comparison: ComparisonTrace) -> Element:
    seen = ", ".join(f"{name} = {show_value(value)}" for name, value in comparison.values.items())
    far = f"; {comparison.distance:.3g} away" if comparison.distance is not None else ""
    found = element("span", f" [{seen}{far}]", class_="soft") if seen else None
    told = element(
        "div",
        element("span", f"{_MARK[comparison.outcome]} {comparison.outcome}", class_=comparison.outcome),
        " ",
        element("code", comparison.text),
        found,
    )
    return element("div", told, margin_plot(comparison), class_="comparison")
