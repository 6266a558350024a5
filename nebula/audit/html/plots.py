"""The profile and the margins as small drawings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from nebula.audit.html.element import element, svg
from nebula.decision.explain import show_value
from nebula.decision.trace import ComparisonTrace
from nebula.profiling.model import TargetFacts

__all__ = ["margin_plot", "profile_plots"]

_MOST_BARS = 24
_WIDTH, _LEFT = 320, 90
_MARK, _PALE, _INK, _NO = "#2f5fa8", "#dde5f2", "#1c1f24", "#a3302a"
_SHARES = (
    ("zeros", "zero_fraction"),
    ("negative", "negative_fraction"),
    ("outliers", "outlier_fraction"),
    ("at the smallest", "min_fraction"),
    ("at the largest", "max_fraction"),
    ("not finite", "nonfinite_fraction"),
    ("rarest class", "minority_fraction"),
)


def profile_plots(target: TargetFacts) -> Iterator[Element]:
    """Draw what is known: counts of values, quantiles, shares."""
    counts = target.class_counts or target.value_counts
    if counts and sum(counts):
        named = target.unique_values if target.unique_values and len(target.unique_values) == len(counts) else None
        labels = [show_value(value) for value in named] if named else [str(index) for index in range(len(counts))]
        yield _figure(_bars(labels, counts), f"rows of each value ({len(counts)} values)")
    quantiles = [target.min, target.q05, target.q25, target.median, target.q75, target.q95, target.max]
    known = [value for value in quantiles if value is not None]
    if len(known) == len(quantiles) and known[-1] > known[0]:
        low, high = show_value(known[0]), show_value(known[-1])
        yield _figure(_box(known), f"{low} to {high}; box: the middle half, line: the median, thick: 5 % to 95 %")
    shares = [(name, value) for name, field in _SHARES if (value := getattr(target, field)) is not None]
    if shares:
        yield _figure(_share_bars(shares), "shares of the values")


def _figure(drawing: Element, caption: str) -> Element:
    return element("figure", drawing, element("figcaption", caption))


def _bars(labels: Sequence[str], counts: Sequence[int]) -> Element:
    shown, most = counts[:_MOST_BARS], max(counts)
    step = _WIDTH / len(shown)
    shapes = []
    for place, count in enumerate(shown):
        height = 85 * count / most
        bar = element("rect", x=place * step + 1, y=100 - height, width=max(step - 2, 1), height=height, fill=_MARK)
        bar.append(element("title", f"{labels[place]}: {count}"))
        shapes.append(bar)
        if len(shown) <= _MOST_BARS // 2:
            shapes.append(_text(place * step + step / 2, 114, labels[place][:8], "middle"))
            shapes.append(_text(place * step + step / 2, 96 - height, str(count), "middle"))
    said = ", ".join(f"{label}: {count}" for label, count in zip(labels, shown, strict=False))
    return svg(_WIDTH, 120, f"counts: {said}", *shapes)


def _box(values: Sequence[float]) -> Element:
    low, high = values[0], values[-1]

    def x(value: float) -> float:
        share = (value - low) / (high - low) if math.isfinite(high - low) else 0.5
        return 6 + (_WIDTH - 12) * share

    smallest, q05, q25, middle, q75, q95, largest = map(x, values)
    return svg(
        _WIDTH,
        60,
        f"quantiles: {', '.join(map(show_value, values))}",
        element("line", x1=smallest, x2=largest, y1=30, y2=30, stroke=_INK, stroke_width=1),
        element("line", x1=q05, x2=q95, y1=30, y2=30, stroke=_INK, stroke_width=4),
        element("rect", x=q25, y=14, width=max(q75 - q25, 1), height=32, fill=_PALE, stroke=_MARK),
        element("line", x1=middle, x2=middle, y1=14, y2=46, stroke=_MARK, stroke_width=3),
    )


def _share_bars(shares: Sequence[tuple[str, float]]) -> Element:
    shapes = []
    for row, (name, share) in enumerate(shares):
        y = 20 * row + 4
        shapes += [
            _text(_LEFT - 6, y + 11, name, "end"),
            element("rect", x=_LEFT, y=y, width=_WIDTH - _LEFT - 50, height=14, fill=_PALE),
            element("rect", x=_LEFT, y=y, width=(_WIDTH - _LEFT - 50) * share, height=14, fill=_MARK),
            _text(_WIDTH - 46, y + 11, f"{share:.1%}", "start"),
        ]
    said = ", ".join(f"{name} {share:.1%}" for name, share in shares)
    return svg(_WIDTH, 20 * len(shares) + 8, said, *shapes)


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


def _text(x: float, y: float, text: str, anchor: str) -> Element:
    return element("text", text, x=x, y=y, text_anchor=anchor, font_size=11, fill=_INK)
