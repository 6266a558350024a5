"""A profile, or two of them, as small drawings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from nebula.decision.explain import show_value
from nebula.page.element import element, svg
from nebula.profiling.histogram import Bar
from nebula.profiling.model import TargetFacts

__all__ = ["paired_bars", "paired_boxes", "profile_plots"]

_MOST_BARS = 24
_WIDTH, _LEFT, _LONGEST = 320, 100, 16
_MARK, _SECOND, _PALE, _INK = "#2f5fa8", "#c4762b", "#dde5f2", "#1c1f24"
_SHARES = (
    ("zeros", "zero_fraction"),
    ("negative", "negative_fraction"),
    ("outliers", "outlier_fraction"),
    ("at the smallest", "min_fraction"),
    ("at the largest", "max_fraction"),
    ("not finite", "nonfinite_fraction"),
    ("rarest class", "minority_fraction"),
)


def profile_plots(target: TargetFacts, histogram: Sequence[Bar] = ()) -> Iterator[Element]:
    """Draw what is known: the values or their counts, quantiles, shares.

    Args:
        target: The facts.
        histogram: The values as a few bars; without them the counts are drawn, where they are known.
    """
    counts = target.class_counts or target.value_counts
    if histogram:
        most = max(bar.share for bar in histogram)
        yield _figure(_share_bars([(bar.label, bar.share) for bar in histogram], most), "the finite values")
    elif counts and sum(counts):
        labels = _labels(target, len(counts))
        unnamed = "" if any(labels) else ", in ascending order"
        yield _figure(_bars(labels, counts), f"rows of each value ({len(counts)} values{unnamed})")
    coded = target.categories is not None  # how codes are spread says nothing
    quantiles = [] if coded else _quantiles(target)
    if quantiles:
        yield _figure(_box(quantiles, quantiles[0], quantiles[-1]), _span(quantiles[0], quantiles[-1]))
    shares = [
        (name, value) for name, field in _SHARES[-1 if coded else 0 :] if (value := getattr(target, field)) is not None
    ]
    if shares:
        yield _figure(_share_bars(shares), "shares of the values")


def _labels(target: TargetFacts, count: int) -> list[str]:
    """Return the value of each count as far as the facts tell it, else empty texts."""
    if target.unique_values and len(target.unique_values) == count:
        return [show_value(value) for value in target.unique_values]
    if target.categories is not None:
        return [str(code) for code in range(count)]
    if target.label_min is not None and target.labels_are_contiguous:
        return [f"{target.label_min + index:g}" for index in range(count)]
    return [""] * count


def paired_boxes(sides: Sequence[tuple[str, TargetFacts]]) -> Iterator[Element]:
    """Draw the quantiles of several targets on one axis; nothing where one of them has none, or holds labels."""
    if any(target.categories is not None for _, target in sides):
        return
    found = [(name, _quantiles(target)) for name, target in sides]
    if not all(quantiles for _, quantiles in found):
        return
    low, high = min(quantiles[0] for _, quantiles in found), max(quantiles[-1] for _, quantiles in found)
    for name, quantiles in found:
        yield _figure(_box(quantiles, low, high), f"{name}, on an axis from {_span(low, high)}")


def paired_bars(rows: Sequence[tuple[str, float, float]]) -> Element:
    """Draw two shares of each label, one under the other on one scale.

    Args:
        rows: Label, share before, share after.
    """
    most = max([max(before, after) for _, before, after in rows] + [math.ulp(0.0)])
    wide, shapes = _WIDTH - _LEFT - 50, []
    for row, (name, before, after) in enumerate(rows):
        y = 34 * row + 4
        shapes.append(_name(_LEFT - 6, y + 18, name))
        for place, (share, colour) in enumerate(((before, _MARK), (after, _SECOND))):
            shapes += [
                element("rect", x=_LEFT, y=y + 14 * place, width=wide * share / most, height=12, fill=colour),
                _text(_WIDTH - 46, y + 14 * place + 10, f"{share:.1%}", "start"),
            ]
    said = ", ".join(f"{name} {before:.1%}, then {after:.1%}" for name, before, after in rows)
    caption = "share of each class: above in the first, below in the second"
    return _figure(svg(_WIDTH, 34 * len(rows) + 4, said, *shapes), caption)


def _quantiles(target: TargetFacts) -> list[float]:
    """Return smallest, 5 %, 25 %, median, 75 %, 95 %, largest; nothing where one is unknown or all are equal."""
    quantiles = [target.min, target.q05, target.q25, target.median, target.q75, target.q95, target.max]
    known = [value for value in quantiles if value is not None]
    return known if len(known) == len(quantiles) and known[-1] > known[0] else []


def _span(low: float, high: float) -> str:
    return f"{show_value(low)} to {show_value(high)}; box: the middle half, line: the median, thick: 5 % to 95 %"


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


def _box(values: Sequence[float], low: float, high: float) -> Element:
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


def _share_bars(shares: Sequence[tuple[str, float]], most: float = 1.0) -> Element:
    wide, shapes = _WIDTH - _LEFT - 50, []
    for row, (name, share) in enumerate(shares):
        y = 20 * row + 4
        shapes += [
            _name(_LEFT - 6, y + 11, name),
            element("rect", x=_LEFT, y=y, width=wide, height=14, fill=_PALE),
            element("rect", x=_LEFT, y=y, width=wide * share / most, height=14, fill=_MARK),
            _text(_WIDTH - 46, y + 11, f"{share:.1%}", "start"),
        ]
    said = ", ".join(f"{name} {share:.1%}" for name, share in shares)
    return svg(_WIDTH, 20 * len(shares) + 8, said, *shapes)


def _name(x: float, y: float, name: str) -> Element:
    """Write a label that ends here, cut to the room there is; a pointer shows the rest."""
    made = _text(x, y, name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…", "end")
    if len(name) > _LONGEST:
        made.append(element("title", name))
    return made


def _text(x: float, y: float, text: str, anchor: str) -> Element:
    return element("text", text, x=x, y=y, text_anchor=anchor, font_size=11, fill=_INK)
