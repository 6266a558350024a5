"""How far a fact lies from its threshold, as a small drawing."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

from nebula.decision.explain import show_value
from nebula.decision.trace import ComparisonTrace
from nebula.page.element import element, svg

__all__ = ["margin_plot"]

_MARK, _INK, _NO = "#2f5fa8", "#1c1f24", "#a3302a"


def margin_plot(comparison: ComparisonTrace) -> Element | None:
    """Draw where a fact lies beside its threshold; None when either is unknown.

    The line is the threshold, the dot the fact; the way between them is their distance over the larger of both.
    """
    value = comparison.values.get(comparison.fact or "")
    threshold, distance = comparison.threshold, comparison.distance
    if isinstance(value, bool) or not isinstance(value, (int, float)) or threshold is None or distance is None:
        return None
    relative = min(1.0, distance / max(abs(value), abs(threshold), math.ulp(0.0))) if distance else 0.0
    dot = 60 + math.copysign(54 * relative, value - threshold)
    colour = _MARK if comparison.outcome == "true" else _NO
    far = f"{distance:.3g} away, {relative:.0%}"
    said = f"{comparison.fact} = {show_value(value)}, threshold {show_value(threshold)}: {far}"
    return svg(
        120,
        16,
        said,
        element("line", x1=2, x2=118, y1=8, y2=8, stroke="#d8dce2", stroke_width=2),
        element("line", x1=60, x2=dot, y1=8, y2=8, stroke=colour, stroke_width=2),
        element("line", x1=60, x2=60, y1=1, y2=15, stroke=_INK, stroke_width=2),
        element("circle", cx=dot, cy=8, r=4, fill=colour),
    )
